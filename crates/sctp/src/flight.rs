use std::time::{Duration, Instant};

use pc_proto::Serial32;

/// The fewest unacknowledged bytes the carrier is given: enough for any path below 4 ms, and few
/// enough for the carrier, whose every poll looks at all of them.
const MIN_LIMIT: usize = 128 << 10;
/// The most, on paths of 128 ms and above.
const MAX_LIMIT: usize = 4 << 20;
/// The rate up to which a long path may be filled, in bytes per millisecond: 268 Mbit/s.
const BYTES_PER_MS: usize = 32 << 10;

/// How much unacknowledged data the carrier may hold, by the round-trip time.
///
/// The carrier's congestion window decides what leaves; this only keeps its queues short.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    probe: Option<(Serial32, Instant)>,
    rtt: Option<Duration>,
}

impl Flight {
    /// A DATA chunk left for the first time.
    pub(crate) const fn on_sent(&mut self, now: Instant, tsn: Serial32) {
        if self.probe.is_none() {
            self.probe = Some((tsn, now));
        }
    }

    /// A DATA chunk left again: what is being measured may be it (Karn, RFC 9260 §6.3.1 C5).
    pub(crate) const fn on_sent_again(&mut self) {
        self.probe = None;
    }

    pub(crate) fn on_sack(&mut self, now: Instant, cumulative: Serial32) {
        let Some((tsn, at)) = self.probe else { return };
        if cumulative.is_at_least(tsn) {
            self.probe = None;
            let sample = now.saturating_duration_since(at);
            // Falls at once and rises slowly, because a SACK may have been delayed.
            self.rtt = Some(match self.rtt {
                Some(rtt) if rtt < sample => rtt + (sample - rtt) / 8,
                _ => sample,
            });
        }
    }

    pub(crate) fn limit(&self) -> usize {
        let rtt = self.rtt.map_or(0, |rtt| rtt.as_micros());
        let bytes = usize::try_from(rtt).unwrap_or(usize::MAX) / 1000;
        bytes
            .saturating_mul(BYTES_PER_MS)
            .clamp(MIN_LIMIT, MAX_LIMIT)
    }
}
