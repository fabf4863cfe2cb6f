//! From a type and a value to an [`Attribute`].

use super::address::{self, AddressFamily};
use super::{
    Acks, Attribute, ErrorCode, PasswordAlgorithmEntry, PasswordAlgorithms, UnknownAttributes,
};
use crate::kind::AttributeType as T;

impl<'a> Attribute<'a> {
    /// Decodes a value; `None` when it is not what its type calls for.
    #[inline(always)]
    pub(crate) fn decode(kind: T, value: &'a [u8], id: &[u8; 12]) -> Option<Self> {
        Some(match kind {
            T::USERNAME => Self::Username(text(value)?),
            T::PRIORITY => Self::Priority(u32(value)?),
            T::USE_CANDIDATE => empty(value, Self::UseCandidate)?,
            T::ICE_CONTROLLED => Self::IceControlled(u64(value)?),
            T::ICE_CONTROLLING => Self::IceControlling(u64(value)?),
            T::NOMINATION => Self::Nomination(u32(value)?),
            T::GOOG_NETWORK_INFO => {
                let word = u32(value)?;
                Self::GoogNetworkInfo {
                    id: (word >> 16) as u16,
                    cost: word as u16,
                }
            }
            T::META_DTLS_IN_STUN => Self::MetaDtlsInStun(value),
            T::META_DTLS_IN_STUN_ACK => Self::MetaDtlsInStunAck(Acks::parse(value)?),
            T::MESSAGE_INTEGRITY => Self::MessageIntegrity(value.try_into().ok()?),
            // RFC 8489 §14.6: at least 16 bytes and a multiple of 4.
            T::MESSAGE_INTEGRITY_SHA256 => match value.len() {
                16 | 20 | 24 | 28 | 32 => Self::MessageIntegritySha256(value),
                _ => return None,
            },
            T::FINGERPRINT => Self::Fingerprint(u32(value)?),
            T::XOR_MAPPED_ADDRESS => Self::XorMappedAddress(address::parse_xor(value, id)?),
            T::ERROR_CODE => Self::ErrorCode(ErrorCode::parse(value)?),
            _ => return Self::decode_stun(kind, value, id),
        })
    }

    /// The rest of RFC 8489.
    fn decode_stun(kind: T, value: &'a [u8], id: &[u8; 12]) -> Option<Self> {
        Some(match kind {
            T::MAPPED_ADDRESS => Self::MappedAddress(address::parse(value)?),
            T::USERHASH => Self::UserHash(value.try_into().ok()?),
            T::REALM => Self::Realm(text(value)?),
            T::NONCE => Self::Nonce(text(value)?),
            T::PASSWORD_ALGORITHMS => Self::PasswordAlgorithms(PasswordAlgorithms::parse(value)?),
            T::PASSWORD_ALGORITHM => Self::PasswordAlgorithm(PasswordAlgorithmEntry::parse(value)?),
            T::UNKNOWN_ATTRIBUTES => Self::UnknownAttributes(UnknownAttributes::parse(value)?),
            T::SOFTWARE => Self::Software(text(value)?),
            T::ALTERNATE_SERVER => Self::AlternateServer(address::parse(value)?),
            T::ALTERNATE_DOMAIN => Self::AlternateDomain(text(value)?),
            _ => return Self::decode_turn(kind, value, id),
        })
    }

    /// RFC 8656, RFC 6062 and RFC 7635; anything else is unknown.
    fn decode_turn(kind: T, value: &'a [u8], id: &[u8; 12]) -> Option<Self> {
        Some(match kind {
            T::CHANNEL_NUMBER => Self::ChannelNumber((u32(value)? >> 16) as u16),
            T::LIFETIME => Self::Lifetime(u32(value)?),
            T::XOR_PEER_ADDRESS => Self::XorPeerAddress(address::parse_xor(value, id)?),
            T::DATA => Self::Data(value),
            T::XOR_RELAYED_ADDRESS => Self::XorRelayedAddress(address::parse_xor(value, id)?),
            T::REQUESTED_ADDRESS_FAMILY => Self::RequestedAddressFamily(family(value)?),
            T::EVEN_PORT => match value {
                [flags] => Self::EvenPort {
                    reserve: flags & 0x80 != 0,
                },
                _ => return None,
            },
            T::REQUESTED_TRANSPORT => Self::RequestedTransport((u32(value)? >> 24) as u8),
            T::DONT_FRAGMENT => empty(value, Self::DontFragment)?,
            T::RESERVATION_TOKEN => Self::ReservationToken(value.try_into().ok()?),
            T::ADDITIONAL_ADDRESS_FAMILY => Self::AdditionalAddressFamily(family(value)?),
            T::ADDRESS_ERROR_CODE => Self::AddressErrorCode(
                AddressFamily::from_number(*value.first()?)?,
                ErrorCode::parse(value)?,
            ),
            T::ICMP => match *value {
                [_, _, high, low, a, b, c, d] => Self::Icmp {
                    kind: high >> 1,
                    code: u16::from_be_bytes([high & 1, low]),
                    data: [a, b, c, d],
                },
                _ => return None,
            },
            T::CONNECTION_ID => Self::ConnectionId(u32(value)?),
            T::MOBILITY_TICKET => Self::MobilityTicket(value),
            T::ACCESS_TOKEN => Self::AccessToken(value),
            T::THIRD_PARTY_AUTHORIZATION => Self::ThirdPartyAuthorization(text(value)?),
            kind => Self::Unknown { kind, value },
        })
    }
}

fn u32(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

fn u64(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok()
}

fn empty<'a>(value: &[u8], attribute: Attribute<'a>) -> Option<Attribute<'a>> {
    value.is_empty().then_some(attribute)
}

/// REQUESTED-ADDRESS-FAMILY and its kin: a family and three bytes to ignore. RFC 8656 §18.6
fn family(value: &[u8]) -> Option<AddressFamily> {
    match *value {
        [number, _, _, _] => AddressFamily::from_number(number),
        _ => None,
    }
}
