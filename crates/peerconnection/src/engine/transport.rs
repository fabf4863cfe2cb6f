//! One transport: ICE, and DTLS on the path that it finds.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Instant};

use pc_dtls as dtls;
use pc_ice as ice;
use pc_jsep::{IceCredentials, PeerTransport, SectionName, TransportId, TransportPlan};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_rtp_session as rtp;

use super::{
    Rejected, candidate,
    data::Data,
    dtls_transport::{DtlsParameters, DtlsTransport},
    gathering::Gathering,
    hosts::Hosts,
    names::Names,
    rtp_transport::RtpTransport,
    servers::{Origin, Servers},
    traffic::Traffic,
    transports::receiver_ufrag,
};
use crate::{
    Error,
    state::{DtlsTransportState, IceTransportState},
};

mod gather;
mod network;

pub(super) use gather::{Found, GatherPolicy};
use network::NetworkChange;

pub(super) struct Transport {
    pub(super) id: TransportId,
    pub(super) sections: Vec<SectionName>,
    pub(super) ice: ice::Agent,
    pub(super) dtls: DtlsTransport,
    /// RTP, once a section of media runs here.
    pub(super) rtp: Option<Box<RtpTransport>>,
    pub(super) gathering: Gathering,
    pub(super) servers: Servers,
    pub(super) names: Names,
    /// Where TCP candidates are at.
    pub(super) tcp: Vec<(ice::TcpType, SocketAddr)>,
    /// What gathering has found, and has not been announced.
    found: Vec<ice::Candidate>,
    /// The servers that local candidates are from, by their addresses.
    origins: HashMap<SocketAddr, Origin>,
    /// Only what is relayed is used and told.
    is_relay_only: bool,
    /// What a change of networks has begun.
    network: NetworkChange,
    /// How what is local is told.
    pub(super) hosts: Arc<Hosts>,
    /// What servers saw of host candidates that are told by their names alone.
    public: Vec<ice::Candidate>,
    /// The peer as the plan has it.
    pub(super) peer: Option<PeerTransport>,
    /// The local credentials that are signaled. They are the agent's, unless they are of a restart
    /// whose answer has not come.
    local: IceCredentials,
    /// The role that negotiation has decided. The agent may have another, after a conflict.
    controlling: bool,
    /// The selected pair has changed since the last events.
    pub(super) pair_changed: bool,
    pub(super) told: Told,
    pub(super) traffic: Traffic,
    closing: bool,
}

/// The states as the last events told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) ice: IceTransportState,
    pub(super) dtls: DtlsTransportState,
}

impl Told {
    const NEW: Self = Self {
        ice: IceTransportState::New,
        dtls: DtlsTransportState::New,
    };
    const CLOSED: Self = Self {
        ice: IceTransportState::Closed,
        dtls: DtlsTransportState::Closed,
    };
}

impl Transport {
    /// A transport that nothing has been decided about: [`apply`](Self::apply) a plan.
    pub(super) fn new(
        plan: &TransportPlan,
        (controlling, lite): (bool, bool),
        seed: [u8; 32],
        servers: Servers,
        certificate: dtls::Certificate,
    ) -> Self {
        let mut config = ice::Config::new(role(controlling), seed);
        config.lite = lite;
        config.credentials = credentials(&plan.local).ok();
        Self {
            id: plan.id,
            sections: Vec::new(),
            ice: ice::Agent::new(config),
            dtls: DtlsTransport::new(certificate),
            rtp: None,
            gathering: Gathering::default(),
            servers,
            names: Names::new(plan.id),
            tcp: Vec::new(),
            found: Vec::new(),
            origins: HashMap::new(),
            is_relay_only: false,
            network: NetworkChange::default(),
            hosts: Arc::default(),
            public: Vec::new(),
            peer: None,
            local: plan.local.clone(),
            controlling,
            pair_changed: false,
            told: Told::NEW,
            traffic: Traffic::default(),
            closing: false,
        }
    }

    /// Brings the transport in line with its plan, which has been checked.
    pub(super) fn apply(&mut self, now: Instant, plan: &TransportPlan, controlling: bool) {
        self.sections.clone_from(&plan.sections);
        self.local.clone_from(&plan.local);
        if let Some(peer) = &plan.peer {
            self.ice.set_remote_lite(now, peer.lite);
            self.ice.set_renomination(now, peer.renomination);
        }
        self.take_role(now, controlling);
        self.take_credentials(now, plan);
        let committed = plan.peer.as_ref().map(|peer| peer.local.ufrag.as_str());
        self.gathering.describe(&plan.local.ufrag, committed);
        match &plan.peer {
            Some(peer) => self.take_peer(now, peer),
            None => self.dtls.forget_parameters(),
        }
        self.peer.clone_from(&plan.peer);
        self.start_dtls(now);
    }

    /// Only what negotiation changes: the outcome of a conflict (RFC 8445 §7.3.1.1) stays.
    fn take_role(&mut self, now: Instant, controlling: bool) {
        if std::mem::replace(&mut self.controlling, controlling) != controlling {
            self.ice.set_role(now, role(controlling));
        }
    }

    /// Others than those in use, on either side, are a restart (RFC 8445 §9). Before an answer the
    /// agent has those of the description; after it, those that the answer was given to.
    fn take_credentials(&mut self, now: Instant, plan: &TransportPlan) {
        let local = match &plan.peer {
            Some(peer) => &peer.local,
            None => &plan.local,
        };
        let remote = plan.peer.as_ref().map(|peer| &peer.remote);
        let keeps_local = is_same(self.ice.local_credentials(), local);
        let keeps_remote = match (self.ice.remote_credentials(), remote) {
            (None, _) => true,
            (Some(known), Some(remote)) => is_same(known, remote),
            (Some(_), None) => false,
        };
        if !(keeps_local && keeps_remote)
            && let Ok(local) = credentials(local)
        {
            let _ = self.ice.restart_with(now, local);
        }
        if let Some(Ok(remote)) = remote.map(credentials) {
            let _ = self.ice.set_remote_credentials(now, remote);
        }
    }

    fn take_peer(&mut self, now: Instant, peer: &PeerTransport) {
        for candidate in &peer.candidates {
            // One too many, or one of no use, is no reason to fail.
            let _ = self.add_remote_candidate(now, candidate);
        }
        if peer.end_of_candidates {
            self.ice.end_of_remote_candidates(now);
        }
        if let Ok(parameters) = DtlsParameters::new(peer) {
            self.dtls.set_parameters(now, parameters);
        }
    }

    /// Adds a candidate of the peer's; one of another generation than the agent's is passed over.
    ///
    /// # Errors
    ///
    /// Its address is of no use, or the peer has too many.
    pub(super) fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: &pc_sdp::Candidate,
    ) -> Result<(), ice::Error> {
        let current = self.ice.remote_credentials();
        if let (Some(named), Some(current)) = (&candidate.ufrag, current)
            && named.as_str() != current.ufrag
        {
            return Ok(());
        }
        if candidate.address.ip().is_none() {
            if candidate::is_active(candidate) {
                // Nobody connects to it: its connections will tell where it is.
                return Ok(());
            }
            let ufrag = current.map(|it| it.ufrag.as_str());
            self.names.add(candidate, ufrag);
            return Ok(());
        }
        match candidate::from_sdp(candidate) {
            Some(usable) => self.ice.add_remote_candidate(now, usable),
            None => Ok(()),
        }
    }

    pub(super) fn local_credentials(&self) -> &IceCredentials {
        &self.local
    }

    /// The user fragments of checks for this transport, that of an unanswered restart included.
    pub(super) fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        let next = self.next_ufrag();
        self.ice.local_ufrags().chain(next)
    }

    /// The user fragment of a restart whose answer has not come.
    fn next_ufrag(&self) -> Option<&str> {
        let in_use = &self.ice.local_credentials().ufrag;
        Some(self.local.ufrag.as_str()).filter(|local| local != in_use)
    }

    pub(super) fn start_dtls(&mut self, now: Instant) {
        if self.ice.route().is_some() && !self.closing {
            self.dtls.start(now);
        }
    }

    /// `data` is what runs on this transport.
    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
        data: Option<&mut Data>,
    ) -> Result<Option<rtp::Input<'d>>, Rejected> {
        if let Some(next) = self.next_ufrag()
            && receiver_ufrag(datagram) == Some(next)
        {
            // An error response would make the peer give the pair up (RFC 8445 §7.2.5.2.4). Silence
            // makes it repeat the check, and by then the answer may be here.
            return Err(Rejected::BeforeAnswer);
        }
        let Some((route, datagram)) = self.servers.handle_input(now, route, datagram)? else {
            return Ok(None);
        };
        let passed = self.ice.handle_input(now, route, datagram)?;
        self.start_dtls(now);
        let Some(datagram) = passed else {
            return Ok(None);
        };
        self.traffic.received(route, datagram.len());
        // RFC 7983 §7: the first byte tells the protocol.
        match datagram.first() {
            Some(20..=63) => self.dtls.handle_input(now, datagram)?,
            Some(128..=191) => {
                let rtp = self.rtp.as_mut().ok_or(Rejected::NotNegotiated)?;
                return rtp.handle_input(now, datagram).map(Some);
            }
            _ => return Err(Rejected::NotNegotiated),
        }
        self.deliver(now, data)?;
        Ok(None)
    }

    /// RTP begins where DTLS ends; whether it just does.
    pub(super) fn follow_keys(&mut self, now: Instant) -> bool {
        let connection = self.dtls.connection();
        let rtp = self.rtp.as_mut();
        rtp.is_some_and(|it| it.follow(now, connection))
    }

    /// Whether media could leave now.
    pub(super) fn can_send_media(&self) -> bool {
        let has_keys = self.rtp.as_ref().is_some_and(|it| it.has_keys());
        has_keys && !self.closing && self.ice.route().is_some()
    }

    /// Hands decrypted records up; a datagram may hold several.
    fn deliver(&mut self, now: Instant, mut data: Option<&mut Data>) -> Result<(), Rejected> {
        let mut result = Ok(());
        while let Some(record) = self.dtls.poll_data() {
            result = result.and(match &mut data {
                Some(data) => data.handle_input(now, record),
                None => Err(Rejected::NotNegotiated),
            });
        }
        result
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, data: Option<&mut Data>) {
        self.servers.handle_timeout(now);
        self.ice.handle_timeout(now);
        self.dtls.handle_timeout(now);
        self.follow_network(now);
        if let Some(rtp) = &mut self.rtp {
            rtp.session.handle_timeout(now);
        }
        // Records that the handshake's end has released.
        let _ = self.deliver(now, data);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let (ice, dtls) = (self.ice.poll_timeout(), self.dtls.poll_timeout());
        let rtp = self.rtp.as_ref().and_then(|it| it.session.poll_timeout());
        let servers = self.servers.poll_timeout();
        let network = self.network.poll_timeout();
        let timers = [ice, dtls, rtp, servers, network];
        timers.into_iter().flatten().min()
    }

    /// `data` is what runs on this transport.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
        data: Option<&mut Data>,
    ) -> Option<FiveTuple> {
        if let Some(path) = self.servers.poll_transmit(now, out) {
            return Some(path);
        }
        if let Some(path) = self.servers.carry(now, &mut self.ice, out) {
            return Some(path);
        }
        if let Some(path) = self.send_data(now, out, data) {
            return Some(path);
        }
        if self.closing {
            // The peer has been told by now: what was relayed is over.
            self.servers.close(now);
            return self.servers.poll_transmit(now, out);
        }
        None
    }

    /// What the layers above have to say, on the pair that ICE has found.
    fn send_data(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
        data: Option<&mut Data>,
    ) -> Option<FiveTuple> {
        // Without a path nothing is taken from the layers above: they keep what they have to say.
        let route = self.ice.route()?;
        let (before, bytes_before) = (out.len(), out.byte_len());
        let (dtls, rtp, closing) = (&mut self.dtls, &mut self.rtp, self.closing);
        dtls.connection_mut()?;
        let path = self.servers.send(route, out, |out| {
            let Some(connection) = dtls.connection_mut() else {
                return;
            };
            let _ = connection.poll_transmit(now, out);
            // Ahead of data channels, for media is of no use when it is late.
            if let Some(rtp) = rtp {
                rtp.write(now, out);
            }
            if let Some(data) = data {
                data.write(now, connection, out);
            }
            if closing {
                dtls.write_close(now, out);
            }
        });
        let (packets, bytes) = (out.len() - before, out.byte_len() - bytes_before);
        if packets == 0 {
            return None;
        }
        self.traffic.sent(route, packets, bytes);
        self.ice.data_sent(now);
        Some(path)
    }

    /// Ends DTLS; what that puts on the wire is still to be polled.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.told = Told::CLOSED;
    }

    /// What one that has ended owes to its peer on `route`, and to its servers.
    pub(super) fn poll_farewell(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
        route: Option<FiveTuple>,
    ) -> Option<FiveTuple> {
        if let Some(route) = route {
            let (before, dtls) = (out.len(), &mut self.dtls);
            let path = self
                .servers
                .send(route, out, |out| dtls.write_close(now, out));
            if out.len() > before {
                return Some(path);
            }
        }
        self.servers.close(now);
        self.servers.poll_transmit(now, out)
    }

    /// Lets go of what a closed transport needs no more.
    pub(super) fn free(&mut self) {
        self.dtls.free();
        self.rtp = None;
        self.ice.close();
    }

    /// The states now.
    pub(super) fn states(&self) -> Told {
        if self.closing {
            return Told::CLOSED;
        }
        Told {
            ice: ice_state(self.ice.state()),
            dtls: self.dtls.state(),
        }
    }
}

/// Whether the agent can use these.
///
/// # Errors
///
/// `InvalidAccessError`.
pub(super) fn credentials(plan: &IceCredentials) -> Result<ice::Credentials, Error> {
    ice::Credentials::new(&*plan.ufrag, &*plan.pwd)
        .map_err(|error| Error::InvalidAccess(error.to_string().into()))
}

fn is_same(known: &ice::Credentials, plan: &IceCredentials) -> bool {
    known.ufrag == plan.ufrag && known.pwd == plan.pwd
}

fn ice_state(state: ice::State) -> IceTransportState {
    match state {
        ice::State::New => IceTransportState::New,
        ice::State::Checking => IceTransportState::Checking,
        ice::State::Connected => IceTransportState::Connected,
        ice::State::Completed => IceTransportState::Completed,
        ice::State::Disconnected => IceTransportState::Disconnected,
        ice::State::Failed => IceTransportState::Failed,
        ice::State::Closed => IceTransportState::Closed,
    }
}

fn role(controlling: bool) -> ice::Role {
    if controlling {
        ice::Role::Controlling
    } else {
        ice::Role::Controlled
    }
}
