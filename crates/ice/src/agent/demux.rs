//! What a demultiplexer of several agents asks: which of them a datagram is for.

use std::net::SocketAddr;

use pc_proto::FiveTuple;
use pc_stun::TransactionId;

use super::Agent;

impl Agent {
    /// The user fragments that requests to this agent begin their USERNAME with (RFC 8445 §7.2.2):
    /// that of the current generation, and that of the one before a restart while that is answered.
    pub fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        let retired = self.retired.as_ref().map(|retired| retired.local.ufrag());
        let current = (!self.is_closed()).then(|| self.current.local.ufrag());
        current.into_iter().chain(retired)
    }

    /// Whether a response with this transaction id is awaited. The id alone tells, since whoever
    /// can make it up need not: nothing is believed that is not signed.
    pub fn awaits(&self, id: TransactionId) -> bool {
        let path = self.path.as_ref();
        !self.is_closed()
            && (self.current.transactions.get(id).is_some()
                || path.is_some_and(|path| path.consent.open(id).is_some()))
    }

    /// Whether the peer has proven itself on this path: what comes there is passed up.
    pub fn knows(&self, route: FiveTuple) -> bool {
        self.route() == Some(route) || self.paths.contains(route)
    }

    /// The paths that the agent [`knows`](Self::knows), as its events have told of them.
    pub fn paths(&self) -> impl Iterator<Item = FiveTuple> {
        self.paths.iter()
    }

    /// Whether this is the address of a socket that the agent sends from.
    pub fn has_local_address(&self, address: SocketAddr) -> bool {
        self.locals.has(address)
    }

    /// Whether a path begins at a candidate of the agent's: at its socket, or for TCP also at any port
    /// of an active candidate's address.
    pub fn has_local(&self, path: FiveTuple) -> bool {
        self.locals.of(path).is_some()
    }
}
