//! The candidates of one transport: of its sockets, of servers, and those of the peer that have names.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use pc_ice as ice;
use pc_sdp::Word;

use super::{
    super::{
        hosts::{Hosts, nowhere},
        names::NameId,
        servers::{Asked, IceCandidateError, IceServer, Origin, Servers, Told},
    },
    Transport,
};
use crate::state::IceGathererState;

/// How candidates are gathered from now on.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct GatherPolicy {
    /// `iceTransportPolicy`: those of relays alone.
    pub(in super::super) is_relay_only: bool,
    /// How long servers are waited for.
    pub(in super::super) patience: Duration,
    /// Whether allocations are to move to other sockets.
    pub(in super::super) moves_relays: bool,
    /// Whether TURN servers are to relay connections (RFC 6062).
    pub(in super::super) relays_tcp: bool,
}

impl GatherPolicy {
    /// The servers to ask: what others than relays would find is not told.
    pub(in super::super) fn of(self, servers: &Arc<[IceServer]>) -> Arc<[IceServer]> {
        if !self.is_relay_only {
            return servers.clone();
        }
        let relays = servers.iter().filter(|it| it.uri.scheme().is_turn());
        relays.cloned().collect()
    }

    /// How to ask them.
    pub(in super::super) fn asked<'a>(
        self,
        servers: &'a Arc<[IceServer]>,
        hosts: &Hosts,
    ) -> Asked<'a> {
        Asked {
            servers,
            patience: self.patience,
            moves_relays: self.moves_relays,
            relays_tcp: self.relays_tcp,
            hides_addresses: self.is_relay_only || hosts.hides(),
        }
    }
}

/// What gathering has found.
pub(in super::super) struct Found {
    pub(in super::super) ufrag: String,
    pub(in super::super) candidates: Vec<pc_sdp::Candidate>,
    /// No more will come.
    pub(in super::super) has_ended: bool,
}

impl Transport {
    /// What the driver knows of the name of a remote candidate.
    pub(in super::super) fn name_resolved(&mut self, now: Instant, id: NameId, ip: Option<IpAddr>) {
        let ufrag = self.ice.remote_credentials().map(|it| it.ufrag.as_str());
        if let Some(candidate) = self.names.resolved(id, ip, ufrag) {
            // One too many, or one of no use, is no reason to fail.
            let _ = self.add_remote_candidate(now, &candidate);
        }
    }

    /// Begins to gather: makes host candidates of the addresses of our sockets, unless only relayed
    /// ones are wanted, and asks the servers from there.
    pub(in super::super) fn gather(
        &mut self,
        now: Instant,
        addresses: &[SocketAddr],
        servers: &Arc<[IceServer]>,
        hosts: &Arc<Hosts>,
        policy: GatherPolicy,
        ahead: Option<Servers>,
    ) {
        let is_relay_only = policy.is_relay_only;
        self.is_relay_only = is_relay_only;
        self.hosts = hosts.clone();
        if !is_relay_only {
            for address in addresses {
                // Known already after a restart, which keeps the candidates.
                let candidate = self.of_its_network(ice::Candidate::host(*address));
                let _ = self.ice.add_local_candidate(now, candidate);
            }
            for (tcp_type, address) in std::mem::take(&mut self.tcp) {
                let kind = ice::CandidateKind::Host;
                let candidate = ice::Candidate::tcp(kind, address, tcp_type);
                let candidate = self.of_its_network(candidate);
                let _ = self.ice.add_local_candidate(now, candidate);
            }
        }
        // A restart signals those again that are known.
        self.found = self.known_candidates().cloned().collect();
        let list = policy.of(servers);
        // Those of servers that are not asked any more serve until they end, and are not told again.
        let of_old = |found: &ice::Candidate| {
            let origin = self.origins.get(&found.address);
            origin.is_some_and(|it| !list.iter().any(|server| server.uri.to_string() == it.url))
        };
        self.found.retain(|found| !of_old(found));
        let asked = policy.asked(&list, hosts);
        if let Some(ahead) = ahead {
            self.servers = ahead;
            self.servers.go_on(now, asked, addresses);
        } else {
            self.servers.gather(now, asked, addresses);
        }
    }

    /// A host candidate, with the network that its address is of.
    pub(super) fn of_its_network(&self, candidate: ice::Candidate) -> ice::Candidate {
        ice::Candidate {
            network: self.hosts.network(candidate.address.ip()),
            ..candidate
        }
    }

    /// Takes what the servers have found in.
    pub(in super::super) fn follow_servers(
        &mut self,
        now: Instant,
        errors: &mut Vec<IceCandidateError>,
    ) {
        while let Some(told) = self.servers.poll_told() {
            match told {
                Told::Found(mut candidate, origin) => {
                    if self.is_relay_only {
                        // RFC 8839 §5.1, for those who must not tell where they are.
                        candidate.related_address = Some(nowhere(candidate.address));
                    }
                    candidate.network = self.hosts.network(origin.base);
                    let address = candidate.address;
                    if let Some(added) = self.ice.add_local_candidate(now, candidate) {
                        self.origins.insert(added.address, origin);
                        self.look_again(now);
                        self.found.push(added);
                    } else {
                        self.tell_public(address);
                    }
                }
                Told::Lost(relayed) => {
                    self.origins.remove(&relayed);
                    self.found.retain(|found| found.address != relayed);
                    self.lose_candidates(now, relayed);
                }
                Told::Connected(route) => self.ice.connected(now, route, route.local),
                Told::NotConnected(route) => self.ice.connect_failed(now, route),
                Told::ConnectionLost(route) => self.ice.connection_lost(now, route),
                Told::Error(error) => errors.push(*error),
            }
        }
        self.servers.serve(now, &self.ice);
    }

    /// A candidate was redundant: a server saw the socket at this address under that.
    fn tell_public(&mut self, address: SocketAddr) {
        let is_host = |it: &&ice::Candidate| {
            let is_udp = it.transport == pc_proto::Transport::Udp;
            is_udp && it.address == address && it.kind == ice::CandidateKind::Host
        };
        let host = self.ice.local_candidates().find(is_host);
        let public = host.and_then(|host| self.hosts.public(host));
        if let Some(public) = public.filter(|it| !self.public.contains(it)) {
            self.found.push(public.clone());
            self.public.push(public);
        }
    }

    /// The server that a local candidate is from.
    pub(in super::super) fn origin_of(&self, candidate: &ice::Candidate) -> Option<&Origin> {
        self.origins.get(&candidate.address)
    }

    /// What has been found since the last call, and whether that was all. `None`: nothing is new.
    pub(in super::super) fn take_found(&mut self, now: Instant) -> Option<Found> {
        let is_gathering = self.gathering.state() == IceGathererState::Gathering;
        if self.gathering.is_wanted() {
            // Those that wait for their sockets count as gathering, too.
            return None;
        }
        if !is_gathering {
            self.found.clear();
            return None;
        }
        let has_ended = self.servers.are_done();
        if has_ended {
            self.ice.end_of_local_candidates(now);
            self.servers.end_gathering();
            self.gathering.end();
        }
        let found = std::mem::take(&mut self.found);
        (has_ended || !found.is_empty()).then(|| Found {
            ufrag: self.local.ufrag.clone(),
            candidates: self.written(found.iter()),
            has_ended,
        })
    }

    /// The local candidates as they are signaled.
    pub(in super::super) fn local_candidates(&self) -> Vec<pc_sdp::Candidate> {
        self.written(self.known_candidates())
    }

    /// The local candidates as they are.
    pub(in super::super) fn known_candidates(&self) -> impl Iterator<Item = &ice::Candidate> {
        self.ice.local_candidates().chain(&self.public)
    }

    fn written<'a>(
        &self,
        candidates: impl Iterator<Item = &'a ice::Candidate>,
    ) -> Vec<pc_sdp::Candidate> {
        let ufrag = Word::new(self.local.ufrag.as_str()).ok();
        let told = |found| self.hosts.told(found, ufrag.as_ref());
        // Others may be left from a time with another policy.
        let is_relayed = |it: &&ice::Candidate| it.kind == ice::CandidateKind::Relayed;
        candidates
            .filter(|it| !self.is_relay_only || is_relayed(it))
            .filter_map(told)
            .collect()
    }
}
