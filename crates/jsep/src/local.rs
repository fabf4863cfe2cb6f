//! `setLocalDescription` (RFC 9429 §4.1.10, §5.6 and §5.9).

use std::sync::Arc;

use crate::{
    Error, SdpType, Session, SignalingState,
    agreement::{Owner, Section, Unused},
    commit::Exchange,
    created::Created,
    description::{Description, Use},
    offer::OfferOptions,
    session::check_state,
};

impl Session {
    /// `setLocalDescription()`: with `None` the offer or answer that the signaling state calls for.
    /// A description without text stands for the one that was created last.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: it does not fit the signaling state.
    /// - `InvalidModificationError`: it is not the one that was created last.
    pub fn set_local_description(
        &mut self,
        description: Option<(SdpType, &str)>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let mut next = self.clone();
        next.set_local(description)?;
        *self = next;
        Ok(())
    }

    fn set_local(&mut self, description: Option<(SdpType, &str)>) -> Result<(), Error> {
        let (kind, text) = description.unwrap_or((self.implied_kind(), ""));
        check_state(self.state, kind, true)?;
        match kind {
            SdpType::Rollback => {
                self.roll_back();
                Ok(())
            }
            SdpType::Offer => {
                let created = self.created(kind, text)?;
                self.set_local_offer(&created)
            }
            SdpType::Answer | SdpType::Pranswer => {
                let created = self.created(kind, text)?;
                self.set_local_answer(kind, &created)
            }
        }
    }

    /// [WebRTC §4.4.2](https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription), step 4.3.
    fn implied_kind(&self) -> SdpType {
        match self.state {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => SdpType::Answer,
            _ => SdpType::Offer,
        }
    }

    /// The created description that is meant; without text a new one, where there is none or where it
    /// is not what would be created now.
    fn created(&mut self, kind: SdpType, text: &str) -> Result<Arc<Created>, Error> {
        let is_offer = kind == SdpType::Offer;
        let last = match is_offer {
            true => &self.created_offer,
            false => &self.created_answer,
        };
        let is_current = |last: &Arc<Created>| last.revision == self.revision;
        if text.is_empty() && !last.as_ref().is_some_and(is_current) {
            if is_offer {
                self.create_offer(OfferOptions::default())?;
            } else {
                self.create_answer()?;
            }
        }
        let created = match is_offer {
            true => self.created_offer.clone(),
            false => self.created_answer.clone(),
        };
        created
            .filter(|created| text.is_empty() || created.text == text)
            .ok_or_else(|| {
                let message = format!("not the {kind} that was created last");
                Error::invalid_modification(message)
            })
    }

    fn set_local_offer(&mut self, created: &Arc<Created>) -> Result<(), Error> {
        created.check_fits(self)?;
        self.remember_stable();
        self.change();
        self.take_sections(created);
        self.drafts.clear();
        self.agreement
            .replan(&created.transports, Unused::KeepAgreed);
        self.offered = Some(created.clone());
        let description = created.described_as(SdpType::Offer);
        self.learn_numbers(&description);
        self.descriptions.pending_local = Some(Arc::new(description));
        self.enter(SignalingState::HaveLocalOffer);
        Ok(())
    }

    fn set_local_answer(&mut self, kind: SdpType, created: &Arc<Created>) -> Result<(), Error> {
        created.check_fits(self)?;
        let offer = self.descriptions.pending_remote.clone();
        let offer = offer.ok_or_else(|| Error::invalid_state("there is no remote offer"))?;
        self.take_sections(created);
        self.drafts.clear();
        let answer = Arc::new(created.described_as(kind));
        self.learn_numbers(&answer);
        self.agreement
            .replan(&created.transports, Unused::after(kind));
        let exchange = Exchange {
            local: &answer,
            remote: &offer,
            answer_is_local: true,
        };
        self.commit(&exchange)?;
        self.descriptions.pending_local = Some(answer.clone());
        self.change();
        let owners = self.owners();
        if kind == SdpType::Pranswer {
            self.enter(SignalingState::HaveLocalPranswer);
            self.tell_of_answer(&owners, &exchange);
        } else {
            self.become_stable();
            self.tell_of_answer(&owners, &exchange);
            self.stop_rejected();
        }
        Ok(())
    }

    /// The sections as the created description has them; transceivers get their mids.
    fn take_sections(&mut self, created: &Created) {
        for (index, (own, described)) in created
            .sections
            .iter()
            .zip(&created.description.sections)
            .enumerate()
        {
            let known = self.agreement.sections.get(index);
            let same = known.filter(|known| known.mid == own.mid);
            let mut codecs = same.map_or_else(Vec::new, |same| same.codecs.clone());
            merge(&mut codecs, &described.codecs, |a, b| {
                a.payload_type == b.payload_type
            });
            let mut extensions = same.map_or_else(Vec::new, |same| same.extensions.clone());
            merge(&mut extensions, &described.extensions, |a, b| a.id == b.id);
            let section = Section {
                mid: own.mid.clone(),
                has_mid: own.has_mid,
                owner: own.owner,
                head: described.head.clone(),
                rejected: described.rejected,
                transport: own.transport,
                apart: same.is_some_and(|same| same.apart),
                codecs,
                extensions,
            };
            match self.agreement.sections.get_mut(index) {
                Some(place) => *place = section,
                None => self.agreement.sections.push(section),
            }
            if let Owner::Transceiver(id) = own.owner
                && let Some(transceiver) = self.transceiver_mut(id)
                && !transceiver.is_stopped()
            {
                transceiver.mid = Some(own.mid.clone());
            }
        }
    }

    /// Numbers that were used once mean the same ever after.
    pub(crate) fn learn_numbers(&mut self, description: &Description) {
        for section in &description.sections {
            if matches!(section.usage, Use::Media(_)) && !section.rejected {
                self.agreement.payload_types.learn(&section.codecs);
                self.agreement.extension_ids.note(&section.extensions);
            }
        }
    }
}

/// Replaces what is the same and adds what is new.
pub(crate) fn merge<T: Clone>(known: &mut Vec<T>, new: &[T], same: impl Fn(&T, &T) -> bool) {
    for item in new {
        match known.iter_mut().find(|known| same(known, item)) {
            Some(place) => *place = item.clone(),
            None => known.push(item.clone()),
        }
    }
}
