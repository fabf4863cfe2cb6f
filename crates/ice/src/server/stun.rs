use std::{
    collections::VecDeque,
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_stun::{
    Attribute, AttributeType, Class, HEADER_LEN, IntegrityError, MessageBuilder, MessageView,
    Method, TransactionId,
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{Alternate, ErrorResponse, Redirects, RequestTiming, Schedule, ServerError};
use crate::{Rejected, ServerTransport, candidate::is_usable};

/// How many events wait; an older one about the same thing is of no use then.
const MAX_EVENTS: usize = 16;

/// What a [`StunClient`] is made from.
#[derive(Clone)]
pub struct StunConfig {
    /// The socket, as its owner names it, and the server.
    pub path: FiveTuple,
    /// How the server is reached.
    pub transport: ServerTransport,
    /// Everything random comes from it: it must be unpredictable, and never be used twice.
    pub seed: [u8; 32],
    /// How often a NAT's binding is kept alive after the first answer: Tr, 15 s (RFC 8445 §11).
    /// `None` asks once.
    pub keepalive: Option<Duration>,
    /// Retransmission and patience.
    pub timing: RequestTiming,
    /// The servers that have redirected to this one.
    pub redirects: Redirects,
}

impl StunConfig {
    /// The RFCs' timing, with keepalives.
    pub fn new(path: FiveTuple, transport: ServerTransport, seed: [u8; 32]) -> Self {
        Self {
            path,
            transport,
            seed,
            keepalive: Some(Duration::from_secs(15)),
            timing: RequestTiming::default(),
            redirects: Redirects::new(),
        }
    }
}

impl fmt::Debug for StunConfig {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StunConfig")
            .field("path", &self.path)
            .field("transport", &self.transport)
            .field("keepalive", &self.keepalive)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

/// What a [`StunClient`] has learned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StunEvent {
    /// The server sees this address: the first answer, or another address than before.
    Mapped(SocketAddr),
    /// The server sends its clients elsewhere; this one has ended.
    Redirected(Alternate),
    /// The server is of no use; the client has ended.
    Failed(ServerError),
}

const _: () = assert!(size_of::<StunEvent>() <= 80);

/// Asks a STUN server for the address that it sees (RFC 8489 §2), and keeps a NAT's binding alive.
///
/// ```text
///    Asking ──success()──► Waiting ──handle_timeout()──► Asking ─ …
///      └───error(), handle_timeout()───────────────────► Ended
/// ```
///
/// ```
/// use pc_ice::{ServerTransport, StunClient, StunConfig, StunEvent};
/// use pc_proto::{Batch, FiveTuple, Protocol};
/// # use pc_stun::{Attribute, Class, MessageBuilder, MessageView, Method};
///
/// # #[allow(clippy::disallowed_methods)]
/// let now = std::time::Instant::now();
/// let path = FiveTuple::udp("10.0.0.1:4000".parse()?, "192.0.2.1:3478".parse()?);
/// let mut client = StunClient::new(StunConfig::new(path, ServerTransport::Udp, [7; 32]));
/// let mut batch = Batch::new();
/// assert_eq!(client.poll_transmit(now, &mut batch.transmit_buf(1200, 8)), Some(path));
/// // The request goes to the server, and its answer comes back.
/// # let mut answer = vec![0; 100];
/// # let request = MessageView::parse(batch.datagrams().next().unwrap())?;
/// # let len = MessageBuilder::new(&mut answer, Class::Success, Method::BINDING, request.transaction_id())
/// #     .attribute(Attribute::XorMappedAddress("198.51.100.7:61000".parse()?)).finish()?;
/// # answer.truncate(len);
/// client.handle_input(now, path, &mut answer)?;
/// assert_eq!(client.poll_event(), Some(StunEvent::Mapped("198.51.100.7:61000".parse()?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StunClient {
    config: StunConfig,
    rng: ChaCha12Rng,
    state: State,
    mapped: Option<SocketAddr>,
    events: VecDeque<StunEvent>,
}

#[derive(Debug)]
enum State {
    Asking {
        id: TransactionId,
        schedule: Schedule,
    },
    Waiting {
        until: Option<Instant>,
    },
    Ended,
}

impl StunClient {
    /// A client that asks at once.
    pub fn new(config: StunConfig) -> Self {
        let mut client = Self {
            rng: ChaCha12Rng::from_seed(config.seed),
            config,
            state: State::Ended,
            mapped: None,
            events: VecDeque::new(),
        };
        client.ask();
        client
    }

    /// The address that the server saw last.
    pub const fn mapped_address(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// The path between the client and the server.
    pub const fn path(&self) -> FiveTuple {
        self.config.path
    }

    /// Whether a response with this transaction id is awaited, for sockets that are shared.
    pub fn awaits(&self, id: TransactionId) -> bool {
        self.transaction() == Some(id)
    }

    /// The transaction whose response is awaited, for sockets that other clients share.
    pub const fn transaction(&self) -> Option<TransactionId> {
        match &self.state {
            State::Asking { id, .. } => Some(*id),
            State::Waiting { .. } | State::Ended => None,
        }
    }

    /// Whether the client has ended: failed, redirected or closed.
    pub const fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Ends the client without an event; the binding lapses.
    pub fn close(&mut self) {
        self.state = State::Ended;
    }

    /// The connection to the server broke, for TCP and TLS.
    pub fn connection_lost(&mut self) {
        if !self.is_ended() {
            self.end(StunEvent::Failed(ServerError::ConnectionLost));
        }
    }

    fn ask(&mut self) {
        let mut id = TransactionId([0; 12]);
        self.rng.fill_bytes(&mut id.0);
        let schedule = Schedule::new(self.config.transport, self.config.timing);
        self.state = State::Asking { id, schedule };
    }

    fn advance(&mut self, now: Instant) {
        match &mut self.state {
            State::Asking { schedule, .. } => {
                if schedule.advance(now) {
                    self.end(StunEvent::Failed(ServerError::Timeout));
                }
            }
            State::Waiting { until: Some(until) } if *until <= now => self.ask(),
            State::Waiting { .. } | State::Ended => {}
        }
    }

    fn receive(&mut self, now: Instant, route: FiveTuple, datagram: &[u8]) -> Result<(), Rejected> {
        if self.is_ended() {
            return Err(Rejected::Closed);
        }
        if route != self.config.path {
            return Err(Rejected::UnknownPath);
        }
        let message = MessageView::parse(datagram)?;
        if message.method() != Method::BINDING {
            return Err(Rejected::UnexpectedMethod);
        }
        if message.verify_fingerprint() == Err(IntegrityError::Mismatch) {
            return Err(Rejected::Fingerprint);
        }
        if !self.awaits(message.transaction_id()) {
            return Err(Rejected::UnmatchedResponse);
        }
        let unknown = message.unknown_comprehension_required().next();
        let event = match (message.class(), unknown) {
            (Class::Request | Class::Indication, _) => return Err(Rejected::UnexpectedMethod),
            (_, Some(kind)) => StunEvent::Failed(ServerError::UnknownAttribute(kind)),
            (Class::Success, None) => match mapped_address(&message) {
                Some(mapped) => {
                    self.success(now, mapped);
                    return Ok(());
                }
                None => StunEvent::Failed(ServerError::BadResponse("XOR-MAPPED-ADDRESS")),
            },
            (Class::Error, None) => self.refusal(now, &message),
        };
        self.end(event);
        Ok(())
    }

    fn success(&mut self, now: Instant, mapped: SocketAddr) {
        let until = self.config.keepalive.and_then(|wait| now.checked_add(wait));
        self.state = State::Waiting { until };
        if self.mapped.replace(mapped) != Some(mapped) {
            self.tell(StunEvent::Mapped(mapped));
        }
    }

    fn refusal(&self, now: Instant, message: &MessageView<'_>) -> StunEvent {
        match ErrorResponse::of(message) {
            None => StunEvent::Failed(ServerError::BadResponse("ERROR-CODE")),
            Some(error) if error.code == 300 => {
                let redirects = &self.config.redirects;
                match redirects.follow(now, self.config.path.remote, message) {
                    Ok(alternate) => StunEvent::Redirected(alternate),
                    Err(error) => StunEvent::Failed(error),
                }
            }
            Some(error) => StunEvent::Failed(ServerError::Refused(error)),
        }
    }

    fn end(&mut self, event: StunEvent) {
        self.state = State::Ended;
        self.tell(event);
    }

    fn tell(&mut self, event: StunEvent) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

/// The mapped address; MAPPED-ADDRESS is what servers of RFC 3489 give (RFC 8489 §14.1).
fn mapped_address(message: &MessageView<'_>) -> Option<SocketAddr> {
    let mapped = match message.xor_mapped_address() {
        Some(mapped) => mapped,
        None => match message.attribute(AttributeType::MAPPED_ADDRESS)? {
            Attribute::MappedAddress(mapped) => mapped,
            _ => return None,
        },
    };
    is_usable(mapped).then_some(mapped)
}

impl Protocol for StunClient {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = StunEvent;
    type Rejected = Rejected;

    /// Takes what came from the server: a datagram, or a message of a stream.
    ///
    /// # Errors
    ///
    /// It is not an answer to the open request, from the server that was asked.
    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        self.advance(now);
        self.receive(now, route, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.advance(now);
        let State::Asking { id, schedule } = &mut self.state else {
            return None;
        };
        if !schedule.is_due() || out.is_full() {
            return None;
        }
        schedule.sent(now);
        out.datagram_up_to(HEADER_LEN, |bytes| {
            let mut request = MessageBuilder::new(bytes, Class::Request, Method::BINDING, *id);
            request.finish().ok()
        })
        .then_some(self.config.path)
    }

    fn poll_event(&mut self) -> Option<StunEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Asking { schedule, .. } => schedule.next_timeout(),
            State::Waiting { until } => *until,
            State::Ended => None,
        }
    }
}

impl fmt::Debug for StunClient {
    /// Without what is random.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StunClient")
            .field("config", &self.config)
            .field("state", &self.state)
            .field("mapped", &self.mapped)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
