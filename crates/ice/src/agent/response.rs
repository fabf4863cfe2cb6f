//! Answers to checks (RFC 8445 §7.2.5). One counts if its transaction is open, it comes from where
//! the check went, and the peer's password has signed it.

use std::{net::SocketAddr, time::Instant};

use pc_proto::FiveTuple;
use pc_stun::{MessageView, TransactionId};
use rand_chacha::rand_core::Rng;

use super::Agent;
use crate::{
    Event, Rejected, Role, candidate::same_endpoint, consent::ConsentCheck,
    transaction::Transaction,
};

impl Agent {
    pub(super) fn success(
        &mut self,
        now: Instant,
        route: FiveTuple,
        message: &MessageView<'_>,
    ) -> Result<(), Rejected> {
        let id = message.transaction_id();
        if let Some(check) = self.consent_check(id, route, message)? {
            self.consent_confirmed(now, check);
            return Ok(());
        }
        let transaction = self.transaction(id, message)?;
        let mapped = message.xor_mapped_address().ok_or(Rejected::BadRequest)?;
        if !is_symmetric(&transaction, route) {
            // RFC 8445 §7.2.5.2.1: a pair whose answers come from elsewhere is of no use.
            self.pair_failed(&transaction);
            return Ok(());
        }
        self.current.transactions.remove(id);
        self.check_succeeded(now, &transaction, mapped);
        self.push_event(Event::PathConfirmed(route));
        Ok(())
    }

    pub(super) fn error(
        &mut self,
        route: FiveTuple,
        message: &MessageView<'_>,
    ) -> Result<(), Rejected> {
        let id = message.transaction_id();
        let conflict = message.error_code().is_some_and(|error| error.code == 487);
        if let Some(check) = self.consent_check(id, route, message)? {
            // Anything but a success leaves consent to run out.
            if conflict && let Some(path) = &mut self.path {
                path.consent.close(id);
                self.give_way(check.role);
            }
            self.heard(route);
            return Ok(());
        }
        let transaction = self.transaction(id, message)?;
        if !is_symmetric(&transaction, route) {
            return Err(Rejected::UnmatchedResponse);
        }
        if conflict {
            self.current.transactions.remove(id);
            self.give_way(transaction.role);
            // RFC 8445 §7.2.5.1: the check is repeated in the new role.
            self.current.checklist.trigger(transaction.pair);
        } else {
            // RFC 8445 §7.2.5.2.4: anything else cannot be recovered from.
            self.pair_failed(&transaction);
        }
        self.authenticate(route);
        Ok(())
    }

    /// The open consent check that a message answers, if it does.
    fn consent_check(
        &self,
        id: TransactionId,
        route: FiveTuple,
        message: &MessageView<'_>,
    ) -> Result<Option<ConsentCheck>, Rejected> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let Some(check) = path.consent.open(id) else {
            return Ok(None);
        };
        if path.route != route {
            return Err(Rejected::UnmatchedResponse);
        }
        let retired = self
            .retired
            .as_ref()
            .filter(|retired| retired.number == path.generation);
        let remote = match retired {
            Some(retired) => retired.remote.as_ref(),
            None => self.current.remote.as_ref(),
        };
        verify(remote, message)?;
        Ok(Some(check))
    }

    fn consent_confirmed(&mut self, now: Instant, check: ConsentCheck) {
        let current_number = self.current.number;
        let Some(path) = &mut self.path else { return };
        path.consent.confirmed(now);
        path.consent.close(check.id);
        path.silent_since = None;
        path.disconnected = false;
        if path.generation == current_number
            && let Some(pair) = self.current.checklist.get_mut(path.pair)
            && let Some(valid) = pair.valid
        {
            let rtt = now.saturating_duration_since(check.sent_at);
            pair.confirm(now, valid.mapped, Some(rtt));
        }
    }

    /// The open check that a message answers.
    fn transaction(
        &self,
        id: TransactionId,
        message: &MessageView<'_>,
    ) -> Result<Transaction, Rejected> {
        let transaction = self
            .current
            .transactions
            .get(id)
            .ok_or(Rejected::UnmatchedResponse)?;
        verify(self.current.remote.as_ref(), message)?;
        if let Some(kind) = message.unknown_comprehension_required().next() {
            return Err(Rejected::UnknownAttribute(kind));
        }
        Ok(transaction.clone())
    }

    fn check_succeeded(&mut self, now: Instant, transaction: &Transaction, mapped: SocketAddr) {
        let current = &mut self.current;
        let Some(pair) = current.checklist.get_mut(transaction.pair) else {
            return;
        };
        pair.confirm(now, mapped, transaction.rtt(now));
        let (id, foundation, asked_for) = (pair.id, pair.foundation, pair.asked_for_at.is_some());
        current.transactions.cancel(id);
        current.checklist.thaw(foundation);
        if current.nominating != Some(id) {
            current.checklist.untrigger(id);
        }
        current.first_valid_at.get_or_insert(now);
        if let Some(path) = &mut self.path
            && path.generation == current.number
            && path.pair == id
        {
            path.consent.confirmed(now);
            path.silent_since = None;
            path.disconnected = false;
        }
        self.authenticate(transaction.route);
        match self.role {
            Role::Controlling
                if transaction.nomination.is_some() && self.current.nominating == Some(id) =>
            {
                self.select(id);
            }
            Role::Controlled if asked_for => self.follow(now, id),
            _ => {}
        }
    }

    fn pair_failed(&mut self, transaction: &Transaction) {
        self.fail_pair(transaction.pair);
    }

    /// The peer keeps the role that the check claimed, so it is not for this side (RFC 8445
    /// §7.2.5.1). A conflict that has been resolved since then changes nothing; a new tie-breaker
    /// ends the dispute of two that happen to be equal.
    fn give_way(&mut self, claimed: Role) {
        if self.role == claimed {
            self.switch_role();
            self.tie_breaker = self.rng.next_u64();
        }
    }
}

fn is_symmetric(transaction: &Transaction, route: FiveTuple) -> bool {
    let sent = transaction.route;
    sent.transport == route.transport
        && sent.local == route.local
        && same_endpoint(sent.remote, route.remote)
}

fn verify(
    remote: Option<&crate::credentials::Secret>,
    message: &MessageView<'_>,
) -> Result<(), Rejected> {
    let remote = remote.ok_or(Rejected::UnmatchedResponse)?;
    message
        .verify_integrity(&remote.key)
        .map_err(|_| Rejected::Unauthenticated)
}
