use pc_proto::FiveTuple;

use crate::{Network, nomination::Nomination};

/// How many checks are remembered that came before the peer's credentials.
const MAX_EARLY: usize = 32;

/// What an authenticated check says about its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) route: FiveTuple,
    /// PRIORITY: that of the peer-reflexive candidate it may come from.
    pub(crate) priority: u32,
    /// USE-CANDIDATE or NOMINATION.
    pub(crate) nomination: Option<Nomination>,
    /// GOOG-NETWORK-INFO: what it came over, at the far end.
    pub(crate) network: Option<Network>,
}

/// Checks that were answered before the peer's credentials came, one for each path. They stand for
/// triggered checks that cannot be sent yet (RFC 8445 §7.3).
#[derive(Debug, Default)]
pub(crate) struct EarlyChecks {
    /// Each with a hash of the peer's ufrag, which is yet to be signalled.
    seen: Vec<(u64, Received)>,
}

impl EarlyChecks {
    pub(crate) fn remember(&mut self, ufrag: u64, received: Received) {
        let same = |seen: &(u64, Received)| seen.0 == ufrag && seen.1.route == received.route;
        if let Some((_, seen)) = self.seen.iter_mut().find(|seen| same(seen)) {
            seen.nomination = seen.nomination.max(received.nomination);
        } else if self.seen.len() < MAX_EARLY {
            self.seen.push((ufrag, received));
        }
    }

    /// Whether such a check has come on this path.
    pub(crate) fn has(&self, path: FiveTuple) -> bool {
        self.seen.iter().any(|(_, seen)| seen.route == path)
    }

    /// The checks of the peer that has this ufrag; the others are forgotten.
    pub(crate) fn take(&mut self, ufrag: u64) -> Vec<Received> {
        let seen = std::mem::take(&mut self.seen);
        let own = seen.into_iter().filter(|(hash, _)| *hash == ufrag);
        own.map(|(_, received)| received).collect()
    }
}
