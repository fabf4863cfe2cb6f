//! Keeps an encoder to its frame rate.

use std::time::Duration;

/// Leaves out pictures such that no more than so many a second remain.
#[derive(Debug)]
pub(super) struct Pace {
    /// Seconds between two pictures, at least.
    interval: f64,
    /// The time of the last picture, left out or not.
    last: Option<Duration>,
    /// When the next one has its turn.
    due: Duration,
}

impl Pace {
    pub(super) fn new(frame_rate: f64) -> Self {
        let mut this = Self {
            interval: 0.0,
            last: None,
            due: Duration::ZERO,
        };
        this.set_rate(frame_rate);
        this
    }

    pub(super) fn set_rate(&mut self, frame_rate: f64) {
        let rate = if frame_rate.is_finite() {
            frame_rate.clamp(0.1, 1_000.0)
        } else {
            30.0
        };
        self.interval = 1.0 / rate;
    }

    /// Seconds between two pictures, at least.
    pub(super) fn interval(&self) -> f64 {
        self.interval
    }

    /// How many seconds have passed since the last picture, and whether there is room for one of
    /// this time. Where the source's clock does not run, each picture has its turn.
    pub(super) fn pass(&mut self, at: Duration) -> (f64, bool) {
        let interval = Duration::from_secs_f64(self.interval);
        let last = self.last.replace(at);
        let passed = last
            .and_then(|last| at.checked_sub(last))
            .filter(|it| !it.is_zero());
        let Some(passed) = passed else {
            self.due = at.saturating_add(interval);
            return (self.interval, true);
        };
        // Half an interval of grace: the clocks of cameras are not quite even.
        let in_time = at.saturating_add(interval / 2) >= self.due;
        if in_time {
            let begin = self.due.max(at.saturating_sub(interval));
            self.due = begin.saturating_add(interval);
        }
        (passed.as_secs_f64(), in_time)
    }
}
