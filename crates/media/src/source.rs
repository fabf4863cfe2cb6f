//! The state of a track lives here, at its source: a source and its tracks have one lock.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use crate::{
    MediaKind,
    wakers::{Wakers, wake},
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
        let waiters = state.stop_waiters.take();
        drop(state);
        wake(listeners);
        wake(waiters);
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
        };
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut state = waiting.shared.lock();
            if state.is_stopped() {
                drop(state);
                return Poll::Ready(());
            }
            let before = state.stop_waiters.park(waiting.key, waker);
            drop(state);
            drop(before);
            Poll::Pending
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

/// Takes its waker away when the future that waits is dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    key: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waker = self.shared.lock().stop_waiters.forget(self.key);
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
}

impl State {
    fn is_stopped(&self) -> bool {
        self.ended || self.live == 0
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
