//! Which packets of a source have been sent, and which taken.

use std::collections::BTreeSet;

use super::{WINDOW, dice::Dice, packet::Kind};

/// How far behind the highest a packet may be.
const BEHIND: u64 = 1000;
/// How far ahead of it: together with [`BEHIND`] less than 32,767, as the oracle knows the last packet
/// only, and its window takes a step of 32,767 for one back.
const AHEAD: u64 = 31_700;

#[derive(Default)]
pub(crate) struct Stream {
    sent: BTreeSet<u64>,
    taken: BTreeSet<u64>,
}

/// What should become of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Taken,
    /// It has come before, and the window still knows.
    Repeated,
    /// It is too old for the window.
    Old,
    /// Where the oracle has known differences.
    Unsure,
}

impl Stream {
    /// The index of the next packet: after the last, further on, or one that was left out.
    pub(crate) fn next_to_send(&mut self, dice: &mut Dice<'_>) -> Option<u64> {
        let how = dice.byte();
        let index = match (self.sent.last(), how % 4) {
            (None, _) => u64::from(dice.u16()),
            (Some(last), 0) => last.checked_sub(u64::from(dice.u16()) % BEHIND)?,
            (Some(last), 1) => last + 1 + u64::from(dice.u16()) % AHEAD,
            (Some(last), _) => last + 1 + u64::from(how / 64),
        };
        self.sent.insert(index).then_some(index)
    }

    /// The next index of SRTCP; the first is 1.
    pub(crate) fn count(&mut self) -> u64 {
        let index = self.sent.last().map_or(1, |last| last + 1);
        self.sent.insert(index);
        index
    }

    /// Whether a packet has been taken.
    pub(crate) fn has_begun(&self) -> bool {
        !self.taken.is_empty()
    }

    pub(crate) fn expected(&self, index: u64, kind: Kind) -> Expected {
        let Some(&highest) = self.taken.last() else {
            // A receiver takes the first packet for one before any roll-over.
            return match kind {
                Kind::Rtp if index > 0xFFFF => Expected::Unsure,
                _ => Expected::Taken,
            };
        };
        let behind = highest.saturating_sub(index);
        match kind {
            _ if behind >= 32_768 && kind == Kind::Rtp => Expected::Unsure,
            _ if behind >= WINDOW as u64 => Expected::Old,
            _ if self.taken.contains(&index) => Expected::Repeated,
            Kind::Rtp if behind > BEHIND || index > highest + AHEAD => Expected::Unsure,
            _ => Expected::Taken,
        }
    }

    pub(crate) fn take(&mut self, index: u64) {
        self.taken.insert(index);
    }
}
