//! Datagrams over TCP and TLS: towards TURN and STUN servers, and between ICE agents (RFC 6544).

mod connect;
mod error;
mod listener;
#[cfg(feature = "tls")]
mod tls;

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pc_proto::Batch;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

pub use connect::TcpOptions;
pub use error::StreamError;
pub use listener::Listener;
#[cfg(feature = "tls")]
pub use tls::{TlsClient, TlsOptions};

use crate::{Decoder, Framing};

/// What of the queue is for connectivity checks alone, in bytes: dozens of them.
const CHECKS: usize = 4 << 10;
/// How many written bytes at the queue's front are worth moving the rest there.
const LEAST_MOVE: usize = 16 << 10;

/// A connection over TCP or TLS that sends and receives datagrams.
///
/// Both ways are for one task. What is sent waits in a queue of bounded length, and what does not
/// fit is dropped as a network would: a datagram that comes late is of less use than the next one.
pub struct Stream {
    io: Connection,
    decoder: Decoder,
    queue: Queue,
    local: SocketAddr,
    remote: SocketAddr,
    stats: StreamStats,
}

/// What a stream has counted, in datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamStats {
    /// Given to the queue.
    pub sent: u64,
    /// Dropped: the queue was full, or the framing cannot carry them.
    pub dropped: u64,
    /// Received.
    pub received: u64,
}

enum Connection {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Stream {
    fn new(io: Connection, options: &TcpOptions) -> io::Result<Self> {
        let tcp = io.tcp();
        Ok(Self {
            local: tcp.local_addr()?,
            remote: tcp.peer_addr()?,
            decoder: Decoder::with_limit(options.framing, options.max_datagram),
            queue: Queue::new(options.queue),
            stats: StreamStats::default(),
            io,
        })
    }

    /// Its own address and port.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The far side's address and port.
    pub const fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    /// Whether TLS protects it.
    pub const fn is_tls(&self) -> bool {
        !matches!(self.io, Connection::Tcp(_))
    }

    /// How its datagrams are framed.
    pub const fn framing(&self) -> Framing {
        self.decoder.framing()
    }

    /// From the next datagram on, both ways are framed otherwise: after ConnectionBind, a
    /// connection to a TURN server carries the peer's own stream. RFC 6062 §4.3
    pub const fn set_framing(&mut self, framing: Framing) {
        self.decoder.set_framing(framing);
    }

    /// What it has counted.
    pub const fn stats(&self) -> StreamStats {
        self.stats
    }

    /// How many bytes wait to be sent: those that the operating system has not taken yet.
    pub const fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Waits until a datagram is there for [`next_datagram`](Self::next_datagram).
    ///
    /// # Errors
    ///
    /// The far side closed the stream, what it sends is no datagram, or the connection is lost. All
    /// of them are final.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        while !self.decoder.is_ready() {
            let mut room = ReadBuf::new(self.decoder.room());
            ready!(self.io.poll_read(cx, &mut room)).map_err(of_io)?;
            let len = room.filled().len();
            if len == 0 {
                let cut = self.decoder.unread() > 0;
                return Poll::Ready(Err(StreamError::Closed { cut }));
            }
            self.decoder.filled(len);
        }
        Poll::Ready(Ok(()))
    }

    /// As [`poll_recv`](Self::poll_recv). Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`poll_recv`](Self::poll_recv).
    pub async fn recv(&mut self) -> Result<(), StreamError> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next datagram of those that have come, lent where it was read: an engine may decrypt in
    /// place. `None`: wait for more.
    ///
    /// # Errors
    ///
    /// What the far side sends is no datagram; this is final.
    pub fn next_datagram(&mut self) -> Result<Option<&mut [u8]>, StreamError> {
        let datagram = self.decoder.next_frame()?;
        self.stats.received += u64::from(datagram.is_some());
        Ok(datagram)
    }

    /// Queues every datagram of `batch` that there is room for, and returns how many that are; the
    /// others are dropped and counted. Nothing leaves before [`poll_flush`](Self::poll_flush).
    pub fn send(&mut self, batch: &Batch) -> usize {
        let framing = self.framing();
        let queue = |datagram: &&[u8]| self.queue.push(framing, datagram);
        let sent = batch.datagrams().filter(queue).count();
        self.stats.sent += sent as u64;
        self.stats.dropped += (batch.len() - sent) as u64;
        sent
    }

    /// Writes what is queued, until the queue is empty or the operating system takes no more.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        while !self.queue.is_empty() {
            let written = ready!(self.io.poll_write(cx, self.queue.bytes())).map_err(of_io)?;
            if written == 0 {
                return Poll::Ready(Err(StreamError::Closed { cut: false }));
            }
            self.queue.written(written);
        }
        self.io.poll_flush(cx).map_err(of_io)
    }

    /// As [`poll_flush`](Self::poll_flush). Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`poll_flush`](Self::poll_flush).
    pub async fn flush(&mut self) -> Result<(), StreamError> {
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Writes what is queued and says that no more follows. To drop a stream ends it at once.
    ///
    /// # Errors
    ///
    /// As [`poll_flush`](Self::poll_flush).
    pub async fn close(mut self) -> Result<(), StreamError> {
        self.flush().await?;
        std::future::poll_fn(|cx| self.io.poll_shutdown(cx))
            .await
            .map_err(of_io)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("tls", &self.is_tls())
            .field("framing", &self.framing())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Connection {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Tcp(tcp) => tcp,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, to),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, to),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

/// What became of an open stream. TLS servers that end without saying so are as closed as others.
fn of_io(error: io::Error) -> StreamError {
    use io::ErrorKind::*;
    match error.kind() {
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => {
            StreamError::Closed { cut: false }
        }
        #[cfg(feature = "tls")]
        InvalidData => tls::of_tls(error, ""),
        _ => StreamError::Io(error),
    }
}

/// Framed datagrams that the operating system has not taken yet.
struct Queue {
    bytes: Vec<u8>,
    /// Bytes before here have been written.
    written: usize,
    limit: usize,
}

impl Queue {
    const fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            written: 0,
            limit,
        }
    }

    const fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    /// How much of the queue is for datagrams like this one. Between ICE agents the first byte tells
    /// (RFC 7983 §7): media are late before they are lost, so they are dropped first, while there is
    /// room for what is sent again if it is lost; and checks come last, for without consent
    /// (RFC 7675) nothing would leave at all.
    fn share(&self, framing: Framing, datagram: &[u8]) -> usize {
        match (framing, datagram.first()) {
            (Framing::Rfc4571, Some(128..=191)) => self.limit / 2,
            (Framing::Rfc4571, Some(0..=3)) => self.limit + CHECKS,
            _ => self.limit,
        }
    }

    /// Whether the datagram was taken. An empty queue takes any.
    fn push(&mut self, framing: Framing, datagram: &[u8]) -> bool {
        let share = self.share(framing, datagram);
        let fits = self.is_empty() || self.len() + datagram.len() <= share;
        fits && framing.append(datagram, &mut self.bytes).is_ok()
    }

    fn written(&mut self, len: usize) {
        self.written += len;
        if self.is_empty() {
            self.bytes.clear();
            self.written = 0;
        } else if self.written >= LEAST_MOVE.max(self.len()) {
            // No byte is moved more often than as many were written.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests;
