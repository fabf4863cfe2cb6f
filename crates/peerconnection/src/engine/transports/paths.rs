//! Which of several transports a datagram is for.

use std::{cmp::Reverse, collections::HashMap};

use pc_jsep::TransportId;
use pc_proto::{FiveTuple, Transport as Carrier};
use pc_stun::{Class, MessageView};

use super::super::transport::Transport;

/// The paths of several transports. Empty while there is but one.
#[derive(Default)]
pub(super) struct Paths(HashMap<FiveTuple, TransportId>);

impl Paths {
    /// While there is one transport, everything is for it.
    pub(super) fn index(&mut self, list: &[Transport]) {
        self.0.clear();
        if list.len() > 1 {
            for transport in list {
                let known = transport.ice.paths().map(|path| (path, transport.id));
                self.0.extend(known);
            }
        }
    }

    /// A check on this path was signed for this transport.
    pub(super) fn authenticated(&mut self, path: FiveTuple, id: TransportId) {
        self.0.entry(path).or_insert(id);
    }

    /// A check of this transport was answered on this path: surer than one of the peer's, which on a
    /// shared socket may have been for another transport of the bundle, before its peer was known.
    pub(super) fn confirmed(&mut self, path: FiveTuple, id: TransportId) {
        self.0.insert(path, id);
    }

    pub(super) fn forgotten(&mut self, path: FiveTuple, id: TransportId) {
        if self.0.get(&path) == Some(&id) {
            self.0.remove(&path);
        }
    }

    /// Which transport a datagram is for. Checks name it, answers carry what it made up, anything
    /// else comes on a path that it knows. The rest is for whoever has the socket, to refuse it.
    pub(super) fn receiver(
        &self,
        list: &[Transport],
        route: FiveTuple,
        datagram: &[u8],
    ) -> Option<usize> {
        if list.len() == 1 {
            return Some(0);
        }
        let by_server = || list.iter().position(|it| it.servers.has_path(route));
        // A stream to a server is of one transport, whatever a peer says on it (RFC 6062).
        if route.transport == Carrier::Tcp
            && let Some(found) = by_server()
        {
            return Some(found);
        }
        let by_stun = || {
            let message = MessageView::parse(datagram).ok()?;
            match message.class() {
                Class::Request => named(list, route, &message),
                Class::Success | Class::Error => {
                    let id = message.transaction_id();
                    let awaits = |it: &Transport| it.ice.awaits(id) || it.servers.awaits(id);
                    list.iter().position(awaits)
                }
                Class::Indication => None,
            }
        };
        let by_path = || {
            let id = self.0.get(&route)?;
            list.iter().position(|it| it.id == *id)
        };
        let found = if MessageView::is_stun(datagram) {
            by_stun()
        } else {
            by_path()
        };
        found.or_else(by_server).or_else(|| {
            let mut all = list.iter();
            all.position(|it| it.ice.has_local(route))
        })
    }
}

/// The transport that a check names. Those of a bundle that is offered have one user fragment
/// (RFC 8839 §5.4): between them it is for the one whose socket it came in on. If they share that
/// too, the peer's user fragment tells, once it is known, or else the path.
fn named(list: &[Transport], route: FiveTuple, request: &MessageView<'_>) -> Option<usize> {
    let (ours, theirs) = request.username()?.split_once(':')?;
    let all = list.iter().enumerate();
    let named = all.filter(|(_, it)| it.local_ufrags().any(|own| own == ours));
    let best = named.max_by_key(|(index, it)| {
        let remote = it.ice.remote_credentials();
        let is_theirs = remote.is_some_and(|remote| remote.ufrag == theirs);
        let is_here = it.ice.has_local(route);
        (is_here, is_theirs, it.ice.knows(route), Reverse(*index))
    });
    best.map(|(index, _)| index)
}

/// The user fragment of whom a check is for: RFC 8445 §7.2.2 puts it first.
pub(crate) fn receiver_ufrag(datagram: &[u8]) -> Option<&str> {
    if !MessageView::is_stun(datagram) {
        return None;
    }
    let message = MessageView::parse(datagram).ok()?;
    let is_request = message.class() == Class::Request;
    let username = message.username().filter(|_| is_request)?;
    Some(username.split_once(':')?.0)
}
