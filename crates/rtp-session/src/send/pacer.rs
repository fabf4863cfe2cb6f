//! When packets may leave: a leaky bucket.

use std::time::{Duration, Instant};

/// How much time's worth of packets may leave at once. Fewer wake-ups and longer runs of datagrams
/// for one system call; the queues of access networks hold several times as much.
pub(super) const BURST: Duration = Duration::from_millis(40);

/// What leaves at once is no longer than this, in bytes, whatever the rate.
const MAX_BURST_BYTES: u64 = 63_000;

/// How much faster than the target bit rate packets may leave, in halves: 2.5 times. A key frame is
/// several times as long as the frames around it.
const FACTOR_HALVES: u64 = 5;

/// Packets leave at this rate at least, in bits a second.
const MIN_RATE: u64 = 500_000;

/// What waits leaves within this time, even if the rate has to go up for it: what comes later is of
/// no use.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// The bucket: it holds what left faster than the rate.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Bits a second.
    rate: u64,
    /// When the bucket will have run empty.
    empty: Option<Instant>,
}

impl Pacer {
    pub(super) const fn new() -> Self {
        Self {
            rate: MIN_RATE,
            empty: None,
        }
    }

    /// Sets the rate from the target bit rate and the bytes that wait.
    pub(super) fn set_rate(&mut self, target: u64, waiting: usize) {
        let drain = waiting as u64 * 8 * 1000 / MAX_WAIT.as_millis() as u64;
        self.rate = (target * FACTOR_HALVES / 2).max(drain).max(MIN_RATE);
    }

    /// When the next packet may leave: at once, if that is not later than `now`.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.empty
            .map_or(now, |empty| empty.checked_sub(self.burst()).unwrap_or(now))
    }

    /// When to look again after [`next`](Self::next) said "later": half a burst is due then.
    pub(super) fn wake(&self, now: Instant) -> Instant {
        let next = self.next(now);
        if next <= now {
            return next;
        }
        next + self.burst() / 2
    }

    /// A packet of so many bytes leaves.
    pub(super) fn on_sent(&mut self, now: Instant, bytes: usize) {
        let cost = Duration::from_nanos(bytes as u64 * 8 * 1_000_000_000 / self.rate.max(1));
        self.empty = Some(self.empty.map_or(now, |empty| empty.max(now)) + cost);
    }

    fn burst(&self) -> Duration {
        let longest = MAX_BURST_BYTES * 8 * 1_000_000_000 / self.rate.max(1);
        BURST.min(Duration::from_nanos(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms};

    /// Lets `count` packets of 1,000 bytes out; returns when each left.
    fn leave(pacer: &mut Pacer, count: usize) -> Vec<Duration> {
        let (start, mut now) = (epoch(), epoch());
        let mut times = Vec::new();
        while times.len() < count {
            if pacer.next(now) <= now {
                pacer.on_sent(now, 1000);
                times.push(now - start);
            } else {
                now = pacer.wake(now);
            }
        }
        times
    }

    #[test]
    fn a_key_frame_leaves_at_two_and_a_half_times_the_rate() {
        let mut pacer = Pacer::new();
        pacer.set_rate(1_000_000, 0);
        let times = leave(&mut pacer, 100);
        // 800,000 bits at 2.5 Mbit/s are 320 ms, of which a burst leaves at once.
        let last = times.last().unwrap();
        assert!((ms(260)..=ms(320)).contains(last), "{last:?}");
        let at_once = times.iter().filter(|time| time.is_zero()).count();
        assert!((12..=14).contains(&at_once), "{at_once}");
    }

    #[test]
    fn a_long_queue_leaves_in_time() {
        let mut pacer = Pacer::new();
        pacer.set_rate(100_000, 1_000_000);
        let last = *leave(&mut pacer, 1000).last().unwrap();
        assert!(last <= ms(510), "{last:?}");
    }

    #[test]
    fn bursts_have_a_limit_in_bytes() {
        let mut pacer = Pacer::new();
        pacer.set_rate(1_000_000_000, 0);
        let at_once = leave(&mut pacer, 500)
            .iter()
            .filter(|t| t.is_zero())
            .count();
        assert!(at_once <= 65, "{at_once}");
    }
}
