//! Which packets have come, [RFC 3711 §3.3.2](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2).

use crate::Rejected;

/// The indexes up to the highest one, as far back as the window reaches.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// The highest index that has come.
    highest: u64,
    /// A bit for each index, at its place modulo the size.
    bits: Box<[u64]>,
}

impl Window {
    /// The window of a source whose first packet has this index, at least `size` packets long.
    pub(crate) fn new(size: usize, first: u64) -> Self {
        // A power of two: finding a place takes no division.
        let words = size.div_ceil(64).next_power_of_two();
        let mut new = Self {
            highest: first,
            bits: vec![0; words].into(),
        };
        new.mark(first);
        new
    }

    #[inline]
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    fn size(&self) -> u64 {
        self.bits.len() as u64 * 64
    }

    /// Whether a packet may be taken that turns out to be authentic.
    #[inline]
    pub(crate) fn check(&self, index: u64) -> Result<(), Rejected> {
        if index > self.highest {
            return Ok(());
        }
        if self.highest - index >= self.size() {
            return Err(Rejected::TooOld);
        }
        let (word, bit) = self.place(index);
        let is_marked = self.bits.get(word).is_some_and(|bits| bits >> bit & 1 == 1);
        if is_marked {
            Err(Rejected::Replayed)
        } else {
            Ok(())
        }
    }

    /// An authentic packet has come.
    #[inline]
    pub(crate) fn accept(&mut self, index: u64) {
        if index > self.highest {
            if index - self.highest > 1 {
                self.forget_before(index);
            }
            self.highest = index;
        }
        self.mark(index);
    }

    /// The indexes that have been skipped take the places of earlier ones; so does `index` itself, which
    /// is about to be marked whatever its place has held.
    #[cold]
    fn forget_before(&mut self, index: u64) {
        if index - self.highest >= self.size() {
            self.bits.fill(0);
            return;
        }
        for passed in self.highest + 1..index {
            let (word, bit) = self.place(passed);
            if let Some(bits) = self.bits.get_mut(word) {
                *bits &= !(1 << bit);
            }
        }
    }

    #[inline]
    fn mark(&mut self, index: u64) {
        let (word, bit) = self.place(index);
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << bit;
        }
    }

    #[inline]
    fn place(&self, index: u64) -> (usize, u64) {
        let mask = self.bits.len().wrapping_sub(1);
        ((index / 64) as usize & mask, index % 64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_edge_of_the_window() {
        let mut window = Window::new(128, 1000);
        assert_eq!(window.check(1000), Err(Rejected::Replayed));
        assert_eq!(window.check(873), Ok(()));
        assert_eq!(window.check(872), Err(Rejected::TooOld));
        window.accept(873);
        assert_eq!(window.check(873), Err(Rejected::Replayed));
        window.accept(1001);
        assert_eq!(window.check(873), Err(Rejected::TooOld));
        window.accept(5000);
        assert_eq!(window.check(4999), Ok(()));
        assert_eq!(window.check(1001), Err(Rejected::TooOld));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn like_a_set(steps in prop::collection::vec(-200_i64..200, 1..300)) {
            let (mut at, mut seen) = (10_000_u64, BTreeSet::from([10_000_u64]));
            let mut window = Window::new(128, at);
            for step in steps {
                at = at.saturating_add_signed(step);
                let highest = *seen.last().unwrap();
                let expected = if highest.saturating_sub(at) >= 128 {
                    Err(Rejected::TooOld)
                } else if seen.contains(&at) {
                    Err(Rejected::Replayed)
                } else {
                    Ok(())
                };
                prop_assert_eq!(window.check(at), expected);
                if expected.is_ok() {
                    window.accept(at);
                    seen.insert(at);
                }
                at = window.highest();
            }
        }
    }
}
