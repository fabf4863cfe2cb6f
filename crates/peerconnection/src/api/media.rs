//! Tracks and streams: which object of the application's stands for what the engine knows by its id.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pc_jsep::TransceiverId;
use pc_media::{MediaKind, MediaStream, MediaStreamTrack, StreamControl, TrackSource, uuid_v4};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

/// The objects of one connection.
pub(crate) struct Media {
    transceivers: HashMap<TransceiverId, Arc<Tracks>>,
    /// The peer's streams by their ids, as long as one of its tracks is in them.
    streams: HashMap<String, StreamControl>,
    rng: ChaCha12Rng,
}

/// Both tracks of a transceiver; its handles keep them when the connection has forgotten it.
pub(crate) struct Tracks {
    sent: Mutex<Option<MediaStreamTrack>>,
    received: MediaStreamTrack,
    /// What mutes and ends the received track.
    source: TrackSource,
}

impl Tracks {
    fn new(kind: MediaKind, rng: &mut ChaCha12Rng) -> Self {
        let mut random = [0; 16];
        rng.fill_bytes(&mut random);
        let (received, source) = MediaStreamTrack::remote(kind, uuid_v4(random));
        Self {
            sent: Mutex::new(None),
            received,
            source,
        }
    }

    /// The track that the sender sends.
    pub(crate) fn sent(&self) -> Option<MediaStreamTrack> {
        self.sent_slot().clone()
    }

    /// Has the sender send this track, or none. To be called under the engine's lock, so that both know
    /// of the same track. Returns the one before: its drop may wake whoever makes its media.
    #[must_use]
    pub(crate) fn send(&self, track: Option<MediaStreamTrack>) -> Option<MediaStreamTrack> {
        std::mem::replace(&mut *self.sent_slot(), track)
    }

    fn sent_slot(&self) -> MutexGuard<'_, Option<MediaStreamTrack>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The track of the receiver, which it has from its first day.
    pub(crate) fn received(&self) -> &MediaStreamTrack {
        &self.received
    }

    /// Ends the received track: the transceiver was stopped here, so no event tells of it.
    pub(crate) fn stop(&self) {
        self.source.end();
    }
}

impl Media {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            transceivers: HashMap::new(),
            streams: HashMap::new(),
            rng: ChaCha12Rng::from_seed(seed),
        }
    }

    /// The tracks of a transceiver.
    pub(crate) fn tracks(&mut self, id: TransceiverId, kind: MediaKind) -> Arc<Tracks> {
        let rng = &mut self.rng;
        let new = || Arc::new(Tracks::new(kind, rng));
        self.transceivers.entry(id).or_insert_with(new).clone()
    }

    /// The peer does not send any more.
    pub(crate) fn mute(&self, id: TransceiverId) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.source.set_muted(true);
        }
    }

    /// The peer has stopped the transceiver.
    pub(crate) fn end(&self, id: TransceiverId) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.source.end();
        }
    }

    /// The connection is closed. Its transceivers can still be looked at.
    pub(crate) fn end_all(&mut self) {
        for tracks in self.transceivers.values() {
            tracks.source.end();
        }
        self.streams.clear();
    }

    /// Lets go of transceivers that the engine has forgotten.
    pub(crate) fn retain(&mut self, known: impl Fn(TransceiverId) -> bool) {
        self.transceivers.retain(|id, tracks| {
            let known = known(*id);
            if !known {
                tracks.source.end();
            }
            known
        });
    }

    /// A stream of the peer's; it is made when its first track comes.
    pub(crate) fn stream(&mut self, id: &str) -> MediaStream {
        self.control(id).stream().clone()
    }

    fn control(&mut self, id: &str) -> &StreamControl {
        self.streams
            .entry(id.to_owned())
            .or_insert_with(|| MediaStream::controlled(id).1)
    }

    /// A receiver's track joins a stream.
    pub(crate) fn add(&mut self, id: TransceiverId, kind: MediaKind, stream: &str) {
        let tracks = self.tracks(id, kind);
        self.control(stream).add_track(&tracks.received);
    }

    /// A receiver's track leaves a stream.
    pub(crate) fn remove(&mut self, id: TransceiverId, stream: &str) {
        let tracks = self.transceivers.get(&id);
        let Some((tracks, control)) = tracks.zip(self.streams.get(stream)) else {
            return;
        };
        control.remove_track(&tracks.received);
        if control.stream().tracks().is_empty() {
            self.streams.remove(stream);
        }
    }
}
