//! "Check if negotiation is needed" ([WebRTC §4.7.3]).
//!
//! [WebRTC §4.7.3]: https://www.w3.org/TR/webrtc/#dfn-check-if-negotiation-is-needed

use pc_sdp::Direction;

use crate::{
    SdpType, Session, SignalingState,
    description::{DescribedSection, Description},
    event::Event,
    transceiver::{Life, Transceiver},
};

impl Session {
    /// Checks whether an exchange is needed, and says so once with
    /// [`Event::NegotiationNeeded`]; not while one is under way. To be called when the chain of
    /// operations is empty.
    pub fn update_negotiation_needed(&mut self) {
        if self.state != SignalingState::Stable || self.checked == Some(self.revision) {
            return;
        }
        self.checked = Some(self.revision);
        let needed = self.is_negotiation_needed();
        if needed && !self.negotiation_needed {
            self.events.push_back(Event::NegotiationNeeded);
        }
        self.negotiation_needed = needed;
    }

    /// Whether [`Event::NegotiationNeeded`] still holds when it reaches whoever acts on it. The W3C
    /// checks and fires in one task; an event that waits in a queue may be overtaken by a description
    /// or by a call in the chain of operations. One that does not hold counts as never fired: the next
    /// [`update_negotiation_needed`](Self::update_negotiation_needed) looks again.
    pub fn confirm_negotiation_needed(&mut self, is_chain_empty: bool) -> bool {
        let is_stable = self.state == SignalingState::Stable;
        self.checked = None;
        self.negotiation_needed = is_chain_empty && is_stable && self.is_negotiation_needed();
        self.negotiation_needed
    }

    fn is_negotiation_needed(&self) -> bool {
        // One that either side has rejected has not been negotiated.
        let has_data = self.agreement.data_section().is_some();
        let data = self.wants_data && !self.refused_data && !has_data;
        !self.to_replace.is_empty()
            || data
            || self
                .transceivers
                .iter()
                .any(|own| self.needs_negotiation(own))
    }

    fn needs_negotiation(&self, transceiver: &Transceiver) -> bool {
        let (Some(mid), Life::Running) = (&transceiver.mid, transceiver.life) else {
            // Not described yet, or its section is to be rejected: one that has stopped is there only
            // as long as its section is not.
            return true;
        };
        let descriptions = &self.descriptions;
        let (Some(local), Some(remote)) =
            (&descriptions.current_local, &descriptions.current_remote)
        else {
            return true;
        };
        let (Some(ours), Some(theirs)) = (self.described(local, mid), self.described(remote, mid))
        else {
            return true;
        };
        let direction = transceiver.direction.to_sdp();
        if direction.sends() && !self.says_streams(local, ours, transceiver) {
            return true;
        }
        if local.kind == SdpType::Offer {
            return direction != ours.direction && direction != theirs.direction.reversed();
        }
        ours.direction != intersection(direction, theirs.direction.reversed())
    }

    fn described<'a>(
        &self,
        description: &'a Description,
        mid: &str,
    ) -> Option<&'a DescribedSection> {
        let (index, _) = self.agreement.section_of(mid)?;
        description.sections.get(index)
    }

    /// Whether the description says which streams the sender's track is in now.
    fn says_streams(
        &self,
        local: &Description,
        ours: &DescribedSection,
        transceiver: &Transceiver,
    ) -> bool {
        let has_msid = local
            .sdp
            .media
            .get(ours.index)
            .is_some_and(|media| media.msids().next().is_some());
        let sender = &transceiver.sender.streams;
        has_msid
            && sender.len() == ours.streams.len()
            && sender.iter().all(|stream| ours.streams.contains(stream))
    }
}

fn intersection(one: Direction, other: Direction) -> Direction {
    match (
        one.sends() && other.sends(),
        one.receives() && other.receives(),
    ) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}
