//! The task between engines and sockets: one for each endpoint, whatever its connections number.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    future::poll_fn,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Instant,
};

use pc_net::{Claim, Demux, Listener, StreamError, TlsOptions, UdpSocket};
use pc_proto::{Batch, FiveTuple, Protocol, Transport};

use super::{
    inbox::{Command, Inbox, Key},
    reach::Reach,
    shared::Shared,
    streams::{StreamId, Streams},
};
use crate::{clock, config::HostAddresses, engine};

/// UDP payload bytes that every path is trusted to carry; what browsers use for DTLS.
pub(super) const MTU: usize = 1200;

/// Datagrams in a batch: what one GSO send of full datagrams can take.
pub(super) const BATCH: usize = pc_proto::MAX_GSO_BYTES / MTU;

/// Batches that one connection may send before the others get their turn.
const BATCHES_PER_TURN: usize = 16;

mod costs;
mod datagrams;
mod driven;
mod hosts;
mod network;
mod outside;
mod own_sockets;
mod sockets;
mod tcp;

use costs::Networks;
use driven::Driven;
use network::Network;
use sockets::{Received, Sockets};

pub(crate) struct Driver {
    inbox: Arc<Inbox>,
    /// Set when the endpoint's last handle is gone.
    unused: Arc<AtomicBool>,
    sockets: Sockets,
    streams: Streams,
    reach: Reach,
    network: Network,
    networks: Networks,
    connections: HashMap<Key, Driven>,
    demux: Demux<Key>,
    /// May name expiries that have moved since: a look that finds nothing to do is harmless.
    timers: BinaryHeap<Reverse<(Instant, Key)>>,
    /// Connections that have something to do now.
    turns: Vec<Key>,
    commands: Vec<Command>,
    batch: Batch,
}

impl Driver {
    pub(crate) fn shared(
        inbox: Arc<Inbox>,
        unused: Arc<AtomicBool>,
        sockets: Vec<UdpSocket>,
        listeners: Vec<Listener>,
    ) -> Self {
        Self::new(inbox, unused, Sockets::shared(sockets, listeners))
    }

    /// `pool` is how many sets of sockets are bound before a transport needs them.
    pub(crate) fn private(
        inbox: Arc<Inbox>,
        unused: Arc<AtomicBool>,
        hosts: HostAddresses,
        pool: u8,
    ) -> Self {
        Self::new(inbox, unused, Sockets::private(hosts, pool))
    }

    fn new(inbox: Arc<Inbox>, unused: Arc<AtomicBool>, sockets: Sockets) -> Self {
        Self {
            inbox,
            unused,
            sockets,
            streams: Streams::default(),
            reach: Reach::new(),
            network: Network::default(),
            networks: Networks::default(),
            connections: HashMap::new(),
            demux: Demux::new(),
            timers: BinaryHeap::new(),
            turns: Vec::new(),
            commands: Vec::new(),
            batch: Batch::new(),
        }
    }

    pub(crate) async fn run(mut self) {
        loop {
            self.obey_commands();
            self.ring_timers(clock::now());
            self.take_turns().await;
            if self.is_done() {
                return;
            }
            if self.turns.is_empty() {
                self.wait().await;
            } else {
                // Somebody has more to do than one turn allows: look for input in between.
                self.receive_what_is_there().await;
            }
        }
    }

    /// Whether nobody needs this task any more. A connection's own sockets go with it, even while
    /// handles to it are still held.
    fn is_done(&self) -> bool {
        let unused = self.unused.load(Ordering::Acquire) || self.sockets.are_nobodys();
        self.connections.is_empty() && unused
    }

    fn obey_commands(&mut self) {
        let mut commands = std::mem::take(&mut self.commands);
        self.inbox.take(&mut commands);
        for command in commands.drain(..) {
            match command {
                Command::Attach(shared, tls) => self.attach(shared, &tls),
                Command::Wake(key) => self.give_turn(key),
                Command::Learn(key, tuple, claim) => self.learn(key, tuple, claim),
                Command::Unlearn(key, tuple) => self.unlearn(key, tuple),
                #[cfg(test)]
                Command::Network([gone, come]) => {
                    self.lose_addresses(&gone);
                    self.gain_addresses(&come);
                }
            }
        }
        self.commands = commands;
    }

    fn attach(&mut self, shared: Arc<Shared>, tls: &TlsOptions) {
        let key = shared.key;
        let driven = Driven::new(shared, self.reach.tls(tls));
        self.connections.insert(key, driven);
        self.give_turn(key);
    }

    fn learn(&mut self, key: Key, tuple: FiveTuple, claim: Claim) {
        if self.connections.contains_key(&key)
            // Streams are of one connection each, whose they are.
            && tuple.transport == Transport::Udp
            && let Err(taken) = self.demux.insert_tuple(tuple, key, claim)
        {
            tracing::warn!(%tuple, %taken, "two connections between the same two sockets");
        }
    }

    fn unlearn(&mut self, key: Key, tuple: FiveTuple) {
        self.demux.remove_tuple(tuple, key);
    }

    fn give_turn(&mut self, key: Key) {
        if let Some(driven) = self.connections.get_mut(&key) {
            driven.give_turn(&mut self.turns);
        }
    }

    fn ring_timers(&mut self, now: Instant) {
        self.streams.end_silence(now);
        while let Some(Reverse((at, key))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            if let Some(driven) = self.connections.get_mut(&key)
                && driven.timer == Some(at)
            {
                driven.timer = None;
                self.give_turn(key);
            }
        }
    }

    async fn take_turns(&mut self) {
        for key in std::mem::take(&mut self.turns) {
            let Some(driven) = self.connections.get_mut(&key) else {
                continue;
            };
            driven.turn = false;
            let shared = driven.shared.clone();
            shared.being_looked_at();
            let is_all_done = self.run_engine(&shared);
            let is_all_sent = self.send_all(&shared).await;
            if !(is_all_done && is_all_sent) {
                self.give_turn(key);
            }
            self.settle(key);
        }
    }

    /// Timers, the candidates that the operation before has set off, and one operation, whose events
    /// come before its outcome; whether nothing is left to do at once.
    ///
    /// As with a promise, whoever awaits an operation is to find the state that it left, and hears of
    /// candidates later: both wait for the connection's next turn, before which the runtime's other
    /// tasks run.
    fn run_engine(&mut self, shared: &Arc<Shared>) -> bool {
        let now = clock::now();
        let mut inner = shared.lock();
        inner.engine.handle_timeout(now);
        self.fill_pool(shared.key, &mut inner.engine, now);
        self.gather(shared.key, &mut inner.engine, now);
        while let Some(request) = inner.engine.poll_server_request() {
            self.set_out(shared.key, request);
        }
        while let Some(request) = inner.engine.poll_name_request() {
            self.reach.look_up(shared.key, request);
        }
        shared.publish(&mut inner);
        if let Some(operation) = inner.operations.pop_front() {
            let report = operation(&mut inner.engine, now);
            shared.publish(&mut inner);
            report();
        }
        let is_chain_empty = inner.operations.is_empty();
        if is_chain_empty {
            inner.engine.update_negotiation_needed();
            shared.publish(&mut inner);
        }
        // Where names are awaited, their arrival gives the next turn.
        let waits = !inner.engine.needs_gathering() || self.awaits_names(shared.key);
        is_chain_empty && waits
    }

    fn gather(&mut self, key: Key, engine: &mut engine::Connection, now: Instant) {
        if engine.needs_gathering() {
            let waiting: Vec<_> = engine.ungathered_transports().collect();
            for id in waiting {
                if self.sockets.hosts().is_some() {
                    // First, so that no change is missed in between.
                    self.network.begin();
                }
                let addresses = self.sockets.addresses_for(id, engine.next_pooled());
                if !self.are_named(key, engine, &addresses) {
                    continue;
                }
                let ips: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
                engine.set_networks(&self.networks.of(&ips));
                let wanted = engine.tcp_candidates();
                let tcp = self.sockets.tcp_addresses(id, &addresses, wanted);
                engine.set_tcp_addresses(id, &tcp);
                engine.gather_transport(now, id, &addresses);
            }
        }
    }

    /// Binds what the pool wants, and has the servers asked from there.
    fn fill_pool(&mut self, key: Key, engine: &mut engine::Connection, now: Instant) {
        for _ in 0..engine.unfilled_pool() {
            self.network.begin();
            let mut bound = Vec::new();
            self.sockets.fill_pool(|addresses| {
                bound.extend_from_slice(addresses);
                engine.gather_ahead(now, addresses)
            });
            // Their names are found meanwhile.
            self.are_named(key, engine, &bound);
        }
    }

    /// Sends what the connection has to send; `false` when it has more than its turn allows.
    async fn send_all(&mut self, shared: &Arc<Shared>) -> bool {
        for _ in 0..BATCHES_PER_TURN {
            let Some(route) = shared.poll_transmit(clock::now(), &mut self.batch) else {
                return true;
            };
            if route.transport == Transport::Tcp {
                self.streams.send(route, &self.batch);
                continue;
            }
            let is_for_one = self.sockets.hosts().is_some() || !engine::asks_server(&self.batch);
            if self.sockets.has(route.local) && is_for_one {
                // Answers come back on the path a check went out on. A server may be asked by several
                // connections from one socket, unless that is a connection's own.
                let _ = self.demux.insert_tuple(route, shared.key, Claim::Tried);
            }
            self.sockets.send(route, &self.batch).await;
        }
        false
    }

    /// Brings timer, user fragments and sockets up to date, or lets go of a connection that has
    /// ended.
    fn settle(&mut self, key: Key) {
        let Some(driven) = self.connections.get_mut(&key) else {
            return;
        };
        let shared = driven.shared.clone();
        let mut inner = shared.lock();
        if inner.engine.is_drained() {
            let events = inner.end_events();
            drop(inner);
            drop(events);
            self.let_go(key);
            return;
        }
        let timer = inner.engine.poll_timeout();
        driven.follow_ufrags(&inner.engine, &mut self.demux);
        driven.follow_transactions(&inner.engine, &mut self.demux);
        // A transport that was bundled away has said goodbye.
        let engine = &inner.engine;
        self.sockets
            .release(|id| engine.needs_sockets(id), |id| engine.needs_pooled(id));
        let asks_from = |local| inner.engine.needs_server_socket(local);
        self.sockets.release_own(key, asks_from);
        while let Some(request) = inner.engine.poll_connect_request() {
            self.reach.connect(key, request);
        }
        let is_needed = |path| inner.engine.needs_stream(path);
        self.streams.close(key, clock::now(), is_needed);
        drop(inner);
        if let Some(at) = timer
            && driven.timer.is_none_or(|before| at < before)
        {
            driven.timer = Some(at);
            self.timers.push(Reverse((at, key)));
        }
    }

    fn let_go(&mut self, key: Key) {
        self.connections.remove(&key);
        self.demux.remove_key(key);
        self.streams.close_all(key);
        self.sockets.let_go(key);
    }

    /// Until a datagram, a command or a timer comes.
    async fn wait(&mut self) {
        let inbox = self.inbox.clone();
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let timer = timer.into_iter().chain(self.streams.silence_ends()).min();
        let alarm = async {
            match timer {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inbox.rung() => {}
            () = alarm => {}
            arrival = self.reach.next() => self.arrive(arrival),
            change = self.network.changed() => self.follow_interfaces(&change),
            ready = receive(&mut self.sockets, &mut self.streams) => {
                self.take(ready);
            }
        }
    }

    fn take(&mut self, ready: Ready) {
        match ready {
            Ready::Socket(Received::Datagrams(number, Ok(()))) => self.dispatch(number),
            Ready::Socket(Received::Datagrams(number, Err(error))) => {
                self.lose_socket(number, &error);
            }
            Ready::Socket(Received::ForOne(key, local, Ok(()))) => self.dispatch_own(key, local),
            Ready::Socket(Received::ForOne(key, local, Err(error))) => {
                self.lose_own_socket(key, local, &error);
            }
            Ready::Socket(Received::Accepted(stream)) => self.streams.accept(clock::now(), *stream),
            Ready::Stream(id, Ok(())) => self.dispatch_stream(id),
            Ready::Stream(id, Err(error)) => self.lose_stream(id, &error),
        }
    }

    async fn receive_what_is_there(&mut self) {
        // Lets the runtime's other tasks run too.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            change = self.network.changed() => self.follow_interfaces(&change),
            ready = receive(&mut self.sockets, &mut self.streams) => {
                self.take(ready);
            }
            () = std::future::ready(()) => {}
        }
    }
}

impl Drop for Driver {
    /// Mostly there is no connection left. But a runtime may end before its connections do, and a
    /// connection may have come and gone while this task was about to end.
    fn drop(&mut self) {
        for command in self.inbox.close() {
            if let Command::Attach(shared, _) = command {
                shared.abandon();
            }
        }
        for driven in self.connections.values() {
            driven.shared.abandon();
        }
    }
}

/// What has something to read, or has ended.
enum Ready {
    Socket(Received),
    /// The datagrams wait in the stream.
    Stream(StreamId, Result<(), StreamError>),
}

/// Receives from whichever socket or stream has something. Streams write what is queued meanwhile.
async fn receive(sockets: &mut Sockets, streams: &mut Streams) -> Ready {
    poll_fn(|cx| {
        if let Poll::Ready((id, result)) = streams.poll(cx) {
            return Poll::Ready(Ready::Stream(id, result));
        }
        sockets.poll_recv(cx).map(Ready::Socket)
    })
    .await
}
