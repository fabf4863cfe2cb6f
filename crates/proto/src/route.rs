use std::{fmt, net::SocketAddr};

/// What carries datagrams between two addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Transport {
    /// UDP datagrams.
    Udp,
    /// Datagrams in a stream, each with its length in front: TCP, secured by TLS or not.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Where a datagram came from and where its answer goes: transport, local and remote address.
///
/// `local` is the address of the socket, as its owner announced it, so that a driver with several
/// sockets knows which of them a batch belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FiveTuple {
    /// What carries the datagrams.
    pub transport: Transport,
    /// The address on this side.
    pub local: SocketAddr,
    /// The address on the far side.
    pub remote: SocketAddr,
}

impl FiveTuple {
    /// A UDP path from `local` to `remote`.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            local,
            remote,
        }
    }

    /// The same path as the far side sees it.
    pub const fn reversed(self) -> Self {
        Self {
            transport: self.transport,
            local: self.remote,
            remote: self.local,
        }
    }
}

impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport, self.local, self.remote)
    }
}
