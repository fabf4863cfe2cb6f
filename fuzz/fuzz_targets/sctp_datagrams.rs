//! Packets with the right tag and checksum, made of arbitrary chunks, into a connected
//! association: it must not panic, must stay within its bounds, and must go on with its true peer
//! unless it has said that it is over.
#![no_main]

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pc_proto::{Batch, Protocol};
use pc_sctp::{Association, Config, Limit, Ppid, Reliability, State, StreamId};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// Chunks: type, flags and value; some numbers in it are made relative to what is expected.
    Packet(Vec<(u8, u8, &'a [u8])>),
    /// Bytes as they are.
    Raw(&'a [u8]),
    Send { stream: u16, len: u16, unordered: bool, limit: u8 },
    Recv(u16),
    Reset(u16),
    Release(u16),
    /// Exchanges packets with the true peer.
    Exchange,
    /// Lets the true peer's packets be lost.
    Lose,
    Wait(u16),
    Shutdown,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let Ok(steps) = Vec::<Step<'_>>::arbitrary(&mut input) else {
        return;
    };
    let mut run = Run::connected();
    for step in steps.iter().take(64) {
        run.step(step);
    }
    run.finish();
});

struct Run {
    now: Instant,
    a: Association,
    b: Association,
    /// What a expects in the headers of its packets.
    header: [u8; 8],
    /// The TSNs that a expects next from b, and b from a.
    tsns: [u32; 2],
}

fn association(seed: u8) -> Association {
    Association::new(Config {
        seed: [seed; 32],
        receive_buffer: 600_000,
        ..Config::default()
    })
}

fn packets(association: &mut Association, now: Instant) -> Vec<Vec<u8>> {
    let (mut all, mut batch) = (Vec::new(), Batch::new());
    for _ in 0..1000 {
        let mut out = batch.transmit_buf(1200, 16);
        if association.poll_transmit(now, &mut out).is_none() {
            return all;
        }
        all.extend(batch.datagrams().map(<[u8]>::to_vec));
    }
    panic!("it does not become idle");
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

impl Run {
    fn connected() -> Self {
        let now = Instant::now();
        let (mut a, mut b) = (association(1), association(2));
        a.connect(now);
        b.connect(now);
        let mut tsns = [0; 2];
        let mut header = [0; 8];
        for round in 0..6 {
            let to_b = packets(&mut a, now);
            let to_a = packets(&mut b, now);
            if round == 0 {
                tsns = [word(&to_a[0], 28), word(&to_b[0], 28)];
                header[..4].copy_from_slice(&to_a[0][..4]);
                header[4..].copy_from_slice(&to_b[0][16..20]);
            }
            to_b.into_iter().for_each(|mut it| drop(b.handle_input(now, (), &mut it)));
            to_a.into_iter().for_each(|mut it| drop(a.handle_input(now, (), &mut it)));
        }
        assert_eq!((a.state(), b.state()), (State::Connected, State::Connected));
        Self { now, a, b, header, tsns }
    }

    fn step(&mut self, step: &Step<'_>) {
        let now = self.now;
        match step {
            Step::Packet(chunks) => {
                let mut packet = self.packet(chunks);
                let _ = self.a.handle_input(now, (), &mut packet);
            }
            Step::Raw(bytes) => {
                let _ = self.a.handle_input(now, (), &mut bytes.to_vec());
            }
            Step::Send { stream, len, unordered, limit } => {
                let limit = match limit % 3 {
                    0 => Limit::None,
                    1 => Limit::Retransmits(u16::from(*limit) / 3),
                    _ => Limit::Lifetime(Duration::from_millis(u64::from(*limit))),
                };
                let reliability = Reliability { ordered: !unordered, limit };
                let message = vec![7; usize::from(*len)];
                let stream = StreamId(stream % 8);
                let _ = self.a.send(now, stream, reliability, Ppid::BINARY, &message);
            }
            Step::Recv(stream) => {
                let mut message = Vec::new();
                let _ = self.a.recv(now, StreamId(*stream), &mut message);
                let _ = self.a.recv_control(now, StreamId(*stream), &mut message);
            }
            Step::Reset(stream) => self.a.reset_stream(now, StreamId(stream % 8)),
            Step::Release(stream) => self.a.release(StreamId(*stream)),
            Step::Exchange => self.exchange(),
            Step::Lose => {
                packets(&mut self.a, now);
                packets(&mut self.b, now);
            }
            Step::Wait(ms) => {
                self.now += Duration::from_millis(u64::from(*ms));
                self.a.handle_timeout(self.now);
                self.b.handle_timeout(self.now);
            }
            Step::Shutdown => self.a.shutdown(now),
        }
        while self.a.poll_event().is_some() {}
        while self.b.poll_event().is_some() {}
    }

    fn exchange(&mut self) {
        for mut packet in packets(&mut self.a, self.now) {
            let _ = self.b.handle_input(self.now, (), &mut packet);
        }
        for mut packet in packets(&mut self.b, self.now) {
            let _ = self.a.handle_input(self.now, (), &mut packet);
        }
    }

    /// A packet that gets past the header, with numbers near those that are expected.
    fn packet(&self, chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut packet = self.header.to_vec();
        packet.extend([0; 4]);
        for (kind, flags, value) in chunks.iter().take(16) {
            // Mostly types that exist.
            let kind = match kind {
                0..=127 => [0, 0, 0, 3, 3, 192, 130, 130, 4, 7, 8, 10, 14, 9][usize::from(*kind) % 14],
                kind => *kind,
            };
            let mut value = value.to_vec();
            let (at, base) = match kind {
                0 | 192 => (0, self.tsns[0]),
                3 => (0, self.tsns[1].wrapping_sub(1)),
                130 => (4, self.tsns[0]),
                _ => (usize::MAX, 0),
            };
            if value.len() >= at.saturating_add(4) {
                let near = base.wrapping_add(word(&value, at) & 0x1F);
                value[at..at + 4].copy_from_slice(&near.to_be_bytes());
            }
            let len = (value.len() + 4) as u16;
            packet.extend([kind, *flags]);
            packet.extend(len.to_be_bytes());
            packet.extend(&value);
            packet.resize(packet.len().next_multiple_of(4), 0);
        }
        let sum = crc32c(&packet).to_le_bytes();
        packet[8..12].copy_from_slice(&sum);
        packet
    }

    fn finish(mut self) {
        for _ in 0..8 {
            self.exchange();
            self.now += Duration::from_secs(7);
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
        let held: usize = (0..=u16::MAX).map(|it| self.a.unread(StreamId(it))).sum();
        assert!(held < 1_500_000, "{held} bytes are held");
        let is_over = matches!(self.a.state(), State::Closed | State::Failed);
        assert!(!is_over || self.a.poll_timeout().is_none());
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0x82F6_3B78 & (sum & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}
