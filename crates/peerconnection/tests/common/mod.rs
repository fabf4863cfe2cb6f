//! Two engines on a simulated network, with signaling that has a delay of its own.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.

use std::{net::SocketAddr, time::Duration, time::Instant};

use pc_proto::Protocol;
use pc_simnet::{HostId, LazyDriver, Link, Network, Node, Seed, ms};
use peerconnection::{
    Certificate, Error, IceCandidate, SessionDescription,
    engine::{ChannelId, Config, Connection, Event, Message},
    state::DataChannelState,
};

/// A connection and what came out of it.
pub struct Peer {
    pub engine: Connection,
    pub address: SocketAddr,
    /// Every channel's messages; text as it is, binary behind a marker.
    pub received: Vec<(ChannelId, Vec<u8>)>,
    /// Leaves messages where they are.
    pub slow: bool,
}

impl Peer {
    fn new(seed: Seed, name: &str, address: SocketAddr) -> Self {
        let unix_time = Duration::from_secs(1_795_000_000);
        let certificate = Certificate::generate(unix_time).unwrap();
        let engine = Connection::new(Config::new(certificate, seed.bytes(name)));
        Self {
            engine,
            address,
            received: Vec::new(),
            slow: false,
        }
    }

    pub fn texts(&self) -> Vec<String> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        self.received.iter().map(|(_, bytes)| text(bytes)).collect()
    }
}

impl Node for Peer {
    type Engine = Connection;

    fn engine(&self) -> &Connection {
        &self.engine
    }

    fn engine_mut(&mut self) -> &mut Connection {
        &mut self.engine
    }

    fn pull(&mut self, now: Instant) {
        let ids: Vec<_> = self.engine.channels().map(|(id, _)| id).collect();
        for id in ids.into_iter().filter(|_| !self.slow) {
            let mut message = Vec::new();
            while self.engine.recv(now, id, &mut message).is_some() {
                self.received.push((id, message.clone()));
            }
        }
    }
}

pub const A: HostId = HostId(0);
pub const B: HostId = HostId(1);

/// What the signaling server does with a description on its way.
pub type Tamper = fn(SessionDescription) -> SessionDescription;

pub struct Call {
    pub net: Network<Peer>,
    tamper: Tamper,
    taken: [usize; 2],
}

impl Call {
    pub fn new(seed: impl Into<Seed>, link: Link) -> Self {
        let seed = seed.into();
        let mut net = Network::new(seed).with_link(link);
        for (name, address) in [("a", "192.0.2.1:5000"), ("b", "198.51.100.2:6000")] {
            let address = address.parse().unwrap();
            net.add(Peer::new(seed, name, address), &[address]);
        }
        Self {
            net,
            tamper: |description| description,
            taken: [0; 2],
        }
    }

    pub fn lazily(mut self) -> Self {
        self.net = self.net.with_driver(LazyDriver::default());
        self
    }

    pub fn tampering(mut self, tamper: Tamper) -> Self {
        self.tamper = tamper;
        self
    }

    pub fn channel(&mut self, at: HostId, label: &str) -> ChannelId {
        let now = self.net.now();
        let init = Default::default();
        self.net[at]
            .engine
            .create_data_channel(now, label, init)
            .unwrap()
    }

    /// A's offer and B's answer, without candidates; those are trickled by [`run`](Self::run).
    pub fn negotiate(&mut self) -> Result<(), Error> {
        self.negotiate_from(A, B)
    }

    pub fn negotiate_from(&mut self, offerer: HostId, answerer: HostId) -> Result<(), Error> {
        let now = self.net.now();
        let offer = self.set_local(offerer);
        self.net[answerer]
            .engine
            .set_remote_description(now, (self.tamper)(offer))?;
        self.gather(offerer);
        let answer = self.set_local(answerer);
        self.net[offerer]
            .engine
            .set_remote_description(now, (self.tamper)(answer))?;
        self.gather(answerer);
        Ok(())
    }

    fn set_local(&mut self, host: HostId) -> SessionDescription {
        let now = self.net.now();
        let engine = &mut self.net[host].engine;
        engine.set_local_description(now, None).unwrap();
        engine.local_description().unwrap()
    }

    fn gather(&mut self, host: HostId) {
        let now = self.net.now();
        let address = self.net[host].address;
        self.net[host].engine.gather(now, &[address]);
    }

    /// Runs until the condition holds, carrying candidates as they are announced.
    #[track_caller]
    pub fn run(&mut self, condition: impl Fn(&Network<Peer>) -> bool) {
        let mut taken = self.taken;
        self.net.drive(|net| {
            for (from, to) in [(A, B), (B, A)] {
                for candidate in new_candidates(net, from, &mut taken[from.0]) {
                    let now = net.now();
                    net[to].engine.add_ice_candidate(now, candidate).unwrap();
                }
            }
            condition(net)
        });
        self.taken = taken;
    }

    pub fn run_for(&mut self, time: Duration) {
        let until = self.net.now() + time;
        // Something may have to wake the loop at the end.
        self.net.run_until(until);
    }

    pub fn send(&mut self, from: HostId, channel: ChannelId, text: &str) {
        let now = self.net.now();
        self.net[from]
            .engine
            .send(now, channel, Message::Text(text))
            .unwrap();
    }

    /// A call with one channel "chat", open on both sides.
    pub fn open(seed: impl Into<Seed>, link: Link) -> (Self, ChannelId, ChannelId) {
        Self::new(seed, link).opened()
    }

    pub fn opened(mut self) -> (Self, ChannelId, ChannelId) {
        let chat = self.channel(A, "chat");
        self.negotiate().unwrap();
        self.run(|net| is_open(net, A) && is_open(net, B));
        let (there, _) = self.net[B].engine.channels().next().unwrap();
        (self, chat, there)
    }
}

fn new_candidates(
    net: &Network<Peer>,
    host: HostId,
    taken: &mut usize,
) -> Vec<Option<IceCandidate>> {
    let events = &net[host].events[*taken..];
    let candidate = |event: &Event| match event {
        Event::IceCandidate(Some(candidate)) => Some(Some((**candidate).clone())),
        _ => None,
    };
    let found = events.iter().filter_map(candidate).collect();
    *taken += events.len();
    found
}

pub fn is_open(net: &Network<Peer>, host: HostId) -> bool {
    let mut channels = net[host].engine.channels();
    channels.any(|(_, channel)| channel.state == DataChannelState::Open)
}

/// The far side of a good consumer network.
pub fn good() -> Link {
    Link::new().delay(ms(20))
}

pub fn bad() -> Link {
    Link::new()
        .delay(ms(20))
        .jitter(ms(5))
        .loss(0.3)
        .reorder(0.2, ms(30))
        .duplicate(0.1)
}

/// The user fragment in use.
pub fn ufrag(engine: &Connection) -> &str {
    engine.local_ufrags().next().unwrap()
}

/// All that a forged datagram must not change.
pub fn digest(engine: &Connection) -> String {
    let channels: Vec<_> = engine.channels().collect();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {channels:?} {:?}",
        engine.signaling_state(),
        engine.ice_connection_state(),
        engine.connection_state(),
        engine.dtls_state(),
        engine.sctp_state(),
        engine.transport_info().candidate_pair,
        engine.poll_timeout().is_some(),
    )
}
