//! What is bound for connections: UDP sockets, and what listens for TCP.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
};

use pc_ice::TcpType;
use pc_net::{Datagram, Envelope, Listener, RecvBatch, SendProgress, Stream, UdpSocket};
use pc_proto::{Batch, FiveTuple};

use super::{
    super::{
        endpoint::{bind_hosts, bind_one},
        inbox::Key,
    },
    own_sockets::OwnSockets,
    tcp::Listening,
};
use crate::{
    TcpCandidates,
    config::HostAddresses,
    engine::{AskerId, PoolId, ServerPath, TransportId},
};

pub(super) struct Sockets {
    owner: Owner,
    udp: Vec<Bound>,
    listening: Listening,
    /// Those that one connection asks servers from.
    own: OwnSockets,
    /// Sets of sockets for the pool, which is asked for when the connection has its first turn.
    pool: VecDeque<Vec<UdpSocket>>,
    /// Which socket is asked first, so that none starves.
    next: usize,
    /// Whether one connection's own is asked before those.
    own_first: bool,
    received: RecvBatch,
}

/// Whose the sockets are.
enum Owner {
    /// The endpoint's, for all its connections.
    Endpoint,
    /// One connection's, which binds them when it gathers.
    Connection(HostAddresses),
    /// Nobody's any more: the one connection has ended.
    Nobody,
}

/// A socket, and what it was bound for. A connection's transports have sockets of their own, since two
/// between the same two sockets could not be told apart.
struct Bound {
    socket: UdpSocket,
    user: User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Anyone,
    Transport(TransportId),
    /// A transport to come.
    Pool(PoolId),
}

impl Bound {
    fn is_of(&self, id: TransportId) -> bool {
        matches!(self.user, User::Anyone) || self.user == User::Transport(id)
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr()
    }
}

/// What a socket has.
pub(super) enum Received {
    /// Datagrams, from the socket of this number; or it has ended.
    Datagrams(usize, io::Result<()>),
    /// The same of the socket at this address, which is this connection's alone.
    ForOne(Key, SocketAddr, io::Result<()>),
    /// A peer has connected.
    Accepted(Box<Stream>),
}

impl Sockets {
    /// Those of an endpoint.
    pub(super) fn shared(udp: Vec<UdpSocket>, listeners: Vec<Listener>) -> Self {
        let bound = |socket| Bound {
            socket,
            user: User::Anyone,
        };
        Self {
            udp: udp.into_iter().map(bound).collect(),
            listening: Listening::shared(listeners),
            ..Self::of(Owner::Endpoint)
        }
    }

    /// Those of one connection; `pool` is how many sets of them are bound before a transport needs them.
    pub(super) fn private(hosts: HostAddresses, pool: u8) -> Self {
        let pool = (0..pool).map(|_| bind_hosts(&hosts)).collect();
        Self {
            pool,
            ..Self::of(Owner::Connection(hosts))
        }
    }

    fn of(owner: Owner) -> Self {
        Self {
            owner,
            udp: Vec::new(),
            listening: Listening::default(),
            own: OwnSockets::default(),
            pool: VecDeque::new(),
            next: 0,
            own_first: false,
            received: RecvBatch::new(),
        }
    }

    /// Whose addresses are bound, where these are one connection's; `None`: they are given.
    pub(super) fn hosts(&self) -> Option<&HostAddresses> {
        match &self.owner {
            Owner::Connection(hosts) => Some(hosts),
            Owner::Endpoint | Owner::Nobody => None,
        }
    }

    /// Whether there is nobody left whose they are.
    pub(super) fn are_nobodys(&self) -> bool {
        matches!(self.owner, Owner::Nobody)
    }

    /// A connection has ended.
    pub(super) fn let_go(&mut self, key: Key) {
        self.own.release(key, |_| false);
        if self.hosts().is_some() {
            self.owner = Owner::Nobody;
        }
    }

    /// Sockets for the pool of one connection; `gather` makes it known at their addresses. An
    /// endpoint needs none.
    pub(super) fn fill_pool(&mut self, gather: impl FnOnce(&[SocketAddr]) -> PoolId) {
        let Owner::Connection(hosts) = &self.owner else {
            return;
        };
        let set = self.pool.pop_front().unwrap_or_else(|| bind_hosts(hosts));
        let addresses: Vec<_> = set.iter().map(UdpSocket::local_addr).collect();
        let user = User::Pool(gather(&addresses));
        self.udp
            .extend(set.into_iter().map(|socket| Bound { socket, user }));
    }

    /// The sets of the pool.
    pub(super) fn pooled(&self) -> Vec<PoolId> {
        let users = self.udp.iter().map(|bound| bound.user);
        let mut pooled: Vec<_> = users
            .filter_map(|user| match user {
                User::Pool(id) => Some(id),
                User::Anyone | User::Transport(_) => None,
            })
            .collect();
        pooled.dedup();
        pooled
    }

    /// The addresses to make candidates of for a transport; binds what one connection needs, unless the
    /// pool has a set for it.
    pub(super) fn addresses_for(
        &mut self,
        id: TransportId,
        pooled: Option<PoolId>,
    ) -> Vec<SocketAddr> {
        if let Owner::Connection(hosts) = &self.owner
            && !self.udp.iter().any(|bound| bound.is_of(id))
        {
            let user = User::Transport(id);
            let pooled = pooled.map(User::Pool);
            let mut is_bound = false;
            let set = self.udp.iter_mut().filter(|it| Some(it.user) == pooled);
            for bound in set {
                bound.user = user;
                is_bound = true;
            }
            if !is_bound {
                let set = bind_hosts(hosts).into_iter();
                self.udp.extend(set.map(|socket| Bound { socket, user }));
            }
        }
        let bound = self.udp.iter().filter(|bound| bound.is_of(id));
        bound.map(Bound::address).collect()
    }

    /// Where TCP candidates are to be made for a transport whose UDP sockets are at `addresses`; listens
    /// at what is not an endpoint's, which is given.
    pub(super) fn tcp_addresses(
        &mut self,
        id: TransportId,
        addresses: &[SocketAddr],
        wanted: TcpCandidates,
    ) -> Vec<(TcpType, SocketAddr)> {
        let binds = self.hosts().is_some();
        self.listening.addresses_for(id, addresses, wanted, binds)
    }

    /// A socket for a transport at one more address of this machine; `None` where there is one, or none
    /// can be had.
    pub(super) fn bind(&mut self, id: TransportId, ip: IpAddr) -> Option<SocketAddr> {
        self.bind_for(User::Transport(id), ip)
    }

    /// The same for a set of the pool.
    pub(super) fn bind_pooled(&mut self, id: PoolId, ip: IpAddr) -> Option<SocketAddr> {
        self.bind_for(User::Pool(id), ip)
    }

    fn bind_for(&mut self, user: User, ip: IpAddr) -> Option<SocketAddr> {
        let is_there = |bound: &Bound| bound.user == user && bound.address().ip() == ip;
        if self.udp.iter().any(is_there) {
            return None;
        }
        let socket = bind_one(ip)?;
        let address = socket.local_addr();
        self.udp.push(Bound { socket, user });
        Some(address)
    }

    /// How a server at these addresses is asked over UDP. Where connections share a socket, a TURN server
    /// would take the second one's allocation for the first one's (RFC 8656 §5): each gets a socket for
    /// it beside every address of the endpoint.
    pub(super) fn path_to(
        &mut self,
        (key, id): (Key, AskerId),
        addresses: Vec<SocketAddr>,
        is_turn: bool,
    ) -> ServerPath {
        if !(is_turn && matches!(self.owner, Owner::Endpoint)) {
            return ServerPath::Datagrams(addresses);
        }
        let given = self.udp.iter().map(Bound::address);
        let mut ips: Vec<_> = given.chain(self.listening.addresses()).collect();
        ips.sort_by_key(SocketAddr::ip);
        ips.dedup_by_key(|it| it.ip());
        let own = ips.iter().filter_map(|it| self.own.bind(key, id, it.ip()));
        ServerPath::OwnSockets {
            locals: own.collect(),
            addresses,
        }
    }

    /// Closes what was bound for transports that do not need it any more.
    pub(super) fn release(
        &mut self,
        needs: impl Fn(TransportId) -> bool,
        needs_pooled: impl Fn(PoolId) -> bool,
    ) {
        self.udp.retain(|bound| match bound.user {
            User::Anyone => true,
            User::Transport(id) => needs(id),
            User::Pool(id) => needs_pooled(id),
        });
        self.listening.release(needs);
    }

    /// Closes what a connection does not ask servers from any more.
    pub(super) fn release_own(&mut self, key: Key, is_needed: impl Fn(SocketAddr) -> bool) {
        self.own.release(key, is_needed);
    }

    /// Whether the datagrams of this address go by their content.
    pub(super) fn has(&self, local: SocketAddr) -> bool {
        self.udp.iter().any(|bound| bound.address() == local)
    }

    /// Closes what is bound to addresses that are gone. Returns what it was bound to.
    pub(super) fn lose(&mut self, gone: &[IpAddr]) -> Vec<SocketAddr> {
        for set in &mut self.pool {
            set.retain(|socket| !gone.contains(&socket.local_addr().ip()));
        }
        let is_gone = |bound: &mut Bound| gone.contains(&bound.address().ip());
        let lost = self.udp.extract_if(.., is_gone);
        let mut lost: Vec<_> = lost.map(|bound| bound.address()).collect();
        lost.extend(self.listening.lose(gone));
        lost
    }

    /// Closes the socket of this number.
    pub(super) fn remove(&mut self, number: usize) -> Option<SocketAddr> {
        let is_there = number < self.udp.len();
        is_there.then(|| self.udp.remove(number).address())
    }

    /// Sends a batch, however long the socket takes. Datagrams that the system refuses are lost, as
    /// they could be on the network.
    pub(super) async fn send(&self, route: FiveTuple, batch: &Batch) {
        let mut sockets = self.udp.iter().map(|bound| &bound.socket);
        let socket = sockets.find(|it| it.local_addr() == route.local);
        let Some(socket) = socket.or_else(|| self.own.get(route.local)) else {
            return;
        };
        let envelope = Envelope::to(route.remote);
        let mut progress = SendProgress::new();
        while let Err(error) = socket.try_send(envelope, batch, &mut progress) {
            if error.kind() != io::ErrorKind::WouldBlock || socket.writable().await.is_err() {
                break;
            }
        }
        if let Some(error) = &progress.error {
            tracing::debug!(%route, dropped = progress.dropped, %error, "datagrams refused");
        }
    }

    /// Receives from whichever socket has something, the one after the last one first, and in turn with
    /// those that are connections' own.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.own_first
            && let Poll::Ready(received) = self.poll_own(cx)
        {
            return Poll::Ready(received);
        }
        if let Poll::Ready(stream) = self.listening.poll_accept(cx) {
            return Poll::Ready(Received::Accepted(Box::new(stream)));
        }
        let count = self.udp.len();
        for offset in 0..count {
            let number = (self.next + offset) % count;
            let Some(bound) = self.udp.get(number) else {
                continue;
            };
            if let Poll::Ready(result) = bound.socket.poll_recv(cx, &mut self.received) {
                self.next = number + 1;
                self.own_first = true;
                return Poll::Ready(Received::Datagrams(number, result.map(|_| ())));
            }
        }
        self.poll_own(cx)
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let own = self.own.poll_recv(cx, &mut self.received);
        own.map(|(key, local, result)| {
            self.own_first = false;
            Received::ForOne(key, local, result)
        })
    }

    /// The address of the socket of this number.
    pub(super) fn address(&self, number: usize) -> Option<SocketAddr> {
        self.udp.get(number).map(Bound::address)
    }

    /// What the socket at `local` has received, each with its route.
    pub(super) fn received(
        &mut self,
        local: SocketAddr,
    ) -> impl Iterator<Item = (FiveTuple, Datagram<'_>)> {
        let datagrams = self.received.datagrams_mut();
        datagrams.map(move |datagram| (FiveTuple::udp(local, datagram.remote), datagram))
    }
}
