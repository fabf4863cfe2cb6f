use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;
use pc_stun::TransactionId;

/// How many answers wait to be sent; older ones are dropped, as the network might.
pub(crate) const MAX_REPLIES: usize = 64;

/// How many answers to requests that prove nothing leave in a second, so that nobody is made to
/// pay for forgeries, nor a third party for those with a forged source.
const REFUSALS_PER_SECOND: u32 = 50;

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// XOR-MAPPED-ADDRESS (RFC 8445 §7.3.1.2).
    Success,
    /// 400, 401: the request proves nothing, so nor does the answer (RFC 8489 §9.1.3).
    Refusal(u16),
    /// 400, 487 to an authenticated request.
    Error(u16),
    /// 420 with the type that is not understood (RFC 8489 §6.3.1).
    UnknownAttribute(u16),
}

/// An answer to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) route: FiveTuple,
    pub(crate) id: TransactionId,
    pub(crate) answer: Answer,
    /// Whose password it is authenticated with.
    pub(crate) generation: u32,
}

/// The answers that wait to be sent: bounded in number, refusals also in rate.
#[derive(Debug)]
pub(crate) struct Replies {
    queue: VecDeque<Reply>,
    second_ends: Option<Instant>,
    refusals: u32,
}

impl Replies {
    pub(crate) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            second_ends: None,
            refusals: 0,
        }
    }

    pub(crate) fn push(&mut self, now: Instant, reply: Reply) {
        if matches!(reply.answer, Answer::Refusal(_)) && !self.may_refuse(now) {
            return;
        }
        if self.queue.len() >= MAX_REPLIES {
            self.queue.pop_front();
        }
        self.queue.push_back(reply);
    }

    pub(crate) fn pop(&mut self) -> Option<Reply> {
        self.queue.pop_front()
    }

    /// The next answer if it goes to `route`.
    pub(crate) fn pop_for(&mut self, route: FiveTuple) -> Option<Reply> {
        let next = self.queue.front()?;
        (next.route == route).then(|| self.pop()).flatten()
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    fn may_refuse(&mut self, now: Instant) -> bool {
        if self.second_ends.is_none_or(|end| end <= now) {
            self.second_ends = Some(now + Duration::from_secs(1));
            self.refusals = 0;
        }
        self.refusals += 1;
        self.refusals <= REFUSALS_PER_SECOND
    }
}
