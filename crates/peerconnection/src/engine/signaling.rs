//! Descriptions and candidates: the calls that signaling leads to.

use std::time::Instant;

use pc_dtls as dtls;
use pc_ice as ice;

use super::{
    Connection, Event, candidate,
    negotiation::{Local, SCTP_PORT},
    remote::{DataSection, Remote},
    transport::DtlsParameters,
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
        let parameters = self.local_parameters();
        self.negotiation.create_offer(self.wants_data, &parameters)
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or there is no remote offer.
    pub fn create_answer(&mut self, _now: Instant) -> Result<SessionDescription, Error> {
        self.check_open()?;
        let parameters = self.local_parameters();
        self.negotiation.create_answer(&parameters)
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
        let first = self.negotiation.local().is_none() && self.negotiation.remote().is_none();
        let (kind, has_data) = (local.kind, local.data.is_some());
        self.with_signaling_change(|this| this.negotiation.apply_local(local));
        if kind == SdpType::Offer && first {
            self.transport.ice.set_role(now, ice::Role::Controlling);
        }
        if has_data {
            self.gathering.described();
        }
        if kind == SdpType::Answer {
            self.settle(now);
        }
        self.pump(now);
        Ok(())
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
        let first = self.negotiation.local().is_none() && self.negotiation.remote().is_none();
        let (kind, data) = (remote.kind, remote.data.clone());
        let before = self
            .negotiation
            .remote()
            .and_then(|remote| remote.data.clone());
        self.with_signaling_change(|this| this.negotiation.apply_remote(remote));
        if let Some(data) = &data {
            self.take_ice_role(now, first, kind, data);
            self.take_remote_ice(now, before.as_ref(), data);
        }
        if kind == SdpType::Answer {
            self.settle(now);
        }
        self.pump(now);
        Ok(())
    }

    /// RFC 8445 §6.1.1: the offerer of the first offer controls, and always does against a lite
    /// peer.
    fn take_ice_role(&mut self, now: Instant, first: bool, kind: SdpType, data: &DataSection) {
        if data.ice_lite {
            self.transport.ice.set_role(now, ice::Role::Controlling);
        } else if first && kind == SdpType::Offer {
            self.transport.ice.set_role(now, ice::Role::Controlled);
        }
    }

    /// Hands the peer's ICE parameters to the agent; new credentials are a restart, RFC 8445 §9.
    fn take_remote_ice(&mut self, now: Instant, before: Option<&DataSection>, data: &DataSection) {
        let restarted =
            before.is_some_and(|before| (&before.ufrag, &before.pwd) != (&data.ufrag, &data.pwd));
        if restarted {
            self.transport.ice.restart(now);
            self.gathering.restarted = true;
        }
        // Checked before; so it is with the candidates below.
        if let Ok(credentials) = ice::Credentials::new(&*data.ufrag, &*data.pwd) {
            let _ = self.transport.ice.set_remote_credentials(now, credentials);
        }
        for candidate in data.candidates.iter().filter_map(candidate::from_sdp) {
            let _ = self.transport.ice.add_remote_candidate(now, candidate);
        }
        if data.end_of_candidates {
            self.transport.ice.end_of_remote_candidates(now);
        }
    }

    /// An answer has been set: whether more negotiation is needed is asked anew (WebRTC §4.4.1.5),
    /// and both sides' parameters are known.
    fn settle(&mut self, now: Instant) {
        self.negotiation_needed = false;
        self.start_transport(now);
    }

    fn start_transport(&mut self, now: Instant) {
        let remote = self
            .negotiation
            .remote()
            .and_then(|remote| remote.data.clone());
        let (Some(data), Some(client)) = (remote, self.negotiation.dtls_client()) else {
            // Channels end when their section is refused or taken back. Those made during an
            // exchange that had none wait for the next.
            if self.negotiation.had_data_section() {
                self.wants_data = false;
                self.fail_channels(None);
            }
            return;
        };
        let role = if client {
            dtls::Role::Client
        } else {
            dtls::Role::Server
        };
        self.negotiate_channels(now, client, data.max_message_size);
        let parameters = DtlsParameters {
            role,
            fingerprints: data.fingerprints,
        };
        self.transport.set_dtls_parameters(now, parameters);
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
                self.transport.ice.end_of_remote_candidates(now);
            }
        }
        self.pump(now);
        Ok(())
    }

    fn remote_data(&mut self) -> Option<&mut DataSection> {
        self.negotiation.remote_mut()?.data.as_mut()
    }

    fn take_candidate(&mut self, now: Instant, candidate: pc_sdp::Candidate) -> Result<(), Error> {
        if let Some(usable) = candidate::from_sdp(&candidate) {
            self.transport
                .ice
                .add_remote_candidate(now, usable)
                .map_err(|error| Error::Operation(error.to_string().into()))?;
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
        match before.is_some_and(|before| before.ufrag == *ufrag) {
            _ if *ufrag == data.ufrag => Ok(true),
            true => Ok(false),
            false => Err(Error::Operation(
                format!("no generation has the ufrag {ufrag:?}").into(),
            )),
        }
    }

    /// `localDescription`.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.write_local(self.negotiation.local()?)
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.write_local(self.negotiation.current_local.as_ref()?)
    }

    /// `pendingLocalDescription`.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.write_local(self.negotiation.pending_local.as_ref()?)
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

    fn write_local(&self, local: &Local) -> Option<SessionDescription> {
        let mut sdp = local.sdp.clone();
        if let Some(section) = local.data {
            self.gathering.write_into(&mut sdp, section);
        }
        Some(SessionDescription {
            kind: local.kind,
            sdp: sdp.to_string(),
        })
    }
}

/// What must be right before anything is changed.
fn check_credentials(data: &DataSection) -> Result<(), Error> {
    ice::Credentials::new(&*data.ufrag, &*data.pwd)
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
