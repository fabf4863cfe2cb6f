//! Opus (RFC 6716) as RTP has it (RFC 7587).

use opus_pure::{Application, Bandwidth, MAX_PACKET_BYTES, MAX_PACKET_SAMPLES};

use super::{AudioDecoder, AudioEncoder, CodecError, fmtp, panics::contained};

/// RFC 7587 §4.1: the clock of the payload format, whatever was encoded.
const SAMPLE_RATE: u32 = 48_000;

/// RFC 7587 §4.2: 20 ms unless the receiver asks for something else.
const PACKET_MS: u32 = 20;

/// RFC 7587 §6.1, `maxaveragebitrate`: what the format can do.
const BITRATES: std::ops::RangeInclusive<u32> = 6_000..=510_000;

/// RFC 7587 §3.1.1: good fullband speech takes 28 to 40 kb/s, stereo music 64 to 128.
const BITRATE_MONO: u32 = 32_000;
const BITRATE_STEREO: u32 = 64_000;

/// Part of the packets that is expected to be lost as long as nobody knows: of 0 the encoder would
/// make no redundancy, and the first loss would be heard.
const EXPECTED_LOSS: f64 = 0.05;

pub(super) struct Encoder {
    encoder: opus_pure::OpusEncoder,
    channels: u16,
    samples_per_packet: usize,
    max_bitrate: u32,
}

impl Encoder {
    /// An encoder that heeds the receiver's wishes (RFC 7587 §6.1 and §7.1).
    pub(super) fn new(fmtp: Option<&str>) -> Option<Self> {
        let channels = if fmtp::flag(fmtp, "stereo") { 2 } else { 1 };
        let application = match channels {
            1 => Application::Voip,
            _ => Application::Audio,
        };
        let rate = i32::try_from(SAMPLE_RATE).ok()?;
        let encoder = opus_pure::OpusEncoder::new(rate, usize::from(channels), application).ok()?;
        // The packet durations of RFC 6716 §2.1.4 that take no more than one frame.
        let ptime = fmtp::number(fmtp, "ptime").filter(|it| [10, 20, 40, 60].contains(it));
        let samples = SAMPLE_RATE / 1_000 * ptime.unwrap_or(PACKET_MS);
        let max_bitrate = fmtp::number(fmtp, "maxaveragebitrate").unwrap_or(*BITRATES.end());
        let mut this = Self {
            encoder,
            channels,
            samples_per_packet: samples as usize,
            max_bitrate: max_bitrate.clamp(*BITRATES.start(), *BITRATES.end()),
        };
        this.encoder.use_inband_fec = fmtp::flag(fmtp, "useinbandfec");
        if this.encoder.use_inband_fec {
            this.set_expected_loss(EXPECTED_LOSS);
        }
        this.encoder.use_dtx = fmtp::flag(fmtp, "usedtx");
        if fmtp::flag(fmtp, "cbr") {
            this.encoder.rate_control = opus_pure::RateControl::Cbr;
        }
        if let Some(rate) = fmtp::number(fmtp, "maxplaybackrate") {
            this.encoder.max_bandwidth = bandwidth(rate);
        }
        this.set_bitrate(if channels == 1 {
            BITRATE_MONO
        } else {
            BITRATE_STEREO
        });
        Some(this)
    }
}

/// RFC 7587 §3.1.1: no more than what the receiver plays.
fn bandwidth(playback_rate: u32) -> Bandwidth {
    match playback_rate {
        0..=8_000 => Bandwidth::Narrowband,
        8_001..=12_000 => Bandwidth::Mediumband,
        12_001..=16_000 => Bandwidth::Wideband,
        16_001..=24_000 => Bandwidth::Superwideband,
        _ => Bandwidth::Fullband,
    }
}

impl AudioEncoder for Encoder {
    fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.clear();
        let needed = self.samples_per_packet * usize::from(self.channels);
        if samples.len() != needed {
            let got = samples.len();
            return Err(CodecError::WrongLength { needed, got });
        }
        out.resize(MAX_PACKET_BYTES, 0);
        let encoded = self
            .encoder
            .encode_s16(samples, self.samples_per_packet, out);
        // RFC 7587 §3.1.3: what is but a header says that there is nothing to send.
        let len = encoded
            .as_ref()
            .map_or(0, |len| if *len <= 2 { 0 } else { *len });
        out.truncate(len);
        match encoded {
            Ok(_) => Ok(()),
            Err(error) => Err(CodecError::Internal(error.to_string())),
        }
    }

    fn set_bitrate(&mut self, bits_per_second: u32) {
        let bitrate = bits_per_second.clamp(*BITRATES.start(), self.max_bitrate);
        self.encoder.bitrate_bps = i32::try_from(bitrate).unwrap_or(i32::MAX);
    }

    fn set_expected_loss(&mut self, fraction: f64) {
        self.encoder.packet_loss_perc = (fraction.clamp(0.0, 1.0) * 100.0).round() as i32;
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn channels(&self) -> u16 {
        self.channels
    }

    fn samples_per_packet(&self) -> usize {
        self.samples_per_packet
    }
}

/// Gives two channels, whatever is sent: RFC 7587 §6.1 lets a sender change between one and two at
/// any time.
pub(super) struct Decoder {
    decoder: opus_pure::OpusDecoder,
    /// Samples of each channel in the last packet.
    last: usize,
}

const CHANNELS: u16 = 2;

impl Decoder {
    pub(super) fn new() -> Option<Self> {
        let rate = i32::try_from(SAMPLE_RATE).ok()?;
        Some(Self {
            decoder: opus_pure::OpusDecoder::new(rate, usize::from(CHANNELS)).ok()?,
            last: (SAMPLE_RATE / 1_000 * PACKET_MS) as usize,
        })
    }

    /// Runs `decode` with room for `samples` of each channel.
    fn run(
        &mut self,
        samples: usize,
        out: &mut Vec<i16>,
        decode: impl FnOnce(&mut opus_pure::OpusDecoder, &mut [i16]) -> opus_pure::Result<usize>,
    ) -> Result<usize, CodecError> {
        let channels = usize::from(CHANNELS);
        out.clear();
        out.resize(samples * channels, 0);
        let decoder = &mut self.decoder;
        let decoded = contained(|| {
            decode(decoder, out).map_err(|error| CodecError::Malformed(error.to_string()))
        });
        if matches!(decoded, Err(CodecError::Internal(_)))
            && let Some(new) = Self::new()
        {
            *self = new;
        }
        out.truncate(decoded.as_ref().map_or(0, |len| len * channels));
        decoded
    }
}

impl AudioDecoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError> {
        // An empty packet would mean a loss to the decoder.
        if packet.is_empty() {
            out.clear();
            return Err(CodecError::Malformed("an empty packet".into()));
        }
        let decoded = self.run(MAX_PACKET_SAMPLES, out, |decoder, out| {
            decoder.decode_s16(packet, MAX_PACKET_SAMPLES, out)
        })?;
        self.last = decoded;
        Ok(())
    }

    fn conceal(&mut self, out: &mut Vec<i16>) {
        let last = self.last;
        let concealed = self.run(last, out, |decoder, out| decoder.decode_s16(&[], last, out));
        if concealed.is_err() {
            out.resize(last * usize::from(CHANNELS), 0);
        }
    }

    fn recover(&mut self, next: &[u8], out: &mut Vec<i16>) {
        let last = self.last;
        let recovered = self.run(last, out, |decoder, out| {
            decoder.decode_fec_s16(next, last, out)
        });
        if recovered.is_err() {
            self.conceal(out);
        }
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn channels(&self) -> u16 {
        CHANNELS
    }
}
