//! The dictionaries of [WebRTC §5](https://www.w3.org/TR/webrtc/#rtp-media-api): codecs, encodings,
//! parameters and capabilities.

pub use pc_jsep::{
    Capabilities, Codec, CodecCapability, CodecParameters, DegradationPreference,
    EncodingParameters, HeaderExtension, HeaderExtensionCapability, KindCapabilities, Priority,
    ReceiveParameters, ResolutionRestriction, RtcpParameters, RtpCapabilities, SendParameters,
    TransceiverDirection,
};

use pc_media::MediaStream;

/// [`RTCRtpTransceiverInit`](https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiverinit).
#[derive(Debug, Clone)]
pub struct TransceiverInit {
    /// What the transceiver is to do.
    pub direction: TransceiverDirection,
    /// The streams that the track is to be in at the peer's.
    pub streams: Vec<MediaStream>,
    /// What is to be sent; empty: one encoding. Several with a `rid` each are simulcast.
    pub send_encodings: Vec<EncodingParameters>,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self {
            direction: TransceiverDirection::SendRecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}
