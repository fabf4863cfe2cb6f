//! SDP (RFC 8866) with the WebRTC attributes, typed and lossless.
//!
//! An offer or answer becomes plain structs, can be read, edited or built from nothing, and is
//! written back. What was not edited is written back byte for byte; what WebRTC gives a meaning
//! to is typed; what this crate does not know stays in its place.
//!
//! ```
//! use pc_sdp::{Attribute, Candidate, MediaDescription, SessionDescription, Setup};
//!
//! let offer = "v=0\r\n\
//!     o=- 4962303333179871722 1 IN IP4 0.0.0.0\r\n\
//!     s=-\r\n\
//!     t=0 0\r\n\
//!     a=group:BUNDLE 0\r\n\
//!     a=msid-semantic: WMS\r\n\
//!     m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
//!     c=IN IP4 0.0.0.0\r\n\
//!     a=mid:0\r\n\
//!     a=ice-ufrag:8hhY\r\n\
//!     a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n\
//!     a=setup:actpass\r\n\
//!     a=sctp-port:5000\r\n";
//! let mut session = SessionDescription::parse(offer)?;
//! assert_eq!(session.to_string(), offer); // `: WMS` too, though `:WMS` is what we would write
//!
//! let media = &session.media[0];
//! assert_eq!(media.mid().map(|mid| mid.as_str()), Some("0"));
//! assert_eq!(session.setup_for(media), Some(Setup::Actpass));
//!
//! let candidate: Candidate = "candidate:1 1 udp 2122260223 192.0.2.7 53987 typ host".parse()?;
//! session.media[0].push(Attribute::Candidate(Box::new(candidate)));
//! assert!(session.to_string().ends_with("typ host\r\n"));
//!
//! let error = SessionDescription::parse(&offer.replace("5000", "66000")).unwrap_err();
//! assert_eq!(error.line, 13);
//! assert_eq!(error.to_string(), "line 13: a=sctp-port: not a port number (0 to 65535)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | file | holds |
//! |---|---|
//! | `session.rs`, `media.rs` | [`SessionDescription`], [`MediaDescription`]: the two kinds of section and what is inherited |
//! | `lines.rs`, `line.rs` | [`Lines`], [`Line`]: the lines of a section in their order |
//! | `attribute/` | [`Attribute`] and one file per family of attributes |
//! | `text.rs`, `number.rs`, `address.rs` | [`Text`], [`Word`], [`PayloadType`], [`Host`], … |
//! | `parse.rs`, `error.rs` | the line-by-line parser and [`ParseError`] |
//!
//! # Design decision
//!
//! A lossless parser could keep the text beside the values, and let them drift apart; or keep the
//! text alone, and parse at every look. Here a line is its typed value; the text is kept, in
//! [`Spelled`], only where it differs from what the value would be written as, and is dropped the
//! moment the value is borrowed mutably. Free text is [`Text`] or [`Word`], which cannot hold CR,
//! LF or NUL, so no value whatever can be written as more than its own line.
//!
//! Parsing is one pass, linear in the input, and bounded by [`MAX_LEN`] and [`MAX_MEDIA`].
//! A known attribute that breaks its grammar is an error with its line number; limits of meaning
//! (how many candidates, which hash, which mids) are for the layers above.
//!
//! # Specifications
//!
//! RFC 8866 (SDP), 9429 (JSEP), 8839 and 8840 (ICE), 8122, 4145 and 8842 (DTLS), 8841 (SCTP),
//! 5888 and 9143 (grouping), 8830 (msid), 5576 (ssrc), 4585 and 5104 (rtcp-fb), 3605, 5506, 5761
//! and 8858 (rtcp), 3611 (rtcp-xr), 8285 (extmap), 8851 and 8853 (rid, simulcast), 9335 (cryptex),
//! 4568 (crypto, to be refused), draft-hancke-tsvwg-snap (sctp-init).
//!
//! # Not here
//!
//! Offer/answer rules and semantic checks, name resolution, networks other than `IN`.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod address;
mod attribute;
mod error;
mod fields;
mod line;
mod lines;
mod media;
mod number;
mod parse;
mod session;
mod spelled;
mod text;

pub use address::{AddressFamily, Connection, Host, NetworkAddress};
pub use attribute::{
    Attribute, Candidate, CandidateKind, Crypto, Direction, Extmap, Feedback, Fingerprint, Fmtp,
    Format, Group, GroupSemantics, HashFunction, IceOptions, IcePwd, Msid, MsidSemantic,
    RemoteCandidate, RemoteCandidates, Rid, RidDirection, Rtcp, RtcpFb, Rtpmap, SctpInit, SctpMap,
    Setup, Simulcast, SimulcastId, SimulcastStreams, SsrcAttribute, SsrcGroup, SsrcGroupSemantics,
    TcpType, Transport, is_ice_pwd, is_ice_ufrag,
};
pub use error::{InvalidValue, ParseError, ParseErrorKind};
pub use line::{Bandwidth, BandwidthKind, Key, Line, Origin, Timing};
pub use lines::Lines;
pub use media::{Formats, MediaDescription, MediaKind, MediaLine, Protocol};
pub use number::{Decimal, ExtmapId, PayloadType, Ssrc};
pub use parse::{MAX_LEN, MAX_MEDIA};
pub use session::SessionDescription;
pub use spelled::Spelled;
pub use text::{Text, Word, WordList};

#[cfg(test)]
mod tests;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
