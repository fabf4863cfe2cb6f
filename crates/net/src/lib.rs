//! Sockets for WebRTC: UDP in batches, TCP and TLS framed into datagrams, multicast DNS, interfaces.
//!
//! What a driver of sans-IO engines needs of the operating system. A batch that an engine wrote
//! into a [`Batch`](pc_proto::Batch) leaves in as few system calls as possible, a received batch
//! comes in one, and a shared socket's datagrams find their connection in constant time.
//!
//! ```
//! use pc_net::{Envelope, RecvBatch, SendProgress, UdpSocket};
//! use pc_proto::Batch;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let here = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! let there = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//!
//! let mut batch = Batch::new();
//! let mut out = batch.transmit_buf(1200, 64);
//! for number in 0..10 {
//!     out.datagram(1000, |bytes| bytes.fill(number)); // an engine's `poll_transmit` does this
//! }
//! let (envelope, mut progress) = (Envelope::to(there.local_addr()), SendProgress::new());
//! while here.try_send(envelope, &batch, &mut progress).is_err() {
//!     here.writable().await?; // the rest of the batch waits
//! }
//!
//! let (mut received, mut count) = (RecvBatch::new(), 0);
//! while count < 10 {
//!     there.recv(&mut received).await?;
//!     for datagram in received.datagrams_mut() {
//!         assert_eq!((datagram.remote, datagram.bytes[0]), (here.local_addr(), count));
//!         count += 1;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The same over a stream, as ICE uses it over TCP; towards a TURN server it is
//! [`Framing::Turn`], and [`Stream::connect_tls`] for `turns:`:
//!
//! ```
//! use pc_net::{Framing, Listener, Stream, TcpOptions};
//! use pc_proto::Batch;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = TcpOptions::new(Framing::Rfc4571);
//! let mut listener = Listener::bind("127.0.0.1:0".parse()?, options.clone())?;
//! let mut here = Stream::connect(listener.local_addr(), &options).await?;
//! let mut there = listener.accept().await;
//!
//! let mut batch = Batch::new();
//! let mut out = batch.transmit_buf(1200, 64);
//! for number in 0..10 {
//!     out.datagram(1000, |bytes| bytes.fill(number));
//! }
//! assert_eq!(here.send(&batch), 10); // what there is no room for is dropped
//! here.flush().await?;
//!
//! let mut count = 0;
//! while count < 10 {
//!     there.recv().await?;
//!     while let Some(datagram) = there.next_datagram()? {
//!         assert_eq!((datagram.len(), datagram[0]), (1000, count));
//!         count += 1;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`UdpSocket`] | binds with large buffers, sends and receives batches; one serves many peers |
//! | [`Envelope`], [`SendProgress`] | where a batch goes; how far it has been sent |
//! | [`RecvBatch`], [`Datagram`] | one received batch in reused memory, split into datagrams |
//! | [`Demux`], [`Claim`] | user name fragment, transaction or 5-tuple, to connection |
//! | [`Stream`], [`Listener`], [`TcpOptions`] | datagrams over TCP and TLS, both ways |
//! | `TlsClient`, `TlsOptions` | whose certificates are believed |
//! | [`Decoder`], [`Framing`] | datagrams in a stream of bytes, without any I/O |
//! | [`mdns`] | names for addresses: an engine that asks, one that answers, and a [`Node`](mdns::Node) that runs them |
//! | [`interfaces`], [`InterfaceWatch`], [`InterfaceKind`] | the addresses of this machine, when they change, and what carries their packets |
//!
//! # Design decision
//!
//! Equal datagrams leave and arrive merged (GSO, GRO), which costs a tenth of one call each; the
//! details differ by operating system and are `quinn-udp`'s. A socket is shared by peers who name
//! their own addresses, so nothing that sending to one of them brings about may harm another:
//! refusals are counted and passed over, and conclusions about what the system supports are drawn
//! only from what cannot be one peer's doing.
//!
//! A [`Stream`] is a datagram socket that happens to be reliable: what its short queue has no room
//! for is dropped, and neither side waits for the other. Datagrams are lent where they were read,
//! and memory grows with bytes that have come, never with lengths that were told. Certificates are
//! checked by one verifier on every platform, so that an error says the same everywhere; the
//! operating system tells only whom it trusts.
//!
//! A first question of multicast DNS leaves from a port of our own: port 5353 is shared with other
//! programs of the machine, and an answer to us alone would reach only one of them.
//!
//! # Features
//!
//! `tls` (on by default): `Stream::connect_tls` and `TlsClient`, through `rustls` and `aws-lc-rs`.
//!
//! # Specifications
//!
//! RFC 768 (UDP), RFC 3168 (ECN), RFC 7983 and RFC 8445 §7.3 (what shares a socket, and how checks
//! are told apart); RFC 4571 and RFC 6544 (ICE over TCP), RFC 8489 §6.2.2 and §6.2.3, RFC 8656 §12.5
//! (streams to servers, TLS); RFC 6762 and draft-ietf-mmusic-mdns-ice-candidates (multicast DNS).
//!
//! # Non-goals
//!
//! No protocol above: the caller reads the user name out of a STUN message, and speaks TURN. No
//! services of multicast DNS (RFC 6763), and none of its records but addresses. No TLS for
//! listeners, and no DTLS towards servers (RFC 7350). No runtime beside tokio.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod demux;
mod ecn;
mod framing;
mod interfaces;
pub mod mdns;
mod recv;
mod send;
mod socket;
mod stream;
mod sys;

pub use demux::{Claim, Demux, MAX_TRANSACTIONS_PER_KEY, MAX_TUPLES_PER_KEY, Taken};
pub use ecn::Ecn;
pub use framing::{Decoder, Framing, FramingError, MAX_FRAME};
pub use interfaces::{Change, Interface, InterfaceKind, InterfaceWatch, interfaces};
pub use recv::{Datagram, RecvBatch};
pub use send::{Envelope, SendProgress};
pub use socket::{BUFFER_BYTES, BufferSizes, SocketStats, UdpSocket};
pub use stream::{Listener, Stream, StreamError, StreamStats, TcpOptions};
#[cfg(feature = "tls")]
pub use stream::{TlsClient, TlsOptions};
