//! `setRemoteDescription` (RFC 9429 §4.1.11, §5.7 to §5.11).

use std::sync::Arc;

use crate::{
    Error, MediaKind, SdpType, Session, SignalingState, TransceiverDirection, TransceiverId,
    agreement::{FreeMids, Owner, Section},
    bundle::{check_numbers, leave_out_second_meanings},
    commit::Exchange,
    description::{DescribedSection, Description, Use, in_section},
    encoding::SendEncodings,
    local::merge,
    session::check_state,
    transceiver::Life,
};

impl Session {
    /// `setRemoteDescription()`. An offer takes back a local one that waits for its answer.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: it does not fit the signaling state.
    /// - `OperationError` with the line: it is not SDP.
    /// - `InvalidAccessError`: it lacks what a connection needs, contradicts itself, or changes what
    ///   must stay.
    pub fn set_remote_description(&mut self, kind: SdpType, text: &str) -> Result<(), Error> {
        self.check_open()?;
        check_state(self.state, kind, false)?;
        let mut next = self.clone();
        match kind {
            SdpType::Rollback => next.roll_back(),
            SdpType::Offer => next.set_remote_offer(Description::parse(kind, text)?)?,
            SdpType::Answer | SdpType::Pranswer => {
                next.set_remote_answer(Description::parse(kind, text)?)?;
            }
        }
        *self = next;
        Ok(())
    }

    fn set_remote_offer(&mut self, mut offer: Description) -> Result<(), Error> {
        if self.state == SignalingState::HaveLocalOffer {
            self.roll_back();
        }
        self.check_offer(&offer)?;
        leave_out_second_meanings(&mut offer);
        check_numbers(&offer)?;
        self.remember_stable();
        self.created_answer = None;
        self.change();
        let data = self.data_section_of(&offer);
        let mut mids = FreeMids::beside(&self.agreement, &offer);
        for section in &offer.sections {
            self.take_offered(section, data == Some(section.index), &mut mids);
        }
        self.drop_sections_after(offer.sections.len());
        self.learn_numbers(&offer);
        let offer = Arc::new(offer);
        self.descriptions.pending_remote = Some(offer.clone());
        self.enter(SignalingState::HaveRemoteOffer);
        let tracks = offer.sections.iter();
        self.process_tracks(tracks.map(|section| {
            let direction = match section.rejected {
                true => TransceiverDirection::Inactive,
                false => section.direction.reversed().into(),
            };
            (section, direction)
        }));
        self.stop_refused(&offer);
        Ok(())
    }

    /// What must hold for an offer beside what its transports need.
    fn check_offer(&self, offer: &Description) -> Result<(), Error> {
        let (known, said) = (self.stable_sections().len(), offer.sections.len());
        if said < known {
            let message = format!("the offer has {said} m-sections where there were {known}");
            return Err(Error::invalid_access(message));
        }
        for section in offer.sections.iter().filter(|section| !section.rejected) {
            // A section that cannot be used is rejected by the answer, not an error.
            let tagged = offer.tagged(section.index).unwrap_or(section);
            let is_used = section.usage != Use::Unknown;
            if is_used && !(section.bundle_only && tagged.bundle_only) {
                tagged.transport.check(tagged.index)?;
                check_rtcp_mux(section, tagged)?;
            }
            self.check_same(section)?;
        }
        Ok(())
    }

    /// RFC 9429 §5.8: a section in use keeps its mid and its kind.
    fn check_same(&self, section: &DescribedSection) -> Result<(), Error> {
        // What only an offer says that this one replaces is free.
        let known = self.stable_sections().get(section.index);
        let Some(known) = known.filter(|known| !known.rejected && known.owner != Owner::None)
        else {
            return Ok(());
        };
        let mid = section.mid.as_ref().filter(|_| known.has_mid);
        if mid.is_some_and(|mid| *mid != known.mid) {
            return Err(in_section(
                section.index,
                "has another mid than before (RFC 9429 §5.8)",
            ));
        }
        if section.head.kind != known.head.kind {
            return Err(in_section(
                section.index,
                "is of another kind than before (RFC 9429 §5.8)",
            ));
        }
        self.check_ids(known.owner, section)
    }

    /// RFC 8285 §6: a header extension in use keeps its id, and the id its meaning.
    fn check_ids(&self, owner: Owner, section: &DescribedSection) -> Result<(), Error> {
        let Owner::Transceiver(id) = owner else {
            return Ok(());
        };
        let used = self.transceiver_ref(id).into_iter();
        let used = used.flat_map(|own| &own.negotiated.extensions);
        for used in used {
            let mut said = section.extensions.iter();
            if said.any(|other| other.id == used.id && other.uri != used.uri) {
                let what = format!("header extension id {} was {}", used.id, used.uri);
                return Err(in_section(section.index, &what));
            }
        }
        Ok(())
    }

    /// The section of an offer that is for data channels: where they are, or else the first.
    fn data_section_of(&self, offer: &Description) -> Option<usize> {
        let mut usable = offer
            .sections
            .iter()
            .filter(|section| section.usage == Use::Data && !section.rejected)
            .map(|section| section.index);
        let known = self.agreement.data_section().map(|(index, _)| index);
        let first = usable.clone().next();
        usable.find(|index| Some(*index) == known).or(first)
    }

    /// Whether the offer goes on with the section that was there: it may not be of an offer that this
    /// one replaces.
    fn is_same(&self, known: &Section, section: &DescribedSection) -> bool {
        let owner_fits = match known.owner {
            Owner::Transceiver(id) => self
                .transceiver_ref(id)
                .is_some_and(|own| section.usage == Use::Media(own.kind)),
            Owner::Data => section.usage == Use::Data,
            Owner::None => false,
        };
        let mid = section.mid.as_ref().filter(|_| known.has_mid);
        owner_fits && mid.is_none_or(|mid| *mid == known.mid)
    }

    /// Gives an offered section its place and its transceiver.
    fn take_offered(&mut self, section: &DescribedSection, is_data: bool, mids: &mut FreeMids) {
        let index = section.index;
        let known = self.agreement.sections.get(index).cloned();
        let same = known.clone().filter(|known| self.is_same(known, section));
        if same.is_none()
            && let Some(Owner::Transceiver(id)) = known.map(|known| known.owner)
        {
            self.forget_association(id);
        }
        let mid = match (&section.mid, &same) {
            (Some(mid), _) => mid.clone(),
            (None, Some(same)) if !mids.is_taken(&same.mid) => same.mid.clone(),
            (None, _) => mids.take(),
        };
        let owner = match (&same, section.usage) {
            (_, Use::Data) if is_data => Owner::Data,
            (_, Use::Data | Use::Unknown) => Owner::None,
            (Some(same), Use::Media(_)) => same.owner,
            (None, Use::Media(_)) if section.rejected => Owner::None,
            (None, Use::Media(kind)) => Owner::Transceiver(self.associate(kind, section)),
        };
        if let Owner::Transceiver(id) = owner
            && let Some(transceiver) = self.transceiver_mut(id)
            && !transceiver.is_stopped()
        {
            transceiver.mid = Some(mid.clone());
            if let Some(simulcast) = &section.simulcast {
                transceiver
                    .sender
                    .encodings
                    .propose(&simulcast.accepted_rids());
            }
        }
        let mut codecs = same.as_ref().map_or_else(Vec::new, |it| it.codecs.clone());
        merge(&mut codecs, &section.codecs, |a, b| {
            a.payload_type == b.payload_type
        });
        let mut extensions = same
            .as_ref()
            .map_or_else(Vec::new, |it| it.extensions.clone());
        merge(&mut extensions, &section.extensions, |a, b| a.id == b.id);
        let taken = Section {
            mid,
            has_mid: section.mid.is_some(),
            owner,
            head: section.head.clone(),
            rejected: section.rejected,
            transport: same.as_ref().and_then(|same| same.transport),
            apart: same.is_some_and(|same| same.apart),
            codecs,
            extensions,
        };
        match self.agreement.sections.get_mut(index) {
            Some(place) => *place = taken,
            None => self.agreement.sections.push(taken),
        }
    }

    /// RFC 9429 §5.10: a transceiver that `addTrack` has made and that waits for its section, or a new
    /// one that receives.
    fn associate(&mut self, kind: MediaKind, section: &DescribedSection) -> TransceiverId {
        let waiting = self.transceivers.iter().find(|own| {
            own.by_add_track && own.kind == kind && own.mid.is_none() && own.life == Life::Running
        });
        if section.direction.receives()
            && let Some(waiting) = waiting
        {
            return waiting.id;
        }
        self.push_transceiver(
            kind,
            TransceiverDirection::RecvOnly,
            SendEncodings::single(kind),
        )
    }

    /// An offer that replaces another may have fewer sections than that had.
    fn drop_sections_after(&mut self, len: usize) {
        for section in self
            .agreement
            .sections
            .split_off(len.min(self.agreement.sections.len()))
        {
            if let Owner::Transceiver(id) = section.owner {
                self.forget_association(id);
            }
        }
    }

    /// A section that the peer rejects stops its transceiver.
    fn stop_refused(&mut self, description: &Description) {
        for section in description
            .sections
            .iter()
            .filter(|section| section.rejected)
        {
            let owner = self
                .agreement
                .sections
                .get(section.index)
                .map(|it| it.owner);
            if let Some(Owner::Transceiver(id)) = owner {
                self.stop_by_peer(id);
            }
        }
    }

    fn set_remote_answer(&mut self, answer: Description) -> Result<(), Error> {
        let kind = answer.kind;
        let offer = self.descriptions.pending_local.clone();
        let offer = offer.ok_or_else(|| Error::invalid_state("there is no local offer"))?;
        check_places(&offer, &answer)?;
        check_numbers(&answer)?;
        self.check_restart(&offer, &answer)?;
        let answer = Arc::new(answer);
        let exchange = Exchange {
            local: &offer,
            remote: &answer,
            answer_is_local: false,
        };
        self.change();
        self.learn_numbers(&answer);
        self.take_back_answer();
        self.commit(&exchange)?;
        self.descriptions.pending_remote = Some(answer.clone());
        let tracks: Vec<_> = exchange
            .local
            .sections
            .iter()
            .zip(&answer.sections)
            .map(|(local, remote)| {
                let direction = match local.rejected || remote.rejected {
                    true => TransceiverDirection::Inactive,
                    false => exchange.direction(local, remote),
                };
                (remote, direction)
            })
            .collect();
        let owners = self.owners();
        self.refused_data |= kind == SdpType::Answer && refuses_data(&exchange);
        if kind == SdpType::Pranswer {
            self.enter(SignalingState::HaveRemotePranswer);
            self.process_owned_tracks(&owners, tracks.into_iter());
            self.stop_refused(&answer);
        } else {
            self.become_stable();
            self.process_owned_tracks(&owners, tracks.into_iter());
            self.stop_rejected();
        }
        Ok(())
    }

    /// A provisional answer has decided: the next one decides anew, of all that was offered.
    fn take_back_answer(&mut self) {
        let Some(offered) = self.offered.clone() else {
            return;
        };
        let described = offered.sections.iter().zip(&offered.description.sections);
        for (section, (own, described)) in self.agreement.sections.iter_mut().zip(described) {
            section.transport = own.transport;
            section.rejected = described.rejected;
        }
    }

    /// RFC 8839 §4.4.1.1.1: an answer cannot restart ICE by itself.
    fn check_restart(&self, offer: &Description, answer: &Description) -> Result<(), Error> {
        for section in answer.sections.iter().filter(|section| !section.rejected) {
            // What leaves its own transport for its bundle's does not restart that.
            let tagged = answer.tagged(section.index).unwrap_or(section);
            let id = self
                .agreement
                .sections
                .get(tagged.index)
                .and_then(|it| it.transport);
            let plan = id.and_then(|id| self.agreement.plan(id));
            let Some((plan, peer)) = plan.and_then(|plan| Some((plan, plan.peer.as_ref()?))) else {
                continue;
            };
            if self.state == SignalingState::HaveRemotePranswer {
                continue;
            }
            let restarts = tagged.transport.ice.as_ref() != Some(&peer.remote);
            let offered = offer.tagged(tagged.index);
            let offered = offered.and_then(|it| it.transport.ice.as_ref());
            if restarts && plan.local == peer.local && offered == Some(&peer.local) {
                return Err(in_section(
                    section.index,
                    "the answer restarts ICE, which the offer did not (RFC 8839 §4.4.1.1.1)",
                ));
            }
        }
        Ok(())
    }
}

/// Whether the answer takes none of the data channels that were offered: what the peer does not want
/// is no reason to negotiate for ever.
fn refuses_data(exchange: &Exchange<'_>) -> bool {
    let sections = exchange.local.sections.iter();
    let mut sections = sections.zip(&exchange.remote.sections);
    sections.any(|(ours, theirs)| ours.usage == Use::Data && !ours.rejected && theirs.rejected)
}

/// RFC 9429 §5.10 and RFC 9143 §7.3: an answer's sections are those of the offer, and bundled as
/// offered.
fn check_places(offer: &Description, answer: &Description) -> Result<(), Error> {
    let (offered, answered) = (offer.sections.len(), answer.sections.len());
    if offered != answered {
        let message = format!("the answer has {answered} m-sections, the offer {offered}");
        return Err(Error::invalid_access(message));
    }
    for (ours, theirs) in offer.sections.iter().zip(&answer.sections) {
        let index = ours.index;
        let other_mid = theirs.mid.is_some() && theirs.mid != ours.mid;
        if ours.head.kind != theirs.head.kind || other_mid {
            return Err(in_section(index, "is not that of the offer"));
        }
        if theirs.rejected {
            continue;
        }
        if ours.rejected {
            return Err(in_section(index, "is accepted, but was not offered"));
        }
        let tagged = answer.tagged(index).unwrap_or(theirs);
        tagged.transport.check(tagged.index)?;
        if tagged.index != index && !offer.bundled_together(tagged.index, index) {
            return Err(in_section(index, "is bundled where it was not offered so"));
        }
        if ours.bundle_only && tagged.index == index && answer.group_of.get(index) == Some(&None) {
            let what = "was offered in its bundle only (RFC 9143 §7.3)";
            return Err(in_section(index, what));
        }
        check_rtcp_mux(theirs, tagged)?;
    }
    Ok(())
}

/// `rtcpMuxPolicy` is "require" (RFC 9429 §4.1.1). In a bundle it is enough that the tagged section
/// says so (RFC 9143 §7.1.3).
fn check_rtcp_mux(section: &DescribedSection, tagged: &DescribedSection) -> Result<(), Error> {
    let is_media = matches!(section.usage, Use::Media(_));
    // A tagged section for data channels has no RTCP to speak of.
    if is_media && !section.rtcp_mux && !tagged.rtcp_mux {
        let what = "has no a=rtcp-mux, which is required (RFC 8834 §4.5)";
        return Err(in_section(section.index, what));
    }
    Ok(())
}
