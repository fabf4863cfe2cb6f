//! Which transports an offer bundles, and under which ICE credentials (RFC 9429 §5.2.1).

use crate::{
    CodecParameters, Error, HeaderExtension, IceCredentials, OfferOptions, Session, TransceiverId,
    TransportId, TransportPlan,
    agreement::{LocalTransport, Owner, Section},
    bundle::Numbers,
    codec::offer_codecs,
    extension::offer_extensions,
    layout::Layout,
    transceiver::Transceiver,
};

/// What the numbers of an offered section of media mean.
#[derive(Debug, Clone)]
pub(crate) struct SectionNumbers {
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: Vec<HeaderExtension>,
}

/// The transports that an offer bundles.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfferedGroup {
    pub(crate) transports: Vec<TransportId>,
    numbers: Numbers,
    /// What those of them have that go on as they are.
    kept: Option<IceCredentials>,
}

impl Session {
    /// The numbers of every section that an offer describes; none for data and where it is rejected.
    ///
    /// # Errors
    ///
    /// `OperationError`: there are not enough numbers.
    pub(crate) fn offered_numbers(
        &self,
        layout: &Layout,
    ) -> Result<Vec<Option<SectionNumbers>>, Error> {
        let mut payload_types = self.agreement.payload_types.clone();
        let mut extension_ids = self.agreement.extension_ids.clone();
        let mut all = Vec::with_capacity(layout.sections.len());
        for (index, own) in layout.sections.iter().enumerate() {
            let (Owner::Transceiver(id), Some(_)) = (own.owner, own.transport) else {
                all.push(None);
                continue;
            };
            let transceiver = self.offered_transceiver(id)?;
            let same = self.agreement.sections.get(index);
            let same = same.filter(|section| section.owner == own.owner);
            let codecs = offer_codecs(
                self.config.capabilities.of(transceiver.kind),
                transceiver.preferences.as_deref(),
                transceiver.direction.sends(),
                transceiver.direction.receives(),
                &known_codecs(transceiver, same),
                &mut payload_types,
            )?;
            let extensions = offer_extensions(
                &transceiver.extensions,
                same.map_or(&[], |section| &section.extensions),
                &mut extension_ids,
            );
            all.push(Some(SectionNumbers { codecs, extensions }));
        }
        Ok(all)
    }

    pub(crate) fn offered_transceiver(&self, id: TransceiverId) -> Result<&Transceiver, Error> {
        let gone = || Error::operation("the transceiver of an m-section is gone");
        self.transceiver_ref(id).ok_or_else(gone)
    }

    /// One bundle for all, but for transports that stay by themselves:
    ///
    /// - whose sections use a number for something else than the others do, or that runs under other
    ///   ICE credentials, as may be where the peer has not bundled. An ICE restart ends the latter;
    /// - whose sections have no mid, by which a group could name them.
    pub(crate) fn offered_groups(
        &self,
        layout: &Layout,
        numbers: &[Option<SectionNumbers>],
        options: OfferOptions,
    ) -> Vec<OfferedGroup> {
        let mut groups: Vec<OfferedGroup> = vec![OfferedGroup::default()];
        let mut seen = Vec::new();
        for id in layout.sections.iter().filter_map(|own| own.transport) {
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            let sections = layout.sections.iter().zip(numbers);
            let own = sections.filter(|(own, _)| own.transport == Some(id));
            let is_named = own.clone().all(|(own, _)| own.has_mid);
            let numbers = own.filter_map(|(_, numbers)| numbers.as_ref());
            let kept = self.kept_by(id, options);
            let first = groups.first_mut().filter(|_| is_named);
            if !first.is_some_and(|first| first.takes(id, numbers, kept)) {
                groups.push(OfferedGroup {
                    transports: vec![id],
                    numbers: Numbers::default(),
                    kept: kept.cloned(),
                });
            }
        }
        groups.retain(|group| !group.transports.is_empty());
        groups
    }

    /// The credentials that a transport goes on with, since the peer knows them and ICE does not
    /// restart.
    fn kept_by(&self, id: TransportId, options: OfferOptions) -> Option<&IceCredentials> {
        let plan = self.agreement.plan(id)?;
        let goes_on = plan.peer.is_some() && !self.restarts(plan, options);
        goes_on.then_some(&plan.local)
    }

    fn restarts(&self, plan: &TransportPlan, options: OfferOptions) -> bool {
        options.ice_restart || self.to_replace.contains(&plan.local)
    }

    /// What the offer says of every transport. Those of a group share their credentials, though each
    /// has candidates of its own. RFC 8839 §5.4 allows it, browsers do it, and GStreamer takes no
    /// other offer: whichever transport the bundle comes to run on, its sections agree on it.
    pub(crate) fn offered_transports(
        &mut self,
        groups: &[OfferedGroup],
        options: OfferOptions,
    ) -> Vec<LocalTransport> {
        let kept = groups.iter().filter_map(|group| group.kept.clone());
        let mut taken: Vec<IceCredentials> = kept.collect();
        let mut locals = Vec::new();
        for group in groups {
            let credentials = group.kept.clone().unwrap_or_else(|| {
                let known = self.known_credentials(group, &taken, options);
                known.unwrap_or_else(|| self.random.credentials())
            });
            taken.push(credentials.clone());
            for &id in &group.transports {
                locals.push(LocalTransport {
                    id,
                    credentials: credentials.clone(),
                    tls_id: self.offered_tls_id(id),
                });
            }
        }
        locals
    }

    /// Credentials that a group has been proposed with, if that may be said again.
    fn known_credentials(
        &self,
        group: &OfferedGroup,
        taken: &[IceCredentials],
        options: OfferOptions,
    ) -> Option<IceCredentials> {
        let plans = || {
            let ids = group.transports.iter();
            ids.filter_map(|id| self.agreement.plan(*id))
        };
        if plans().any(|plan| self.restarts(plan, options)) {
            return None;
        }
        let proposed = group.transports.iter().filter_map(|id| self.proposed(*id));
        let known = plans().map(|plan| &plan.local);
        let mut known = known.chain(proposed.map(|local| &local.credentials));
        let is_free =
            |own: &&IceCredentials| !taken.contains(own) && !self.to_replace.contains(own);
        known.find(is_free).cloned()
    }

    /// A transport as the last offer that was created has it, which may not have been set.
    fn proposed(&self, id: TransportId) -> Option<&LocalTransport> {
        let mut known = self.created_offer.as_ref()?.transports.iter();
        known.find(|known| known.id == id)
    }

    fn offered_tls_id(&mut self, id: TransportId) -> String {
        let is_new = self.agreement.plan(id).is_none();
        match self.proposed(id).filter(|_| is_new) {
            Some(proposed) => proposed.tls_id.clone(),
            None => self.agreement.tls_id(id, &mut self.random),
        }
    }
}

impl OfferedGroup {
    /// Takes a transport in, if the others suffer it.
    fn takes<'a>(
        &mut self,
        id: TransportId,
        numbers: impl Iterator<Item = &'a SectionNumbers>,
        kept: Option<&IceCredentials>,
    ) -> bool {
        let same = self.kept.as_ref().zip(kept).is_none_or(|(a, b)| a == b);
        let mut with_these = self.numbers.clone();
        let learned = numbers
            .map(|own| with_these.learn(&own.codecs, &own.extensions))
            .all(|learned| learned.is_ok());
        let fits = same && learned;
        if fits {
            self.transports.push(id);
            self.numbers = with_these;
            self.kept = self.kept.take().or_else(|| kept.cloned());
        }
        fits
    }
}

/// RFC 9429 §5.2.2: what the last exchange agreed on comes first and in its order; all that was ever
/// named in the section keeps its number.
fn known_codecs(transceiver: &Transceiver, section: Option<&Section>) -> Vec<CodecParameters> {
    let mut known = transceiver.negotiated.receive.clone();
    let named = section.map_or(&[][..], |section| &section.codecs);
    for codec in named {
        if !known
            .iter()
            .any(|own| own.payload_type == codec.payload_type)
        {
            known.push(codec.clone());
        }
    }
    known
}
