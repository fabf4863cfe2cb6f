use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pc_dtls::{Certificate, CertificateOptions};
use pc_jsep::OfferOptions;
use pc_media::MediaStreamTrack;

use super::{
    DataChannel, Event, Events, SctpTransport,
    endpoint::{Endpoint, EndpointHandle},
    media::Media,
    operation::Operation,
    shared::Shared,
};
use crate::{
    Configuration, DataChannelInit, Error, IceCandidate, SessionDescription, clock, engine,
    state::{IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState},
    stats::StatsReport,
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
    configuration: Mutex<Configuration>,
    /// Keeps the sockets; freed with the connection.
    _endpoint: Arc<EndpointHandle>,
}

#[cfg(test)]
impl PeerConnection {
    pub(crate) fn change_network(&self, change: [Vec<std::net::IpAddr>; 2]) {
        self.owner.shared.change_network(change);
    }
}

impl Owner {
    fn configuration(&self) -> MutexGuard<'_, Configuration> {
        let lock = self.configuration.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl PeerConnection {
    /// Makes a connection and the stream of its events. Nothing is sent, and no socket is bound
    /// before a description is set unless the candidate pool asks for it.
    ///
    /// # Errors
    ///
    /// - `InvalidAccessError`: the certificate has expired, or a TURN server has no credential.
    /// - `SyntaxError`: an ICE server's URL is none.
    /// - `NotSupportedError`: more than one certificate, or a server over DTLS (`turns:` with
    ///   `transport=udp`).
    /// - `InvalidStateError`: not called within a tokio runtime, or that of the endpoint has ended.
    /// - `OperationError`: no certificate could be generated.
    pub fn new(configuration: Configuration) -> Result<(Self, Events), Error> {
        configuration.check(clock::unix_time())?;
        let certificate = match configuration.certificates.first() {
            Some(certificate) => certificate.clone(),
            None => Self::generate_certificate(CertificateOptions::default())?,
        };
        let mut engine = engine::Connection::new(engine::Config {
            bundle_policy: configuration.bundle_policy,
            always_negotiate_data_channels: configuration.always_negotiate_data_channels,
            capabilities: configuration.capabilities(),
            ice_lite: configuration.ice_lite,
            ufrag_prefix: configuration.ufrag_prefix.clone(),
            hide_host_addresses: configuration.hide_host_addresses,
            network_costs: configuration.network_costs.iter().copied().collect(),
            wall_clock: Some(clock::wall_clock()),
            ..engine::Config::new(certificate, clock::seed()?)
        });
        engine.set_ice_transport_policy(configuration.ice_transport_policy);
        engine.set_restart_on_network_change(configuration.restart_ice_on_network_change);
        engine.set_tcp_candidates(configuration.tcp_candidates);
        engine.set_gathering_timeout(configuration.ice_gathering_timeout);
        engine.set_relay_mobility(configuration.relay_mobility);
        engine.set_ice_servers(configuration.servers()?);
        if configuration.endpoint.is_none() {
            engine.set_ice_candidate_pool_size(configuration.ice_candidate_pool_size);
        }
        let endpoint = match &configuration.endpoint {
            Some(endpoint) => endpoint.handle(),
            None => Endpoint::private(
                configuration.host_addresses.clone(),
                configuration.ice_candidate_pool_size,
            )?,
        };
        let media = Media::new(clock::seed()?);
        let runtime = endpoint.runtime().clone();
        let (shared, receiver) = Shared::new(engine, media, endpoint.inbox().clone(), runtime);
        let events = Events {
            receiver,
            shared: Arc::downgrade(&shared),
        };
        let tls = configuration.server_tls.clone();
        endpoint.inbox().attach(shared.clone(), tls)?;
        let owner = Owner {
            shared,
            configuration: Mutex::new(configuration),
            _endpoint: endpoint,
        };
        Ok((
            Self {
                owner: Arc::new(owner),
            },
            events,
        ))
    }

    /// `RTCPeerConnection.generateCertificate()`: for [`Configuration::certificates`].
    ///
    /// An ECDSA key takes a fraction of a millisecond. An RSA key takes a fraction of a second: make it
    /// where that may block, as in `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// `OperationError`: the cryptographic library failed.
    pub fn generate_certificate(options: CertificateOptions) -> Result<Certificate, Error> {
        Certificate::generate_with(options, clock::unix_time())
            .map_err(|error| Error::Operation(error.to_string().into()))
    }

    /// `getStats()`: what has been counted. With a track, what is about its sender or receiver.
    ///
    /// # Errors
    ///
    /// `InvalidAccessError`: no sender or receiver has the track, or more than one.
    pub fn stats(&self, selector: Option<&MediaStreamTrack>) -> Result<StatsReport, Error> {
        let report = self.owner.shared.stats();
        let Some(track) = selector else {
            return Ok(report);
        };
        let senders = self.senders().into_iter();
        let sending: Vec<_> = senders
            .filter(|it| it.track().as_ref() == Some(track))
            .collect();
        let receivers = self.receivers().into_iter();
        let receiving: Vec<_> = receivers.filter(|it| it.track() == *track).collect();
        match (&*sending, &*receiving) {
            ([sender], []) => Ok(sender.stats()),
            ([], [receiver]) => Ok(receiver.stats()),
            _ => {
                let message = "the track is not that of exactly one sender or receiver";
                Err(Error::InvalidAccess(message.into()))
            }
        }
    }

    /// `getConfiguration()`.
    pub fn configuration(&self) -> Configuration {
        self.owner.configuration().clone()
    }

    /// `setConfiguration()`.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the connection is closed.
    /// - `InvalidModificationError`: a change of what stays for the life of a connection.
    /// - Those of [`new`](Self::new).
    pub fn set_configuration(&self, configuration: Configuration) -> Result<(), Error> {
        let mut current = self.owner.configuration();
        let mut inner = self.owner.shared.lock();
        inner.engine.check_open()?;
        configuration.check(clock::unix_time())?;
        let described = inner.engine.local_description().is_some();
        current.check_change(&configuration, described)?;
        let engine = &mut inner.engine;
        engine.set_ice_transport_policy(configuration.ice_transport_policy);
        engine.set_restart_on_network_change(configuration.restart_ice_on_network_change);
        engine.set_gathering_timeout(configuration.ice_gathering_timeout);
        engine.set_relay_mobility(configuration.relay_mobility);
        engine.set_ice_servers(configuration.servers()?);
        if current.endpoint.is_none() {
            engine.set_ice_candidate_pool_size(configuration.ice_candidate_pool_size);
        }
        // The pool may want other sockets.
        self.owner.shared.wake_driver();
        *current = Configuration {
            // None given: those there are.
            certificates: current.certificates.clone(),
            endpoint: current.endpoint.clone(),
            ..configuration
        };
        Ok(())
    }

    /// `createOffer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed, or a remote offer waits for its answer.
    pub fn create_offer(
        &self,
        options: impl Into<Option<OfferOptions>>,
    ) -> Operation<SessionDescription> {
        let options = options.into().unwrap_or_default();
        self.owner.shared.enqueue(
            engine::Connection::check_create_offer,
            move |engine, now| engine.create_offer(now, options),
        )
    }

    /// `createAnswer()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed, or there is no remote offer.
    pub fn create_answer(&self) -> Operation<SessionDescription> {
        self.owner
            .shared
            .enqueue(engine::Connection::check_create_answer, |engine, now| {
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
    pub fn set_local_description(
        &self,
        description: impl Into<Option<SessionDescription>>,
    ) -> Operation<()> {
        let description = description.into();
        self.owner
            .shared
            .enqueue(engine::Connection::check_open, move |engine, now| {
                engine.set_local_description(now, description)
            })
    }

    /// `setRemoteDescription()`. An offer takes back a local one that waits for its answer: perfect
    /// negotiation relies on it.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the description does not fit the signaling state.
    /// - `OperationError` with [`sdp_line_number`](Error::sdp_line_number): it is not SDP.
    /// - `InvalidAccessError`: it lacks what a connection needs, contradicts itself, or changes what
    ///   must stay.
    /// - `NotSupportedError`: it asks for a new DTLS association on a transport in use, or an SCTP
    ///   port other than 5000.
    pub fn set_remote_description(&self, description: SessionDescription) -> Operation<()> {
        self.owner
            .shared
            .enqueue(engine::Connection::check_open, move |engine, now| {
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
        if candidate.as_ref().is_some_and(IceCandidate::is_nowhere) {
            let message = "neither sdpMid nor sdpMLineIndex says where the candidate belongs";
            return Operation::failed(Error::Type(message.into()));
        }
        self.owner
            .shared
            .enqueue(engine::Connection::check_open, move |engine, now| {
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

    /// `sctp`: what data channels run on; `None` while no description has a section for them.
    pub fn sctp(&self) -> Option<SctpTransport> {
        let shared = &self.owner.shared;
        let described = shared.lock().engine.data_transport().is_some();
        described.then(|| SctpTransport::new(shared.clone()))
    }

    /// `restartIce()`: the next offer has new ICE credentials.
    pub fn restart_ice(&self) {
        self.owner.shared.lock().engine.restart_ice();
        self.owner.shared.wake_driver();
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

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }
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
