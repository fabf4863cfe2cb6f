//! A peer for the simulated network: an agent, the data it got, and a NAT if the test wants one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_simnet::{HostId, LazyDriver, Link, Network, Seed, ms};

use crate::{Agent, Candidate, Config, Event, Rejected, Role, State};

/// An agent, and what a test wants to know about it.
pub(crate) struct Peer {
    pub(crate) agent: Agent,
    /// Every datagram that was passed up.
    pub(crate) data: Vec<Vec<u8>>,
    /// When each state was reached.
    pub(crate) states: Vec<(Duration, State)>,
    /// The outside of this side's addresses, as a NAT maps them.
    pub(crate) nat: HashMap<SocketAddr, SocketAddr>,
    started: Instant,
    now: Instant,
}

impl Peer {
    pub(crate) fn new(agent: Agent) -> Self {
        Self {
            agent,
            data: Vec::new(),
            states: Vec::new(),
            nat: HashMap::new(),
            started: pc_simnet::epoch(),
            now: pc_simnet::epoch(),
        }
    }

    fn inside(&self, outside: SocketAddr) -> SocketAddr {
        let mapped = self.nat.iter().find(|(_, mapped)| **mapped == outside);
        mapped.map_or(outside, |(inside, _)| *inside)
    }

    /// The states reached, in order.
    pub(crate) fn path(&self) -> Vec<State> {
        self.states.iter().map(|(_, state)| *state).collect()
    }

    /// When a state was first reached.
    pub(crate) fn reached(&self, state: State) -> Option<Duration> {
        let found = self.states.iter().find(|(_, reached)| *reached == state);
        found.map(|(at, _)| *at)
    }
}

impl Protocol for Peer {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input(
        &mut self,
        now: Instant,
        mut route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        self.now = now;
        route.local = self.inside(route.local);
        let passed = self.agent.handle_input(now, route, datagram)?;
        self.data.extend(passed.map(|data| data.to_vec()));
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.agent.handle_timeout(now);
        let next = self.agent.poll_timeout();
        assert!(
            next.is_none_or(|at| at > now),
            "a timer that has run still wants to run"
        );
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.now = now;
        let mut route = self.agent.poll_transmit(now, out)?;
        route.local = self.nat.get(&route.local).copied().unwrap_or(route.local);
        Some(route)
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.agent.poll_event()?;
        if let Event::StateChanged(state) = event {
            self.states.push((self.now - self.started, state));
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout()
    }
}

/// Two peers, `A` with addresses 10.0.0.x and `B` with 10.0.1.x.
pub(crate) struct Duo {
    pub(crate) net: Network<Peer>,
}

pub(crate) const A: HostId = HostId(0);
pub(crate) const B: HostId = HostId(1);

/// Address `n` of a host.
pub(crate) fn address(host: HostId, n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, host.0 as u8, n], 5000))
}

pub(crate) fn agent(seed: Seed, name: &str, role: Role) -> Agent {
    Agent::new(Config::new(role, seed.bytes(name)))
}

impl Duo {
    /// A controlling and a controlled agent with one address each, not signalled yet.
    pub(crate) fn new(seed: Seed) -> Self {
        Self::with_roles(seed, Role::Controlling, Role::Controlled)
    }

    pub(crate) fn with_roles(seed: Seed, a: Role, b: Role) -> Self {
        let mut net = Network::new(seed);
        for (host, name, role) in [(A, "a", a), (B, "b", b)] {
            let at = address(host, 1);
            let id = net.add(Peer::new(agent(seed, name, role)), &[at]);
            assert_eq!(id, host);
            let now = net.now();
            net[id]
                .agent
                .add_local_candidate(now, Candidate::host(at))
                .unwrap();
        }
        Self { net }
    }

    pub(crate) fn lazy(mut self) -> Self {
        self.net = self.net.with_driver(LazyDriver::default());
        self
    }

    /// The same link everywhere.
    pub(crate) fn link(mut self, link: Link) -> Self {
        self.net = self.net.with_link(link);
        self
    }

    pub(crate) fn add_address(&mut self, host: HostId, n: u8) {
        let (now, at) = (self.net.now(), address(host, n));
        self.net.add_address(host, at);
        self.net[host]
            .agent
            .add_local_candidate(now, Candidate::host(at))
            .unwrap();
    }

    /// Tells `to` the credentials of the other.
    pub(crate) fn signal_credentials(&mut self, to: HostId) {
        let credentials = self.net[other(to)].agent.local_credentials().clone();
        let now = self.net.now();
        self.net[to]
            .agent
            .set_remote_credentials(now, credentials)
            .unwrap();
    }

    /// Tells `to` all candidates of the other that it has by now, and that there are no more.
    pub(crate) fn signal_candidates(&mut self, to: HostId) {
        let now = self.net.now();
        let all: Vec<_> = self.net[other(to)]
            .agent
            .local_candidates()
            .cloned()
            .collect();
        for candidate in all {
            self.net[to]
                .agent
                .add_remote_candidate(now, candidate)
                .unwrap();
        }
        self.net[other(to)].agent.end_of_local_candidates(now);
        self.net[to].agent.end_of_remote_candidates(now);
    }

    pub(crate) fn signal(&mut self) {
        for to in [A, B] {
            self.signal_credentials(to);
            self.signal_candidates(to);
        }
    }

    pub(crate) fn run_until_state(&mut self, state: State) {
        self.net
            .run(|net| [A, B].iter().all(|id| net[*id].agent.state() == state));
    }

    /// The route of one is that of the other, seen from the far side.
    pub(crate) fn assert_same_path(&self) {
        let (a, b) = (
            self.net[A].agent.route().unwrap(),
            self.net[B].agent.route().unwrap(),
        );
        assert_eq!(a, b.reversed());
    }

    /// Sends a datagram along the route of `from`, and says whether it is passed up.
    pub(crate) fn send(&mut self, from: HostId, data: &[u8]) -> bool {
        let Some(mut route) = self.net[from].agent.route() else {
            return false;
        };
        route.local = *self.net[from].nat.get(&route.local).unwrap_or(&route.local);
        let before = self.net[other(from)].data.len();
        self.net.inject(route.local, route.remote, data);
        self.net.run_for(ms(50));
        self.net[other(from)].data[before..]
            .iter()
            .any(|got| got == data)
    }
}

pub(crate) fn other(host: HostId) -> HostId {
    if host == A { B } else { A }
}
