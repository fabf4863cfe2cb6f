//! What is listened at for peers that connect (RFC 6544 §5.1).

use std::net::SocketAddr;

use pc_ice::TcpType;
use pc_net::{Framing, Listener, TcpOptions};

use super::{Driver, Owner};
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

impl Driver {
    /// Where TCP candidates are to be made for a transport whose UDP sockets are at `sockets`; binds
    /// what a private endpoint listens at.
    pub(super) fn tcp_addresses_for(
        &mut self,
        id: TransportId,
        sockets: &[SocketAddr],
        wanted: TcpCandidates,
    ) -> Vec<(TcpType, SocketAddr)> {
        let mut addresses = Vec::new();
        for socket in sockets {
            let mut any_port = *socket;
            any_port.set_port(0);
            if !addresses.contains(&any_port) {
                addresses.push(any_port);
            }
        }
        let is_of = |it: &Listening| it.transport.is_none_or(|other| other == id);
        if matches!(self.owner, Owner::Connection(_)) && !self.listeners.iter().any(is_of) {
            for tcp_type in [TcpType::Passive, TcpType::SimultaneousOpen] {
                if wanted.includes(tcp_type) {
                    let bound = addresses.iter().filter_map(|at| listen(*at, tcp_type));
                    self.listeners.extend(bound.map(|listener| Listening {
                        listener,
                        transport: Some(id),
                        tcp_type,
                    }));
                }
            }
        }
        let active = addresses.iter().map(|at| (TcpType::Active, *at));
        let listening = self.listeners.iter().filter(|it| is_of(it));
        let listening = listening.map(|it| (it.tcp_type, it.listener.local_addr()));
        active.chain(listening).collect()
    }
}

/// What cannot be bound is left out: addresses come and go.
fn listen(address: SocketAddr, tcp_type: TcpType) -> Option<Listener> {
    let options = TcpOptions {
        share_port: tcp_type == TcpType::SimultaneousOpen,
        ..TcpOptions::new(Framing::Rfc4571)
    };
    let bound = Listener::bind(address, options);
    bound
        .inspect_err(|error| tracing::debug!(%address, %error, "nothing to listen at"))
        .ok()
}
