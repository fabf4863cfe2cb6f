//! Packets of receivers, sent on by a sender: the half of a forwarding unit that one viewer has.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use pc_media::MediaKind;
use pc_proto::{Serial16, Serial32};
use pc_rtp::{PayloadType, Ssrc, dependency::Layer, payload::Format};
use pc_rtp_session::forward::{Encoding, Incoming, Refused, Rewriter, RewriterConfig};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

mod codecs;

use codecs::matches;

use super::{RtpReceiver, RtpSender, media::Tracks, packets::RtpPacket, transceiver::Part};
use crate::{Error, clock, engine, rtp::Codec};

/// A key frame that is still awaited is asked for again after this time; how often the peer is told is
/// the receiver's to limit.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// How many layers of how many receivers are told apart: those that were selected of late.
const MAX_ENCODINGS: usize = 32;

/// Sends the packets of one layer at a time on to a peer, as one stream without a seam: sequence numbers,
/// timestamps and the picture numbers of VP8 and VP9 go on over every switch. Nothing is decoded.
///
/// ```no_run
/// # async fn forward(
/// #     receiver: peerconnection::RtpReceiver,
/// #     viewers: &[peerconnection::RtpSender],
/// # ) -> Result<(), peerconnection::Error> {
/// use peerconnection::Forwarder;
///
/// let mut forwarders = viewers.iter().map(Forwarder::new).collect::<Result<Vec<_>, _>>()?;
/// for forwarder in &mut forwarders {
///     forwarder.select(&receiver, Some("h"));
/// }
/// let mut packets = receiver.packets();
/// while let Some(packet) = packets.next().await {
///     for forwarder in &mut forwarders {
///         // What is not sent on is mostly of another layer.
///         let _ = forwarder.forward(&packet);
///     }
/// }
/// # Ok(()) }
/// ```
///
/// A switch waits for a key frame of the new layer, which is asked for; until it comes the old layer
/// goes on. When the viewer asks for a key frame, the source of what it sees is asked. What the viewer
/// has lost is sent again from what was kept of it.
///
/// The sender's track has to be none: what it encodes itself would be mixed with what is forwarded.
/// Where it has several encodings of its own, the first is used.
pub struct Forwarder {
    part: Part,
    rewriter: Rewriter,
    encodings: Vec<Source>,
    /// The next place in `encodings` to be used anew.
    next: usize,
    wanted: Option<Encoding>,
    asked: Option<Instant>,
    codec: Option<Known>,
    /// One payload, reused.
    payload: Vec<u8>,
}

/// One layer of one receiver.
struct Source {
    encoding: Encoding,
    receiver: Weak<Tracks>,
    part: Part,
    rid: Option<Arc<str>>,
}

/// What packets of a codec are sent as.
struct Known {
    theirs: Arc<Codec>,
    ours: PayloadType,
    format: Format,
}

/// Why [`Forwarder::forward`] did not send a packet on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotForwarded {
    /// It is of a layer that is not sent on.
    #[error("of a layer that is not selected")]
    NotSelected,
    /// Its layer waits for a key frame.
    #[error("waits for a key frame")]
    AwaitsKeyFrame,
    /// It came before, or so late that nobody waits for it; or it is padding, or of a temporal layer
    /// that is left out.
    #[error("of no use to the viewer")]
    LeftOut,
    /// The viewer's connection is not up, or does not send here.
    #[error("the viewer's connection is not up")]
    NotReady,
    /// The viewer has not agreed to this codec.
    #[error("a codec that the viewer has not agreed to")]
    Codec,
    /// It is not what its codec says.
    #[error("malformed")]
    Malformed,
    /// The sender did not take it.
    #[error("not sent: {0}")]
    Send(Error),
}

impl Forwarder {
    /// Forwards to whom this sender sends; nothing, until a layer is [selected](Self::select).
    ///
    /// # Errors
    ///
    /// `OperationError`: the system gives no randomness.
    pub fn new(sender: &RtpSender) -> Result<Self, Error> {
        let mut rng = ChaCha12Rng::from_seed(clock::seed()?);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        // Until the first packet tells the codec.
        let none = || Error::Operation("0 is no payload type".into());
        let payload_type = PayloadType::new(0).ok_or_else(none)?;
        let rewriter = Rewriter::new(&RewriterConfig {
            ssrc: Ssrc(rng.next_u32()),
            payload_type,
            clock_rate: match sender.part.kind {
                MediaKind::Audio => 48_000,
                MediaKind::Video => 90_000,
            },
            seed,
        });
        Ok(Self {
            part: sender.part.clone(),
            rewriter,
            encodings: Vec::new(),
            next: 0,
            wanted: None,
            asked: None,
            codec: None,
            payload: Vec::new(),
        })
    }

    /// Sends this layer on, from its next key frame on, which is asked for. `None` for a receiver
    /// without simulcast. The receiver may be another one than before.
    pub fn select(&mut self, receiver: &RtpReceiver, rid: Option<&str>) {
        let known = self.encodings.iter().find(|it| it.is(receiver, rid));
        let encoding = match known {
            Some(known) => known.encoding,
            None => self.learn(receiver, rid),
        };
        self.rewriter.select(encoding);
        self.wanted = Some(encoding);
        if self.rewriter.awaited().is_some() {
            self.ask(clock::now(), encoding);
        }
    }

    /// Sends nothing any more, until a layer is selected.
    pub fn pause(&mut self) {
        self.rewriter.pause();
        self.wanted = None;
    }

    /// Leaves out the temporal layers above this one, where the codec tells them: VP8 and VP9.
    pub fn set_max_temporal_layer(&mut self, temporal_id: u8) {
        self.rewriter.set_limit(Layer {
            spatial_id: u8::MAX,
            temporal_id,
        });
    }

    /// The layer that was selected last; `None`: nothing was, or it has no rid.
    pub fn selected(&self) -> Option<&str> {
        self.rid_of(self.wanted)
    }

    /// The layer that is being sent on. It is another one than [`selected`](Self::selected) while that
    /// waits for a key frame.
    pub fn current(&self) -> Option<&str> {
        self.rid_of(self.rewriter.current())
    }

    /// Whether what was selected waits for a key frame.
    pub fn is_waiting(&self) -> bool {
        self.rewriter.awaited().is_some()
    }

    /// What the way to the viewer is believed to carry, in bits a second; `None`: not known.
    pub fn target_bit_rate(&self) -> Option<u64> {
        self.part.tracks.signals().bitrate()
    }

    /// Sends a packet on, if it is of the layer that is due.
    ///
    /// # Errors
    ///
    /// It is not sent, which of most packets is as it should be.
    pub fn forward(&mut self, packet: &RtpPacket) -> Result<(), NotForwarded> {
        let now = clock::now();
        self.pass_on_requests(now);
        let mut sources = self.encodings.iter();
        let source = sources.find(|it| it.has(packet));
        let encoding = source.ok_or(NotForwarded::NotSelected)?.encoding;
        let shared = self.part.shared.clone();
        let mut inner = shared.lock();
        let outcome = self.send(now, &mut inner.engine, encoding, packet);
        drop(inner);
        if outcome.is_ok() {
            shared.wake_driver();
        }
        if let Some(awaited) = self.rewriter.awaited()
            && self
                .asked
                .is_none_or(|at| now.saturating_duration_since(at) >= ASK_AGAIN)
        {
            self.ask(now, awaited);
        }
        outcome
    }

    /// The viewer asks for a key frame: it is for whoever makes what it sees.
    fn pass_on_requests(&mut self, now: Instant) {
        if self.part.tracks.signals().take_key_frames() != 0
            && let Some(current) = self.rewriter.current()
        {
            self.ask(now, current);
        }
    }

    fn send(
        &mut self,
        now: Instant,
        engine: &mut engine::Connection,
        encoding: Encoding,
        packet: &RtpPacket,
    ) -> Result<(), NotForwarded> {
        // Before there are keys, no number is to be spent on what does not leave.
        let view = engine.send_view(self.part.id).filter(|it| it.is_ready);
        let view = view.ok_or(NotForwarded::NotReady)?;
        let format = self.follow_codec(&packet.codec, view.codecs)?;
        let incoming = Incoming::of_payload(
            format,
            Serial16(packet.sequence_number),
            Serial32(packet.timestamp),
            packet.marker,
            &packet.payload,
        );
        let incoming = incoming.map_err(|_| NotForwarded::Malformed)?;
        let outgoing = self.rewriter.rewrite(now, encoding, &incoming);
        let outgoing = outgoing.map_err(|refused| match refused {
            Refused::NotSelected => NotForwarded::NotSelected,
            Refused::AwaitsKeyFrame => NotForwarded::AwaitsKeyFrame,
            _ => NotForwarded::LeftOut,
        })?;
        self.payload.clear();
        if !outgoing.is_padding {
            self.payload.extend_from_slice(&packet.payload);
            let renumbered = outgoing.renumber(&mut self.payload);
            renumbered.map_err(|_| NotForwarded::Malformed)?;
        }
        let mut out = outgoing.packet(&self.payload);
        out.audio_level = packet.audio_level;
        out.orientation = packet.orientation;
        let sent = engine.send_packet(now, self.part.id, 0, out);
        sent.map_err(NotForwarded::Send)
    }

    /// Under which number the viewer knows a codec.
    fn follow_codec(
        &mut self,
        theirs: &Arc<Codec>,
        ours: &[pc_jsep::CodecParameters],
    ) -> Result<Format, NotForwarded> {
        let number = |own: &pc_jsep::CodecParameters| PayloadType::new(own.payload_type.value());
        if let Some(known) = &self.codec
            && Arc::ptr_eq(&known.theirs, theirs)
            && ours
                .iter()
                .any(|it| number(it) == Some(known.ours) && matches(theirs, &it.codec))
        {
            return Ok(known.format);
        }
        let own = ours.iter().find(|it| matches(theirs, &it.codec));
        let line = theirs.sdp_fmtp_line.as_deref();
        let known = own.and_then(|own| {
            Some(Known {
                theirs: theirs.clone(),
                ours: number(own)?,
                format: Format::from_mime(&theirs.mime_type, line)?,
            })
        });
        let known = known.ok_or(NotForwarded::Codec)?;
        self.rewriter.set_payload_type(known.ours);
        self.rewriter.set_clock_rate(theirs.clock_rate);
        let format = known.format;
        self.codec = Some(known);
        Ok(format)
    }

    fn learn(&mut self, receiver: &RtpReceiver, rid: Option<&str>) -> Encoding {
        let source = |encoding| Source {
            encoding,
            receiver: Arc::downgrade(&receiver.part.tracks),
            part: receiver.part.clone(),
            rid: rid.map(Arc::from),
        };
        let encoding = Encoding(self.next as u32);
        self.next += 1;
        if self.encodings.len() >= MAX_ENCODINGS {
            // The one that was learned first and is not in use.
            let current = [self.rewriter.current(), self.wanted];
            let is_free = |it: &Source| !current.contains(&Some(it.encoding));
            if let Some(place) = self.encodings.iter().position(is_free) {
                self.encodings.remove(place);
            }
        }
        self.encodings.push(source(encoding));
        encoding
    }

    fn rid_of(&self, encoding: Option<Encoding>) -> Option<&str> {
        let mut sources = self.encodings.iter();
        let source = sources.find(|it| Some(it.encoding) == encoding)?;
        source.rid.as_deref()
    }

    fn ask(&mut self, now: Instant, encoding: Encoding) {
        self.asked = Some(now);
        let mut sources = self.encodings.iter();
        if let Some(source) = sources.find(|it| it.encoding == encoding) {
            let rid = source.rid.as_deref();
            let mut inner = source.part.shared.lock();
            let engine = &mut inner.engine;
            engine.request_layer_key_frame(now, source.part.id, rid);
            drop(inner);
            source.part.shared.wake_driver();
        }
    }
}

impl Source {
    fn is(&self, receiver: &RtpReceiver, rid: Option<&str>) -> bool {
        std::ptr::eq(self.receiver.as_ptr(), Arc::as_ptr(&receiver.part.tracks))
            && self.rid.as_deref() == rid
    }

    fn has(&self, packet: &RtpPacket) -> bool {
        Weak::ptr_eq(&self.receiver, &packet.source) && self.rid == packet.rid
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("selected", &self.selected())
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}
