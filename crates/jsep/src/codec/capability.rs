//! What this side can do.

use pc_sdp::{Feedback, PayloadType, Text, Word};

use super::Codec;
use super::identity::identities;
use crate::{Error, MediaKind, TransceiverDirection};

/// A codec this side can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecCapability {
    /// The codec. That of an rtx or red refers to others by their preferred payload types, as in
    /// `apt=96`.
    pub codec: Codec,
    /// The payload type it gets where that is free.
    pub payload_type: u8,
    /// The feedback that is offered with it.
    pub feedback: Vec<Feedback>,
    /// Whether it can be sent.
    pub send: bool,
    /// Whether it can be received.
    pub receive: bool,
    /// The scalability modes it can be sent in, as `L1T3`
    /// ([webrtc-svc §6](https://www.w3.org/TR/webrtc-svc/#scalabilitymodes*)). By default all that the
    /// codec has: an encoder that has fewer leaves only those here, and others are refused.
    pub scalability_modes: Vec<String>,
}

impl CodecCapability {
    /// As getCapabilities shows it: without the line of rtx and red, which speaks of payload
    /// types, and there are none yet.
    pub(super) fn shown(&self) -> Codec {
        let mut codec = self.codec.clone();
        if codec.is_rtx() || codec.is_red() {
            codec.sdp_fmtp_line = None;
        }
        codec
    }
}

/// [`RTCRtpHeaderExtensionCapability`](https://w3c.github.io/webrtc-extensions/#rtcrtpheaderextensioncapability-dictionary):
/// a header extension this side can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderExtensionCapability {
    /// Which it is.
    pub uri: String,
    /// The direction it is negotiated for; a stopped one is known, but not offered.
    pub direction: TransceiverDirection,
    /// The id it gets where that is free.
    pub preferred_id: u8,
}

/// What this side can do with one kind of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCapabilities {
    /// The codecs, most wanted first.
    pub codecs: Vec<CodecCapability>,
    /// The header extensions.
    pub header_extensions: Vec<HeaderExtensionCapability>,
}

/// What this side can do. The default is what browsers have in common and this project can carry,
/// with Chrome's habitual payload types and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// For audio.
    pub audio: KindCapabilities,
    /// For video.
    pub video: KindCapabilities,
}

/// [`RTCRtpCapabilities`](https://www.w3.org/TR/webrtc/#dom-rtcrtpcapabilities), which
/// getCapabilities returns: all rtx as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpCapabilities {
    /// The codecs.
    pub codecs: Vec<Codec>,
    /// The header extensions.
    pub header_extensions: Vec<HeaderExtensionCapability>,
}

impl Capabilities {
    /// Those for a kind of media.
    pub fn of(&self, kind: MediaKind) -> &KindCapabilities {
        match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        }
    }

    /// Whether everything here can be offered: that it can be written in SDP, that each codec is
    /// of its kind, means something different from the others, and refers to none that is missing.
    ///
    /// # Errors
    /// `TypeError` naming the first that cannot.
    pub fn check(&self) -> Result<(), Error> {
        self.audio.check(MediaKind::Audio)?;
        self.video.check(MediaKind::Video)
    }
}

impl KindCapabilities {
    /// What can be sent, as [`RTCRtpSender.getCapabilities`](https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getcapabilities)
    /// tells it.
    pub fn send_capabilities(&self) -> RtpCapabilities {
        self.shown(|own| own.send)
    }

    /// What can be received, as [`RTCRtpReceiver.getCapabilities`](https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getcapabilities)
    /// tells it.
    pub fn receive_capabilities(&self) -> RtpCapabilities {
        self.shown(|own| own.receive)
    }

    fn shown(&self, fits: impl Fn(&CodecCapability) -> bool) -> RtpCapabilities {
        let mut codecs: Vec<Codec> = Vec::new();
        for codec in self.codecs.iter().filter(|own| fits(own)) {
            let codec = codec.shown();
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        RtpCapabilities {
            codecs,
            header_extensions: self.header_extensions.clone(),
        }
    }

    fn check(&self, kind: MediaKind) -> Result<(), Error> {
        let numbered = self.codecs.iter();
        let numbered: Vec<_> = numbered.map(|own| (own.payload_type, &own.codec)).collect();
        let identities = identities(&numbered);
        for (index, (own, identity)) in self.codecs.iter().zip(&identities).enumerate() {
            let refused = |why: &str| Err(refused(&own.codec.mime_type, why));
            if !is_writable(&own.codec, kind) {
                return refused("cannot be written in SDP");
            }
            if PayloadType::new(own.payload_type).is_none() {
                return refused("its payload type is past 127");
            }
            if identity.is_none() {
                return refused("its parameters are malformed or refer to no other codec here");
            }
            if identities.iter().take(index).any(|other| other == identity) {
                return refused("a peer cannot tell it from another one");
            }
        }
        let mut extensions = self.header_extensions.iter();
        match extensions.find(|own| Word::new(own.uri.as_str()).is_err()) {
            Some(own) => Err(refused(&own.uri, "cannot be written in SDP")),
            None => Ok(()),
        }
    }
}

fn is_writable(codec: &Codec, kind: MediaKind) -> bool {
    let line = codec.sdp_fmtp_line.as_deref();
    codec.kind_name().eq_ignore_ascii_case(kind.as_str())
        && !codec.name().contains('/')
        && Word::new(codec.name()).is_ok()
        && line.is_none_or(|line| Text::new(line).is_ok())
        && codec.clock_rate > 0
        && codec.channels != Some(0)
}

fn refused(what: &str, why: &str) -> Error {
    Error::type_error(format!("{what}: {why}"))
}
