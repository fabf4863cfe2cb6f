//! Local candidates: made, announced, and put into the local description.

use std::collections::VecDeque;

use pc_sdp::{Attribute, Connection, Line, NetworkAddress, SessionDescription as Sdp};

use super::Event;
use crate::{IceCandidate, state::IceGatheringState};

/// The candidates of the current generation.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) state: IceGatheringState,
    /// A description has been set whose candidates have not been gathered.
    pub(super) wanted: bool,
    /// ICE was restarted, and no local description has told of it yet.
    pub(super) restarted: bool,
    candidates: Vec<pc_sdp::Candidate>,
    ended: bool,
}

impl Gathering {
    pub(super) const NEW: Self = Self {
        state: IceGatheringState::New,
        wanted: false,
        restarted: false,
        candidates: Vec::new(),
        ended: false,
    };

    /// A local description with a data section has been set: its candidates may be announced now.
    pub(super) fn described(&mut self) {
        self.wanted |= self.state == IceGatheringState::New || self.restarted;
        self.restarted = false;
    }

    /// A new generation begins.
    pub(super) fn begin(&mut self, events: &mut VecDeque<Event>) {
        self.wanted = false;
        self.candidates.clear();
        self.ended = false;
        self.enter(IceGatheringState::Gathering, events);
    }

    /// A candidate was found: signal it.
    pub(super) fn found(
        &mut self,
        candidate: pc_sdp::Candidate,
        section: (usize, &str),
        events: &mut VecDeque<Event>,
    ) {
        let ufrag = candidate
            .ufrag
            .as_ref()
            .map(|ufrag| ufrag.as_str().to_owned());
        let text = candidate.to_string();
        self.candidates.push(candidate);
        events.push_back(announce(text, section, ufrag));
    }

    /// There will be no more in this generation. The order is that of [WebRTC §4.4.1.1].
    ///
    /// [WebRTC §4.4.1.1]: https://www.w3.org/TR/webrtc/#dom-rtcicegatheringstate
    pub(super) fn end(
        &mut self,
        section: (usize, &str),
        ufrag: &str,
        events: &mut VecDeque<Event>,
    ) {
        self.ended = true;
        events.push_back(announce(String::new(), section, Some(ufrag.to_owned())));
        self.enter(IceGatheringState::Complete, events);
        events.push_back(Event::IceCandidate(None));
    }

    fn enter(&mut self, state: IceGatheringState, events: &mut VecDeque<Event>) {
        if self.state != state {
            self.state = state;
            events.push_back(Event::IceGatheringStateChange(state));
        }
    }

    /// Puts what has been gathered into the data section of a description, RFC 9429 §5.2.1 and
    /// RFC 8840 §4.1.1: candidates, the default one as port and address, and their end.
    pub(super) fn write_into(&self, sdp: &mut Sdp, section: usize) {
        let Some(media) = sdp.media.get_mut(section) else {
            return;
        };
        if let Some(default) = self.candidates.first() {
            media.head.port = default.port;
            let connection = default
                .address
                .ip()
                .map(NetworkAddress::from)
                .map(Connection::from);
            if let Some(connection) = connection {
                media.retain(|line| !matches!(line, Line::Connection(_)));
                media.push(connection);
            }
        }
        for candidate in &self.candidates {
            media.push(Attribute::Candidate(Box::new(candidate.clone())));
        }
        if self.ended {
            media.push(Attribute::EndOfCandidates);
        }
    }
}

fn announce(candidate: String, (index, mid): (usize, &str), ufrag: Option<String>) -> Event {
    Event::IceCandidate(Some(Box::new(IceCandidate {
        candidate,
        sdp_mid: Some(mid.to_owned()),
        sdp_m_line_index: u16::try_from(index).ok(),
        username_fragment: ufrag,
    })))
}
