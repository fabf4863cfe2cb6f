//! Host names for ICE candidates: multicast DNS, as far as
//! [draft-ietf-mmusic-mdns-ice-candidates](https://datatracker.ietf.org/doc/html/draft-ietf-mmusic-mdns-ice-candidates)
//! needs of [RFC 6762](https://www.rfc-editor.org/rfc/rfc6762).
//!
//! A candidate may say `0f3a….local` instead of an address: who is on the same link can ask for it,
//! and who is not learns nothing. [`Responder`] makes such names and answers for them,
//! [`Resolver`] asks for those of others; both are engines without sockets. [`Node`] runs them on
//! every interface of this machine.
//!
//! ```no_run
//! # async fn example(peers: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use pc_net::mdns::Node;
//!
//! let node = Node::start([7; 32])?; // a seed from the system's randomness
//! let mine = node.register("192.168.1.20".parse()?).await?;
//! println!("a=candidate:1 1 udp 2122260223 {} 50000 typ host", mine.name());
//! let address = node.resolve(&peers.parse()?).await?;
//! # Ok(())
//! # }
//! ```

mod heard;
mod name;
mod node;
mod resolver;
mod responder;
mod sockets;
mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pc_proto::ParseError;
use thiserror::Error;

pub use name::{Name, NameError};
pub use node::{Node, NodeError, Registration};
pub use resolver::{MAX_QUERIES, Resolution, ResolveError, Resolver};
pub use responder::{MAX_NAMES, Responder};
pub use wire::{MessageView, NameView, Question, Record, RecordType, Section};

/// The port of multicast DNS. RFC 6762 §3
pub const PORT: u16 = 5353;
/// The group of multicast DNS over IPv4. RFC 6762 §3
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The group of multicast DNS over IPv6. RFC 6762 §3
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 0xFB);

/// There is room for no more names, or questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} names are in use, and no more are allowed")]
pub struct Full(pub usize);

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The network interface, by the operating system's number. `None` is every interface where
    /// something is sent, and an unknown one where something was received.
    pub link: Option<u32>,
    /// The far side: one of the [`groups`](Self::groups), or one host.
    pub remote: SocketAddr,
    /// Whether what is sent leaves from a port of our own instead of 5353, so that an answer to us
    /// alone finds its way where several programs share 5353 (RFC 6762 §5.1, §15.1); whether what
    /// was received came to us alone.
    pub one_shot: bool,
}

impl Route {
    /// To everybody on `link`, over IPv4 and over IPv6.
    pub const fn groups(link: Option<u32>) -> [Self; 2] {
        [
            Self::new(link, SocketAddr::new(IpAddr::V4(GROUP_V4), PORT)),
            Self::new(link, SocketAddr::new(IpAddr::V6(GROUP_V6), PORT)),
        ]
    }

    /// Between `remote` and port 5353 of ours, on `link`.
    pub const fn new(link: Option<u32>, remote: SocketAddr) -> Self {
        Self {
            link,
            remote,
            one_shot: false,
        }
    }

    /// Whether it goes to everybody on the link.
    pub const fn is_multicast(&self) -> bool {
        self.remote.ip().is_multicast()
    }

    /// To everybody on the link that it came from, over the same version of IP.
    const fn group(&self) -> Self {
        let [v4, v6] = Self::groups(self.link);
        if self.remote.is_ipv4() { v4 } else { v6 }
    }
}

/// Why a message was dropped. Nothing changes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The bytes are no message.
    #[error("not a DNS message: {0}")]
    Malformed(#[from] ParseError),
    /// A response where a query was expected, or the other way round.
    #[error("a message of the other kind")]
    OtherKind,
    /// An operation or a result other than zero. RFC 6762 §18.3, §18.11
    #[error("an operation or a result that multicast DNS does not have")]
    NotMulticastDns,
    /// A response that does not come from the port of multicast DNS. RFC 6762 §6
    #[error("a response from port {0}")]
    WrongPort(u16),
    /// It is about no name that was asked for, or none that is answered for.
    #[error("about no name of ours")]
    OtherName,
    /// The address is none that a host could be reached at.
    #[error("{0} is no address of a host")]
    Unusable(IpAddr),
    /// Too many answers wait to be sent.
    #[error("too many answers wait")]
    Busy,
}
