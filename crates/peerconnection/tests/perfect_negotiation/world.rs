//! Two sides, and signaling between them that takes its time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::Protocol;
use pc_simnet::{HostId, Link, Network, Seed, ms, secs};
use peerconnection::{
    BundlePolicy, Error, SdpType, SessionDescription,
    engine::{Event, Message},
    state::{DataChannelState, SignalingState},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{
    agreement, application,
    peer::{Peer, Signal, Step},
};

/// More signals than this are a conversation that never ends.
const ENDLESS: u32 = 5_000;

pub(crate) struct World {
    net: Network<Peer>,
    has_network: bool,
    begin: Instant,
    now: Instant,
    is_replay: bool,
    /// What is under way to each side, in order.
    signals: [VecDeque<(Instant, Signal)>; 2],
    carried: u32,
    last_offer: u32,
    rng: ChaCha8Rng,
}

impl World {
    pub(crate) fn new(seed: Seed, has_network: bool) -> Self {
        let mut rng = seed.rng("world");
        let mut net = Network::new(seed).with_link(Link::new().delay(ms(rng.random_range(1..60))));
        for side in 0..2 {
            let policy = match rng.random_range(0..4) {
                0 => BundlePolicy::MaxCompat,
                1 => BundlePolicy::MaxBundle,
                _ => BundlePolicy::Balanced,
            };
            let addresses = match has_network {
                true => Peer::all_addresses(side),
                false => Vec::new(),
            };
            net.add(Peer::new(seed, side, policy), &addresses);
        }
        Self {
            begin: net.now(),
            now: net.now(),
            is_replay: std::env::var("SIM_SEED").is_ok(),
            net,
            has_network,
            signals: Default::default(),
            carried: 0,
            last_offer: 0,
            rng,
        }
    }

    pub(crate) fn run(mut self) {
        let mut operations: Vec<(Instant, usize)> = Vec::new();
        for side in 0..2 {
            for _ in 0..self.rng.random_range(2..12) {
                let after = ms(self.rng.random_range(0..1500));
                operations.push((self.begin + after, side));
            }
        }
        operations.sort_unstable();
        for (at, side) in operations {
            self.run_until(at);
            self.operate(side);
        }
        self.settle();
        let [a, b] = [HostId(0), HostId(1)];
        agreement::check(&self.net[a], &self.net[b]);
        if self.has_network {
            self.connect();
        }
    }

    /// The application does something; not while it is just being asked.
    fn operate(&mut self, side: usize) {
        let now = self.now;
        let rng = &mut self.rng;
        let done = application::operate(&mut self.net[HostId(side)].node, now, rng);
        self.note(side, || done);
        self.attend(side);
    }

    /// Until nobody has anything more to say.
    fn settle(&mut self) {
        while let Some(at) = self.next() {
            self.run_until(at);
        }
    }

    fn next(&self) -> Option<Instant> {
        let arrivals = self
            .signals
            .iter()
            .filter_map(|under_way| under_way.front());
        let arrivals = arrivals.map(|(at, _)| *at);
        let due = self.net.hosts().filter_map(|(_, peer)| peer.due);
        arrivals.chain(due).min()
    }

    fn run_until(&mut self, until: Instant) {
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.pass(at);
            for side in 0..2 {
                if self.signals[side]
                    .front()
                    .is_some_and(|(at, _)| *at <= self.now)
                {
                    let (_, signal) = self.signals[side].pop_front().unwrap();
                    self.receive(side, signal);
                    self.attend(side);
                }
                if self.peer(side).due.is_some_and(|due| due <= self.now) {
                    self.carry_out(side);
                    self.attend(side);
                }
            }
        }
        self.pass(until);
    }

    fn pass(&mut self, until: Instant) {
        self.now = until;
        if self.has_network {
            self.net.run_until(until);
            for side in 0..2 {
                self.attend(side);
            }
        }
    }

    fn peer(&mut self, side: usize) -> &mut Peer {
        &mut self.net[HostId(side)].node
    }

    /// What happens, when one seed is replayed.
    fn note(&self, side: usize, what: impl FnOnce() -> String) {
        if self.is_replay {
            let name = ["impolite", "polite"][side];
            let state = self.net[HostId(side)].engine.signaling_state();
            eprintln!("{:?} {name} ({state}): {}", self.now - self.begin, what());
        }
    }

    /// `onmessage` of the sample.
    fn receive(&mut self, side: usize, signal: Signal) {
        self.note(side, || format!("receives {signal:?}"));
        let peer = self.peer(side);
        match signal {
            Signal::Description(number, description) => {
                let is_ready = !peer.making_offer
                    && (peer.engine.signaling_state() == SignalingState::Stable
                        || peer.is_setting_remote_answer
                        || peer.is_taking_back);
                let collision = description.kind == SdpType::Offer && !is_ready;
                peer.ignore_offer = !peer.polite && collision;
                if peer.ignore_offer {
                    return;
                }
                peer.is_setting_remote_answer = description.kind == SdpType::Answer;
                self.chain(side, Step::Remote(number, description));
            }
            Signal::Declined(number) if peer.outstanding == Some(number) => {
                peer.is_taking_back = true;
                self.chain(side, Step::TakeBack(Some(number)));
            }
            Signal::Declined(_) => {}
            Signal::Candidate(candidate) => {
                // The sample asks when it fails. By then an offer that is taken may have come.
                let is_ignored = peer.ignore_offer;
                self.chain(side, Step::Candidate(candidate, is_ignored));
            }
        }
    }

    fn chain(&mut self, side: usize, step: Step) {
        let due = self.now + self.think();
        let peer = self.peer(side);
        peer.chain.push_back(step);
        peer.due.get_or_insert(due);
    }

    /// How long an operation takes.
    fn think(&mut self) -> Duration {
        Duration::from_micros(self.rng.random_range(0..4_000))
    }

    fn send(&mut self, side: usize, signal: Signal) {
        self.carried += 1;
        assert!(self.carried < ENDLESS, "they never settle");
        let arrival = self.now + ms(self.rng.random_range(0..80));
        let under_way = &mut self.signals[1 - side];
        let before = under_way.back().map(|(at, _)| *at);
        under_way.push_back((before.map_or(arrival, |it| it.max(arrival)), signal));
    }

    /// The next operation of the chain.
    fn carry_out(&mut self, side: usize) {
        let step = self.peer(side).chain.pop_front().unwrap();
        self.note(side, || format!("{step:?}"));
        self.take_step(side, step);
        let now = self.now;
        let due = now + self.think();
        let peer = self.peer(side);
        peer.due = (!peer.chain.is_empty()).then_some(due);
        // What the driver does after each operation: candidates come after the outcome.
        peer.gather(now);
    }

    fn take_step(&mut self, side: usize, step: Step) {
        let now = self.now;
        let peer = self.peer(side);
        match step {
            Step::Offer => {
                peer.engine
                    .set_local_description(now, None)
                    .expect("an offer");
                peer.making_offer = false;
                let description = peer.engine.local_description().unwrap();
                self.last_offer += 1;
                let number = self.last_offer;
                if description.kind == SdpType::Offer {
                    self.peer(side).outstanding = Some(number);
                }
                self.send(side, Signal::Description(number, description));
            }
            Step::OfferUnheard => {
                peer.engine
                    .set_local_description(now, None)
                    .expect("an offer");
                abandon(peer.engine.pending_local_description(), &mut peer.abandoned);
            }
            Step::TakeBack(number) => {
                peer.is_taking_back = false;
                if number == peer.outstanding {
                    abandon(peer.engine.pending_local_description(), &mut peer.abandoned);
                    peer.outstanding = None;
                    let rollback = SessionDescription::rollback();
                    let done = peer.engine.set_local_description(now, Some(rollback));
                    done.expect("a rollback");
                }
            }
            Step::Answer(number) => {
                peer.engine
                    .set_local_description(now, None)
                    .expect("an answer");
                let answer = peer.engine.local_description().unwrap();
                assert_eq!(answer.kind, SdpType::Answer);
                self.send(side, Signal::Description(number, answer));
            }
            Step::Remote(number, description) => self.set_remote(side, number, description),
            Step::Decline(number) => {
                abandon(
                    peer.engine.pending_remote_description(),
                    &mut peer.abandoned,
                );
                let rollback = SessionDescription::rollback();
                let done = peer.engine.set_remote_description(now, rollback);
                done.expect("a rollback");
                self.send(side, Signal::Declined(number));
            }
            Step::Candidate(candidate, is_ignored) => {
                let added = peer.engine.add_ice_candidate(now, candidate.clone());
                if let Err(error) = added
                    && !is_ignored
                {
                    let ufrag = candidate.and_then(|it| it.username_fragment);
                    self.excuse(&error, ufrag.as_deref());
                }
            }
        }
    }

    /// A candidate that finds no section must be of an offer that was taken back.
    fn excuse(&mut self, error: &Error, ufrag: Option<&str>) {
        let is_abandoned = |peer: &Peer| ufrag.is_none_or(|ufrag| peer.abandoned.contains(ufrag));
        let abandoned = (0..2).any(|side| is_abandoned(self.peer(side)));
        assert!(abandoned, "{error} {ufrag:?}");
    }

    fn set_remote(&mut self, side: usize, number: u32, description: SessionDescription) {
        let now = self.now;
        let declines = self.rng.random_bool(0.1);
        let peer = self.peer(side);
        let kind = description.kind;
        if peer.engine.signaling_state() == SignalingState::HaveLocalOffer {
            peer.outstanding = None;
        }
        let done = peer.engine.set_remote_description(now, description);
        done.unwrap_or_else(|error| panic!("{kind}: {error}"));
        peer.is_setting_remote_answer = false;
        if kind == SdpType::Offer && declines {
            self.chain(side, Step::Decline(number));
        } else if kind == SdpType::Offer {
            self.chain(side, Step::Answer(number));
        }
    }

    /// The events, and what the application does about them.
    fn attend(&mut self, side: usize) {
        loop {
            if self.peer(side).chain.is_empty() {
                self.peer(side).engine.update_negotiation_needed();
            }
            let events = self.events(side);
            if events.is_empty() {
                return;
            }
            for event in events {
                self.note(side, || format!("hears {event:?}"));
                self.peer(side).hear(&event);
                match event {
                    Event::NegotiationNeeded => self.negotiate(side),
                    Event::IceCandidate(candidate) => {
                        let candidate = candidate.map(|it| *it);
                        self.send(side, Signal::Candidate(candidate));
                    }
                    Event::DtlsError(_, error) => panic!("{error}"),
                    _ => {}
                }
            }
        }
    }

    fn events(&mut self, side: usize) -> Vec<Event> {
        let host = &mut self.net[HostId(side)];
        let mut events = std::mem::take(&mut host.events);
        while let Some(event) = host.node.engine.poll_event() {
            events.push(event);
        }
        events
    }

    /// `onnegotiationneeded` of the sample, which now and then has second thoughts.
    fn negotiate(&mut self, side: usize) {
        let hesitates = self.rng.random_bool(0.1);
        let peer = self.peer(side);
        assert_eq!(peer.engine.signaling_state(), SignalingState::Stable);
        assert!(!peer.making_offer && peer.chain.is_empty());
        peer.making_offer = true;
        if hesitates {
            self.chain(side, Step::OfferUnheard);
            self.chain(side, Step::TakeBack(None));
        }
        self.chain(side, Step::Offer);
    }

    /// After a quiet period everything is connected, and messages pass.
    fn connect(&mut self) {
        self.run_until(self.now + secs(20));
        let now = self.now;
        let mut sent = [0; 2];
        for side in 0..2 {
            let peer = self.peer(side);
            agreement::check_connected(peer);
            let ids: Vec<_> = peer.engine.channels().map(|(id, _)| id).collect();
            for id in ids {
                let channel = peer.engine.channel(id).unwrap();
                assert_eq!(channel.state, DataChannelState::Open);
                peer.engine.send(now, id, Message::Text("hello")).unwrap();
                sent[1 - side] += 1;
            }
        }
        self.run_until(self.now + secs(2));
        for (side, sent) in sent.into_iter().enumerate() {
            assert_eq!(self.peer(side).received, sent, "messages");
        }
        agreement::check(&self.net[HostId(0)], &self.net[HostId(1)]);
    }
}

/// The user fragments of an offer that is taken back.
fn abandon(offer: Option<SessionDescription>, abandoned: &mut std::collections::BTreeSet<String>) {
    let offer = offer.expect("an offer");
    let lines = offer.sdp.lines();
    let ufrags = lines.filter_map(|line| line.strip_prefix("a=ice-ufrag:"));
    abandoned.extend(ufrags.map(str::to_owned));
}
