//! Rollback (RFC 9429 §4.1.10.2 and §5.7, [WebRTC §4.4.1.5]).
//!
//! [WebRTC §4.4.1.5]: https://www.w3.org/TR/webrtc/#set-the-session-description

use crate::{Session, SignalingState, TransceiverId};

impl Session {
    /// Takes back the offer that waits for its answer: what descriptions did is undone, what the
    /// application did since is not.
    pub(crate) fn roll_back(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        self.agreement = before.agreement.clone();
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
        for id in removed {
            self.stop_by_peer(id);
            self.transceivers.retain(|own| own.id != id);
        }
        // One that the peer stopped in the offer has stopped all the same: the next offer rejects its
        // section.
        self.forget_stopped();
        self.forget_candidates();
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
