//! Telephone events (RFC 4733) among sound, on virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Protocol, Serial32};
use pc_rtp::{
    dtmf::{self, Event, EventCode, Transmitter},
    payload::Format,
};
use pc_rtp_session::{
    Codec, EncodingParameters, Input, Received, ReceiverId, SendError, SenderId, SenderParameters,
    Session,
};
use pc_simnet::{epoch, ms};
use std::time::Instant;

const SOUND: ReceiverId = ReceiverId(2);
const EVENTS: u8 = 110;

fn telephone_event() -> Codec {
    Codec {
        payload_type: payload_type(EVENTS),
        format: Format::TelephoneEvent,
        channels: 1,
        transport_cc: false,
        ..opus()
    }
}

fn parameters() -> SenderParameters {
    SenderParameters {
        codecs: vec![opus(), telephone_event()],
        ..sends("a", opus())
    }
}

struct Call {
    begin: Instant,
    a: Session,
    b: Session,
    transmitter: Transmitter,
    heard: dtmf::Receiver,
    sent: Vec<Sent>,
    frames: usize,
    lost: usize,
}

impl Call {
    fn new() -> Self {
        let begin = epoch();
        let (mut a, mut b) = (
            Session::new(begin, config(1)),
            Session::new(begin, config(2)),
        );
        a.set_sender(begin, AUDIO, parameters());
        let mut receives = receives("a", opus());
        receives.codecs.push(telephone_event());
        b.set_receiver(begin, SOUND, receives);
        Self {
            begin,
            a,
            b,
            transmitter: Transmitter::new(48_000),
            heard: dtmf::Receiver::new(48_000),
            sent: Vec::new(),
            frames: 0,
            lost: 0,
        }
    }

    /// What is done every 20 ms: sound is sent unless an event is.
    fn tick(&mut self, at: u32) {
        let now = self.begin + ms(at.into());
        while let Some(packet) = self.transmitter.poll_packet(now) {
            let sent = (self.a).send_telephone_event(now, AUDIO, 0, payload_type(EVENTS), &packet);
            sent.unwrap();
        }
        if !self.transmitter.is_active() {
            let frame = sound(now, at, &[1; 40]);
            self.a.send_frame(now, AUDIO, 0, frame).unwrap();
        }
        for mut packet in drain(&mut self.a, now).0 {
            self.sent.push(packet.clone());
            let Input::Rtp(arrived) = self.b.handle_input(now, (), &mut packet.bytes).unwrap()
            else {
                panic!("a packet of media")
            };
            if arrived.payload_type == payload_type(EVENTS) {
                let (view, payload) = (arrived.packet, arrived.payload);
                let heard =
                    (self.heard).handle_packet(now, view.marker(), view.timestamp(), payload);
                heard.unwrap();
            }
        }
        self.b.handle_timeout(now);
        while let Some(received) = self.b.poll_frame(now, SOUND) {
            match received {
                Received::Frame(frame) => {
                    assert_eq!(frame.payload_type, payload_type(111));
                    self.frames += 1;
                }
                Received::Lost { .. } => self.lost += 1,
            }
        }
    }
}

#[test]
fn events_take_the_place_of_sound() {
    let mut call = Call::new();
    (0..100).step_by(20).for_each(|at| call.tick(at));
    let now = call.begin + ms(100);
    let begin = call.a.media_timestamp(now, AUDIO, 0, 48_000).unwrap();
    let key = EventCode::from_tone('#').unwrap();
    call.transmitter.play(now, begin, key, ms(100)).unwrap();
    (100..600).step_by(20).for_each(|at| call.tick(at));

    let views: Vec<_> = call.sent.iter().map(Sent::view).collect();
    let first = views[0];
    for (step, view) in views.iter().enumerate() {
        assert_eq!(
            view.sequence_number().steps_from(first.sequence_number()),
            step as u16
        );
    }
    let is_event = |number: u8| number == EVENTS;
    let events: Vec<_> = (views.iter())
        .filter(|it| is_event(it.payload_type().number()))
        .collect();
    assert_eq!(events.len(), 7);
    assert!(events[0].marker() && !events[1..].iter().any(|it| it.marker()));
    // 100 ms after the first sound, on the same clock.
    let expected = first.timestamp().plus(4800);
    assert_eq!(begin, expected);
    assert!(events.iter().all(|it| it.timestamp() == expected));
    assert!(events[0].payload() == [11, 10, 0x03, 0xC0]);
    // The sound goes on where it would be without them.
    let after = views
        .iter()
        .rev()
        .find(|it| !is_event(it.payload_type().number()))
        .unwrap();
    assert_eq!(after.timestamp(), first.timestamp().plus(580 * 48));

    let ended = std::iter::from_fn(|| call.heard.poll_event()).last();
    assert!(matches!(ended, Some(Event::End(it)) if it.code == key && it.duration == ms(100)));
    assert_eq!(call.lost, 0, "nothing is missing where events were");
    assert!(
        call.frames >= views.len() - events.len() - 5,
        "{}",
        call.frames
    );
    let stats = call.b.inbound_stats(SOUND).next().unwrap();
    assert_eq!(
        (stats.payload_type, stats.packets_lost),
        (Some(payload_type(111)), 0)
    );
    assert!(stats.jitter < ms(4), "{:?}", stats.jitter);
    assert_eq!(stats.packets_received, views.len() as u64);
    let stats = call.a.outbound_stats(AUDIO).next().unwrap();
    assert_eq!(stats.payload_type, Some(payload_type(111)));
}

/// Keys may be pressed before there is any sound: it goes on with their clock.
#[test]
fn sound_follows_events_that_came_first() {
    let mut call = Call::new();
    let begin = call
        .a
        .media_timestamp(call.begin, AUDIO, 0, 48_000)
        .unwrap();
    let later = call
        .a
        .media_timestamp(call.begin + ms(10), AUDIO, 0, 48_000);
    assert_eq!(later, Some(begin.plus(480)));
    let key = EventCode(1);
    call.transmitter
        .play(call.begin, begin, key, ms(100))
        .unwrap();
    (0..400).step_by(20).for_each(|at| call.tick(at));
    let views: Vec<_> = call.sent.iter().map(Sent::view).collect();
    assert_eq!(views[0].timestamp(), begin);
    assert_eq!(views[0].payload_type().number(), EVENTS);
    let sound = views.last().unwrap();
    assert_eq!(sound.payload_type().number(), 111);
    assert_eq!(sound.timestamp(), begin.plus(380 * 48));
    assert_eq!(call.lost, 0);
    assert!(call.frames > 5);
}

#[test]
fn events_need_a_sender_that_sends() {
    let now = epoch();
    let mut session = Session::new(now, config(1));
    let packet = dtmf::Packet {
        marker: true,
        timestamp: Serial32(0),
        payload: [1, 10, 0, 160],
    };
    let send = |session: &mut Session, number: u8| {
        session.send_telephone_event(now, AUDIO, 0, payload_type(number), &packet)
    };
    assert_eq!(session.media_timestamp(now, SenderId(9), 0, 8000), None);
    assert!(matches!(
        send(&mut session, EVENTS),
        Err(SendError::UnknownSender)
    ));
    session.set_sender(now, AUDIO, parameters());
    assert!(matches!(
        send(&mut session, 126),
        Err(SendError::UnknownPayloadType(_))
    ));
    let encodings = vec![EncodingParameters {
        rid: None,
        active: false,
    }];
    session.set_sender(
        now,
        AUDIO,
        SenderParameters {
            encodings,
            ..parameters()
        },
    );
    assert!(matches!(
        send(&mut session, EVENTS),
        Err(SendError::Inactive)
    ));
}
