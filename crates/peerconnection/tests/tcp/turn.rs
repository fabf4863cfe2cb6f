//! A TURN server on loopback that asks for no credentials. It allocates for datagrams, of which it relays
//! none, and relays connections (RFC 6062).

use std::{
    collections::{HashMap, HashSet},
    future::pending,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use pc_net::{Framing, Listener, Stream, TcpOptions};
use pc_proto::Batch;
use pc_stun::{
    Attribute, AttributeType as T, Class, ErrorCode, MessageBuilder, MessageView, Method,
    TransactionId,
};
use tokio::task::JoinHandle;

/// What it does, and has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Whether it relays connections at all.
    pub(crate) refuses_tcp: bool,
    /// Connections of clients to it.
    pub(crate) clients: usize,
    /// Allocations for connections, ever.
    pub(crate) allocations: usize,
    /// Connections that it has for clients, bound to streams.
    pub(crate) bound: usize,
    /// Peers that had no permission.
    pub(crate) sent_away: usize,
    /// Connections to peers that wait to be bound.
    waiting: HashMap<u32, Stream>,
    sessions: Vec<JoinHandle<()>>,
}

pub(crate) struct Turn {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Turn {
    pub(crate) fn start() -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let mut listener = Listener::bind(any, TcpOptions::new(Framing::Turn)).unwrap();
        let address = listener.local_addr();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let of_all = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let control = listener.accept().await;
                let session = Session::new(control, of_all.clone());
                let mut all = of_all.lock().unwrap();
                all.clients += 1;
                all.sessions.push(tokio::spawn(session.run()));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(crate) fn seen<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut self.seen.lock().unwrap())
    }

    /// Ends every stream.
    pub(crate) fn stop(&self) {
        self.task.abort();
        self.seen(|all| all.sessions.iter().for_each(JoinHandle::abort));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Seen {
    /// Whether no stream of a client's is left.
    pub(crate) fn are_all_over(&self) -> bool {
        self.sessions.iter().all(JoinHandle::is_finished)
    }
}

/// One stream of a client's.
struct Session {
    client: Stream,
    all: Arc<Mutex<Seen>>,
    relayed: Option<Listener>,
    permitted: HashSet<IpAddr>,
    next: u32,
}

impl Session {
    fn new(client: Stream, all: Arc<Mutex<Seen>>) -> Self {
        let next = u32::from(client.remote_addr().port()) << 16;
        Self {
            client,
            all,
            relayed: None,
            permitted: HashSet::new(),
            next,
        }
    }

    async fn run(mut self) {
        loop {
            let came = async {
                match &mut self.relayed {
                    Some(listener) => listener.accept().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                peer = came => self.take_peer(peer).await,
                received = self.client.recv() => {
                    if received.is_err() {
                        return;
                    }
                    while let Some(datagram) = self.client.next_datagram().unwrap() {
                        let request = datagram.to_vec();
                        if let Some(peer) = self.answer(&request).await {
                            return carry(self.client, peer).await;
                        }
                    }
                }
            }
        }
    }

    /// RFC 6062 §5.3
    async fn take_peer(&mut self, peer: Stream) {
        let from = peer.remote_addr();
        if !self.permitted.contains(&from.ip()) {
            self.all.lock().unwrap().sent_away += 1;
            return;
        }
        let id = self.keep(peer);
        let (class, method) = (Class::Indication, Method::CONNECTION_ATTEMPT);
        let attempt = message(class, method, TransactionId([1; 12]), |it| {
            it.attribute(Attribute::XorPeerAddress(from));
            it.attribute(Attribute::ConnectionId(id));
        });
        send(&mut self.client, &attempt).await;
    }

    fn keep(&mut self, peer: Stream) -> u32 {
        self.next += 1;
        self.all.lock().unwrap().waiting.insert(self.next, peer);
        self.next
    }

    /// A peer's connection, if the client's stream has become it.
    async fn answer(&mut self, request: &[u8]) -> Option<Stream> {
        let request = MessageView::parse(request).unwrap();
        let (id, method) = (request.transaction_id(), request.method());
        let (client, mut carried) = (self.client.remote_addr(), None);
        let peer = match request.attribute(T::XOR_PEER_ADDRESS) {
            Some(Attribute::XorPeerAddress(peer)) => Some(peer),
            _ => None,
        };
        let success = |build: &dyn Fn(&mut MessageBuilder<'_>)| {
            message(Class::Success, method, id, |it| build(it))
        };
        let refusal = |error| {
            message(Class::Error, method, id, |it| {
                it.attribute(Attribute::ErrorCode(error));
            })
        };
        let answer = match (method, peer) {
            (Method::ALLOCATE, _) => match self.allocate(&request) {
                Some(relayed) => success(&|it| {
                    it.attribute(Attribute::XorRelayedAddress(relayed));
                    it.attribute(Attribute::Lifetime(600));
                    it.attribute(Attribute::XorMappedAddress(client));
                }),
                None => refusal(ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL),
            },
            (Method::REFRESH, _) => success(&|it| {
                it.attribute(Attribute::Lifetime(0));
            }),
            (Method::CREATE_PERMISSION, Some(peer)) => {
                self.permitted.insert(peer.ip());
                success(&|_| {})
            }
            (Method::CHANNEL_BIND, Some(_)) => success(&|_| {}),
            (Method::CONNECT, Some(peer)) => {
                match Stream::connect(peer, &TcpOptions::new(Framing::Rfc4571)).await {
                    Ok(stream) => {
                        let id = self.keep(stream);
                        success(&|it| {
                            it.attribute(Attribute::ConnectionId(id));
                        })
                    }
                    Err(_) => refusal(ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE),
                }
            }
            (Method::CONNECTION_BIND, _) => {
                let mut all = self.all.lock().unwrap();
                match request.attribute(T::CONNECTION_ID) {
                    Some(Attribute::ConnectionId(id)) => {
                        carried = Some(all.waiting.remove(&id).unwrap());
                        all.bound += 1;
                    }
                    other => panic!("{other:?}"),
                }
                success(&|_| {})
            }
            // Datagrams, of which none is relayed.
            _ => return None,
        };
        send(&mut self.client, &answer).await;
        carried
    }

    fn allocate(&mut self, request: &MessageView<'_>) -> Option<SocketAddr> {
        let any = "127.0.0.1:0".parse().unwrap();
        match request.attribute(T::REQUESTED_TRANSPORT) {
            Some(Attribute::RequestedTransport(17)) => {
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                Some(socket.local_addr().unwrap())
            }
            Some(Attribute::RequestedTransport(6)) if !self.all.lock().unwrap().refuses_tcp => {
                let listener = Listener::bind(any, TcpOptions::new(Framing::Rfc4571)).unwrap();
                self.all.lock().unwrap().allocations += 1;
                Some(self.relayed.insert(listener).local_addr())
            }
            _ => None,
        }
    }
}

/// Both ways, until one ends.
async fn carry(mut client: Stream, mut peer: Stream) {
    client.set_framing(Framing::Rfc4571);
    loop {
        let done = tokio::select! {
            received = client.recv() => received.is_ok() && pass(&mut client, &mut peer).await,
            received = peer.recv() => received.is_ok() && pass(&mut peer, &mut client).await,
        };
        if !done {
            return;
        }
    }
}

async fn pass(from: &mut Stream, to: &mut Stream) -> bool {
    while let Ok(Some(datagram)) = from.next_datagram() {
        let datagram = datagram.to_vec();
        send(to, &datagram).await;
    }
    true
}

async fn send(stream: &mut Stream, datagram: &[u8]) {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(datagram.len(), 1);
    out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
    stream.send(&batch);
    // Who has gone is found out by the next read.
    let _ = stream.flush().await;
}

fn message(
    class: Class,
    method: Method,
    id: TransactionId,
    build: impl FnOnce(&mut MessageBuilder<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 500];
    let mut builder = MessageBuilder::new(&mut bytes, class, method, id);
    build(&mut builder);
    let len = builder.finish().unwrap();
    bytes.truncate(len);
    bytes
}
