//! From any sample rate to any other.

use std::f64::consts::PI;

/// Zero crossings of the filter's kernel on each side.
const CROSSINGS: usize = 16;

/// What is kept of the band below half of the lower rate; the rest is the filter's slope.
const PASS: f64 = 0.94;

/// Positions between two samples that the kernel is tabulated for; what lies between is
/// interpolated.
const PHASES: usize = 256;

/// Changes the sample rate of interleaved audio with a windowed sinc filter, so that nothing beyond
/// half of the lower rate is folded back into what is heard.
///
/// It delays by [`latency`](Self::latency) samples, and keeps as many between calls.
#[derive(Debug)]
pub struct Resampler {
    from: u32,
    to: u32,
    channels: usize,
    /// Taps of the kernel on each side.
    reach: usize,
    /// The kernel at every phase, `2 * reach` taps each.
    kernel: Vec<f32>,
    /// Samples still needed, interleaved.
    history: Vec<f32>,
    /// Where the next sample of the result lies, in 1/`to` of a sample from the begin of what
    /// `history` has.
    position: u64,
}

impl Resampler {
    /// From `from` to `to` Hz with so many channels. A rate or a number of 0 counts as 1.
    pub fn new(from: u32, to: u32, channels: u16) -> Self {
        let (from, to) = (from.max(1), to.max(1));
        let channels = usize::from(channels.max(1));
        // To fewer samples the kernel is as much longer, up to where that is absurd.
        let stretch = (f64::from(from) / f64::from(to)).clamp(1.0, 48.0);
        let reach = (CROSSINGS as f64 * stretch).ceil() as usize;
        let kernel = if from == to {
            Vec::new()
        } else {
            kernel(reach, stretch)
        };
        Self {
            from,
            to,
            channels,
            reach,
            kernel,
            history: vec![0.0; reach * channels],
            position: reach as u64 * u64::from(to),
        }
    }

    /// By how many samples of the input what comes out is late.
    pub fn latency(&self) -> usize {
        if self.kernel.is_empty() {
            0
        } else {
            self.reach
        }
    }

    /// Appends to `out` all that can be told from `samples` and those before. What is beyond the
    /// last whole set of channels is left out.
    pub fn process(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        let whole = samples.len() - samples.len() % self.channels;
        let samples = samples.get(..whole).unwrap_or(samples);
        if self.kernel.is_empty() {
            out.extend_from_slice(samples);
            return;
        }
        self.history.extend(samples.iter().map(|it| f32::from(*it)));
        let (from, to) = (u64::from(self.from), u64::from(self.to));
        let have = (self.history.len() / self.channels) as u64;
        while self.position / to + (self.reach as u64) < have {
            self.emit(out);
            self.position += from;
        }
        let unused = (self.position / to).saturating_sub(self.reach as u64);
        let unused = unused.min(have);
        self.history.drain(..unused as usize * self.channels);
        self.position -= unused * to;
    }

    /// Appends one sample of each channel.
    fn emit(&self, out: &mut Vec<i16>) {
        let to = u64::from(self.to);
        let (index, part) = (self.position / to, self.position % to);
        let phase = part as f64 * PHASES as f64 / f64::from(self.to);
        let (row, blend) = (phase as usize, phase.fract() as f32);
        let taps = 2 * self.reach;
        let rows = self.kernel.get(row * taps..(row + 2) * taps);
        let rows = rows.and_then(|rows| rows.split_at_checked(taps));
        let (before, after) = rows.unwrap_or_default();
        // The taps go from `reach - 1` samples before to `reach` after.
        let first = (index as usize + 1 - self.reach) * self.channels;
        for channel in 0..self.channels {
            let samples = self.history.get(first + channel..).unwrap_or(&[]);
            let samples = samples.iter().step_by(self.channels);
            let taps = before.iter().zip(after).map(|(a, b)| a + (b - a) * blend);
            let sum: f32 = samples.zip(taps).map(|(sample, tap)| sample * tap).sum();
            out.push(sum.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16);
        }
    }
}

/// `PHASES + 1` rows of taps, each of which sums up to 1.
fn kernel(reach: usize, stretch: f64) -> Vec<f32> {
    let mut kernel = Vec::with_capacity((PHASES + 1) * 2 * reach);
    let cutoff = PASS / stretch;
    for phase in 0..=PHASES {
        let part = phase as f64 / PHASES as f64;
        let taps = (0..2 * reach).map(|tap| {
            let x = tap as f64 + 1.0 - reach as f64 - part;
            sinc(x * cutoff) * blackman(x / reach as f64)
        });
        let taps: Vec<_> = taps.collect();
        let sum: f64 = taps.iter().sum();
        kernel.extend(taps.iter().map(|tap| (tap / sum) as f32));
    }
    kernel
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The Blackman window, from -1 to 1.
fn blackman(x: f64) -> f64 {
    if x.abs() >= 1.0 {
        return 0.0;
    }
    0.42 + 0.5 * (PI * x).cos() + 0.08 * (2.0 * PI * x).cos()
}
