//! Pictures that are sent: one encoder for each encoding.

use std::{sync::Arc, time::Duration};

use pc_jsep::{CodecParameters, EncodingParameters, RidRestrictions};
use pc_media::{
    VideoFrame,
    codec::{self, VideoEncoder, VideoEncoderConfig},
};
use pc_rtp::{PayloadType, payload::TemporalLayer};

use super::{
    counts::Setting,
    outbound::{Encoded, Moment, Plan, Signals},
    rate::Sharing,
};

/// The frame rate that encoders are told before pictures have shown it.
const FRAME_RATE: f64 = 30.0;

pub(super) struct VideoSender {
    layers: Vec<Layer>,
    encodings: Vec<EncodingParameters>,
    restrictions: Vec<RidRestrictions>,
    sharing: Sharing,
    /// What each encoding has got of the bit rate.
    shares: Vec<u64>,
    last: Option<Duration>,
    frame_rate: f64,
}

/// One encoding.
struct Layer {
    codec: Option<CodecParameters>,
    encoder: Option<Encoder>,
    /// When the last picture was encoded.
    last: Option<Duration>,
}

struct Encoder {
    inner: Box<dyn VideoEncoder>,
    size: (u32, u32),
    rate: (u64, f64),
    /// As it was asked for.
    mode: Option<String>,
    /// As it is made.
    mode_in_use: Option<String>,
}

/// What there is when no layers are made.
const NO_LAYERS: &str = "L1T1";

impl VideoSender {
    pub(super) fn new(plan: &Plan) -> Self {
        let layer = |index| Layer::new(usable(plan, index));
        Self {
            layers: (0..plan.encodings.len()).map(layer).collect(),
            encodings: plan.encodings.clone(),
            restrictions: plan.restrictions.clone(),
            sharing: Sharing::default(),
            shares: Vec::new(),
            last: None,
            frame_rate: FRAME_RATE,
        }
    }

    /// The same encodings, with other parameters: those whose codec stays keep their encoder.
    pub(super) fn update(&mut self, plan: &Plan) {
        self.layers.truncate(plan.encodings.len());
        for (index, encoding) in plan.encodings.iter().enumerate() {
            let codec = usable(plan, index);
            match self.layers.get_mut(index) {
                Some(layer) if layer.codec.as_ref() == codec => {
                    if let Some(encoder) = &mut layer.encoder {
                        encoder.follow_mode(encoding.scalability_mode.as_deref());
                    }
                }
                Some(layer) => *layer = Layer::new(codec),
                None => self.layers.push(Layer::new(codec)),
            }
        }
        self.encodings.clone_from(&plan.encodings);
        self.restrictions.clone_from(&plan.restrictions);
    }

    /// A picture in all encodings that are sent.
    pub(super) fn encode(
        &mut self,
        frame: &VideoFrame,
        at: Moment,
        signals: &Arc<Signals>,
    ) -> Vec<Encoded> {
        self.follow_frame_rate(at.media);
        let wanted = signals.take_key_frames();
        let size = |index: usize| match self.encodings.get(index) {
            Some(encoding) => scaled(frame, encoding, self.restrictions.get(index)),
            None => (frame.width(), frame.height()),
        };
        let pixels = |index: usize| {
            let (width, height) = size(index);
            u64::from(width) * u64::from(height)
        };
        let network = signals.bitrate();
        self.shares = self.sharing.share(network, &self.encodings, pixels);
        let sizes: Vec<_> = (0..self.encodings.len()).map(size).collect();
        let mut packets = Vec::new();
        let layers = self.layers.iter_mut().zip(&self.encodings);
        for (index, ((layer, encoding), (size, bitrate))) in
            layers.zip(sizes.into_iter().zip(&self.shares)).enumerate()
        {
            if *bitrate == 0 {
                layer.stop();
                continue;
            }
            let is_wanted = wanted >> index.min(63) & 1 == 1;
            let most = Most::of(size, encoding, self.restrictions.get(index));
            if layer.is_too_soon(most.frame_rate, at.media, is_wanted) {
                continue;
            }
            let frame_rate = self.frame_rate.min(most.frame_rate);
            let by_bits = (most.bits_per_picture * frame_rate) as u64;
            let setting = Target {
                size,
                rate: ((*bitrate).min(by_bits), frame_rate),
                mode: encoding.scalability_mode.as_deref(),
            };
            packets.extend(layer.encode(index, frame, at, &setting, is_wanted));
        }
        packets
    }

    /// How each encoding is sent.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let layers = self.layers.iter().zip(&self.shares);
        let setting = |(layer, bitrate): (&Layer, &u64)| Setting {
            bitrate: *bitrate,
            scalability_mode: (layer.encoder.as_ref()).and_then(|it| it.mode_in_use.clone()),
        };
        layers.map(setting).collect()
    }

    /// See [`Sharing::next_step`].
    pub(super) fn next_step(&self) -> u64 {
        self.sharing.next_step()
    }

    /// Smoothed, for cameras are not regular.
    fn follow_frame_rate(&mut self, at: Duration) {
        if let Some(between) = self.last.and_then(|last| at.checked_sub(last))
            && !between.is_zero()
        {
            let now = (1.0 / between.as_secs_f64()).clamp(1.0, 120.0);
            self.frame_rate += (now - self.frame_rate) / 8.0;
        }
        self.last = Some(at);
    }
}

impl Layer {
    fn new(codec: Option<&CodecParameters>) -> Self {
        Self {
            codec: codec.cloned(),
            encoder: None,
            last: None,
        }
    }

    /// It is not sent. When it is again, that begins with a key frame: receivers have nothing that
    /// another picture could build on.
    fn stop(&mut self) {
        self.encoder = None;
        self.last = None;
    }

    /// Whether there is no room for this picture among so many a second. A key frame that is wanted is
    /// only left out where there is room for none.
    fn is_too_soon(&self, rate: f64, at: Duration, is_wanted: bool) -> bool {
        if rate <= 0.0 {
            return true;
        }
        // A tenth of a frame of tolerance: cameras are not regular.
        let is_soon = |last: Duration| at.saturating_sub(last).as_secs_f64() < 0.9 / rate;
        !is_wanted && self.last.is_some_and(is_soon)
    }

    fn encode(
        &mut self,
        index: usize,
        frame: &VideoFrame,
        at: Moment,
        target: &Target<'_>,
        wants_key_frame: bool,
    ) -> Option<Encoded> {
        let (codec, size) = (self.codec.as_ref()?, target.size);
        if self.encoder.as_ref().is_none_or(|it| it.size != size) {
            self.encoder = Encoder::new(codec, target);
        }
        let encoder = self.encoder.as_mut()?;
        encoder.follow(target.rate);
        let frame = match frame.scaled_to(size.0, size.1) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::debug!(%error, "a picture was not scaled");
                return None;
            }
        };
        let mut data = Vec::new();
        let encoded = match encoder.inner.encode(&frame, wants_key_frame, &mut data) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::warn!(%error, "a picture was not encoded; the encoder begins anew");
                self.encoder = None;
                return None;
            }
        };
        self.last = Some(at.media);
        // An encoder that looks ahead gives a picture of before.
        let late = frame.timestamp().saturating_sub(encoded.timestamp);
        let at = at.moved_to(at.media.saturating_sub(late));
        (!data.is_empty()).then(|| {
            Some(Encoded {
                encoding: index,
                payload_type: PayloadType::new(codec.payload_type.value())?,
                timestamp: at.ticks(codec.codec.clock_rate),
                data,
                capture: at.clock,
                is_key_frame: encoded.is_key_frame,
                size: u16::try_from(size.0).ok().zip(u16::try_from(size.1).ok()),
                audio_level: None,
                layer: encoded.layer.map(|it| TemporalLayer {
                    id: it.id,
                    is_sync: it.is_sync,
                    is_discardable: it.is_discardable,
                }),
            })
        })?
    }
}

/// What is to be made of a picture.
struct Target<'a> {
    size: (u32, u32),
    rate: (u64, f64),
    mode: Option<&'a str>,
}

impl Encoder {
    fn new(codec: &CodecParameters, target: &Target<'_>) -> Option<Self> {
        let line = codec.codec.sdp_fmtp_line.as_deref();
        let config = VideoEncoderConfig {
            width: target.size.0,
            height: target.size.1,
            bitrate: bits(target.rate.0),
            frame_rate: target.rate.1,
        };
        let mut encoder = Self {
            inner: codec::video_encoder(&codec.codec.mime_type, line, config)?,
            size: target.size,
            rate: target.rate,
            mode: None,
            mode_in_use: None,
        };
        encoder.follow_mode(target.mode);
        Some(encoder)
    }

    /// Where the codec that was negotiated cannot do what was asked of another, there are no layers
    /// (webrtc-svc §4.1).
    fn follow_mode(&mut self, mode: Option<&str>) {
        if self.mode.as_deref() == mode {
            return;
        }
        let wanted = mode.unwrap_or(NO_LAYERS);
        let made = match self.inner.set_scalability_mode(wanted) {
            true => wanted,
            false => {
                self.inner.set_scalability_mode(NO_LAYERS);
                NO_LAYERS
            }
        };
        self.mode = mode.map(str::to_owned);
        self.mode_in_use = mode.map(|_| made.to_owned());
    }

    fn follow(&mut self, rate: (u64, f64)) {
        let (bits_before, frames_before) = self.rate;
        // Not for every wobble of the frame rate.
        if bits_before != rate.0 || (frames_before - rate.1).abs() > frames_before / 10.0 {
            self.rate = rate;
            self.inner.set_rate(bits(rate.0), rate.1);
        }
    }
}

/// The rates that application and peer allow pictures of one size.
struct Most {
    frame_rate: f64,
    bits_per_picture: f64,
}

impl Most {
    fn of(
        size: (u32, u32),
        encoding: &EncodingParameters,
        restrictions: Option<&RidRestrictions>,
    ) -> Self {
        let pixels = f64::from(size.0) * f64::from(size.1);
        let by_pixels = restrictions.and_then(|it| it.max_pixel_rate);
        let bits_per_pixel = restrictions.and_then(|it| it.max_bits_per_pixel);
        let frame_rate = encoding.max_framerate.unwrap_or(f64::MAX);
        Self {
            frame_rate: frame_rate.min(by_pixels.map_or(f64::MAX, |it| it / pixels)),
            bits_per_picture: bits_per_pixel.map_or(f64::MAX, |it| it * pixels),
        }
    }
}

/// What an encoding is sent with: the codec that it asks for, or the first that there is an encoder
/// for, of those that the peer takes for it.
fn usable(plan: &Plan, index: usize) -> Option<&CodecParameters> {
    let wanted = plan.encodings.get(index)?.codec.as_ref();
    let taken = plan.restrictions.get(index);
    let taken = taken.map_or(&[][..], |it| it.payload_types.as_slice());
    let mut media = plan.codecs.iter().filter(|it| it.codec.is_media());
    media.find(|it| {
        let is_wanted = wanted.is_none_or(|codec| codec.is_sent_as(&it.codec));
        let is_taken = taken.is_empty() || taken.contains(&it.payload_type);
        let line = it.codec.sdp_fmtp_line.as_deref();
        is_wanted && is_taken && codec::can_encode(&it.codec.mime_type, line)
    })
}

/// The size that an encoding gives a picture: even, as 4:2:0 likes it, at least 16 pixels wide and
/// high, and not larger than the peer takes it.
fn scaled(
    frame: &VideoFrame,
    encoding: &EncodingParameters,
    restrictions: Option<&RidRestrictions>,
) -> (u32, u32) {
    let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
    let by = match encoding.scale_resolution_down_to {
        Some(limit) => {
            // Whichever way it is turned.
            let (long, short) = (width.max(height), width.min(height));
            let most = f64::from(limit.max_width.max(limit.max_height));
            let least = f64::from(limit.max_width.min(limit.max_height));
            (long / most).max(short / least).max(1.0)
        }
        None => encoding.scale_resolution_down_by.unwrap_or(1.0).max(1.0),
    };
    let least = restrictions.map_or(1.0, |it| {
        let over = |have: f64, limit: Option<f64>| limit.map_or(1.0, |limit| have / limit);
        let by_size = over(width, it.max_width).max(over(height, it.max_height));
        by_size.max(over(width * height, it.max_frame_size).sqrt())
    });
    let by = by.max(least);
    let side = |length: f64| ((length / by) as u32 & !1).max(16);
    (side(width), side(height))
}

fn bits(rate: u64) -> u32 {
    u32::try_from(rate).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
