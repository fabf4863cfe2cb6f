use std::{collections::VecDeque, time::Instant};

use crate::{
    CandidatePair, Credentials, checklist::Checklist, consent::Consent, credentials::Secret,
    early::EarlyChecks, pair::PairId, remotes::Remotes, tcp::DialBudget, transaction::Transactions,
};
use pc_proto::FiveTuple;

/// Everything that an ICE restart begins anew (RFC 8445 §9).
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) local: Secret,
    pub(crate) remote: Option<Secret>,
    /// USERNAME of the checks that are sent: `remote:local` (RFC 8445 §7.2.2).
    pub(crate) username: String,
    pub(crate) remotes: Remotes,
    pub(crate) remotes_ended: bool,
    pub(crate) checklist: Checklist,
    pub(crate) transactions: Transactions,
    pub(crate) early: EarlyChecks,
    /// When failure may be declared, while that lies ahead (RFC 8863 §4).
    pub(crate) patience_until: Option<Instant>,
    /// The pairs whose connections the driver is to be asked for.
    pub(crate) to_dial: VecDeque<PairId>,
    /// How many connections may be asked for.
    pub(crate) dials: DialBudget,
    pub(crate) first_valid_at: Option<Instant>,
    /// The pair that this side has chosen and asks the peer to use.
    pub(crate) nominating: Option<PairId>,
    /// The pair that both sides have agreed on.
    pub(crate) selected: Option<PairId>,
    /// The highest number in a NOMINATION, sent or obeyed (draft-thatcher-ice-renomination §4).
    pub(crate) nomination: u32,
    /// The peer has said what networks cost, and chooses by that (draft-thatcher-ice-network-cost).
    pub(crate) peer_knows_costs: bool,
    /// Consent has expired: nothing but a new pair can revive this generation.
    pub(crate) lost: bool,
}

impl Generation {
    pub(crate) fn new(number: u32, local: Credentials) -> Self {
        Self {
            number,
            local: Secret::new(local),
            remote: None,
            username: String::new(),
            remotes: Remotes::default(),
            remotes_ended: false,
            checklist: Checklist::default(),
            transactions: Transactions::default(),
            early: EarlyChecks::default(),
            patience_until: None,
            to_dial: VecDeque::new(),
            dials: DialBudget::default(),
            first_valid_at: None,
            nominating: None,
            selected: None,
            nomination: 0,
            peer_knows_costs: false,
            lost: false,
        }
    }

    pub(crate) fn set_remote(&mut self, credentials: Credentials) {
        self.username = format!("{}:{}", credentials.ufrag, self.local.ufrag());
        self.remote = Some(Secret::new(credentials));
    }

    /// What outlives this generation: enough to answer, and to keep consent of, the path in use.
    pub(crate) fn retire(self) -> Retired {
        Retired {
            number: self.number,
            local: self.local,
            remote: self.remote,
            username: self.username,
        }
    }
}

/// The generation before the last restart: its checks are still answered, and its path carries the
/// data until the new one has a nominated pair (RFC 8445 §9).
#[derive(Debug)]
pub(crate) struct Retired {
    pub(crate) number: u32,
    pub(crate) local: Secret,
    pub(crate) remote: Option<Secret>,
    pub(crate) username: String,
}

/// The path that carries the data.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) generation: u32,
    pub(crate) pair: PairId,
    pub(crate) route: FiveTuple,
    /// PRIORITY of the consent checks.
    pub(crate) priority: u32,
    pub(crate) candidates: CandidatePair,
    pub(crate) consent: Consent,
    /// When the path was found silent, while it is: other pairs are tried.
    pub(crate) silent_since: Option<Instant>,
    /// It has been so for long enough to say so.
    pub(crate) disconnected: bool,
}
