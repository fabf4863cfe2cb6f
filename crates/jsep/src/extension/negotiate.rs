//! The header extensions of offer and answer.

use pc_sdp::Direction;

use super::{ExtensionIds, HeaderExtension};
use crate::{HeaderExtensionCapability, TransceiverDirection};

/// What an offer lists: all that is wanted and not stopped. `section` is what the section has
/// negotiated: its extensions keep their ids (RFC 8285 §6). `taken` is what the whole BUNDLE group
/// has, and learns what is given out here. When no id is left, the rest is left out.
pub(crate) fn offer_extensions(
    wanted: &[HeaderExtensionCapability],
    section: &[HeaderExtension],
    taken: &mut ExtensionIds,
) -> Vec<HeaderExtension> {
    let id_of = |uri: &str| {
        let same = |own: &&HeaderExtension| own.uri == uri && !own.encrypted && own.id <= 255;
        section.iter().find(same).map(|own| own.id)
    };
    let mut offered = Vec::new();
    for own in wanted.iter().filter(|own| is_wanted(own)) {
        let known = id_of(&own.uri);
        let id = known.or_else(|| taken.allot(&own.uri, own.preferred_id, section));
        let Some(id) = id else { continue };
        offered.push(HeaderExtension {
            uri: own.uri.clone(),
            id,
            direction: own.direction.to_sdp(),
            encrypted: false,
        });
    }
    offered
}

/// What an answer lists: the offer's extensions that we also want, in its order and with its ids,
/// in the directions that both allow (RFC 8285 §6). Left out is what would be inactive, encrypted,
/// or is only proposed (an answer may take none of those).
pub(crate) fn answer_extensions(
    wanted: &[HeaderExtensionCapability],
    offered: &[HeaderExtension],
) -> Vec<HeaderExtension> {
    let mut answered: Vec<HeaderExtension> = Vec::new();
    for theirs in offered.iter().filter(|own| own.id <= 255 && !own.encrypted) {
        let is_new = answered.iter().all(|own| own.uri != theirs.uri);
        let mut wanted = wanted.iter().filter(|own| is_wanted(own));
        let ours = wanted.find(|own| own.uri == theirs.uri).filter(|_| is_new);
        let Some(ours) = ours else { continue };
        let direction = both(ours.direction, theirs.direction.reversed());
        if direction != Direction::Inactive {
            answered.push(HeaderExtension {
                direction,
                ..theirs.clone()
            });
        }
    }
    answered
}

fn is_wanted(own: &HeaderExtensionCapability) -> bool {
    own.direction != TransceiverDirection::Stopped
}

fn both(ours: TransceiverDirection, theirs: Direction) -> Direction {
    let sends = ours.sends() && theirs.sends();
    let receives = ours.receives() && theirs.receives();
    TransceiverDirection::new(sends, receives).to_sdp()
}
