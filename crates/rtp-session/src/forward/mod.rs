//! For servers that send on what they receive: one stream out of several encodings, to each viewer the
//! one that fits.
//!
//! What goes on for one viewer is a [`Rewriter`], which gives the packets of the chosen encoding the
//! numbers of one stream; a [`LayerSelector`], which chooses; and a [`NackCache`], which has what the
//! viewer did not get. What goes on for one sender is a [`KeyFrameLimiter`], for all viewers together.
//! They are values that know nothing of each other, nor of a [`Session`](crate::Session): a server with
//! its own idea of streams takes those it needs.
//!
//! A packet is read once, as [`Incoming`], and rewritten for each viewer into the memory it leaves from.
//!
//! ```
//! use pc_proto::Batch;
//! use pc_rtp::{ExtensionMap, Extensions, PacketView, PayloadType, Ssrc, payload::Format};
//! use pc_rtp_session::forward::{Encoding, Incoming, NackCache, NackCacheConfig, Rewriter, RewriterConfig};
//! # use pc_proto::{Serial16, Serial32, Writer};
//! # use pc_rtp::Header;
//! # #[allow(clippy::disallowed_methods)]
//! # let now = std::time::Instant::now();
//! # let (extensions, map) = (Extensions::default(), ExtensionMap::new());
//! # let mut received = [0; 100];
//! # let header = Header {
//! #     marker: true, payload_type: PayloadType::new(96).unwrap(), sequence_number: Serial16(7),
//! #     timestamp: Serial32(8), ssrc: Ssrc(9), csrcs: &[], extensions: &extensions, map: &map,
//! # };
//! # let mut writer = Writer::new(&mut received);
//! # header.write(&mut writer)?;
//! # // A key frame of VP8.
//! # writer.bytes(&[0x90, 0x80, 0x81, 0x23, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 0, 64, 0, 1])?;
//! # let len = writer.len();
//! # let received = &received[..len];
//!
//! let mut viewer = Rewriter::new(&RewriterConfig {
//!     ssrc: Ssrc(0xF00D),
//!     payload_type: PayloadType::new(120).ok_or("beyond 127")?,
//!     clock_rate: 90_000,
//!     seed: [7; 32],
//! });
//! let mut sent = NackCache::new(NackCacheConfig::default());
//! viewer.select(Encoding(2)); // and ask for a key frame: viewer.awaited()
//!
//! let packet = PacketView::parse(received)?;
//! let incoming = Incoming::of_packet(Format::Vp8, &packet, None)?;
//! let mut batch = Batch::new();
//! let mut out = batch.transmit_buf(1200, 64);
//! if let Ok(outgoing) = viewer.rewrite(now, Encoding(2), &incoming) {
//!     out.datagram_up_to(received.len(), |bytes| {
//!         let len = outgoing.write(&incoming, &extensions, &map, bytes).ok()?;
//!         sent.insert(now, outgoing.sequence_number, bytes.get(..len)?);
//!         Some(len) // or what is left of it once SRTP has protected it, in place
//!     });
//! }
//! let datagram = batch.datagrams().next().ok_or("a key frame is sent on")?;
//! assert_eq!(PacketView::parse(datagram)?.ssrc(), Ssrc(0xF00D));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod incoming;
mod key_frames;
mod nack_cache;
mod numbering;
mod outgoing;
mod pictures;
mod rewriter;
mod run;
mod selector;
#[cfg(test)]
mod tests;

pub use incoming::Incoming;
pub use key_frames::KeyFrameLimiter;
pub use nack_cache::{NackCache, NackCacheConfig, Retransmission};
pub use outgoing::Outgoing;
pub use pc_rtp::dependency::Layer;
pub use rewriter::{Encoding, Refused, Rewriter, RewriterConfig};
pub use selector::{LayerSelector, LayerSelectorConfig, OperatingPoint, OperatingPointInfo};

use incoming::Descriptor;
use outgoing::PayloadNumbers;
