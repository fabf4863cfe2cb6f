//! Opus in Ogg (RFC 7845).

use std::{
    io::{Seek, Write},
    time::Duration,
};

use ogg::{PacketWriteEndInfo, PacketWriter};

use super::{FileFormat, MAX_GAP, RecordError, unsuitable};
use crate::{
    MediaFrame,
    codec::{self, AudioEncoder, AudioFramer, CodecError},
};

/// RFC 7845 §4: granule positions count samples at 48 kHz.
const SAMPLE_RATE: u64 = 48_000;
/// RFC 7845 §5.1, what players leave out at the beginning: as much as encoders look ahead.
const PRE_SKIP: u16 = 312;
/// There is but one stream in the file.
const SERIAL: u32 = 1;
const VENDOR: &[u8] = b"pc-media";

pub(super) struct Writer<W: Write> {
    pages: PacketWriter<'static, W>,
    encoding: Option<Encoding>,
    /// The last packet, which only shows when it is the last, and the sample that it ends at.
    waiting: Option<(Vec<u8>, u64)>,
    /// The samples so far.
    samples: u64,
    /// When the first of them is to be played.
    start: Duration,
    /// Where the page begins.
    page_start: u64,
}

/// What samples go through.
struct Encoding {
    encoder: Box<dyn AudioEncoder>,
    framer: AudioFramer,
    samples: Vec<i16>,
    packet: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn begin(
        frame: &MediaFrame,
        writer: &mut Option<W>,
    ) -> Result<Option<Self>, RecordError> {
        let unsuitable = || unsuitable(FileFormat::OggOpus, frame);
        let (encoding, channels) = match frame {
            MediaFrame::Audio(audio) => {
                let encoding = Encoding::new(audio.channels()).ok_or_else(unsuitable)?;
                let channels = encoding.encoder.channels();
                (Some(encoding), channels)
            }
            // RFC 7587 §7: what RTP has may be stereo at any time.
            MediaFrame::Encoded(_) if is_opus(frame) => (None, 2),
            _ => return Err(unsuitable()),
        };
        let Some(writer) = writer.take() else {
            return Ok(None);
        };
        let mut pages = PacketWriter::new(writer);
        for header in [identification(channels), comment()] {
            pages.write_packet(header, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        }
        Ok(Some(Self {
            pages,
            encoding,
            waiting: None,
            samples: 0,
            start: frame.timestamp(),
            page_start: 0,
        }))
    }

    pub(super) fn write(&mut self, frame: &MediaFrame) -> Result<(), RecordError> {
        match (frame, self.encoding.take()) {
            (MediaFrame::Encoded(encoded), None) if is_opus(frame) => {
                self.packet(&encoded.data, encoded.timestamp)
            }
            (MediaFrame::Audio(audio), Some(mut encoding)) => {
                encoding.framer.push(audio);
                let written = self.encode(&mut encoding);
                self.encoding = Some(encoding);
                written
            }
            (_, encoding) => {
                self.encoding = encoding;
                Err(unsuitable(FileFormat::OggOpus, frame))
            }
        }
    }

    /// What does not fill a packet, less than 20 ms, is left out.
    pub(super) fn finish(mut self) -> Result<(), RecordError> {
        if let Some((packet, end)) = self.waiting.take() {
            let info = PacketWriteEndInfo::EndStream;
            self.pages.write_packet(packet, SERIAL, info, end)?;
        }
        Ok(self.pages.inner_mut().flush()?)
    }

    fn encode(&mut self, encoding: &mut Encoding) -> Result<(), RecordError> {
        while let Some(at) = encoding.framer.next_packet(&mut encoding.samples) {
            let Encoding {
                encoder,
                samples,
                packet,
                ..
            } = encoding;
            encoder.encode(samples, packet)?;
            if !packet.is_empty() {
                self.packet(packet, at)?;
            }
        }
        Ok(())
    }

    /// Puts a packet where its time says: never before the end of the last, and after a gap behind
    /// packets without data, for which a decoder conceals (RFC 7845 §4.1).
    fn packet(&mut self, packet: &[u8], timestamp: Duration) -> Result<(), RecordError> {
        let malformed = || CodecError::Malformed("no Opus packet".into());
        let duration = duration(packet).ok_or_else(malformed)?;
        let since = timestamp.saturating_sub(self.start);
        let position = samples(since);
        let gap = position.saturating_sub(self.samples);
        if gap > samples(MAX_GAP) {
            self.start = timestamp.saturating_sub(time(self.samples));
        } else if let Some(toc) = packet.first() {
            // One frame as long as those of the packet, and nothing in it.
            let lost = [toc & !0b11];
            let of_frame = frame_duration(*toc);
            for _ in 0..gap / of_frame {
                self.append(&lost, of_frame)?;
            }
        }
        self.append(packet, duration)
    }

    fn append(&mut self, packet: &[u8], duration: u64) -> Result<(), RecordError> {
        self.samples += duration;
        let waiting = self.waiting.replace((packet.to_vec(), self.samples));
        let Some((packet, end)) = waiting else {
            return Ok(());
        };
        // RFC 7845 §6: a page should not have more than a second.
        let is_full = end + duration > self.page_start + SAMPLE_RATE;
        let info = if is_full {
            self.page_start = end;
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        Ok(self.pages.write_packet(packet, SERIAL, info, end)?)
    }
}

impl Encoding {
    fn new(channels: u16) -> Option<Self> {
        let fmtp = (channels > 1).then_some("stereo=1");
        let encoder = codec::audio_encoder("audio/opus", SAMPLE_RATE as u32, 2, fmtp)?;
        Some(Self {
            framer: AudioFramer::for_encoder(encoder.as_ref()),
            encoder,
            samples: Vec::new(),
            packet: Vec::new(),
        })
    }
}

fn is_opus(frame: &MediaFrame) -> bool {
    matches!(frame, MediaFrame::Encoded(it) if it.mime_type.eq_ignore_ascii_case("audio/opus"))
}

/// RFC 7845 §5.1.
fn identification(channels: u16) -> Vec<u8> {
    let mut header = b"OpusHead\x01".to_vec();
    header.push(channels as u8);
    header.extend(PRE_SKIP.to_le_bytes());
    header.extend((SAMPLE_RATE as u32).to_le_bytes());
    header.extend([0, 0, 0]); // no gain, mapping family 0
    header
}

/// RFC 7845 §5.2.
fn comment() -> Vec<u8> {
    let mut header = b"OpusTags".to_vec();
    header.extend((VENDOR.len() as u32).to_le_bytes());
    header.extend(VENDOR);
    header.extend([0; 4]); // no comment
    header
}

/// How many samples a packet has (RFC 6716 §3.1 and §3.2); `None` if it is none.
pub(super) fn duration(packet: &[u8]) -> Option<u64> {
    let toc = packet.first()?;
    let frames = match toc & 0b11 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    let samples = frames * frame_duration(*toc);
    // RFC 6716 §3.2.5: 120 ms at most.
    (1..=SAMPLE_RATE * 12 / 100)
        .contains(&samples)
        .then_some(samples)
}

/// RFC 6716 §3.1, table 2.
fn frame_duration(toc: u8) -> u64 {
    let (config, of_mode) = (toc >> 3, toc >> 3 & 0b11);
    match config {
        0..=11 if of_mode == 3 => 2_880,
        0..=11 => 480 << of_mode,
        12..=15 => 480 << (config & 1),
        _ => 120 << of_mode,
    }
}

fn samples(time: Duration) -> u64 {
    let part = u64::from(time.subsec_nanos()) * SAMPLE_RATE / 1_000_000_000;
    time.as_secs()
        .saturating_mul(SAMPLE_RATE)
        .saturating_add(part)
}

fn time(samples: u64) -> Duration {
    let part = samples % SAMPLE_RATE * 1_000_000_000 / SAMPLE_RATE;
    Duration::from_secs(samples / SAMPLE_RATE) + Duration::from_nanos(part)
}
