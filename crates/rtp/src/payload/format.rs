use crate::PayloadType;

/// A payload format, with those of its parameters that change what is in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `audio/opus`, RFC 7587.
    Opus,
    /// `audio/PCMU`, RFC 3551 §4.5.14.
    Pcmu,
    /// `audio/PCMA`, RFC 3551 §4.5.14.
    Pcma,
    /// `audio/G722`, RFC 3551 §4.5.2.
    G722,
    /// `audio/CN`, RFC 3389.
    ComfortNoise,
    /// `audio/telephone-event`, RFC 4733: not sound, but it travels in the same stream.
    TelephoneEvent,
    /// `audio/red`, RFC 2198.
    Red {
        /// The payload type of the codec inside: the first of the fmtp line.
        primary: PayloadType,
    },
    /// `video/VP8`, RFC 7741.
    Vp8,
    /// `video/VP9`, RFC 9628.
    Vp9,
    /// `video/H264`, RFC 6184.
    H264 {
        /// 0: a NAL unit a packet. 1: several together, and fragments (RFC 6184 §5.4).
        packetization_mode: u8,
    },
    /// `video/H265`, RFC 7798.
    H265,
    /// `video/AV1`, the AV1 RTP specification.
    Av1,
}

impl Format {
    /// The format of a MIME type as in an rtpmap line (`video/VP8`, whatever its case) with the
    /// parameters of its fmtp line.
    ///
    /// `None` for what is not supported: another type, H.264's interleaved mode
    /// (`packetization-mode=2`), H.265 with decoding order numbers (`sprop-max-don-diff`), RED
    /// whose fmtp line does not tell what is inside.
    pub fn from_mime(mime: &str, fmtp: Option<&str>) -> Option<Self> {
        let fmtp = fmtp.unwrap_or_default();
        let number = |name| parameter(fmtp, name).map_or(Some(0u8), |value| value.parse().ok());
        Some(match mime.to_ascii_lowercase().as_str() {
            "audio/opus" => Self::Opus,
            "audio/pcmu" => Self::Pcmu,
            "audio/pcma" => Self::Pcma,
            "audio/g722" => Self::G722,
            "audio/cn" => Self::ComfortNoise,
            "audio/telephone-event" => Self::TelephoneEvent,
            "audio/red" => Self::Red {
                primary: PayloadType::new(fmtp.split('/').next()?.trim().parse().ok()?)?,
            },
            "video/vp8" => Self::Vp8,
            "video/vp9" => Self::Vp9,
            // RFC 6184 §8.1: 0 when the parameter is not there.
            "video/h264" => match number("packetization-mode")? {
                packetization_mode @ 0..=1 => Self::H264 { packetization_mode },
                _ => return None,
            },
            "video/h265" if number("sprop-max-don-diff")? == 0 => Self::H265,
            "video/av1" => Self::Av1,
            _ => return None,
        })
    }

    /// Whether this is sound: each payload is a frame, and no marker ends it.
    pub const fn is_audio(self) -> bool {
        matches!(
            self,
            Self::Opus
                | Self::Pcmu
                | Self::Pcma
                | Self::G722
                | Self::ComfortNoise
                | Self::TelephoneEvent
                | Self::Red { .. }
        )
    }
}

/// The value of a parameter in `name=value;name=value`.
fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_mime_type_and_fmtp() {
        let red = PayloadType::new(111).unwrap();
        for (mime, fmtp, format) in [
            ("audio/OPUS", Some("minptime=10"), Some(Format::Opus)),
            ("audio/pcmu", None, Some(Format::Pcmu)),
            (
                "audio/telephone-event",
                Some("0-16"),
                Some(Format::TelephoneEvent),
            ),
            (
                "audio/red",
                Some("111/111"),
                Some(Format::Red { primary: red }),
            ),
            ("audio/red", None, None),
            ("audio/red", Some("200/111"), None),
            ("video/vp8", None, Some(Format::Vp8)),
            ("video/opus", None, None),
            (
                "video/H264",
                None,
                Some(Format::H264 {
                    packetization_mode: 0,
                }),
            ),
            (
                "video/H264",
                Some("level-asymmetry-allowed=1; packetization-mode=1;profile-level-id=42e01f"),
                Some(Format::H264 {
                    packetization_mode: 1,
                }),
            ),
            ("video/H264", Some("packetization-mode=2"), None),
            ("video/H264", Some("packetization-mode=x"), None),
            ("video/H265", Some("level-id=93"), Some(Format::H265)),
            ("video/H265", Some("sprop-max-don-diff=4"), None),
            ("video/rtx", Some("apt=96"), None),
            ("AV1", None, None),
        ] {
            assert_eq!(Format::from_mime(mime, fmtp), format, "{mime} {fmtp:?}");
        }
    }
}
