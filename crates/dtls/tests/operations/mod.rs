//! Two connections and someone in between, steered by bytes: the body of the fuzz target
//! `dtls_datagrams`, and of the replay of its corpus.

use std::{
    collections::HashMap,
    sync::OnceLock,
    time::{Duration, Instant},
};

use pc_dtls::{
    Certificate, CertificateOptions, Config, Connection, Event, Fingerprint, HashAlgorithm,
    KeyAlgorithm, Role, State, Version, Versions,
};
use pc_proto::{Batch, Protocol, Reader};

/// How many datagrams of one side are remembered, to be replayed.
const MAX_OLD: usize = 64;

/// No operation makes an engine send more than this at once.
const ENDLESS: usize = 2000;

/// Runs the operations that `bytes` spell.
///
/// # Panics
///
/// An engine broke a promise.
pub(crate) fn run(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let Ok(setup) = reader.u8("setup") else {
        return;
    };
    let mut duo = Duo::new(setup);
    if setup & 0x10 != 0 {
        while duo.pass(0) | duo.pass(1) {}
        assert!(
            duo.sides
                .iter()
                .all(|side| side.engine.state() == State::Connected)
        );
    }
    while let Some(operation) = Operation::read(&mut reader) {
        duo.perform(operation);
    }
}

enum Operation<'a> {
    /// Both sides exchange what they have to send.
    Pass,
    /// A third party hands bytes to a side.
    Inject { to: usize, datagram: &'a [u8] },
    /// The next datagrams of a side arrive with bits flipped.
    Corrupt { from: usize, at: usize, mask: u8 },
    /// The next datagrams of a side are lost.
    Lose { from: usize },
    /// A datagram that a side has sent comes again, whole or in part.
    Replay {
        from: usize,
        which: usize,
        keep: usize,
    },
    /// Time passes.
    Wait { ticks: u8 },
    /// A side sends a record.
    Send { from: usize, len: usize },
    /// A side closes.
    Close { side: usize },
}

impl<'a> Operation<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let byte = reader.u8("operation").ok()?;
        let side = usize::from(byte >> 7);
        Some(match byte & 0x7F {
            0..16 => Self::Pass,
            16..48 => {
                let len = reader.u16("length").ok()?;
                let len = usize::from(len).min(reader.remaining());
                Self::Inject {
                    to: side,
                    datagram: reader.bytes(len, "datagram").ok()?,
                }
            }
            48..64 => Self::Corrupt {
                from: side,
                at: usize::from(reader.u16("offset").ok()?),
                mask: reader.u8("mask").ok()?,
            },
            64..72 => Self::Lose { from: side },
            72..96 => Self::Replay {
                from: side,
                which: usize::from(reader.u8("which").ok()?),
                keep: usize::from(reader.u16("keep").ok()?),
            },
            96..108 => Self::Wait {
                ticks: reader.u8("ticks").ok()?,
            },
            108..127 => Self::Send {
                from: side,
                len: usize::from(reader.u16("length").ok()?) % 1100,
            },
            _ => Self::Close { side },
        })
    }
}

struct Side {
    engine: Connection,
    /// What it sent, the latest last.
    old: Vec<Vec<u8>>,
    /// The records it gave to its engine, each of them different, and how often each arrived.
    records: HashMap<Vec<u8>, u32>,
    closed_here: bool,
    connected: bool,
    over: bool,
}

struct Duo {
    sides: [Side; 2],
    now: Instant,
    count: u32,
    /// Something that was in the clear may have been altered on the way.
    tampered: bool,
}

impl Duo {
    fn new(setup: u8) -> Self {
        let certificates = certificates();
        let client = &certificates[usize::from(setup >> 5 & 1)][0];
        let server = &certificates[usize::from(setup >> 6 & 1)][1];
        let versions = |bits: u8| match bits & 3 {
            1 => Versions::Only(Version::Dtls12),
            2 => Versions::Only(Version::Dtls13),
            _ => Versions::All,
        };
        // One side may be limited to a version, so that the two always have one in common.
        let of_client = versions(setup);
        let of_server = if of_client == Versions::All {
            versions(setup >> 2)
        } else {
            Versions::All
        };
        let now = start();
        let side = |role, own: &Certificate, other: Fingerprint, versions| {
            let mut config = Config::new(role, own.clone());
            config.remote_fingerprints = vec![other];
            config.versions = versions;
            Side {
                engine: Connection::new(now, config).unwrap(),
                old: Vec::new(),
                records: HashMap::new(),
                closed_here: false,
                connected: false,
                over: false,
            }
        };
        let (ours, theirs) = (
            client.fingerprint(HashAlgorithm::Sha256),
            server.fingerprint(HashAlgorithm::Sha256),
        );
        Self {
            sides: [
                side(Role::Client, client, theirs, of_client),
                side(Role::Server, server, ours, of_server),
            ],
            now,
            count: 0,
            tampered: false,
        }
    }

    fn perform(&mut self, operation: Operation<'_>) {
        match operation {
            Operation::Pass => {
                self.pass(0);
                self.pass(1);
            }
            Operation::Inject { to, datagram } => self.give(to, datagram, false),
            Operation::Corrupt { from, at, mask } => {
                for mut datagram in self.take(from) {
                    let at = at % datagram.len().max(1);
                    if let Some(byte) = datagram.get_mut(at) {
                        *byte ^= mask;
                    }
                    self.give(1 - from, &datagram, false);
                }
            }
            Operation::Lose { from } => drop(self.take(from)),
            Operation::Replay { from, which, keep } => {
                let old = &self.sides[from].old;
                if let Some(datagram) = old.get(which % old.len().max(1)).cloned() {
                    let keep = keep.min(datagram.len());
                    self.give(1 - from, &datagram[..keep], false);
                }
            }
            Operation::Wait { ticks } => self.wait(Duration::from_millis(10 * u64::from(ticks))),
            Operation::Send { from, len } => self.send(from, len),
            Operation::Close { side } => {
                self.sides[side].closed_here = true;
                self.sides[side].engine.close(self.now);
                self.check(side);
            }
        }
    }

    /// Takes what one side sends, and remembers it.
    fn take(&mut self, from: usize) -> Vec<Vec<u8>> {
        let (mut batch, mut all) = (Batch::new(), Vec::new());
        let side = &mut self.sides[from];
        loop {
            let mut out = batch.transmit_buf(1200, 32);
            if side.engine.poll_transmit(self.now, &mut out).is_none() {
                break;
            }
            all.extend(batch.datagrams().map(<[u8]>::to_vec));
            assert!(all.len() < ENDLESS, "poll_transmit does not become idle");
        }
        side.old.extend(all.iter().cloned());
        let surplus = side.old.len().saturating_sub(MAX_OLD);
        side.old.drain(..surplus);
        self.check(from);
        all
    }

    fn pass(&mut self, from: usize) -> bool {
        let datagrams = self.take(from);
        for datagram in &datagrams {
            self.give(1 - from, datagram, true);
        }
        !datagrams.is_empty()
    }

    fn give(&mut self, to: usize, datagram: &[u8], genuine: bool) {
        self.tampered |= !genuine;
        let engine = &mut self.sides[to].engine;
        let before = engine.state();
        let verdict = engine.handle_input(self.now, (), &mut datagram.to_vec());
        let after = engine.state();
        if verdict.is_err() && before != after {
            // Only a goodbye or an alert of the genuine peer, or the clock, does that.
            assert!(
                matches!(after, State::Closed | State::Failed),
                "{verdict:?}"
            );
        }
        self.check(to);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        for side in 0..2 {
            self.sides[side].engine.handle_timeout(self.now);
            self.check(side);
            if let Some(at) = self.sides[side].engine.poll_timeout() {
                // Twice as long each time, for as long as a last flight is not acknowledged.
                let far = self.now + Duration::from_secs(24 * 3600);
                assert!(at < far, "a far-off timer");
            }
        }
    }

    fn send(&mut self, from: usize, len: usize) {
        let mut record = vec![from as u8; 5 + len];
        record[1..5].copy_from_slice(&self.count.to_be_bytes());
        self.count += 1;
        let side = &mut self.sides[from];
        if side.engine.send(self.now, &record).is_ok() {
            assert!(side.connected);
            side.records.insert(record, 0);
        }
    }

    /// What must hold at any time.
    fn check(&mut self, index: usize) {
        self.events(index);
        let (first, second) = self.sides.split_at_mut(1);
        let (side, peer) = match index {
            0 => (&mut first[0], &mut second[0]),
            _ => (&mut second[0], &mut first[0]),
        };
        while let Some(record) = side.engine.poll_data() {
            assert!(side.connected, "data before the certificate was verified");
            let arrived = peer.records.get_mut(&*record);
            let arrived = arrived.expect("a record that was never sent");
            *arrived += 1;
            assert_eq!(*arrived, 1, "a record that comes twice");
        }
        if side.engine.srtp_keying_material().is_some() {
            assert!(side.connected, "keys before the certificate was verified");
        }
    }

    fn events(&mut self, index: usize) {
        let peer_closed = self.sides[1 - index].closed_here || self.sides[1 - index].over;
        let tampered = self.tampered;
        let side = &mut self.sides[index];
        while let Some(event) = side.engine.poll_event() {
            assert!(!side.over, "{event:?} after the end");
            match event {
                Event::Connected => {
                    assert!(!side.connected, "connected twice");
                    side.connected = true;
                }
                Event::Closed => {
                    assert!(side.closed_here || peer_closed, "closed by no one");
                    side.over = true;
                }
                Event::Failed(error) => {
                    assert!(!side.connected, "a forgery ended a connection: {error}");
                    let timeout = matches!(error, pc_dtls::Error::HandshakeTimeout { .. });
                    assert!(tampered || timeout, "{error}");
                    side.over = true;
                }
            }
        }
    }
}

/// Of client and server, with ECDSA and with RSA. Made once: making them is slow.
fn certificates() -> &'static [[Certificate; 2]; 2] {
    static MADE: OnceLock<[[Certificate; 2]; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048].map(|algorithm| {
            let options = CertificateOptions::new(algorithm);
            let date = Duration::from_secs(1_790_000_000);
            [0, 1].map(|_| Certificate::generate_with(options, date).unwrap())
        })
    })
}

/// Some instant; time moves only as the operations say.
#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}
