//! Reading the header extensions of a section.

use std::collections::BTreeMap;

use pc_sdp::{Direction, Extmap, MediaDescription, SessionDescription};

use super::{HeaderExtension, uri};
use crate::Error;

/// Longer than any URI in use.
const MAX_URI: usize = 255;

/// The most extensions taken from the session, since they are kept once for every section.
const MAX_OF_SESSION: usize = 32;

/// The header extensions of a section as the peer writes them, those of the whole session before
/// its own (RFC 8285 §5). An id past 14 is what it says: it needs the two-byte form, which a
/// stream can keep to without a word about mixing (RFC 8285 §4.1.2).
///
/// # Errors
/// `InvalidAccessError` for an id that is mapped to two extensions.
pub(crate) fn read_extensions(
    sdp: &SessionDescription,
    media: &MediaDescription,
) -> Result<Vec<HeaderExtension>, Error> {
    let mut extensions: Vec<HeaderExtension> = Vec::new();
    let mut by_id = BTreeMap::new();
    let of_session = sdp.extmaps().take(MAX_OF_SESSION);
    for extmap in of_session.chain(media.extmaps()) {
        let Some(extension) = extension(extmap) else {
            continue;
        };
        let index = *by_id.entry(extension.id).or_insert(extensions.len());
        match extensions.get_mut(index) {
            None => extensions.push(extension),
            // What the section says of it holds, not what the session says.
            Some(own) if own.uri == extension.uri && own.encrypted == extension.encrypted => {
                *own = extension;
            }
            Some(own) => {
                return Err(Error::invalid_access(format!(
                    "header extension id {} is mapped to both {} and {}",
                    own.id, own.uri, extension.uri
                )));
            }
        }
    }
    Ok(extensions)
}

/// None for one that is too long to be known, or that wraps nothing (RFC 6904 §4).
fn extension(extmap: &Extmap) -> Option<HeaderExtension> {
    let encrypted = extmap.uri == *uri::ENCRYPT;
    let uri = match &extmap.attributes {
        _ if !encrypted => extmap.uri.as_str(),
        attributes => attributes.as_ref()?.split_whitespace().next()?,
    };
    (uri.len() <= MAX_URI).then(|| HeaderExtension {
        uri: uri.to_owned(),
        id: extmap.id.value(),
        direction: extmap.direction.unwrap_or(Direction::SendRecv),
        encrypted,
    })
}
