//! Addresses in `o=`, `c=`, `a=rtcp` and candidates.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::Word;
use crate::fields::{Fields, Why, number};

/// An IP address, or a name: an FQDN or an mDNS name such as `<uuid>.local` (RFC 8839 §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// Anything else; nothing here resolves it.
    Name(Word),
}

impl Host {
    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }

    pub(crate) fn parse(field: &str) -> Self {
        match field.parse() {
            Ok(ip) => Self::Ip(ip),
            Err(_) => Self::Name(Word::checked(field)),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// `IP4` or `IP6` (RFC 8866 §8.2.7, address types of `IN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// IPv4.
    Ip4,
    /// IPv6.
    Ip6,
}

/// A network address `IN IP4 <host>` or `IN IP6 <host>` (RFC 8866 §5.2, §5.7).
///
/// The family is the one written: it need not be that of the host, which may be a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkAddress {
    /// The address type.
    pub family: AddressFamily,
    /// The address or name.
    pub host: Host,
}

impl NetworkAddress {
    /// `IN IP4 0.0.0.0`, for an address that is not known or not told (RFC 9429 §5.2.1).
    pub const UNSPECIFIED: Self = Self {
        family: AddressFamily::Ip4,
        host: Host::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    };

    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.ip()
    }

    pub(crate) fn parse(fields: &mut Fields<'_>) -> Result<Self, Why> {
        let (family, host) = split(fields)?;
        let host = Host::parse(host);
        Ok(Self { family, host })
    }
}

fn split<'a>(fields: &mut Fields<'a>) -> Result<(AddressFamily, &'a str), Why> {
    if fields.next() != Some("IN") {
        return Err("the network type is not IN");
    }
    let family = match fields.next() {
        Some("IP4") => AddressFamily::Ip4,
        Some("IP6") => AddressFamily::Ip6,
        _ => return Err("the address type is neither IP4 nor IP6"),
    };
    Ok((family, fields.required("no address")?))
}

impl From<IpAddr> for NetworkAddress {
    fn from(ip: IpAddr) -> Self {
        let family = match ip {
            IpAddr::V4(_) => AddressFamily::Ip4,
            IpAddr::V6(_) => AddressFamily::Ip6,
        };
        let host = Host::Ip(ip);
        Self { family, host }
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            AddressFamily::Ip4 => "IN IP4 ",
            AddressFamily::Ip6 => "IN IP6 ",
        };
        f.write_str(family)?;
        self.host.fmt(f)
    }
}

/// `c=`: where media goes when nothing better says so (RFC 8866 §5.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// The address.
    pub address: NetworkAddress,
    /// Time to live of an IPv4 multicast address.
    pub ttl: Option<u8>,
    /// How many consecutive multicast addresses are meant.
    pub count: Option<u16>,
}

impl Connection {
    pub(crate) fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let (family, host) = split(&mut fields)?;
        fields.end()?;
        let mut parts = host.split('/');
        let host = parts.next().filter(|host| !host.is_empty());
        let address = NetworkAddress {
            family,
            host: Host::parse(host.ok_or("no address")?),
        };
        let ttl = match family {
            AddressFamily::Ip4 => parts.next(),
            AddressFamily::Ip6 => None,
        };
        let ttl = ttl.map(|ttl| number(ttl, "not a time to live (0 to 255)"));
        let count = parts.next();
        let count = count.map(|count| number(count, "not a number of addresses"));
        if parts.next().is_some() {
            return Err("too many parts in the address");
        }
        Ok(Self {
            address,
            ttl: ttl.transpose()?,
            count: count.transpose()?,
        })
    }
}

impl From<NetworkAddress> for Connection {
    fn from(address: NetworkAddress) -> Self {
        Self {
            address,
            ttl: None,
            count: None,
        }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        if let Some(ttl) = self.ttl {
            write!(f, "/{ttl}")?;
        }
        match self.count {
            Some(count) => write!(f, "/{count}"),
            None => Ok(()),
        }
    }
}
