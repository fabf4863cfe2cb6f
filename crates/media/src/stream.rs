use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    MediaKind, MediaStreamTrack, MediaStreamTrackState, StreamEvent, StreamEvents,
    stream_events::Listeners, wakers::wake,
};

/// `MediaStream` (mediacapture-streams §4.2): a set of tracks that belong together.
///
/// A handle: `clone` gives another one of the same stream, two are equal when they are of the same
/// stream, and any thread may use it. A further *stream* is made by
/// [`clone_stream`](Self::clone_stream).
///
/// Looking for a track in the set takes time in proportion to its size.
#[derive(Clone)]
pub struct MediaStream {
    inner: Arc<Inner>,
}

impl MediaStream {
    /// A stream of the application's own: the W3C's constructors, with `tracks` of another stream,
    /// of a list, or none. One that comes twice is there once. `id` is any text that is unlike that
    /// of other streams ([`uuid_v4`](crate::uuid_v4) makes one).
    ///
    /// Nothing is ever fired at it, as only others than the application cause events.
    pub fn new(id: impl Into<String>, tracks: impl IntoIterator<Item = MediaStreamTrack>) -> Self {
        let stream = Self::empty(id.into(), false);
        for track in tracks {
            stream.add_track(&track);
        }
        stream
    }

    /// A stream whose tracks somebody else decides, such as a peer (webrtc-pc §9.2), and the half
    /// that does it.
    pub fn controlled(id: impl Into<String>) -> (Self, StreamControl) {
        let stream = Self::empty(id.into(), true);
        let control = StreamControl {
            stream: stream.clone(),
        };
        (stream, control)
    }

    fn empty(id: String, controlled: bool) -> Self {
        let state = State {
            tracks: Vec::new(),
            controlled,
            listeners: Listeners::default(),
        };
        let inner = Inner {
            id: id.into(),
            state: Mutex::new(state),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The id that the stream was made with.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Whether any of the tracks is live.
    pub fn active(&self) -> bool {
        let tracks = self.tracks();
        tracks
            .iter()
            .any(|track| track.ready_state() == MediaStreamTrackState::Live)
    }

    /// The tracks of now, in the order in which they were added.
    pub fn tracks(&self) -> Vec<MediaStreamTrack> {
        self.inner.lock().tracks.clone()
    }

    /// Those of them that are audio.
    pub fn audio_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks_of(MediaKind::Audio)
    }

    /// Those of them that are video.
    pub fn video_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks_of(MediaKind::Video)
    }

    fn tracks_of(&self, kind: MediaKind) -> Vec<MediaStreamTrack> {
        let state = self.inner.lock();
        let of_kind = state.tracks.iter().filter(|track| track.kind() == kind);
        of_kind.cloned().collect()
    }

    /// The track with this id; the first, if several have it.
    pub fn track_by_id(&self, id: &str) -> Option<MediaStreamTrack> {
        let state = self.inner.lock();
        state.tracks.iter().find(|track| track.id() == id).cloned()
    }

    /// Adds a track that is not there yet, and says whether it did. By the application, hence
    /// without an event. An ended track may be added.
    pub fn add_track(&self, track: &MediaStreamTrack) -> bool {
        self.inner.lock().add(track)
    }

    /// Removes a track that is there, and says whether it did. By the application, hence without an
    /// event. The track itself is left as it is.
    pub fn remove_track(&self, track: &MediaStreamTrack) -> bool {
        self.inner.lock().remove(track)
    }

    /// The W3C's `clone()`: a further stream of the application's own, named `id`, with a
    /// [clone](MediaStreamTrack::clone_track) of every track, named by `track_id`.
    pub fn clone_stream(
        &self,
        id: impl Into<String>,
        mut track_id: impl FnMut() -> String,
    ) -> Self {
        let tracks = self.tracks();
        Self::new(id, tracks.iter().map(|track| track.clone_track(track_id())))
    }

    /// A listener that gets every event from now on. There may be any number of them.
    pub fn events(&self) -> StreamEvents {
        StreamEvents::new(self.clone())
    }

    /// Whether both are handles of one stream, which is what `==` says, too.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.lock()
    }

    /// Whether the stream is still there, without holding it.
    #[cfg(test)]
    pub(crate) fn downgrade(&self) -> std::sync::Weak<Inner> {
        Arc::downgrade(&self.inner)
    }
}

impl PartialEq for MediaStream {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl Eq for MediaStream {}

impl Hash for MediaStream {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.inner).hash(state);
    }
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStream")
            .field("id", &self.id())
            .field("tracks", &self.tracks())
            .finish()
    }
}

/// The half of a [`MediaStream`] that decides its tracks on behalf of a peer: what is done here
/// fires events, which wait at each listener as [`StreamEvents`] says.
///
/// Dropping it ends the events; the stream and its tracks stay.
pub struct StreamControl {
    stream: MediaStream,
}

impl StreamControl {
    /// The stream that this controls.
    pub fn stream(&self) -> &MediaStream {
        &self.stream
    }

    /// Adds a track and fires `addtrack`, unless it is there already ("add a track",
    /// mediacapture-streams §4.2). Says whether it did.
    pub fn add_track(&self, track: &MediaStreamTrack) -> bool {
        let mut state = self.stream.lock();
        if !state.add(track) {
            return false;
        }
        let event = StreamEvent::AddTrack(track.clone());
        let wakers = state.listeners.fire(&event);
        drop(state);
        wake(wakers);
        true
    }

    /// Removes a track and fires `removetrack`, unless it is not there ("remove a track",
    /// mediacapture-streams §4.2). Says whether it did.
    pub fn remove_track(&self, track: &MediaStreamTrack) -> bool {
        let mut state = self.stream.lock();
        if !state.remove(track) {
            return false;
        }
        let event = StreamEvent::RemoveTrack(track.clone());
        let wakers = state.listeners.fire(&event);
        drop(state);
        wake(wakers);
        true
    }
}

impl Drop for StreamControl {
    fn drop(&mut self) {
        let mut state = self.stream.lock();
        state.controlled = false;
        let wakers = state.listeners.wakers.take();
        drop(state);
        wake(wakers);
    }
}

impl fmt::Debug for StreamControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamControl").field(&self.stream).finish()
    }
}

pub(crate) struct Inner {
    id: Box<str>,
    state: Mutex<State>,
}

impl Inner {
    /// The state stays whole when a thread panics: no statement under the lock can.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.state.try_lock().is_err()
    }
}

pub(crate) struct State {
    tracks: Vec<MediaStreamTrack>,
    /// There is a [`StreamControl`]: more events may come.
    pub(crate) controlled: bool,
    pub(crate) listeners: Listeners,
}

impl State {
    fn add(&mut self, track: &MediaStreamTrack) -> bool {
        let new = !self.tracks.contains(track);
        if new {
            self.tracks.push(track.clone());
        }
        new
    }

    /// The caller has a handle of the track, so the one that is dropped here is not the last.
    fn remove(&mut self, track: &MediaStreamTrack) -> bool {
        let at = self.tracks.iter().position(|it| it == track);
        at.map(|at| self.tracks.remove(at)).is_some()
    }
}
