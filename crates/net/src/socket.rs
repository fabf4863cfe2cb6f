use std::{
    io,
    net::SocketAddr,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use pc_proto::Batch;
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;

use crate::{Envelope, RecvBatch, SendProgress, send::may_be_offload, sys};

/// What each socket asks of the operating system for its send and its receive buffer, in bytes.
///
/// A burst for many peers must fit: 4 MiB are 30 ms of 1 Gbit/s.
pub const BUFFER_BYTES: usize = 4 << 20;

/// After so many errors in a row, a receive lets other tasks run.
const ERRORS_BEFORE_YIELD: usize = 16;

/// A UDP socket that sends and receives batches.
///
/// Any number of peers share one. It belongs to a tokio runtime; all calls take `&self`, but only
/// one task at a time waits to receive, and one to send.
pub struct UdpSocket {
    io: tokio::net::UdpSocket,
    /// Replaced where it has drawn a wrong conclusion, see [`try_send`](Self::try_send).
    state: RwLock<UdpSocketState>,
    local: SocketAddr,
    buffers: BufferSizes,
    /// Calls for several datagrams fail where calls for one do not.
    offload_fails: AtomicBool,
    sent: AtomicU64,
    dropped: AtomicU64,
    receive_errors: AtomicU64,
}

/// The buffers that the operating system gave a socket, in bytes as it reports them: Linux counts
/// its own overhead, and reports twice what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferSizes {
    /// Of datagrams that wait to be sent.
    pub send: usize,
    /// Of datagrams that wait to be received.
    pub receive: usize,
}

/// What a socket has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketStats {
    /// Datagrams that the operating system took.
    pub sent: u64,
    /// Datagrams that it refused.
    pub dropped: u64,
    /// Errors on receiving, such as an ICMP message about a datagram sent earlier.
    pub receive_errors: u64,
}

impl UdpSocket {
    /// Binds a socket to `address`; port 0 lets the operating system choose. An IPv6 socket takes
    /// IPv6 only.
    ///
    /// # Errors
    ///
    /// The operating system refused, for instance because the address is in use or not of this
    /// machine.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O enabled.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        let buffers = enlarge_buffers(&socket)?;
        socket.bind(&address.into())?;
        let state = sys::batch_state(&socket)?;
        let io = tokio::net::UdpSocket::from_std(socket.into())?;
        Ok(Self {
            local: io.local_addr()?,
            io,
            state: RwLock::new(state),
            buffers,
            offload_fails: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            receive_errors: AtomicU64::new(0),
        })
    }

    /// The address it is bound to, with the port that the operating system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The buffers that the operating system gave it.
    pub const fn buffer_sizes(&self) -> BufferSizes {
        self.buffers
    }

    /// What it has counted.
    pub fn stats(&self) -> SocketStats {
        SocketStats {
            sent: self.sent.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            receive_errors: self.receive_errors.load(Relaxed),
        }
    }

    /// How many datagrams leave in one system call at most.
    pub fn max_segments(&self) -> usize {
        if self.offload_fails.load(Relaxed) {
            return 1;
        }
        self.with_state(UdpSocketState::max_gso_segments)
    }

    /// Sends what `progress` says is left of `batch`, without waiting. `Ok` means that nothing is
    /// left: every datagram was sent, or dropped and counted.
    ///
    /// What the operating system refuses for its destination or its length (no route, a firewall,
    /// longer than the MTU) is dropped, as the network may drop any datagram, and counted in
    /// `progress`; the socket goes on serving its other peers.
    ///
    /// # Errors
    ///
    /// `WouldBlock`: the rest waits in `batch` for the next call with the same `progress`, after
    /// [`writable`](Self::writable). Anything else: the socket is gone.
    pub fn try_send(
        &self,
        envelope: Envelope,
        batch: &Batch,
        progress: &mut SendProgress,
    ) -> io::Result<()> {
        let (sent, dropped) = (progress.sent, progress.dropped);
        let result = if envelope.is_impossible() || envelope.to.is_ipv4() != self.local.is_ipv4() {
            progress.drop_rest(batch, io::ErrorKind::AddrNotAvailable.into());
            Ok(())
        } else {
            let send = || self.send_rest(envelope, batch, progress);
            self.io.try_io(Interest::WRITABLE, send)
        };
        self.sent.fetch_add((progress.sent - sent) as u64, Relaxed);
        let dropped = progress.dropped - dropped;
        if dropped > 0 {
            self.dropped.fetch_add(dropped as u64, Relaxed);
            tracing::debug!(to = %envelope.to, dropped, error = ?progress.error, "datagrams refused");
        }
        result
    }

    /// Waits until the operating system may take more datagrams.
    ///
    /// # Errors
    ///
    /// The runtime is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    /// As [`writable`](Self::writable), for one task at a time.
    ///
    /// # Errors
    ///
    /// The runtime is shutting down.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_send_ready(cx)
    }

    /// Replaces the contents of `batch` by what has been received, and returns how many datagrams
    /// that is: at least one. For one task at a time.
    ///
    /// Errors that an earlier datagram brought about (an ICMP message that nobody listens there)
    /// are counted and passed over.
    ///
    /// # Errors
    ///
    /// The socket is gone, or the runtime is shutting down.
    pub fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        batch: &mut RecvBatch,
    ) -> Poll<io::Result<usize>> {
        let mut errors = 0;
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            match self.try_recv(batch) {
                Ok(received) => return Poll::Ready(Ok(received)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if is_about_one_datagram(&error) => {
                    self.receive_errors.fetch_add(1, Relaxed);
                    errors += 1;
                    if errors == ERRORS_BEFORE_YIELD {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// As [`poll_recv`](Self::poll_recv). Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`poll_recv`](Self::poll_recv).
    pub async fn recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_recv(cx, batch)).await
    }

    fn try_recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, || {
            self.with_state(|state| {
                let socket = UdpSockRef::from(&self.io);
                batch.fill(|buffers, metas| state.recv(socket, buffers, metas))
            })
        })?;
        Ok(batch.len())
    }

    fn send_rest(
        &self,
        envelope: Envelope,
        batch: &Batch,
        progress: &mut SendProgress,
    ) -> io::Result<()> {
        let source = envelope.from.filter(|source| {
            self.local.ip().is_unspecified() && source.is_ipv4() == envelope.to.is_ipv4()
        });
        let result = progress.advance(batch, self.max_segments(), |contents, segment_size| {
            let transmit = Transmit {
                destination: envelope.to,
                ecn: envelope.ecn.map(Into::into),
                contents,
                segment_size,
                src_ip: source,
            };
            let socket = UdpSockRef::from(&self.io);
            let result = self.with_state(|state| state.try_send(socket, &transmit));
            if let Err(error) = &result
                && may_be_offload(error)
            {
                self.forget_conclusions(error);
            }
            result
        });
        if progress.offload_fails && !self.offload_fails.swap(true, Relaxed) {
            tracing::info!(local = %self.local, "datagrams leave one by one: no offload");
        }
        result
    }

    /// An invalid argument makes `quinn-udp` give up offload and ECN for the socket, for good. With
    /// peers that name their own addresses, the argument is more often the peer's than the
    /// operating system's fault; whether offload works is found out by `SendProgress`.
    fn forget_conclusions(&self, error: &io::Error) {
        if quinn_udp::is_msg_size_err(error) {
            return; // it draws none from that
        }
        // Locked first: finding out about offload sets and resets a socket option.
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Ok(fresh) = sys::batch_state(&self.io) {
            *state = fresh;
        }
    }

    fn with_state<R>(&self, f: impl FnOnce(&UdpSocketState) -> R) -> R {
        f(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local", &self.local)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Asks for [`BUFFER_BYTES`], then for less where the system refuses instead of giving less.
fn enlarge_buffers(socket: &Socket) -> io::Result<BufferSizes> {
    const LEAST: usize = 256 << 10;
    let sizes = || std::iter::successors(Some(BUFFER_BYTES), |size| Some(size / 2));
    let worth_asking = |size: &usize| *size >= LEAST;
    sizes()
        .take_while(worth_asking)
        .find(|size| socket.set_send_buffer_size(*size).is_ok());
    sizes()
        .take_while(worth_asking)
        .find(|size| socket.set_recv_buffer_size(*size).is_ok());
    Ok(BufferSizes {
        send: socket.send_buffer_size()?,
        receive: socket.recv_buffer_size()?,
    })
}

/// Whether an error on receiving is news about one datagram, sent or received, and not the end.
fn is_about_one_datagram(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionReset
            | ConnectionRefused
            | ConnectionAborted
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | PermissionDenied
            | TimedOut
            | Interrupted
            | InvalidData
    ) || quinn_udp::is_msg_size_err(error)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Only a connected socket hears of ICMP on Linux; on Windows every one does.
    #[tokio::test]
    async fn an_icmp_error_is_counted_and_passed_over() {
        let here = UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let there = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = there.local_addr().unwrap();
        drop(there);
        here.io.connect(address).await.unwrap();
        here.io.send(b"is anybody there?").await.unwrap();

        let there = std::net::UdpSocket::bind(address).unwrap();
        there.send_to(b"now there is", here.local_addr()).unwrap();
        let mut batch = RecvBatch::new();
        assert_eq!(here.recv(&mut batch).await.unwrap(), 1);
        assert_eq!(here.stats().receive_errors, 1);
    }
}
