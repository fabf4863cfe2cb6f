//! The server on real sockets of loopback, with a NAT before it: its clients have another address there.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use pc_proto::{Batch, FiveTuple, Protocol};
use pc_stun::{Attribute, Class, MessageBuilder, MessageView, TransactionId};
use tokio::{
    net::UdpSocket,
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use crate::{
    relay::Relay,
    server::{Policy, Server},
};

/// Where the NAT has all of loopback.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// What forged answers say.
pub(crate) const FORGED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 66);

/// Allocations that there is room for.
const RELAYS: u16 = 12;

pub(crate) struct Live {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    server: Mutex<Server>,
    /// The server's own, and those of the relayed addresses.
    sockets: Vec<UdpSocket>,
    /// Of somebody else.
    stranger: UdpSocket,
    forges: AtomicBool,
    changed: Notify,
}

impl Live {
    pub(crate) async fn start(policy: Policy) -> Self {
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = own.local_addr().unwrap();
        let relays = relays().await;
        let first = relays[0].local_addr().unwrap();
        let relay = Relay::new([first, "[2001:db8::1]:49152".parse().unwrap()]);
        let policy = Policy {
            families: [true, false],
            ..policy
        };
        let inner = Arc::new(Inner {
            server: Mutex::new(Server::relaying(address, policy, relay)),
            sockets: std::iter::once(own).chain(relays).collect(),
            stranger,
            forges: AtomicBool::new(false),
            changed: Notify::new(),
        });
        let mut all = JoinSet::new();
        for at in 0..inner.sockets.len() {
            all.spawn(serve(inner.clone(), at));
        }
        // What one of them did not expect ends the test.
        let task = tokio::spawn(async move {
            all.join_next().await.unwrap().unwrap();
        });
        Self {
            address,
            inner,
            task,
        }
    }

    /// From now on, others answer each request before the server does: with another transaction from its
    /// address, and with the right one from another address.
    pub(crate) fn forge(&self) {
        self.inner.forges.store(true, Ordering::Relaxed);
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Server) -> T) -> T {
        look(&mut self.inner.server.lock().unwrap())
    }

    /// Once the server is as it should be.
    pub(crate) async fn until(&self, is_so: impl Fn(&Server) -> bool) {
        loop {
            let changed = self.inner.changed.notified();
            if self.with(|server| is_so(server)) {
                return;
            }
            assert!(!self.task.is_finished(), "the server has panicked");
            changed.await;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sockets with ports that follow each other, as the server gives them out.
async fn relays() -> Vec<UdpSocket> {
    'ports: loop {
        let first = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut all = vec![first];
        for next in 1..RELAYS {
            let Some(port) = port.checked_add(next) else {
                continue 'ports;
            };
            match UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(socket) => all.push(socket),
                Err(_) => continue 'ports,
            }
        }
        return all;
    }
}

async fn serve(inner: Arc<Inner>, at: usize) {
    let socket = &inner.sockets[at];
    let local = socket.local_addr().unwrap();
    let mut buffer = vec![0; 2000];
    loop {
        let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
        let datagram = &mut buffer[..len];
        if at == 0 && inner.forges.load(Ordering::Relaxed) {
            inner.forge_answers(from, datagram).await;
        }
        // Those who know a relayed address are where they are.
        let remote = if at == 0 {
            through_nat(from, OUTSIDE)
        } else {
            from
        };
        for (route, datagram) in inner.handle(FiveTuple::udp(local, remote), datagram) {
            let is_of = |it: &&UdpSocket| it.local_addr().unwrap() == route.local;
            let socket = inner.sockets.iter().find(is_of).unwrap();
            let to = through_nat(route.remote, Ipv4Addr::LOCALHOST);
            socket.send_to(&datagram, to).await.unwrap();
        }
        inner.changed.notify_waiters();
    }
}

fn through_nat(address: SocketAddr, to: Ipv4Addr) -> SocketAddr {
    (to, address.port()).into()
}

impl Inner {
    /// What the server says to a datagram.
    fn handle(&self, route: FiveTuple, datagram: &mut [u8]) -> Vec<(FiveTuple, Vec<u8>)> {
        let now = tokio::time::Instant::now().into_std();
        let mut server = self.server.lock().unwrap();
        server.handle_input(now, route, datagram).unwrap();
        let (mut batch, mut all) = (Batch::new(), Vec::new());
        while let Some(route) = server.poll_transmit(now, &mut batch.transmit_buf(1500, 1)) {
            all.extend(batch.datagrams().map(|it| (route, it.to_vec())));
        }
        all
    }

    async fn forge_answers(&self, to: SocketAddr, datagram: &[u8]) {
        let Ok(request) = MessageView::parse(datagram) else {
            return;
        };
        let TransactionId(id) = request.transaction_id();
        let mut other = id;
        other[11] ^= 1;
        for (socket, id) in [(&self.sockets[0], other), (&self.stranger, id)] {
            let mut bytes = [0; 100];
            let (class, method) = (Class::Success, request.method());
            let len = MessageBuilder::new(&mut bytes, class, method, TransactionId(id))
                .attribute(Attribute::XorMappedAddress((FORGED, 6).into()))
                .finish()
                .unwrap();
            socket.send_to(&bytes[..len], to).await.unwrap();
        }
    }
}
