//! A lite agent (RFC 8445 §2.5): it learns of pairs from the checks that it answers.

use std::time::Instant;

use super::Agent;
use crate::{
    Role,
    pair::{PairId, PairState},
};

impl Agent {
    /// Whether the peer is lite, too (`a=ice-lite`, RFC 8839 §5.3). To a full agent, which controls a
    /// lite one, that means nothing more.
    ///
    /// Between two lite agents nothing is checked: each side uses the pair of the highest priority
    /// (RFC 8445 §8.2.2), and whatever comes on it counts as consent, which RFC 7675 has no other way
    /// to give. It outlives a restart.
    pub fn set_remote_lite(&mut self, now: Instant, lite: bool) {
        self.remote_lite = lite;
        if self.lite {
            self.change_role(self.role_for(self.given_role));
        }
        if self.is_unchecked() {
            let remotes: Vec<_> = self.current.remotes.iter().map(|(id, _)| id).collect();
            for remote in remotes {
                self.pair_remote(remote);
            }
        }
        self.settle(now);
    }

    /// Whether both sides are, so that nobody checks anything.
    pub(super) fn is_unchecked(&self) -> bool {
        self.lite && self.remote_lite
    }

    /// RFC 8445 §6.1.1: a full peer controls a lite agent.
    pub(super) fn role_for(&self, role: Role) -> Role {
        if self.lite && !self.remote_lite {
            Role::Controlled
        } else {
            role
        }
    }

    /// RFC 8445 §7.3.2: the peer has found the pair good where it nominates it. Its checks go on and
    /// say that it still consents (RFC 7675 §4.1 has it send them).
    pub(super) fn take_check_lite(&mut self, now: Instant, id: PairId, nominates: bool) {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get_mut(id) else {
            return;
        };
        let is_used = self
            .path
            .as_ref()
            .is_some_and(|path| path.generation == current.number && path.pair == id);
        if nominates || pair.valid.is_some() {
            let mapped = pair.route.local;
            pair.found_good(now, mapped, None);
        }
        if is_used && let Some(path) = &mut self.path {
            path.consent.confirmed(now);
            path.silent_since = None;
            path.disconnected = false;
        }
    }

    /// RFC 8445 §8.2.2: of all pairs, between two lite agents, the best.
    pub(super) fn choose_unchecked(&mut self, now: Instant) {
        if !self.is_unchecked() || self.current.lost {
            return;
        }
        // Neither would connect: those of TCP have no connection.
        let open = self.current.checklist.iter().filter(|it| it.link.is_open());
        // Both have to find the same one, and one of them may not know what networks cost.
        let best = open.max_by_key(|it| it.priority);
        let Some(id) = best.map(|pair| pair.id) else {
            return;
        };
        if self.current.selected == Some(id) {
            return;
        }
        if let Some(pair) = self.current.checklist.get_mut(id) {
            let (route, mapped) = (pair.route, pair.route.local);
            pair.found_good(now, mapped, None);
            self.select(id);
            self.authenticate(route);
        }
    }

    /// What a lite agent does with a new pair: nothing is to be checked.
    pub(super) fn park_lite(&mut self, id: PairId) {
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.state = PairState::Parked;
        }
    }
}
