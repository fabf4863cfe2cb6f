//! What a microphone gives, as frames.

use std::time::Duration;

use crate::AudioFrame;

/// How far sound may be from where its samples say that it is. Beyond that it is not the unrest of
/// the one who brings it, but a gap, or a clock that runs otherwise than ours.
const TOLERANCE: Duration = Duration::from_millis(100);

/// Cuts sound into frames of 10 ms, and tells when each began.
#[derive(Debug)]
pub(super) struct SoundFramer {
    rate: u32,
    channels: u16,
    pending: Vec<i16>,
    /// A time, and the samples of each channel since, of which `pending` are the last.
    anchor: Duration,
    samples: u64,
}

impl SoundFramer {
    /// Of so many samples a second and channels, at least one.
    pub(super) fn new(rate: u32, channels: u16) -> Self {
        Self {
            rate: rate.max(1),
            channels: channels.max(1),
            pending: Vec::new(),
            anchor: Duration::ZERO,
            samples: 0,
        }
    }

    /// Takes interleaved samples, the last of which was heard `now`; gives the frames that are full.
    pub(super) fn push(
        &mut self,
        samples: impl IntoIterator<Item = i16>,
        now: Duration,
        mut frame: impl FnMut(AudioFrame),
    ) {
        let channels = usize::from(self.channels);
        let before = self.pending.len();
        self.pending.extend(samples);
        self.samples += ((self.pending.len() - before) / channels) as u64;
        let end = self.anchor.saturating_add(self.duration(self.samples));
        if end.abs_diff(now) > TOLERANCE {
            self.samples = (self.pending.len() / channels) as u64;
            self.anchor = now.saturating_sub(self.duration(self.samples));
        }
        let count = (self.rate / 100).max(1) as usize;
        while self.pending.len() >= count * channels {
            let begin = self.samples - (self.pending.len() / channels) as u64;
            let begin = self.anchor.saturating_add(self.duration(begin));
            let samples: Vec<_> = self.pending.drain(..count * channels).collect();
            if let Ok(full) = AudioFrame::new(self.rate, self.channels, samples, begin) {
                frame(full);
            }
        }
    }

    fn duration(&self, samples: u64) -> Duration {
        let nanos = u128::from(samples) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
