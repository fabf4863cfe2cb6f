use std::{fmt, marker::PhantomData, time::Instant};

/// A timer's name: an enum whose variants index a [`TimerTable`].
pub trait TimerKey: Copy + 'static {
    /// Every timer, in the order of [`index`](Self::index); ties fire in this order.
    const ALL: &'static [Self];

    /// Where this timer stands in [`ALL`](Self::ALL).
    fn index(self) -> usize;
}

/// The timers of one engine: at most one expiry for each key.
///
/// ```
/// use pc_proto::{TimerKey, TimerTable};
/// use std::time::{Duration, Instant};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Timer { Retransmit, Idle }
/// impl TimerKey for Timer {
///     const ALL: &'static [Self] = &[Timer::Retransmit, Timer::Idle];
///     fn index(self) -> usize { self as usize }
/// }
///
/// # #[allow(clippy::disallowed_methods)]
/// let now = Instant::now();
/// let mut timers = TimerTable::<Timer, 2>::new();
/// timers.set(Timer::Idle, now + Duration::from_secs(30));
/// timers.set(Timer::Retransmit, now);
/// assert_eq!(timers.expired(now), Some(Timer::Retransmit)); // stopped by firing
/// assert_eq!(timers.expired(now), None);
/// assert_eq!(timers.next(), Some(now + Duration::from_secs(30)));
/// ```
#[derive(Clone)]
pub struct TimerTable<K, const N: usize> {
    at: [Option<Instant>; N],
    keys: PhantomData<K>,
}

impl<K: TimerKey, const N: usize> TimerTable<K, N> {
    /// A table in which no timer runs.
    ///
    /// `N` must be the number of keys; another number does not compile.
    pub const fn new() -> Self {
        const { assert!(K::ALL.len() == N, "N is the number of timer keys") };
        Self {
            at: [None; N],
            keys: PhantomData,
        }
    }

    /// Starts `timer`, or moves it, to fire at `at`.
    pub fn set(&mut self, timer: K, at: Instant) {
        if let Some(slot) = self.at.get_mut(timer.index()) {
            *slot = Some(at);
        }
    }

    /// Starts `timer` unless it runs already and would fire earlier.
    pub fn set_earlier(&mut self, timer: K, at: Instant) {
        self.set(timer, self.get(timer).map_or(at, |old| old.min(at)));
    }

    /// Stops `timer`; does nothing when it is not running.
    pub fn stop(&mut self, timer: K) {
        if let Some(slot) = self.at.get_mut(timer.index()) {
            *slot = None;
        }
    }

    /// Stops every timer.
    pub fn stop_all(&mut self) {
        self.at = [None; N];
    }

    /// When `timer` fires, if it runs.
    pub fn get(&self, timer: K) -> Option<Instant> {
        self.at.get(timer.index()).copied().flatten()
    }

    /// When the next timer fires.
    pub fn next(&self) -> Option<Instant> {
        self.at.iter().copied().flatten().min()
    }

    /// A timer that is due at `now`, earliest first; it is stopped.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let due = |key: &K| self.get(*key).filter(|at| *at <= now);
        let key = *K::ALL
            .iter()
            .filter(|key| due(key).is_some())
            .min_by_key(|key| due(key))?;
        self.stop(key);
        Some(key)
    }
}

impl<K: TimerKey, const N: usize> Default for TimerTable<K, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: TimerKey + fmt::Debug, const N: usize> fmt::Debug for TimerTable<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = K::ALL.iter().filter_map(|key| Some((key, self.get(*key)?)));
        f.debug_map().entries(running).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms};

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Key {
        A,
        B,
    }

    impl TimerKey for Key {
        const ALL: &'static [Self] = &[Key::A, Key::B];
        fn index(self) -> usize {
            self as usize
        }
    }

    #[test]
    fn earliest_fires_first_and_ties_in_key_order() {
        let now = epoch();
        let mut timers = TimerTable::<Key, 2>::new();
        timers.set(Key::A, now + ms(2));
        timers.set(Key::B, now + ms(1));
        assert_eq!(timers.expired(now), None);
        let later = now + ms(5);
        assert_eq!(timers.expired(later), Some(Key::B));
        assert_eq!(timers.expired(later), Some(Key::A));
        assert_eq!(timers.next(), None);
        timers.set(Key::A, now);
        timers.set(Key::B, now);
        assert_eq!(timers.expired(now), Some(Key::A));
    }

    #[test]
    fn set_earlier_keeps_the_earlier() {
        let now = epoch();
        let mut timers = TimerTable::<Key, 2>::new();
        timers.set_earlier(Key::A, now + ms(5));
        timers.set_earlier(Key::A, now + ms(9));
        assert_eq!(timers.get(Key::A), Some(now + ms(5)));
        timers.set_earlier(Key::A, now);
        assert_eq!(timers.next(), Some(now));
    }
}
