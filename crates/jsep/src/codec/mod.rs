//! Codecs: what this side can do, what a section says, and what both sides have in common.
//!
//! Whether two payload types mean the same is decided in one place, [`identity`]: each becomes a
//! value that two payload types share exactly if their media formats match in offer and answer.

mod answer;
mod capability;
mod defaults;
mod fmtp;
mod h264;
mod identity;
mod negotiated;
mod offer;
mod payload_type;
mod preference;
mod read;
mod select;
mod write;

use pc_sdp::{Feedback, PayloadType};

pub(crate) use answer::answer_codecs;
pub use capability::{
    Capabilities, CodecCapability, HeaderExtensionCapability, KindCapabilities, RtpCapabilities,
};
pub(crate) use negotiated::{receivable, sendable};
pub(crate) use offer::offer_codecs;
pub(crate) use payload_type::PayloadTypes;
pub(crate) use preference::check_preferences;
pub(crate) use read::read_codecs;
pub(crate) use write::write_codecs;

/// [`RTCRtpCodec`](https://www.w3.org/TR/webrtc/#dom-rtcrtpcodec): a codec and how it is set up.
///
/// Two are equal as in the W3C's codec dictionary match: the MIME type without regard to case, all
/// else exactly.
#[derive(Debug, Clone)]
pub struct Codec {
    /// Kind and name, as in `video/VP8`.
    pub mime_type: String,
    /// Ticks of the RTP timestamp in a second.
    pub clock_rate: u32,
    /// The number of audio channels; none for video.
    pub channels: Option<u16>,
    /// What stands behind the payload type in `a=fmtp`, if there is such a line.
    pub sdp_fmtp_line: Option<String>,
}

impl PartialEq for Codec {
    fn eq(&self, other: &Self) -> bool {
        self.mime_type.eq_ignore_ascii_case(&other.mime_type)
            && self.clock_rate == other.clock_rate
            && self.channels == other.channels
            && self.sdp_fmtp_line == other.sdp_fmtp_line
    }
}

impl Eq for Codec {}

impl Codec {
    /// The name alone, as in `VP8`; the whole where there is no kind before it.
    pub fn name(&self) -> &str {
        let parts = self.mime_type.split_once('/');
        parts.map_or(&self.mime_type, |(_, name)| name)
    }

    /// The kind alone, as in `video`; empty where there is none.
    pub fn kind_name(&self) -> &str {
        let parts = self.mime_type.split_once('/');
        parts.map_or("", |(kind, _)| kind)
    }

    /// Whether media that are to be sent with this codec are sent with `negotiated`: passes over what may
    /// differ between the directions, such as how large a picture each side takes.
    pub fn is_sent_as(&self, negotiated: &Self) -> bool {
        crate::encoding::is_same(negotiated, self)
    }

    /// Whether it retransmits what another payload type lost (RFC 4588).
    pub fn is_rtx(&self) -> bool {
        self.is_named("rtx")
    }

    /// Whether it carries other payload types, some of them twice (RFC 2198).
    pub fn is_red(&self) -> bool {
        self.is_named("red")
    }

    /// Whether it is forward error correction (RFC 5109, RFC 8627, RFC 6015).
    pub fn is_fec(&self) -> bool {
        const NAMES: [&str; 6] = [
            "ulpfec",
            "uleplfec",
            "flexfec",
            "flexfec-03",
            "parityfec",
            "1d-interleaved-parityfec",
        ];
        NAMES.into_iter().any(|name| self.is_named(name))
    }

    /// Whether it is comfort noise (RFC 3389).
    pub fn is_comfort_noise(&self) -> bool {
        self.is_named("CN")
    }

    /// Whether it is keys pressed on a telephone (RFC 4733).
    pub fn is_telephone_event(&self) -> bool {
        self.is_named("telephone-event")
    }

    /// Whether it carries media of its own: a section without such a codec is of no use.
    pub fn is_media(&self) -> bool {
        !(self.is_rtx()
            || self.is_red()
            || self.is_fec()
            || self.is_comfort_noise()
            || self.is_telephone_event())
    }

    /// Names are compared without regard to case (RFC 4855 §3).
    fn is_named(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// [`RTCRtpCodecParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtpcodecparameters): one payload
/// type of an m-section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecParameters {
    /// The payload type.
    pub payload_type: PayloadType,
    /// What it means.
    pub codec: Codec,
    /// The feedback that may be given on it (RFC 4585 §4.2).
    pub feedback: Vec<Feedback>,
}

impl CodecParameters {
    /// The payload type this one repairs, for rtx (RFC 4588 §8.1), or carries first, for red
    /// (RFC 2198 §5).
    pub fn apt(&self) -> Option<PayloadType> {
        let line = self.codec.sdp_fmtp_line.as_deref();
        let number = if self.codec.is_rtx() {
            fmtp::apt(line)
        } else if self.codec.is_red() {
            fmtp::carried(line)?.first().copied()
        } else {
            None
        };
        number.and_then(PayloadType::new)
    }
}

#[cfg(test)]
mod tests;
