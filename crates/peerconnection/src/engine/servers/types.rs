//! What the driver and the engine say to each other about servers.

use std::net::{IpAddr, SocketAddr};

use pc_ice::{ServerUri, turn};

/// A server to gather candidates from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Its URL.
    pub uri: ServerUri,
    /// For a TURN server.
    pub credentials: Option<turn::Credentials>,
}

/// Names an attempt to reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerId {
    pub(in super::super) asker: AskerId,
    pub(super) number: u32,
    /// It is for connections to peers through it (RFC 6062).
    pub(super) relays_tcp: bool,
}

impl ServerId {
    /// Who asks.
    pub fn asker(self) -> AskerId {
        self.asker
    }
}

/// Names who asks servers: a transport, or a set of sockets in the pool that is a transport's later. No
/// two of a connection have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AskerId(pub(crate) u32);

/// A server that the driver is to reach: with its addresses for UDP, over a stream otherwise, and over
/// another one each time that it is asked. It answers with
/// [`Connection::server_reached`](crate::engine::Connection::server_reached) or
/// [`Connection::server_unreachable`](crate::engine::Connection::server_unreachable).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRequest {
    /// To answer with.
    pub id: ServerId,
    /// The server's name or address, its port, and how to reach it.
    pub uri: ServerUri,
    /// Where to go instead, with the name to check a certificate for if it is not the URL's: the
    /// server has redirected its clients (RFC 8489 §10), or one of several that the name stands for has
    /// a connection to the peer, which
    /// [`Connection::carries_peer`](crate::engine::Connection::carries_peer) tells of.
    pub alternate: Option<(SocketAddr, Option<Box<str>>)>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerPath {
    /// Over the transport's UDP sockets, at these addresses, the best first.
    Datagrams(Vec<SocketAddr>),
    /// Over UDP sockets that no other connection or transport asks this server from, which is what a
    /// TURN server needs where the transport's sockets are shared (RFC 8656 §5). No candidate is made
    /// of their own addresses. They are needed for as long as
    /// [`Connection::needs_server_socket`](crate::engine::Connection::needs_server_socket) says.
    OwnSockets {
        /// The addresses of the sockets.
        locals: Vec<SocketAddr>,
        /// The server's addresses, the best first.
        addresses: Vec<SocketAddr>,
    },
    /// Over a TCP connection, secured or not, between these addresses.
    Stream {
        /// Of our side.
        local: SocketAddr,
        /// Of the server.
        remote: SocketAddr,
    },
}

/// `RTCPeerConnectionIceErrorEvent`: a server could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceCandidateError {
    /// The local address that it was tried from; `None` where there was none.
    pub address: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// The server, as its URL.
    pub url: String,
    /// What the server answered, 300 to 699, or 701: it could not be reached.
    pub error_code: u16,
    /// In words.
    pub error_text: String,
}
