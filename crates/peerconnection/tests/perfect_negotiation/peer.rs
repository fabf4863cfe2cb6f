//! One side: an engine, its chain of operations, and the variables of the W3C's sample.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use pc_simnet::{Node, Seed};
use peerconnection::{
    Certificate, IceCandidate, SessionDescription,
    engine::{Config, Connection, Event, TransceiverId, TransportId},
    state::SignalingState,
};

/// What signaling carries.
#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// The number tells offers apart.
    Description(u32, SessionDescription),
    /// The offer of this number was taken back by the side that received it.
    Declined(u32),
    Candidate(Option<IceCandidate>),
}

/// An operation in the chain, and what the application does when it has resolved.
#[derive(Debug)]
pub(crate) enum Step {
    /// `onnegotiationneeded`.
    Offer,
    /// An offer that is taken back before anybody hears of it.
    OfferUnheard,
    /// The answer to the offer of this number.
    Answer(u32),
    /// The own offer that is of this number, or that nobody has heard of.
    TakeBack(Option<u32>),
    Remote(u32, SessionDescription),
    /// The offer of this number was set, and is not liked.
    Decline(u32),
    /// And whether it belongs to an offer that is ignored.
    Candidate(Option<IceCandidate>, bool),
}

/// What the events have told of a receiver's track.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) receiving: bool,
    pub(crate) ended: bool,
    pub(crate) streams: BTreeSet<String>,
}

pub(crate) struct Peer {
    pub(crate) engine: Connection,
    pub(crate) polite: bool,
    pub(crate) making_offer: bool,
    pub(crate) ignore_offer: bool,
    pub(crate) is_setting_remote_answer: bool,
    /// Beside the sample: the own offer was declined, and the chain will take it back.
    pub(crate) is_taking_back: bool,
    pub(crate) chain: VecDeque<Step>,
    /// When the first of the chain is carried out.
    pub(crate) due: Option<Instant>,
    /// The number of the offer that waits for its answer.
    pub(crate) outstanding: Option<u32>,
    pub(crate) heard: HashMap<TransceiverId, Heard>,
    pub(crate) told: SignalingState,
    /// User fragments of offers that were taken back: their candidates find no section.
    pub(crate) abandoned: BTreeSet<String>,
    /// Which of the addresses a transport has.
    addresses: BTreeMap<TransportId, SocketAddr>,
    network: u8,
    pub(crate) received: usize,
}

/// Neither key nor certificate is what is tested.
static CERTIFICATES: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    let new = || Certificate::generate(Duration::from_secs(1_795_000_000)).unwrap();
    [new(), new()]
});

impl Peer {
    pub(crate) fn new(
        seed: Seed,
        side: usize,
        bundle_policy: peerconnection::BundlePolicy,
    ) -> Self {
        let config = Config {
            bundle_policy,
            ..Config::new(
                CERTIFICATES[side].clone(),
                seed.bytes(["impolite", "polite"][side]),
            )
        };
        Self {
            engine: Connection::new(config),
            polite: side == 1,
            making_offer: false,
            ignore_offer: false,
            is_setting_remote_answer: false,
            is_taking_back: false,
            chain: VecDeque::new(),
            due: None,
            outstanding: None,
            heard: HashMap::new(),
            told: SignalingState::Stable,
            abandoned: BTreeSet::new(),
            addresses: BTreeMap::new(),
            network: 1 + side as u8,
            received: 0,
        }
    }

    /// All that a host may have: one for each transport, since two transports between the same two
    /// sockets could not be told apart.
    pub(crate) fn all_addresses(side: usize) -> Vec<SocketAddr> {
        let all = 1..=250;
        all.map(|host| address(1 + side as u8, host)).collect()
    }

    /// Gathers for each transport on an address of its own.
    pub(crate) fn gather(&mut self, now: Instant) {
        let engine = &self.engine;
        self.addresses.retain(|id, _| engine.needs_sockets(*id));
        let waiting: Vec<_> = self.engine.ungathered_transports().collect();
        for id in waiting {
            let used: Vec<_> = self.addresses.values().copied().collect();
            let mut free = (1..=250).map(|host| address(self.network, host));
            let free = free.find(|address| !used.contains(address)).unwrap();
            let address = *self.addresses.entry(id).or_insert(free);
            self.engine.gather_transport(now, id, &[address]);
        }
    }

    /// What events say of tracks and of the signaling state.
    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::SignalingStateChange(state) => {
                assert_ne!(self.told, *state, "told twice");
                self.told = *state;
            }
            Event::Track(id, streams) => {
                let heard = self.heard.entry(*id).or_default();
                assert!(!heard.ended, "a track after its end");
                heard.receiving = true;
                let streams: BTreeSet<_> = streams.iter().cloned().collect();
                assert_eq!(heard.streams, streams, "the streams of a track");
            }
            Event::TrackMuted(id) => {
                let heard = self.heard.entry(*id).or_default();
                assert!(heard.receiving, "muted twice");
                heard.receiving = false;
            }
            Event::TrackEnded(id) => {
                let heard = self.heard.entry(*id).or_default();
                assert!(!heard.ended, "ended twice");
                heard.ended = true;
            }
            Event::TrackAdded(id, stream) => {
                let heard = self.heard.entry(*id).or_default();
                assert!(heard.streams.insert(stream.clone()), "added twice");
            }
            Event::TrackRemoved(id, stream) => {
                let heard = self.heard.entry(*id).or_default();
                assert!(heard.streams.remove(stream), "removed twice");
            }
            _ => {}
        }
    }
}

fn address(network: u8, host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, network, host], 5000))
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
        let mut message = Vec::new();
        for id in ids {
            while self.engine.recv(now, id, &mut message).is_some() {
                self.received += 1;
            }
        }
    }
}
