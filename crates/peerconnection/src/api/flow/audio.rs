//! Sound that is sent: samples of any shape in, packets of an encoder out.

use pc_jsep::{Codec, CodecParameters, EncodingParameters};
use pc_media::{
    AudioFrame,
    codec::{self, AudioEncoder, AudioFramer},
};
use pc_rtp::{AudioLevel, PayloadType};

use super::outbound::{Encoded, Moment, Plan};

/// The bit rate of one channel where the application sets no limit: music at full bandwidth.
const BITRATE_PER_CHANNEL: u64 = 32_000;

/// How much a packet of Opus has, in ms, of what is no more than one frame (RFC 6716 §2.1.4).
const OPUS_PACKETS: [u32; 4] = [10, 20, 40, 60];

/// How much one of any other codec has, in ms.
const PACKETS: std::ops::RangeInclusive<u32> = 10..=120;

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
    /// For the codec that the encoding asks for, or the first that there is an encoder for.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let wanted = plan.encodings.first();
        let codec = wanted.and_then(|it| it.codec.as_ref());
        let is_wanted = |own: &Codec| codec.is_none_or(|it| it.is_sent_as(own));
        let mut usable = plan.codecs.iter();
        usable.find_map(|it| {
            let is_usable = it.codec.is_media() && is_wanted(&it.codec);
            is_usable.then(|| Self::of(it, &plan.codecs, wanted))?
        })
    }

    fn of(
        own: &CodecParameters,
        all: &[CodecParameters],
        wanted: Option<&EncodingParameters>,
    ) -> Option<Self> {
        let codec = &own.codec;
        let channels = codec.channels.unwrap_or(1);
        let line = parameters(codec, wanted.and_then(|it| it.ptime));
        let line = line.as_deref();
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

/// What the encoder is told: what the receiver has said, and before that the duration of a packet that
/// comes closest to what the application would like best (webrtc-extensions, `ptime`).
fn parameters(codec: &Codec, ptime: Option<u32>) -> Option<String> {
    let line = codec.sdp_fmtp_line.clone();
    let Some(wanted) = ptime else {
        return line;
    };
    let nearest = match codec.name().eq_ignore_ascii_case("opus") {
        true => OPUS_PACKETS
            .into_iter()
            .min_by_key(|it| it.abs_diff(wanted))?,
        false => wanted.clamp(*PACKETS.start(), *PACKETS.end()),
    };
    Some(format!("ptime={nearest};{}", line.unwrap_or_default()))
}

fn bitrate(channels: u16, wanted: Option<&EncodingParameters>) -> u32 {
    let limit = wanted.and_then(|it| it.max_bitrate).unwrap_or(u64::MAX);
    let bitrate = limit.min(BITRATE_PER_CHANNEL * u64::from(channels));
    u32::try_from(bitrate).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
