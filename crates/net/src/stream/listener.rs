use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::Domain;
use tokio::{
    net::TcpListener,
    time::{Instant, Sleep},
};

use super::{Connection, Stream, TcpOptions, connect};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// How long to wait where the operating system is out of something, such as file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the connections of ICE agents that connect to a passive or simultaneous-open candidate
/// (RFC 6544 §5): any number of peers on one port.
///
/// Anybody may connect and say nothing: whoever accepts bounds how many do, and for how long.
pub struct Listener {
    io: TcpListener,
    local: SocketAddr,
    options: TcpOptions,
    /// Runs while there is no sense in trying.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Listener {
    /// Listens at `address`; port 0 lets the operating system choose. The streams have the framing,
    /// the limits and the sharing of the port that `options` name; their `local` and `timeout` mean
    /// nothing here.
    ///
    /// # Errors
    ///
    /// The operating system refused, for instance because the address is in use or not of this
    /// machine.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub fn bind(address: SocketAddr, options: TcpOptions) -> io::Result<Self> {
        let local = Some(address);
        let options = TcpOptions { local, ..options };
        let socket = options.socket(Domain::for_address(address))?;
        socket.listen(BACKLOG)?;
        let io = TcpListener::from_std(socket.into())?;
        Ok(Self {
            local: io.local_addr()?,
            io,
            options,
            pause: None,
        })
    }

    /// The address it listens at, with the port that the operating system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Takes the next connection. What goes wrong with one of them, or with the operating system
    /// for a while, is passed over.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Stream> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match ready!(self.io.poll_accept(cx)) {
                Ok((tcp, _)) => {
                    let prepared = connect::prepare(&tcp);
                    let stream = prepared.and_then(|()| self.stream(Connection::Tcp(tcp)));
                    match stream {
                        Ok(stream) => return Poll::Ready(stream),
                        Err(error) => tracing::debug!(%error, "a connection was gone at once"),
                    }
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted for a while");
                    let until = Instant::now() + PAUSE;
                    self.pause = Some(Box::pin(tokio::time::sleep_until(until)));
                }
            }
        }
    }

    /// As [`poll_accept`](Self::poll_accept). Dropping the future loses nothing.
    pub async fn accept(&mut self) -> Stream {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn stream(&self, io: Connection) -> io::Result<Stream> {
        Stream::new(io, &self.options)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("local", &self.local)
            .field("framing", &self.options.framing)
            .finish_non_exhaustive()
    }
}

/// Whether the connection at the head of the queue was lost before it was taken. Linux reports what
/// happened to it on the network as errors of `accept`.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | ConnectionRefused
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | TimedOut
            | Interrupted
    )
}
