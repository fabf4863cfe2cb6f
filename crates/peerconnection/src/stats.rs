//! What a connection has counted: [webrtc-stats](https://www.w3.org/TR/webrtc-stats/).
//!
//! Members have the W3C's names and meanings; those of durations are in seconds, as there. A member
//! that nobody has measured is `None`, or is not there at all: `docs/w3c-coverage.md` tells which.

mod report;
mod rtp;
mod transport;

pub use report::StatsReport;
pub use rtp::{
    AudioSourceStats, CodecStats, InboundRtpStreamStats, OutboundRtpStreamStats,
    RemoteInboundRtpStreamStats, RemoteOutboundRtpStreamStats, VideoSourceStats,
};
pub use transport::{
    CertificateStats, DataChannelStats, IceCandidatePairStats, IceCandidateStats,
    PeerConnectionStats, TransportStats,
};

use std::time::Duration;

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident($type:ty) = $name:literal,)+) => {
        /// One object of a report, `RTCStats`.
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
        #[non_exhaustive]
        pub enum Stats { $($(#[$meta])* $variant($type),)+ }

        impl Stats {
            /// `id`: its name in the report, and in those that follow.
            pub fn id(&self) -> &str {
                match self { $(Self::$variant(stats) => &stats.id,)+ }
            }

            /// `timestamp`: when it was read, since the Unix epoch. What a peer has reported is as old as
            /// its report.
            pub fn timestamp(&self) -> Duration {
                match self { $(Self::$variant(stats) => stats.timestamp,)+ }
            }

            /// `type`, as in `inbound-rtp`.
            pub fn stats_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }
        }
    };
}

kinds! {
    /// A codec in use.
    Codec(CodecStats) = "codec",
    /// A stream that is received.
    InboundRtp(Box<InboundRtpStreamStats>) = "inbound-rtp",
    /// A stream that is sent.
    OutboundRtp(Box<OutboundRtpStreamStats>) = "outbound-rtp",
    /// What the peer reports of a stream that is sent.
    RemoteInboundRtp(RemoteInboundRtpStreamStats) = "remote-inbound-rtp",
    /// What the peer reports of a stream that is received.
    RemoteOutboundRtp(RemoteOutboundRtpStreamStats) = "remote-outbound-rtp",
    /// The track of a sender of audio.
    AudioSource(AudioSourceStats) = "media-source",
    /// The track of a sender of video.
    VideoSource(VideoSourceStats) = "media-source",
    /// The connection.
    PeerConnection(PeerConnectionStats) = "peer-connection",
    /// A data channel.
    DataChannel(DataChannelStats) = "data-channel",
    /// A transport: ICE with DTLS on it.
    Transport(Box<TransportStats>) = "transport",
    /// Two candidates that carry data.
    CandidatePair(Box<IceCandidatePairStats>) = "candidate-pair",
    /// A candidate of this side.
    LocalCandidate(IceCandidateStats) = "local-candidate",
    /// A candidate of the peer's.
    RemoteCandidate(IceCandidateStats) = "remote-candidate",
    /// A certificate of DTLS.
    Certificate(CertificateStats) = "certificate",
}

impl Stats {
    /// The ids of what it refers to.
    fn references(&self) -> [Option<&str>; 4] {
        match self {
            Self::Codec(it) => [Some(&it.transport_id), None, None, None],
            Self::InboundRtp(it) => [
                Some(&it.transport_id),
                it.codec_id.as_deref(),
                it.remote_id.as_deref(),
                None,
            ],
            Self::OutboundRtp(it) => [
                Some(&it.transport_id),
                it.codec_id.as_deref(),
                it.remote_id.as_deref(),
                it.media_source_id.as_deref(),
            ],
            Self::RemoteInboundRtp(it) => [Some(&it.transport_id), Some(&it.local_id), None, None],
            Self::RemoteOutboundRtp(it) => [Some(&it.transport_id), Some(&it.local_id), None, None],
            Self::Transport(it) => [
                it.selected_candidate_pair_id.as_deref(),
                Some(&it.local_certificate_id),
                it.remote_certificate_id.as_deref(),
                None,
            ],
            Self::CandidatePair(it) => [
                Some(&it.transport_id),
                Some(&it.local_candidate_id),
                Some(&it.remote_candidate_id),
                None,
            ],
            _ => [None; 4],
        }
    }
}

/// A dictionary of webrtc-stats: `id` and `timestamp` come first.
macro_rules! dictionary {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
        #[non_exhaustive]
        pub struct $name {
            /// Its name in the report.
            pub id: String,
            /// When it was read, since the Unix epoch.
            #[cfg_attr(feature = "serde", serde(serialize_with = "super::as_millis"))]
            pub timestamp: Duration,
            $($(#[$field_meta])* pub $field: $type,)+
        }
    };
}
use dictionary;

/// `DOMHighResTimeStamp`: milliseconds.
#[cfg(feature = "serde")]
fn as_millis<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1000.0)
}
