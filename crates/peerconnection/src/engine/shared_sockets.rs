//! The calls of a caller whose sockets several connections share, about servers.

use std::net::SocketAddr;

use pc_proto::Batch;
use pc_stun::{Class, MessageView, TransactionId};

use super::Connection;

impl Connection {
    /// The open transactions with STUN servers over UDP. Where connections share a socket, a response
    /// that ends one of these is for this connection, from wherever it comes:
    /// several may ask one server, and their answers have no other mark. There are few, none most of
    /// the time, and each has an end.
    pub fn server_transactions(&self) -> impl Iterator<Item = TransactionId> {
        self.transports.server_transactions()
    }

    /// Whether a server is asked from this address: the caller keeps a
    /// [socket of a server's own](super::ServerPath::OwnSockets) for as long.
    pub fn needs_server_socket(&self, local: SocketAddr) -> bool {
        self.transports.ask_servers_from(local)
    }
}

/// The transaction that a received datagram claims to end. Says nothing about whose it is.
pub(crate) fn answered_transaction(datagram: &[u8]) -> Option<TransactionId> {
    MessageView::response_to(datagram)
}

/// Whether a batch for a shared socket asks a server. Checks for peers have a user name
/// (RFC 8445 §7.2.2), a Binding request for a server has none.
pub(crate) fn asks_server(batch: &Batch) -> bool {
    let first = batch.datagrams().next();
    let Some(datagram) = first.filter(|it| MessageView::is_stun(it)) else {
        return false;
    };
    MessageView::parse(datagram)
        .is_ok_and(|it| it.class() == Class::Request && it.username().is_none())
}
