//! Numbers that go on where some of them are left out.

/// Where counting begins: far enough from 0 that what comes before the first has a number, too.
const BEGIN: u64 = 1 << 32;

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is beyond all that came.
    New,
    /// It came and was sent on under this number.
    Sent(u64),
    /// It came and was not sent on.
    LeftOut,
    /// It did not come; this number is kept free for it.
    Missing(u64),
    /// It is before the first, or too far behind to tell.
    TooOld,
}

/// Gives the numbers that come others that leave, and remembers the last 64 × `WORDS` of them.
///
/// A number that did not come keeps one free. One that is left out does not, if the numbering
/// *closes*: those that follow move up.
///
/// ```text
///  in:   10  11   12    13   14       12 is left out, 13 has not come yet
///  out:  70  71       (72)   73
/// ```
#[derive(Debug, Clone)]
pub(super) struct Numbering<const WORDS: usize> {
    first: u64,
    highest: u64,
    /// What is taken from a number that comes after the highest one.
    offset: u64,
    closes: bool,
    /// A bit for each number, at its place modulo their count.
    came: [u64; WORDS],
    left_out: [u64; WORDS],
}

impl<const WORDS: usize> Numbering<WORDS> {
    const LEN: u64 = 64 * WORDS as u64;

    /// Begins with `first`, which leaves as `out`.
    pub(super) fn new(first: u16, out: u64, closes: bool) -> Self {
        let first = BEGIN | u64::from(first);
        let mut numbering = Self {
            first,
            highest: first,
            offset: first.wrapping_sub(out),
            closes,
            came: [0; WORDS],
            left_out: [0; WORDS],
        };
        numbering.mark(first, true);
        numbering
    }

    /// The number nearest to the highest one whose low `bits` bits are `number`.
    pub(super) const fn extend(&self, number: u16, bits: u32) -> u64 {
        let mask = (1 << bits) - 1;
        let ahead = (number as u64).wrapping_sub(self.highest) & mask;
        match ahead > mask / 2 {
            true => self.highest.saturating_sub(mask + 1 - ahead),
            false => self.highest + ahead,
        }
    }

    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    /// The highest number that has left or is kept free.
    pub(super) const fn highest_out(&self) -> u64 {
        self.highest.wrapping_sub(self.offset)
    }

    pub(super) fn look(&self, number: u64) -> Known {
        if number > self.highest {
            return Known::New;
        }
        if number < self.first || self.highest - number >= Self::LEN {
            return Known::TooOld;
        }
        let out = number.wrapping_sub(self.offset) + self.moved_up_since(number);
        match (
            self.is_set(&self.came, number),
            self.is_set(&self.left_out, number),
        ) {
            (false, _) => Known::Missing(out),
            (true, false) => Known::Sent(out),
            (true, true) => Known::LeftOut,
        }
    }

    /// Takes a new number; `None` if it is left out.
    pub(super) fn advance(&mut self, number: u64, is_sent: bool) -> Option<u64> {
        let steps = number.saturating_sub(self.highest);
        if steps >= Self::LEN {
            (self.came, self.left_out) = ([0; WORDS], [0; WORDS]);
        } else {
            for between in self.highest + 1..=number {
                self.clear(between);
            }
        }
        self.highest = number;
        self.mark(number, is_sent);
        if !is_sent && self.closes {
            self.offset = self.offset.wrapping_add(1);
        }
        is_sent.then(|| number.wrapping_sub(self.offset))
    }

    /// Takes a number that was missing.
    pub(super) fn fill(&mut self, number: u64) {
        self.mark(number, true);
    }

    /// How many numbers after `number` have been left out and closed.
    fn moved_up_since(&self, number: u64) -> u64 {
        if !self.closes {
            return 0;
        }
        let (mut at, mut count) = (number + 1, 0);
        while at <= self.highest {
            let (word, bit) = Self::place(at);
            let len = (64 - bit as u64).min(self.highest - at + 1);
            let mask = u64::MAX >> (64 - len) << bit;
            let word = self.left_out.get(word).copied().unwrap_or(0);
            count += u64::from((word & mask).count_ones());
            at += len;
        }
        count
    }

    /// The word and the bit of a number.
    const fn place(number: u64) -> (usize, u32) {
        ((number / 64) as usize % WORDS, (number % 64) as u32)
    }

    fn is_set(&self, bits: &[u64; WORDS], number: u64) -> bool {
        let (word, bit) = Self::place(number);
        bits.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    fn mark(&mut self, number: u64, is_sent: bool) {
        let (word, bit) = Self::place(number);
        if let Some(came) = self.came.get_mut(word) {
            *came |= 1 << bit;
        }
        if let Some(left_out) = self.left_out.get_mut(word).filter(|_| !is_sent) {
            *left_out |= 1 << bit;
        }
    }

    fn clear(&mut self, number: u64) {
        let (word, bit) = Self::place(number);
        for bits in [&mut self.came, &mut self.left_out] {
            if let Some(word) = bits.get_mut(word) {
                *word &= !(1 << bit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn low(out: Option<u64>) -> Option<u16> {
        out.map(|out| out as u16)
    }

    #[test]
    fn those_that_follow_move_up_and_late_ones_do_not() {
        let mut numbers = Numbering::<2>::new(65_534, 70, true);
        let at = |numbers: &Numbering<2>, number| numbers.extend(number, 16);
        assert_eq!(low(numbers.advance(at(&numbers, 65_535), true)), Some(71));
        assert_eq!(low(numbers.advance(at(&numbers, 0), false)), None);
        assert_eq!(low(numbers.advance(at(&numbers, 2), true)), Some(73));
        assert_eq!(low(numbers.advance(at(&numbers, 3), false)), None);
        assert_eq!(numbers.highest_out(), 73);
        assert_eq!(numbers.look(at(&numbers, 65_535)), Known::Sent(71));
        assert_eq!(numbers.look(at(&numbers, 0)), Known::LeftOut);
        assert_eq!(numbers.look(at(&numbers, 1)), Known::Missing(72));
        numbers.fill(at(&numbers, 1));
        assert_eq!(numbers.look(at(&numbers, 1)), Known::Sent(72));
        assert_eq!(numbers.look(at(&numbers, 65_533)), Known::TooOld);
        assert_eq!(numbers.look(at(&numbers, 4)), Known::New);
    }

    #[test]
    fn numbers_that_are_not_closed_keep_their_distance() {
        let mut numbers = Numbering::<1>::new(100, 7, false);
        assert_eq!(numbers.advance(numbers.extend(101, 7), false), None);
        assert_eq!(numbers.advance(numbers.extend(2, 7), true), Some(7 + 30));
        assert_eq!(numbers.look(numbers.extend(101, 7)), Known::LeftOut);
        assert_eq!(numbers.look(numbers.extend(103, 7)), Known::Missing(10));
    }

    /// Against the definition: what leaves is the count of all that was sent or is missing.
    #[test]
    fn a_long_run_is_as_if_counted() {
        let mut numbers = Numbering::<2>::new(0, 1000, true);
        let mut outs = vec![Some(1000)];
        let mut next = 1001;
        let mut random = 12_345_u32;
        for number in 1_u64..5000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (is_missing, is_sent) = (random >> 28 == 0, random >> 24 & 3 != 0);
            let out = (is_missing || is_sent).then(|| {
                next += 1;
                next - 1
            });
            outs.push(out);
            if !is_missing {
                assert_eq!(
                    numbers.advance(numbers.extend(number as u16, 16), is_sent),
                    out
                );
                for back in [1, 2, 3, 63, 64, 65, 100, 127].map(|back| number.saturating_sub(back))
                {
                    let known = numbers.look(numbers.extend(back as u16, 16));
                    let expected = outs[back as usize];
                    assert!(
                        match known {
                            Known::Sent(out) | Known::Missing(out) => expected == Some(out),
                            Known::LeftOut => expected.is_none(),
                            Known::New | Known::TooOld => false,
                        },
                        "{number} {back} {known:?} {expected:?}"
                    );
                }
            }
        }
    }
}
