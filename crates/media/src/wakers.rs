use std::task::Waker;

/// Who waits for something to happen behind a lock.
///
/// A waker is code of the caller's, its drop too. So nothing here wakes or drops one: every method
/// gives back what the caller of it lets go of once the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    next_key: u64,
    parked: Vec<(u64, Waker)>,
}

impl Wakers {
    /// A name for one who will wait, never used twice.
    pub(crate) fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// Remembers `waker` until [`Self::take`], in place of the one that is returned.
    #[must_use = "drop it outside the lock"]
    pub(crate) fn park(&mut self, key: u64, waker: Waker) -> Option<Waker> {
        let before = self.forget(key);
        self.parked.push((key, waker));
        before
    }

    /// Forgets who waits by this name.
    #[must_use = "drop it outside the lock"]
    pub(crate) fn forget(&mut self, key: u64) -> Option<Waker> {
        let at = self.parked.iter().position(|(parked, _)| *parked == key)?;
        Some(self.parked.swap_remove(at).1)
    }

    /// All who wait, to be woken with [`wake`].
    #[must_use = "wake them outside the lock"]
    pub(crate) fn take(&mut self) -> Vec<(u64, Waker)> {
        std::mem::take(&mut self.parked)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.parked.len()
    }
}

/// Wakes all of them. No lock is held here.
pub(crate) fn wake(parked: Vec<(u64, Waker)>) {
    for (_, waker) in parked {
        waker.wake();
    }
}

/// [`wake`] for wakers without a name.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}
