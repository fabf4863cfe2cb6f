//! What the fuzz target `sctp_datagrams` does with its input: packets with the right tag and
//! checksum, made of arbitrary chunks, go into a connected association. It must not panic, must
//! stay within its bounds, and must become idle.

use std::time::{Duration, Instant};

use pc_proto::{Batch, Protocol};
use pc_sctp::{Association, Config, Limit, Ppid, Reliability, State, StreamId};

/// Plays `script` against an association that was connected at `now`.
pub fn run(now: Instant, script: &[u8]) {
    let mut run = Run::connected(now);
    let mut script = Script(script);
    for _ in 0..64 {
        let Some(step) = script.byte() else {
            break;
        };
        run.step(step, &mut script);
    }
    run.finish();
}

/// The bytes of the input, front to back; zeros when there are no more.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn next(&mut self) -> u8 {
        self.byte().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.next(), self.next()])
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.next()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

/// The chunk types of RFC 9260 that come after the handshake, and RFC 6525's and 3758's.
const TYPES: [u8; 14] = [0, 0, 0, 3, 3, 192, 130, 130, 4, 7, 8, 10, 14, 9];

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
    fn connected(now: Instant) -> Self {
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
            for mut packet in to_b {
                let _ = b.handle_input(now, (), &mut packet);
            }
            for mut packet in to_a {
                let _ = a.handle_input(now, (), &mut packet);
            }
        }
        assert_eq!((a.state(), b.state()), (State::Connected, State::Connected));
        Self {
            now,
            a,
            b,
            header,
            tsns,
        }
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        let now = self.now;
        match step % 16 {
            0..=5 => {
                let mut packet = self.packet(script);
                let _ = self.a.handle_input(now, (), &mut packet);
            }
            6 => {
                let _ = self.a.handle_input(now, (), &mut script.bytes().to_vec());
            }
            7 | 8 => self.send(script),
            9 => {
                let (stream, mut message) = (StreamId(u16::from(script.next())), Vec::new());
                let _ = self.a.recv(now, stream, &mut message);
                let _ = self.a.recv_control(now, stream, &mut message);
            }
            10 => self
                .a
                .reset_stream(now, StreamId(u16::from(script.next()) % 8)),
            11 => self.a.release(StreamId(script.word())),
            12 => {
                packets(&mut self.a, now);
                packets(&mut self.b, now);
            }
            13 => {
                self.now += Duration::from_millis(u64::from(script.word()));
                self.a.handle_timeout(self.now);
                self.b.handle_timeout(self.now);
            }
            14 if script.next() == 0 => self.a.shutdown(now),
            _ => self.exchange(),
        }
        while self.a.poll_event().is_some() {}
        while self.b.poll_event().is_some() {}
    }

    fn send(&mut self, script: &mut Script<'_>) {
        let (stream, kind) = (StreamId(u16::from(script.next()) % 8), script.next());
        let limit = match kind % 3 {
            0 => Limit::None,
            1 => Limit::Retransmits(u16::from(kind / 16)),
            _ => Limit::Lifetime(Duration::from_millis(u64::from(kind))),
        };
        let ordered = kind & 8 == 0;
        let message = vec![7; usize::from(script.word())];
        let reliability = Reliability { ordered, limit };
        let _ = self
            .a
            .send(self.now, stream, reliability, Ppid::BINARY, &message);
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
    fn packet(&self, script: &mut Script<'_>) -> Vec<u8> {
        let mut packet = self.header.to_vec();
        packet.extend([0; 4]);
        for _ in 0..=script.next() % 4 {
            let (kind, flags, value) = (script.next(), script.next(), script.bytes());
            // Mostly types that exist.
            let kind = match kind {
                0..=127 => TYPES[usize::from(kind) % TYPES.len()],
                kind => kind,
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
            packet.extend([kind, flags]);
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
        let held = self.a.unread_total();
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
