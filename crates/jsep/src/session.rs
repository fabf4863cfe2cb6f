//! The session: its transceivers, its descriptions and its signaling state.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{
    Config, Error, Event, IceCredentials, KindCapabilities, MediaKind, SdpType, SignalingState,
    TransceiverId, TransportId,
    agreement::{Agreement, Section},
    candidates::LocalCandidates,
    created::Created,
    description::Description,
    plan::{DataPlan, TransportPlan},
    random::Random,
    transceiver::{StableState, Transceiver},
};

/// Offer and answer of one peer connection.
///
/// Calls that fail change nothing.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) config: Arc<Config>,
    pub(crate) random: Random,
    pub(crate) session_id: u64,
    pub(crate) session_version: u64,
    pub(crate) cname: String,
    pub(crate) state: SignalingState,
    /// In the order they were made.
    pub(crate) transceivers: Vec<Transceiver>,
    next_transceiver: u32,
    next_transport: u32,
    pub(crate) agreement: Agreement,
    /// What the session was when it left the stable state.
    pub(crate) before: Option<Arc<Before>>,
    pub(crate) descriptions: Descriptions,
    pub(crate) created_offer: Option<Arc<Created>>,
    pub(crate) created_answer: Option<Arc<Created>>,
    /// The local offer that waits for its answer.
    pub(crate) offered: Option<Arc<Created>>,
    /// Transports that an offer has proposed and no description has been set of: the next offer
    /// proposes the same.
    pub(crate) drafts: Vec<TransportId>,
    pub(crate) candidates: LocalCandidates,
    pub(crate) wants_data: bool,
    /// The peer has rejected the section for data, and no channel has been made since.
    pub(crate) refused_data: bool,
    /// `[[LocalIceCredentialsToReplace]]`: `restartIce` was called under these.
    pub(crate) to_replace: Vec<IceCredentials>,
    /// Whether this side is in control of ICE, once a first exchange has decided (RFC 8445 §6.1.1).
    pub(crate) controlling: Option<bool>,
    pub(crate) negotiation_needed: bool,
    /// The [`revision`](Self::revision) that was found to need negotiation, or not to.
    pub(crate) checked: Option<u64>,
    pub(crate) events: VecDeque<Event>,
    /// Counts what may change what the next description says.
    pub(crate) revision: u64,
}

/// The stable state that a rollback goes back to.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) agreement: Agreement,
    pub(crate) transceivers: Vec<StableState>,
    pub(crate) controlling: Option<bool>,
}

/// The four descriptions ([WebRTC §4.4.1.1](https://www.w3.org/TR/webrtc/#dfn-currentlocaldescription)).
#[derive(Debug, Clone, Default)]
pub(crate) struct Descriptions {
    pub(crate) current_local: Option<Arc<Description>>,
    pub(crate) pending_local: Option<Arc<Description>>,
    pub(crate) current_remote: Option<Arc<Description>>,
    pub(crate) pending_remote: Option<Arc<Description>>,
}

impl Descriptions {
    pub(crate) fn local(&self) -> Option<&Arc<Description>> {
        self.pending_local.as_ref().or(self.current_local.as_ref())
    }

    pub(crate) fn remote(&self) -> Option<&Arc<Description>> {
        self.pending_remote
            .as_ref()
            .or(self.current_remote.as_ref())
    }
}

impl Session {
    /// A session in the state "stable", without transceivers.
    pub fn new(config: Config) -> Self {
        let mut random = Random::new(config.seed, config.ufrag_prefix.clone());
        Self {
            session_id: random.session_id(),
            session_version: 0,
            cname: random.cname(),
            random,
            config: Arc::new(config),
            state: SignalingState::Stable,
            transceivers: Vec::new(),
            next_transceiver: 0,
            next_transport: 0,
            agreement: Agreement::default(),
            before: None,
            descriptions: Descriptions::default(),
            created_offer: None,
            created_answer: None,
            offered: None,
            drafts: Vec::new(),
            candidates: LocalCandidates::default(),
            wants_data: false,
            refused_data: false,
            to_replace: Vec::new(),
            controlling: None,
            negotiation_needed: false,
            checked: None,
            events: VecDeque::new(),
            revision: 0,
        }
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.state
    }

    /// What happened since the last call, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The transports that are to be, whole. Bring yours in line after every call that sets a
    /// description.
    pub fn transports(&self) -> &[TransportPlan] {
        &self.agreement.plans
    }

    /// The section for data channels, once a description of either side's has it.
    pub fn data(&self) -> Option<&DataPlan> {
        self.agreement.data.as_ref()
    }

    /// The canonical name of this side in RTCP (RFC 7022): one for the whole session.
    pub fn cname(&self) -> &str {
        &self.cname
    }

    /// Whether this side is in control of ICE (RFC 8445 §6.1.1): the offerer of the first exchange,
    /// and always against a lite peer.
    pub fn is_controlling(&self) -> bool {
        self.controlling.unwrap_or(true)
    }

    /// A data channel has been made: offers have a section for it from now on.
    pub fn want_data(&mut self) {
        if !self.wants_data || self.refused_data {
            self.wants_data = true;
            self.refused_data = false;
            self.change();
        }
    }

    /// Every data channel has ended: offers have a section for them only if there was one before.
    pub fn want_no_data(&mut self) {
        self.wants_data = false;
        self.change();
    }

    /// The codecs and header extensions this side can use.
    pub fn capabilities(&self, kind: MediaKind) -> &KindCapabilities {
        self.config.capabilities.of(kind)
    }

    /// `close()`: no event tells of it.
    pub fn close(&mut self) {
        self.state = SignalingState::Closed;
        self.negotiation_needed = false;
        self.events.clear();
        for transceiver in &mut self.transceivers {
            transceiver.become_stopped();
        }
    }

    /// `restartIce()`: the next offer has new ICE credentials for every transport that is described
    /// now.
    pub fn restart_ice(&mut self) {
        let before = self.before.iter().map(|before| &before.agreement);
        let described = before.chain([&self.agreement]);
        let plans = described.flat_map(|agreement| &agreement.plans);
        let mut to_replace: Vec<IceCredentials> = Vec::new();
        for plan in plans {
            if !to_replace.contains(&plan.local) {
                to_replace.push(plan.local.clone());
            }
        }
        self.to_replace = to_replace;
        self.change();
    }

    /// What has been created may not be what would be created now.
    pub(crate) fn change(&mut self) {
        self.revision += 1;
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        match self.state {
            SignalingState::Closed => Err(Error::invalid_state("the connection is closed")),
            _ => Ok(()),
        }
    }

    pub(crate) fn transceiver_ref(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.transceivers.iter().find(|it| it.id == id)
    }

    pub(crate) fn transceiver_mut(&mut self, id: TransceiverId) -> Option<&mut Transceiver> {
        self.transceivers.iter_mut().find(|it| it.id == id)
    }

    pub(crate) fn new_transceiver_id(&mut self) -> TransceiverId {
        let id = TransceiverId(self.next_transceiver);
        self.next_transceiver += 1;
        id
    }

    pub(crate) fn new_transport_id(&mut self) -> TransportId {
        let id = TransportId(self.next_transport);
        self.next_transport += 1;
        id
    }

    /// Enters a signaling state and tells of it, if it is another.
    pub(crate) fn enter(&mut self, state: SignalingState) {
        if self.state != state {
            self.state = state;
            self.events.push_back(Event::SignalingStateChange(state));
        }
    }

    /// Remembers the stable state, on leaving it.
    pub(crate) fn remember_stable(&mut self) {
        if self.state != SignalingState::Stable {
            return;
        }
        self.before = Some(Arc::new(Before {
            agreement: self.agreement.clone(),
            transceivers: self.transceivers.iter().map(StableState::of).collect(),
            controlling: self.controlling,
        }));
    }

    /// The sections of the last complete exchange: they keep their places for ever.
    pub(crate) fn stable_sections(&self) -> &[Section] {
        let before = self.before.as_ref();
        let agreement = before.map_or(&self.agreement, |before| &before.agreement);
        &agreement.sections
    }
}

/// RFC 9429 §4.1.10 and §4.1.11: which descriptions may be set in which state.
pub(crate) fn check_state(state: SignalingState, kind: SdpType, local: bool) -> Result<(), Error> {
    use SdpType as Kind;
    use SignalingState as State;
    let fits = match (kind, local) {
        (Kind::Offer, true) => matches!(state, State::Stable | State::HaveLocalOffer),
        // A local offer gives way: the implicit rollback of RFC 9429 §4.1.11.1.
        (Kind::Offer, false) => {
            matches!(
                state,
                State::Stable | State::HaveRemoteOffer | State::HaveLocalOffer
            )
        }
        (Kind::Answer | Kind::Pranswer, true) => {
            matches!(state, State::HaveRemoteOffer | State::HaveLocalPranswer)
        }
        (Kind::Answer | Kind::Pranswer, false) => {
            matches!(state, State::HaveLocalOffer | State::HaveRemotePranswer)
        }
        (Kind::Rollback, _) => matches!(state, State::HaveLocalOffer | State::HaveRemoteOffer),
    };
    if fits {
        return Ok(());
    }
    let side = if local { "local" } else { "remote" };
    let message = format!("cannot set a {side} {kind} in the signaling state \"{state}\"");
    Err(Error::invalid_state(message))
}
