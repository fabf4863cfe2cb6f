use std::{fmt, sync::Arc};

use pc_dtls::Certificate;

use super::{
    DataChannel, Event, Events,
    endpoint::{Endpoint, EndpointHandle},
    operation::Operation,
    shared::{Report, Shared},
};
use crate::{
    Configuration, DataChannelInit, Error, IceCandidate, SessionDescription, clock, engine,
    state::{
        DtlsTransportState, IceConnectionState, IceGatheringState, PeerConnectionState,
        SctpTransportState, SignalingState,
    },
};

/// [`RTCPeerConnection`](https://www.w3.org/TR/webrtc/#rtcpeerconnection-interface): a cheap,
/// cloneable handle.
///
/// Getters are synchronous and current. Calls that a browser answers with a promise return an
/// [`Operation`]; they are carried out in the order they were made, whether or not they are awaited,
/// and state, events and outcome come in the W3C's order.
///
/// When the last clone is dropped the connection is closed as by [`close`](Self::close), and its
/// sockets, its driver and its memory are freed.
#[derive(Clone)]
pub struct PeerConnection {
    owner: Arc<Owner>,
}

/// Closes the connection with the last handle.
struct Owner {
    shared: Arc<Shared>,
    /// Keeps the sockets; freed with the connection.
    _endpoint: Arc<EndpointHandle>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl PeerConnection {
    /// Makes a connection and the stream of its events. Nothing is sent and no socket is bound
    /// before a description is set.
    ///
    /// # Errors
    ///
    /// - `InvalidAccessError`: the certificate has expired.
    /// - `InvalidStateError`: not called within a tokio runtime, or that of the endpoint has ended.
    /// - `OperationError`: no certificate could be generated.
    pub fn new(configuration: Configuration) -> Result<(Self, Events), Error> {
        let certificate = match configuration.certificate {
            Some(certificate) => unexpired(certificate)?,
            None => Certificate::generate(clock::unix_time())
                .map_err(|error| Error::Operation(error.to_string().into()))?,
        };
        let engine = engine::Connection::new(engine::Config {
            certificate,
            seed: clock::seed()?,
        });
        let endpoint = match configuration.endpoint {
            Some(endpoint) => endpoint.handle(),
            None => Endpoint::private(
                configuration.host_addresses,
                configuration.ice_candidate_pool_size,
            )?,
        };
        let (shared, receiver) = Shared::new(engine, endpoint.inbox().clone());
        let events = Events {
            receiver,
            shared: Arc::downgrade(&shared),
        };
        endpoint.inbox().attach(shared.clone())?;
        let owner = Owner {
            shared,
            _endpoint: endpoint,
        };
        Ok((
            Self {
                owner: Arc::new(owner),
            },
            events,
        ))
    }

    /// `createOffer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed, or a remote offer waits for its answer.
    pub fn create_offer(&self) -> Operation<SessionDescription> {
        self.enqueue(engine::Connection::check_create_offer, |engine, now| {
            engine.create_offer(now)
        })
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed, or there is no remote offer.
    pub fn create_answer(&self) -> Operation<SessionDescription> {
        self.enqueue(engine::Connection::check_create_answer, |engine, now| {
            engine.create_answer(now)
        })
    }

    /// `setLocalDescription()`: with `None`, the offer or answer that the signaling state calls for.
    ///
    /// Candidates are gathered from here on; they never come before this resolves.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the description does not fit the signaling state.
    /// - `InvalidModificationError`: it is not the one that was created last.
    /// - `NotSupportedError`: it is a provisional answer or a rollback.
    pub fn set_local_description(
        &self,
        description: impl Into<Option<SessionDescription>>,
    ) -> Operation<()> {
        let description = description.into();
        self.enqueue(engine::Connection::check_open, move |engine, now| {
            engine.set_local_description(now, description)
        })
    }

    /// `setRemoteDescription()`.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the description does not fit the signaling state.
    /// - `OperationError` with [`sdp_line_number`](Error::sdp_line_number): it is not SDP.
    /// - `InvalidAccessError`: it lacks a fingerprint or ICE credentials, or they are malformed.
    /// - `NotSupportedError`: it is a provisional answer or a rollback.
    pub fn set_remote_description(&self, description: SessionDescription) -> Operation<()> {
        self.enqueue(engine::Connection::check_open, move |engine, now| {
            engine.set_remote_description(now, description)
        })
    }

    /// `addIceCandidate()`: `None`, or an empty candidate, says that no more will come.
    ///
    /// # Errors
    ///
    /// - `TypeError`: neither mid nor index says which m-section it belongs to.
    /// - `InvalidStateError`: there is no remote description yet.
    /// - `OperationError`: the candidate is malformed, or belongs to no m-section or generation.
    pub fn add_ice_candidate(&self, candidate: impl Into<Option<IceCandidate>>) -> Operation<()> {
        let candidate = candidate.into();
        self.enqueue(engine::Connection::check_open, move |engine, now| {
            engine.add_ice_candidate(now, candidate)
        })
    }

    /// `createDataChannel()`.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the connection is closed.
    /// - `TypeError`: label or protocol exceed 65,535 bytes, both limits are given, `negotiated`
    ///   is without `id`, or `id` is 65,535.
    /// - `OperationError`: the id is in use, or there is none left.
    pub fn create_data_channel(
        &self,
        label: &str,
        init: DataChannelInit,
    ) -> Result<DataChannel, Error> {
        let shared = &self.owner.shared;
        let mut inner = shared.lock();
        let id = inner
            .engine
            .create_data_channel(clock::now(), label, init)?;
        let channel = shared.adopt(&mut inner, id).ok_or_else(Error::closed)?;
        drop(inner);
        // `negotiationneeded` is fired by the driver, in a later task.
        shared.wake_driver();
        Ok(channel)
    }

    /// `close()`: synchronous, and fires no event here. The peer is told.
    pub fn close(&self) {
        self.owner.shared.close();
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.owner.shared.lock().engine.signaling_state()
    }

    /// `iceGatheringState`.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.owner.shared.lock().engine.ice_gathering_state()
    }

    /// `iceConnectionState`.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.owner.shared.lock().engine.ice_connection_state()
    }

    /// `connectionState`.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.owner.shared.lock().engine.connection_state()
    }

    /// `sctp.transport.state`.
    pub fn dtls_state(&self) -> DtlsTransportState {
        self.owner.shared.lock().engine.dtls_state()
    }

    /// `sctp.state`; `None` while no data section has been negotiated.
    pub fn sctp_state(&self) -> Option<SctpTransportState> {
        self.owner.shared.lock().engine.sctp_state()
    }

    /// `sctp.maxMessageSize`: how many bytes a message to the peer may have; `None` before the
    /// peer's description says it.
    pub fn max_message_size(&self) -> Option<usize> {
        self.owner.shared.lock().engine.max_message_size()
    }

    /// `localDescription`, with the candidates gathered so far.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.local_description()
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.current_local_description()
    }

    /// `pendingLocalDescription`.
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.pending_local_description()
    }

    /// `remoteDescription`, with the candidates added so far.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.remote_description()
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.current_remote_description()
    }

    /// `pendingRemoteDescription`.
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        self.owner.shared.lock().engine.pending_remote_description()
    }

    /// `canTrickleIceCandidates`: whether the peer takes candidates after its description; `None`
    /// before there is one.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.owner.shared.lock().engine.can_trickle_ice_candidates()
    }

    /// The pair of addresses in use, the cipher and the like, for people and for statistics.
    pub fn transport_info(&self) -> engine::TransportInfo {
        self.owner.shared.lock().engine.transport_info()
    }

    fn enqueue<T: Send + 'static>(
        &self,
        precondition: impl Fn(&engine::Connection) -> Result<(), Error>,
        operation: impl FnOnce(&mut engine::Connection, std::time::Instant) -> Result<T, Error>
        + Send
        + 'static,
    ) -> Operation<T> {
        let shared = &self.owner.shared;
        let mut inner = shared.lock();
        if let Err(error) = precondition(&inner.engine)
            && (inner.operations.is_empty() || inner.engine.is_closed())
        {
            return Operation::failed(error);
        }
        let (reply, pending) = Operation::pending();
        inner.operations.push_back(Box::new(move |engine, now| {
            let outcome = operation(engine, now);
            let report: Report = Box::new(move || {
                let _ = reply.send(outcome);
            });
            report
        }));
        drop(inner);
        shared.wake_driver();
        pending
    }
}

fn unexpired(certificate: Certificate) -> Result<Certificate, Error> {
    if certificate.expires() <= clock::unix_time() {
        return Err(Error::InvalidAccess("the certificate has expired".into()));
    }
    Ok(certificate)
}

impl fmt::Debug for PeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerConnection")
            .field("signaling_state", &self.signaling_state())
            .field("connection_state", &self.connection_state())
            .finish_non_exhaustive()
    }
}

const fn assert_shareable<T: Send + Sync>() {}
const _: () = assert_shareable::<PeerConnection>();
const _: () = assert_shareable::<DataChannel>();
const _: () = assert_shareable::<Event>();
