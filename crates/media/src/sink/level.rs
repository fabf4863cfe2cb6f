use crate::AudioFrame;

/// How loud samples are, in dB: 0 is the most there can be, and silence is [`Level::SILENCE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The root of the mean square of all samples, relative to a square wave as loud as can be
    /// (dBov of RFC 6464 §3): the loudest sine has -3.
    pub rms: f64,
    /// The sample that is farthest from 0 (dBFS).
    pub peak: f64,
}

impl Level {
    /// What there is of silence, for which a logarithm has no number: the lowest level that
    /// RFC 6464 §3 has.
    pub const SILENCE: f64 = -127.0;

    /// The level of these samples, of however many channels.
    pub fn of(samples: &[i16]) -> Self {
        let mut sum = Sum::default();
        sum.add(samples);
        sum.level()
    }
}

/// Measures the level of audio as it comes.
#[derive(Debug, Clone, Default)]
pub struct LevelMeter {
    sum: Sum,
}

impl LevelMeter {
    /// A meter that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hears a frame.
    pub fn push(&mut self, frame: &AudioFrame) {
        self.sum.add(frame.samples());
    }

    /// The level of all that was heard since the last call; `None` if that is nothing.
    pub fn take(&mut self) -> Option<Level> {
        let sum = std::mem::take(&mut self.sum);
        (sum.count > 0).then(|| sum.level())
    }
}

#[derive(Debug, Clone, Default)]
struct Sum {
    squares: f64,
    count: u64,
    peak: u16,
}

impl Sum {
    fn add(&mut self, samples: &[i16]) {
        for sample in samples {
            self.squares += f64::from(*sample).powi(2);
            self.peak = self.peak.max(sample.unsigned_abs());
        }
        self.count += samples.len() as u64;
    }

    fn level(&self) -> Level {
        let mean = self.squares / self.count.max(1) as f64;
        Level {
            rms: decibels(mean.sqrt()),
            peak: decibels(self.peak.into()),
        }
    }
}

fn decibels(amplitude: f64) -> f64 {
    let loudest = f64::from(i16::MIN.unsigned_abs());
    (20.0 * (amplitude / loudest).log10()).max(Level::SILENCE)
}
