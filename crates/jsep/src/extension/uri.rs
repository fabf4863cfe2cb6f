//! What the header extensions are called.

/// The sender's volume (RFC 6464).
pub(crate) const SSRC_AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// The volume of those whom a mixer mixed (RFC 6465).
pub(crate) const CSRC_AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";
/// The section a packet belongs to (RFC 9143 §15).
pub(crate) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// The encoding a packet belongs to (RFC 8852 §4.1).
pub(crate) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// The encoding a retransmission belongs to (RFC 8852 §4.2).
pub(crate) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
/// How long a packet waited before it was sent (RFC 5450 §2).
pub(crate) const TRANSMISSION_OFFSET: &str = "urn:ietf:params:rtp-hdrext:toffset";
/// How a picture is to be turned (3GPP TS 26.114 §7.4.5).
pub(crate) const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
/// When a packet was sent.
pub(crate) const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
/// When a frame was captured.
pub(crate) const ABS_CAPTURE_TIME: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
/// A packet's number on its transport (draft-holmer-rmcat-transport-wide-cc-extensions §2).
pub(crate) const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// How long the receiver should wait before it shows a frame.
pub(crate) const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// Whether a picture is a screen's.
pub(crate) const VIDEO_CONTENT_TYPE: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type";
/// Where a frame spent its time.
pub(crate) const VIDEO_TIMING: &str = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing";
/// The colours of a picture.
pub(crate) const COLOR_SPACE: &str = "http://www.webrtc.org/experiments/rtp-hdrext/color-space";
/// The layers of a frame (RTP Payload Format For AV1, appendix A).
pub(crate) const DEPENDENCY_DESCRIPTOR: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/// Wraps an extension that is encrypted (RFC 6904 §4).
pub(crate) const ENCRYPT: &str = "urn:ietf:params:rtp-hdrext:encrypt";
