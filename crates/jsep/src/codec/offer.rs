//! The codecs of an offer (RFC 9429 §5.2.1 and §5.2.2).

use pc_sdp::PayloadType;

use super::identity::{Identity, identities_of};
use super::payload_type::LOOKS_LIKE_RTCP;
use super::select::{Selected, select};
use super::{Codec, CodecParameters, KindCapabilities, PayloadTypes, fmtp};
use crate::Error;

/// What an offer lists, most wanted first.
///
/// `section` is what the section has negotiated: its codecs keep their numbers, since a number's
/// meaning must not change (RFC 3264 §8.3.2). `taken` is what the whole BUNDLE group has, and
/// learns what is given out here.
///
/// # Errors
/// `OperationError` when no payload type is left.
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
    let selected = select(all, preferences, sends, receives);
    let mut numbers = Vec::with_capacity(selected.len());
    for Selected {
        capability,
        identity,
    } in &selected
    {
        let number = number_in(section, &negotiated, identity)
            .or_else(|| taken.allot(capability.payload_type, identity))
            .ok_or_else(|| exhausted(&capability.codec))?;
        numbers.push((capability.payload_type, number));
    }
    let offered = selected.iter().zip(&numbers);
    Ok(offered
        .map(|(selected, (_, number))| CodecParameters {
            payload_type: *number,
            codec: renumbered(&selected.capability.codec, &numbers),
            feedback: selected.capability.feedback.clone(),
        })
        .collect())
}

/// The number that a codec already has in its section.
fn number_in(
    section: &[CodecParameters],
    identities: &[Option<Identity>],
    identity: &Identity,
) -> Option<PayloadType> {
    section
        .iter()
        .zip(identities)
        .filter(|(_, own)| own.as_ref() == Some(identity))
        .map(|(own, _)| own.payload_type)
        .find(|number| !LOOKS_LIKE_RTCP.contains(&number.value()))
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
