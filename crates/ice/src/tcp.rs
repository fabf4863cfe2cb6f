//! What is special about candidates and pairs of TCP (RFC 6544).

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::Transport;

use crate::{Candidate, CandidateKind};

/// The port of active candidates, at which nobody can be reached (RFC 6544 §4.5).
pub(crate) const DISCARD: u16 = 9;

/// Who connects (RFC 6544 §3, §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TcpType {
    /// Connects, from any port: the candidate's own is 9, and means nothing.
    Active,
    /// Waits for connections.
    Passive,
    /// Both, from and to the one port: both sides connect at once (simultaneous open).
    SimultaneousOpen,
}

impl TcpType {
    /// The word that SDP has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }

    /// What a candidate of the peer has to be to form a pair with this one (RFC 6544 §6.2).
    pub const fn counterpart(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
            Self::SimultaneousOpen => Self::SimultaneousOpen,
        }
    }

    /// Whether a candidate of this type ever connects.
    pub(crate) const fn connects(self) -> bool {
        !matches!(self, Self::Passive)
    }

    /// direction-pref (RFC 6544 §4.2): NATs let simultaneous opens through rather than anything
    /// that comes from outside.
    const fn direction_preference(self, kind: CandidateKind) -> u16 {
        match (kind, self) {
            (CandidateKind::Host | CandidateKind::Relayed, Self::Active)
            | (
                CandidateKind::ServerReflexive | CandidateKind::PeerReflexive,
                Self::SimultaneousOpen,
            ) => 6,
            (CandidateKind::Host | CandidateKind::Relayed, Self::Passive)
            | (CandidateKind::ServerReflexive | CandidateKind::PeerReflexive, Self::Active) => 4,
            _ => 2,
        }
    }

    /// The local preference of a candidate (RFC 6544 §4.2): 3 bits say who connects, 13 tell those
    /// alike apart.
    pub(crate) const fn local_preference(self, kind: CandidateKind, other: u16) -> u16 {
        (self.direction_preference(kind) << 13) | (other & OTHER_PREFERENCE)
    }
}

/// The bits of other-pref (RFC 6544 §4.2).
pub(crate) const OTHER_PREFERENCE: u16 = (1 << 13) - 1;

impl fmt::Display for TcpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether two candidates are of transports that go together (RFC 6544 §6.2). Who waits for
/// connections forms no pairs: they come with the checks on those.
pub(crate) fn transports_pair(local: &Candidate, remote: &Candidate) -> bool {
    match (local.tcp_type, remote.tcp_type) {
        (None, None) => local.transport == Transport::Udp && remote.transport == Transport::Udp,
        (Some(ours), Some(theirs)) => ours.connects() && ours.counterpart() == theirs,
        _ => false,
    }
}

/// What carries the datagrams of a pair.
///
/// ```text
///   Dialed:   Idle ── ask ──► Asked ── opened ──► Open ── closed before an answer ──► Later
///              ▲                │ failed            │ closed                            │ time
///              └────────────────┴───────────────────┴───────────────────────────────────┘
///   Accepted: open ── closed ──► gone ── a check comes on it ──► open
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// UDP needs none.
    Datagrams,
    /// A connection that the peer has opened.
    Accepted {
        /// It has not ended.
        open: bool,
    },
    /// A connection that this side opens, from `base`.
    Dialed { base: SocketAddr, dial: Dial },
}

/// How far a connection of this side's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dial {
    /// Not wanted yet, or over.
    Idle,
    /// The driver was asked for it.
    Asked { since: Instant },
    /// Checks and data may be sent.
    Open,
    /// It has ended too early to tell anything, and is not wanted before this.
    Later { at: Instant },
}

impl Link {
    /// Whether datagrams can be sent.
    pub(crate) const fn is_open(self) -> bool {
        match self {
            Self::Datagrams => true,
            Self::Accepted { open } => open,
            Self::Dialed { dial, .. } => matches!(dial, Dial::Open),
        }
    }

    /// Whether it is a connection, open or asked for.
    pub(crate) const fn holds_connection(self) -> bool {
        match self {
            Self::Datagrams => false,
            Self::Accepted { open } => open,
            Self::Dialed { dial, .. } => matches!(dial, Dial::Asked { .. } | Dial::Open),
        }
    }
}

/// How many connections are attempted after a restart, those in place of lost ones included.
pub(crate) const MAX_DIALS: u16 = 32;

/// After what time another one may be attempted.
const REFILL: Duration = Duration::from_secs(30);

/// How often a connection is opened again that has ended before anything was answered on it.
const MAX_REDIALS: u32 = 4;

/// After what time it is the first time; twice that the next.
const REDIAL: Duration = Duration::from_millis(500);

/// When to open a connection again that has ended unanswered for the `count`th time, from 0 on. A TURN
/// server that listens for the peer lets nobody in before the peer has heard of who comes, and ends the
/// connection (RFC 6062 §5.3): the peer may hear of it only now.
pub(crate) fn redial_after(count: u32) -> Option<Duration> {
    (count < MAX_REDIALS).then(|| REDIAL * 2_u32.pow(count))
}

/// Bounds how often connections are attempted: whoever sends candidates may name anybody's addresses
/// (RFC 8445 §19.5.1), and may end every connection at once.
#[derive(Debug)]
pub(crate) struct DialBudget {
    left: u16,
    /// When what was taken began to come back.
    since: Option<Instant>,
}

impl Default for DialBudget {
    fn default() -> Self {
        Self {
            left: MAX_DIALS,
            since: None,
        }
    }
}

impl DialBudget {
    /// Whether one more may be attempted.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        while let Some(since) = self.since
            && since + REFILL <= now
        {
            self.left += 1;
            self.since = (self.left < MAX_DIALS).then_some(since + REFILL);
        }
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        self.left = left;
        self.since.get_or_insert(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6544 §4.2: host candidates that connect come first, reflexive ones that may open
    /// simultaneously.
    #[test]
    fn directions_are_preferred_as_specified() {
        use CandidateKind::*;
        use TcpType::*;
        for (kind, order) in [
            (Host, [Active, Passive, SimultaneousOpen]),
            (Relayed, [Active, Passive, SimultaneousOpen]),
            (ServerReflexive, [SimultaneousOpen, Active, Passive]),
            (PeerReflexive, [SimultaneousOpen, Active, Passive]),
        ] {
            let preferences = order.map(|it| it.local_preference(kind, 7));
            assert_eq!(preferences, [6, 4, 2].map(|it| (it << 13) + 7), "{kind}");
        }
    }

    /// The table of RFC 6544 §6.2, without the rows that are pruned.
    #[test]
    fn types_pair_as_specified() {
        use TcpType::*;
        let at = |tcp| Candidate::tcp(CandidateKind::Host, ([10, 0, 0, 1], 5).into(), tcp);
        let types = [Active, Passive, SimultaneousOpen];
        let mut pairs = Vec::new();
        for ours in types {
            for theirs in types {
                if transports_pair(&at(ours), &at(theirs)) {
                    pairs.push((ours, theirs));
                }
            }
        }
        assert_eq!(
            pairs,
            [(Active, Passive), (SimultaneousOpen, SimultaneousOpen)]
        );
        let udp = Candidate::host(([10, 0, 0, 1], 5).into());
        assert!(!transports_pair(&udp, &at(Passive)) && !transports_pair(&at(Active), &udp));
        assert!(transports_pair(&udp, &udp));
    }

    #[test]
    fn the_budget_comes_back_slowly() {
        let mut budget = DialBudget::default();
        let now = pc_simnet::epoch();
        let takes = |budget: &mut DialBudget, now| (0..100).filter(|_| budget.take(now)).count();
        assert_eq!(takes(&mut budget, now), 32);
        assert_eq!(takes(&mut budget, now + REFILL / 2), 0);
        assert_eq!(takes(&mut budget, now + REFILL * 3), 3);
        assert_eq!(takes(&mut budget, now + REFILL * 1000), 32);
    }
}
