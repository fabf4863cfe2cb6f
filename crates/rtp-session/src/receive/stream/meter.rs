//! How much comes: over the last second, in quarters.

use std::time::{Duration, Instant};

/// How long one bucket is filled.
const QUARTER: Duration = Duration::from_millis(250);
/// A second of them that are full, and the one that is being filled.
const BUCKETS: usize = 5;

/// Counts bytes and frames of the last whole second; steady, though key frames come in bursts.
#[derive(Debug)]
pub(super) struct Meter {
    begin: Instant,
    /// Which quarter since the beginning is being filled.
    current: u64,
    buckets: [Bucket; BUCKETS],
}

#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    bytes: u64,
    frames: u32,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begin: now,
            current: 0,
            buckets: [Bucket::default(); BUCKETS],
        }
    }

    /// A packet has come.
    pub(super) fn count(&mut self, now: Instant, bytes: usize) {
        self.add(now, bytes as u64, 0);
    }

    /// A frame is whole.
    pub(super) fn count_frame(&mut self, now: Instant) {
        self.add(now, 0, 1);
    }

    /// Bits and frames of the last second, as of the last quarter's end.
    pub(super) fn rates(&self, now: Instant) -> (u64, u32) {
        let quarter = self.quarter(now);
        let before = (1..BUCKETS as u64).filter_map(|back| quarter.checked_sub(back));
        let is_kept = |it: &u64| *it <= self.current && it + BUCKETS as u64 > self.current;
        let kept = before
            .filter(is_kept)
            .filter_map(|it| self.buckets.get(place(it)));
        kept.fold((0, 0), |(bits, frames), it| {
            (bits + 8 * it.bytes, frames + it.frames)
        })
    }

    fn quarter(&self, now: Instant) -> u64 {
        let quarters = now.saturating_duration_since(self.begin).as_millis() / QUARTER.as_millis();
        quarters as u64
    }

    fn add(&mut self, now: Instant, bytes: u64, frames: u32) {
        let quarter = self.quarter(now).max(self.current);
        for ahead in 1..=(quarter - self.current).min(BUCKETS as u64) {
            if let Some(bucket) = self.buckets.get_mut(place(self.current + ahead)) {
                *bucket = Bucket::default();
            }
        }
        self.current = quarter;
        if let Some(bucket) = self.buckets.get_mut(place(quarter)) {
            bucket.bytes += bytes;
            bucket.frames += frames;
        }
    }
}

fn place(quarter: u64) -> usize {
    (quarter % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms, secs};

    #[test]
    fn a_steady_stream_has_a_steady_rate() {
        let mut meter = Meter::new(epoch());
        for step in 0..200 {
            meter.count(epoch() + ms(20 * step), 250);
            if step % 2 == 0 {
                meter.count_frame(epoch() + ms(20 * step));
            }
            if step > 70 {
                let (bits, frames) = meter.rates(epoch() + ms(20 * step));
                assert!((98_000..=102_000).contains(&bits), "{step}: {bits}");
                assert!((24..=26).contains(&frames), "{step}: {frames}");
            }
        }
        let end = epoch() + ms(20 * 199);
        assert_eq!(meter.rates(end + ms(500)).0, 74_000, "half of it is silent");
        assert_eq!(meter.rates(end + ms(1250)), (0, 0));
        // What was long ago does not come back, at whichever place it is.
        for later in 0..12 {
            let mut copy = Meter {
                buckets: meter.buckets,
                ..meter
            };
            let now = end + secs(60) + ms(250 * later);
            copy.count(now, 1);
            assert_eq!(copy.rates(now + ms(250)), (8, 0));
        }
    }
}
