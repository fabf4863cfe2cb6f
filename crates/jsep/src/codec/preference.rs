//! `setCodecPreferences`.

use super::{Codec, KindCapabilities};
use crate::Error;

/// The preferences of a transceiver as W3C setCodecPreferences checks them: duplicates removed,
/// `None` for an empty list, which takes all preferences back.
///
/// # Errors
/// `InvalidModificationError` for a codec that is not among the capabilities exactly as they show
/// it, and for a list that has nothing in it that carries media.
pub(crate) fn check_preferences(
    all: &KindCapabilities,
    wanted: Vec<Codec>,
) -> Result<Option<Vec<Codec>>, Error> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let known: Vec<_> = all.codecs.iter().map(|own| own.shown()).collect();
    let mut preferences: Vec<Codec> = Vec::new();
    for codec in wanted {
        if !known.contains(&codec) {
            return Err(unknown(&codec));
        }
        if !preferences.contains(&codec) {
            preferences.push(codec);
        }
    }
    if !preferences.iter().any(Codec::is_media) {
        return Err(Error::invalid_modification(
            "none of the preferred codecs carries media",
        ));
    }
    Ok(Some(preferences))
}

fn unknown(codec: &Codec) -> Error {
    let line = codec.sdp_fmtp_line.as_deref().unwrap_or_default();
    Error::invalid_modification(format!(
        "not among the capabilities: {}/{} {line}",
        codec.mime_type, codec.clock_rate
    ))
}
