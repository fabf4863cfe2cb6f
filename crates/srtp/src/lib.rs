//! SRTP and SRTCP: RTP that nobody else can read, change or replay.
//!
//! ```
//! use pc_srtp::{Options, Profile, Receiver, Rejected, Sender};
//!
//! // One direction of a call: DTLS gives both sides its key and salt.
//! let profile = Profile::Aes128CmSha1_80;
//! let (key, salt) = ([1; 16], [2; 14]);
//! let mut sender = Sender::new(profile, &key, &salt, Options::default())?;
//! let mut receiver = Receiver::new(profile, &key, &salt, Options::default())?;
//!
//! // A packet with room behind it.
//! let mut packet = vec![0x80, 111, 0, 7, 0, 0, 0, 0, 0, 0, 0, 42, b'h', b'i'];
//! packet.resize(14 + profile.rtp_overhead(), 0);
//! let len = sender.protect_rtp(&mut packet, 14)?;
//! let mut again = packet.clone();
//!
//! assert_eq!(receiver.unprotect_rtp(&mut packet[..len])?[12..], *b"hi");
//! assert_eq!(receiver.unprotect_rtp(&mut again[..len]), Err(Rejected::Replayed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Sender`], [`Receiver`] | the cryptographic contexts of one direction, for all its sources |
//! | [`Profile`] | the ciphers that DTLS-SRTP negotiates |
//! | [`Options`] | the window against replays, Cryptex, how many sources |
//! | [`Rejected`], [`Error`] | why a packet was dropped; why a context cannot be made |
//!
//! # Design decision
//!
//! *State follows authentication.* A source is remembered, and its roll-over counter and window move,
//! only once a packet of it has proven authentic: what is forged leaves no trace, not even memory.
//!
//! *Two directions, two types.* What is sent needs no window and what is received no caution with
//! nonces, so neither carries the other's state.
//!
//! Keys are derived once for each context, not for each source: they depend on no SSRC (RFC 3711 §4.3).
//!
//! # Specifications
//!
//! RFC 3711, RFC 7714, RFC 9335, RFC 5764 §4.1.2 and RFC 7714 §14.2 for the profiles.
//!
//! # Non-goals
//!
//! A key derivation rate other than 0, master key identifiers, NULL ciphers: WebRTC forbids or never
//! negotiates them. SRTCP without encryption is refused. RFC 6904, which Cryptex has superseded.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod cipher;
mod cryptex;
mod error;
mod header;
mod index;
mod kdf;
mod profile;
mod receiver;
mod sender;
mod streams;
mod window;

#[cfg(test)]
mod tests;

pub use error::{Error, Rejected};
pub use profile::{Options, Profile};
pub use receiver::Receiver;
pub use sender::Sender;
