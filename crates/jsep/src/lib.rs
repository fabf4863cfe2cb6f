//! Offer and answer (JSEP, RFC 9429) as a pure state machine.
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
mod write;

pub use api::{TransceiverInit, TransceiverView};
pub use candidates::{CandidateInit, RemoteCandidate};

pub use codec::{
    Capabilities, Codec, CodecCapability, CodecParameters, HeaderExtensionCapability,
    KindCapabilities, RtpCapabilities,
};
pub use config::Config;
pub use encoding::{
    DegradationPreference, EncodingParameters, Priority, ReceiveParameters, ResolutionRestriction,
    RtcpParameters, SendParameters,
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
