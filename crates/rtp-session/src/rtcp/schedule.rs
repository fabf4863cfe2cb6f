//! When reports leave, RFC 3550 §6.2 and §6.3.

use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use std::time::{Duration, Instant};

/// RFC 3550 §6.2: the interval between reports on sound.
const AUDIO_INTERVAL: Duration = Duration::from_secs(5);

/// The interval between reports on pictures. RFC 3550 §6.2 allows 360 divided by the bandwidth in
/// kbit/s, which is less than this for any picture; RFC 4585 §3.4 has no lower bound at all.
const VIDEO_INTERVAL: Duration = Duration::from_secs(1);

/// No two reports are closer than this, whatever begins.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// The interval without randomness.
pub(super) const fn interval(has_video: bool) -> Duration {
    if has_video {
        VIDEO_INTERVAL
    } else {
        AUDIO_INTERVAL
    }
}

/// The one timer of a session's reports: all its sources report together (RFC 8108 §5.3).
#[derive(Debug)]
pub(super) struct Schedule {
    next: Option<Instant>,
    last: Option<Instant>,
}

impl Schedule {
    pub(super) const fn new() -> Self {
        Self {
            next: None,
            last: None,
        }
    }

    /// There is something to report about. The first interval is half as long (RFC 3550 §6.2).
    pub(super) fn start(&mut self, now: Instant, has_video: bool, rng: &mut ChaCha12Rng) {
        let first = now + spread(interval(has_video), rng) / 2;
        let next = self.next.get_or_insert(first);
        *next = first.min(*next);
    }

    /// A stream begins: its first report goes at once, so that what belongs together can be played
    /// together from the beginning (RFC 6051 §2.1 allows it between two participants). Many streams
    /// that begin one after another share one.
    pub(super) fn at_once(&mut self, now: Instant) {
        let soonest = self.last.map_or(now, |last| now.max(last + MIN_INTERVAL));
        self.next = Some(self.next.map_or(soonest, |next| next.min(soonest)));
    }

    pub(super) fn stop(&mut self) {
        *self = Self::new();
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// A report leaves.
    pub(super) fn on_sent(&mut self, now: Instant, has_video: bool, rng: &mut ChaCha12Rng) {
        self.last = Some(now);
        self.next = Some(now + spread(interval(has_video), rng));
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

/// RFC 3550 §6.2: between half the interval and one and a half of it, so that participants do not
/// fall into step.
fn spread(interval: Duration, rng: &mut ChaCha12Rng) -> Duration {
    let random = rng.next_u32();
    interval / 2
        + Duration::from_nanos((interval.as_nanos() as u64 >> 16) * u64::from(random >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{Seed, epoch, ms, secs};
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn intervals_are_spread_around_their_mean() {
        for (has_video, mean) in [(true, secs(1)), (false, secs(5))] {
            let mut rng = ChaCha12Rng::from_seed(Seed(1).bytes("spread"));
            let mut schedule = Schedule::new();
            schedule.start(epoch(), has_video, &mut rng);
            let mut now = schedule.poll_timeout().unwrap();
            assert!((mean / 4..mean * 3 / 4).contains(&(now - epoch())));
            let start = now;
            for _ in 0..200 {
                assert!(schedule.is_due(now) && !schedule.is_due(now - ms(1)));
                schedule.on_sent(now, has_video, &mut rng);
                let next = schedule.poll_timeout().unwrap();
                assert!((mean / 2..=mean * 3 / 2).contains(&(next - now)));
                now = next;
            }
            let average = (now - start) / 200;
            assert!(average.abs_diff(mean) < mean / 10, "{average:?}");
        }
    }
}
