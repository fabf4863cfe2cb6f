//! Permissions, [RFC 8656 §9](https://www.rfc-editor.org/rfc/rfc8656#section-9).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use crate::Error;

/// "The Permission Lifetime MUST be 300 seconds" (RFC 8656 §9).
const LIFETIME: Duration = Duration::from_secs(300);

/// A minute before it ends, since a request may take 39.5 s.
const REFRESH_AFTER: Duration = Duration::from_secs(240);

/// How many addresses may have a permission: more than a peer may have candidates.
const MAX_PERMISSIONS: usize = 128;

/// A peer's address from which the server is to relay.
///
/// ```text
///    due ──asked()──► asked ──granted()──► granted ──time──► due
///                       └───failed()───► (gone)
/// ```
#[derive(Debug)]
struct Permission {
    /// Its port says nothing.
    peer: SocketAddr,
    /// A request is open.
    asked: bool,
    granted_until: Option<Instant>,
    /// When the next request is due; `None` means at once.
    due_at: Option<Instant>,
}

/// The permissions of an allocation, those that are asked for among them.
#[derive(Debug, Default)]
pub(super) struct Permissions(Vec<Permission>);

impl Permissions {
    /// Asks for one, unless it is there.
    pub(super) fn add(&mut self, peer: SocketAddr) -> Result<(), Error> {
        if self.get(peer.ip()).is_some() {
            return Ok(());
        }
        if self.0.len() >= MAX_PERMISSIONS {
            return Err(Error::TooManyPeers);
        }
        self.0.push(Permission {
            peer,
            asked: false,
            granted_until: None,
            due_at: None,
        });
        Ok(())
    }

    /// No longer asks for one; says whether it was there.
    pub(super) fn remove(&mut self, ip: IpAddr) -> bool {
        let before = self.0.len();
        self.0.retain(|permission| permission.peer.ip() != ip);
        self.0.len() < before
    }

    /// All of them, those that are asked for among them.
    pub(super) fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|permission| permission.peer)
    }

    /// Whether one is asked for, or there.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.get(ip).is_some()
    }

    /// Whether the server relays to and from this address.
    pub(super) fn allows(&self, ip: IpAddr) -> bool {
        self.get(ip)
            .is_some_and(|permission| permission.granted_until.is_some())
    }

    /// A peer for whose address a request is due; it counts as asked.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<SocketAddr> {
        let due = |permission: &&mut Permission| {
            !permission.asked && permission.due_at.is_none_or(|at| at <= now)
        };
        let permission = self.0.iter_mut().find(due)?;
        permission.asked = true;
        Some(permission.peer)
    }

    /// The server has answered; says whether the address had no permission before. ChannelBind
    /// grants one too (RFC 8656 §12.2).
    pub(super) fn granted(&mut self, now: Instant, ip: IpAddr) -> bool {
        let Some(permission) = self.get_mut(ip) else {
            return false;
        };
        permission.asked = false;
        permission.due_at = now.checked_add(REFRESH_AFTER);
        let until = now.checked_add(LIFETIME);
        std::mem::replace(&mut permission.granted_until, until).is_none()
    }

    /// A refresh has failed: whether the permission lasts long enough for another one.
    pub(super) fn retry(&mut self, at: Instant, ip: IpAddr) -> bool {
        match self.get_mut(ip) {
            Some(permission) if permission.granted_until.is_some_and(|until| at < until) => {
                (permission.asked, permission.due_at) = (false, Some(at));
                true
            }
            _ => false,
        }
    }

    /// Ends those that have not been refreshed in time; their requests are still open.
    pub(super) fn lapse(&mut self, now: Instant) {
        for permission in &mut self.0 {
            permission.granted_until = permission.granted_until.filter(|until| *until > now);
        }
    }

    /// All are to be asked for again: what was asked on another path is lost.
    pub(super) fn ask_again(&mut self) {
        for permission in &mut self.0 {
            (permission.asked, permission.due_at) = (false, None);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// When a request is due or a permission ends.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let of = |permission: &Permission| {
            let due_at = permission.due_at.filter(|_| !permission.asked);
            due_at.into_iter().chain(permission.granted_until).min()
        };
        self.0.iter().filter_map(of).min()
    }

    fn get(&self, ip: IpAddr) -> Option<&Permission> {
        self.0.iter().find(|permission| permission.peer.ip() == ip)
    }

    fn get_mut(&mut self, ip: IpAddr) -> Option<&mut Permission> {
        let of = |permission: &&mut Permission| permission.peer.ip() == ip;
        self.0.iter_mut().find(of)
    }
}
