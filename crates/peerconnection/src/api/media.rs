//! Tracks and streams: which object of the application's stands for what the engine knows by its id.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use pc_jsep::TransceiverId;
use pc_media::{MediaKind, MediaStream, MediaStreamTrack, StreamControl};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

mod receive;
mod shown;

pub(crate) use shown::Shown;

use super::{
    flow::{Encodings, Inbound, LayerChoice, Outbound, Setting, Signals},
    packets::Tap,
    shared::Shared,
};
use crate::{clock, engine::MediaCounts};

/// The objects of one connection.
pub(crate) struct Media {
    transceivers: HashMap<TransceiverId, Arc<Tracks>>,
    flows: HashMap<TransceiverId, Flow>,
    /// Who reads packets as they come.
    taps: HashMap<TransceiverId, Tap>,
    /// The peer's streams by their ids, as long as one of its tracks is in them.
    streams: HashMap<String, StreamControl>,
    rng: ChaCha12Rng,
}

/// The tasks of a transceiver; they end with this.
#[derive(Default)]
struct Flow {
    outbound: Option<Outbound>,
    inbound: Option<Inbound>,
    /// Of simulcast: those whose tracks somebody has asked for.
    layers: Vec<(Arc<str>, Inbound)>,
    choice: LayerChoice,
}

/// Of what a key frame is needed.
#[derive(Debug, Default)]
pub(crate) struct KeyFrameNeeds {
    /// Of all layers, or of the only one.
    pub(crate) all: bool,
    /// Of this layer.
    pub(crate) layer: Option<Arc<str>>,
}

/// Both tracks of a transceiver; its handles keep them when the connection has forgotten it.
pub(crate) struct Tracks {
    sent: Mutex<Option<MediaStreamTrack>>,
    received: Arc<Shown>,
    /// Of simulcast: the layers by their rids, each for itself, as far as somebody has asked for them.
    layers: Mutex<Vec<(Arc<str>, Arc<Shown>)>>,
    signals: Arc<Signals>,
    counts: Mutex<MediaCounts>,
    /// When the pictures of the last second were given.
    pictures: Mutex<VecDeque<Instant>>,
    /// What is counted of each encoding that the sender sends.
    encodings: Mutex<Encodings>,
}

impl Tracks {
    fn new(kind: MediaKind, rng: &mut ChaCha12Rng) -> Self {
        Self {
            sent: Mutex::new(None),
            received: Arc::new(Shown::new(kind, rng)),
            layers: Mutex::default(),
            signals: Arc::default(),
            counts: Mutex::default(),
            pictures: Mutex::default(),
            encodings: Mutex::default(),
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
        let before = std::mem::replace(&mut *self.sent_slot(), track);
        self.signals.change();
        before
    }

    /// What the task of the sender is told by.
    pub(crate) fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    /// Counts something.
    pub(crate) fn count(&self, change: impl FnOnce(&mut MediaCounts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The sender's track has given a picture.
    pub(crate) fn note_picture(&self, now: Instant) {
        let mut pictures = self.pictures();
        pictures.push_back(now);
        forget_old(&mut pictures, now);
    }

    /// How the sender sends its encodings from now on.
    pub(crate) fn note_settings(&self, settings: Vec<Setting>) {
        self.encodings().set(settings);
    }

    /// A picture was encoded, or had been.
    pub(crate) fn note_encoded(&self, now: Instant, encoding: usize, size: Option<(u16, u16)>) {
        self.encodings().add(now, encoding, size);
    }

    fn encodings(&self) -> MutexGuard<'_, Encodings> {
        let encodings = self.encodings.lock();
        encodings.unwrap_or_else(PoisonError::into_inner)
    }

    fn pictures(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.pictures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been counted.
    pub(crate) fn counts(&self) -> MediaCounts {
        let counts = self.counts.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner).clone();
        let mut pictures = self.pictures();
        forget_old(&mut pictures, clock::now());
        counts.frames_per_second = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
        drop(pictures);
        counts.encodings = self.encodings().counts(clock::now());
        counts.received_track = self.received.decoded.id().to_owned();
        counts.sent_track = self.sent().map(|track| track.id().to_owned());
        counts
    }

    /// The received media as they came.
    pub(crate) fn encoded(&self) -> &MediaStreamTrack {
        self.received.encoded()
    }

    /// What is received, the layer that is shown of simulcast.
    pub(crate) fn shown(&self) -> &Arc<Shown> {
        &self.received
    }

    /// One layer of simulcast, if somebody has asked for it.
    fn layer(&self, rid: &str) -> Option<Arc<Shown>> {
        let layers = self.layers();
        let found = layers.iter().find(|(known, _)| **known == *rid);
        found.map(|(_, shown)| shown.clone())
    }

    fn layers(&self) -> MutexGuard<'_, Vec<(Arc<str>, Arc<Shown>)>> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_muted(&self, muted: bool) {
        self.received.set_muted(muted);
        self.layers().iter().for_each(|(_, it)| it.set_muted(muted));
    }

    fn end(&self) {
        self.received.end();
        self.layers().iter().for_each(|(_, it)| it.end());
    }

    fn sent_slot(&self) -> MutexGuard<'_, Option<MediaStreamTrack>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The track of the receiver, which it has from its first day.
    pub(crate) fn received(&self) -> &MediaStreamTrack {
        self.received.decoded()
    }

    /// Ends the received track: the transceiver was stopped here, so no event tells of it.
    pub(crate) fn stop(&self) {
        self.end();
    }
}

impl Media {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            transceivers: HashMap::new(),
            flows: HashMap::new(),
            taps: HashMap::new(),
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

    /// What codecs and tracks of a transceiver have counted.
    pub(crate) fn counts(&self, id: TransceiverId) -> Option<MediaCounts> {
        Some(self.transceivers.get(&id)?.counts())
    }

    /// The peer does not send any more.
    pub(crate) fn mute(&self, id: TransceiverId) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.set_muted(true);
        }
    }

    /// Media of the peer's has come.
    pub(crate) fn unmute(&self, id: TransceiverId) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.set_muted(false);
        }
    }

    /// What a transceiver sends with has changed, or that it can send at all.
    pub(crate) fn sender_changed(
        &mut self,
        shared: &Arc<Shared>,
        id: TransceiverId,
        kind: MediaKind,
    ) {
        let tracks = self.tracks(id, kind);
        let flow = self.flows.entry(id).or_default();
        match &flow.outbound {
            Some(_) => tracks.signals.change(),
            None => flow.outbound = Some(Outbound::spawn(shared, id, kind, &tracks)),
        }
    }

    /// The peer wants a key frame.
    pub(crate) fn want_key_frame(&self, id: TransceiverId, encoding: usize) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.signals.want_key_frame(encoding);
        }
    }

    /// The network takes no more than this.
    pub(crate) fn set_bitrate(&self, id: TransceiverId, bits_per_second: u64) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.signals.set_bitrate(bits_per_second);
        }
    }

    /// The peer has stopped the transceiver.
    pub(crate) fn end(&mut self, id: TransceiverId) {
        if let Some(tracks) = self.transceivers.get(&id) {
            tracks.end();
        }
        self.taps.remove(&id);
    }

    /// The connection is closed. Its transceivers can still be looked at.
    pub(crate) fn end_all(&mut self) {
        for tracks in self.transceivers.values() {
            tracks.end();
        }
        self.flows.clear();
        self.streams.clear();
        self.taps.clear();
    }

    /// Lets go of transceivers that the engine has forgotten.
    pub(crate) fn retain(&mut self, known: impl Fn(TransceiverId) -> bool) {
        self.transceivers.retain(|id, tracks| {
            let known = known(*id);
            if !known {
                tracks.end();
            }
            known
        });
        let transceivers = &self.transceivers;
        self.flows.retain(|id, _| transceivers.contains_key(id));
        self.taps.retain(|id, _| transceivers.contains_key(id));
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
        self.control(stream).add_track(tracks.received());
    }

    /// A receiver's track leaves a stream.
    pub(crate) fn remove(&mut self, id: TransceiverId, stream: &str) {
        let tracks = self.transceivers.get(&id);
        let Some((tracks, control)) = tracks.zip(self.streams.get(stream)) else {
            return;
        };
        control.remove_track(tracks.received());
        if control.stream().tracks().is_empty() {
            self.streams.remove(stream);
        }
    }
}

/// More pictures in a second than any source gives.
const MAX_PICTURES: usize = 1000;

fn forget_old(pictures: &mut VecDeque<Instant>, now: Instant) {
    let is_old = |at: &Instant| now.saturating_duration_since(*at) >= Duration::from_secs(1);
    while pictures.front().is_some_and(is_old) || pictures.len() > MAX_PICTURES {
        pictures.pop_front();
    }
}
