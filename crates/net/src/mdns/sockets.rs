//! The groups of multicast DNS on every interface of this machine.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

use super::{GROUP_V4, GROUP_V6, PORT, Route};
use crate::{Interface, RecvBatch, sys};

/// So that a receiver may see that no router was on the way. RFC 6762 §11
const HOPS: u32 = 255;

/// Two sockets for each version of IP that this machine has: one at the shared port, member of the
/// group on every interface that lets it, and one at a port of our own.
pub(super) struct Sockets {
    v4: Option<GroupSocket>,
    v6: Option<GroupSocket>,
    one_shot_v4: Option<GroupSocket>,
    one_shot_v6: Option<GroupSocket>,
    interfaces: Vec<Interface>,
    links: Vec<Link>,
}

/// Where the datagrams of each socket go.
pub(super) type Batches = [RecvBatch; 4];

struct GroupSocket {
    io: UdpSocket,
    state: UdpSocketState,
}

/// An interface that reaches the groups.
struct Link {
    index: u32,
    /// Its address, by which the operating system knows it for IPv4, if it is in that group.
    v4: Option<Ipv4Addr>,
    /// Whether it is in the group of IPv6.
    v6: bool,
}

impl Sockets {
    /// Binds the port, shared with whoever else of this machine shares it (RFC 6762 §15), and joins
    /// the groups on `interfaces`.
    pub(super) fn bind(interfaces: Vec<Interface>) -> io::Result<Self> {
        let bind_v4 = |port| GroupSocket::bind((Ipv4Addr::UNSPECIFIED, port).into());
        let bind_v6 = |port| GroupSocket::bind((Ipv6Addr::UNSPECIFIED, port).into());
        let (v4, v6) = match (bind_v4(PORT), bind_v6(PORT)) {
            (Err(error), Err(_)) => return Err(error),
            (v4, v6) => (v4.ok(), v6.ok()),
        };
        let mut sockets = Self {
            v4,
            v6,
            one_shot_v4: bind_v4(0).ok(),
            one_shot_v6: bind_v6(0).ok(),
            interfaces: Vec::new(),
            links: Vec::new(),
        };
        sockets.set_interfaces(interfaces);
        Ok(sockets)
    }

    /// Joins the groups on these interfaces, and leaves them on all others.
    pub(super) fn set_interfaces(&mut self, interfaces: Vec<Interface>) {
        for link in std::mem::take(&mut self.links) {
            self.leave(&link);
        }
        // The loopback interface reaches nobody whom another one would not reach as well.
        let is_alone = interfaces.iter().all(|one| one.loopback);
        let mut indices: Vec<u32> = interfaces
            .iter()
            .filter(|one| is_alone || !one.loopback)
            .filter_map(|one| one.index)
            .collect();
        indices.sort_unstable();
        indices.dedup();
        self.links = indices
            .into_iter()
            .map(|index| self.join(index, &interfaces))
            .filter(|link| link.v4.is_some() || link.v6)
            .collect();
        self.interfaces = interfaces;
        tracing::debug!(links = self.links.len(), "multicast DNS");
    }

    /// The interface that has the address.
    pub(super) fn link_of(&self, ip: IpAddr) -> Option<u32> {
        self.interfaces.iter().find(|one| one.ip == ip)?.index
    }

    /// Whether whoever has the address is on a link of ours. RFC 6762 §11
    pub(super) fn is_on_link(&self, remote: IpAddr) -> bool {
        let local = match remote {
            IpAddr::V4(ip) => ip.is_link_local() || ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_loopback(),
        };
        local || self.interfaces.iter().any(|one| shares_prefix(one, remote))
    }

    /// Waits for datagrams of any socket.
    pub(super) async fn recv(&self, batches: &mut Batches) -> io::Result<()> {
        let [a, b, c, d] = batches;
        tokio::select! {
            result = recv(self.v4.as_ref(), a) => result,
            result = recv(self.v6.as_ref(), b) => result,
            result = recv(self.one_shot_v4.as_ref(), c) => result,
            result = recv(self.one_shot_v6.as_ref(), d) => result,
        }
    }

    /// Sends a message. What the operating system does not take is lost, as on a network: queries
    /// and announcements are sent again.
    pub(super) fn send(&self, route: Route, bytes: &[u8]) {
        let socket = match (route.remote.is_ipv4(), route.one_shot) {
            (true, false) => &self.v4,
            (false, false) => &self.v6,
            (true, true) => &self.one_shot_v4,
            (false, true) => &self.one_shot_v6,
        };
        let Some(socket) = socket else { return };
        if !route.is_multicast() {
            return socket.send(route.remote, bytes);
        }
        let wanted = |link: &&Link| route.link.is_none_or(|index| index == link.index);
        for link in self.links.iter().filter(wanted) {
            let chosen = match (route.remote.is_ipv4(), link.v4, link.v6) {
                (true, Some(address), _) => socket.socket().set_multicast_if_v4(&address),
                (false, _, true) => socket.socket().set_multicast_if_v6(link.index),
                _ => continue,
            };
            match chosen {
                Ok(()) => socket.send(route.remote, bytes),
                Err(error) => tracing::debug!(link.index, %error, "not sent there"),
            }
        }
    }

    fn join(&self, index: u32, interfaces: &[Interface]) -> Link {
        let of_link = interfaces.iter().filter(|one| one.index == Some(index));
        let v4 = of_link.clone().find_map(|one| match one.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        let has_v6 = of_link.clone().any(|one| one.ip.is_ipv6());
        let by_index = InterfaceIndexOrAddress::Index(index);
        let joined = |result: io::Result<()>| {
            let told = |error: &io::Error| tracing::debug!(index, %error, "group not joined");
            result.inspect_err(told).is_ok()
        };
        let join_v4 =
            |socket: &GroupSocket| socket.socket().join_multicast_v4_n(&GROUP_V4, &by_index);
        let join_v6 = |socket: &GroupSocket| socket.socket().join_multicast_v6(&GROUP_V6, index);
        let in_v4 = |_: &Ipv4Addr| self.v4.as_ref().map(join_v4).is_some_and(joined);
        Link {
            index,
            v4: v4.filter(in_v4),
            v6: has_v6 && self.v6.as_ref().map(join_v6).is_some_and(joined),
        }
    }

    /// The operating system has left already where the interface is gone.
    fn leave(&self, link: &Link) {
        if let (Some(socket), Some(_)) = (&self.v4, link.v4) {
            let by_index = InterfaceIndexOrAddress::Index(link.index);
            let _ = socket.socket().leave_multicast_v4_n(&GROUP_V4, &by_index);
        }
        if let (Some(socket), true) = (&self.v6, link.v6) {
            let _ = socket.socket().leave_multicast_v6(&GROUP_V6, link.index);
        }
    }
}

impl GroupSocket {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if address.port() != 0 {
            socket.set_reuse_address(true)?;
            #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        if address.is_ipv4() {
            socket.set_multicast_ttl_v4(HOPS)?;
            socket.set_multicast_loop_v4(true)?;
            socket.set_ttl_v4(HOPS)?;
        } else {
            socket.set_only_v6(true)?;
            socket.set_multicast_hops_v6(HOPS)?;
            socket.set_multicast_loop_v6(true)?;
            socket.set_unicast_hops_v6(HOPS)?;
        }
        socket.bind(&address.into())?;
        let state = sys::batch_state(&socket)?;
        let io = UdpSocket::from_std(socket.into())?;
        Ok(Self { io, state })
    }

    fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.io)
    }

    fn send(&self, remote: SocketAddr, bytes: &[u8]) {
        if let Err(error) = self.io.try_send_to(bytes, remote) {
            tracing::debug!(%remote, %error, "not sent");
        }
    }
}

/// Waits for datagrams of `socket`, for ever if there is none.
async fn recv(socket: Option<&GroupSocket>, batch: &mut RecvBatch) -> io::Result<()> {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    loop {
        socket.io.readable().await?;
        let received = socket.io.try_io(Interest::READABLE, || {
            let udp = UdpSockRef::from(&socket.io);
            batch.fill(|buffers, metas| socket.state.recv(udp, buffers, metas))
        });
        match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

fn shares_prefix(interface: &Interface, remote: IpAddr) -> bool {
    let bits = u32::from(interface.prefix_len);
    match (interface.ip, remote) {
        (IpAddr::V4(here), IpAddr::V4(there)) => {
            let differ = here.to_bits() ^ there.to_bits();
            differ.leading_zeros() >= bits.min(32)
        }
        (IpAddr::V6(here), IpAddr::V6(there)) => {
            let differ = here.to_bits() ^ there.to_bits();
            differ.leading_zeros() >= bits.min(128)
        }
        _ => false,
    }
}
