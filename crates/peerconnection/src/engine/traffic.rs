//! What has passed on a transport, checks apart.

use pc_proto::FiveTuple;

/// More pairs than carry data in the life of most connections.
const MAX_PAIRS: usize = 16;

/// Datagrams and bytes, each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) packets_sent: u64,
    pub(super) bytes_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_received: u64,
}

/// In sum, and by pairs.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    sum: Passed,
    /// The one in use first.
    pairs: Vec<(FiveTuple, Passed)>,
}

impl Traffic {
    pub(super) fn received(&mut self, route: FiveTuple, bytes: usize) {
        self.count(route, |passed| {
            passed.packets_received += 1;
            passed.bytes_received += bytes as u64;
        });
    }

    pub(super) fn sent(&mut self, route: FiveTuple, packets: usize, bytes: usize) {
        self.count(route, |passed| {
            passed.packets_sent += packets as u64;
            passed.bytes_sent += bytes as u64;
        });
    }

    pub(super) fn sum(&self) -> Passed {
        self.sum
    }

    /// What has passed on one pair.
    pub(super) fn of(&self, route: FiveTuple) -> Passed {
        let mut pairs = self.pairs.iter();
        let found = pairs.find(|(of, _)| *of == route);
        found.map(|(_, passed)| *passed).unwrap_or_default()
    }

    fn count(&mut self, route: FiveTuple, change: impl Fn(&mut Passed)) {
        change(&mut self.sum);
        let mut pairs = self.pairs.iter();
        let at = pairs.position(|(of, _)| *of == route).unwrap_or_else(|| {
            // What was used longest ago is forgotten.
            self.pairs.truncate(MAX_PAIRS - 1);
            self.pairs.push((route, Passed::default()));
            self.pairs.len() - 1
        });
        self.pairs.swap(0, at);
        if let Some((_, passed)) = self.pairs.first_mut() {
            change(passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> FiveTuple {
        let local = ([10, 0, 0, 1], 1).into();
        FiveTuple::udp(local, ([10, 0, 0, 2], port).into())
    }

    #[test]
    fn pairs_are_counted_apart_and_their_number_is_bounded() {
        let mut traffic = Traffic::default();
        traffic.received(path(1), 100);
        traffic.sent(path(2), 3, 3000);
        traffic.received(path(1), 50);
        assert_eq!(traffic.of(path(1)).bytes_received, 150);
        assert_eq!(traffic.of(path(2)).packets_sent, 3);
        assert_eq!(traffic.of(path(3)), Passed::default());
        for port in 10..200 {
            traffic.sent(path(port), 1, 1);
        }
        assert!(traffic.pairs.len() <= MAX_PAIRS);
        assert_eq!(traffic.of(path(199)).bytes_sent, 1);
        assert_eq!(traffic.sum().packets_sent, 3 + 190);
    }
}
