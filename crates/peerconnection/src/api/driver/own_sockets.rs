//! Sockets that one connection alone asks servers from, beside those that all share.
//!
//! There may be one or more for each of thousands of connections, so only those that have received
//! something are looked at, and what comes leads to its connection without a look at what it is.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
};

use pc_net::{RecvBatch, UdpSocket};

use super::super::{
    bells::{Bell, Bells},
    endpoint::bind_one,
    inbox::Key,
};
use crate::engine::AskerId;

#[derive(Default)]
pub(super) struct OwnSockets {
    open: HashMap<SocketAddr, Own>,
    by_key: HashMap<Key, Vec<SocketAddr>>,
    bells: Bells<SocketAddr>,
}

/// A socket, and whose it is.
struct Own {
    socket: UdpSocket,
    key: Key,
    asker: AskerId,
    bell: Arc<Bell<SocketAddr>>,
}

impl OwnSockets {
    /// The socket of this asker of a connection at this address of the machine, on a free port;
    /// `None` where none can be had.
    pub(super) fn bind(&mut self, key: Key, asker: AskerId, ip: IpAddr) -> Option<SocketAddr> {
        let own = self.by_key.get(&key).into_iter().flatten();
        let is_there = |local: &&SocketAddr| {
            let own = self.open.get(local);
            local.ip() == ip && own.is_some_and(|own| own.asker == asker)
        };
        if let Some(there) = own.copied().find(|local| is_there(&local)) {
            return Some(there);
        }
        let socket = bind_one(ip)?;
        let local = socket.local_addr();
        let own = Own {
            socket,
            key,
            asker,
            bell: self.bells.rung(local),
        };
        self.open.insert(local, own);
        self.by_key.entry(key).or_default().push(local);
        Some(local)
    }

    pub(super) fn get(&self, local: SocketAddr) -> Option<&UdpSocket> {
        self.open.get(&local).map(|own| &own.socket)
    }

    /// Receives from the next one that has something, of this connection, or that has ended.
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut RecvBatch,
    ) -> Poll<(Key, SocketAddr, io::Result<()>)> {
        // Who has none does not even look.
        while !self.open.is_empty() {
            let Poll::Ready(local) = self.bells.poll(cx) else {
                break;
            };
            let Some(own) = self.open.get(&local) else {
                continue;
            };
            let waker = own.bell.waker();
            let cx = &mut Context::from_waker(&waker);
            if let Poll::Ready(result) = own.socket.poll_recv(cx, received) {
                // There may be more.
                own.bell.ring();
                return Poll::Ready((own.key, local, result.map(|_| ())));
            }
        }
        Poll::Pending
    }

    /// Closes those of a connection that it has no use for.
    pub(super) fn release(&mut self, key: Key, is_needed: impl Fn(SocketAddr) -> bool) {
        let Some(own) = self.by_key.get_mut(&key) else {
            return;
        };
        let open = &mut self.open;
        own.retain(|local| {
            let stays = is_needed(*local);
            if !stays {
                open.remove(local);
            }
            stays
        });
        if own.is_empty() {
            self.by_key.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests;
