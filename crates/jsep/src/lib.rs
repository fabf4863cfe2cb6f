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

mod codec;
mod encoding;
mod error;
mod extension;
mod plan;
mod types;

pub use codec::{
    Capabilities, Codec, CodecCapability, CodecParameters, HeaderExtensionCapability,
    KindCapabilities, RtpCapabilities,
};
pub use encoding::{
    DegradationPreference, EncodingParameters, Priority, ReceiveParameters, ResolutionRestriction,
    RtcpParameters, SendParameters,
};
pub use error::{Error, ErrorKind};
pub use extension::HeaderExtension;
pub use plan::{
    DataPlan, IceCredentials, PeerData, PeerTransport, SectionName, TransportPlan,
};
pub use types::{
    BundlePolicy, MediaKind, SdpType, SignalingState, TransceiverDirection, TransceiverId,
    TransportId,
};
