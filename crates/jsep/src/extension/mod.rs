//! RTP header extensions (RFC 8285) in offer and answer.

mod ids;
mod negotiate;
mod read;
pub(crate) mod uri;

use pc_sdp::{Attribute, Direction, Extmap, ExtmapId, MediaDescription, Text, Word};

use crate::{Error, HeaderExtensionCapability, TransceiverDirection};
pub(crate) use ids::ExtensionIds;
pub(crate) use negotiate::{answer_extensions, offer_extensions};
pub(crate) use read::read_extensions;

/// [`RTCRtpHeaderExtensionParameters`](https://www.w3.org/TR/webrtc/#dom-rtcrtpheaderextensionparameters)
/// and the direction of RFC 8285 §5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderExtension {
    /// Which extension it is.
    pub uri: String,
    /// Its id in packets; from 4096 to 4351 in a remote offer that leaves the choice to us
    /// (RFC 8285 §6).
    pub id: u16,
    /// Its direction, seen from the one who writes it; sendrecv where nothing is said.
    pub direction: Direction,
    /// Whether it is encrypted as RFC 6904 has it.
    pub encrypted: bool,
}

/// Replaces the header extensions of `media`. A direction is written only where it is not
/// sendrecv, which is what holds when nothing is said (RFC 8285 §5).
pub(crate) fn write_extensions(extensions: &[HeaderExtension], media: &mut MediaDescription) {
    media.remove("extmap");
    for extension in extensions {
        if let Some(extmap) = extmap(extension) {
            media.push(Attribute::Extmap(extmap));
        }
    }
}

fn extmap(extension: &HeaderExtension) -> Option<Extmap> {
    let uri = extension.uri.as_str();
    let (uri, attributes) = match extension.encrypted {
        true => (uri::ENCRYPT, Some(Text::new(uri).ok()?)),
        false => (uri, None),
    };
    Some(Extmap {
        id: ExtmapId::new(extension.id)?,
        direction: Some(extension.direction).filter(|own| *own != Direction::SendRecv),
        uri: Word::new(uri).ok()?,
        attributes,
    })
}

/// The header extensions a transceiver is to negotiate, as webrtc-extensions
/// setHeaderExtensionsToNegotiate checks them: only directions may differ from what it has.
///
/// # Errors
/// `InvalidModificationError` if one is added, removed or moved, and if the section's name, which
/// RFC 9429 §5.2.1 demands, is to be anything but sendrecv.
pub(crate) fn check_extensions_to_negotiate(
    current: &[HeaderExtensionCapability],
    wanted: Vec<HeaderExtensionCapability>,
) -> Result<Vec<HeaderExtensionCapability>, Error> {
    if wanted.len() != current.len() {
        return Err(Error::invalid_modification(
            "header extensions were added or removed",
        ));
    }
    let mut checked = Vec::with_capacity(current.len());
    for (current, wanted) in current.iter().zip(wanted) {
        if wanted.uri != current.uri {
            return Err(Error::invalid_modification(format!(
                "{} in the place of {}",
                wanted.uri, current.uri
            )));
        }
        if wanted.uri == uri::MID && wanted.direction != TransceiverDirection::SendRecv {
            return Err(Error::invalid_modification(format!(
                "{} is needed in both directions",
                wanted.uri
            )));
        }
        checked.push(HeaderExtensionCapability {
            direction: wanted.direction,
            ..current.clone()
        });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests;
