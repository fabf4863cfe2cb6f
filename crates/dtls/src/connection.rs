use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use pc_proto::{Protocol, TransmitBuf};
use sha2::{Digest, Sha256};

use crate::{
    Alert, CipherSuite, Config, Error, Fingerprint, MIN_MTU, Rejected, Role, SendError,
    SrtpKeyingMaterial, Version,
    carrier::{Carrier, Output},
    fingerprint,
    gate::{Admitted, Gate},
    hello::{self, Fragment, Reassembly},
    provider,
    queue::Queue,
    record::{self, Header, Record, Records, content_type},
};

/// How long a handshake may take, from the first ClientHello on.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many datagrams wait to be sent before [`Connection::send`] refuses more.
pub(crate) const MAX_WAITING_DATAGRAMS: usize = 1024;

/// How many bytes of decrypted records wait to be read; more are dropped, as a network would.
const MAX_WAITING_DATA: usize = 1 << 20;

/// How many records are kept that come before the peer's certificate could be verified.
const MAX_UNVERIFIED_RECORDS: usize = 16;

/// The longest datagram taken during the handshake, in bytes: several times what networks carry.
const MAX_HANDSHAKE_DATAGRAM: usize = 4096;

/// The most plaintext that one record carries, in bytes: RFC 6347 §4.1.1, RFC 9147 §4.
const MAX_PLAINTEXT: usize = 1 << 14;

/// Where a connection stands.
///
/// ```text
///          poll_transmit (client)                  certificate verified
///  +-----+ handle_input (server)   +------------+  and handshake done     +-----------+
///  | New |------------------------>| Connecting |------------------------>| Connected |
///  +-----+                         +------------+                         +-----------+
///     |                              |        |                            |         |
///     | close                  close |        | handle_timeout,      close,|         | fatal
///     |                              |        | handle_input,  close_notify|         | alert
///     v                              v        v set_remote_…               v         v
///  +--------+<-----------------------+    +--------+                 +--------+  +--------+
///  | Closed |                             | Failed |                 | Closed |  | Failed |
///  +--------+                             +--------+                 +--------+  +--------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has been sent or received.
    New,
    /// The handshake is under way, or done with a peer whose certificate is not verified yet.
    Connecting,
    /// Data flows.
    Connected,
    /// Closed by either side.
    Closed,
    /// Failed; [`Event::Failed`] told why.
    Failed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is complete and the peer's certificate is the announced one: data may be sent,
    /// keys may be exported.
    Connected,
    /// Either side closed the connection. What came before can still be read.
    Closed,
    /// The connection failed, for good.
    Failed(Error),
}

const _: () = assert!(size_of::<Event>() <= 80);

/// One DTLS connection, from handshake to close; see the [crate documentation](crate).
pub struct Connection {
    role: Role,
    state: State,
    /// Gone once the connection is over.
    carrier: Option<Carrier>,
    fingerprints: Vec<Fingerprint>,
    peer_certificate: Option<Box<[u8]>>,
    /// The peer's certificate is one of those announced.
    verified: bool,
    /// The handshake is complete on this side.
    established: bool,
    /// The peer sent data, so the handshake is complete on its side.
    confirmed: bool,
    keys: Option<SrtpKeyingMaterial>,
    cipher_suite: Option<CipherSuite>,
    version: Option<Version>,
    reassembly: Reassembly,
    /// Number and hash of each ClientHello that was accepted: one, or two after a
    /// HelloRetryRequest.
    hellos: Vec<(u16, [u8; 32])>,
    /// The last fatal alert that came in the clear.
    alert: Option<Alert>,
    /// The highest sequence number sent in the clear.
    plaintext_sequence: u64,
    received: Queue,
    /// What [`Connection::poll_data`] lent out last.
    lent: Vec<u8>,
    /// How many records with data have come, dropped ones included.
    data_records: u64,
    sending: Queue,
    events: VecDeque<Event>,
}

impl Connection {
    /// The most bytes that a record adds to its plaintext: header 13, nonce 8, tag 16 in DTLS 1.2
    /// (RFC 5288 §3); DTLS 1.3 adds 22.
    pub const RECORD_OVERHEAD: usize = 37;

    /// A connection that has not begun. A client begins with the first
    /// [`poll_transmit`](Protocol::poll_transmit), a server with the first ClientHello.
    ///
    /// # Errors
    ///
    /// [`Error::MtuTooSmall`], or the cryptographic library does not work ([`Error::Provider`]).
    pub fn new(now: Instant, config: Config) -> Result<Self, Error> {
        if config.mtu < MIN_MTU {
            return Err(Error::MtuTooSmall { mtu: config.mtu });
        }
        Ok(Self {
            role: config.role,
            state: State::New,
            carrier: Some(Carrier::new(now, &config)?),
            fingerprints: config.remote_fingerprints,
            peer_certificate: None,
            verified: false,
            established: false,
            confirmed: false,
            keys: None,
            cipher_suite: None,
            version: None,
            reassembly: Reassembly::default(),
            hellos: Vec::new(),
            alert: None,
            plaintext_sequence: 0,
            received: Queue::default(),
            lent: Vec::new(),
            data_records: 0,
            sending: Queue::default(),
            events: VecDeque::new(),
        })
    }

    /// Sets the fingerprints that the peer's certificate must match, when they were not known at
    /// construction, or replaces them. An empty list changes nothing.
    ///
    /// A server may thus take part in a handshake before the answer with the fingerprint has come:
    /// until it has, there is no [`Event::Connected`], no key and no data (up to 16 records wait).
    /// A peer that is connected already is verified again.
    pub fn set_remote_fingerprints(&mut self, now: Instant, fingerprints: Vec<Fingerprint>) {
        if fingerprints.is_empty() || self.is_over() {
            return;
        }
        self.fingerprints = fingerprints;
        self.verify(now);
        self.advance(now);
    }

    /// Sends `plaintext` in one record.
    ///
    /// # Errors
    ///
    /// Nothing was sent, and why. None of them ends the connection.
    pub fn send(&mut self, now: Instant, plaintext: &[u8]) -> Result<(), SendError> {
        let (State::Connected, Some(carrier)) = (self.state, &mut self.carrier) else {
            return Err(SendError::NotConnected);
        };
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(SendError::TooLarge {
                len: plaintext.len(),
                limit: MAX_PLAINTEXT,
            });
        }
        if self.sending.len() >= MAX_WAITING_DATAGRAMS {
            return Err(SendError::Full);
        }
        match carrier.send(plaintext) {
            Ok(()) => Ok(()),
            Err(dimpl::Error::TransmitQueueFull) => Err(SendError::Full),
            Err(error) => {
                self.fail(Error::Record(error.to_string().into()));
                self.advance(now);
                Err(SendError::NotConnected)
            }
        }
    }

    /// The plaintext of the next record that came, in the order of arrival.
    ///
    /// It may be changed in place; the memory is used again by the next call.
    pub fn poll_data(&mut self) -> Option<&mut [u8]> {
        if !self.verified {
            return None;
        }
        let next = self.received.pop()?;
        let read = std::mem::replace(&mut self.lent, next);
        self.received.recycle(read);
        Some(&mut self.lent)
    }

    /// Says goodbye and ends the connection. What was sent before still leaves by
    /// [`poll_transmit`](Protocol::poll_transmit).
    pub fn close(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        if let Some(carrier) = self.carrier.as_mut().filter(|_| self.established) {
            carrier.close();
            self.drain_packets(now);
        }
        self.end(State::Closed, Event::Closed);
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The side that this endpoint takes.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The version negotiated, as soon as it is.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// The cipher suite negotiated, once connected.
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        self.cipher_suite.filter(|_| self.was_connected())
    }

    /// The peer's certificate in DER, once connected, hence verified.
    pub fn remote_certificate(&self) -> Option<&[u8]> {
        self.peer_certificate
            .as_deref()
            .filter(|_| self.was_connected())
    }

    /// The keys for SRTP, while connected, when the peer offered or chose a profile (RFC 5764).
    pub fn srtp_keying_material(&self) -> Option<&SrtpKeyingMaterial> {
        self.keys
            .as_ref()
            .filter(|_| self.state == State::Connected)
    }
}

impl Protocol for Connection {
    type Route = ();
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    /// Takes one datagram; what it brings is read with [`Connection::poll_data`].
    fn handle_input(&mut self, now: Instant, (): (), datagram: &mut [u8]) -> Result<(), Rejected> {
        self.check_datagram(datagram)?;
        self.handle_timeout(now);
        let (mut first_rejected, mut taken) = (None, false);
        for record in Records::new(datagram) {
            if self.is_over() {
                break;
            }
            match record.and_then(|record| self.handle_record(now, &record)) {
                Ok(()) => taken = true,
                Err(reason) => first_rejected = first_rejected.or(Some(reason)),
            }
        }
        match first_rejected {
            Some(reason) if !taken => Err(reason),
            _ => Ok(()),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.state == State::New && self.role == Role::Client {
            return;
        }
        let Some(carrier) = &mut self.carrier else {
            return;
        };
        if let Err(error) = carrier.handle_timeout(now) {
            // What is not fatal has no one to be told to.
            let _ = self.judge(&error);
        }
        self.advance(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        let before = out.len();
        if self.state == State::New && self.role == Role::Client {
            self.state = State::Connecting;
            self.handle_timeout(now);
        }
        self.sending.transmit(out);
        if !out.is_full() {
            self.advance(now);
            self.sending.transmit(out);
        }
        (out.len() > before).then_some(())
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.carrier.as_ref()?.timeout()
    }
}

/// What comes in.
impl Connection {
    fn check_datagram(&self, datagram: &[u8]) -> Result<(), Rejected> {
        if self.is_over() {
            return Err(Rejected::Over);
        }
        if self.state == State::New && self.role == Role::Client {
            return Err(Rejected::NotStarted);
        }
        if datagram.is_empty() {
            return Err(Rejected::Empty);
        }
        if !self.established && datagram.len() > MAX_HANDSHAKE_DATAGRAM {
            return Err(Rejected::Oversize);
        }
        Ok(())
    }

    fn handle_record(&mut self, now: Instant, record: &Record<'_>) -> Result<(), Rejected> {
        let gate = Gate {
            role: self.role,
            version: self.version,
            established: self.established,
            confirmed: self.confirmed,
        };
        match gate.admit(record) {
            Ok(Admitted::Record) => self.feed(now, record.bytes),
            Ok(Admitted::ServerHello(hello)) => {
                let suite = hello::selected_cipher_suite(hello.body);
                self.cipher_suite = self.cipher_suite.or(suite);
                self.feed(now, record.bytes)
            }
            Ok(Admitted::ClientHello(fragments)) => {
                let sequence = match record.header {
                    Header::Fixed { sequence, .. } => sequence,
                    Header::Unified => 0,
                };
                fragments
                    .iter()
                    .try_for_each(|fragment| self.take_client_hello(now, sequence, fragment))
            }
            Err(reason) => {
                if let (Rejected::UnauthenticatedAlert(alert), false) = (reason, self.established) {
                    self.alert = Some(alert);
                }
                Err(reason)
            }
        }
    }

    /// Hands one record on, and finds out whether it had any effect.
    fn feed(&mut self, now: Instant, record: &[u8]) -> Result<(), Rejected> {
        let Some(carrier) = &mut self.carrier else {
            return Err(Rejected::Over);
        };
        let before = (carrier.timeout(), self.data_records, self.sending.len());
        let was_established = self.established;
        let kept = self.received.len();
        let result = carrier.handle_record(record);
        let verdict = result.map_or_else(|error| self.judge(&error), Ok);
        self.advance(now);
        verdict?;
        let timeout = self.poll_timeout();
        let after = (timeout, self.data_records, self.sending.len());
        if !was_established || self.is_over() {
            return Ok(());
        }
        if before == after {
            return Err(Rejected::Protected);
        }
        if after.1 > before.1 && self.received.len() == kept {
            return Err(Rejected::QueueFull);
        }
        Ok(())
    }

    /// Collects a ClientHello, and begins the handshake once it is complete.
    fn take_client_hello(
        &mut self,
        now: Instant,
        sequence: u64,
        fragment: &Fragment<'_>,
    ) -> Result<(), Rejected> {
        let Some(message) = self.reassembly.push(fragment) else {
            return Ok(());
        };
        let hash: [u8; 32] = Sha256::digest(&message).into();
        let number = fragment.message_seq;
        let known = self.hellos.iter().find(|(other, _)| *other == number);
        match known {
            Some((_, other)) if *other != hash => return Err(Rejected::DifferentClientHello),
            Some(_) => return self.feed(now, &hello::handshake_record(sequence, &message)),
            None => {}
        }
        let Some(carrier) = &mut self.carrier else {
            return Err(Rejected::Over);
        };
        let sent = self.sending.len();
        let result = carrier.handle_record(&hello::handshake_record(sequence, &message));
        if self.hellos.is_empty() {
            // Nothing has been promised to anyone yet, so a bad start costs nothing.
            if result.is_ok() {
                self.advance(now);
            }
            if self.sending.len() == sent {
                if let Some(carrier) = &mut self.carrier {
                    carrier.reset(now);
                    let _ = carrier.handle_timeout(now);
                }
                self.version = None;
                return Err(Rejected::UnacceptableClientHello);
            }
            self.state = State::Connecting;
        } else {
            result.or_else(|error| self.judge(&error))?;
            self.advance(now);
            if self.sending.len() == sent {
                return Err(Rejected::UnacceptableClientHello);
            }
        }
        self.hellos.push((number, hash));
        Ok(())
    }

    /// Whether an error ends the connection, which it does here, or only a record.
    ///
    /// `dimpl` calls every error fatal; those that end only a record here are the ones it returns
    /// before it has changed anything.
    fn judge(&mut self, error: &dimpl::Error) -> Result<(), Rejected> {
        use dimpl::{CryptoError, CryptoOperation, Error as Carried, SecurityError};
        let fatal = match error {
            Carried::CryptoError(
                CryptoError::OperationFailed(CryptoOperation::Decrypt)
                | CryptoError::CiphertextTooShort { .. },
            ) => return Err(Rejected::Protected),
            Carried::RenegotiationAttempt => return Err(Rejected::Renegotiation),
            Carried::ReceiveQueueFull
            | Carried::TransmitQueueFull
            | Carried::TransmitHistoryFull => return Err(Rejected::QueueFull),
            Carried::UnexpectedMessage(
                dimpl::UnexpectedMessageError::UnrecognizedAutoServerResponse,
            ) => return Err(Rejected::UnexpectedMessage),
            Carried::ConnectionClosed => return Err(Rejected::Over),
            // Those in the clear do not come this far.
            Carried::SecurityError(SecurityError::FatalAlert { description }) => {
                Error::PeerAlert(Alert(*description))
            }
            Carried::Timeout(_) if !self.established => {
                Error::HandshakeTimeout { alert: self.alert }
            }
            other if self.established => Error::Record(other.to_string().into()),
            other => Error::Handshake(other.to_string().into()),
        };
        self.fail(fatal);
        Err(Rejected::Over)
    }
}

/// What comes of it.
impl Connection {
    /// Takes over whatever the carrier has to say.
    fn advance(&mut self, now: Instant) {
        let mut peer_closed = false;
        while let Some(output) = self.carrier.as_mut().and_then(|carrier| carrier.next(now)) {
            match output {
                Output::Packet(bytes) => {
                    provider::write_explicit_nonces(bytes);
                    self.plaintext_sequence = self.plaintext_sequence.max(last_plaintext(bytes));
                    if self.cipher_suite.is_none() && self.role == Role::Server {
                        self.cipher_suite = sent_cipher_suite(bytes);
                    }
                    if self.sending.len() < MAX_WAITING_DATAGRAMS {
                        self.sending.push(bytes);
                    }
                }
                Output::PeerCertificate(der) => {
                    self.peer_certificate = Some(der.into());
                    self.verify(now);
                }
                Output::Established => self.established = true,
                Output::Keys(keys) => self.keys = keys,
                Output::Data(bytes) => {
                    self.confirmed = true;
                    self.data_records += 1;
                    let room = self.verified || self.received.len() < MAX_UNVERIFIED_RECORDS;
                    if room && self.received.bytes() + bytes.len() <= MAX_WAITING_DATA {
                        self.received.push(bytes);
                    }
                }
                Output::CloseNotify => peer_closed = true,
            }
        }
        if let Some(carrier) = &self.carrier {
            self.version = carrier.version();
        }
        self.connect();
        if peer_closed {
            self.close(now);
        }
    }

    /// Compares the peer's certificate with the fingerprints, as soon as there are both.
    fn verify(&mut self, now: Instant) {
        let Some(certificate) = self.peer_certificate.as_deref() else {
            return;
        };
        if self.fingerprints.is_empty() || self.is_over() {
            return;
        }
        self.verified = fingerprint::matches(&self.fingerprints, certificate);
        if !self.verified {
            self.refuse_certificate(now);
        }
    }

    /// Tells the peer, as far as there is a way, that its certificate is not the announced one.
    ///
    /// As long as nothing is encrypted, that is a `bad_certificate` alert in the clear. After the
    /// handshake it is a `close_notify`, the only alert that `dimpl` sends. A DTLS 1.3 client in
    /// the middle of a handshake stays silent: it must not complete it.
    fn refuse_certificate(&mut self, now: Instant) {
        let version = self.carrier.as_ref().and_then(Carrier::version);
        if self.established {
            if let Some(carrier) = &mut self.carrier {
                carrier.close();
            }
            self.drain_packets(now);
        } else if version == Some(Version::Dtls12) {
            // Not below the numbers of a flight that was prepared but never left.
            let sequence = self.plaintext_sequence + 16;
            let alert = [2, Alert::BAD_CERTIFICATE.0];
            let record = record::plaintext(content_type::ALERT, sequence, &[&alert]);
            self.sending.push(&record);
        } else if self.role == Role::Server {
            // The client completed the handshake with its last flight, which this one came with.
            if let Some(carrier) = &mut self.carrier {
                carrier.close();
            }
            self.drain_packets(now);
        }
        self.fail(Error::FingerprintMismatch);
    }

    fn connect(&mut self) {
        let done = self.established && self.verified;
        if done && matches!(self.state, State::New | State::Connecting) {
            self.state = State::Connected;
            self.events.push_back(Event::Connected);
            self.reassembly = Reassembly::default();
            if let Some(carrier) = &mut self.carrier {
                carrier.handshake_done();
            }
        }
    }

    /// Takes over what is to be sent, and nothing else.
    fn drain_packets(&mut self, now: Instant) {
        while let Some(output) = self.carrier.as_mut().and_then(|carrier| carrier.next(now)) {
            if let Output::Packet(bytes) = output {
                provider::write_explicit_nonces(bytes);
                self.sending.push(bytes);
            }
        }
    }

    fn fail(&mut self, error: Error) {
        if !self.is_over() {
            self.received.clear();
            self.end(State::Failed, Event::Failed(error));
        }
    }

    fn end(&mut self, state: State, event: Event) {
        self.state = state;
        self.events.push_back(event);
        self.carrier = None;
        self.keys = None;
        self.reassembly = Reassembly::default();
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Closed | State::Failed)
    }

    fn was_connected(&self) -> bool {
        self.established && self.verified
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The highest sequence number in the clear in a datagram, 0 when there is none.
fn last_plaintext(datagram: &[u8]) -> u64 {
    let sequence = |record: Result<Record<'_>, Rejected>| match record.ok()?.header {
        Header::Fixed {
            epoch: 0, sequence, ..
        } => Some(sequence),
        _ => None,
    };
    Records::new(datagram)
        .filter_map(sequence)
        .max()
        .unwrap_or(0)
}

/// The cipher suite of the ServerHello that a datagram begins with.
fn sent_cipher_suite(datagram: &[u8]) -> Option<CipherSuite> {
    let first = Records::new(datagram).next()?.ok()?;
    let fragments = hello::fragments(first.fragment).ok()?;
    let hello = fragments.first()?;
    (hello.message_type == hello::message_type::SERVER_HELLO && hello.is_whole())
        .then(|| hello::selected_cipher_suite(hello.body))
        .flatten()
}
