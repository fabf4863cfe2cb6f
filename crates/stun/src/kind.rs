//! The numbers of attributes, [RFC 8489 §18.3](https://www.rfc-editor.org/rfc/rfc8489#section-18.3).

use std::fmt;

/// The number that names an attribute on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// Whether a receiver that does not know this type must not go on: 0x0000–0x7FFF.
    /// RFC 8489 §14.
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }
}

macro_rules! attribute_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        impl AttributeType {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name in the IANA registry, if this crate knows the type.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

attribute_types! {
    /// RFC 8489 §14.1
    MAPPED_ADDRESS = 0x0001, "MAPPED-ADDRESS";
    /// RFC 8489 §14.3
    USERNAME = 0x0006, "USERNAME";
    /// RFC 8489 §14.5
    MESSAGE_INTEGRITY = 0x0008, "MESSAGE-INTEGRITY";
    /// RFC 8489 §14.8
    ERROR_CODE = 0x0009, "ERROR-CODE";
    /// RFC 8489 §14.13
    UNKNOWN_ATTRIBUTES = 0x000A, "UNKNOWN-ATTRIBUTES";
    /// RFC 8656 §18.1
    CHANNEL_NUMBER = 0x000C, "CHANNEL-NUMBER";
    /// RFC 8656 §18.2
    LIFETIME = 0x000D, "LIFETIME";
    /// RFC 8656 §18.3
    XOR_PEER_ADDRESS = 0x0012, "XOR-PEER-ADDRESS";
    /// RFC 8656 §18.4
    DATA = 0x0013, "DATA";
    /// RFC 8489 §14.9
    REALM = 0x0014, "REALM";
    /// RFC 8489 §14.10
    NONCE = 0x0015, "NONCE";
    /// RFC 8656 §18.5
    XOR_RELAYED_ADDRESS = 0x0016, "XOR-RELAYED-ADDRESS";
    /// RFC 8656 §18.6
    REQUESTED_ADDRESS_FAMILY = 0x0017, "REQUESTED-ADDRESS-FAMILY";
    /// RFC 8656 §18.7
    EVEN_PORT = 0x0018, "EVEN-PORT";
    /// RFC 8656 §18.8
    REQUESTED_TRANSPORT = 0x0019, "REQUESTED-TRANSPORT";
    /// RFC 8656 §18.9
    DONT_FRAGMENT = 0x001A, "DONT-FRAGMENT";
    /// RFC 7635 §6.2
    ACCESS_TOKEN = 0x001B, "ACCESS-TOKEN";
    /// RFC 8489 §14.6
    MESSAGE_INTEGRITY_SHA256 = 0x001C, "MESSAGE-INTEGRITY-SHA256";
    /// RFC 8489 §14.12
    PASSWORD_ALGORITHM = 0x001D, "PASSWORD-ALGORITHM";
    /// RFC 8489 §14.4
    USERHASH = 0x001E, "USERHASH";
    /// RFC 8489 §14.2
    XOR_MAPPED_ADDRESS = 0x0020, "XOR-MAPPED-ADDRESS";
    /// RFC 8656 §18.10
    RESERVATION_TOKEN = 0x0022, "RESERVATION-TOKEN";
    /// RFC 8445 §16.1
    PRIORITY = 0x0024, "PRIORITY";
    /// RFC 8445 §16.1
    USE_CANDIDATE = 0x0025, "USE-CANDIDATE";
    /// RFC 6062 §6.2.1
    CONNECTION_ID = 0x002A, "CONNECTION-ID";
    /// RFC 8656 §18.11
    ADDITIONAL_ADDRESS_FAMILY = 0x8000, "ADDITIONAL-ADDRESS-FAMILY";
    /// RFC 8656 §18.12
    ADDRESS_ERROR_CODE = 0x8001, "ADDRESS-ERROR-CODE";
    /// RFC 8489 §14.11
    PASSWORD_ALGORITHMS = 0x8002, "PASSWORD-ALGORITHMS";
    /// RFC 8489 §14.16
    ALTERNATE_DOMAIN = 0x8003, "ALTERNATE-DOMAIN";
    /// RFC 8656 §18.13
    ICMP = 0x8004, "ICMP";
    /// RFC 8489 §14.14
    SOFTWARE = 0x8022, "SOFTWARE";
    /// RFC 8489 §14.15
    ALTERNATE_SERVER = 0x8023, "ALTERNATE-SERVER";
    /// RFC 8489 §14.7
    FINGERPRINT = 0x8028, "FINGERPRINT";
    /// RFC 8016 §4.1
    MOBILITY_TICKET = 0x8030, "MOBILITY-TICKET";
    /// RFC 8445 §16.1
    ICE_CONTROLLED = 0x8029, "ICE-CONTROLLED";
    /// RFC 8445 §16.1
    ICE_CONTROLLING = 0x802A, "ICE-CONTROLLING";
    /// RFC 7635 §6.1
    THIRD_PARTY_AUTHORIZATION = 0x802E, "THIRD-PARTY-AUTHORIZATION";
    /// draft-thatcher-ice-renomination
    NOMINATION = 0xC001, "NOMINATION";
    /// libwebrtc: the network's id and cost
    GOOG_NETWORK_INFO = 0xC057, "GOOG-NETWORK-INFO";
    /// libwebrtc: the id of the last check received
    GOOG_LAST_ICE_CHECK_RECEIVED = 0xC058, "GOOG-LAST-ICE-CHECK-RECEIVED";
    /// libwebrtc: versions of its extensions
    GOOG_MISC_INFO = 0xC059, "GOOG-MISC-INFO";
    /// libwebrtc: the first 4 bytes of the HMAC-SHA1, in GOOG-PING alone
    GOOG_MESSAGE_INTEGRITY_32 = 0xC060, "GOOG-MESSAGE-INTEGRITY-32";
    /// libwebrtc (SPED): a DTLS datagram carried in a check
    META_DTLS_IN_STUN = 0xC070, "META-DTLS-IN-STUN";
    /// libwebrtc (SPED): CRC-32s of DTLS datagrams that have arrived
    META_DTLS_IN_STUN_ACK = 0xC071, "META-DTLS-IN-STUN-ACK";
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributeType({self})")
    }
}
