//! From valid pairs to the one in use: nomination (RFC 8445 §8.1.1), the path, the state.

use std::time::{Duration, Instant};

use pc_proto::FiveTuple;

use super::Agent;
use crate::{
    Event, Role, State,
    consent::Consent,
    generation::Path,
    pair::{Pair, PairId},
};

/// For how long a nominated pair is not left for a worse one that the peer nominates: an
/// aggressive nominator means the best (RFC 5245 §8.1.1.2), and libwebrtc, which means the latest,
/// repeats its choice within 2.5 s.
const RENOMINATION_QUIET: Duration = Duration::from_secs(3);

impl Agent {
    /// Draws the conclusions of whatever has changed.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.consider_nomination(now);
        self.choose_path(now);
        self.update_state();
    }

    /// As controlling agent, chooses a pair and has it checked with USE-CANDIDATE.
    fn consider_nomination(&mut self, now: Instant) {
        if self.role != Role::Controlling || self.current.nominating.is_some() {
            return;
        }
        let choice = match self.current.selected {
            None => self.best_to_nominate(now),
            Some(selected) => self.replacement_of(selected),
        };
        if let Some(id) = choice {
            self.current.nominating = Some(id);
            self.current.checklist.trigger_first(id);
        }
    }

    /// The best valid pair, as soon as nothing better is to be expected or waiting has an end.
    fn best_to_nominate(&self, now: Instant) -> Option<PairId> {
        let best = self.current.checklist.best_valid()?;
        let settled = !self.current.checklist.better_pending(best.priority);
        (settled || self.nominate_at()? <= now).then_some(best.id)
    }

    /// When the controlling agent stops waiting for a better pair.
    pub(super) fn nominate_at(&self) -> Option<Instant> {
        if self.role != Role::Controlling || self.current.selected.is_some() {
            return None;
        }
        self.current.nominating.is_none().then_some(())?;
        let rtt = self.current.checklist.best_valid()?.valid?.rtt;
        let (min, max) = (
            self.timing.min_nomination_wait,
            self.timing.max_nomination_wait,
        );
        Some(self.current.first_valid_at? + (rtt * 2).max(min).min(max))
    }

    /// The best pair that has answered since the selected one fell silent.
    ///
    /// RFC 8445 §8.1.1 would have an ICE restart here. Browsers nominate again, as controlled
    /// agents expect of them, and a session outlives a change of network or NAT binding.
    fn replacement_of(&self, selected: PairId) -> Option<PairId> {
        let path = self.path.as_ref().filter(|path| self.is_current(path))?;
        let silent_since = path.silent_since?;
        let answers = |pair: &&Pair| {
            let valid = pair
                .valid
                .filter(|valid| valid.confirmed_at >= silent_since);
            pair.id != selected && valid.is_some()
        };
        let pairs = self.current.checklist.iter().filter(answers);
        pairs.max_by_key(|pair| pair.priority).map(|pair| pair.id)
    }

    /// The peer asks for a valid pair (RFC 8445 §7.3.1.5). The best pair asked for wins, unless
    /// the peer has changed its mind.
    pub(super) fn follow(&mut self, now: Instant, id: PairId) {
        let checklist = &self.current.checklist;
        let Some(pair) = checklist.get(id).filter(|pair| pair.valid.is_some()) else {
            return;
        };
        let stays = self
            .current
            .selected
            .and_then(|id| checklist.get(id))
            .is_some_and(|selected| {
                let asked_for = selected
                    .asked_for_at
                    .is_some_and(|at| at + RENOMINATION_QUIET > now);
                let silent = self
                    .path
                    .as_ref()
                    .is_some_and(|path| path.silent_since.is_some());
                selected.id == id || (selected.priority > pair.priority && asked_for && !silent)
            });
        if !stays {
            self.select(id);
        }
    }

    /// Both sides agree on a pair; other checks end (RFC 8445 §8.1.2).
    pub(super) fn select(&mut self, id: PairId) {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get(id) else {
            return;
        };
        let floor = match self.role {
            Role::Controlling => u64::MAX,
            Role::Controlled => pair.priority,
        };
        current.selected = Some(id);
        current.nominating = None;
        for ended in current.checklist.park_below(floor) {
            current.transactions.cancel(ended);
        }
    }

    /// Moves the data to the selected pair, or while there is none to the best valid one; a path
    /// from before a restart stays until then.
    fn choose_path(&mut self, now: Instant) {
        let checklist = &self.current.checklist;
        let retired = self
            .path
            .as_ref()
            .is_some_and(|path| !self.is_current(path));
        let target = match self.current.selected {
            Some(id) => checklist.get(id).filter(|pair| pair.valid.is_some()),
            None if retired => None,
            None => checklist.best_valid(),
        };
        let Some(pair) = target.cloned() else { return };
        let in_use = |path: &Path| self.is_current(path) && path.pair == pair.id;
        if !self.path.as_ref().is_some_and(in_use)
            && let Some(path) = self.path_of(now, &pair)
        {
            self.path = Some(path);
            self.grace_until = None;
            self.current.lost = false;
            self.push_event(Event::SelectedPairChanged);
        }
    }

    fn path_of(&mut self, now: Instant, pair: &Pair) -> Option<Path> {
        let valid = pair.valid?;
        if valid.confirmed_at + self.timing.consent_expiry <= now {
            return None;
        }
        let consent = Consent::new(now, valid.confirmed_at, &self.timing, &mut self.rng);
        Some(Path {
            generation: self.current.number,
            pair: pair.id,
            route: pair.route,
            priority: self.locals.at(pair.route.local)?.reflexive_priority(),
            candidates: crate::CandidatePair {
                local: self.locals.seen_as(pair.route.local, valid.mapped)?,
                remote: self.current.remotes.get(pair.remote)?.clone(),
            },
            consent,
            silent_since: None,
        })
    }

    pub(super) fn drop_path(&mut self) {
        if self.path.take().is_some() {
            self.push_event(Event::SelectedPairChanged);
        }
    }

    /// Consent is gone: nothing of this generation may be used again (RFC 7675 §5.1).
    pub(super) fn lose_path(&mut self) {
        let of_current = self.path.as_ref().is_none_or(|path| self.is_current(path));
        self.drop_path();
        let current = &mut self.current;
        if of_current {
            current.checklist.fail_all();
            current.transactions.clear();
            current.selected = None;
            current.nominating = None;
            current.first_valid_at = None;
        }
        current.lost = of_current || current.remote.is_none();
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
            Some(path) if path.silent_since.is_some() => return State::Disconnected,
            // Neither a restart nor a straggler's check undoes what was reached.
            Some(_) if state == State::Completed => return state,
            Some(_) if ended && current.selected.is_some() && !current.checklist.is_pending() => {
                return State::Completed;
            }
            Some(_) => return State::Connected,
            None => {}
        }
        if self.grace_until.is_some() {
            State::Disconnected
        } else if current.checklist.is_pending() {
            State::Checking
        } else if current.lost {
            State::Failed
        } else if current.remote.is_none() || current.patience_until.is_some() {
            if current.checklist.is_empty() {
                state
            } else {
                State::Checking
            }
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
