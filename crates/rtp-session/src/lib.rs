//! RTP sessions without I/O: streams out and in over one transport, with all that keeps them alive.
//!
//! ```
//! use pc_proto::{Batch, Protocol, Serial32};
//! use pc_rtp::{ExtensionMap, ExtensionUri, PayloadType, payload::Format};
//! use pc_rtp_session::{
//!     Codec, Config, EncodingParameters, Frame, SenderId, SenderParameters, Session,
//! };
//!
//! # #[allow(clippy::disallowed_methods)]
//! let now = std::time::Instant::now();
//! let mut session = Session::new(now, Config { seed: [7; 32], ..Config::default() });
//!
//! // What offer and answer have agreed on.
//! let vp8 = PayloadType::new(96).ok_or("beyond 127")?;
//! let mut extensions = ExtensionMap::new();
//! extensions.set(1, ExtensionUri::Mid);
//! session.set_sender(now, SenderId(0), SenderParameters {
//!     mid: "0".into(),
//!     codecs: vec![Codec {
//!         payload_type: vp8, format: Format::Vp8, clock_rate: 90_000, channels: 1,
//!         rtx: PayloadType::new(97), nack: true, pli: true, fir: true,
//!         transport_cc: false, remb: false,
//!     }],
//!     extensions,
//!     encodings: vec![EncodingParameters { rid: None, active: true }],
//!     reduced_size: true,
//!     weight: 1,
//! });
//!
//! // What the encoder wrote, and what leaves of it.
//! session.send_frame(now, SenderId(0), 0, Frame {
//!     payload_type: vp8, data: &[0x10; 5000], timestamp: Serial32(0), capture: now,
//!     is_key_frame: true, size: None, audio_level: None, orientation: None,
//!     layer: None,
//! })?;
//! let (mut batch, mut packets) = (Batch::new(), 0);
//! while session.poll_transmit(now, &mut batch.transmit_buf(1200, 64)).is_some() {
//!     packets += batch.datagrams().filter(|datagram| !pc_rtp::is_rtcp(datagram)).count();
//! }
//! assert_eq!(packets, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | room | what is in it |
//! |---|---|
//! | `session` | [`Session`]: the calls, the contract |
//! | `send` | encodings and their numbers, what waits to leave, the pacer, the history that serves NACKs, the rate |
//! | `receive` | whose a packet is, streams and their reports, loss, the jitter buffer, frames |
//! | `rtcp` | when reports leave and what is in them; where what arrives belongs |
//! | `feedback` | arrivals, told to the peer's congestion control |
//! | [`forward`] | for servers: one stream out of several encodings, to each viewer the one that fits |
//!
//! # Promises
//!
//! - Nothing is allocated for a packet once the buffers have grown; what is kept is bounded in time,
//!   packets and bytes, whatever the peer asks for.
//! - A frame is packetized once and written once, into the datagram that leaves; packets of one frame
//!   are equally long where the format allows, so that they leave in one system call.
//! - A packet is sent again once in a round trip and ten times at most, and all of that takes no
//!   more than the target rate again.
//! - A peer's requests for key frames come out as two events a second and encoding at most.
//!
//! # Design decision
//!
//! The session is one value for all that shares a transport, because its parts need each other: a
//! report of the peer about one stream measures the round trip that another's retransmissions wait
//! for, and one pacer decides whose packet is next. It sees packets in the clear; SRTP runs around it
//! and knows nothing of streams.
//!
//! # Specifications
//!
//! RFC 3550, 3551, 4585, 4588, 5104, 5506, 5761, 6051, 8108, 8852, 9143 §15, 3611 (RRTR, DLRR);
//! draft-holmer-rmcat-transport-wide-cc-extensions-01 and draft-alvestrand-rmcat-remb-03 as browsers
//! have them; draft-ietf-rmcat-gcc-02 §6 for the rate.
//!
//! # Non-goals
//!
//! Encryption; codecs; estimating bandwidth from delay; forward error correction.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod clock;
mod config;
mod error;
mod event;
mod feedback;
pub mod forward;
mod frame;
mod parameters;
mod receive;
mod rtcp;
mod send;
mod session;
mod stats;

pub use config::Config;
pub use error::{Rejected, SendError};
pub use event::Event;
pub use frame::{Arrived, Frame, Input, OutgoingPacket, Received, ReceivedFrame, Source};
pub use parameters::{
    Codec, EncodingParameters, ReceiverId, ReceiverParameters, SenderId, SenderParameters,
};
pub use session::Session;
pub use stats::{InboundStats, OutboundStats, ReceivedLayer, RemoteInbound, RemoteOutbound};
