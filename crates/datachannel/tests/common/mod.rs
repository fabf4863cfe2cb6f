//! A session with an application that reads.
#![allow(dead_code, unreachable_pub)]

use std::time::Instant;

use pc_datachannel::{ChannelId, Config, Event, MessageKind, Role, Session};
use pc_simnet::{Host, Node, Pair, Seed};

/// A session and what was read from it.
pub struct Peer {
    pub session: Session,
    pub received: Vec<(ChannelId, MessageKind, Vec<u8>)>,
    /// Reads nothing when false.
    pub reads: bool,
}

impl Peer {
    pub fn new(session: Session) -> Self {
        Self {
            session,
            received: Vec::new(),
            reads: true,
        }
    }

    /// The messages of one channel.
    pub fn of(&self, id: ChannelId) -> Vec<&[u8]> {
        let of_it = self.received.iter().filter(|(from, ..)| *from == id);
        of_it.map(|(_, _, bytes)| &bytes[..]).collect()
    }
}

impl Node for Peer {
    type Engine = Session;

    fn engine(&self) -> &Session {
        &self.session
    }

    fn engine_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    fn pull(&mut self, now: Instant) {
        let ids: Vec<ChannelId> = self.session.channels().map(|(id, _)| id).collect();
        let mut message = Vec::new();
        for id in ids.into_iter().filter(|_| self.reads) {
            while let Some(kind) = self.session.recv(now, id, &mut message) {
                self.received.push((id, kind, message.clone()));
            }
        }
    }
}

pub fn config(seed: Seed, purpose: &str) -> Config {
    let mut config = Config {
        seed: seed.bytes(purpose),
        ..Config::default()
    };
    config.sctp.max_message_size = 262_144;
    config
}

/// Two sessions that do not know each other yet: a is the DTLS client.
pub fn strangers(seed: impl Into<Seed>) -> Pair<Peer> {
    let seed = seed.into();
    let mut a = Session::new(config(seed, "a"));
    let mut b = Session::new(config(seed, "b"));
    a.set_role(pc_simnet::epoch(), Role::Client);
    b.set_role(pc_simnet::epoch(), Role::Server);
    Pair::new(seed, Peer::new(a), Peer::new(b))
}

/// Has both connect.
pub fn connect(pair: &mut Pair<Peer>) {
    let now = pair.now();
    pair.a.session.connect(now);
    pair.b.session.connect(now);
    pair.run(|pair| {
        let up = |host: &Host<Peer>| host.saw(|event| *event == Event::Connected);
        up(&pair.a) && up(&pair.b)
    });
}

pub fn connected(seed: impl Into<Seed>) -> Pair<Peer> {
    let mut pair = strangers(seed);
    connect(&mut pair);
    pair
}

/// The channels that the peer of `host` opened, oldest first.
pub fn incoming(host: &Host<Peer>) -> Vec<ChannelId> {
    let events = host.events.iter();
    events
        .filter_map(|event| match event {
            Event::Incoming(id) => Some(*id),
            _ => None,
        })
        .collect()
}

pub fn messages(host: &Host<Peer>) -> Vec<(MessageKind, Vec<u8>)> {
    let received = host.received.iter();
    received
        .map(|(_, kind, bytes)| (*kind, bytes.clone()))
        .collect()
}
