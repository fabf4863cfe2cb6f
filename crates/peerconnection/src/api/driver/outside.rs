//! What comes from servers over streams, and of attempts to reach them.

use std::time::Instant;

use pc_net::{Framing, StreamError};
use pc_proto::{FiveTuple, Protocol};

use super::{
    super::{
        inbox::Key,
        reach::{Arrival, News, Reached},
        streams::StreamId,
    },
    Driver,
};
use crate::{
    clock,
    engine::{self, ServerPath, ServerRequest},
};

impl Driver {
    /// Reaches a server that a connection asks for.
    pub(super) fn set_out(&self, key: Key, request: ServerRequest) {
        if let Some(driven) = self.connections.get(&key) {
            self.reach.begin(key, request, driven.tls.clone());
        }
    }

    /// A server was reached, or a name was found, or cannot be.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let key = arrival.key;
        let Some(driven) = self.connections.get_mut(&key) else {
            return;
        };
        let now = clock::now();
        let shared = driven.shared.clone();
        let mut inner = shared.lock();
        let engine = &mut inner.engine;
        let mut named = None;
        match arrival.news {
            News::Server(id, Ok(Reached::Datagrams { addresses, is_turn })) => {
                let asked_for = (key, id.asker());
                let path = self.sockets.path_to(asked_for, addresses, is_turn);
                engine.server_reached(now, id, &path);
            }
            News::Server(id, Ok(Reached::Stream(stream))) => {
                let FiveTuple { local, remote, .. } = self.streams.add(key, *stream);
                engine.set_networks(&self.networks.of(&[local.ip()]));
                engine.server_reached(now, id, &ServerPath::Stream { local, remote });
            }
            News::Server(id, Err(what)) => engine.server_unreachable(now, id, what),
            News::Peer(request, Ok(stream)) => {
                let FiveTuple { local, .. } = self.streams.add(key, *stream);
                engine.peer_connected(now, request, local);
            }
            News::Peer(request, Err(error)) => {
                tracing::debug!(path = %request.path, %error, "no connection to the peer");
                engine.peer_unreachable(now, request);
            }
            News::Named(ip, registration) => {
                driven.names.take(engine, ip, registration);
                named = Some(ip);
            }
            News::Name(id, ip) => engine.name_resolved(now, id, ip),
        }
        shared.publish(&mut inner);
        drop(inner);
        driven.give_turn(&mut self.turns);
        if let (Some(_), Some(ip)) = (self.sockets.hosts(), named) {
            // Of an interface that came while the connection lived.
            self.gain_addresses(&[ip]);
        }
    }

    pub(super) fn lose_stream(&mut self, id: StreamId, error: &StreamError) {
        let Some(open) = self.streams.remove(id) else {
            return;
        };
        let path = open.path();
        tracing::debug!(%path, %error, "a stream has ended");
        let key = open.owner.key();
        if let Some(driven) = key.and_then(|key| self.connections.get_mut(&key)) {
            let mut inner = driven.shared.lock();
            inner.engine.stream_lost(clock::now(), path);
            driven.shared.publish(&mut inner);
            drop(inner);
            driven.give_turn(&mut self.turns);
        }
    }

    /// Feeds what has come on a stream to its connection.
    pub(super) fn dispatch_stream(&mut self, id: StreamId) {
        let now = clock::now();
        let Some(key) = self.owner_of(now, id) else {
            return;
        };
        let (Some(open), Some(driven)) = (self.streams.get_mut(id), self.connections.get_mut(&key))
        else {
            return;
        };
        let path = open.path();
        let mut inner = driven.shared.lock();
        let ended = loop {
            match open.stream.next_datagram() {
                Ok(Some(datagram)) => {
                    if let Err(error) = inner.engine.handle_input(now, path, datagram) {
                        tracing::debug!(%path, %error, "dropped a datagram");
                    }
                    if open.stream.framing() == Framing::Turn && inner.engine.carries_peer(path) {
                        open.stream.set_framing(Framing::Rfc4571);
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        driven.shared.publish(&mut inner);
        drop(inner);
        driven.give_turn(&mut self.turns);
        if let Some(error) = ended {
            self.lose_stream(id, &error);
        }
    }

    /// The connection that a stream is for. A peer's own is for the one that the first datagram names,
    /// which has to be a check (RFC 6544 §7.2) with the password of that connection; else it ends.
    fn owner_of(&mut self, now: Instant, id: StreamId) -> Option<Key> {
        let open = self.streams.get_mut(id)?;
        if let Some(key) = open.owner.key() {
            return Some(key);
        }
        let path = open.path();
        let named = match open.stream.next_datagram() {
            Ok(None) => return None,
            Ok(Some(datagram)) => {
                let ufrag = engine::receiver_ufrag(datagram);
                let key = ufrag.and_then(|it| self.demux.route(path, Some(it)));
                let driven = key.and_then(|key| self.connections.get_mut(&key));
                driven.filter(|driven| {
                    let mut inner = driven.shared.lock();
                    let taken = inner.engine.handle_input(now, path, datagram);
                    driven.shared.publish(&mut inner);
                    taken.err().is_none_or(|error| is_of_peer(&error))
                })
            }
            Err(_) => None,
        };
        let key = named.map(|driven| {
            driven.give_turn(&mut self.turns);
            driven.shared.key
        });
        let key = key.filter(|key| self.streams.name(id, *key, now));
        if key.is_none() {
            tracing::debug!(%path, "a connection for none of ours");
            self.streams.remove(id);
        }
        key
    }
}

/// Whether what was rejected has come from the peer all the same, who will try again.
fn is_of_peer(rejected: &engine::Rejected) -> bool {
    use pc_ice::Rejected::RoleConflict;
    let waits = matches!(rejected, engine::Rejected::BeforeAnswer);
    waits || matches!(rejected, engine::Rejected::Ice(RoleConflict))
}
