//! The answers to a client's requests (RFC 8489 §6.3.3–6.3.4, §9.2.5; RFC 8656).

use std::time::Instant;

use pc_stun::{Attribute, AttributeType, Class, ErrorCode, MessageView};

use super::{
    Allocation, ConnectionId, Event,
    client::{Client, RETRY, State},
    transactions::Purpose,
    verdict::Verdict,
};
use crate::{ErrorResponse, Rejected, ServerError};

/// How often a request is made anew because of 401 or 438 before the client gives up.
pub(super) const MAX_CHALLENGES: u8 = 4;

impl Client {
    pub(super) fn response(
        &mut self,
        now: Instant,
        message: &MessageView<'_>,
    ) -> Result<(), Rejected> {
        let id = message.transaction_id();
        let open = self.transactions.get_mut(id);
        let open = open.filter(|open| open.purpose.method() == message.method());
        let open = open.ok_or(Rejected::UnmatchedResponse)?;
        let purpose = open.purpose;
        let verdict = Verdict::on(message, open.proof.as_ref());
        if let Verdict::Refused(error) | Verdict::Unsigned(Some(error)) = &verdict
            && self.asks_for_less(message, error.code)
        {
            return Ok(());
        }
        let is_success = message.class() == Class::Success;
        let result = match verdict {
            Verdict::Challenge(error) => {
                self.challenged(now, message, error);
                return Ok(());
            }
            Verdict::Discarded => return Err(Rejected::Unauthenticated),
            Verdict::Unsigned(claimed) if !self.config.transport.is_stream() => {
                // Another answer may come; this one is remembered for when none does.
                if let Some(open) = self.transactions.get_mut(id) {
                    open.violated = Some(claimed);
                }
                return Err(Rejected::Unauthenticated);
            }
            // In a stream no other one will come.
            Verdict::Unsigned(claimed) => Err(ServerError::Integrity(claimed)),
            Verdict::Useless(error) if is_success && purpose == Purpose::Allocate => {
                // It has allocated something all the same (RFC 8656 §7.3).
                let closing = matches!(self.state, State::Allocating { closing: true });
                self.release(if closing {
                    Event::Released
                } else {
                    Event::Failed(error)
                });
                return Ok(());
            }
            Verdict::Useless(error) => Err(error),
            Verdict::Refused(error) if error.code == 300 && purpose == Purpose::Allocate => {
                self.redirected(now, message)
            }
            Verdict::Refused(error) => Err(ServerError::Refused(error)),
            Verdict::Success => self.success(now, purpose, message),
        };
        self.transactions.remove(id);
        if let Err(error) = result {
            self.failed(now, purpose, error);
        }
        Ok(())
    }

    /// 401 and 438 (RFC 8489 §9.2.5).
    fn challenged(&mut self, now: Instant, message: &MessageView<'_>, error: ErrorResponse) {
        let Some(open) = self.transactions.remove(message.transaction_id()) else {
            return;
        };
        if matches!(self.state, State::Allocating { closing: true }) {
            return self.end(Event::Released);
        }
        let signed = open.proof.is_some();
        let result = if open.challenges >= MAX_CHALLENGES {
            Err(ServerError::TooManyChallenges)
        } else {
            self.auth.challenged(message, error, signed)
        };
        match result {
            Ok(()) => self.begin(open.purpose, open.challenges + 1),
            Err(error) => self.failed(now, open.purpose, error),
        }
    }

    /// The server may allocate if less is asked for. Whether it has signed its refusal does not
    /// matter: who forges one gains no more than by a forged challenge.
    fn asks_for_less(&mut self, message: &MessageView<'_>, code: u16) -> bool {
        let id = message.transaction_id();
        let mut lessens = matches!(self.state, State::Allocating { closing: false });
        lessens = lessens && self.wishes.lessen(code, message);
        if lessens {
            let refused = self.transactions.remove(id);
            let challenges = refused.map_or(0, |refused| refused.challenges);
            self.begin(Purpose::Allocate, challenges);
        }
        lessens
    }

    fn redirected(&mut self, now: Instant, message: &MessageView<'_>) -> Result<(), ServerError> {
        let redirects = &self.config.redirects;
        let alternate = redirects.follow(now, self.config.path.remote, message)?;
        let closing = matches!(self.state, State::Allocating { closing: true });
        self.end(if closing {
            Event::Released
        } else {
            Event::Redirected(alternate)
        });
        Ok(())
    }

    fn success(
        &mut self,
        now: Instant,
        purpose: Purpose,
        message: &MessageView<'_>,
    ) -> Result<(), ServerError> {
        match purpose {
            Purpose::Allocate => self.allocated(now, message),
            Purpose::Refresh | Purpose::Move => self.refreshed(now, purpose, message),
            Purpose::Release => self.released(),
            Purpose::Permit(peer) => {
                if self.permissions.granted(now, peer.ip()) {
                    self.tell(Event::Permitted(peer.ip()));
                }
            }
            Purpose::Bind(number, peer) => {
                // RFC 8656 §12.2: a channel grants the permission too.
                if self.permissions.granted(now, peer.ip()) {
                    self.tell(Event::Permitted(peer.ip()));
                }
                if self.channels.bound(now, number) {
                    self.tell(Event::ChannelBound(peer));
                }
            }
            Purpose::Connect(peer) => match message.attribute(AttributeType::CONNECTION_ID) {
                Some(Attribute::ConnectionId(id)) => {
                    self.tell(Event::Connected(peer, ConnectionId(id)));
                }
                _ => return Err(ServerError::BadResponse("CONNECTION-ID")),
            },
        }
        Ok(())
    }

    fn allocated(&mut self, now: Instant, message: &MessageView<'_>) {
        let closing = matches!(self.state, State::Allocating { closing: true });
        match Allocation::of(now, message, self.config.families) {
            // What is not wanted is given back (RFC 8656 §7.3).
            _ if closing => self.release(Event::Released),
            Err(error) => self.release(Event::Failed(error)),
            Ok(allocation) => {
                self.state = State::Allocated(Box::new(allocation));
                self.tell(Event::Allocated);
            }
        }
    }

    fn refreshed(&mut self, now: Instant, purpose: Purpose, message: &MessageView<'_>) {
        let State::Allocated(allocation) = &mut self.state else {
            return;
        };
        if !allocation.refreshed(now, message) {
            return self.end(Event::Failed(ServerError::AllocationLost));
        }
        if purpose == Purpose::Move {
            self.tell(Event::Moved);
        }
    }

    fn released(&mut self) {
        if let State::Releasing(event) = &self.state {
            let event = event.clone();
            self.end(event);
        }
    }

    /// A request has come to nothing.
    pub(super) fn failed(&mut self, now: Instant, purpose: Purpose, error: ServerError) {
        match (purpose, &mut self.state) {
            (Purpose::Allocate, State::Allocating { closing: true }) => self.end(Event::Released),
            (Purpose::Release, _) => self.released(),
            (Purpose::Refresh, State::Allocated(allocation)) if may_pass(&error) => {
                allocation.refresh_at = now + RETRY;
            }
            (Purpose::Allocate | Purpose::Refresh | Purpose::Move, _) => {
                self.end(Event::Failed(error));
            }
            // The server says that there is no allocation.
            _ if is_mismatch(&error) => self.end(Event::Failed(error)),
            (Purpose::Permit(peer), _) => {
                if may_pass(&error) && self.permissions.retry(now + RETRY, peer.ip()) {
                    return;
                }
                self.channels.retire_all(now, peer.ip());
                if self.permissions.remove(peer.ip()) {
                    self.tell(Event::NotPermitted(peer.ip(), error));
                }
            }
            (Purpose::Bind(_, peer), _) => {
                if may_pass(&error) && self.channels.retry(now + RETRY, peer) {
                    return;
                }
                if self.channels.retire(now, peer) {
                    self.tell(Event::ChannelRefused(peer, error));
                }
            }
            (Purpose::Connect(peer), _) => self.tell(Event::NotConnected(peer, error)),
        }
    }
}

/// Whether the same request may succeed a little later (RFC 8489 §6.3.4 for 5xx).
fn may_pass(error: &ServerError) -> bool {
    match error {
        ServerError::Timeout | ServerError::Integrity(_) => true,
        ServerError::Refused(error) => (500..600).contains(&error.code),
        _ => false,
    }
}

/// RFC 8656 §19: 437, the request is for an allocation that is not there.
fn is_mismatch(error: &ServerError) -> bool {
    let mismatch = ErrorCode::ALLOCATION_MISMATCH.code;
    matches!(error, ServerError::Refused(error) if error.code == mismatch)
}
