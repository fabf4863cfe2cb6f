//! VP8 (RFC 6386), as RTP has it (RFC 7741). RFC 7742 §5 wants it of every endpoint.

mod layers;

use std::time::Duration;

use oxideav_vp8::{
    DecodeError, I420Frame, InterCodingOptions, KeyframeParams, KeyframePlanes, RefreshControls,
    TrellisStrength, Vp8DecoderState, encode_keyframe_with_reconstruction,
    encode_p_frame_multi_ref_with_refresh_and_coding_options,
};

use super::{
    CodecError, Encoded, MAX_PIXELS, VideoDecoder, VideoEncoder, VideoEncoderConfig,
    panics::contained,
    rate::{RateControl, Scale},
};
use crate::{Plane, VideoFrame};
use layers::Layers;

const SCALE: Scale = Scale {
    min: 16,
    // Beyond this the next picture has so bad a reference that it costs more.
    max: 92,
    step,
    guess: [40.0, 6.0],
};

/// About the step size that an index stands for (RFC 6386 §14.1, `ac_qlookup`): by one at first,
/// then by the same factor each time.
fn step(index: u8) -> f64 {
    let index = f64::from(index);
    if index <= 54.0 {
        index + 4.0
    } else {
        58.0 * ((index - 54.0) / 32.0).exp2()
    }
}

/// How far to trade quality for bits where a coefficient is coded: up to a third of the bits for a
/// tenth of a dB, at hardly any time.
const TRELLIS: f64 = 3.0;

/// The side of a macroblock (RFC 6386 §2).
const BLOCK: usize = 16;

/// One block in so many makes it worth looking for news.
const NEWS: usize = 100;

pub(super) struct Encoder {
    /// The picture before, as a decoder has it, and its size. `None` asks for a key frame.
    last: Option<(KeyframePlanes, (u32, u32))>,
    layers: Layers,
    rate: RateControl,
}

impl Encoder {
    pub(super) fn new(config: VideoEncoderConfig) -> Self {
        Self {
            last: None,
            layers: Layers::default(),
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
        let usable = self.last.as_ref().filter(|(_, it)| *it == size);
        let is_key_frame = force_key_frame || usable.is_none();
        let pixels = size.0 * size.1;
        let Some(mut quantizer) = self.rate.plan(frame.timestamp(), pixels, is_key_frame) else {
            return Ok(Encoded {
                is_key_frame: false,
                timestamp: frame.timestamp(),
                layer: None,
            });
        };
        // Taken out, so that a failure leaves none and a key frame comes next.
        let last = self.last.take();
        let mut references = References::default();
        if is_key_frame {
            self.layers.begin();
        } else {
            references.last = last.as_ref().map(|(planes, _)| planes);
            references.golden = self.layers.golden();
            references.refresh = self.layers.refresh();
        }
        let (mut data, mut planes) = contained(|| encode(frame, &references, quantizer))?;
        if is_key_frame && let Some(coarser) = self.rate.plan_again(quantizer, data.len(), pixels) {
            quantizer = coarser;
            (data, planes) = contained(|| encode(frame, &references, quantizer))?;
        }
        let refresh = references.refresh;
        let layer = self.layers.layer();
        self.layers
            .advance(refresh.refresh_golden_frame.then(|| planes.clone()));
        self.last = match last {
            Some(last) if !is_key_frame && !refresh.refresh_last => Some(last),
            _ => Some((planes, size)),
        };
        self.rate.spent(quantizer, data.len(), pixels, is_key_frame);
        *out = data;
        Ok(Encoded {
            is_key_frame,
            timestamp: frame.timestamp(),
            layer,
        })
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64) {
        self.rate.set_rate(bits_per_second, frames_per_second);
    }

    fn set_scalability_mode(&mut self, mode: &str) -> bool {
        self.layers.set_mode(mode)
    }
}

/// What a picture builds on, and what builds on it.
#[derive(Default)]
struct References<'a> {
    /// The picture before; `None` for a key frame.
    last: Option<&'a KeyframePlanes>,
    golden: Option<&'a KeyframePlanes>,
    refresh: RefreshControls,
}

/// The picture, and what a decoder will have of it.
fn encode(
    frame: &VideoFrame,
    references: &References<'_>,
    quantizer: u8,
) -> Result<(Vec<u8>, KeyframePlanes), CodecError> {
    let [y, u, v] = frame.planes().map(|plane| plane.data());
    let picture = I420Frame::packed(frame.width(), frame.height(), y, u, v);
    let params = KeyframeParams {
        y_ac_qi: quantizer,
        // Coarser steps leave sharper edges between blocks.
        loop_filter_level: quantizer / 3,
        trellis_strength: TrellisStrength::new(TRELLIS),
        ..KeyframeParams::default()
    };
    let encoded = match references.last {
        // Only from the picture before, but for one of four with three layers in time: each further
        // reference costs as much time again.
        Some(last) => encode_p_frame_multi_ref_with_refresh_and_coding_options(
            &picture,
            last,
            references.golden,
            None,
            &params,
            &references.refresh,
            &InterCodingOptions {
                intra_pick: has_news(frame.y(), last),
                ..InterCodingOptions::default()
            },
        ),
        None => encode_keyframe_with_reconstruction(&picture, &params),
    };
    encoded.map_err(|error| CodecError::Internal(error.to_string()))
}

/// Whether some of the picture is better described by itself than by the picture before, as what
/// comes into view is. To look for that takes the encoder as much time as all the rest, so it is
/// only told to where it pays.
fn has_news(luma: Plane<'_>, last: &KeyframePlanes) -> bool {
    let rows: Vec<_> = luma
        .rows()
        .zip(last.y.chunks_exact(last.y_stride))
        .collect();
    let blocks = rows.chunks_exact(BLOCK).flat_map(|rows| {
        (0..luma.width() / BLOCK).map(move |column| {
            let columns = column * BLOCK..(column + 1) * BLOCK;
            rows.iter().filter_map(move |(row, last)| {
                Some((row.get(columns.clone())?, last.get(columns.clone())?))
            })
        })
    });
    let news = blocks.filter(|block| is_news(block.clone())).count();
    news * NEWS > luma.width() * luma.height() / (BLOCK * BLOCK)
}

/// Whether a block differs from that at its place in the picture before by far more than from its
/// own mean.
fn is_news<'a>(rows: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> bool {
    let samples = || rows.clone().flat_map(|(row, last)| row.iter().zip(last));
    let sum: u32 = samples().map(|(sample, _)| u32::from(*sample)).sum();
    let mean = (sum / (BLOCK * BLOCK) as u32) as u8;
    let from_mean: u32 = samples().map(|(it, _)| u32::from(it.abs_diff(mean))).sum();
    let from_last: u32 = samples()
        .map(|(it, last)| u32::from(it.abs_diff(*last)))
        .sum();
    from_last > 2 * from_mean + 8 * (BLOCK * BLOCK) as u32
}

pub(super) struct Decoder {
    decoder: Vp8DecoderState,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            decoder: Vp8DecoderState::new().with_max_pixels_per_frame(u64::from(MAX_PIXELS)),
        }
    }
}

impl VideoDecoder for Decoder {
    fn decode(
        &mut self,
        frame: &[u8],
        timestamp: Duration,
    ) -> Result<Option<VideoFrame>, CodecError> {
        let decoder = &mut self.decoder;
        let decoded = contained(|| decode(decoder, frame, timestamp));
        if matches!(decoded, Err(CodecError::Internal(_))) {
            *self = Self::new();
        }
        decoded
    }
}

fn decode(
    decoder: &mut Vp8DecoderState,
    frame: &[u8],
    timestamp: Duration,
) -> Result<Option<VideoFrame>, CodecError> {
    let malformed = |error: DecodeError| CodecError::Malformed(error.to_string());
    let picture = decoder.decode_frame(frame).map_err(malformed)?;
    // RFC 6386 §9.1, `show_frame`.
    if decoder.last_frame_shown() == Some(false) {
        return Ok(None);
    }
    let mut data = picture.y;
    data.extend_from_slice(&picture.u);
    data.extend_from_slice(&picture.v);
    let frame = VideoFrame::new(picture.width, picture.height, data, timestamp)?;
    Ok(Some(frame))
}
