use std::{
    collections::VecDeque,
    fmt,
    ops::{Deref, DerefMut},
    time::Instant,
};

use pc_proto::{Batch, Protocol};

use crate::{EventOf, Node, RejectedOf, RouteOf, lazy::Lazy};

/// More batches or events than this in one go, at one instant, are an engine that never stops.
const ENDLESS: usize = 100_000;

/// One host of a simulation: a node and what it has reported so far. It derefs to the node.
pub struct Host<N: Node> {
    /// The engine, or the adapter around it.
    pub node: N,
    /// What the engine reported, in order. A test may take from it at any time.
    pub events: Vec<EventOf<N>>,
    /// Why the engine dropped datagrams, in order.
    pub rejected: Vec<RejectedOf<N>>,
    pub(crate) inbox: VecDeque<(RouteOf<N>, Vec<u8>)>,
    pub(crate) lazy: Option<Lazy>,
    /// The test may have called the engine since the last turn.
    stirred: bool,
}

/// What a host sent in one turn, and the memory it is written through.
pub(crate) struct Outbox<R> {
    pub(crate) sent: Vec<(R, Vec<u8>)>,
    batch: Batch,
    pub(crate) mtu: usize,
    pub(crate) max_datagrams: usize,
}

impl<R> Outbox<R> {
    pub(crate) const fn new() -> Self {
        Self {
            sent: Vec::new(),
            batch: Batch::new(),
            mtu: 1200,
            max_datagrams: 32,
        }
    }
}

impl<N: Node> Host<N> {
    pub(crate) const fn new(node: N, lazy: Option<Lazy>) -> Self {
        Self {
            node,
            events: Vec::new(),
            rejected: Vec::new(),
            inbox: VecDeque::new(),
            lazy,
            stirred: true,
        }
    }

    /// Takes the events out.
    pub fn take_events(&mut self) -> Vec<EventOf<N>> {
        std::mem::take(&mut self.events)
    }

    /// Whether an event fulfils `condition`.
    pub fn saw(&self, condition: impl FnMut(&EventOf<N>) -> bool) -> bool {
        self.events.iter().any(condition)
    }

    /// When the host wants its next turn.
    pub(crate) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        if let Some(lazy) = &self.lazy {
            return lazy.wakes_at;
        }
        if self.stirred || !self.inbox.is_empty() {
            return Some(now);
        }
        self.node.engine().poll_timeout()
    }

    /// The test may have called the engine: whatever was idle may have work.
    pub(crate) fn stir(&mut self, now: Instant) {
        self.stirred = true;
        if let Some(lazy) = &mut self.lazy {
            lazy.stir(now);
        }
    }

    /// A datagram arrives.
    pub(crate) fn arrive(&mut self, route: RouteOf<N>, datagram: Vec<u8>, now: Instant) {
        self.inbox.push_back((route, datagram));
        if let Some(lazy) = &mut self.lazy {
            lazy.stir(now);
        }
    }

    /// One turn, if it is time: takes in what has arrived, lets timers run, polls until idle.
    pub(crate) fn turn(&mut self, now: Instant, out: &mut Outbox<RouteOf<N>>) {
        if self.wakes_at(now).is_none_or(|at| at > now) {
            return;
        }
        self.stirred = false;
        if let Some(mut lazy) = self.lazy.take() {
            lazy.turn(self, now, out);
            self.lazy = Some(lazy);
            return;
        }
        while self.take_one(now) {}
        if self.is_due(now) {
            self.node.engine_mut().handle_timeout(now);
        }
        self.node.pull(now);
        self.poll(now, out);
    }

    fn poll(&mut self, now: Instant, out: &mut Outbox<RouteOf<N>>) {
        let mut batches = 0;
        while self.transmit_one(now, out) {
            batches += 1;
            assert!(batches < ENDLESS, "poll_transmit does not become idle");
        }
        let reported = self.events.len();
        while self.event_one() {
            let endless = self.events.len() - reported > ENDLESS;
            assert!(!endless, "poll_event does not become idle");
        }
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let timeout = self.node.engine().poll_timeout();
        timeout.is_some_and(|at| at <= now)
    }

    /// Feeds the engine one datagram, if there is one.
    pub(crate) fn take_one(&mut self, now: Instant) -> bool {
        let Some((route, mut datagram)) = self.inbox.pop_front() else {
            return false;
        };
        let engine = self.node.engine_mut();
        match engine.handle_input(now, route, &mut datagram) {
            Ok(payload) => self.node.payload(now, route, payload),
            Err(rejected) => self.rejected.push(rejected),
        }
        true
    }

    /// Asks for one batch; whether there was one.
    pub(crate) fn transmit_one(&mut self, now: Instant, out: &mut Outbox<RouteOf<N>>) -> bool {
        let mut buf = out.batch.transmit_buf(out.mtu, out.max_datagrams);
        let route = self.node.engine_mut().poll_transmit(now, &mut buf);
        let Some(route) = route else {
            let nothing = out.batch.is_empty();
            assert!(nothing, "poll_transmit appended datagrams without a route");
            return false;
        };
        let something = !out.batch.is_empty();
        assert!(something, "poll_transmit named a route but sent nothing");
        let datagrams = out.batch.datagrams();
        out.sent
            .extend(datagrams.map(|datagram| (route, datagram.to_vec())));
        true
    }

    /// Asks for one event; whether there was one.
    pub(crate) fn event_one(&mut self) -> bool {
        let event = self.node.engine_mut().poll_event();
        let some = event.is_some();
        self.events.extend(event);
        some
    }
}

impl<N: Node> Deref for Host<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N: Node> DerefMut for Host<N> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

impl<N: Node> fmt::Debug for Host<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("events", &self.events.len())
            .field("rejected", &self.rejected)
            .field("inbox", &self.inbox.len())
            .finish_non_exhaustive()
    }
}
