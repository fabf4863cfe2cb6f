//! Candidates of this side, as they are found and announced.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use pc_jsep::TransportId;
use pc_proto::FiveTuple;
use pc_stun::TransactionId;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

use super::{
    super::{
        ConnectRequest, Event, gathering,
        names::{NameId, NameRequest},
        pool::PoolId,
        servers::{AskerId, IceServer, ServerRequest, Servers},
        transport::{Found, GatherPolicy, Transport},
    },
    Transports,
};
use crate::{IceCandidate, state::IceGatheringState};

impl Transports {
    /// The transports whose candidates are to be gathered.
    pub(in super::super) fn ungathered(&self) -> impl Iterator<Item = TransportId> {
        let wanting = self.list.iter().filter(|it| it.gathering.is_wanted());
        wanting.map(|it| it.id)
    }

    /// Begins to gather for one transport. All that wait begin together, so that the sum goes from
    /// "gathering" to "complete" once.
    pub(in super::super) fn gather(
        &mut self,
        now: Instant,
        id: TransportId,
        addresses: &[SocketAddr],
        policy: GatherPolicy,
        events: &mut VecDeque<Event>,
    ) {
        if self.get(id).is_some_and(|it| it.gathering.is_wanted()) {
            self.begin_gathering(events);
            self.pool.freeze();
            let is_new = self.get(id).is_some_and(|it| it.servers.are_unused());
            let ahead = is_new.then(|| self.pool.take(addresses)).flatten();
            let (servers, hosts) = (self.servers.clone(), self.hosts.clone());
            if let Some(transport) = self.get_mut(id) {
                transport.gathering.mark_under_way();
                transport.gather(now, addresses, &servers, &hosts, policy, ahead);
            }
        }
    }

    /// Begins to ask the servers from sockets that no transport has yet.
    pub(in super::super) fn gather_ahead(
        &mut self,
        now: Instant,
        addresses: &[SocketAddr],
        policy: GatherPolicy,
    ) -> PoolId {
        let (list, asker) = (policy.of(&self.servers), self.new_servers());
        let asked = policy.asked(&list, &self.hosts);
        self.pool.add(now, addresses, asker, asked)
    }

    pub(super) fn new_servers(&mut self) -> Servers {
        self.askers += 1;
        let seed = super::super::seed(&mut self.rng);
        Servers::new(AskerId(self.askers), ChaCha12Rng::from_seed(seed))
    }

    pub(in super::super) fn add_local_address(
        &mut self,
        now: Instant,
        id: TransportId,
        address: SocketAddr,
    ) {
        if let Some(transport) = self.get_mut(id) {
            transport.add_local_address(now, address);
        }
    }

    /// Of all transports: they may share sockets.
    pub(in super::super) fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        for transport in &mut self.list {
            transport.remove_local_address(now, address);
        }
        self.pool.remove_address(now, address);
    }

    /// Whether any transport has lost its network and found no other way.
    pub(in super::super) fn take_restart_wanted(&mut self) -> bool {
        let wanted = self.list.iter_mut().map(Transport::take_restart_wanted);
        wanted.fold(false, |any, wanted| any | wanted)
    }

    /// Announces what gathering has found.
    pub(in super::super) fn tell_found(
        &mut self,
        now: Instant,
        events: &mut VecDeque<Event>,
    ) -> Vec<(TransportId, Found)> {
        let (mut all, mut errors) = (Vec::new(), Vec::new());
        for transport in &mut self.list {
            transport.follow_servers(now, &mut errors);
            let errors = errors.drain(..).map(Box::new);
            events.extend(errors.map(Event::IceCandidateError));
            let Some(found) = transport.take_found(now) else {
                continue;
            };
            for candidate in &found.candidates {
                let text = candidate.to_string();
                events.push_back(transport.announce(text, &found.ufrag));
            }
            if found.has_ended {
                // The order is that of WebRTC §5.6: the end of this generation, the states, then,
                // when all have ended, null.
                events.push_back(transport.announce(String::new(), &found.ufrag));
                let state = transport.gathering.state();
                events.push_back(Event::IceTransportGatheringStateChange(transport.id, state));
            }
            all.push((transport.id, found));
        }
        if all.iter().any(|(_, found)| found.has_ended) {
            self.follow_gathering(events);
        }
        all
    }

    /// The servers for what is gathered from now on.
    pub(in super::super) fn set_servers(&mut self, servers: Vec<IceServer>) {
        if *self.servers != *servers {
            self.servers = servers.into();
            self.pool.discard();
        }
    }

    pub(in super::super) fn set_host_name(&mut self, ip: IpAddr, name: &str) {
        Arc::make_mut(&mut self.hosts).set_name(ip, name);
        for transport in &mut self.list {
            transport.hosts = self.hosts.clone();
        }
    }

    pub(in super::super) fn set_networks(&mut self, networks: &[(IpAddr, pc_ice::Network)]) {
        if self.hosts.has_networks(networks) {
            return;
        }
        Arc::make_mut(&mut self.hosts).set_networks(networks);
        for transport in &mut self.list {
            transport.hosts = self.hosts.clone();
        }
    }

    pub(in super::super) fn poll_server_request(&mut self) -> Option<ServerRequest> {
        self.all_servers().find_map(Servers::poll_request)
    }

    pub(in super::super) fn poll_connect_request(&mut self) -> Option<ConnectRequest> {
        let asked = |it: &mut Transport| {
            let (transport, path) = (it.id, it.ice.poll_connect()?);
            Some(ConnectRequest { transport, path })
        };
        self.list.iter_mut().find_map(asked)
    }

    /// A stream to the peer has ended.
    pub(in super::super) fn connection_lost(&mut self, now: Instant, path: FiveTuple) {
        for transport in &mut self.list {
            transport.ice.connection_lost(now, path);
        }
    }

    pub(in super::super) fn poll_name_request(&mut self) -> Option<NameRequest> {
        self.list.iter_mut().find_map(|it| it.names.poll_request())
    }

    pub(in super::super) fn name_resolved(&mut self, now: Instant, id: NameId, ip: Option<IpAddr>) {
        if let Some(transport) = self.get_mut(id.transport) {
            transport.name_resolved(now, id, ip);
        }
    }

    /// The servers that an asker asks.
    pub(in super::super) fn servers_of(&mut self, id: AskerId) -> Option<&mut Servers> {
        self.all_servers().find(|it| it.id() == id)
    }

    /// The open transactions with servers.
    pub(in super::super) fn server_transactions(&self) -> impl Iterator<Item = TransactionId> {
        let list = self.list.iter().map(|it| &it.servers);
        let all = list.chain(self.pool.servers());
        all.flat_map(Servers::transactions)
    }

    /// Whether a server is asked from this address, or is yet to be told of the end.
    pub(in super::super) fn ask_servers_from(&self, local: SocketAddr) -> bool {
        let leaving = self.leaving.iter().map(|it| &it.transport);
        let mut all = self.list.iter().chain(leaving);
        let mut ahead = self.pool.servers();
        all.any(|it| it.servers.ask_from(local)) || ahead.any(|it| it.ask_from(local))
    }

    /// Those of the pool, too.
    pub(in super::super) fn all_servers(&mut self) -> impl Iterator<Item = &mut Servers> {
        let list = self.list.iter_mut().map(|it| &mut it.servers);
        list.chain(self.pool.servers_mut())
    }

    fn begin_gathering(&mut self, events: &mut VecDeque<Event>) {
        for transport in self.list.iter_mut().filter(|it| it.gathering.is_wanted()) {
            if transport.gathering.begin() {
                let state = transport.gathering.state();
                events.push_back(Event::IceTransportGatheringStateChange(transport.id, state));
            }
        }
        self.follow_gathering(events);
    }

    /// "Update the ICE gathering state", WebRTC §4.4.3.
    pub(super) fn follow_gathering(&mut self, events: &mut VecDeque<Event>) {
        let state = gathering::sum(self.list.iter().map(|it| it.gathering.state()));
        if self.gathering == state {
            return;
        }
        self.gathering = state;
        events.push_back(Event::IceGatheringStateChange(state));
        if state == IceGatheringState::Complete {
            events.push_back(Event::IceCandidate(None));
        }
    }

    pub(in super::super) fn gathering_state(&self) -> IceGatheringState {
        self.gathering
    }
}

impl Transport {
    /// A candidate for signaling; an empty one ends the generation.
    fn announce(&self, candidate: String, ufrag: &str) -> Event {
        let section = self.sections.first();
        Event::IceCandidate(Some(Box::new(IceCandidate {
            candidate,
            sdp_mid: section.map(|section| section.mid.clone()),
            sdp_m_line_index: section.and_then(|it| u16::try_from(it.index).ok()),
            username_fragment: Some(ufrag.to_owned()),
        })))
    }
}
