use std::{net::SocketAddr, time::Instant};

use pc_stun::{ChannelNumber, Method, TransactionId};

use super::auth::Proof;
use crate::{ErrorResponse, server::Schedule};

/// How many requests are open at once; further ones wait for their turn.
const MAX_OPEN: usize = 16;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An allocation.
    Allocate,
    /// More time for it.
    Refresh,
    /// The same, from a new path (RFC 8016 §3.2).
    Move,
    /// Its end.
    Release,
    /// A permission for the address of this peer.
    Permit(SocketAddr),
    /// A channel to this peer.
    Bind(ChannelNumber, SocketAddr),
    /// A TCP connection to this peer.
    Connect(SocketAddr),
}

impl Purpose {
    pub(super) const fn method(self) -> Method {
        match self {
            Self::Allocate => Method::ALLOCATE,
            Self::Refresh | Self::Move | Self::Release => Method::REFRESH,
            Self::Permit(_) => Method::CREATE_PERMISSION,
            Self::Bind(..) => Method::CHANNEL_BIND,
            Self::Connect(_) => Method::CONNECT,
        }
    }
}

/// A request that awaits its answer.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) id: TransactionId,
    pub(super) purpose: Purpose,
    /// As it is sent, and sent again.
    pub(super) bytes: Box<[u8]>,
    pub(super) schedule: Schedule,
    /// With what it was signed, if it was.
    pub(super) proof: Option<Proof>,
    /// How many requests with this purpose were answered with 401 or 438 before.
    pub(super) challenges: u8,
    /// An answer came that was not signed as it must be, and what it claimed.
    pub(super) violated: Option<Option<ErrorResponse>>,
}

/// The open requests of a client.
#[derive(Debug, Default)]
pub(super) struct Transactions(Vec<Transaction>);

impl Transactions {
    pub(super) fn push(&mut self, transaction: Transaction) {
        self.0.push(transaction);
    }

    /// Whether further requests have to wait.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_OPEN
    }

    pub(super) fn has(&self, matches: impl Fn(Purpose) -> bool) -> bool {
        self.0.iter().any(|open| matches(open.purpose))
    }

    pub(super) fn get_mut(&mut self, id: TransactionId) -> Option<&mut Transaction> {
        self.0.iter_mut().find(|open| open.id == id)
    }

    pub(super) fn contains(&self, id: TransactionId) -> bool {
        self.0.iter().any(|open| open.id == id)
    }

    /// What answers that were not signed claim of a request.
    pub(super) fn claimed(&self, purpose: Purpose) -> Option<&ErrorResponse> {
        let mut open = self.0.iter().filter(|open| open.purpose == purpose);
        open.find_map(|open| open.violated.as_ref()?.as_ref())
    }

    pub(super) fn remove(&mut self, id: TransactionId) -> Option<Transaction> {
        let index = self.0.iter().position(|open| open.id == id)?;
        Some(self.0.remove(index))
    }

    /// Whether any request has left already.
    pub(super) fn was_sent(&self) -> bool {
        self.0.iter().any(|open| open.schedule.was_sent())
    }

    /// The peers to which connections are being asked for.
    pub(super) fn connects(&self) -> Vec<SocketAddr> {
        let peer = |open: &Transaction| match open.purpose {
            Purpose::Connect(peer) => Some(peer),
            _ => None,
        };
        self.0.iter().filter_map(peer).collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Lets the time run; gives one request whose time is over.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<Transaction> {
        let expired = |open: &mut Transaction| open.schedule.advance(now);
        let index = self.0.iter_mut().position(expired)?;
        Some(self.0.remove(index))
    }

    /// A request that is to be sent; it counts as sent.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<&Transaction> {
        let open = self.0.iter_mut().find(|open| open.schedule.is_due())?;
        open.schedule.sent(now);
        Some(open)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let waiting = self
            .0
            .iter()
            .filter_map(|open| open.schedule.next_timeout());
        waiting.min()
    }
}
