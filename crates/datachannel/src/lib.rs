//! WebRTC data channels (RFC 8831, 8832) over a sans-IO SCTP association.
//!
//! ```
//! use pc_datachannel::{ChannelInit, Config, Event, Message, MessageKind, Role, Session};
//! use pc_proto::{Batch, Protocol};
//!
//! /// What a driver and a DTLS connection do between two sessions.
//! fn carry(now: std::time::Instant, from: &mut Session, to: &mut Session) {
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
//! let mut a = Session::new(Config { seed: [1; 32], ..Config::default() });
//! let mut b = Session::new(Config { seed: [2; 32], ..Config::default() });
//! a.set_role(now, Role::Client);
//! b.set_role(now, Role::Server);
//! let chat = a.create(now, ChannelInit::new("chat"))?;
//! a.connect(now); // both, when DTLS is up
//! b.connect(now);
//! let mut said = None;
//! while said.is_none() {
//!     carry(now, &mut a, &mut b);
//!     carry(now, &mut b, &mut a);
//!     while let Some(event) = a.poll_event() {
//!         if event == Event::Open(chat) {
//!             a.send(now, chat, Message::Text("hello"))?;
//!         }
//!     }
//!     while let Some(event) = b.poll_event() {
//!         if let Event::Readable(id) = event {
//!             assert_eq!(b.channel(id).map(|channel| channel.label), Some("chat"));
//!             let mut message = Vec::new();
//!             said = b.recv(now, id, &mut message);
//!         }
//!     }
//! }
//! assert_eq!(said, Some(MessageKind::Text));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | room | what is in it |
//! |---|---|
//! | `session` | [`Session`]: the calls, ids, the contract |
//! | `incoming` | what the association reports, made into channels and their events |
//! | `channel` | [`ChannelInit`], [`State`], [`Channel`] |
//! | `dcep` | the two messages of RFC 8832 |
//!
//! # Promises
//!
//! - A channel opened here is open when its OPEN is on its way; until the ACK its messages go
//!   ordered (RFC 8832 §6), so none overtakes the OPEN.
//! - What arrives before its channel exists is kept: at most 1 MiB on 256 streams; beyond that the
//!   largest is refused, and [`Event::Refused`] says so.
//! - What was sent before [`Session::close`] is delivered, then both sides of the stream are reset
//!   (RFC 8831 §6.7), then the id is free. What arrived before the peer's close can be read
//!   before [`Event::Closed`] comes.
//! - A reader that does not come closes the receive window: the sender's
//!   [`buffered_amount`](Channel::buffered_amount) grows to [`MAX_BUFFERED_AMOUNT`], then
//!   [`SendError::BufferFull`] comes. Channels share the window.
//! - No call fails in silence: not a send before open, not one that is too large.
//!
//! # Design decision
//!
//! A session owns its association and is the only thing that speaks to it, so that a channel's
//! life and its stream's resets cannot drift apart. Channels are named by [`ChannelId`]s that are
//! never used again, where stream ids are.
//!
//! # Specifications
//!
//! RFC 8831, RFC 8832, and the events of [WebRTC §6](https://www.w3.org/TR/webrtc/#peer-to-peer-data-api).
//!
//! # Non-goals
//!
//! The fragments of PPIDs 52 and 54, which RFC 8831 §6.6 deprecates: they close their channel with
//! [`ChannelError::UnknownPpid`]. Scheduling by priority: channels take turns.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod channel;
mod config;
mod dcep;
mod error;
mod event;
mod incoming;
mod session;
mod streams;

pub use channel::{Channel, ChannelId, ChannelInit, DEFAULT_PRIORITY, State};
pub use config::{Config, MAX_BUFFERED_AMOUNT, Role};
pub use dcep::{DataChannelOpen, Dcep, ReliabilityParameter};
pub use error::{ChannelError, CreateError, Refusal, SendError};
pub use event::{Event, Message, MessageKind};
pub use pc_sctp::{Rejected, State as SessionState};
pub use session::Session;
