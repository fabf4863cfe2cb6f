//! TCP connections that a server relays (RFC 6062): our TURN client, and peers that know nothing of it.

use std::{future::Future, net::SocketAddr, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use pc_ice::{
    ServerError, ServerTransport,
    turn::{
        Client, Config, ConnectionId, Credentials, DataConnectionState, Event, RelayedTransport,
    },
};
use pc_net::{Framing, Listener, Stream, TcpOptions, TlsClient};
use pc_proto::{Batch, FiveTuple, Protocol, Transport};

use super::{LOOPBACK, PASSWORD, USERNAME, servers, servers::Check, trusting};

/// What is checked, by name.
pub(super) const CHECKS: [(&str, Check); 2] = [
    ("TCP relayed, over TCP", || {
        Box::pin(relay(ServerTransport::Tcp))
    }),
    ("TCP relayed, over TLS", || {
        Box::pin(relay(ServerTransport::Tls))
    }),
];

/// Of a connection to a port where nobody listens. RFC 6062 §6.3
const FAILURE: u16 = 447;
/// Longer than a segment, and than what fits a record of TLS.
const LONG: usize = 60_000;

/// A connection that the server opens, one that a peer opens to it, and one that cannot be opened.
async fn relay(transport: ServerTransport) -> Result<String> {
    let mut allocation = Allocation::new(transport).await?;
    let relayed = allocation.relayed;
    connect(&mut allocation).await.context("Connect")?;
    accept(&mut allocation).await.context("ConnectionAttempt")?;
    refuse(&mut allocation).await.context("Connect to nobody")?;
    Ok(format!("at {relayed}"))
}

/// RFC 6062 §4.3
async fn connect(allocation: &mut Allocation) -> Result<()> {
    let mut listener = Listener::bind((LOOPBACK, 0).into(), TcpOptions::new(Framing::Rfc4571))?;
    let peer = listener.local_addr();
    allocation.client.connect(Instant::now(), peer)?;
    let event = allocation.event().await?;
    let Event::Connected(to, id) = event else {
        bail!("{event:?}");
    };
    ensure!(to == peer, "connected to {to}");
    let mut theirs = listener.accept().await;
    let from = theirs.remote_addr();
    ensure!(from.ip() == allocation.relayed.ip(), "the peer sees {from}");
    let mut ours = allocation.bind(id).await?;
    talk(&mut ours, &mut theirs).await
}

/// RFC 6062 §4.4
async fn accept(allocation: &mut Allocation) -> Result<()> {
    let relayed = allocation.relayed;
    allocation.client.permit(Instant::now(), relayed)?;
    let event = allocation.event().await?;
    ensure!(event == Event::Permitted(relayed.ip()), "{event:?}");
    let mut theirs = Stream::connect(relayed, &TcpOptions::new(Framing::Rfc4571)).await?;
    // It cannot know of the client, and does not wait for it: this comes behind the answer to
    // ConnectionBind, in the peer's own framing.
    send(&mut theirs, b"first").await?;
    let event = allocation.event().await?;
    let Event::ConnectionAttempt(from, id) = event else {
        bail!("{event:?}");
    };
    ensure!(from == theirs.local_addr(), "the server sees {from}");
    let mut ours = allocation.bind(id).await?;
    ensure!(receive(&mut ours).await? == b"first");
    talk(&mut ours, &mut theirs).await
}

async fn refuse(allocation: &mut Allocation) -> Result<()> {
    let options = TcpOptions::new(Framing::Rfc4571);
    // Bound and given back: nobody listens there.
    let nobody = Listener::bind((LOOPBACK, 0).into(), options)?.local_addr();
    allocation.client.connect(Instant::now(), nobody)?;
    match allocation.event().await? {
        Event::NotConnected(to, ServerError::Refused(error)) => {
            ensure!(to == nobody && error.code == FAILURE, "{to}: {error}");
            Ok(())
        }
        event => bail!("{event:?}"),
    }
}

/// Short and long datagrams, both ways.
async fn talk(ours: &mut Stream, theirs: &mut Stream) -> Result<()> {
    let long: Vec<u8> = (0..LONG).map(|at| at as u8).collect();
    for datagram in [&b"to the peer"[..], &long] {
        send(ours, datagram).await?;
        ensure!(receive(theirs).await? == datagram, "not what was sent");
        send(theirs, datagram).await?;
        ensure!(receive(ours).await? == datagram, "not what was sent back");
    }
    Ok(())
}

async fn send(stream: &mut Stream, datagram: &[u8]) -> Result<()> {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(datagram.len(), 1);
    out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
    ensure!(stream.send(&batch) == 1, "a queue is full");
    Ok(stream.flush().await?)
}

async fn receive(stream: &mut Stream) -> Result<Vec<u8>> {
    stream.recv().await?;
    let datagram = stream.next_datagram()?;
    Ok(datagram.context("nothing has come")?.to_vec())
}

/// Our client, and its connection to the server.
struct Allocation {
    client: Client,
    control: Stream,
    transport: ServerTransport,
    relayed: SocketAddr,
}

impl Allocation {
    async fn new(transport: ServerTransport) -> Result<Self> {
        let control = open(transport).await?;
        let credentials = Credentials::new(USERNAME, PASSWORD);
        // In a stream that nobody else writes to, no answer has to be guarded against strangers.
        let mut config = Config::new(path(&control), transport, credentials, [7; 32]);
        config.relayed = RelayedTransport::Tcp;
        let mut allocation = Self {
            client: Client::new(config)?,
            control,
            transport,
            relayed: (LOOPBACK, 0).into(),
        };
        let event = allocation.event().await?;
        let given = allocation.client.allocation();
        let given = given.with_context(|| format!("{event:?}"))?;
        allocation.relayed = given.relayed_addresses().next().context("no address")?;
        Ok(allocation)
    }

    /// What the server has said next.
    async fn event(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.client.poll_event() {
                return Ok(event);
            }
            step(&mut self.client, &mut self.control).await?;
        }
    }

    /// ConnectionBind, on a connection of its own; what comes on it is then the peer's.
    async fn bind(&mut self, id: ConnectionId) -> Result<Stream> {
        let mut stream = open(self.transport).await?;
        let mut connection = self.client.bind_connection(id, path(&stream))?;
        while *connection.state() == DataConnectionState::Binding {
            step(&mut connection, &mut stream).await?;
        }
        let state = connection.state();
        ensure!(*state == DataConnectionState::Bound, "{state:?}");
        stream.set_framing(Framing::Rfc4571);
        Ok(stream)
    }
}

/// Sends what is to be sent, and waits for one answer or a timer.
async fn step<P>(engine: &mut P, stream: &mut Stream) -> Result<()>
where
    P: Protocol<Route = FiveTuple, Rejected: Send + Sync + 'static>,
{
    let mut batch = Batch::new();
    while engine
        .poll_transmit(Instant::now(), &mut batch.transmit_buf(1200, 8))
        .is_some()
    {
        stream.send(&batch);
    }
    stream.flush().await?;
    tokio::select! {
        received = stream.recv() => received?,
        () = until(engine.poll_timeout()) => engine.handle_timeout(Instant::now()),
    }
    let route = path(stream);
    if let Some(datagram) = stream.next_datagram()? {
        engine.handle_input(Instant::now(), route, datagram)?;
    }
    Ok(())
}

fn until(time: Option<Instant>) -> impl Future<Output = ()> {
    let time = time.map(Into::into);
    async move {
        match time {
            Some(time) => tokio::time::sleep_until(time).await,
            None => std::future::pending().await,
        }
    }
}

async fn open(transport: ServerTransport) -> Result<Stream> {
    let options = TcpOptions::new(Framing::Turn);
    let all = servers();
    Ok(match transport {
        ServerTransport::Tls => {
            let tls = TlsClient::new(&trusting())?;
            let server = (LOOPBACK, all.tls_port).into();
            Stream::connect_tls(server, "localhost", &tls, &options).await?
        }
        _ => Stream::connect((LOOPBACK, all.port).into(), &options).await?,
    })
}

fn path(stream: &Stream) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        local: stream.local_addr(),
        remote: stream.remote_addr(),
    }
}
