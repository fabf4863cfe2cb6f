//! The way in: which datagrams are STUN, which are for the layers above, which are neither.

use std::time::Instant;

use pc_proto::FiveTuple;
use pc_stun::{Class, IntegrityError, MessageView, Method};

use super::Agent;
use crate::Rejected;

impl Agent {
    pub(super) fn receive<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<&'d mut [u8]>, Rejected> {
        if self.is_closed() {
            return Err(Rejected::Closed);
        }
        if !MessageView::is_stun(datagram) {
            return self.pass_up(now, route).map(|()| Some(datagram));
        }
        if self.locals.of(route).is_none() {
            return Err(Rejected::UnknownLocalAddress);
        }
        let message = MessageView::parse(datagram)?;
        // One that is missing is no loss: what counts is proven by MESSAGE-INTEGRITY.
        if message.verify_fingerprint() == Err(IntegrityError::Mismatch) {
            return Err(Rejected::Fingerprint);
        }
        if message.method() != Method::BINDING {
            return Err(Rejected::UnexpectedMethod);
        }
        // Time that has passed comes before what has arrived since.
        self.advance(now);
        match message.class() {
            Class::Request => self.request(now, route, &message)?,
            Class::Success => self.success(now, route, &message)?,
            Class::Error => self.error(route, &message)?,
            // A keepalive (RFC 8445 §11): says nothing that is proven, and wants no answer.
            Class::Indication => {}
        }
        self.settle(now);
        Ok(None)
    }

    /// Data is passed up only from where the peer has proven itself.
    fn pass_up(&mut self, now: Instant, route: FiveTuple) -> Result<(), Rejected> {
        let is_unchecked = self.is_unchecked();
        match &mut self.path {
            Some(path) if path.route == route && is_unchecked => {
                path.consent.confirmed(now);
                path.silent_since = None;
                path.disconnected = false;
            }
            Some(path) if path.route == route => path.consent.heard(),
            _ if self.paths.contains(route) => {}
            _ => return Err(Rejected::UnknownPath),
        }
        Ok(())
    }

    /// An authenticated request came on this path.
    pub(super) fn heard(&mut self, route: FiveTuple) {
        if let Some(path) = self.path.as_mut().filter(|path| path.route == route) {
            path.consent.heard();
        }
    }
}
