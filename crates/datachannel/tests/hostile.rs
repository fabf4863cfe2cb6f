//! A session against a bare association that says what it likes.

mod common;

use std::time::Instant;

use common::config;
use pc_datachannel::{
    ChannelError, ChannelInit, DataChannelOpen, Dcep, Event, Message, MessageKind, Refusal,
    ReliabilityParameter, Role, Session,
};
use pc_sctp::{Association, Ppid, Reliability, State, StreamId};
use pc_simnet::{Pair, Seed, secs};

/// The session under test is the DTLS client: the peer's ids are odd.
fn connected() -> Pair<Session, Association> {
    let seed = Seed(1);
    let mut session = Session::new(config(seed, "a"));
    session.set_role(pc_simnet::epoch(), Role::Client);
    let sctp = pc_sctp::Config {
        seed: seed.bytes("b"),
        max_message_size: 262_144,
        ..pc_sctp::Config::default()
    };
    let mut pair = Pair::new(seed, session, Association::new(sctp));
    let now = pair.now();
    pair.b.connect(now);
    pair.run(|pair| pair.b.state() == State::Connected);
    pair
}

fn say(pair: &mut Pair<Session, Association>, stream: u16, ppid: Ppid, message: &[u8]) {
    let (now, stream) = (pair.now(), StreamId(stream));
    pair.b
        .send(now, stream, Reliability::ORDERED, ppid, message)
        .unwrap();
}

fn open(label: &str) -> Vec<u8> {
    let open = Dcep::Open(DataChannelOpen {
        ordered: true,
        reliability: ReliabilityParameter::Reliable,
        priority: 256,
        label,
        protocol: "",
    });
    open.to_vec().unwrap()
}

fn refused(pair: &Pair<Session, Association>, stream: u16, why: Refusal) -> bool {
    pair.a.saw(|event| *event == Event::Refused(stream, why))
}

#[test]
fn opens_that_break_the_rules_are_refused() {
    let mut pair = connected();
    say(&mut pair, 2, Ppid::DCEP, &open("even, as if it were ours"));
    say(&mut pair, 3, Ppid::DCEP, &[3, 9, 9]);
    say(&mut pair, 5, Ppid::DCEP, &[2]);
    say(&mut pair, 7, Ppid::DCEP, &open("fine"));
    pair.run(|pair| {
        refused(pair, 2, Refusal::Parity)
            && refused(pair, 3, Refusal::Dcep)
            && refused(pair, 5, Refusal::Dcep)
            && pair.a.saw(|event| matches!(event, Event::Open(_)))
    });
    // The streams are reset and can be used as they should be.
    let done = |stream| {
        move |event: &pc_sctp::Event| *event == pc_sctp::Event::ResetDone(StreamId(stream))
    };
    pair.run(|pair| [2, 3, 5].iter().all(|stream| pair.b.saw(done(*stream))));
    pair.b.release(StreamId(3));
    say(&mut pair, 3, Ppid::DCEP, &open("better"));
    pair.run(|pair| {
        pair.a
            .channels()
            .any(|(_, channel)| channel.label == "better")
    });
    assert_eq!(pair.a.channels().count(), 2);
}

#[test]
fn a_second_open_closes_the_channel() {
    let mut pair = connected();
    say(&mut pair, 1, Ppid::DCEP, &open("once"));
    say(&mut pair, 1, Ppid::DCEP, &open("twice"));
    pair.run(|pair| pair.a.saw(|event| matches!(event, Event::Closed(_))));
    let error = |event: &Event| matches!(event, Event::ChannelError(_, ChannelError::Dcep));
    assert!(pair.a.saw(error));
}

#[test]
fn what_is_no_message_closes_the_channel() {
    let text: &[u8] = b"caf\xE9";
    for (ppid, bytes, error) in [
        (Ppid::STRING, text, ChannelError::InvalidText),
        (Ppid::DCEP, &[0x17][..], ChannelError::Dcep),
    ] {
        let mut pair = connected();
        say(&mut pair, 1, Ppid::DCEP, &open("x"));
        say(&mut pair, 1, Ppid::BINARY, b"good");
        say(&mut pair, 1, ppid, bytes);
        say(&mut pair, 9, Ppid::DCEP, &open("other"));
        pair.run(|pair| pair.a.saw(|event| matches!(event, Event::Incoming(_))));
        let id = pair.a.channels().next().unwrap().0;
        let mut got = Vec::new();
        let mut message = Vec::new();
        pair.drive(|pair| {
            let now: Instant = pair.now();
            while let Some(kind) = pair.a.recv(now, id, &mut message) {
                got.push((kind, message.clone()));
            }
            pair.a.saw(|event| *event == Event::Closed(id))
        });
        assert!(pair.a.saw(|event| *event == Event::ChannelError(id, error)));
        assert!(
            got.len() <= 1
                && got
                    .iter()
                    .all(|it| *it == (MessageKind::Binary, b"good".to_vec()))
        );
        // The others go on.
        say(&mut pair, 9, Ppid::STRING, b"fine");
        pair.run(|pair| pair.a.channels().any(|(_, it)| it.label == "other"));
    }
}

#[test]
fn data_for_nobody_is_bounded_and_stops_nobody() {
    let mut pair = connected();
    for stream in [11, 13, 15] {
        for _ in 0..30 {
            say(&mut pair, stream, Ppid::BINARY, &[1; 20_000]);
        }
    }
    pair.run(|pair| {
        pair.a
            .saw(|event| matches!(event, Event::Refused(_, Refusal::TooMuchData)))
    });
    say(&mut pair, 1, Ppid::DCEP, &open("x"));
    pair.run(|pair| pair.a.saw(|event| matches!(event, Event::Incoming(_))));
    // What is kept belongs to whoever creates the channel.
    let mut found = 0;
    let now = pair.now();
    for id in [11, 13, 15] {
        let init = ChannelInit {
            negotiated: Some(id),
            ..ChannelInit::default()
        };
        if let Ok(channel) = pair.a.create(now, init) {
            let mut message = Vec::new();
            while pair.a.recv(now, channel, &mut message).is_some() {
                assert_eq!(message, [1; 20_000]);
                found += 1;
            }
        }
    }
    assert!((30..=60).contains(&found), "{found}");
}

#[test]
fn names_are_bounded() {
    let seed = Seed(2);
    let mut config = config(seed, "a");
    config.max_incoming_names = 200_000;
    config.max_channels = 100;
    let mut session = Session::new(config);
    session.set_role(pc_simnet::epoch(), Role::Client);
    let sctp = pc_sctp::Config {
        seed: seed.bytes("b"),
        ..pc_sctp::Config::default()
    };
    let mut pair = Pair::new(seed, session, Association::new(sctp));
    let now = pair.now();
    pair.b.connect(now);
    let long = "x".repeat(65_535);
    for n in 0..5 {
        say(&mut pair, 2 * n + 1, Ppid::DCEP, &open(&long));
    }
    pair.run(|pair| refused(pair, 9, Refusal::TooManyChannels));
    assert_eq!(pair.a.channels().count(), 3);
    for n in 5..110 {
        say(&mut pair, 2 * n + 1, Ppid::DCEP, &open(""));
    }
    pair.run(|pair| refused(pair, 219, Refusal::TooManyChannels));
    assert_eq!(pair.a.channels().count(), 100);
}

#[test]
fn unordered_data_waits_for_its_open() {
    let mut pair = connected();
    let now = pair.now();
    let unordered = Reliability {
        ordered: false,
        ..Reliability::ORDERED
    };
    pair.b
        .send(now, StreamId(1), unordered, Ppid::STRING, b"too fast")
        .unwrap();
    pair.run_for(secs(1));
    assert_eq!(pair.a.channels().count(), 0);
    say(&mut pair, 1, Ppid::DCEP, &open("late"));
    pair.run(|pair| pair.a.saw(|event| matches!(event, Event::Readable(_))));
    let id = pair.a.channels().next().unwrap().0;
    let mut message = Vec::new();
    let now = pair.now();
    assert_eq!(pair.a.recv(now, id, &mut message), Some(MessageKind::Text));
    assert_eq!(message, b"too fast");
    assert!(pair.a.send(now, id, Message::Text("hello")).is_ok());
}

#[test]
fn messages_go_ordered_until_the_ack() {
    let mut pair = connected();
    let now = pair.now();
    let init = ChannelInit {
        ordered: false,
        ..ChannelInit::new("unordered")
    };
    let id = pair.a.create(now, init).unwrap();
    pair.a
        .send(now, id, Message::Text("before the ack"))
        .unwrap();
    let mut message = Vec::new();
    // The OPEN comes first although the channel is unordered.
    pair.drive(|pair| {
        let now = pair.now();
        let open = pair.b.recv_control(now, StreamId(0), &mut message);
        open == Some(Ppid::DCEP)
    });
    let Ok(Dcep::Open(open)) = Dcep::parse(&message) else {
        panic!("no OPEN: {message:?}");
    };
    assert_eq!((open.ordered, open.label), (false, "unordered"));
    pair.drive(|pair| {
        let now = pair.now();
        pair.b.recv(now, StreamId(0), &mut message) == Some(Ppid::STRING)
    });
    assert_eq!(message, b"before the ack");
}
