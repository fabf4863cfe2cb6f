use std::{fmt, time::Instant};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_stun::{Attribute, Class, MessageBuilder, MessageView, Method, TransactionId};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{
    Client, ConnectionId,
    auth::{Auth, Proof},
    response::MAX_CHALLENGES,
    verdict::Verdict,
};
use crate::{Error, Rejected, RequestTiming, ServerError, ServerTransport, server::Schedule};

/// Room for the longest request: user name, realm and nonce of all the bytes that they may have.
const MAX_REQUEST: usize = 4096;

/// A new TCP or TLS connection to the server that is to become the one to a peer: ConnectionBind
/// (RFC 6062 §4.3).
///
/// ```text
///   Binding ──success()──► Bound
///      └──refused(), time──► Failed
/// ```
///
/// The driver opens the connection, sends what [`poll_transmit`](Protocol::poll_transmit) has, cuts
/// what comes with `pc_net::Decoder`, and hands messages over until
/// [`state`](Self::state) is [`Bound`](DataConnectionState::Bound). From there on the bytes of the
/// connection are the peer's, those that came behind the answer first: the decoder's framing changes.
pub struct DataConnection {
    path: FiveTuple,
    connection: ConnectionId,
    auth: Auth,
    rng: ChaCha12Rng,
    timing: RequestTiming,
    transport: ServerTransport,
    state: DataConnectionState,
    open: Option<Open>,
    challenges: u8,
}

/// How far a [`DataConnection`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataConnectionState {
    /// The server is being asked.
    Binding,
    /// What comes and goes is the peer's.
    Bound,
    /// The connection is of no use: close it.
    Failed(ServerError),
}

/// The request under way.
struct Open {
    id: TransactionId,
    bytes: Box<[u8]>,
    schedule: Schedule,
    proof: Option<Proof>,
}

impl Client {
    /// Makes a new connection to the server, at `path`, the one to the peer that an event has told
    /// of; within 30 s (RFC 6062 §5.2). It uses the credentials of this client, and is otherwise on
    /// its own.
    ///
    /// # Errors
    ///
    /// There is no allocation any more.
    pub fn bind_connection(
        &mut self,
        connection: ConnectionId,
        path: FiveTuple,
    ) -> Result<DataConnection, Error> {
        if self.allocation().is_none() {
            return Err(Error::Closed);
        }
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let mut bound = DataConnection {
            path,
            connection,
            auth: self.auth.clone(),
            rng: ChaCha12Rng::from_seed(seed),
            timing: self.config.timing,
            transport: self.config.transport,
            state: DataConnectionState::Binding,
            open: None,
            challenges: 0,
        };
        bound.ask();
        Ok(bound)
    }
}

impl DataConnection {
    /// How far it is.
    pub const fn state(&self) -> &DataConnectionState {
        &self.state
    }

    /// The path of the new connection.
    pub const fn path(&self) -> FiveTuple {
        self.path
    }

    fn ask(&mut self) {
        let mut id = TransactionId([0; 12]);
        self.rng.fill_bytes(&mut id.0);
        let mut bytes = [0; MAX_REQUEST];
        let (class, method) = (Class::Request, Method::CONNECTION_BIND);
        let mut request = MessageBuilder::new(&mut bytes, class, method, id);
        request.attribute(Attribute::ConnectionId(self.connection.0));
        let proof = self.auth.sign(&mut request);
        let len = request.finish().unwrap_or(0);
        self.open = Some(Open {
            id,
            bytes: bytes.get(..len).unwrap_or_default().into(),
            schedule: Schedule::new(self.transport, self.timing),
            proof,
        });
    }

    fn receive(&mut self, route: FiveTuple, datagram: &[u8]) -> Result<(), Rejected> {
        if route != self.path {
            return Err(Rejected::UnknownPath);
        }
        let open = self.open.as_ref().ok_or(Rejected::Closed)?;
        let answer = MessageView::parse(datagram)?;
        if !matches!(answer.class(), Class::Success | Class::Error)
            || answer.method() != Method::CONNECTION_BIND
        {
            return Err(Rejected::UnexpectedMethod);
        }
        if answer.transaction_id() != open.id {
            return Err(Rejected::UnmatchedResponse);
        }
        let signed = open.proof.is_some();
        let state = match Verdict::on(&answer, open.proof.as_ref()) {
            Verdict::Discarded => return Err(Rejected::Unauthenticated),
            Verdict::Challenge(error) if self.challenges < MAX_CHALLENGES => {
                match self.auth.challenged(&answer, error, signed) {
                    Ok(()) => {
                        self.challenges += 1;
                        self.ask();
                        return Ok(());
                    }
                    Err(error) => DataConnectionState::Failed(error),
                }
            }
            Verdict::Challenge(_) => DataConnectionState::Failed(ServerError::TooManyChallenges),
            Verdict::Unsigned(claimed) => {
                DataConnectionState::Failed(ServerError::Integrity(claimed))
            }
            Verdict::Useless(error) => DataConnectionState::Failed(error),
            Verdict::Refused(error) => DataConnectionState::Failed(ServerError::Refused(error)),
            Verdict::Success => DataConnectionState::Bound,
        };
        self.open = None;
        self.state = state;
        Ok(())
    }
}

impl Protocol for DataConnection {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = std::convert::Infallible;
    type Rejected = Rejected;

    /// Takes a message that came on the connection, before it is bound.
    ///
    /// # Errors
    ///
    /// It is not the answer.
    fn handle_input(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Rejected> {
        self.handle_timeout(now);
        self.receive(route, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(open) = &mut self.open
            && open.schedule.advance(now)
        {
            self.open = None;
            self.state = DataConnectionState::Failed(ServerError::Timeout);
        }
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        self.handle_timeout(now);
        let open = self.open.as_mut().filter(|open| open.schedule.is_due())?;
        if out.is_full() {
            return None;
        }
        open.schedule.sent(now);
        let bytes = &open.bytes;
        out.datagram(bytes.len(), |place| place.copy_from_slice(bytes));
        Some(self.path)
    }

    /// There are none: [`state`](Self::state) says it all.
    fn poll_event(&mut self) -> Option<Self::Event> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.open.as_ref()?.schedule.next_timeout()
    }
}

impl fmt::Debug for DataConnection {
    /// Without password and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataConnection")
            .field("path", &self.path)
            .field("connection", &self.connection)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
