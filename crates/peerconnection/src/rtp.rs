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

/// What this build can send and receive without the application's help: the codecs that it has
/// encoders and decoders for, with what retransmits them, or sends sound twice (RFC 2198).
///
/// An application that brings encoded frames of other codecs, or forwards them, names them in
/// [`Configuration::capabilities`](crate::Configuration#structfield.capabilities).
pub fn built_in_capabilities() -> Capabilities {
    let mut all = Capabilities::default();
    for kind in [&mut all.audio, &mut all.video] {
        restrict(kind, |codec| {
            let line = codec.sdp_fmtp_line.as_deref();
            let mime = &codec.mime_type;
            (
                pc_media::codec::can_encode(mime, line),
                pc_media::codec::can_decode(mime, line),
            )
        });
        for own in &mut kind.codecs {
            let line = own.codec.sdp_fmtp_line.as_deref();
            let modes = pc_media::codec::scalability_modes(&own.codec.mime_type, line);
            own.scalability_modes
                .retain(|own| modes.contains(&own.as_str()));
        }
    }
    all
}

/// Leaves what `can` says can be sent and received, and the rtx or red of it.
fn restrict(kind: &mut KindCapabilities, can: impl Fn(&Codec) -> (bool, bool)) {
    for own in &mut kind.codecs {
        let (send, receive) = match own.codec.is_media() {
            true => can(&own.codec),
            false => (
                own.codec.is_telephone_event(),
                own.codec.is_telephone_event(),
            ),
        };
        own.send &= send;
        own.receive &= receive;
    }
    let media: Vec<_> = kind
        .codecs
        .iter()
        .map(|own| (own.payload_type, own.send, own.receive))
        .collect();
    let is_second = |own: &&mut CodecCapability| own.codec.is_rtx() || own.codec.is_red();
    for own in kind.codecs.iter_mut().filter(is_second) {
        let line = own.codec.sdp_fmtp_line.as_deref().unwrap_or_default();
        let first = line.strip_prefix("apt=").or_else(|| line.split('/').next());
        let first = first.and_then(|it| it.parse().ok());
        let first = media.iter().find(|(number, ..)| Some(*number) == first);
        let (send, receive) = first.map_or((false, false), |(_, send, receive)| (*send, *receive));
        (own.send, own.receive) = (send, receive);
    }
    kind.codecs.retain(|own| own.send || own.receive);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtx_stays_with_what_it_repairs() {
        let mut video = Capabilities::default().video;
        restrict(&mut video, |codec| {
            (codec.name() == "VP8", codec.name().starts_with("VP"))
        });
        let left: Vec<_> = video
            .codecs
            .iter()
            .map(|own| (own.payload_type, own.send, own.receive))
            .collect();
        let expected = [
            (96, true, true),
            (97, true, true),
            (98, false, true),
            (99, false, true),
            (100, false, true),
            (101, false, true),
        ];
        assert_eq!(left, expected);
        assert!(video.codecs.iter().all(|own| !own.codec.is_red()));
    }

    #[test]
    fn red_stays_with_what_it_carries() {
        for name in ["opus", "PCMU"] {
            let mut audio = Capabilities::default().audio;
            restrict(&mut audio, |codec| (codec.name() == name, true));
            let mut all = audio.codecs.iter();
            let red = all.find(|own| own.codec.is_red());
            let sends = red.map(|it| (it.send, it.receive));
            assert_eq!(sends, Some((name == "opus", true)));
        }
        let mut audio = Capabilities::default().audio;
        restrict(&mut audio, |codec| {
            let is_it = codec.name() == "PCMU";
            (is_it, is_it)
        });
        assert!(audio.codecs.iter().all(|own| !own.codec.is_red()));
    }
}
