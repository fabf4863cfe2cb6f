//! ITU-T G.711: logarithmic 8-bit PCM at 8 kHz, for RTP as RFC 3551 §4.5.14 says.

use super::{AudioDecoder, AudioEncoder, CodecError, fmtp};

const SAMPLE_RATE: u32 = 8_000;

/// RFC 3551 §4.2: a packet lasts 20 ms unless something else is agreed on.
const PACKET_MS: u32 = 20;

/// How a sample becomes a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// North America and Japan: `PCMU`.
    Mu,
    /// Elsewhere: `PCMA`.
    A,
}

impl Law {
    pub(super) fn compress(self, sample: i16) -> u8 {
        match self {
            Self::Mu => mu_compress(sample),
            Self::A => a_compress(sample),
        }
    }

    pub(super) fn expand(self, byte: u8) -> i16 {
        match self {
            Self::Mu => mu_expand(byte),
            Self::A => a_expand(byte),
        }
    }
}

/// The magnitude of a sample without its `low` lowest bits, and whether it is negative. What is
/// negative counts from -1 downwards, so that both halves are of the same size.
fn split(sample: i16, low: u32) -> (u32, bool) {
    let magnitude = if sample < 0 { !sample } else { sample };
    (u32::from(magnitude.unsigned_abs()) >> low, sample < 0)
}

/// G.711 table 2: of the 14-bit magnitude plus 33 the exponent and the four bits after the leading
/// one, all inverted.
fn mu_compress(sample: i16) -> u8 {
    const BIAS: u32 = 33;
    let (magnitude, is_negative) = split(sample, 2);
    let magnitude = magnitude.min(8_191 - BIAS) + BIAS;
    // The leading one is at bit 5 to 12.
    let exponent = 26 - magnitude.leading_zeros();
    let mantissa = magnitude >> (exponent + 1) & 0x0f;
    let sign = if is_negative { 0x80 } else { 0 };
    !(sign | (exponent << 4 | mantissa) as u8)
}

fn mu_expand(byte: u8) -> i16 {
    let bits = !byte;
    let (exponent, mantissa) = (bits >> 4 & 0x07, i16::from(bits & 0x0f));
    let magnitude = (((mantissa << 1 | 33) << exponent) - 33) << 2;
    if bits & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// G.711 table 1: of the 13-bit magnitude the exponent and the four bits after the leading one,
/// every other bit inverted.
fn a_compress(sample: i16) -> u8 {
    let (magnitude, is_negative) = split(sample, 4);
    let bits = if magnitude < 32 {
        magnitude
    } else {
        let exponent = 28 - magnitude.leading_zeros();
        exponent << 4 | (magnitude >> (exponent - 1) & 0x0f)
    };
    let sign = if is_negative { 0 } else { 0x80 };
    (sign | bits as u8) ^ 0x55
}

fn a_expand(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let (exponent, mantissa) = (bits >> 4 & 0x07, i16::from(bits & 0x0f));
    // The middle of the step.
    let middle = mantissa << 4 | 0x08;
    let magnitude = match exponent {
        0 => middle,
        _ => (middle | 0x100) << (exponent - 1),
    };
    if bits & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    law: Law,
    samples_per_packet: usize,
}

impl Encoder {
    /// The receiver may ask for another duration with `ptime`, in milliseconds.
    pub(super) fn new(law: Law, fmtp: Option<&str>) -> Self {
        let ptime = fmtp::number(fmtp, "ptime").filter(|it| (10..=120).contains(it));
        let samples = SAMPLE_RATE / 1_000 * ptime.unwrap_or(PACKET_MS);
        Self {
            law,
            samples_per_packet: samples as usize,
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
        out.extend(samples.iter().map(|sample| self.law.compress(*sample)));
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
    law: Law,
    last: Vec<i16>,
}

impl Decoder {
    /// More than a second in one packet is no audio that anybody sends.
    const MAX_SAMPLES: usize = SAMPLE_RATE as usize;

    pub(super) fn new(law: Law) -> Self {
        let samples = (SAMPLE_RATE / 1_000 * PACKET_MS) as usize;
        Self {
            law,
            last: vec![0; samples],
        }
    }
}

impl AudioDecoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        if packet.is_empty() || packet.len() > Self::MAX_SAMPLES {
            let text = format!("{} samples in one packet", packet.len());
            return Err(CodecError::Malformed(text));
        }
        self.last.clear();
        self.last
            .extend(packet.iter().map(|byte| self.law.expand(*byte)));
        out.clone_from(&self.last);
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
