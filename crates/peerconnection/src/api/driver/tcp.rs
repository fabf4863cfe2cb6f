//! What is listened at for peers that connect (RFC 6544 §5.1).

use std::{
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
};

use pc_ice::TcpType;
use pc_net::{Framing, Listener, Stream, TcpOptions};

use super::super::reach::DISCARD;
use crate::{TcpCandidates, engine::TransportId};

/// The listening sockets.
#[derive(Default)]
pub(super) struct Listening(Vec<Bound>);

/// One of them, and the transport that it was bound for; `None` for any.
struct Bound {
    listener: Listener,
    transport: Option<TransportId>,
    tcp_type: TcpType,
}

impl Bound {
    fn address(&self) -> SocketAddr {
        self.listener.local_addr()
    }
}

impl Listening {
    /// For all connections of an endpoint.
    pub(super) fn shared(listeners: Vec<Listener>) -> Self {
        let bound = |listener| Bound {
            listener,
            transport: None,
            tcp_type: TcpType::Passive,
        };
        Self(listeners.into_iter().map(bound).collect())
    }

    /// Where TCP candidates are to be made for a transport whose UDP sockets are at `sockets`; `binds`
    /// what is to be listened at, or takes what there is.
    pub(super) fn addresses_for(
        &mut self,
        id: TransportId,
        sockets: &[SocketAddr],
        wanted: TcpCandidates,
        binds: bool,
    ) -> Vec<(TcpType, SocketAddr)> {
        let mut all = Vec::new();
        for socket in sockets {
            let mut active = *socket;
            active.set_port(DISCARD);
            if !all.contains(&(TcpType::Active, active)) {
                all.push((TcpType::Active, active));
            }
        }
        for (_, active) in all.iter().filter(|_| binds) {
            self.listen(id, *active, wanted);
        }
        let is_own = |it: &&Bound| it.transport.is_none_or(|other| other == id);
        let own = self.0.iter().filter(is_own);
        all.extend(own.map(|it| (it.tcp_type, it.address())));
        all
    }

    fn listen(&mut self, id: TransportId, at: SocketAddr, wanted: TcpCandidates) {
        for tcp_type in [TcpType::Passive, TcpType::SimultaneousOpen] {
            let is_there = |it: &Bound| {
                let ip = it.address().ip();
                it.transport == Some(id) && it.tcp_type == tcp_type && ip == at.ip()
            };
            if wanted.includes(tcp_type) && !self.0.iter().any(is_there) {
                self.0.extend(listener(at, tcp_type).map(|listener| Bound {
                    listener,
                    transport: Some(id),
                    tcp_type,
                }));
            }
        }
    }

    /// What is listened at.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(Bound::address)
    }

    /// What has been bound for transports that do not need it any more is closed.
    pub(super) fn release(&mut self, needs: impl Fn(TransportId) -> bool) {
        self.0.retain(|bound| bound.transport.is_none_or(&needs));
    }

    /// What is not listened at any more, for these addresses are gone, and what nothing connects from.
    pub(super) fn lose(&mut self, gone: &[IpAddr]) -> Vec<SocketAddr> {
        let is_gone = |it: &mut Bound| gone.contains(&it.address().ip());
        let lost = self.0.extract_if(.., is_gone);
        let mut lost: Vec<_> = lost.map(|it| it.address()).collect();
        lost.extend(gone.iter().map(|ip| SocketAddr::new(*ip, DISCARD)));
        lost
    }

    pub(super) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Stream> {
        for bound in &mut self.0 {
            if let Poll::Ready(stream) = bound.listener.poll_accept(cx) {
                return Poll::Ready(stream);
            }
        }
        Poll::Pending
    }
}

/// What cannot be bound is left out: addresses come and go.
fn listener(mut address: SocketAddr, tcp_type: TcpType) -> Option<Listener> {
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
