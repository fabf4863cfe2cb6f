use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_stun::{ErrorCode, TransactionId};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

use super::{
    Allocation, Config, Event, PeerData, RelayedTransport,
    auth::Auth,
    channels::Channels,
    permissions::Permissions,
    transactions::{Purpose, Transactions},
    wishes::Wishes,
};
use crate::{Error, ErrorResponse, Rejected, ServerError, candidate::is_usable};

/// How many events wait for whoever asks for them; beyond it the oldest go.
const MAX_EVENTS: usize = 512;

/// How many connections may be asked for at once (RFC 6062).
const MAX_CONNECTS: usize = 32;

/// How long after a failed refresh the next one begins, while the allocation lasts.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// One allocation on a TURN server (RFC 8656).
///
/// ```text
///   Allocating ──success()──► Allocated ──close()──► Releasing ──success()──► Ended
///     │                          │                      └──refused(), time────► Ended
///     └──refused(), time─────────┴──refused(), time───────────────────────────► Ended
/// ```
///
/// See the [module](super) for how it is driven.
pub struct Client {
    /// Without the credentials, which `auth` has.
    pub(super) config: Config,
    /// What of the configuration the server has not refused.
    pub(super) wishes: Wishes,
    pub(super) auth: Auth,
    pub(super) rng: ChaCha12Rng,
    pub(super) state: State,
    pub(super) transactions: Transactions,
    pub(super) permissions: Permissions,
    pub(super) channels: Channels,
    /// Peers to which connections are still to be asked for (RFC 6062).
    pub(super) connects: VecDeque<SocketAddr>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Asking for an allocation; `closing` says that it is not wanted any more.
    Allocating { closing: bool },
    /// It is there.
    Allocated(Box<Allocation>),
    /// It is being released, and what is told then.
    Releasing(Event),
    /// There is none, for good.
    Ended,
}

impl Client {
    /// A client that asks for an allocation at once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUsername`] and [`Error::ImpossibleAllocation`]: no request can be made of this.
    pub fn new(mut config: Config) -> Result<Self, Error> {
        config.check()?;
        let credentials =
            std::mem::replace(&mut config.credentials, super::Credentials::new("", ""));
        let mut client = Self {
            auth: Auth::new(credentials),
            rng: ChaCha12Rng::from_seed(config.seed),
            wishes: Wishes::new(&config),
            config,
            state: State::Allocating { closing: false },
            transactions: Transactions::default(),
            permissions: Permissions::default(),
            channels: Channels::new(),
            connects: VecDeque::new(),
            events: VecDeque::new(),
        };
        client.begin(Purpose::Allocate, 0);
        Ok(client)
    }

    /// The path between the client and the server.
    pub const fn path(&self) -> FiveTuple {
        self.config.path
    }

    /// What the server has allocated, while it is there.
    pub const fn allocation(&self) -> Option<&Allocation> {
        match &self.state {
            State::Allocated(allocation) => Some(allocation),
            _ => None,
        }
    }

    /// Whether the client has ended: failed, redirected or released.
    pub const fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// What answers that were not signed claim of the request that is under way for an allocation. Some
    /// servers sign no error: who cannot wait for [`Event::Failed`], which comes with
    /// [`ServerError::Integrity`] after 39.5 s, learns here what that will say (RFC 8489 §9.2.5).
    pub fn claimed_refusal(&self) -> Option<&ErrorResponse> {
        self.transactions.claimed(Purpose::Allocate)
    }

    /// Whether the server has given a ticket with which [`move_to`](Self::move_to) works.
    pub fn is_mobile(&self) -> bool {
        self.allocation().is_some_and(|it| it.ticket.is_some())
    }

    /// The peers for whose addresses there are permissions, or which are asked for; the ports say nothing.
    pub fn permitted_peers(&self) -> impl Iterator<Item = SocketAddr> {
        self.permissions.peers()
    }

    /// Whether a response with this transaction id is awaited, for sockets that are shared.
    pub fn awaits(&self, id: TransactionId) -> bool {
        self.transactions.contains(id)
    }

    /// Asks for a permission for the address of `peer` and keeps it, until
    /// [`revoke`](Self::revoke) (RFC 8656 §9): [`Event::Permitted`] or [`Event::NotPermitted`]
    /// follow, unless it is there. Its port does not matter.
    ///
    /// # Errors
    ///
    /// The client has ended, nothing can be sent to the address, or there are 128 already.
    pub fn permit(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        self.check_peer(peer)?;
        self.permissions.add(peer)?;
        self.settle(now);
        Ok(())
    }

    /// Lets the permission for an address lapse and the channels to it, and no longer sends there or
    /// takes from there.
    pub fn revoke(&mut self, now: Instant, ip: IpAddr) {
        self.permissions.remove(ip);
        self.channels.retire_all(now, ip);
    }

    /// Whether the server relays to and from this address.
    pub fn is_permitted(&self, ip: IpAddr) -> bool {
        self.allocation().is_some() && self.permissions.allows(ip)
    }

    /// Asks for a channel to `peer` and keeps it, until [`unbind_channel`](Self::unbind_channel)
    /// (RFC 8656 §12); asks for the permission too. [`Event::ChannelBound`],
    /// [`Event::ChannelRefused`] or [`Event::NotPermitted`] follow, unless it is there.
    ///
    /// # Errors
    ///
    /// Those of [`permit`](Self::permit); the allocation is not one for datagrams.
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        if self.config.relayed != RelayedTransport::Udp {
            return Err(Error::OtherTransport);
        }
        self.check_peer(peer)?;
        self.permissions.add(peer)?;
        let added = self.channels.add(now, peer);
        self.settle(now);
        added
    }

    /// Lets the channel to `peer` lapse; its data go in Send indications from now on.
    pub fn unbind_channel(&mut self, now: Instant, peer: SocketAddr) {
        self.channels.retire(now, peer);
    }

    /// Whether data for `peer` go through a channel.
    pub fn has_channel(&self, peer: SocketAddr) -> bool {
        self.channels.number_of(peer).is_some()
    }

    /// Asks the server to connect to `peer` (RFC 6062 §4.3): [`Event::Connected`] or
    /// [`Event::NotConnected`] follow. A permission is not needed.
    ///
    /// # Errors
    ///
    /// The client has ended, the allocation is not one for TCP, or 32 connections are asked for.
    pub fn connect(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        if self.config.relayed != RelayedTransport::Tcp {
            return Err(Error::OtherTransport);
        }
        self.check_peer(peer)?;
        if self.connects.len() >= MAX_CONNECTS {
            return Err(Error::TooManyPeers);
        }
        self.connects.push_back(peer);
        self.settle(now);
        Ok(())
    }

    /// Moves the allocation to another path to the same server, as after a change of networks
    /// (RFC 8016 §3.2): [`Event::Moved`] or [`Event::Failed`] follow.
    ///
    /// # Errors
    ///
    /// There is no allocation, or the server has given no ticket.
    pub fn move_to(&mut self, now: Instant, path: FiveTuple) -> Result<(), Error> {
        if self.is_ended() {
            return Err(Error::Closed);
        }
        if !self.is_mobile() {
            return Err(Error::NoMobility);
        }
        self.config.path = path;
        // Whatever was asked on the old path may never be answered.
        for peer in self.transactions.connects() {
            let error = ServerError::ConnectionLost;
            self.tell(Event::NotConnected(peer, error));
        }
        self.transactions.clear();
        self.permissions.ask_again();
        self.channels.ask_again();
        self.begin(Purpose::Move, 0);
        self.settle(now);
        Ok(())
    }

    /// Releases the allocation (RFC 8656 §8): [`Event::Released`] follows when the server has
    /// answered, or after a few seconds. Who cannot wait sends once what
    /// [`poll_transmit`](Protocol::poll_transmit) has.
    pub fn close(&mut self, now: Instant) {
        match &mut self.state {
            State::Allocating { closing } => {
                *closing = true;
                if !self.transactions.was_sent() {
                    self.end(Event::Released);
                }
            }
            State::Allocated(_) => self.release(Event::Released),
            State::Releasing(_) | State::Ended => {}
        }
        self.settle(now);
    }

    /// The connection to the server broke, for TCP and TLS.
    pub fn connection_lost(&mut self) {
        let event = match &self.state {
            State::Ended => return,
            State::Releasing(event) => event.clone(),
            State::Allocating { closing: true } => Event::Released,
            _ => Event::Failed(ServerError::ConnectionLost),
        };
        self.end(event);
    }

    fn check_peer(&self, peer: SocketAddr) -> Result<(), Error> {
        match &self.state {
            State::Releasing(_) | State::Ended | State::Allocating { closing: true } => {
                Err(Error::Closed)
            }
            _ if !is_usable(peer) => Err(Error::UnusableAddress),
            _ => Ok(()),
        }
    }

    /// Gives the allocation back; `event` is told when that is done.
    pub(super) fn release(&mut self, event: Event) {
        self.forget_peers();
        self.transactions.clear();
        self.state = State::Releasing(event);
        self.begin(Purpose::Release, 0);
    }

    pub(super) fn end(&mut self, event: Event) {
        self.forget_peers();
        self.transactions.clear();
        self.state = State::Ended;
        self.tell(event);
    }

    fn forget_peers(&mut self) {
        self.permissions.clear();
        self.channels.clear();
        self.connects.clear();
    }

    pub(super) fn tell(&mut self, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// What time has changed, before anything else happens.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(expired) = self.transactions.take_expired(now) {
            let error = match expired.violated {
                Some(claimed) => ServerError::Integrity(claimed),
                None => ServerError::Timeout,
            };
            self.failed(now, expired.purpose, error);
        }
        if let State::Allocated(allocation) = &self.state
            && allocation.expires_at <= now
        {
            self.end(Event::Failed(ServerError::AllocationLost));
        }
        self.permissions.lapse(now);
        while let Some(peer) = self.channels.take_lapsed(now) {
            self.tell(Event::ChannelRefused(peer, ServerError::Timeout));
        }
    }

    /// Begins every request that is due, as far as there is room.
    pub(super) fn settle(&mut self, now: Instant) {
        let State::Allocated(allocation) = &self.state else {
            return;
        };
        let moving = self.transactions.has(|it| it == Purpose::Move);
        let refreshing = moving || self.transactions.has(|it| it == Purpose::Refresh);
        if allocation.refresh_at <= now && !refreshing {
            self.begin(Purpose::Refresh, 0);
        }
        // RFC 8016 §3.2: on the new path nothing else counts before the Refresh.
        while !moving && !self.transactions.is_full() {
            let Some(purpose) = self.next_request(now) else {
                break;
            };
            self.begin(purpose, 0);
        }
    }

    fn next_request(&mut self, now: Instant) -> Option<Purpose> {
        while let Some(peer) = self.permissions.take_due(now) {
            if self.allocation().is_some_and(|it| it.reaches(peer)) {
                return Some(Purpose::Permit(peer));
            }
            // What the server would answer (RFC 8656 §10.2).
            let error = ServerError::Refused(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH.into());
            self.failed(now, Purpose::Permit(peer), error);
        }
        while let Some((number, peer)) = self.channels.take_due(now) {
            if self.allocation().is_some_and(|it| it.reaches(peer)) {
                return Some(Purpose::Bind(number, peer));
            }
            let error = ServerError::Refused(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH.into());
            self.failed(now, Purpose::Bind(number, peer), error);
        }
        self.connects.pop_front().map(Purpose::Connect)
    }
}

impl Protocol for Client {
    type Route = FiveTuple;
    /// Data of a peer, if the datagram had some.
    type Payload<'d> = Option<PeerData<'d>>;
    type Event = Event;
    type Rejected = Rejected;

    /// Takes what came from the server: a datagram, or a message of a stream.
    ///
    /// # Errors
    ///
    /// It is neither relayed data of a known peer nor an answer that is awaited; nothing has
    /// changed.
    fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
    ) -> Result<Option<PeerData<'d>>, Rejected> {
        self.receive(now, route, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        self.settle(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.handle_timeout(now);
        let before = out.len();
        while !out.is_full()
            && let Some(request) = self.transactions.take_due(now)
        {
            let bytes = &request.bytes;
            out.datagram(bytes.len(), |place| place.copy_from_slice(bytes));
        }
        (out.len() > before).then_some(self.config.path)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.transactions.next_timeout();
        let State::Allocated(allocation) = &self.state else {
            return requests;
        };
        let busy = |it| matches!(it, Purpose::Refresh | Purpose::Move);
        let own = if self.transactions.has(busy) {
            allocation.expires_at
        } else {
            allocation.refresh_at.min(allocation.expires_at)
        };
        // Those that wait for a place among the requests are begun when one is free.
        let blocked =
            self.transactions.is_full() || self.transactions.has(|it| it == Purpose::Move);
        let peers = [
            self.permissions.next_timeout(),
            self.channels.next_timeout(),
        ];
        let peers = peers.into_iter().flatten().filter(|_| !blocked).min();
        requests.into_iter().chain([own]).chain(peers).min()
    }
}

impl fmt::Debug for Client {
    /// Without password and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("config", &self.config)
            .field("auth", &self.auth)
            .field("state", &self.state)
            .field("transactions", &self.transactions)
            .field("permissions", &self.permissions)
            .field("channels", &self.channels)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
