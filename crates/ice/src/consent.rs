use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_stun::TransactionId;
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

use crate::{Role, Timing};

/// As many checks as leave within the time that consent lasts.
const MAX_OPEN: usize = 8;

/// A consent check on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentCheck {
    pub(crate) id: TransactionId,
    pub(crate) role: Role,
    pub(crate) sent_at: Instant,
}

/// The peer's consent to receive on the path in use (RFC 7675), and whether it still answers.
///
/// A check is sent about every 5 s and never again: the next one has a new transaction. Any answer
/// to any of them renews consent. They also keep NAT bindings (RFC 8445 §11) open.
#[derive(Debug)]
pub(crate) struct Consent {
    /// Since when the path is in use.
    begun_at: Instant,
    confirmed_at: Instant,
    check_at: Instant,
    due: bool,
    open: VecDeque<ConsentCheck>,
    /// When the first check left since which nothing was heard.
    suspect_since: Option<Instant>,
    /// The pair has been probed since then.
    probed: bool,
}

impl Consent {
    /// Consent that an answer gave at `confirmed_at`.
    pub(crate) fn new(
        now: Instant,
        confirmed_at: Instant,
        timing: &Timing,
        rng: &mut ChaCha12Rng,
    ) -> Self {
        let check_at = confirmed_at + interval(timing, rng);
        Self {
            begun_at: now,
            confirmed_at,
            check_at,
            due: check_at <= now,
            open: VecDeque::new(),
            suspect_since: None,
            probed: false,
        }
    }

    /// Runs the timer of the checks.
    pub(crate) fn advance(&mut self, now: Instant) {
        if self.check_at <= now {
            self.due = true;
        }
    }

    pub(crate) fn expires_at(&self, timing: &Timing) -> Instant {
        self.confirmed_at + timing.consent_expiry
    }

    /// From when on the path counts as silent: checks go unanswered and nothing else comes, or
    /// whatever comes, half the time that consent lasts is gone.
    pub(crate) fn silent_at(&self, timing: &Timing) -> Instant {
        let answered_at = self.confirmed_at.max(self.begun_at);
        let unanswered = answered_at + timing.consent_expiry / 2;
        match self.suspect_since {
            Some(since) => unanswered.min(since + timing.disconnected_after),
            None => unanswered,
        }
    }

    /// When an unanswered check makes the pair worth a probe with retransmissions: one lost packet
    /// must not look like a lost path.
    pub(crate) fn probe_at(&self, timing: &Timing) -> Option<Instant> {
        let since = self.suspect_since.filter(|_| !self.probed)?;
        Some(since + timing.min_rto)
    }

    /// Whether to probe now; says so once.
    pub(crate) fn take_probe(&mut self, now: Instant, timing: &Timing) -> bool {
        let probe = self.probe_at(timing).is_some_and(|at| at <= now);
        self.probed |= probe;
        probe
    }

    pub(crate) fn is_due(&self) -> bool {
        self.due
    }

    /// A check leaves now.
    pub(crate) fn sent(
        &mut self,
        now: Instant,
        check: ConsentCheck,
        timing: &Timing,
        rng: &mut ChaCha12Rng,
    ) {
        if self.open.len() >= MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back(check);
        self.due = false;
        self.check_at = now + interval(timing, rng);
        self.suspect_since.get_or_insert(now);
    }

    /// Something came on the path: an authenticated request, or data.
    pub(crate) fn heard(&mut self) {
        self.suspect_since = None;
        self.probed = false;
    }

    /// An authenticated answer came.
    pub(crate) fn confirmed(&mut self, now: Instant) {
        self.confirmed_at = now;
        self.heard();
    }

    /// The open check with this transaction.
    pub(crate) fn open(&self, id: TransactionId) -> Option<ConsentCheck> {
        self.open.iter().find(|check| check.id == id).copied()
    }

    /// This check and those before it need no answer any more.
    pub(crate) fn close(&mut self, id: TransactionId) {
        if let Some(index) = self.open.iter().position(|check| check.id == id) {
            self.open.drain(..=index);
        }
    }

    /// When a timer runs out.
    pub(crate) fn next_timeout(&self, now_silent: bool, timing: &Timing) -> Instant {
        let mut next = self.expires_at(timing);
        if !self.due {
            next = next.min(self.check_at);
        }
        if !now_silent {
            next = next.min(self.silent_at(timing));
        }
        self.probe_at(timing).map_or(next, |at| next.min(at))
    }
}

/// Between 0.8 and 1.2 times the mean, so that checks do not synchronise (RFC 7675 §5.1).
fn interval(timing: &Timing, rng: &mut ChaCha12Rng) -> Duration {
    let steps = rng.next_u32() % 401;
    // Never nothing, or checks would leave without end.
    (timing.consent_interval * (800 + steps) / 1000).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn intervals_fill_four_to_six_seconds() {
        let (timing, mut rng) = (Timing::default(), ChaCha12Rng::from_seed([1; 32]));
        let all: Vec<_> = (0..2000).map(|_| interval(&timing, &mut rng)).collect();
        let (min, max) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*min >= Duration::from_secs(4) && *min < Duration::from_millis(4050));
        assert!(*max <= Duration::from_secs(6) && *max > Duration::from_millis(5950));
    }
}
