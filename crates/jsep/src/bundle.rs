//! What payload types and header extension ids mean within one bundle (RFC 9143 §9.1 and §9.2).

use std::collections::BTreeMap;

use crate::{
    CodecParameters, Error, HeaderExtension, description::Description, extension::ExtensionIds,
};

/// The numbers of the sections of a bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    /// Name, clock rate and channels of each payload type.
    codecs: BTreeMap<u8, (String, u32, Option<u16>)>,
    ids: ExtensionIds,
}

impl Numbers {
    /// Takes the numbers of one more section.
    ///
    /// # Errors
    ///
    /// `InvalidAccessError`: one of them means something else already; nothing is taken then.
    pub(crate) fn learn(
        &mut self,
        codecs: &[CodecParameters],
        extensions: &[HeaderExtension],
    ) -> Result<(), Error> {
        for own in codecs {
            let known = self.codecs.get(&own.payload_type.value());
            if known.is_some_and(|known| *known != meaning(own)) {
                return Err(Error::invalid_access(format!(
                    "payload type {} means two codecs in one bundle (RFC 9143 §9.1)",
                    own.payload_type
                )));
            }
        }
        self.ids.learn(extensions)?;
        let codecs = codecs.iter();
        self.codecs
            .extend(codecs.map(|own| (own.payload_type.value(), meaning(own))));
        Ok(())
    }
}

fn meaning(own: &CodecParameters) -> (String, u32, Option<u16>) {
    let codec = &own.codec;
    let channels = codec.channels.filter(|channels| *channels != 1);
    (
        codec.mime_type.to_ascii_lowercase(),
        codec.clock_rate,
        channels,
    )
}

/// Leaves out what an offer names by a payload type that means another codec in an earlier section of
/// the bundle, so that it is not answered: then RFC 9143 §9.1 holds all the same.
///
/// Firefox offers a later section with numbers of its own though the peer's are in use: its AV1 is 99,
/// which is the retransmission of VP9 for libwebrtc. Browsers take such an offer.
pub(crate) fn leave_out_second_meanings(offer: &mut Description) {
    for group in offer.groups.clone() {
        let mut meanings = BTreeMap::new();
        for index in group {
            let section = offer.sections.get_mut(index);
            let Some(section) = section.filter(|section| !section.rejected) else {
                continue;
            };
            section.codecs.retain(|own| {
                let means = meaning(own);
                *meanings
                    .entry(own.payload_type)
                    .or_insert_with(|| means.clone())
                    == means
            });
        }
    }
}

/// Whether every number of a description means one thing in its bundle.
pub(crate) fn check_numbers(description: &Description) -> Result<(), Error> {
    for group in &description.groups {
        let mut numbers = Numbers::default();
        let members = group.iter();
        let members = members.filter_map(|&index| description.sections.get(index));
        for section in members.filter(|section| !section.rejected) {
            let learned = numbers.learn(&section.codecs, &section.extensions);
            learned.map_err(|error| Error {
                message: format!("m-section {}: {}", section.index, error.message).into(),
                ..error
            })?;
        }
    }
    Ok(())
}
