//! What is done when the path is gone: every other pair is tried at once, and again.

use std::time::{Duration, Instant};

use super::Agent;
use crate::pair::{Pair, PairId, PairState};

/// How often all pairs are tried. Whoever loses one packet in ten loses three checks and their
/// answers in a row less often than once in a hundred times.
const ROUNDS: u8 = 8;

/// The least time between two of those; the checks of one leave as Ta allows (RFC 8445 §14.2). A
/// retransmission would come after 500 ms only (§14.3), so each is a check of its own, as those for
/// consent are (RFC 7675 §5.1).
const ROUND: Duration = Duration::from_millis(250);

/// A path is looked for in a hurry.
///
/// ```text
///   make_haste ──► a round every ROUND ──► none left, or a nominated pair that answers ──► over
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) struct Haste {
    begun_at: Instant,
    pub(super) next_at: Instant,
    left: u8,
}

impl Agent {
    /// The path has fallen silent, or has gone with its address.
    pub(super) fn make_haste(&mut self, now: Instant) {
        if self.lite {
            return;
        }
        self.haste = Some(Haste {
            begun_at: now,
            next_at: now,
            left: ROUNDS,
        });
        self.hurry(now);
    }

    /// Tries all pairs that have not answered since haste began, if it is time.
    pub(super) fn hurry(&mut self, now: Instant) {
        let Some(mut haste) = self.haste.filter(|haste| haste.next_at <= now) else {
            return;
        };
        if self.has_arrived() || haste.left == 0 {
            self.haste = None;
            return;
        }
        haste.left -= 1;
        haste.next_at = now + ROUND.max(self.path_rtt() * 3 / 2);
        self.haste = Some(haste);
        for id in self.untried(haste.begun_at) {
            let current = &mut self.current;
            let state = current.checklist.get(id).map(|pair| pair.state);
            if state == Some(PairState::InProgress) {
                current.transactions.cancel(id);
            }
            current.checklist.trigger(id);
        }
        if let Some(nominating) = self.current.nominating {
            self.current.checklist.trigger_first(nominating);
        }
    }

    /// Whether a pair is known to work: if the path is gone, others may have gone with it, and only what
    /// has answered since then has not.
    pub(super) fn is_proven(&self, pair: &Pair) -> bool {
        self.haste.is_none_or(|haste| {
            let valid = pair.valid;
            valid.is_some_and(|valid| valid.confirmed_at >= haste.begun_at)
        })
    }

    /// Whether data go over a nominated pair that answers.
    fn has_arrived(&self) -> bool {
        let path = self.path.as_ref().filter(|path| self.is_current(path));
        path.is_some_and(|path| {
            path.silent_since.is_none() && self.current.selected == Some(path.pair)
        })
    }

    /// The pairs that have not answered since then: first those that have once, what costs
    /// less before what is of a higher priority; the silent ones last.
    fn untried(&self, since: Instant) -> Vec<PairId> {
        let pairs = self.current.checklist.iter();
        let open = pairs.filter(|pair| {
            let unanswered = pair.valid.is_none_or(|valid| valid.confirmed_at < since);
            // A connection that is being opened takes its time.
            let dialing = pair.state == PairState::InProgress && !pair.link.is_open();
            unanswered && !dialing
        });
        let mut open: Vec<_> = open
            .map(|pair| {
                let goodness = (
                    pair.silent_since.is_none(),
                    pair.valid.is_some(),
                    pair.merit(),
                );
                (goodness, pair.id)
            })
            .collect();
        open.sort_unstable_by_key(|(goodness, _)| std::cmp::Reverse(*goodness));
        open.into_iter().map(|(_, id)| id).collect()
    }
}
