//! H.264 constrained baseline in Annex B form, as RTP has it (RFC 6184), by OpenH264.
//!
//! An H.264 picture has an even number of rows and columns: of others the last one is left out.

use std::time::Duration;

use openh264::{
    OpenH264API, Timestamp,
    decoder::{Decoder as OpenDecoder, DecoderConfig},
    encoder::{
        BitRate, Complexity, Encoder as OpenEncoder, EncoderConfig, FrameRate, FrameType, Profile,
        RateControlMode, SpsPpsStrategy, UsageType,
    },
    formats::{YUVSlices, YUVSource},
};

use super::{
    CodecError, Encoded, VideoDecoder, VideoEncoder, VideoEncoderConfig, check_size, fmtp,
    pace::Pace, panics::contained,
};
use crate::VideoFrame;

/// Whether these parameters are of a profile that both ends of OpenH264 do (RFC 6184 §8.1):
/// baseline, which is the default, or what is compatible with it. The level does not matter, as a
/// peer says how much it takes and pictures of a call are small.
pub(super) fn is_supported(fmtp: Option<&str>) -> bool {
    let profile = fmtp::value(fmtp, "profile-level-id").unwrap_or("42000a");
    let is_profile = profile.is_ascii() && profile.len() == 6 && profile.starts_with("42");
    let mode = fmtp::number(fmtp, "packetization-mode").unwrap_or(0);
    is_profile && mode <= 1
}

/// A rate within this of the one before is not worth the key frame that a change takes.
const SAME_RATE: std::ops::RangeInclusive<f64> = 0.9..=1.1;

pub(super) struct Encoder {
    /// `None` before the first picture, after a failure and after another rate was set.
    encoder: Option<OpenEncoder>,
    size: (u32, u32),
    bitrate: u32,
    pace: Pace,
}

impl Encoder {
    pub(super) fn new(config: VideoEncoderConfig) -> Self {
        Self {
            encoder: None,
            size: (config.width, config.height),
            bitrate: config.bitrate,
            pace: Pace::new(config.frame_rate),
        }
    }

    fn open(&self) -> Result<OpenEncoder, CodecError> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .profile(Profile::Baseline)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(self.bitrate.max(10_000)))
            .max_frame_rate(FrameRate::from_hz((1.0 / self.pace.interval()) as f32))
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            // A key frame comes when it is asked for, and at no other time.
            .scene_change_detect(false)
            .num_threads(1)
            .skip_frames(true);
        OpenEncoder::with_api_config(OpenH264API::from_source(), config).map_err(internal)
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
        let is_key = force_key_frame || self.encoder.is_none() || self.size != size;
        let (_, in_time) = self.pace.pass(frame.timestamp());
        if !is_key && !in_time {
            return Ok(Encoded {
                is_key_frame: false,
                timestamp: frame.timestamp(),
                layer: None,
            });
        }
        let before = self.encoder.take().filter(|_| self.size == size);
        let mut encoder = match before {
            Some(encoder) => encoder,
            None => self.open()?,
        };
        self.size = size;
        let (encoder, is_key_frame) = contained(|| {
            let is_key_frame = encode(&mut encoder, frame, force_key_frame, out)?;
            Ok((encoder, is_key_frame))
        })?;
        self.encoder = Some(encoder);
        Ok(Encoded {
            is_key_frame,
            timestamp: frame.timestamp(),
            layer: None,
        })
    }

    /// OpenH264 is set up anew for another rate, and begins with a key frame.
    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64) {
        let change = f64::from(bits_per_second) / f64::from(self.bitrate.max(1));
        if !SAME_RATE.contains(&change) {
            self.bitrate = bits_per_second;
            self.encoder = None;
        }
        self.pace.set_rate(frames_per_second);
    }
}

fn encode(
    encoder: &mut OpenEncoder,
    frame: &VideoFrame,
    force_key_frame: bool,
    out: &mut Vec<u8>,
) -> Result<bool, CodecError> {
    let [y, u, v] = frame.planes();
    let even = |side: u32| side as usize & !1;
    let picture = YUVSlices::new(
        (y.data(), u.data(), v.data()),
        (even(frame.width()), even(frame.height())),
        (y.width(), u.width(), v.width()),
    );
    if force_key_frame {
        encoder.force_intra_frame();
    }
    let millis = u64::try_from(frame.timestamp().as_millis()).unwrap_or(u64::MAX);
    let encoded = encoder.encode_at(&picture, Timestamp::from_millis(millis));
    let encoded = encoded.map_err(internal)?;
    if encoded.frame_type() == FrameType::Skip {
        return Ok(false);
    }
    encoded.write_vec(out);
    Ok(matches!(encoded.frame_type(), FrameType::IDR))
}

pub(super) struct Decoder {
    decoder: OpenDecoder,
}

impl Decoder {
    pub(super) fn new() -> Option<Self> {
        let api = OpenH264API::from_source();
        let decoder = OpenDecoder::with_api_config(api, DecoderConfig::new()).ok()?;
        Some(Self { decoder })
    }
}

impl VideoDecoder for Decoder {
    fn decode(
        &mut self,
        frame: &[u8],
        timestamp: Duration,
    ) -> Result<Option<VideoFrame>, CodecError> {
        let decoder = &mut self.decoder;
        contained(|| {
            let malformed = |error: openh264::Error| CodecError::Malformed(error.to_string());
            let Some(picture) = decoder.decode(frame).map_err(malformed)? else {
                return Ok(None);
            };
            let (width, height) = picture.dimensions();
            let (width, height) = (width as u32, height as u32);
            check_size(width, height)?;
            let (sy, su, sv) = picture.strides();
            let planes = [(picture.y(), sy), (picture.u(), su), (picture.v(), sv)];
            Ok(Some(VideoFrame::from_planes(
                width, height, planes, timestamp,
            )?))
        })
    }
}

fn internal(error: openh264::Error) -> CodecError {
    CodecError::Internal(error.to_string())
}
