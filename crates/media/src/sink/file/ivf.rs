//! IVF: a header of 32 bytes, then each picture after its length and time.

use std::{
    io::{Seek, SeekFrom, Write},
    time::Duration,
};

use super::{FileFormat, RecordError, unsuitable};
use crate::{
    EncodedFrame, MediaFrame, VideoFrame,
    codec::{self, VideoEncoder, VideoEncoderConfig},
};

/// Times are in 1/90,000 of a second, as in RTP.
const CLOCK_RATE: u32 = 90_000;
/// Where the header has the number of pictures.
const COUNT_AT: u64 = 24;
/// What pictures are encoded with, in this order, as far as this build can.
const ENCODERS: [(&str, &[u8; 4]); 2] = [("video/VP9", b"VP90"), ("video/VP8", b"VP80")];
/// What they are encoded for.
const BITRATE: u32 = 1_500_000;
const FRAME_RATE: f64 = 30.0;

pub(super) struct Writer<W> {
    writer: W,
    /// Where the file begins.
    origin: u64,
    fourcc: [u8; 4],
    encoder: Option<Box<dyn VideoEncoder>>,
    data: Vec<u8>,
    start: Duration,
    count: u32,
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn begin(
        frame: &MediaFrame,
        writer: &mut Option<W>,
    ) -> Result<Option<Self>, RecordError> {
        let (fourcc, encoder, size) = match frame {
            MediaFrame::Video(picture) => {
                let (fourcc, encoder) =
                    encoder(picture).ok_or_else(|| unsuitable(FileFormat::Ivf, frame))?;
                (fourcc, Some(encoder), side_lengths(picture))
            }
            MediaFrame::Encoded(encoded) => {
                let fourcc = fourcc(encoded).ok_or_else(|| unsuitable(FileFormat::Ivf, frame))?;
                if !encoded.is_key_frame {
                    return Ok(None);
                }
                (fourcc, None, size(fourcc, &encoded.data))
            }
            MediaFrame::Audio(_) => return Err(unsuitable(FileFormat::Ivf, frame)),
        };
        let Some(mut writer) = writer.take() else {
            return Ok(None);
        };
        let origin = writer.stream_position()?;
        header(&mut writer, fourcc, size)?;
        Ok(Some(Self {
            writer,
            origin,
            fourcc,
            encoder,
            data: Vec::new(),
            start: frame.timestamp(),
            count: 0,
        }))
    }

    pub(super) fn write(&mut self, frame: &MediaFrame) -> Result<(), RecordError> {
        match (frame, &mut self.encoder) {
            (MediaFrame::Video(picture), Some(encoder)) => {
                encoder.encode(picture, false, &mut self.data)?;
                let data = std::mem::take(&mut self.data);
                let written = match data.is_empty() {
                    true => Ok(()),
                    false => self.picture(&data, picture.timestamp()),
                };
                self.data = data;
                written
            }
            (MediaFrame::Encoded(encoded), None) if fourcc(encoded) == Some(self.fourcc) => {
                self.picture(&encoded.data, encoded.timestamp)
            }
            _ => Err(unsuitable(FileFormat::Ivf, frame)),
        }
    }

    pub(super) fn finish(mut self) -> Result<(), RecordError> {
        let end = self.writer.stream_position()?;
        self.writer.seek(SeekFrom::Start(self.origin + COUNT_AT))?;
        self.writer.write_all(&self.count.to_le_bytes())?;
        self.writer.seek(SeekFrom::Start(end))?;
        Ok(self.writer.flush()?)
    }

    fn picture(&mut self, data: &[u8], timestamp: Duration) -> Result<(), RecordError> {
        let full = || RecordError::Full(FileFormat::Ivf);
        let len = u32::try_from(data.len()).map_err(|_| full())?;
        let count = self.count.checked_add(1).ok_or_else(full)?;
        let since = timestamp.saturating_sub(self.start);
        let ticks = since.as_nanos() * u128::from(CLOCK_RATE) / 1_000_000_000;
        self.writer.write_all(&len.to_le_bytes())?;
        self.writer.write_all(&(ticks as u64).to_le_bytes())?;
        self.writer.write_all(data)?;
        self.count = count;
        Ok(())
    }
}

fn header(
    writer: &mut impl Write,
    fourcc: [u8; 4],
    (width, height): (u16, u16),
) -> Result<(), RecordError> {
    writer.write_all(b"DKIF\0\0\x20\0")?; // version 0, a header of 32 bytes
    writer.write_all(&fourcc)?;
    writer.write_all(&width.to_le_bytes())?;
    writer.write_all(&height.to_le_bytes())?;
    writer.write_all(&CLOCK_RATE.to_le_bytes())?;
    writer.write_all(&1_u32.to_le_bytes())?;
    Ok(writer.write_all(&[0; 8])?) // the number of pictures, and nothing
}

fn encoder(first: &VideoFrame) -> Option<([u8; 4], Box<dyn VideoEncoder>)> {
    let config = VideoEncoderConfig {
        width: first.width(),
        height: first.height(),
        bitrate: BITRATE,
        frame_rate: FRAME_RATE,
    };
    ENCODERS
        .into_iter()
        .find_map(|(mime, fourcc)| Some((*fourcc, codec::video_encoder(mime, None, config)?)))
}

fn fourcc(frame: &EncodedFrame) -> Option<[u8; 4]> {
    let known = [
        ("video/VP8", b"VP80"),
        ("video/VP9", b"VP90"),
        ("video/AV1", b"AV01"),
    ];
    let mut known = known.into_iter();
    let (_, fourcc) = known.find(|(mime, _)| mime.eq_ignore_ascii_case(&frame.mime_type))?;
    Some(*fourcc)
}

fn side_lengths(picture: &VideoFrame) -> (u16, u16) {
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    (side(picture.width()), side(picture.height()))
}

/// The size that a key frame tells; 0 where it is not known (AV1: players take it from the stream,
/// as they do with the others).
fn size(fourcc: [u8; 4], key_frame: &[u8]) -> (u16, u16) {
    match (&fourcc, key_frame) {
        // RFC 6386 §9.1: a tag of 3 bytes, the start code, then 14 bits of each side and 2 of scale.
        (b"VP80", [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..]) => {
            let side = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
            (side(*w0, *w1), side(*h0, *h1))
        }
        // VP9 bitstream specification §6.2, profile 0: 8 bits of which the last four say what
        // frame it is, the sync code, 4 bits of colour, then 16 of each side less one.
        (b"VP90", [marker, 0x49, 0x83, 0x42, a, b, c, d, e, ..]) if marker & 0xf4 == 0x80 => {
            let bits = u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]);
            let side = |shift: u32| ((bits >> shift) as u16).saturating_add(1);
            (side(20), side(4))
        }
        _ => (0, 0),
    }
}
