//! ITU-T G.722 at 64 kbit/s: 16 kHz in two sub-bands of adaptive differential PCM. For RTP as
//! RFC 3551 §4.5.2 says, with a clock of 8 kHz by an error that has become the rule.

mod adpcm;
mod band;
mod qmf;

use super::{AudioDecoder, AudioEncoder, CodecError, fmtp};
use band::{Higher, Lower};
use qmf::Delay;

/// Of the samples; the clock of RTP has half of it.
const SAMPLE_RATE: u32 = 16_000;

/// RFC 3551 §4.2: a packet lasts 20 ms unless something else is agreed on.
const PACKET_MS: u32 = 20;

#[derive(Debug)]
pub(super) struct Encoder {
    samples_per_packet: usize,
    filter: Delay,
    lower: Lower,
    higher: Higher,
}

impl Encoder {
    /// The receiver may ask for another duration with `ptime`, in milliseconds.
    pub(super) fn new(fmtp: Option<&str>) -> Self {
        let ptime = fmtp::number(fmtp, "ptime").filter(|it| (10..=120).contains(it));
        let samples = SAMPLE_RATE / 1_000 * ptime.unwrap_or(PACKET_MS);
        Self {
            samples_per_packet: samples as usize,
            filter: Delay::default(),
            lower: Lower::new(),
            higher: Higher::new(),
        }
    }
}

impl AudioEncoder for Encoder {
    fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        if samples.len() != self.samples_per_packet {
            return Err(CodecError::WrongLength {
                needed: self.samples_per_packet,
                got: samples.len(),
            });
        }
        out.clear();
        let (pairs, _) = samples.as_chunks::<2>();
        for pair in pairs {
            let [lower, higher] = self.filter.part(*pair);
            // The higher band's bits come first.
            out.push(self.higher.encode(higher) << 6 | self.lower.encode(lower));
        }
        Ok(())
    }

    fn set_bitrate(&mut self, _: u32) {}

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn channels(&self) -> u16 {
        1
    }

    fn samples_per_packet(&self) -> usize {
        self.samples_per_packet
    }
}

/// What is lost is concealed by the samples before it, which die away over a few packets.
#[derive(Debug)]
pub(super) struct Decoder {
    filter: Delay,
    lower: Lower,
    higher: Higher,
    last: Vec<i16>,
}

impl Decoder {
    /// More than a second in one packet is no audio that anybody sends.
    const MAX_BYTES: usize = SAMPLE_RATE as usize / 2;

    pub(super) fn new() -> Self {
        Self {
            filter: Delay::default(),
            lower: Lower::new(),
            higher: Higher::new(),
            last: vec![0; (SAMPLE_RATE / 1_000 * PACKET_MS) as usize],
        }
    }
}

impl AudioDecoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        out.clear();
        if packet.is_empty() || packet.len() > Self::MAX_BYTES {
            let text = format!("{} bytes in one packet", packet.len());
            return Err(CodecError::Malformed(text));
        }
        for byte in packet {
            let bands = [
                self.lower.decode(byte & 0x3f),
                self.higher.decode(byte >> 6),
            ];
            out.extend(self.filter.join(bands));
        }
        self.last.clone_from(out);
        Ok(())
    }

    fn conceal(&mut self, out: &mut Vec<i16>) {
        for sample in &mut self.last {
            *sample /= 2;
        }
        out.clone_from(&self.last);
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn channels(&self) -> u16 {
        1
    }
}
