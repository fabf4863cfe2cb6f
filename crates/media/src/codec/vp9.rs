//! VP9 profile 0, as RTP has it (RFC 9628).

use std::time::Duration;

use rusty_vp9::{
    BitReader, Error, Vp9Decoder, Vp9Encoder, Vp9EncoderConfig, parse_uncompressed_header,
};

use super::{
    CodecError, Encoded, VideoDecoder, VideoEncoder, VideoEncoderConfig, check_size,
    panics::contained,
    rate::{RateControl, Scale},
};
use crate::VideoFrame;

/// The fastest that there is: a call cannot wait.
const SPEED: u32 = 6;

const SCALE: Scale = Scale {
    min: 32,
    max: 240,
    step,
    guess: [40.0, 6.0],
};

/// About the step size that an index stands for (VP9 bitstream specification §8.6.1,
/// `ac_qlookup`): by one up to 100, then by the same factor each time.
fn step(index: u8) -> f64 {
    let index = f64::from(index);
    if index <= 100.0 {
        index + 7.0
    } else {
        107.0 * ((index - 100.0) / 38.0).exp2()
    }
}

pub(super) struct Encoder {
    /// `None` after a failure, and before the first picture.
    encoder: Option<Vp9Encoder>,
    /// The size that it is at.
    size: (u32, u32),
    rate: RateControl,
}

impl Encoder {
    pub(super) fn new(config: VideoEncoderConfig) -> Self {
        Self {
            encoder: None,
            size: (config.width, config.height),
            rate: RateControl::new(SCALE, config.bitrate, config.frame_rate),
        }
    }
}

impl VideoEncoder for Encoder {
    fn encode(
        &mut self,
        frame: &VideoFrame,
        force_key_frame: bool,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, CodecError> {
        out.clear();
        let size = (frame.width(), frame.height());
        // A new encoder begins with a key frame; that is the only way to have one.
        let is_key = force_key_frame || self.encoder.is_none() || self.size != size;
        let pixels = size.0 * size.1;
        let Some(mut quantizer) = self.rate.plan(frame.timestamp(), pixels, is_key) else {
            return Ok(Encoded {
                is_key_frame: false,
                timestamp: frame.timestamp(),
                layer: None,
            });
        };
        let before = self.encoder.take().filter(|_| !is_key);
        let mut encoded = contained(|| encode(before, frame, quantizer))?;
        if is_key && let Some(coarser) = self.rate.plan_again(quantizer, encoded.1.len(), pixels) {
            quantizer = coarser;
            encoded = contained(|| encode(None, frame, quantizer))?;
        }
        let (encoder, data, is_key_frame) = encoded;
        self.encoder = Some(encoder);
        self.size = size;
        self.rate.spent(quantizer, data.len(), pixels, is_key_frame);
        *out = data;
        Ok(Encoded {
            is_key_frame,
            timestamp: frame.timestamp(),
            layer: None,
        })
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64) {
        self.rate.set_rate(bits_per_second, frames_per_second);
    }
}

/// Encodes with the encoder that has the pictures before, or a new one; gives it back with the frame
/// and whether that is a key frame.
fn encode(
    before: Option<Vp9Encoder>,
    frame: &VideoFrame,
    quantizer: u8,
) -> Result<(Vp9Encoder, Vec<u8>, bool), CodecError> {
    let mut encoder = before.unwrap_or_default();
    let failed = |error: Error| CodecError::Internal(error.to_string());
    let config = Vp9EncoderConfig {
        qindex: Some(u32::from(quantizer)),
        // Nothing that waits for pictures to come.
        lag: Some(0),
        speed: Some(SPEED),
        ..Vp9EncoderConfig::default()
    };
    encoder.configure(&config).map_err(failed)?;
    let planes = frame.planes();
    encoder
        .push_frame(
            planes.map(|plane| plane.data()),
            planes.map(|plane| plane.width()),
            frame.width(),
            frame.height(),
        )
        .map_err(failed)?;
    let packet = encoder.next_packet().map_err(failed)?;
    Ok((encoder, packet.data, packet.keyframe))
}

pub(super) struct Decoder {
    decoder: Vp9Decoder,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            decoder: Vp9Decoder::default(),
        }
    }
}

impl VideoDecoder for Decoder {
    fn decode(
        &mut self,
        frame: &[u8],
        timestamp: Duration,
    ) -> Result<Option<VideoFrame>, CodecError> {
        let frames = frames(frame);
        for frame in &frames {
            check(frame)?;
        }
        let decoder = &mut self.decoder;
        let decoded = contained(|| decode(decoder, frame, frames.len(), timestamp));
        if decoded.is_err() {
            // It may have panicked, and some of what it was given may still wait in it.
            self.decoder = Vp9Decoder::default();
        }
        decoded
    }
}

/// Decodes a superframe of so many frames. Of those that are to be shown, such as the layers of
/// one picture, only the last one is.
fn decode(
    decoder: &mut Vp9Decoder,
    superframe: &[u8],
    frames: usize,
    timestamp: Duration,
) -> Result<Option<VideoFrame>, CodecError> {
    decoder.push(superframe, None).map_err(malformed)?;
    let mut shown = None;
    for _ in 0..frames {
        match decoder.next_frame() {
            Ok(picture) => shown = Some(picture),
            // One that is not to be shown.
            Err(Error::Again | Error::Eof) => {}
            Err(error) => return Err(malformed(error)),
        }
    }
    let Some(picture) = shown else {
        return Ok(None);
    };
    let colour = (
        picture.bit_depth,
        picture.subsampling_x,
        picture.subsampling_y,
    );
    let planes = picture.planes.iter().zip(&picture.strides);
    let planes: Vec<_> = planes
        .map(|(it, stride)| (it.as_slice(), *stride))
        .collect();
    match (planes.try_into(), colour) {
        (Ok(planes), (8, 1, 1)) => {
            let frame = VideoFrame::from_planes(picture.width, picture.height, planes, timestamp)?;
            Ok(Some(frame))
        }
        _ => Err(CodecError::Malformed("not of profile 0".into())),
    }
}

fn malformed(error: Error) -> CodecError {
    CodecError::Malformed(error.to_string())
}

/// Looks at what a frame says of its size before anything is allocated for it.
fn check(frame: &[u8]) -> Result<(), CodecError> {
    // Where the size is that of another frame, which passed here, it is taken as 0.
    let header = parse_uncompressed_header(&mut BitReader::new(frame), &[(0, 0); 8]);
    let header = header.map_err(malformed)?;
    check_size(header.width, header.height)
}

/// The frames of a superframe (VP9 bitstream specification, annex B): an index at the end, between
/// two equal bytes, has their lengths.
fn frames(superframe: &[u8]) -> Vec<&[u8]> {
    let whole = vec![superframe];
    let Some(marker) = superframe.last().filter(|it| *it & 0xe0 == 0xc0) else {
        return whole;
    };
    let count = usize::from(marker & 0x07) + 1;
    let width = usize::from(marker >> 3 & 0x03) + 1;
    let index = superframe.len().checked_sub(2 + count * width);
    let Some((mut data, index)) = index.and_then(|at| superframe.split_at_checked(at)) else {
        return whole;
    };
    if index.first() != Some(marker) {
        return whole;
    }
    let lengths = index.get(1..index.len() - 1).unwrap_or(&[]);
    let mut frames = Vec::with_capacity(count);
    for length in lengths.chunks_exact(width) {
        let length = length
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let Some((frame, rest)) = data.split_at_checked(length) else {
            break;
        };
        data = rest;
        if !frame.is_empty() {
            frames.push(frame);
        }
    }
    frames
}

/// The key frame with other numbers for its width and height, which begin at bit 36: marker,
/// profile, four flags, the start code of 24 bits, then three bits of colour space and one of range.
#[cfg(test)]
pub(super) fn with_size(key_frame: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut frame = key_frame.to_vec();
    let bits = (u64::from(width - 1) << 16 | u64::from(height - 1)) as u32;
    for at in 0..32 {
        let (byte, bit) = ((36 + at) / 8, 7 - (36 + at) % 8);
        frame[byte] = frame[byte] & !(1 << bit) | ((bits >> (31 - at) & 1) as u8) << bit;
    }
    frame
}
