//! Which packets are missing, and when they are asked for again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::Serial16;

/// How many missing packets are kept.
const MAX_MISSING: usize = 1000;
/// How far behind the latest packet one may be.
const MAX_AGE: u64 = 10_000;
/// How often one is asked for.
const MAX_TRIES: u8 = 10;
/// How many are asked for at once.
const MAX_AT_ONCE: usize = 100;
/// How long a packet may come late before it is taken for lost.
const REORDERING: Duration = Duration::from_millis(10);
/// The round-trip time before it is known, and the least there is between two requests.
const DEFAULT_RTT: Duration = Duration::from_millis(100);
const MIN_RETRY: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy)]
struct Missing {
    number: u64,
    due: Instant,
    tries: u8,
}

/// The missing packets of one stream, in ascending order.
#[derive(Debug, Default)]
pub(super) struct NackList {
    missing: VecDeque<Missing>,
    rtt: Option<Duration>,
    /// Reused for each request.
    asked: Vec<Serial16>,
}

impl NackList {
    pub(super) fn set_round_trip_time(&mut self, rtt: Duration) {
        self.rtt = Some(rtt);
    }

    /// All between `highest` and `number`, which has come, are missing. Whether more are than can be
    /// kept: then a key frame is what is needed.
    pub(super) fn on_gap(&mut self, now: Instant, highest: u64, number: u64) -> bool {
        let gap = number.saturating_sub(highest + 1);
        if gap > MAX_MISSING as u64 {
            self.missing.clear();
            return true;
        }
        for number in highest + 1..number {
            self.missing.push_back(Missing {
                number,
                due: now + REORDERING,
                tries: 0,
            });
        }
        let is_too_old = |it: &Missing| it.number + MAX_AGE < number;
        while self.missing.front().is_some_and(is_too_old) || self.missing.len() > MAX_MISSING {
            self.missing.pop_front();
        }
        false
    }

    /// The source counts anew: what was missing will not come.
    pub(super) fn clear(&mut self) {
        self.missing.clear();
    }

    /// Whether it has been asked for, or will be.
    pub(super) fn is_missing(&self, number: u64) -> bool {
        let found = self.missing.binary_search_by_key(&number, |it| it.number);
        found.is_ok()
    }

    /// It has come after all.
    pub(super) fn on_arrival(&mut self, number: u64) {
        if let Ok(at) = self.missing.binary_search_by_key(&number, |it| it.number) {
            self.missing.remove(at);
        }
    }

    /// What is before this is of no use any more.
    pub(super) fn forget_before(&mut self, number: u64) {
        while self.missing.front().is_some_and(|it| it.number < number) {
            self.missing.pop_front();
        }
    }

    /// What is to be asked for now; none if nothing is due.
    pub(super) fn take_due(&mut self, now: Instant) -> &[Serial16] {
        self.asked.clear();
        let retry = self.rtt.unwrap_or(DEFAULT_RTT).max(MIN_RETRY);
        for missing in &mut self.missing {
            if missing.due <= now && self.asked.len() < MAX_AT_ONCE {
                self.asked.push(Serial16(missing.number as u16));
                missing.tries += 1;
                missing.due = now + retry;
            }
        }
        if !self.asked.is_empty() {
            self.missing.retain(|it| it.tries < MAX_TRIES);
        }
        &self.asked
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.missing.iter().map(|it| it.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_packets_are_asked_for_until_they_come() {
        let now = pc_simnet::epoch();
        let ms = Duration::from_millis;
        let mut list = NackList::default();
        assert!(!list.on_gap(now, 10, 14));
        assert!(list.take_due(now).is_empty(), "they may be late");
        list.on_arrival(12);
        assert_eq!(list.take_due(now + ms(10)), [Serial16(11), Serial16(13)]);
        assert_eq!(list.next_due(), Some(now + ms(110)));
        list.set_round_trip_time(ms(40));
        list.on_arrival(11);
        let mut tries = 1;
        let mut at = now + ms(10);
        while let Some(due) = list.next_due() {
            assert!(due > at);
            at = due;
            assert_eq!(list.take_due(at), [Serial16(13)]);
            tries += 1;
        }
        assert_eq!(tries, MAX_TRIES);
        assert!(list.on_gap(now, 20, 5000));
        assert_eq!(list.next_due(), None);
    }
}
