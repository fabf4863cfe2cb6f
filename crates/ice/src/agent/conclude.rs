//! What follows from everything else: the path in use and the state.

use std::time::Instant;

use pc_proto::FiveTuple;

use super::Agent;
use crate::{CandidatePair, Event, State, consent::Consent, generation::Path, pair::Pair};

impl Agent {
    /// Draws the conclusions of whatever has changed.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.choose_unchecked(now);
        self.consider_nomination(now);
        self.choose_path(now);
        self.plan_economy(now);
        self.update_state();
    }

    /// Moves the data to the selected pair, or while there is none to the best valid one; a path
    /// from before a restart stays until then.
    fn choose_path(&mut self, now: Instant) {
        let checklist = &self.current.checklist;
        let retired = self
            .path
            .as_ref()
            .is_some_and(|path| !self.is_current(path));
        let selected = self.current.selected.and_then(|id| checklist.get(id));
        let target = match selected {
            // RFC 8445 §12.1 has all data go over it. While it is silent, they would be lost.
            Some(pair) => self.instead_of(pair).or(Some(pair)),
            None if retired => None,
            None => {
                let answered = checklist.answered_within(now, self.timing.consent_expiry);
                answered.max_by_key(|pair| (self.is_proven(pair), pair.merit()))
            }
        };
        let target = target.filter(|pair| pair.valid.is_some());
        let Some(pair) = target else { return };
        let in_use = |path: &Path| {
            // A pair of TCP may have been connected again.
            self.is_current(path) && path.pair == pair.id && path.route == pair.route
        };
        if self.path.as_ref().is_some_and(in_use) {
            return;
        }
        let pair = pair.clone();
        if let Some(path) = self.path_of(now, &pair) {
            self.path = Some(path);
            self.grace = None;
            self.current.lost = false;
            self.push_event(Event::SelectedPairChanged);
        }
    }

    fn path_of(&mut self, now: Instant, pair: &Pair) -> Option<Path> {
        let valid = pair.valid?;
        if valid.confirmed_at + self.timing.consent_expiry <= now {
            return None;
        }
        let mut consent = Consent::new(now, valid.confirmed_at, &self.timing, &mut self.rng);
        if self.lite {
            consent.be_passive();
        }
        Some(Path {
            generation: self.current.number,
            pair: pair.id,
            route: pair.route,
            priority: self.locals.of(pair.route)?.reflexive_priority(),
            candidates: CandidatePair {
                local: self.locals.seen_as(pair.route, valid.mapped)?,
                remote: self.current.remotes.get(pair.remote)?.clone(),
            },
            consent,
            silent_since: None,
            disconnected: false,
        })
    }

    pub(super) fn drop_path(&mut self) {
        if self.path.take().is_some() {
            self.push_event(Event::SelectedPairChanged);
        }
    }

    /// Consent is gone: what was used may not be used again (RFC 7675 §5.1), and nothing but a pair
    /// that has answered lately takes its place: since the path fell silent, for then all were checked
    /// again.
    pub(super) fn lose_path(&mut self, now: Instant, generation: u32) {
        let lost = self.path.as_ref().map(|path| path.pair);
        let silent_since = self.path.as_ref().and_then(|path| path.silent_since);
        self.drop_path();
        let current = &mut self.current;
        if generation != current.number {
            current.lost = current.remote.is_none();
            return;
        }
        let expiry = self.timing.consent_expiry;
        let fresh = |pair: &Pair| {
            let valid = pair.valid.filter(|_| Some(pair.id) != lost);
            valid.is_some_and(|valid| {
                let answered = silent_since.is_none_or(|since| valid.confirmed_at >= since);
                answered && valid.confirmed_at + expiry > now
            })
        };
        for failed in current.checklist.fail_unless(fresh) {
            current.transactions.forget(failed);
        }
        current.selected = None;
        current.nominating = None;
        current.first_valid_at = None;
        current.lost = current.checklist.best_valid().is_none();
    }

    fn update_state(&mut self) {
        let state = self.derived_state();
        if self.state != state {
            self.state = state;
            self.push_event(Event::StateChanged(state));
        }
    }

    fn derived_state(&self) -> State {
        let (current, state) = (&self.current, self.state);
        let ended = self.locals_ended && current.remotes_ended;
        match &self.path {
            Some(path) if path.disconnected => return State::Disconnected,
            // Neither a restart nor a straggler's check undoes what was reached.
            Some(_) if state == State::Completed => return state,
            Some(_) if ended && current.selected.is_some() && !current.checklist.is_pending() => {
                return State::Completed;
            }
            Some(_) => return State::Connected,
            None => {}
        }
        if self.grace.is_some() {
            State::Disconnected
        } else if current.checklist.is_pending() {
            State::Checking
        } else if current.lost {
            State::Failed
        } else if current.remote.is_none() || current.patience_until.is_some() {
            let idle = current.checklist.is_empty() && matches!(state, State::New | State::Failed);
            if idle { state } else { State::Checking }
        } else {
            State::Failed
        }
    }

    /// The peer has proven itself on a path.
    pub(super) fn authenticate(&mut self, route: FiveTuple) {
        if !self.paths.contains(route) {
            if let Some(evicted) = self.paths.insert(route, self.route()) {
                self.push_event(Event::PathForgotten(evicted));
            }
            self.push_event(Event::PathAuthenticated(route));
        }
    }

    pub(super) fn forget_path(&mut self, route: FiveTuple) {
        self.paths.remove(route);
        self.push_event(Event::PathForgotten(route));
    }
}
