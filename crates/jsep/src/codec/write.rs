//! Writing the payload types of a section.

use pc_sdp::{Attribute, Fmtp, Format, Formats, MediaDescription, RtcpFb, Rtpmap, Text, Word};

use super::{Codec, CodecParameters};

/// Replaces the formats of `media`: those in `m=`, and `a=rtpmap`, `a=rtcp-fb` and `a=fmtp` at the
/// end, payload type by payload type, as Chrome orders them. Without any codec the `m=` line is
/// left as it is, since it cannot be without a format (RFC 8866 §5.14).
pub(crate) fn write_codecs(codecs: &[CodecParameters], media: &mut MediaDescription) {
    let is_old = |attribute: &Attribute| {
        matches!(
            attribute,
            Attribute::Rtpmap(_) | Attribute::RtcpFb(_) | Attribute::Fmtp(_)
        )
    };
    media.retain(|line| !line.attribute().is_some_and(is_old));
    let mut payload_types = Vec::new();
    for codec in codecs {
        let Some(rtpmap) = rtpmap(codec) else {
            continue;
        };
        payload_types.push(codec.payload_type);
        media.push(Attribute::Rtpmap(rtpmap));
        write_feedback(codec, media);
        if let Some(fmtp) = fmtp(codec) {
            media.push(Attribute::Fmtp(fmtp));
        }
    }
    if !payload_types.is_empty() {
        media.head.formats = Formats::PayloadTypes(payload_types);
    }
}

/// None for a name that cannot stand in SDP, which [`Capabilities::check`] refuses.
///
/// [`Capabilities::check`]: super::Capabilities::check
fn rtpmap(own: &CodecParameters) -> Option<Rtpmap> {
    let Codec {
        clock_rate,
        channels,
        ..
    } = own.codec;
    Some(Rtpmap {
        payload_type: own.payload_type,
        encoding: Word::new(own.codec.name()).ok()?,
        clock_rate,
        parameters: channels.filter(|channels| *channels != 1).map(Word::from),
    })
}

fn write_feedback(own: &CodecParameters, media: &mut MediaDescription) {
    for feedback in &own.feedback {
        media.push(Attribute::RtcpFb(RtcpFb {
            format: Format::PayloadType(own.payload_type),
            feedback: feedback.clone(),
        }));
    }
}

fn fmtp(own: &CodecParameters) -> Option<Fmtp> {
    let line = own.codec.sdp_fmtp_line.as_deref()?;
    Some(Fmtp {
        format: Format::PayloadType(own.payload_type),
        parameters: Text::new(line).ok()?,
    })
}
