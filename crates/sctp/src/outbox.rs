use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{Limit, Ppid, Reliability};

/// A message that waits for the carrier.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) ppid: Ppid,
    pub(crate) reliability: Reliability,
    pub(crate) bytes: Bytes,
    /// RFC 3758 §3.1 of RFC 7496: when a message with a lifetime is given up.
    pub(crate) deadline: Option<Instant>,
}

impl Outgoing {
    pub(crate) fn new(now: Instant, reliability: Reliability, ppid: Ppid, message: &[u8]) -> Self {
        let deadline = match reliability.limit {
            Limit::Lifetime(lifetime) if !lifetime.is_zero() => now.checked_add(lifetime),
            _ => None,
        };
        Self {
            ppid,
            reliability,
            bytes: Bytes::copy_from_slice(message),
            deadline,
        }
    }

    /// What `bufferedAmount` counts of it: user data, neither DCEP nor the byte of an empty message.
    pub(crate) fn amount(&self) -> usize {
        amount(self.ppid, self.bytes.len())
    }

    /// How long it may still live: `None` when it is over, `Some(None)` without a limit.
    pub(crate) fn lifetime(&self, now: Instant) -> Option<Option<Duration>> {
        match self.deadline {
            None => Some(None),
            Some(at) => at
                .checked_duration_since(now)
                .filter(|d| !d.is_zero())
                .map(Some),
        }
    }
}

/// What `bufferedAmount` counts of `len` bytes with `ppid`.
pub(crate) const fn amount(ppid: Ppid, len: usize) -> usize {
    match ppid {
        Ppid::STRING | Ppid::BINARY => len,
        _ => 0,
    }
}

/// What is to be sent on one stream.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Outgoing>,
    /// Bytes in `queue`, for the limit.
    held: usize,
    /// User data in `queue`.
    queued: usize,
    /// User data that the carrier has and has not sent once.
    unsent: usize,
    pub(crate) low_threshold: usize,
}

impl Outbox {
    pub(crate) const fn buffered_amount(&self) -> usize {
        self.queued + self.unsent
    }

    /// Bytes that wait, DCEP included.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn push(&mut self, message: Outgoing) {
        self.held += message.bytes.len();
        self.queued += message.amount();
        self.queue.push_back(message);
    }

    /// The next message for the carrier. It still counts until it is [`sent`](Self::sent).
    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let message = self.queue.pop_front()?;
        self.held -= message.bytes.len();
        self.queued -= message.amount();
        self.unsent += message.amount();
        Some(message)
    }

    /// `amount` bytes of user data have left. Whether the buffered amount fell to the threshold.
    pub(crate) fn sent(&mut self, amount: usize) -> bool {
        self.settle(self.unsent.saturating_sub(amount))
    }

    /// The carrier holds at most `at_most` bytes any more, because it has given up some.
    pub(crate) fn reconcile(&mut self, at_most: usize) -> bool {
        self.settle(self.unsent.min(at_most))
    }

    fn settle(&mut self, unsent: usize) -> bool {
        let before = self.buffered_amount();
        self.unsent = unsent;
        before > self.low_threshold && self.buffered_amount() <= self.low_threshold
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        (self.held, self.queued, self.unsent) = (0, 0, 0);
    }
}
