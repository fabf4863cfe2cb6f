use crate::{CertificateError, FingerprintError};

/// Why a connection failed, for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configured MTU leaves no room for a handshake; the least is [`crate::MIN_MTU`] bytes.
    #[error("an MTU of {mtu} bytes is too small for a handshake")]
    MtuTooSmall {
        /// The MTU in bytes.
        mtu: usize,
    },
    /// The cryptographic library refuses to work.
    #[error("the cryptographic library failed its self-test: {0}")]
    Provider(Box<str>),
    /// The peer's certificate is not one that the signaling announced (RFC 8122 §5, RFC 8827 §6.5).
    #[error("the peer's certificate does not match the fingerprint announced for it")]
    FingerprintMismatch,
    /// The peer's certificate is for a key that this crate has no use for: neither ECDSA on P-256 or
    /// P-384, nor RSA of 2,048 to 4,096 bits (RFC 3279's `rsaEncryption`).
    #[error("the peer's certificate is for a key of a kind that is not supported")]
    UnsupportedPeerKey,
    /// The handshake was not complete 30 seconds after it began.
    ///
    /// `alert` is the last fatal alert that came in the clear meanwhile. Anyone could have sent it,
    /// so it ends nothing, but it may say why the peer stopped answering.
    #[error("the handshake timed out{}", alert.map(|alert| format!(", the peer said: {alert}")).unwrap_or_default())]
    HandshakeTimeout {
        /// What the peer, or someone else, gave as the reason.
        alert: Option<Alert>,
    },
    /// The peer ended the connection with a fatal alert, and it was authentic.
    #[error("the peer ended the connection: {0}")]
    PeerAlert(Alert),
    /// The handshake cannot succeed: nothing in common, or a message that breaks the protocol.
    #[error("the handshake failed: {0}")]
    Handshake(Box<str>),
    /// The sequence numbers or keys of a direction are used up, or the cryptography failed.
    #[error("the record layer failed: {0}")]
    Record(Box<str>),
    /// See [`CertificateError`].
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// See [`FingerprintError`].
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
}

/// Why a datagram, or every record in it, was dropped.
///
/// Dropping changes no state of the connection. A datagram of several records is rejected only when
/// none of them was of use; the reason is then that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// An empty datagram.
    #[error("empty datagram")]
    Empty,
    /// A record whose header or body is cut off.
    #[error("truncated record")]
    Truncated,
    /// A datagram or record longer than any that is legitimate at this point.
    #[error("oversize record")]
    Oversize,
    /// The first byte is neither a content type nor a unified header (RFC 9147 §4.1).
    #[error("not DTLS")]
    NotDtls,
    /// A record with a version in its header that none has: DTLS 1.2, or 1.0 in the clear, is what
    /// every version of the protocol writes there.
    #[error("unknown record version")]
    Version,
    /// A record of an epoch that does not exist here.
    #[error("unknown epoch")]
    Epoch,
    /// A unified header with a connection ID, which was not negotiated (RFC 9147 §4).
    #[error("unexpected connection ID")]
    ConnectionId,
    /// A record in the clear that has no place after encryption began, or never has.
    #[error("plaintext record")]
    Plaintext,
    /// An alert in the clear, which anyone could have sent (RFC 6347 §4.1.2.7).
    #[error("unauthenticated alert")]
    UnauthenticatedAlert(Alert),
    /// A handshake message, in the clear, that is ill-formed: a fragment outside its message, of
    /// zero length, or of a message too long.
    #[error("ill-formed handshake fragment")]
    Fragment,
    /// A handshake message, in the clear, that has no place in this role or state, or not under
    /// its number.
    #[error("unexpected handshake message")]
    UnexpectedMessage,
    /// A ClientHello that differs from the one this handshake began with.
    #[error("a different ClientHello")]
    DifferentClientHello,
    /// A ClientHello that no handshake can begin with.
    #[error("unacceptable ClientHello")]
    UnacceptableClientHello,
    /// A protected record that did not authenticate, was a replay, or was of no use.
    #[error("unauthenticated, replayed or ineffective record")]
    Protected,
    /// The peer asked for a new handshake on the same connection, which is never granted (RFC 8827
    /// §6.5 and RFC 9147 §4).
    #[error("renegotiation")]
    Renegotiation,
    /// No room: data waits to be read with [`crate::Connection::poll_data`], or arrived before the
    /// peer's certificate was verified, or the handshake was flooded.
    #[error("no room")]
    QueueFull,
    /// The client has not sent its ClientHello yet.
    #[error("the handshake has not begun")]
    NotStarted,
    /// The connection is closed or has failed.
    #[error("the connection is over")]
    Over,
}

/// Why a record was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The connection is not established, or no longer.
    #[error("the connection is not established")]
    NotConnected,
    /// More bytes than a record may carry (RFC 6347 §4.1.1).
    #[error("{len} bytes do not fit into a record, {limit} do")]
    TooLarge {
        /// The length in bytes.
        len: usize,
        /// The most bytes of plaintext in one record.
        limit: usize,
    },
    /// Too many datagrams wait to be sent: call `poll_transmit` first.
    #[error("too many datagrams wait to be sent")]
    Full,
}

/// An alert's description, RFC 8446 §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert(pub u8);

impl Alert {
    /// RFC 5246 §7.2.2: the certificate was corrupt or not the expected one.
    pub const BAD_CERTIFICATE: Self = Self(42);

    /// RFC 5246 §7.2.2: the certificate was of an unsupported type.
    pub const UNSUPPORTED_CERTIFICATE: Self = Self(43);

    /// The description's name in the IANA "TLS Alerts" registry.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl std::fmt::Display for Alert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}
