//! Who is asked, from where, and what the driver has found out on the way there.

use std::{net::SocketAddr, time::Instant};

use pc_ice::{Alternate, Host, Redirects, ServerUri, turn};
use pc_proto::{FiveTuple, Transport as Carrier};

use super::{
    super::seed,
    IceServer, MAX_CLIENTS, ServerId, ServerPath, ServerRequest, Servers,
    client::{Client, Wishes},
};

/// A server that the driver is still to reach.
pub(super) struct Attempt {
    number: u32,
    pub(super) server: IceServer,
    /// Where the server has sent us, if that is not where its URL leads.
    alternate: Option<(SocketAddr, Option<Box<str>>)>,
    redirects: Redirects,
    /// The network has changed since: a failure may be that of the old one.
    is_stale: bool,
}

/// Who is asked, on which path, and whether from a socket that nothing else uses.
type Way = (IceServer, FiveTuple, bool);

impl Servers {
    /// Asks the servers from every socket that does not have them, and over a stream if there is none.
    pub(super) fn ask_where_missing(&mut self) {
        let list = self.list.clone();
        for server in &*list {
            self.ask_if_missing(server);
        }
    }

    /// The same of one of them. Whether new credentials have come makes no difference while there is
    /// an allocation: one path has room for one (RFC 8656 §7.2).
    fn ask_if_missing(&mut self, server: &IceServer) {
        let is_asked = |attempt: &Attempt| attempt.server.uri == server.uri;
        if !self.closing && !self.attempts.iter().any(is_asked) && self.lacks(server) {
            self.reach(server.clone(), None, Redirects::new());
        }
    }

    /// What has served for long and is gone is asked again, by its URL of now.
    pub(super) fn ask_again(&mut self, lost: &IceServer) {
        let mut list = self.list.iter();
        if let Some(server) = list.find(|it| it.uri == lost.uri).cloned() {
            self.ask_if_missing(&server);
        }
    }

    fn lacks(&self, server: &IceServer) -> bool {
        let is_missing = |base: &SocketAddr| !self.is_asked_from(server, *base);
        if server.uri.transport().is_stream() || self.bases.is_empty() {
            return !self.is_served(server);
        }
        self.bases.iter().any(is_missing)
    }

    fn is_served(&self, server: &IceServer) -> bool {
        let is_of = |it: &Client| it.server.uri == server.uri && !it.is_ended();
        self.clients.iter().any(is_of)
    }

    fn is_asked_from(&self, server: &IceServer, base: SocketAddr) -> bool {
        let is_of = |it: &&Client| it.server.uri == server.uri && !it.is_ended();
        self.clients.iter().filter(is_of).any(|it| {
            let local = it.path().local;
            // Sockets of its own stand for those that are shared.
            local == base || (it.has_own_socket && local.is_ipv4() == base.is_ipv4())
        })
    }

    fn reach(
        &mut self,
        server: IceServer,
        alternate: Option<(SocketAddr, Option<Box<str>>)>,
        redirects: Redirects,
    ) {
        self.number += 1;
        self.requests.push_back(ServerRequest {
            id: ServerId {
                asker: self.id,
                number: self.number,
                relays_tcp: false,
            },
            uri: server.uri.clone(),
            alternate: alternate.clone(),
        });
        self.attempts.push(Attempt {
            number: self.number,
            server,
            alternate,
            redirects,
            is_stale: false,
        });
    }

    pub(in super::super) fn poll_request(&mut self) -> Option<ServerRequest> {
        let own = self.requests.pop_front();
        own.or_else(|| self.tcp.poll_request())
    }

    fn take_attempt(&mut self, id: ServerId) -> Option<Attempt> {
        let mut attempts = self.attempts.iter();
        let at = attempts.position(|attempt| attempt.number == id.number)?;
        Some(self.attempts.swap_remove(at))
    }

    pub(in super::super) fn reached(&mut self, now: Instant, id: ServerId, path: &ServerPath) {
        if id.relays_tcp {
            return self.tcp.reached(now, id, path, seed(&mut self.rng));
        }
        let Some(Attempt {
            server, redirects, ..
        }) = self.take_attempt(id)
        else {
            return;
        };
        let paths = match path {
            ServerPath::Datagrams(addresses) => {
                let new = |base: &&SocketAddr| !self.is_asked_from(&server, **base);
                datagram_paths(self.bases.iter().filter(new), addresses)
            }
            ServerPath::OwnSockets { locals, addresses } => {
                let new = |local: &&SocketAddr| !self.asks_of_own(&server, **local);
                datagram_paths(locals.iter().filter(new), addresses)
            }
            ServerPath::Stream { local, remote } => vec![FiveTuple {
                transport: Carrier::Tcp,
                local: *local,
                remote: *remote,
            }],
        };
        if paths.is_empty() && !self.is_served(&server) {
            let what = "no address of this machine can reach it";
            self.fail(&server.uri, None, 701, what.to_owned());
        }
        let is_own = matches!(path, ServerPath::OwnSockets { .. });
        let families = families(&server.uri, path);
        for path in paths {
            let way = (server.clone(), path, is_own);
            self.ask(now, way, families, redirects.clone());
        }
        self.tell_silent();
    }

    pub(in super::super) fn unreachable(&mut self, id: ServerId, what: String) {
        if id.relays_tcp {
            return self.tcp.unreachable(id);
        }
        match self.take_attempt(id) {
            Some(attempt) if attempt.is_stale => {
                self.reach(attempt.server, attempt.alternate, attempt.redirects);
            }
            Some(attempt) => {
                self.fail(&attempt.server.uri, None, 701, what);
                self.tell_silent();
            }
            None => {}
        }
    }

    /// A socket has come: what is looked for now may be found from there.
    pub(super) fn doubt_attempts(&mut self) {
        for attempt in &mut self.attempts {
            attempt.is_stale = true;
        }
    }

    /// A socket has gone, and with it perhaps the network that streams are being opened through, which
    /// would be found out when nobody waits any more.
    pub(super) fn restart_attempts(&mut self) {
        let is_stream = |it: &mut Attempt| it.server.uri.transport().is_stream();
        let lost: Vec<_> = self.attempts.extract_if(.., is_stream).collect();
        for attempt in lost {
            self.requests.retain(|it| it.id.number != attempt.number);
            self.reach(attempt.server, attempt.alternate, attempt.redirects);
        }
        self.doubt_attempts();
    }

    fn ask(
        &mut self,
        now: Instant,
        (server, path, is_own): Way,
        families: turn::Families,
        redirects: Redirects,
    ) {
        if self.clients.len() >= MAX_CLIENTS || self.closing {
            return;
        }
        let seed = seed(&mut self.rng);
        let wishes = Wishes {
            families,
            moves: self.moves_relays,
        };
        match Client::new(server.clone(), path, redirects, wishes, seed) {
            Ok(mut client) => {
                client.has_own_socket = is_own;
                self.clients.push(client);
                self.follow(now);
            }
            Err(error) => {
                let text = error.to_string();
                self.fail(&server.uri, Some(path.local), 701, text);
            }
        }
    }

    /// A server sends the client on this path elsewhere.
    pub(super) fn redirect(
        &mut self,
        now: Instant,
        (server, path, is_own): Way,
        alternate: Alternate,
    ) {
        if path.transport == Carrier::Udp {
            let path = FiveTuple::udp(path.local, alternate.server);
            let families = turn::Families::Both;
            self.ask(now, (server, path, is_own), families, alternate.redirects);
        } else if !self.closing {
            let place = Some((alternate.server, alternate.domain));
            self.reach(server, place, alternate.redirects);
        }
    }
}

/// Which relayed addresses to ask for. A peer may have addresses of one family alone, and be it the one
/// that this side has not: of both, unless all that the server's name leads to is IPv4. There is nothing
/// else to be had of such a one, and many of them, coturn with `external-ip`, would refuse and let the
/// allocation take a round trip more.
fn families(server: &ServerUri, path: &ServerPath) -> turn::Families {
    let addresses = match path {
        ServerPath::Datagrams(addresses) | ServerPath::OwnSockets { addresses, .. } => addresses,
        ServerPath::Stream { .. } => return turn::Families::Both,
    };
    let is_name = matches!(server.host(), Host::Name(_));
    if is_name && addresses.iter().all(SocketAddr::is_ipv4) {
        turn::Families::Any
    } else {
        turn::Families::Both
    }
}

/// From every socket to the first address of its family.
fn datagram_paths<'a>(
    bases: impl IntoIterator<Item = &'a SocketAddr>,
    addresses: &[SocketAddr],
) -> Vec<FiveTuple> {
    let paths = bases.into_iter().filter_map(|base| {
        let address = addresses.iter().find(|it| reaches(*base, **it))?;
        Some(FiveTuple::udp(*base, *address))
    });
    paths.collect()
}

/// Whether datagrams from this socket can get there: loopback reaches loopback alone.
pub(super) fn reaches(base: SocketAddr, server: SocketAddr) -> bool {
    base.is_ipv4() == server.is_ipv4() && base.ip().is_loopback() == server.ip().is_loopback()
}
