//! Which pair both sides are to use (RFC 8445 §8.1.1).

use std::time::{Duration, Instant};

use pc_proto::Transport;

use super::Agent;
use crate::{
    CandidateKind, Role,
    nomination::Nomination,
    pair::{Pair, PairId},
};

/// For how long a nominated pair is not left for a worse one that the peer nominates: an
/// aggressive nominator means the best (RFC 5245 §8.1.1.2), and libwebrtc, which means the latest,
/// repeats its choice within 2.5 s.
const RENOMINATION_QUIET: Duration = Duration::from_secs(3);

impl Agent {
    /// As controlling agent, chooses a pair and has it checked with a nomination.
    pub(super) fn consider_nomination(&mut self, now: Instant) {
        if self.role != Role::Controlling {
            return self.reconsider(now);
        }
        if self.lite {
            return;
        }
        let choice = match self.current.nominating.or(self.current.selected) {
            None => self.best_to_nominate(now),
            Some(chosen) => self
                .replacement_of(chosen)
                .or_else(|| self.direct_instead_of(now, chosen))
                .or_else(|| self.better_than(now, chosen))
                .or_else(|| self.cheaper_than(now, chosen)),
        };
        if let Some(id) = choice {
            let current = &mut self.current;
            current.nomination = current.nomination.saturating_add(1);
            if let Some(given_up) = current.nominating.replace(id) {
                // The peer would take what is repeated for what is wanted.
                current.transactions.silence(given_up);
            }
            current.checklist.trigger_first(id);
        }
    }

    /// A controlled agent that has stayed with a better pair, which has fallen silent since, goes
    /// where the peer wanted it to.
    fn reconsider(&mut self, now: Instant) {
        let checklist = &self.current.checklist;
        let selected = self.current.selected.and_then(|id| checklist.get(id));
        let Some(silent) = selected.filter(|pair| pair.silent_since.is_some()) else {
            return;
        };
        let later = |pair: &&Pair| pair.valid.is_some() && pair.asked_for_at > silent.asked_for_at;
        let asked_for = checklist.iter().filter(later);
        let last = asked_for.max_by_key(|pair| pair.asked_for_at);
        if let Some(id) = last.map(|pair| pair.id) {
            self.follow(now, id);
        }
    }

    /// What nominations say.
    pub(super) fn nomination(&self) -> Nomination {
        if self.renomination {
            Nomination::Numbered(self.current.nomination)
        } else {
            Nomination::UseCandidate
        }
    }

    /// The best valid pair, as soon as nothing better is to be expected or waiting has an end.
    fn best_to_nominate(&self, now: Instant) -> Option<PairId> {
        let best = self.best_proven()?;
        let settled = !self.current.checklist.better_pending(best.merit());
        (settled || self.nominate_at()? <= now).then_some(best.id)
    }

    fn best_proven(&self) -> Option<&Pair> {
        let valid = self.current.checklist.valid();
        let proven = valid.filter(|pair| self.is_proven(pair));
        proven.max_by_key(|pair| pair.merit())
    }

    /// When the controlling agent stops waiting for a better pair.
    pub(super) fn nominate_at(&self) -> Option<Instant> {
        if self.role != Role::Controlling || self.current.selected.is_some() {
            return None;
        }
        self.current.nominating.is_none().then_some(())?;
        let rtt = self.best_proven()?.valid?.rtt;
        let (min, max) = (
            self.timing.min_nomination_wait,
            self.timing.max_nomination_wait,
        );
        Some(self.current.first_valid_at? + (rtt * 2).max(min).min(max))
    }

    /// The best pair that has answered since the chosen one, which was in use, fell silent.
    ///
    /// RFC 8445 §8.1.1 would have an ICE restart here. Browsers nominate again, as controlled
    /// agents expect of them, and a session outlives a change of network or NAT binding.
    fn replacement_of(&self, chosen: PairId) -> Option<PairId> {
        let chosen = self.current.checklist.get(chosen)?;
        self.instead_of(chosen).map(|pair| pair.id)
    }

    /// The best pair that has answered since that one, which was in use, fell silent.
    pub(super) fn instead_of(&self, silent: &Pair) -> Option<&Pair> {
        let since = silent.silent_since?;
        let answers = |pair: &&Pair| {
            let valid = pair.valid.filter(|valid| valid.confirmed_at >= since);
            pair.id != silent.id && pair.silent_since.is_none() && valid.is_some()
        };
        let pairs = self.current.checklist.iter().filter(answers);
        pairs.max_by_key(|pair| pair.merit())
    }

    /// A better pair that was found after the selected one, as on a network that has come since, if
    /// the peer follows for sure (draft-thatcher-ice-renomination §1).
    fn better_than(&self, now: Instant, chosen: PairId) -> Option<PairId> {
        let current = &self.current;
        if !self.renomination || current.nominating.is_some() {
            return None;
        }
        let selected = current.checklist.get(chosen)?;
        let best = current
            .checklist
            .best_since(now, self.timing.disconnected_after)?;
        (best.merit() > selected.merit() && best.silences.is_none()).then_some(best.id)
    }

    /// A direct pair, where the chosen one goes through a TURN server.
    ///
    /// A lost datagram delays a check by an RTO, which is longer than anybody wants to wait for the
    /// nomination, as some peers do before they send. So the relayed pair is nominated, the better
    /// ones are checked on, and the first that answers is nominated in its place. RFC 8445 §8.1.1 has
    /// but one nomination; peers follow one of a better pair all the same, as RFC 5245 §8.1.1.2 has
    /// taught them.
    fn direct_instead_of(&self, now: Instant, chosen: PairId) -> Option<PairId> {
        let current = &self.current;
        // Selected, or nominated with an answer still to come, which loss can hold up for long: the
        // peer has perhaps heard it all the same, and uses a pair that this side does not.
        let relayed = current.checklist.get(chosen)?;
        if !self.is_relayed(relayed) {
            return None;
        }
        // Not the one that was left because it fell silent.
        let lively = self.timing.disconnected_after;
        let best = current.checklist.best_since(now, lively)?;
        (best.merit() > relayed.merit() && !self.is_relayed(best)).then_some(best.id)
    }

    /// Whether a pair takes a detour: through a TURN server on either side, or over TCP, which makes
    /// media wait for what was lost (RFC 6544 §4.2).
    fn is_relayed(&self, pair: &Pair) -> bool {
        if pair.route.transport == Transport::Tcp {
            return true;
        }
        let local = self.locals.of(pair.route).map(|it| it.candidate.kind);
        let remote = self.current.remotes.get(pair.remote).map(|it| it.kind);
        [local, remote].contains(&Some(CandidateKind::Relayed))
    }

    /// Whether pairs that are better than the selected one are still of interest to this side: the
    /// controlled one has to answer for them, the controlling one looks for a direct pair as long as
    /// a check takes (RFC 8863 §4).
    pub(super) fn seeks_better_than(&self, selected: &Pair) -> bool {
        let looks = self.current.patience_until.is_some();
        self.role == Role::Controlled || (looks && self.is_relayed(selected))
    }

    /// What a check says of nomination, to a controlled agent.
    pub(super) fn take_nomination(
        &mut self,
        now: Instant,
        id: PairId,
        nomination: Option<Nomination>,
    ) {
        let current = &mut self.current;
        let selected = current.selected == Some(id);
        let Some(pair) = current.checklist.get_mut(id) else {
            return;
        };
        if let Some(nomination) = nomination {
            if let Nomination::Numbered(number) = nomination {
                current.nomination = current.nomination.max(number);
            }
            pair.nomination = pair.nomination.max(Some(nomination));
            pair.asked_for_at = Some(now);
            self.follow(now, id);
        } else if selected {
            // A peer that repeats its nomination has stopped doing so: it may have another.
            pair.asked_for_at = None;
        }
    }

    /// The peer asks for a valid pair (RFC 8445 §7.3.1.5). Of those asked for by number the latest
    /// wins. Of others it is the best one, unless the peer has changed its mind.
    pub(super) fn follow(&mut self, now: Instant, id: PairId) {
        let current = &self.current;
        let Some(pair) = current
            .checklist
            .get(id)
            .filter(|pair| pair.valid.is_some())
        else {
            return;
        };
        let latest = Nomination::Numbered(current.nomination);
        let selected = current.selected.and_then(|id| current.checklist.get(id));
        // A peer that knows what networks cost means the cheapest of all that it asks for.
        let is_worse = |than: &Pair| match current.peer_knows_costs {
            true => pair.merit() < than.merit(),
            false => pair.priority < than.priority,
        };
        let stays = selected.is_some_and(|selected| {
            let asked_for = selected
                .asked_for_at
                .is_some_and(|at| at + RENOMINATION_QUIET > now);
            let silent = selected.silent_since.is_some();
            if current.nomination > 0 {
                // Equal ones are of one pair, seen from two addresses.
                selected.id == id || (pair.nomination < Some(latest) && !silent)
            } else {
                selected.id == id || (is_worse(selected) && asked_for && !silent)
            }
        });
        if !stays {
            self.select(id);
        }
    }

    /// Both sides agree on a pair; other checks end (RFC 8445 §8.1.2).
    pub(super) fn select(&mut self, id: PairId) {
        let Some(pair) = self.current.checklist.get(id) else {
            return;
        };
        let floor = self.floor_beside(pair);
        let current = &mut self.current;
        let before = current
            .selected
            .and_then(|id| current.checklist.get_mut(id));
        if let Some(left) = before.filter(|pair| pair.silent_since.is_some()) {
            // Should it answer again, that was long ago.
            left.asked_for_at = None;
        }
        current.selected = Some(id);
        current.nominating = None;
        for ended in current.checklist.park_below(floor) {
            current.transactions.cancel(ended);
        }
    }
}
