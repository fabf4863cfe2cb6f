use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use crate::{MediaStreamTrack, source::State, track::Inner};

/// What is fired at a [`MediaStreamTrack`] (mediacapture-streams §4.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrackEvent {
    /// `mute`: the source gives no media for the time being.
    Mute,
    /// `unmute`: it gives media again.
    Unmute,
    /// `ended`: it never will again. The last event; [`MediaStreamTrack::stop`] does not fire it.
    Ended,
}

/// A listener to one track: everything fired since [`MediaStreamTrack::events`], in order, none
/// lost.
///
/// Unread events cost nothing: they are a number. Each listener gets all of them. It is a
/// handle of its track, as an event listener is in JavaScript, and keeps it.
#[derive(Debug)]
pub struct TrackEvents {
    track: MediaStreamTrack,
    cursor: Cursor,
    key: u64,
}

impl TrackEvents {
    pub(crate) fn new(track: MediaStreamTrack) -> Self {
        let mut state = track.inner().source.lock();
        let cursor = Cursor {
            seen: track.inner().changes(&state),
            knows_end: state.ended,
        };
        let key = state.listeners.key();
        drop(state);
        Self { track, cursor, key }
    }

    /// The next event; `None` when no more will come, because the track has ended.
    ///
    /// Cancel safe: an event is only taken when this returns it.
    pub async fn next(&mut self) -> Option<TrackEvent> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<TrackEvent> {
        let inner = self.track.inner();
        match self.cursor.read(inner, &inner.source.lock()) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        }
    }

    /// [`next`](Self::next) for those who write their own futures. Only the waker of the last call
    /// is woken.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<TrackEvent>> {
        let waker = context.waker().clone();
        let inner = self.track.inner();
        let mut state = inner.source.lock();
        let event = self.cursor.read(inner, &state);
        let unused = match event {
            Poll::Pending => state.listeners.park(self.key, waker),
            Poll::Ready(_) => Some(waker),
        };
        drop(state);
        drop(unused);
        event
    }
}

impl Drop for TrackEvents {
    fn drop(&mut self) {
        let waker = self.track.inner().source.lock().listeners.forget(self.key);
        drop(waker);
    }
}

/// How far a listener has read.
#[derive(Debug)]
struct Cursor {
    /// The changes of the source that it has been told of.
    seen: u64,
    /// It knows that the source has ended.
    knows_end: bool,
}

impl Cursor {
    /// The next event; `Ready(None)` when no more will come.
    fn read(&mut self, inner: &Inner, state: &State) -> Poll<Option<TrackEvent>> {
        if self.seen < inner.changes(state) {
            self.seen += 1;
            let muted = state.changes.muted_after(self.seen);
            let event = if muted {
                TrackEvent::Mute
            } else {
                TrackEvent::Unmute
            };
            return Poll::Ready(Some(event));
        }
        if inner.was_stopped() {
            return Poll::Ready(None);
        }
        if !state.ended {
            return Poll::Pending;
        }
        let fired = !std::mem::replace(&mut self.knows_end, true);
        Poll::Ready(fired.then_some(TrackEvent::Ended))
    }
}
