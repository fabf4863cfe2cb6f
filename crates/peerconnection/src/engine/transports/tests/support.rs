use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_dtls::{Certificate, HashAlgorithm};
use pc_jsep::{
    DataPlan, IceCredentials, PeerData, PeerTransport, SectionName, TransportId, TransportPlan,
};
use pc_proto::FiveTuple;
use pc_sdp::{Candidate, CandidateKind, Fingerprint, HashFunction, Transport, Word};
use pc_simnet::{HostId, Link, Network, Node, Seed, ms};
use pc_stun::{Attribute, Class, IntegrityKey, MessageBuilder, Method, TransactionId};

use crate::{
    engine::{ChannelId, Config, Connection, Event, Message},
    state::{DataChannelState, PeerConnectionState},
};

pub(super) const A: HostId = HostId(0);
pub(super) const B: HostId = HostId(1);

pub(super) fn tid(n: usize) -> TransportId {
    TransportId::new(n as u32)
}

pub(super) fn good() -> Link {
    Link::new().delay(ms(20))
}

pub(super) fn bad() -> Link {
    good().jitter(ms(5)).loss(0.2).reorder(0.2, ms(30))
}

pub(super) struct Peer {
    pub(super) engine: Connection,
    pub(super) received: Vec<String>,
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
        for id in ids {
            let mut message = Vec::new();
            while self.engine.recv(now, id, &mut message).is_some() {
                let text = String::from_utf8(message.clone()).unwrap();
                self.received.push(text);
            }
        }
    }
}

/// What one side's negotiation would have decided.
#[derive(Clone)]
pub(super) struct Plans {
    pub(super) transports: Vec<TransportPlan>,
    pub(super) data: Option<DataPlan>,
}

impl Plans {
    pub(super) fn data_on(&mut self, n: usize) {
        self.data = Some(DataPlan {
            transport: tid(n),
            mid: format!("m{n}"),
            peer: Some(PeerData {
                port: 5000,
                max_message_size: 262_144,
            }),
        });
    }

    /// As an offer has it, before the answer.
    pub(super) fn offered(&self) -> Self {
        let mut offered = self.clone();
        for plan in &mut offered.transports {
            plan.peer = None;
        }
        if let Some(data) = &mut offered.data {
            data.peer = None;
        }
        offered
    }
}

pub(super) struct Duo {
    pub(super) net: Network<Peer>,
    pub(super) plans: [Plans; 2],
    addresses: [Vec<SocketAddr>; 2],
}

pub(super) fn credentials(side: usize, n: usize, generation: u8) -> IceCredentials {
    let name = format!("{}{n}+{generation}", ["alice", "bob"][side]);
    IceCredentials {
        pwd: format!("passwordpassword{name}0000"),
        ufrag: name,
    }
}

fn candidate(address: SocketAddr, ufrag: &str) -> Candidate {
    let word = |text: &str| Word::new(text).unwrap();
    let kind = CandidateKind::Host;
    let place = (address.ip().into(), address.port());
    let mut candidate = Candidate::new(word("1"), 1, Transport::Udp, 2_122_260_223, place, kind);
    candidate.ufrag = Some(word(ufrag));
    candidate
}

fn fingerprint(certificate: &Certificate) -> Fingerprint {
    let fingerprint = certificate.fingerprint(HashAlgorithm::Sha256);
    Fingerprint {
        hash: HashFunction::Sha256,
        value: fingerprint.value().into(),
    }
}

fn certificate() -> Certificate {
    Certificate::generate(Duration::from_secs(1_795_000_000)).unwrap()
}

impl Duo {
    /// `count` transports, with sockets of their own on both sides.
    pub(super) fn new(seed: impl Into<Seed>, link: Link, count: usize) -> Self {
        let of = |host: u8| move |n: usize| SocketAddr::from(([10, 0, host, 1], 5000 + n as u16));
        let addresses = [1, 2].map(|host| (0..count).map(of(host)).collect());
        Self::with_addresses(seed.into(), link, addresses)
    }

    /// … where B has but one socket.
    pub(super) fn sharing(seed: impl Into<Seed>, link: Link, count: usize) -> Self {
        let of = |n: usize| SocketAddr::from(([10, 0, 1, 1], 5000 + n as u16));
        let shared = SocketAddr::from(([10, 0, 2, 1], 443));
        let addresses = [(0..count).map(of).collect(), vec![shared; count]];
        Self::with_addresses(seed.into(), link, addresses)
    }

    /// … where A has but one.
    pub(super) fn offering_from_one_socket(
        seed: impl Into<Seed>,
        link: Link,
        count: usize,
    ) -> Self {
        let of = |n: usize| SocketAddr::from(([10, 0, 2, 1], 5000 + n as u16));
        let shared = SocketAddr::from(([10, 0, 1, 1], 443));
        let addresses = [vec![shared; count], (0..count).map(of).collect()];
        Self::with_addresses(seed.into(), link, addresses)
    }

    fn with_addresses(seed: Seed, link: Link, addresses: [Vec<SocketAddr>; 2]) -> Self {
        let mut net = Network::new(seed).with_link(link);
        let certificates = [certificate(), certificate()];
        for (side, name) in ["a", "b"].into_iter().enumerate() {
            let config = Config::new(certificates[side].clone(), seed.bytes(name));
            let engine = Connection::new(config);
            let received = Vec::new();
            let mut bound = addresses[side].clone();
            bound.dedup();
            net.add(Peer { engine, received }, &bound);
        }
        let plan = |side: usize, n: usize| {
            let other = 1 - side;
            let remote = credentials(other, n, 0);
            let candidate = candidate(addresses[other][n], &remote.ufrag);
            TransportPlan {
                id: tid(n),
                sections: vec![SectionName {
                    index: n,
                    mid: format!("m{n}"),
                }],
                local: credentials(side, n, 0),
                peer: Some(PeerTransport {
                    local: credentials(side, n, 0),
                    remote,
                    lite: false,
                    renomination: false,
                    candidates: vec![candidate],
                    end_of_candidates: true,
                    dtls_client: side == 1,
                    fingerprints: vec![fingerprint(&certificates[other])],
                    tls_id: (n == 0).then(|| format!("association {other}")),
                }),
            }
        };
        let plans = [0, 1].map(|side| Plans {
            transports: (0..addresses[side].len()).map(|n| plan(side, n)).collect(),
            data: None,
        });
        Self {
            net,
            plans,
            addresses,
        }
    }

    /// A's transports share their credentials, as those that are offered in one bundle do.
    pub(super) fn with_shared_credentials(mut self) -> Self {
        let shared = credentials(0, 0, 0);
        for plan in &mut self.plans[0].transports {
            plan.local = shared.clone();
            plan.peer.as_mut().unwrap().local = shared.clone();
        }
        for plan in &mut self.plans[1].transports {
            let peer = plan.peer.as_mut().unwrap();
            peer.remote = shared.clone();
            peer.candidates[0].ufrag = Some(Word::new(shared.ufrag.as_str()).unwrap());
        }
        self
    }

    pub(super) fn both_with_data_on(mut self, n: usize) -> Self {
        self.plans.iter_mut().for_each(|plans| plans.data_on(n));
        self
    }

    pub(super) fn address(&self, host: HostId, n: usize) -> SocketAddr {
        self.addresses[host.0][n]
    }

    /// The path of transport `n` as `host` sees it.
    pub(super) fn route(&self, host: HostId, n: usize) -> FiveTuple {
        FiveTuple::udp(self.addresses[host.0][n], self.addresses[1 - host.0][n])
    }

    pub(super) fn apply_at(&mut self, host: HostId, plans: &Plans) {
        let now = self.net.now();
        let engine = &mut self.net[host].engine;
        let data = plans.data.as_ref();
        engine.check_plan(&plans.transports, data).unwrap();
        engine.apply_plan(now, &plans.transports, data, host == A);
    }

    pub(super) fn gather_at(&mut self, host: HostId) {
        let now = self.net.now();
        let waiting: Vec<_> = self.net[host].engine.ungathered_transports().collect();
        for id in waiting {
            let n = (0..).find(|n| tid(*n) == id).unwrap();
            let address = self.addresses[host.0][n];
            self.net[host].engine.gather_transport(now, id, &[address]);
        }
    }

    /// Both sides' plans, as they are now.
    pub(super) fn apply(&mut self) {
        for host in [A, B] {
            let plans = self.plans[host.0].clone();
            self.apply_at(host, &plans);
        }
    }

    /// A's offer, gathering, the answer.
    pub(super) fn apply_all(&mut self) {
        let offered = self.plans[0].offered();
        self.apply_at(A, &offered);
        self.gather_at(A);
        self.apply();
        self.gather_at(B);
    }

    pub(super) fn connect(&mut self) {
        self.apply_all();
        self.run_until_both(PeerConnectionState::Connected);
    }

    pub(super) fn run_until_both(&mut self, state: PeerConnectionState) {
        self.net.run(|net| {
            let mut both = [A, B].iter().map(|host| &net[*host].engine);
            both.all(|engine| engine.connection_state() == state)
        });
    }

    /// A channel of A's making, open there.
    pub(super) fn open_channel(&mut self) -> ChannelId {
        let now = self.net.now();
        let init = Default::default();
        let engine = &mut self.net[A].engine;
        let id = engine.create_data_channel(now, "chat", init).unwrap();
        self.net.run(|net| {
            let channel = net[A].engine.channel(id);
            channel.is_some_and(|it| it.state == DataChannelState::Open)
        });
        id
    }

    pub(super) fn send(&mut self, channel: ChannelId, text: &str) {
        let now = self.net.now();
        let engine = &mut self.net[A].engine;
        engine.send(now, channel, Message::Text(text)).unwrap();
    }

    /// Nothing goes through on transport `n` any more.
    pub(super) fn cut(&mut self, n: usize) {
        let route = self.route(A, n);
        self.net.cut(route.local, route.remote);
        self.net.cut(route.remote, route.local);
    }
}

/// A check with this user fragment in front.
pub(super) fn check_for(ufrag: &str, pwd: &str) -> Vec<u8> {
    let mut bytes = vec![0; 400];
    let id = TransactionId([7; 12]);
    let mut message = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, id);
    message.attribute(Attribute::Username(&format!("{ufrag}:someone")));
    message.attribute(Attribute::Priority(1_862_270_975));
    message.attribute(Attribute::IceControlling(1));
    message.integrity(&IntegrityKey::short_term(pwd));
    let len = message.fingerprint().finish().unwrap();
    bytes.truncate(len);
    bytes
}

/// What a forged datagram must not change.
pub(super) fn digest(engine: &Connection) -> String {
    let transports: Vec<_> = engine
        .transports()
        .map(|it| {
            let pair = it.selected_pair().map(|pair| format!("{pair:?}"));
            let remote = it.remote_candidates().len();
            (it.id(), it.ice_state(), it.dtls_state(), pair, remote)
        })
        .collect();
    format!("{transports:?} {:?}", engine.connection_state())
}

/// What was announced, in short.
pub(super) fn story(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::IceTransportGatheringStateChange(id, state) => Some(format!("{id:?} {state}")),
        Event::IceGatheringStateChange(state) => Some(format!("all {state}")),
        Event::IceCandidate(None) => Some("null".to_owned()),
        Event::IceCandidate(Some(it)) => {
            let kind = match it.candidate.as_str() {
                "" => "end",
                _ => "candidate",
            };
            let mid = it.sdp_mid.as_deref().unwrap_or("-");
            let ufrag = it.username_fragment.as_deref().unwrap_or("-");
            Some(format!("{kind} {mid} {:?} {ufrag}", it.sdp_m_line_index))
        }
        _ => None,
    };
    events.iter().filter_map(name).collect()
}
