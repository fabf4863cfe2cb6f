use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pc_net::{Framing, Listener, TcpOptions, UdpSocket};

use super::{driver::Driver, inbox::Inbox};
use crate::{Error, config::HostAddresses};

/// Sockets that many connections share: a server's one port, or a few.
///
/// ```no_run
/// # async fn server() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection::{Configuration, Endpoint, PeerConnection};
/// let endpoint = Endpoint::bind(&["192.0.2.7:3478".parse()?])?;
/// let configuration = Configuration { endpoint: Some(endpoint), ..Default::default() };
/// let (one, _) = PeerConnection::new(configuration.clone())?;
/// let (two, _) = PeerConnection::new(configuration)?;
/// # Ok(()) }
/// ```
///
/// Datagrams find their connection by the ICE user fragment in a check and after that by their
/// 5-tuple. So two connections of one endpoint cannot have the same remote address: two endpoints
/// cannot hold more than one connection between the same pair of sockets, nor a connection that
/// does not bundle, whose transports would be between the same two. Where the peer has a socket for each
/// of those, its own user fragments tell them apart, for ours are the same.
///
/// Behind a NAT, [`ice_servers`](crate::Configuration::ice_servers) tell the endpoint's port as the world
/// sees it. Every connection asks for itself, from the shared socket: a STUN server's answer finds it by
/// the transaction. A TURN server knows its clients by their 5-tuple and gives each one allocation
/// (RFC 8656 §5), so that a connection that asks one over UDP does so from a socket of its own, on a free
/// port of the endpoint's address, which is no candidate and goes with the connection (one open file for each); over TCP and TLS it
/// has a stream anyway. A firewall that lets nothing but the endpoint's port out stops TURN over UDP.
///
/// One task drives all connections of an endpoint. It ends, and the sockets close, when the last
/// handle and the last connection are gone.
#[derive(Clone)]
pub struct Endpoint {
    handle: Arc<EndpointHandle>,
    addresses: Arc<[SocketAddr]>,
    tcp_addresses: Arc<[SocketAddr]>,
}

/// Tells the driver when nobody needs it any more.
pub(crate) struct EndpointHandle {
    inbox: Arc<Inbox>,
    runtime: tokio::runtime::Handle,
    unused: Arc<AtomicBool>,
}

impl Endpoint {
    /// Binds a UDP socket to each address; port 0 takes any free one.
    ///
    /// The addresses become host candidates, so each must be one of this machine's, not a wildcard.
    ///
    /// # Errors
    ///
    /// An address is a wildcard, or cannot be bound, or there is no tokio runtime.
    pub fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        Self::bind_with_tcp(addresses, &[])
    }

    /// Binds a UDP socket to each address of `udp`, and listens at each of `tcp` for peers that UDP does
    /// not reach (RFC 6544): their addresses become passive candidates of connections that have
    /// [TCP candidates](crate::Configuration::tcp_candidates), which is to say
    /// [`ActiveAndPassive`](crate::TcpCandidates::ActiveAndPassive). Any number of peers connects to one
    /// port. The check that a peer sends first says whose it is; whoever says nothing for ten seconds,
    /// or nothing that is signed, is sent away.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_with_tcp(udp: &[SocketAddr], tcp: &[SocketAddr]) -> io::Result<Self> {
        // A socket of tokio's panics without.
        current_runtime().map_err(io::Error::other)?;
        let sockets = bind_all(udp.iter().copied()).collect::<io::Result<Vec<_>>>()?;
        let listeners = tcp.iter().map(|address| {
            is_bindable(*address)?;
            Listener::bind(*address, TcpOptions::new(Framing::Rfc4571))
        });
        let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
        let addresses = sockets.iter().map(UdpSocket::local_addr).collect();
        let tcp_addresses = listeners.iter().map(Listener::local_addr).collect();
        let handle = spawn(|inbox, unused| Driver::shared(inbox, unused, sockets, listeners))
            .map_err(io::Error::other)?;
        Ok(Self {
            handle,
            addresses,
            tcp_addresses,
        })
    }

    /// The addresses of the UDP sockets.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses that TCP connections come to.
    pub fn local_tcp_addresses(&self) -> &[SocketAddr] {
        &self.tcp_addresses
    }

    pub(crate) fn handle(&self) -> Arc<EndpointHandle> {
        self.handle.clone()
    }

    /// The endpoint of one connection alone, which binds its sockets when that gathers.
    /// `pool` sets are bound at once, for the transports that gather first.
    pub(crate) fn private(hosts: HostAddresses, pool: u8) -> Result<Arc<EndpointHandle>, Error> {
        spawn(|inbox, unused| Driver::private(inbox, unused, hosts, pool))
    }
}

impl PartialEq for Endpoint {
    /// Whether both are handles of one endpoint.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.handle, &other.handle)
    }
}

impl Eq for Endpoint {}

impl EndpointHandle {
    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Where the driver runs.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }
}

impl Drop for EndpointHandle {
    fn drop(&mut self) {
        self.unused.store(true, Ordering::Release);
        self.inbox.ring();
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("addresses", &self.addresses)
            .field("tcp_addresses", &self.tcp_addresses)
            .finish_non_exhaustive()
    }
}

fn spawn(
    driver: impl FnOnce(Arc<Inbox>, Arc<AtomicBool>) -> Driver,
) -> Result<Arc<EndpointHandle>, Error> {
    let runtime = current_runtime()?;
    let inbox = Arc::new(Inbox::default());
    let unused = Arc::new(AtomicBool::new(false));
    runtime.spawn(driver(inbox.clone(), unused.clone()).run());
    Ok(Arc::new(EndpointHandle {
        inbox,
        runtime,
        unused,
    }))
}

fn current_runtime() -> Result<tokio::runtime::Handle, Error> {
    tokio::runtime::Handle::try_current()
        .map_err(|_| Error::InvalidState("needs a tokio runtime".into()))
}

fn bind_all(
    addresses: impl Iterator<Item = SocketAddr>,
) -> impl Iterator<Item = io::Result<UdpSocket>> {
    addresses.map(|address| {
        is_bindable(address)?;
        UdpSocket::bind(address)
    })
}

fn is_bindable(address: SocketAddr) -> io::Result<()> {
    if address.ip().is_unspecified() {
        let message = format!("{address} is a wildcard: name an address of this machine");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// A socket on a free port of each address that `hosts` asks for. An address that cannot be bound
/// is left out: interfaces come and go.
pub(crate) fn bind_hosts(hosts: &HostAddresses) -> Vec<UdpSocket> {
    let addresses = match hosts {
        HostAddresses::Only(addresses) => addresses.clone(),
        HostAddresses::Interfaces | HostAddresses::InterfacesAndLoopback => {
            interface_addresses(hosts)
        }
    };
    addresses.into_iter().filter_map(bind_one).collect()
}

/// A socket on a free port of this address, if it is to be had.
pub(crate) fn bind_one(ip: IpAddr) -> Option<UdpSocket> {
    bind_all(std::iter::once(SocketAddr::new(ip, 0)))
        .next()?
        .inspect_err(|error| tracing::debug!(%error, "no socket"))
        .ok()
}

/// Whether `hosts` asks for this address.
pub(crate) fn is_wanted(hosts: &HostAddresses, interface: &pc_net::Interface) -> bool {
    match hosts {
        HostAddresses::Only(addresses) => addresses.contains(&interface.ip),
        HostAddresses::Interfaces => !interface.link_local && !interface.loopback,
        HostAddresses::InterfacesAndLoopback => !interface.link_local,
    }
}

fn interface_addresses(hosts: &HostAddresses) -> Vec<IpAddr> {
    let interfaces = pc_net::interfaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "the interfaces cannot be listed: no host candidates");
        Vec::new()
    });
    let wanted = interfaces
        .into_iter()
        .filter(|interface| is_wanted(hosts, interface));
    wanted.map(|interface| interface.ip).collect()
}
