//! Servers that are asked from sockets which other transports or connections use too.
//!
//! A STUN server may be: its answers find who has asked by the transaction (RFC 8489 §5). A TURN server
//! may not, for an allocation is known by its 5-tuple (RFC 8656 §5), and so is what it relays: it is
//! asked from a [socket of its own](super::ServerPath::OwnSockets).

use std::net::SocketAddr;

use pc_proto::Transport as Carrier;
use pc_stun::TransactionId;

use super::{IceServer, Servers, client::Client};

/// RFC 8656 §7.4: how many addresses of ours to try at a server that has allocations for others, as of a
/// process of before.
const MAX_TRIES: u8 = 3;

/// Allocation Mismatch, RFC 8656 §19.
const MISMATCH: u16 = 437;

impl Servers {
    /// Whether the answer to this transaction is for a client here.
    pub(in super::super) fn awaits(&self, id: TransactionId) -> bool {
        self.transactions().any(|open| open == id)
    }

    /// The transactions with servers that have not been answered, those over UDP and for STUN.
    pub(in super::super) fn transactions(&self) -> impl Iterator<Item = TransactionId> {
        let over_udp = |it: &&Client| it.path().transport == Carrier::Udp;
        let clients = self.clients.iter().filter(over_udp);
        clients.filter_map(Client::stun_transaction)
    }

    /// Whether a server is asked, or serves, from this very socket.
    pub(super) fn asks_of_own(&self, server: &IceServer, local: SocketAddr) -> bool {
        let mut clients = self.clients.iter().filter(|it| !it.is_ended());
        clients.any(|it| it.server.uri == server.uri && it.path().local == local)
    }

    /// Whether a client that was refused is to try from another socket of its own, which the caller has
    /// once this one is needed no more.
    pub(super) fn tries_elsewhere(&mut self, index: usize, code: u16) -> bool {
        let has_own = self.clients.get(index).is_some_and(|it| it.has_own_socket);
        if self.closing || !has_own || code != MISMATCH || self.mismatches + 1 >= MAX_TRIES {
            return false;
        }
        self.mismatches += 1;
        true
    }

    /// Whether a client asks from this address over UDP.
    pub(in super::super) fn ask_from(&self, local: SocketAddr) -> bool {
        let asks = |it: &Client| {
            let path = it.path();
            path.transport == Carrier::Udp && path.local == local
        };
        self.clients.iter().any(asks)
    }
}
