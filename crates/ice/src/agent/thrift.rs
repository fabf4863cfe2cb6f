//! What the networks of a pair cost (draft-thatcher-ice-network-cost).

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;

use super::Agent;
use crate::{
    Network, Role,
    network::Merit,
    pair::{Pair, PairId},
    remotes::RemoteId,
};

/// How often pairs that would cost less than the one in use are checked again: a network may have come
/// to work. libwebrtc checks its backup pairs every 25 s.
const ROUND: Duration = Duration::from_secs(10);

/// How many of them at once.
const AT_ONCE: usize = 8;

impl Agent {
    /// What the network costs that a path begins at.
    pub(super) fn network_of(&self, route: FiveTuple) -> Network {
        let local = self.locals.of(route);
        local.map_or(Network::default(), |it| it.candidate.network)
    }

    /// A check from a remote candidate says which network it came over. libwebrtc says it in every one,
    /// and it may change.
    pub(super) fn learn_network(&mut self, remote: RemoteId, network: Network) {
        let current = &mut self.current;
        current.peer_knows_costs = true;
        if !current.remotes.set_network(remote, network) {
            return;
        }
        current.checklist.set_remote_cost(remote, network.cost);
        if let Some(path) = &mut self.path
            && path.generation == current.number
            && let Some(pair) = current.checklist.get(path.pair)
            && pair.remote == remote
        {
            path.candidates.remote.network = network;
        }
    }

    /// What a pair has to have at least to be checked on, once this one is selected; nothing below is
    /// of interest (RFC 8445 §8.1.2).
    pub(super) fn floor_beside(&self, selected: &Pair) -> Merit {
        if self.seeks_better_than(selected) {
            selected.merit()
        } else if self.current.patience_until.is_some() && self.role == Role::Controlling {
            // A check that was lost is no reason to pay for the whole session.
            Merit::cheapest(selected.cost())
        } else {
            Merit::ABOVE_ALL
        }
    }

    /// A pair that costs less than the chosen one and works. A peer that goes by priorities alone
    /// would not follow to a lower one.
    pub(super) fn cheaper_than(&self, now: Instant, chosen: PairId) -> Option<PairId> {
        let current = &self.current;
        let chosen = current.checklist.get(chosen)?;
        let follows_cost = self.renomination || current.peer_knows_costs;
        let cheaper = current.checklist.iter().filter(|pair| {
            pair.cost() < chosen.cost()
                && (follows_cost || pair.priority > chosen.priority)
                && pair.has_answered_within(now, self.timing.disconnected_after)
                && pair.silences.are_past(now)
        });
        let best = cheaper.max_by_key(|pair| pair.merit());
        best.map(|pair| pair.id)
    }

    /// Has the next round come as long as there are pairs that would cost less than the one in use.
    pub(super) fn plan_economy(&mut self, now: Instant) {
        if self.cheaper(self.spent()).next().is_none() {
            self.economy_at = None;
        } else {
            self.economy_at.get_or_insert(now + ROUND);
        }
    }

    /// Has pairs checked that cost less than the one in use, and have fallen silent, failed or been
    /// given up, if it is time: every [`ROUND`] for as long as there are any.
    pub(super) fn economize(&mut self, now: Instant) {
        if self.economy_at.is_none_or(|at| at > now) {
            return;
        }
        self.economy_at = Some(now + ROUND);
        let cheaper = self.cheaper(self.spent());
        let mut cheaper: Vec<_> = cheaper
            .map(|pair| (Reverse(pair.merit()), pair.id))
            .collect();
        cheaper.sort_unstable_by_key(|(merit, _)| *merit);
        for (_, id) in cheaper.into_iter().take(AT_ONCE) {
            // One that waits for its answer is not sent any more; the answer still counts.
            self.current.transactions.cancel(id);
            self.current.checklist.trigger(id);
        }
    }

    /// The pairs that cost less than that. A connection is not opened again and again for it.
    fn cheaper(&self, spent: u16) -> impl Iterator<Item = &Pair> {
        let pairs = self.current.checklist.iter();
        pairs.filter(move |pair| pair.cost() < spent && pair.link.is_open())
    }

    /// What the pair in use costs, if it is nominated, works, and is for this side to choose.
    fn spent(&self) -> u16 {
        let current = &self.current;
        let decides = self.role == Role::Controlling && !self.lite && self.is_nominated();
        let selected = current.selected.and_then(|id| current.checklist.get(id));
        let in_use = selected.filter(|pair| decides && pair.silent_since.is_none());
        in_use.map_or(0, Pair::cost)
    }
}
