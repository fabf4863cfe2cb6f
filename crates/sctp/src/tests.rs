use std::time::{Duration, Instant};

use pc_proto::{Batch, Protocol, TransmitBuf};
use pc_simnet::{Link, Node, Pair, Seed, Side, epoch, for_each_seed, ms, secs};

use crate::{
    Association, Config, Error, Event, Limit, Ppid, Rejected, Reliability, SendError, State,
    StreamId,
    inbound::to_us,
    wire::{Header, PacketBuilder, chunk},
};

pub(crate) const STREAM: StreamId = StreamId(4);

pub(crate) fn association(seed: Seed, name: &str) -> Association {
    Association::new(Config {
        seed: seed.bytes(name),
        max_message_size: 262_144,
        ..Config::default()
    })
}

fn strangers(seed: impl Into<Seed>) -> Pair<Association> {
    let seed = seed.into();
    Pair::new(seed, association(seed, "a"), association(seed, "b"))
}

pub(crate) fn connected(seed: impl Into<Seed>) -> Pair<Association> {
    let mut pair = strangers(seed);
    let now = pair.now();
    pair.a.connect(now);
    pair.b.connect(now);
    pair.run(|pair| pair.a.state() == State::Connected && pair.b.state() == State::Connected);
    pair
}

fn send(pair: &mut Pair<Association>, message: &[u8]) {
    let now = pair.now();
    pair.a
        .send(now, STREAM, Reliability::ORDERED, Ppid::BINARY, message)
        .unwrap();
}

/// Sends a message from a to b and waits for it.
fn works(pair: &mut Pair<Association>, text: &str) {
    send(pair, text.as_bytes());
    let mut message = Vec::new();
    pair.drive(|pair| {
        let now = pair.now();
        pair.b.recv(now, STREAM, &mut message).is_some()
    });
    assert_eq!(message, text.as_bytes());
}

/// A packet to `to` that has everything right but what is in it.
pub(crate) fn forged(to: &Association, chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
    build(to_us(to), chunks)
}

fn build(header: Header, chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut packet = PacketBuilder::new(header);
    for (kind, flags, value) in chunks {
        packet.chunk(*kind, *flags, &[value]);
    }
    packet.finish()
}

/// Gives `packet` to b, which must reject it without noticing.
fn rejects(pair: &mut Pair<Association>, what: &str, mut packet: Vec<u8>) {
    let before = format!("{:?}", pair.b.node);
    let now = pair.now();
    let result = pair.b.handle_input(now, (), &mut packet);
    assert!(result.is_err(), "{what} was taken");
    assert_eq!(format!("{:?}", pair.b.node), before, "{what} left a trace");
}

#[test]
fn a_collision_of_inits_is_settled_over_bad_links() {
    for_each_seed(300, |seed| {
        let link = Link::new()
            .delay(ms(20))
            .loss(0.3)
            .reorder(0.3, ms(40))
            .duplicate(0.2);
        let mut pair = strangers(seed).with_link(link);
        let now = pair.now();
        if seed.0 % 3 != 1 {
            pair.a.connect(now);
        }
        if seed.0 % 3 != 2 {
            pair.b.connect(now);
        }
        pair.run(|pair| pair.a.state() == State::Connected && pair.b.state() == State::Connected);
        works(&mut pair, "hello");
        for events in [&pair.a.events, &pair.b.events] {
            let connected = events.iter().filter(|event| **event == Event::Connected);
            assert_eq!(connected.count(), 1);
        }
    });
}

#[test]
fn the_same_seed_sends_the_same_packets() {
    let first = || {
        let mut association = association(Seed(1), "a");
        association.connect(epoch());
        let mut batch = Batch::new();
        association.poll_transmit(epoch(), &mut batch.transmit_buf(1200, 8));
        batch.datagrams().map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert_eq!(first(), first());
    assert_eq!(first().len(), 1);
}

#[test]
fn forged_packets_change_nothing() {
    let mut pair = connected(2);
    works(&mut pair, "before");
    pair.run_for(secs(1));
    let to = &pair.b.node;
    let right = to_us(to);
    let transfer = to.transfer.as_ref().unwrap();
    let tsn = |ahead: u32| transfer.received.plus(ahead).0.to_be_bytes();
    let data = |ahead| [&tsn(ahead)[..], &[0, 4, 0, 9, 0, 0, 0, 53, 1]].concat();
    let one = data(1);
    let sack = |ahead: u32, counts: [u8; 4], rest: &[u8]| {
        let cumulative = transfer.sent.plus(ahead).0.to_be_bytes();
        [&cumulative[..], &[0, 1, 0, 0], &counts, rest].concat()
    };
    let init = pair.a.handshake.local().value(None);
    let wrong_tag = Header {
        tag: right.tag ^ 1,
        ..right
    };
    let wrong_port = Header {
        source_port: 5001,
        ..right
    };
    let zero_tag = Header { tag: 0, ..right };
    let request = |sequence: u32| {
        let value = [
            &[0, 13, 0, 18][..],
            &sequence.to_be_bytes(),
            &[0; 4],
            &tsn(0),
            &[0, 4],
        ];
        value.concat()
    };
    let peer_tsn = transfer.peer.tsn;
    let mut length = forged(to, &[(chunk::DATA, 3, &one)]);
    length[15] = 3;
    crate::wire::seal(&mut length);
    let mut checksum = forged(to, &[(chunk::DATA, 3, &one)]);
    checksum[30] ^= 1;
    let cases = [
        ("nothing", vec![]),
        ("no chunk", build(right, &[])),
        ("a chunk length below four", length),
        ("a wrong checksum", checksum),
        ("a wrong tag", build(wrong_tag, &[(chunk::DATA, 3, &one)])),
        ("a wrong port", build(wrong_port, &[(chunk::DATA, 3, &one)])),
        ("INIT while up", build(zero_tag, &[(chunk::INIT, 0, &init)])),
        ("INIT with a tag", build(right, &[(chunk::INIT, 0, &init)])),
        (
            "bundled INIT",
            build(zero_tag, &[(chunk::INIT, 0, &init), (chunk::DATA, 3, &one)]),
        ),
        (
            "INIT ACK while up",
            forged(to, &[(chunk::INIT_ACK, 0, &init)]),
        ),
        (
            "a forged cookie",
            forged(to, &[(chunk::COOKIE_ECHO, 0, &[7; 20])]),
        ),
        (
            "COOKIE ACK while up",
            forged(to, &[(chunk::COOKIE_ACK, 0, &[])]),
        ),
        (
            "ABORT with a wrong tag",
            build(wrong_tag, &[(chunk::ABORT, 0, &[])]),
        ),
        (
            "ABORT with T and our tag",
            build(right, &[(chunk::ABORT, 1, &[])]),
        ),
        (
            "SHUTDOWN ACK of nothing",
            forged(to, &[(chunk::SHUTDOWN_ACK, 0, &[])]),
        ),
        (
            "SHUTDOWN COMPLETE of nothing",
            forged(to, &[(chunk::SHUTDOWN_COMPLETE, 0, &[])]),
        ),
        (
            "FORWARD TSN far ahead",
            forged(to, &[(chunk::FORWARD_TSN, 0, &tsn(20_000))]),
        ),
        (
            "FORWARD TSN of a wrong length",
            forged(to, &[(chunk::FORWARD_TSN, 0, &data(1))]),
        ),
        (
            "DATA far ahead",
            forged(to, &[(chunk::DATA, 3, &data(20_000))]),
        ),
        (
            "DATA without data",
            forged(to, &[(chunk::DATA, 3, &one[..12])]),
        ),
        ("DATA cut short", forged(to, &[(chunk::DATA, 3, &one[..9])])),
        (
            "I-DATA without negotiation",
            forged(to, &[(64, 3, &[&one[..], &[0; 8]].concat())]),
        ),
        (
            "SACK of what was not sent",
            forged(to, &[(chunk::SACK, 0, &sack(1, [0; 4], &[]))]),
        ),
        (
            "a gap of what was not sent",
            forged(
                to,
                &[(chunk::SACK, 0, &sack(0, [0, 1, 0, 0], &[0, 2, 0, 2]))],
            ),
        ),
        (
            "an inverted gap",
            forged(
                to,
                &[(chunk::SACK, 0, &sack(0, [0, 1, 0, 0], &[0, 2, 0, 1]))],
            ),
        ),
        (
            "a SACK without its gaps",
            forged(to, &[(chunk::SACK, 0, &sack(0, [0, 9, 0, 0], &[]))]),
        ),
        (
            "a SACK with too much",
            forged(to, &[(chunk::SACK, 0, &sack(0, [0; 4], &[0; 4]))]),
        ),
        (
            "RE-CONFIG out of sequence",
            forged(to, &[(chunk::RE_CONFIG, 0, &request(peer_tsn + 1))]),
        ),
        (
            "RE-CONFIG with an odd list",
            forged(to, &[(chunk::RE_CONFIG, 0, &request(peer_tsn)[..17])]),
        ),
        (
            "an empty RE-CONFIG",
            forged(to, &[(chunk::RE_CONFIG, 0, &[])]),
        ),
        ("an unknown chunk", forged(to, &[(0x3F, 0, &[1, 2, 3])])),
    ];
    for (what, packet) in cases {
        rejects(&mut pair, what, packet);
    }
    works(&mut pair, "after");
}

/// An association that keeps what it was given.
struct Tap {
    association: Association,
    packets: Vec<Vec<u8>>,
}

impl Protocol for Tap {
    type Route = ();
    type Payload<'d> = ();
    type Event = Event;
    type Rejected = Rejected;

    fn handle_input(&mut self, now: Instant, (): (), packet: &mut [u8]) -> Result<(), Rejected> {
        self.packets.push(packet.to_vec());
        self.association.handle_input(now, (), packet)
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
    }
    fn poll_transmit(&mut self, now: Instant, out: &mut TransmitBuf<'_>) -> Option<()> {
        self.association.poll_transmit(now, out)
    }
    fn poll_event(&mut self) -> Option<Event> {
        self.association.poll_event()
    }
    fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }
}

#[test]
fn what_came_before_can_come_again() {
    let seed = Seed(3);
    let tap = |name| Tap {
        association: association(seed, name),
        packets: Vec::new(),
    };
    let mut pair = Pair::new(seed, tap("a"), tap("b"));
    let now = pair.now();
    pair.a.association.connect(now);
    pair.b.association.connect(now);
    let exchange = |pair: &mut Pair<Tap>, count: u32| {
        for n in 0..count {
            let now = pair.now();
            let message = n.to_be_bytes();
            let a = &mut pair.a.association;
            a.send(now, STREAM, Reliability::ORDERED, Ppid::BINARY, &message)
                .unwrap();
            let mut got = Vec::new();
            pair.drive(|pair| {
                let now = pair.now();
                pair.b.association.recv(now, STREAM, &mut got).is_some()
            });
            assert_eq!(got, message);
        }
    };
    exchange(&mut pair, 50);
    let now = pair.now();
    pair.a.association.reset_stream(now, STREAM);
    let done = |event: &Event| *event == Event::ResetDone(STREAM);
    pair.run(|pair| pair.a.saw(done) && pair.b.saw(done));
    pair.b.association.release(STREAM);
    pair.a.association.release(STREAM);
    exchange(&mut pair, 3);
    // Everything anew, the handshake and the reset too.
    let (to_a, to_b) = (pair.a.packets.clone(), pair.b.packets.clone());
    let events = (pair.a.events.clone(), pair.b.events.clone());
    for packet in to_b {
        pair.inject(Side::B, (), &packet);
    }
    for packet in to_a {
        pair.inject(Side::A, (), &packet);
    }
    pair.run_for(secs(5));
    let now = pair.now();
    assert_eq!(pair.b.association.recv(now, STREAM, &mut Vec::new()), None);
    assert_eq!((&pair.a.events, &pair.b.events), (&events.0, &events.1));
    exchange(&mut pair, 3);
}

#[test]
fn a_heartbeat_is_answered_and_errors_are_survived() {
    let mut pair = connected(4);
    pair.run_for(secs(1));
    let info = [0, 1, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8];
    let error = [0, 6, 0, 8, 1, 2, 3, 4];
    let mut packet = forged(
        &pair.b,
        &[(chunk::ERROR, 0, &error), (chunk::HEARTBEAT, 0, &info)],
    );
    let now = pair.now();
    assert_eq!(pair.b.handle_input(now, (), &mut packet), Ok(()));
    let mut batch = Batch::new();
    pair.b.poll_transmit(now, &mut batch.transmit_buf(1200, 8));
    let answer = forged(&pair.a, &[(chunk::HEARTBEAT_ACK, 0, &info)]);
    assert_eq!(batch.datagrams().collect::<Vec<_>>(), [answer]);
    works(&mut pair, "alive");
}

#[test]
fn a_chunk_to_skip_does_not_hide_the_next() {
    let mut pair = connected(5);
    let transfer = pair.b.transfer.as_ref().unwrap();
    let tsn = transfer.received.next().0.to_be_bytes();
    let data = [&tsn[..], &[0, 4, 0, 0, 0, 0, 0, 53, 9]].concat();
    // RFC 4820: PAD, whose type says to skip it.
    let packet = forged(&pair.b, &[(0x84, 0, &[0; 5]), (chunk::DATA, 3, &data)]);
    pair.inject(Side::B, (), &packet);
    pair.run_for(secs(1));
    let mut message = Vec::new();
    let now = pair.now();
    assert_eq!(pair.b.recv(now, STREAM, &mut message), Some(Ppid::BINARY));
    assert_eq!(message, [9]);
}

#[test]
fn an_abort_ends_it() {
    let mut pair = connected(6);
    let now = pair.now();
    pair.a.abort(now);
    pair.run(|pair| pair.b.state() == State::Failed);
    let failed = Event::Failed(Error::Aborted { cause: Some(12) });
    assert_eq!(pair.b.events.last(), Some(&failed));
    assert_eq!(pair.a.events.last(), Some(&Event::Closed));
    let again = pair
        .b
        .send(now, STREAM, Reliability::ORDERED, Ppid::BINARY, &[1]);
    assert_eq!(again, Err(SendError::Closed));
    pair.run_until_idle();
    // Its own tag with the T bit, as one says who has forgotten the association (RFC 9260 §8.5.1).
    let mut pair = connected(7);
    let theirs = Header {
        tag: pair.a.handshake.local().tag,
        ..to_us(&pair.b)
    };
    let packet = build(theirs, &[(chunk::ABORT, 1, &[])]);
    pair.inject(Side::B, (), &packet);
    pair.run(|pair| pair.b.state() == State::Failed);
}

#[test]
fn a_message_beyond_the_limit_ends_the_association() {
    let seed = Seed(8);
    for ordered in [true, false] {
        let b = Association::new(Config {
            max_receive_message_size: 10_000,
            seed: seed.bytes("b"),
            ..Config::default()
        });
        let mut pair = Pair::new(seed, association(seed, "a"), b);
        let now = pair.now();
        pair.a.connect(now);
        pair.run(|pair| pair.a.state() == State::Connected);
        let reliability = Reliability {
            ordered,
            limit: Limit::None,
        };
        let send = |pair: &mut Pair<Association>, len: usize| {
            let message = vec![1; len];
            pair.a
                .send(now, STREAM, reliability, Ppid::BINARY, &message)
                .unwrap();
        };
        send(&mut pair, 10_000);
        pair.run(|pair| pair.b.saw(|event| *event == Event::Readable(STREAM)));
        send(&mut pair, 10_001);
        pair.run(|pair| pair.b.state() == State::Failed);
        let error = Error::MessageTooLarge { limit: 10_000 };
        assert_eq!(pair.b.events.last(), Some(&Event::Failed(error)));
        pair.run(|pair| pair.a.state() == State::Failed);
        let aborted = Error::Aborted { cause: Some(13) };
        assert_eq!(pair.a.events.last(), Some(&Event::Failed(aborted)));
        // What came before can still be read.
        let mut message = Vec::new();
        assert!(pair.b.recv(now, STREAM, &mut message).is_some());
    }
}

#[test]
fn small_messages_fill_the_window_too() {
    let mut pair = connected(9);
    let now = pair.now();
    let unread = |pair: &Pair<Association>| pair.b.unread;
    for _ in 0..120_000 {
        let sent = pair
            .a
            .send(now, STREAM, Reliability::ORDERED, Ppid::BINARY, &[1]);
        sent.unwrap();
    }
    pair.run_for(secs(60));
    let held = unread(&pair);
    let limit = pair.b.config().receive_buffer;
    assert!(
        (limit..limit + 100_000).contains(&held),
        "{held} of {limit}"
    );
    // Reading goes on from there, to the last.
    let mut count = 0;
    pair.drive(|pair| {
        let now = pair.now();
        while pair.b.recv(now, STREAM, &mut Vec::new()).is_some() {
            count += 1;
        }
        count == 120_000
    });
}

#[test]
fn packets_keep_to_the_mtu() {
    let mut pair = connected(10);
    let now = pair.now();
    for n in 0..400_usize {
        let message = vec![1; 1 + n % 40];
        pair.a
            .send(now, STREAM, Reliability::ORDERED, Ppid::BINARY, &message)
            .unwrap();
    }
    pair.a
        .send(
            now,
            STREAM,
            Reliability::ORDERED,
            Ppid::BINARY,
            &[2; 50_000],
        )
        .unwrap();
    pair.run_for(secs(5));
    let longest = pair.trace().iter().map(|it| it.len).max();
    assert!((1180..=1191).contains(&longest.unwrap()), "{longest:?}");
}

#[test]
fn what_is_too_old_is_not_sent() {
    let mut pair = connected(11);
    pair.cut();
    let now = pair.now();
    let short = Reliability {
        ordered: true,
        limit: Limit::Lifetime(Duration::from_millis(500)),
    };
    for _ in 0..40 {
        pair.a
            .send(now, STREAM, short, Ppid::BINARY, &[1; 10_000])
            .unwrap();
    }
    pair.run_for(secs(10));
    pair.mend();
    works(&mut pair, "fresh");
    assert_eq!(pair.a.buffered_amount(STREAM), 0);
    assert!(
        pair.a
            .saw(|event| *event == Event::BufferedAmountLow(STREAM))
    );
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let mut association = association(Seed(12), "a");
    let mut send = |stream, ppid, message: &[u8]| {
        association.send(
            epoch(),
            StreamId(stream),
            Reliability::ORDERED,
            ppid,
            message,
        )
    };
    assert_eq!(
        send(65_535, Ppid::BINARY, &[1]),
        Err(SendError::NoSuchStream)
    );
    assert_eq!(send(1, Ppid::BINARY, &[]), Err(SendError::Empty));
    assert_eq!(
        send(1, Ppid(54), &[1]),
        Err(SendError::UnsupportedPpid(Ppid(54)))
    );
    let limit = 262_144;
    assert_eq!(
        send(1, Ppid::BINARY, &[0; 262_145]),
        Err(SendError::TooLarge { limit })
    );
    assert_eq!(send(1, Ppid::BINARY, &[0; 262_144]), Ok(()));
    association.reset_stream(epoch(), StreamId(1));
    let late = association.send(
        epoch(),
        StreamId(1),
        Reliability::ORDERED,
        Ppid::BINARY,
        &[1],
    );
    assert_eq!(late, Err(SendError::Resetting));
    let mut packet = Vec::new();
    let result = association.handle_input(epoch(), (), &mut packet);
    assert!(matches!(result, Err(Rejected::Malformed(_))));
}

/// As dcSCTP sends it: the first bytes of a message in what room another packet had left.
#[test]
fn a_first_fragment_of_four_bytes_is_taken() {
    let mut pair = connected(14);
    let to = pair.b.node.transfer.as_deref().unwrap().peer.tsn;
    let fragment = |n: u32, text: &[u8]| {
        let header = [
            &to.wrapping_add(n).to_be_bytes()[..],
            &[0, 4, 0, 0, 0, 0, 0, 53],
        ];
        [&header.concat(), text].concat()
    };
    let (first, rest) = (fragment(0, b"four"), fragment(1, b" and the rest of it"));
    let mut packet = forged(
        &pair.b.node,
        &[(chunk::DATA, 2, &first), (chunk::DATA, 1, &rest)],
    );
    let now = pair.now();
    pair.b.handle_input(now, (), &mut packet).unwrap();
    let mut message = Vec::new();
    assert_eq!(pair.b.recv(now, STREAM, &mut message), Some(Ppid::BINARY));
    assert_eq!(message, b"four and the rest of it");
}

#[test]
fn a_quiet_association_has_no_timer() {
    let mut pair = connected(13);
    works(&mut pair, "hello");
    pair.run_until_idle();
    assert_eq!(pair.a.engine().poll_timeout(), None);
    assert_eq!(pair.b.engine().poll_timeout(), None);
}
