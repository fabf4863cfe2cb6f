//! The typed attributes, [RFC 8489 §14](https://www.rfc-editor.org/rfc/rfc8489#section-14),
//! [RFC 8656 §18](https://www.rfc-editor.org/rfc/rfc8656#section-18).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             type              |  length without the padding   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  value, padded to a multiple of 4 bytes                     ...
//! ```

mod address;
mod decode;
mod encode;
mod error_code;
mod list;

use std::net::SocketAddr;

pub use address::AddressFamily;
pub use error_code::ErrorCode;
pub use list::{Acks, PasswordAlgorithmEntry, PasswordAlgorithms, UnknownAttributes};

use crate::AttributeType;

/// Bytes of an attribute's type and length. RFC 8489 §14.
pub(crate) const ATTRIBUTE_HEADER_LEN: usize = 4;

/// One attribute: a type and its decoded value, borrowed from the message or the caller.
///
/// Text is UTF-8; who compares or hashes it prepares it first (OpaqueString, RFC 8265).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// The sender's address as the receiver saw it, in the clear. RFC 8489 §14.1
    MappedAddress(SocketAddr),
    /// The sender's address as the receiver saw it. RFC 8489 §14.2
    XorMappedAddress(SocketAddr),
    /// Who sends, at most 508 bytes; `remote:local` ufrags in an ICE check. RFC 8489 §14.3
    Username(&'a str),
    /// SHA-256 of `username:realm` in its stead. RFC 8489 §14.4
    UserHash(&'a [u8; 32]),
    /// HMAC-SHA1 of what precedes it; only a builder's `integrity` writes it. RFC 8489 §14.5
    MessageIntegrity(&'a [u8; 20]),
    /// HMAC-SHA256 of what precedes it, 16 to 32 bytes, a multiple of 4; only a builder's
    /// `integrity_sha256` writes it. RFC 8489 §14.6
    MessageIntegritySha256(&'a [u8]),
    /// CRC-32 of what precedes it, already XORed; only a builder's `fingerprint` writes it.
    /// RFC 8489 §14.7
    Fingerprint(u32),
    /// Why a request failed. RFC 8489 §14.8
    ErrorCode(ErrorCode<'a>),
    /// The realm of long-term credentials, at most 763 bytes. RFC 8489 §14.9
    Realm(&'a str),
    /// The server's nonce, at most 763 bytes. RFC 8489 §14.10
    Nonce(&'a str),
    /// What the server offers, best first. RFC 8489 §14.11
    PasswordAlgorithms(PasswordAlgorithms<'a>),
    /// What the client chose. RFC 8489 §14.12
    PasswordAlgorithm(PasswordAlgorithmEntry<'a>),
    /// The types that made a server answer 420. RFC 8489 §14.13
    UnknownAttributes(UnknownAttributes<'a>),
    /// The sender's product, at most 763 bytes. RFC 8489 §14.14
    Software(&'a str),
    /// Where to try instead. RFC 8489 §14.15
    AlternateServer(SocketAddr),
    /// The name to check in that server's certificate, at most 255 bytes. RFC 8489 §14.16
    AlternateDomain(&'a str),

    /// The priority a peer-reflexive candidate would get. RFC 8445 §16.1
    Priority(u32),
    /// The controlling agent nominates this pair. RFC 8445 §16.1
    UseCandidate,
    /// The sender is controlled; its tie-breaker. RFC 8445 §16.1
    IceControlled(u64),
    /// The sender is controlling; its tie-breaker. RFC 8445 §16.1
    IceControlling(u64),
    /// Nominates this pair over all with a lower number. draft-thatcher-ice-renomination
    Nomination(u32),
    /// The network that a check comes over, at the sender's end: its number in the high 16 bits, its
    /// cost in the low ones. libwebrtc, for draft-thatcher-ice-network-cost
    GoogNetworkInfo {
        /// Which of the sender's networks.
        id: u16,
        /// Its cost, 0 (best) to 999; a peer may claim more.
        cost: u16,
    },
    /// A DTLS datagram. libwebrtc's SPED
    MetaDtlsInStun(&'a [u8]),
    /// CRC-32s of DTLS datagrams that have arrived; may be empty. libwebrtc's SPED
    MetaDtlsInStunAck(Acks<'a>),

    /// The channel to bind. RFC 8656 §18.1
    ChannelNumber(u16),
    /// How long an allocation lasts, in seconds. RFC 8656 §18.2
    Lifetime(u32),
    /// A peer of the allocation; may occur several times. RFC 8656 §18.3
    XorPeerAddress(SocketAddr),
    /// What is relayed. RFC 8656 §18.4
    Data(&'a [u8]),
    /// The allocation's address. RFC 8656 §18.5
    XorRelayedAddress(SocketAddr),
    /// The family an allocation is to have. RFC 8656 §18.6
    RequestedAddressFamily(AddressFamily),
    /// The relayed port is to be even. RFC 8656 §18.7
    EvenPort {
        /// Whether the next port is to be reserved too.
        reserve: bool,
    },
    /// The IP protocol of the allocation, 17 for UDP. RFC 8656 §18.8
    RequestedTransport(u8),
    /// Relay with the DF bit set. RFC 8656 §18.9
    DontFragment,
    /// Names a reserved port. RFC 8656 §18.10
    ReservationToken(&'a [u8; 8]),
    /// A second family for the allocation. RFC 8656 §18.11
    AdditionalAddressFamily(AddressFamily),
    /// Why one of two families was not allocated. RFC 8656 §18.12
    AddressErrorCode(AddressFamily, ErrorCode<'a>),
    /// An ICMP error that a peer's network sent. RFC 8656 §18.13
    Icmp {
        /// The ICMP type, 7 bits.
        kind: u8,
        /// The ICMP code, 9 bits.
        code: u16,
        /// The MTU of a "packet too big", or zero.
        data: [u8; 4],
    },
    /// Names a TCP connection of a peer. RFC 6062 §6.2.1
    ConnectionId(u32),
    /// Lets an allocation move to another 5-tuple; empty where one is asked for. RFC 8016 §4.1
    MobilityTicket(&'a [u8]),
    /// An OAuth 2.0 token. RFC 7635 §6.2
    AccessToken(&'a [u8]),
    /// The name of the authorization server. RFC 7635 §6.1
    ThirdPartyAuthorization(&'a str),

    /// An attribute this crate does not type, or an optional one whose value it cannot read.
    Unknown {
        /// Its number.
        kind: AttributeType,
        /// Its value without padding.
        value: &'a [u8],
    },
}

impl Attribute<'_> {
    /// The number on the wire.
    pub const fn kind(&self) -> AttributeType {
        match self {
            Self::MappedAddress(_) => AttributeType::MAPPED_ADDRESS,
            Self::XorMappedAddress(_) => AttributeType::XOR_MAPPED_ADDRESS,
            Self::Username(_) => AttributeType::USERNAME,
            Self::UserHash(_) => AttributeType::USERHASH,
            Self::MessageIntegrity(_) => AttributeType::MESSAGE_INTEGRITY,
            Self::MessageIntegritySha256(_) => AttributeType::MESSAGE_INTEGRITY_SHA256,
            Self::Fingerprint(_) => AttributeType::FINGERPRINT,
            Self::ErrorCode(_) => AttributeType::ERROR_CODE,
            Self::Realm(_) => AttributeType::REALM,
            Self::Nonce(_) => AttributeType::NONCE,
            Self::PasswordAlgorithms(_) => AttributeType::PASSWORD_ALGORITHMS,
            Self::PasswordAlgorithm(_) => AttributeType::PASSWORD_ALGORITHM,
            Self::UnknownAttributes(_) => AttributeType::UNKNOWN_ATTRIBUTES,
            Self::Software(_) => AttributeType::SOFTWARE,
            Self::AlternateServer(_) => AttributeType::ALTERNATE_SERVER,
            Self::AlternateDomain(_) => AttributeType::ALTERNATE_DOMAIN,
            Self::Priority(_) => AttributeType::PRIORITY,
            Self::UseCandidate => AttributeType::USE_CANDIDATE,
            Self::IceControlled(_) => AttributeType::ICE_CONTROLLED,
            Self::IceControlling(_) => AttributeType::ICE_CONTROLLING,
            Self::Nomination(_) => AttributeType::NOMINATION,
            Self::GoogNetworkInfo { .. } => AttributeType::GOOG_NETWORK_INFO,
            Self::MetaDtlsInStun(_) => AttributeType::META_DTLS_IN_STUN,
            Self::MetaDtlsInStunAck(_) => AttributeType::META_DTLS_IN_STUN_ACK,
            Self::ChannelNumber(_) => AttributeType::CHANNEL_NUMBER,
            Self::Lifetime(_) => AttributeType::LIFETIME,
            Self::XorPeerAddress(_) => AttributeType::XOR_PEER_ADDRESS,
            Self::Data(_) => AttributeType::DATA,
            Self::XorRelayedAddress(_) => AttributeType::XOR_RELAYED_ADDRESS,
            Self::RequestedAddressFamily(_) => AttributeType::REQUESTED_ADDRESS_FAMILY,
            Self::EvenPort { .. } => AttributeType::EVEN_PORT,
            Self::RequestedTransport(_) => AttributeType::REQUESTED_TRANSPORT,
            Self::DontFragment => AttributeType::DONT_FRAGMENT,
            Self::ReservationToken(_) => AttributeType::RESERVATION_TOKEN,
            Self::AdditionalAddressFamily(_) => AttributeType::ADDITIONAL_ADDRESS_FAMILY,
            Self::AddressErrorCode(..) => AttributeType::ADDRESS_ERROR_CODE,
            Self::Icmp { .. } => AttributeType::ICMP,
            Self::ConnectionId(_) => AttributeType::CONNECTION_ID,
            Self::MobilityTicket(_) => AttributeType::MOBILITY_TICKET,
            Self::AccessToken(_) => AttributeType::ACCESS_TOKEN,
            Self::ThirdPartyAuthorization(_) => AttributeType::THIRD_PARTY_AUTHORIZATION,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// Bytes on the wire: header, value and padding. RFC 8489 §14
    pub fn wire_len(&self) -> usize {
        ATTRIBUTE_HEADER_LEN + self.value_len().next_multiple_of(4)
    }
}
