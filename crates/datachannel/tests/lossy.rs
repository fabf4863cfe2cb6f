//! Links that lose, reorder and repeat, over many seeds.

mod common;

use common::{Peer, connect, incoming, strangers};
use pc_datachannel::{ChannelId, ChannelInit, Message};
use pc_simnet::{LazyDriver, Link, Pair, Seed, for_each_seed, ms};

fn bad_link() -> Link {
    Link::new()
        .delay(ms(20))
        .jitter(ms(10))
        .loss(0.3)
        .reorder(0.2, ms(50))
        .duplicate(0.1)
}

fn bad_pair(seed: Seed) -> Pair<Peer> {
    let mut pair = strangers(seed).with_link(bad_link());
    if seed.0 % 2 == 1 {
        pair = pair.with_driver(LazyDriver::default());
    }
    connect(&mut pair);
    pair
}

/// A message that names itself, of a size that varies from one to some packets.
fn message(n: u32) -> Vec<u8> {
    let mut bytes = n.to_be_bytes().to_vec();
    bytes.resize(4 + (n as usize * 977) % 4000, n as u8);
    bytes
}

fn send(pair: &mut Pair<Peer>, id: ChannelId, count: u32) {
    let now = pair.now();
    for n in 0..count {
        let message = message(n);
        pair.a
            .session
            .send(now, id, Message::Binary(&message))
            .unwrap();
    }
}

#[test]
fn every_reliable_message_arrives_once_and_in_order() {
    for_each_seed(1000, |seed| {
        let mut pair = bad_pair(seed);
        let now = pair.now();
        let ordered = pair
            .a
            .session
            .create(now, ChannelInit::new("ordered"))
            .unwrap();
        let unordered = ChannelInit {
            ordered: false,
            ..ChannelInit::new("unordered")
        };
        let unordered = pair.a.session.create(now, unordered).unwrap();
        send(&mut pair, ordered, 12);
        send(&mut pair, unordered, 8);
        pair.run(|pair| pair.b.received.len() == 20);
        let [first, second] = incoming(&pair.b)[..] else {
            panic!("two channels were opened");
        };
        let of = |label| {
            let label_of = |id| pair.b.session.channel(id).unwrap().label == label;
            pair.b.of(if label_of(first) { first } else { second })
        };
        let expected: Vec<_> = (0..12).map(message).collect();
        assert_eq!(of("ordered"), expected);
        let mut expected: Vec<_> = (0..8).map(message).collect();
        expected.sort();
        let mut got = of("unordered");
        got.sort_unstable();
        assert_eq!(got, expected);
        // Nothing comes twice later on.
        pair.run_for(ms(5000));
        assert_eq!(pair.b.received.len(), 20);
    });
}

#[test]
fn partial_reliability_delivers_a_part() {
    let mut lost = [0; 4];
    for_each_seed(120, |seed| {
        let mut pair = bad_pair(seed);
        let now = pair.now();
        let kind = (seed.0 % 4) as usize;
        let init = ChannelInit {
            ordered: kind.is_multiple_of(2),
            max_retransmits: (kind < 2).then_some(0),
            max_packet_life_time: (kind >= 2).then_some(300),
            ..ChannelInit::default()
        };
        let part = pair.a.session.create(now, init).unwrap();
        send(&mut pair, part, 30);
        let whole = pair.a.session.create(now, ChannelInit::new("end")).unwrap();
        pair.a
            .session
            .send(now, whole, Message::Text("end"))
            .unwrap();
        let is_end = |(_, _, bytes): &(_, _, Vec<u8>)| bytes == b"end";
        pair.run(|pair| pair.b.received.iter().any(is_end));
        pair.run(|pair| pair.a.session.channel(part).unwrap().buffered_amount == 0);
        pair.run_for(ms(20_000));
        let there = incoming(&pair.b);
        let got: Vec<u32> = there
            .iter()
            .flat_map(|id| pair.b.of(*id))
            .filter(|bytes| *bytes != b"end")
            .map(|bytes| {
                let n = u32::from_be_bytes(bytes[..4].try_into().unwrap());
                assert_eq!(bytes, message(n));
                n
            })
            .collect();
        let mut sorted = got.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), got.len(), "a message came twice");
        if kind.is_multiple_of(2) {
            assert_eq!(sorted, got, "out of order");
        }
        lost[kind] += 30 - got.len();
        // The channel goes on.
        let now = pair.now();
        pair.a.session.close(now, part);
        pair.run(|pair| pair.a.session.channel(part).is_none());
    });
    assert!(
        lost.iter().all(|n| *n > 0),
        "nothing was given up: {lost:?}"
    );
}

#[test]
fn large_messages_cross_bad_links() {
    for_each_seed(4, |seed| {
        let link = bad_link().loss(0.05);
        let mut pair = strangers(seed).with_link(link);
        connect(&mut pair);
        let now = pair.now();
        let id = pair.a.session.create(now, ChannelInit::default()).unwrap();
        let large: Vec<u8> = (0..262_144_u32).map(|n| (n / 7) as u8).collect();
        for _ in 0..2 {
            pair.a
                .session
                .send(now, id, Message::Binary(&large))
                .unwrap();
        }
        pair.run(|pair| pair.b.received.len() == 2);
        assert!(pair.b.received.iter().all(|(_, _, bytes)| *bytes == large));
    });
}

#[test]
fn channels_close_and_open_over_bad_links() {
    for_each_seed(100, |seed| {
        let mut pair = bad_pair(seed);
        for round in 1..=4 {
            let now = pair.now();
            let id = pair.a.session.create(now, ChannelInit::new("x")).unwrap();
            send(&mut pair, id, 5);
            pair.a.session.close(now, id);
            pair.run(|pair| pair.a.session.channel(id).is_none());
            pair.run(|pair| pair.b.received.len() == 5 * round);
        }
        pair.run(|pair| pair.b.session.channels().count() == 0);
        assert_eq!(incoming(&pair.b).len(), 4);
    });
}

#[test]
fn an_outage_is_survived() {
    let mut pair = strangers(7);
    connect(&mut pair);
    let now = pair.now();
    let id = pair.a.session.create(now, ChannelInit::default()).unwrap();
    pair.run(|pair| incoming(&pair.b).len() == 1);
    pair.cut();
    send(&mut pair, id, 20);
    pair.run_for(pc_simnet::secs(600));
    assert!(pair.b.received.is_empty());
    pair.mend();
    let mended = pair.now();
    pair.run(|pair| pair.b.received.len() == 20);
    assert!(pair.now() - mended < pc_simnet::secs(8));
}

#[test]
fn a_long_path_is_filled_without_overflowing_its_queue() {
    for (rtt, mbit, at_least) in [(20, 100, 70), (100, 100, 35), (100, 20, 14), (50, 10, 8)] {
        let link = Link::new()
            .delay(ms(rtt / 2))
            .rate(mbit * 1_000_000, 500_000);
        let mut pair = strangers(1).with_link(link);
        connect(&mut pair);
        let now = pair.now();
        let id = pair.a.session.create(now, ChannelInit::default()).unwrap();
        for _ in 0..900 {
            let message = Message::Binary(&[1; 16_384]);
            pair.a.session.send(now, id, message).unwrap();
        }
        pair.run(|pair| pair.b.received.len() == 900);
        let seconds = (pair.now() - now).as_secs_f64();
        let rate = 900.0 * 16_384.0 * 8.0 / seconds / 1e6;
        assert!(
            rate > f64::from(at_least),
            "{rate} Mbit/s at {rtt} ms and {mbit}"
        );
        assert_eq!(pair.trace().count(|it| !it.is_delivered()), 0);
    }
}
