use std::net::{IpAddr, SocketAddr};

use crate::{Alternate, ServerError};

/// What happened to an allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The server has allocated: [`Client::allocation`](super::Client::allocation) says what.
    Allocated,
    /// Datagrams from this address are relayed, and those to it may be sent.
    Permitted(IpAddr),
    /// Datagrams from and to this address are not relayed, or no longer, through channels either.
    NotPermitted(IpAddr, ServerError),
    /// Datagrams to and from this peer go through a channel.
    ChannelBound(SocketAddr),
    /// There is no channel for this peer, or no longer; Send indications serve.
    ChannelRefused(SocketAddr, ServerError),
    /// The server has connected to this peer (RFC 6062 §4.3):
    /// [`Client::bind_connection`](super::Client::bind_connection) within 30 s.
    Connected(SocketAddr, ConnectionId),
    /// The server has not connected to this peer.
    NotConnected(SocketAddr, ServerError),
    /// This peer has connected to the relayed address (RFC 6062 §4.4):
    /// [`Client::bind_connection`](super::Client::bind_connection) within 30 s.
    ConnectionAttempt(SocketAddr, ConnectionId),
    /// The allocation has moved to the path of the last
    /// [`Client::move_to`](super::Client::move_to).
    Moved,
    /// The server sends its clients elsewhere; this one has ended.
    Redirected(Alternate),
    /// There is no allocation, or no longer; the client has ended.
    Failed(ServerError),
    /// The allocation was released, as [`Client::close`](super::Client::close) asked; the client
    /// has ended.
    Released,
}

const _: () = assert!(size_of::<Event>() <= 80);

/// Names a TCP connection between the server and a peer (RFC 6062 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u32);
