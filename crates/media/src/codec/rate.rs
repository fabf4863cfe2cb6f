//! Keeps an encoder to its bit rate and frame rate, by way of its quantizer.

use std::time::Duration;

use super::pace::Pace;

/// How long it takes to make up for what was spent too much, in seconds.
const PAY_BACK: f64 = 0.7;

/// What a key frame may cost, in seconds of the bit rate.
const KEY_FRAME: f64 = 0.2;

/// A key frame that costs more is encoded once more: it would take that long to arrive, and as much
/// would be left out after it.
const MAX_KEY_FRAME: f64 = 0.35;

/// No more than this is saved up for later, in seconds of the bit rate.
const MAX_SAVED: f64 = 0.3;

/// With a debt beyond this, in seconds of the bit rate, pictures are left out.
const MAX_DEBT: f64 = 0.6;

/// By what factor steps get finer from one picture to the next, at most. A picture that is like the
/// one before costs nothing, which says little about the one after it.
const FINER: f64 = 1.15;

/// A time between two pictures that is beyond this is a break, not a rate.
const MAX_INTERVAL: f64 = 0.5;

/// The quantizers of a codec.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The finest one that is worth its bits.
    pub(super) min: u8,
    /// The coarsest.
    pub(super) max: u8,
    /// The step size of a quantizer; grows with it.
    pub(super) step: fn(u8) -> f64,
    /// Bits that a pixel of a key frame and of another picture takes, times the step size: where to
    /// begin, before anything was encoded.
    pub(super) guess: [f64; 2],
}

/// Chooses the quantizer of each picture such that the bits of all come to the rate.
///
/// The bits of a picture are about inverse to the step size of the quantizer. What they make when
/// multiplied is learnt from picture to picture, for key frames and others each on its own.
#[derive(Debug)]
pub(super) struct RateControl {
    scale: Scale,
    bitrate: f64,
    pace: Pace,
    /// What was spent too much so far, in seconds of the bit rate.
    debt: f64,
    /// Seconds from one encoded picture to the next.
    interval: f64,
    since_encoded: f64,
    /// Bits times step size of key frames and others, per pixel.
    cost: [f64; 2],
    /// The step size of the last picture that was no key frame.
    step: f64,
}

impl RateControl {
    pub(super) fn new(scale: Scale, bitrate: u32, frame_rate: f64) -> Self {
        let pace = Pace::new(frame_rate);
        Self {
            scale,
            bitrate: sane(bitrate),
            interval: pace.interval(),
            pace,
            debt: 0.0,
            since_encoded: 0.0,
            cost: scale.guess,
            step: 0.0,
        }
    }

    pub(super) fn set_rate(&mut self, bitrate: u32, frame_rate: f64) {
        self.bitrate = sane(bitrate);
        self.pace.set_rate(frame_rate);
    }

    /// The quantizer for a picture of this time; `None` if it is to be left out, which a key frame
    /// never is.
    pub(super) fn plan(&mut self, at: Duration, pixels: u32, is_key: bool) -> Option<u8> {
        let (passed, in_time) = self.pace.pass(at);
        self.debt = (self.debt - passed).max(-MAX_SAVED);
        self.since_encoded = (self.since_encoded + passed).min(MAX_INTERVAL);
        if !is_key && (!in_time || self.debt > MAX_DEBT) {
            return None;
        }
        // Half of what is new, so that one unusual interval does not count for much.
        self.interval = f64::midpoint(self.interval, self.since_encoded);
        self.since_encoded = 0.0;
        let seconds = if is_key {
            KEY_FRAME
        } else {
            let owed = self.debt * self.interval / PAY_BACK;
            (self.interval - owed).clamp(0.2 * self.interval, 2.5 * self.interval)
        };
        let bits = seconds * self.bitrate;
        let [key, other] = self.cost.map(|cost| cost * f64::from(pixels) / bits);
        if is_key {
            return Some(self.quantizer(key));
        }
        let quantizer = self.quantizer(other.max(self.step / FINER));
        self.step = (self.scale.step)(quantizer);
        Some(quantizer)
    }

    /// The quantizer to encode a key frame with once more, if the one that was planned for has made
    /// it so large that it is worth the time.
    pub(super) fn plan_again(&mut self, quantizer: u8, bytes: usize, pixels: u32) -> Option<u8> {
        let bits = bytes as f64 * 8.0;
        if bits <= MAX_KEY_FRAME * self.bitrate {
            return None;
        }
        // Known now, so what was thought before does not count.
        let [key, _] = &mut self.cost;
        *key = bits * (self.scale.step)(quantizer) / f64::from(pixels.max(1));
        let step = (self.scale.step)(quantizer) * bits / (KEY_FRAME * self.bitrate);
        let coarser = self.quantizer(step);
        (coarser > quantizer).then_some(coarser)
    }

    /// Tells what a picture has cost that was planned for.
    pub(super) fn spent(&mut self, quantizer: u8, bytes: usize, pixels: u32, is_key: bool) {
        let bits = bytes as f64 * 8.0;
        self.debt += bits / self.bitrate;
        let cost = bits * (self.scale.step)(quantizer) / f64::from(pixels.max(1));
        let [key, other] = &mut self.cost;
        let known = if is_key { key } else { other };
        // The geometric mean: costs differ by factors. At least a trifle, as one picture in which
        // nothing moves does not mean that nothing ever will.
        *known = (*known * cost.max(0.05)).sqrt();
    }

    /// The coarsest quantizer with a step that is no more than `step`, or else the finest.
    fn quantizer(&self, step: f64) -> u8 {
        let quantizers = self.scale.min..=self.scale.max;
        let fitting = quantizers.rev().find(|it| (self.scale.step)(*it) <= step);
        fitting.unwrap_or(self.scale.min)
    }
}

/// Less than a kilobit a second is no video, and nothing may be divided by 0.
fn sane(bitrate: u32) -> f64 {
    f64::from(bitrate.max(1_000))
}
