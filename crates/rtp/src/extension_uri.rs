//! Which header extensions there are.

macro_rules! extensions {
    ($($(#[$meta:meta])* $variant:ident = $uri:literal,)+) => {
        /// A header extension by its URI, RFC 8285 §5.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ExtensionUri { $($(#[$meta])* $variant,)+ }

        impl ExtensionUri {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The URI as in `a=extmap`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $uri,)+ }
            }

            /// Which extension a URI names.
            pub fn parse(uri: &str) -> Option<Self> {
                Some(match uri { $($uri => Self::$variant,)+ _ => return None })
            }
        }
    };
}

extensions! {
    /// How loud a packet is (RFC 6464): `V | level` in one byte.
    SsrcAudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    /// How loud each contributing source is (RFC 6465): one byte each.
    CsrcAudioLevel = "urn:ietf:params:rtp-hdrext:csrc-audio-level",
    /// When the packet left, against its timestamp (RFC 5450): 24 bits, signed, in ticks.
    TransmissionOffset = "urn:ietf:params:rtp-hdrext:toffset",
    /// The m-section (RFC 9143 §15): text.
    Mid = "urn:ietf:params:rtp-hdrext:sdes:mid",
    /// The simulcast stream (RFC 8852): text.
    Rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    /// The simulcast stream that this one repairs (RFC 8852): text.
    RepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    /// When the packet left: 24 bits of seconds, 6.18.
    AbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    /// When the media were captured: NTP 32.32, and the offset of the capture clock if known.
    AbsCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    /// Which packet of the transport this is: 16 bits.
    TransportCc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    /// The same, with a request for feedback.
    TransportCc02 = "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02",
    /// Which way the picture is turned (3GPP TS 26.114 §7.4.5).
    VideoOrientation = "urn:3gpp:video-orientation",
    /// How long to wait before playing: two times 12 bits of 10 ms.
    PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    /// Camera or screen: one byte.
    VideoContentType = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    /// Where a frame has spent its time: 13 bytes.
    VideoTiming = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
    /// What the colours mean: 4 or 28 bytes.
    ColorSpace = "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    /// The layers and their rates.
    VideoLayersAllocation = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
    /// A number for each frame, for measurements: 16 bits.
    VideoFrameTrackingId = "http://www.webrtc.org/experiments/rtp-hdrext/video-frame-tracking-id",
    /// Which frames a frame builds on, before AV1's.
    GenericFrameDescriptor = "http://www.webrtc.org/experiments/rtp-hdrext/generic-frame-descriptor-00",
    /// Samples of a frame, to find out whether it arrived intact.
    CorruptionDetection = "http://www.webrtc.org/experiments/rtp-hdrext/corruption-detection",
    /// Which frames a frame builds on, in the words of AV1's payload format.
    DependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
}

const COUNT: usize = ExtensionUri::ALL.len();

/// The ids that negotiation has given to extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionMap {
    /// By extension; 0: none.
    ids: [u8; COUNT],
}

impl ExtensionMap {
    /// No extension.
    pub const fn new() -> Self {
        Self { ids: [0; COUNT] }
    }

    /// Gives an id to an extension, and takes it from the one that had it. 0 is none.
    pub fn set(&mut self, id: u8, uri: ExtensionUri) {
        for known in self.ids.iter_mut().filter(|known| **known == id) {
            *known = 0;
        }
        if let Some(slot) = self.ids.get_mut(uri as usize) {
            *slot = id;
        }
    }

    /// The id of an extension.
    #[inline]
    pub fn id_of(&self, uri: ExtensionUri) -> Option<u8> {
        self.ids.get(uri as usize).copied().filter(|id| *id != 0)
    }

    /// The extension that has an id.
    #[inline]
    pub fn uri_of(&self, id: u8) -> Option<ExtensionUri> {
        if id == 0 {
            return None;
        }
        let at = self.ids.iter().position(|known| *known == id)?;
        ExtensionUri::ALL.get(at).copied()
    }

    /// Whether no extension has an id.
    pub fn is_empty(&self) -> bool {
        self.ids.iter().all(|id| *id == 0)
    }
}

impl Default for ExtensionMap {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_and_ids_name_each_other() {
        for uri in ExtensionUri::ALL {
            assert_eq!(ExtensionUri::parse(uri.as_str()), Some(*uri));
        }
        let mut map = ExtensionMap::new();
        map.set(3, ExtensionUri::Mid);
        map.set(200, ExtensionUri::Rid);
        assert_eq!(map.id_of(ExtensionUri::Mid), Some(3));
        assert_eq!(map.uri_of(200), Some(ExtensionUri::Rid));
        map.set(3, ExtensionUri::AbsSendTime);
        assert_eq!(map.id_of(ExtensionUri::Mid), None);
        assert_eq!((map.uri_of(0), map.uri_of(9)), (None, None));
    }
}
