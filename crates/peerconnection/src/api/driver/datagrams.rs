//! What has come over UDP, and whose it is.

use std::{io, net::SocketAddr};

use super::{super::inbox::Key, Driver};
use crate::{clock, engine};

impl Driver {
    /// A socket has ended: what goes over it is lost.
    pub(super) fn lose_socket(&mut self, number: usize, error: &io::Error) {
        let Some(address) = self.sockets.remove(number) else {
            return;
        };
        tracing::warn!(%address, %error, "a socket has ended");
        for driven in self.connections.values_mut() {
            driven.lose_addresses(&[address], &mut self.turns);
        }
    }

    /// A socket has ended that one connection has asked servers from.
    pub(super) fn lose_own_socket(&mut self, key: Key, local: SocketAddr, error: &io::Error) {
        tracing::warn!(address = %local, %error, "a socket towards a server has ended");
        self.sockets.release_own(key, |other| other != local);
        if let Some(driven) = self.connections.get_mut(&key) {
            driven.lose_addresses(&[local], &mut self.turns);
        }
    }

    /// Feeds a received batch to the connections it is for; they answer in their next turn.
    pub(super) fn dispatch(&mut self, number: usize) {
        let Some(local) = self.sockets.address(number) else {
            return;
        };
        let now = clock::now();
        for (route, datagram) in self.sockets.received(local) {
            let by_tuple = |ufrag| self.demux.route(route, ufrag);
            let key = match engine::answered_transaction(datagram.bytes) {
                Some(id) => self.demux.answer(&id.0).or_else(|| by_tuple(None)),
                None => by_tuple(engine::receiver_ufrag(datagram.bytes)),
            };
            let Some(key) = key else {
                tracing::trace!(%route, "a datagram for none of the connections");
                continue;
            };
            let Some(driven) = self.connections.get_mut(&key) else {
                continue;
            };
            let mut inner = driven.shared.lock();
            if let Err(error) = inner.handle_input(now, route, datagram.bytes) {
                tracing::debug!(%route, %error, "dropped a datagram");
            }
            driven.shared.publish(&mut inner);
            drop(inner);
            driven.give_turn(&mut self.turns);
        }
    }

    /// Feeds a batch that has come to one connection's own socket to it.
    pub(super) fn dispatch_own(&mut self, key: Key, local: SocketAddr) {
        let Some(driven) = self.connections.get_mut(&key) else {
            return;
        };
        let now = clock::now();
        let mut inner = driven.shared.lock();
        for (route, datagram) in self.sockets.received(local) {
            if let Err(error) = inner.handle_input(now, route, datagram.bytes) {
                tracing::debug!(%route, %error, "dropped a datagram");
            }
        }
        driven.shared.publish(&mut inner);
        drop(inner);
        driven.give_turn(&mut self.turns);
    }
}
