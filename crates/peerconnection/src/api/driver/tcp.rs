//! What is listened at for peers that connect (RFC 6544 §5.1).

use std::net::{IpAddr, SocketAddr};

use pc_ice::TcpType;
use pc_net::{Framing, Listener, TcpOptions};

use super::{super::reach::DISCARD, Driver, Owner};
use crate::{TcpCandidates, engine::TransportId};

/// A listening socket, and the transport that it was bound for; `None` for any.
pub(in super::super) struct Listening {
    pub(super) listener: Listener,
    pub(super) transport: Option<TransportId>,
    tcp_type: TcpType,
}

impl Listening {
    /// For all connections of an endpoint.
    pub(in super::super) fn shared(listener: Listener) -> Self {
        Self {
            listener,
            transport: None,
            tcp_type: TcpType::Passive,
        }
    }
}

/// Where TCP candidates are to be made for a transport whose UDP sockets are at `sockets`; binds what is
/// to be listened at, unless it is an endpoint's, which is given.
pub(super) fn tcp_addresses(
    listeners: &mut Vec<Listening>,
    owner: &Owner,
    id: TransportId,
    sockets: &[SocketAddr],
    wanted: TcpCandidates,
) -> Vec<(TcpType, SocketAddr)> {
    let mut all = Vec::new();
    for socket in sockets {
        let mut active = *socket;
        active.set_port(DISCARD);
        if !all.contains(&(TcpType::Active, active)) {
            all.push((TcpType::Active, active));
        }
    }
    if matches!(owner, Owner::Connection(_)) {
        for (_, active) in &all {
            for tcp_type in [TcpType::Passive, TcpType::SimultaneousOpen] {
                let is_there = |it: &Listening| {
                    let ip = it.listener.local_addr().ip();
                    it.transport == Some(id) && it.tcp_type == tcp_type && ip == active.ip()
                };
                if wanted.includes(tcp_type) && !listeners.iter().any(is_there) {
                    listeners.extend(listen(*active, tcp_type).map(|listener| Listening {
                        listener,
                        transport: Some(id),
                        tcp_type,
                    }));
                }
            }
        }
    }
    let own = listeners
        .iter()
        .filter(|it| it.transport.is_none_or(|other| other == id));
    all.extend(own.map(|it| (it.tcp_type, it.listener.local_addr())));
    all
}

impl Driver {
    /// What is not listened at any more, for these addresses are gone, and what nothing connects from.
    pub(super) fn lose_tcp_addresses(&mut self, gone: &[IpAddr]) -> Vec<SocketAddr> {
        let is_gone = |it: &mut Listening| gone.contains(&it.listener.local_addr().ip());
        let lost = self.listeners.extract_if(.., is_gone);
        let mut lost: Vec<_> = lost.map(|it| it.listener.local_addr()).collect();
        lost.extend(gone.iter().map(|ip| SocketAddr::new(*ip, DISCARD)));
        lost
    }
}

/// What cannot be bound is left out: addresses come and go.
fn listen(mut address: SocketAddr, tcp_type: TcpType) -> Option<Listener> {
    address.set_port(0);
    let options = TcpOptions {
        share_port: tcp_type == TcpType::SimultaneousOpen,
        ..TcpOptions::new(Framing::Rfc4571)
    };
    let bound = Listener::bind(address, options);
    bound
        .inspect_err(|error| tracing::debug!(%address, %error, "nothing to listen at"))
        .ok()
}
