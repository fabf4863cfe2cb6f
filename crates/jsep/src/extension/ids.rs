//! Which ids are in use, and finding free ones.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::HeaderExtension;
use crate::Error;

/// What the one-byte form can say (RFC 8285 §4.2), and what needs the two-byte form (§4.3). 15
/// ends the parsing of the one-byte form, so it is not given out.
const IDS: [RangeInclusive<u16>; 2] = [1..=14, 16..=255];

/// The ids of a BUNDLE group: an id in it means one extension only (RFC 9143 §9.2), and it does so
/// for the whole session (RFC 8285 §5).
#[derive(Default, Clone, Debug)]
pub(crate) struct ExtensionIds {
    meanings: BTreeMap<u16, (String, bool)>,
}

impl ExtensionIds {
    /// Takes note of the ids that a section has. Those that only propose (RFC 8285 §6) mean
    /// nothing yet.
    ///
    /// # Errors
    /// `InvalidAccessError` for an id that already means another extension; nothing is noted then.
    pub(crate) fn learn(&mut self, extensions: &[HeaderExtension]) -> Result<(), Error> {
        let fixed = || extensions.iter().filter(|own| own.id <= 255);
        for own in fixed() {
            if let Some((uri, encrypted)) = self.meanings.get(&own.id)
                && (*uri != own.uri || *encrypted != own.encrypted)
            {
                return Err(Error::invalid_access(format!(
                    "header extension id {} changes from {uri} to {}",
                    own.id, own.uri
                )));
            }
        }
        for own in fixed() {
            self.meanings
                .insert(own.id, (own.uri.clone(), own.encrypted));
        }
        Ok(())
    }

    /// Takes note of the ids that a section has, whatever they mean elsewhere: one of several meanings,
    /// as sections that are not bundled may give it, is for no new section.
    pub(crate) fn note(&mut self, extensions: &[HeaderExtension]) {
        for own in extensions.iter().filter(|own| own.id <= 255) {
            let meaning = (own.uri.clone(), own.encrypted);
            let known = self.meanings.entry(own.id);
            let known = known.or_insert_with(|| meaning.clone());
            if *known != meaning {
                // What no extension is called.
                *known = (String::new(), false);
            }
        }
    }

    /// The id for an extension: the one it has, else the one it would like, else any free one. None
    /// of `section`, which keeps its own: without BUNDLE they may mean something else elsewhere.
    pub(super) fn allot(
        &mut self,
        uri: &str,
        preferred: u8,
        section: &[HeaderExtension],
    ) -> Option<u16> {
        let elsewhere = |id: &u16| section.iter().all(|own| own.id != *id);
        let mut meanings = self.meanings.iter();
        let own = meanings.find(|(id, (own, encrypted))| own == uri && !encrypted && elsewhere(id));
        if let Some((id, _)) = own {
            return Some(*id);
        }
        let candidates = std::iter::once(u16::from(preferred)).filter(|id| *id != 0);
        let mut candidates = candidates.chain(IDS.into_iter().flatten());
        let id = candidates.find(|id| !self.meanings.contains_key(id) && elsewhere(id))?;
        self.meanings.insert(id, (uri.to_owned(), false));
        Some(id)
    }
}
