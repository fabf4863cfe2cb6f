//! One connection to a peer, through a stream of its own to the server.

use std::time::Instant;

use pc_ice::turn::{ConnectionId, DataConnection, DataConnectionState};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};

use super::{DISCARD, MAX_CONNECTIONS, PROBATION, TcpRelays};
use crate::engine::{Rejected, servers::Told};

pub(super) struct Connection {
    /// As the ICE agent has it: from the relayed address to the peer.
    pub(super) route: FiveTuple,
    /// The path to the server that relays it.
    pub(super) relay: FiveTuple,
    pub(super) state: State,
    /// Until when a peer that has connected may stay without having proven who it is.
    until: Option<Instant>,
}

/// How far it is. The server waits for 30 s until it is bound (RFC 6062 §5.2, §5.3).
///
/// ```text
///   Opening ──bind()──► Binding ──settle()──► Bound
///      └──unreachable()────┴──settle()──────────┴──stream_lost()──► gone
/// ```
pub(super) enum State {
    /// The driver opens the stream.
    Opening(u32, ConnectionId),
    /// ConnectionBind is under way on it.
    Binding(Box<DataConnection>),
    /// The bytes of the stream at this path are the peer's.
    Bound(FiveTuple),
}

impl Connection {
    /// Whether it is there because this side's agent wanted it.
    fn is_dialed(&self) -> bool {
        self.route.local.port() == DISCARD
    }

    pub(super) fn is_opened_by(&self, number: u32) -> bool {
        matches!(self.state, State::Opening(it, _) if it == number)
    }

    /// Whether nobody else has to need it yet.
    pub(super) fn is_on_probation(&mut self, now: Instant) -> bool {
        self.until = self.until.filter(|until| *until > now);
        self.until.is_some()
    }

    /// The path of its stream.
    pub(super) fn path(&self) -> Option<FiveTuple> {
        match &self.state {
            State::Opening(..) => None,
            State::Binding(binding) => Some(binding.path()),
            State::Bound(path) => Some(*path),
        }
    }

    pub(super) fn handle_input(
        &mut self,
        now: Instant,
        path: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        match &mut self.state {
            State::Binding(binding) => Ok(binding.handle_input(now, path, datagram)?),
            _ => Err(Rejected::NoTransport),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let State::Binding(binding) = &mut self.state {
            binding.handle_timeout(now);
        }
    }

    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        match &mut self.state {
            State::Binding(binding) => binding.poll_transmit(now, out),
            _ => None,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let binding = match &self.state {
            State::Binding(binding) => binding.poll_timeout(),
            _ => None,
        };
        binding.into_iter().chain(self.until).min()
    }

    /// What the agent hears when it has come to its end.
    fn lost(&self) -> Option<Told> {
        match (&self.state, self.is_dialed()) {
            (State::Bound(_), _) => Some(Told::ConnectionLost(self.route)),
            (_, true) => Some(Told::NotConnected(self.route)),
            // It has never heard of it.
            (_, false) => None,
        }
    }
}

impl TcpRelays {
    /// The stream that carries what goes from a relayed address to a peer.
    pub(in super::super) fn path_of(&self, route: FiveTuple) -> Option<FiveTuple> {
        let mut connections = self.connections.iter().filter(|it| it.route == route);
        connections.find_map(|it| match it.state {
            State::Bound(path) => Some(path),
            _ => None,
        })
    }

    /// Whether the bytes of the stream at this path are a peer's.
    pub(in crate::engine) fn carries_peer(&self, path: FiveTuple) -> bool {
        let mut connections = self.connections.iter();
        connections.any(|it| matches!(it.state, State::Bound(bound) if bound == path))
    }

    /// The server at `index` has a connection to a peer: asks for the stream that it is to be bound to,
    /// at the very server that has it, whatever the URL's name leads to.
    pub(super) fn open(&mut self, now: Instant, index: usize, route: FiveTuple, id: ConnectionId) {
        let is_dialed = route.local.port() == DISCARD;
        // The server would not have another one with the same ends, and the agent does not ask twice.
        if is_dialed {
            self.connections.retain(|it| it.route != route);
        } else {
            self.lose(|it| it.route == route);
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            let refused = is_dialed.then_some(Told::NotConnected(route));
            self.told.extend(refused);
            return;
        }
        let Some(relay) = self.relays.get(index).filter(|_| !self.closing) else {
            return;
        };
        let control = relay.client.path();
        let server = relay.target.server.clone();
        let place = Some((control.remote, relay.target.domain.clone()));
        let number = self.request(&server, place);
        self.connections.push(Connection {
            route,
            relay: control,
            state: State::Opening(number, id),
            until: (!is_dialed).then_some(now + PROBATION),
        });
    }

    /// The stream for a connection is open.
    pub(super) fn bind(&mut self, number: u32, path: FiveTuple) {
        let mut connections = self.connections.iter_mut();
        let Some(connection) = connections.find(|it| it.is_opened_by(number)) else {
            return;
        };
        let mut relays = self.relays.iter_mut();
        let relay = relays.find(|it| it.client.path() == connection.relay);
        let State::Opening(_, id) = connection.state else {
            return;
        };
        match relay.map(|it| it.client.bind_connection(id, path)) {
            Some(Ok(binding)) => connection.state = State::Binding(Box::new(binding)),
            _ => self.lose(|it| it.is_opened_by(number)),
        }
    }

    /// Brings here what has become of those that are being bound.
    pub(super) fn settle(&mut self) {
        for connection in &mut self.connections {
            if let State::Binding(binding) = &connection.state
                && *binding.state() == DataConnectionState::Bound
            {
                connection.state = State::Bound(binding.path());
                if connection.is_dialed() {
                    self.told.push_back(Told::Connected(connection.route));
                }
            }
        }
        self.lose(|it| match &it.state {
            State::Binding(binding) => *binding.state() != DataConnectionState::Binding,
            _ => false,
        });
    }

    /// Lets go of those that have ended.
    pub(super) fn lose(&mut self, has_ended: impl Fn(&Connection) -> bool) {
        let ended = self.connections.extract_if(.., |it| has_ended(it));
        self.told.extend(ended.filter_map(|it| it.lost()));
    }
}
