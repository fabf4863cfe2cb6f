//! Descriptions and candidates: the calls that signaling leads to.

use std::time::Instant;

use pc_ice as ice;

use super::{
    Connection, Event,
    data::SCTP_PORT,
    remote::{DataSection, Remote},
};
use crate::{Error, IceCandidate, SessionDescription, description::SdpType, state::SignalingState};

impl Connection {
    /// Fails when the connection is closed.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_open(&self) -> Result<(), Error> {
        if self.is_closed() {
            Err(Error::closed())
        } else {
            Ok(())
        }
    }

    /// Whether [`create_offer`](Self::create_offer) is allowed now.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_create_offer(&self) -> Result<(), Error> {
        self.check_open()?;
        self.negotiation.check_create_offer()
    }

    /// Whether [`create_answer`](Self::create_answer) is allowed now.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_create_answer(&self) -> Result<(), Error> {
        self.check_open()?;
        self.negotiation.check_create_answer()
    }

    /// `createOffer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or a remote offer waits for its answer.
    pub fn create_offer(&mut self, _now: Instant) -> Result<SessionDescription, Error> {
        self.check_open()?;
        self.negotiation.create_offer(self.wants_data)
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or there is no remote offer.
    pub fn create_answer(&mut self, _now: Instant) -> Result<SessionDescription, Error> {
        self.check_open()?;
        self.negotiation.create_answer()
    }

    /// `setLocalDescription()`; `None` is the offer or answer that the signaling state calls for.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `InvalidModificationError`, `NotSupportedError`: as the facade's
    /// [`set_local_description`](crate::PeerConnection::set_local_description).
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: Option<SessionDescription>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let description = match description {
            Some(description) => description,
            None if self.signaling_state() == SignalingState::HaveRemoteOffer => {
                self.create_answer(now)?
            }
            None => self.create_offer(now)?,
        };
        let local = self.negotiation.check_local(&description)?;
        let (kind, first) = (local.kind, self.negotiation.is_new());
        self.with_signaling_change(|this| this.negotiation.apply_local(local));
        if kind == SdpType::Offer && first {
            self.negotiation.set_controlling(true);
        }
        self.settle(now, kind)
    }

    /// `setRemoteDescription()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `OperationError`, `InvalidAccessError`, `NotSupportedError`: as the
    /// facade's [`set_remote_description`](crate::PeerConnection::set_remote_description).
    pub fn set_remote_description(
        &mut self,
        now: Instant,
        description: SessionDescription,
    ) -> Result<(), Error> {
        self.check_open()?;
        let remote = Remote::parse(&description)?;
        self.negotiation.check_remote(&remote)?;
        if let Some(data) = &remote.data {
            check_credentials(data)?;
        }
        let (kind, first) = (remote.kind, self.negotiation.is_new());
        let restarts = |data: &DataSection| {
            let before = self.negotiation.remote().and_then(|it| it.data.as_ref());
            before.is_some_and(|before| before.ice != data.ice)
        };
        let restarts = remote.data.as_ref().is_some_and(restarts);
        let lite = remote.data.as_ref().map(|data| data.ice_lite);
        self.with_signaling_change(|this| this.negotiation.apply_remote(remote));
        // RFC 8445 §6.1.1: the offerer of the first offer controls, and always does against a lite
        // peer.
        match lite {
            Some(true) => self.negotiation.set_controlling(true),
            Some(false) if first && kind == SdpType::Offer => {
                self.negotiation.set_controlling(false);
            }
            _ => {}
        }
        if restarts && kind == SdpType::Offer {
            self.negotiation.restart_ice();
        }
        self.settle(now, kind)
    }

    /// A description has been set: the transports follow. After an answer, whether more negotiation
    /// is needed is asked anew (WebRTC §4.4.1.5).
    fn settle(&mut self, now: Instant, kind: SdpType) -> Result<(), Error> {
        if kind == SdpType::Answer {
            self.negotiation_needed = false;
            let data = self.negotiation.data();
            if data.is_none_or(|data| data.peer.is_none()) && self.negotiation.had_data_section() {
                // Channels end when their section is refused or taken back. Those made during an
                // exchange that had none wait for the next.
                self.wants_data = false;
                self.fail_channels(None);
            }
        }
        self.follow_negotiation(now)
    }

    fn follow_negotiation(&mut self, now: Instant) -> Result<(), Error> {
        let (plans, data) = (self.negotiation.transports(), self.negotiation.data());
        let controlling = self.negotiation.is_controlling();
        self.check_plan(&plans, data.as_ref())?;
        self.apply_plan(now, &plans, data.as_ref(), controlling);
        Ok(())
    }

    /// `addIceCandidate()`; `None`, or an empty candidate, says that no more will come.
    ///
    /// # Errors
    ///
    /// `TypeError`, `InvalidStateError`, `OperationError`: as the facade's
    /// [`add_ice_candidate`](crate::PeerConnection::add_ice_candidate).
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        init: Option<IceCandidate>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let init = init.unwrap_or_default();
        let is_end = init.candidate.is_empty();
        if !is_end && init.sdp_mid.is_none() && init.sdp_m_line_index.is_none() {
            return Err(Error::Type(
                "a candidate needs sdpMid or sdpMLineIndex".into(),
            ));
        }
        let in_data_section = self.is_for_data_section(&init)?;
        let parsed = match is_end {
            true => None,
            false => Some(
                init.candidate
                    .parse::<pc_sdp::Candidate>()
                    .map_err(|error| Error::Operation(error.to_string().into()))?,
            ),
        };
        if !in_data_section {
            return Ok(());
        }
        match parsed {
            Some(candidate) => self.take_candidate(now, candidate)?,
            None => {
                if let Some(data) = self.remote_data() {
                    data.end_of_candidates = true;
                }
                for plan in self.negotiation.transports() {
                    self.transports.end_of_remote_candidates(now, plan.id);
                }
            }
        }
        self.follow_negotiation(now)
    }

    fn remote_data(&mut self) -> Option<&mut DataSection> {
        self.negotiation.remote_mut()?.data.as_mut()
    }

    fn take_candidate(&mut self, now: Instant, candidate: pc_sdp::Candidate) -> Result<(), Error> {
        for plan in self.negotiation.transports() {
            self.transports
                .add_remote_candidate(now, plan.id, &candidate)?;
        }
        if let Some(remote) = self.negotiation.remote_mut() {
            remote.add_candidate(candidate);
        }
        Ok(())
    }

    /// Which m-section a candidate names, [WebRTC §4.4.2], addIceCandidate steps 4.4 to 4.6.
    ///
    /// [WebRTC §4.4.2]: https://www.w3.org/TR/webrtc/#dom-peerconnection-addicecandidate
    fn is_for_data_section(&self, init: &IceCandidate) -> Result<bool, Error> {
        let remote = self.negotiation.remote().ok_or_else(|| {
            Error::InvalidState("a candidate came before the remote description".into())
        })?;
        let index = match (&init.sdp_mid, init.sdp_m_line_index) {
            (Some(mid), _) => {
                let found = remote.position_of(mid);
                Some(found.ok_or_else(|| {
                    Error::Operation(format!("no m-section has the mid {mid:?}").into())
                })?)
            }
            (None, Some(index)) if usize::from(index) < remote.sdp.media.len() => {
                Some(usize::from(index))
            }
            (None, Some(index)) => {
                return Err(Error::Operation(
                    format!("there is no m-section {index}").into(),
                ));
            }
            (None, None) => None,
        };
        let Some(data) = &remote.data else {
            return Ok(false);
        };
        if index.is_some_and(|index| index != data.index) {
            return Ok(false);
        }
        let Some(ufrag) = &init.username_fragment else {
            return Ok(true);
        };
        // A late one of the generation before a restart that is being negotiated is no mistake.
        let current = self.negotiation.current_remote.as_ref();
        let before = current.and_then(|remote| remote.data.as_ref());
        match before.is_some_and(|before| before.ice.ufrag == *ufrag) {
            _ if *ufrag == data.ice.ufrag => Ok(true),
            true => Ok(false),
            false => Err(Error::Operation(
                format!("no generation has the ufrag {ufrag:?}").into(),
            )),
        }
    }

    /// `localDescription`.
    pub fn local_description(&self) -> Option<SessionDescription> {
        Some(self.negotiation.write_local(self.negotiation.local()?))
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        let local = self.negotiation.current_local.as_ref()?;
        Some(self.negotiation.write_local(local))
    }

    /// `pendingLocalDescription`.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        let local = self.negotiation.pending_local.as_ref()?;
        Some(self.negotiation.write_local(local))
    }

    /// `remoteDescription`.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        Some(self.negotiation.remote()?.write())
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        Some(self.negotiation.current_remote.as_ref()?.write())
    }

    /// `pendingRemoteDescription`.
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        Some(self.negotiation.pending_remote.as_ref()?.write())
    }

    /// `canTrickleIceCandidates`.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        let remote = self.negotiation.remote()?;
        Some(remote.data.as_ref().is_some_and(|data| data.trickle))
    }

    /// Checks whether negotiation is needed, and says so once, [WebRTC §4.7.3]: not while an
    /// exchange is under way. The driver calls this when its chain of operations is empty.
    ///
    /// [WebRTC §4.7.3]: https://www.w3.org/TR/webrtc/#dfn-update-the-negotiation-needed-flag
    pub fn update_negotiation_needed(&mut self) {
        if self.is_closed() || self.signaling_state() != SignalingState::Stable {
            return;
        }
        let needed = self.wants_data && !self.negotiation.has_data_section();
        if needed && !self.negotiation_needed {
            self.events.push_back(Event::NegotiationNeeded);
        }
        self.negotiation_needed = needed;
    }

    fn with_signaling_change(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.signaling_state();
        change(self);
        let after = self.signaling_state();
        if before != after {
            self.events.push_back(Event::SignalingStateChange(after));
        }
    }
}

/// What must be right before anything is changed.
fn check_credentials(data: &DataSection) -> Result<(), Error> {
    ice::Credentials::new(&*data.ice.ufrag, &*data.ice.pwd)
        .map_err(|error| Error::InvalidAccess(error.to_string().into()))?;
    if data.sctp_port != SCTP_PORT {
        let message = format!(
            "a=sctp-port:{}: only {SCTP_PORT} is supported",
            data.sctp_port
        );
        return Err(Error::NotSupported(message.into()));
    }
    Ok(())
}
