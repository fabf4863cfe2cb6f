//! Two connections on a simulated network, whatever they are for.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.

use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;
use pc_simnet::{HostId, LazyDriver, Link, Network, Node, Seed};
use peerconnection::{
    Certificate, IceCandidate, SessionDescription,
    engine::{Config, Connection, Event, MediaPacket},
    state::PeerConnectionState,
};

pub const A: HostId = HostId(0);
pub const B: HostId = HostId(1);

/// What a test does with what comes to one side.
pub trait Application: Default {
    /// A datagram was taken; it may have been a packet of media.
    fn payload(&mut self, _at: Instant, _packet: Option<MediaPacket<'_>>) {}

    /// Takes what the engine has ready.
    fn pull(&mut self, _engine: &mut Connection, _now: Instant) {}
}

/// A connection and what came out of it; it derefs to the latter.
pub struct Peer<T> {
    pub engine: Connection,
    pub address: SocketAddr,
    application: T,
}

impl<T: Application> Peer<T> {
    fn new(seed: Seed, name: &str, address: SocketAddr) -> Self {
        let unix_time = Duration::from_secs(1_795_000_000);
        let certificate = Certificate::generate(unix_time).unwrap();
        Self {
            engine: Connection::new(Config::new(certificate, seed.bytes(name))),
            address,
            application: T::default(),
        }
    }
}

impl<T> Deref for Peer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.application
    }
}

impl<T> DerefMut for Peer<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.application
    }
}

impl<T: Application> Node for Peer<T> {
    type Engine = Connection;

    fn engine(&self) -> &Connection {
        &self.engine
    }

    fn engine_mut(&mut self) -> &mut Connection {
        &mut self.engine
    }

    fn payload(&mut self, at: Instant, _: FiveTuple, packet: Option<MediaPacket<'_>>) {
        self.application.payload(at, packet);
    }

    fn pull(&mut self, now: Instant) {
        self.application.pull(&mut self.engine, now);
    }
}

/// A and B, who know nothing of each other yet.
pub fn network<T: Application>(seed: Seed, link: Link, lazy: bool) -> Network<Peer<T>> {
    let mut net = Network::new(seed).with_link(link);
    if lazy {
        net = net.with_driver(LazyDriver::default());
    }
    for (name, address) in [("a", "192.0.2.1:5000"), ("b", "198.51.100.2:6000")] {
        let address = address.parse().unwrap();
        net.add(Peer::new(seed, name, address), &[address]);
    }
    net
}

/// A's offer and B's answer, with signaling that takes no time; runs until both are connected.
pub fn connect<T: Application>(net: &mut Network<Peer<T>>, seen: &mut [usize; 2]) {
    let now = net.now();
    let offer = describe(net, A);
    net[B].engine.set_remote_description(now, offer).unwrap();
    let answer = describe(net, B);
    net[A].engine.set_remote_description(now, answer).unwrap();
    net.drive(|net| {
        carry_candidates(net, seen);
        let is_connected =
            |it: HostId| net[it].engine.connection_state() == PeerConnectionState::Connected;
        is_connected(A) && is_connected(B)
    });
}

/// The local description of one side, which gathers from now on.
fn describe<T: Application>(net: &mut Network<Peer<T>>, host: HostId) -> SessionDescription {
    let now = net.now();
    let own = &mut net[host];
    let address = own.address;
    own.engine.set_local_description(now, None).unwrap();
    own.engine.gather(now, &[address]);
    own.engine.local_description().unwrap()
}

/// Tells each side of the candidates that the other has announced; `seen` is how many events of each were
/// looked at before.
pub fn carry_candidates<T: Application>(net: &mut Network<Peer<T>>, seen: &mut [usize; 2]) {
    for (from, to) in [(A, B), (B, A)] {
        let events = &net[from].events[seen[from.0]..];
        seen[from.0] += events.len();
        let candidates: Vec<_> = events.iter().filter_map(candidate).collect();
        for candidate in candidates {
            let now = net.now();
            let engine = &mut net[to].engine;
            engine.add_ice_candidate(now, Some(candidate)).unwrap();
        }
    }
}

fn candidate(event: &Event) -> Option<IceCandidate> {
    match event {
        Event::IceCandidate(Some(candidate)) => Some((**candidate).clone()),
        _ => None,
    }
}
