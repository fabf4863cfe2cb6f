//! What goes through TURN servers to peers.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use pc_ice as ice;
use pc_proto::{FiveTuple, Protocol, TransmitBuf, Transport as Carrier};

use super::{Servers, client::Client};

/// Checks that wait for a permission: one for every pair that is checked within the round trip that
/// a permission takes, and then some.
const MAX_HELD: usize = 64;

/// A check that left before the server has permitted its peer.
pub(super) struct Held {
    relayed: SocketAddr,
    pub(super) peer: SocketAddr,
    datagram: Vec<u8>,
    is_permitted: bool,
}

impl Servers {
    fn relay(&mut self, relayed: SocketAddr) -> Option<&mut Client> {
        let mut clients = self.clients.iter_mut();
        clients.find(|it| it.relayed.contains(&relayed))
    }

    /// Whether this is an address of a relay.
    pub(in super::super) fn is_relayed(&self, address: SocketAddr) -> bool {
        self.clients.iter().any(|it| it.relayed.contains(&address))
    }

    /// Whether anything may go through a relay.
    pub(in super::super) fn has_relays(&self) -> bool {
        self.clients.iter().any(|it| !it.relayed.is_empty()) || self.tcp.are_asked()
    }

    /// Lets the peer's candidates through the relays, and binds a channel for the pair in use.
    pub(in super::super) fn serve(&mut self, now: Instant, agent: &ice::Agent) {
        self.tcp.serve(now, agent);
        if !self.has_relays() || self.closing {
            return;
        }
        let relays = self.clients.iter().filter(|it| !it.relayed.is_empty());
        let ufrag = agent.remote_credentials().map_or("", |it| &it.ufrag);
        let known = (agent.remote_candidates().count(), relays.count(), ufrag);
        let (candidates, served, of) = &self.permitted;
        if (*candidates, *served, of.as_str()) != known {
            self.permitted = (known.0, known.1, ufrag.to_owned());
            for client in &mut self.clients {
                let peers: Vec<SocketAddr> =
                    agent.remote_candidates().map(|it| it.address).collect();
                let relayed = client.relayed.clone();
                let Some(turn) = client.turn() else { continue };
                let fits =
                    |peer: &SocketAddr| relayed.iter().any(|it| it.is_ipv4() == peer.is_ipv4());
                for peer in peers.into_iter().filter(fits) {
                    // One too many, or one that nothing can be sent to: its checks fail.
                    let _ = turn.permit(now, peer);
                }
            }
            self.follow(now);
        }
        let route = agent.route();
        if std::mem::replace(&mut self.channel, route) != route
            && let Some(route) = route.filter(|it| it.transport == Carrier::Udp)
            && let Some(turn) = self.relay(route.local).and_then(Client::turn)
        {
            // Without one, indications serve.
            let _ = turn.bind_channel(now, route.remote);
        }
    }

    /// Has the agent write, and takes what is for a relay there. `None`: it has nothing to say.
    pub(in super::super) fn carry(
        &mut self,
        now: Instant,
        agent: &mut ice::Agent,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        if !self.has_relays() {
            return agent.poll_transmit(now, out);
        }
        // Checks are few and small: they are copied, since whom they are for is known only then.
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut sent = None;
        while sent.is_none() {
            let room = (out.payload_mtu(), 1);
            let mut buf = scratch.transmit_buf(room.0, room.1);
            let Some(route) = agent.poll_transmit(now, &mut buf) else {
                break;
            };
            let is_udp = route.transport == Carrier::Udp;
            sent = if is_udp && self.relay(route.local).is_some() {
                self.relay_checks(now, route, scratch.datagrams(), out)
            } else {
                for datagram in scratch.datagrams() {
                    out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
                }
                Some(self.tcp.path_of(route).unwrap_or(route))
            };
        }
        self.scratch = scratch;
        if sent.is_none() {
            // Checks that wait for connections.
            self.tcp.connect(now, agent);
            sent = self.tcp.poll_transmit(now, out);
        }
        sent
    }

    fn relay_checks<'a>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagrams: impl Iterator<Item = &'a [u8]>,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        let mut path = None;
        for datagram in datagrams {
            let client = self.relay(route.local)?;
            let server = client.path();
            let write = |inner: &mut TransmitBuf<'_>| {
                inner.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
            };
            if client.is_stranded {
                continue;
            }
            let turn = client.turn()?;
            if turn.wrap(out, route.remote, write).is_ok() {
                path = Some(server);
            } else if turn.permit(now, route.remote).is_ok() && self.held.len() < MAX_HELD {
                self.held.push_back(Held {
                    relayed: route.local,
                    peer: route.remote,
                    datagram: datagram.to_vec(),
                    is_permitted: false,
                });
            }
        }
        path
    }

    /// Data on the pair in use: `write` writes them, with room for what the relay needs around each
    /// datagram. Returns where that is to be sent.
    pub(in super::super) fn send(
        &mut self,
        route: FiveTuple,
        out: &mut TransmitBuf<'_>,
        write: impl FnOnce(&mut TransmitBuf<'_>),
    ) -> FiveTuple {
        if route.transport != Carrier::Udp {
            write(out);
            return self.tcp.path_of(route).unwrap_or(route);
        }
        let Some(client) = self.relay(route.local) else {
            write(out);
            return route;
        };
        let path = client.path();
        if !client.is_stranded
            && let Some(turn) = client.turn()
        {
            // Without a permission nothing is written, and the layers above keep what they have.
            let _ = turn.wrap(out, route.remote, write);
        }
        path
    }

    /// The server lets datagrams to this peer through.
    pub(super) fn release(&mut self, _now: Instant, index: usize, ip: IpAddr) {
        let Some(client) = self.clients.get(index) else {
            return;
        };
        for held in &mut self.held {
            held.is_permitted |= held.peer.ip() == ip && client.relayed.contains(&held.relayed);
        }
    }

    /// The checks whose permissions have come.
    pub(super) fn transmit_held(&mut self, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        while let Some(at) = self.held.iter().position(|held| held.is_permitted) {
            let held = self.held.remove(at)?;
            let Some(client) = self.relay(held.relayed) else {
                continue;
            };
            let path = client.path();
            let write = |inner: &mut TransmitBuf<'_>| {
                let (len, from) = (held.datagram.len(), &held.datagram);
                inner.datagram(len, |bytes| bytes.copy_from_slice(from));
            };
            if client.turn()?.wrap(out, held.peer, write).is_ok() {
                return Some(path);
            }
        }
        None
    }
}
