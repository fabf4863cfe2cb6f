//! Reads bytes as operations on two agents and checks what must hold whatever they are.
//!
//! Used by the fuzz target and by the test of `pc-ice` that replays its corpus.

use std::{
    collections::{HashSet, VecDeque},
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice::{
    Agent, Candidate, CandidateKind, Config, Event, Network, NetworkCost, Role, State, TcpType,
};
use pc_proto::{Batch, FiveTuple, Protocol, Transport};
use pc_stun::{
    Attribute, Class, ErrorCode, IntegrityKey, MessageBuilder, MessageView, Method, TransactionId,
};

/// Runs the operations, then gives the agents a good network: they have to find each other.
pub(crate) fn run(data: &[u8]) {
    let mut world = World::new();
    let mut bytes = Bytes(data);
    for _ in 0..400 {
        let Some(operation) = bytes.next() else { break };
        world.operate(operation, &mut bytes);
        world.check();
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

struct Host {
    agent: Agent,
    /// Added to the port of what it sends: a NAT's whim.
    shift: u16,
    /// The paths that the agent has called authenticated.
    authenticated: HashSet<FiveTuple>,
    /// Paths from before events were lost, if any were.
    events_lost: bool,
}

struct World {
    now: Instant,
    hosts: [Host; 2],
    /// Receiver, route as it sees it, bytes.
    air: VecDeque<(usize, FiveTuple, Vec<u8>)>,
    heard: VecDeque<(FiveTuple, Vec<u8>)>,
    /// Connections that were asked for, and those that are open, by who asked.
    dialed: VecDeque<(usize, FiveTuple)>,
    open: VecDeque<(usize, FiveTuple)>,
    next_id: u64,
    recovering: bool,
}

impl World {
    fn new() -> Self {
        let host = |seed: u8, role| Host {
            agent: Agent::new(Config::new(role, [seed; 32])),
            shift: 0,
            authenticated: HashSet::new(),
            events_lost: false,
        };
        Self {
            now: pc_simnet::epoch(),
            hosts: [host(1, Role::Controlling), host(2, Role::Controlled)],
            air: VecDeque::new(),
            heard: VecDeque::new(),
            dialed: VecDeque::new(),
            open: VecDeque::new(),
            next_id: 1 << 32,
            recovering: false,
        }
    }

    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let to = usize::from(operation >> 7);
        let now = self.now;
        let theirs = self.hosts[1 - to].agent.local_credentials().clone();
        let offered: Vec<_> = self.hosts[1 - to]
            .agent
            .local_candidates()
            .cloned()
            .collect();
        let agent = &mut self.hosts[to].agent;
        match operation & 0x1F {
            0 => self.pass(bytes.byte()),
            1..=3 => self.transmit(to),
            4..=6 => self.deliver(),
            7 => drop(self.air.pop_front()),
            8 => self.air.rotate_left(usize::from(!self.air.is_empty())),
            9 => self.air.extend(self.air.front().cloned()),
            10 => self.corrupt(bytes),
            11 => drop(agent.add_local_candidate(now, over_udp(to, bytes.byte()))),
            12 => agent.remove_local_address(now, address(to, bytes.byte())),
            13 => {
                let chosen = offered.get(usize::from(bytes.byte()) % offered.len().max(1));
                let _ = chosen.map(|chosen| agent.add_remote_candidate(now, chosen.clone()));
            }
            14 => drop(agent.set_remote_credentials(now, theirs)),
            15 => agent.end_of_local_candidates(now),
            16 => agent.end_of_remote_candidates(now),
            17 => drop(agent.restart(now)),
            18 => agent.set_role(now, role(bytes.byte())),
            19 => self.replay(to, bytes),
            20 => self.garbage(to, bytes),
            21 => self.request(to, bytes, true),
            22 => self.request(to, bytes, false),
            23 => self.response(to, bytes, true),
            24 => self.response(to, bytes, false),
            25 => self.hosts[to].shift = u16::from(bytes.byte() % 4) * 100,
            26 => self.data(to, bytes),
            27 => self.hosts[to].drain(),
            28 => {
                let strange = address(usize::from(bytes.byte()) % 3, bytes.byte());
                let network = network(bytes.byte());
                let strange = Candidate::host(strange);
                let _ = agent.add_remote_candidate(now, Candidate { network, ..strange });
            }
            29 if bytes.byte() == 0xC1 => agent.close(),
            30 => drop(agent.add_local_candidate(now, over_tcp(to, bytes.byte()))),
            31 => self.connection(to, bytes.byte()),
            _ => self.settle_twice(to),
        }
    }

    fn pass(&mut self, byte: u8) {
        let millis = [1, 10, 50, 100, 500, 1_000, 5_000, 31_000][usize::from(byte % 8)];
        self.now += Duration::from_millis(millis);
        for to in [0, 1] {
            self.settle(to);
            let agent = &self.hosts[to].agent;
            assert!(
                millis <= 30_000 || agent.route().is_none(),
                "RFC 7675: consent expires"
            );
        }
    }

    /// A timer that has run does not want to run again.
    fn settle(&mut self, to: usize) {
        let (now, agent) = (self.now, &mut self.hosts[to].agent);
        agent.handle_timeout(now);
        assert!(agent.poll_timeout().is_none_or(|at| at > now));
    }

    /// Running it again does nothing.
    fn settle_twice(&mut self, to: usize) {
        self.settle(to);
        let (now, agent) = (self.now, &mut self.hosts[to].agent);
        let digest = digest(agent);
        agent.handle_timeout(now);
        assert_eq!(digest, self::digest(agent), "a spurious timeout");
    }

    fn transmit(&mut self, from: usize) {
        let mut batch = Batch::new();
        for polled in 0.. {
            assert!(polled < 500, "poll_transmit becomes idle");
            let mut out = batch.transmit_buf(1200, 3);
            let host = &mut self.hosts[from];
            let Some(mut route) = host.agent.poll_transmit(self.now, &mut out) else {
                break;
            };
            if route.transport == Transport::Udp {
                route.local.set_port(route.local.port() + host.shift);
            }
            assert!(!batch.is_empty());
            for datagram in batch.datagrams() {
                self.air
                    .push_back((1 - from, route.reversed(), datagram.to_vec()));
            }
        }
        while self.air.len() > 200 {
            self.air.pop_front();
        }
    }

    /// Connections are asked for, opened, refused and lost.
    fn connection(&mut self, to: usize, byte: u8) {
        let now = self.now;
        match byte % 4 {
            0 => self.dial(),
            1 => {
                if let Some((from, asked)) = self.dialed.pop_front() {
                    self.open(from, asked);
                }
            }
            2 => {
                if let Some((from, asked)) = self.dialed.pop_front() {
                    self.hosts[from].agent.connect_failed(now, asked);
                }
            }
            _ => {
                if let Some((from, path)) = self.open.pop_front() {
                    self.hosts[from].agent.connection_lost(now, path);
                    self.hosts[1 - from]
                        .agent
                        .connection_lost(now, path.reversed());
                }
                let strange = FiveTuple {
                    transport: Transport::Tcp,
                    ..FiveTuple::udp(address(to, byte), address(1 - to, byte / 8))
                };
                self.hosts[to].agent.connection_lost(now, strange);
            }
        }
    }

    fn dial(&mut self) {
        for from in [0, 1] {
            for polled in 0.. {
                assert!(polled <= 8, "no more than 8 at once");
                let Some(asked) = self.hosts[from].agent.poll_connect() else {
                    break;
                };
                assert_eq!(asked.transport, Transport::Tcp);
                self.dialed.push_back((from, asked));
            }
        }
    }

    fn open(&mut self, from: usize, asked: FiveTuple) {
        let mut path = asked;
        if asked.local.port() == 9 {
            self.next_id += 1;
            path.local.set_port(10_000 + (self.next_id % 50_000) as u16);
        }
        self.hosts[from]
            .agent
            .connected(self.now, asked, path.local);
        self.open.push_back((from, path));
    }

    fn deliver(&mut self) {
        if let Some((to, mut route, datagram)) = self.air.pop_front() {
            self.heard.push_back((route, datagram.clone()));
            if self.heard.len() > 32 {
                self.heard.pop_front();
            }
            // What was sent to the outside of a NAT arrives inside, while the binding lasts.
            if route.transport == Transport::Udp {
                let shift = self.hosts[to].shift;
                let port = route.local.port().saturating_sub(shift);
                route.local.set_port(port);
            }
            self.input(to, route, datagram);
        }
    }

    fn corrupt(&mut self, bytes: &mut Bytes<'_>) {
        let (index, bit) = (usize::from(bytes.byte()), bytes.byte() % 8);
        if let Some((_, _, datagram)) = self.air.front_mut() {
            let len = datagram.len();
            datagram[index % len] ^= 1 << bit;
        }
    }

    /// Something that was once heard, to any host and from anywhere.
    fn replay(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let chosen = usize::from(bytes.byte()) % self.heard.len().max(1);
        if let Some((route, datagram)) = self.heard.get(chosen).cloned() {
            let elsewhere = bytes.byte();
            let route = match elsewhere % 3 {
                0 => route,
                _ => FiveTuple::udp(address(to, elsewhere), address(1 - to, elsewhere / 3)),
            };
            self.input(to, route, datagram);
        }
    }

    fn garbage(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let len = usize::from(bytes.byte()).min(bytes.0.len());
        let (garbage, rest) = bytes.0.split_at(len);
        bytes.0 = rest;
        let mut garbage = garbage.to_vec();
        if let Some(header) = garbage.get_mut(..8).filter(|header| header[0] & 0x80 == 0) {
            // Past the first doors.
            header[0] &= 1;
            header[2..].copy_from_slice(&[0, len.saturating_sub(20) as u8, 0x21, 0x12, 0xA4, 0x42]);
        }
        let at = bytes.byte();
        self.input(
            to,
            FiveTuple::udp(address(to, at), address(1 - to, at / 8)),
            garbage,
        );
    }

    /// A check from whoever knows, or does not know, the password.
    fn request(&mut self, to: usize, bytes: &mut Bytes<'_>, knows: bool) {
        let (at, flags) = (bytes.byte(), bytes.byte());
        let ours = self.hosts[to].agent.local_credentials().clone();
        let theirs = self.hosts[1 - to].agent.local_credentials().ufrag.clone();
        let username = format!("{}:{theirs}", ours.ufrag);
        let tie_breaker = if flags & 1 == 0 { 0 } else { u64::MAX };
        let pwd = if knows {
            &ours.pwd
        } else {
            "this is not the password"
        };
        let id = self.fresh_id();
        let datagram = build(Class::Request, id, pwd, |message| {
            message.attribute(Attribute::Username(&username));
            if flags & 2 == 0 {
                message.attribute(Attribute::Priority(u32::from(flags) << 24 | 0xFF));
            }
            match role(flags >> 2) {
                Role::Controlling => message.attribute(Attribute::IceControlling(tie_breaker)),
                Role::Controlled => message.attribute(Attribute::IceControlled(tie_breaker)),
            };
            if flags & 8 != 0 {
                message.attribute(Attribute::UseCandidate);
            }
            if flags & 16 != 0 {
                let cost = u16::from(flags) << 8;
                message.attribute(Attribute::GoogNetworkInfo { id: 1, cost });
            }
        });
        let route = FiveTuple::udp(address(to, at), address(1 - to, at / 8));
        let accepted = self.input(to, route, datagram);
        assert!(knows || !accepted, "a forged check");
    }

    /// An answer to a check that is under way to the other host.
    fn response(&mut self, to: usize, bytes: &mut Bytes<'_>, knows: bool) {
        let flags = bytes.byte();
        let mut asked = self.air.iter().filter(|(other, _, _)| *other != to);
        let Some((_, route, request)) = asked.nth(usize::from(flags & 3)).cloned() else {
            return;
        };
        let Ok(request) = MessageView::parse(&request) else {
            return;
        };
        let theirs = self.hosts[1 - to].agent.local_credentials().pwd.clone();
        let pwd = if knows {
            &theirs[..]
        } else {
            "this is not the password"
        };
        let class = if flags & 4 == 0 {
            Class::Success
        } else {
            Class::Error
        };
        let datagram = build(class, request.transaction_id(), pwd, |message| {
            let code = if flags & 8 == 0 { 487 } else { 400 };
            match class {
                Class::Success => message.attribute(Attribute::XorMappedAddress(route.remote)),
                _ => message.attribute(Attribute::ErrorCode(ErrorCode { code, reason: "" })),
            };
        });
        let mut route = route.reversed();
        if flags & 16 != 0 {
            route.remote.set_port(9);
        }
        let accepted = self.input(to, route, datagram);
        assert!(knows || !accepted, "a forged answer");
    }

    fn data(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let at = bytes.byte();
        let route = match self.hosts[1 - to].agent.route() {
            Some(route) if at < 128 => route.reversed(),
            _ => FiveTuple::udp(address(to, at), address(1 - to, at / 8)),
        };
        self.input(to, route, vec![0x80; 20]);
    }

    /// Feeds a datagram. A rejected one changes nothing; one that is passed up came from where the
    /// peer has proven itself, and is whole.
    fn input(&mut self, to: usize, route: FiveTuple, mut datagram: Vec<u8>) -> bool {
        self.settle(to);
        let (now, original) = (self.now, datagram.clone());
        let host = &mut self.hosts[to];
        host.drain();
        let before = (!self.recovering).then(|| digest(&host.agent));
        match host.agent.handle_input(now, route, &mut datagram) {
            Ok(passed) => {
                let passed = passed.map(|bytes| bytes.to_vec());
                host.drain();
                if let Some(passed) = passed {
                    assert_eq!(passed, original);
                    assert!(!MessageView::is_stun(&original));
                    assert!(host.events_lost || host.authenticated.contains(&route));
                }
                true
            }
            Err(_) => {
                let same = before.is_none_or(|before| before == digest(&host.agent));
                assert!(same, "a rejected datagram has an effect");
                assert_eq!(host.agent.poll_event(), None);
                false
            }
        }
    }

    fn check(&self) {
        for host in &self.hosts {
            let agent = &host.agent;
            assert_eq!(agent.route().is_some(), agent.selected_pair().is_some());
            let carries = matches!(agent.state(), State::Connected | State::Completed);
            assert!(!carries || agent.route().is_some(), "{:?}", agent.state());
            if let Some(route) = agent.route() {
                assert!(carries || agent.state() == State::Disconnected);
                let mut bases = agent.local_candidates();
                assert!(bases.any(|local| {
                    let is_active = local.tcp_type == Some(TcpType::Active);
                    let same_ip = local.address.ip() == route.local.ip();
                    local.transport == route.transport
                        && (local.address == route.local || (is_active && same_ip))
                }));
            } else {
                assert!(!agent.is_nominated() && agent.rtt().is_none());
            }
            assert!(agent.local_candidates().count() <= 64);
            assert!(agent.remote_candidates().count() <= 100);
        }
    }

    /// Whatever has happened, a restart and a good network bring the two together.
    fn recover(&mut self) {
        if self
            .hosts
            .iter()
            .any(|host| host.agent.state() == State::Closed)
        {
            return;
        }
        self.air.clear();
        self.dialed.clear();
        self.recovering = true;
        for to in [0, 1] {
            self.hosts[to].shift = 0;
            let (now, agent) = (self.now, &mut self.hosts[to].agent);
            agent.add_local_candidate(now, Candidate::host(address(to, 0)));
            agent.restart(now);
        }
        for to in [0, 1] {
            let other = &self.hosts[1 - to].agent;
            let credentials = other.local_credentials().clone();
            let candidates: Vec<_> = other.local_candidates().cloned().collect();
            let (now, agent) = (self.now, &mut self.hosts[to].agent);
            agent
                .set_remote_credentials(now, credentials)
                .expect("new credentials");
            for candidate in candidates {
                agent
                    .add_remote_candidate(now, candidate)
                    .expect("few candidates");
            }
            agent.end_of_local_candidates(now);
            agent.end_of_remote_candidates(now);
        }
        let end = self.now + Duration::from_secs(60);
        while self.now < end && !self.agree() {
            for to in [0, 1] {
                self.transmit(to);
            }
            self.dial();
            while let Some((from, asked)) = self.dialed.pop_front() {
                self.open(from, asked);
            }
            while !self.air.is_empty() {
                self.deliver();
                self.check();
            }
            let timeouts = self
                .hosts
                .iter()
                .filter_map(|host| host.agent.poll_timeout());
            let next = timeouts.min().unwrap_or(end);
            self.now = next.max(self.now + Duration::from_millis(1));
            self.settle(0);
            self.settle(1);
        }
        let [a, b] = &self.hosts;
        assert!(self.agree(), "no connection: {:?} {:?}", a.agent, b.agent);
    }

    fn agree(&self) -> bool {
        let [a, b] = &self.hosts;
        let routes = (a.agent.route(), b.agent.route());
        let nominated = a.agent.is_nominated() && b.agent.is_nominated();
        nominated && routes.0 == routes.1.map(FiveTuple::reversed)
    }

    fn fresh_id(&mut self) -> TransactionId {
        self.next_id += 1;
        let mut id = [0xF0; 12];
        id[4..].copy_from_slice(&self.next_id.to_be_bytes());
        TransactionId(id)
    }
}

impl Host {
    fn drain(&mut self) {
        let mut count = 0;
        while let Some(event) = self.agent.poll_event() {
            count += 1;
            match event {
                Event::PathAuthenticated(route) => {
                    assert!(self.authenticated.insert(route) || self.events_lost);
                }
                Event::PathForgotten(route) => {
                    self.authenticated.remove(&route);
                }
                Event::StateChanged(state) => assert_ne!(state, State::Closed),
                _ => {}
            }
        }
        assert!(count <= 256);
        self.events_lost |= count == 256;
    }
}

/// Addresses of host 0, host 1 and nobody, in both families.
fn address(host: usize, n: u8) -> SocketAddr {
    let (host, last) = (host as u8, n % 8);
    match n & 0x40 {
        0 => SocketAddr::from(([10, 0, host, last + 1], 5000)),
        _ => SocketAddr::from(([0x2001, 0xDB8, 0, 0, 0, 0, host.into(), last.into()], 5000)),
    }
}

/// On a network of some cost.
fn over_udp(host: usize, byte: u8) -> Candidate {
    let network = network(byte >> 3);
    Candidate {
        network,
        ..Candidate::host(address(host, byte))
    }
}

/// One of eight, of which the first says nothing.
fn network(byte: u8) -> Network {
    let id = u16::from(byte % 8);
    let cost = NetworkCost::new(id * 150);
    Network { id, cost }
}

fn over_tcp(host: usize, byte: u8) -> Candidate {
    let tcp_type = match byte >> 4 & 3 {
        0 | 1 => TcpType::Active,
        2 => TcpType::Passive,
        _ => TcpType::SimultaneousOpen,
    };
    Candidate::tcp(CandidateKind::Host, address(host, byte), tcp_type)
}

fn role(byte: u8) -> Role {
    if byte & 1 == 0 {
        Role::Controlling
    } else {
        Role::Controlled
    }
}

fn build(
    class: Class,
    id: TransactionId,
    pwd: &str,
    add: impl FnOnce(&mut MessageBuilder<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 700];
    let mut message = MessageBuilder::new(&mut bytes, class, Method::BINDING, id);
    add(&mut message);
    message
        .integrity(&IntegrityKey::short_term(pwd))
        .fingerprint();
    let len = message.finish().expect("a short message");
    bytes.truncate(len);
    bytes
}

/// Stands for all state that a datagram could change.
fn digest(agent: &Agent) -> u64 {
    struct Hash(DefaultHasher);
    impl Write for Hash {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut hash = Hash(DefaultHasher::new());
    write!(hash, "{agent:?} {:?}", agent.poll_timeout()).expect("a hasher takes everything");
    hash.0.finish()
}
