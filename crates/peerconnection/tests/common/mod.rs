//! Two engines on a simulated network, with signaling that has a delay of its own.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.

pub mod pair;

use std::time::{Duration, Instant};

pub use pair::{A, B};
use pair::{Application, carry_candidates};
use pc_proto::Protocol;
use pc_simnet::{HostId, LazyDriver, Link, Network, Seed, ms};
use peerconnection::{
    Error, SessionDescription,
    engine::{ChannelId, Connection, Message},
    state::DataChannelState,
};

/// What came to one side.
#[derive(Default)]
pub struct Inbox {
    /// Every channel's messages; text as it is, binary behind a marker.
    pub received: Vec<(ChannelId, Vec<u8>)>,
    /// Leaves messages where they are.
    pub slow: bool,
}

impl Inbox {
    pub fn texts(&self) -> Vec<String> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        self.received.iter().map(|(_, bytes)| text(bytes)).collect()
    }
}

impl Application for Inbox {
    fn pull(&mut self, engine: &mut Connection, now: Instant) {
        let ids: Vec<_> = engine.channels().map(|(id, _)| id).collect();
        for id in ids.into_iter().filter(|_| !self.slow) {
            let mut message = Vec::new();
            while engine.recv(now, id, &mut message).is_some() {
                self.received.push((id, message.clone()));
            }
        }
    }
}

/// A connection and what came out of it.
pub type Peer = pair::Peer<Inbox>;

/// What the signaling server does with a description on its way.
pub type Tamper = fn(SessionDescription) -> SessionDescription;

pub struct Call {
    pub net: Network<Peer>,
    tamper: Tamper,
    taken: [usize; 2],
}

impl Call {
    pub fn new(seed: impl Into<Seed>, link: Link) -> Self {
        Self {
            net: pair::network(seed.into(), link, false),
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
            carry_candidates(net, &mut taken);
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
