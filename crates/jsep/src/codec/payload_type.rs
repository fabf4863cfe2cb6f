//! Which payload types are in use, and finding free ones.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use pc_sdp::PayloadType;

use super::CodecParameters;
use super::identity::{Identity, identities_of};

/// With RTCP on the same port these look like RTCP's packet types 192 to 223 (RFC 5761 §4).
pub(super) const LOOKS_LIKE_RTCP: RangeInclusive<u8> = 64..=95;

/// The dynamic payload types (RFC 3551 §6), and those that may follow (RFC 5761 §4).
const DYNAMIC: [RangeInclusive<u8>; 2] = [96..=127, 35..=63];

/// The payload types of a BUNDLE group: a number in it means one codec only (RFC 9143 §9.1).
#[derive(Default, Clone, Debug)]
pub(crate) struct PayloadTypes {
    /// `None` for a number of no meaning we know, or of several.
    meanings: BTreeMap<u8, Option<Identity>>,
}

impl PayloadTypes {
    /// Takes note of the payload types that a section has.
    pub(crate) fn learn(&mut self, codecs: &[CodecParameters]) {
        for (codec, identity) in codecs.iter().zip(identities_of(codecs)) {
            let number = codec.payload_type.value();
            let meaning = self
                .meanings
                .entry(number)
                .or_insert_with(|| identity.clone());
            if *meaning != identity {
                *meaning = None;
            }
        }
    }

    /// The number for a codec: the one it has, else the one it would like, else any free one.
    pub(super) fn allot(&mut self, preferred: u8, identity: &Identity) -> Option<PayloadType> {
        if let Some(number) = self.number_of(identity) {
            return Some(number);
        }
        let number = std::iter::once(preferred)
            .chain(DYNAMIC.into_iter().flatten())
            .filter(|number| !LOOKS_LIKE_RTCP.contains(number))
            .filter(|number| !self.meanings.contains_key(number))
            .find_map(PayloadType::new)?;
        self.meanings.insert(number.value(), Some(identity.clone()));
        Some(number)
    }

    fn number_of(&self, identity: &Identity) -> Option<PayloadType> {
        let mut usable = self.meanings.iter().filter(|(number, meaning)| {
            meaning.as_ref() == Some(identity) && !LOOKS_LIKE_RTCP.contains(number)
        });
        PayloadType::new(*usable.next()?.0)
    }
}
