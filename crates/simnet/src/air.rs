use std::{
    collections::BTreeMap,
    fmt::Debug,
    time::{Duration, Instant},
};

use rand_chacha::ChaCha8Rng;

use crate::{
    Fate, LazyDriver, Record, Route, Seed, Trace, epoch,
    host::Outbox,
    lazy::Lazy,
    link::{Arrival, Passage, Wire},
    secs,
};

/// How many lines of the trace a failure prints.
const PRINTED: usize = 60;

/// What lies between the hosts: the clock, and the datagrams under way.
pub(crate) struct Air<R: Route> {
    pub(crate) now: Instant,
    pub(crate) seed: Seed,
    pub(crate) trace: Trace,
    pub(crate) outbox: Outbox<R>,
    pub(crate) driver: Option<LazyDriver>,
    pub(crate) time_limit: Duration,
    pub(crate) step_limit: u64,
    rng: ChaCha8Rng,
    /// By arrival, then in the order in which they were sent.
    under_way: BTreeMap<(Instant, u64), UnderWay<R>>,
    sent: u64,
}

/// A datagram between two hosts.
pub(crate) struct UnderWay<R> {
    pub(crate) to: usize,
    /// As the receiver sees it.
    pub(crate) route: R,
    pub(crate) datagram: Vec<u8>,
    pub(crate) from: Option<usize>,
}

impl<R: Route> Air<R> {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            now: epoch(),
            seed,
            trace: Trace::default(),
            outbox: Outbox::new(),
            driver: None,
            time_limit: secs(600),
            step_limit: 1_000_000,
            rng: seed.rng("simnet links"),
            under_way: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(crate) fn lazy(&self, host: usize) -> Option<Lazy> {
        let rng = self.seed.rng(&format!("simnet driver {host}"));
        Some(Lazy::new(self.driver?, rng))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - epoch()
    }

    /// Sends a datagram over `wire`; `route` is as the sender sees it.
    pub(crate) fn send(
        &mut self,
        wire: &mut Wire,
        (from, to): (Option<usize>, usize),
        route: R,
        mut datagram: Vec<u8>,
    ) {
        let passage = wire.pass(self.now, &mut datagram, &mut self.rng);
        let passage = match passage {
            Ok(passage) => passage,
            Err(why) => {
                let fate = Fate::Dropped(why);
                return self.record((from, Some(to)), route, datagram.len(), fate);
            }
        };
        let Passage {
            corrupted,
            arrivals,
        } = passage;
        for Arrival { at, duplicate } in arrivals.into_iter().flatten() {
            let fate = Fate::Delivered {
                at: at - epoch(),
                corrupted,
                duplicate,
            };
            self.record((from, Some(to)), route, datagram.len(), fate);
            let under_way = UnderWay {
                to,
                route: route.turned(),
                datagram: datagram.clone(),
                from,
            };
            self.under_way.insert((at, self.sent), under_way);
            self.sent += 1;
        }
    }

    /// Notes a datagram's fate; `route` is as the sender sees it.
    pub(crate) fn record(
        &mut self,
        (from, to): (Option<usize>, Option<usize>),
        route: R,
        len: usize,
        fate: Fate,
    ) {
        self.trace.push(Record {
            at: self.now - epoch(),
            from,
            to,
            addresses: route.addresses(),
            len,
            fate,
        });
    }

    /// When the next datagram arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// The next datagram that has arrived by now.
    pub(crate) fn arrived(&mut self) -> Option<UnderWay<R>> {
        let entry = self.under_way.first_entry()?;
        let has_arrived = entry.key().0 <= self.now;
        has_arrived.then(|| entry.remove())
    }
}

impl<R: Route> Drop for Air<R> {
    /// Says how to replay a simulation that a panic ends.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, at) = (self.seed, self.elapsed());
            let tail = self.trace.tail(PRINTED);
            eprintln!(
                "simulation with seed {seed} ended by a panic at {at:.3?} of virtual time, after \
                 {} datagrams; SIM_SEED={seed} replays it. The last of them:\n{tail}",
                self.trace.total()
            );
        }
    }
}

impl<R: Route> Debug for Air<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Air")
            .field("seed", &self.seed.0)
            .field("elapsed", &self.elapsed())
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
