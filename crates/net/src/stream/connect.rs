use std::{io, net::SocketAddr, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout_at},
};

use super::{Connection, Stream, StreamError};
use crate::{Framing, MAX_FRAME};

/// How a connection is opened and used.
#[derive(Debug, Clone)]
pub struct TcpOptions {
    /// How its datagrams are framed.
    pub framing: Framing,
    /// The address to connect from, such as that of one interface; port 0 lets the operating system
    /// choose one. `None` lets it choose both.
    pub local: Option<SocketAddr>,
    /// Whether the local port is shared with other sockets that share it: what connects and what
    /// listens for the same ICE candidate, in a simultaneous open. RFC 6544 §4.1
    pub share_port: bool,
    /// How long the connection may take to be open, TLS included.
    pub timeout: Duration,
    /// The longest datagram that is received, in bytes; a longer one ends the stream.
    pub max_datagram: usize,
    /// How many bytes wait at most until the operating system takes them. Between ICE agents, half of
    /// that of media; checks may exceed it by 4 KiB.
    pub queue: usize,
}

impl TcpOptions {
    /// How long a connection may take to be open, unless told otherwise: a lost SYN is sent again
    /// after one second, and then after three. RFC 6298 §2
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// How many bytes wait at most, unless told otherwise: 100 ms of 20 Mbit/s.
    pub const QUEUE: usize = 256 << 10;

    /// For a stream with this framing, and without any other wish.
    pub const fn new(framing: Framing) -> Self {
        Self {
            framing,
            local: None,
            share_port: false,
            timeout: Self::TIMEOUT,
            max_datagram: MAX_FRAME,
            queue: Self::QUEUE,
        }
    }

    /// A socket that is bound as it is wished for, to connect or to listen.
    pub(super) fn socket(&self, domain: Domain) -> io::Result<Socket> {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(true)?;
        }
        if self.share_port {
            socket.set_reuse_address(true)?;
            #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
            socket.set_reuse_port(true)?;
        }
        if let Some(local) = self.local {
            socket.bind(&local.into())?;
        }
        Ok(socket)
    }
}

impl Stream {
    /// Connects to `remote` over TCP.
    ///
    /// # Errors
    ///
    /// [`Refused`](StreamError::Refused), [`Unreachable`](StreamError::Unreachable) or
    /// [`TimedOut`](StreamError::TimedOut); [`Io`](StreamError::Io) for anything else, such as a
    /// local address that is not of this machine.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn connect(remote: SocketAddr, options: &TcpOptions) -> Result<Self, StreamError> {
        let tcp = open(remote, options, Instant::now() + options.timeout).await?;
        Ok(Self::new(Connection::Tcp(tcp), options)?)
    }

    /// Connects to `remote` over TLS. `name` is the host name or IP address that the server's
    /// certificate must be for: that of the URL, and not what it was resolved to (RFC 8489 §6.2.3).
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and what is wrong with the certificate or the handshake.
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[cfg(feature = "tls")]
    pub async fn connect_tls(
        remote: SocketAddr,
        name: &str,
        tls: &super::TlsClient,
        options: &TcpOptions,
    ) -> Result<Self, StreamError> {
        let deadline = Instant::now() + options.timeout;
        let tcp = open(remote, options, deadline).await?;
        let stream = timeout_at(deadline, tls.handshake(tcp, name))
            .await
            .map_err(|_| super::tls::tls_timeout(remote, options.timeout))??;
        Ok(Self::new(Connection::Tls(Box::new(stream)), options)?)
    }
}

async fn open(
    remote: SocketAddr,
    options: &TcpOptions,
    deadline: Instant,
) -> Result<TcpStream, StreamError> {
    let socket = options.socket(Domain::for_address(remote))?;
    let socket = TcpSocket::from_std_stream(socket.into());
    let connected = timeout_at(deadline, socket.connect(remote)).await;
    let limit = options.timeout;
    let tcp = connected
        .map_err(|_| StreamError::TimedOut {
            what: "connection",
            remote,
            limit,
        })?
        .map_err(|error| StreamError::of_connect(remote, error))?;
    prepare(&tcp)?;
    Ok(tcp)
}

/// Datagrams leave when they are sent, and wait in this process, where they can still be dropped,
/// rather than in the operating system.
pub(super) fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        const NOT_SENT: u32 = 64 << 10;
        let socket = socket2::SockRef::from(tcp);
        if let Err(error) = socket.set_tcp_notsent_lowat(NOT_SENT) {
            tracing::debug!(%error, "the system queues as much as it likes");
        }
    }
    Ok(())
}
