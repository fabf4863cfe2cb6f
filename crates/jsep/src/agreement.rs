//! What descriptions have decided, section by section: what a rollback takes back as a whole.

use std::collections::HashSet;

use pc_sdp::MediaLine;

use crate::{
    CodecParameters, DataPlan, HeaderExtension, IceCredentials, SdpType, SectionName,
    TransceiverId, TransportId, TransportPlan, codec::PayloadTypes, description::Description,
    extension::ExtensionIds, random::Random,
};

/// The m-sections and the transports, after the last description that was set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreement {
    pub(crate) sections: Vec<Section>,
    pub(crate) plans: Vec<TransportPlan>,
    pub(crate) data: Option<DataPlan>,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) extension_ids: ExtensionIds,
    /// Our `a=tls-id` of each transport (RFC 8842 §4).
    pub(crate) tls_ids: Vec<(TransportId, String)>,
}

/// One m-section, in its place for the life of the session.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) mid: String,
    /// A peer may leave out `a=mid`; then neither side says it.
    pub(crate) has_mid: bool,
    pub(crate) owner: Owner,
    pub(crate) head: MediaLine,
    /// Port 0 in the last description: to be recycled once nobody owns it.
    pub(crate) rejected: bool,
    pub(crate) transport: Option<TransportId>,
    /// The peer has offered it with a transport of its own, which the bundle has made superfluous: the
    /// candidates that were offered for it are of no use, though the credentials may be the bundle's.
    pub(crate) apart: bool,
    /// The codecs of both sides' last descriptions: their numbers stay.
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: Vec<HeaderExtension>,
}

/// Whose an m-section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Transceiver(TransceiverId),
    Data,
    /// Nobody's: of a kind that is not supported, or left by a transceiver that has stopped.
    None,
}

/// What an own description says of a transport.
#[derive(Debug, Clone)]
pub(crate) struct LocalTransport {
    pub(crate) id: TransportId,
    pub(crate) credentials: IceCredentials,
    pub(crate) tls_id: String,
}

/// Mids for sections that have none, each the least number that is free (RFC 9429 §5.2.1 wants them
/// short).
#[derive(Debug)]
pub(crate) struct FreeMids {
    taken: HashSet<String>,
    next: usize,
}

impl FreeMids {
    /// Beside those of the sections there are.
    pub(crate) fn of(agreement: &Agreement) -> Self {
        let sections = agreement.sections.iter();
        Self {
            taken: sections.map(|section| section.mid.clone()).collect(),
            next: 0,
        }
    }

    /// Beside those that an offer says, and those that sections have.
    pub(crate) fn beside(agreement: &Agreement, offer: &Description) -> Self {
        let said = offer.sections.iter();
        let said: HashSet<String> = said.filter_map(|section| section.mid.clone()).collect();
        let known = agreement.sections.iter().map(|section| &section.mid);
        let next = known
            .filter_map(|mid| mid.parse::<usize>().ok())
            .map(|mid| mid.saturating_add(1))
            .filter(|next| *next <= pc_sdp::MAX_MEDIA)
            .max();
        Self {
            taken: said,
            next: next.unwrap_or(0),
        }
    }

    pub(crate) fn is_taken(&self, mid: &str) -> bool {
        self.taken.contains(mid)
    }

    pub(crate) fn take(&mut self) -> String {
        loop {
            let mid = self.next.to_string();
            self.next += 1;
            if self.taken.insert(mid.clone()) {
                return mid;
            }
        }
    }
}

/// What becomes of transports that no section uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unused {
    /// An answer has decided.
    End,
    /// An offer would end them. But it may be taken back, and what runs is to run on then.
    KeepAgreed,
    /// The next answer may want what a provisional one does not.
    Keep,
}

impl Unused {
    /// After an answer, or a provisional one.
    pub(crate) fn after(answer: SdpType) -> Self {
        match answer {
            SdpType::Pranswer => Self::Keep,
            _ => Self::End,
        }
    }
}

impl Agreement {
    pub(crate) fn plan(&self, id: TransportId) -> Option<&TransportPlan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    pub(crate) fn plan_mut(&mut self, id: TransportId) -> Option<&mut TransportPlan> {
        self.plans.iter_mut().find(|plan| plan.id == id)
    }

    pub(crate) fn section_of(&self, mid: &str) -> Option<(usize, &Section)> {
        let mut sections = self.sections.iter().enumerate();
        sections.find(|(_, section)| section.mid == mid)
    }

    /// The section that carries data channels, unless it was rejected.
    pub(crate) fn data_section(&self) -> Option<(usize, &Section)> {
        let mut sections = self.sections.iter().enumerate();
        sections.find(|(_, section)| section.owner == Owner::Data && !section.rejected)
    }

    /// What an answer says of this transport: as before, or anew.
    pub(crate) fn local_transport(&self, id: TransportId, random: &mut Random) -> LocalTransport {
        LocalTransport {
            id,
            credentials: match self.plan(id) {
                Some(plan) => plan.local.clone(),
                None => random.credentials(),
            },
            tls_id: self.tls_id(id, random),
        }
    }

    /// Our `a=tls-id` of a transport: as before, or anew.
    pub(crate) fn tls_id(&self, id: TransportId, random: &mut Random) -> String {
        let known = self.tls_ids.iter().find(|(own, _)| *own == id);
        match known {
            Some((_, tls_id)) => tls_id.clone(),
            None => random.tls_id(),
        }
    }

    /// Brings the plans in line with which section uses which transport.
    pub(crate) fn replan(&mut self, locals: &[LocalTransport], unused: Unused) {
        for plan in &mut self.plans {
            plan.sections.clear();
        }
        for (index, section) in self.sections.iter().enumerate() {
            let Some(id) = section.transport.filter(|_| !section.rejected) else {
                continue;
            };
            let name = SectionName {
                index,
                mid: section.mid.clone(),
            };
            match self.plans.iter_mut().find(|plan| plan.id == id) {
                Some(plan) => plan.sections.push(name),
                None => {
                    let local = locals.iter().find(|local| local.id == id);
                    self.plans.extend(local.map(|local| TransportPlan {
                        id,
                        sections: vec![name],
                        local: local.credentials.clone(),
                        peer: None,
                    }));
                }
            }
        }
        self.plans.retain(|plan| {
            !plan.sections.is_empty()
                || match unused {
                    Unused::End => false,
                    Unused::KeepAgreed => plan.peer.is_some(),
                    Unused::Keep => true,
                }
        });
        for local in locals {
            if let Some(plan) = self.plan_mut(local.id) {
                plan.local = local.credentials.clone();
            }
            if !self.tls_ids.iter().any(|(id, _)| *id == local.id) {
                self.tls_ids.push((local.id, local.tls_id.clone()));
            }
        }
        let plans = &self.plans;
        self.tls_ids
            .retain(|(id, _)| plans.iter().any(|plan| plan.id == *id));
        self.replan_data();
    }

    fn replan_data(&mut self) {
        let before = self.data.take();
        self.data = self.data_section().and_then(|(_, section)| {
            Some(DataPlan {
                transport: section.transport?,
                mid: section.mid.clone(),
                peer: before.and_then(|before| before.peer),
            })
        });
    }
}
