//! What an authenticated peer may send to do harm: it is dropped, counted, and costs bounded memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::Protocol;
use pc_rtp::payload::Format;
use pc_rtp_session::{Codec, Received, ReceiverId, Rejected, SenderId, Session};
use pc_simnet::{epoch, ms};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Instant;

const PICTURE: ReceiverId = ReceiverId(1);
const SOUND: ReceiverId = ReceiverId(2);

fn hearing() -> Session {
    let mut b = Session::new(epoch(), config(2));
    b.set_receiver(epoch(), PICTURE, receives("v", vp8()));
    b.set_receiver(epoch(), SOUND, receives("a", opus()));
    b
}

fn give(b: &mut Session, now: Instant, packet: &[u8]) -> Result<(), Rejected> {
    let mut bytes = packet.to_vec();
    b.handle_input(now, (), &mut bytes).map(|_| ())
}

fn play(b: &mut Session, now: Instant, id: ReceiverId) -> usize {
    b.handle_timeout(now);
    let mut count = 0;
    while let Some(received) = b.poll_frame(now, id) {
        count += usize::from(matches!(received, Received::Frame(_)));
    }
    count
}

fn random(rng: &mut ChaCha12Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
}

#[test]
fn replays_play_nothing_twice() {
    let (mut a, mut b, mut now) = (sending(epoch()), hearing(), epoch());
    let (mut heard, mut played, mut refused) = (Vec::new(), 0, 0);
    for step in 0..100 {
        now += ms(33);
        let mut data = [u8::from(step != 0); 500];
        if step == 0 {
            data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0]);
        }
        let frame = picture(now, step * 33, step == 0, &data);
        a.send_frame(now, VIDEO, 0, frame).unwrap();
        for packet in drain(&mut a, now).0 {
            give(&mut b, now, &packet.bytes).unwrap();
            heard.push(packet.bytes);
        }
        // Everything there was, once more.
        for packet in &heard {
            refused += usize::from(give(&mut b, now, packet) == Err(Rejected::Duplicate));
        }
        played += play(&mut b, now, PICTURE);
    }
    played += play(&mut b, now + ms(200), PICTURE);
    assert_eq!(played, 100);
    assert!(refused >= 50, "{refused}");
    let stats = b.inbound_stats(PICTURE).next().unwrap();
    assert!(stats.packets_discarded > 1000, "those that had been played");
    assert_eq!((stats.frames_received, stats.frames_dropped), (100, 0));
}

/// One frame that each format can carry.
fn good(format: &Format) -> Vec<u8> {
    let annex_b = |units: &[&[u8]]| {
        let with_code = |unit: &&[u8]| [&[0, 0, 0, 1], *unit].concat();
        units.iter().flat_map(with_code).collect::<Vec<u8>>()
    };
    match format {
        Format::Vp8 => {
            let mut data = vec![0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0];
            data.resize(200, 5);
            data
        }
        Format::H264 { .. } => annex_b(&[
            &[0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x05, 0x07, 0xE8],
            &[0x68, 0xCE, 0x3C, 0x80],
            &[0x65; 100],
        ]),
        Format::H265 => annex_b(&[
            &[0x40, 1, 12, 1],
            &[0x42, 1, 1, 1],
            &[0x44, 1, 0xC0],
            &[0x26, 1, 9, 9, 9, 9],
        ]),
        // A temporal delimiter, a sequence header and a frame, each with its size.
        Format::Av1 => [&[0x12, 0, 0x0A, 4, 1, 2, 3, 4, 0x32, 30][..], &[7; 30]].concat(),
        // A key frame of profile 0.
        Format::Vp9 => [&[0x82, 0x49, 0x83, 0x42, 0, 0x3F, 0, 0x2F][..], &[7; 90]].concat(),
        _ => vec![7; 80],
    }
}

/// Payloads drawn at random, in the numbers before those of a good source: what is good plays.
#[test]
fn malformed_payloads_of_every_codec_are_dropped() {
    let codec = |format: Format, clock_rate| Codec {
        format,
        clock_rate,
        ..vp8()
    };
    let formats = [
        (Format::Opus, 48_000),
        (Format::Pcmu, 8000),
        (Format::Pcma, 8000),
        (Format::G722, 8000),
        (Format::ComfortNoise, 8000),
        (Format::Vp8, 90_000),
        (Format::Vp9, 90_000),
        (
            Format::H264 {
                packetization_mode: 0,
            },
            90_000,
        ),
        (
            Format::H264 {
                packetization_mode: 1,
            },
            90_000,
        ),
        (Format::H265, 90_000),
        (Format::Av1, 90_000),
    ];
    for (format, clock_rate) in formats {
        for seed in 0..20 {
            eprintln!("{format:?}, seed {seed}");
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            let (mut a, mut b, mut now) = (Session::new(epoch(), config(1)), hearing(), epoch());
            a.set_sender(now, SenderId(1), sends("v", codec(format, clock_rate)));
            b.set_receiver(now, PICTURE, receives("v", codec(format, clock_rate)));
            let data = good(&format);
            let frame = |now, step: u32| picture(now, 1000 + step * 40, true, data.as_slice());
            a.send_frame(now, VIDEO, 0, frame(now, 0)).unwrap();
            let mut first = drain(&mut a, now).0;
            for back in (1..=300_u16).rev() {
                now += ms(5);
                let header = first[0].view().header_len();
                let mut bytes = first[0].bytes[..header].to_vec();
                let number = first[0].number().minus(back);
                bytes[1] = (bytes[1] & 0x7F) | (rng.next_u32() as u8 & 0x80);
                bytes[2..4].copy_from_slice(&number.0.to_be_bytes());
                let time = first[0].view().timestamp().minus(u32::from(back / 3) * 450);
                bytes[4..8].copy_from_slice(&time.0.to_be_bytes());
                let len = rng.next_u32() as usize % 60;
                bytes.extend(random(&mut rng, len));
                let _ = give(&mut b, now, &bytes);
                play(&mut b, now, PICTURE);
                drain(&mut b, now);
            }
            // Whatever that was held to be, what comes of two seconds of good frames is played.
            let mut played = 0;
            for step in 1..=50 {
                for packet in first.drain(..) {
                    give(&mut b, now, &packet.bytes).unwrap();
                }
                now += ms(40);
                played += play(&mut b, now, PICTURE);
                drain(&mut b, now);
                a.send_frame(now, VIDEO, 0, frame(now, step)).unwrap();
                first = drain(&mut a, now).0;
            }
            assert!(played >= 25, "{played} of 50: {format:?}, seed {seed}");
        }
    }
}

#[test]
fn floods_of_rtcp_cost_no_memory() {
    let (mut b, mut now) = (hearing(), epoch());
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut flood = |b: &mut Session, count: u32| {
        let mut taken = 0;
        for _ in 0..count {
            now += ms(1);
            // Headers that make sense, of every type there is, with anything behind.
            let words = 1 + rng.next_u32() as u16 % 60;
            let kind = 200 + (rng.next_u32() % 8) as u8;
            let mut bytes = vec![0x80 | (rng.next_u32() as u8 & 0x1F), kind];
            bytes.extend(words.to_be_bytes());
            bytes.extend(random(&mut rng, usize::from(words) * 4));
            taken += u32::from(give(b, now, &bytes).is_ok());
            b.handle_timeout(now);
            if now.duration_since(epoch()).as_millis().is_multiple_of(50) {
                drain(b, now);
            }
        }
        taken
    };
    assert!(flood(&mut b, 2000) > 100);
    let counted = allocation_counter::measure(|| {
        flood(&mut b, 20_000);
    });
    assert!(counted.bytes_current < 20_000, "{counted:?}");
    // Nobody polls events, and a call still works.
    let mut a = sending(epoch());
    let now = now + ms(20);
    let frame = sound(now, 0, &[1; 40]);
    a.send_frame(now, AUDIO, 0, frame).unwrap();
    let packet = drain(&mut a, now).0.remove(0);
    give(&mut b, now, &packet.bytes).unwrap();
    assert_eq!(play(&mut b, now + ms(100), SOUND), 1);
}

fn plain(number: u16, time: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 96];
    bytes.extend(number.to_be_bytes());
    bytes.extend(time.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

#[test]
fn what_cannot_be_played_waits_in_bounded_memory() {
    for (len, limit) in [(1100, 4 << 20), (60_000, 12 << 20)] {
        let mut b = hearing();
        let counted = allocation_counter::measure(|| {
            for number in 0..3000_u16 {
                let packet = plain(number, number.into(), 7, &vec![0; len]);
                let _ = give(&mut b, epoch(), &packet);
            }
        });
        let kept = counted.bytes_current;
        assert!(kept < limit, "{kept} bytes of packets of {len}");
    }
}

#[test]
fn a_thousand_sources_replace_one_another_in_bounded_memory() {
    let mut b = hearing();
    let flood = |b: &mut Session| {
        for ssrc in 1..=1000 {
            let _ = give(b, epoch(), &plain(1, 0, ssrc, &[0; 1000]));
        }
    };
    flood(&mut b);
    let counted = allocation_counter::measure(|| flood(&mut b));
    assert!(counted.bytes_current < 1 << 20, "{counted:?}");
    assert_eq!(b.inbound_stats(PICTURE).count(), 1);
}

/// As many as a large conference has, each of which names its section only at first: all are heard.
#[test]
fn four_hundred_sources_that_are_named_once_are_heard() {
    const COUNT: u32 = 400;
    let now = epoch();
    let (mut a, mut b) = (Session::new(now, config(1)), Session::new(now, config(2)));
    let mut packets = Vec::new();
    for id in 0..COUNT {
        let mid = id.to_string();
        b.set_receiver(now, ReceiverId(id), receives(&mid, opus()));
        a.set_sender(now, SenderId(id), sends(&mid, opus()));
        let frame = sound(now, 0, &[1; 40]);
        a.send_frame(now, SenderId(id), 0, frame).unwrap();
        packets.extend(drain(&mut a, now).0);
    }
    assert_eq!(packets.len(), COUNT as usize);
    for packet in &packets {
        give(&mut b, now, &packet.bytes).unwrap();
    }
    for number in 1..4_u16 {
        for packet in &packets {
            let view = packet.view();
            let next = view.sequence_number().plus(number);
            let time = view.timestamp().plus(u32::from(number) * 960);
            let mut bytes = plain(next.0, time.0, view.ssrc().0, view.payload());
            bytes[1] = 111;
            give(&mut b, now, &bytes).unwrap();
        }
    }
}
