use std::{fmt, sync::Arc, time::Duration};

use super::InvalidFrame;

/// Audio: interleaved signed 16-bit PCM, of any length (10 or 20 ms are usual).
#[derive(Clone, PartialEq, Eq)]
pub struct AudioFrame {
    sample_rate: u32,
    channels: u16,
    samples: Arc<[i16]>,
    timestamp: Duration,
}

impl AudioFrame {
    /// The highest sample rate that a frame may have, in Hz.
    pub const MAX_SAMPLE_RATE: u32 = 384_000;
    /// The most channels that a frame may have.
    pub const MAX_CHANNELS: u16 = 32;

    /// A frame of `samples`, one of each channel in turn, at `sample_rate` Hz. `timestamp` is that
    /// of the first sample, on the clock of the source.
    pub fn new(
        sample_rate: u32,
        channels: u16,
        samples: impl Into<Arc<[i16]>>,
        timestamp: Duration,
    ) -> Result<Self, InvalidFrame> {
        if sample_rate == 0 || sample_rate > Self::MAX_SAMPLE_RATE {
            return Err(InvalidFrame::SampleRate(sample_rate));
        }
        if channels == 0 || channels > Self::MAX_CHANNELS {
            return Err(InvalidFrame::Channels(channels));
        }
        let samples = samples.into();
        if samples.len() % usize::from(channels) != 0 {
            return Err(InvalidFrame::UnevenSamples {
                samples: samples.len(),
                channels,
            });
        }
        Ok(Self {
            sample_rate,
            channels,
            samples,
            timestamp,
        })
    }

    /// In Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// How many channels are interleaved.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// The samples, one of each channel in turn.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// How many samples each channel has.
    pub fn samples_per_channel(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// How long the frame lasts.
    pub fn duration(&self) -> Duration {
        let samples = self.samples_per_channel() as u64;
        Duration::from_nanos(samples.saturating_mul(1_000_000_000) / u64::from(self.sample_rate))
    }

    /// When its first sample is to be played, on the clock of the source.
    pub fn timestamp(&self) -> Duration {
        self.timestamp
    }

    /// The same samples at another time.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: Duration) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// As long a frame of the same shape, without a sound.
    #[must_use]
    pub fn silenced(&self) -> Self {
        Self {
            samples: std::iter::repeat_n(0, self.samples.len()).collect(),
            ..*self
        }
    }
}

impl fmt::Debug for AudioFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioFrame")
            .field("sample_rate", &self.sample_rate)
            .field("channels", &self.channels)
            .field("samples_per_channel", &self.samples_per_channel())
            .field("timestamp", &self.timestamp)
            .finish()
    }
}
