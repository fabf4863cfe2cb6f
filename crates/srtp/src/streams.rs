//! What is kept for each source.

use std::collections::BTreeMap;

use crate::Rejected;

/// One state for each source. The one that was used last is found at once.
#[derive(Debug)]
pub(crate) struct Streams<T> {
    states: Vec<T>,
    /// Where the state of a source is. A tree: a peer chooses the sources.
    places: BTreeMap<u32, usize>,
    last: (u32, usize),
    max: usize,
}

impl<T> Streams<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            states: Vec::new(),
            places: BTreeMap::new(),
            last: (0, usize::MAX),
            max,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut T> {
        if self.last.0 != ssrc || self.last.1 == usize::MAX {
            self.last = (ssrc, *self.places.get(&ssrc)?);
        }
        self.states.get_mut(self.last.1)
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

    pub(crate) fn insert(&mut self, ssrc: u32, state: T) {
        self.places.insert(ssrc, self.states.len());
        self.states.push(state);
    }
}
