//! Reads bytes as operations on a TURN client and as what its server sends, and checks what must hold
//! whatever they are.
//!
//! Used by the fuzz target and by the test of `pc-ice` that replays its corpus.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_ice::{ServerTransport, turn};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_stun::{
    Attribute, AttributeType as T, Class, ErrorCode, IntegrityKey, MessageBuilder, MessageView,
    Method, PasswordAlgorithm, PasswordAlgorithmEntry, PasswordAlgorithms, TransactionId,
};

const REALM: &str = "realm";
const PASSWORD: &str = "a password that no log shows";

/// How many requests a client may have open.
const MAX_OPEN: usize = 16;

/// Runs the operations, then gives the client a good server: it has to end up idle.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(bytes.byte());
    for _ in 0..400 {
        let Some(operation) = bytes.next() else { break };
        world.operate(operation, &mut bytes);
        world.check();
    }
    world.recover();
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        head
    }
}

struct World {
    client: turn::Client,
    now: Instant,
    /// Requests that have not been answered.
    open: VecDeque<Vec<u8>>,
    /// All requests that have left.
    sent: Vec<TransactionId>,
    ended: bool,
    tcp: bool,
    paths: u16,
}

fn peer(byte: u8) -> SocketAddr {
    let port = 1000 + u16::from(byte >> 6);
    match byte & 7 {
        0..6 => ([10, 0, 0, byte & 7], port).into(),
        _ => ([0xFD00, 0, 0, 0, 0, 0, 0, u16::from(byte & 7)], port).into(),
    }
}

fn path(port: u16) -> FiveTuple {
    let server = ([192, 0, 2, 1], 3478).into();
    FiveTuple::udp(([10, 1, 1, 1], port).into(), server)
}

impl World {
    fn new(kind: u8) -> Self {
        let transport = match kind & 1 {
            0 => ServerTransport::Udp,
            _ => ServerTransport::Tls,
        };
        let credentials = turn::Credentials::new("user", PASSWORD);
        let mut config = turn::Config::new(path(4000), transport, credentials, [kind; 32]);
        if kind & 3 == 3 {
            config.relayed = turn::RelayedTransport::Tcp;
        }
        config.families = match kind >> 2 & 3 {
            0 | 1 => turn::Families::V4,
            2 => turn::Families::V6,
            _ => turn::Families::Both,
        };
        config.mobility = kind & 16 != 0;
        config.dont_fragment = kind & 3 != 3 && kind & 32 != 0;
        Self {
            client: turn::Client::new(config).unwrap(),
            now: pc_simnet::epoch(),
            open: VecDeque::new(),
            sent: Vec::new(),
            ended: false,
            tcp: kind & 3 == 3,
            paths: 0,
        }
    }

    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match operation & 0x1F {
            0 => self.pass(Duration::from_millis(u64::from(bytes.byte()) * 10)),
            1 => self.pass(Duration::from_secs(u64::from(bytes.byte()) * 4)),
            2..=4 => self.transmit(),
            5..=7 => self.answer_well(),
            8 => drop(self.open.pop_front()),
            9 => self.open.rotate_left(usize::from(!self.open.is_empty())),
            10..=12 => self.answer_badly(bytes),
            13 => self.challenge(bytes),
            14 => self.corrupt(bytes),
            15 | 16 => {
                let len = usize::from(bytes.byte());
                let garbage = bytes.take(len).to_vec();
                self.forged(garbage);
            }
            17 => self.indicate(bytes),
            18 => self.channel_data(bytes),
            19..=21 => drop(self.client.permit(now, peer(bytes.byte()))),
            22 | 23 => drop(self.client.bind_channel(now, peer(bytes.byte()))),
            24 => self.client.revoke(now, peer(bytes.byte()).ip()),
            25 => self.client.unbind_channel(now, peer(bytes.byte())),
            26 => drop(self.client.connect(now, peer(bytes.byte()))),
            27 => self.move_away(),
            28 => self.wrap(bytes),
            29 => drop(self.client.poll_event().map(|event| self.note(event))),
            30 if bytes.byte() == 30 => self.client.close(now),
            31 if bytes.byte() == 31 => self.client.connection_lost(),
            _ => {}
        }
    }

    /// What holds after every operation.
    fn check(&mut self) {
        self.client.handle_timeout(self.now);
        let next = self.client.poll_timeout();
        assert!(
            next.is_none_or(|at| at > self.now),
            "a timeout that does not go away"
        );
        if self.client.is_ended() {
            assert_eq!(next, None, "an ended client is inert");
            let mut batch = Batch::new();
            let mut out = batch.transmit_buf(1200, 8);
            assert_eq!(self.client.poll_transmit(self.now, &mut out), None);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn transmit(&mut self) {
        let mut batch = Batch::new();
        for _ in 0..MAX_OPEN {
            let mut out = batch.transmit_buf(1200, 8);
            let Some(route) = self.client.poll_transmit(self.now, &mut out) else {
                return;
            };
            assert_eq!(route, self.client.path());
            for datagram in batch.datagrams() {
                let request = MessageView::parse(datagram).expect("a request that is STUN");
                assert_eq!(request.class(), Class::Request);
                assert!(self.client.awaits(request.transaction_id()));
                if let Some(key) = key_of(&request) {
                    request
                        .verify_integrity(&key)
                        .expect("a signature that fits");
                }
                self.sent.push(request.transaction_id());
                self.open.push_back(datagram.to_vec());
            }
        }
        panic!("poll_transmit does not become idle");
    }

    /// What the client says of its state.
    fn summary(&self) -> (String, Vec<(bool, bool)>) {
        let peers = (0..32).map(|i| peer(i & 7 | i >> 3 << 6));
        let flags = |peer: SocketAddr| {
            (
                self.client.is_permitted(peer.ip()),
                self.client.has_channel(peer),
            )
        };
        let allocation = format!("{:?}", self.client.allocation());
        (allocation, peers.map(flags).collect())
    }

    /// Takes data, and checks from whom they may come.
    fn input(&mut self, mut datagram: Vec<u8>) -> bool {
        let path = self.client.path();
        let channel = datagram.first().is_some_and(|first| first >> 6 == 1);
        match self.client.handle_input(self.now, path, &mut datagram) {
            Ok(Some(data)) => {
                let peer = data.peer;
                assert!(channel || self.client.is_permitted(peer.ip()));
                true
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Takes what a stranger sends: unless it answers an unsigned request, nothing may change.
    fn forged(&mut self, datagram: Vec<u8>) {
        self.client.handle_timeout(self.now);
        let before = self.summary();
        if !self.input(datagram) {
            assert_eq!(
                self.summary(),
                before,
                "a rejected datagram changes something"
            );
        }
    }

    /// Answers the oldest request as a server of RFC 8656 does.
    fn answer_well(&mut self) {
        if let Some(request) = self.open.pop_front() {
            let answer = well(&request);
            self.input(answer);
        }
    }

    /// Answers with a class, attributes and a signature that the bytes choose.
    fn answer_badly(&mut self, bytes: &mut Bytes<'_>) {
        let Some(sent) = self.open.pop_front() else {
            return;
        };
        let request = MessageView::parse(&sent).unwrap();
        let how = bytes.byte();
        let class = match how & 3 {
            0 => Class::Error,
            1 => Class::Indication,
            _ => Class::Success,
        };
        let mut answer = vec![0; 2000];
        let id = request.transaction_id();
        let mut message = MessageBuilder::new(&mut answer, class, request.method(), id);
        for _ in 0..bytes.byte() & 7 {
            attribute(&mut message, bytes);
        }
        let key = key_of(&request);
        let proven = how & 12 != 0;
        match (&key, how >> 2 & 3) {
            (Some(key), 1) => drop(message.integrity(key).finish()),
            (Some(key), 2) => drop(message.integrity_sha256(key).finish()),
            (Some(key), 3) => drop(message.integrity(key).integrity_sha256(key).finish()),
            _ => {}
        }
        let Ok(len) = message.finish() else { return };
        answer.truncate(len);
        if key.is_some() && !proven && class == Class::Success {
            // An unsigned answer to a signed request must not give anything.
            let before = self.summary();
            self.input(answer);
            let after = self.summary();
            let mut both = after.1.iter().zip(&before.1);
            let gained = both.any(|(now, was)| now.0 && !was.0 || now.1 && !was.1);
            assert!(!gained, "something is given for nothing");
        } else {
            self.input(answer);
        }
    }

    fn challenge(&mut self, bytes: &mut Bytes<'_>) {
        let Some(request) = self.open.pop_front() else {
            return;
        };
        let answer = challenge(&request, bytes.byte());
        self.input(answer);
    }

    fn corrupt(&mut self, bytes: &mut Bytes<'_>) {
        let Some(request) = self.open.front() else {
            return;
        };
        let mut answer = well(request);
        let at = usize::from(bytes.byte()) % answer.len();
        answer[at] ^= bytes.byte();
        self.forged(answer);
    }

    fn indicate(&mut self, bytes: &mut Bytes<'_>) {
        let method = match bytes.byte() {
            0..200 => Method::DATA,
            _ => Method::CONNECTION_ATTEMPT,
        };
        let mut datagram = vec![0; 600];
        let id = TransactionId([1; 12]);
        let mut message = MessageBuilder::new(&mut datagram, Class::Indication, method, id);
        message.attribute(Attribute::XorPeerAddress(peer(bytes.byte())));
        for _ in 0..bytes.byte() & 3 {
            attribute(&mut message, bytes);
        }
        let len = message.finish().unwrap();
        datagram.truncate(len);
        self.forged(datagram);
    }

    fn channel_data(&mut self, bytes: &mut Bytes<'_>) {
        let mut datagram = vec![0x40, bytes.byte(), 0, bytes.byte() & 15];
        let len = usize::from(bytes.byte() & 31);
        datagram.extend(bytes.take(len));
        self.forged(datagram);
    }

    fn move_away(&mut self) {
        self.paths += 1;
        let moved = self.client.move_to(self.now, path(4000 + self.paths));
        if moved.is_ok() {
            self.open.clear();
        }
    }

    fn wrap(&mut self, bytes: &mut Bytes<'_>) {
        let (peer, len) = (peer(bytes.byte()), usize::from(bytes.byte()) * 5);
        let (mut batch, fill) = (Batch::new(), bytes.byte());
        let mut out = batch.transmit_buf(1200, 8);
        let overhead = self.client.overhead(peer);
        let write = |inner: &mut pc_proto::TransmitBuf<'_>| {
            inner.datagram(len, |place| place.fill(fill));
        };
        let sent = self.client.wrap(&mut out, peer, write);
        let may = self.client.is_permitted(peer.ip()) || self.client.has_channel(peer);
        let may = may && self.client.allocation().is_some() && !self.tcp;
        assert_eq!(sent.is_ok(), may);
        if sent.is_err() {
            assert!(batch.is_empty());
            return;
        }
        let datagram = batch.datagrams().next().unwrap();
        assert!(datagram.len() <= len + overhead);
        if let Ok(message) = MessageView::parse(datagram) {
            let data = message.value(T::DATA).unwrap();
            assert!(data.len() == len && data.iter().all(|byte| *byte == fill));
        } else {
            let header = pc_stun::ChannelHeader::parse(datagram).unwrap();
            let data = &datagram[header.data()];
            assert!(data.len() == len && data.iter().all(|byte| *byte == fill));
        }
    }

    fn note(&mut self, event: turn::Event) {
        assert!(!self.ended, "{event:?} after the end");
        self.ended = matches!(
            event,
            turn::Event::Failed(_) | turn::Event::Released | turn::Event::Redirected(_)
        );
    }

    /// With a good server every request is answered, and nothing is left to be sent.
    fn recover(&mut self) {
        let shown = format!("{:?}", self.client);
        assert!(!shown.contains(PASSWORD), "a password is shown");
        assert!(shown.len() < 1 << 20, "the client grows");
        for _ in 0..2_000 {
            self.transmit();
            while !self.open.is_empty() {
                self.answer_well();
                self.transmit();
            }
            self.check();
            // Whatever was lost is sent again.
            match self.client.poll_timeout() {
                Some(at) if self.is_busy() => self.now = at,
                _ => break,
            }
        }
        assert!(
            !self.is_busy(),
            "requests that never end: {:?}",
            self.client
        );
        let mut events = 0;
        while let Some(event) = self.client.poll_event() {
            self.note(event);
            events += 1;
        }
        assert!(events <= 512);
        assert_eq!(self.client.is_ended(), self.ended, "the end is told");
        assert!(self.ended || self.client.allocation().is_some());
    }

    /// Whether an answer is awaited to anything that was sent.
    fn is_busy(&self) -> bool {
        self.sent.iter().any(|id| self.client.awaits(*id))
    }
}

/// The key with which a request was signed.
fn key_of(request: &MessageView<'_>) -> Option<IntegrityKey> {
    request.nonce()?;
    let algorithm = match request.attribute(T::PASSWORD_ALGORITHM) {
        Some(Attribute::PasswordAlgorithm(entry)) => entry.algorithm().unwrap(),
        _ => PasswordAlgorithm::Md5,
    };
    // The realm is one of two.
    let realm = request.realm().unwrap();
    Some(IntegrityKey::long_term("user", realm, PASSWORD, algorithm))
}

/// A 401 or 438, with what the byte chooses.
fn challenge(request: &[u8], how: u8) -> Vec<u8> {
    let request = MessageView::parse(request).unwrap();
    let mut answer = vec![0; 600];
    let (id, method) = (request.transaction_id(), request.method());
    let mut message = MessageBuilder::new(&mut answer, Class::Error, method, id);
    message.attribute(Attribute::ErrorCode(match how & 1 {
        0 => ErrorCode::UNAUTHENTICATED,
        _ => ErrorCode::STALE_NONCE,
    }));
    let nonce = ["plain", "obMatJos2gAAAx", "obMatJos2wAAAx", "obMatJos2AAAC"];
    message.attribute(Attribute::Nonce(nonce[usize::from(how >> 1 & 3)]));
    if how & 8 == 0 {
        message.attribute(Attribute::Realm(if how & 16 == 0 {
            REALM
        } else {
            "other"
        }));
    }
    let entries = [7, 2, 1].map(|number| PasswordAlgorithmEntry {
        number,
        parameters: &[],
    });
    let list = &entries[..usize::from(how >> 5 & 3)];
    if !list.is_empty() {
        message.attribute(Attribute::PasswordAlgorithms(PasswordAlgorithms::new(list)));
    }
    let len = message.finish().unwrap();
    answer.truncate(len);
    answer
}

/// The answer of a good server.
fn well(request: &[u8]) -> Vec<u8> {
    let view = MessageView::parse(request).unwrap();
    let Some(key) = key_of(&view) else {
        return challenge(request, 0);
    };
    if view.realm() != Some(REALM) {
        return challenge(request, 0);
    }
    let mut answer = vec![0; 600];
    let (id, method) = (view.transaction_id(), view.method());
    let mut message = MessageBuilder::new(&mut answer, Class::Success, method, id);
    match method {
        Method::ALLOCATE => relayed(&view, &mut message),
        Method::REFRESH => drop(message.attribute(Attribute::Lifetime(600))),
        Method::CONNECT => drop(message.attribute(Attribute::ConnectionId(7))),
        _ => {}
    }
    if view.value(T::MOBILITY_TICKET).is_some() {
        message.attribute(Attribute::MobilityTicket(b"ticket"));
    }
    if view.attribute(T::PASSWORD_ALGORITHM).is_some() {
        message.integrity_sha256(&key);
    } else {
        message.integrity(&key);
    }
    let len = message.finish().unwrap();
    answer.truncate(len);
    answer
}

fn relayed(request: &MessageView<'_>, message: &mut MessageBuilder<'_>) {
    let six = request.value(T::REQUESTED_ADDRESS_FAMILY).is_some();
    let both = request.value(T::ADDITIONAL_ADDRESS_FAMILY).is_some();
    if !six || both {
        let v4 = ([192, 0, 2, 1], 50_000).into();
        message.attribute(Attribute::XorRelayedAddress(v4));
    }
    if six || both {
        let v6 = ([0x2001, 0xDB8, 0, 0, 0, 0, 0, 1], 50_000).into();
        message.attribute(Attribute::XorRelayedAddress(v6));
    }
    message.attribute(Attribute::Lifetime(600));
}

/// An attribute that the bytes choose.
fn attribute(message: &mut MessageBuilder<'_>, bytes: &mut Bytes<'_>) {
    let value = u32::from(bytes.byte());
    match bytes.byte() % 12 {
        0 => message.attribute(Attribute::XorRelayedAddress(peer(value as u8))),
        1 => message.attribute(Attribute::Lifetime(value * value)),
        2 => message.attribute(Attribute::XorMappedAddress(peer(value as u8))),
        3 => message.attribute(Attribute::ErrorCode(ErrorCode {
            code: 300 + (value as u16 * 7) % 400,
            reason: "why",
        })),
        4 => message.attribute(Attribute::Nonce("obMatJos2gAAAx")),
        5 => message.attribute(Attribute::AlternateServer(peer(value as u8))),
        6 => message.attribute(Attribute::MobilityTicket(bytes.take(value as usize))),
        7 => message.attribute(Attribute::ConnectionId(value)),
        8 => message.attribute(Attribute::Data(bytes.take(value as usize & 63))),
        9 => message.attribute(Attribute::Unknown {
            kind: T(0x7000 | value as u16),
            value: bytes.take(3),
        }),
        10 => message.attribute(Attribute::ErrorCode(ErrorCode::ALLOCATION_MISMATCH)),
        _ => message.attribute(Attribute::XorPeerAddress(peer(value as u8))),
    };
}
