//! Each field of `Config` has its effect.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use pc_proto::{Batch, Protocol};
use pc_sctp::{Association, Config, Ppid, Reliability, SendError, State, StreamId};
use pc_simnet::{Pair, epoch, ms};

fn config(seed: u8, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        seed: [seed; 32],
        ..Config::default()
    };
    change(&mut config);
    config
}

fn connected(a: Config, b: Config) -> Pair<Association> {
    let mut pair = Pair::new(1, Association::new(a), Association::new(b));
    let now = pair.now();
    pair.a.connect(now);
    pair.b.connect(now);
    pair.run(|pair| pair.a.state() == State::Connected && pair.b.state() == State::Connected);
    pair
}

/// What leaves now.
fn sent(now: Instant, association: &mut Association) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    let mut all = Vec::new();
    while let Some(()) = association.poll_transmit(now, &mut batch.transmit_buf(1200, 8)) {
        all.extend(batch.datagrams().map(<[u8]>::to_vec));
    }
    all
}

fn send(pair: &mut Pair<Association>, stream: u16, bytes: &[u8]) -> Result<(), SendError> {
    let now = pair.now();
    let (stream, ordered) = (StreamId(stream), Reliability::ORDERED);
    pair.a.send(now, stream, ordered, Ppid::BINARY, bytes)
}

#[test]
fn packets_have_the_ports() {
    let mut association = Association::new(config(1, |it| {
        (it.local_port, it.remote_port) = (5001, 5002);
    }));
    association.connect(epoch());
    let packets = sent(epoch(), &mut association);
    assert_eq!(packets[0][..4], [0x13, 0x89, 0x13, 0x8A]);
}

#[test]
fn no_packet_is_longer_than_the_mtu() {
    for mtu in [600, 1100] {
        let mut pair = connected(config(1, |it| it.mtu = mtu), config(2, |_| ()));
        send(&mut pair, 4, &[7; 20_000]).unwrap();
        let now = pair.now();
        let packets = sent(now, &mut pair.a);
        let longest = packets.iter().map(Vec::len).max().unwrap();
        assert!(longest <= mtu && longest + 50 > mtu, "{longest} of {mtu}");
    }
}

#[test]
fn a_stream_holds_no_more_than_the_configuration_says() {
    let a = config(1, |it| it.max_buffered = 10_000);
    let mut pair = connected(a, config(2, |_| ()));
    pair.cut();
    let refused = (0..100).find(|_| send(&mut pair, 4, &[7; 1000]).is_err());
    let refused = refused.unwrap();
    assert!((9..=11).contains(&refused), "{refused}");
    assert_eq!(send(&mut pair, 4, &[7; 1000]), Err(SendError::BufferFull));
    // Each stream for itself.
    assert_eq!(send(&mut pair, 6, &[7; 1000]), Ok(()));
}

#[test]
fn streams_beyond_the_limit_wait() {
    for (max_streams, comes) in [(1, false), (2, true)] {
        let b = config(2, |it| it.max_streams = max_streams);
        let mut pair = connected(config(1, |_| ()), b);
        send(&mut pair, 4, b"one").unwrap();
        pair.run_for(ms(500));
        send(&mut pair, 6, b"two").unwrap();
        pair.run_for(ms(500));
        let (now, mut message) = (pair.now(), Vec::new());
        assert!(pair.b.recv(now, StreamId(4), &mut message).is_some());
        let second = pair.b.recv(now, StreamId(6), &mut message);
        assert_eq!(second.is_some(), comes, "{max_streams}");
    }
}

/// When an INIT that nobody answers leaves, in ms since the first.
fn inits(change: impl FnOnce(&mut Config)) -> Vec<u128> {
    let mut association = Association::new(config(1, change));
    association.connect(epoch());
    let (mut now, mut times) = (epoch(), Vec::new());
    while times.len() < 5 {
        if !sent(now, &mut association).is_empty() {
            times.push((now - epoch()).as_millis());
        }
        now = association.poll_timeout().unwrap();
        association.handle_timeout(now);
    }
    times
}

#[test]
fn timeouts_begin_and_end_where_the_configuration_says() {
    let times = inits(|it| (it.rto_initial, it.rto_max) = (ms(100), ms(300)));
    assert_eq!(times, [0, 100, 300, 600, 900]);
    let times = inits(|it| (it.rto_initial, it.rto_max) = (ms(250), ms(60_000)));
    assert_eq!(times, [0, 250, 750, 1750, 3750]);
}

#[test]
fn nothing_is_sent_again_before_the_smallest_timeout() {
    let again = |rto_min: Duration| {
        let a = config(1, |it| it.rto_min = rto_min);
        let mut pair = connected(a, config(2, |_| ()));
        // So that the round trip is known, which is none.
        for _ in 0..5 {
            send(&mut pair, 4, b"hello").unwrap();
            pair.run_for(ms(500));
        }
        pair.cut();
        send(&mut pair, 4, b"lost").unwrap();
        let (begin, before) = (pair.now(), pair.trace().total());
        pair.run(|pair| pair.trace().total() > before + 1);
        pair.now() - begin
    };
    for rto_min in [ms(300), ms(900)] {
        let took = again(rto_min);
        assert!(
            took >= rto_min && took <= rto_min + ms(100),
            "{took:?}, at least {rto_min:?}"
        );
    }
}
