//! Descriptions and candidates: the calls that signaling leads to.

use std::time::Instant;

use pc_jsep::{self as jsep, OfferOptions, RemoteCandidate};

use super::{Connection, Event};
use crate::{Error, IceCandidate, SdpType, SessionDescription, state::SignalingState};

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
        Ok(self.session.check_create_offer()?)
    }

    /// Whether [`create_answer`](Self::create_answer) is allowed now.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn check_create_answer(&self) -> Result<(), Error> {
        Ok(self.session.check_create_answer()?)
    }

    /// `createOffer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or a remote offer waits for its answer.
    pub fn create_offer(
        &mut self,
        _now: Instant,
        options: OfferOptions,
    ) -> Result<SessionDescription, Error> {
        let sdp = self.session.create_offer(options)?;
        Ok(SessionDescription::offer(sdp))
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or there is no remote offer.
    pub fn create_answer(&mut self, _now: Instant) -> Result<SessionDescription, Error> {
        let sdp = self.session.create_answer()?;
        Ok(SessionDescription::answer(sdp))
    }

    /// `setLocalDescription()`; `None` is the offer or answer that the signaling state calls for.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `InvalidModificationError`: as the facade's
    /// [`set_local_description`](crate::PeerConnection::set_local_description).
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: Option<SessionDescription>,
    ) -> Result<(), Error> {
        let kind = description.as_ref().map(|description| description.kind);
        self.describe(now, kind, |session| {
            let description = description.as_ref();
            session.set_local_description(description.map(|it| (it.kind, &*it.sdp)))
        })
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
        self.describe(now, Some(description.kind), |session| {
            session.set_remote_description(description.kind, &description.sdp)
        })
    }

    /// Sets a description, if the transports can follow.
    fn describe(
        &mut self,
        now: Instant,
        kind: Option<SdpType>,
        set: impl FnOnce(&mut jsep::Session) -> Result<(), jsep::Error>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let mut next = self.session.clone();
        set(&mut next)?;
        self.check_plan(next.transports(), next.data())?;
        self.check_answer(&next)?;
        let had_data = self.session.data().is_some();
        self.session = next;
        self.tell_of_session();
        let answered =
            kind != Some(SdpType::Rollback) && self.signaling_state() == SignalingState::Stable;
        if answered && had_data && self.session.data().is_none() {
            // The section for data channels was rejected: they end, and nobody asks for another.
            self.session.want_no_data();
            self.fail_channels(None);
        }
        self.follow_session_plan(now);
        Ok(())
    }

    /// An offer that no answer of ours could carry out is refused before it is set.
    fn check_answer(&self, offered: &jsep::Session) -> Result<(), Error> {
        if offered.signaling_state() != SignalingState::HaveRemoteOffer {
            return Ok(());
        }
        let mut answered = offered.clone();
        match answered.set_local_description(None) {
            Ok(()) => self.check_plan(answered.transports(), answered.data()),
            Err(_) => Ok(()),
        }
    }

    fn follow_session_plan(&mut self, now: Instant) {
        let plans = self.session.transports().to_vec();
        let data = self.session.data().cloned();
        self.apply_plan(now, &plans, data.as_ref(), self.session.is_controlling());
    }

    /// Hands on what negotiation has to tell.
    pub(super) fn tell_of_session(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.events.push_back(match event {
                jsep::Event::NegotiationNeeded => Event::NegotiationNeeded,
                jsep::Event::SignalingStateChange(state) => Event::SignalingStateChange(state),
                jsep::Event::TrackEnded(id) => Event::TrackEnded(id),
                jsep::Event::TrackMuted(id) => Event::TrackMuted(id),
                jsep::Event::TrackRemoved {
                    transceiver,
                    stream,
                } => Event::TrackRemoved(transceiver, stream),
                jsep::Event::TrackAdded {
                    transceiver,
                    stream,
                } => Event::TrackAdded(transceiver, stream),
                jsep::Event::Track {
                    transceiver,
                    streams,
                } => Event::Track(transceiver, streams),
                _ => continue,
            });
        }
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
        let init = init.map(|it| jsep::CandidateInit {
            candidate: it.candidate,
            sdp_mid: it.sdp_mid,
            sdp_m_line_index: it.sdp_m_line_index,
            username_fragment: it.username_fragment,
        });
        let mut next = self.session.clone();
        for (id, candidate) in next.add_ice_candidate(init.as_ref())? {
            match candidate {
                RemoteCandidate::Candidate(candidate) => {
                    self.transports.add_remote_candidate(now, id, &candidate)?;
                }
                RemoteCandidate::End => self.transports.end_of_remote_candidates(now, id),
            }
        }
        self.session = next;
        self.pump(now);
        Ok(())
    }

    /// `restartIce()`: the next offer restarts ICE on every transport.
    pub fn restart_ice(&mut self) {
        self.session.restart_ice();
    }

    /// `localDescription`.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.session.local_description().map(described)
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.session.current_local_description().map(described)
    }

    /// `pendingLocalDescription`.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.session.pending_local_description().map(described)
    }

    /// `remoteDescription`.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.session.remote_description().map(described)
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.session.current_remote_description().map(described)
    }

    /// `pendingRemoteDescription`.
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        self.session.pending_remote_description().map(described)
    }

    /// `canTrickleIceCandidates`.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.session.can_trickle_ice_candidates()
    }

    /// Checks whether negotiation is needed, and says so once, [WebRTC §4.7.3]: not while an
    /// exchange is under way. The driver calls this when its chain of operations is empty.
    ///
    /// [WebRTC §4.7.3]: https://www.w3.org/TR/webrtc/#dfn-update-the-negotiation-needed-flag
    pub fn update_negotiation_needed(&mut self) {
        if !self.is_closed() {
            self.session.update_negotiation_needed();
            self.tell_of_session();
        }
    }

    /// Whether `NegotiationNeeded` still holds as it is taken out of a queue of events; if not, it is
    /// to be dropped, and comes again when its time has come.
    pub fn confirm_negotiation_needed(&mut self, is_chain_empty: bool) -> bool {
        !self.is_closed() && self.session.confirm_negotiation_needed(is_chain_empty)
    }
}

fn described((kind, sdp): (SdpType, String)) -> SessionDescription {
    SessionDescription { kind, sdp }
}
