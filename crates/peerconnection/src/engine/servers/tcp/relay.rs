//! One allocation for connections, and the server that has it.

use std::net::SocketAddr;

use pc_ice::{Candidate, CandidateKind, Redirects, TcpType, turn};

use super::{IceServer, Origin, Told, active};

/// A server, and how it came to be asked.
pub(super) struct Target {
    pub(super) server: IceServer,
    /// The name in its certificate, where it is not the URL's.
    pub(super) domain: Option<Box<str>>,
    pub(super) redirects: Redirects,
}

/// An allocation for connections.
pub(super) struct Relay {
    pub(super) target: Target,
    pub(super) client: turn::Client,
    pub(super) relayed: Vec<SocketAddr>,
    /// It is there, or never will be.
    pub(super) is_done: bool,
    /// What it was told of remote candidates: how many there were, and the user fragment of whose.
    pub(super) permitted: (usize, String),
}

impl Relay {
    pub(super) fn new(target: Target, client: turn::Client) -> Self {
        Self {
            target,
            client,
            relayed: Vec::new(),
            is_done: false,
            permitted: (0, String::new()),
        }
    }

    /// The candidates that the allocation is (RFC 6544 §5.1): one from which it connects, and one where
    /// it waits.
    pub(super) fn found(&mut self) -> Vec<Told> {
        let Some(allocation) = self.client.allocation() else {
            return Vec::new();
        };
        let related = allocation.mapped_address();
        let related_address = related.or(Some(self.client.path().local));
        self.relayed = allocation.relayed_addresses().collect();
        let origin = Origin {
            url: self.target.server.uri.to_string(),
            protocol: self.target.server.uri.transport().to_string(),
            base: self.client.path().local.ip(),
        };
        let both = self.relayed.iter().flat_map(|address| {
            let passive = (*address, TcpType::Passive);
            [(active(*address), TcpType::Active), passive]
        });
        let found = both.map(|(address, tcp_type)| Candidate {
            related_address,
            ..Candidate::tcp(CandidateKind::Relayed, address, tcp_type)
        });
        found.map(|it| Told::Found(it, origin.clone())).collect()
    }

    /// The relayed address that a peer is reached from.
    pub(super) fn address_for(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let mut relayed = self.relayed.iter();
        let found = relayed.find(|it| it.is_ipv4() == peer.is_ipv4());
        found.copied()
    }
}
