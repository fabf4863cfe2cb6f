//! Candidates, on their way into descriptions and out of them (RFC 9429 §4.1.16 and §4.1.17,
//! RFC 8838).

use std::{collections::HashSet, sync::Arc};

use pc_sdp::{Attribute, Candidate, Connection, Line, NetworkAddress, SessionDescription as Sdp};

use crate::{
    Error, SdpType, Session, TransportId,
    description::{Description, MAX_CANDIDATES, Use},
    session::Descriptions,
};

/// `RTCIceCandidateInit`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CandidateInit {
    /// `candidate:…`, RFC 8839 §5.1; empty: no more will come.
    pub candidate: String,
    /// The mid of the section it is for.
    pub sdp_mid: Option<String>,
    /// The index of that section, where there is no mid.
    pub sdp_m_line_index: Option<u16>,
    /// The user fragment of the generation it belongs to.
    pub username_fragment: Option<String>,
}

/// What a trickled candidate is to the transport it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteCandidate {
    /// Check this one.
    Candidate(Box<Candidate>),
    /// No more will come (RFC 8838 §13).
    End,
}

/// The local candidates of each transport and generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalCandidates(Vec<Gathered>);

#[derive(Debug, Clone)]
struct Gathered {
    transport: TransportId,
    ufrag: String,
    candidates: Vec<Candidate>,
    ended: bool,
}

impl LocalCandidates {
    fn entry(&mut self, transport: TransportId, ufrag: &str) -> &mut Gathered {
        let same = |it: &Gathered| it.transport == transport && it.ufrag == ufrag;
        let known = self.0.iter().position(same);
        let index = known.unwrap_or_else(|| {
            self.0.push(Gathered {
                transport,
                ufrag: ufrag.to_owned(),
                candidates: Vec::new(),
                ended: false,
            });
            self.0.len() - 1
        });
        // The index was found or made just now.
        #[allow(clippy::indexing_slicing)]
        &mut self.0[index]
    }

    /// Those of the transport and generation that an own section describes. The transports of a
    /// bundle have one user fragment, which alone does not tell.
    fn of(&self, (transport, ufrag): (TransportId, &str)) -> Option<&Gathered> {
        let mut all = self.0.iter();
        all.find(|it| it.transport == transport && it.ufrag == ufrag)
    }
}

impl Session {
    /// A candidate was gathered for a transport, under this user fragment: local descriptions show
    /// it from now on.
    pub fn add_local_candidate(
        &mut self,
        transport: TransportId,
        ufrag: &str,
        candidate: Candidate,
    ) {
        let gathered = self.candidates.entry(transport, ufrag);
        let candidates = &mut gathered.candidates;
        if candidates.len() < MAX_CANDIDATES && !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }

    /// Gathering is over for a transport and user fragment.
    pub fn end_local_candidates(&mut self, transport: TransportId, ufrag: &str) {
        self.candidates.entry(transport, ufrag).ended = true;
    }

    /// Candidates of generations that no description and no transport knows any more are of no use.
    pub(crate) fn forget_candidates(&mut self) {
        let Descriptions {
            current_local,
            pending_local,
            ..
        } = &self.descriptions;
        let described = [current_local, pending_local];
        let described = described.into_iter().flatten();
        let described = described.flat_map(|description| {
            let sections = description.sections.iter();
            sections.filter_map(|section| described_by(description, section.index))
        });
        let planned = self.agreement.plans.iter();
        let planned = planned.flat_map(|plan| {
            let peer = plan.peer.as_ref().map(|peer| &peer.local);
            let both = [Some(&plan.local), peer].into_iter().flatten();
            both.map(|ice| (plan.id, &*ice.ufrag))
        });
        let known: HashSet<(TransportId, &str)> = described.chain(planned).collect();
        let is_known = |own: &Gathered| known.contains(&(own.transport, &*own.ufrag));
        self.candidates.0.retain(is_known);
    }

    /// `addIceCandidate()`; `None` says that no more will come. Returns the transports that are to be
    /// told: none, while the description it belongs to has not come into effect.
    ///
    /// # Errors
    ///
    /// - `TypeError`: a candidate without mid and index.
    /// - `InvalidStateError`: there is no remote description.
    /// - `OperationError`: it is malformed, or for a section or generation that is not described.
    pub fn add_ice_candidate(
        &mut self,
        init: Option<&CandidateInit>,
    ) -> Result<Vec<(TransportId, RemoteCandidate)>, Error> {
        self.check_open()?;
        let end = CandidateInit::default();
        let init = init.unwrap_or(&end);
        let is_end = init.candidate.is_empty();
        let named = init.sdp_mid.is_some() || init.sdp_m_line_index.is_some();
        if !is_end && !named {
            let message = "a candidate needs sdpMid or sdpMLineIndex";
            return Err(Error::type_error(message));
        }
        let remote = self.descriptions.remote();
        let remote = remote.ok_or_else(|| {
            Error::invalid_state("a candidate came before the remote description")
        })?;
        let section = self.named_section(remote, init)?;
        let parsed = match is_end {
            true => RemoteCandidate::End,
            false => RemoteCandidate::Candidate(Box::new(
                init.candidate
                    .parse()
                    .map_err(|error| Error::operation(format!("{error}")))?,
            )),
        };
        let generation = init.username_fragment.as_deref();
        if let Some(ufrag) = generation {
            self.check_generation(section, ufrag)?;
        }
        self.note_candidate(section, generation, &parsed);
        Ok(self.deliver(section, generation, &parsed))
    }

    /// [WebRTC §4.4.2](https://www.w3.org/TR/webrtc/#dom-peerconnection-addicecandidate), steps 4.4
    /// and 4.5: `None` is all sections.
    fn named_section(
        &self,
        remote: &Description,
        init: &CandidateInit,
    ) -> Result<Option<usize>, Error> {
        match (&init.sdp_mid, init.sdp_m_line_index) {
            (Some(mid), _) => {
                let named = remote.by_mid(mid).map(|section| section.index);
                // A section whose peer names none has a mid of ours.
                let ours = self.agreement.section_of(mid);
                let ours = ours.filter(|(_, section)| !section.has_mid);
                let found = named.or_else(|| ours.map(|(index, _)| index));
                let unknown = || Error::operation(format!("no m-section has the mid {mid:?}"));
                found.map(Some).ok_or_else(unknown)
            }
            (None, Some(index)) if usize::from(index) < remote.sections.len() => {
                Ok(Some(usize::from(index)))
            }
            (None, Some(index)) => Err(Error::operation(format!("there is no m-section {index}"))),
            (None, None) => Ok(None),
        }
    }

    /// Step 4.6: the fragment is one of the pending or the current remote description.
    fn check_generation(&self, section: Option<usize>, ufrag: &str) -> Result<(), Error> {
        let Descriptions {
            pending_remote,
            current_remote,
            ..
        } = &self.descriptions;
        let described = [pending_remote, current_remote];
        let known = described.into_iter().flatten().any(|description| {
            let mut sections = description.sections.iter();
            sections.any(|own| {
                section.is_none_or(|index| index == own.index)
                    && names_ufrag(description, own.index, ufrag)
            })
        });
        match known {
            true => Ok(()),
            false => Err(Error::operation(format!(
                "no generation has the user fragment {ufrag:?}"
            ))),
        }
    }

    /// Remote descriptions show what has come since.
    fn note_candidate(
        &mut self,
        section: Option<usize>,
        generation: Option<&str>,
        candidate: &RemoteCandidate,
    ) {
        let Descriptions {
            pending_remote,
            current_remote,
            ..
        } = &mut self.descriptions;
        let noted = match generation {
            Some(_) => [pending_remote.as_mut(), current_remote.as_mut()],
            None => [pending_remote.as_mut().or(current_remote.as_mut()), None],
        };
        for description in noted.into_iter().flatten() {
            let description = Arc::make_mut(description);
            for index in 0..description.sections.len() {
                let names = |ufrag| names_ufrag(description, index, ufrag);
                let same = generation.is_none_or(names);
                if section.is_none_or(|section| section == index) && same {
                    description.note(index, candidate);
                }
            }
        }
    }

    /// To which transports it goes now, that is, which have the peer's credentials already.
    fn deliver(
        &mut self,
        section: Option<usize>,
        generation: Option<&str>,
        candidate: &RemoteCandidate,
    ) -> Vec<(TransportId, RemoteCandidate)> {
        let pending = self.descriptions.pending_remote.clone();
        let own = section.and_then(|index| self.agreement.sections.get(index));
        // RFC 8840 §4.3: a candidate for any section of a bundle is the bundle's. Not so the end of
        // those that the offerer has for a transport that the bundle has made superfluous.
        if own.is_some_and(|own| own.apart) && *candidate == RemoteCandidate::End {
            return Vec::new();
        }
        let wanted = own.map(|own| own.transport);
        let mut told = Vec::new();
        for plan in &mut self.agreement.plans {
            let Some(peer) = &mut plan.peer else { continue };
            if wanted.is_some_and(|wanted| wanted != Some(plan.id)) {
                continue;
            }
            let expected = generation.or_else(|| {
                let pending = pending.as_ref()?;
                ufrag_of(
                    pending,
                    section.or(plan.sections.first().map(|it| it.index))?,
                )
            });
            if expected.is_some_and(|ufrag| ufrag != peer.remote.ufrag) {
                continue;
            }
            match candidate {
                RemoteCandidate::Candidate(new) => {
                    if peer.candidates.len() < MAX_CANDIDATES && !peer.candidates.contains(new) {
                        peer.candidates.push((**new).clone());
                    }
                }
                RemoteCandidate::End => peer.end_of_candidates = true,
            }
            told.push((plan.id, candidate.clone()));
        }
        told
    }

    /// `canTrickleIceCandidates`; `None` before there is a remote description.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        let remote = self.descriptions.remote()?;
        let mut live = remote
            .sections
            .iter()
            .filter(|section| !section.rejected && section.usage != Use::Unknown);
        Some(live.any(|section| section.transport.trickle))
    }

    /// `localDescription`, with the candidates that have been gathered.
    pub fn local_description(&self) -> Option<(SdpType, String)> {
        self.descriptions.local().map(|it| self.written_local(it))
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<(SdpType, String)> {
        let description = self.descriptions.current_local.as_ref();
        description.map(|it| self.written_local(it))
    }

    /// `pendingLocalDescription`.
    pub fn pending_local_description(&self) -> Option<(SdpType, String)> {
        let description = self.descriptions.pending_local.as_ref();
        description.map(|it| self.written_local(it))
    }

    /// `remoteDescription`, with the candidates that have been added.
    pub fn remote_description(&self) -> Option<(SdpType, String)> {
        self.descriptions.remote().map(|it| written(it))
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<(SdpType, String)> {
        self.descriptions.current_remote.as_deref().map(written)
    }

    /// `pendingRemoteDescription`.
    pub fn pending_remote_description(&self) -> Option<(SdpType, String)> {
        self.descriptions.pending_remote.as_deref().map(written)
    }

    /// RFC 9429 §5.2.1 and RFC 8840 §4.1.1: the candidates of a transport stand in its first section,
    /// the default one as port and address in all of them.
    fn written_local(&self, description: &Description) -> (SdpType, String) {
        let mut sdp = description.sdp.clone();
        let mut written: Vec<(TransportId, &str)> = Vec::new();
        for section in description.sections.iter().filter(|it| !it.rejected) {
            let gathered = self.gathered_for(description, section.index);
            if let Some(gathered) = gathered {
                let generation = (gathered.transport, &*gathered.ufrag);
                let is_first = !written.contains(&generation);
                written.push(generation);
                gathered.write(&mut sdp, section.index, is_first);
            }
        }
        (description.kind, sdp.to_string())
    }

    /// The candidates of a section: its own; once it runs on the transport of its bundle, that one's.
    fn gathered_for(&self, description: &Description, index: usize) -> Option<&Gathered> {
        let described = |index| self.candidates.of(described_by(description, index)?);
        let own = described(index);
        let is_used = |it: &&Gathered| self.agreement.plan(it.transport).is_some();
        let bundled = || {
            let tagged = description.tagged(index)?;
            described(tagged.index).filter(is_used)
        };
        own.filter(is_used).or_else(bundled).or(own)
    }
}

impl Gathered {
    fn write(&self, sdp: &mut Sdp, index: usize, is_first: bool) {
        let Some(media) = sdp.media.get_mut(index) else {
            return;
        };
        if let Some(default) = self.candidates.first().filter(|_| media.port() != 0) {
            media.head.port = default.port;
            let address = default.address.ip().map(NetworkAddress::from);
            if let Some(connection) = address.map(Connection::from) {
                media.retain(|line| !matches!(line, Line::Connection(_)));
                media.push(connection);
            }
        }
        if !is_first {
            return;
        }
        for candidate in &self.candidates {
            media.push(Attribute::Candidate(Box::new(candidate.clone())));
        }
        if self.ended {
            media.push(Attribute::EndOfCandidates);
        }
    }
}

impl Description {
    /// Takes a trickled candidate in.
    fn note(&mut self, index: usize, candidate: &RemoteCandidate) {
        let section = self.sections.get_mut(index);
        let Some((section, media)) = section.zip(self.sdp.media.get_mut(index)) else {
            return;
        };
        let lines = &mut section.transport;
        match candidate {
            RemoteCandidate::Candidate(new) => {
                if lines.candidates.len() < MAX_CANDIDATES && !lines.candidates.contains(new) {
                    lines.candidates.push((**new).clone());
                    media.push(Attribute::Candidate(new.clone()));
                }
            }
            RemoteCandidate::End if !lines.end_of_candidates && !section.rejected => {
                lines.end_of_candidates = true;
                media.push(Attribute::EndOfCandidates);
            }
            RemoteCandidate::End => {}
        }
    }
}

/// The transport and the generation that a section of an own description describes.
fn described_by(description: &Description, index: usize) -> Option<(TransportId, &str)> {
    let transport = description.transports.get(index).copied().flatten()?;
    let ice = description.sections.get(index)?.transport.ice.as_ref()?;
    Some((transport, &*ice.ufrag))
}

fn ufrag_of(description: &Description, index: usize) -> Option<&str> {
    let tagged = description.tagged(index)?;
    let ice = tagged.transport.ice.as_ref()?;
    Some(&ice.ufrag)
}

/// Whether candidates of this generation are for the section: its own, as long as no answer has
/// accepted the bundle, or that of its bundle.
fn names_ufrag(description: &Description, index: usize, ufrag: &str) -> bool {
    let own = description.sections.get(index);
    let own = own.and_then(|own| own.transport.ice.as_ref());
    own.is_some_and(|ice| ice.ufrag == ufrag) || ufrag_of(description, index) == Some(ufrag)
}

fn written(description: &Description) -> (SdpType, String) {
    (description.kind, description.sdp.to_string())
}
