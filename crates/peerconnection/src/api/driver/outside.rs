//! What comes from servers over streams, and of attempts to reach them.

use pc_net::StreamError;
use pc_proto::FiveTuple;

use super::{
    super::reach::{Arrival, News, Reached},
    Driver,
};
use crate::{clock, engine::ServerPath};

impl Driver {
    /// A server was reached, or a name was found, or cannot be.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let key = arrival.key;
        let Some(driven) = self.connections.get_mut(&key) else {
            return;
        };
        let now = clock::now();
        let mut inner = driven.shared.lock();
        let engine = &mut inner.engine;
        match arrival.news {
            News::Server(id, Ok(Reached::Datagrams(addresses))) => {
                engine.server_reached(now, id, &ServerPath::Datagrams(addresses));
            }
            News::Server(id, Ok(Reached::Stream(stream))) => {
                let FiveTuple { local, remote, .. } = self.streams.add(key, *stream);
                engine.server_reached(now, id, &ServerPath::Stream { local, remote });
            }
            News::Server(id, Err(what)) => engine.server_unreachable(now, id, what),
            News::Name(id, ip) => engine.name_resolved(now, id, ip),
        }
        driven.shared.publish(&mut inner);
        drop(inner);
        driven.give_turn(&mut self.turns);
    }

    pub(super) fn lose_stream(&mut self, index: usize, error: &StreamError) {
        let Some(open) = self.streams.remove(index) else {
            return;
        };
        let path = open.path();
        tracing::debug!(%path, %error, "a stream has ended");
        if let Some(driven) = self.connections.get_mut(&open.key) {
            let mut inner = driven.shared.lock();
            inner.engine.server_stream_lost(clock::now(), path);
            driven.shared.publish(&mut inner);
            drop(inner);
            driven.give_turn(&mut self.turns);
        }
    }

    /// Feeds what has come on a stream to its connection.
    pub(super) fn dispatch_stream(&mut self, index: usize) {
        let Some(open) = self.streams.get_mut(index) else {
            return;
        };
        let (path, now) = (open.path(), clock::now());
        let Some(driven) = self.connections.get_mut(&open.key) else {
            return;
        };
        let mut inner = driven.shared.lock();
        let ended = loop {
            match open.stream.next_datagram() {
                Ok(Some(datagram)) => {
                    if let Err(error) = inner.handle_input(now, path, datagram) {
                        tracing::debug!(%path, %error, "dropped a datagram");
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
            self.lose_stream(index, &error);
        }
    }
}
