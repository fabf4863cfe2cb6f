//! STUN and TURN servers of one transport: who asks them, and what goes through them.
//!
//! The driver reaches a server, for names and streams are its business, and says how
//! ([`ServerPath`]); from there on everything is here. What a TURN server relays has the relayed
//! address as its local address for the ICE agent; towards the socket it goes on the path to the
//! server.

mod client;
mod errors;
mod moves;
mod outcomes;
mod reach;
mod relay;
mod sockets;
mod tcp;
mod types;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use pc_ice::{Candidate, ServerUri};
use pc_proto::{Batch, FiveTuple, TransmitBuf, Transport as Carrier};
use rand_chacha::ChaCha12Rng;

use super::Rejected;
use client::Client;
use errors::Errors;
use reach::Attempt;
use relay::Held;
use tcp::TcpRelays;
pub use types::{AskerId, IceCandidateError, IceServer, ServerId, ServerPath, ServerRequest};

/// Clients of one transport: more servers and addresses than that are not asked.
const MAX_CLIENTS: usize = 32;

/// How long something has to have served for another attempt to be worth its while when it ends.
const SERVICE: Duration = Duration::from_secs(60);

/// Addresses that one server may see one socket under: a NAT that is rebooted gives it another, and a
/// server that makes them up is not to fill the list of candidates.
const MAX_MAPPED: u8 = 4;

/// Where a candidate is from, for statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The server, as its URL.
    pub(super) url: String,
    /// How it is reached: `udp`, `tcp` or `tls`.
    pub(super) protocol: String,
    /// The address of ours that it is reached from.
    pub(super) base: IpAddr,
}

/// What has come of a server.
pub(super) enum Told {
    /// A candidate of ours, and the server that it is from.
    Found(Candidate, Origin),
    /// A relayed address is no longer ours.
    Lost(SocketAddr),
    /// A server has opened a connection to the peer, which the agent has asked for as this.
    Connected(FiveTuple),
    /// It cannot.
    NotConnected(FiveTuple),
    /// One has ended.
    ConnectionLost(FiveTuple),
    Error(Box<IceCandidateError>),
}

/// Whom to ask, and how.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) servers: &'a Arc<[IceServer]>,
    /// How long to wait for an answer.
    pub(super) patience: Duration,
    /// Whether allocations are to move to other sockets (RFC 8016).
    pub(super) moves_relays: bool,
    /// Whether those that can are to relay connections (RFC 6062).
    pub(super) relays_tcp: bool,
    /// Errors do not tell which socket they are about.
    pub(super) hides_addresses: bool,
}

/// The servers of one transport.
pub(super) struct Servers {
    id: AskerId,
    /// What was asked for last.
    list: Arc<[IceServer]>,
    /// The sockets that ask.
    bases: Vec<SocketAddr>,
    /// How often a server had an allocation for a socket of its own.
    mismatches: u8,
    number: u32,
    /// Those that the driver is still to reach.
    attempts: Vec<Attempt>,
    requests: VecDeque<ServerRequest>,
    clients: Vec<Client>,
    /// What goes through the servers in connections.
    pub(super) tcp: TcpRelays,
    told: VecDeque<Told>,
    errors: Errors,
    held: VecDeque<Held>,
    /// What the relays have been told of remote candidates: how many there were, and relays, and the
    /// user fragment of whose they were.
    permitted: (usize, usize, String),
    /// The pair that a channel is bound for.
    channel: Option<FiveTuple>,
    /// What the agent writes where it may be for a relay.
    scratch: Batch,
    /// Until when gathering waits.
    deadline: Option<Instant>,
    rng: ChaCha12Rng,
    moves_relays: bool,
    closing: bool,
}

impl Servers {
    pub(super) fn new(id: AskerId, rng: ChaCha12Rng) -> Self {
        Self {
            id,
            list: Arc::new([]),
            bases: Vec::new(),
            mismatches: 0,
            number: 0,
            attempts: Vec::new(),
            requests: VecDeque::new(),
            clients: Vec::new(),
            tcp: TcpRelays::new(id),
            told: VecDeque::new(),
            errors: Errors::default(),
            held: VecDeque::new(),
            permitted: (0, 0, String::new()),
            channel: None,
            scratch: Batch::new(),
            deadline: None,
            rng,
            moves_relays: false,
            closing: false,
        }
    }

    /// Begins to ask these servers, from these sockets. Those that serve already go on.
    pub(super) fn gather(&mut self, now: Instant, asked: Asked<'_>, bases: &[SocketAddr]) {
        if self.closing {
            return;
        }
        self.list = asked.servers.clone();
        self.moves_relays = asked.moves_relays;
        self.tcp.want(asked.relays_tcp);
        self.bases = bases.to_vec();
        self.mismatches = 0;
        self.errors.begin(asked.hides_addresses);
        self.resume(now);
        self.ask_where_missing();
        for client in &self.clients {
            self.tcp.begin_beside(client);
        }
        self.deadline = Some(now + asked.patience);
    }

    /// Goes on for a transport with what was asked ahead from its sockets; errors that have come of it
    /// are told now.
    pub(super) fn go_on(&mut self, now: Instant, asked: Asked<'_>, bases: &[SocketAddr]) {
        self.list = asked.servers.clone();
        self.moves_relays = asked.moves_relays;
        self.tcp.want(asked.relays_tcp);
        let known = self.attempts.len();
        for base in bases {
            self.add_base(now, *base);
        }
        self.ask_where_missing();
        if self.attempts.len() > known {
            self.deadline = Some(now + asked.patience);
        }
    }

    pub(super) fn id(&self) -> AskerId {
        self.id
    }

    /// Whether nobody was asked at any time.
    pub(super) fn are_unused(&self) -> bool {
        self.number == 0
    }

    /// A socket has come: the servers are asked from there, too, or allocations move there.
    pub(super) fn add_base(&mut self, now: Instant, base: SocketAddr) {
        if !self.closing && !self.bases.contains(&base) {
            self.bases.push(base);
            self.resume(now);
            self.doubt_attempts();
            self.ask_where_missing();
        }
    }

    /// Whether any server is being asked, or serves.
    pub(super) fn are_asked(&self) -> bool {
        !self.clients.is_empty() || self.tcp.are_asked()
    }

    /// Whether every server has answered, or cannot, or has been waited for long enough.
    pub(super) fn are_done(&self) -> bool {
        self.deadline.is_none() || self.have_answered()
    }

    fn have_answered(&self) -> bool {
        let own = self.attempts.is_empty() && self.clients.iter().all(|client| client.is_done);
        own && self.tcp.have_answered()
    }

    /// Gathering waits no longer. What comes later serves without being signaled.
    fn give_up(&mut self) {
        let Some(_) = self.deadline.take() else {
            return;
        };
        let waited = self.clients.iter_mut().filter(|client| !client.is_done);
        let asked = waited.map(|client| {
            client.is_done = true;
            let (uri, local) = (client.server.uri.clone(), client.path().local);
            (uri, Some(local), client.silence())
        });
        let sought = self.attempts.iter().map(|it| {
            let silence = (701, "no answer in time".to_owned());
            (it.server.uri.clone(), None, silence)
        });
        let silent: Vec<_> = asked.chain(sought).collect();
        for (server, local, (code, text)) in silent {
            self.fail(&server, local, code, text);
        }
        let silent = self.errors.take_silent(|_| true);
        self.tell(silent);
    }

    /// The end of candidates has been told.
    pub(super) fn end_gathering(&mut self) {
        self.deadline = None;
        self.errors.end();
    }

    fn fail(&mut self, server: &ServerUri, local: Option<SocketAddr>, code: u16, text: String) {
        let error = self.errors.failed(server, local, code, text);
        self.tell(error);
    }

    /// Tells of the servers that nobody was heard from and that are not tried any more.
    fn tell_silent(&mut self) {
        let (attempts, clients) = (&self.attempts, &self.clients);
        let silent = self.errors.take_silent(|server| {
            let is_sought = attempts.iter().any(|it| it.server.uri == *server);
            let is_asked = |it: &Client| it.server.uri == *server && !it.is_done;
            !is_sought && !clients.iter().any(is_asked)
        });
        self.tell(silent);
    }

    fn tell(&mut self, errors: impl IntoIterator<Item = IceCandidateError>) {
        let errors = errors.into_iter().map(Box::new).map(Told::Error);
        self.told.extend(errors);
    }

    pub(super) fn poll_told(&mut self) -> Option<Told> {
        let own = self.told.pop_front();
        own.or_else(|| self.tcp.poll_told())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.give_up();
        }
        self.tcp.handle_timeout(now);
        if !self.clients.is_empty() {
            for client in &mut self.clients {
                client.handle_timeout(now);
            }
            self.follow(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.deadline.filter(|_| !self.have_answered());
        let clients = self.clients.iter().filter_map(Client::poll_timeout);
        clients.chain(deadline).chain(self.tcp.poll_timeout()).min()
    }

    /// What is to be said to the servers themselves.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        let own = self.clients.iter_mut();
        let path = own.into_iter().find_map(|it| it.poll_transmit(now, out));
        path.or_else(|| self.tcp.poll_transmit(now, out))
            .or_else(|| self.transmit_held(out))
    }

    /// The connection to a server broke.
    pub(super) fn stream_lost(&mut self, now: Instant, path: FiveTuple) {
        self.tcp.stream_lost(now, path);
        for client in self.clients.iter_mut().filter(|it| it.path() == path) {
            client.connection_lost();
        }
        self.follow(now);
    }

    /// The servers' paths that are streams.
    pub(super) fn streams(&self) -> impl Iterator<Item = FiveTuple> {
        let paths = self.clients.iter().map(Client::path);
        let own = paths.filter(|path| path.transport != Carrier::Udp);
        own.chain(self.tcp.streams())
    }

    /// Gives every allocation back; the requests are still to be polled.
    pub(super) fn close(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.closing, true) {
            self.attempts.clear();
            self.requests.clear();
            self.tcp.close(now);
            for client in &mut self.clients {
                client.close(now);
            }
        }
    }

    /// Whether an answer with this transaction id is awaited, or this is the path to a server.
    pub(super) fn has_path(&self, route: FiveTuple) -> bool {
        let own = self.clients.iter().any(|client| client.path() == route);
        own || self.tcp.streams().any(|path| path == route)
    }

    /// Takes a datagram that is from a server and for its client. What is relayed in it comes back
    /// with its own route; anything else that is not for a client, too.
    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<(FiveTuple, &'d mut [u8])>, Rejected> {
        if self.tcp.streams().any(|path| path == route) {
            return self.tcp.handle_input(now, route, datagram);
        }
        let mut clients = self.clients.iter_mut();
        let Some(client) = clients.find(|it| it.is_for(route, datagram)) else {
            return Ok(Some((route, datagram)));
        };
        let relayed = client.handle_input(now, route, datagram)?;
        if relayed.is_none() {
            self.follow(now);
        }
        Ok(relayed)
    }
}

#[cfg(test)]
mod tests;
