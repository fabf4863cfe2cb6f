//! From candidates to pairs (RFC 8445 §6.1.2).

use std::{net::SocketAddr, time::Instant};

use pc_proto::{FiveTuple, Transport};

use super::Agent;
use crate::{
    Credentials, Event,
    candidate::{can_pair, fnv, scoped},
    network::Merit,
    pair::{Pair, PairId, PairState},
    remotes::RemoteId,
    tcp::{DISCARD, Dial, Link, transports_pair},
};

impl Agent {
    /// The peer's credentials are known: from now on there is something to check.
    pub(super) fn begin_checks(&mut self, now: Instant, credentials: Credentials) {
        let ufrag = fnv(0, credentials.ufrag.as_bytes());
        self.current.set_remote(credentials);
        self.current.lost = false;
        self.current.patience_until = Some(now + self.timing.patience);
        let remotes: Vec<_> = self.current.remotes.iter().map(|(id, _)| id).collect();
        for remote in remotes {
            self.pair_remote(remote);
        }
        for received in self.current.early.take(ufrag) {
            self.check_received(now, received);
        }
    }

    pub(super) fn pair_local(&mut self, transport: Transport, base: SocketAddr) {
        let remotes: Vec<_> = self.current.remotes.iter().map(|(id, _)| id).collect();
        for remote in remotes {
            self.form_pair(transport, base, remote);
        }
    }

    /// An address that comes when a pair is nominated is that of another network: its pairs are worth
    /// a check, to be there when the one in use is gone, or to be better.
    pub(super) fn unpark_local(&mut self, base: SocketAddr) {
        if self.lite {
            return;
        }
        let pairs = self.current.checklist.iter();
        let parked =
            pairs.filter(|pair| pair.route.local == base && pair.state == PairState::Parked);
        for id in parked.map(|pair| pair.id).collect::<Vec<_>>() {
            self.current.checklist.trigger(id);
        }
    }

    pub(super) fn pair_remote(&mut self, remote: RemoteId) {
        let bases = self.locals.iter();
        let bases: Vec<_> = bases.map(|it| (it.candidate.transport, it.base)).collect();
        for (transport, base) in bases {
            self.form_pair(transport, base, remote);
        }
    }

    /// A peer-reflexive candidate has been signalled after all.
    pub(super) fn rank_remote(&mut self, remote: RemoteId) {
        let Some(candidate) = self.current.remotes.get(remote) else {
            return;
        };
        let candidate = candidate.clone();
        let checklist = &mut self.current.checklist;
        checklist.rank_remote(remote, candidate.priority, self.role);
        checklist.set_remote_cost(remote, candidate.network.cost);
        if let Some(path) = &mut self.path
            && path.generation == self.current.number
            && checklist
                .get(path.pair)
                .is_some_and(|pair| pair.remote == remote)
        {
            path.candidates.remote = candidate;
            self.push_event(Event::SelectedPairChanged);
        }
        self.pair_remote(remote);
    }

    /// Forms a pair of a base and a remote candidate, if they go together and it is new.
    pub(super) fn form_pair(
        &mut self,
        transport: Transport,
        base: SocketAddr,
        remote: RemoteId,
    ) -> Option<PairId> {
        // Those of a lite agent come of its peer's checks.
        if self.lite && !self.remote_lite {
            return None;
        }
        let candidate = self.current.remotes.get(remote)?;
        let local = &self.locals.at(transport, base)?.candidate;
        let together = can_pair(base, candidate.address) && transports_pair(local, candidate);
        let dial = Dial::Idle;
        let link = match transport {
            Transport::Tcp => Link::Dialed { base, dial },
            _ => Link::Datagrams,
        };
        together
            .then(|| self.pair_by(transport, base, remote, link))
            .flatten()
    }

    /// The same for two of which a check has shown that they go together (RFC 8445 §7.3.1.4), whatever
    /// their scopes: on one machine loopback hears from every address. A peer whose checks are answered
    /// may nominate that pair, and would wait for this side in vain.
    pub(super) fn pair_up(
        &mut self,
        transport: Transport,
        local: SocketAddr,
        remote: RemoteId,
    ) -> Option<PairId> {
        let link = match transport {
            Transport::Tcp => Link::Accepted { open: true },
            _ => Link::Datagrams,
        };
        self.pair_by(transport, local, remote, link)
    }

    fn pair_by(
        &mut self,
        transport: Transport,
        local: SocketAddr,
        remote: RemoteId,
        link: Link,
    ) -> Option<PairId> {
        self.current.remote.as_ref()?;
        let candidate = self.current.remotes.get(remote)?;
        let route = FiveTuple {
            transport,
            local,
            remote: scoped(local, candidate.address),
        };
        let local = self.locals.of(route)?;
        if let Some(known) = self.current.checklist.by_route(route) {
            return Some(known);
        }
        let foundation = fnv(
            fnv(0, local.candidate.foundation.as_bytes()),
            candidate.foundation.as_bytes(),
        );
        let mut pair = Pair::new(
            self.role,
            (route, link),
            foundation,
            local.candidate.priority,
            (remote, candidate.priority),
        );
        pair.local_cost = local.candidate.network.cost;
        pair.remote_cost = candidate.network.cost;
        let merit = pair.merit();
        let id = self.current.checklist.insert(pair)?;
        self.current
            .transactions
            .retain_pairs(&self.current.checklist);
        if self.lite {
            self.park_lite(id);
        } else if self.is_concluded_for(merit)
            && let Some(pair) = self.current.checklist.get_mut(id)
        {
            pair.state = PairState::Parked;
        } else {
            self.current.checklist.thaw_new(id);
        }
        Some(id)
    }

    /// Whether a nominated pair makes checks of one with this merit pointless.
    fn is_concluded_for(&self, merit: Merit) -> bool {
        let Some(selected) = self
            .current
            .selected
            .and_then(|id| self.current.checklist.get(id))
        else {
            return false;
        };
        let alive = self.path.is_some() && selected.silent_since.is_none();
        alive && merit < self.floor_beside(selected)
    }

    /// Removes everything that was sent from a local address.
    pub(super) fn drop_local(&mut self, now: Instant, base: SocketAddr) {
        let is_there = |path: FiveTuple| is_from(base, path);
        let current = &mut self.current;
        current.checklist.retain(|pair| !is_there(pair.route));
        current.transactions.retain_pairs(&current.checklist);
        let gone = |id: &PairId| current.checklist.get(*id).is_none();
        current.nominating = current.nominating.filter(|id| !gone(id));
        current.selected = current.selected.filter(|id| !gone(id));
        let lost: Vec<_> = self.paths.iter().filter(|path| is_there(*path)).collect();
        for path in lost {
            self.forget_path(path);
        }
        let used = self.path.as_ref().filter(|path| is_there(path.route));
        if let Some(generation) = used.map(|path| path.generation) {
            self.drop_path();
            self.grace = Some((now + self.timing.consent_expiry, generation));
            self.make_haste(now);
        }
    }
}

/// Whether a path begins at this base; that of an active candidate has any port.
fn is_from(base: SocketAddr, path: FiveTuple) -> bool {
    let is_active = base.port() == DISCARD && path.transport == Transport::Tcp;
    path.local == base || (is_active && path.local.ip() == base.ip())
}
