//! Two connections, perhaps behind NATs, and servers between them.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use pc_ice::{CandidatePair, turn};
use pc_simnet::{Dependence, HostId, Link, Nat, Network, Seed};
use peerconnection::{
    IceCandidate, IceCandidateError, SessionDescription,
    engine::{ChannelId, Connection, Event, IceServer, Message},
    state::DataChannelState,
};

use crate::{
    nodes::{Node, Peer, certificates},
    relay::Relay,
    server::{Policy, Server},
};

pub(crate) const A: HostId = HostId(0);
pub(crate) const B: HostId = HostId(1);
/// The first server.
pub(crate) const S: HostId = HostId(2);

/// The first server; each of the others has the next address.
pub(crate) const SERVER: &str = "192.0.2.1:3478";

/// How a side's NAT maps and filters; `None`: it has none.
pub(crate) type Behind = Option<[Dependence; 2]>;

pub(crate) struct World {
    pub(crate) net: Network<Node>,
    taken: [usize; 2],
    /// Every candidate that was signaled.
    pub(crate) signaled: [Vec<IceCandidate>; 2],
    servers: u8,
}

pub(crate) fn server_address(number: u8) -> SocketAddr {
    let mut address: SocketAddr = SERVER.parse().unwrap();
    address.set_ip([192, 0, 2, 1 + number].into());
    address
}

/// The URLs of a server, with the account of its usual policy.
pub(crate) fn stun(number: u8) -> IceServer {
    IceServer {
        uri: format!("stun:{}", server_address(number)).parse().unwrap(),
        credentials: None,
    }
}

pub(crate) fn turn(number: u8) -> IceServer {
    IceServer {
        uri: format!("turn:{}", server_address(number)).parse().unwrap(),
        credentials: Some(turn::Credentials::new("user", "secret")),
    }
}

impl World {
    /// Nobody asks a server yet.
    pub(crate) fn new(seed: Seed, link: Link, behind: [Behind; 2]) -> Self {
        let mut net = Network::new(seed).with_link(link);
        for (side, behind) in behind.into_iter().enumerate() {
            let octet = side as u8;
            let address: SocketAddr = match behind {
                Some(_) => ([10, octet, 0, 2], 5000 + u16::from(octet)).into(),
                None => ([198, 51, 100, octet], 5000).into(),
            };
            let seed = seed.bytes(&format!("peer {side}"));
            let peer = Peer::new(seed, certificates()[side].clone(), address);
            net.add(Node::Peer(peer), &[address]);
            if let Some([mapping, filtering]) = behind {
                let nat = Nat::new(outside(octet).into(), mapping, filtering);
                net.put_behind(nat, &[address.ip()]);
            }
        }
        Self {
            net,
            taken: [0; 2],
            signaled: Default::default(),
            servers: 0,
        }
    }

    /// Adds a server for STUN and TURN.
    pub(crate) fn serve(mut self, policy: Policy) -> Self {
        let address = server_address(self.servers);
        let first = relayed_ips(self.servers).map(|ip| SocketAddr::new(ip, 49152));
        let relay = Relay::new(first);
        let addresses: Vec<_> = relay.addresses().chain([address]).collect();
        let server = Server::relaying(address, policy, relay);
        self.net.add(Node::Server(server), &addresses);
        self.servers += 1;
        self
    }

    /// Both sides ask these.
    pub(crate) fn asking(mut self, servers: &[IceServer]) -> Self {
        for host in [A, B] {
            self.engine(host).set_ice_servers(servers.to_vec());
        }
        self
    }

    pub(crate) fn peer(&mut self, host: HostId) -> &mut Peer {
        match &mut self.net[host].node {
            Node::Peer(peer) => peer,
            Node::Server(_) => panic!("{host:?} is a server"),
        }
    }

    pub(crate) fn engine(&mut self, host: HostId) -> &mut Connection {
        &mut self.peer(host).engine
    }

    pub(crate) fn server(&mut self, host: HostId) -> &mut Server {
        match &mut self.net[host].node {
            Node::Server(server) => server,
            Node::Peer(_) => panic!("{host:?} is a peer"),
        }
    }

    /// One channel, A's offer and B's answer. Candidates follow with [`run`](Self::run).
    pub(crate) fn call(&mut self) -> ChannelId {
        let now = self.net.now();
        let init = Default::default();
        let channel = self.engine(A).create_data_channel(now, "chat", init);
        self.negotiate();
        channel.unwrap()
    }

    pub(crate) fn negotiate(&mut self) {
        let now = self.net.now();
        let offer = self.describe(A);
        let set = self.engine(B).set_remote_description(now, offer);
        set.unwrap();
        let answer = self.describe(B);
        let set = self.engine(A).set_remote_description(now, answer);
        set.unwrap();
    }

    /// Sets the description that the signaling state calls for, and begins to gather.
    pub(crate) fn describe(&mut self, host: HostId) -> SessionDescription {
        let now = self.net.now();
        let engine = self.engine(host);
        engine.set_local_description(now, None).unwrap();
        let description = engine.local_description().unwrap();
        let waiting: Vec<_> = engine.ungathered_transports().collect();
        // A socket for each: where servers are asked they cannot share one.
        for (number, id) in waiting.into_iter().enumerate() {
            let mut address = self.peer(host).address;
            address.set_port(address.port() + 10 * number as u16);
            let mut addresses = vec![address];
            if number == 0 {
                addresses.extend(&self.peer(host).others);
            }
            for address in &addresses {
                self.net.add_address(host, *address);
            }
            self.engine(host).gather_transport(now, id, &addresses);
        }
        description
    }

    /// Carries candidates at once, until the condition holds.
    #[track_caller]
    pub(crate) fn run(&mut self, condition: impl Fn(&Network<Node>) -> bool) {
        let (mut taken, mut signaled) = (self.taken, std::mem::take(&mut self.signaled));
        self.net.drive(|net| {
            carry(net, &mut taken, &mut signaled);
            condition(net)
        });
        (self.taken, self.signaled) = (taken, signaled);
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let until = self.net.now() + time;
        while self.net.now() < until {
            let next = (self.net.now() + Duration::from_millis(100)).min(until);
            self.net.run_until(next);
            carry(&mut self.net, &mut self.taken, &mut self.signaled);
        }
    }

    #[track_caller]
    pub(crate) fn open(&mut self) -> [ChannelId; 2] {
        let here = self.call();
        self.run(|net| is_open(net, A) && is_open(net, B));
        let (there, _) = self.engine(B).channels().next().unwrap();
        [here, there]
    }

    /// A message each way.
    #[track_caller]
    pub(crate) fn talk(&mut self, channels: [ChannelId; 2]) {
        let now = self.net.now();
        let before = [A, B].map(|host| self.peer(host).received.len());
        for (host, channel) in [A, B].into_iter().zip(channels) {
            let message = Message::Text(["from A", "from B"][host.0]);
            self.engine(host).send(now, channel, message).unwrap();
        }
        self.run(|net| {
            peer(net, A).received.len() > before[0] && peer(net, B).received.len() > before[1]
        });
        assert_eq!(self.peer(A).received.last().unwrap(), "from B");
        assert_eq!(self.peer(B).received.last().unwrap(), "from A");
    }

    /// An interface has come.
    pub(crate) fn gain(&mut self, host: HostId, address: SocketAddr) {
        let now = self.net.now();
        self.net.add_address(host, address);
        let engine = self.engine(host);
        let id = engine.transports().next().unwrap().id();
        engine.add_local_address(now, id, address);
    }

    /// An interface has gone.
    pub(crate) fn lose(&mut self, host: HostId, address: SocketAddr) {
        let now = self.net.now();
        self.net.remove_address(address);
        self.engine(host).remove_local_address(now, address);
    }

    pub(crate) fn errors(&self, host: HostId) -> Vec<IceCandidateError> {
        let of = |event: &Event| match event {
            Event::IceCandidateError(error) => Some((**error).clone()),
            _ => None,
        };
        self.events(host).iter().filter_map(of).collect()
    }

    /// The candidates that a side has signaled, without the ends of generations.
    pub(crate) fn told(&self, host: HostId) -> Vec<String> {
        let signaled = self.signaled[host.0].iter();
        let texts = signaled.map(|it| it.candidate.clone());
        texts.filter(|text| !text.is_empty()).collect()
    }

    pub(crate) fn pair(&mut self, host: HostId) -> Option<CandidatePair> {
        let mut transports = self.engine(host).transports();
        transports.next()?.selected_pair().cloned()
    }

    pub(crate) fn events(&self, host: HostId) -> &[Event] {
        &self.net[host].events
    }
}

/// The address of a side's NAT.
pub(crate) fn outside(side: u8) -> [u8; 4] {
    [203, 0, 113, 1 + side]
}

/// The relayed addresses of a server, of IPv4 and IPv6.
fn relayed_ips(number: u8) -> [IpAddr; 2] {
    let six = [0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()];
    [server_address(number).ip(), IpAddr::from(six)]
}

/// The server that a pair goes through.
pub(crate) fn relay_of(pair: &CandidatePair) -> Option<u8> {
    let ends = [&pair.local, &pair.remote].map(|it| it.address.ip());
    let is_of = |number: &u8| relayed_ips(*number).iter().any(|ip| ends.contains(ip));
    (0..4).find(is_of)
}

/// Whether a pair goes through a server.
pub(crate) fn is_relayed(pair: &CandidatePair) -> bool {
    relay_of(pair).is_some()
}

pub(crate) fn peer(net: &Network<Node>, host: HostId) -> &Peer {
    match &net[host].node {
        Node::Peer(peer) => peer,
        Node::Server(_) => panic!("{host:?} is a server"),
    }
}

pub(crate) fn is_open(net: &Network<Node>, host: HostId) -> bool {
    let mut channels = peer(net, host).engine.channels();
    channels.any(|(_, channel)| channel.state == DataChannelState::Open)
}

/// Signaling without delay.
fn carry(net: &mut Network<Node>, taken: &mut [usize; 2], signaled: &mut [Vec<IceCandidate>; 2]) {
    let now = net.now();
    for (from, to) in [(A, B), (B, A)] {
        let new = &net[from].events[taken[from.0]..];
        let of = |event: &Event| match event {
            Event::IceCandidate(Some(candidate)) => Some((**candidate).clone()),
            _ => None,
        };
        let found: Vec<_> = new.iter().filter_map(of).collect();
        taken[from.0] = net[from].events.len();
        for candidate in found {
            signaled[from.0].push(candidate.clone());
            if let Node::Peer(peer) = &mut net[to].node {
                let added = peer.engine.add_ice_candidate(now, Some(candidate));
                added.unwrap();
            }
        }
    }
}
