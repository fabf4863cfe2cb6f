//! Two agents, UDP that may be blocked, and TCP connections in virtual time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{Batch, FiveTuple, Protocol, Transport};
use pc_simnet::{Seed, ms};

use crate::{Agent, Candidate, CandidateKind, Config, Event, Role, State, TcpType};

/// Each way.
const DELAY: Duration = Duration::from_millis(10);

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) agents: [Agent; 2],
    pub(super) udp_is_blocked: bool,
    /// Nobody listens anywhere.
    pub(super) refuses: bool,
    /// Connections are neither opened nor refused.
    pub(super) swallows: bool,
    /// Until when whoever listens ends connections at once.
    pub(super) ends_until: Option<Instant>,
    /// A NAT that this side is behind, if it is.
    pub(super) nat: Option<usize>,
    /// Connections that were asked for, ever.
    pub(super) dialed: Vec<FiveTuple>,
    /// Open connections, as the side sees them that has opened them.
    pub(super) open: Vec<(usize, FiveTuple)>,
    pub(super) events: [Vec<Event>; 2],
    /// What was passed up.
    pub(super) data: [Vec<Vec<u8>>; 2],
    flights: Vec<(Instant, Flight)>,
    next_port: u16,
    batch: Batch,
}

enum Flight {
    Datagram(usize, FiveTuple, Vec<u8>),
    Opened(usize, FiveTuple),
    Refused(usize, FiveTuple),
}

impl World {
    pub(super) fn new(seed: Seed) -> Self {
        let agent = |role, name| Agent::new(Config::new(role, seed.bytes(name)));
        Self {
            now: pc_simnet::epoch(),
            agents: [agent(Role::Controlling, "a"), agent(Role::Controlled, "b")],
            udp_is_blocked: false,
            refuses: false,
            swallows: false,
            ends_until: None,
            nat: None,
            dialed: Vec::new(),
            open: Vec::new(),
            events: Default::default(),
            data: Default::default(),
            flights: Vec::new(),
            next_port: 40_000,
            batch: Batch::new(),
        }
    }

    pub(super) fn address(side: usize) -> SocketAddr {
        ([10, 0, side as u8, 1], 5000).into()
    }

    /// Both have UDP; one connects, one waits.
    pub(super) fn ordinary(seed: Seed, active: usize) -> Self {
        let mut world = Self::new(seed);
        for side in [0, 1] {
            world.add(side, None);
        }
        world.add(active, Some(TcpType::Active));
        world.add(1 - active, Some(TcpType::Passive));
        world
    }

    pub(super) fn add(&mut self, side: usize, tcp_type: Option<TcpType>) -> Candidate {
        let at = Self::address(side);
        let candidate = match tcp_type {
            Some(tcp_type) => Candidate::tcp(CandidateKind::Host, at, tcp_type),
            None => Candidate::host(at),
        };
        let added = self.agents[side].add_local_candidate(self.now, candidate);
        added.unwrap()
    }

    pub(super) fn signal(&mut self) {
        for to in [1, 0] {
            self.signal_to(to);
        }
    }

    pub(super) fn signal_to(&mut self, to: usize) {
        let [a, b] = &mut self.agents;
        let (from, to) = if to == 1 { (a, b) } else { (b, a) };
        let credentials = from.local_credentials().clone();
        to.set_remote_credentials(self.now, credentials).unwrap();
        for candidate in from.local_candidates() {
            to.add_remote_candidate(self.now, candidate.clone())
                .unwrap();
        }
        from.end_of_local_candidates(self.now);
        to.end_of_remote_candidates(self.now);
    }

    /// Until the condition holds; whether it does within a minute.
    pub(super) fn run(&mut self, until: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + Duration::from_secs(60);
        self.settle();
        while !until(self) {
            if self.now >= end {
                return false;
            }
            self.step();
        }
        true
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run(|world| world.now >= end);
    }

    pub(super) fn are(&self, state: State) -> bool {
        self.agents.iter().all(|agent| agent.state() == state)
    }

    /// The transports of both sides' routes.
    pub(super) fn transports(&self) -> [Option<Transport>; 2] {
        let of = |side: usize| Some(self.agents[side].route()?.transport);
        [of(0), of(1)]
    }

    /// Sends something along the route of a side; whether it is passed up.
    pub(super) fn send(&mut self, from: usize, data: &[u8]) -> bool {
        let Some(route) = self.agents[from].route() else {
            return false;
        };
        self.fly(from, route, data.to_vec());
        self.run_for(ms(30));
        self.data[1 - from].iter().any(|got| got == data)
    }

    /// Ends every connection; both sides notice at once.
    pub(super) fn cut(&mut self) {
        for (side, path) in std::mem::take(&mut self.open) {
            let far = self.seen_from_far(side, path).reversed();
            self.agents[side].connection_lost(self.now, path);
            self.agents[1 - side].connection_lost(self.now, far);
        }
    }

    fn step(&mut self) {
        let flights = self.flights.iter().map(|(at, _)| *at);
        let timers = self.agents.iter().filter_map(Agent::poll_timeout);
        let next = flights.chain(timers).min();
        let at_least = self.now + Duration::from_micros(100);
        self.now = next.map_or(self.now + ms(1000), |at| at.max(at_least));
        self.agents[0].handle_timeout(self.now);
        self.agents[1].handle_timeout(self.now);
        let now = self.now;
        for (_, flight) in self
            .flights
            .extract_if(.., |(at, _)| *at <= now)
            .collect::<Vec<_>>()
        {
            self.land(flight);
        }
        self.settle();
    }

    fn land(&mut self, flight: Flight) {
        match flight {
            Flight::Datagram(to, route, mut datagram) => {
                if let Ok(Some(data)) = self.agents[to].handle_input(self.now, route, &mut datagram)
                {
                    let data = data.to_vec();
                    self.data[to].push(data);
                }
            }
            Flight::Opened(side, asked) => {
                let mut path = asked;
                if asked.local.port() == 9 {
                    self.next_port += 1;
                    path.local.set_port(self.next_port);
                }
                self.agents[side].connected(self.now, asked, path.local);
                if self.ends_until.is_some_and(|until| self.now < until) {
                    self.agents[side].connection_lost(self.now, path);
                } else {
                    self.open.push((side, path));
                }
            }
            Flight::Refused(side, asked) => self.agents[side].connect_failed(self.now, asked),
        }
    }

    fn settle(&mut self) {
        for side in [0, 1] {
            loop {
                let mut out = self.batch.transmit_buf(1200, 8);
                let Some(route) = self.agents[side].poll_transmit(self.now, &mut out) else {
                    break;
                };
                let datagrams: Vec<_> = self.batch.datagrams().map(<[u8]>::to_vec).collect();
                for datagram in datagrams {
                    self.fly(side, route, datagram);
                }
            }
            while let Some(asked) = self.agents[side].poll_connect() {
                self.dialed.push(asked);
                let outcome = match self.refuses {
                    true => Flight::Refused(side, asked),
                    false => Flight::Opened(side, asked),
                };
                if !self.swallows {
                    self.flights.push((self.now + 2 * DELAY, outcome));
                }
            }
            while let Some(event) = self.agents[side].poll_event() {
                self.events[side].push(event);
            }
        }
        // What nobody needs is closed, and the far side notices.
        for (side, path) in std::mem::take(&mut self.open) {
            let far = self.seen_from_far(side, path).reversed();
            let heard = self.agents[1 - side].needs_connection(far);
            if self.agents[side].needs_connection(path) {
                self.open.push((side, path));
            } else if heard {
                self.agents[1 - side].connection_lost(self.now, far);
            }
        }
    }

    /// A path of `side`'s as it looks beyond its NAT.
    fn seen_from_far(&self, side: usize, mut path: FiveTuple) -> FiveTuple {
        if self.nat == Some(side) {
            path.local.set_ip([192, 0, 2, 1].into());
        }
        path
    }

    fn fly(&mut self, from: usize, route: FiveTuple, datagram: Vec<u8>) {
        let to = 1 - from;
        let arrives = if route.transport == Transport::Udp {
            let there = route.remote == Self::address(to);
            (there && !self.udp_is_blocked && self.nat.is_none()).then(|| route.reversed())
        } else {
            let own = |(side, path): &&(usize, FiveTuple)| {
                let far = self.seen_from_far(*side, *path).reversed();
                (*side == from && *path == route) || (*side == to && far == route)
            };
            let open = self.open.iter().find(own);
            open.map(|(side, path)| match *side == from {
                true => self.seen_from_far(*side, *path).reversed(),
                false => *path,
            })
        };
        if let Some(arrives) = arrives {
            let flight = Flight::Datagram(to, arrives, datagram);
            self.flights.push((self.now + DELAY, flight));
        }
    }
}
