//! What the network is believed to carry, from what receivers report: the loss-based half of
//! Google's congestion control (draft-ietf-rmcat-gcc-02 §6), bounded by REMB.

use std::time::{Duration, Instant};

/// No estimate goes below this, in bits a second: a picture of any kind needs as much.
const MIN_BITRATE: u64 = 30_000;

/// draft-ietf-rmcat-gcc-02 §6: with less loss than this the rate grows.
const LOW_LOSS: f64 = 0.02;

/// draft-ietf-rmcat-gcc-02 §6: with more loss than this it shrinks.
const HIGH_LOSS: f64 = 0.10;

/// draft-ietf-rmcat-gcc-02 §6 grows by 5 %, libwebrtc by 8 %.
const GROWTH: f64 = 1.08;

/// The time between two steps up.
const INCREASE_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two steps down, beside a round trip: the effect of one has to be seen.
const DECREASE_INTERVAL: Duration = Duration::from_millis(300);

/// Reports about fewer packets than this say little of the network: they are put together.
const MIN_PACKETS: u64 = 20;

/// A REMB is forgotten after this time.
const REMB_LIFETIME: Duration = Duration::from_secs(10);

/// Over how long a time what leaves is counted.
const SENT_WINDOW: Duration = Duration::from_secs(1);

/// The estimate.
#[derive(Debug)]
pub(super) struct Rate {
    estimate: u64,
    max: u64,
    remb: Option<(u64, Instant)>,
    lost: u64,
    expected: u64,
    last_increase: Option<Instant>,
    last_decrease: Option<Instant>,
    sent: SentRate,
    /// Up to here it grows without proof.
    wanted: u64,
}

impl Rate {
    pub(super) fn new(start: u64, max: u64) -> Self {
        let max = max.max(MIN_BITRATE);
        Self {
            estimate: start.clamp(MIN_BITRATE, max),
            max,
            remb: None,
            lost: 0,
            expected: 0,
            last_increase: None,
            last_decrease: None,
            sent: SentRate::default(),
            wanted: 0,
        }
    }

    /// Bits a second for everything that is sent.
    pub(super) fn target(&self, now: Instant) -> u64 {
        match self.remb {
            Some((bitrate, at)) if now.saturating_duration_since(at) <= REMB_LIFETIME => {
                self.estimate.min(bitrate.max(MIN_BITRATE))
            }
            _ => self.estimate,
        }
    }

    pub(super) fn on_sent(&mut self, now: Instant, bytes: usize) {
        self.sent.add(now, bytes as u64);
    }

    /// The receiver's own estimate (draft-alvestrand-rmcat-remb).
    pub(super) fn on_remb(&mut self, now: Instant, bitrate: u64) {
        self.remb = Some((bitrate, now));
    }

    /// Those who send have a use for this much.
    pub(super) fn set_wanted(&mut self, bitrate: u64) {
        self.wanted = bitrate;
    }

    /// What a report tells: `lost` of `expected` packets did not arrive since the report before.
    pub(super) fn on_loss(&mut self, now: Instant, lost: u64, expected: u64, rtt: Duration) {
        self.lost += lost;
        self.expected += expected;
        if self.expected < MIN_PACKETS {
            return;
        }
        let fraction = (self.lost as f64 / self.expected as f64).min(1.0);
        (self.lost, self.expected) = (0, 0);
        if fraction > HIGH_LOSS {
            self.decrease(now, fraction, rtt);
        } else if fraction < LOW_LOSS {
            self.increase(now);
        }
    }

    fn decrease(&mut self, now: Instant, fraction: f64, rtt: Duration) {
        if is_within(self.last_decrease, now, DECREASE_INTERVAL + rtt) {
            return;
        }
        self.last_decrease = Some(now);
        self.last_increase = Some(now);
        let reduced = self.target(now) as f64 * (1.0 - 0.5 * fraction);
        self.estimate = (reduced as u64).max(MIN_BITRATE);
    }

    fn increase(&mut self, now: Instant) {
        if is_within(self.last_increase, now, INCREASE_INTERVAL) {
            return;
        }
        self.last_increase = Some(now);
        // What was not sent cannot have proven that there is room for it.
        let proven = self.sent.bitrate(now) * 3 / 2 + 10_000;
        let grown = (self.target(now) as f64 * GROWTH) as u64 + 1000;
        let bound = proven.max(self.wanted);
        self.estimate = grown.min(bound).max(self.estimate).min(self.max);
    }
}

fn is_within(last: Option<Instant>, now: Instant, interval: Duration) -> bool {
    last.is_some_and(|last| now.saturating_duration_since(last) < interval)
}

/// Bytes sent in the current window and the one before it.
#[derive(Debug, Default)]
pub(super) struct SentRate {
    start: Option<Instant>,
    bytes: u64,
    before: u64,
}

impl SentRate {
    pub(super) fn add(&mut self, now: Instant, bytes: u64) {
        let start = *self.start.get_or_insert(now);
        let windows = now.saturating_duration_since(start).as_nanos() / SENT_WINDOW.as_nanos();
        if windows > 0 {
            self.before = if windows == 1 { self.bytes } else { 0 };
            self.bytes = 0;
            self.start = Some(now);
        }
        self.bytes += bytes;
    }

    /// Bits a second: the better of the two windows.
    pub(super) fn bitrate(&self, now: Instant) -> u64 {
        let is_recent = is_within(self.start, now, SENT_WINDOW * 2);
        if is_recent {
            self.bytes.max(self.before) * 8
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms, secs};

    const RTT: Duration = Duration::from_millis(50);

    /// Reports a second apart with the same loss, while as much is sent as may be.
    fn after(rate: &mut Rate, seconds: u32, lost: u64) -> u64 {
        let mut now = epoch();
        for _ in 0..seconds {
            now += secs(1);
            let target = rate.target(now);
            for part in 0..10 {
                rate.on_sent(now + ms(90) * part, target as usize / 80);
            }
            rate.on_loss(now + ms(900), lost, 100, RTT);
        }
        rate.target(now + ms(900))
    }

    #[test]
    fn little_loss_grows_and_much_loss_shrinks_the_rate() {
        let grown = after(&mut Rate::new(1_000_000, 50_000_000), 10, 1);
        assert!((2_000_000..2_400_000).contains(&grown), "{grown}");
        assert_eq!(
            after(&mut Rate::new(1_000_000, 50_000_000), 10, 5),
            1_000_000
        );
        let shrunk = after(&mut Rate::new(1_000_000, 50_000_000), 10, 30);
        assert!((150_000..250_000).contains(&shrunk), "{shrunk}");
        assert_eq!(
            after(&mut Rate::new(1_000_000, 1_200_000), 10, 0),
            1_200_000
        );
    }

    #[test]
    fn what_is_not_used_does_not_grow() {
        let mut rate = Rate::new(1_000_000, 50_000_000);
        for second in 1..20 {
            let now = epoch() + secs(1) * second;
            rate.on_sent(now, 10_000);
            rate.on_loss(now, 0, 100, RTT);
        }
        assert_eq!(rate.target(epoch() + secs(20)), 1_000_000);
    }

    #[test]
    fn what_is_wanted_is_tried_out() {
        let mut rate = Rate::new(1_000_000, 50_000_000);
        rate.set_wanted(1_250_000);
        for second in 1..20 {
            let now = epoch() + secs(1) * second;
            rate.on_sent(now, 10_000);
            rate.on_loss(now, 0, 100, RTT);
        }
        assert_eq!(rate.target(epoch() + secs(20)), 1_250_000);
    }

    #[test]
    fn remb_bounds_the_rate_while_it_is_fresh() {
        let (mut rate, now) = (Rate::new(1_000_000, 50_000_000), epoch());
        rate.on_remb(now, 400_000);
        assert_eq!(rate.target(now + secs(9)), 400_000);
        assert_eq!(rate.target(now + secs(11)), 1_000_000);
        rate.on_remb(now, 1);
        assert_eq!(rate.target(now), MIN_BITRATE);
    }

    #[test]
    fn one_loss_counts_once() {
        let (mut rate, now) = (Rate::new(1_000_000, 50_000_000), epoch());
        for n in 0..10 {
            rate.on_loss(now + ms(20) * n, 50, 100, RTT);
        }
        assert_eq!(rate.target(now + ms(200)), 750_000);
    }
}
