//! The transports of a connection: made, changed and ended as negotiation plans.
//!
//! A session that bundles has one. One that does not has one for each m-section, and a max-compat or
//! balanced offer has several until the answer bundles (RFC 9429 §4.1.1).

mod gather;
mod paths;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use pc_dtls::{self as dtls, Certificate};
use pc_ice as ice;
use pc_jsep::{TransportId, TransportPlan};
use pc_proto::{FiveTuple, Protocol, TransmitBuf};
use pc_rtp_session as rtp;
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

use super::{
    Event, Rejected, WallClock,
    data::Data,
    dtls_transport::DtlsParameters,
    hosts::Hosts,
    pool::Pool,
    rtp_transport::RtpTransport,
    servers::{IceServer, Servers},
    transport::{Told, Transport, credentials},
};
use crate::{
    Error,
    state::{DtlsTransportState, IceGatheringState, IceTransportState},
};

use paths::Paths;
pub(crate) use paths::receiver_ufrag;

/// More than any application has m-sections that it does not bundle.
const MAX_TRANSPORTS: usize = 256;

/// How many closed transports may wait to say goodbye; beyond it the oldest goes without.
const MAX_LEAVING: usize = 16;

pub(super) struct Transports {
    list: Vec<Transport>,
    leaving: VecDeque<Leaving>,
    /// Transports that have ended since the last events, with the states that were told.
    ended: Vec<(TransportId, Told)>,
    paths: Paths,
    /// Whose turn it is to send.
    turn: usize,
    gathering: IceGatheringState,
    certificate: Certificate,
    cname: String,
    wall_clock: Option<WallClock>,
    ice_lite: bool,
    servers: Arc<[IceServer]>,
    /// Those who ask the servers, so far.
    askers: u32,
    pub(super) pool: Pool,
    pub(super) hosts: Arc<Hosts>,
    /// Makes the ids of candidates in statistics, which say nothing of addresses.
    pub(super) id_key: u64,
    rng: ChaCha12Rng,
}

/// A transport that is closed while the connection lives, and owes its peer a close_notify, or its
/// servers what they have allocated.
struct Leaving {
    /// Where the peer is, if DTLS has come so far that it is to be told.
    route: Option<FiveTuple>,
    transport: Transport,
}

impl Transports {
    pub(super) fn new(
        certificate: Certificate,
        cname: String,
        wall_clock: Option<WallClock>,
        ice_lite: bool,
        hosts: Hosts,
        mut rng: ChaCha12Rng,
    ) -> Self {
        Self {
            list: Vec::new(),
            leaving: VecDeque::new(),
            ended: Vec::new(),
            paths: Paths::default(),
            turn: 0,
            gathering: IceGatheringState::New,
            certificate,
            cname,
            wall_clock,
            ice_lite,
            servers: Arc::new([]),
            askers: 0,
            pool: Pool::default(),
            hosts: Arc::new(hosts),
            id_key: rng.next_u64(),
            rng,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Transport> + Clone {
        self.list.iter()
    }

    pub(super) fn get(&self, id: TransportId) -> Option<&Transport> {
        self.list.iter().find(|it| it.id == id)
    }

    pub(super) fn get_mut(&mut self, id: TransportId) -> Option<&mut Transport> {
        self.list.iter_mut().find(|it| it.id == id)
    }

    /// Whether the transport needs its sockets.
    pub(super) fn contains(&self, id: TransportId) -> bool {
        self.get(id).is_some() || self.leaving.iter().any(|it| it.transport.id == id)
    }

    /// Whether these plans can be carried out.
    ///
    /// # Errors
    ///
    /// - `NotSupportedError`: a transport in use would need a new DTLS association (RFC 8842 §3.1),
    ///   or there are more than 256.
    /// - `InvalidAccessError`: no fingerprint can be verified, or credentials are malformed.
    pub(super) fn check(&self, plans: &[TransportPlan]) -> Result<(), Error> {
        if plans.len() > MAX_TRANSPORTS {
            let message = format!("{} transports: at most {MAX_TRANSPORTS}", plans.len());
            return Err(Error::NotSupported(message.into()));
        }
        for plan in plans {
            credentials(&plan.local)?;
            let Some(peer) = &plan.peer else { continue };
            let (ours, theirs) = (credentials(&peer.local)?, credentials(&peer.remote)?);
            // USERNAME has at most 508 bytes (RFC 8489 §14.3).
            if ours.ufrag.len() + theirs.ufrag.len() + 1 > 508 {
                let message = "a=ice-ufrag: too long together with ours";
                return Err(Error::InvalidAccess(message.into()));
            }
            let parameters = DtlsParameters::new(peer)?;
            if let Some(transport) = self.get(plan.id) {
                transport.dtls.check(&parameters)?;
            }
        }
        Ok(())
    }

    /// Makes the transports what the plans, which have been [checked](Self::check), say.
    pub(super) fn apply(
        &mut self,
        now: Instant,
        plans: &[TransportPlan],
        controlling: bool,
        events: &mut VecDeque<Event>,
    ) {
        self.end_others(plans, events);
        for (index, plan) in plans.iter().enumerate() {
            let position = self.list.iter().position(|it| it.id == plan.id);
            let position = position.unwrap_or_else(|| self.add(plan, controlling));
            // In the order of the plans.
            self.list.swap(index, position);
            if let Some(transport) = self.list.get_mut(index) {
                transport.apply(now, plan, controlling);
            }
        }
        self.paths.index(&self.list);
        self.follow_gathering(events);
    }

    /// What media of this transport run in.
    pub(super) fn rtp_session(&mut self, id: TransportId) -> Option<&mut rtp::Session> {
        Some(&mut self.get_mut(id)?.rtp.as_mut()?.session)
    }

    /// The same, for the first section of media.
    pub(super) fn rtp_session_or_new(
        &mut self,
        now: Instant,
        id: TransportId,
    ) -> Option<&mut rtp::Session> {
        let transport = self.list.iter_mut().find(|it| it.id == id)?;
        let rtp = transport.rtp.get_or_insert_with(|| {
            let clock = self.wall_clock.as_ref();
            let config = rtp::Config {
                unix_time: clock.map_or(Duration::ZERO, |clock| clock.unix_time(now)),
                seed: super::seed(&mut self.rng),
                cname: self.cname.clone(),
                ..rtp::Config::default()
            };
            Box::new(RtpTransport::new(now, config))
        });
        Some(&mut rtp.session)
    }

    /// What this side proves itself with.
    pub(super) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The time since the Unix epoch, as far as it is known.
    pub(super) fn unix_time(&self, now: Instant) -> Duration {
        let clock = self.wall_clock.as_ref();
        clock.map_or(Duration::ZERO, |clock| clock.unix_time(now))
    }

    /// RTP begins where DTLS has ended: the transports where it just does.
    pub(super) fn follow_keys(&mut self, now: Instant) -> Vec<TransportId> {
        let list = self.list.iter_mut();
        let begun = list.filter_map(|it| it.follow_keys(now).then_some(it.id));
        begun.collect()
    }

    /// Whether media can be encrypted on this transport.
    pub(super) fn has_keys(&self, id: TransportId) -> bool {
        let rtp = self.get(id).and_then(|it| it.rtp.as_ref());
        rtp.is_some_and(|it| it.has_keys())
    }

    /// Whether media could leave on this transport now.
    pub(super) fn can_send(&self, id: TransportId) -> bool {
        self.get(id).is_some_and(Transport::can_send_media)
    }

    pub(super) fn poll_rtp_event(&mut self) -> Option<rtp::Event> {
        let mut sessions = self.list.iter_mut().filter_map(|it| it.rtp.as_mut());
        sessions.find_map(|it| it.session.poll_event())
    }

    fn add(&mut self, plan: &TransportPlan, controlling: bool) -> usize {
        let seed = super::seed(&mut self.rng);
        let servers = self.new_servers();
        let certificate = self.certificate.clone();
        let roles = (controlling, self.ice_lite);
        let new = Transport::new(plan, roles, seed, servers, certificate);
        self.list.push(new);
        self.list.len() - 1
    }

    /// Ends the transports that no plan has: bundling has made them superfluous, or their m-sections
    /// are gone.
    fn end_others(&mut self, plans: &[TransportPlan], events: &mut VecDeque<Event>) {
        let is_planned = |it: &mut Transport| plans.iter().any(|plan| plan.id == it.id);
        let ended: Vec<_> = self.list.extract_if(.., |it| !is_planned(it)).collect();
        for transport in ended {
            self.ended.push((transport.id, transport.told));
            for path in transport.ice.paths() {
                if !self.list.iter().any(|it| it.ice.knows(path)) {
                    events.push_back(Event::PathForgotten(path));
                }
            }
            self.dismiss(transport);
        }
    }

    fn dismiss(&mut self, mut transport: Transport) {
        let route = transport.ice.route();
        let route = route.filter(|_| transport.dtls.is_connected());
        if route.is_some() || transport.servers.are_asked() {
            transport.close();
            transport.ice.close();
            if self.leaving.len() >= MAX_LEAVING {
                self.leaving.pop_front();
            }
            self.leaving.push_back(Leaving { route, transport });
        }
    }

    /// Adds a candidate that the peer has signaled after its description.
    ///
    /// # Errors
    ///
    /// `OperationError`: its address is of no use, or the peer has too many.
    pub(super) fn add_remote_candidate(
        &mut self,
        now: Instant,
        id: TransportId,
        candidate: &pc_sdp::Candidate,
    ) -> Result<(), Error> {
        let Some(transport) = self.get_mut(id) else {
            return Ok(());
        };
        transport
            .add_remote_candidate(now, candidate)
            .map_err(|error| Error::Operation(error.to_string().into()))
    }

    /// The peer has signaled that no more candidates are to come (RFC 8838 §13).
    pub(super) fn end_of_remote_candidates(&mut self, now: Instant, id: TransportId) {
        if let Some(transport) = self.get_mut(id) {
            transport.ice.end_of_remote_candidates(now);
        }
    }

    /// What the layers below have to tell, but their states.
    pub(super) fn poll_ice(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        let several = self.list.len() > 1;
        for transport in &mut self.list {
            transport.start_dtls(now);
            while let Some(event) = transport.ice.poll_event() {
                match event {
                    ice::Event::PathAuthenticated(path) => {
                        if several {
                            self.paths.authenticated(path, transport.id);
                        }
                        events.push_back(Event::PathAuthenticated(path));
                    }
                    ice::Event::PathConfirmed(path) => {
                        if several {
                            self.paths.confirmed(path, transport.id);
                        }
                        events.push_back(Event::PathConfirmed(path));
                    }
                    ice::Event::PathForgotten(path) => {
                        self.paths.forgotten(path, transport.id);
                        events.push_back(Event::PathForgotten(path));
                    }
                    ice::Event::SelectedPairChanged => transport.pair_changed = true,
                    _ => {}
                }
            }
        }
    }

    pub(super) fn poll_dtls_event(&mut self) -> Option<(TransportId, dtls::Event)> {
        let mut list = self.list.iter_mut();
        list.find_map(|it| Some((it.id, it.dtls.poll_event()?)))
    }

    /// A transport whose DTLS could not be started, or was given up, and of which that has not been
    /// told.
    pub(super) fn untold_broken(&self) -> impl Iterator<Item = TransportId> {
        let broken = self.list.iter().filter(|it| it.dtls.is_broken());
        broken
            .filter(|it| it.told.dtls != DtlsTransportState::Failed)
            .map(|it| it.id)
    }

    /// Those that m-sections run on: one that is kept beside, for the next answer may want it, is of
    /// no concern to the connection (W3C §4.3.3).
    pub(super) fn states(&self) -> impl Iterator<Item = Told> + Clone {
        let used = self.list.iter().filter(|it| !it.sections.is_empty());
        used.map(Transport::states)
    }

    pub(super) fn tell_ice(&mut self, events: &mut VecDeque<Event>) {
        for transport in &mut self.list {
            if std::mem::take(&mut transport.pair_changed) {
                events.push_back(Event::SelectedCandidatePairChange(transport.id));
            }
            let state = transport.states().ice;
            if std::mem::replace(&mut transport.told.ice, state) != state {
                events.push_back(Event::IceTransportStateChange(transport.id, state));
            }
        }
        let closed = IceTransportState::Closed;
        for (id, told) in &self.ended {
            if told.ice != closed {
                events.push_back(Event::IceTransportStateChange(*id, closed));
            }
        }
    }

    /// The second half of what [`tell_ice`](Self::tell_ice) begins.
    pub(super) fn tell_dtls(&mut self, events: &mut VecDeque<Event>) {
        for transport in &mut self.list {
            let state = transport.states().dtls;
            if std::mem::replace(&mut transport.told.dtls, state) != state {
                events.push_back(Event::DtlsTransportStateChange(transport.id, state));
            }
        }
        let closed = DtlsTransportState::Closed;
        for (id, told) in self.ended.drain(..) {
            if told.dtls != closed {
                events.push_back(Event::DtlsTransportStateChange(id, closed));
            }
        }
    }

    pub(super) fn handle_input<'d>(
        &mut self,
        now: Instant,
        route: FiveTuple,
        datagram: &'d mut [u8],
        data: &mut Data,
    ) -> Result<Option<rtp::Input<'d>>, Rejected> {
        if let Some(servers) = self.pool.servers_mut().find(|it| it.has_path(route)) {
            let passed = servers.handle_input(now, route, datagram)?;
            // Of peers nothing is known yet.
            return passed.map_or(Ok(None), |_| Err(Rejected::NoTransport));
        }
        let receiver = self.paths.receiver(&self.list, route, datagram);
        let transport = receiver.and_then(|index| self.list.get_mut(index));
        let transport = transport.ok_or(Rejected::NoTransport)?;
        let data = data.on(transport.id);
        transport.handle_input(now, route, datagram, data)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, data: &mut Data) {
        for servers in self.pool.servers_mut() {
            servers.handle_timeout(now);
        }
        for transport in &mut self.list {
            let data = data.on(transport.id);
            transport.handle_timeout(now, data);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let pool = self.pool.servers().filter_map(Servers::poll_timeout);
        let list = self.list.iter().filter_map(Transport::poll_timeout);
        list.chain(pool).min()
    }

    /// Serves the transports in turn, so that a busy one does not starve the others.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        out: &mut TransmitBuf<'_>,
        data: &mut Data,
    ) -> Option<FiveTuple> {
        while let Some(leaving) = self.leaving.front_mut() {
            let farewell = leaving.transport.poll_farewell(now, out, leaving.route);
            if farewell.is_some() {
                return farewell;
            }
            self.leaving.pop_front();
        }
        if let Some(path) = self.pool.poll_transmit(now, out) {
            return Some(path);
        }
        for offset in 0..self.list.len() {
            let index = (self.turn + offset) % self.list.len();
            let Some(transport) = self.list.get_mut(index) else {
                continue;
            };
            let data = data.on(transport.id);
            if let Some(route) = transport.poll_transmit(now, out, data) {
                self.turn = index + 1;
                return Some(route);
            }
        }
        None
    }

    /// Ends them all; what that puts on the wire is still to be polled.
    pub(super) fn close(&mut self) {
        self.list.iter_mut().for_each(Transport::close);
        self.pool.end();
    }

    /// Lets go of what a closed connection needs no more.
    pub(super) fn free(&mut self) {
        self.list.iter_mut().for_each(Transport::free);
        self.leaving = VecDeque::new();
        self.pool = Pool::default();
        self.paths = Paths::default();
    }
}

#[cfg(test)]
mod tests;
