//! `createAnswer` (RFC 9429 §5.3).

use std::{collections::HashMap, sync::Arc};

use pc_sdp::{Attribute, Group, MediaDescription, Origin, SessionDescription as Sdp, Setup, Word};

use crate::{
    BundlePolicy, Error, HeaderExtension, SdpType, Session, SignalingState, TransceiverDirection,
    TransceiverId, TransportId,
    agreement::{LocalTransport, Owner, Section},
    codec::answer_codecs,
    created::{Created, CreatedSection},
    description::{DescribedSection, Description},
    encoding::write_answer_simulcast,
    extension::answer_extensions,
    offer::msid,
    transceiver::{Life, Transceiver},
    write::{self, MediaSection, TransportSection},
};

impl Session {
    /// Whether an answer can be created now (RFC 9429 §4.1.9).
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_create_answer(&self) -> Result<(), Error> {
        self.check_open()?;
        match self.state {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => Ok(()),
            state => Err(Error::invalid_state(format!(
                "cannot create an answer in the signaling state \"{state}\""
            ))),
        }
    }

    /// `createAnswer()`: what this side takes of the offer.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn create_answer(&mut self) -> Result<String, Error> {
        self.check_create_answer()?;
        let mut next = self.clone();
        let text = next.make_answer()?;
        *self = next;
        Ok(text)
    }

    fn make_answer(&mut self) -> Result<String, Error> {
        let offer = self.descriptions.pending_remote.clone();
        let offer = offer.ok_or_else(|| Error::invalid_state("there is no remote offer"))?;
        let accepted: Vec<bool> = offer
            .sections
            .iter()
            .map(|section| self.accepts(&offer, section))
            .collect();
        let sections = self.answered_transports(&offer, &accepted);
        let transports = self.answered_credentials(&offer, &sections);
        let writer = AnswerWriter {
            session: self,
            offer: &offer,
            sections: &sections,
            transports: &transports,
        };
        let sdp = writer.write()?;
        let text = sdp.to_string();
        self.session_version += 1;
        self.created_answer = Some(Arc::new(Created {
            description: Description::new(SdpType::Answer, sdp)?,
            text: text.clone(),
            sections,
            transports,
            revision: self.revision,
        }));
        Ok(text)
    }

    /// RFC 9429 §5.3.1: when an m-section is rejected.
    fn accepts(&self, offer: &Description, section: &DescribedSection) -> bool {
        let Some(own) = self.agreement.sections.get(section.index) else {
            return false;
        };
        let tagged = offer.tagged(section.index);
        let has_transport = tagged.is_some_and(|it| it.transport.check(it.index).is_ok());
        let group = offer.group_of.get(section.index).copied().flatten();
        if section.rejected || !has_transport || (section.bundle_only && group.is_none()) {
            return false;
        }
        if !self.allows_transport(offer, section) {
            return false;
        }
        match own.owner {
            Owner::Data => true,
            Owner::None => false,
            Owner::Transceiver(id) => self.transceiver_ref(id).is_some_and(|transceiver| {
                let codecs = self.answer_codecs(transceiver, section);
                transceiver.life == Life::Running
                    && codecs.iter().any(|codec| codec.codec.is_media())
            }),
        }
    }

    /// RFC 9429 §5.3.1: with max-bundle nothing but the first section and its bundle; with balanced
    /// the same of each kind.
    fn allows_transport(&self, offer: &Description, section: &DescribedSection) -> bool {
        let same_kind = |other: &&DescribedSection| other.usage == section.usage;
        let mut offered = offer.sections.iter().filter(|other| !other.rejected);
        let first = match self.config.bundle_policy {
            BundlePolicy::MaxCompat => return true,
            BundlePolicy::MaxBundle => offered.next(),
            BundlePolicy::Balanced => offered.find(same_kind),
        };
        first.is_some_and(|first| {
            first.index == section.index || offer.bundled_together(first.index, section.index)
        })
    }

    fn answer_codecs(
        &self,
        transceiver: &Transceiver,
        section: &DescribedSection,
    ) -> Vec<crate::CodecParameters> {
        let direction = answered_direction(transceiver, section);
        // What could be sent or received later is answered too: a direction may change without the
        // codecs being negotiated again.
        let both = !direction.sends() && !direction.receives();
        answer_codecs(
            self.config.capabilities.of(transceiver.kind),
            transceiver.preferences.as_deref(),
            direction.sends() || both,
            direction.receives() || both,
            &section.codecs,
        )
    }

    /// A bundle runs on the transport of its tagged section (RFC 9143 §7.3.1), everything else on its
    /// own.
    fn answered_transports(
        &mut self,
        offer: &Description,
        accepted: &[bool],
    ) -> Vec<CreatedSection> {
        let mut of_group: Vec<Option<TransportId>> = vec![None; offer.groups.len()];
        let mut drafts = self.drafts.clone().into_iter();
        let mut used = Vec::new();
        let mut created = Vec::new();
        // One transport is of one bundle, or of one section outside of all.
        let mut claims: HashMap<TransportId, (Option<usize>, usize)> = HashMap::new();
        for index in 0..offer.sections.len() {
            let group = offer.group_of.get(index).copied().flatten();
            let is_accepted = accepted.get(index).copied().unwrap_or(false);
            let shared = group.and_then(|group| of_group.get(group).copied().flatten());
            let known = group.and_then(|group| self.transport_of_group(offer, group, accepted));
            let own = self.agreement.sections.get(index);
            let own = own.and_then(|own| own.transport);
            let claim = (group, group.map_or(index, |_| 0));
            let is_free = |id: &TransportId| {
                let is_ours = claims.get(id).is_none_or(|other| *other == claim);
                is_ours && self.leads_to(*id, offer, accepted, index)
            };
            let known = known.filter(is_free).or(own.filter(is_free));
            let transport = is_accepted.then(|| {
                shared.or(known).unwrap_or_else(|| {
                    let id = drafts.next().unwrap_or_else(|| self.new_transport_id());
                    used.push(id);
                    id
                })
            });
            claims.extend(transport.map(|id| (id, claim)));
            if let Some(slot) = group.and_then(|group| of_group.get_mut(group)) {
                *slot = slot.or(transport);
            }
            if let Some(own) = self.agreement.sections.get(index) {
                created.push(CreatedSection {
                    mid: own.mid.clone(),
                    has_mid: own.has_mid,
                    owner: own.owner,
                    transport,
                });
            }
        }
        used.extend(drafts);
        self.drafts = used;
        created
    }

    /// Whether a transport that a provisional answer has begun leads where the bundle of a section now
    /// does: an answer that rejects the section that led it goes on with another transport of the
    /// offerer's.
    fn leads_to(
        &self,
        id: TransportId,
        offer: &Description,
        accepted: &[bool],
        index: usize,
    ) -> bool {
        let before = self.before.as_ref();
        let ran_before = before.is_some_and(|before| before.agreement.plan(id).is_some());
        let Some(plan) = self.agreement.plan(id) else {
            return true;
        };
        let is_provisional = self.state == SignalingState::HaveLocalPranswer && !ran_before;
        if plan.peer.is_none() || !is_provisional {
            return true;
        }
        // Not by its credentials: the offerer's transports may share them.
        let leader = |index: usize, is_used: &dyn Fn(usize) -> bool| {
            let tagged = offer.tagged_of_used(index, is_used);
            tagged.map(|it| it.index)
        };
        let sections = &plan.sections;
        let first = sections.first().map(|it| it.index);
        let led = first
            .and_then(|first| leader(first, &|other| sections.iter().any(|it| it.index == other)));
        let is_accepted = |other: usize| accepted.get(other).copied().unwrap_or(false);
        led == leader(index, &is_accepted)
    }

    /// The transport that a bundle runs on already: that of its first accepted section, or, where that
    /// is new, of those that it takes over from.
    fn transport_of_group(
        &self,
        offer: &Description,
        group: usize,
        accepted: &[bool],
    ) -> Option<TransportId> {
        let members = offer.groups.get(group)?;
        let is_accepted = |index: &&usize| accepted.get(**index).copied().unwrap_or(false);
        let transport = |index: &usize| self.agreement.sections.get(*index)?.transport;
        let first = members.iter().find(is_accepted)?;
        transport(first).or_else(|| members.iter().find_map(transport))
    }

    /// A restart of the peer's is answered by one of ours (RFC 8839 §4.4.1.1.1).
    fn answered_credentials(
        &mut self,
        offer: &Description,
        sections: &[CreatedSection],
    ) -> Vec<LocalTransport> {
        let mut locals: Vec<LocalTransport> = Vec::new();
        for (index, own) in sections.iter().enumerate() {
            let Some(id) = own.transport else { continue };
            if locals.iter().any(|local| local.id == id) {
                continue;
            }
            let before = self.created_answer.as_ref().and_then(|created| {
                let mut known = created.transports.iter();
                known.find(|known| known.id == id).cloned()
            });
            let mut local = self.agreement.local_transport(id, &mut self.random);
            let tagged = self.answered_tag(offer, sections, index);
            let theirs = tagged.and_then(|it| it.transport.ice.clone());
            let plan = self.agreement.plan(id);
            let restarts = plan
                .and_then(|plan| plan.peer.as_ref())
                .is_some_and(|peer| Some(&peer.remote) != theirs.as_ref());
            if restarts {
                local.credentials = self.random.credentials();
            }
            // A second answer to one offer, as after a provisional one, repeats them.
            if let Some(before) = before
                && (restarts || plan.is_none())
                && self.is_answer_to_same_offer(offer)
            {
                local = before;
            }
            locals.push(local);
        }
        locals
    }

    /// The section of the offer whose transport an accepted one is answered on: of a transport that
    /// runs already the one that describes it; else, of a bundle, the first that is accepted. RFC 9143
    /// §7.3.3 would have the whole bundle rejected with its first section; browsers go on with the
    /// others, and so does this side.
    fn answered_tag<'a>(
        &self,
        offer: &'a Description,
        sections: &[CreatedSection],
        index: usize,
    ) -> Option<&'a DescribedSection> {
        let id = sections.get(index).and_then(|own| own.transport);
        let running = self.running_tag(offer, index, id);
        let is_accepted = |other: usize| {
            let own = sections.get(other);
            own.is_some_and(|own| own.transport.is_some())
        };
        running.or_else(|| offer.tagged_of_used(index, is_accepted))
    }

    /// The tagged section of an offer, where it describes the transport as it has run since before this
    /// exchange.
    pub(crate) fn running_tag<'a>(
        &self,
        offer: &'a Description,
        index: usize,
        id: Option<TransportId>,
    ) -> Option<&'a DescribedSection> {
        let before = self.before.as_ref();
        let stable = before.map_or(&self.agreement, |before| &before.agreement);
        let peer = stable.plan(id?)?.peer.as_ref()?;
        let tagged = offer.tagged(index)?;
        (tagged.transport.ice.as_ref() == Some(&peer.remote)).then_some(tagged)
    }

    fn is_answer_to_same_offer(&self, offer: &Description) -> bool {
        let answered = self.created_answer.as_ref();
        answered.is_some_and(|created| created.description.sections.len() == offer.sections.len())
    }

    /// Our DTLS role in answer to a section (RFC 8842 §5.3): the client, where we can choose, and what
    /// we are where the association stays.
    fn answered_setup(&self, id: TransportId, tagged: &DescribedSection) -> Setup {
        let peer = self.agreement.plan(id).and_then(|plan| plan.peer.as_ref());
        match tagged.transport.setup {
            Some(Setup::Active) => Setup::Passive,
            Some(Setup::Passive) => Setup::Active,
            _ if peer.is_some_and(|peer| !peer.dtls_client) => Setup::Passive,
            _ => Setup::Active,
        }
    }
}

struct AnswerWriter<'a> {
    session: &'a Session,
    offer: &'a Description,
    sections: &'a [CreatedSection],
    transports: &'a [LocalTransport],
}

impl AnswerWriter<'_> {
    fn write(&self) -> Result<Sdp, Error> {
        let session = self.session;
        let mut sdp = Sdp::new(Origin::new(session.session_id, session.session_version + 1));
        for group in &self.offer.groups {
            let mids = self.accepted_mids(group)?;
            if !mids.is_empty() {
                sdp.push(Attribute::Group(Group::bundle(mids)));
            }
        }
        write::write_ice_lite(&mut sdp, session.config.ice_lite);
        if self.offer.sdp.has(&Attribute::ExtmapAllowMixed) {
            sdp.push(Attribute::ExtmapAllowMixed);
        }
        for (section, own) in self.offer.sections.iter().zip(self.sections) {
            let known = session.agreement.sections.get(section.index);
            let mid = known.and_then(write::mid_of);
            let media = match own.transport {
                Some(id) => self.accepted(section, own, id, known)?,
                None => write::rejected_section(&section.head, mid)?,
            };
            sdp.media.push(media);
        }
        Ok(sdp)
    }

    /// RFC 9143 §7.3: of the offered group what was accepted, in its order.
    fn accepted_mids(&self, group: &[usize]) -> Result<Vec<Word>, Error> {
        let members = group.iter().filter_map(|&index| self.sections.get(index));
        members
            .filter(|own| own.transport.is_some() && own.has_mid)
            .map(|own| write::word(&own.mid))
            .collect()
    }

    fn accepted(
        &self,
        section: &DescribedSection,
        own: &CreatedSection,
        id: TransportId,
        known: Option<&Section>,
    ) -> Result<MediaDescription, Error> {
        let lost = || Error::operation("an accepted m-section has no transport");
        let local = self.transports.iter().find(|local| local.id == id);
        let tagged = self
            .session
            .answered_tag(self.offer, self.sections, section.index);
        let tagged = tagged.ok_or_else(lost)?;
        let local = local.ok_or_else(lost)?;
        let transport = TransportSection {
            local,
            fingerprints: &self.session.config.fingerprints,
            setup: self.session.answered_setup(id, tagged),
            // RFC 8842 §5.3: said if the offer says it.
            with_tls_id: tagged.transport.tls_id.is_some(),
            bundle_only: false,
            renomination: tagged.transport.renomination,
        };
        let mid = known.and_then(write::mid_of);
        match own.owner {
            Owner::Transceiver(id) => self.media(section, id, mid, &transport),
            Owner::Data | Owner::None => {
                let limit = self.session.config.max_message_size;
                write::data_section(mid, Some(&section.head), &transport, limit)
            }
        }
    }

    fn media(
        &self,
        section: &DescribedSection,
        id: TransceiverId,
        mid: Option<&str>,
        transport: &TransportSection<'_>,
    ) -> Result<MediaDescription, Error> {
        let gone = || Error::operation("the transceiver of an m-section is gone");
        let transceiver = self.session.transceiver_ref(id).ok_or_else(gone)?;
        let direction = answered_direction(transceiver, section);
        let codecs = self.session.answer_codecs(transceiver, section);
        let extensions: Vec<HeaderExtension> =
            answer_extensions(&transceiver.extensions, &section.extensions);
        let own = MediaSection {
            kind: transceiver.kind,
            protocol: section.head.protocol.clone(),
            direction: direction.to_sdp(),
            codecs: &codecs,
            extensions: &extensions,
            msid: msid(transceiver),
            rtcp_rsize: section.rtcp_rsize,
        };
        let mut media = write::media_section(&own, mid, transport)?;
        if let Some(offered) = &section.simulcast {
            let sender = direction.sends().then_some(&transceiver.sender.encodings);
            write_answer_simulcast(sender, offered, direction.receives(), &mut media);
        }
        Ok(media)
    }
}

/// RFC 9429 §5.3.1: what both sides want.
fn answered_direction(
    transceiver: &Transceiver,
    section: &DescribedSection,
) -> TransceiverDirection {
    let offered = section.direction.reversed();
    TransceiverDirection::new(
        transceiver.direction.sends() && offered.sends(),
        transceiver.direction.receives() && offered.receives(),
    )
}
