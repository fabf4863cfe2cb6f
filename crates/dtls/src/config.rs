use std::{fmt, time::Duration};

use crate::{Certificate, Fingerprint};

/// The smallest MTU in bytes that a handshake works with: every network carries IP packets of 576
/// bytes, of which 548 are left for UDP over IPv4 and 528 over IPv6.
pub const MIN_MTU: usize = 528;

/// Which side of the handshake an endpoint takes; `a=setup` decides (RFC 8842 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends the ClientHello: `a=setup:active`.
    Client,
    /// Waits for it: `a=setup:passive`.
    Server,
}

/// A protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// RFC 6347.
    Dtls12,
    /// RFC 9147.
    Dtls13,
}

impl Version {
    /// The number on the wire; W3C `tlsVersion` is its four hex digits.
    pub const fn id(self) -> u16 {
        match self {
            Self::Dtls12 => 0xFEFD,
            Self::Dtls13 => 0xFEFC,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dtls12 => "DTLS 1.2",
            Self::Dtls13 => "DTLS 1.3",
        })
    }
}

/// Which versions an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Versions {
    /// The newest that both sides speak. A client's ClientHello suits servers of either version.
    #[default]
    All,
    /// This one and no other.
    Only(Version),
}

/// A cipher suite, by its number in the IANA "TLS Cipher Suites" registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// The name in the registry, for those suites that this crate negotiates.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x1301 => "TLS_AES_128_GCM_SHA256",
            0x1302 => "TLS_AES_256_GCM_SHA384",
            0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
            0xC02B => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            0xC02C => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            0xC02F => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            0xC030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            _ => return None,
        })
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

/// What a connection is made from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// This endpoint's side of the handshake.
    pub role: Role,
    /// This endpoint's certificate.
    pub certificate: Certificate,
    /// The fingerprints that the signaling announced for the peer's certificate. Those of the
    /// strongest hash function decide, and any of them may match (RFC 8122 §5). May stay empty
    /// until [`crate::Connection::set_remote_fingerprints`].
    pub remote_fingerprints: Vec<Fingerprint>,
    /// The versions spoken; both unless there is a reason.
    pub versions: Versions,
    /// The longest datagram of the handshake in bytes of UDP payload; 1,200, as browsers have it.
    /// At least [`MIN_MTU`].
    pub mtu: usize,
    /// How long the first transmission of a flight waits for an answer; each further one waits
    /// twice as long, ±25 %. 100 ms: twice a round trip on most networks. A caller that has
    /// measured the round trip (ICE has) gives twice that, as RFC 9147 §5.8.2 allows.
    pub initial_rto: Duration,
    /// `None` but in tests. Takes the hello randoms and the jitter of timers from a seed; only its
    /// first eight bytes count. Keys and signatures come from the cryptographic library's own
    /// generator all the same, so a run can be replayed in its packets' order and times, save for
    /// a byte or two in the length of a signature, but not bit by bit.
    pub seed: Option<[u8; 32]>,
}

impl Config {
    /// The defaults.
    pub fn new(role: Role, certificate: Certificate) -> Self {
        Self {
            role,
            certificate,
            remote_fingerprints: Vec::new(),
            versions: Versions::All,
            mtu: 1200,
            initial_rto: Duration::from_millis(100),
            seed: None,
        }
    }
}
