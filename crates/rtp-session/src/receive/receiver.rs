//! One receiver: the streams that come in its m-section.

use std::time::{Duration, Instant};

use pc_rtp::{PacketView, PayloadType, Ssrc};

use super::{sources::Sources, stream::Stream};
use crate::{Codec, ReceiverId, ReceiverParameters, Source};

/// How many streams one receiver has at once: layers of simulcast.
const MAX_STREAMS: usize = 8;
/// How many layers may be paused at once, of which some may not have come yet.
const MAX_PAUSED: usize = 64;
/// A stream that another one has replaced comes back when that has been silent so long.
const REPLACED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) id: ReceiverId,
    pub(super) parameters: ReceiverParameters,
    pub(super) streams: Vec<Stream>,
    /// The stream that was replaced last, and what did.
    replaced: Option<Ssrc>,
    /// The first packet has been told of.
    pub(super) is_heard: bool,
    /// That frames are ready has been told, and they have not been polled.
    pub(super) is_told: bool,
    target: Option<Duration>,
    /// The layers whose frames nobody wants, by rid.
    paused: Vec<Box<str>>,
    pub(super) contributing: Sources,
    pub(super) synchronization: Sources,
}

impl Receiver {
    pub(super) fn new(id: ReceiverId, parameters: ReceiverParameters) -> Self {
        Self {
            id,
            parameters,
            streams: Vec::new(),
            replaced: None,
            is_heard: false,
            is_told: false,
            target: None,
            paused: Vec::new(),
            contributing: Sources::default(),
            synchronization: Sources::default(),
        }
    }

    pub(super) fn codec(&self, payload_type: PayloadType) -> Option<&Codec> {
        let mut codecs = self.parameters.codecs.iter();
        codecs.find(|it| it.payload_type == payload_type)
    }

    /// The codec whose retransmissions have this payload type.
    pub(super) fn codec_of_rtx(&self, payload_type: PayloadType) -> Option<&Codec> {
        let mut codecs = self.parameters.codecs.iter();
        codecs.find(|it| it.rtx == Some(payload_type))
    }

    pub(super) fn takes(&self, payload_type: PayloadType) -> bool {
        self.codec(payload_type).is_some() || self.codec_of_rtx(payload_type).is_some()
    }

    /// The MID that this packet carries, where this receiver's extensions are in use.
    pub(super) fn mid_of<'d>(&self, packet: &PacketView<'d>) -> Option<&'d str> {
        packet.extensions().read(&self.parameters.extensions).mid
    }

    /// Whether this packet does not say that it is for another one.
    pub(super) fn may_own(&self, packet: &PacketView<'_>) -> bool {
        let mid = self.mid_of(packet);
        mid.is_none_or(|mid| mid == self.parameters.mid)
    }

    pub(super) fn stream(&self, ssrc: Ssrc) -> Option<usize> {
        self.streams.iter().position(|it| it.ssrc == ssrc)
    }

    /// Whether this is the source of one of its streams, or of what retransmits one.
    pub(super) fn has(&self, ssrc: Ssrc) -> bool {
        let mut streams = self.streams.iter();
        streams.any(|it| it.ssrc == ssrc || it.rtx_ssrc == Some(ssrc))
    }

    /// The stream that packets of this retransmission source repair.
    pub(super) fn repaired(&mut self, rtx: Ssrc, repaired_rid: Option<&str>) -> Option<usize> {
        let known = self.streams.iter().position(|it| it.rtx_ssrc == Some(rtx));
        if known.is_some() {
            return known;
        }
        let pairs = &self.parameters.rtx_pairs;
        let paired = pairs.iter().find(|(_, repair)| *repair == rtx);
        let at = match (paired, repaired_rid) {
            (Some((media, _)), _) => self.stream(*media)?,
            (None, Some(rid)) => {
                let mut streams = self.streams.iter();
                streams.position(|it| it.rid.as_deref() == Some(rid))?
            }
            // One stream, one retransmission; of several, nothing says which.
            (None, None) => (self.streams.len() == 1).then_some(0)?,
        };
        if let Some(stream) = self.streams.get_mut(at) {
            stream.rtx_ssrc = Some(rtx);
        }
        Some(at)
    }

    /// Makes room for a new source: it takes the place of the one with its rid, or of the only one.
    /// `Err`: it has been replaced itself, and what replaced it is alive.
    pub(super) fn replace(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        rid: Option<&str>,
    ) -> Result<Option<Ssrc>, ()> {
        let place = self.streams.iter().position(|it| it.rid.as_deref() == rid);
        let Some(place) = place else {
            if self.streams.len() >= MAX_STREAMS {
                self.streams.remove(0);
            }
            return Ok(None);
        };
        let Some(current) = self.streams.get(place) else {
            return Ok(None);
        };
        let last = current.stats.last_packet_received;
        let is_silent = last.is_none_or(|at| now.saturating_duration_since(at) >= REPLACED);
        if self.replaced == Some(ssrc) && !is_silent {
            return Err(());
        }
        let old = current.ssrc;
        self.replaced = Some(old);
        self.streams.remove(place);
        Ok(Some(old))
    }

    pub(super) fn set_target(&mut self, target: Option<Duration>) {
        self.target = target;
        for stream in &mut self.streams {
            stream.timing.set_target(target);
        }
    }

    /// See [`Session::set_layer_paused`](crate::Session::set_layer_paused).
    pub(super) fn set_paused(&mut self, now: Instant, rid: &str, is_paused: bool) {
        self.paused.retain(|it| &**it != rid);
        if is_paused && self.paused.len() < MAX_PAUSED {
            self.paused.push(rid.into());
        }
        for stream in &mut self.streams {
            if stream.rid.as_deref() == Some(rid) {
                stream.set_paused(now, is_paused);
            }
        }
    }

    pub(super) fn add(&mut self, now: Instant, mut stream: Stream) -> usize {
        stream.timing.set_target(self.target);
        let rid = stream.rid.as_deref();
        if self.paused.iter().any(|it| rid == Some(&**it)) {
            stream.set_paused(now, true);
        }
        self.streams.push(stream);
        self.streams.len() - 1
    }

    /// What a packet that has come says of who can be heard.
    pub(super) fn note_sources(&mut self, now: Instant, packet: &PacketView<'_>, ssrc: Ssrc) {
        let extensions = packet.extensions().read(&self.parameters.extensions);
        self.synchronization.note(Source {
            ssrc,
            timestamp: now,
            rtp_timestamp: packet.timestamp(),
            audio_level: extensions.audio_level.map(pc_rtp::AudioLevel::linear),
        });
        let mut levels = extensions.csrc_audio_levels.unwrap_or_default().iter();
        for csrc in packet.csrcs() {
            let level = levels.next().map(|byte| {
                let level = pc_rtp::AudioLevel {
                    voice: false,
                    level: byte & 0x7F,
                };
                level.linear()
            });
            self.contributing.note(Source {
                ssrc: csrc,
                timestamp: now,
                rtp_timestamp: packet.timestamp(),
                audio_level: level,
            });
        }
    }
}
