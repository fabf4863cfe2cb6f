use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_stun::{Attribute, AttributeType, MessageView};

use super::ServerError;
use crate::candidate::{is_usable, same_endpoint};

/// How many redirections in a row are followed.
const MAX_REDIRECTS: usize = 8;

/// How long a server that was tried is not tried again (RFC 8489 §10).
const TRIED_FOR: Duration = Duration::from_secs(5 * 60);

/// The servers of a chain of redirections, so that it does not go in circles (RFC 8489 §10).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirects(Vec<(SocketAddr, Instant)>);

impl Redirects {
    /// Before the first server.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// `from` has answered 300 (RFC 8489 §10): where to go on, unless that is a circle.
    pub(crate) fn follow(
        &self,
        now: Instant,
        from: SocketAddr,
        answer: &MessageView<'_>,
    ) -> Result<Alternate, ServerError> {
        let to = match answer.attribute(AttributeType::ALTERNATE_SERVER) {
            Some(Attribute::AlternateServer(to)) if may_lead(from, to) => to,
            _ => return Err(ServerError::BadResponse("ALTERNATE-SERVER")),
        };
        let mut tried = self.0.clone();
        tried.retain(|(_, at)| now.saturating_duration_since(*at) < TRIED_FOR);
        tried.push((from, now));
        let known = tried.iter().any(|(server, _)| same_endpoint(*server, to));
        if known || tried.len() > MAX_REDIRECTS {
            return Err(ServerError::RedirectLoop(to));
        }
        let domain = match answer.attribute(AttributeType::ALTERNATE_DOMAIN) {
            // RFC 8489 §14.16: at most 255 bytes.
            Some(Attribute::AlternateDomain(domain)) if domain.len() <= 255 => Some(domain.into()),
            _ => None,
        };
        Ok(Alternate {
            server: to,
            domain,
            redirects: Self(tried),
        })
    }
}

/// Whether a server at `from` may send its clients to `to`: to the same family (RFC 8489 §14.15), and
/// from elsewhere not to services of this host, as browsers see to too.
fn may_lead(from: SocketAddr, to: SocketAddr) -> bool {
    is_usable(to)
        && to.is_ipv4() == from.is_ipv4()
        && (from.ip().is_loopback() || !to.ip().to_canonical().is_loopback())
}

/// Where a server sends its client (RFC 8489 §10): make another client, for this server and over the
/// same transport, with the same credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternate {
    /// The other server.
    pub server: SocketAddr,
    /// The name that its certificate is to be checked for; without it, the name of the first server.
    pub domain: Option<Box<str>>,
    /// To be put into the next client's configuration.
    pub redirects: Redirects,
}
