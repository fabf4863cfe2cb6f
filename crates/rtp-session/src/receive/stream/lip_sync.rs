//! Streams that were captured together are played together.

use std::time::{Duration, Instant};

use super::Stream;

/// Streams further apart than this do not belong together, whatever their reports say.
const MAX_SYNC: f64 = 2.0;

impl Stream {
    /// How long after its capture, by the sender's clock, media is played, in seconds against an
    /// arbitrary moment that all streams of a session share: only differences mean something.
    pub(in crate::receive) fn lag(&self, anchor: Instant) -> Option<f64> {
        let report = self.reception.sender_report()?;
        let arrival = self.timing.arrival_line(self.timestamps.peek(report.rtp))?;
        let local = arrival.checked_duration_since(anchor)?;
        let own = self.timing.own_delay();
        Some(local.as_secs_f64() + own.as_secs_f64() - report.ntp.to_unix().as_secs_f64())
    }

    /// Waits for a stream whose lag is `latest`.
    pub(in crate::receive) fn follow(&mut self, anchor: Instant, latest: f64) {
        let Some(lag) = self.lag(anchor) else { return };
        let wait = latest - lag;
        let wait = if (0.0..=MAX_SYNC).contains(&wait) {
            wait
        } else {
            0.0
        };
        self.timing.set_sync(Duration::from_secs_f64(wait));
    }
}
