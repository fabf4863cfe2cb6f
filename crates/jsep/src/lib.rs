//! Offer and answer (JSEP, RFC 9429) as a pure state machine.
//!
//! A [`Session`] is the negotiating half of the W3C's `RTCPeerConnection`: calls and descriptions go
//! in; descriptions, the state of transceivers, events in the specification's order and a plan of
//! transports come out. It owns no socket, clock, thread or certificate. Whoever does brings transports
//! in line with the plan after every description that is set.
//!
//! ```
//! use pc_jsep::{Config, Event, MediaKind, SdpType, Session};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let session = |seed: u8| {
//!     // Of the certificate that DTLS will show.
//!     let fingerprint = format!("sha-256 {}", ["AB"; 32].join(":")).parse()?;
//!     // From the operating system: passwords are made of it.
//!     let seed = [seed; 32];
//!     Ok::<_, Box<dyn std::error::Error>>(Session::new(Config::new(seed, vec![fingerprint])))
//! };
//! let (mut alice, mut bob) = (session(1)?, session(2)?);
//!
//! alice.add_track(MediaKind::Audio, "voice", &["camera".to_owned()])?;
//! alice.want_data();
//! alice.update_negotiation_needed();
//! assert_eq!(alice.poll_event(), Some(Event::NegotiationNeeded));
//!
//! // An offer goes over, as text.
//! alice.set_local_description(None)?;
//! let (kind, offer) = alice.local_description().expect("just set");
//! bob.set_remote_description(kind, &offer)?;
//! let heard: Vec<Event> = std::iter::from_fn(|| bob.poll_event()).collect();
//! assert!(matches!(heard.last(), Some(Event::Track { streams, .. }) if streams[..] == ["camera"]));
//!
//! // And an answer comes back.
//! bob.set_local_description(None)?;
//! let (kind, answer) = bob.local_description().expect("just set");
//! assert_eq!(kind, SdpType::Answer);
//! alice.set_remote_description(kind, &answer)?;
//!
//! // Both know what to do now: one transport, for audio and data.
//! let [plan] = alice.transports() else { panic!("bundled") };
//! let peer = plan.peer.as_ref().expect("answered");
//! assert_eq!(peer.remote, bob.transports()[0].local);
//! assert!(alice.is_controlling() && !peer.dtls_client);
//! let audio = alice.transceivers().next().expect("one");
//! assert_eq!(audio.mid(), Some("0"));
//! assert_eq!(audio.send_codecs()[0].codec.name(), "opus");
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! | file | holds |
//! |---|---|
//! | `session.rs` | [`Session`]: everything there is, the signaling states and what fits them |
//! | `api.rs`, `view.rs`, `transceiver.rs` | what the application does with transceivers, what it sees, and what they are |
//! | `offer.rs`, `layout.rs` | `createOffer`: which section is whose, on which transport, and what it says |
//! | `answer.rs` | `createAnswer`: what is accepted, and on which transport |
//! | `local.rs`, `remote.rs` | setting descriptions: their checks, and whose each section is |
//! | `commit.rs`, `tracks.rs` | what an answer decides, and what the application is told of it |
//! | `rollback.rs`, `needed.rs` | going back to the stable state; `negotiationneeded` |
//! | `description.rs`, `created.rs`, `write.rs` | a description as it is read, created, written |
//! | `agreement.rs`, `bundle.rs`, `plan.rs` | what descriptions have decided, section by section and transport by transport |
//! | `candidates.rs` | candidates, on their way into descriptions and out of them |
//! | `codec/`, `extension/`, `encoding/` | codecs and payload types; header extensions; simulcast and parameters |
//!
//! # Design decision
//!
//! **Setting a description is a transaction.** It works on a copy of the session, which takes the place
//! of the session when all has gone well; a description that proves wrong halfway leaves nothing behind,
//! as the W3C demands. Rollback is alike: what descriptions have decided is one value, `Agreement`, kept
//! when the stable state is left and put back as a whole; what the application did meanwhile is not in
//! it, and stays. Descriptions are shared, so a copy costs little beside parsing.
//!
//! **A plan comes out, no commands.** [`Session::transports`] is always the whole list of what is to be.
//! An engine that compares it with what it has needs no rule of its own for bundling, restarts,
//! provisional answers or rollback.
//!
//! Where implementations of the specifications disagree, or they are silent:
//!
//! - In an answer, the first accepted section of a bundle leads. RFC 9143 §7.3.3 would have the whole
//!   bundle rejected with its first section; browsers go on with the others.
//! - `a=msid` stands in an answer for every transceiver that wants to send, even where the peer does not
//!   receive: else WebRTC §4.7.3 would find negotiation needed for ever between two such sides.
//! - A track that a provisional answer has silenced and the final one lets in is told of again.
//!
//! Nothing grows without bound: an SDP has at most 1 MiB and 1,000 sections; of a section 256 candidates,
//! 32 fingerprints, 64 streams and 64 rids are kept; ids of tracks and streams have at most 255 bytes.
//!
//! # Specifications
//!
//! [WebRTC](https://www.w3.org/TR/webrtc/) §4.4, §4.7, §5.1–5.4; webrtc-extensions (header extensions to
//! negotiate, `alwaysNegotiateDataChannels`); webrtc-svc (modes of encodings); RFC 9429 (JSEP), 3264 (offer
//! and answer), 8829, 9143 (BUNDLE), 5888 (mid), 8830 (msid), 8838–8840 (trickle ICE), 8842 and 8122 (DTLS),
//! 8841 (SCTP), 8285 (header extensions), 8851–8853 (rid, simulcast), 5761 (rtcp-mux), 5506 (rsize).
//!
//! # Non-goals
//!
//! No chain of operations, no promises: calls take effect at once, and the caller puts them in order. No
//! gathering and no media. No RTCP on a port of its own, no SDES, no Plan B: refused by name.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod agreement;
mod answer;
mod api;
mod bundle;
mod candidates;
mod codec;
mod commit;
mod config;
mod created;
mod description;
mod encoding;
mod error;
mod event;
mod extension;
mod grouping;
mod layout;
mod local;
mod needed;
mod offer;
mod plan;
mod random;
mod remote;
mod rollback;
mod session;
mod tracks;
mod transceiver;
mod types;
mod ufrag;
mod view;
mod write;

pub use api::TransceiverInit;
pub use candidates::{CandidateInit, RemoteCandidate};

pub use codec::{
    Capabilities, Codec, CodecCapability, CodecParameters, HeaderExtensionCapability,
    KindCapabilities, RtpCapabilities,
};
pub use config::Config;
pub use encoding::{
    DegradationPreference, EncodingParameters, Priority, ReceiveParameters, ResolutionRestriction,
    RidRestrictions, RtcpParameters, SendParameters,
};
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use extension::HeaderExtension;
pub use offer::OfferOptions;
pub use plan::{DataPlan, IceCredentials, PeerData, PeerTransport, SectionName, TransportPlan};
pub use session::Session;
pub use types::{
    BundlePolicy, MediaKind, SdpType, SignalingState, TransceiverDirection, TransceiverId,
    TransportId,
};
pub use ufrag::UfragPrefix;
pub use view::TransceiverView;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
