//! URLs of STUN and TURN servers, [RFC 7064](https://www.rfc-editor.org/rfc/rfc7064#section-3.1)
//! and [RFC 7065](https://www.rfc-editor.org/rfc/rfc7065#section-3.1).
//!
//! ```text
//! scheme ":" host [ ":" port ] [ "?transport=" transport ]     the last part for TURN alone
//! ```

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The longest name that DNS has (RFC 1035 §2.3.4), and the longest host there may be.
const MAX_NAME: usize = 253;
/// The longest label of a name (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;
/// How much of a wrong URL an error shows.
const MAX_SHOWN: usize = 100;

/// What a URL names: a STUN or a TURN server, in the clear or secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `stun:`, RFC 7064.
    Stun,
    /// `stuns:`, RFC 7064.
    Stuns,
    /// `turn:`, RFC 7065.
    Turn,
    /// `turns:`, RFC 7065.
    Turns,
}

impl Scheme {
    /// Whether the server is a TURN server.
    pub const fn is_turn(self) -> bool {
        matches!(self, Self::Turn | Self::Turns)
    }

    /// Whether the connection is secured, by TLS or DTLS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Stuns | Self::Turns)
    }

    /// The port of a URL without one (RFC 7064 §3.2, RFC 7065 §3.2).
    pub const fn default_port(self) -> u16 {
        if self.is_secure() { 5349 } else { 3478 }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Stuns => "stuns",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }
}

/// How a server is reached (RFC 8489 §6.2, RFC 7065 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// DTLS over UDP (RFC 7350).
    Dtls,
}

impl ServerTransport {
    /// Whether nothing is lost on the way, so that nothing is sent again (RFC 8489 §6.2.2), and
    /// messages follow each other in a stream.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

impl fmt::Display for ServerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
        })
    }
}

/// A server's address or its name, still to be resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IPv4 address, or an IPv6 address that was in brackets.
    Address(IpAddr),
    /// A name in ASCII, as it was written.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The URL of a STUN or TURN server.
///
/// ```
/// use pc_ice::{Host, ServerTransport, ServerUri};
///
/// let uri: ServerUri = "turns:turn.example.org?transport=tcp".parse()?;
/// assert_eq!(*uri.host(), Host::Name("turn.example.org".into()));
/// assert_eq!((uri.port(), uri.transport()), (5349, ServerTransport::Tls));
/// let wrong = "turn:example.org:70000".parse::<ServerUri>().unwrap_err();
/// assert_eq!(wrong.to_string(), "\"70000\" is not a port: 1 to 65535");
/// # Ok::<(), pc_ice::UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerUri {
    scheme: Scheme,
    host: Host,
    port: u16,
    transport: ServerTransport,
}

impl ServerUri {
    /// Reads a URL; the scheme in letters of either case.
    ///
    /// Without `transport`, `stun:` and `turn:` mean UDP, `stuns:` and `turns:` TLS over TCP.
    /// `turns:` with `transport=udp` means DTLS (RFC 7065 §3.1).
    ///
    /// # Errors
    ///
    /// It is no such URL; the error shows the part that is wrong.
    pub fn parse(url: &str) -> Result<Self, UriError> {
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| UriError::Scheme(shown(url)))?;
        let scheme = parse_scheme(scheme)?;
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let (host, port) = split_port(authority);
        Ok(Self {
            scheme,
            host: parse_host(host)?,
            port: port.map_or(Ok(scheme.default_port()), parse_port)?,
            transport: parse_transport(scheme, query)?,
        })
    }

    /// Whether it is a STUN or a TURN server, and secured or not.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Where the server is.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, never zero.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How the server is reached.
    pub const fn transport(&self) -> ServerTransport {
        self.transport
    }
}

impl FromStr for ServerUri {
    type Err = UriError;

    fn from_str(url: &str) -> Result<Self, UriError> {
        Self::parse(url)
    }
}

impl fmt::Display for ServerUri {
    /// The URL with its port, and with its transport where that is not the scheme's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.scheme.name(), self.host, self.port)?;
        match (self.scheme.is_turn(), self.transport) {
            (true, ServerTransport::Udp | ServerTransport::Dtls) => f.write_str("?transport=udp"),
            (true, ServerTransport::Tcp | ServerTransport::Tls) => f.write_str("?transport=tcp"),
            (false, _) => Ok(()),
        }
    }
}

/// What is wrong with a URL, with the part of it that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It does not begin with `stun:`, `stuns:`, `turn:` or `turns:`.
    #[error("{0:?} does not begin with stun:, stuns:, turn: or turns:")]
    Scheme(String),
    /// The host is neither an address nor an ASCII name; an IPv6 address stands in brackets.
    #[error("{0:?} is not a host: an IPv4 address, an IPv6 address in brackets or an ASCII name")]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("{0:?} is not a port: 1 to 65535")]
    Port(String),
    /// There is something after `?` that is not `transport=`, or the URL is one of STUN.
    #[error("{0:?}: only turn: and turns: have a query, and it is transport=udp or transport=tcp")]
    Query(String),
    /// The transport is neither `udp` nor `tcp`.
    #[error("{0:?} is not a transport that is supported: udp or tcp")]
    Transport(String),
}

fn parse_scheme(scheme: &str) -> Result<Scheme, UriError> {
    let known = [Scheme::Stun, Scheme::Stuns, Scheme::Turn, Scheme::Turns];
    known
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(scheme))
        .ok_or_else(|| UriError::Scheme(shown(scheme)))
}

fn parse_transport(scheme: Scheme, query: Option<&str>) -> Result<ServerTransport, UriError> {
    let secure = scheme.is_secure();
    let Some(query) = query else {
        // RFC 7064 and RFC 7065 leave it to DNS (RFC 8489 §8.1); browsers take these.
        return Ok(if secure {
            ServerTransport::Tls
        } else {
            ServerTransport::Udp
        });
    };
    let transport = query
        .strip_prefix("transport=")
        .filter(|_| scheme.is_turn())
        .ok_or_else(|| UriError::Query(shown(query)))?;
    match (secure, transport.to_ascii_lowercase().as_str()) {
        (false, "udp") => Ok(ServerTransport::Udp),
        (false, "tcp") => Ok(ServerTransport::Tcp),
        (true, "udp") => Ok(ServerTransport::Dtls),
        (true, "tcp") => Ok(ServerTransport::Tls),
        _ => Err(UriError::Transport(shown(transport))),
    }
}

/// Host and port; an IPv6 address has colons of its own, in brackets (RFC 3986 §3.2.2).
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_host = authority.rfind(']').unwrap_or(0);
    match authority.rfind(':').filter(|colon| *colon >= after_host) {
        Some(colon) => match authority.split_at_checked(colon) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => (authority, None),
        },
        None => (authority, None),
    }
}

fn parse_port(port: &str) -> Result<u16, UriError> {
    // `u16::from_str` takes a sign; a URL has none.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|port| digits && *port != 0);
    number.ok_or_else(|| UriError::Port(shown(port)))
}

fn parse_host(host: &str) -> Result<Host, UriError> {
    let wrong = || UriError::Host(shown(host));
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.strip_suffix(']').ok_or_else(wrong)?;
        let address: Ipv6Addr = address.parse().map_err(|_| wrong())?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    if is_name(host) {
        return Ok(Host::Name(host.to_owned()));
    }
    Err(wrong())
}

/// A name that DNS may know: labels of letters, digits, hyphens and underscores. A name whose last
/// label is a number is a mistyped address.
fn is_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= MAX_NAME
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// What an error shows of a text that may be of any length.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests;
