//! An allocation that moves to another socket (RFC 8016), on a server that lets it and on one that does
//! not.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use pc_ice::{
    ServerTransport,
    turn::{Client, Config, Credentials, Event, Families},
};
use pc_proto::{Batch, FiveTuple, Protocol};
use tokio::net::UdpSocket;

use super::{LOOPBACK, PASSWORD, USERNAME, servers, servers::Check};

/// What is checked with the server of both families, by name.
pub(super) const CHECKS: [(&str, Check); 2] = [
    ("an allocation that moves", || Box::pin(moves())),
    ("mobility forbidden", || Box::pin(forbidden())),
];

/// How often it moves.
const MOVES: usize = 5;

/// The relayed addresses stay, what was permitted and bound too, and a peer's data come to each socket.
async fn moves() -> Result<String> {
    let port = servers().both_port.context("no such server")?;
    let mut mobile = Mobile::new(port).await?;
    let peer = UdpSocket::bind((LOOPBACK, 0)).await?;
    let at = peer.local_addr()?;
    mobile.client.bind_channel(Instant::now(), at)?;
    mobile.until(&Event::ChannelBound(at)).await?;
    mobile.echo(&peer).await.context("before")?;
    let mut longest = Duration::ZERO;
    for number in 0..MOVES {
        let begun = Instant::now();
        mobile.socket = UdpSocket::bind((LOOPBACK, 0)).await?;
        let path = FiveTuple::udp(mobile.socket.local_addr()?, mobile.server);
        mobile.client.move_to(begun, path)?;
        let moved = mobile.until(&Event::Moved).await;
        moved.with_context(|| format!("move {number}"))?;
        longest = longest.max(begun.elapsed());
        let echoed = mobile.echo(&peer).await;
        echoed.with_context(|| format!("after move {number}"))?;
    }
    let given = mobile.client.allocation().context("no allocation")?;
    ensure!(given.relayed_addresses().count() == 2, "{given:?}");
    Ok(format!("{MOVES} times, in {longest:.0?} at most"))
}

/// 405 (RFC 8016 §3.1.2): the allocation is made all the same, and cannot move.
async fn forbidden() -> Result<String> {
    let mut fixed = Mobile::new(servers().port).await?;
    let path = fixed.client.path();
    let moved = fixed.client.move_to(Instant::now(), path);
    ensure!(moved == Err(pc_ice::Error::NoMobility), "{moved:?}");
    Ok("an allocation without a ticket".to_owned())
}

/// Our client and its socket.
struct Mobile {
    client: Client,
    socket: UdpSocket,
    server: SocketAddr,
}

impl Mobile {
    /// One that has its allocation.
    async fn new(port: u16) -> Result<Self> {
        let server = (LOOPBACK, port).into();
        let socket = UdpSocket::bind((LOOPBACK, 0)).await?;
        let path = FiveTuple::udp(socket.local_addr()?, server);
        let credentials = Credentials::new(USERNAME, PASSWORD);
        // Nobody else sends to this socket.
        let mut config = Config::new(path, ServerTransport::Udp, credentials, [9; 32]);
        config.families = Families::Both;
        config.mobility = true;
        let client = Client::new(config)?;
        let mut mobile = Self {
            client,
            socket,
            server,
        };
        mobile.until(&Event::Allocated).await?;
        Ok(mobile)
    }

    async fn until(&mut self, wanted: &Event) -> Result<()> {
        loop {
            while let Some(event) = self.client.poll_event() {
                if event == *wanted {
                    return Ok(());
                }
                ensure!(!matches!(event, Event::Failed(_)), "{event:?}");
            }
            self.step().await?;
        }
    }

    /// Sends what is to be sent, and waits for a datagram or a timer; gives what a peer has sent.
    async fn step(&mut self) -> Result<Option<Vec<u8>>> {
        let mut batch = Batch::new();
        loop {
            let mut out = batch.transmit_buf(1200, 8);
            if self
                .client
                .poll_transmit(Instant::now(), &mut out)
                .is_none()
            {
                break;
            }
            for datagram in batch.datagrams() {
                self.socket.send_to(datagram, self.server).await?;
            }
        }
        let mut bytes = [0; 2000];
        let timeout = self.client.poll_timeout().context("no timer")?;
        let came = tokio::time::timeout_at(timeout.into(), self.socket.recv_from(&mut bytes)).await;
        let Ok(came) = came else {
            self.client.handle_timeout(Instant::now());
            return Ok(None);
        };
        let (len, _) = came?;
        let path = self.client.path();
        let input = self
            .client
            .handle_input(Instant::now(), path, &mut bytes[..len]);
        // coturn before 4.6.2 answers the first request with a ticket with eight bytes that are no
        // message, and the same one again as it should.
        let data = input.ok().flatten();
        Ok(data.map(|it| it.data.to_vec()))
    }

    /// Data to the peer and back.
    async fn echo(&mut self, peer: &UdpSocket) -> Result<()> {
        let to = peer.local_addr()?;
        let mut batch = Batch::new();
        self.client
            .wrap(&mut batch.transmit_buf(1200, 8), to, |inner| {
                inner.datagram(4, |place| place.copy_from_slice(b"ping"));
            })?;
        for datagram in batch.datagrams() {
            self.socket.send_to(datagram, self.server).await?;
        }
        let mut bytes = [0; 100];
        let limit = Duration::from_secs(2);
        let came = tokio::time::timeout(limit, peer.recv_from(&mut bytes)).await;
        let (len, relay) = came.context("nothing came to the peer")??;
        peer.send_to(&bytes[..len], relay).await?;
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(data) = self.step().await? {
                ensure!(data == b"ping", "{data:?}");
                return Ok(());
            }
        }
        bail!("nothing came back")
    }
}
