use std::collections::VecDeque;

use pc_proto::FiveTuple;
use pc_stun::TransactionId;

/// How many requests are remembered: those of several seconds of checks at full pace.
const MAX_REQUESTS: usize = 256;

/// The authenticated requests of late, so that a retransmission or a replay has no second effect.
#[derive(Debug, Default)]
pub(crate) struct RecentRequests {
    recent: VecDeque<(TransactionId, FiveTuple)>,
}

impl RecentRequests {
    /// Where a request with this transaction came from, if one did.
    pub(crate) fn seen_from(&self, id: TransactionId) -> Option<FiveTuple> {
        let seen = self.recent.iter().rev().find(|(recent, _)| *recent == id);
        seen.map(|(_, route)| *route)
    }

    pub(crate) fn remember(&mut self, id: TransactionId, route: FiveTuple) {
        if self.recent.len() >= MAX_REQUESTS {
            self.recent.pop_front();
        }
        self.recent.push_back((id, route));
    }
}
