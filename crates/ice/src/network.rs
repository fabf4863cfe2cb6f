use std::{cmp::Reverse, fmt};

/// What it costs to send over a network, in money or in battery: the less, the better
/// (draft-thatcher-ice-network-cost; the numbers are libwebrtc's, `rtc_base/network_constants.h`).
///
/// What counts is the order: between two pairs that both work, the one whose ends cost less together
/// is used, whatever their priorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NetworkCost(u16);

impl NetworkCost {
    /// Nothing: a cable, or this machine itself. Also of candidates that say nothing of it.
    pub const FREE: Self = Self(0);
    /// A wireless LAN.
    pub const LOW: Self = Self(10);
    /// Nobody knows what the network is.
    pub const UNKNOWN: Self = Self(50);
    /// A cellular network, or another that is paid for by volume.
    pub const HIGH: Self = Self(900);
    /// The most there is.
    pub const MAX: Self = Self(999);

    /// This cost; more than [`MAX`](Self::MAX), as a peer may claim, is that.
    pub const fn new(cost: u16) -> Self {
        if cost < Self::MAX.0 {
            Self(cost)
        } else {
            Self::MAX
        }
    }

    /// The number, 0 to 999.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// The same network within a tunnel: a little worse, for there is the network without.
    #[must_use]
    pub const fn tunneled(self) -> Self {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for NetworkCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The network that a candidate is of (draft-thatcher-ice-network-cost).
///
/// The default is that of a candidate that says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Network {
    /// Tells a machine's networks apart; zero is none of them.
    pub id: u16,
    /// What it costs.
    pub cost: NetworkCost,
}

impl Network {
    /// Whether anything is said of it.
    pub fn is_known(self) -> bool {
        self != Self::default()
    }
}

/// How much rather one pair is used than another: first comes the cost, then the priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Merit {
    cost: Reverse<u16>,
    priority: u64,
}

impl Merit {
    /// More than any pair has.
    pub(crate) const ABOVE_ALL: Self = Self::cheapest(0);

    /// The cost is that of both ends together.
    pub(crate) const fn new(cost: u16, priority: u64) -> Self {
        Self {
            cost: Reverse(cost),
            priority,
        }
    }

    /// More than any pair of this cost has, and less than any that costs less.
    pub(crate) const fn cheapest(cost: u16) -> Self {
        Self::new(cost, u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_bounded() {
        assert_eq!(NetworkCost::new(65_535), NetworkCost::MAX);
        assert_eq!(NetworkCost::new(998).value(), 998);
        assert_eq!(NetworkCost::UNKNOWN.tunneled().value(), 51);
        assert_eq!(NetworkCost::MAX.tunneled(), NetworkCost::MAX);
    }

    /// draft-thatcher-ice-network-cost: cost first.
    #[test]
    fn a_pair_that_costs_less_has_more_merit_whatever_its_priority() {
        assert!(Merit::new(10, 1) > Merit::new(900, u64::MAX - 1));
        assert!(Merit::new(10, 2) > Merit::new(10, 1));
        assert!(Merit::cheapest(10) > Merit::new(10, u64::MAX - 1));
        assert!(Merit::cheapest(10) < Merit::new(9, 0));
        assert!(Merit::ABOVE_ALL > Merit::new(0, u64::MAX - 1));
    }
}
