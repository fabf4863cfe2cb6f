//! By `rav1e`. It was made for files: rate and size are those that an encoder is set up with, and it
//! looks at a few pictures before it gives the first one. So there is a new one, which begins with a
//! key frame, wherever something changes; the one before gives what it still has meanwhile.

use std::{collections::VecDeque, ops::RangeInclusive, time::Duration};

use rav1e::prelude::{
    ColorDescription, ColorPrimaries, Config, Context, EncoderConfig, EncoderStatus, FrameType,
    MatrixCoefficients, Rational, SceneDetectionSpeed, TransferCharacteristics, Tune,
};

use crate::{
    InvalidFrame, VideoFrame,
    codec::{CodecError, Encoded, VideoEncoder, VideoEncoderConfig, pace::Pace, panics::contained},
};

/// The fastest that there is: a call cannot wait.
const SPEED: u8 = 10;

/// The least width and height that `rav1e` takes.
const MIN_SIDE: u32 = 16;

/// Another rate is not worth the key frame that a new encoder begins with before one has made up for
/// its own, in seconds. What is too much in the meantime is left out.
const MIN_AGE: f64 = 1.0;

/// Nor is one that is within this of the rate that it was set up for, in bits a picture.
const SAME_RATE: RangeInclusive<f64> = 0.85..=1.2;

/// Until so many seconds have passed even this is good enough: pictures are not as fine as they could
/// be, but frame rates change as a source begins and rates rise step by step.
const YOUNG: f64 = 5.0;
const ABOUT_SAME_RATE: RangeInclusive<f64> = 0.85..=2.0;

/// With a debt beyond this, in seconds of the bit rate, pictures are left out.
const MAX_DEBT: f64 = 0.6;

/// No more than this is saved up for later, in seconds of the bit rate.
const MAX_SAVED: f64 = 0.3;

/// Within how many pictures an encoder makes up for what one of them took too much, a key frame for
/// one. With fewer it gives nothing at all for as long after a key frame at a low rate.
const PAY_BACK: i32 = 60;

pub(crate) struct Encoder {
    /// The oldest first. All but the last have had all their pictures. There is nothing in them
    /// before the first picture and after a failure.
    stages: VecDeque<Stage>,
    bitrate: f64,
    pace: Pace,
    /// What was spent too much so far, in seconds of the bit rate.
    debt: f64,
}

/// An encoder of one size and rate.
struct Stage {
    context: Context<u8>,
    size: (u32, u32),
    /// Bits of a picture, on average.
    budget: f64,
    /// Seconds since it began.
    age: f64,
    /// The times of the pictures that it has not given yet.
    times: VecDeque<Duration>,
}

/// What came out.
struct Packet {
    data: Vec<u8>,
    encoded: Encoded,
}

impl Encoder {
    pub(crate) fn new(config: VideoEncoderConfig) -> Self {
        Self {
            stages: VecDeque::new(),
            bitrate: sane(config.bitrate),
            pace: Pace::new(config.frame_rate),
            debt: 0.0,
        }
    }

    /// Whether the last encoder does for a picture of this size.
    fn fits(&self, size: (u32, u32)) -> bool {
        let budget = self.bitrate * self.pace.interval();
        self.stages.back().is_some_and(|stage| {
            let change = budget / stage.budget;
            let is_same_rate = match stage.age {
                ..MIN_AGE => true,
                ..YOUNG => ABOUT_SAME_RATE.contains(&change),
                _ => SAME_RATE.contains(&change),
            };
            stage.size == size && is_same_rate
        })
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
        if size.0 < MIN_SIDE || size.1 < MIN_SIDE {
            let (width, height) = size;
            return Err(InvalidFrame::Size { width, height }.into());
        }
        let (passed, in_time) = self.pace.pass(frame.timestamp());
        self.debt = (self.debt - passed).max(-MAX_SAVED);
        if let Some(stage) = self.stages.back_mut() {
            stage.age += passed;
        }
        let is_same = self.stages.back().is_some_and(|stage| stage.size == size);
        let nothing = Encoded {
            is_key_frame: false,
            timestamp: frame.timestamp(),
            layer: None,
        };
        if !force_key_frame && is_same && (!in_time || self.debt > MAX_DEBT) {
            return Ok(nothing);
        }
        let fits = !force_key_frame && self.fits(size);
        let new = (self.bitrate, self.pace.interval());
        let mut stages = std::mem::take(&mut self.stages);
        let (stages, packet) = contained(|| {
            if !fits {
                if let Some(last) = stages.back_mut() {
                    last.context.flush();
                }
                stages.push_back(Stage::new(size, new)?);
            }
            if let Some(last) = stages.back_mut() {
                last.take(frame)?;
            }
            let packet = next_packet(&mut stages)?;
            Ok((stages, packet))
        })?;
        self.stages = stages;
        let Some(packet) = packet else {
            return Ok(nothing);
        };
        self.debt += packet.data.len() as f64 * 8.0 / self.bitrate;
        *out = packet.data;
        Ok(packet.encoded)
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: f64) {
        self.bitrate = sane(bits_per_second);
        self.pace.set_rate(frames_per_second);
    }
}

/// The next picture, of the oldest encoder that has one.
fn next_packet(stages: &mut VecDeque<Stage>) -> Result<Option<Packet>, CodecError> {
    while let Some(oldest) = stages.front_mut() {
        let packet = oldest.give()?;
        if packet.is_some() || stages.len() == 1 {
            return Ok(packet);
        }
        stages.pop_front();
    }
    Ok(None)
}

impl Stage {
    fn new(size: (u32, u32), (bitrate, interval): (f64, f64)) -> Result<Self, CodecError> {
        let config = Config::new().with_encoder_config(config(size, bitrate, interval));
        Ok(Self {
            context: config.new_context().map_err(internal)?,
            size,
            budget: bitrate * interval,
            age: 0.0,
            times: VecDeque::new(),
        })
    }

    fn take(&mut self, frame: &VideoFrame) -> Result<(), CodecError> {
        let mut picture = self.context.new_frame();
        for (to, from) in picture.planes.iter_mut().zip(frame.planes()) {
            to.copy_from_raw_u8(from.data(), from.width(), 1);
        }
        self.context.send_frame(picture).map_err(internal)?;
        self.times.push_back(frame.timestamp());
        Ok(())
    }

    fn give(&mut self) -> Result<Option<Packet>, CodecError> {
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    // One comes out for each that went in, in the same order.
                    let timestamp = self.times.pop_front().unwrap_or_default();
                    let is_key_frame = packet.frame_type == FrameType::KEY;
                    return Ok(Some(Packet {
                        data: packet.data,
                        encoded: Encoded {
                            is_key_frame,
                            timestamp,
                            layer: None,
                        },
                    }));
                }
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData | EncoderStatus::LimitReached) => return Ok(None),
                Err(error) => return Err(internal(error)),
            }
        }
    }
}

fn config((width, height): (u32, u32), bitrate: f64, interval: f64) -> EncoderConfig {
    let mut config = EncoderConfig::with_speed_preset(SPEED);
    config.width = width as usize;
    config.height = height as usize;
    config.time_base = Rational::new((interval * 1e6).round() as u64, 1_000_000);
    // What the frames of this crate are, and what a decoder takes for granted of the rest.
    config.color_description = Some(ColorDescription {
        color_primaries: ColorPrimaries::Unspecified,
        transfer_characteristics: TransferCharacteristics::Unspecified,
        matrix_coefficients: MatrixCoefficients::BT601,
    });
    // No picture that builds on a later one, and no look at more of them than has to be.
    config.low_latency = true;
    config.speed_settings.rdo_lookahead_frames = 1;
    // A key frame comes when it is asked for, and at no other time.
    config.speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
    config.set_key_frame_interval(0, 0);
    // Both are a matter of taste that takes a third of the time.
    config.tune = Tune::Psnr;
    config.speed_settings.cdef = false;
    config.bitrate = bitrate.min(f64::from(i32::MAX)) as i32;
    // Whatever it takes to keep to the rate, but nothing finer than can be seen.
    config.quantizer = 255;
    config.min_quantizer = 30;
    config.reservoir_frame_delay = Some(PAY_BACK);
    config
}

/// Less than a kilobit a second is no video, and nothing may be divided by 0.
fn sane(bitrate: u32) -> f64 {
    f64::from(bitrate.max(1_000))
}

fn internal(error: impl std::fmt::Display) -> CodecError {
    CodecError::Internal(error.to_string())
}
