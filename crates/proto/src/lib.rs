//! The contract that every protocol engine of the `peerconnection` workspace keeps.
//!
//! An engine is a value: it owns no socket, clock, randomness source, lock, callback or task.
//! Bytes and time go in, bytes and events come out, through the five methods of [`Protocol`].
//!
//! ```
//! use pc_proto::{Batch, Protocol, TransmitBuf};
//! use std::{convert::Infallible, time::Instant};
//!
//! /// Answers every datagram with the same bytes.
//! #[derive(Default)]
//! struct Echo(Vec<Vec<u8>>);
//!
//! impl Protocol for Echo {
//!     type Route = ();
//!     type Payload<'d> = &'d [u8];
//!     type Event = ();
//!     type Rejected = Infallible;
//!
//!     fn handle_input<'d>(&mut self, _: Instant, _: (), datagram: &'d mut [u8])
//!         -> Result<&'d [u8], Infallible> {
//!         self.0.push(datagram.to_vec());
//!         Ok(datagram)
//!     }
//!     fn handle_timeout(&mut self, _: Instant) {}
//!     fn poll_transmit(&mut self, _: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
//!         let before = out.len();
//!         while !out.is_full() && let Some(reply) = self.0.pop() {
//!             out.datagram(reply.len(), |bytes| bytes.copy_from_slice(&reply));
//!         }
//!         (out.len() > before).then_some(())
//!     }
//!     fn poll_event(&mut self) -> Option<()> { None }
//!     fn poll_timeout(&self) -> Option<Instant> { None }
//! }
//!
//! // A driver: feed a whole receive batch, then poll until idle.
//! # #[allow(clippy::disallowed_methods)]
//! let now = Instant::now();
//! let (mut echo, mut batch) = (Echo::default(), Batch::new());
//! echo.handle_input(now, (), &mut b"one".to_vec()).unwrap();
//! echo.handle_input(now, (), &mut b"two".to_vec()).unwrap();
//! let mut out = batch.transmit_buf(1200, 64);
//! echo.poll_transmit(now, &mut out);
//! assert_eq!(batch.datagrams().count(), 2);
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Protocol`] | the five methods and their rules |
//! | [`Batch`], [`TransmitBuf`] | one caller-owned buffer for a batch of datagrams; inner layers write inside outer ones |
//! | [`TimerTable`] | timers as an enum that indexes a table |
//! | [`Reader`], [`Writer`], [`ParseError`] | checked access to wire bytes; the only place that slices them |
//! | [`Serial16`], [`Serial32`] | serial numbers of RFC 1982, deliberately without `Ord` |
//! | [`FiveTuple`] | how a datagram's far side is named above a socket |
//!
//! # Design decision
//!
//! Outgoing bytes are *pulled* into memory that the caller owns ([`Protocol::poll_transmit`]), a
//! batch for one route at a time, because one system call for a batch of equal-sized datagrams
//! costs several times less than one call each, and because an outer layer can then seal in place
//! what an inner layer wrote ([`TransmitBuf::wrap`]).
//!
//! # Non-goals
//!
//! No protocol, no error enumeration, no dependency.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod protocol;
mod reader;
mod route;
mod serial;
mod timer;
mod transmit;
mod writer;

pub use protocol::Protocol;
pub use reader::{ParseError, Reader};
pub use route::{FiveTuple, Transport};
pub use serial::{Serial16, Serial32};
pub use timer::{TimerKey, TimerTable};
pub use transmit::{Batch, GsoRun, MAX_GSO_BYTES, MAX_GSO_SEGMENTS, TransmitBuf};
pub use writer::{WriteError, Writer};
