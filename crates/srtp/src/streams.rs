//! What is kept for each source.

use crate::Rejected;

/// A place in the table that no source has.
const FREE: u32 = u32::MAX;

/// One state for each source. The one that was used last is found at once, the others by a table.
///
/// A source gets in only when a packet of it has proven authentic, and their number is bounded; where
/// in the table it is depends on `secret`, so that a peer cannot choose sources that get into each
/// other's way.
#[derive(Debug)]
pub(crate) struct Streams<T> {
    states: Vec<T>,
    /// Sources, each with the place of its state; open addressing, at most half full.
    table: Box<[(u32, u32)]>,
    secret: u64,
    last: (u32, u32),
    max: usize,
}

impl<T> Streams<T> {
    pub(crate) fn new(max: usize, secret: u64) -> Self {
        Self {
            states: Vec::new(),
            table: Box::default(),
            secret: secret | 1,
            last: (0, FREE),
            max: max.min(1 << 20),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut T> {
        if self.last.0 != ssrc || self.last.1 == FREE {
            self.last = (ssrc, self.find(ssrc)?);
        }
        self.states.get_mut(self.last.1 as usize)
    }

    /// Where the search for a source begins: the high bits of a product are its best.
    #[inline]
    fn begin(&self, ssrc: u32) -> usize {
        (u64::from(ssrc).wrapping_mul(self.secret) >> 32) as usize
    }

    fn find(&self, ssrc: u32) -> Option<u32> {
        let mask = self.table.len().checked_sub(1)?;
        let mut at = self.begin(ssrc) & mask;
        loop {
            let (known, place) = *self.table.get(at)?;
            if place == FREE {
                return None;
            }
            if known == ssrc {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// Whether there is room for another source.
    ///
    /// # Errors
    ///
    /// [`Rejected::TooManySources`].
    pub(crate) fn check_room(&self) -> Result<(), Rejected> {
        if self.states.len() < self.max {
            Ok(())
        } else {
            Err(Rejected::TooManySources)
        }
    }

    /// Adds a source that is not there yet.
    pub(crate) fn insert(&mut self, ssrc: u32, state: T) {
        if self.table.len() < 2 * (self.states.len() + 1) {
            self.grow();
        }
        self.enter(ssrc, self.states.len() as u32);
        self.states.push(state);
    }

    fn grow(&mut self) {
        let len = (4 * (self.states.len() + 1)).next_power_of_two();
        let old = std::mem::replace(&mut self.table, vec![(0, FREE); len].into());
        for (ssrc, place) in old.into_iter().filter(|(_, place)| *place != FREE) {
            self.enter(ssrc, place);
        }
    }

    fn enter(&mut self, ssrc: u32, place: u32) {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = self.begin(ssrc) & mask;
        while let Some(slot) = self.table.get_mut(at) {
            if slot.1 == FREE {
                *slot = (ssrc, place);
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_finds_its_own() {
        for secret in [0, 1, 0x9E37_79B9_7F4A_7C15] {
            let mut streams = Streams::new(1000, secret);
            assert_eq!(streams.get_mut(0), None);
            for number in 0..1000_u32 {
                assert_eq!(streams.check_room(), Ok(()));
                streams.insert(number.wrapping_mul(0x0100_0001), number);
            }
            assert!(streams.check_room().is_err());
            for number in (0..1000_u32).rev() {
                let found = streams.get_mut(number.wrapping_mul(0x0100_0001));
                assert_eq!(found, Some(&mut number.clone()));
            }
            assert_eq!(streams.get_mut(7), None);
        }
    }
}
