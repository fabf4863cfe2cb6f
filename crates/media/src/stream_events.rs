use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use crate::{MediaStream, MediaStreamTrack, stream::State, wakers::Wakers};

/// What is fired at a [`MediaStream`]: `MediaStreamTrackEvent` (mediacapture-streams §4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// `addtrack`: the peer added this track.
    AddTrack(MediaStreamTrack),
    /// `removetrack`: the peer removed this track.
    RemoveTrack(MediaStreamTrack),
}

impl StreamEvent {
    /// The track that the event is about.
    pub const fn track(&self) -> &MediaStreamTrack {
        match self {
            Self::AddTrack(track) | Self::RemoveTrack(track) => track,
        }
    }
}

/// A listener to one stream: what was fired since [`MediaStream::events`], in order.
///
/// Nothing is lost while fewer than [`LOSSLESS`](Self::LOSSLESS) events are unread. From there on
/// an event that undoes the last unread one about its track takes that one away, and neither is
/// told: what is told still leads from the tracks that the listener knew to those there are, and a
/// peer that adds and removes for ever makes nothing grow. What waits is then bounded by that
/// number and the tracks that the stream had or has.
///
/// Each listener gets all events. It is a handle of its stream, and keeps it.
#[derive(Debug)]
pub struct StreamEvents {
    stream: MediaStream,
    key: u64,
}

impl StreamEvents {
    /// How many unread events a listener keeps whatever they are.
    pub const LOSSLESS: usize = 64;

    pub(crate) fn new(stream: MediaStream) -> Self {
        let key = stream.lock().listeners.subscribe();
        Self { stream, key }
    }

    /// The next event; `None` when no more will come, because nobody controls the stream.
    ///
    /// Cancel safe: an event is only taken when this returns it.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<StreamEvent> {
        self.stream.lock().listeners.pop(self.key)
    }

    /// [`next`](Self::next) for those who write their own futures. Only the waker of the last call
    /// is woken.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        let waker = context.waker().clone();
        let mut state = self.stream.lock();
        let event = read(&mut state, self.key);
        let unused = match event {
            Poll::Pending => state.listeners.wakers.park(self.key, waker),
            Poll::Ready(_) => Some(waker),
        };
        drop(state);
        drop(unused);
        event
    }
}

impl Drop for StreamEvents {
    fn drop(&mut self) {
        let left = self.stream.lock().listeners.unsubscribe(self.key);
        drop(left);
    }
}

/// `Ready(None)`: no more will come.
fn read(state: &mut State, key: u64) -> Poll<Option<StreamEvent>> {
    match state.listeners.pop(key) {
        None if state.controlled => Poll::Pending,
        event => Poll::Ready(event),
    }
}

/// All listeners to a stream, and what each has yet to read.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    unread: Vec<(u64, VecDeque<StreamEvent>)>,
    pub(crate) wakers: Wakers,
}

impl Listeners {
    fn subscribe(&mut self) -> u64 {
        let key = self.wakers.key();
        self.unread.push((key, VecDeque::new()));
        key
    }

    #[must_use = "drop it outside the lock"]
    fn unsubscribe(&mut self, key: u64) -> (Option<VecDeque<StreamEvent>>, Option<Waker>) {
        let at = self.unread.iter().position(|(it, _)| *it == key);
        let unread = at.map(|at| self.unread.swap_remove(at).1);
        (unread, self.wakers.forget(key))
    }

    fn pop(&mut self, key: u64) -> Option<StreamEvent> {
        let (_, unread) = self.unread.iter_mut().find(|(it, _)| *it == key)?;
        unread.pop_front()
    }

    /// Tells `event` to all, and returns who waits for one. Whoever fires an event has a handle of
    /// its track, so none that is let go of here is the last.
    #[must_use = "wake them outside the lock"]
    pub(crate) fn fire(&mut self, event: &StreamEvent) -> Vec<(u64, Waker)> {
        for (_, unread) in &mut self.unread {
            push(unread, event);
        }
        self.wakers.take()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.unread.len()
    }
}

/// Queues `event`, or takes away the one that it undoes.
fn push(unread: &mut VecDeque<StreamEvent>, event: &StreamEvent) {
    if unread.len() >= StreamEvents::LOSSLESS {
        let same_track = |it: &StreamEvent| it.track() == event.track();
        if let Some(last) = unread.iter().rposition(same_track) {
            // Twice the same: the application undid the first without an event. Once is enough.
            if unread.get(last) != Some(event) {
                unread.remove(last);
            }
            return;
        }
    }
    unread.push_back(event.clone());
}
