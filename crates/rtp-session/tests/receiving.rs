//! The receiving half of a session, on virtual time, fed with packets of a sending one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Protocol, Serial16};
use pc_rtp::{
    AudioLevel, Ssrc,
    payload::Format,
    rtcp::{Bye, Compound, Packet},
};
use pc_rtp_session::{
    Codec, EncodingParameters, Event, Input, Received, ReceiverId, Rejected, SenderId, Session,
};
use pc_simnet::{epoch, ms, secs};
use std::time::{Duration, Instant};

const PICTURE: ReceiverId = ReceiverId(1);
const SOUND: ReceiverId = ReceiverId(2);

/// A frame or gap that was played.
#[derive(Debug, Clone, PartialEq)]
enum Played {
    Frame(u32),
    Lost,
}

struct Call {
    now: Instant,
    a: Session,
    b: Session,
    next: u32,
}

/// A picture that says which it is.
fn data_of(number: u32, is_key_frame: bool, len: usize) -> Vec<u8> {
    let mut data = vec![u8::from(!is_key_frame); len];
    if is_key_frame {
        data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0]);
    }
    data[10..14].copy_from_slice(&number.to_be_bytes());
    data
}

impl Call {
    fn new() -> Self {
        let now = epoch();
        let mut b = Session::new(now, config(2));
        b.set_receiver(now, PICTURE, receives("v", vp8()));
        b.set_receiver(now, SOUND, receives("a", opus()));
        Self {
            now,
            a: sending(now),
            b,
            next: 0,
        }
    }

    /// The packets of the next picture, 33 ms after the one before.
    fn picture(&mut self, is_key_frame: bool) -> Vec<Sent> {
        self.now += ms(33);
        let data = data_of(self.next, is_key_frame, 3000);
        let frame = picture(self.now, self.next * 33, is_key_frame, &data);
        self.next += 1;
        self.a.send_frame(self.now, VIDEO, 0, frame).unwrap();
        drain(&mut self.a, self.now).0
    }

    /// The packet of the next piece of sound, 20 ms after the one before.
    fn sound(&mut self) -> Sent {
        self.now += ms(20);
        let data = data_of(self.next, false, 40);
        let mut frame = sound(self.now, self.next * 20, &data);
        frame.audio_level = Some(AudioLevel {
            voice: true,
            level: 20,
        });
        self.next += 1;
        self.a.send_frame(self.now, AUDIO, 0, frame).unwrap();
        drain(&mut self.a, self.now).0.remove(0)
    }

    fn give(&mut self, packet: &Sent) -> Result<(), Rejected> {
        let mut bytes = packet.bytes.clone();
        (self.b.handle_input(self.now, (), &mut bytes)).map(|_| ())
    }

    fn give_all(&mut self, packets: &[Sent]) {
        packets.iter().for_each(|packet| self.give(packet).unwrap());
    }

    fn play(&mut self, id: ReceiverId) -> Vec<Played> {
        self.b.handle_timeout(self.now);
        let mut played = Vec::new();
        while let Some(received) = self.b.poll_frame(self.now, id) {
            played.push(match received {
                Received::Frame(frame) => {
                    let number = frame.data[10..14].try_into().unwrap();
                    Played::Frame(u32::from_be_bytes(number))
                }
                Received::Lost { .. } => Played::Lost,
            });
        }
        played
    }

    /// Lets the receiver wait, and plays what becomes due.
    fn wait(&mut self, id: ReceiverId, time: Duration) -> Vec<Played> {
        let until = self.now + time;
        let mut played = self.play(id);
        while let Some(next) = self.b.poll_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            played.extend(self.play(id));
            self.answer();
        }
        self.now = until;
        played.extend(self.play(id));
        played
    }

    /// What the receiver asks for, given to the sender, and what comes of it, given back.
    fn answer(&mut self) {
        for mut datagram in drain(&mut self.b, self.now).1 {
            self.a.handle_input(self.now, (), &mut datagram).unwrap();
        }
    }

    fn again(&mut self) -> Vec<Sent> {
        self.answer();
        drain(&mut self.a, self.now).0
    }

    fn stats(&self, id: ReceiverId) -> pc_rtp_session::InboundStats {
        self.b.inbound_stats(id).next().unwrap()
    }
}

fn frames(numbers: impl IntoIterator<Item = u32>) -> Vec<Played> {
    numbers.into_iter().map(Played::Frame).collect()
}

#[test]
fn frames_come_whole_and_in_order() {
    let mut call = Call::new();
    let first = call.picture(true);
    call.give_all(&first);
    assert_eq!(call.play(PICTURE), frames([0]));
    let told = events(&mut call.b);
    assert_eq!(
        told,
        [Event::FirstPacket(PICTURE), Event::FrameReady(PICTURE)]
    );
    // Reordered within and between frames.
    let (second, third) = (call.picture(false), call.picture(false));
    call.give_all(&third);
    call.give(&second[2]).unwrap();
    call.give(&second[0]).unwrap();
    assert_eq!(call.play(PICTURE), []);
    call.give(&second[1]).unwrap();
    assert_eq!(call.wait(PICTURE, ms(100)), frames([1, 2]));
    let stats = call.stats(PICTURE);
    assert_eq!((stats.frames_received, stats.key_frames_received), (3, 1));
    assert_eq!(stats.frame_size, Some((64, 48)));
    assert_eq!((stats.packets_received, stats.packets_lost), (9, 0));
}

#[test]
fn duplicates_are_rejected() {
    let mut call = Call::new();
    let first = call.picture(true);
    call.give(&first[0]).unwrap();
    assert_eq!(call.give(&first[0]), Err(Rejected::Duplicate));
    call.give_all(&first[1..]);
    assert_eq!(call.play(PICTURE), frames([0]));
    // After it was played, the copy is of no use, whatever it is called.
    let _ = call.give(&first[0]);
    let second = call.picture(false);
    call.give_all(&second);
    assert_eq!(call.wait(PICTURE, ms(50)), frames([1]));
    assert_eq!(call.stats(PICTURE).packets_discarded, 1);
}

#[test]
fn a_lost_packet_is_asked_for_and_comes_by_rtx() {
    let mut call = Call::new();
    let first = call.picture(true);
    call.give_all(&first);
    assert_eq!(call.play(PICTURE), frames([0]));
    let second = call.picture(false);
    call.give(&second[0]).unwrap();
    call.give(&second[2]).unwrap();
    assert_eq!(call.again(), [], "it may only be late");
    call.now += ms(12);
    let again = call.again();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].original().0, second[1].number());
    let mut bytes = again[0].bytes.clone();
    let Ok(Input::Rtp(arrived)) = call.b.handle_input(call.now, (), &mut bytes) else {
        panic!("not taken");
    };
    assert!(arrived.is_retransmission);
    assert_eq!(arrived.ssrc, second[1].ssrc());
    assert_eq!(arrived.sequence_number, second[1].number());
    assert_eq!(arrived.payload, second[1].view().payload());
    assert_eq!(call.wait(PICTURE, ms(50)), frames([1]));
    let stats = call.stats(PICTURE);
    assert_eq!(stats.retransmitted_packets_received, 1);
    assert_eq!(stats.nack_count, 1);
    assert_eq!(stats.rtx_ssrc, Some(again[0].ssrc()));
}

#[test]
fn what_cannot_be_repaired_ends_with_a_key_frame() {
    let mut call = Call::new();
    let first = call.picture(true);
    call.give_all(&first);
    assert_eq!(call.play(PICTURE), frames([0]));
    // A picture is lost, and so is every retransmission of it.
    call.picture(false);
    let (mut asked, mut shown) = (0, Vec::new());
    for _ in 0..60 {
        let packets = call.picture(false);
        call.give_all(&packets);
        shown.extend(call.play(PICTURE));
        call.again();
        let requests = events(&mut call.a).into_iter();
        asked += requests
            .filter(|event| matches!(event, Event::KeyFrameRequested { .. }))
            .count();
    }
    assert_eq!(shown, [], "nothing that builds on what is missing");
    assert!((1..=2).contains(&asked), "{asked} in two seconds");
    let key = call.picture(true);
    call.give_all(&key);
    let number = call.next - 1;
    assert_eq!(call.wait(PICTURE, ms(30)), frames([number]));
    let next = call.picture(false);
    call.give_all(&next);
    assert_eq!(call.wait(PICTURE, ms(30)), frames([number + 1]));
    assert!(call.stats(PICTURE).frames_dropped >= 1);
}

#[test]
fn who_joins_in_the_middle_asks_for_a_key_frame_once_a_second() {
    let mut call = Call::new();
    for _ in 0..5 {
        call.picture(false);
    }
    let mut asked = Vec::new();
    for _ in 0..90 {
        let packets = call.picture(false);
        call.give_all(&packets);
        assert_eq!(call.play(PICTURE), []);
        call.answer();
        let requests = events(&mut call.a).into_iter();
        let requests = requests.filter(|event| matches!(event, Event::KeyFrameRequested { .. }));
        asked.extend(requests.map(|_| call.now));
    }
    assert!(
        (2..=4).contains(&asked.len()),
        "{} in three seconds",
        asked.len()
    );
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= ms(990)));
    assert!(asked[0] - epoch() < ms(500));
}

#[test]
fn numbers_that_begin_anew_are_followed() {
    let mut call = Call::new();
    let mut seen = 0;
    for round in 0..3_u32 {
        // The same SSRC counts on from elsewhere, as after an outage of minutes.
        let jump = Serial16((round as u16) * 20_000);
        for step in 0..20 {
            let mut packets = call.picture(step % 10 == 0);
            for packet in &mut packets {
                let number = packet.number().plus(jump.0);
                packet.bytes[2..4].copy_from_slice(&number.0.to_be_bytes());
                let _ = call.give(packet);
            }
            seen += call.wait(PICTURE, ms(0)).len();
        }
    }
    // The packet that breaks with the numbers is not taken, so its key frame is not whole.
    assert!(seen >= 40, "{seen} of 60, a key frame every ten");
    let stats = call.stats(PICTURE);
    assert!(stats.packets_lost < 200, "{}", stats.packets_lost);
}

#[test]
fn a_stray_number_changes_nothing() {
    let mut call = Call::new();
    let first = call.picture(true);
    call.give_all(&first);
    let mut stray = first[0].clone();
    let number = stray.number().plus(30_000);
    stray.bytes[2..4].copy_from_slice(&number.0.to_be_bytes());
    assert_eq!(call.give(&stray), Err(Rejected::OutOfWindow));
    let second = call.picture(false);
    call.give_all(&second);
    assert_eq!(call.wait(PICTURE, ms(50)), frames([0, 1]));
}

#[test]
fn another_ssrc_takes_over() {
    let mut call = Call::new();
    for step in 0..5 {
        let packets = call.picture(step == 0);
        call.give_all(&packets);
    }
    assert_eq!(call.wait(PICTURE, ms(20)), frames(0..5));
    events(&mut call.b);
    // The peer sends from another session of its own.
    call.a = Session::new(call.now, config(77));
    call.a.set_sender(call.now, VIDEO, sends("v", vp8()));
    let ssrc = call.a.ssrcs(VIDEO).next().unwrap().0;
    for step in 0..5 {
        let packets = call.picture(step == 0);
        call.give_all(&packets);
    }
    assert_eq!(call.wait(PICTURE, ms(20)), frames(5..10));
    let changed = Event::SsrcChanged {
        receiver: PICTURE,
        ssrc,
    };
    assert!(events(&mut call.b).contains(&changed));
    assert_eq!(call.stats(PICTURE).ssrc, ssrc);
}

#[test]
fn streams_stay_through_negotiation_though_nothing_names_them_any_more() {
    let mut call = Call::new();
    // Another receiver takes the same payload types: only the MID tells whose a packet is.
    call.b
        .set_receiver(call.now, ReceiverId(3), receives("w", vp8()));
    let mut packets = call.picture(true);
    call.give_all(&packets);
    call.wait(PICTURE, secs(2));
    // The report has told the sender that its SSRC is known.
    packets = call.picture(false);
    let read = packets[0]
        .view()
        .extensions()
        .read(&extensions())
        .mid
        .map(String::from);
    assert_eq!(read, None, "no MID any more");
    call.b.set_receiver(call.now, PICTURE, receives("v", vp8()));
    call.give_all(&packets);
    assert_eq!(call.wait(PICTURE, ms(50)), frames([1]));
    assert_eq!(call.b.inbound_stats(ReceiverId(3)).count(), 0);
}

#[test]
fn a_source_that_says_good_bye_may_come_back() {
    let mut call = Call::new();
    let packets = call.picture(true);
    call.give_all(&packets);
    call.wait(PICTURE, ms(10));
    events(&mut call.b);
    let ssrc = packets[0].ssrc();
    let now = call.now;
    hand_in(&mut call.b, now, |writer| {
        Bye {
            ssrcs: &[ssrc, Ssrc(1)],
        }
        .write(writer)
    });
    assert_eq!(events(&mut call.b), [Event::Bye(PICTURE, ssrc)]);
    assert_eq!(call.b.inbound_stats(PICTURE).count(), 0);
    let packets = call.picture(true);
    call.give_all(&packets);
    assert_eq!(call.wait(PICTURE, ms(10)), frames([1]));
    assert!(events(&mut call.b).contains(&Event::FirstPacket(PICTURE)));
}

#[test]
fn sound_comes_in_order_and_gaps_are_told() {
    let mut call = Call::new();
    let packets: Vec<_> = (0..20).map(|_| call.sound()).collect();
    // Played against the clock of the receiver: one packet each 20 ms, the 7th and 8th lost, the
    // 12th and 13th the other way round.
    let mut played = Vec::new();
    for at in [
        0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 13, 12, 14, 15, 16, 17, 18, 19,
    ] {
        let sent = epoch() + ms(20) * (at + 1);
        if call.now < sent + secs(1) {
            let pause = sent + secs(1) - call.now;
            played.extend(call.wait(SOUND, pause));
        }
        call.give(&packets[at as usize]).unwrap();
    }
    played.extend(call.wait(SOUND, ms(200)));
    let numbers: Vec<_> = played
        .iter()
        .filter(|it| **it != Played::Lost)
        .cloned()
        .collect();
    let gaps = played.len() - numbers.len();
    assert!((2..=4).contains(&gaps), "{played:?}");
    let expected: Vec<_> = (0..20).filter(|n| ![6, 7].contains(n)).collect();
    let heard: Vec<_> = expected
        .iter()
        .filter(|n| numbers.contains(&Played::Frame(**n)))
        .collect();
    assert!(heard.len() >= 17, "{played:?}");
    assert!(
        numbers
            .windows(2)
            .all(|pair| matches!(pair, [Played::Frame(a), Played::Frame(b)] if a < b))
    );
    let source = call
        .b
        .synchronization_sources(call.now, SOUND)
        .next()
        .unwrap();
    assert_eq!(source.ssrc, packets[0].ssrc());
    assert!((source.audio_level.unwrap() - 0.1).abs() < 1e-9, "-20 dBov");
    let later = call.now + secs(11);
    assert_eq!(call.b.synchronization_sources(later, SOUND).count(), 0);
}

#[test]
fn silence_that_is_not_sent_is_no_loss() {
    let mut call = Call::new();
    let mut played = Vec::new();
    for _ in 0..10 {
        let packet = call.sound();
        call.give(&packet).unwrap();
        played.extend(call.wait(SOUND, ms(0)));
    }
    // Discontinuous transmission: 400 ms without a packet, no number left out (RFC 7587 §3.1.3).
    call.next += 20;
    played.extend(call.wait(SOUND, ms(400)));
    for _ in 0..10 {
        let packet = call.sound();
        call.give(&packet).unwrap();
        played.extend(call.wait(SOUND, ms(0)));
    }
    played.extend(call.wait(SOUND, ms(100)));
    assert_eq!(played, frames((0..10).chain(30..40)));
}

#[test]
fn redundancy_fills_gaps_in_sound() {
    let red = |mut codec: Codec| {
        codec.payload_type = payload_type(63);
        codec.format = Format::Red {
            primary: payload_type(111),
        };
        codec
    };
    let now = epoch();
    let (mut a, mut b) = (Session::new(now, config(1)), Session::new(now, config(2)));
    let mut parameters = sends("a", opus());
    parameters.codecs.push(red(opus()));
    a.set_sender(now, AUDIO, parameters);
    let mut parameters = receives("a", opus());
    parameters.codecs.push(red(opus()));
    b.set_receiver(now, SOUND, parameters);
    let mut heard = Vec::new();
    let mut hear = |b: &mut Session, now| {
        b.handle_timeout(now);
        while let Some(received) = b.poll_frame(now, SOUND) {
            let Received::Frame(frame) = received else {
                panic!("{received:?}");
            };
            assert_eq!(frame.payload_type, payload_type(111));
            assert_eq!(frame.data.len(), 40);
            heard.push((frame.data[13], frame.timestamp));
        }
    };
    for number in 0..20_u32 {
        let now = now + ms(20) * number;
        let data = data_of(number, false, 40);
        let mut frame = sound(now, number * 20, &data);
        frame.payload_type = payload_type(63);
        a.send_frame(now, AUDIO, 0, frame).unwrap();
        for mut packet in drain(&mut a, now).0 {
            if ![5, 9, 13].contains(&number) {
                b.handle_input(now, (), &mut packet.bytes).unwrap();
            }
        }
        hear(&mut b, now + ms(10));
    }
    hear(&mut b, now + secs(1));
    let numbers: Vec<_> = heard.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert!(
        heard
            .windows(2)
            .all(|pair| pair[1].1.steps_from(pair[0].1) == 960)
    );
}

#[test]
fn reports_tell_the_losses_of_each_stream() {
    let mut call = Call::new();
    for step in 0..40 {
        let packets = call.picture(step == 0);
        // One in ten, and nothing comes again.
        for packet in packets.iter().filter(|packet| packet.number().0 % 10 != 3) {
            call.give(packet).unwrap();
        }
    }
    call.now += secs(2);
    let (_, datagrams) = drain(&mut call.b, call.now);
    let mut blocks = Vec::new();
    for datagram in &datagrams {
        for packet in Compound::parse(datagram).unwrap().packets().flatten() {
            if let Packet::ReceiverReport(report) = packet {
                blocks.extend(report.reports());
            }
        }
    }
    let [block] = blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!(block.ssrc, call.a.ssrcs(VIDEO).next().unwrap().0);
    assert!((10..=12).contains(&block.cumulative_lost), "{block:?}");
    assert!((22..=28).contains(&block.fraction_lost), "{block:?}");
}

#[test]
fn packets_find_their_receivers_by_mid_ssrc_and_payload_type() {
    let now = epoch();
    let mut b = Session::new(now, config(2));
    let mut a = Session::new(now, config(1));
    for (id, mid) in [(1, "v"), (3, "w")] {
        b.set_receiver(now, ReceiverId(id), receives(mid, vp8()));
        a.set_sender(now, SenderId(id), sends(mid, vp8()));
    }
    b.set_receiver(now, SOUND, receives("a", opus()));
    let receiver = |b: &mut Session, packet: &Sent| {
        let mut bytes = packet.bytes.clone();
        match b.handle_input(now, (), &mut bytes) {
            Ok(Input::Rtp(arrived)) => Ok(arrived.receiver),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    };
    for id in [1, 3] {
        let data = data_of(0, true, 100);
        a.send_frame(now, SenderId(id), 0, picture(now, 0, true, &data))
            .unwrap();
        let packet = drain(&mut a, now).0.remove(0);
        assert_eq!(receiver(&mut b, &packet), Ok(ReceiverId(id)));
    }
    // A MID that nobody has.
    a.set_sender(now, SenderId(4), sends("z", vp8()));
    let data = data_of(0, true, 100);
    a.send_frame(now, SenderId(4), 0, picture(now, 0, true, &data))
        .unwrap();
    let stranger = drain(&mut a, now).0.remove(0);
    let result = receiver(&mut b, &stranger);
    assert_eq!(result, Err(Rejected::UnknownSsrc(stranger.ssrc())));
    // Without any extension: whose payload type it is, if that is one's alone.
    let plain = |payload_type: u8, ssrc: u32| {
        let mut bytes = vec![0x80, payload_type, 0, 1, 0, 0, 0, 1];
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend([1; 20]);
        Sent { bytes }
    };
    assert_eq!(receiver(&mut b, &plain(111, 500)), Ok(SOUND));
    assert_eq!(
        receiver(&mut b, &plain(96, 501)),
        Err(Rejected::UnknownSsrc(Ssrc(501)))
    );
    // Signaled by `a=ssrc`.
    let mut parameters = receives("w", vp8());
    parameters.ssrcs = vec![Ssrc(502)];
    b.set_receiver(now, ReceiverId(3), parameters);
    assert_eq!(receiver(&mut b, &plain(96, 502)), Ok(ReceiverId(3)));
    let unknown = receiver(&mut b, &plain(35, 502));
    assert_eq!(unknown, Err(Rejected::UnknownPayloadType(payload_type(35))));
}

#[test]
fn sound_and_picture_play_together() {
    let mut call = Call::new();
    // Pictures travel 150 ms longer than sound, from the same capture.
    let mut late: Vec<(Instant, Vec<Sent>)> = Vec::new();
    let mut played: [Vec<(u32, Instant)>; 2] = Default::default();
    let mut reports = Vec::new();
    for step in 0..2000_u32 {
        call.now = epoch() + ms(10) * step;
        let data = data_of(step, step == 0, 60);
        if step % 4 == 0 {
            let frame = picture(call.now, step * 10, step == 0, &data);
            call.a.send_frame(call.now, VIDEO, 0, frame).unwrap();
        }
        if step % 2 == 0 {
            let frame = sound(call.now, step * 10, &data);
            call.a.send_frame(call.now, AUDIO, 0, frame).unwrap();
        }
        let (packets, datagrams) = drain(&mut call.a, call.now);
        reports.extend(datagrams);
        let video = call.a.ssrcs(VIDEO).next().unwrap().0;
        let (pictures, sounds): (Vec<_>, Vec<_>) = packets
            .into_iter()
            .partition(|packet| packet.ssrc() == video);
        call.give_all(&sounds);
        late.push((call.now + ms(150), pictures));
        while late.first().is_some_and(|(at, _)| *at <= call.now) {
            let (_, pictures) = late.remove(0);
            call.give_all(&pictures);
        }
        for mut report in std::mem::take(&mut reports) {
            call.b.handle_input(call.now, (), &mut report).unwrap();
        }
        for (list, id) in played.iter_mut().zip([PICTURE, SOUND]) {
            for frame in call.play(id) {
                if let Played::Frame(number) = frame {
                    list.push((number, call.now));
                }
            }
        }
    }
    let delay = |(number, at): &(u32, Instant)| *at - (epoch() + ms(10) * *number);
    let [pictures, sounds] =
        played.map(|list| list[list.len() - 50..].iter().map(delay).max().unwrap());
    assert!(
        pictures.abs_diff(sounds) <= ms(40),
        "{pictures:?} and {sounds:?}"
    );
    assert!(pictures >= ms(150) && sounds >= ms(120));
}

#[test]
fn the_target_of_the_application_holds_frames_back() {
    let mut call = Call::new();
    call.b.set_jitter_buffer_target(PICTURE, Some(ms(300)));
    let mut first = None;
    for step in 0..20 {
        let packets = call.picture(step == 0);
        call.give_all(&packets);
        if first.is_none() && !call.play(PICTURE).is_empty() {
            first = Some(call.now);
        }
    }
    let waited = first.unwrap() - (epoch() + ms(33));
    assert!((ms(300)..ms(340)).contains(&waited), "{waited:?}");
}

#[test]
fn layers_of_simulcast_are_told_apart_and_repaired_by_rid() {
    let now = epoch();
    let (mut a, mut b) = (Session::new(now, config(1)), Session::new(now, config(2)));
    let mut parameters = sends("v", vp8());
    let encoding = |rid: &str| EncodingParameters {
        rid: Some(rid.into()),
        active: true,
    };
    parameters.encodings = vec![encoding("lo"), encoding("hi")];
    a.set_sender(now, VIDEO, parameters);
    let mut parameters = receives("v", vp8());
    parameters.rids = vec!["lo".into(), "hi".into()];
    b.set_receiver(now, PICTURE, parameters);
    let mut lost = Vec::new();
    for encoding in [0, 1] {
        for number in 0..3 {
            let data = data_of(number + 10 * encoding, number == 0, 60);
            let frame = picture(now, number * 33, number == 0, &data);
            a.send_frame(now, VIDEO, encoding as usize, frame).unwrap();
        }
        let (packets, _) = drain(&mut a, now);
        for (n, packet) in packets.iter().enumerate() {
            let mut bytes = packet.bytes.clone();
            if n == 1 {
                lost.push(packet.ssrc());
            } else {
                b.handle_input(now, (), &mut bytes).unwrap();
            }
        }
    }
    // The middle one of each layer is asked for, and comes with the RID of what it repairs.
    let later = now + ms(12);
    for mut datagram in drain(&mut b, later).1 {
        a.handle_input(later, (), &mut datagram).unwrap();
    }
    let (again, _) = drain(&mut a, later);
    assert_eq!(again.len(), 2);
    for packet in &again {
        let mut bytes = packet.bytes.clone();
        let Ok(Input::Rtp(arrived)) = b.handle_input(later, (), &mut bytes) else {
            panic!("not taken");
        };
        assert!(lost.contains(&arrived.ssrc) && arrived.is_retransmission);
        lost.retain(|ssrc| *ssrc != arrived.ssrc);
    }
    let mut played = Vec::new();
    while let Some(Received::Frame(frame)) = b.poll_frame(later + ms(200), PICTURE) {
        let number = u32::from_be_bytes(frame.data[10..14].try_into().unwrap());
        played.push((frame.rid.unwrap().to_owned(), number));
    }
    played.sort();
    let expected: Vec<_> = [
        ("hi", 10),
        ("hi", 11),
        ("hi", 12),
        ("lo", 0),
        ("lo", 1),
        ("lo", 2),
    ]
    .map(|(rid, number)| (String::from(rid), number))
    .to_vec();
    assert_eq!(played, expected);
    let rids: Vec<_> = b.inbound_stats(PICTURE).map(|stats| stats.rid).collect();
    assert_eq!(rids, [Some("lo".into()), Some("hi".into())]);
}
