//! Addresses, [RFC 8489 §14.1–14.2](https://www.rfc-editor.org/rfc/rfc8489#section-14.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    family     |             port              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  address, 4 or 16 bytes                                     ...
//!
//! XORed: the port with the cookie's first half, the address with cookie and transaction id
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pc_proto::{WriteError, Writer};

use crate::header::MAGIC_COOKIE;

/// The family of an address. RFC 8489 §14.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// IPv4, 0x01.
    V4,
    /// IPv6, 0x02.
    V6,
}

impl AddressFamily {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    /// The family of that number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }
}

/// Reads an address in the clear; the first byte is ignored, as RFC 8489 §14.1 says.
pub(super) fn parse(value: &[u8]) -> Option<SocketAddr> {
    let (&[_, family, high, low], rest) = value.split_first_chunk()?;
    let ip: IpAddr = match AddressFamily::from_number(family)? {
        AddressFamily::V4 => <[u8; 4]>::try_from(rest).ok()?.into(),
        AddressFamily::V6 => <[u8; 16]>::try_from(rest).ok()?.into(),
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes([high, low])))
}

/// Reads a XORed address.
pub(super) fn parse_xor(value: &[u8], id: &[u8; 12]) -> Option<SocketAddr> {
    parse(value).map(|address| xor(address, id))
}

/// Bytes of an address.
pub(super) const fn value_len(address: &SocketAddr) -> usize {
    match address {
        SocketAddr::V4(_) => 8,
        SocketAddr::V6(_) => 20,
    }
}

/// Writes an address in the clear.
pub(super) fn write(address: SocketAddr, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    writer.u8(0)?;
    match address.ip() {
        IpAddr::V4(ip) => {
            writer.u8(AddressFamily::V4.number())?;
            writer.u16(address.port())?;
            writer.bytes(&ip.octets())
        }
        IpAddr::V6(ip) => {
            writer.u8(AddressFamily::V6.number())?;
            writer.u16(address.port())?;
            writer.bytes(&ip.octets())
        }
    }
}

/// The XORed form of an address and back. RFC 8489 §14.2
pub(super) fn xor(address: SocketAddr, id: &[u8; 12]) -> SocketAddr {
    let [high, low, ..] = MAGIC_COOKIE.to_be_bytes();
    let port = address.port() ^ u16::from_be_bytes([high, low]);
    let ip = match address.ip() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() ^ MAGIC_COOKIE)),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            let (cookie, rest) = mask.split_at_mut(4);
            cookie.copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
            rest.copy_from_slice(id);
            IpAddr::V6(Ipv6Addr::from_bits(
                ip.to_bits() ^ u128::from_be_bytes(mask),
            ))
        }
    };
    SocketAddr::new(ip, port)
}
