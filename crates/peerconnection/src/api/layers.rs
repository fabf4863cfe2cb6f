//! What a receiver gets of simulcast (RFC 8853): its layers, each by its restriction identifier.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pc_media::MediaStreamTrack;
use pc_rtp_session::ReceivedLayer;

use super::{RtpReceiver, packets::RtpPackets};
use crate::{Error, clock};

/// A layer of which no packet has come for so long is taken as one that is not sent.
const SILENT: Duration = Duration::from_secs(1);

/// What is known of one layer of simulcast that is received, or of the only stream:
/// [`RtpReceiver::layers`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RtpLayer {
    /// Its restriction identifier; `None` without simulcast.
    pub rid: Option<Arc<str>>,
    /// Its stream.
    pub ssrc: u32,
    /// Width and height in pixels of the last frame that told; key frames do.
    pub size: Option<(u32, u32)>,
    /// Bits that have come in the last second, payload and headers, without what was sent again though
    /// nothing was missing.
    pub bit_rate: u64,
    /// Frames that have come whole in the last second.
    pub frame_rate: u32,
    /// Frames that have come whole so far.
    pub frames_received: u64,
    /// Packets that have come so far, retransmissions included.
    pub packets_received: u64,
    /// Whether it is being sent: a packet has come within the last second.
    pub is_active: bool,
    /// Whether it was [paused](RtpReceiver::set_layer_paused).
    pub is_paused: bool,
}

impl RtpLayer {
    fn new(now: Instant, layer: ReceivedLayer) -> Self {
        let silent = |at| now.saturating_duration_since(at) >= SILENT;
        Self {
            rid: layer.rid,
            ssrc: layer.ssrc.0,
            size: layer
                .size
                .map(|(width, height)| (width.into(), height.into())),
            bit_rate: layer.bit_rate,
            frame_rate: layer.frame_rate,
            frames_received: layer.frames_received,
            packets_received: layer.packets_received,
            is_active: layer.last_packet_received.is_some_and(|at| !silent(at)),
            is_paused: layer.is_paused,
        }
    }
}

/// Simulcast, of which the W3C leaves the receiving side open.
///
/// All layers that an offer names are accepted. The receiver's own [`track`](RtpReceiver::track) shows
/// one of them at a time, and changes from one to the other where a key frame lets it: the largest that
/// comes, or the one that was [selected](RtpReceiver::select_layer).
impl RtpReceiver {
    /// Has the next offer ask for these layers, by their restriction identifiers (RFC 8853 §5.3); to be called
    /// before it is made. Browsers then send them, from the smallest to the largest. An answer needs nothing of
    /// the kind.
    ///
    /// # Errors
    ///
    /// `TypeError`: what is no rid, or is there twice, or more than eight.
    pub fn offer_layers(&self, rids: &[&str]) -> Result<(), Error> {
        let rids: Vec<_> = rids.iter().map(|rid| (*rid).to_owned()).collect();
        let mut inner = self.part.shared.lock();
        inner.engine.set_layers_to_receive(self.part.id, &rids)
    }

    /// The layers that have come so far: in the order in which they began.
    pub fn layers(&self) -> Vec<RtpLayer> {
        let now = clock::now();
        let inner = self.part.shared.lock();
        let layers = inner.engine.received_layers(now, self.part.id);
        layers.map(|it| RtpLayer::new(now, it)).collect()
    }

    /// Has [`track`](Self::track) and [`encoded_track`](Self::encoded_track) show this layer, from its
    /// next key frame on, which is asked for; until then they go on with the one they have. `None`, as
    /// in the beginning: the largest that comes.
    pub fn select_layer(&self, rid: Option<&str>) {
        let mut inner = self.part.shared.lock();
        inner.media.select_layer(self.part.id, rid.map(Arc::from));
    }

    /// The layer that was selected last.
    pub fn selected_layer(&self) -> Option<Arc<str>> {
        self.part.shared.lock().media.layer_choice(self.part.id).0
    }

    /// The layer that [`track`](Self::track) shows; `None` before a key frame has come, and without
    /// simulcast.
    pub fn shown_layer(&self) -> Option<Arc<str>> {
        self.part.shared.lock().media.layer_choice(self.part.id).1
    }

    /// A track of this layer alone, beside [`track`](Self::track). It is there before the layer is; each
    /// layer whose track is read is decoded for itself.
    pub fn layer_track(&self, rid: &str) -> MediaStreamTrack {
        let (id, kind) = (self.part.id, self.part.kind);
        let mut inner = self.part.shared.lock();
        inner.media.layer(id, kind, rid).decoded().clone()
    }

    /// The same as the peer has encoded it: see [`encoded_track`](Self::encoded_track).
    pub fn encoded_layer_track(&self, rid: &str) -> MediaStreamTrack {
        let (id, kind) = (self.part.id, self.part.kind);
        let mut inner = self.part.shared.lock();
        inner.media.layer(id, kind, rid).encoded().clone()
    }

    /// Asks the peer for a key frame, of this layer or of all: once a second and layer at most, and
    /// again until one has come.
    pub fn request_key_frame(&self, rid: Option<&str>) {
        let mut inner = self.part.shared.lock();
        let engine = &mut inner.engine;
        engine.request_layer_key_frame(clock::now(), self.part.id, rid);
        drop(inner);
        self.part.shared.wake_driver();
    }

    /// Pauses a layer that nobody wants, or resumes it. While it is paused no frame of it is put
    /// together and nothing asked for again; [`packets`](Self::packets) has what comes all the same. It
    /// goes on with a key frame, which is asked for. The peer is not told, and goes on sending.
    pub fn set_layer_paused(&self, rid: &str, is_paused: bool) {
        let mut inner = self.part.shared.lock();
        let engine = &mut inner.engine;
        engine.set_layer_paused(clock::now(), self.part.id, rid, is_paused);
        drop(inner);
        self.part.shared.wake_driver();
    }

    /// The packets as they come, of all layers: for a server that [forwards](super::Forwarder) them.
    /// Nothing is decoded for it. Any number may read, each from when it begins.
    pub fn packets(&self) -> RtpPackets {
        let mut inner = self.part.shared.lock();
        let view = inner.engine.transceiver(self.part.id);
        let is_over = inner.engine.is_closed() || view.is_none_or(|it| it.is_stopping());
        match is_over {
            true => RtpPackets::none(),
            false => inner.media.read_packets(self.part.id),
        }
    }
}
