//! How servers are reached: names looked up, streams opened, each in a task of its own that reports
//! to the driver.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, Weak},
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
    Datagrams {
        addresses: Vec<SocketAddr>,
        /// For relayed addresses.
        is_turn: bool,
    },
    Stream(Box<Stream>),
}

/// Reaches servers, and finds names.
pub(super) struct Reach {
    /// What connections have believed that live.
    tls: Vec<Weak<Tls>>,
    /// Multicast DNS, from the first name on.
    node: Option<Node>,
    report: mpsc::UnboundedSender<Arrival>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

/// Whom connections with the same options believe. Made when the first server needs it, for roots are a
/// file, and shared by as many connections as there are.
pub(super) struct Tls {
    options: TlsOptions,
    client: Mutex<Option<TlsClient>>,
}

impl Reach {
    pub(super) fn new() -> Self {
        let (report, arrivals) = mpsc::unbounded_channel();
        Self {
            tls: Vec::new(),
            node: None,
            report,
            arrivals,
        }
    }

    /// What a connection with these options asks servers with.
    pub(super) fn tls(&mut self, options: &TlsOptions) -> Arc<Tls> {
        self.tls.retain(|known| known.strong_count() > 0);
        let mut known = self.tls.iter().filter_map(Weak::upgrade);
        if let Some(known) = known.find(|known| known.options == *options) {
            return known;
        }
        let tls = Arc::new(Tls {
            options: options.clone(),
            client: Mutex::new(None),
        });
        self.tls.push(Arc::downgrade(&tls));
        tls
    }

    /// Sets out for a server.
    pub(super) fn begin(&self, key: Key, request: ServerRequest, tls: Arc<Tls>) {
        let report = self.report.clone();
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
        let is_turn = request.uri.scheme().is_turn();
        return Ok(Reached::Datagrams { addresses, is_turn });
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
        // Held meanwhile: connections that come at once wait for one to read the roots.
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*client {
            return Ok(known.clone());
        }
        // A failure is not kept: the next one to ask may find what there was not.
        let made = TlsClient::new(&self.options).map_err(|error| error.to_string())?;
        Ok(client.insert(made).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_believe_the_same_read_it_once() {
        let mut reach = Reach::new();
        let pinned = TlsOptions {
            pins: vec![[7; 32]],
            ..TlsOptions::default()
        };
        let usual = reach.tls(&TlsOptions::default());
        let (one, other) = (reach.tls(&pinned), reach.tls(&pinned));
        assert!(Arc::ptr_eq(&one, &other) && !Arc::ptr_eq(&one, &usual));
        // What nobody believes any more is forgotten.
        drop((one, other));
        reach.tls(&TlsOptions::default());
        assert_eq!(reach.tls.len(), 1);
    }

    #[test]
    fn a_failure_is_told_and_tried_again() {
        let nobody = TlsOptions {
            system_roots: false,
            ..TlsOptions::default()
        };
        let tls = Reach::new().tls(&nobody);
        for _ in 0..2 {
            assert!(tls.client().is_err());
        }
        let pinned = TlsOptions {
            pins: vec![[7; 32]],
            ..nobody
        };
        let tls = Reach::new().tls(&pinned);
        assert!(tls.client().is_ok() && tls.client().is_ok());
    }
}
