//! Sound that is sent twice (RFC 2198), as it comes late, in another order, or with what is no sound.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Protocol, Serial16, Serial32};
use pc_rtp::{Ssrc, payload::Format};
use pc_rtp_session::{OutgoingPacket, Received, ReceiverId, Rejected, Session};
use pc_simnet::{epoch, ms, secs};
use std::time::Instant;

const SOUND: ReceiverId = ReceiverId(2);
/// How long a frame is, in ticks of the clock.
const FRAME: u32 = 960;

/// One sends packets of RED as they are given; the other plays what is in them.
struct Call {
    a: Session,
    b: Session,
}

impl Call {
    fn new() -> Self {
        let mut red = opus();
        red.payload_type = payload_type(63);
        red.format = Format::Red {
            primary: payload_type(111),
        };
        let (mut a, mut b) = (
            Session::new(epoch(), config(1)),
            Session::new(epoch(), config(2)),
        );
        let mut parameters = sends("a", opus());
        parameters.codecs.push(red.clone());
        a.set_sender(epoch(), AUDIO, parameters);
        let mut parameters = receives("a", opus());
        parameters.codecs.push(red);
        b.set_receiver(epoch(), SOUND, parameters);
        Self { a, b }
    }

    /// The datagram of packet `number`, which leaves when it is due.
    fn packet(&mut self, number: u16, payload: &[u8]) -> Vec<u8> {
        let packet = OutgoingPacket {
            source: Ssrc(5),
            payload_type: payload_type(63),
            marker: false,
            sequence_number: Serial16(number),
            timestamp: Serial32(u32::from(number) * FRAME),
            payload,
            audio_level: None,
            orientation: None,
        };
        let now = at(number);
        self.a.send_packet(now, AUDIO, 0, packet).unwrap();
        drain(&mut self.a, now).0.remove(0).bytes
    }

    fn give(&mut self, now: Instant, mut datagram: Vec<u8>) -> Result<(), Rejected> {
        self.b.handle_input(now, (), &mut datagram).map(drop)
    }

    /// What is played until then, by its first byte; `None` for a gap.
    fn played(&mut self, until: Instant) -> Vec<Option<u8>> {
        self.b.handle_timeout(until);
        let mut played = Vec::new();
        while let Some(received) = self.b.poll_frame(until, SOUND) {
            played.push(match received {
                Received::Frame(frame) => {
                    assert_eq!(frame.payload_type, payload_type(111));
                    Some(frame.data[0])
                }
                _ => None,
            });
        }
        played
    }
}

fn at(number: u16) -> Instant {
    epoch() + ms(20) * u32::from(number)
}

/// A frame that says which it is, and the one before.
fn twice(number: u16) -> Vec<u8> {
    block(111, number as u8 - 1, number as u8)
}

/// A block of this payload type, one frame old, and sound; each of one byte.
fn block(payload_type: u8, before: u8, own: u8) -> Vec<u8> {
    let [_, a, b, c] = ((FRAME << 10) | 1).to_be_bytes();
    vec![0x80 | payload_type, a, b, c, 111, before, own]
}

/// A packet that comes after the one with its copy is no duplicate: its sound is played once, and it is not
/// reported as lost.
#[test]
fn a_packet_may_come_after_its_copy() {
    let mut call = Call::new();
    let all: Vec<_> = (1..=6).map(|n| call.packet(n, &twice(n))).collect();
    for (time, which) in [(1, 0), (2, 1), (4, 3), (4, 2), (5, 4), (6, 5)] {
        call.give(at(time), all[which].clone()).unwrap();
    }
    let again = call.give(at(6), all[2].clone());
    assert!(matches!(again, Err(Rejected::Duplicate)), "{again:?}");
    let played = call.played(at(6) + secs(1));
    assert_eq!(played, (0..=6).map(Some).collect::<Vec<_>>());
    let stats = call.b.inbound_stats(SOUND).next().unwrap();
    assert_eq!((stats.packets_received, stats.packets_lost), (6, 0));
}

/// What has been played is not played again because a copy of it comes late.
#[test]
fn a_late_copy_is_not_played() {
    let mut call = Call::new();
    let all: Vec<_> = (1..=4).map(|n| call.packet(n, &twice(n))).collect();
    call.give(at(1), all[0].clone()).unwrap();
    call.give(at(2), all[1].clone()).unwrap();
    assert_eq!(call.played(at(2) + secs(1)), [0, 1, 2].map(Some));
    // Nothing but its copy of the packet before, which is lost.
    call.give(at(4) + secs(1), all[3].clone()).unwrap();
    assert_eq!(call.played(at(4) + secs(2)), [3, 4].map(Some));
}

/// Telephone events and whatever else is in there are no sound; and there is no gap in their place.
#[test]
fn what_is_no_sound_is_not_played() {
    let mut call = Call::new();
    let payloads = [
        twice(1),
        block(110, 99, 2),
        vec![110, 99],
        vec![0x80 | 111],
        twice(5),
    ];
    for (number, payload) in (1..).zip(payloads) {
        let packet = call.packet(number, &payload);
        call.give(at(number), packet).unwrap();
    }
    let played = call.played(at(5) + secs(1));
    assert_eq!(played, [0, 1, 2, 5].map(Some));
}
