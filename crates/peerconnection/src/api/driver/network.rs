//! Interfaces that come and go while a connection lives.

use std::{net::IpAddr, time::Duration};

use pc_net::{Change, InterfaceWatch};

use super::{super::endpoint::is_wanted, Driver};
use crate::clock;

/// How often the interfaces are looked at, which takes tens of microseconds. What a pair needs to take
/// over comes on top: together less than two seconds.
const INTERVAL: Duration = Duration::from_millis(500);

/// Interfaces as they were when sockets were first bound, and as they are now.
#[derive(Default)]
pub(super) struct Network {
    watch: Option<InterfaceWatch>,
}

impl Network {
    /// Begins to look.
    pub(super) fn begin(&mut self) {
        if self.watch.is_none() {
            let watch = InterfaceWatch::every(INTERVAL);
            self.watch = watch
                .inspect_err(|error| tracing::warn!(%error, "changes of network go unnoticed"))
                .ok();
        }
    }

    /// The next change; never, where nobody looks.
    pub(super) async fn changed(&mut self) -> Change {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    fn has(&self, ip: IpAddr) -> bool {
        let watch = self.watch.as_ref();
        watch.is_some_and(|watch| watch.known().iter().any(|one| one.ip == ip))
    }
}

impl Driver {
    /// Closes the sockets whose addresses are gone, and binds some on those that have come.
    pub(super) fn follow_interfaces(&mut self, change: &Change) {
        let Some(hosts) = self.sockets.hosts() else {
            return;
        };
        // One that has moved to another interface is still there.
        let gone = change.removed.iter().map(|one| one.ip);
        let gone: Vec<_> = gone.filter(|ip| !self.network.has(*ip)).collect();
        let come = change.added.iter().filter(|one| is_wanted(hosts, one));
        let come: Vec<_> = come.map(|one| one.ip).collect();
        let changed = change.removed.iter().chain(&change.added);
        self.networks.forget(changed.map(|one| one.ip));
        if !(gone.is_empty() && come.is_empty()) {
            tracing::info!(?gone, ?come, "the network has changed");
            self.lose_addresses(&gone);
            self.gain_addresses(&come);
        }
    }

    pub(super) fn lose_addresses(&mut self, gone: &[IpAddr]) {
        let lost = self.sockets.lose(gone);
        for driven in self.connections.values_mut().filter(|_| !lost.is_empty()) {
            driven.lose_addresses(&lost, &mut self.turns);
        }
    }

    /// For each transport that has gathered. One that is yet to do so finds them by itself.
    pub(super) fn gain_addresses(&mut self, come: &[IpAddr]) {
        let (sockets, reach) = (&mut self.sockets, &mut self.reach);
        let networks = self.networks.of(come);
        for driven in self.connections.values_mut() {
            let key = driven.shared.key;
            let now = clock::now();
            let mut inner = driven.shared.lock();
            // An address that is to be hidden is used once it has a name.
            let is_named = |ip: &IpAddr| driven.names.has(reach, key, &inner.engine, *ip);
            let come: Vec<_> = come.iter().copied().filter(is_named).collect();
            inner.engine.set_networks(&networks);
            let waiting: Vec<_> = inner.engine.ungathered_transports().collect();
            let transports = inner.engine.transports().map(|transport| transport.id());
            let gathered: Vec<_> = transports.filter(|id| !waiting.contains(id)).collect();
            let pairs = gathered
                .iter()
                .flat_map(|id| come.iter().map(|ip| (*id, *ip)));
            for (id, ip) in sockets
                .pooled()
                .iter()
                .flat_map(|id| come.iter().map(|ip| (*id, *ip)))
            {
                if let Some(address) = sockets.bind_pooled(id, ip) {
                    inner.engine.add_pooled_address(now, id, address);
                }
            }
            for (id, ip) in pairs {
                let Some(address) = sockets.bind(id, ip) else {
                    continue;
                };
                inner.engine.add_local_address(now, id, address);
                let wanted = inner.engine.tcp_candidates();
                for tcp in sockets.tcp_addresses(id, &[address], wanted) {
                    inner.engine.add_tcp_address(now, id, tcp);
                }
            }
            driven.shared.publish(&mut inner);
            drop(inner);
            driven.give_turn(&mut self.turns);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
