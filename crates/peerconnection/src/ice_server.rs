use crate::Error;

/// [`RTCIceServer`](https://www.w3.org/TR/webrtc/#rtciceserver-dictionary): a STUN or TURN server.
///
/// Checked as the W3C says, and then refused with `NotSupportedError`: this stack does not use servers
/// yet, and does not accept what it would ignore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065); at least one.
    pub urls: Vec<String>,
    /// Of the long-term credential, for TURN.
    pub username: Option<String>,
    /// Its password.
    pub credential: Option<String>,
}

/// A STUN or TURN URL.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerUrl<'a> {
    turn: bool,
    host: &'a str,
    port: Option<u16>,
    transport: Option<&'a str>,
}

impl IceServer {
    /// "Validate an ICE server URL" and the steps around it, [WebRTC §4.4.1.6].
    ///
    /// # Errors
    ///
    /// `SyntaxError`: no URL, or one that is not of STUN or TURN; `InvalidAccessError`: TURN without
    /// user name and password, or with a user name of more than 509 bytes (RFC 8489 §14.3).
    ///
    /// [WebRTC §4.4.1.6]: https://www.w3.org/TR/webrtc/#set-the-configuration
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.urls.is_empty() {
            return Err(Error::Syntax("an ICE server has no URL".into()));
        }
        for url in &self.urls {
            let parsed = ServerUrl::parse(url)
                .ok_or_else(|| Error::Syntax(format!("{url:?} is no STUN or TURN URL").into()))?;
            if !parsed.turn {
                continue;
            }
            let (Some(username), Some(_)) = (&self.username, &self.credential) else {
                let message = format!("{url:?} needs a username and a credential");
                return Err(Error::InvalidAccess(message.into()));
            };
            if username.len() > 509 {
                let message = "the username of a TURN server has more than 509 bytes";
                return Err(Error::InvalidAccess(message.into()));
            }
        }
        Ok(())
    }
}

impl<'a> ServerUrl<'a> {
    /// `scheme ":" host [ ":" port ] [ "?transport=" transport ]` (RFC 7064 §3.1, RFC 7065 §3.1).
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let turn = match scheme.to_ascii_lowercase().as_str() {
            "stun" | "stuns" => false,
            "turn" | "turns" => true,
            _ => return None,
        };
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let transport = match query {
            None => None,
            Some(query) if turn => Some(query.strip_prefix("transport=")?),
            Some(_) => return None,
        };
        if transport.is_some_and(|it| !matches!(it, "udp" | "tcp")) {
            return None;
        }
        let (host, port) = split_port(authority)?;
        is_host(host).then_some(Self {
            turn,
            host,
            port,
            transport,
        })
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // An IPv6 address has colons of its own, in brackets (RFC 3986 §3.2.2).
    let after_host = authority.rfind(']').unwrap_or_default();
    let Some(colon) = authority.get(after_host..)?.rfind(':') else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(after_host + colon)?;
    let port = port.strip_prefix(':')?.parse().ok()?;
    Some((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok());
    }
    // RFC 3986 §3.2.2, reg-name, without what no host name has.
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> IceServer {
        IceServer {
            urls: vec![url.to_owned()],
            ..IceServer::default()
        }
    }

    #[test]
    fn urls_are_those_of_stun_and_turn() {
        for good in [
            "stun:example.org",
            "STUN:example.org:3478",
            "stuns:192.0.2.1:5349",
            "stun:[2001:db8::1]:3478",
        ] {
            assert_eq!(server(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "http://example.org",
            "stun:",
            "stun:example.org:",
            "stun:example.org:99999",
            "stun://example.org",
            "stun:example.org?transport=udp",
            "turn:example.org?transport=sctp",
            "stun:[2001:db8::1",
            "stun:a b",
        ] {
            let error = server(bad).check().unwrap_err();
            assert_eq!(error.name(), "SyntaxError", "{bad}");
        }
    }

    #[test]
    fn turn_needs_a_credential() {
        let mut turn = server("turn:example.org?transport=tcp");
        assert_eq!(turn.check().unwrap_err().name(), "InvalidAccessError");
        turn.credential = Some("secret".into());
        turn.username = Some("u".repeat(509));
        assert_eq!(turn.check(), Ok(()));
        turn.username = Some("u".repeat(510));
        assert_eq!(turn.check().unwrap_err().name(), "InvalidAccessError");
    }
}
