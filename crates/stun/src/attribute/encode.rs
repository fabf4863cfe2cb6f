//! From an [`Attribute`] to bytes.

use pc_proto::{WriteError, Writer};

use super::{Attribute, address};
use crate::BuildError;

/// RFC 8489 §14.3: a user name is shorter than 509 bytes.
const MAX_USERNAME: usize = 508;
/// RFC 8489 §14.8–14.10 and §14.14: fewer than 128 characters, at most 763 bytes.
const MAX_TEXT: usize = 763;
/// RFC 8489 §14.16: a domain name, at most 255 bytes.
const MAX_DOMAIN: usize = 255;

impl Attribute<'_> {
    /// Bytes of the value, without header and padding.
    pub(super) fn value_len(&self) -> usize {
        match self {
            Self::MappedAddress(address)
            | Self::AlternateServer(address)
            | Self::XorMappedAddress(address)
            | Self::XorPeerAddress(address)
            | Self::XorRelayedAddress(address) => address::value_len(address),
            Self::Username(text)
            | Self::Realm(text)
            | Self::Nonce(text)
            | Self::Software(text)
            | Self::AlternateDomain(text)
            | Self::ThirdPartyAuthorization(text) => text.len(),
            Self::MetaDtlsInStun(bytes)
            | Self::MessageIntegritySha256(bytes)
            | Self::Data(bytes)
            | Self::MobilityTicket(bytes)
            | Self::AccessToken(bytes)
            | Self::Unknown { value: bytes, .. } => bytes.len(),
            Self::UserHash(_) => 32,
            Self::MessageIntegrity(_) => 20,
            Self::ErrorCode(error) | Self::AddressErrorCode(_, error) => 4 + error.reason.len(),
            Self::PasswordAlgorithms(list) => list.value_len(),
            Self::PasswordAlgorithm(entry) => entry.value_len(),
            Self::UnknownAttributes(list) => list.value_len(),
            Self::MetaDtlsInStunAck(list) => list.value_len(),
            Self::IceControlled(_)
            | Self::IceControlling(_)
            | Self::ReservationToken(_)
            | Self::Icmp { .. } => 8,
            Self::EvenPort { .. } => 1,
            Self::UseCandidate | Self::DontFragment => 0,
            Self::Fingerprint(_)
            | Self::Priority(_)
            | Self::Nomination(_)
            | Self::GoogNetworkInfo { .. }
            | Self::ChannelNumber(_)
            | Self::Lifetime(_)
            | Self::RequestedAddressFamily(_)
            | Self::RequestedTransport(_)
            | Self::AdditionalAddressFamily(_)
            | Self::ConnectionId(_) => 4,
        }
    }

    /// Whether the value may be sent.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let limit = match self {
            Self::Username(_) => MAX_USERNAME,
            Self::Realm(_) | Self::Nonce(_) | Self::Software(_) => MAX_TEXT,
            Self::AlternateDomain(_) => MAX_DOMAIN,
            Self::ErrorCode(error) | Self::AddressErrorCode(_, error) => {
                if error.parts().is_none() {
                    return Err(BuildError::ErrorCode(error.code));
                }
                4 + MAX_TEXT
            }
            _ => usize::from(u16::MAX),
        };
        let len = self.value_len();
        if len > limit {
            return Err(BuildError::TooLong {
                kind: self.kind(),
                len,
                limit,
            });
        }
        Ok(())
    }

    /// Writes header, value and padding.
    pub(crate) fn write(
        &self,
        id: &[u8; 12],
        padding: u8,
        writer: &mut Writer<'_>,
    ) -> Result<(), BuildError> {
        self.check()?;
        let len = self.value_len();
        writer.u16(self.kind().0)?;
        writer.u16(len as u16)?;
        self.write_value(id, writer)?;
        writer.reserve(len.next_multiple_of(4) - len)?.fill(padding);
        Ok(())
    }

    fn write_value(&self, id: &[u8; 12], w: &mut Writer<'_>) -> Result<(), WriteError> {
        match *self {
            Self::MappedAddress(address) | Self::AlternateServer(address) => {
                address::write(address, w)
            }
            Self::XorMappedAddress(address)
            | Self::XorPeerAddress(address)
            | Self::XorRelayedAddress(address) => address::write(address::xor(address, id), w),
            Self::Username(text)
            | Self::Realm(text)
            | Self::Nonce(text)
            | Self::Software(text)
            | Self::AlternateDomain(text)
            | Self::ThirdPartyAuthorization(text) => w.bytes(text.as_bytes()),
            Self::MetaDtlsInStun(bytes)
            | Self::MessageIntegritySha256(bytes)
            | Self::Data(bytes)
            | Self::MobilityTicket(bytes)
            | Self::AccessToken(bytes)
            | Self::Unknown { value: bytes, .. } => w.bytes(bytes),
            Self::UserHash(hash) => w.bytes(hash),
            Self::MessageIntegrity(mac) => w.bytes(mac),
            Self::ReservationToken(token) => w.bytes(token),
            Self::PasswordAlgorithms(list) => list.write(w),
            Self::PasswordAlgorithm(entry) => entry.write(w),
            Self::UnknownAttributes(list) => list.write(w),
            Self::MetaDtlsInStunAck(list) => list.write(w),
            _ => self.write_fixed(w),
        }
    }

    /// The values that are numbers and flags, and the error codes.
    fn write_fixed(&self, w: &mut Writer<'_>) -> Result<(), WriteError> {
        match *self {
            Self::ErrorCode(error) => {
                w.u16(0)?;
                w.bytes(&error.parts().unwrap_or_default())?;
                w.bytes(error.reason.as_bytes())
            }
            Self::AddressErrorCode(family, error) => {
                w.bytes(&[family.number(), 0])?;
                w.bytes(&error.parts().unwrap_or_default())?;
                w.bytes(error.reason.as_bytes())
            }
            Self::IceControlled(number) | Self::IceControlling(number) => w.u64(number),
            Self::Icmp { kind, code, data } => {
                w.u16(0)?;
                w.u16(u16::from(kind) << 9 | (code & 0x01FF))?;
                w.bytes(&data)
            }
            Self::EvenPort { reserve } => w.u8(u8::from(reserve) << 7),
            Self::GoogNetworkInfo { id, cost } => {
                w.u16(id)?;
                w.u16(cost)
            }
            Self::ChannelNumber(number) => w.u32(u32::from(number) << 16),
            Self::RequestedTransport(protocol) => w.u32(u32::from(protocol) << 24),
            Self::RequestedAddressFamily(family) | Self::AdditionalAddressFamily(family) => {
                w.u32(u32::from(family.number()) << 24)
            }
            Self::Fingerprint(number)
            | Self::Priority(number)
            | Self::Nomination(number)
            | Self::Lifetime(number)
            | Self::ConnectionId(number) => w.u32(number),
            _ => Ok(()),
        }
    }
}
