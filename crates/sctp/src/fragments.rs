//! What bounds the number of fragments that are kept, when each may be as short as a byte.

/// A fragment this short costs more to keep than the window counts for it.
const SHORT: usize = 10;
/// How many short fragments a peer may send ahead of its longer ones.
const AHEAD: u32 = 1024;

/// Short fragments that are not yet paid for by longer ones.
///
/// RFC 9260 knows no least length, and browsers use it: dcSCTP puts the first bytes of a message into
/// whatever room a packet has left, however little. Such a fragment travels with longer ones, so an
/// honest peer pays for each at once. One that sends short ones alone would have us keep some
/// hundred bytes for each byte that the receive window counts; it is stopped here.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    unpaid: u32,
}

impl Fragments {
    /// Counts a new fragment; whether it may be kept. `last`: it completes its message.
    pub(crate) fn admit(&mut self, len: usize, last: bool) -> bool {
        if len >= SHORT || last {
            self.unpaid = self.unpaid.saturating_sub(1);
            return true;
        }
        if self.unpaid >= AHEAD {
            return false;
        }
        self.unpaid += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_one_beside_each_longer_one_is_fine_for_ever() {
        let mut fragments = Fragments::default();
        for _ in 0..1_000_000 {
            assert!(fragments.admit(4, false));
            assert!(fragments.admit(996, true));
        }
    }

    #[test]
    fn short_ones_alone_are_stopped_and_a_longer_one_pays() {
        let mut fragments = Fragments::default();
        let admitted = (0..1_000_000).filter(|_| fragments.admit(1, false)).count();
        assert_eq!(admitted, AHEAD as usize);
        assert!(fragments.admit(1000, false));
        assert!(fragments.admit(1, false));
        assert!(!fragments.admit(1, false));
    }
}
