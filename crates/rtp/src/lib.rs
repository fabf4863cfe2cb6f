//! RTP and RTCP on the wire: packets, header extensions, reports and feedback, payload formats.
//!
//! Views borrow what has been checked once; plain structs are written in one pass. Nothing allocates
//! per packet.
//!
//! ```
//! use pc_proto::{Serial16, Serial32, Writer};
//! use pc_rtp::{
//!     AudioLevel, ExtensionMap, ExtensionUri, Extensions, Header, PacketView, PayloadType, Ssrc,
//!     rtcp::{Compound, Nack, Packet},
//! };
//!
//! // What `a=extmap` lines have agreed on.
//! let mut map = ExtensionMap::new();
//! map.set(1, ExtensionUri::SsrcAudioLevel);
//! map.set(4, ExtensionUri::Mid);
//!
//! // A packet: header and extensions in front of a payload.
//! let loud = AudioLevel { voice: true, level: 12 };
//! let extensions = Extensions { mid: Some("0"), audio_level: Some(loud), ..Default::default() };
//! let header = Header {
//!     marker: false,
//!     payload_type: PayloadType::new(111).ok_or("beyond 127")?,
//!     sequence_number: Serial16(41),
//!     timestamp: Serial32(960),
//!     ssrc: Ssrc(0xC0FFEE),
//!     csrcs: &[],
//!     extensions: &extensions,
//!     map: &map,
//! };
//! let mut bytes = [0; 1200];
//! let mut writer = Writer::new(&mut bytes);
//! header.write(&mut writer)?;
//! writer.bytes(b"opus")?;
//! let len = writer.len();
//!
//! let packet = PacketView::parse(&bytes[..len])?;
//! assert_eq!(packet.payload(), b"opus");
//! assert_eq!(packet.extensions().read(&map), extensions);
//!
//! // Feedback on it: two packets are missing.
//! let nack = Nack { sender: Ssrc(1), media: packet.ssrc(), lost: &[Serial16(42), Serial16(45)] };
//! let mut bytes = vec![0; nack.wire_len()];
//! nack.write(&mut Writer::new(&mut bytes))?;
//! match Compound::parse(&bytes)?.packets().next() {
//!     Some(Ok(Packet::Nack(nack))) => assert_eq!(nack.lost().count(), 2),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`PacketView`], [`Header`], [`PacketMut`] | a packet read, the header of one to be written, and one that is changed where it lies |
//! | [`ExtensionUri`], [`ExtensionMap`], [`Extensions`], [`ExtensionsView`] | header extensions: which, under which ids, as values, as they come |
//! | [`dependency`] | the dependency descriptor: layers and what refers to what, without the payload |
//! | [`rtcp`] | reports, feedback and the rest of RTCP |
//! | [`payload`] | what is in a packet: frames taken apart and put together |
//! | [`dtmf`] | keys pressed on a telephone: what plays them, and what hears them |
//! | [`is_rtcp`] | which of the two a datagram is |
//!
//! # Design decision
//!
//! *Extensions are values, not bytes.* A struct with a field for each is filled or read in one pass over
//! the header, by a map of ids that negotiation fills once: no list is built, nothing is boxed, and a
//! sender cannot write an extension that was not negotiated, for it has no id.
//!
//! # Specifications
//!
//! RFC 3550 and 3551, 8285 (header extensions), 4585 and 5104 (feedback), 5506, 5761, 3611, 8888, 4588,
//! 4733 (telephone events), 9335 (recognized; SRTP decrypts), 6464, 6465, 5450, 8852, 9143 §15; the payload formats of
//! [`payload`]; appendix A of the AV1 RTP specification.
//!
//! # Non-goals
//!
//! When anything is sent: that is `pc-rtp-session`'s. Encryption: `pc-srtp`. TMMBR, and feedback that
//! browsers do not use, are kept as [`rtcp::UnknownView`].
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod dependency;
pub mod dtmf;
mod extension_uri;
mod extension_view;
mod extensions;
mod header;
mod id;
mod packet;
mod packet_mut;
pub mod payload;
pub mod rtcp;
mod values;

#[cfg(test)]
mod tests;

pub use extension_uri::{ExtensionMap, ExtensionUri};
pub use extension_view::{Elements, ExtensionsView};
pub use extensions::Extensions;
pub use header::Header;
pub use id::{NtpTime, PayloadType, Ssrc, compact_duration, from_compact_duration};
pub use packet::{FIXED_HEADER_LEN, PacketView, is_rtcp};
pub use packet_mut::PacketMut;
pub use pc_proto::ParseError;
pub use values::{AbsCaptureTime, AbsSendTime, AudioLevel, PlayoutDelay, VideoOrientation};
