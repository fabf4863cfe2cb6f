use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;

use crate::{
    NetworkCost, Role,
    network::Merit,
    pair::{Pair, PairId, PairState},
    remotes::RemoteId,
};

/// How many pairs are kept (RFC 8445 §6.1.2.5).
pub(crate) const MAX_PAIRS: usize = 100;

/// After how many triggered checks in a row an ordinary one has its turn. RFC 8445 §6.1.4.2 has it
/// wait for all of them, but those may never end: between two NATs that take in anything and give each
/// destination another port, every check comes from an address that nobody has seen, and triggers
/// another one, while the relayed pairs that would work wait.
const MAX_TRIGGERED_RUN: u8 = 3;

/// The pairs of one generation (RFC 8445 §6.1.2) and the queue of triggered checks (§6.1.4.1).
#[derive(Debug, Default)]
pub(crate) struct Checklist {
    pairs: Vec<Pair>,
    triggered: VecDeque<PairId>,
    /// How many triggered checks there have been since the last ordinary one.
    run: u8,
    next: u32,
}

impl Checklist {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(crate) fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.id == id)
    }

    pub(crate) fn by_route(&self, route: FiveTuple) -> Option<PairId> {
        self.pairs
            .iter()
            .find(|pair| pair.route == route)
            .map(|pair| pair.id)
    }

    /// Adds a pair. When the list is full the worst pair that was not found good makes room, and
    /// `None` says that it is the new one.
    pub(crate) fn insert(&mut self, mut pair: Pair) -> Option<PairId> {
        if self.pairs.len() >= MAX_PAIRS {
            let worst = self.worst_beside(&pair)?;
            self.remove(worst);
        }
        pair.id = PairId(self.next);
        self.next = self.next.wrapping_add(1);
        let id = pair.id;
        self.pairs.push(pair);
        Some(id)
    }

    fn worst_beside(&self, new: &Pair) -> Option<PairId> {
        let replaceable = |pair: &&Pair| pair.state != PairState::Succeeded;
        let goodness = |pair: &&Pair| (pair.state != PairState::Failed, pair.priority);
        let worst = self.pairs.iter().filter(replaceable).min_by_key(goodness)?;
        (goodness(&worst) < (true, new.priority)).then_some(worst.id)
    }

    /// Thaws a new pair if its foundation is new or found good (RFC 8838 §12).
    pub(crate) fn thaw_new(&mut self, id: PairId) {
        let Some(foundation) = self.get(id).map(|pair| pair.foundation) else {
            return;
        };
        let mut others = self
            .pairs
            .iter()
            .filter(|pair| pair.id != id && pair.foundation == foundation);
        let good = others
            .clone()
            .any(|pair| pair.state == PairState::Succeeded);
        let held = others.any(|pair| pair.is_pending());
        if (good || !held)
            && let Some(pair) = self.get_mut(id)
        {
            pair.state = PairState::Waiting;
        }
    }

    /// A pair of this foundation was found good (RFC 8445 §7.2.5.3.3).
    pub(crate) fn thaw(&mut self, foundation: u64) {
        for pair in &mut self.pairs {
            if pair.foundation == foundation && pair.state == PairState::Frozen {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// Puts a pair into the queue of triggered checks, once.
    pub(crate) fn trigger(&mut self, id: PairId) {
        let Some(pair) = self.get_mut(id) else { return };
        if pair.state != PairState::Succeeded {
            pair.state = PairState::Waiting;
        }
        if !self.triggered.contains(&id) {
            self.triggered.push_back(id);
        }
    }

    /// Puts a pair at the head of that queue.
    pub(crate) fn trigger_first(&mut self, id: PairId) {
        self.untrigger(id);
        self.triggered.push_front(id);
    }

    /// A check of the pair was answered meanwhile: another one would tell nothing new.
    pub(crate) fn untrigger(&mut self, id: PairId) {
        self.triggered.retain(|queued| *queued != id);
    }

    /// Whether [`next_check`](Self::next_check) has one.
    pub(crate) fn has_check(&self) -> bool {
        let open = |pair: &Pair| matches!(pair.state, PairState::Waiting | PairState::Frozen);
        !self.triggered.is_empty() || self.pairs.iter().any(open)
    }

    /// The next pair to check: triggered, then waiting, then frozen (RFC 8445 §6.1.4.2), but every
    /// fourth time triggered last.
    ///
    /// A frozen pair does not wait until the check that froze it has failed, which may take 39.5 s:
    /// with one component and one stream the paced turn that nobody else wants is its own.
    pub(crate) fn next_check(&mut self) -> Option<PairId> {
        if self.run < MAX_TRIGGERED_RUN
            && let Some(id) = self.triggered.pop_front()
        {
            self.run += 1;
            return Some(id);
        }
        self.run = 0;
        self.next_ordinary().or_else(|| self.triggered.pop_front())
    }

    fn next_ordinary(&self) -> Option<PairId> {
        let best = |state: PairState| {
            let open = self.pairs.iter().filter(|pair| {
                // Those that are triggered have their turn already.
                pair.state == state && !self.triggered.contains(&pair.id)
            });
            open.max_by_key(|pair| pair.priority).map(|pair| pair.id)
        };
        best(PairState::Waiting).or_else(|| best(PairState::Frozen))
    }

    /// How many pairs are waiting or in progress: N of RFC 8445 §14.3.
    pub(crate) fn busy(&self) -> usize {
        let busy = |pair: &&Pair| matches!(pair.state, PairState::Waiting | PairState::InProgress);
        self.pairs.iter().filter(busy).count()
    }

    /// Whether some check may still come to something.
    pub(crate) fn is_pending(&self) -> bool {
        self.pairs.iter().any(Pair::is_pending)
    }

    /// The valid pair of the highest merit that has not fallen silent.
    pub(crate) fn best_valid(&self) -> Option<&Pair> {
        self.valid().max_by_key(|pair| pair.merit())
    }

    /// The valid pairs that have not fallen silent.
    pub(crate) fn valid(&self) -> impl Iterator<Item = &Pair> {
        let lively = |pair: &&Pair| pair.valid.is_some() && pair.silent_since.is_none();
        self.pairs.iter().filter(lively)
    }

    /// The valid pair of the highest merit among those that have answered within `time`.
    pub(crate) fn best_since(&self, now: Instant, time: Duration) -> Option<&Pair> {
        let valid = self.answered_within(now, time);
        valid.max_by_key(|pair| pair.merit())
    }

    /// The valid pairs that have answered within `time`.
    pub(crate) fn answered_within(
        &self,
        now: Instant,
        time: Duration,
    ) -> impl Iterator<Item = &Pair> {
        let fresh = move |pair: &&Pair| pair.has_answered_within(now, time);
        self.pairs.iter().filter(fresh)
    }

    /// Whether a better pair than one of this merit may still be found.
    pub(crate) fn better_pending(&self, merit: Merit) -> bool {
        self.pairs
            .iter()
            .any(|pair| pair.is_pending() && pair.merit() > merit)
    }

    /// Ends the checks of the pairs below `floor` and gives those pairs (RFC 8445 §8.1.2).
    pub(crate) fn park_below(&mut self, floor: Merit) -> Vec<PairId> {
        let mut parked = Vec::new();
        for pair in &mut self.pairs {
            if pair.is_pending() && pair.merit() < floor {
                pair.state = PairState::Parked;
                pair.disconnect();
                parked.push(pair.id);
            }
        }
        let pairs = &self.pairs;
        let kept = |id: &PairId| {
            pairs
                .iter()
                .any(|pair| pair.id == *id && pair.state != PairState::Parked)
        };
        self.triggered.retain(kept);
        parked
    }

    /// Fails the pairs that are not `good`, and gives them.
    pub(crate) fn fail_unless(&mut self, good: impl Fn(&Pair) -> bool) -> Vec<PairId> {
        let mut failed = Vec::new();
        for pair in self.pairs.iter_mut().filter(|pair| !good(pair)) {
            pair.fail();
            failed.push(pair.id);
        }
        self.triggered.retain(|id| !failed.contains(id));
        failed
    }

    /// Computes every priority anew, for another role (RFC 8445 §7.3.1.1).
    pub(crate) fn rank_all(&mut self, role: Role) {
        self.pairs.iter_mut().for_each(|pair| pair.rank(role));
    }

    /// A remote candidate has turned out to have another priority and foundation.
    pub(crate) fn rank_remote(&mut self, remote: RemoteId, priority: u32, role: Role) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.remote == remote) {
            pair.remote_priority = priority;
            pair.rank(role);
        }
    }

    /// The peer has said what the network of a candidate costs.
    pub(crate) fn set_remote_cost(&mut self, remote: RemoteId, cost: NetworkCost) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.remote == remote) {
            pair.remote_cost = cost;
        }
    }

    pub(crate) fn remove(&mut self, id: PairId) {
        self.retain(|pair| pair.id != id);
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Pair) -> bool) {
        self.pairs.retain(keep);
        let pairs = &self.pairs;
        self.triggered
            .retain(|id| pairs.iter().any(|pair| pair.id == *id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::Link;

    fn pair(number: u16) -> Pair {
        let route = FiveTuple::udp(
            ([10, 0, 0, 1], 1).into(),
            ([192, 0, 2, 1], 1 + number).into(),
        );
        let foundation = number.into();
        let remote = (RemoteId(number.into()), 1);
        let path = (route, Link::Datagrams);
        let mut pair = Pair::new(Role::Controlling, path, foundation, 1, remote);
        pair.state = PairState::Waiting;
        pair
    }

    /// Each check triggers the next one, and there are two that wait.
    #[test]
    fn triggered_checks_without_end_leave_room_for_others() {
        let mut list = Checklist::default();
        let ordinary = [0, 1].map(|number| list.insert(pair(number)).unwrap());
        let mut order = Vec::new();
        for number in 2..12 {
            let id = list.insert(pair(number)).unwrap();
            list.trigger(id);
            let next = list.next_check().unwrap();
            list.get_mut(next).unwrap().state = PairState::InProgress;
            order.push(ordinary.contains(&next));
        }
        let expected = [false, false, false, true];
        assert_eq!(order, [expected, expected, [false; 4]].concat()[..10]);
    }
}
