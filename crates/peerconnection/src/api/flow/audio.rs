//! Sound that is sent: samples of any shape in, packets of an encoder out.

use pc_jsep::{CodecParameters, EncodingParameters};
use pc_media::{
    AudioFrame,
    codec::{self, AudioEncoder, AudioFramer},
};
use pc_rtp::{AudioLevel, PayloadType};

use super::outbound::{Encoded, Moment, Plan};

/// The bit rate of one channel where the application sets no limit: music at full bandwidth.
const BITRATE_PER_CHANNEL: u64 = 32_000;

/// An encoder, and where it is on the time line.
pub(super) struct AudioSender {
    encoder: Box<dyn AudioEncoder>,
    framer: AudioFramer,
    payload_type: PayloadType,
    clock_rate: u32,
    /// One packet's worth, reused.
    samples: Vec<i16>,
    active: bool,
}

impl AudioSender {
    /// For the first of the codecs that there is an encoder for.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let wanted = plan.encodings.first();
        let mut usable = plan.codecs.iter().filter(|it| it.codec.is_media());
        usable.find_map(|it| Self::of(it, &plan.codecs, wanted))
    }

    fn of(
        own: &CodecParameters,
        all: &[CodecParameters],
        wanted: Option<&EncodingParameters>,
    ) -> Option<Self> {
        let codec = &own.codec;
        let channels = codec.channels.unwrap_or(1);
        let line = codec.sdp_fmtp_line.as_deref();
        let mut encoder = codec::audio_encoder(&codec.mime_type, codec.clock_rate, channels, line)?;
        encoder.set_bitrate(bitrate(encoder.channels(), wanted));
        Some(Self {
            framer: AudioFramer::for_encoder(encoder.as_ref()),
            encoder,
            payload_type: sent_as(own, all)?,
            clock_rate: codec.clock_rate,
            samples: Vec::new(),
            active: wanted.is_none_or(|it| it.active),
        })
    }

    /// The same codec, with other parameters.
    pub(super) fn update(&mut self, plan: &Plan) {
        let wanted = plan.encodings.first();
        self.active = wanted.is_none_or(|it| it.active);
        self.encoder
            .set_bitrate(bitrate(self.encoder.channels(), wanted));
    }

    /// The packets that are full with this frame.
    pub(super) fn encode(&mut self, frame: &AudioFrame, at: Moment) -> Vec<Encoded> {
        if !self.active {
            return Vec::new();
        }
        self.framer.push(&frame.clone().with_timestamp(at.media));
        let mut packets = Vec::new();
        while let Some(begin) = self.framer.next_packet(&mut self.samples) {
            let mut data = Vec::new();
            let level = AudioLevel::of_samples(&self.samples);
            if let Err(error) = self.encoder.encode(&self.samples, &mut data) {
                tracing::debug!(%error, "sound was not encoded");
                continue;
            }
            if data.is_empty() {
                // Nothing to be heard, and nothing to be sent of it.
                continue;
            }
            let begin = at.moved_to(begin);
            packets.push(Encoded {
                encoding: 0,
                payload_type: self.payload_type,
                data,
                timestamp: begin.ticks(self.clock_rate),
                capture: begin.clock,
                is_key_frame: true,
                size: None,
                audio_level: Some(level),
                layer: None,
            });
        }
        packets
    }
}

/// The payload type that packets of a codec have: its own, or that of redundancy (RFC 2198) which carries
/// it and is preferred to it.
fn sent_as(own: &CodecParameters, all: &[CodecParameters]) -> Option<PayloadType> {
    let mut before = all.iter().take_while(|it| *it != own);
    let red = before.find(|it| it.codec.is_red() && it.apt() == Some(own.payload_type));
    PayloadType::new(red.unwrap_or(own).payload_type.value())
}

fn bitrate(channels: u16, wanted: Option<&EncodingParameters>) -> u32 {
    let limit = wanted.and_then(|it| it.max_bitrate).unwrap_or(u64::MAX);
    let bitrate = limit.min(BITRATE_PER_CHANNEL * u64::from(channels));
    u32::try_from(bitrate).unwrap_or(u32::MAX)
}
