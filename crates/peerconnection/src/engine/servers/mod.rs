//! STUN and TURN servers of one transport: who asks them, and what goes through them.
//!
//! The driver reaches a server, for names and streams are its business, and says how
//! ([`ServerPath`]); from there on everything is here. What a TURN server relays has the relayed
//! address as its local address for the ICE agent; towards the socket it goes on the path to the
//! server.

mod client;
mod relay;
mod sockets;
mod types;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use pc_ice::{Candidate, CandidateKind};
use pc_jsep::TransportId;
use pc_proto::{Batch, FiveTuple, TransmitBuf, Transport as Carrier};
use rand_chacha::ChaCha12Rng;

use super::{Rejected, seed};
use client::{Client, Outcome};
use relay::Held;
pub use types::{IceCandidateError, IceServer, ServerId, ServerPath, ServerRequest};

/// Clients of one transport: more servers and addresses than that are not asked.
const MAX_CLIENTS: usize = 32;

/// How long gathering waits for a server's first answer. Requests go on for 39.5 s (RFC 8489 §6.2.1),
/// but nobody's call waits for that: what comes later serves without being signaled.
const PATIENCE: Duration = Duration::from_secs(10);

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
    Error(Box<IceCandidateError>),
}

/// The servers of one transport.
pub(super) struct Servers {
    transport: TransportId,
    /// What was asked for last.
    list: Arc<[IceServer]>,
    /// The sockets that ask.
    bases: Vec<SocketAddr>,
    number: u32,
    /// Those that the driver is still to reach, by the number of the request.
    unreached: Vec<(u32, usize, pc_ice::Redirects)>,
    requests: VecDeque<ServerRequest>,
    clients: Vec<Client>,
    told: VecDeque<Told>,
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
    closing: bool,
}

impl Servers {
    pub(super) fn new(transport: TransportId, rng: ChaCha12Rng) -> Self {
        Self {
            transport,
            list: Arc::new([]),
            bases: Vec::new(),
            number: 0,
            unreached: Vec::new(),
            requests: VecDeque::new(),
            clients: Vec::new(),
            told: VecDeque::new(),
            held: VecDeque::new(),
            permitted: (0, 0, String::new()),
            channel: None,
            scratch: Batch::new(),
            deadline: None,
            rng,
            closing: false,
        }
    }

    /// Begins to ask these servers, from these sockets. Those that serve already go on.
    pub(super) fn gather(
        &mut self,
        now: Instant,
        servers: &Arc<[IceServer]>,
        bases: &[SocketAddr],
    ) {
        if self.closing {
            return;
        }
        self.deadline = Some(now + PATIENCE);
        self.bases = bases.to_vec();
        for (index, server) in servers.iter().enumerate() {
            let serves = |client: &Client| client.server == *server && !client.is_ended();
            let is_asked = |(_, asked, _): &(u32, usize, _)| self.list.get(*asked) == Some(server);
            if self.clients.iter().any(serves) || self.unreached.iter().any(is_asked) {
                continue;
            }
            self.reach(servers, index, None, pc_ice::Redirects::new());
        }
        if !Arc::ptr_eq(&self.list, servers) {
            // Answers that are still to come name servers by their place in the list.
            let before = std::mem::replace(&mut self.list, servers.clone());
            for (_, index, _) in &mut self.unreached {
                let old = before.get(*index);
                let place = old.and_then(|old| servers.iter().position(|new| new == old));
                *index = place.unwrap_or(*index);
            }
        }
    }

    fn reach(
        &mut self,
        servers: &Arc<[IceServer]>,
        index: usize,
        alternate: Option<(SocketAddr, Option<Box<str>>)>,
        redirects: pc_ice::Redirects,
    ) {
        let Some(server) = servers.get(index) else {
            return;
        };
        self.number += 1;
        self.unreached.push((self.number, index, redirects));
        self.requests.push_back(ServerRequest {
            id: ServerId {
                transport: self.transport,
                number: self.number,
            },
            uri: server.uri.clone(),
            alternate,
        });
    }

    pub(super) fn poll_request(&mut self) -> Option<ServerRequest> {
        self.requests.pop_front()
    }

    /// Whether any server is being asked, or serves.
    pub(super) fn are_asked(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Whether every server has answered, or cannot, or has been waited for long enough.
    pub(super) fn are_done(&self) -> bool {
        self.deadline.is_none() || self.have_answered()
    }

    fn have_answered(&self) -> bool {
        self.unreached.is_empty() && self.clients.iter().all(|client| client.is_done)
    }

    /// Gathering waits no longer.
    fn give_up(&mut self) {
        self.deadline = None;
        let waited = self.clients.iter_mut().filter(|client| !client.is_done);
        let silent: Vec<_> = waited
            .map(|client| {
                client.is_done = true;
                client.is_given_up = true;
                (client.server.clone(), client.path().local)
            })
            .collect();
        for (server, local) in silent {
            let what = format!("no answer within {PATIENCE:?}");
            self.tell_error(&server, Some(local), 701, what);
        }
    }

    fn take_unreached(&mut self, id: ServerId) -> Option<(IceServer, usize, pc_ice::Redirects)> {
        let mut unreached = self.unreached.iter();
        let at = unreached.position(|(number, ..)| *number == id.number)?;
        let (_, index, redirects) = self.unreached.swap_remove(at);
        Some((self.list.get(index)?.clone(), index, redirects))
    }

    pub(super) fn reached(&mut self, now: Instant, id: ServerId, path: &ServerPath) {
        let Some((server, _, redirects)) = self.take_unreached(id) else {
            return;
        };
        let paths = match path {
            ServerPath::Datagrams(addresses) => datagram_paths(&self.bases, addresses),
            ServerPath::OwnSockets { locals, addresses } => datagram_paths(locals, addresses),
            ServerPath::Stream { local, remote } => vec![FiveTuple {
                transport: Carrier::Tcp,
                local: *local,
                remote: *remote,
            }],
        };
        if paths.is_empty() {
            let what = "no address of this machine can reach it";
            self.tell_error(&server, None, 701, what.to_owned());
        }
        for path in paths {
            self.ask(now, &server, path, redirects.clone());
        }
    }

    pub(super) fn unreachable(&mut self, id: ServerId, what: String) {
        if let Some((server, ..)) = self.take_unreached(id) {
            self.tell_error(&server, None, 701, what);
        }
    }

    fn ask(
        &mut self,
        now: Instant,
        server: &IceServer,
        path: FiveTuple,
        redirects: pc_ice::Redirects,
    ) {
        if self.clients.len() >= MAX_CLIENTS || self.closing {
            return;
        }
        let seed = seed(&mut self.rng);
        match Client::new(server.clone(), path, redirects, seed) {
            Ok(client) => {
                self.clients.push(client);
                self.follow(now);
            }
            Err(error) => self.tell_error(server, Some(path.local), 701, error.to_string()),
        }
    }

    fn tell_error(
        &mut self,
        server: &IceServer,
        local: Option<SocketAddr>,
        error_code: u16,
        error_text: String,
    ) {
        let error = IceCandidateError {
            address: local.map(|it| it.ip()),
            port: local.map(|it| it.port()),
            url: server.uri.to_string(),
            error_code,
            error_text,
        };
        self.told.push_back(Told::Error(Box::new(error)));
    }

    pub(super) fn poll_told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Brings what the clients have learned here.
    fn follow(&mut self, now: Instant) {
        let mut again = Vec::new();
        for index in 0..self.clients.len() {
            while let Some(outcome) = self.clients.get_mut(index).and_then(Client::poll_event) {
                if let Outcome::Redirected(alternate) = &outcome {
                    again.push((index, alternate.clone()));
                }
                self.take_outcome(now, index, outcome);
            }
        }
        for (index, alternate) in again {
            self.redirect(now, index, alternate);
        }
        self.clients.retain(|client| !client.is_ended());
    }

    fn take_outcome(&mut self, now: Instant, index: usize, outcome: Outcome) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let origin = Origin {
            url: client.server.uri.to_string(),
            protocol: client.server.uri.transport().to_string(),
            base: client.path().local.ip(),
        };
        match outcome {
            Outcome::Mapped(address) => {
                client.is_done = true;
                let base = client.path().local;
                let found = reflexive(address, base);
                self.told.push_back(Told::Found(found, origin));
            }
            Outcome::Allocated(relayed, mapped) => {
                client.is_done = true;
                client.relayed.clone_from(&relayed);
                let path = client.path();
                if path.transport == Carrier::Udp
                    && let Some(mapped) = mapped
                {
                    let found = reflexive(mapped, path.local);
                    self.told.push_back(Told::Found(found, origin.clone()));
                }
                for address in relayed {
                    let found = Candidate {
                        related_address: mapped.or(Some(path.local)),
                        ..Candidate::new(CandidateKind::Relayed, address)
                    };
                    self.told.push_back(Told::Found(found, origin.clone()));
                }
            }
            Outcome::Permitted(ip) => self.release(now, index, ip),
            Outcome::NotPermitted(ip) => self.held.retain(|held| held.peer.ip() != ip),
            Outcome::Redirected(_) => client.is_done = true,
            Outcome::Failed(error) => {
                client.is_done = true;
                let is_told = client.is_given_up;
                let (server, path) = (client.server.clone(), client.path());
                let lost = std::mem::take(&mut client.relayed);
                self.told.extend(lost.into_iter().map(Told::Lost));
                if !self.closing && !is_told {
                    let text = error.to_string();
                    self.tell_error(&server, Some(path.local), error.code(), text);
                }
            }
        }
    }

    /// The server of a client sends it elsewhere.
    fn redirect(&mut self, now: Instant, index: usize, alternate: pc_ice::Alternate) {
        let Some(client) = self.clients.get(index) else {
            return;
        };
        let (server, path) = (client.server.clone(), client.path());
        if path.transport == Carrier::Udp {
            let path = FiveTuple::udp(path.local, alternate.server);
            self.ask(now, &server, path, alternate.redirects);
        } else if let Some(index) = self.list.iter().position(|it| *it == server) {
            let place = Some((alternate.server, alternate.domain));
            let list = self.list.clone();
            self.reach(&list, index, place, alternate.redirects);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.give_up();
        }
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
        clients.chain(deadline).min()
    }

    /// What is to be said to the servers themselves.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        let own = self.clients.iter_mut();
        let path = own.into_iter().find_map(|it| it.poll_transmit(now, out));
        path.or_else(|| self.transmit_held(out))
    }

    /// The connection to a server broke.
    pub(super) fn stream_lost(&mut self, now: Instant, path: FiveTuple) {
        for client in self.clients.iter_mut().filter(|it| it.path() == path) {
            client.connection_lost();
        }
        self.follow(now);
    }

    /// A socket of ours is gone, and with it the streams from its address.
    pub(super) fn socket_lost(&mut self, now: Instant, base: SocketAddr) {
        // A socket of a server's own has none to move to: the others may be other clients' as well.
        let is_own = !self.bases.contains(&base);
        self.bases.retain(|known| *known != base);
        let bases = if is_own { &[][..] } else { &self.bases };
        for client in &mut self.clients {
            let path = client.path();
            if path.transport == Carrier::Udp && path.local == base {
                let reaches = |other: &&SocketAddr| other.is_ipv4() == base.is_ipv4();
                client.socket_lost(now, bases.iter().find(reaches).copied());
            } else if path.transport != Carrier::Udp && path.local.ip() == base.ip() {
                client.socket_lost(now, None);
            }
        }
        self.follow(now);
    }

    /// The servers' paths that are streams.
    pub(super) fn streams(&self) -> impl Iterator<Item = FiveTuple> {
        let paths = self.clients.iter().map(Client::path);
        paths.filter(|path| path.transport != Carrier::Udp)
    }

    /// Gives every allocation back; the requests are still to be polled.
    pub(super) fn close(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.closing, true) {
            self.unreached.clear();
            self.requests.clear();
            for client in &mut self.clients {
                client.close(now);
            }
        }
    }

    /// Whether an answer with this transaction id is awaited, or this is the path to a server.
    pub(super) fn has_path(&self, route: FiveTuple) -> bool {
        self.clients.iter().any(|client| client.path() == route)
    }

    /// Takes a datagram that is from a server and for its client. What is relayed in it comes back
    /// with its own route; anything else that is not for a client, too.
    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<(FiveTuple, &'d mut [u8])>, Rejected> {
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

/// From every socket to the first address of its family. Loopback reaches loopback alone.
fn datagram_paths(bases: &[SocketAddr], addresses: &[SocketAddr]) -> Vec<FiveTuple> {
    let reaches = |base: &SocketAddr, server: &SocketAddr| {
        base.is_ipv4() == server.is_ipv4() && base.ip().is_loopback() == server.ip().is_loopback()
    };
    let paths = bases.iter().filter_map(|base| {
        let server = addresses.iter().find(|server| reaches(base, server))?;
        Some(FiveTuple::udp(*base, *server))
    });
    paths.collect()
}

/// What the server saw of one of our sockets.
fn reflexive(address: SocketAddr, base: SocketAddr) -> Candidate {
    Candidate {
        related_address: Some(base),
        ..Candidate::new(CandidateKind::ServerReflexive, address)
    }
}
