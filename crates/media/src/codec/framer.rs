use std::{collections::VecDeque, time::Duration};

use super::{AudioEncoder, Resampler};
use crate::AudioFrame;

/// A jump in the timestamps that is more than the unrest of a clock: something is missing.
const GAP: Duration = Duration::from_millis(60);

/// How long audio waits to be taken before the oldest is dropped.
const MAX_PENDING: Duration = Duration::from_secs(1);

/// Cuts audio of any rate, channels and frame size into what one packet of an encoder takes.
///
/// ```
/// use std::time::Duration;
/// use pc_media::{AudioFrame, codec::AudioFramer};
///
/// let mut framer = AudioFramer::new(48_000, 1, 960);
/// let mut packet = Vec::new();
/// for at in 0..10 {
///     let begin = Duration::from_millis(at * 10);
///     framer.push(&AudioFrame::new(44_100, 2, vec![0; 882], begin)?);
/// }
/// // 100 ms are four packets of 20, and what the resampler holds back.
/// let begins: Vec<_> = std::iter::from_fn(|| framer.next_packet(&mut packet)).collect();
/// assert_eq!(begins, [0, 20, 40, 60].map(Duration::from_millis));
/// # Ok::<(), pc_media::InvalidFrame>(())
/// ```
#[derive(Debug)]
pub struct AudioFramer {
    sample_rate: u32,
    channels: u16,
    samples_per_packet: usize,
    /// Rate and channels of the frames that come in, and how they are resampled.
    input: Option<((u32, u16), Resampler)>,
    pending: VecDeque<i16>,
    /// When the first sample of `pending` is to be played, where that is known.
    begin: Option<Begin>,
    mixed: Vec<i16>,
    resampled: Vec<i16>,
}

/// A timestamp, and the samples since. Kept apart so that rounding does not add up.
#[derive(Debug, Clone, Copy)]
struct Begin {
    anchor: Duration,
    samples: u64,
}

impl AudioFramer {
    /// Gives packets of `samples_per_packet` samples of each of `channels` channels at
    /// `sample_rate` Hz. A number of 0 counts as 1.
    pub fn new(sample_rate: u32, channels: u16, samples_per_packet: usize) -> Self {
        Self {
            sample_rate: sample_rate.max(1),
            channels: channels.max(1),
            samples_per_packet: samples_per_packet.max(1),
            input: None,
            pending: VecDeque::new(),
            begin: None,
            mixed: Vec::new(),
            resampled: Vec::new(),
        }
    }

    /// One for what `encoder` takes.
    pub fn for_encoder(encoder: &dyn AudioEncoder) -> Self {
        Self::new(
            encoder.sample_rate(),
            encoder.channels(),
            encoder.samples_per_packet(),
        )
    }

    /// Takes a frame. Its timestamp is heeded where it jumps by more than 60 ms: then what did not
    /// fill a packet is dropped, and packets go on at that time. Otherwise they follow each other
    /// without a gap.
    pub fn push(&mut self, frame: &AudioFrame) {
        self.heed_timestamp(frame.timestamp());
        mix(
            frame.samples(),
            frame.channels(),
            self.channels,
            &mut self.mixed,
        );
        let shape = (frame.sample_rate(), frame.channels());
        let (_, resampler) = match &mut self.input {
            Some(input) if input.0 == shape => input,
            input => {
                let resampler = Resampler::new(shape.0, self.sample_rate, self.channels);
                input.insert((shape, resampler))
            }
        };
        self.resampled.clear();
        resampler.process(&self.mixed, &mut self.resampled);
        self.pending.extend(&self.resampled);
        self.bound();
    }

    /// Puts the next packet's worth of interleaved samples into `out`, in place of what is there,
    /// and says when it is to be played; `None` when there is not enough.
    pub fn next_packet(&mut self, out: &mut Vec<i16>) -> Option<Duration> {
        let len = self.samples_per_packet * usize::from(self.channels);
        if self.pending.len() < len {
            return None;
        }
        out.clear();
        out.extend(self.pending.drain(..len));
        let begin = self.begin.as_mut()?;
        let timestamp = begin.time(self.sample_rate);
        begin.samples += self.samples_per_packet as u64;
        Some(timestamp)
    }

    /// Begins anew where `timestamp` is not about where the samples so far end.
    fn heed_timestamp(&mut self, timestamp: Duration) {
        let pending = (self.pending.len() / usize::from(self.channels)) as u64;
        if let Some(begin) = self.begin {
            let samples = begin.samples + pending;
            let expected = Begin { samples, ..begin }.time(self.sample_rate);
            if expected.abs_diff(timestamp) <= GAP {
                return;
            }
        }
        self.pending.clear();
        self.input = None;
        self.begin = Some(Begin {
            anchor: timestamp,
            samples: 0,
        });
    }

    fn bound(&mut self) {
        let channels = usize::from(self.channels);
        let max = (MAX_PENDING.as_secs() * u64::from(self.sample_rate)) as usize;
        let max = max.max(self.samples_per_packet);
        let excess = (self.pending.len() / channels).saturating_sub(max);
        self.pending.drain(..excess * channels);
        if let Some(begin) = &mut self.begin {
            begin.samples += excess as u64;
        }
    }
}

impl Begin {
    fn time(self, sample_rate: u32) -> Duration {
        let nanos = u128::from(self.samples) * 1_000_000_000 / u128::from(sample_rate);
        let since = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.anchor.saturating_add(since)
    }
}

/// Puts `samples` with other channels into `out`: one is the mean of all, of more than two the odd
/// and even ones go to the two sides, and what is missing repeats what is there.
fn mix(samples: &[i16], from: u16, to: u16, out: &mut Vec<i16>) {
    out.clear();
    let (from, to) = (usize::from(from.max(1)), usize::from(to));
    if from == to {
        out.extend_from_slice(samples);
        return;
    }
    for set in samples.chunks_exact(from) {
        for channel in 0..to {
            let mean = if to < from {
                mean(set.iter().skip(channel).step_by(to))
            } else {
                mean(set.iter().skip(channel % from).take(1))
            };
            out.push(mean);
        }
    }
}

fn mean<'a>(samples: impl Iterator<Item = &'a i16>) -> i16 {
    let (sum, count) = samples.fold((0_i32, 0_i32), |(sum, count), sample| {
        (sum + i32::from(*sample), count + 1)
    });
    (sum / count.max(1)) as i16
}
