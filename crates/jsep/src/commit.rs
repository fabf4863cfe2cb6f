//! What an answer, perhaps a provisional one, decides (RFC 9429 §5.11, [WebRTC §4.4.1.5]).
//!
//! [WebRTC §4.4.1.5]: https://www.w3.org/TR/webrtc/#set-the-session-description

use std::collections::HashMap;

use pc_sdp::{Candidate, Setup};

use crate::{
    Error, HeaderExtension, PeerData, PeerTransport, Session, SignalingState, TransceiverDirection,
    TransceiverId, TransportId,
    agreement::{Owner, Unused},
    codec::{receivable, sendable},
    description::{DescribedSection, Description, MAX_CANDIDATES, in_section},
    event::Event,
    transceiver::{Life, Negotiated},
};

/// An offer and its answer.
pub(crate) struct Exchange<'a> {
    pub(crate) local: &'a Description,
    pub(crate) remote: &'a Description,
    pub(crate) answer_is_local: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn answer(&self) -> &'a Description {
        if self.answer_is_local {
            self.local
        } else {
            self.remote
        }
    }

    /// Both sides of each section that neither has rejected.
    pub(crate) fn accepted(
        &self,
    ) -> impl Iterator<Item = (&'a DescribedSection, &'a DescribedSection)> {
        let sections = self.local.sections.iter().zip(&self.remote.sections);
        sections.filter(|(local, remote)| !local.rejected && !remote.rejected)
    }

    /// The peer's section whose transport lines hold for the bundle of a section: of an offer's only
    /// what the answer takes counts.
    fn remote_tagged(&self, index: usize) -> Option<&'a DescribedSection> {
        if !self.answer_is_local {
            return self.remote.tagged(index);
        }
        let answer = self.local;
        let is_used = |other| other == index || answer.bundled_together(other, index);
        self.remote.tagged_of_used(index, is_used)
    }

    /// What this side does in a section from now on.
    pub(crate) fn direction(
        &self,
        local: &DescribedSection,
        remote: &DescribedSection,
    ) -> TransceiverDirection {
        if self.answer_is_local {
            local.direction.into()
        } else {
            remote.direction.reversed().into()
        }
    }
}

impl Session {
    /// Brings sections, transports and transceivers in line with an answer.
    pub(crate) fn commit(&mut self, exchange: &Exchange<'_>) -> Result<(), Error> {
        self.decide_role(exchange);
        self.commit_transports(exchange)?;
        for (local, remote) in exchange
            .local
            .sections
            .iter()
            .zip(&exchange.remote.sections)
        {
            let owner = self.agreement.sections.get(local.index).map(|it| it.owner);
            match owner {
                Some(Owner::Transceiver(id)) if !local.rejected && !remote.rejected => {
                    self.commit_transceiver(exchange, id, local, remote);
                }
                Some(Owner::Data) if !local.rejected && !remote.rejected => {
                    self.commit_data(remote.data);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// RFC 8445 §6.1.1: the offerer of the first exchange controls; where one side is lite, the other
    /// one does. A restart changes nothing of that, whoever begins it, unless an agent becomes lite or full.
    fn decide_role(&mut self, exchange: &Exchange<'_>) {
        let decided = self.controlling.unwrap_or(!exchange.answer_is_local);
        let (ours, theirs) = (self.config.ice_lite, exchange.remote.sdp.is_ice_lite());
        self.controlling = Some(if ours == theirs { decided } else { theirs });
    }

    fn commit_transports(&mut self, exchange: &Exchange<'_>) -> Result<(), Error> {
        let answer = exchange.answer();
        self.place_sections(exchange, answer);
        self.check_sharing(answer)?;
        self.agreement.replan(&[], Unused::after(answer.kind));
        let used: Vec<(TransportId, usize)> = self
            .agreement
            .plans
            .iter()
            .filter_map(|plan| Some((plan.id, plan.sections.first()?.index)))
            .collect();
        for (id, index) in used {
            self.commit_transport(exchange, id, index)?;
        }
        Ok(())
    }

    /// Gives each section the transport of the bundle that it is in, and those that are rejected none.
    fn place_sections(&mut self, exchange: &Exchange<'_>, answer: &Description) {
        for (local, _) in exchange.accepted() {
            let bundled = answer
                .tagged(local.index)
                .map_or(local.index, |it| it.index);
            let own = self.agreement.sections.get(bundled);
            let transport = own.and_then(|own| own.transport);
            if let Some(section) = self.agreement.sections.get_mut(local.index) {
                section.transport = transport;
            }
        }
        for (local, remote) in exchange
            .local
            .sections
            .iter()
            .zip(&exchange.remote.sections)
        {
            if (local.rejected || remote.rejected)
                && let Some(section) = self.agreement.sections.get_mut(local.index)
            {
                section.rejected = true;
                section.transport = None;
            }
        }
    }

    /// What is known of the peer on a transport, whose first section is that of `index`.
    fn commit_transport(
        &mut self,
        exchange: &Exchange<'_>,
        id: TransportId,
        index: usize,
    ) -> Result<(), Error> {
        let running = match exchange.answer_is_local {
            true => self.running_tag(exchange.remote, index, Some(id)),
            false => None,
        };
        let lead = running.or_else(|| exchange.remote_tagged(index));
        let lead = lead.ok_or_else(|| in_section(index, "has no transport"))?;
        self.mark_apart(exchange, id, lead.index);
        let peer = self.peer_transport(exchange, index, lead)?;
        let tagged = exchange.remote.tagged(index);
        let keeps_dtls = !exchange.answer_is_local
            && tagged.is_some_and(|tagged| tagged.transport.tls_id.is_none());
        if let Some(plan) = self.agreement.plan_mut(id) {
            let before = plan.peer.take();
            let peer = PeerTransport {
                local: plan.local.clone(),
                ..peer
            };
            plan.peer = Some(match before {
                Some(before) => peer.after(before, keeps_dtls),
                None => peer,
            });
        }
        Ok(())
    }

    /// Marks what the peer has offered with a transport of its own, and this side bundles with the
    /// section `lead` instead.
    fn mark_apart(&mut self, exchange: &Exchange<'_>, id: TransportId, lead: usize) {
        let stable = self.before.as_ref().map(|before| &before.agreement);
        let runs = stable.is_some_and(|stable| stable.plan(id).is_some());
        let sections = self.agreement.sections.iter_mut();
        for ((index, own), remote) in sections.enumerate().zip(&exchange.remote.sections) {
            if own.transport != Some(id) {
                continue;
            }
            let known = stable.and_then(|stable| stable.sections.get(index));
            let known = known.filter(|known| known.mid == own.mid);
            // What is new in a bundle that runs is described with the bundle's transport.
            let joins = match known.and_then(|known| known.transport) {
                Some(known) => known != id,
                None => !runs,
            };
            let leads = index == lead || remote.bundle_only;
            own.apart = exchange.answer_is_local && joins && !leads;
        }
    }

    /// The peer's side of the transport of section `index`; `lead` is the section that describes it.
    fn peer_transport(
        &self,
        exchange: &Exchange<'_>,
        index: usize,
        lead: &DescribedSection,
    ) -> Result<PeerTransport, Error> {
        let lost = || in_section(index, "has no transport");
        let remote = lead.transport.check(lead.index)?.clone();
        let answer = exchange.answer().tagged(index).ok_or_else(lost)?;
        let setup = answer.transport.setup;
        let dtls_client = match (exchange.answer_is_local, setup) {
            (true, setup) => setup == Some(Setup::Active),
            (false, Some(Setup::Passive)) => true,
            (false, Some(Setup::Actpass)) => {
                let what = "a=setup:actpass in an answer (RFC 8842 §5.3)";
                return Err(in_section(lead.index, what));
            }
            // RFC 8842 §5.3: an answer that says nothing is taken for active.
            (false, _) => false,
        };
        Ok(PeerTransport {
            local: remote.clone(),
            remote,
            lite: lead.transport.lite,
            // Our offers always say it, our answers where the offer does.
            renomination: lead.transport.renomination,
            candidates: self.bundled_candidates(exchange.remote, lead),
            end_of_candidates: lead.transport.end_of_candidates,
            dtls_client,
            fingerprints: lead.transport.fingerprints.clone(),
            tls_id: lead.transport.tls_id.clone(),
        })
    }

    /// Those of the section that describes the transport, and what was signaled for others of its
    /// bundle though they have the same credentials: it is for the one transport that they share
    /// (RFC 9143 §7.1.3). What is of a transport that the bundle makes superfluous leads nowhere.
    fn bundled_candidates(&self, remote: &Description, lead: &DescribedSection) -> Vec<Candidate> {
        let sections = &self.agreement.sections;
        let is_apart = |index: usize| sections.get(index).is_some_and(|own| own.apart);
        let others = remote.sections.iter().filter(|other| {
            other.transport.ice == lead.transport.ice
                && remote.bundled_together(other.index, lead.index)
                && !is_apart(other.index)
        });
        let others = others.flat_map(|other| &other.transport.candidates);
        merged(
            lead.transport.candidates.clone(),
            others.take(MAX_CANDIDATES).cloned(),
        )
    }

    /// RFC 9143 §7.3.2: a section that runs on a bundle's transport already cannot leave the bundle in
    /// an answer.
    fn check_sharing(&self, answer: &Description) -> Result<(), Error> {
        let mut users: HashMap<TransportId, usize> = HashMap::new();
        for (index, section) in self.agreement.sections.iter().enumerate() {
            let Some(transport) = section.transport else {
                continue;
            };
            let first = *users.entry(transport).or_insert(index);
            if first != index && !answer.bundled_together(first, index) {
                let what = "shares a transport, but is not in its bundle (RFC 9143 §7.3.2)";
                return Err(in_section(index, what));
            }
        }
        Ok(())
    }

    fn commit_data(&mut self, peer: PeerData) {
        if let Some(data) = &mut self.agreement.data {
            data.peer = Some(peer);
        }
    }

    fn commit_transceiver(
        &mut self,
        exchange: &Exchange<'_>,
        id: TransceiverId,
        local: &DescribedSection,
        remote: &DescribedSection,
    ) {
        let direction = exchange.direction(local, remote);
        // RFC 8853 §5.2: what the answer names is what is sent.
        let received = match exchange.answer_is_local {
            true => local.simulcast.as_ref().map(|own| own.accepted_rids()),
            false => remote.simulcast.as_ref().map(|own| own.sent_rids()),
        };
        let received = received.filter(|_| direction.receives());
        let negotiated = Negotiated {
            send: sendable(&local.codecs, &remote.codecs),
            receive: receivable(&local.codecs, &remote.codecs),
            extensions: common(&local.extensions, &remote.extensions),
            rtcp_rsize: local.rtcp_rsize && remote.rtcp_rsize,
            sources: remote.sources.clone(),
            receive_rids: received.unwrap_or_default(),
            send_restrictions: (remote.simulcast.as_ref())
                .map_or_else(Vec::new, |own| own.restrictions()),
        };
        let accepted = match exchange.answer_is_local {
            true => local.simulcast.as_ref().map(|own| own.sent_rids()),
            false => remote.simulcast.as_ref().map(|own| own.accepted_rids()),
        };
        let Some(transceiver) = self.transceiver_mut(id) else {
            return;
        };
        if transceiver.is_stopped() {
            return;
        }
        transceiver.current_direction = Some(direction);
        transceiver.sender.has_sent |= direction.sends();
        let encodings = &mut transceiver.sender.encodings;
        if direction.sends() {
            // RFC 8853 §5.2: what the peer does not take is not sent.
            encodings.narrow(accepted.as_deref().unwrap_or(&[]));
        }
        encodings.retain_codecs(&negotiated.send);
        encodings.forget_last_returned();
        transceiver.negotiated = negotiated;
    }

    /// The exchange is over: what was pending is current.
    pub(crate) fn become_stable(&mut self) {
        let descriptions = &mut self.descriptions;
        descriptions.current_local = descriptions.pending_local.take();
        descriptions.current_remote = descriptions.pending_remote.take();
        self.before = None;
        self.offered = None;
        self.created_offer = None;
        self.created_answer = None;
        self.forget_replaced();
        self.negotiation_needed = false;
        self.change();
        self.forget_candidates();
        self.enter(SignalingState::Stable);
    }

    /// Transceivers whose m-sections were rejected have stopped, and are forgotten with those that
    /// were stopped before they were ever described.
    pub(crate) fn stop_rejected(&mut self) {
        let mut stopped = Vec::new();
        for section in self.agreement.sections.iter_mut().filter(|it| it.rejected) {
            if let Owner::Transceiver(id) = section.owner {
                stopped.push(id);
                section.owner = Owner::None;
            }
        }
        for transceiver in &mut self.transceivers {
            let undescribed = transceiver.life == Life::Stopping && transceiver.mid.is_none();
            if !undescribed && !stopped.contains(&transceiver.id) {
                continue;
            }
            if transceiver.life == Life::Running {
                self.events.push_back(Event::TrackEnded(transceiver.id));
            }
            transceiver.become_stopped();
        }
        self.forget_stopped();
    }

    /// A transceiver that has stopped is forgotten once its m-section is rejected, or if it has none
    /// ([WebRTC §4.4.1.5], on reaching "stable").
    ///
    /// [WebRTC §4.4.1.5]: https://www.w3.org/TR/webrtc/#set-the-session-description
    pub(crate) fn forget_stopped(&mut self) {
        let sections = &self.agreement.sections;
        let owns = |id: TransceiverId| {
            sections
                .iter()
                .any(|section| section.owner == Owner::Transceiver(id))
        };
        self.transceivers
            .retain(|own| !own.is_stopped() || owns(own.id));
    }

    /// `[[LocalIceCredentialsToReplace]]` is emptied once none of them is in use.
    fn forget_replaced(&mut self) {
        let plans = &self.agreement.plans;
        let in_use = |old: &crate::IceCredentials| plans.iter().any(|plan| plan.local == *old);
        if !self.to_replace.iter().any(in_use) {
            self.to_replace.clear();
        }
    }
}

impl PeerTransport {
    /// What is known of the peer from now on, where it was `before`.
    fn after(self, before: Self, keeps_dtls: bool) -> Self {
        let has_same_keys = before.fingerprints == self.fingerprints;
        if before.remote == self.remote && has_same_keys {
            // Candidates that were trickled since the description stay.
            return Self {
                candidates: merged(before.candidates, self.candidates),
                end_of_candidates: before.end_of_candidates || self.end_of_candidates,
                ..self
            };
        }
        if keeps_dtls && has_same_keys {
            // Firefox answers a restart as if it were new, active where it has been passive, and yet
            // keeps its DTLS association. Who wants another one changes `a=tls-id` or the certificate
            // (RFC 8842 §4).
            return Self {
                dtls_client: before.dtls_client,
                ..self
            };
        }
        self
    }
}

/// Bounded, for a peer may name new ones in every description.
fn merged(mut known: Vec<Candidate>, new: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    for candidate in new {
        if known.len() < MAX_CANDIDATES && !known.contains(&candidate) {
            known.push(candidate);
        }
    }
    known
}

/// The header extensions that both descriptions name alike, as the local one has them.
fn common(local: &[HeaderExtension], remote: &[HeaderExtension]) -> Vec<HeaderExtension> {
    let both = local.iter().filter(|own| {
        let mut theirs = remote.iter();
        theirs.any(|other| other.id == own.id && other.uri == own.uri)
    });
    both.cloned().collect()
}
