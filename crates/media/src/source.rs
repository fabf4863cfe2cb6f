//! The state of a track lives here, at its source: a source and its tracks have one lock.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{
    MediaFrame, MediaKind, Request, WrongKind,
    readers::Readers,
    requests::Requests,
    wakers::{Wakers, wake, wake_all},
};

/// The source of a [`MediaStreamTrack`](crate::MediaStreamTrack) and of all clones of it: the half
/// that whoever feeds the track holds.
///
/// What is done here happens to all tracks of the source that are live. A track that was stopped is
/// disconnected from its source: it keeps the `muted` it had and fires nothing more.
///
/// Dropping this ends the tracks as [`end`](Self::end) does: their source is gone.
#[must_use = "a track ends when its source is dropped"]
pub struct TrackSource {
    pub(crate) shared: Arc<Shared>,
}

impl TrackSource {
    /// The kind of media that this source provides.
    pub fn kind(&self) -> MediaKind {
        self.shared.kind
    }

    /// Whether the source is muted, and with it its live tracks.
    pub fn muted(&self) -> bool {
        self.shared.lock().changes.muted()
    }

    /// Sets `muted` of all live tracks and fires `mute` or `unmute` at each, if that is a change
    /// ("set a track's muted state", mediacapture-streams §4.3.1). Does nothing once the source has
    /// ended.
    pub fn set_muted(&self, muted: bool) {
        let mut state = self.shared.lock();
        if state.ended || state.changes.muted() == muted {
            return;
        }
        state.changes.count += 1;
        let listeners = state.listeners.take();
        drop(state);
        wake(listeners);
    }

    /// Ends all live tracks and fires `ended` at each, once (mediacapture-streams §4.3.1, a track
    /// that ends for another reason than `stop()`). This is also what becomes of the track of a
    /// receiver whose transceiver is stopped or whose connection is closed (webrtc-pc §5.4, "stop
    /// sending and receiving").
    pub fn end(&self) {
        let mut state = self.shared.lock();
        state.ended = true;
        let listeners = state.listeners.take();
        let waiters = state.take_stop_waiters();
        let readers = state.readers.take_wakers();
        drop(state);
        wake(listeners);
        wake(waiters);
        wake_all(readers);
    }

    /// Gives `frame` to everyone who [reads](crate::MediaStreamTrack::frames) a live track of this
    /// source. Never blocks: a reader that is slow loses its oldest frames, and
    /// [knows how many](crate::TrackFrames::lost).
    ///
    /// A source that is muted or has ended gives no media: nobody gets the frame.
    pub fn write(&self, frame: impl Into<MediaFrame>) -> Result<(), WrongKind> {
        let frame = frame.into();
        let kind = self.shared.kind;
        if frame.kind() != Some(kind) {
            return Err(WrongKind { track: kind });
        }
        let mut state = self.shared.lock();
        if state.ended || state.changes.muted() {
            return Ok(());
        }
        let outcome = state.readers.write(&frame, kind);
        state.requests.note(frame.encoding());
        let waiters = match outcome.needs_key_frames {
            0 => Vec::new(),
            encodings => state.requests.key_frames(encodings),
        };
        drop(state);
        wake_all(outcome.wakers);
        wake(waiters);
        Ok(())
    }

    /// Whether somebody reads a live track of this source: whether it is worth making frames.
    pub fn is_read(&self) -> bool {
        self.shared.lock().readers.any_live()
    }

    /// What those who read wish for, if there is a wish that this did not return before.
    pub fn try_request(&self) -> Option<Request> {
        self.shared.lock().take_request()
    }

    /// Waits for the next of their wishes; `None` once the source
    /// [is stopped](Self::is_stopped). Cancel safe.
    pub async fn next_request(&self) -> Option<Request> {
        let waiting = Waiting {
            key: self.shared.lock().requests.waiters.key(),
            shared: &self.shared,
            of: |state| &mut state.requests.waiters,
        };
        poll_fn(|context| {
            waiting.poll(context, |state| match state.take_request() {
                None if !state.is_stopped() => Poll::Pending,
                request => Poll::Ready(request),
            })
        })
        .await
    }

    /// Whether nobody needs media of this source any more: each of its tracks has ended or is gone
    /// with its last handle (mediacapture-streams §4.3, "source stopped"). What is stopped stays
    /// so: only a live track has live clones.
    pub fn is_stopped(&self) -> bool {
        self.shared.lock().is_stopped()
    }

    /// Waits until [`is_stopped`](Self::is_stopped). Cancel safe.
    pub async fn stopped(&self) {
        let waiting = Waiting {
            key: self.shared.lock().stop_waiters.key(),
            shared: &self.shared,
            of: |state| &mut state.stop_waiters,
        };
        poll_fn(|context| {
            waiting.poll(context, |state| {
                if state.is_stopped() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
        })
        .await;
    }
}

impl Drop for TrackSource {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for TrackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackSource")
            .field("kind", &self.shared.kind)
            .field("label", &self.shared.label)
            .field("muted", &self.muted())
            .field("stopped", &self.is_stopped())
            .finish()
    }
}

/// One who waits among the wakers that `of` names; takes its waker away when the future that waits
/// is dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    key: u64,
    of: fn(&mut State) -> &mut Wakers,
}

impl Waiting<'_> {
    /// What `ready` says under the lock, and parks where it says `Pending`.
    fn poll<T>(&self, context: &Context<'_>, ready: impl FnOnce(&mut State) -> Poll<T>) -> Poll<T> {
        let waker = context.waker().clone();
        let mut state = self.shared.lock();
        let poll = ready(&mut state);
        let unused = match poll {
            Poll::Pending => (self.of)(&mut state).park(self.key, waker),
            Poll::Ready(_) => Some(waker),
        };
        drop(state);
        drop(unused);
        poll
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waker = (self.of)(&mut self.shared.lock()).forget(self.key);
        drop(waker);
    }
}

/// What a source and its tracks share.
pub(crate) struct Shared {
    pub(crate) kind: MediaKind,
    pub(crate) label: Box<str>,
    state: Mutex<State>,
}

impl Shared {
    /// A source with one live track.
    pub(crate) fn new(kind: MediaKind, label: Box<str>, initially_muted: bool) -> Self {
        let state = State {
            changes: Changes {
                initially_muted,
                count: 0,
            },
            ended: false,
            live: 1,
            listeners: Wakers::default(),
            stop_waiters: Wakers::default(),
            readers: Readers::default(),
            requests: Requests::default(),
        };
        Self {
            kind,
            label,
            state: Mutex::new(state),
        }
    }

    /// The state stays whole when a thread panics: no statement under the lock can.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.state.try_lock().is_err()
    }
}

/// All that changes about a source and its tracks, but for `enabled`.
pub(crate) struct State {
    pub(crate) changes: Changes,
    /// The source ended, and with it every track that was live.
    pub(crate) ended: bool,
    /// The tracks that have a handle and were not stopped.
    pub(crate) live: usize,
    /// Those who wait for events of tracks.
    pub(crate) listeners: Wakers,
    /// Those who wait for [`Self::is_stopped`].
    pub(crate) stop_waiters: Wakers,
    /// The frames that wait for those who read.
    pub(crate) readers: Readers,
    /// What they wish for.
    pub(crate) requests: Requests,
}

impl State {
    fn is_stopped(&self) -> bool {
        self.ended || self.live == 0
    }

    fn take_request(&mut self) -> Option<Request> {
        let readers = &self.readers;
        self.requests
            .take(readers.bitrate(), |encoding| readers.bitrate_of(encoding))
    }

    /// Those who wait for the source's stop, whatever else they wait for.
    pub(crate) fn take_stop_waiters(&mut self) -> Vec<(u64, Waker)> {
        let mut waiters = self.stop_waiters.take();
        waiters.append(&mut self.requests.waiters.take());
        waiters
    }
}

/// Every `mute` and `unmute` so far: they alternate, so their number says which they were.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    initially_muted: bool,
    pub(crate) count: u64,
}

impl Changes {
    /// Whether the source is muted now.
    pub(crate) fn muted(self) -> bool {
        self.muted_after(self.count)
    }

    /// Whether it was after that many changes.
    pub(crate) fn muted_after(self, count: u64) -> bool {
        self.initially_muted ^ (count % 2 == 1)
    }
}
