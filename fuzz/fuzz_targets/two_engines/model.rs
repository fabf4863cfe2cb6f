//! Reads bytes as operations on two connections and checks what must hold whatever they are.
//!
//! Used by the fuzz target and by the test of `peerconnection` that replays its corpus.

mod faults;
mod ledger;
mod peer;

use std::{collections::VecDeque, time::Duration};

use faults::is_gentle;
use ledger::Ledger;
use pc_datachannel::MessageKind;
use pc_proto::Protocol;
use pc_simnet::{HostId, LazyDriver, Network, Seed, ms, secs};
use peer::Peer;
use peerconnection::{
    DataChannelInit, IceCandidate, SessionDescription,
    engine::{ChannelId, Event, Message, Rejected},
    state::{DataChannelState, SignalingState},
};

/// Runs the operations, then gives the connections a good network: what was sent has to arrive.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(bytes.byte(), bytes.byte());
    for _ in 0..80 {
        let Some(operation) = bytes.next() else { break };
        world.operate(operation, &mut bytes);
        world.settle();
    }
    world.recover();
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }
}

/// What the signaling server carries, in order.
enum Signal {
    Description(SessionDescription),
    Candidate(Option<IceCandidate>),
}

struct World {
    net: Network<Peer>,
    /// To each side.
    signals: [VecDeque<Signal>; 2],
    signaling_held: bool,
    ledger: Ledger,
    closed: [bool; 2],
    /// Bytes that may still be sent: a run is to be short.
    budget: usize,
    link: [u8; 2],
    cut: bool,
    /// A reason why the connection may fail: the handshake was tampered with, or the network was
    /// out for long.
    excuse: bool,
    /// A reason to expect nothing: a side was told what the other never said.
    confused: bool,
}

impl World {
    fn new(seed: u8, setup: u8) -> Self {
        let seed = Seed::from(u64::from(seed));
        let mut net = Network::new(seed).with_limits(secs(600), 50_000);
        if setup & 1 != 0 {
            net = net.with_driver(LazyDriver::default());
        }
        for (side, address) in ["192.0.2.1:5000", "198.51.100.2:6000"].iter().enumerate() {
            let address = address.parse().expect("an address");
            net.add(Peer::new(seed, side, address), &[address]);
        }
        let mut world = Self {
            net,
            signals: Default::default(),
            signaling_held: false,
            ledger: Ledger::default(),
            closed: [false; 2],
            budget: 300_000,
            link: [0; 2],
            cut: false,
            excuse: false,
            confused: false,
        };
        if setup & 2 == 0 {
            world.create(0, 0);
            world.negotiate(0);
            world.pass(secs(1));
        }
        world
    }

    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let side = usize::from(operation >> 7);
        match operation & 0x1F {
            0..=2 => {
                let millis = [1, 10, 50, 200, 1_000, 3_000, 10_000, 31_000];
                self.pass(ms(millis[usize::from(bytes.byte() % 8)]));
            }
            3 => self.create(side, bytes.byte()),
            4..=7 => self.send(side, bytes.byte(), bytes.byte()),
            8 => {
                let (channel, size) = (bytes.byte(), bytes.byte());
                (0..10).for_each(|_| self.send(side, channel, size));
            }
            9 => self.close_channel(side, bytes.byte()),
            10 => self.negotiate(side),
            11 => self.set_local(side),
            12 => self.deliver(side),
            13 => {
                self.link = [bytes.byte(), bytes.byte()];
                self.set_links();
            }
            14 => self.cut(side, bytes.byte() & 1 == 0),
            15 => self.mend(),
            16 => self.inject(side, bytes),
            17..=19 => self.replay(side, operation & 0x1F, bytes),
            20 => self.net[HostId(side)].slow ^= true,
            21 if bytes.byte() == 0xC1 => self.close(side),
            22 => self.create_negotiated(bytes.byte()),
            23 => self.misquote(side, bytes),
            24 => self.stray_candidate(side, bytes.byte()),
            25 => self.signaling_held ^= true,
            26 => self.disturb(side, bytes.byte()),
            _ => self.pass(ms(100)),
        }
    }

    fn pass(&mut self, time: Duration) {
        let outage = self.cut || self.link.iter().any(|link| !is_gentle(*link));
        self.excuse |= outage && (time >= secs(3) || !self.is_secure());
        self.excuse |= self.link.iter().any(|link| link & 0xC0 != 0) && !self.is_secure();
        self.net.run_for(time);
        self.settle();
        if !self.signaling_held {
            self.deliver_all();
        }
    }

    fn is_secure(&self) -> bool {
        [0, 1]
            .iter()
            .all(|side| self.net[HostId(*side)].is_secure())
    }

    /// Lets happen what happens now, and takes the events.
    fn settle(&mut self) {
        self.net.run_for(Duration::ZERO);
        for side in [0, 1] {
            let host = &mut self.net[HostId(side)];
            for event in host.take_events() {
                assert!(!self.closed[side], "{event:?} after close()");
                host.note(&event);
                match event {
                    Event::IceCandidate(candidate) => {
                        let signal = Signal::Candidate(candidate.map(|it| *it));
                        self.signals[1 - side].push_back(signal);
                    }
                    Event::DataChannel(id) => {
                        // One that was closed before its event was polled is gone.
                        if let Some(channel) = host.view().channel(id) {
                            let entry = self.ledger.entry(channel.label);
                            assert_eq!(entry.ordered, channel.ordered);
                            assert_eq!(entry.creator, 1 - side);
                        }
                    }
                    _ => {}
                }
            }
            let late = |it: &&Rejected| matches!(it, Rejected::Closed);
            let rejected = host.rejected.len() - host.rejected.iter().filter(late).count();
            let counted = host.view().transport_info().datagrams_rejected;
            assert_eq!(rejected as u64, counted, "rejected datagrams of {side}");
        }
    }

    fn create(&mut self, side: usize, kind: u8) {
        let init = init(kind);
        let label = format!("channel {}", self.ledger.0.len());
        let now = self.net.now();
        let peer = &mut self.net[HostId(side)];
        let made = peer
            .connection()
            .create_data_channel(now, &label, init.clone());
        if let Ok(id) = made {
            peer.connection().update_negotiation_needed();
            peer.known.insert(id);
            self.ledger.create(side, &label, &init);
        }
    }

    /// Both sides make the channel, at the same time.
    fn create_negotiated(&mut self, kind: u8) {
        if self.closed != [false; 2] {
            return;
        }
        let number = self.ledger.0.len();
        let init = DataChannelInit {
            negotiated: true,
            id: Some(1_000 + number as u16),
            ..init(kind)
        };
        let label = format!("channel {number}");
        let now = self.net.now();
        let made = [0, 1].map(|side| {
            let peer = &mut self.net[HostId(side)];
            let made = peer
                .connection()
                .create_data_channel(now, &label, init.clone());
            peer.known.extend(made.as_ref().ok());
            made
        });
        for (side, made) in made.iter().enumerate() {
            let ended = self.net[HostId(side)].has_failed();
            // A misquoted description may reject the data section, and with it the session.
            let refused = ended || self.confused;
            assert!(made.is_ok() || refused, "side {side}: {made:?}");
        }
        if made.iter().any(Result::is_ok) {
            self.ledger.create(0, &label, &init);
            self.ledger.entry(&label).forsaken = made.iter().any(Result::is_err);
        }
    }

    fn channel(&self, side: usize, choice: u8) -> Option<(ChannelId, String)> {
        let connection = self.net[HostId(side)].view();
        let count = connection.channels().count().max(1);
        let mut channels = connection.channels();
        let (id, channel) = channels.nth(usize::from(choice) % count)?;
        Some((id, channel.label.to_owned()))
    }

    fn send(&mut self, side: usize, channel: u8, size: u8) {
        let Some((id, label)) = self.channel(side, channel) else {
            return;
        };
        let lengths = [0, 1, 10, 100, 1_170, 5_000, 20_000, 70_000];
        let length = lengths[usize::from(size % 8)];
        if length >= self.budget {
            return;
        }
        let text = format!("{} ", self.budget).repeat(length);
        let bytes = text.as_bytes()[..length].to_vec();
        let (kind, message) = match std::str::from_utf8(&bytes) {
            Ok(text) if size & 8 == 0 => (MessageKind::Text, Message::Text(text)),
            _ => (MessageKind::Binary, Message::Binary(&bytes)),
        };
        let now = self.net.now();
        let connection = self.net[HostId(side)].connection();
        let open = connection.channel(id).map(|channel| channel.state);
        let sent = connection.send(now, id, message);
        let is_open = open == Some(DataChannelState::Open);
        // A misquoted description may say that the peer takes less.
        let refused = is_open && self.confused && length > 1_170;
        assert!(
            sent.is_ok() == is_open || refused,
            "{sent:?} while {open:?}"
        );
        if sent.is_ok() {
            self.budget -= length + 1;
            self.ledger.entry(&label).sent[side].push((kind, bytes));
        }
    }

    fn close_channel(&mut self, side: usize, channel: u8) {
        if let Some((id, label)) = self.channel(side, channel) {
            let now = self.net.now();
            let connection = self.net[HostId(side)].connection();
            let entry = self.ledger.entry(&label);
            entry.closed_by[side] = true;
            entry.forsaken |= connection.channel(id).is_some_and(|channel| {
                channel.negotiated && channel.state == DataChannelState::Connecting
            });
            connection.close_channel(now, id);
        }
    }

    fn close(&mut self, side: usize) {
        self.settle();
        let now = self.net.now();
        self.net[HostId(side)].connection().close(now);
        self.closed[side] = true;
    }

    /// A whole exchange, as far as the states allow it.
    fn negotiate(&mut self, offerer: usize) {
        self.deliver_all();
        self.set_local(offerer);
        self.deliver_all();
        self.set_local(1 - offerer);
        self.deliver_all();
    }

    fn set_local(&mut self, side: usize) {
        let now = self.net.now();
        let Peer { address, .. } = *self.net[HostId(side)];
        let connection = self.net[HostId(side)].connection();
        let state = connection.signaling_state();
        if state == SignalingState::HaveLocalOffer
            || connection.set_local_description(now, None).is_err()
        {
            return;
        }
        let description = connection.local_description().expect("it was set");
        self.signals[1 - side].push_back(Signal::Description(description));
        if connection.needs_gathering() {
            connection.gather(now, &[address]);
        }
        self.settle();
    }

    fn deliver(&mut self, to: usize) {
        let Some(signal) = self.signals[to].pop_front() else {
            return;
        };
        let now = self.net.now();
        let connection = self.net[HostId(to)].connection();
        // Refused where offers cross, and after close().
        let _ = match signal {
            Signal::Description(description) => connection.set_remote_description(now, description),
            Signal::Candidate(candidate) => connection.add_ice_candidate(now, candidate),
        };
    }

    fn deliver_all(&mut self) {
        for to in [0, 1] {
            while !self.signals[to].is_empty() {
                self.deliver(to);
            }
        }
    }

    fn recover(&mut self) {
        self.link = [0; 2];
        self.mend();
        self.set_links();
        self.signaling_held = false;
        for side in [0, 1] {
            self.net[HostId(side)].slow = false;
        }
        self.agree();
        let hopeless = self.confused || self.closed != [false; 2] || !self.is_stable();
        let mut waiting = None;
        for _ in 0..if hopeless { 5 } else { 300 } {
            self.pass(secs(1));
            waiting = self.waiting();
            let failed = [0, 1]
                .iter()
                .any(|side| self.net[HostId(*side)].has_failed());
            assert!(
                hopeless || self.excuse || !failed,
                "it failed on a gentle network"
            );
            if waiting.is_none() || failed {
                waiting = None;
                break;
            }
        }
        assert!(
            hopeless || waiting.is_none(),
            "still waiting for {waiting:?}"
        );
        for side in [0, 1] {
            let host = &self.net[HostId(side)];
            self.ledger.check(side, host);
            assert_eq!(host.view().is_drained(), self.closed[side]);
            assert!(!self.closed[side] || host.view().poll_timeout().is_none());
        }
    }

    /// Ends what exchange is under way, and makes one where there was none.
    fn agree(&mut self) {
        self.pass(secs(1));
        for side in [0, 1] {
            let connection = self.net[HostId(side)].view();
            if connection.signaling_state() == SignalingState::HaveRemoteOffer {
                self.set_local(side);
            }
        }
        self.deliver_all();
        let asks = |side: &usize| self.net[HostId(*side)].view().channels().next().is_some();
        if let Some(side) = [0, 1].iter().copied().find(asks)
            && self.is_stable()
        {
            self.negotiate(side);
        }
    }

    fn is_stable(&self) -> bool {
        let is_stable = |side: &usize| {
            self.net[HostId(*side)].view().signaling_state() == SignalingState::Stable
        };
        [0, 1].iter().all(is_stable)
    }

    /// What has yet to happen on a good network.
    fn waiting(&self) -> Option<String> {
        for side in [0, 1] {
            let host = &self.net[HostId(side)];
            if let Some(missing) = self.ledger.missing(side, host) {
                return Some(missing);
            }
            for entry in self.ledger.0.iter().filter(|entry| !entry.forsaken) {
                let mut channels = host.view().channels();
                let found = channels.find(|(_, channel)| channel.label == entry.label);
                let state = found.map(|(_, channel)| channel.state);
                let closed = matches!(state, None | Some(DataChannelState::Closed));
                let right = if entry.closed_by == [false; 2] {
                    state == Some(DataChannelState::Open)
                } else {
                    closed
                };
                if !right {
                    return Some(format!("{}, which is {state:?} at {side}", entry.label));
                }
            }
        }
        None
    }
}

fn init(kind: u8) -> DataChannelInit {
    DataChannelInit {
        ordered: kind & 1 == 0,
        max_retransmits: (kind & 6 == 2).then_some(u16::from(kind >> 6)),
        max_packet_life_time: (kind & 6 == 4).then_some(u16::from(kind >> 3) * 8),
        ..DataChannelInit::default()
    }
}
