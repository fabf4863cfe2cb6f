//! A sans-IO SCTP association for WebRTC data channels (RFC 9260, 8261, 3758, 6525).
//!
//! Whole messages in, packets out, packets in, whole messages out; the packets are what DTLS
//! carries. Time, packets and randomness come from the caller ([`pc_proto::Protocol`]).
//!
//! ```
//! use pc_proto::{Batch, Protocol};
//! use pc_sctp::{Association, Config, Event, Ppid, Reliability, StreamId};
//!
//! /// What a driver and a DTLS connection do between two associations.
//! fn carry(now: std::time::Instant, from: &mut Association, to: &mut Association) {
//!     let mut batch = Batch::new();
//!     while from.poll_transmit(now, &mut batch.transmit_buf(1191, 64)).is_some() {
//!         for packet in batch.datagrams() {
//!             let _ = to.handle_input(now, (), &mut packet.to_vec());
//!         }
//!     }
//! }
//!
//! # #[allow(clippy::disallowed_methods)]
//! let now = std::time::Instant::now();
//! let mut a = Association::new(Config { seed: [1; 32], ..Config::default() });
//! let mut b = Association::new(Config { seed: [2; 32], ..Config::default() });
//! a.connect(now); // both sides may
//! b.connect(now);
//! a.send(now, StreamId(0), Reliability::ORDERED, Ppid::STRING, b"hello")?;
//! while b.poll_event() != Some(Event::Readable(StreamId(0))) {
//!     carry(now, &mut a, &mut b);
//!     carry(now, &mut b, &mut a);
//! }
//! let mut message = Vec::new();
//! assert_eq!(b.recv(now, StreamId(0), &mut message), Some(Ppid::STRING));
//! assert_eq!(message, b"hello");
//! # Ok::<(), pc_sctp::SendError>(())
//! ```
//!
//! # Layout
//!
//! | room | what is in it |
//! |---|---|
//! | `association` | [`Association`]: the calls and the contract |
//! | `handshake`, `init` | INIT to COOKIE ACK, from both sides at once if need be |
//! | `inbound` | every chunk is checked; only what the carrier can take gets through |
//! | `transfer`, `stream` | what an established association knows, and each of its streams |
//! | `fragments` | what bounds fragments of a few bytes |
//! | `inbox` | whole messages that nobody has read yet, and what they cost |
//! | `outbox`, `flight`, `outbound` | messages that wait, how many bytes the carrier may hold, packets on their way out |
//! | `reconfig` | stream resets, once for each use of a stream |
//! | `shutdown` | SHUTDOWN to SHUTDOWN COMPLETE |
//! | `carrier` | the one file that knows `sctp-proto` |
//!
//! # Design decision
//!
//! The transfer of data (congestion control, retransmission, fragments, SACKs) is carried by
//! [`sctp-proto`](https://docs.rs/sctp-proto), nothing of which shows outside. Around it stands what
//! it lacks or where it is too trusting: the handshake with a collision of INITs and from a seed,
//! the end by SHUTDOWN or ABORT, a check of every chunk before it (a SACK for what was not sent, an
//! ERROR, an unexpected INIT each end an association there), resets that hit a channel twice,
//! packets beyond the MTU, FORWARD TSN for a stream not seen yet. It looks at all unacknowledged
//! data at each call and recovers slowly from a burst of losses, so it is given only as much as
//! the path holds without a queue, at least 128 KiB; the rest waits here.
//!
//! What waits to be read closes the receive window, with 64 bytes beside each message, so that
//! neither large nor many messages take more memory than [`Config::receive_buffer`] says; messages
//! that are not complete yet may take as much again. Nothing that was acknowledged is dropped.
//!
//! # Specifications
//!
//! RFC 9260 (SCTP), 8261 (over DTLS), 3758 and 7496 (partial reliability), 6525 (stream reset),
//! 8831 §6 (use by WebRTC), 4820 (PAD is skipped).
//!
//! # Non-goals
//!
//! Several addresses, ECN, AUTH, address changes, a restart within one DTLS association, message
//! interleaving (RFC 8260), the other requests of RFC 6525, PPIDs beside those of RFC 8831, reports
//! of what was not recognised.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod association;
mod carrier;
mod config;
mod error;
mod flight;
mod fragments;
mod handshake;
mod inbound;
mod inbox;
mod init;
mod outbound;
mod outbox;
mod reconfig;
mod shutdown;
mod stream;
mod transfer;
mod types;
mod wire;

pub use association::Association;
pub use config::{Config, DEFAULT_PORT};
pub use error::{Error, Rejected, SendError};
pub use types::{Event, Limit, Ppid, Reliability, State, StreamId};

#[cfg(test)]
mod reset_tests;
#[cfg(test)]
mod tests;
