//! A description that was created and may be set.

use std::fmt;

use crate::{
    Error, SdpType,
    agreement::{LocalTransport, Owner},
    description::Description,
    session::Session,
};

/// The last offer, or the last answer, and what its sections stand for.
pub(crate) struct Created {
    pub(crate) text: String,
    pub(crate) description: Description,
    pub(crate) sections: Vec<CreatedSection>,
    pub(crate) transports: Vec<LocalTransport>,
    /// [`Session::revision`] when it was created.
    pub(crate) revision: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct CreatedSection {
    pub(crate) mid: String,
    pub(crate) has_mid: bool,
    pub(crate) owner: Owner,
    /// `None`: rejected.
    pub(crate) transport: Option<crate::TransportId>,
}

impl fmt::Debug for Created {
    /// Without the text, which has the ICE password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created")
            .field("description", &self.description)
            .field("sections", &self.sections)
            .field("transports", &self.transports)
            .finish_non_exhaustive()
    }
}

impl Created {
    /// Whether the session is still what it was created for: after an exchange that began later, an
    /// old one does not fit any more.
    pub(crate) fn check_fits(&self, session: &Session) -> Result<(), Error> {
        let known = &session.agreement.sections;
        let places = known.iter().zip(&self.sections);
        let moved = self.sections.len() < known.len()
            || places
                .into_iter()
                .any(|(known, own)| known.mid != own.mid && !known.rejected);
        let gone = self.sections.iter().any(|own| match own.owner {
            Owner::Transceiver(id) => session.transceiver_ref(id).is_none_or(|transceiver| {
                let elsewhere = transceiver.mid.as_ref().is_some_and(|mid| *mid != own.mid);
                elsewhere || (transceiver.is_stopped() && own.transport.is_some())
            }),
            _ => false,
        });
        if moved || gone {
            let message = "the session has changed since this description was created";
            return Err(Error::invalid_modification(message));
        }
        Ok(())
    }

    /// The description, as one of `kind`.
    pub(crate) fn described_as(&self, kind: SdpType) -> Description {
        let sections = self.sections.iter();
        Description {
            kind,
            transports: sections.map(|own| own.transport).collect(),
            ..self.description.clone()
        }
    }
}
