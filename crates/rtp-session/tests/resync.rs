//! Sources that count anew, pause, change or crowd: the receiving half follows, and never wedges.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Protocol, Serial32};
use pc_rtp::{
    NtpTime, Ssrc,
    payload::Format,
    rtcp::{Bye, Compound, Packet, Sdes, SenderReport},
};
use pc_rtp_session::{Codec, Received, ReceiverId, Session};
use pc_simnet::{epoch, ms, secs};
use std::time::{Duration, Instant};

const PICTURE: ReceiverId = ReceiverId(1);
const SOUND: ReceiverId = ReceiverId(2);

/// A packet without extensions.
fn rtp(payload_type: u8, marker: bool, number: u16, time: u32, ssrc: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type | (u8::from(marker) << 7)];
    bytes.extend(number.to_be_bytes());
    bytes.extend(time.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(data);
    bytes
}

/// A payload of VP8.
fn vp8_payload(is_first: bool, is_key_frame: bool, len: usize) -> Vec<u8> {
    let mut data = vec![u8::from(!is_key_frame); len];
    if is_key_frame && is_first {
        data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0]);
    }
    data.insert(0, if is_first { 0x10 } else { 0 });
    data
}

fn pcmu() -> Codec {
    Codec {
        payload_type: payload_type(0),
        format: Format::Pcmu,
        clock_rate: 8000,
        ..opus()
    }
}

struct Listener {
    now: Instant,
    session: Session,
    /// The peer has been asked for a key frame.
    is_asked: bool,
    requests: usize,
}

impl Listener {
    fn new() -> Self {
        let now = epoch();
        let mut session = Session::new(now, config(2));
        session.set_receiver(now, PICTURE, receives("v", vp8()));
        let mut sound = receives("a", opus());
        sound.codecs.push(pcmu());
        session.set_receiver(now, SOUND, sound);
        Self {
            now,
            session,
            is_asked: true,
            requests: 0,
        }
    }

    /// Whether it is taken.
    fn give(&mut self, mut packet: Vec<u8>) -> bool {
        (self.session.handle_input(self.now, (), &mut packet)).is_ok()
    }

    /// How many frames are played now, and how long the slowest of them waited.
    fn play(&mut self, id: ReceiverId) -> (usize, Duration) {
        self.session.handle_timeout(self.now);
        let (mut count, mut slowest) = (0, Duration::ZERO);
        while let Some(received) = self.session.poll_frame(self.now, id) {
            if let Received::Frame(frame) = received {
                count += 1;
                slowest = slowest.max(self.now - frame.received);
            }
        }
        for datagram in drain(&mut self.session, self.now).1 {
            let packets = Compound::parse(&datagram).unwrap().packets();
            let requests = packets.flatten().filter(|it| matches!(it, Packet::Pli(_)));
            let requests = requests.count();
            self.requests += requests;
            self.is_asked |= requests > 0;
        }
        (count, slowest)
    }

    /// One frame of one packet, 20 ms after the one before; a key frame when asked for.
    fn step(&mut self, id: ReceiverId, number: u16, step: u32, ssrc: u32) -> usize {
        self.now += ms(20);
        let packet = self.packet(id, number, step, ssrc);
        self.give(packet);
        self.play(id).0
    }

    fn packet(&mut self, id: ReceiverId, number: u16, step: u32, ssrc: u32) -> Vec<u8> {
        if id == SOUND {
            return rtp(111, false, number, step * 960, ssrc, &[1; 40]);
        }
        let is_key_frame = std::mem::take(&mut self.is_asked);
        let payload = vp8_payload(true, is_key_frame, 60);
        rtp(96, true, number, step * 1800, ssrc, &payload)
    }
}

const JUMPS: [i32; 10] = [
    -20_000, -10_000, -3000, -500, 500, 2000, 3000, 10_000, 16_000, 20_000,
];

/// RFC 3550 appendix A.1: from anywhere, a source that counts anew is followed with its second packet.
#[test]
fn numbers_that_go_on_elsewhere_are_followed() {
    for id in [SOUND, PICTURE] {
        for jump in JUMPS {
            let mut b = Listener::new();
            let mut played = 0;
            for step in 0..1000_u16 {
                let shift = if step < 200 { 0 } else { jump as u16 };
                played += b.step(id, (20_000 + step).wrapping_add(shift), step.into(), 7);
            }
            // A picture needs a key frame, which is asked for once a second.
            let least = if id == SOUND { 990 } else { 930 };
            assert!(played >= least, "{played} of 1000, {id:?} by {jump}");
        }
    }
}

/// One packet with a number of another time does not take those of this time with it.
#[test]
fn one_stray_number_silences_nobody() {
    for id in [SOUND, PICTURE] {
        for jump in JUMPS {
            let mut b = Listener::new();
            let mut played = 0;
            for step in 0..1000_u16 {
                let number = 20_000 + step;
                if step == 200 {
                    let stray = b.packet(id, number.wrapping_add(jump as u16), step.into(), 7);
                    b.give(stray);
                }
                played += b.step(id, number, step.into(), 7);
            }
            let least = if id == SOUND { 990 } else { 930 };
            assert!(played >= least, "{played} of 1000, {id:?} by {jump}");
        }
    }
}

/// Retransmissions of a source that has been replaced have numbers that mean nothing any more.
#[test]
fn retransmissions_of_before_do_no_harm() {
    for distance in [3000_u16, 10_000, 30_000, 60_000] {
        let mut b = Listener::new();
        (0..20).for_each(|step| assert_eq!(b.step(PICTURE, 5000 + step, step.into(), 7), 1));
        let mut old = 5019_u16.to_be_bytes().to_vec();
        old.extend(vp8_payload(true, false, 60));
        b.give(rtp(97, true, 1, 19 * 1800, 70, &old));
        b.is_asked = true;
        let mut played = 0;
        for step in 0..300_u16 {
            let number = 5019_u16.wrapping_sub(distance).wrapping_add(step);
            played += b.step(PICTURE, number, 1000 + u32::from(step), 8);
            if step == 5 {
                b.give(rtp(97, true, 2, 19 * 1800, 70, &old));
            }
        }
        assert!(played >= 295, "{played} of 300 at {distance}");
    }
}

/// Packets sent again under their own numbers, twice each and in rows, are no source that counts anew.
#[test]
fn plain_retransmissions_are_no_restart() {
    let now = epoch();
    let mut b = Listener::new();
    let mut plain = vp8();
    plain.rtx = None;
    b.session.set_receiver(now, PICTURE, receives("v", plain));
    let (mut played, mut again) = (0, Vec::new());
    for step in 0..600_u16 {
        b.now += ms(20);
        for part in 0..20_u16 {
            let number = step * 20 + part;
            let time = u32::from(step) * 1800;
            let payload = vp8_payload(part == 0, step == 0, 60);
            let packet = rtp(96, part == 19, number, time, 7, &payload);
            // Five in a row, lost; sent again 200 ms later, twice.
            if step % 30 == 15 && (4..9).contains(&part) {
                again.push((b.now + ms(200), packet));
            } else {
                b.give(packet);
            }
        }
        if again.first().is_some_and(|(at, _)| *at <= b.now) {
            let packets: Vec<_> = again.drain(..).map(|(_, packet)| packet).collect();
            for packet in packets.iter().chain(&packets) {
                b.give(packet.clone());
            }
        }
        played += b.play(PICTURE).0;
    }
    assert!(played >= 595, "{played} of 600");
    let stats = b.session.inbound_stats(PICTURE).next().unwrap();
    assert_eq!((stats.frames_dropped, b.requests), (0, 0));
}

/// A source that pauses and goes on with its timestamps where they were is no jitter.
#[test]
fn a_pause_leaves_no_delay() {
    for pause in [3, 8, 12] {
        let mut b = Listener::new();
        let mut slowest = Duration::ZERO;
        for step in 0..1500_u16 {
            if step == 500 {
                b.now += ms(40);
                b.play(SOUND);
                b.now += secs(pause);
            }
            b.now += ms(20);
            b.give(rtp(111, false, step, u32::from(step) * 960, 7, &[1; 40]));
            slowest = slowest.max(b.play(SOUND).1);
        }
        assert!(slowest <= ms(60), "{slowest:?} after {pause} s");
    }
}

/// RFC 7160: sound goes on in a codec of another clock rate, and jitter is still made good.
#[test]
fn a_codec_of_another_clock_is_followed() {
    let mut b = Listener::new();
    let (mut time, mut regular) = (0, 0);
    for step in 0..1500_u16 {
        let is_opus = step < 250;
        time += if is_opus { 960 } else { 160 };
        // Every other packet is 15 ms late.
        b.now = epoch() + ms(20) * u32::from(step) + ms(15) * u32::from(step % 2);
        let kind = if is_opus { 111 } else { 0 };
        assert!(b.give(rtp(kind, false, step, time, 7, &[1; 160])));
        b.session.handle_timeout(b.now);
        while let Some(received) = b.session.poll_frame(b.now, SOUND) {
            let Received::Frame(frame) = received else {
                panic!("{received:?}");
            };
            // Who was early has waited for what late ones need.
            let wait = frame.playout - frame.received;
            regular += u32::from(step > 500 && wait >= ms(15));
        }
    }
    assert!(regular >= 400, "{regular} of 500 early ones waited");
    let stats = b.session.inbound_stats(SOUND).next().unwrap();
    assert!((ms(10)..ms(20)).contains(&stats.jitter), "{stats:?}");
}

/// How long the sound of two participants waits, whose clocks are `shift` milliseconds apart and who
/// call themselves `names`.
fn delays(shift: i64, names: [&str; 2]) -> [Duration; 2] {
    let mut b = Listener::new();
    for (id, number) in [(2, 111), (3, 112)] {
        let mut codec = opus();
        codec.payload_type = payload_type(number);
        let parameters = receives(&format!("a{id}"), codec);
        b.session.set_receiver(b.now, ReceiverId(id), parameters);
    }
    let mut slowest = [Duration::ZERO; 2];
    for step in 0..800_u32 {
        b.now += ms(20);
        for (which, (kind, ssrc)) in [(111, 7), (112, 8)].into_iter().enumerate() {
            b.give(rtp(kind, false, step as u16, step * 960, ssrc, &[1; 40]));
            if step % 50 == 10 {
                let clock = 1_700_000_000_000 + i64::from(step) * 20 + shift * which as i64;
                let report = SenderReport {
                    ssrc: Ssrc(ssrc),
                    ntp: NtpTime::from_unix(Duration::from_millis(clock as u64)),
                    rtp: Serial32(step * 960),
                    packet_count: 1,
                    octet_count: 1,
                    reports: &[],
                };
                let cname = names[which];
                let ssrc = Ssrc(ssrc);
                hand_in(&mut b.session, b.now, |writer| {
                    report.write(writer)?;
                    Sdes { ssrc, cname }.write(writer)
                });
            }
        }
        for (slowest, id) in slowest.iter_mut().zip([2, 3]) {
            let wait = b.play(ReceiverId(id)).1;
            *slowest = if step > 500 { wait.max(*slowest) } else { wait };
        }
    }
    slowest
}

/// Two people's clocks have nothing to do with each other.
#[test]
fn only_what_has_one_name_is_played_together() {
    for shift in [-1500, -300, 300, 1500] {
        let strangers = delays(shift, ["bob", "carol"]);
        assert!(strangers.iter().all(|it| *it <= ms(40)), "{strangers:?}");
    }
    let [early, late] = delays(300, ["bob", "bob"]);
    assert!(early.max(late) >= ms(300), "{early:?}, {late:?}");
    assert!(early.min(late) <= ms(40), "{early:?}, {late:?}");
}

/// `jitterBufferTarget` may be four seconds; where that is more than there is room for, frames are
/// played early, and not dropped.
#[test]
fn a_long_target_at_a_high_rate_plays() {
    let mut b = Listener::new();
    b.session.set_jitter_buffer_target(PICTURE, Some(secs(4)));
    let (mut number, mut played) = (0_u16, 0);
    for step in 0..450_u32 {
        b.now += ms(33);
        let is_key_frame = std::mem::take(&mut b.is_asked);
        for part in 0..30 {
            number = number.wrapping_add(1);
            let payload = vp8_payload(part == 0, is_key_frame, 1000);
            b.give(rtp(96, part == 29, number, step * 2970, 7, &payload));
        }
        played += b.play(PICTURE).0;
    }
    // Those of the last second or two still wait.
    assert!(played >= 380, "{played} of 450");
    b.session
        .set_jitter_buffer_target(SOUND, Some(Duration::MAX));
    b.give(rtp(111, false, 1, 0, 9, &[1; 40]));
    b.play(SOUND);
}

/// A packet that was overtaken by its source's BYE does not have nobody asked for ever.
#[test]
fn the_silent_are_not_asked_for_key_frames() {
    let mut b = Listener::new();
    (0..10).for_each(|step| assert_eq!(b.step(PICTURE, step, step.into(), 7), 1));
    hand_in(&mut b.session, b.now, |writer| {
        Bye { ssrcs: &[Ssrc(7)] }.write(writer)
    });
    assert_eq!(b.step(PICTURE, 10, 10, 7), 0);
    let end = b.now + secs(60);
    while let Some(next) = b.session.poll_timeout().filter(|next| *next <= end) {
        b.now = b.now.max(next);
        b.play(PICTURE);
    }
    assert!((1..=6).contains(&b.requests), "{} requests", b.requests);
    // It is, when it is heard again.
    b.now = end;
    let before = b.requests;
    b.is_asked = false;
    for step in 11..80 {
        b.step(PICTURE, step, step.into(), 7);
    }
    assert!(b.requests > before);
}
