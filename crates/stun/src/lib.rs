//! STUN and TURN messages: a checked view of received bytes, a builder into the caller's bytes,
//! and integrity with keys that are absorbed once.
//!
//! ```
//! use pc_stun::{Attribute, Class, IntegrityKey, MessageBuilder, MessageView, Method, TransactionId};
//!
//! // The key of an ICE check is the password of the side that receives it.
//! let key = IntegrityKey::short_term("VOkJxbRl1RmTxUk/WvJxBt");
//! let id = TransactionId([7; 12]); // random, in earnest
//!
//! // One side asks …
//! let mut bytes = [0; 256];
//! let len = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, id)
//!     .attribute(Attribute::Username("evtj:h6vY"))
//!     .attribute(Attribute::Priority(0x6E00_01FF))
//!     .attribute(Attribute::IceControlling(0x932F_F9B1_5126_3B36))
//!     .attribute(Attribute::UseCandidate)
//!     .integrity(&key)
//!     .fingerprint()
//!     .finish()?;
//!
//! // … and the other reads what came in a datagram.
//! assert!(MessageView::is_stun(&bytes[..len]));
//! let request = MessageView::parse(&bytes[..len])?;
//! assert_eq!((request.class(), request.method()), (Class::Request, Method::BINDING));
//! assert_eq!(request.username(), Some("evtj:h6vY"));
//! request.verify_fingerprint()?;
//! request.verify_integrity(&key)?; // from here on it is known who wrote it
//! assert!(request.use_candidate());
//! assert_eq!(request.unknown_comprehension_required().count(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`MessageView`] | a received message: parsed and checked once, then infallible |
//! | [`MessageBuilder`], [`Message`] | a message to send, step by step or as a value with a size |
//! | [`Attribute`], [`AttributeType`] | the typed attributes and their numbers |
//! | [`IntegrityKey`] | a key for both HMACs; [`userhash`] and [`PasswordAlgorithm`] go with it |
//! | [`ChannelHeader`], [`ChannelNumber`] | the 4 bytes in front of data in a TURN channel |
//! | [`Class`], [`Method`], [`TransactionId`], [`ErrorCode`] | the header's and the responses' nouns |
//!
//! # Design decision
//!
//! Nearly all of a STUN server's or ICE agent's time on a message is HMAC-SHA1 and CRC-32, so
//! the rest is kept out of its way: no allocation, one pass over the attributes, the key's two
//! hash states computed once, and the bytes handed to the compression function from one copy in
//! which the header's length is the one that RFC 8489 §14.5 asks for.
//!
//! A value that a receiver must understand and that is malformed refuses the message; an optional
//! one is kept as [`Attribute::Unknown`], so that one bad SOFTWARE does not cost a connection.
//!
//! # Specifications
//!
//! RFC 8489 (STUN), RFC 8656 (TURN), RFC 6062 (TURN over TCP), RFC 8016 (mobility), RFC 7635 (third-party
//! authorization), RFC 8445 §16 (ICE's attributes), RFC 7983 (telling STUN from other protocols),
//! draft-thatcher-ice-renomination, and the attributes of libwebrtc that browsers send.
//!
//! # Non-goals
//!
//! Transactions, retransmission and TURN's state live in `pc-ice`. No RFC 3489 without the cookie,
//! no OpaqueString preparation (RFC 8265): ICE's credentials are ASCII, and others are prepared by
//! whoever owns them.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod attribute;
mod builder;
mod channel;
mod header;
mod integrity;
mod kind;
mod view;

pub use attribute::{
    Acks, AddressFamily, Attribute, ErrorCode, PasswordAlgorithmEntry, PasswordAlgorithms,
    UnknownAttributes,
};
pub use builder::{BuildError, Message, MessageBuilder};
pub use channel::{CHANNEL_HEADER_LEN, ChannelHeader, ChannelNumber};
pub use header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId};
pub use integrity::{
    IntegrityAlgorithm, IntegrityError, IntegrityKey, PasswordAlgorithm, userhash,
};
pub use kind::AttributeType;
pub use pc_proto::{ParseError, WriteError, Writer};
pub use view::{Attributes, MessageView};

#[cfg(test)]
mod tests;
