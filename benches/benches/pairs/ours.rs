//! Two [`Connection`]s that hand each other their batches.

use std::time::{Duration, Instant, SystemTime};

use pc_dtls::Certificate;
use pc_proto::{Batch, FiveTuple, Protocol};
use peerconnection::{
    engine::{ChannelId, Config, Connection, Message},
    state::DataChannelState,
};

use super::{Clock, Transfer};

/// As the driver of the facade has it.
const MTU: usize = 1200;
const BATCH: usize = pc_proto::MAX_GSO_BYTES / MTU;

pub struct Memory {
    a: Connection,
    b: Connection,
    here: ChannelId,
    there: ChannelId,
    clock: Clock,
    wire: Wire,
    message: Vec<u8>,
}

/// What carries datagrams.
struct Wire {
    batch: Batch,
    datagram: Vec<u8>,
}

impl Memory {
    /// From nothing, certificates included, to a channel that is open on both sides.
    pub fn open() -> Self {
        let mut clock = Clock::new();
        let (mut a, mut b) = (connection(), connection());
        let here = negotiate(&mut a, &mut b, clock.now());
        let mut wire = Wire {
            batch: Batch::new(),
            datagram: Vec::new(),
        };
        let there = loop {
            if let (true, Some(there)) = (is_open(&a), b.channels().next())
                && is_open(&b)
            {
                break there.0;
            }
            if !exchange(&mut wire, &clock, &mut a, &mut b) {
                skip(&mut clock, &mut a, &mut b);
            }
        };
        while a.poll_event().is_some() || b.poll_event().is_some() {}
        Self {
            a,
            b,
            here,
            there,
            clock,
            wire,
            message: Vec::new(),
        }
    }
}

impl Transfer for Memory {
    fn transfer(&mut self, len: usize, count: usize) {
        let payload = vec![7; len];
        let (mut sent, mut received) = (0, 0);
        while received < count {
            let now = self.clock.now();
            while sent < count && self.a.has_room(self.here) {
                let message = Message::Binary(&payload);
                self.a.send(now, self.here, message).unwrap();
                sent += 1;
            }
            let moved = exchange(&mut self.wire, &self.clock, &mut self.a, &mut self.b);
            let before = received;
            while self.b.recv(now, self.there, &mut self.message).is_some() {
                assert_eq!(self.message.len(), len);
                received += 1;
            }
            while self.a.poll_event().is_some() || self.b.poll_event().is_some() {}
            if !moved && received == before {
                skip(&mut self.clock, &mut self.a, &mut self.b);
            }
        }
    }
}

fn connection() -> Connection {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let mut seed = [0; 32];
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    seed[..8].copy_from_slice(&number.to_ne_bytes());
    let unix_time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
    let certificate = Certificate::generate(unix_time).unwrap();
    Connection::new(Config::new(certificate, seed))
}

fn negotiate(a: &mut Connection, b: &mut Connection, now: Instant) -> ChannelId {
    let here = a
        .create_data_channel(now, "bench", Default::default())
        .unwrap();
    a.set_local_description(now, None).unwrap();
    a.gather(now, &["192.0.2.1:5000".parse().unwrap()]);
    b.set_remote_description(now, a.local_description().unwrap())
        .unwrap();
    b.set_local_description(now, None).unwrap();
    b.gather(now, &["192.0.2.2:5000".parse().unwrap()]);
    a.set_remote_description(now, b.local_description().unwrap())
        .unwrap();
    here
}

fn is_open(connection: &Connection) -> bool {
    let mut channels = connection.channels();
    channels.any(|(_, channel)| channel.state == DataChannelState::Open)
}

/// Each side sends what it has; whether anything moved.
fn exchange(wire: &mut Wire, clock: &Clock, a: &mut Connection, b: &mut Connection) -> bool {
    let there = wire.carry(clock, a, b);
    let back = wire.carry(clock, b, a);
    there || back
}

impl Wire {
    fn carry(&mut self, clock: &Clock, from: &mut Connection, to: &mut Connection) -> bool {
        let mut moved = false;
        while let Some(route) = self.poll(clock.now(), from) {
            let now = clock.now();
            for datagram in self.batch.datagrams() {
                self.datagram.clear();
                self.datagram.extend_from_slice(datagram);
                let _ = to.handle_input(now, route.reversed(), &mut self.datagram);
            }
            moved = true;
        }
        moved
    }

    fn poll(&mut self, now: Instant, from: &mut Connection) -> Option<FiveTuple> {
        from.poll_transmit(now, &mut self.batch.transmit_buf(MTU, BATCH))
    }
}

fn skip(clock: &mut Clock, a: &mut Connection, b: &mut Connection) {
    clock.skip_to(
        [a.poll_timeout(), b.poll_timeout()]
            .into_iter()
            .flatten()
            .min(),
    );
    let now = clock.now();
    a.handle_timeout(now);
    b.handle_timeout(now);
}
