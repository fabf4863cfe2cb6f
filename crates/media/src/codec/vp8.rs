//! VP8 (RFC 6386), as RTP has it (RFC 7741). RFC 7742 §5 wants it of every endpoint.

use std::time::Duration;

use oxideav_vp8::{
    DecodeError, I420Frame, KeyframeParams, KeyframePlanes, TrellisStrength, Vp8DecoderState,
    encode_keyframe_with_reconstruction, encode_p_frame_multi_ref,
};

use super::{
    CodecError, Encoded, MAX_PIXELS, VideoDecoder, VideoEncoder, VideoEncoderConfig,
    panics::contained,
    rate::{RateControl, Scale},
};
use crate::VideoFrame;

const SCALE: Scale = Scale {
    min: 10,
    max: 120,
    step,
    guess: [12.0, 4.0],
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

pub(super) struct Encoder {
    /// The picture before, as a decoder has it, and its size. `None` asks for a key frame.
    last: Option<(KeyframePlanes, (u32, u32))>,
    rate: RateControl,
}

impl Encoder {
    pub(super) fn new(config: VideoEncoderConfig) -> Self {
        Self {
            last: None,
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
        let Some(quantizer) = self.rate.plan(frame.timestamp(), pixels, is_key_frame) else {
            return Ok(Encoded {
                is_key_frame: false,
            });
        };
        let last = self.last.take().filter(|_| !is_key_frame);
        let (data, planes) = contained(|| {
            let last = last.as_ref().map(|(planes, _)| planes);
            encode(frame, last, quantizer)
        })?;
        self.last = Some((planes, size));
        self.rate.spent(quantizer, data.len(), pixels, is_key_frame);
        *out = data;
        Ok(Encoded { is_key_frame })
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64) {
        self.rate.set_rate(bits_per_second, frames_per_second);
    }
}

/// The picture, and what a decoder will have of it.
fn encode(
    frame: &VideoFrame,
    last: Option<&KeyframePlanes>,
    quantizer: u8,
) -> Result<(Vec<u8>, KeyframePlanes), CodecError> {
    let [y, u, v] = frame.planes().map(|plane| plane.data());
    let picture = I420Frame::packed(frame.width(), frame.height(), y, u, v);
    let params = KeyframeParams {
        y_ac_qi: quantizer,
        // Coarser steps leave sharper edges between blocks.
        loop_filter_level: quantizer / 3,
        trellis_strength: TrellisStrength::OFF,
        ..KeyframeParams::default()
    };
    let encoded = match last {
        Some(last) => encode_p_frame_multi_ref(&picture, last, None, None, &params),
        None => encode_keyframe_with_reconstruction(&picture, &params),
    };
    encoded.map_err(|error| CodecError::Internal(error.to_string()))
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
