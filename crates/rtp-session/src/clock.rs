//! The wall clock of sender reports, derived from the monotonic one.

use pc_rtp::{NtpTime, from_compact_duration};
use std::time::{Duration, Instant};

/// Maps `now` to NTP time (RFC 3550 §4). It never jumps: what the system's clock does after the
/// session began is of no interest to the peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    start: Instant,
    unix_at_start: Duration,
}

impl WallClock {
    pub(crate) const fn new(start: Instant, unix_at_start: Duration) -> Self {
        Self {
            start,
            unix_at_start,
        }
    }

    /// Time since the Unix epoch.
    pub(crate) fn unix(&self, at: Instant) -> Duration {
        self.unix_at_start + at.saturating_duration_since(self.start)
    }

    pub(crate) fn ntp(&self, at: Instant) -> NtpTime {
        NtpTime::from_unix(self.unix(at))
    }

    /// How long ago the middle 32 bits of an NTP time of this clock were current, at most 18 hours
    /// (RFC 3550 §6.4.1: units of 1/65536 s).
    pub(crate) fn since_compact(&self, now: Instant, compact: u32) -> Duration {
        from_compact_duration(self.ntp(now).compact().wrapping_sub(compact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_time_counts_through_its_wrap() {
        let start = pc_simnet::epoch();
        // 2^16 seconds wrap the compact form.
        let clock = WallClock::new(start, Duration::from_secs(1_700_000_000));
        for shift in [0u64, 30_000, 65_535, 65_536, 200_000] {
            let sent = start + Duration::from_secs(shift);
            let then = clock.ntp(sent).compact();
            let elapsed = clock.since_compact(sent + Duration::from_millis(250), then);
            let error = elapsed.abs_diff(Duration::from_millis(250));
            assert!(error < Duration::from_micros(40), "{elapsed:?}");
        }
    }
}
