use std::{f64::consts::TAU, time::Duration};

/// A sine at 48 kHz: a microphone that hears one note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// In Hz. What is not above 0 and below half the sample rate is silence.
    pub frequency: f64,
    /// How far below the loudest sine that there can be, in dB: 0 is that, -20 a tenth of it.
    pub level: f64,
}

impl Tone {
    /// Samples a second.
    pub const SAMPLE_RATE: u32 = 48_000;

    /// `count` samples for each of `channels` channels, interleaved, all channels alike. The first
    /// is the one nearest to `at`: where frames follow each other without a gap, so does the sine,
    /// as exactly after a day as at once.
    pub fn samples(&self, at: Duration, count: usize, channels: u16) -> Vec<i16> {
        let rate = u64::from(Self::SAMPLE_RATE);
        let part = (u64::from(at.subsec_nanos()) * rate + 500_000_000) / 1_000_000_000;
        // Whole seconds apart, so that no time is too long for the precision of a float.
        let whole = (at.as_secs() as f64 * self.frequency).fract();
        let step = self.frequency / f64::from(Self::SAMPLE_RATE);
        let amplitude = self.amplitude();
        let mut samples = Vec::with_capacity(count * usize::from(channels));
        for index in part..part + count as u64 {
            let sine = (TAU * (whole + index as f64 * step).fract()).sin();
            let sample = (amplitude * sine).round() as i16;
            samples.extend(std::iter::repeat_n(sample, usize::from(channels)));
        }
        samples
    }

    fn amplitude(&self) -> f64 {
        let is_heard = self.frequency > 0.0 && self.frequency * 2.0 < Self::SAMPLE_RATE.into();
        if !is_heard || self.level.is_nan() {
            return 0.0;
        }
        f64::from(i16::MAX) * 10_f64.powf(self.level.min(0.0) / 20.0)
    }
}

impl Default for Tone {
    /// The concert pitch, 440 Hz, at -20 dB.
    fn default() -> Self {
        Self {
            frequency: 440.0,
            level: -20.0,
        }
    }
}
