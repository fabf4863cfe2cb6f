use std::collections::VecDeque;

use pc_proto::FiveTuple;

/// How many paths are known to be the peer's: as many as there are pairs.
pub(crate) const MAX_PATHS: usize = crate::checklist::MAX_PAIRS;

/// The paths on which an authenticated message has come: from no other is anything passed up.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Least recently authenticated first.
    known: VecDeque<FiveTuple>,
}

impl Paths {
    pub(crate) fn contains(&self, route: FiveTuple) -> bool {
        self.known.iter().rev().any(|known| *known == route)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = FiveTuple> {
        self.known.iter().copied()
    }

    /// Adds a path, and gives the one that had to make room for it.
    pub(crate) fn insert(
        &mut self,
        route: FiveTuple,
        in_use: Option<FiveTuple>,
    ) -> Option<FiveTuple> {
        let evicted = if self.known.len() >= MAX_PATHS {
            let oldest = self.known.iter().position(|known| Some(*known) != in_use);
            oldest.and_then(|index| self.known.remove(index))
        } else {
            None
        };
        self.known.push_back(route);
        evicted
    }

    pub(crate) fn remove(&mut self, route: FiveTuple) {
        self.known.retain(|known| *known != route);
    }
}
