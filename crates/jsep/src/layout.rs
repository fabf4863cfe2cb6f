//! Which m-section of an offer is whose, and which transport each has (RFC 9429 §5.2.1 and §5.2.2).

use crate::{
    BundlePolicy, Error, MediaKind, Session, TransportId,
    agreement::{FreeMids, Owner, Section},
    created::CreatedSection,
    transceiver::Life,
};

/// RFC 8866 sets no limit, the parser does.
const MAX_SECTIONS: usize = pc_sdp::MAX_MEDIA;

#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) sections: Vec<CreatedSection>,
    /// Whether a section is to be used in its bundle or not at all (RFC 9143 §6).
    pub(crate) bundle_only: Vec<bool>,
    /// Transports that no description has been set of yet.
    pub(crate) drafts: Vec<TransportId>,
    /// Whether each section is to be used at all.
    alive: Vec<bool>,
}

impl Layout {
    pub(crate) fn of_offer(session: &mut Session) -> Result<Self, Error> {
        let mut layout = Self::default();
        layout.keep_sections(session);
        layout.add_sections(session)?;
        layout.assign_transports(session);
        Ok(layout)
    }

    /// Those that are there stay where they are.
    fn keep_sections(&mut self, session: &Session) {
        let (ended, going_on) = self.kept_transports(session);
        for (index, section) in session.agreement.sections.iter().enumerate() {
            let alive = is_alive(session, section);
            // What an offer that is replaced has added to a transport cannot go on with it alone: for
            // the peer, which has not seen that offer, the transport ends with its last section.
            let is_left = |id: &TransportId| ended.contains(id) && !going_on.contains(id);
            let transport = section.transport.filter(|_| alive);
            let transport =
                transport.filter(|id| is_stable(session, index, section) || !is_left(id));
            self.alive.push(alive);
            self.sections.push(CreatedSection {
                mid: section.mid.clone(),
                has_mid: section.has_mid,
                owner: section.owner,
                // Rejected sections have none; filled in for the others below.
                transport,
            });
        }
    }

    /// The transports of the last complete exchange: those that a section of it may leave, and those
    /// that one goes on with.
    fn kept_transports(&self, session: &Session) -> (Vec<TransportId>, Vec<TransportId>) {
        let stable = session
            .stable_sections()
            .iter()
            .filter_map(|it| it.transport);
        let sections = session.agreement.sections.iter().enumerate();
        let alive = sections
            .filter(|(index, section)| is_stable(session, *index, section))
            .filter(|(_, section)| is_alive(session, section))
            .filter_map(|(_, section)| section.transport);
        (stable.collect(), alive.collect())
    }

    /// New ones take the place of those that were rejected and belong to nobody, or come at the end.
    fn add_sections(&mut self, session: &Session) -> Result<(), Error> {
        let mut mids = FreeMids::of(&session.agreement);
        let waiting = session.transceivers.iter();
        let waiting = waiting.filter(|own| own.life == Life::Running && own.mid.is_none());
        let mut owners: Vec<Owner> = waiting.map(|own| Owner::Transceiver(own.id)).collect();
        let wants_data = session.wants_data || session.config.always_negotiate_data_channels;
        if wants_data && session.agreement.data_section().is_none() {
            owners.push(Owner::Data);
        }
        let stable = session.stable_sections();
        let mut free = session
            .agreement
            .sections
            .iter()
            .enumerate()
            .filter(|(_, section)| section.rejected && !is_owned(session, section.owner))
            // What only an offer rejects that this one replaces is still in use for the peer.
            .filter(|(index, _)| stable.get(*index).is_none_or(|stable| stable.rejected))
            .map(|(index, _)| index);
        for owner in owners {
            let section = CreatedSection {
                mid: mids.take(),
                has_mid: true,
                owner,
                transport: None,
            };
            let place = free.next();
            match place
                .and_then(|index| self.sections.get_mut(index).zip(self.alive.get_mut(index)))
            {
                Some((place, alive)) => (*place, *alive) = (section, true),
                None => {
                    self.sections.push(section);
                    self.alive.push(true);
                }
            }
        }
        if self.sections.len() > MAX_SECTIONS {
            let message = format!("more than {MAX_SECTIONS} m-sections");
            return Err(Error::operation(message));
        }
        Ok(())
    }

    /// A section that is new gets a transport as the bundle policy says, or that of the bundle there
    /// is (RFC 9143 §7.5).
    fn assign_transports(&mut self, session: &mut Session) {
        let mut drafts = session.drafts.clone().into_iter();
        let established = self.established(session);
        let agreed = established.filter(|(_, is_grouped)| *is_grouped);
        let mut bundle = established;
        let mut kinds: Vec<Option<MediaKind>> = Vec::new();
        for index in 0..self.sections.len() {
            let is_alive = self.alive.get(index).copied().unwrap_or(false);
            let Some(section) = self.sections.get_mut(index) else {
                continue;
            };
            let mut is_shared = false;
            if section.transport.is_none() && is_alive {
                let kind = kind_of(session, section.owner);
                let is_first = !kinds.contains(&kind);
                let shared = match (bundle, session.config.bundle_policy) {
                    (Some((transport, true)), _) => Some(transport),
                    (Some((transport, false)), BundlePolicy::MaxBundle) => Some(transport),
                    (Some((transport, false)), BundlePolicy::Balanced) if !is_first => {
                        Some(transport)
                    }
                    _ => None,
                };
                is_shared = shared.is_some();
                section.transport = shared.or_else(|| {
                    let id = drafts.next().unwrap_or_else(|| session.new_transport_id());
                    self.drafts.push(id);
                    Some(id)
                });
                if !is_shared {
                    kinds.push(kind);
                }
            } else if let Some(known) = section.transport {
                kinds.push(kind_of(session, section.owner));
                let stable = session.stable_sections().get(index);
                let is_stable = stable.is_some_and(|stable| stable.mid == section.mid);
                let mut before = self.sections.iter().take(index);
                is_shared = !is_stable && before.any(|own| own.transport == Some(known));
            }
            let transport = self.sections.get(index).and_then(|own| own.transport);
            if bundle.is_none() {
                bundle = transport.map(|transport| (transport, false));
            }
            // To be used in the bundle or not at all, unless the peer has agreed to the bundle.
            let is_agreed = agreed.is_some_and(|(agreed, _)| Some(agreed) == transport);
            self.bundle_only.push(is_shared && !is_agreed);
        }
        self.drafts.extend(drafts);
    }

    /// The transport of the bundle that both sides have agreed on, if several sections or the only
    /// one run on it.
    fn established(&self, session: &Session) -> Option<(TransportId, bool)> {
        let first = self.sections.iter().find_map(|section| section.transport)?;
        let remote = session.descriptions.current_remote.as_ref()?;
        let mut stable = session.stable_sections().iter().enumerate();
        let (index, _) = stable.find(|(index, section)| {
            let own = self.sections.get(*index);
            let is_same = own.is_some_and(|own| own.mid == section.mid);
            is_same && section.transport == Some(first)
        })?;
        let is_grouped = remote.group_of.get(index).copied().flatten().is_some();
        Some((first, is_grouped))
    }
}

/// Whether the last complete exchange has the section too.
fn is_stable(session: &Session, index: usize, section: &Section) -> bool {
    let stable = session.stable_sections().get(index);
    stable.is_some_and(|stable| stable.mid == section.mid)
}

/// Whether an offer goes on with a section.
fn is_alive(session: &Session, section: &Section) -> bool {
    match section.owner {
        Owner::Transceiver(id) => session
            .transceiver_ref(id)
            .is_some_and(|transceiver| transceiver.life == Life::Running),
        Owner::Data => !section.rejected,
        Owner::None => false,
    }
}

/// Whether somebody's m-section still is to be told of, or may come back.
fn is_owned(session: &Session, owner: Owner) -> bool {
    match owner {
        Owner::Transceiver(id) => session
            .transceiver_ref(id)
            .is_some_and(|transceiver| !transceiver.is_stopped()),
        Owner::Data | Owner::None => false,
    }
}

fn kind_of(session: &Session, owner: Owner) -> Option<MediaKind> {
    match owner {
        Owner::Transceiver(id) => session.transceiver_ref(id).map(|own| own.kind),
        Owner::Data | Owner::None => None,
    }
}
