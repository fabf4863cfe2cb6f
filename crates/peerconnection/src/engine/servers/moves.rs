//! Sockets that go, and allocations that move to others (RFC 8016).

use std::{net::SocketAddr, time::Instant};

use pc_proto::{FiveTuple, Transport as Carrier};

use super::{Servers, client::Client, reach};

impl Servers {
    /// A socket of ours is gone, and with it the streams from its address. What was there only is asked
    /// for from the others.
    pub(in super::super) fn socket_lost(&mut self, now: Instant, base: SocketAddr) {
        self.bases.retain(|known| *known != base);
        self.tcp.address_lost(now, base);
        for index in 0..self.clients.len() {
            let Some(client) = self.clients.get(index) else {
                continue;
            };
            let path = client.path();
            let is_datagrams = path.transport == Carrier::Udp;
            let is_lost = if is_datagrams {
                path.local == base
            } else {
                path.local.ip() == base.ip()
            };
            let can_move = is_datagrams && !client.has_own_socket;
            let other = can_move.then(|| self.other_base(path)).flatten();
            if let Some(client) = self.clients.get_mut(index).filter(|_| is_lost) {
                client.socket_lost(now, other, can_move && self.bases.is_empty());
            }
        }
        self.follow(now);
        self.restart_attempts();
        self.ask_where_missing();
    }

    /// Where a client can move to: a socket from which its server is not asked, for one path has room
    /// for one allocation (RFC 8656 §7.2).
    fn other_base(&self, path: FiveTuple) -> Option<SocketAddr> {
        let is_free = |base: &&SocketAddr| {
            let path = FiveTuple::udp(**base, path.remote);
            reach::reaches(**base, path.remote) && !self.has_path(path)
        };
        self.bases.iter().find(is_free).copied()
    }

    /// Allocations that have lost their socket move to those that there are, the one in use first.
    pub(super) fn resume(&mut self, now: Instant) {
        let in_use = self.channel.map(|route| route.local);
        let is_in_use = |it: &Client| in_use.is_some_and(|local| it.relayed.contains(&local));
        let clients = self.clients.iter().enumerate();
        let stranded = clients.filter(|(_, it)| it.is_stranded && !it.is_ended());
        let mut stranded: Vec<_> = stranded.map(|(at, it)| (!is_in_use(it), at)).collect();
        stranded.sort_unstable();
        for (_, at) in stranded {
            let path = self.clients.get(at).map(Client::path);
            let other = path.and_then(|path| self.other_base(path));
            if let (Some(client), Some(other)) = (self.clients.get_mut(at), other) {
                client.move_to(now, other);
            }
        }
    }

    /// Whether the relay of this address has to be on its way to another socket, or waits for one.
    pub(in super::super) fn is_unsettled(&self, relayed: SocketAddr) -> bool {
        let mut unsettled = self
            .clients
            .iter()
            .filter(|it| it.is_stranded || it.is_moving);
        unsettled.any(|it| it.relayed.contains(&relayed))
    }

    /// Whether there is nothing but relays that wait for a socket.
    pub(in super::super) fn are_stranded(&self) -> bool {
        self.bases.is_empty() && self.clients.iter().any(|it| it.is_stranded)
    }
}
