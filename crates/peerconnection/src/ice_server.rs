use std::fmt;

use pc_ice::{ServerTransport, ServerUri, turn};

use crate::{Error, engine};

/// [`RTCIceServer`](https://www.w3.org/TR/webrtc/#rtciceserver-dictionary): a STUN or TURN server.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065), with
    /// `?transport=udp` or `tcp` for TURN; at least one.
    pub urls: Vec<String>,
    /// Of the long-term credential, for TURN.
    pub username: Option<String>,
    /// Its password.
    pub credential: Option<String>,
}

impl IceServer {
    /// A STUN server in the clear, by its name or address and perhaps a port: `stun.example.org`.
    pub fn stun(host: &str) -> Self {
        Self::of(format!("stun:{host}"))
    }

    /// A STUN server over TLS.
    pub fn stuns(host: &str) -> Self {
        Self::of(format!("stuns:{host}"))
    }

    /// A TURN server of this URL, with its long-term credential.
    pub fn turn(url: &str, username: &str, credential: &str) -> Self {
        Self {
            username: Some(username.to_owned()),
            credential: Some(credential.to_owned()),
            ..Self::of(url.to_owned())
        }
    }

    fn of(url: String) -> Self {
        Self {
            urls: vec![url],
            ..Self::default()
        }
    }

    /// "Validate an ICE server URL" and the steps around it, [WebRTC §4.4.1.6].
    ///
    /// # Errors
    ///
    /// `SyntaxError`: no URL, or one that is not of STUN or TURN; `InvalidAccessError`: TURN without
    /// user name and password, or with a user name of more than 508 bytes (RFC 8489 §14.3);
    /// `NotSupportedError`: TURN over DTLS.
    ///
    /// [WebRTC §4.4.1.6]: https://www.w3.org/TR/webrtc/#set-the-configuration
    pub(crate) fn parse(&self) -> Result<Vec<engine::IceServer>, Error> {
        if self.urls.is_empty() {
            return Err(Error::Syntax("an ICE server has no URL".into()));
        }
        self.urls.iter().map(|url| self.parse_url(url)).collect()
    }

    fn parse_url(&self, url: &str) -> Result<engine::IceServer, Error> {
        let uri = ServerUri::parse(url).map_err(|error| {
            let shown: String = url.chars().take(100).collect();
            Error::Syntax(format!("{shown:?} is no STUN or TURN URL: {error}").into())
        })?;
        let mut credentials = None;
        if uri.scheme().is_turn() {
            let (Some(username), Some(password)) = (&self.username, &self.credential) else {
                let message = format!("{url:?} needs a username and a credential");
                return Err(Error::InvalidAccess(message.into()));
            };
            if !(1..=508).contains(&username.len()) {
                let message = "the username of a TURN server has 1 to 508 bytes";
                return Err(Error::InvalidAccess(message.into()));
            }
            credentials = Some(turn::Credentials::new(username, password));
        }
        if uri.transport() == ServerTransport::Dtls {
            let message = format!("{url:?}: servers are not reached over DTLS");
            return Err(Error::NotSupported(message.into()));
        }
        Ok(engine::IceServer { uri, credentials })
    }
}

impl fmt::Debug for IceServer {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .field("has_credential", &self.credential.is_some())
            .finish()
    }
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
            assert!(server(good).parse().is_ok(), "{good}");
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
            let error = server(bad).parse().unwrap_err();
            assert_eq!(error.name(), "SyntaxError", "{bad}");
        }
    }

    #[test]
    fn turn_needs_a_credential() {
        let mut turn = server("turn:example.org?transport=tcp");
        assert_eq!(turn.parse().unwrap_err().name(), "InvalidAccessError");
        turn.credential = Some("secret".into());
        turn.username = Some("u".repeat(508));
        assert!(turn.parse().is_ok());
        assert!(!format!("{turn:?}").contains("secret"));
        turn.username = Some("u".repeat(509));
        assert_eq!(turn.parse().unwrap_err().name(), "InvalidAccessError");
    }
}
