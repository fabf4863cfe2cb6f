//! The candidate pool: servers asked before there is a transport
//! ([RFC 9429 §3.5.4](https://www.rfc-editor.org/rfc/rfc9429#section-3.5.4)).

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use pc_proto::{FiveTuple, TransmitBuf};

use super::servers::{Asked, Servers};

/// Names a set of sockets in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoolId(u32);

/// The sets of sockets from which servers are asked ahead.
///
/// ```text
///            ┌── discard (other servers, another policy, another size) ──► leaving
///   ready ───┤
///            └── take (a transport gathers with these sockets) ──► the transport's
/// ```
#[derive(Default)]
pub(super) struct Pool {
    size: usize,
    /// A description was set: what is there is used, and nothing comes any more.
    is_frozen: bool,
    ready: VecDeque<Ahead>,
    /// Those that owe their servers what they have allocated.
    leaving: VecDeque<Ahead>,
    number: u32,
}

/// One set.
struct Ahead {
    id: PoolId,
    sockets: Vec<SocketAddr>,
    servers: Servers,
}

impl Pool {
    /// How many sets there are to be; those that are too many leave. Means nothing once a description
    /// was set.
    pub(super) fn set_size(&mut self, size: usize) {
        if !self.is_frozen {
            self.size = size;
            while self.ready.len() > size {
                self.leaving.extend(self.ready.pop_back());
            }
        }
    }

    /// How many sets are still wanted.
    pub(super) fn lacks(&self) -> usize {
        let wanted = self.size.saturating_sub(self.ready.len());
        if self.is_frozen { 0 } else { wanted }
    }

    /// Begins to gather from these sockets. What is found waits for the transport.
    pub(super) fn add(
        &mut self,
        now: Instant,
        sockets: &[SocketAddr],
        mut servers: Servers,
        asked: Asked<'_>,
    ) -> PoolId {
        self.number += 1;
        let id = PoolId(self.number);
        servers.gather(now, asked, sockets);
        let sockets = sockets.to_vec();
        self.ready.push_back(Ahead {
            id,
            sockets,
            servers,
        });
        id
    }

    /// The set that has been there for longest.
    pub(super) fn next(&self) -> Option<PoolId> {
        self.ready.front().map(|ahead| ahead.id)
    }

    /// A description was set: others are not asked any more for what is there.
    pub(super) fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Gives away what was asked from these sockets.
    pub(super) fn take(&mut self, sockets: &[SocketAddr]) -> Option<Servers> {
        let is_one = |it: &Ahead| it.sockets.iter().any(|own| sockets.contains(own));
        let at = self.ready.iter().position(is_one)?;
        Some(self.ready.remove(at)?.servers)
    }

    /// Others are to be asked, or otherwise (RFC 9429 §4.1.18).
    pub(super) fn discard(&mut self) {
        if !self.is_frozen {
            self.leaving.extend(self.ready.drain(..));
        }
    }

    /// The first exchange is over, or the connection is.
    pub(super) fn end(&mut self) {
        self.freeze();
        self.leaving.extend(self.ready.drain(..));
    }

    /// Whether these sockets are of use to the pool.
    pub(super) fn needs(&self, id: PoolId) -> bool {
        let mut all = self.ready.iter().chain(&self.leaving);
        all.any(|it| it.id == id)
    }

    /// A socket has come for a set.
    pub(super) fn add_address(&mut self, now: Instant, id: PoolId, address: SocketAddr) {
        if let Some(ahead) = self.ready.iter_mut().find(|it| it.id == id) {
            ahead.sockets.push(address);
            ahead.servers.add_base(now, address);
        }
    }

    pub(super) fn remove_address(&mut self, now: Instant, address: SocketAddr) {
        for ahead in self.ready.iter_mut().chain(&mut self.leaving) {
            ahead.sockets.retain(|own| *own != address);
            ahead.servers.socket_lost(now, address);
        }
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = &Servers> {
        let all = self.ready.iter().chain(&self.leaving);
        all.map(|it| &it.servers)
    }

    pub(super) fn servers_mut(&mut self) -> impl Iterator<Item = &mut Servers> {
        let all = self.ready.iter_mut().chain(&mut self.leaving);
        all.map(|it| &mut it.servers)
    }

    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        while let Some(leaving) = self.leaving.front_mut() {
            leaving.servers.close(now);
            let path = leaving.servers.poll_transmit(now, out);
            if path.is_some() {
                return path;
            }
            self.leaving.pop_front();
        }
        let mut ready = self.ready.iter_mut();
        ready.find_map(|it| it.servers.poll_transmit(now, out))
    }
}
