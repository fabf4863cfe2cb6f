//! Connections to peers through TURN servers (RFC 6062): an allocation of its own at each server that is
//! reached over a stream, whose address is two TCP candidates (RFC 6544 §5.1), and for each connection to
//! a peer a further stream to the server.
//!
//! ```text
//!   ICE agent: from the relayed address to the peer ═╗ RFC 4571, as between any two agents
//!                                                    ║
//!   us ── control ── TURN server                     ║
//!   us ── a stream for each peer, bound ── server ───╨── TCP ── peer
//! ```
//!
//! It begins when the server has relayed datagrams for us: a server that does not answer, or does not
//! want us, is asked and told of once, and one that lets each user have a single allocation gives it for
//! datagrams. That a server relays no connections is no error.

mod connection;
mod relay;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice::{
    self as ice, Redirects,
    turn::{self, Event},
};
use pc_proto::{FiveTuple, Protocol, TransmitBuf, Transport as Carrier};

use super::{
    super::Rejected, AskerId, Client, IceServer, Origin, ServerId, ServerPath, ServerRequest, Told,
};
use connection::{Connection, State};
use relay::{Relay, Target};

/// Servers of one transport that relay connections: more are not asked.
const MAX_RELAYS: usize = 8;

/// Connections of one transport through all of them, each a stream to a server: more are not taken from
/// peers, who need no more than one.
const MAX_CONNECTIONS: usize = 32;

/// How long a peer that has connected may take to prove who it is: its checks go on for that long
/// (RFC 8863 §4).
const PROBATION: Duration = Duration::from_secs(40);

/// The port of active candidates (RFC 6544 §4.5).
const DISCARD: u16 = 9;

/// The servers that relay connections for one transport.
pub(in super::super) struct TcpRelays {
    asker: AskerId,
    is_wanted: bool,
    number: u32,
    /// Those that the driver is still to reach, by the number of the request.
    unreached: Vec<(u32, Target)>,
    requests: VecDeque<ServerRequest>,
    relays: Vec<Relay>,
    connections: Vec<Connection>,
    told: VecDeque<Told>,
    closing: bool,
}

impl TcpRelays {
    pub(super) fn new(asker: AskerId) -> Self {
        Self {
            asker,
            is_wanted: false,
            number: 0,
            unreached: Vec::new(),
            requests: VecDeque::new(),
            relays: Vec::new(),
            connections: Vec::new(),
            told: VecDeque::new(),
            closing: false,
        }
    }

    /// Whether servers are asked from now on.
    pub(in super::super) fn want(&mut self, is_wanted: bool) {
        self.is_wanted = is_wanted;
    }

    /// A server that relays datagrams may relay connections as well, for clients that come over a
    /// stream (RFC 6062 §5.1).
    pub(super) fn begin_beside(&mut self, client: &Client) {
        if client.path().transport != Carrier::Udp && !client.relayed.is_empty() {
            self.begin(&client.server);
        }
    }

    fn begin(&mut self, server: &IceServer) {
        let relays = self.relays.iter().map(|it| &it.target);
        let mut known = relays.chain(self.unreached.iter().map(|(_, it)| it));
        let is_known = known.any(|it| it.server.uri == server.uri);
        let is_full = self.relays.len() + self.unreached.len() >= MAX_RELAYS;
        if self.is_wanted && !self.closing && !is_known && !is_full {
            self.reach(server, None, Redirects::new());
        }
    }

    fn reach(
        &mut self,
        server: &IceServer,
        place: Option<(SocketAddr, Option<Box<str>>)>,
        redirects: Redirects,
    ) {
        let target = Target {
            server: server.clone(),
            domain: place.as_ref().and_then(|(_, domain)| domain.clone()),
            redirects,
        };
        let number = self.request(server, place);
        self.unreached.push((number, target));
    }

    fn request(
        &mut self,
        server: &IceServer,
        alternate: Option<(SocketAddr, Option<Box<str>>)>,
    ) -> u32 {
        self.number += 1;
        self.requests.push_back(ServerRequest {
            id: ServerId {
                asker: self.asker,
                number: self.number,
                relays_tcp: true,
            },
            uri: server.uri.clone(),
            alternate,
        });
        self.number
    }

    pub(super) fn poll_request(&mut self) -> Option<ServerRequest> {
        self.requests.pop_front()
    }

    pub(super) fn poll_told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Whether there is anything here.
    pub(super) fn are_asked(&self) -> bool {
        !self.relays.is_empty()
    }

    /// Whether every server has answered, or cannot.
    pub(super) fn have_answered(&self) -> bool {
        self.unreached.is_empty() && self.relays.iter().all(|it| it.is_done)
    }

    /// The stream that was asked for is there.
    pub(super) fn reached(
        &mut self,
        now: Instant,
        id: ServerId,
        path: &ServerPath,
        seed: [u8; 32],
    ) {
        let ServerPath::Stream { local, remote } = *path else {
            return self.unreachable(id);
        };
        let path = tcp(local, remote);
        if let Some(target) = self.take_unreached(id.number) {
            self.allocate(target, path, seed);
            self.follow(now);
        } else {
            self.bind(id.number, path);
        }
    }

    pub(super) fn unreachable(&mut self, id: ServerId) {
        if self.take_unreached(id.number).is_none() {
            self.lose(|it| it.is_opened_by(id.number));
        }
    }

    fn take_unreached(&mut self, number: u32) -> Option<Target> {
        let mut unreached = self.unreached.iter();
        let at = unreached.position(|(known, _)| *known == number)?;
        Some(self.unreached.swap_remove(at).1)
    }

    fn allocate(&mut self, target: Target, path: FiveTuple, seed: [u8; 32]) {
        let transport = target.server.uri.transport();
        let credentials = target.server.credentials.clone();
        let Some(credentials) = credentials.filter(|_| !self.closing) else {
            return;
        };
        let mut config = turn::Config::new(path, transport, credentials, seed);
        config.relayed = turn::RelayedTransport::Tcp;
        config.redirects = target.redirects.clone();
        if let Ok(client) = turn::Client::new(config) {
            self.relays.push(Relay::new(target, client));
        }
    }

    /// Brings what the servers have said here.
    fn follow(&mut self, now: Instant) {
        for index in 0..self.relays.len() {
            while let Some(relay) = self.relays.get_mut(index)
                && let Some(event) = relay.client.poll_event()
            {
                self.take_event(now, index, event);
            }
        }
        self.relays.retain(|relay| !relay.client.is_ended());
    }

    fn take_event(&mut self, now: Instant, index: usize, event: Event) {
        let Some(relay) = self.relays.get_mut(index) else {
            return;
        };
        match event {
            Event::Allocated => {
                relay.is_done = true;
                self.told.extend(relay.found());
            }
            Event::Redirected(alternate) => {
                let server = relay.target.server.clone();
                let place = Some((alternate.server, alternate.domain));
                self.reach(&server, place, alternate.redirects);
            }
            Event::Failed(_) | Event::Released => {
                let control = relay.client.path();
                for address in std::mem::take(&mut relay.relayed) {
                    self.told.push_back(Told::Lost(active(address)));
                    self.told.push_back(Told::Lost(address));
                }
                self.lose(|it| it.relay == control);
            }
            Event::Connected(peer, id) => {
                if let Some(relayed) = relay.address_for(peer) {
                    self.open(now, index, tcp(active(relayed), peer), id);
                }
            }
            Event::NotConnected(peer, _) => {
                let relayed = relay.address_for(peer).map(active);
                let route = relayed.map(|relayed| tcp(relayed, peer));
                self.told.extend(route.map(Told::NotConnected));
            }
            Event::ConnectionAttempt(peer, id) => {
                if let Some(relayed) = relay.address_for(peer) {
                    self.open(now, index, tcp(relayed, peer), id);
                }
            }
            _ => {}
        }
    }

    /// What a peer has to be let in for, and which connections are of no more use.
    pub(super) fn serve(&mut self, now: Instant, agent: &ice::Agent) {
        // Mostly there is none, and this is asked whenever anything has happened.
        if self.closing || (self.relays.is_empty() && self.connections.is_empty()) {
            return;
        }
        let ufrag = agent.remote_credentials().map_or("", |it| &it.ufrag);
        let known = (agent.remote_candidates().count(), ufrag);
        for relay in self.relays.iter_mut().filter(|it| !it.relayed.is_empty()) {
            if (relay.permitted.0, relay.permitted.1.as_str()) == known {
                continue;
            }
            relay.permitted = (known.0, known.1.to_owned());
            for peer in agent.remote_candidates().map(|it| it.address) {
                if relay.address_for(peer).is_some() {
                    // One too many: it cannot connect.
                    let _ = relay.client.permit(now, peer);
                }
            }
        }
        self.connections
            .retain_mut(|it| it.is_on_probation(now) || agent.needs_connection(it.route));
    }

    /// Asks for the connections that the agent wants from relayed addresses.
    pub(super) fn connect(&mut self, now: Instant, agent: &mut ice::Agent) {
        while let Some(route) = agent.poll_relayed_connect() {
            let mut relays = self.relays.iter_mut();
            let is_from = |it: &SocketAddr| active(*it) == route.local;
            let relay = relays.find(|it| it.relayed.iter().any(is_from));
            let asked = relay.map(|it| it.client.connect(now, route.remote));
            if !matches!(asked, Some(Ok(()))) {
                agent.connect_failed(now, route);
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for relay in &mut self.relays {
            relay.client.handle_timeout(now);
        }
        for connection in &mut self.connections {
            connection.handle_timeout(now);
        }
        self.settle();
        self.follow(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let relays = self.relays.iter().filter_map(|it| it.client.poll_timeout());
        let connections = self.connections.iter().filter_map(Connection::poll_timeout);
        relays.chain(connections).min()
    }

    /// What is to be said to the servers themselves.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        let mut relays = self.relays.iter_mut();
        let control = relays.find_map(|it| it.client.poll_transmit(now, out));
        let mut connections = self.connections.iter_mut();
        control.or_else(|| connections.find_map(|it| it.poll_transmit(now, out)))
    }

    /// The streams in use.
    pub(super) fn streams(&self) -> impl Iterator<Item = FiveTuple> {
        let control = self.relays.iter().map(|it| it.client.path());
        control.chain(self.connections.iter().filter_map(Connection::path))
    }

    /// A stream to a server broke.
    pub(super) fn stream_lost(&mut self, now: Instant, path: FiveTuple) {
        self.streams_lost(now, |it| it == path);
    }

    /// An address of ours is gone, and with it the streams from there.
    pub(super) fn address_lost(&mut self, now: Instant, address: SocketAddr) {
        self.streams_lost(now, |it| it.local.ip() == address.ip());
    }

    fn streams_lost(&mut self, now: Instant, is_lost: impl Fn(FiveTuple) -> bool) {
        self.lose(|it| it.path().is_some_and(&is_lost));
        for relay in &mut self.relays {
            if is_lost(relay.client.path()) {
                relay.client.connection_lost();
            }
        }
        self.follow(now);
    }

    /// Gives the allocations back, and with them every connection.
    pub(super) fn close(&mut self, now: Instant) {
        self.closing = true;
        self.unreached.clear();
        self.requests.clear();
        self.connections.clear();
        for relay in &mut self.relays {
            relay.client.close(now);
        }
    }

    /// Takes what has come on a stream of these. What a peer has sent comes back with its route.
    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        path: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<(FiveTuple, &'d mut [u8])>, Rejected> {
        let mut relays = self.relays.iter_mut();
        if let Some(relay) = relays.find(|it| it.client.path() == path) {
            relay.client.handle_input(now, path, datagram)?;
            self.follow(now);
            return Ok(None);
        }
        let mut connections = self.connections.iter_mut();
        let connection = connections.find(|it| it.path() == Some(path));
        let connection = connection.ok_or(Rejected::NoTransport)?;
        if let State::Bound(_) = connection.state {
            return Ok(Some((connection.route, datagram)));
        }
        connection.handle_input(now, path, datagram)?;
        self.settle();
        Ok(None)
    }
}

fn tcp(local: SocketAddr, remote: SocketAddr) -> FiveTuple {
    FiveTuple {
        transport: Carrier::Tcp,
        local,
        remote,
    }
}

/// Connections that the server opens are told apart by their peers: their own port is nowhere told, and
/// stands for any.
fn active(mut relayed: SocketAddr) -> SocketAddr {
    relayed.set_port(DISCARD);
    relayed
}

#[cfg(test)]
mod tests;
