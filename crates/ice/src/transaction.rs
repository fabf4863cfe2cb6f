use std::time::{Duration, Instant};

use pc_proto::FiveTuple;
use pc_stun::TransactionId;

use crate::{Role, Timing, checklist::Checklist, nomination::Nomination, pair::PairId};

/// How many checks of one pair may be open: triggered checks replace each other quickly.
const MAX_PER_PAIR: usize = 4;

/// One check of a pair, with its retransmissions (RFC 8489 §6.2.1).
///
/// ```text
///   sent at 0, 1, 3, 7, 15, 31 and 63 RTO (Rc = 7); no answer at 79 RTO (Rm = 16): the pair fails
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) pair: PairId,
    pub(crate) route: FiveTuple,
    /// The role that the request claims.
    pub(crate) role: Role,
    /// Whether the request nominates the pair, and how.
    pub(crate) nomination: Option<Nomination>,
    pub(crate) priority: u32,
    begun_at: Instant,
    /// When it was sent last, and how often.
    sent_at: Instant,
    sent: u8,
    rto: Duration,
    next_at: Instant,
    /// A retransmission is to leave.
    due: bool,
    /// Not sent again, though its answer still counts (RFC 8445 §7.3.1.4).
    cancelled: bool,
}

impl Transaction {
    /// A check that is being sent now.
    pub(crate) fn begin(
        now: Instant,
        id: TransactionId,
        (pair, route): (PairId, FiveTuple),
        (role, nomination, priority): (Role, Option<Nomination>, u32),
        rto: Duration,
    ) -> Self {
        Self {
            id,
            pair,
            route,
            role,
            nomination,
            priority,
            begun_at: now,
            sent_at: now,
            sent: 1,
            rto,
            next_at: now + rto,
            due: false,
            cancelled: false,
        }
    }

    /// The round-trip time that an answer at `now` shows; none if it may be that of an earlier
    /// transmission (Karn's algorithm, RFC 8489 §6.2.1).
    pub(crate) fn rtt(&self, now: Instant) -> Option<Duration> {
        // What is due has been counted.
        let once = 1 + u8::from(self.due);
        (self.sent == once).then(|| now.saturating_duration_since(self.sent_at))
    }
}

/// The open checks of one generation.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    open: Vec<Transaction>,
}

impl Transactions {
    /// Adds a check; of too many for one pair the oldest is forgotten.
    pub(crate) fn push(&mut self, transaction: Transaction) {
        let pair = transaction.pair;
        let same = |open: &Transaction| open.pair == pair;
        if self.open.iter().filter(|open| same(open)).count() >= MAX_PER_PAIR
            && let Some(oldest) = self.open.iter().position(same)
        {
            self.open.remove(oldest);
        }
        self.open.push(transaction);
    }

    pub(crate) fn get(&self, id: TransactionId) -> Option<&Transaction> {
        self.open.iter().find(|open| open.id == id)
    }

    pub(crate) fn remove(&mut self, id: TransactionId) {
        self.open.retain(|open| open.id != id);
    }

    /// Forgets every check of a pair.
    pub(crate) fn forget(&mut self, pair: PairId) {
        self.open.retain(|open| open.pair != pair);
    }

    /// Forgets the checks of pairs that are gone.
    pub(crate) fn retain_pairs(&mut self, checklist: &Checklist) {
        self.open.retain(|open| checklist.get(open.pair).is_some());
    }

    /// Ends the retransmissions of a pair's checks, but not of those that nominate it.
    pub(crate) fn cancel(&mut self, pair: PairId) {
        let checks = self.open.iter_mut().filter(|open| open.pair == pair);
        checks
            .filter(|open| open.nomination.is_none())
            .for_each(Transaction::cancel);
    }

    /// Ends the retransmissions of all of a pair's checks.
    pub(crate) fn silence(&mut self, pair: PairId) {
        let checks = self.open.iter_mut().filter(|open| open.pair == pair);
        checks.for_each(Transaction::cancel);
    }

    /// Runs the retransmission timers. Gives the pairs whose last check has got no answer, and
    /// when that check began.
    pub(crate) fn advance(&mut self, now: Instant, timing: &Timing) -> Vec<(PairId, Instant)> {
        let mut dead = Vec::new();
        self.open.retain_mut(|open| {
            if open.due || open.next_at > now {
                return true;
            }
            if open.sent < timing.max_transmissions {
                open.due = !open.cancelled;
                // While it is due, this is for the case that it is cancelled instead.
                open.back_off(now, timing);
                return true;
            }
            dead.push((open.pair, open.begun_at));
            false
        });
        dead.retain(|(pair, _)| self.open.iter().all(|open| open.pair != *pair));
        dead
    }

    /// A check that is to be sent again; it counts as sent.
    pub(crate) fn take_due(&mut self, now: Instant, timing: &Timing) -> Option<&Transaction> {
        let open = self.open.iter_mut().find(|open| open.due)?;
        open.due = false;
        open.sent_at = now;
        open.wait(now, timing);
        Some(open)
    }

    /// When the next timer runs out; those that wait to be sent have none.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let waiting = self.open.iter().filter(|open| !open.due);
        waiting.map(|open| open.next_at).min()
    }
}

impl Transaction {
    fn cancel(&mut self) {
        self.cancelled = true;
        self.due = false;
    }

    /// It is sent once more, or would be.
    fn back_off(&mut self, now: Instant, timing: &Timing) {
        self.sent = self.sent.saturating_add(1);
        self.wait(now, timing);
    }

    fn wait(&mut self, now: Instant, timing: &Timing) {
        let factor = if self.sent >= timing.max_transmissions {
            u32::from(timing.last_wait)
        } else {
            1 << u32::from(self.sent - 1).min(20)
        };
        self.next_at = now + self.rto.saturating_mul(factor);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use pc_simnet::epoch;

    use super::*;

    fn open(now: Instant) -> Transactions {
        let address = (Ipv4Addr::LOCALHOST, 1).into();
        let route = FiveTuple::udp(address, address);
        let check = (Role::Controlling, None, 1);
        let id = TransactionId([0; 12]);
        let mut open = Transactions::default();
        let rto = Duration::from_millis(500);
        open.push(Transaction::begin(now, id, (PairId(7), route), check, rto));
        open
    }

    /// A timer that has run is over, whatever becomes of what it was for; the check ends when it would
    /// have.
    #[test]
    fn one_that_is_cancelled_while_it_is_due_ends_as_late() {
        let timing = Timing::default();
        let mut ends = Vec::new();
        for cancel in [None, Some(0), Some(3)] {
            let mut checks = open(epoch());
            let mut now = epoch();
            for round in 0.. {
                now = checks.next_timeout().unwrap();
                if !checks.advance(now, &timing).is_empty() {
                    break;
                }
                if cancel == Some(round) {
                    checks.cancel(PairId(7));
                }
                while checks.take_due(now, &timing).is_some() {}
                assert!(checks.next_timeout().unwrap() > now);
            }
            ends.push(now - epoch());
        }
        // RFC 8489 §6.2.1
        assert_eq!(ends, [Duration::from_millis(39_500); 3]);
    }
}
