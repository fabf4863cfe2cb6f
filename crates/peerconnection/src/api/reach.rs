//! How servers are reached: names looked up, streams opened, each in a task of its own that reports
//! to the driver.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use pc_ice::{Host, ServerTransport};
use pc_net::{
    Framing, Stream, StreamError, TcpOptions, TlsClient, TlsOptions,
    mdns::{Name, Node, Registration},
};
use pc_proto::FiveTuple;
use tokio::{net::lookup_host, sync::mpsc};

use super::inbox::Key;
use crate::engine::{ConnectRequest, NameId, NameRequest, ServerId, ServerRequest};

/// The port of candidates that nobody can connect to. RFC 6544 §4.5
pub(super) const DISCARD: u16 = 9;

/// What has come of an attempt.
pub(super) struct Arrival {
    pub(super) key: Key,
    pub(super) news: News,
}

pub(super) enum News {
    Server(ServerId, Result<Reached, String>),
    /// A connection to the peer.
    Peer(ConnectRequest, Result<Box<Stream>, StreamError>),
    /// A name's address; `None`: nobody on the link has it.
    Name(NameId, Option<IpAddr>),
    /// The name that an address of ours was given, answered for as long as this is held.
    Named(IpAddr, Option<Registration>),
}

/// How the server is reached.
pub(super) enum Reached {
    /// Over UDP, at these addresses.
    Datagrams(Vec<SocketAddr>),
    Stream(Box<Stream>),
}

/// Reaches servers, and finds names.
pub(super) struct Reach {
    tls: Arc<Tls>,
    /// Multicast DNS, from the first name on.
    node: Option<Node>,
    report: mpsc::UnboundedSender<Arrival>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

/// Read when the first server needs it: roots are a file.
struct Tls {
    options: TlsOptions,
    client: OnceLock<Result<TlsClient, String>>,
}

impl Reach {
    pub(super) fn new(options: TlsOptions) -> Self {
        let (report, arrivals) = mpsc::unbounded_channel();
        let client = OnceLock::new();
        let tls = Arc::new(Tls { options, client });
        Self {
            tls,
            node: None,
            report,
            arrivals,
        }
    }

    /// Sets out for a server.
    pub(super) fn begin(&self, key: Key, request: ServerRequest) {
        let (tls, report) = (self.tls.clone(), self.report.clone());
        tokio::spawn(async move {
            let id = request.id;
            let reached = reach(&request, &tls).await;
            // Nobody waits any more when the connection has ended meanwhile.
            let news = News::Server(id, reached);
            let _ = report.send(Arrival { key, news });
        });
    }

    /// Connects to a peer.
    pub(super) fn connect(&self, key: Key, request: ConnectRequest) {
        let report = self.report.clone();
        tokio::spawn(async move {
            let FiveTuple {
                mut local, remote, ..
            } = request.path;
            // RFC 6544 §4.5: the port of an active candidate stands for any.
            let any_port = local.port() == DISCARD;
            if any_port {
                local.set_port(0);
            }
            let options = TcpOptions {
                local: Some(local),
                share_port: !any_port,
                ..TcpOptions::new(Framing::Rfc4571)
            };
            let opened = Stream::connect(remote, &options).await;
            let news = News::Peer(request, opened.map(Box::new));
            let _ = report.send(Arrival { key, news });
        });
    }

    /// Asks the links for a name.
    pub(super) fn look_up(&mut self, key: Key, request: NameRequest) {
        let node = self.node();
        let report = self.report.clone();
        tokio::spawn(async move {
            let ip = match (node, request.name.parse::<Name>()) {
                (Some(node), Ok(name)) => node.resolve(&name).await.inspect_err(|error| {
                    tracing::debug!(name = request.name, %error, "a candidate's name");
                }),
                _ => return,
            };
            let news = News::Name(request.id, ip.ok());
            let _ = report.send(Arrival { key, news });
        });
    }

    /// Makes a name for an address of this machine, and answers for it.
    pub(super) fn name(&mut self, key: Key, ip: IpAddr) {
        let node = self.node();
        let report = self.report.clone();
        tokio::spawn(async move {
            let registration = match node {
                Some(node) => node.register(ip).await.inspect_err(|error| {
                    tracing::warn!(%error, "a host candidate has no name and is not told");
                }),
                None => Err(pc_net::mdns::NodeError::Stopped),
            };
            let news = News::Named(ip, registration.ok());
            let _ = report.send(Arrival { key, news });
        });
    }

    fn node(&mut self) -> Option<Node> {
        if self.node.is_none() {
            let seed = crate::clock::seed().ok()?;
            match Node::start(seed) {
                Ok(node) => self.node = Some(node),
                Err(error) => tracing::warn!(%error, "no multicast DNS: names are not found"),
            }
        }
        self.node.clone()
    }

    /// The next attempt that has come to its end.
    pub(super) async fn next(&mut self) -> Arrival {
        match self.arrivals.recv().await {
            Some(arrival) => arrival,
            // This holds a sender itself.
            None => std::future::pending().await,
        }
    }
}

async fn reach(request: &ServerRequest, tls: &Arc<Tls>) -> Result<Reached, String> {
    let addresses = match &request.alternate {
        Some((address, _)) => vec![*address],
        None => resolve(request).await?,
    };
    let transport = request.uri.transport();
    if !transport.is_stream() {
        return Ok(Reached::Datagrams(addresses));
    }
    let mut failure = "its name has no address".to_owned();
    for address in addresses {
        match open(request, transport, address, tls).await {
            Ok(stream) => return Ok(Reached::Stream(Box::new(stream))),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn resolve(request: &ServerRequest) -> Result<Vec<SocketAddr>, String> {
    let port = request.uri.port();
    let name = match request.uri.host() {
        Host::Address(ip) => return Ok(vec![SocketAddr::new(*ip, port)]),
        Host::Name(name) => name,
    };
    let found = lookup_host((name.as_str(), port)).await;
    let found: Vec<_> = found
        .map_err(|error: io::Error| format!("{name} cannot be looked up: {error}"))?
        .collect();
    if found.is_empty() {
        return Err(format!("{name} has no address"));
    }
    Ok(found)
}

async fn open(
    request: &ServerRequest,
    transport: ServerTransport,
    address: SocketAddr,
    tls: &Arc<Tls>,
) -> Result<Stream, String> {
    let options = TcpOptions::new(Framing::Turn);
    let opened: Result<Stream, StreamError> = if transport == ServerTransport::Tls {
        let alternate = request.alternate.as_ref();
        let other = alternate.and_then(|(_, name)| name.as_deref());
        let own = request.uri.host().to_string();
        let name = other.unwrap_or(&own);
        let tls = tls.clone();
        // Roots are read from files.
        let client = tokio::task::spawn_blocking(move || tls.client());
        let client = client.await.map_err(|error| error.to_string())??;
        Stream::connect_tls(address, name, &client, &options).await
    } else {
        Stream::connect(address, &options).await
    };
    opened.map_err(|error| error.to_string())
}

impl Tls {
    fn client(&self) -> Result<TlsClient, String> {
        let make = || TlsClient::new(&self.options).map_err(|error| error.to_string());
        self.client.get_or_init(make).clone()
    }
}
