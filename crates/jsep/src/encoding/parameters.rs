//! What a sender's and a receiver's `getParameters` return.

use std::fmt;

use crate::codec::{Codec, CodecParameters};
use crate::extension::HeaderExtension;
use crate::types::words;

words! {
    /// [`RTCPriorityType`](https://www.w3.org/TR/webrtc-priority/#rtc-priority-type):
    /// how one encoding ranks among those that share the bandwidth.
    Priority {
        /// Half of [`Low`](Self::Low).
        VeryLow = "very-low",
        /// The default.
        Low = "low",
        /// Twice [`Low`](Self::Low).
        Medium = "medium",
        /// Four times [`Low`](Self::Low).
        High = "high",
    }

    /// [`RTCDegradationPreference`](https://www.w3.org/TR/mst-content-hint/#dom-rtcdegradationpreference):
    /// what suffers first when the bandwidth or the processor does not suffice.
    DegradationPreference {
        /// The resolution.
        MaintainFramerate = "maintain-framerate",
        /// The frame rate.
        MaintainResolution = "maintain-resolution",
        /// Both in turn.
        Balanced = "balanced",
        /// Neither: frames are dropped only where the bandwidth leaves no choice.
        MaintainFramerateAndResolution = "maintain-framerate-and-resolution",
    }
}

#[allow(clippy::derivable_impls)] // The enum is written by a macro.
impl Default for Priority {
    fn default() -> Self {
        Self::Low
    }
}

/// `RTCResolutionRestriction` ([webrtc-extensions](https://www.w3.org/TR/webrtc-extensions/)): what a
/// frame is scaled down to fit into, whichever way it is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResolutionRestriction {
    /// Pixels; more than 0.
    pub max_width: u32,
    /// Pixels; more than 0.
    pub max_height: u32,
}

/// [`RTCRtpEncodingParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtpencodingparameters) with the
/// members that webrtc-extensions, webrtc-svc and webrtc-priority add: one stream a sender makes of
/// its track.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodingParameters {
    /// The stream's name on the wire (RFC 8852); only simulcast has one. Cannot be changed later.
    pub rid: Option<String>,
    /// Whether it is sent; the default is yes.
    pub active: bool,
    /// The codec to send with; any that is negotiated if none.
    pub codec: Option<Codec>,
    /// Bits per second, without the headers below RTP (RFC 3890 §6.2.2).
    pub max_bitrate: Option<u64>,
    /// Frames per second, 0 or more. Video alone.
    pub max_framerate: Option<f64>,
    /// What width and height are divided by, 1 or more. Video alone, where it is always there once
    /// a sender has the encoding.
    pub scale_resolution_down_by: Option<f64>,
    /// What to fit the frames into; takes the place of `scale_resolution_down_by`. Video alone.
    pub scale_resolution_down_to: Option<ResolutionRestriction>,
    /// Milliseconds of media in a packet; the closest that the codec can do. Audio alone.
    pub ptime: Option<u32>,
    /// Whether the milliseconds in a packet may change as they will, which is left at that. Not together
    /// with `ptime`.
    pub adaptive_ptime: bool,
    /// The layers within the stream, as in `L1T3` ([webrtc-svc](https://www.w3.org/TR/webrtc-svc/)).
    pub scalability_mode: Option<String>,
    /// How it ranks for the bandwidth.
    pub priority: Priority,
    /// How its packets are marked (RFC 8837); as `priority` says if none. For who owns the sockets.
    pub network_priority: Option<Priority>,
}

impl Default for EncodingParameters {
    fn default() -> Self {
        Self {
            rid: None,
            active: true,
            codec: None,
            max_bitrate: None,
            max_framerate: None,
            scale_resolution_down_by: None,
            scale_resolution_down_to: None,
            ptime: None,
            adaptive_ptime: false,
            scalability_mode: None,
            priority: Priority::default(),
            network_priority: None,
        }
    }
}

/// [`RTCRtcpParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtcpparameters).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RtcpParameters {
    /// The canonical name in RTCP (RFC 3550 §6.5.1).
    pub cname: String,
    /// Whether reduced-size RTCP is negotiated (RFC 5506).
    pub reduced_size: bool,
}

/// [`RTCRtpSendParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtpsendparameters). Of these,
/// `encodings`, apart from their rids, and `degradation_preference` may be changed.
#[derive(Debug, Clone, PartialEq)]
pub struct SendParameters {
    /// Names this very answer of `getParameters`.
    pub transaction_id: String,
    /// The streams, in the order of simulcast.
    pub encodings: Vec<EncodingParameters>,
    /// The header extensions that are sent.
    pub header_extensions: Vec<HeaderExtension>,
    /// RTCP.
    pub rtcp: RtcpParameters,
    /// What may be sent, most wanted first; none before the negotiation.
    pub codecs: Vec<CodecParameters>,
    /// What suffers first; as the content demands if none. For who owns the encoder.
    pub degradation_preference: Option<DegradationPreference>,
}

/// [`RTCRtpReceiveParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiveparameters).
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiveParameters {
    /// The header extensions that may come.
    pub header_extensions: Vec<HeaderExtension>,
    /// RTCP.
    pub rtcp: RtcpParameters,
    /// What may come.
    pub codecs: Vec<CodecParameters>,
}
