//! The codecs of an offer (RFC 9429 §5.2.1 and §5.2.2).

use pc_sdp::{Feedback, PayloadType};

use super::answer::common;
use super::identity::{Identity, identities_of};
use super::payload_type::LOOKS_LIKE_RTCP;
use super::select::{Selected, rtx_behind, select};
use super::{Codec, CodecCapability, CodecParameters, KindCapabilities, PayloadTypes, fmtp};
use crate::Error;

/// What an offer lists, most wanted first.
///
/// `section` is what the section's last exchange has agreed upon ([`receivable`]), nothing before
/// there was one. Its codecs keep their numbers (RFC 3264 §8.3.2), their order, unless there are
/// preferences, and the feedback that the answer had (RFC 9429 §5.2.2). `taken` is what the whole
/// BUNDLE group has and ever had; it learns what is given out here.
///
/// # Errors
/// `OperationError` when no payload type is left.
///
/// [`receivable`]: super::receivable
pub(crate) fn offer_codecs(
    all: &KindCapabilities,
    preferences: Option<&[Codec]>,
    sends: bool,
    receives: bool,
    section: &[CodecParameters],
    taken: &mut PayloadTypes,
) -> Result<Vec<CodecParameters>, Error> {
    taken.learn(section);
    let negotiated = identities_of(section);
    let rank = |own: &Identity| {
        let mut known = negotiated.iter();
        known.position(|other| other.as_ref() == Some(own))
    };
    let mut selected = select(all, preferences, sends, receives);
    if preferences.is_none() {
        selected.sort_by_key(|own| rank(&own.identity).unwrap_or(usize::MAX));
        selected = rtx_behind(selected);
    }
    let known = |own: &Selected<'_>| section.get(rank(&own.identity)?);
    let mut numbers = Vec::with_capacity(selected.len());
    for own in &selected {
        let number = known(own)
            .map(|known| known.payload_type)
            .filter(|number| !LOOKS_LIKE_RTCP.contains(&number.value()))
            .or_else(|| taken.allot(own.capability.payload_type, &own.identity))
            .ok_or_else(|| exhausted(&own.capability.codec))?;
        numbers.push((own.capability.payload_type, number));
    }
    let offered = selected.iter().zip(&numbers);
    Ok(offered
        .map(|(own, (_, number))| CodecParameters {
            payload_type: *number,
            codec: renumbered(&own.capability.codec, &numbers),
            feedback: feedback(own.capability, known(own)),
        })
        .collect())
}

fn feedback(capability: &CodecCapability, known: Option<&CodecParameters>) -> Vec<Feedback> {
    match known {
        Some(known) => common(&capability.feedback, &known.feedback),
        None => capability.feedback.clone(),
    }
}

/// `codec` with what it refers to by the number it likes referred to by the number it has.
fn renumbered(codec: &Codec, numbers: &[(u8, PayloadType)]) -> Codec {
    let line = codec.sdp_fmtp_line.as_deref();
    let actual = |preferred: u8| {
        let mut numbers = numbers.iter();
        let number = numbers.find(|(own, _)| *own == preferred);
        number.map_or(preferred, |(_, number)| number.value())
    };
    let sdp_fmtp_line = if let Some(apt) = fmtp::apt(line).filter(|_| codec.is_rtx()) {
        let apt = actual(apt).to_string();
        Some(fmtp::with_parameter(line, "apt", &apt))
    } else if let Some(carried) = carried(codec) {
        Some(red_line(carried.into_iter().map(actual)))
    } else {
        codec.sdp_fmtp_line.clone()
    };
    Codec {
        sdp_fmtp_line,
        ..codec.clone()
    }
}

fn carried(codec: &Codec) -> Option<Vec<u8>> {
    let carried = fmtp::carried(codec.sdp_fmtp_line.as_deref().filter(|_| codec.is_red()))?;
    Some(carried).filter(|carried| !carried.is_empty())
}

fn red_line(numbers: impl Iterator<Item = u8>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    numbers.join("/")
}

fn exhausted(codec: &Codec) -> Error {
    Error::operation(format!("no payload type is left for {}", codec.mime_type))
}
