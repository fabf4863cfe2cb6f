//! Sequence numbers and timestamps that do not roll over.

use pc_proto::{Serial16, Serial32};

/// Where counting begins: far enough from 0 that what comes before the first packet has a number, too.
const BEGIN: u64 = 1 << 32;

/// Extends sequence numbers of 16 bits, RFC 3550 appendix A.1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sequence {
    highest: Option<u64>,
}

impl Sequence {
    /// The number nearest to the highest one that ends in `number`.
    pub(super) fn extend(&self, number: Serial16) -> u64 {
        let Some(highest) = self.highest else {
            return BEGIN | u64::from(number.0);
        };
        let ahead = number.0.wrapping_sub(highest as u16).cast_signed();
        highest.saturating_add_signed(i64::from(ahead))
    }

    pub(super) fn note(&mut self, extended: u64) {
        self.highest = Some(
            self.highest
                .map_or(extended, |highest| highest.max(extended)),
        );
    }

    /// The source counts anew from `number`: what that is here, after all there was.
    pub(super) fn restart(&mut self, number: Serial16) -> u64 {
        let cycle = self.highest.map_or(BEGIN, |highest| (highest | 0xFFFF) + 1);
        // Not the numbers next to those of before, which would be taken for a gap to fill.
        cycle + 0x1_0000 + u64::from(number.0)
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// Extends timestamps of 32 bits. Each is compared with the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timestamps {
    last: Option<i64>,
}

impl Timestamps {
    pub(super) fn extend(&mut self, timestamp: Serial32) -> i64 {
        let next = self.peek(timestamp);
        self.last = Some(next);
        next
    }

    /// The same, without moving on.
    pub(super) fn peek(&self, timestamp: Serial32) -> i64 {
        match self.last {
            None => i64::from(timestamp.0),
            Some(last) => {
                let ahead = timestamp.0.wrapping_sub(last as u32).cast_signed();
                last + i64::from(ahead)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_their_ends() {
        let mut sequence = Sequence::default();
        let first = sequence.extend(Serial16(65_535));
        sequence.note(first);
        assert_eq!(sequence.extend(Serial16(0)), first + 1);
        assert_eq!(sequence.extend(Serial16(65_530)), first - 5);
        let mut timestamps = Timestamps::default();
        let first = timestamps.extend(Serial32(u32::MAX));
        assert_eq!(timestamps.extend(Serial32(9)), first + 10);
        assert_eq!(timestamps.peek(Serial32(u32::MAX - 1)), first - 1);
    }
}
