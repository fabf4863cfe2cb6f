use std::time::{Duration, Instant};

use pc_proto::Protocol;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    Host, Node, RouteOf,
    host::Outbox,
    link::{chance, up_to},
};

/// A driver that keeps no order and no time: the test of the contract's second rule, that no call
/// order is needed for correctness.
///
/// At each of its turns it makes a random selection of the calls in a random order: it feeds some
/// of the datagrams that have arrived, asks for some of the batches (of random size) and some of the
/// events, lets due timers wait, calls `handle_timeout` when nothing is due, and calls what has
/// just returned `None` again. What it leaves undone it comes back to within [`delay`](Self::delay).
/// It keeps the order of datagrams, batches and events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LazyDriver {
    /// How long at most it leaves due work lying before the next turn. Each call is then still
    /// skipped with the probability [`skip`](Self::skip).
    pub delay: Duration,
    /// The probability of skipping a call in one turn; below 1.
    pub skip: f64,
    /// The probability of a turn when there is nothing to do.
    pub spurious: f64,
}

impl Default for LazyDriver {
    /// 10 ms, one half, one eighth.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            skip: 0.5,
            spurious: 0.125,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Input,
    Timeout,
    Pull,
    Transmit,
    Event,
}

const CALLS: [Call; 5] = [
    Call::Input,
    Call::Timeout,
    Call::Pull,
    Call::Transmit,
    Call::Event,
];

/// The driver of one host and what it has left undone.
pub(crate) struct Lazy {
    driver: LazyDriver,
    rng: ChaCha8Rng,
    /// Calls, by index, that have not come to `None` since the engine last changed.
    pending: [bool; CALLS.len()],
    pub(crate) wakes_at: Option<Instant>,
}

impl Lazy {
    pub(crate) const fn new(driver: LazyDriver, rng: ChaCha8Rng) -> Self {
        Self {
            driver,
            rng,
            pending: [true; CALLS.len()],
            wakes_at: None,
        }
    }

    pub(crate) fn stir(&mut self, now: Instant) {
        self.pending = [true; CALLS.len()];
        let soon = now + up_to(&mut self.rng, self.driver.delay);
        self.wakes_at = Some(self.wakes_at.map_or(soon, |at| at.min(soon)));
    }

    pub(crate) fn turn<N: Node>(
        &mut self,
        host: &mut Host<N>,
        now: Instant,
        out: &mut Outbox<RouteOf<N>>,
    ) {
        let max_datagrams = out.max_datagrams;
        let mut calls = CALLS;
        calls.shuffle(&mut self.rng);
        for call in calls {
            while !chance(&mut self.rng, self.driver.skip) {
                out.max_datagrams = self.rng.random_range(1..=max_datagrams);
                self.call(call, host, now, out);
            }
        }
        out.max_datagrams = max_datagrams;
        self.sleep(host, now);
    }

    fn call<N: Node>(
        &mut self,
        call: Call,
        host: &mut Host<N>,
        now: Instant,
        out: &mut Outbox<RouteOf<N>>,
    ) {
        let changed = match call {
            Call::Input => host.take_one(now),
            Call::Timeout => {
                let due = host.is_due(now);
                host.node.engine_mut().handle_timeout(now);
                due
            }
            Call::Pull => {
                host.node.pull(now);
                self.pending[Call::Pull as usize]
            }
            Call::Transmit => host.transmit_one(now, out),
            Call::Event => host.event_one(),
        };
        let again = matches!(call, Call::Transmit | Call::Event);
        if changed {
            self.pending = [true; CALLS.len()];
        }
        self.pending[call as usize] = changed && again;
    }

    fn sleep<N: Node>(&mut self, host: &Host<N>, now: Instant) {
        let busy = !host.inbox.is_empty() || self.pending.contains(&true);
        let due = if busy {
            Some(now)
        } else {
            host.node.engine().poll_timeout().map(|at| at.max(now))
        };
        let late = up_to(&mut self.rng, self.driver.delay);
        let spurious = chance(&mut self.rng, self.driver.spurious);
        let early = spurious.then(|| now + up_to(&mut self.rng, self.driver.delay));
        self.wakes_at = due.map(|at| at + late).into_iter().chain(early).min();
    }
}
