//! What time alone brings about.

use std::time::Instant;

use super::Agent;
use crate::pair::PairId;

impl Agent {
    /// Lets every timer run that is due.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.pacing.advance(now);
        self.advance_path(now);
        self.hurry(now);
        self.economize(now);
        let current = &mut self.current;
        current.patience_until = current.patience_until.filter(|until| *until > now);
        for (pair, begun_at) in current.transactions.advance(now, &self.timing) {
            self.unanswered(pair, begun_at);
        }
        self.advance_dials(now);
        if let Some((_, generation)) = self.grace.take_if(|(until, _)| *until <= now) {
            self.lose_path(now, generation);
        }
        self.settle(now);
    }

    /// A check has got no answer to any of its transmissions.
    fn unanswered(&mut self, id: PairId, begun_at: Instant) {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get_mut(id) else {
            return;
        };
        let answered_since = pair
            .valid
            .is_some_and(|valid| valid.confirmed_at >= begun_at);
        if !answered_since {
            pair.fail();
        }
        if current.nominating == Some(id) {
            current.nominating = None;
        }
    }

    fn advance_path(&mut self, now: Instant) {
        let rtt = self.path_rtt();
        let Some(path) = &mut self.path else { return };
        path.consent.advance(now, rtt, &self.timing);
        if path.consent.expires_at(&self.timing) <= now {
            let generation = path.generation;
            return self.lose_path(now, generation);
        }
        path.disconnected = path.consent.disconnected_at(&self.timing) <= now;
        let probe = path.consent.take_probe(now, rtt, &self.timing);
        let silent_since = path.consent.silent_since(now, &self.timing);
        let was_silent = std::mem::replace(&mut path.silent_since, silent_since).is_some();
        let (pair, is_silent) = (path.pair, silent_since.is_some());
        if path.generation != self.current.number {
            return;
        }
        if let Some(pair) = self.current.checklist.get_mut(pair) {
            pair.silent_since = silent_since;
            if is_silent && !was_silent {
                pair.silences.note(now);
            }
        }
        if is_silent && !was_silent {
            self.make_haste(now);
        }
        if probe {
            self.current.checklist.trigger_first(pair);
        }
    }

    /// When the next timer is due. Whatever is ready to be sent has none: it waits for
    /// `poll_transmit`.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let current = &self.current;
        let checks = current.remote.is_some() && current.checklist.has_check();
        let pace = self.pacing.opens_at().filter(|_| checks);
        let consent = self.path.as_ref().map(|path| {
            let have_run = (path.silent_since.is_some(), path.disconnected);
            path.consent
                .next_timeout(have_run, self.path_rtt(), &self.timing)
        });
        let timers = [
            pace,
            consent,
            current.patience_until,
            current.transactions.next_timeout(),
            self.nominate_at(),
            self.next_dial_timeout().map(|(_, until)| until),
            self.next_redial().map(|(_, at)| at),
            self.grace.map(|(until, _)| until),
            self.haste.map(|haste| haste.next_at),
            self.economy_at,
        ];
        timers.into_iter().flatten().min()
    }
}
