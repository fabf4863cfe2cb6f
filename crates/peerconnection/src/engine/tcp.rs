//! The calls about TCP connections to the peer (RFC 6544).

use std::{net::SocketAddr, time::Instant};

use pc_ice::TcpType;
use pc_jsep::TransportId;
use pc_proto::FiveTuple;

use super::Connection;
use crate::{IceTransportPolicy, TcpCandidates};

/// A connection to a candidate of the peer's that the caller is to open. It answers with
/// [`peer_connected`](Connection::peer_connected) or [`peer_unreachable`](Connection::peer_unreachable).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectRequest {
    /// For which transport.
    pub transport: TransportId,
    /// From where to where; a local port of 9 stands for any (RFC 6544 §4.5).
    pub path: FiveTuple,
}

impl Connection {
    /// Which TCP candidates are gathered from now on; none unless this is called.
    pub fn set_tcp_candidates(&mut self, wanted: TcpCandidates) {
        self.tcp = wanted;
    }

    /// Of which types there may be TCP candidates of this machine: none where only relayed ones are told, for any
    /// connection would tell the peer where this side is.
    pub fn tcp_candidates(&self) -> TcpCandidates {
        match self.policy {
            IceTransportPolicy::Relay => TcpCandidates::Disabled,
            IceTransportPolicy::All => self.tcp,
        }
    }

    /// The addresses that a transport connects from ([`TcpType::Active`], whatever the port) or listens
    /// at. Their candidates are made by the call of
    /// [`gather_transport`](Self::gather_transport) that follows; those of types that are not
    /// [wanted](Self::tcp_candidates) are passed over.
    pub fn set_tcp_addresses(&mut self, id: TransportId, addresses: &[(TcpType, SocketAddr)]) {
        let wanted = self.tcp_candidates();
        if let Some(transport) = self.transports.get_mut(id) {
            let all = addresses.iter().copied();
            transport.tcp = all.filter(|(it, _)| wanted.includes(*it)).collect();
        }
    }

    /// An address has come for a transport that has gathered, as with
    /// [`add_local_address`](Self::add_local_address); that of a type that is not
    /// [wanted](Self::tcp_candidates) is passed over. When it goes,
    /// [`remove_local_address`](Self::remove_local_address) takes it, of active ones with port 9.
    pub fn add_tcp_address(
        &mut self,
        now: Instant,
        id: TransportId,
        (tcp_type, address): (TcpType, SocketAddr),
    ) {
        let is_wanted = self.tcp_candidates().includes(tcp_type) && !self.is_closed();
        if let Some(transport) = self.transports.get_mut(id).filter(|_| is_wanted) {
            transport.add_tcp_address(now, (tcp_type, address));
            self.pump(now);
        }
    }

    /// The next connection that the caller is to open.
    pub fn poll_connect_request(&mut self) -> Option<ConnectRequest> {
        self.transports.poll_connect_request()
    }

    /// A connection is open, from `local`. Its datagrams are framed as RFC 4571 says.
    pub fn peer_connected(&mut self, now: Instant, request: ConnectRequest, local: SocketAddr) {
        if let Some(transport) = self.transports.get_mut(request.transport) {
            transport.ice.connected(now, request.path, local);
            self.pump(now);
        }
    }

    /// A connection cannot be opened.
    pub fn peer_unreachable(&mut self, now: Instant, request: ConnectRequest) {
        if let Some(transport) = self.transports.get_mut(request.transport) {
            transport.ice.connect_failed(now, request.path);
            self.pump(now);
        }
    }

    /// A stream has ended, to a server or to the peer.
    pub fn stream_lost(&mut self, now: Instant, path: FiveTuple) {
        for servers in self.transports.all_servers() {
            servers.stream_lost(now, path);
        }
        self.transports.connection_lost(now, path);
        self.pump(now);
    }

    /// Whether what comes and goes on a stream to a server is a peer's (RFC 6062 §4.3): each datagram is
    /// framed as RFC 4571 says, from the one behind the last that was handed over.
    pub fn carries_peer(&self, path: FiveTuple) -> bool {
        let mut transports = self.transports.iter();
        transports.any(|it| it.servers.tcp.carries_peer(path))
    }

    /// Whether a stream is in use; any other may be closed. One that a peer has opened is in use once
    /// a check that proves who it is has come on it.
    pub fn needs_stream(&self, path: FiveTuple) -> bool {
        let mut transports = self.transports.iter();
        let mut ahead = self.transports.pool.servers();
        transports
            .any(|it| it.servers.streams().any(|it| it == path) || it.ice.needs_connection(path))
            || ahead.any(|it| it.streams().any(|it| it == path))
    }
}
