//! Addresses of this machine that come and go after gathering.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice as ice;

use super::Transport;
use crate::state::IceGathererState;

/// How long another pair has to answer, once there is an address to try it from, before ICE is to be
/// restarted: as long as a few round trips and a lost check take, and short enough for the restart
/// to be under way two seconds after the loss.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// What becomes of the loss of the address in use.
///
/// ```text
///             the address in use goes               RESTART_AFTER
///   Settled ──────────────────────────► Looking ────────────────────► restart is wanted
///      ▲                                  │  ▲ an address comes
///      └────────── a pair answers ────────┘──┘
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NetworkChange {
    looking: Option<Looking>,
    is_restart_wanted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Looking {
    lost_at: Instant,
    /// `None` while there is no address to look from.
    until: Option<Instant>,
}

impl NetworkChange {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.looking?.until
    }
}

impl Transport {
    /// A socket on an address that came after gathering. While candidates are gathered it is told as
    /// one of them; later it is used without, for the end of candidates was told
    /// ([WebRTC §5.6.2](https://www.w3.org/TR/webrtc/#rtcicegathererstate)): the peer learns it from
    /// checks (RFC 8445 §7.3.1.3). The next restart tells it.
    ///
    /// The servers are asked from there at once, so that what they find is there for the pair that takes
    /// over, or else for the restart.
    pub(in super::super) fn add_local_address(&mut self, now: Instant, address: SocketAddr) {
        self.add_local_candidate(now, ice::Candidate::host(address));
        if !self.gathering.is_wanted() {
            self.servers.add_base(now, address);
            let relay = self.ice.route().map(|route| route.local);
            if relay.is_some_and(|relay| self.servers.is_unsettled(relay)) {
                self.look_again(now);
            }
        }
    }

    fn add_local_candidate(&mut self, now: Instant, candidate: ice::Candidate) {
        if self.gathering.is_wanted() || self.is_relay_only {
            return;
        }
        let candidate = self.of_its_network(candidate);
        let Some(added) = self.ice.add_local_candidate(now, candidate) else {
            return;
        };
        if self.gathering.state() == IceGathererState::Gathering {
            self.found.push(added);
        }
        if let Some(looking) = &mut self.network.looking {
            looking.until = Some(now + RESTART_AFTER);
        }
    }

    /// A server has found a candidate. Where there was none at all, another pair may begin there.
    pub(super) fn look_again(&mut self, now: Instant) {
        if let Some(looking) = &mut self.network.looking {
            looking.until.get_or_insert(now + RESTART_AFTER);
        }
    }

    /// The same of TCP.
    pub(in super::super) fn add_tcp_address(
        &mut self,
        now: Instant,
        (tcp_type, address): (ice::TcpType, SocketAddr),
    ) {
        let candidate = ice::Candidate::tcp(ice::CandidateKind::Host, address, tcp_type);
        self.add_local_candidate(now, candidate);
    }

    /// The socket at an address is gone, with the candidates that depend on it.
    pub(in super::super) fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        self.found
            .retain(|found| found.address != address && found.related_address != Some(address));
        self.public.retain(|public| public.address != address);
        self.lose_candidates(now, address);
        self.servers.socket_lost(now, address);
        self.wait_for_relay(now);
    }

    /// The relay in use may have lost its socket: on another one it has as long to answer as another pair.
    fn wait_for_relay(&mut self, now: Instant) {
        let relay = self.ice.route().map(|route| route.local);
        if relay.is_some_and(|relay| self.servers.is_unsettled(relay)) {
            self.network.looking = Some(Looking {
                lost_at: now,
                until: Some(now + RESTART_AFTER),
            });
        }
        if let Some(looking) = &mut self.network.looking
            && self.servers.are_stranded()
        {
            looking.until = None;
        }
    }

    /// Whether the relay in use has answered from another socket.
    fn has_relay_moved(&self) -> bool {
        let route = self.ice.route();
        route.is_some_and(|route| {
            self.servers.is_relayed(route.local) && !self.servers.is_unsettled(route.local)
        })
    }

    /// The candidates that depend on an address are gone, whether a socket had it or a relay.
    pub(super) fn lose_candidates(&mut self, now: Instant, address: SocketAddr) {
        let before = self.ice.route();
        self.ice.remove_local_address(now, address);
        let has_more = self.ice.local_candidates().next().is_some();
        if before.is_some_and(|route| !self.ice.has_local(route)) {
            self.network.looking = Some(Looking {
                lost_at: now,
                until: has_more.then_some(now + RESTART_AFTER),
            });
        } else if let Some(looking) = &mut self.network.looking
            && !has_more
        {
            looking.until = None;
        }
    }

    pub(super) fn follow_network(&mut self, now: Instant) {
        let Some(looking) = self.network.looking else {
            return;
        };
        if self.ice.has_answer_since(looking.lost_at) || self.has_relay_moved() {
            self.network.looking = None;
        } else if looking.until.is_some_and(|until| until <= now) {
            self.network.looking = None;
            self.network.is_restart_wanted = self.peer.is_some();
        }
    }

    /// Whether the address in use is gone and no pair has taken over; says so once.
    pub(in super::super) fn take_restart_wanted(&mut self) -> bool {
        std::mem::take(&mut self.network.is_restart_wanted)
    }
}
