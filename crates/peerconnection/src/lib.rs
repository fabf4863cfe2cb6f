//! WebRTC for Rust: the W3C `RTCPeerConnection` on tokio, over a sans-IO engine.
//!
//! Whoever knows the W3C API finds everything under its name in Rust's spelling. Two peers of one
//! process, with signaling by function call:
//!
//! ```
//! use peerconnection::{
//!     Configuration, DataChannelEvent, Event, HostAddresses, Message, PeerConnection,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Peers on one machine: the loopback address is as good as any.
//! let loopback = HostAddresses::Only(vec!["127.0.0.1".parse()?]);
//! let configuration = Configuration { host_addresses: loopback, ..Default::default() };
//! let (a, mut a_events) = PeerConnection::new(configuration.clone())?;
//! let (b, mut b_events) = PeerConnection::new(configuration)?;
//!
//! let chat = a.create_data_channel("chat", Default::default())?;
//! let answerer = tokio::spawn(async move {
//!     while let Some(event) = b_events.next().await {
//!         if let Event::DataChannel(channel) = event {
//!             return channel;
//!         }
//!     }
//!     unreachable!("the connection ended")
//! });
//! let caller = a.clone();
//! let callee = b.clone();
//! tokio::spawn(async move {
//!     while let Some(event) = a_events.next().await {
//!         match event {
//!             Event::NegotiationNeeded => {
//!                 caller.set_local_description(None).await?;
//!                 callee.set_remote_description(caller.local_description().unwrap()).await?;
//!                 callee.set_local_description(None).await?;
//!                 caller.set_remote_description(callee.local_description().unwrap()).await?;
//!             }
//!             Event::IceCandidate(candidate) => callee.add_ice_candidate(candidate).await?,
//!             _ => {}
//!         }
//!     }
//!     Ok::<_, peerconnection::Error>(())
//! });
//!
//! chat.ready().await?;
//! chat.send_text("hello")?;
//! let channel = answerer.await?;
//! loop {
//!     if let Some(DataChannelEvent::Message(message)) = channel.next().await {
//!         assert_eq!(message, Message::from("hello"));
//!         break;
//!     }
//! }
//! # drop((a, b));
//! # Ok(()) }
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`PeerConnection`], [`DataChannel`], [`Events`] | the W3C interface; handles to one engine behind one short lock |
//! | [`Configuration`], [`IceServer`] | what a connection is made from |
//! | [`RtpTransceiver`], [`RtpSender`], [`RtpReceiver`], [`rtp`] | what is sent and received, and the dictionaries of it |
//! | [`RtpLayer`], [`RtpPackets`], [`Forwarder`] | simulcast as a receiver has it, and what a forwarding unit is made of |
//! | [`DtmfSender`], [`dtmf`] | keys of a telephone |
//! | [`DtlsTransport`], [`IceTransport`], [`SctpTransport`] | what it runs on |
//! | [`MediaStreamTrack`], [`MediaStream`] | tracks and streams, read and written frame by frame |
//! | [`devices`], [`sink`] | where tracks come from: `getUserMedia` and devices made of numbers; what measures and records them |
//! | [`Endpoint`] | sockets that many connections share, and the one task that drives them |
//! | [`engine::Connection`] | the same without I/O: ICE, DTLS, SCTP and offer/answer composed, a [`pc_proto::Protocol`] |
//! | [`state`], [`stats`], [`Error`] | states, statistics and errors by the W3C's names |
//!
//! # Features
//!
//! | feature | what it brings | what it needs |
//! |---|---|---|
//! | `serde` | descriptions and candidates as the JSON that browsers have | nothing but cargo |
//! | `av1` | AV1, which is then offered | nothing but cargo, and a minute to compile |
//! | `h264` | H.264, which is then offered | a C++ compiler |
//! | `microphone` | microphones in [`devices`] | on Linux the headers of ALSA: `libasound2-dev`, `alsa-lib-devel` |
//! | `camera` | cameras in [`devices`], on Linux | nothing but cargo |
//!
//! Opus, G.722, PCMU, PCMA, VP8 and VP9 are always there.
//!
//! # Design decision
//!
//! The engine is a value that is driven from outside, and the asynchronous half is a thin driver:
//! whoever has another runtime, thousands of connections or a test on virtual time uses the engine
//! alone and gets the same behavior.
//!
//! # Specifications
//!
//! [W3C WebRTC](https://www.w3.org/TR/webrtc/), RFC 8825 and those that it names, RFC 9429 (JSEP). Member
//! by member: `docs/w3c-coverage.md` in the repository; what of each RFC: `docs/rfc-map.md`.
//!
//! # Not here yet
//!
//! What is not supported is refused by name.

mod api;
mod clock;
mod config;
mod description;
pub mod engine;
mod error;
mod ice_server;
pub mod rtp;
pub mod state;
pub mod stats;

pub use api::{
    DataChannel, DataChannelEvent, DtlsTransport, DtmfSender, Endpoint, Event, Events, Forwarder,
    IceCandidatePair, IceComponent, IceParameters, IceRole, IceTransport, Message, NotForwarded,
    Operation, PeerConnection, RtpLayer, RtpPacket, RtpPackets, RtpReceiver, RtpSender, RtpSource,
    RtpTransceiver, SctpTransport, ToneChangeEvent, TrackEvent, TrackOrKind,
};
pub use config::{
    Configuration, DataChannelInit, HostAddresses, IceTransportPolicy, TcpCandidates,
};
pub use description::{IceCandidate, SdpType, SessionDescription};
pub use engine::IceCandidateError;
pub use error::{Error, RtcError, RtcErrorDetail};
pub use ice_server::IceServer;
pub use pc_dtls::{
    Certificate, CertificateError, CertificateOptions, Fingerprint, HashAlgorithm, KeyAlgorithm,
};
/// Keys of a telephone that the peer presses (RFC 4733): what [`Event::TelephoneEvent`] tells.
pub mod dtmf {
    pub use pc_rtp::dtmf::{Begun, Ended, Event, EventCode};
}
pub use pc_ice::{NetworkCost, TcpType};
pub use pc_jsep::{BundlePolicy, OfferOptions, UfragPrefix};
pub use pc_media::{
    AudioFrame, EncodedFrame, InvalidFrame, MediaFrame, MediaKind, MediaStream, MediaStreamTrack,
    MediaStreamTrackState, Rotation, StreamEvent, StreamEvents, TrackEvent as MediaTrackEvent,
    TrackEvents, TrackFrames, TrackSource, VideoFrame,
};
pub use pc_media::{devices, sink};
pub use pc_net::TlsOptions;
pub use rtp::TransceiverInit;
