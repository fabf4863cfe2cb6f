use std::time::{Duration, Instant};

use pc_proto::Serial32;

/// The fewest unacknowledged bytes the carrier is given: enough for any path below 4 ms, and few
/// enough for the carrier, whose every poll looks at all of them.
const MIN_WINDOW: usize = 128 << 10;
/// The most, on paths of 128 ms and above.
const MAX_WINDOW: usize = 4 << 20;
/// The rate up to which a long path may be filled, in bytes per millisecond: 268 Mbit/s.
const BYTES_PER_MS: usize = 32 << 10;

/// How much unacknowledged data the carrier may hold.
///
/// Its congestion window decides what leaves. This window keeps its queues short, and keeps its
/// slow start from filling the path's queue until it overflows: after a burst of losses it sends
/// one packet again in each round trip. So the window grows while the round-trip time stays near
/// the smallest that was seen, and shrinks when it does not.
#[derive(Debug)]
pub(crate) struct Flight {
    window: usize,
    probe: Option<Probe>,
    min_rtt: Option<Duration>,
}

/// The DATA chunk whose SACK is waited for.
#[derive(Debug)]
struct Probe {
    tsn: Serial32,
    at: Instant,
    /// The window was in use when it left.
    busy: bool,
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            window: MIN_WINDOW,
            probe: None,
            min_rtt: None,
        }
    }
}

impl Flight {
    /// A DATA chunk left for the first time, with `outstanding` bytes at the carrier.
    pub(crate) const fn on_sent(&mut self, now: Instant, tsn: Serial32, outstanding: usize) {
        if self.probe.is_none() {
            self.probe = Some(Probe {
                tsn,
                at: now,
                busy: outstanding >= self.window / 2,
            });
        }
    }

    /// A DATA chunk left again: what is being measured may be it (Karn, RFC 9260 §6.3.1 C5).
    pub(crate) fn on_sent_again(&mut self) {
        self.probe = None;
    }

    pub(crate) fn on_sack(&mut self, now: Instant, cumulative: Serial32) {
        if let Some(probe) = self.probe.take_if(|it| cumulative.is_at_least(it.tsn)) {
            self.on_sample(now.saturating_duration_since(probe.at), probe.busy);
        }
    }

    fn on_sample(&mut self, sample: Duration, busy: bool) {
        // Falls at once and rises slowly: a SACK may have been delayed, or the path has a queue.
        let min = match self.min_rtt {
            Some(min) if min < sample => min + (sample - min) / 256,
            _ => sample,
        };
        self.min_rtt = Some(min);
        let most = usize::try_from(min.as_micros()).unwrap_or(usize::MAX) / 1000;
        let most = most
            .saturating_mul(BYTES_PER_MS)
            .clamp(MIN_WINDOW, MAX_WINDOW);
        if busy && sample <= min + min / 8 + Duration::from_millis(4) {
            self.window += self.window / 8;
        } else if busy && sample > min + min / 4 + Duration::from_millis(8) {
            self.window -= self.window / 8;
        }
        self.window = self.window.clamp(MIN_WINDOW, most);
    }

    pub(crate) const fn limit(&self) -> usize {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms};

    /// Sends and acknowledges one chunk.
    fn round_trip(flight: &mut Flight, outstanding: usize, rtt: u64) -> usize {
        flight.on_sent(epoch(), Serial32(7), outstanding);
        flight.on_sack(epoch() + ms(rtt), Serial32(6)); // of something earlier
        flight.on_sack(epoch() + ms(rtt), Serial32(7));
        flight.limit()
    }

    #[test]
    fn it_grows_until_a_queue_builds_up() {
        let mut flight = Flight::default();
        for _ in 0..30 {
            round_trip(&mut flight, usize::MAX, 50);
        }
        assert_eq!(flight.limit(), 50 * BYTES_PER_MS);
        let before = flight.limit();
        assert_eq!(round_trip(&mut flight, usize::MAX, 65), before);
        assert!(round_trip(&mut flight, usize::MAX, 100) < before);
        for _ in 0..100 {
            round_trip(&mut flight, usize::MAX, 1000);
        }
        assert_eq!(flight.limit(), MIN_WINDOW);
    }

    #[test]
    fn it_stays_when_it_is_not_used_or_the_path_is_short() {
        let mut flight = Flight::default();
        for _ in 0..20 {
            assert_eq!(round_trip(&mut flight, 1000, 50), MIN_WINDOW);
        }
        for _ in 0..20 {
            assert_eq!(round_trip(&mut flight, usize::MAX, 1), MIN_WINDOW);
        }
    }

    #[test]
    fn what_was_sent_again_is_not_measured() {
        let mut flight = Flight::default();
        flight.on_sent(epoch(), Serial32(1), 0);
        flight.on_sent_again();
        flight.on_sack(epoch() + ms(5), Serial32(1));
        assert_eq!(flight.min_rtt, None);
    }
}
