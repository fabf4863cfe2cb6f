use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;

use crate::{
    Role,
    candidate::pair_priority,
    network::{Merit, NetworkCost},
    nomination::Nomination,
    remotes::RemoteId,
    tcp::{Dial, Link},
};

/// Names a pair for as long as its generation lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PairId(pub(crate) u32);

/// Where a pair stands (RFC 8445 §6.1.2.6).
///
/// ```text
///            next_check               begin                 success
///   Frozen ────────────► Waiting ───────────► InProgress ───────────► Succeeded
///     ▲ conclude ▲          ▲                    │ no answer              │ no answer any more
///     └──────────┴─ Parked ─┘ trigger, recheck   └──────► Failed ◄────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PairState {
    /// Waits for a check of the same foundation.
    Frozen,
    /// To be checked.
    Waiting,
    /// Checked, no answer yet.
    InProgress,
    /// A check was answered: the pair is valid.
    Succeeded,
    /// Its check got no answer, or a wrong one.
    Failed,
    /// Given up because a pair is nominated (RFC 8445 §8.1.2), kept in case that one falls silent.
    Parked,
}

/// Where a pair stands, as it is told: `RTCStatsIceCandidatePairState` of webrtc-stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairStatus {
    /// Waits for another check, or was given up for a pair that is nominated.
    Frozen,
    /// Waits for its check.
    Waiting,
    /// Checked, and not answered yet.
    InProgress,
    /// A check was answered.
    Succeeded,
    /// Not answered, or wrongly.
    Failed,
}

impl PairStatus {
    /// The W3C's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Waiting => "waiting",
            Self::InProgress => "in-progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl From<PairState> for PairStatus {
    fn from(state: PairState) -> Self {
        match state {
            PairState::Frozen | PairState::Parked => Self::Frozen,
            PairState::Waiting => Self::Waiting,
            PairState::InProgress => Self::InProgress,
            PairState::Succeeded => Self::Succeeded,
            PairState::Failed => Self::Failed,
        }
    }
}

/// What was counted of a pair's checks; repetitions of a request do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PairCounters {
    /// Checks that have left, those for consent apart.
    pub requests_sent: u64,
    /// Checks of the peer's, each of which was answered.
    pub requests_received: u64,
    /// Answers, to all checks of ours.
    pub responses_received: u64,
    /// Checks for consent that have left (RFC 7675).
    pub consent_requests_sent: u64,
    /// The sum of the round trips that were measured.
    pub total_round_trip_time: Duration,
    /// The last of them; zero before the first.
    pub current_round_trip_time: Duration,
}

/// What the answer to a check told (RFC 8445 §7.2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Valid {
    /// This side's address as the peer sees it.
    pub(crate) mapped: SocketAddr,
    /// When the last answer came: from then on consent lasts (RFC 7675 §5.1).
    pub(crate) confirmed_at: Instant,
    /// The smoothed round-trip time.
    pub(crate) rtt: Duration,
}

/// The times that a pair was found silent as the path in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Silences {
    count: u8,
    last_at: Option<Instant>,
}

impl Silences {
    /// After the first of them, and twice as long after each that follows, up to 320 s.
    const RETURN_AFTER: Duration = Duration::from_secs(10);

    pub(crate) fn note(&mut self, now: Instant) {
        self.count = self.count.saturating_add(1);
        self.last_at = Some(now);
    }

    pub(crate) fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Whether the pair has been quiet about it for long enough to be worth another try, where there
    /// is something to be saved.
    pub(crate) fn are_past(&self, now: Instant) -> bool {
        let doublings = u32::from(self.count.saturating_sub(1).min(5));
        let wait = Self::RETURN_AFTER * (1 << doublings);
        self.last_at.is_none_or(|at| at + wait <= now)
    }
}

/// A local base and a remote candidate (RFC 8445 §6.1.2.2).
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) id: PairId,
    /// Of a pair that has yet to be connected, from its base.
    pub(crate) route: FiveTuple,
    /// What carries its datagrams.
    pub(crate) link: Link,
    /// How many connections have ended before anything was answered on them.
    pub(crate) unanswered_links: u32,
    pub(crate) remote: RemoteId,
    /// Stands for the foundations of both candidates.
    pub(crate) foundation: u64,
    pub(crate) local_priority: u32,
    pub(crate) remote_priority: u32,
    pub(crate) priority: u64,
    pub(crate) local_cost: NetworkCost,
    pub(crate) remote_cost: NetworkCost,
    pub(crate) state: PairState,
    pub(crate) valid: Option<Valid>,
    /// When it was found silent as the path in use, while it is.
    pub(crate) silent_since: Option<Instant>,
    /// Whether, and when, that was so: a pair that comes and goes is not returned to for its priority
    /// alone.
    pub(crate) silences: Silences,
    /// When the peer last asked for this pair, and how.
    pub(crate) asked_for_at: Option<Instant>,
    pub(crate) nomination: Option<Nomination>,
    pub(crate) counters: PairCounters,
}

impl Pair {
    pub(crate) fn new(
        role: Role,
        (route, link): (FiveTuple, Link),
        foundation: u64,
        local_priority: u32,
        (remote, remote_priority): (RemoteId, u32),
    ) -> Self {
        Self {
            id: PairId(0),
            route,
            link,
            unanswered_links: 0,
            remote,
            foundation,
            local_priority,
            remote_priority,
            priority: pair_priority(role, local_priority, remote_priority),
            local_cost: NetworkCost::FREE,
            remote_cost: NetworkCost::FREE,
            state: PairState::Frozen,
            valid: None,
            silent_since: None,
            silences: Silences::default(),
            asked_for_at: None,
            nomination: None,
            counters: PairCounters::default(),
        }
    }

    /// What both ends cost together (draft-thatcher-ice-network-cost).
    pub(crate) fn cost(&self) -> u16 {
        self.local_cost.value() + self.remote_cost.value()
    }

    /// How much rather it is used than others, where both work.
    pub(crate) fn merit(&self) -> Merit {
        Merit::new(self.cost(), self.priority)
    }

    pub(crate) fn rank(&mut self, role: Role) {
        self.priority = pair_priority(role, self.local_priority, self.remote_priority);
    }

    /// Whether it has answered a check within `time`, and has not fallen silent since.
    pub(crate) fn has_answered_within(&self, now: Instant, time: Duration) -> bool {
        let valid = self.valid.filter(|_| self.silent_since.is_none());
        valid.is_some_and(|valid| valid.confirmed_at + time > now)
    }

    /// Whether a check of it may still come to something.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(
            self.state,
            PairState::Frozen | PairState::Waiting | PairState::InProgress
        )
    }

    /// An answer came: the pair is valid and consent is fresh.
    pub(crate) fn confirm(&mut self, now: Instant, mapped: SocketAddr, sample: Option<Duration>) {
        self.counters.responses_received += 1;
        self.found_good(now, mapped, sample);
    }

    /// The pair is valid and consent is fresh, for a lite agent without an answer.
    pub(crate) fn found_good(
        &mut self,
        now: Instant,
        mapped: SocketAddr,
        sample: Option<Duration>,
    ) {
        let measured = self.counters.total_round_trip_time > Duration::ZERO;
        let rtt = match (self.valid, sample) {
            (Some(valid), Some(sample)) if measured => (valid.rtt * 3 + sample) / 4,
            (Some(_), Some(sample)) => sample,
            (Some(valid), None) => valid.rtt,
            (None, sample) => sample.unwrap_or(Duration::from_millis(500)),
        };
        if let Some(sample) = sample {
            self.counters.total_round_trip_time += sample;
            self.counters.current_round_trip_time = sample;
        }
        self.valid = Some(Valid {
            mapped,
            confirmed_at: now,
            rtt,
        });
        self.silent_since = None;
        self.state = PairState::Succeeded;
    }

    pub(crate) fn fail(&mut self) {
        self.state = PairState::Failed;
        self.valid = None;
        self.disconnect();
    }

    /// Its connection has told nothing. It is neither failed nor checked until another one is opened.
    pub(crate) fn dial_later(&mut self, at: Instant) {
        if let Link::Dialed { dial, .. } = &mut self.link {
            *dial = Dial::Later { at };
            self.state = PairState::InProgress;
            self.unanswered_links += 1;
        }
    }

    /// Its connection, if it has one, has ended or is not used any more. Another one may be opened.
    pub(crate) fn disconnect(&mut self) {
        match &mut self.link {
            Link::Datagrams => {}
            Link::Accepted { open } => *open = false,
            Link::Dialed { base, dial } => {
                *dial = Dial::Idle;
                self.route.local = *base;
            }
        }
    }
}
