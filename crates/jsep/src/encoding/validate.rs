//! The checks of `addTransceiver` (W3C §5.1) and `setParameters` (W3C §5.2).

use std::collections::HashSet;

use super::EncodingParameters;
use super::scalability;
use crate::codec::Codec;
use crate::{Error, MediaKind};

/// RFC 8285 §4.2: what a header extension of one byte carries at most.
const MAX_RID_LEN: usize = 16;

/// What was called. What cannot be done is an `OperationError` of one and an
/// `InvalidModificationError` of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    AddTransceiver,
    SetParameters,
}

impl Call {
    fn refusal(self, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        match self {
            Self::AddTransceiver => Error::operation(message),
            Self::SetParameters => Error::invalid_modification(message),
        }
    }
}

/// The rids of `sendEncodings`: all or none have one, no two the same, letters and digits alone
/// (RFC 8851 §10 as erratum 7132 corrects it, which is the alphabet of RFC 8852 §3).
pub(super) fn check_rids(encodings: &[EncodingParameters]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for rid in encodings.iter().filter_map(|own| own.rid.as_deref()) {
        if !is_rid(rid) {
            return Err(Error::type_error(format!(
                "rid {rid:?} is not of 1 to {MAX_RID_LEN} letters and digits"
            )));
        }
        if !seen.insert(rid) {
            return Err(Error::type_error(format!("rid {rid:?} is there twice")));
        }
    }
    if !seen.is_empty() && seen.len() < encodings.len() {
        return Err(Error::type_error("some encodings have a rid and some not"));
    }
    Ok(())
}

pub(super) fn is_rid(text: &str) -> bool {
    (1..=MAX_RID_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The numbers that WebIDL would not even convert: `double` is finite.
pub(super) fn check_finite(encodings: &[EncodingParameters]) -> Result<(), Error> {
    let numbers = |own: &EncodingParameters| [own.scale_resolution_down_by, own.max_framerate];
    let mut all = encodings.iter().flat_map(numbers).flatten();
    match all.find(|number| !number.is_finite()) {
        Some(number) => Err(Error::type_error(format!("{number} is not finite"))),
        None => Ok(()),
    }
}

/// Every `codec` is one of `choosable`, and one that media can be sent with.
pub(super) fn check_codecs(
    call: Call,
    encodings: &[EncodingParameters],
    is_choosable: impl Fn(&Codec) -> bool,
) -> Result<(), Error> {
    let mut wanted = encodings.iter().filter_map(|own| own.codec.as_ref());
    match wanted.find(|codec| !codec.is_media() || !is_choosable(codec)) {
        Some(codec) => {
            let (name, fmtp) = (&codec.mime_type, codec.sdp_fmtp_line.as_deref());
            Err(call.refusal(format!(
                "cannot send with {name} {}",
                fmtp.unwrap_or_default()
            )))
        }
        None => Ok(()),
    }
}

/// webrtc-svc §4: a mode is one that the encoding's codec can be sent in, as `can` says; without a
/// codec of its own, one that any of `codecs` can. Simulcast goes over streams of its own or within
/// one, not both.
pub(super) fn check_scalability(
    call: Call,
    encodings: &[EncodingParameters],
    codecs: &[&Codec],
    can: impl Fn(&Codec, &str) -> bool,
) -> Result<(), Error> {
    let mode_of = |own: &EncodingParameters| own.scalability_mode.clone();
    for (own, mode) in encodings
        .iter()
        .filter_map(|own| Some((own, mode_of(own)?)))
    {
        let is_supported = match &own.codec {
            Some(codec) => can(codec, &mode),
            None => codecs.iter().any(|codec| can(codec, &mode)),
        };
        if !is_supported {
            return Err(call.refusal(format!("no codec can do scalabilityMode {mode:?}")));
        }
    }
    let is_simulcast = |own: &&EncodingParameters| {
        let mode = own.scalability_mode.as_deref();
        mode.is_some_and(scalability::is_simulcast)
    };
    let active = || encodings.iter().filter(|own| own.active);
    match active().find(is_simulcast) {
        Some(_) if active().count() > 1 => {
            Err(call.refusal("an S mode is for a sender with one active encoding"))
        }
        _ => Ok(()),
    }
}

/// W3C §5.1, §5.2: audio has no picture. `scaleResolutionDownTo` goes with them.
pub(super) fn drop_members_of_video(kind: MediaKind, encodings: &mut [EncodingParameters]) {
    if kind == MediaKind::Audio {
        for own in encodings {
            own.scale_resolution_down_by = None;
            own.scale_resolution_down_to = None;
            own.max_framerate = None;
        }
    }
}

/// The ranges of W3C §5.1 and §5.2, and what webrtc-extensions demands of its members.
pub(super) fn check_members(call: Call, encodings: &[EncodingParameters]) -> Result<(), Error> {
    for own in encodings {
        if let Some(scale) = own.scale_resolution_down_by.filter(|scale| *scale < 1.0) {
            return Err(Error::range(format!(
                "scaleResolutionDownBy {scale} is less than 1"
            )));
        }
        if let Some(rate) = own.max_framerate.filter(|rate| *rate < 0.0) {
            return Err(Error::range(format!("maxFramerate {rate} is less than 0")));
        }
        if own.adaptive_ptime && own.ptime.is_some() {
            let message = "adaptivePtime and ptime contradict each other";
            return Err(Error::invalid_modification(message));
        }
    }
    check_restrictions(call, encodings)
}

fn check_restrictions(call: Call, encodings: &[EncodingParameters]) -> Result<(), Error> {
    let restrictions = || encodings.iter().map(|own| own.scale_resolution_down_to);
    if restrictions()
        .flatten()
        .any(|own| own.max_width == 0 || own.max_height == 0)
    {
        return Err(call.refusal("scaleResolutionDownTo has a side of 0"));
    }
    let is_missing =
        |own: &EncodingParameters| own.active && own.scale_resolution_down_to.is_none();
    if restrictions().flatten().next().is_some() && encodings.iter().any(is_missing) {
        return Err(call.refusal("an active encoding has no scaleResolutionDownTo but another has"));
    }
    Ok(())
}
