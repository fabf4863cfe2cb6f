//! Names for the addresses of sockets, where these are hidden.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use pc_net::mdns::Registration;

use super::{
    super::{inbox::Key, reach::Reach},
    Driver,
};
use crate::engine;

/// The names of a connection's addresses.
#[derive(Default)]
pub(super) struct HostNames(HashMap<IpAddr, HostName>);

enum HostName {
    Awaited,
    /// Answered for as long as this is held.
    Known(#[allow(dead_code, reason = "held")] Registration),
    /// There is no multicast DNS.
    Missing,
}

impl HostNames {
    /// Whether an address has the name that it can have, if it is to have one; sees to it otherwise.
    pub(super) fn has(
        &mut self,
        reach: &mut Reach,
        key: Key,
        engine: &engine::Connection,
        ip: IpAddr,
    ) -> bool {
        if !engine.hides_host_addresses() {
            return true;
        }
        let name = self.0.entry(ip).or_insert_with(|| {
            reach.name(key, ip);
            HostName::Awaited
        });
        !matches!(name, HostName::Awaited)
    }

    /// An address was given its name, or has none.
    pub(super) fn take(
        &mut self,
        engine: &mut engine::Connection,
        ip: IpAddr,
        registration: Option<Registration>,
    ) {
        let name = match registration {
            Some(registration) => {
                engine.set_host_name(ip, registration.name().as_str());
                HostName::Known(registration)
            }
            None => HostName::Missing,
        };
        self.0.insert(ip, name);
    }

    fn are_awaited(&self) -> bool {
        let mut names = self.0.values();
        names.any(|it| matches!(it, HostName::Awaited))
    }
}

impl Driver {
    /// Whether all of these addresses [have their names](HostNames::has).
    pub(super) fn are_named(
        &mut self,
        key: Key,
        engine: &engine::Connection,
        addresses: &[SocketAddr],
    ) -> bool {
        let Some(driven) = self.connections.get_mut(&key) else {
            return true;
        };
        let (names, reach) = (&mut driven.names, &mut self.reach);
        // Every one is asked for at once.
        let lacks = |address: &&SocketAddr| !names.has(reach, key, engine, address.ip());
        addresses.iter().filter(lacks).count() == 0
    }

    /// Whether a connection waits for names.
    pub(super) fn awaits_names(&self, key: Key) -> bool {
        let driven = self.connections.get(&key);
        driven.is_some_and(|it| it.names.are_awaited())
    }
}
