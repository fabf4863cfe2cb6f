//! One server asked from one socket, be it for STUN or for TURN.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use pc_ice::{
    Alternate, Redirects, ServerError, StunClient, StunConfig, StunEvent,
    turn::{self, Event},
};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_stun::{Class, MessageView, TransactionId};

use super::{super::Rejected, IceServer};

pub(super) struct Client {
    pub(super) server: IceServer,
    /// It has answered, or never will: gathering need not wait for it.
    pub(super) is_done: bool,
    /// Since when it is of use.
    pub(super) serves_since: Option<Instant>,
    /// How many addresses the server has seen.
    pub(super) mapped: u8,
    /// Nothing else uses its socket, which is none of the transport's
    /// ([`OwnSockets`](super::ServerPath::OwnSockets)): it has no other to move to.
    pub(super) has_own_socket: bool,
    /// Its socket is gone. With a ticket it waits for another one.
    pub(super) is_stranded: bool,
    /// The server has not answered yet on the path that it has moved to.
    pub(super) is_moving: bool,
    /// It was moved to another socket, where the server may not let it.
    pub(super) has_moved: bool,
    /// The addresses that are ours on the server.
    pub(super) relayed: Vec<SocketAddr>,
    kind: Kind,
}

/// What a TURN server is asked for beyond an address.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    pub(super) families: turn::Families,
    /// A ticket with which the allocation can move.
    pub(super) moves: bool,
}

enum Kind {
    Stun(Box<StunClient>),
    Turn(Box<turn::Client>),
}

/// What a client has learned that others need to know.
pub(super) enum Outcome {
    Mapped(SocketAddr),
    /// The relayed addresses, and what the server saw of ours.
    Allocated(Vec<SocketAddr>, Option<SocketAddr>),
    Permitted(IpAddr),
    NotPermitted(IpAddr),
    Moved,
    Redirected(Alternate),
    Failed(ServerError),
}

impl Client {
    /// Asks at once.
    ///
    /// # Errors
    ///
    /// No request can be made of the credentials.
    pub(super) fn new(
        server: IceServer,
        path: FiveTuple,
        redirects: Redirects,
        wishes: Wishes,
        seed: [u8; 32],
    ) -> Result<Self, pc_ice::Error> {
        let transport = server.uri.transport();
        let kind = match &server.credentials {
            Some(credentials) if server.uri.scheme().is_turn() => {
                let mut config = turn::Config::new(path, transport, credentials.clone(), seed);
                config.redirects = redirects;
                config.families = wishes.families;
                config.mobility = wishes.moves;
                Kind::Turn(Box::new(turn::Client::new(config)?))
            }
            _ => {
                let mut config = StunConfig::new(path, transport, seed);
                config.redirects = redirects;
                Kind::Stun(Box::new(StunClient::new(config)))
            }
        };
        Ok(Self {
            server,
            is_done: false,
            serves_since: None,
            mapped: 0,
            has_own_socket: false,
            is_stranded: false,
            is_moving: false,
            has_moved: false,
            relayed: Vec::new(),
            kind,
        })
    }

    /// The server has answered with what it was asked for.
    pub(super) fn serves(&mut self, now: Instant) {
        self.is_done = true;
        self.serves_since.get_or_insert(now);
    }

    pub(super) fn path(&self) -> FiveTuple {
        match &self.kind {
            Kind::Stun(client) => client.path(),
            Kind::Turn(client) => client.path(),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        match &self.kind {
            Kind::Stun(client) => client.is_ended(),
            Kind::Turn(client) => client.is_ended(),
        }
    }

    /// The open transaction of a STUN client.
    pub(super) fn stun_transaction(&self) -> Option<TransactionId> {
        match &self.kind {
            Kind::Stun(client) => client.transaction(),
            Kind::Turn(_) => None,
        }
    }

    /// Of TURN.
    pub(super) fn turn(&mut self) -> Option<&mut turn::Client> {
        match &mut self.kind {
            Kind::Turn(client) => Some(client),
            Kind::Stun(_) => None,
        }
    }

    /// Why there is nothing yet: what the server claims, if it does not sign its errors; 701 otherwise.
    pub(super) fn silence(&mut self) -> (u16, String) {
        let claimed = self.turn().and_then(|turn| turn.claimed_refusal());
        match claimed {
            Some(error) => (error.code, format!("a refusal that is not signed: {error}")),
            None => (701, "no answer in time".to_owned()),
        }
    }

    /// Whether this datagram is from the server and for this client: a server may well be asked for
    /// STUN and TURN from one socket, and a peer may live at its address.
    pub(super) fn is_for(&self, route: FiveTuple, datagram: &[u8]) -> bool {
        if self.path() != route {
            return false;
        }
        if !MessageView::is_stun(datagram) {
            // ChannelData, RFC 8656 §12.
            let is_channel = datagram.first().is_some_and(|it| (64..=79).contains(it));
            return is_channel && matches!(self.kind, Kind::Turn(_));
        }
        let Ok(message) = MessageView::parse(datagram) else {
            return false;
        };
        let id = message.transaction_id();
        match (message.class(), &self.kind) {
            (Class::Request, _) | (Class::Indication, Kind::Stun(_)) => false,
            (Class::Indication, Kind::Turn(_)) => true,
            (_, Kind::Stun(client)) => client.awaits(id),
            (_, Kind::Turn(client)) => client.awaits(id),
        }
    }

    /// What was relayed, with its route.
    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<(FiveTuple, &'d mut [u8])>, Rejected> {
        match &mut self.kind {
            Kind::Stun(client) => {
                client.handle_input(now, route, datagram)?;
                Ok(None)
            }
            Kind::Turn(client) => {
                let Some(data) = client.handle_input(now, route, datagram)? else {
                    return Ok(None);
                };
                let is_of = |it: &&SocketAddr| it.is_ipv4() == data.peer.is_ipv4();
                let local = self.relayed.iter().find(is_of);
                let local = local.ok_or(Rejected::NoTransport)?;
                Ok(Some((FiveTuple::udp(*local, data.peer), data.data)))
            }
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<Outcome> {
        match &mut self.kind {
            Kind::Stun(client) => Some(match client.poll_event()? {
                StunEvent::Mapped(address) => Outcome::Mapped(address),
                StunEvent::Redirected(alternate) => Outcome::Redirected(alternate),
                StunEvent::Failed(error) => Outcome::Failed(error),
                _ => return None,
            }),
            Kind::Turn(client) => loop {
                let event = client.poll_event()?;
                if let Some(outcome) = outcome(client, event) {
                    return Some(outcome);
                }
            },
        }
    }

    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
    ) -> Option<FiveTuple> {
        if self.is_stranded {
            return None;
        }
        match &mut self.kind {
            Kind::Stun(client) => client.poll_transmit(now, out),
            Kind::Turn(client) => client.poll_transmit(now, out),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.kind {
            Kind::Stun(client) => client.handle_timeout(now),
            Kind::Turn(client) => client.handle_timeout(now),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.kind {
            Kind::Stun(client) => client.poll_timeout(),
            Kind::Turn(client) => client.poll_timeout(),
        }
    }

    /// The socket is gone. An allocation for which there is a ticket moves to another socket, or waits
    /// for one (RFC 8016 §3.2); otherwise this is the end.
    pub(super) fn socket_lost(&mut self, now: Instant, other: Option<SocketAddr>, may_wait: bool) {
        self.is_stranded = true;
        let has_moved = other.is_some_and(|other| self.move_to(now, other));
        let is_mobile = self.turn().is_some_and(|turn| turn.is_mobile());
        let waits = is_mobile && may_wait;
        if !has_moved && !waits {
            self.connection_lost();
        }
    }

    /// Moves the allocation to another socket, and says whether it can.
    pub(super) fn move_to(&mut self, now: Instant, other: SocketAddr) -> bool {
        let path = FiveTuple::udp(other, self.path().remote);
        let moved = self.turn().map(|turn| turn.move_to(now, path));
        let is_moving = matches!(moved, Some(Ok(())));
        if is_moving {
            (self.is_stranded, self.is_moving, self.has_moved) = (false, true, true);
        }
        is_moving
    }

    pub(super) fn connection_lost(&mut self) {
        match &mut self.kind {
            Kind::Stun(client) => client.connection_lost(),
            Kind::Turn(client) => client.connection_lost(),
        }
    }

    pub(super) fn close(&mut self, now: Instant) {
        match &mut self.kind {
            Kind::Stun(client) => client.close(),
            Kind::Turn(client) => client.close(now),
        }
        if self.is_stranded {
            // Nobody can be told.
            self.connection_lost();
        }
    }
}

fn outcome(client: &turn::Client, event: Event) -> Option<Outcome> {
    Some(match event {
        Event::Allocated => {
            let allocation = client.allocation()?;
            let relayed = allocation.relayed_addresses().collect();
            Outcome::Allocated(relayed, allocation.mapped_address())
        }
        Event::Permitted(ip) => Outcome::Permitted(ip),
        Event::NotPermitted(ip, _) => Outcome::NotPermitted(ip),
        Event::Moved => Outcome::Moved,
        Event::Redirected(alternate) => Outcome::Redirected(alternate),
        Event::Failed(error) => Outcome::Failed(error),
        // Channels come and go without anybody's noticing, and there are no TCP allocations.
        _ => return None,
    })
}
