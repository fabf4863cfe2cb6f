use std::{fmt, time::Duration};

use pc_proto::FiveTuple;

use crate::{Error, Redirects, RequestTiming, ServerTransport};

/// A user name is shorter than 509 bytes (RFC 8489 §14.3).
const MAX_USERNAME: usize = 508;
/// The longest SOFTWARE (RFC 8489 §14.14).
const MAX_SOFTWARE: usize = 763;

/// Long-term credentials of a TURN server (RFC 8489 §9.2), as the W3C's `RTCIceServer` has them.
///
/// Both are used as they are: who has some that are not ASCII prepares them first (OpaqueString,
/// RFC 8265).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who asks: 1 to 508 bytes.
    pub username: String,
    /// The secret.
    pub password: String,
}

impl Credentials {
    /// Of a user name and a password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What an allocation relays: REQUESTED-TRANSPORT (RFC 8656 §18.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RelayedTransport {
    /// Datagrams.
    #[default]
    Udp,
    /// TCP connections (RFC 6062); the server must be reached over TCP or TLS.
    Tcp,
}

impl RelayedTransport {
    /// The number of the IP protocol.
    pub(super) const fn protocol(self) -> u8 {
        match self {
            Self::Udp => 17,
            Self::Tcp => 6,
        }
    }
}

/// The relayed addresses to ask for (RFC 8656 §18.6, §18.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Families {
    /// One of IPv4, which a server gives when nothing is said (RFC 8656 §7.2).
    #[default]
    V4,
    /// One of IPv6: REQUESTED-ADDRESS-FAMILY.
    V6,
    /// One of whichever family the server gives to who names none. IPv6 is asked for where it has no
    /// IPv4.
    Any,
    /// One of each that the server has: ADDITIONAL-ADDRESS-FAMILY. Where that is refused, as by coturn
    /// with `external-ip`, what [`Any`](Self::Any) gives, a round trip later.
    Both,
}

/// The relayed port to ask for (RFC 8656 §18.7, §18.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RelayedPort {
    /// Any.
    #[default]
    Any,
    /// An even one: EVEN-PORT.
    Even,
    /// An even one, with the next reserved for another allocation: EVEN-PORT with the R bit.
    EvenAndNext,
    /// The one that was reserved: RESERVATION-TOKEN.
    Reserved([u8; 8]),
}

/// Why an Allocate request cannot ask for everything that a [`Config`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// RFC 8489 §14.14
    #[error("SOFTWARE has at most 763 bytes")]
    SoftwareLength,
    /// RFC 8656 §7.1
    #[error("a reserved port is of the address family with which it was reserved")]
    ReservedFamily,
    /// RFC 8656 §7.1
    #[error("no port is reserved in two address families at once")]
    ReserveInBoth,
    /// RFC 6062 §4.1
    #[error("TCP is relayed only for clients that come over TCP or TLS")]
    TcpOverDatagrams,
    /// RFC 6062 §4.1
    #[error("even and reserved ports and the DF bit are for relayed datagrams")]
    TcpWithUdpOptions,
}

/// What a [`Client`](super::Client) is made from.
#[derive(Clone)]
pub struct Config {
    /// The socket, as its owner names it, and the server.
    pub path: FiveTuple,
    /// How the server is reached.
    pub transport: ServerTransport,
    /// The user name and the password.
    pub credentials: Credentials,
    /// Everything random comes from it: it must be unpredictable, and never be used twice.
    pub seed: [u8; 32],
    /// Datagrams or TCP connections.
    pub relayed: RelayedTransport,
    /// Which relayed addresses to ask for.
    pub families: Families,
    /// Which relayed port to ask for.
    pub port: RelayedPort,
    /// Whether datagrams are to be relayed with the DF bit: DONT-FRAGMENT (RFC 8656 §18.9). A server
    /// that cannot refuses the allocation with 420.
    pub dont_fragment: bool,
    /// How long the allocation is to last without a refresh; `None` leaves it to the server
    /// (RFC 8656 §18.2). It is refreshed in time in either case.
    pub lifetime: Option<Duration>,
    /// Whether to ask for a ticket with which the allocation can move to another path:
    /// MOBILITY-TICKET (RFC 8016). [`Client::move_to`](super::Client::move_to) uses it. A server that
    /// forbids it (405, as coturn does unless it is told otherwise) is asked once more without, which
    /// takes another round trip; one that knows nothing of it gives no ticket.
    pub mobility: bool,
    /// SOFTWARE in every request, at most 763 bytes.
    pub software: Option<String>,
    /// Retransmission and patience.
    pub timing: RequestTiming,
    /// The servers that have redirected to this one.
    pub redirects: Redirects,
}

impl Config {
    /// One relayed IPv4 address for datagrams.
    pub fn new(
        path: FiveTuple,
        transport: ServerTransport,
        credentials: Credentials,
        seed: [u8; 32],
    ) -> Self {
        Self {
            path,
            transport,
            credentials,
            seed,
            relayed: RelayedTransport::default(),
            families: Families::default(),
            port: RelayedPort::default(),
            dont_fragment: false,
            lifetime: None,
            mobility: false,
            software: None,
            timing: RequestTiming::default(),
            redirects: Redirects::new(),
        }
    }

    /// Whether an Allocate request may say all of this (RFC 8656 §7.1, RFC 6062 §4.1).
    pub(super) fn check(&self) -> Result<(), Error> {
        if !(1..=MAX_USERNAME).contains(&self.credentials.username.len()) {
            return Err(Error::InvalidUsername);
        }
        let too_long = |software: &String| software.len() > MAX_SOFTWARE;
        if self.software.as_ref().is_some_and(too_long) {
            return Err(Error::ImpossibleAllocation(Conflict::SoftwareLength));
        }
        let reserved = matches!(self.port, RelayedPort::Reserved(_));
        if reserved && self.families != Families::V4 {
            return Err(Error::ImpossibleAllocation(Conflict::ReservedFamily));
        }
        if self.port == RelayedPort::EvenAndNext && self.families == Families::Both {
            return Err(Error::ImpossibleAllocation(Conflict::ReserveInBoth));
        }
        if self.relayed == RelayedTransport::Udp {
            return Ok(());
        }
        if !self.transport.is_stream() {
            return Err(Error::ImpossibleAllocation(Conflict::TcpOverDatagrams));
        }
        if self.port != RelayedPort::Any || self.dont_fragment {
            return Err(Error::ImpossibleAllocation(Conflict::TcpWithUdpOptions));
        }
        Ok(())
    }
}

impl fmt::Debug for Config {
    /// Without the seed and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("transport", &self.transport)
            .field("credentials", &self.credentials)
            .field("relayed", &self.relayed)
            .field("families", &self.families)
            .field("port", &self.port)
            .field("lifetime", &self.lifetime)
            .field("mobility", &self.mobility)
            .finish_non_exhaustive()
    }
}
