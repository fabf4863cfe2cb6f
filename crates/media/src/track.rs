use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc, MutexGuard, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    MediaKind, MediaStreamTrackState, TrackEvents, TrackFrames, TrackSource,
    readers::{Capacity, Gate},
    source::{Shared, State},
    wakers::{wake, wake_all},
};

/// `MediaStreamTrack` (mediacapture-streams §4.3): one track of audio or video.
///
/// A handle: `clone` gives another one of the same track, two are equal when they are of the same
/// track, and any thread may use it. A further *track* with the same source is made by
/// [`clone_track`](Self::clone_track).
///
/// Getters tell the state of now; an event that a listener has yet to read may be older.
#[derive(Clone)]
pub struct MediaStreamTrack {
    inner: Arc<Inner>,
}

impl MediaStreamTrack {
    /// A live track that is not muted, and its source. `id` is any text that is unlike that of
    /// other tracks ([`uuid_v4`](crate::uuid_v4) makes one), `label` what to call the source,
    /// possibly empty.
    ///
    /// The track ends when the source is dropped: keep it, also where media is silent.
    pub fn new(
        kind: MediaKind,
        id: impl Into<String>,
        label: impl Into<String>,
    ) -> (Self, TrackSource) {
        Self::with_source(kind, id.into(), label.into(), false)
    }

    /// The track of a receiver, and its source: live, muted until media arrives, and labelled
    /// `remote audio` or `remote video` (webrtc-pc §5.3, "create an RTCRtpReceiver").
    pub fn remote(kind: MediaKind, id: impl Into<String>) -> (Self, TrackSource) {
        Self::with_source(kind, id.into(), format!("remote {kind}"), true)
    }

    fn with_source(kind: MediaKind, id: String, label: String, muted: bool) -> (Self, TrackSource) {
        let shared = Arc::new(Shared::new(kind, label.into(), muted));
        let inner = Inner {
            id: id.into(),
            source: Arc::clone(&shared),
            gate: Arc::new(Gate {
                enabled: AtomicBool::new(true),
                stopped: OnceLock::new(),
            }),
        };
        let track = Self {
            inner: Arc::new(inner),
        };
        (track, TrackSource { shared })
    }

    /// Whether the media is audio or video.
    pub fn kind(&self) -> MediaKind {
        self.inner.source.kind
    }

    /// The id that the track was made with.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// What the source is called; possibly empty.
    pub fn label(&self) -> &str {
        &self.inner.source.label
    }

    /// Whether the application wants the media of this track. One that is not enabled gives
    /// silence or black frames.
    pub fn enabled(&self) -> bool {
        self.inner.gate.is_enabled()
    }

    /// Sets [`enabled`](Self::enabled), of an ended track too, where it has no effect. Fires
    /// nothing.
    pub fn set_enabled(&self, enabled: bool) {
        self.inner.gate.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Whether the source gives no media at the moment. An ended track keeps what it had.
    pub fn muted(&self) -> bool {
        let state = self.inner.source.lock();
        state.changes.muted_after(self.inner.changes(&state))
    }

    /// Whether the track is live or has ended.
    pub fn ready_state(&self) -> MediaStreamTrackState {
        if self.inner.is_live(&self.inner.source.lock()) {
            MediaStreamTrackState::Live
        } else {
            MediaStreamTrackState::Ended
        }
    }

    /// Ends this track, for good and without an event: whoever calls this knows. Its source goes on
    /// for clones of the track, and is [stopped](TrackSource::is_stopped) when this was the last.
    pub fn stop(&self) {
        let mut state = self.inner.source.lock();
        if !self.inner.is_live(&state) {
            return;
        }
        // It is empty, as the track is live, and stays so while the lock is held.
        let _ = self.inner.gate.stopped.set(state.changes.count);
        let listeners = state.listeners.take();
        let readers = state.readers.take_wakers();
        self.inner.leave(state);
        wake(listeners);
        wake_all(readers);
    }

    /// The W3C's `clone()`: a further track with the same source, that is stopped, enabled and
    /// disabled on its own. It begins with this track's `enabled`, `muted` and `readyState`: that
    /// of an ended track has ended.
    pub fn clone_track(&self, id: impl Into<String>) -> Self {
        let id = id.into().into();
        let source = &self.inner.source;
        let mut state = source.lock();
        // Counted first: the drop of an `Inner` that was not stopped counts it out again.
        if !self.inner.was_stopped() {
            state.live += 1;
        }
        let inner = Inner {
            id,
            source: Arc::clone(source),
            gate: Arc::new(Gate {
                enabled: AtomicBool::new(self.enabled()),
                stopped: self.inner.gate.stopped.clone(),
            }),
        };
        drop(state);
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A listener that gets every event from now on. There may be any number of them.
    pub fn events(&self) -> TrackEvents {
        TrackEvents::new(self.clone())
    }

    /// A reader that gets every frame from now on. There may be any number of them; [`TrackFrames`]
    /// says how many frames wait for each. It is a handle of the track, and keeps it.
    pub fn frames(&self) -> TrackFrames {
        TrackFrames::new(self.clone(), Capacity::Usual)
    }

    /// [`frames`](Self::frames) with room for `capacity` frames, at least one.
    pub fn frames_buffered(&self, capacity: usize) -> TrackFrames {
        TrackFrames::new(self.clone(), Capacity::Frames(capacity))
    }

    /// Asks the source for a key frame ([`Request::KeyFrame`](crate::Request::KeyFrame)), if the
    /// track is live. It concerns sources of encoded frames, such as a connection that forwards what
    /// it receives; others need not heed it.
    pub fn request_key_frame(&self) {
        self.request_key_frames(u8::MAX);
    }

    /// Asks for a key frame of the encodings that have a bit here.
    pub(crate) fn request_key_frames(&self, encodings: u8) {
        let mut state = self.inner.source.lock();
        if !self.inner.is_live(&state) {
            return;
        }
        let waiters = state.requests.key_frames(encodings);
        drop(state);
        wake(waiters);
    }

    /// Whether both are handles of one track, which is what `==` says, too.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Whether the track is still there, without holding it.
    #[cfg(test)]
    pub(crate) fn downgrade(&self) -> std::sync::Weak<Inner> {
        Arc::downgrade(&self.inner)
    }
}

impl PartialEq for MediaStreamTrack {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl Eq for MediaStreamTrack {}

impl Hash for MediaStreamTrack {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.inner).hash(state);
    }
}

impl fmt::Debug for MediaStreamTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStreamTrack")
            .field("kind", &self.kind())
            .field("id", &self.id())
            .field("label", &self.label())
            .field("enabled", &self.enabled())
            .field("muted", &self.muted())
            .field("ready_state", &self.ready_state())
            .finish()
    }
}

/// One track. What it does not hold itself it has of its source.
pub(crate) struct Inner {
    id: Box<str>,
    pub(crate) source: Arc<Shared>,
    /// Whether it is enabled and stopped.
    pub(crate) gate: Arc<Gate>,
}

impl Inner {
    pub(crate) fn is_live(&self, state: &State) -> bool {
        !state.ended && !self.was_stopped()
    }

    pub(crate) fn was_stopped(&self) -> bool {
        self.gate.is_stopped()
    }

    /// How many changes of its source this track has taken part in.
    pub(crate) fn changes(&self, state: &State) -> u64 {
        self.gate
            .stopped
            .get()
            .copied()
            .unwrap_or(state.changes.count)
    }

    /// The source has one track fewer; who waits for the last learns of it.
    fn leave(&self, mut state: MutexGuard<'_, State>) {
        state.live = state.live.saturating_sub(1);
        let waiters = if state.live == 0 {
            state.take_stop_waiters()
        } else {
            Vec::new()
        };
        drop(state);
        wake(waiters);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if !self.was_stopped() {
            self.leave(self.source.lock());
        }
    }
}
