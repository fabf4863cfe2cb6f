use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_stun::TransactionId;
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

use crate::{Role, Timing};

/// As many checks as leave within the time that consent lasts.
const MAX_OPEN: usize = 8;

/// How many more probes have to stay without an answer on a path on which something comes: with a
/// tenth of all packets lost either way, five do so once in four thousand times.
const MORE_PROBES: u8 = 2;

/// A consent check on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentCheck {
    pub(crate) id: TransactionId,
    pub(crate) role: Role,
    pub(crate) sent_at: Instant,
}

/// The peer's consent to receive on the path in use (RFC 7675), and whether it still answers.
///
/// A consent check is sent about every 5 s and never again: the next one has a new transaction. Any
/// answer to any of them renews consent. They also keep NAT bindings (RFC 8445 §11) open.
///
/// Consent lasts for half a minute, which is far too long to find out that a network is gone. So
/// whatever is sent, data too, is to be followed by something heard:
///
/// ```text
///             sent                      probe_after, doubt             probes unanswered
///   Heard ──────────► unheard_since ────────────────────────► Probing ───────────────────► silent
///     ▲                    │ heard                               │ confirmed                  │
///     └────────────────────┴─────────────────────────────────────┴────────────────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Consent {
    /// Since when the path is in use.
    begun_at: Instant,
    confirmed_at: Instant,
    check_at: Instant,
    due: bool,
    open: VecDeque<ConsentCheck>,
    /// When something was first sent since which nothing was heard.
    unheard_since: Option<Instant>,
    /// Of a lite agent, which asks for nothing: the checks of its peer give consent.
    passive: bool,
    probing: Option<Probing>,
}

/// The path is being probed.
#[derive(Debug, Clone, Copy)]
struct Probing {
    begun_at: Instant,
    /// How many probes have left.
    sent: u8,
    /// When the next one leaves, or the last one has waited for long enough.
    next_at: Instant,
    /// How many more than usual have to stay without an answer, for something else has come. An
    /// answer alone clears the path: what comes one way may not go the other.
    more: u8,
    /// The peer itself seems to doubt the path.
    in_doubt: bool,
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
            unheard_since: None,
            passive: false,
            probing: None,
        }
    }

    /// Asks for nothing from now on.
    pub(crate) fn be_passive(&mut self) {
        self.passive = true;
        self.due = false;
    }

    /// Runs the timers of the checks and of what is to be heard, on a path with this round-trip time.
    pub(crate) fn advance(&mut self, now: Instant, rtt: Duration, timing: &Timing) {
        if self.passive {
            return;
        }
        if self.check_at <= now {
            self.due = true;
        }
        if self.probing.is_none() && self.probing_at(rtt, timing).is_some_and(|at| at <= now) {
            self.probe_from(now, false);
        }
    }

    fn probe_from(&mut self, now: Instant, in_doubt: bool) {
        self.probing = Some(Probing {
            begun_at: now,
            sent: 0,
            more: 0,
            next_at: now,
            in_doubt,
        });
    }

    /// When probes begin, unless something is heard.
    fn probing_at(&self, rtt: Duration, timing: &Timing) -> Option<Instant> {
        Some(self.unheard_since? + timing.probe_after.max(rtt * 2))
    }

    pub(crate) fn expires_at(&self, timing: &Timing) -> Instant {
        self.confirmed_at + timing.consent_expiry
    }

    /// Whatever comes, this is when half the time that consent lasts is gone.
    fn unanswered_at(&self, timing: &Timing) -> Instant {
        self.confirmed_at.max(self.begun_at) + timing.consent_expiry / 2
    }

    /// From when on the path counts as disconnected: nothing is heard for so long though something
    /// was sent, or no answer has come for half the time that consent lasts.
    pub(crate) fn disconnected_at(&self, timing: &Timing) -> Instant {
        let unanswered = self.unanswered_at(timing);
        match self.unheard_since {
            Some(since) => unanswered.min(since + timing.disconnected_after),
            None => unanswered,
        }
    }

    /// Since when the path has been silent, if it is time to try other pairs.
    pub(crate) fn silent_since(&self, now: Instant, timing: &Timing) -> Option<Instant> {
        let out_of_probes = |probing: &Probing| probing.is_out(timing) && probing.next_at <= now;
        let probing = self.probing.filter(out_of_probes);
        let unanswered = Some(self.unanswered_at(timing)).filter(|at| *at <= now);
        probing.map(|probing| probing.begun_at).or(unanswered)
    }

    /// Whether to probe now; says so once.
    pub(crate) fn take_probe(&mut self, now: Instant, rtt: Duration, timing: &Timing) -> bool {
        let Some(probing) = &mut self.probing else {
            return false;
        };
        if probing.next_at > now || probing.is_out(timing) {
            return false;
        }
        probing.sent += 1;
        probing.next_at = now + timing.probe_interval.max(rtt * 3 / 2);
        true
    }

    /// The peer checks other pairs, as if this one were of no more use: an answer will tell, if not at
    /// once after the last one.
    pub(crate) fn doubt(&mut self, now: Instant, rtt: Duration, timing: &Timing) {
        let lately = timing.probe_interval.max(rtt * 3 / 2);
        if self.probing.is_none() {
            self.probe_from(now.max(self.confirmed_at + lately), true);
        }
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
        self.unheard_since.get_or_insert(now);
    }

    /// Data leave.
    pub(crate) fn data_sent(&mut self, now: Instant) {
        self.unheard_since.get_or_insert(now);
    }

    /// Something came on the path: an authenticated request, or data.
    pub(crate) fn heard(&mut self) {
        self.unheard_since = None;
        if let Some(probing) = self.probing.as_mut().filter(|it| !it.in_doubt) {
            probing.more = MORE_PROBES;
        }
    }

    /// An authenticated answer came.
    pub(crate) fn confirmed(&mut self, now: Instant) {
        self.confirmed_at = now;
        self.unheard_since = None;
        self.probing = None;
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

    /// When a timer runs out that has not: `silent` and `disconnected` say which have.
    pub(crate) fn next_timeout(
        &self,
        (silent, disconnected): (bool, bool),
        rtt: Duration,
        timing: &Timing,
    ) -> Instant {
        let check_at = (!self.due && !self.passive).then_some(self.check_at);
        let disconnected_at = (!disconnected).then(|| self.disconnected_at(timing));
        let probe_at = match &self.probing {
            _ if silent || self.passive => None,
            Some(probing) => Some(probing.next_at.min(self.unanswered_at(timing))),
            None => self.probing_at(rtt, timing),
        };
        let timers = [check_at, disconnected_at, probe_at];
        let expires_at = self.expires_at(timing);
        timers.into_iter().flatten().fold(expires_at, Instant::min)
    }
}

impl Probing {
    /// Whether all probes have left.
    fn is_out(&self, timing: &Timing) -> bool {
        self.sent >= timing.probes.saturating_add(self.more)
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
