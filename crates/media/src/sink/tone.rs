use std::{collections::VecDeque, f64::consts::TAU, time::Duration};

use super::fft;
use crate::AudioFrame;

/// The loudest note of what a [`ToneMeter`] heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    /// In Hz.
    pub frequency: f64,
    /// What part of all the power it has, from 0 to 1: nearly 1 for a pure tone, little for noise.
    pub purity: f64,
}

/// Finds the loudest note in the audio that was heard last.
///
/// ```
/// use std::time::Duration;
/// use pc_media::{AudioFrame, devices::Tone, sink::ToneMeter};
///
/// let tone = Tone { frequency: 1_000.0, level: -20.0 };
/// let frame = AudioFrame::new(48_000, 2, tone.samples(Duration::ZERO, 9_600, 2), Duration::ZERO)?;
/// let mut meter = ToneMeter::new();
/// meter.push(&frame);
/// let note = meter.note().unwrap();
/// assert!((note.frequency - 1_000.0).abs() < 2.0 && note.purity > 0.9);
/// # Ok::<(), pc_media::InvalidFrame>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ToneMeter {
    /// The mean of all channels.
    samples: VecDeque<f64>,
    sample_rate: u32,
}

impl ToneMeter {
    /// How much of the audio heard last is looked at.
    pub const WINDOW: Duration = Duration::from_millis(500);
    /// The least that has to be heard: from there on a pure tone is told within 2 Hz.
    pub const MIN_WINDOW: Duration = Duration::from_millis(200);
    /// The lowest note that is told from a shift of all samples, in Hz.
    pub const MIN_FREQUENCY: f64 = 40.0;
    /// What is not louder than this is silence, in dBov.
    const QUIETEST: f64 = -75.0;

    /// A meter that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hears a frame. One of another sample rate than the one before it makes the meter forget.
    pub fn push(&mut self, frame: &AudioFrame) {
        if frame.sample_rate() != self.sample_rate {
            self.samples.clear();
            self.sample_rate = frame.sample_rate();
        }
        let channels = usize::from(frame.channels());
        let room = self.samples_in(Self::WINDOW);
        let skipped = frame.samples_per_channel().saturating_sub(room);
        for samples in frame.samples().chunks_exact(channels).skip(skipped) {
            let sum: i64 = samples.iter().map(|it| i64::from(*it)).sum();
            self.samples.push_back(sum as f64 / channels as f64);
        }
        let over = self.samples.len().saturating_sub(room);
        self.samples.drain(..over);
    }

    /// The loudest note; `None` before [`MIN_WINDOW`](Self::MIN_WINDOW) was heard, and in silence.
    pub fn note(&self) -> Option<Note> {
        let count = self.samples.len();
        if count == 0 || count < self.samples_in(Self::MIN_WINDOW) {
            return None;
        }
        let mean = self.samples.iter().sum::<f64>() / count as f64;
        let squares = self.samples.iter().map(|it| (it - mean).powi(2));
        let rms = (squares.sum::<f64>() / count as f64).sqrt();
        let loudest = f64::from(i16::MIN.unsigned_abs());
        if rms <= loudest * 10_f64.powf(Self::QUIETEST / 20.0) {
            return None;
        }
        let powers = self.powers(mean);
        // The window makes a tone four lines of an unpadded transform wide.
        let lobe = (4 * powers.len()).div_ceil(count);
        peak(&powers, f64::from(self.sample_rate), lobe)
    }

    /// The power of each line of the spectrum, from 0 to half the sample rate. There are more
    /// lines than the samples have to tell, so that the highest is close to where the note is.
    fn powers(&self, mean: f64) -> Vec<f64> {
        let count = self.samples.len();
        let mut values = vec![(0.0, 0.0); (2 * count).next_power_of_two()];
        for (at, (value, sample)) in values.iter_mut().zip(&self.samples).enumerate() {
            // The window of Hann, so that a note stays among its neighbours.
            let weight = 0.5 - 0.5 * (TAU * (at as f64 + 0.5) / count as f64).cos();
            *value = ((sample - mean) * weight, 0.0);
        }
        fft::transform(&mut values);
        let lines = values.len() / 2;
        let powers = values.into_iter().take(lines);
        powers.map(|(re, im)| re * re + im * im).collect()
    }

    fn samples_in(&self, time: Duration) -> usize {
        (u128::from(self.sample_rate) * time.as_millis() / 1_000) as usize
    }
}

/// The highest of the lines, and where between it and its neighbours a parabola through their
/// logarithms is highest. `lobe` is how many lines to each side a tone reaches.
fn peak(powers: &[f64], sample_rate: f64, lobe: usize) -> Option<Note> {
    let width = sample_rate / (2.0 * powers.len() as f64);
    let lowest = (ToneMeter::MIN_FREQUENCY / width).ceil() as usize;
    let lines = powers.iter().enumerate().skip(lowest);
    let (highest, _) = lines.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let log = |at: usize| powers.get(at).map(|it| it.max(f64::MIN_POSITIVE).ln());
    let shift = match (log(highest.wrapping_sub(1)), log(highest), log(highest + 1)) {
        (Some(before), Some(at), Some(after)) if before + after < 2.0 * at => {
            (before - after) / (2.0 * (before + after - 2.0 * at))
        }
        _ => 0.0,
    };
    let of_tone = highest.saturating_sub(lobe)..(highest + lobe + 1).min(powers.len());
    let of_tone: f64 = powers.get(of_tone)?.iter().sum();
    let all: f64 = powers.iter().sum();
    Some(Note {
        frequency: (highest as f64 + shift) * width,
        purity: (of_tone / all.max(f64::MIN_POSITIVE)).min(1.0),
    })
}
