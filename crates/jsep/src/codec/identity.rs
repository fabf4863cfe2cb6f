//! When two payload types mean the same.

use super::{Codec, CodecParameters, fmtp, h264};

/// What a payload type means as far as offer and answer must agree on it: two match exactly if
/// these are equal. What may differ between the two directions (levels, Opus's wishes) is not in
/// here, and payload types are replaced by what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// In lower case (RFC 4855 §3).
    mime_type: String,
    clock_rate: u32,
    /// 1 where nothing is said (RFC 8866 §6.6).
    channels: u16,
    format: Format,
}

/// What a codec's own specification adds to its name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    /// Nothing.
    Plain,
    /// RFC 6184 §8.2.2: the profile and the packetization mode, 0 where it is left out.
    H264 { profile: h264::Profile, mode: u8 },
    /// RFC 7798 §7.2.2, by its defaults in §7.1.
    H265 { space: u8, profile: u8, tier: u8 },
    /// RFC 9628 §6.1: `profile-id`, 0 where it is left out.
    Vp9 { profile: u8 },
    /// RTP Payload Format For AV1 §7.2: `profile`, 0 where it is left out. Level and tier are what
    /// each side can decode.
    Av1 { profile: u8 },
    /// RFC 4588 §8.1: the codec behind `apt`.
    Repairs(Box<Identity>),
    /// RFC 2198 §5: the codecs in it, each once.
    Carries(Vec<Identity>),
}

impl Identity {
    /// Of a codec that refers to no other.
    fn of(codec: &Codec) -> Option<Self> {
        Some(Self::new(codec, Format::of(codec)?))
    }

    fn new(codec: &Codec, format: Format) -> Self {
        Self {
            mime_type: codec.mime_type.to_ascii_lowercase(),
            clock_rate: codec.clock_rate,
            channels: codec.channels.unwrap_or(1),
            format,
        }
    }

    /// Whether this is the rtx of `other`.
    pub(super) fn repairs(&self, other: &Self) -> bool {
        matches!(&self.format, Format::Repairs(repaired) if **repaired == *other)
    }

    /// Whether this is the rtx of some codec.
    pub(super) fn is_rtx(&self) -> bool {
        matches!(self.format, Format::Repairs(_))
    }
}

impl Format {
    fn of(codec: &Codec) -> Option<Self> {
        let line = codec.sdp_fmtp_line.as_deref();
        Some(if codec.is_named("H264") {
            Self::H264 {
                profile: h264::ProfileLevelId::of(line)?.profile(),
                mode: fmtp::number(line, "packetization-mode", 0)?,
            }
        } else if codec.is_named("H265") {
            Self::H265 {
                space: fmtp::number(line, "profile-space", 0)?,
                profile: fmtp::number(line, "profile-id", 1)?,
                tier: fmtp::number(line, "tier-flag", 0)?,
            }
        } else if codec.is_named("VP9") {
            Self::Vp9 {
                profile: fmtp::number(line, "profile-id", 0)?,
            }
        } else if codec.is_named("AV1") {
            Self::Av1 {
                profile: fmtp::number(line, "profile", 0)?,
            }
        } else {
            Self::Plain
        })
    }
}

/// The identities of codecs that may refer to each other by number. `None` for one whose
/// parameters make no sense, or that refers to what is not there: it matches nothing.
pub(super) fn identities(codecs: &[(u8, &Codec)]) -> Vec<Option<Identity>> {
    let mut found: Vec<Option<Identity>> = vec![None; codecs.len()];
    // In this order, since rtx may repair red (as Chrome offers it) and red carries media.
    for refers in [refers_to_none, Codec::is_red, Codec::is_rtx] {
        for (index, (_, codec)) in codecs.iter().enumerate() {
            if refers(codec) {
                let identity = identity(codec, codecs, &found);
                if let Some(slot) = found.get_mut(index) {
                    *slot = identity;
                }
            }
        }
    }
    found
}

/// As [`identities`].
pub(super) fn identities_of(codecs: &[CodecParameters]) -> Vec<Option<Identity>> {
    let numbered = codecs.iter();
    let numbered: Vec<_> = numbered
        .map(|own| (own.payload_type.value(), &own.codec))
        .collect();
    identities(&numbered)
}

fn refers_to_none(codec: &Codec) -> bool {
    !codec.is_red() && !codec.is_rtx()
}

/// The identity of `codec`, given those `found` of the codecs it may refer to.
fn identity(
    codec: &Codec,
    codecs: &[(u8, &Codec)],
    found: &[Option<Identity>],
) -> Option<Identity> {
    let line = codec.sdp_fmtp_line.as_deref();
    let named = |number: u8| {
        let index = codecs.iter().position(|(own, _)| *own == number)?;
        found.get(index)?.clone()
    };
    if codec.is_rtx() {
        let repaired = named(fmtp::apt(line)?).filter(|repaired| !repaired.is_rtx())?;
        return Some(Identity::new(codec, Format::Repairs(Box::new(repaired))));
    }
    if codec.is_red() {
        let mut carried = Vec::new();
        for number in fmtp::carried(line)? {
            let identity = named(number)?;
            if matches!(identity.format, Format::Carries(_)) {
                return None;
            }
            if !carried.contains(&identity) {
                carried.push(identity);
            }
        }
        return Some(Identity::new(codec, Format::Carries(carried)));
    }
    Identity::of(codec)
}
