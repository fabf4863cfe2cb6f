use std::{io, net::SocketAddr, time::Duration};

use thiserror::Error;

use crate::FramingError;

/// Why a stream could not be opened, or came to its end. Its text is for whoever configured the
/// server: it is what an `icecandidateerror` can say.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The far side answered that nobody listens there.
    #[error("{0} refused the connection")]
    Refused(SocketAddr),
    /// The operating system, or a router on the way, knows no way there.
    #[error("{remote} is out of reach: {error}")]
    Unreachable {
        /// The far side.
        remote: SocketAddr,
        /// What the operating system says.
        error: io::Error,
    },
    /// Nothing came of it in time.
    #[error("no {what} with {remote} within {limit:?}")]
    TimedOut {
        /// What was waited for: a connection, or the TLS handshake.
        what: &'static str,
        /// The far side.
        remote: SocketAddr,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The name of the server is none that a certificate could be for.
    #[error("{0:?} is neither a host name nor an IP address")]
    BadName(String),
    /// The certificate is for another server. RFC 8489 §6.2.3
    #[error("the certificate is for {}, not for {expected}", list(.presented))]
    WrongName {
        /// The name that was asked for.
        expected: String,
        /// The names that the certificate is for, as far as they are known.
        presented: Vec<String>,
    },
    /// The certificate was valid once.
    #[error("the certificate expired{}", ago(.0))]
    Expired(Option<Duration>),
    /// The certificate is for the future, by the clock of this machine.
    #[error("the certificate is not valid yet: is the clock right?")]
    NotYetValid,
    /// The certificate was taken back by whoever made it.
    #[error("the certificate is revoked")]
    Revoked,
    /// Nobody who is trusted vouches for the certificate.
    #[error("the certificate is signed by nobody who is trusted")]
    UnknownIssuer,
    /// The certificate is none of those that were pinned.
    #[error("the certificate is none of the pinned ones")]
    NotPinned,
    /// Something else is wrong with the certificate.
    #[error("the certificate is not acceptable: {0}")]
    BadCertificate(String),
    /// There is nobody to trust: no root certificate was given or found.
    #[error("no root certificate is there to check a server's by")]
    NoRoots,
    /// The TLS handshake failed, or a record is not what it should be.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The bytes are no datagrams, so that nobody knows where the next one begins.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The far side closed the stream.
    #[error("the far side closed the stream{}", if *.cut { " in the middle of a datagram" } else { "" })]
    Closed {
        /// Whether a datagram was begun and not ended.
        cut: bool,
    },
    /// Anything else the operating system says.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StreamError {
    /// What came of connecting to `remote`.
    pub(super) fn of_connect(remote: SocketAddr, error: io::Error) -> Self {
        use io::ErrorKind::*;
        match error.kind() {
            ConnectionRefused => Self::Refused(remote),
            HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable => {
                Self::Unreachable { remote, error }
            }
            // The system's own patience, which is longer than anybody's here.
            TimedOut => Self::Unreachable { remote, error },
            _ => Self::Io(error),
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "another name".into(),
        names => names.join(", "),
    }
}

fn ago(by: &Option<Duration>) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let Some(seconds) = by.map(|by| by.as_secs()) else {
        return String::new();
    };
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2 * length);
    let (length, unit) = unit.unwrap_or(&(1, "seconds"));
    format!(" {} {unit} ago", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do_about_it() {
        let remote = "192.0.2.1:5349".parse().unwrap();
        let expired = |seconds| StreamError::Expired(Some(Duration::from_secs(seconds)));
        let cases = [
            (
                StreamError::of_connect(remote, io::ErrorKind::ConnectionRefused.into()),
                "192.0.2.1:5349 refused the connection",
            ),
            (
                StreamError::WrongName {
                    expected: "turn.example.org".into(),
                    presented: vec!["a.example".into(), "b.example".into()],
                },
                "the certificate is for a.example, b.example, not for turn.example.org",
            ),
            (expired(86_400 * 30), "the certificate expired 30 days ago"),
            (expired(86_400), "the certificate expired 24 hours ago"),
            (expired(5), "the certificate expired 5 seconds ago"),
            (
                StreamError::Closed { cut: true },
                "the far side closed the stream in the middle of a datagram",
            ),
        ];
        for (error, text) in cases {
            assert_eq!(error.to_string(), text);
        }
    }
}
