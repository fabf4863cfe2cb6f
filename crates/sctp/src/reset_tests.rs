//! Streams that are closed while messages are under way on them.

use std::time::Instant;

use pc_proto::{Batch, Protocol};
use pc_simnet::{LazyDriver, Link, for_each_seed, ms, secs};

use crate::{
    Association, Event, Limit, Ppid, Reliability, State, StreamId,
    tests::{STREAM, connected, forged},
    wire::{PacketView, chunk},
};

/// The streams of the resets that `it` asks for, each of which is answered with "performed".
fn answer_resets(it: &mut Association, now: Instant) -> Vec<u8> {
    let mut batch = Batch::new();
    it.poll_transmit(now, &mut batch.transmit_buf(1200, 64));
    let mut streams = Vec::new();
    for packet in batch.datagrams() {
        for found in PacketView::parse(packet).unwrap().chunks() {
            // RFC 6525 §4.1: the streams are behind three numbers.
            if found.kind == chunk::RE_CONFIG && found.value[1] == 13 {
                let len = usize::from(found.value[3]);
                streams.extend(found.value[16..len].chunks(2).map(|stream| stream[1]));
                let response = [&[0, 16, 0, 12], &found.value[4..8], &[0, 0, 0, 1]].concat();
                give(it, now, &[(chunk::RE_CONFIG, 0, &response)]);
            }
        }
    }
    streams
}

fn give(it: &mut Association, now: Instant, chunks: &[(u8, u8, &[u8])]) {
    let mut packet = forged(it, chunks);
    it.handle_input(now, (), &mut packet).unwrap();
}

/// The peer closes a stream whose last message has come in part.
fn half_a_message_then_a_reset(closed_here: bool) {
    let mut pair = connected(1);
    let now = pair.now();
    let b = &mut pair.b.node;
    let first = b.transfer.as_ref().unwrap().peer.tsn;
    let tsn = |ahead: u32| first.wrapping_add(ahead).to_be_bytes();
    let data = |ahead| [&tsn(ahead)[..], &[0, 4, 0, 0, 0, 0, 0, 53, 7]].concat();
    // The reset of this one waits for a SACK, and the next one we ask for waits for that reset.
    b.send(now, StreamId(6), Reliability::ORDERED, Ppid::BINARY, &[1])
        .unwrap();
    b.reset_stream(now, StreamId(6));
    assert_eq!(answer_resets(b, now), []);
    give(b, now, &[(chunk::DATA, 2, &data(0))]);
    if closed_here {
        b.reset_stream(now, STREAM);
        assert_eq!(answer_resets(b, now), []);
    }
    // The middle of the message; its end is not to be.
    give(b, now, &[(chunk::DATA, 0, &data(1))]);
    let request = [&[0, 13, 0, 18], &tsn(0)[..], &[0; 4], &tsn(1), &[0, 4]].concat();
    give(b, now, &[(chunk::RE_CONFIG, 0, &request)]);
    assert_eq!(answer_resets(b, now), [4]);
    let sent = b.transfer.as_ref().unwrap().sent.0.to_be_bytes();
    let sack = [&sent[..], &[0, 1, 0, 0], &[0; 4]].concat();
    give(b, now, &[(chunk::SACK, 0, &sack)]);
    assert_eq!(answer_resets(b, now), [6]);
    assert_eq!(answer_resets(b, now), []);
    b.reset_stream(now, StreamId(8));
    assert_eq!(answer_resets(b, now), [8]);
    let events: Vec<_> = std::iter::from_fn(|| b.poll_event()).collect();
    let ends = [Event::StreamReset(STREAM), Event::ResetDone(STREAM)];
    assert!(events.ends_with(&ends), "{events:?}");
    b.release(STREAM);
    // The stream's next use begins at the beginning.
    give(b, now, &[(chunk::DATA, 3, &data(2))]);
    let mut message = Vec::new();
    assert_eq!(b.recv(now, STREAM, &mut message), Some(Ppid::BINARY));
    assert_eq!(message, [7]);
}

#[test]
fn half_a_message_holds_up_no_reset() {
    half_a_message_then_a_reset(false);
}

#[test]
fn what_was_dropped_of_a_closed_stream_holds_up_no_reset() {
    half_a_message_then_a_reset(true);
}

fn resets_done(it: &[Event]) -> usize {
    let done = |event: &&Event| matches!(event, Event::ResetDone(_));
    it.iter().filter(done).count()
}

/// Both sides send and close at the same time, round after round.
#[test]
fn every_reset_is_done_over_bad_links() {
    const STREAMS: u16 = 5;
    for_each_seed(150, |seed| {
        let mut pair = connected(seed);
        let link = Link::new().delay(ms(20)).loss(0.2).reorder(0.3, ms(60));
        pair = pair.with_link(link.duplicate(0.1));
        if seed.0 & 1 == 1 {
            pair = pair.with_driver(LazyDriver::default());
        }
        for round in 1..=4 {
            for step in 0..u64::from(STREAMS) {
                let bits = (seed.0 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (9 * step + round);
                let stream = StreamId(step as u16);
                let now = pair.now();
                let message = [7; 4000];
                let reliability = Reliability {
                    ordered: bits & 64 == 0,
                    limit: [Limit::None, Limit::Retransmits(0)][(bits >> 7 & 1) as usize],
                };
                for it in [&mut pair.a.node, &mut pair.b.node] {
                    it.send(now, stream, reliability, Ppid::BINARY, &message)
                        .unwrap();
                }
                pair.run_for(ms([0, 10, 35, 150][(bits & 3) as usize]));
                let now = pair.now();
                if bits & 12 != 0 {
                    pair.a.reset_stream(now, stream);
                }
                if bits & 12 != 4 {
                    pair.b.reset_stream(now, stream);
                }
                pair.run_for(ms([0, 10, 35, 150][(bits >> 4 & 3) as usize]));
            }
            let done = round as usize * usize::from(STREAMS);
            for _ in 0..240 {
                pair.run_for(secs(1));
                if resets_done(&pair.a.events) == done && resets_done(&pair.b.events) == done {
                    break;
                }
            }
            let counts = [&pair.a.events, &pair.b.events].map(|it| resets_done(it));
            assert_eq!(counts, [done; 2], "round {round}");
            for stream in (0..STREAMS).map(StreamId) {
                pair.a.release(stream);
                pair.b.release(stream);
            }
        }
        assert_eq!(pair.a.state(), State::Connected);
        assert_eq!(pair.b.state(), State::Connected);
    });
}
