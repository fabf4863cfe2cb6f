//! The way out: answers, retransmissions, new checks, consent checks, in this order.

use std::time::Instant;

use pc_proto::{FiveTuple, TransmitBuf};
use pc_stun::{
    Attribute, AttributeType, Class, ErrorCode, IntegrityKey, MessageBuilder, Method,
    TransactionId, UnknownAttributes,
};
use rand_chacha::rand_core::Rng;

use super::{Agent, connections::Readiness};
use crate::{
    Network, Role,
    consent::ConsentCheck,
    nomination::Nomination,
    pair::{PairId, PairState},
    reply::{Answer, Reply},
    transaction::Transaction,
};

/// Room for the longest message: a check with a USERNAME of 508 bytes has 596.
const MAX_MESSAGE: usize = 640;

impl Agent {
    pub(super) fn transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        if self.is_closed() || out.is_full() {
            return None;
        }
        self.advance(now);
        while let Some(reply) = self.replies.pop() {
            if self.write_reply(reply, out) {
                return Some(self.transmit_more_replies(reply.route, out));
            }
        }
        while let Some(open) = self.current.transactions.take_due(now, &self.timing) {
            let open = open.clone();
            if self.write_check(&open, out) {
                return Some(open.route);
            }
        }
        while let Some(begun) = self.begin_check(now) {
            if self.write_check(&begun, out) {
                return Some(begun.route);
            }
        }
        self.transmit_consent_check(now, out)
    }

    fn transmit_more_replies(&mut self, route: FiveTuple, out: &mut TransmitBuf<'_>) -> FiveTuple {
        while !out.is_full()
            && let Some(reply) = self.replies.pop_for(route)
        {
            self.write_reply(reply, out);
        }
        route
    }

    /// Begins the next check if it is its turn.
    fn begin_check(&mut self, now: Instant) -> Option<Transaction> {
        if !self.pacing.is_open() || self.current.remote.is_none() {
            return None;
        }
        let id = self.next_ready(now)?;
        self.pacing.take(now);
        let begun = self.begin_transaction(now, id)?;
        self.current.transactions.push(begun.clone());
        Some(begun)
    }

    /// The next pair to check, unless it is to be connected first, which takes the turn too.
    fn next_ready(&mut self, now: Instant) -> Option<PairId> {
        loop {
            let id = self.current.checklist.next_check()?;
            match self.prepare_check(now, id) {
                Readiness::Ready => return Some(id),
                Readiness::Dialing => {
                    self.pacing.take(now);
                    return None;
                }
                Readiness::Dialed => {}
                Readiness::Hopeless => {
                    self.fail_pair(id);
                    self.settle(now);
                }
            }
        }
    }

    fn begin_transaction(&mut self, now: Instant, id: PairId) -> Option<Transaction> {
        let transaction = self.random_id();
        let nominates = self.role == Role::Controlling && self.current.nominating == Some(id);
        let nomination = nominates.then(|| self.nomination());
        let current = &mut self.current;
        let rto = self.timing.rto(current.checklist.busy());
        let pair = current.checklist.get_mut(id)?;
        if pair.state != PairState::Succeeded {
            pair.state = PairState::InProgress;
        }
        pair.counters.requests_sent += 1;
        let priority = self.locals.of(pair.route)?.reflexive_priority();
        Some(Transaction::begin(
            now,
            transaction,
            (id, pair.route),
            (self.role, nomination, priority),
            rto,
        ))
    }

    fn transmit_consent_check(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        if !self.path.as_ref()?.consent.is_due() {
            return None;
        }
        let (id, role) = (self.random_id(), self.role);
        let path = self.path.as_mut()?;
        let check = ConsentCheck {
            id,
            role,
            sent_at: now,
        };
        path.consent.sent(now, check, &self.timing, &mut self.rng);
        let (route, priority, generation) = (path.route, path.priority, path.generation);
        let pair = path.pair;
        if generation == self.current.number
            && let Some(pair) = self.current.checklist.get_mut(pair)
        {
            pair.counters.consent_requests_sent += 1;
        }
        // Repeating the nomination, as libwebrtc does, tells a peer that sees this side at a new
        // address that the path is still the one to use. Not while another pair is nominated: the
        // peer may have followed that already.
        let stays = self.current.nominating.is_none();
        let nominates = role == Role::Controlling && self.is_nominated() && stays;
        let nomination = nominates.then(|| self.nomination());
        let (username, key) = self.sender_of(generation)?;
        let request = Request {
            id,
            username,
            priority,
            role,
            nomination,
            network: self.network_of(route),
        };
        out.datagram_up_to(MAX_MESSAGE, |bytes| {
            request.write(self.tie_breaker, key, bytes)
        })
        .then_some(route)
    }

    fn write_check(&self, check: &Transaction, out: &mut TransmitBuf<'_>) -> bool {
        let Some((username, key)) = self.sender_of(self.current.number) else {
            return false;
        };
        let request = Request {
            id: check.id,
            username,
            priority: check.priority,
            role: check.role,
            nomination: check.nomination,
            network: self.network_of(check.route),
        };
        out.datagram_up_to(MAX_MESSAGE, |bytes| {
            request.write(self.tie_breaker, key, bytes)
        })
    }

    /// USERNAME and key for requests in a generation.
    fn sender_of(&self, generation: u32) -> Option<(&str, &IntegrityKey)> {
        let (username, remote) = match &self.retired {
            Some(retired) if retired.number == generation => (&retired.username, &retired.remote),
            _ => (&self.current.username, &self.current.remote),
        };
        Some((username, &remote.as_ref()?.key))
    }

    fn write_reply(&self, reply: Reply, out: &mut TransmitBuf<'_>) -> bool {
        let key = match &self.retired {
            Some(retired) if retired.number == reply.generation => &retired.local.key,
            _ => &self.current.local.key,
        };
        out.datagram_up_to(MAX_MESSAGE, |bytes| write_answer(reply, key, bytes))
    }

    fn random_id(&mut self) -> TransactionId {
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }
}

/// A connectivity or consent check (RFC 8445 §7.2.2, RFC 7675 §5.1).
struct Request<'a> {
    id: TransactionId,
    username: &'a str,
    priority: u32,
    role: Role,
    nomination: Option<Nomination>,
    network: Network,
}

impl Request<'_> {
    fn write(&self, tie_breaker: u64, key: &IntegrityKey, bytes: &mut [u8]) -> Option<usize> {
        let mut message = MessageBuilder::new(bytes, Class::Request, Method::BINDING, self.id);
        message
            .attribute(Attribute::Username(self.username))
            .attribute(Attribute::Priority(self.priority))
            .attribute(match self.role {
                Role::Controlling => Attribute::IceControlling(tie_breaker),
                Role::Controlled => Attribute::IceControlled(tie_breaker),
            });
        match self.nomination {
            Some(Nomination::UseCandidate) => {
                message.attribute(Attribute::UseCandidate);
            }
            Some(Nomination::Numbered(number)) => {
                message.attribute(Attribute::Nomination(number));
            }
            None => {}
        }
        // Of comprehension-optional type; the peer may not know us by any candidate that says it.
        if self.network.is_known() {
            message.attribute(Attribute::GoogNetworkInfo {
                id: self.network.id,
                cost: self.network.cost.value(),
            });
        }
        message.integrity(key).fingerprint().finish().ok()
    }
}

fn write_answer(reply: Reply, key: &IntegrityKey, bytes: &mut [u8]) -> Option<usize> {
    let class = match reply.answer {
        Answer::Success => Class::Success,
        _ => Class::Error,
    };
    let mut message = MessageBuilder::new(bytes, class, Method::BINDING, reply.id);
    match reply.answer {
        Answer::Success => {
            message.attribute(Attribute::XorMappedAddress(reply.route.remote));
        }
        Answer::Refusal(code) | Answer::Error(code) => {
            message.attribute(Attribute::ErrorCode(error_code(code)));
        }
        Answer::UnknownAttribute(kind) => {
            let kinds = [AttributeType(kind)];
            message
                .attribute(Attribute::ErrorCode(error_code(420)))
                .attribute(Attribute::UnknownAttributes(UnknownAttributes::new(&kinds)));
        }
    }
    // RFC 8489 §9.1.3: who has not proven anything gets an answer that proves nothing.
    if !matches!(reply.answer, Answer::Refusal(_)) {
        message.integrity(key);
    }
    message.fingerprint().finish().ok()
}

/// The code with the reason phrase of RFC 8489 §14.8 and RFC 8445 §16.1.
fn error_code(code: u16) -> ErrorCode<'static> {
    let reason = match code {
        400 => "Bad Request",
        401 => "Unauthenticated",
        420 => "Unknown Attribute",
        _ => "Role Conflict",
    };
    ErrorCode { code, reason }
}
