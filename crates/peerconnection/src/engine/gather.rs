//! The calls about candidates of this side: sockets, servers, names.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use pc_ice::TcpType;
use pc_jsep::TransportId;

use super::{
    Connection, IceServer, NameId, NameRequest, PoolId, ServerId, ServerPath, ServerRequest,
    transport::GatherPolicy,
};
use crate::{IceTransportPolicy, state::SignalingState};

/// How long gathering waits for servers that do not answer: 10 s.
///
/// Their requests go on for 39.5 s (RFC 8489 §6.2.1), but who sends a description only when gathering
/// is complete would wait for that whenever one of several servers is down. A relay takes two requests,
/// of which each is sent four times within 4 s: with one datagram of ten lost on each way, one of eight
/// hundred is not answered by then, and a relay that the peer is not told of may be the only way.
pub const GATHERING_TIMEOUT: Duration = Duration::from_secs(10);

impl Connection {
    /// `iceTransportPolicy`: which candidates are gathered from now on.
    pub fn set_ice_transport_policy(&mut self, policy: IceTransportPolicy) {
        if std::mem::replace(&mut self.policy, policy) != policy {
            self.transports.pool.discard();
        }
    }

    /// The transports that wait for [`gather_transport`](Self::gather_transport): a local
    /// description names credentials whose candidates have not been announced.
    pub fn ungathered_transports(&self) -> impl Iterator<Item = TransportId> {
        let open = !self.is_closed();
        self.transports.ungathered().filter(move |_| open)
    }

    /// `iceServers`: whom to ask for what is gathered from now on.
    pub fn set_ice_servers(&mut self, servers: Vec<IceServer>) {
        self.transports.set_servers(servers);
    }

    /// How long gathering waits for servers, from now on; [`GATHERING_TIMEOUT`] unless told otherwise.
    /// What they answer later is used, and told by the next restart.
    pub fn set_gathering_timeout(&mut self, timeout: Duration) {
        self.gathering_timeout = timeout;
    }

    /// Whether TURN servers that are asked from now on are asked for tickets with which allocations move
    /// to other sockets (RFC 8016). They are not unless told so.
    pub fn set_relay_mobility(&mut self, moves: bool) {
        self.moves_relays = moves;
    }

    /// Whether host candidates are told by names instead of addresses
    /// ([`Config::hide_host_addresses`](super::Config::hide_host_addresses)).
    pub fn hides_host_addresses(&self) -> bool {
        self.transports.hosts.hides()
    }

    /// The name of multicast DNS that the caller answers for with this address of its sockets, before
    /// it is gathered with. Host candidates whose address has none are not told where addresses are
    /// [hidden](Self::hides_host_addresses).
    pub fn set_host_name(&mut self, ip: IpAddr, name: &str) {
        self.transports.set_host_name(ip, name);
    }

    /// The networks of addresses of this machine, before it is gathered with them: what candidates say
    /// of their network comes from here, and the pair that costs less is used
    /// (draft-thatcher-ice-network-cost). Relayed candidates are of the network that leads to their
    /// server. Without, all addresses are alike.
    pub fn set_networks(&mut self, networks: &[(IpAddr, pc_ice::Network)]) {
        self.transports.set_networks(networks);
    }

    /// Begins to gather for this transport: makes host candidates of the addresses of the caller's
    /// sockets, announces them, and asks the servers ([`poll_server_request`](Self::poll_server_request)).
    /// Does nothing unless the transport [waits for it](Self::ungathered_transports).
    ///
    /// Transports may share sockets, unless the peer does so too: two transports between the same
    /// two sockets cannot be told apart. Where they do, TURN servers are to be asked from
    /// [others](ServerPath::OwnSockets).
    pub fn gather_transport(&mut self, now: Instant, id: TransportId, addresses: &[SocketAddr]) {
        if self.is_closed() {
            return;
        }
        let policy = self.gather_policy();
        let events = &mut self.events;
        self.transports.gather(now, id, addresses, policy, events);
        self.pump(now);
    }

    fn gather_policy(&self) -> GatherPolicy {
        GatherPolicy {
            is_relay_only: self.policy == IceTransportPolicy::Relay,
            patience: self.gathering_timeout,
            moves_relays: self.moves_relays,
            // They tell no address of this side, whatever the policy is.
            relays_tcp: self.tcp.includes(TcpType::Passive),
        }
    }

    /// `iceCandidatePoolSize`: for how many transports to [gather ahead](Self::gather_ahead). Means
    /// nothing once a transport has gathered
    /// ([RFC 9429 §3.5.4](https://www.rfc-editor.org/rfc/rfc9429#section-3.5.4)).
    pub fn set_ice_candidate_pool_size(&mut self, size: u8) {
        self.transports.pool.set_size(size.into());
    }

    /// How many sets of sockets the pool still wants: the caller binds each as for a transport, and
    /// calls [`gather_ahead`](Self::gather_ahead).
    pub fn unfilled_pool(&self) -> usize {
        if self.is_closed() {
            0
        } else {
            self.transports.pool.lacks()
        }
    }

    /// Begins to ask the servers from sockets of a transport that is yet to come, so that what they
    /// answer is there when it gathers: the transport that is [gathered](Self::gather_transport) for
    /// with these sockets has it. Nothing is told before.
    ///
    /// The pool lets go of them when other servers are set, or another policy, and after the first
    /// exchange of descriptions: see [`needs_pooled`](Self::needs_pooled).
    pub fn gather_ahead(&mut self, now: Instant, addresses: &[SocketAddr]) -> PoolId {
        let policy = self.gather_policy();
        self.transports.gather_ahead(now, addresses, policy)
    }

    /// The set of sockets in the pool that the next transport is to be gathered for with.
    pub fn next_pooled(&self) -> Option<PoolId> {
        self.transports.pool.next()
    }

    /// Whether these sockets are of use to the pool: their servers are asked, or have something to
    /// hear still. Those that a transport has are not.
    pub fn needs_pooled(&self, id: PoolId) -> bool {
        self.transports.pool.needs(id)
    }

    /// A socket at one more address of this machine has come for a set in the pool.
    pub fn add_pooled_address(&mut self, now: Instant, id: PoolId, address: SocketAddr) {
        self.transports.pool.add_address(now, id, address);
    }

    /// RFC 9429 §3.5.4: what the first exchange has not used is let go.
    pub(super) fn follow_pool(&mut self) {
        let is_over = self.signaling_state() == SignalingState::Stable
            && !self.needs_gathering()
            && self.transports.iter().next().is_some();
        if is_over {
            self.transports.pool.end();
        }
    }

    /// A socket on this address has come for a transport that has gathered: an interface is there
    /// that was not. Its pairs are tried at once, and the servers are asked from there; see
    /// [`remove_local_address`](Self::remove_local_address).
    pub fn add_local_address(&mut self, now: Instant, id: TransportId, address: SocketAddr) {
        if !self.is_closed() {
            self.transports.add_local_address(now, id, address);
            self.pump(now);
        }
    }

    /// The socket at this address is of no more use: its interface is gone. If data went over it,
    /// another pair takes over as soon as it answers. If none does within a second (of the time that
    /// there is another address at all), ICE is to be [restarted](Self::restart_ice), which the
    /// application hears of as `negotiationneeded`; see
    /// [`set_restart_on_network_change`](Self::set_restart_on_network_change).
    pub fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        if !self.is_closed() {
            self.transports.remove_local_address(now, address);
            self.pump(now);
        }
    }

    /// Whether the loss of the address in use restarts ICE where no other pair answers, as if the
    /// application had called [`restart_ice`](Self::restart_ice). It does unless told otherwise.
    pub fn set_restart_on_network_change(&mut self, restarts: bool) {
        self.restarts_on_network_change = restarts;
    }

    /// The next server that the caller is to reach.
    pub fn poll_server_request(&mut self) -> Option<ServerRequest> {
        self.transports.poll_server_request()
    }

    /// A server was reached.
    pub fn server_reached(&mut self, now: Instant, id: ServerId, path: &ServerPath) {
        if self.is_closed() {
            return;
        }
        if let Some(servers) = self.transports.servers_of(id.asker) {
            servers.reached(now, id, path);
            self.pump(now);
        }
    }

    /// A server cannot be reached; `what` says in words why.
    pub fn server_unreachable(&mut self, now: Instant, id: ServerId, what: String) {
        if let Some(servers) = self.transports.servers_of(id.asker) {
            servers.unreachable(id, what);
            self.pump(now);
        }
    }

    /// The next name of a remote candidate that the caller is to look up on its links.
    pub fn poll_name_request(&mut self) -> Option<NameRequest> {
        self.transports.poll_name_request()
    }

    /// A name was looked up; `None`: nobody has it.
    pub fn name_resolved(&mut self, now: Instant, id: NameId, ip: Option<IpAddr>) {
        if !self.is_closed() {
            self.transports.name_resolved(now, id, ip);
            self.pump(now);
        }
    }

    /// Whether any transport [waits for its candidates](Self::ungathered_transports): call
    /// [`gather`](Self::gather) soon.
    pub fn needs_gathering(&self) -> bool {
        self.ungathered_transports().next().is_some()
    }

    /// [Gathers](Self::gather_transport) for every transport that waits, with the same sockets.
    pub fn gather(&mut self, now: Instant, addresses: &[SocketAddr]) {
        let waiting: Vec<_> = self.ungathered_transports().collect();
        for id in waiting {
            self.gather_transport(now, id, addresses);
        }
    }
}
