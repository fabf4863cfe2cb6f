use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use pc_proto::{Protocol, TransmitBuf};

use crate::{
    Alert, CipherSuite, Config, Error, Fingerprint, MIN_MTU, Rejected, Role, SendError,
    SrtpKeyingMaterial, Version,
    carrier::Carrier,
    dialect::{Dialect, plain::Translation},
    hello::Reassembly,
    queue::Queue,
    record::Records,
};

mod input;
mod outcome;

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
    /// Between what travels and what the carrier understands.
    translation: Translation,
    fingerprints: Vec<Fingerprint>,
    peer_certificate: Option<Box<[u8]>>,
    /// The peer's certificate is one of those announced.
    verified: bool,
    /// It is not, which the end of the datagram at hand makes known.
    refused: bool,
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
    /// (RFC 5288 §3); DTLS 1.3 adds 22 for a client, 24 for a server.
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
        let own = config.certificate.kind();
        Ok(Self {
            role: config.role,
            state: State::New,
            carrier: Some(Carrier::new(now, &config)?),
            translation: Translation::new(Dialect::new(config.role, own), own),
            fingerprints: config.remote_fingerprints,
            peer_certificate: None,
            verified: false,
            refused: false,
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
        if self.refused {
            self.refuse_certificate(now);
        }
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
            Ok(()) => {
                // Into a datagram of its own: the carrier would add the next record to it, and
                // there are peers (aiortc 1.16) that read one record of a datagram only.
                self.advance(now);
                Ok(())
            }
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
        if self.refused {
            self.refuse_certificate(now);
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
            let _ = self.judge(now, &error);
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

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
