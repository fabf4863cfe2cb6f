//! Rollback (RFC 9429 §4.1.10.2 and §5.7, [WebRTC §4.4.1.5]).
//!
//! [WebRTC §4.4.1.5]: https://www.w3.org/TR/webrtc/#set-the-session-description

use std::{collections::HashMap, sync::Arc};

use crate::{Session, SignalingState, TransceiverId, TransportId, TransportPlan, created::Created};

impl Session {
    /// Takes back the offer that waits for its answer: what descriptions did is undone, what the
    /// application did since is not.
    pub(crate) fn roll_back(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        let withdrawn = std::mem::replace(&mut self.agreement, before.agreement.clone());
        self.renew_transports(&withdrawn.plans);
        self.controlling = before.controlling;
        self.offered = None;
        self.descriptions.pending_local = None;
        self.descriptions.pending_remote = None;
        self.created_answer = None;
        self.negotiation_needed = false;
        self.change();
        self.enter(SignalingState::Stable);
        let mut restored = Vec::new();
        let mut removed = Vec::new();
        for transceiver in &mut self.transceivers {
            let state = before.transceivers.iter();
            let state = state.clone().find(|state| state.id == transceiver.id);
            let (streams, fired) = match state {
                // The track of one that the peer's offer stopped has ended, and does not come back.
                Some(state) if !transceiver.is_stopped() => {
                    (state.streams.clone(), state.fired_direction)
                }
                _ => (Vec::new(), None),
            };
            restored.push((transceiver.id, streams, fired));
            match state {
                Some(state) => state.restore(transceiver),
                // The peer's offer made it, and the application has not taken it over.
                None if transceiver.by_peer && !transceiver.by_add_track => {
                    removed.push(transceiver.id);
                }
                None => transceiver.mid = None,
            }
        }
        self.restore_tracks(restored);
        for id in &removed {
            self.stop_by_peer(*id);
        }
        self.transceivers.retain(|own| !removed.contains(&own.id));
        // One that the peer stopped in the offer has stopped all the same: the next offer rejects its
        // section.
        self.forget_stopped();
        self.forget_candidates();
    }

    /// The offer that is taken back may be set again. Its transports have ended and do not come back:
    /// it gets others.
    fn renew_transports(&mut self, withdrawn: &[TransportPlan]) {
        let Some(created) = self.created_offer.clone() else {
            return;
        };
        let mut renewed: HashMap<TransportId, TransportId> = HashMap::new();
        for plan in withdrawn {
            if self.agreement.plan(plan.id).is_none() {
                renewed.insert(plan.id, self.new_transport_id());
            }
        }
        let renew = |id: TransportId| renewed.get(&id).copied().unwrap_or(id);
        let mut transports = created.transports.clone();
        for own in &mut transports {
            own.id = renew(own.id);
        }
        let mut sections = created.sections.clone();
        for own in &mut sections {
            own.transport = own.transport.map(renew);
        }
        self.created_offer = Some(Arc::new(Created {
            text: created.text.clone(),
            description: created.description.clone(),
            revision: created.revision,
            sections,
            transports,
        }));
    }

    /// The offer that named a transceiver's section was replaced by one that does not.
    pub(crate) fn forget_association(&mut self, id: TransceiverId) {
        let Some(transceiver) = self.transceiver_mut(id) else {
            return;
        };
        transceiver.mid = None;
        let is_peers = transceiver.by_peer && !transceiver.by_add_track;
        self.restore_tracks(vec![(id, Vec::new(), None)]);
        if is_peers {
            self.stop_by_peer(id);
            self.transceivers.retain(|own| own.id != id);
        }
    }
}
