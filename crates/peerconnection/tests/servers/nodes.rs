//! The hosts of the simulated network: connections, and the servers that they ask.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use pc_ice::Host;
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use peerconnection::{
    Certificate,
    engine::{Config, Connection, Event, ServerPath, ServerRequest},
};

use crate::server::Server;

/// A connection with its socket, and what came out of it.
pub(crate) struct Peer {
    pub(crate) engine: Connection,
    pub(crate) address: SocketAddr,
    /// Sockets on further interfaces, for the first transport.
    pub(crate) others: Vec<SocketAddr>,
    /// The text messages of every channel.
    pub(crate) received: Vec<String>,
    /// What the link answers of names.
    pub(crate) names: Vec<(String, IpAddr)>,
    /// Where the names of servers lead.
    pub(crate) hosts: Vec<(&'static str, Vec<IpAddr>)>,
}

#[allow(clippy::large_enum_variant)]
pub(crate) enum Node {
    Peer(Peer),
    Server(Server),
}

impl Peer {
    pub(crate) fn new(seed: [u8; 32], certificate: Certificate, address: SocketAddr) -> Self {
        Self {
            engine: Connection::new(Config::new(certificate, seed)),
            address,
            others: Vec::new(),
            received: Vec::new(),
            names: Vec::new(),
            hosts: Vec::new(),
        }
    }

    /// Does what an application and its driver do.
    fn attend(&mut self, now: Instant) {
        while let Some(request) = self.engine.poll_server_request() {
            self.reach(now, &request);
        }
        while let Some(request) = self.engine.poll_name_request() {
            let mut known = self.names.iter();
            let ip = known.find(|(name, _)| *name == request.name);
            let ip = ip.map(|(_, ip)| *ip);
            self.engine.name_resolved(now, request.id, ip);
        }
        let ids: Vec<_> = self.engine.channels().map(|(id, _)| id).collect();
        for id in ids {
            let mut message = Vec::new();
            while self.engine.recv(now, id, &mut message).is_some() {
                let text = String::from_utf8(message.clone());
                self.received.push(text.expect("a text message"));
            }
        }
    }

    /// Says where a server is.
    fn reach(&mut self, now: Instant, request: &ServerRequest) {
        let uri = &request.uri;
        match uri.host() {
            Host::Address(ip) => {
                let path = ServerPath::Datagrams(vec![SocketAddr::new(*ip, uri.port())]);
                self.engine.server_reached(now, request.id, &path);
            }
            Host::Name(name) => {
                let mut known = self.hosts.iter();
                if let Some((_, ips)) = known.find(|(known, _)| known == name) {
                    let ips = ips.iter().map(|ip| SocketAddr::new(*ip, uri.port()));
                    let path = ServerPath::Datagrams(ips.collect());
                    return self.engine.server_reached(now, request.id, &path);
                }
                let what = format!("{name}: no such name");
                self.engine.server_unreachable(now, request.id, what);
            }
        }
    }
}

/// Why a datagram was dropped.
#[derive(Debug)]
pub(crate) struct Dropped(String);

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Dropped {}

/// One certificate for each side serves all calls: making them would take longer than the calls do.
pub(crate) fn certificates() -> &'static [Certificate; 2] {
    static MADE: std::sync::OnceLock<[Certificate; 2]> = std::sync::OnceLock::new();
    let unix_time = Duration::from_secs(1_795_000_000);
    let make = || Certificate::generate(unix_time).expect("a certificate");
    MADE.get_or_init(|| [(); 2].map(|()| make()))
}

impl Protocol for Node {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Dropped;

    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Dropped> {
        let text = |error: &dyn std::fmt::Display| Dropped(error.to_string());
        match self {
            Self::Peer(peer) => {
                let input = peer.engine.handle_input(now, route, datagram);
                input.map(|_| ()).map_err(|error| text(&error))
            }
            Self::Server(server) => {
                let input = server.handle_input(now, route, datagram);
                input.map_err(|error| text(&error))
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Self::Peer(peer) = self {
            peer.engine.handle_timeout(now);
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        match self {
            Self::Peer(peer) => {
                peer.attend(now);
                peer.engine.poll_transmit(now, out)
            }
            Self::Server(server) => server.poll_transmit(now, out),
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        match self {
            Self::Peer(peer) => peer.engine.poll_event(),
            Self::Server(_) => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Peer(peer) => peer.engine.poll_timeout(),
            Self::Server(_) => None,
        }
    }
}
