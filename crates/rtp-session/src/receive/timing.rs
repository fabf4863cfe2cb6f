//! When frames are to be played: the mapping of the sender's clock to ours, and how much the network
//! spreads arrivals around it.

use std::time::{Duration, Instant};

/// The histogram's step and length: delays of up to two seconds.
const STEP: Duration = Duration::from_millis(5);
const STEPS: usize = 400;
/// The part of arrivals that is to be in time.
const QUANTILE: f32 = 0.95;
/// What is left of an observation after the next one: some two hundred count.
const FORGET: f32 = 0.995;
/// How long the fastest packet is remembered: long enough to be there, short enough for clocks that
/// drift.
const EPOCH: Duration = Duration::from_secs(5);
/// A transit time this far off is another clock's, or of a source that paused: the histogram ends here,
/// and no buffer waits for longer.
const MAX_JUMP: f64 = 2.0;
/// The longest wait that can be asked for.
const MAX_TARGET: Duration = Duration::from_secs(10);

/// The clock of one stream.
#[derive(Debug)]
pub(super) struct Timing {
    clock_rate: u32,
    /// Where the time line begins: an arrival, and its extended timestamp.
    begin: Option<(Instant, i64)>,
    /// The fastest transit of this epoch and the one before, in seconds on that line.
    fastest: [f64; 2],
    epoch: Instant,
    histogram: Box<[f32]>,
    weight: f32,
    /// The sum of the histogram.
    total: f32,
    /// The step of the histogram below which enough arrivals are.
    needed: u32,
    min: Duration,
    target: Option<Duration>,
    /// What holds frames back for others that belong to them.
    sync: Duration,
}

impl Timing {
    pub(super) fn new(now: Instant, clock_rate: u32, min: Duration) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            begin: None,
            fastest: [f64::INFINITY; 2],
            epoch: now,
            histogram: vec![0.0; STEPS].into(),
            weight: 0.0,
            total: 0.0,
            needed: 0,
            min,
            target: None,
            sync: Duration::ZERO,
        }
    }

    /// `jitterBufferTarget`: frames wait at least so long.
    pub(super) fn set_target(&mut self, target: Option<Duration>) {
        self.target = target.map(|target| target.min(MAX_TARGET));
    }

    /// A frame or packet has arrived, whole, as it was sent and not again.
    pub(super) fn observe(&mut self, arrival: Instant, timestamp: i64) {
        let (begin, first) = *self.begin.get_or_insert((arrival, timestamp));
        let sent = (timestamp - first) as f64 / f64::from(self.clock_rate);
        let transit = seconds_between(begin, arrival) - sent;
        let fastest = self.fastest();
        if fastest.is_finite() && (transit - fastest).abs() > MAX_JUMP {
            // The sender's clock has jumped.
            self.restart(arrival, timestamp);
            return;
        }
        if arrival.saturating_duration_since(self.epoch) > EPOCH {
            self.epoch = arrival;
            let [current, _] = self.fastest;
            self.fastest = [f64::INFINITY, current];
        }
        let [current, _] = &mut self.fastest;
        *current = current.min(transit);
        let late = (transit - self.fastest()).max(0.0);
        self.count(Duration::from_secs_f64(late));
    }

    /// Timestamps count in another unit from now on (RFC 7160): the line begins anew.
    pub(super) fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate.max(1);
        self.begin = None;
        self.fastest = [f64::INFINITY; 2];
    }

    fn restart(&mut self, arrival: Instant, timestamp: i64) {
        self.begin = Some((arrival, timestamp));
        self.fastest = [0.0, f64::INFINITY];
        self.epoch = arrival;
    }

    fn fastest(&self) -> f64 {
        let [current, before] = self.fastest;
        current.min(before)
    }

    fn count(&mut self, late: Duration) {
        let step = (late.as_nanos() / STEP.as_nanos()) as usize;
        // Adding more instead of making all others less: the same, and cheaper.
        self.weight = if self.weight == 0.0 {
            1.0
        } else {
            self.weight / FORGET
        };
        if let Some(slot) = self.histogram.get_mut(step.min(STEPS - 1)) {
            *slot += self.weight;
            self.total += self.weight;
        }
        if self.weight > 1e20 {
            self.histogram.iter_mut().for_each(|slot| *slot /= 1e20);
            self.weight /= 1e20;
            self.total = self.histogram.iter().sum();
        }
        // Here and not where it is asked for, which is several times for each packet.
        let (enough, mut sum) = (self.total * QUANTILE, 0.0);
        let needed = self.histogram.iter().position(|slot| {
            sum += slot;
            sum >= enough
        });
        self.needed = needed.unwrap_or(0) as u32;
    }

    /// How long frames wait for what is late: what the network's jitter demands.
    pub(super) fn jitter_delay(&self) -> Duration {
        // All of the step may be needed, but nothing where all is in time.
        let delay = match self.needed {
            0 => Duration::ZERO,
            steps => STEP * (steps + 1),
        };
        delay.max(self.min)
    }

    /// How long frames wait in all.
    pub(super) fn target_delay(&self) -> Duration {
        let delay = self.jitter_delay() + self.sync;
        self.target.map_or(delay, |target| delay.max(target))
    }

    /// When what has this timestamp is to be played; now, if nothing has been observed.
    pub(super) fn playout(&self, timestamp: i64) -> Option<Instant> {
        Some(self.ideal(timestamp)? + self.target_delay())
    }

    /// The same without any wait.
    fn ideal(&self, timestamp: i64) -> Option<Instant> {
        let (begin, first) = self.begin?;
        let fastest = self.fastest();
        let sent = (timestamp - first) as f64 / f64::from(self.clock_rate);
        let at = sent + if fastest.is_finite() { fastest } else { 0.0 };
        if at < 0.0 {
            begin.checked_sub(duration(-at))
        } else {
            begin.checked_add(duration(at))
        }
    }

    /// `timestamp` as a time of ours, for lip sync.
    pub(super) fn arrival_line(&self, timestamp: i64) -> Option<Instant> {
        self.ideal(timestamp)
    }

    /// Holds frames back for others that belong to them.
    pub(super) fn set_sync(&mut self, wait: Duration) {
        self.sync = wait;
    }

    /// What frames wait, but for others.
    pub(super) fn own_delay(&self) -> Duration {
        let delay = self.jitter_delay();
        self.target.map_or(delay, |target| delay.max(target))
    }
}

fn seconds_between(earlier: Instant, later: Instant) -> f64 {
    match later.checked_duration_since(earlier) {
        Some(duration) => duration.as_secs_f64(),
        None => -earlier.duration_since(later).as_secs_f64(),
    }
}

/// Bounded, whatever a peer's timestamps say.
fn duration(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn delay_follows_jitter_up_and_down() {
        let begin = pc_simnet::epoch();
        let mut timing = Timing::new(begin, 48_000, ms(20));
        let mut at = 0;
        let mut run = |timing: &mut Timing, packets: u64, late: fn(u64) -> u64| {
            for index in 0..packets {
                timing.observe(begin + ms(at * 20 + late(index)), at as i64 * 960);
                at += 1;
            }
        };
        run(&mut timing, 100, |_| 0);
        assert_eq!(timing.target_delay(), ms(20));
        run(&mut timing, 600, |index| index * 7919 % 60);
        let wide = timing.target_delay();
        assert!(wide >= ms(50) && wide <= ms(70), "{wide:?}");
        run(&mut timing, 2000, |_| 0);
        assert_eq!(timing.target_delay(), ms(20));
        timing.set_target(Some(ms(300)));
        assert_eq!(timing.target_delay(), ms(300));
    }

    #[test]
    fn playing_is_as_regular_as_the_sender_is() {
        let begin = pc_simnet::epoch();
        let mut timing = Timing::new(begin, 90_000, ms(0));
        for frame in 0..100_u64 {
            timing.observe(
                begin + ms(frame * 33 + frame * 31 % 10),
                frame as i64 * 2970,
            );
        }
        let first = timing.playout(100 * 2970).unwrap();
        assert_eq!(timing.playout(101 * 2970).unwrap() - first, ms(33));
    }

    #[test]
    fn clocks_may_drift_and_jump() {
        let begin = pc_simnet::epoch();
        let mut timing = Timing::new(begin, 48_000, ms(20));
        // The sender's clock is slow by one in a thousand: transit times grow by 20 ms in 20 s.
        for packet in 0..3000_u64 {
            let arrival = begin + Duration::from_micros(packet * 20_020);
            timing.observe(arrival, packet as i64 * 960);
            let wait = timing.playout(packet as i64 * 960).unwrap() - arrival;
            assert!(wait <= ms(40), "{wait:?}");
        }
        timing.observe(begin + ms(60_100), 1 << 30);
        let wait = timing.playout(1 << 30).unwrap() - (begin + ms(60_100));
        assert!(wait <= ms(60), "{wait:?}");
    }
}
