use std::time::Instant;

use crate::{Route, air::Air};

/// What the loops below need to know of a simulation.
pub(crate) trait Steps {
    type Route: Route;

    fn air(&self) -> &Air<Self::Route>;
    fn air_mut(&mut self) -> &mut Air<Self::Route>;
    /// The test may have called the engines.
    fn stir(&mut self);
    /// When something happens next, at the earliest now.
    fn next(&self) -> Option<Instant>;
    /// Everything that happens now, once.
    fn turn(&mut self);
    /// What a failure says of the hosts.
    fn describe(&self) -> String;
}

/// How a loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Fulfilled,
    /// Nothing is under way and no timer runs.
    Idle,
    /// The given time has come.
    Time,
    /// That many turns were not enough.
    Steps,
}

/// Turns until `condition`, at the latest until `until`; then it is `until`.
pub(crate) fn run<S: Steps>(
    sim: &mut S,
    until: Instant,
    mut condition: impl FnMut(&mut S) -> bool,
) -> End {
    sim.stir();
    sim.turn();
    for _ in 0..sim.air().step_limit {
        if condition(sim) {
            return End::Fulfilled;
        }
        let now = sim.air().now;
        match sim.next() {
            Some(next) if next <= until => sim.air_mut().now = next.max(now),
            next => {
                let later = until.max(now);
                if next.is_none() {
                    return End::Idle;
                }
                sim.air_mut().now = later;
                return End::Time;
            }
        }
        sim.turn();
    }
    End::Steps
}

#[track_caller]
pub(crate) fn fail<S: Steps>(sim: &S, end: End) -> ! {
    let air = sim.air();
    let why = match end {
        End::Fulfilled | End::Time => format!("not within {:?} of virtual time", air.time_limit),
        End::Idle => "nothing is under way and no timer runs".to_string(),
        End::Steps => format!("not within {} steps", air.step_limit),
    };
    panic!(
        "condition not met: {why} (seed {}, now {:.3?}, SIM_SEED={} replays it)\n{}",
        air.seed,
        air.elapsed(),
        air.seed,
        sim.describe()
    );
}

/// The methods that [`Pair`](crate::Pair) and [`Network`](crate::Network) share.
macro_rules! run_methods {
    () => {
        /// What time it is in the simulation.
        pub fn now(&self) -> Instant {
            self.air.now
        }

        /// How long the simulation has run, in virtual time.
        pub fn elapsed(&self) -> Duration {
            self.air.elapsed()
        }

        /// The seed it started from.
        pub fn seed(&self) -> Seed {
            self.air.seed
        }

        /// Every datagram that was sent, and what became of it.
        pub fn trace(&self) -> &Trace {
            &self.air.trace
        }

        /// Datagrams of at most `mtu` bytes and batches of at most `max_datagrams` from now on
        /// (at first 1,200 and 32).
        #[must_use]
        pub fn with_batches(mut self, mtu: usize, max_datagrams: usize) -> Self {
            self.air.outbox.mtu = mtu;
            self.air.outbox.max_datagrams = max_datagrams.max(1);
            self
        }

        /// One `run` fails after this much virtual time (at first ten minutes) or this many steps
        /// (at first a million).
        #[must_use]
        pub fn with_limits(mut self, time: Duration, steps: u64) -> Self {
            self.air.time_limit = time;
            self.air.step_limit = steps;
            self
        }

        /// Runs until `condition` holds.
        ///
        /// # Panics
        ///
        /// It does not hold within the [limits](Self::with_limits), or nothing can happen any more:
        /// with the seed and the last datagrams.
        #[track_caller]
        pub fn run(&mut self, condition: impl Fn(&Self) -> bool) {
            let until = self.now() + self.air.time_limit;
            match run::run(self, until, |sim| condition(sim)) {
                End::Fulfilled => {}
                end => run::fail(self, end),
            }
        }

        /// Runs until `act`, which may call the engines after every step, returns true.
        ///
        /// # Panics
        ///
        /// As [`run`](Self::run).
        #[track_caller]
        pub fn drive(&mut self, mut act: impl FnMut(&mut Self) -> bool) {
            let until = self.now() + self.air.time_limit;
            let end = run::run(self, until, |sim| {
                let done = act(sim);
                sim.stir();
                if !done && sim.air.driver.is_none() {
                    sim.turn();
                }
                done
            });
            if end != End::Fulfilled {
                run::fail(self, end);
            }
        }

        /// Runs until it is `at`.
        ///
        /// # Panics
        ///
        /// That takes more steps than the [limit](Self::with_limits).
        #[track_caller]
        pub fn run_until(&mut self, at: Instant) {
            match run::run(self, at, |_| false) {
                End::Steps => run::fail(self, End::Steps),
                _ => self.air.now = self.air.now.max(at),
            }
        }

        /// Runs for so long in virtual time.
        ///
        /// # Panics
        ///
        /// As [`run_until`](Self::run_until).
        #[track_caller]
        pub fn run_for(&mut self, time: Duration) {
            self.run_until(self.now() + time);
        }

        /// Runs until nothing is under way and no timer runs.
        ///
        /// # Panics
        ///
        /// It does not come to rest within the [limits](Self::with_limits).
        #[track_caller]
        pub fn run_until_idle(&mut self) {
            let until = self.now() + self.air.time_limit;
            match run::run(self, until, |_| false) {
                End::Idle => {}
                end => run::fail(self, end),
            }
        }

        /// Goes on to the next thing that happens, and lets it happen. False when there is none.
        pub fn step(&mut self) -> bool {
            self.stir();
            self.turn();
            let Some(next) = self.next() else {
                return false;
            };
            self.air.now = next.max(self.air.now);
            self.turn();
            true
        }
    };
}

pub(crate) use run_methods;
