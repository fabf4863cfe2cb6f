//! Two sessions over good links: the whole life of channels.

mod common;

use common::{config, connect, connected, incoming, messages, strangers};
use pc_datachannel::{
    ChannelError, ChannelInit, CreateError, Event, Message, MessageKind, Role, SendError, Session,
    State,
};
use pc_proto::Protocol;
use pc_simnet::{LazyDriver, Link, Side, ms, secs};

#[test]
fn both_connect_at_once_and_talk() {
    let mut pair = connected(1);
    let now = pair.now();
    let init = ChannelInit {
        protocol: "v1".into(),
        ordered: false,
        max_retransmits: Some(3),
        ..ChannelInit::new("chat")
    };
    let chat = pair.a.session.create(now, init).unwrap();
    let state = pair.a.session.channel(chat).map(|it| it.state);
    assert_eq!(state, Some(State::Open));
    for message in [
        Message::Text("first"),
        Message::Binary(&[]),
        Message::Text(""),
    ] {
        pair.a.session.send(now, chat, message).unwrap();
    }
    pair.run(|pair| pair.b.received.len() == 3);
    let there = incoming(&pair.b)[0];
    let readable = pair
        .b
        .events
        .iter()
        .filter(|it| **it == Event::Readable(there));
    assert_eq!(readable.count(), 1, "{:?}", pair.b.events);
    let view = pair.b.session.channel(there).unwrap();
    assert_eq!(
        (view.label, view.protocol, view.id),
        ("chat", "v1", Some(0))
    );
    assert_eq!(
        (view.ordered, view.max_retransmits, view.negotiated),
        (false, Some(3), false)
    );
    let expected = [
        (MessageKind::Text, b"first".to_vec()),
        (MessageKind::Binary, vec![]),
        (MessageKind::Text, vec![]),
    ];
    assert_eq!(messages(&pair.b), expected);
    let now = pair.now();
    let large = Message::Binary(&[7; 262_144]);
    pair.b.session.send(now, there, large).unwrap();
    let too_large = Message::Binary(&[7; 262_145]);
    let error = SendError::TooLarge { limit: 262_144 };
    assert_eq!(pair.b.session.send(now, there, too_large), Err(error));
    pair.run(|pair| pair.a.received.len() == 1);
    assert_eq!(messages(&pair.a), [(MessageKind::Binary, vec![7; 262_144])]);
}

#[test]
fn one_side_connects_alone() {
    for alone in [Side::A, Side::B] {
        let mut pair = strangers(2);
        let now = pair.now();
        let side = match alone {
            Side::A => &mut pair.a,
            Side::B => &mut pair.b,
        };
        side.session.connect(now);
        pair.run(|pair| {
            pair.a.saw(|event| *event == Event::Connected)
                && pair.b.saw(|event| *event == Event::Connected)
        });
    }
}

#[test]
fn ids_come_with_the_role() {
    let seed = pc_simnet::Seed(3);
    let mut session = Session::new(config(seed, "a"));
    let now = pc_simnet::epoch();
    let negotiated = |id| ChannelInit {
        negotiated: Some(id),
        ..ChannelInit::default()
    };
    let first = session.create(now, ChannelInit::new("first")).unwrap();
    let agreed = session.create(now, negotiated(1)).unwrap();
    let second = session.create(now, ChannelInit::new("second")).unwrap();
    let id = |session: &Session, channel| session.channel(channel).and_then(|it| it.id);
    assert_eq!((id(&session, first), id(&session, agreed)), (None, Some(1)));
    session.set_role(pc_simnet::epoch(), Role::Server);
    assert_eq!(
        (id(&session, first), id(&session, second)),
        (Some(3), Some(5))
    );
    assert_eq!(
        session.create(now, negotiated(5)),
        Err(CreateError::IdInUse(5))
    );
    assert_eq!(
        session.create(now, negotiated(65_535)),
        Err(CreateError::InvalidId(65_535))
    );
    assert!(session.create(now, negotiated(65_534)).is_ok());
    let limits = ChannelInit {
        max_retransmits: Some(1),
        max_packet_life_time: Some(1),
        ..ChannelInit::default()
    };
    assert_eq!(session.create(now, limits), Err(CreateError::TwoLimits));
    let long = ChannelInit::new("x".repeat(65_536));
    assert_eq!(session.create(now, long), Err(CreateError::LabelTooLong));
    let send = session.send(now, first, Message::Text("too early"));
    assert_eq!(send, Err(SendError::NotOpen));
    session.close(now, first);
    assert_eq!(session.poll_event(), Some(Event::Closed(first)));
    assert!(session.channel(first).is_none());
}

#[test]
fn ids_run_out() {
    let mut session = Session::new(config(pc_simnet::Seed(3), "a"));
    let now = pc_simnet::epoch();
    session.set_role(pc_simnet::epoch(), Role::Client);
    for _ in 0..32_768 {
        session.create(now, ChannelInit::default()).unwrap();
    }
    let more = session.create(now, ChannelInit::default());
    assert_eq!(more, Err(CreateError::NoFreeId));
}

#[test]
fn negotiated_channels_need_no_open() {
    let mut pair = strangers(4);
    let init = ChannelInit {
        negotiated: Some(7),
        ..ChannelInit::new("agreed")
    };
    let now = pair.now();
    let a = pair.a.session.create(now, init.clone()).unwrap();
    connect(&mut pair);
    assert!(pair.a.saw(|event| *event == Event::Open(a)));
    // What comes before the other side has created its channel waits for it.
    let now = pair.now();
    pair.a.session.send(now, a, Message::Text("early")).unwrap();
    pair.run_for(secs(2));
    assert!(pair.b.received.is_empty());
    let now = pair.now();
    let b = pair.b.session.create(now, init).unwrap();
    pair.run(|pair| pair.b.of(b) == [b"early"]);
    let now = pair.now();
    pair.b.session.send(now, b, Message::Text("late")).unwrap();
    pair.run(|pair| pair.a.of(a) == [b"late"]);
    assert!(incoming(&pair.a).is_empty() && incoming(&pair.b).is_empty());
    // A channel without a message of its own is closed just so.
    let quiet = ChannelInit {
        negotiated: Some(8),
        ..ChannelInit::default()
    };
    let now = pair.now();
    let ids = [
        pair.a.session.create(now, quiet.clone()).unwrap(),
        pair.b.session.create(now, quiet).unwrap(),
    ];
    pair.a.session.close(now, ids[0]);
    pair.run(|pair| {
        pair.a.saw(|event| *event == Event::Closed(ids[0]))
            && pair.b.saw(|event| *event == Event::Closed(ids[1]))
    });
}

#[test]
fn what_was_sent_arrives_before_the_close() {
    for lazy in [false, true] {
        let mut pair = connected(5);
        if lazy {
            pair = pair.with_driver(LazyDriver::default());
        }
        let now = pair.now();
        let a = pair.a.session.create(now, ChannelInit::default()).unwrap();
        for n in 0..200_u32 {
            let message = [n as u8; 5000];
            pair.a
                .session
                .send(now, a, Message::Binary(&message))
                .unwrap();
        }
        pair.a.session.close(now, a);
        let late = pair.a.session.send(now, a, Message::Text("late"));
        assert_eq!(late, Err(SendError::NotOpen));
        pair.run(|pair| {
            pair.a.saw(|event| *event == Event::Closed(a))
                && pair.b.saw(|event| matches!(event, Event::Closed(_)))
        });
        let b = incoming(&pair.b)[0];
        assert_eq!(pair.b.of(b).len(), 200);
        assert!(
            pair.b
                .of(b)
                .iter()
                .enumerate()
                .all(|(n, it)| *it == [n as u8; 5000])
        );
        // The W3C: `closing` fires at the far side alone.
        assert!(!pair.a.saw(|event| *event == Event::Closing(a)));
        let events = pair.b.take_events();
        let at = |event| events.iter().position(|it| *it == event);
        assert!(at(Event::Closing(b)).unwrap() < at(Event::Closed(b)).unwrap());
    }
}

#[test]
fn the_far_side_still_sends_what_it_had_queued() {
    let mut pair = connected(6);
    let now = pair.now();
    let init = ChannelInit {
        negotiated: Some(0),
        ..ChannelInit::default()
    };
    let a = pair.a.session.create(now, init.clone()).unwrap();
    let b = pair.b.session.create(now, init.clone()).unwrap();
    let other = ChannelInit {
        negotiated: Some(1),
        ..init
    };
    let a2 = pair.a.session.create(now, other.clone()).unwrap();
    let b2 = pair.b.session.create(now, other).unwrap();
    // Megabytes on the channel that is closed, from the side that does not know it yet. They are
    // dropped where nobody wants them, and stop nobody else.
    for _ in 0..150 {
        let large = Message::Binary(&[1; 100_000]);
        pair.b.session.send(now, b, large).unwrap();
    }
    pair.a.session.close(now, a);
    pair.run(|pair| {
        pair.a.saw(|event| *event == Event::Closed(a))
            && pair.b.saw(|event| *event == Event::Closed(b))
    });
    let now = pair.now();
    pair.b
        .session
        .send(now, b2, Message::Text("alive"))
        .unwrap();
    pair.run(|pair| pair.a.of(a2) == [b"alive"]);
}

#[test]
fn both_close_at_once_and_open_again() {
    for seed in 0..20 {
        let mut pair = connected(seed).with_link(Link::new().delay(ms(10)).loss(0.2));
        let mut now = pair.now();
        let mut a = pair.a.session.create(now, ChannelInit::new("0")).unwrap();
        for round in 1..10_usize {
            pair.a.session.send(now, a, Message::Text("ping")).unwrap();
            pair.run(|pair| incoming(&pair.b).len() == round);
            let b = *incoming(&pair.b).last().unwrap();
            pair.run(|pair| pair.b.of(b) == [b"ping"]);
            assert_eq!(pair.b.session.channel(b).unwrap().id, Some(0));
            now = pair.now();
            pair.a.session.close(now, a);
            pair.b.session.close(now, b);
            pair.run(|pair| pair.a.saw(|event| *event == Event::Closed(a)));
            now = pair.now();
            // At once, while the far side may not have finished.
            a = pair
                .a
                .session
                .create(now, ChannelInit::new("again"))
                .unwrap();
            assert_eq!(pair.a.session.channel(a).unwrap().id, Some(0));
            pair.run(|pair| pair.b.saw(|event| *event == Event::Closed(b)));
            now = pair.now();
        }
    }
}

#[test]
fn a_thousand_cycles_leave_nothing_behind() {
    let mut pair = connected(8);
    for round in 0..1000_usize {
        let now = pair.now();
        let (opener, other) = match round % 2 {
            0 => (&mut pair.a, &mut pair.b),
            _ => (&mut pair.b, &mut pair.a),
        };
        opener.take_events();
        other.take_events();
        let id = opener
            .session
            .create(now, ChannelInit::new("cycle"))
            .unwrap();
        opener.session.send(now, id, Message::Text("x")).unwrap();
        if round % 3 == 0 {
            opener.session.close(now, id);
        } else {
            pair.run(|pair| !incoming(if round % 2 == 0 { &pair.b } else { &pair.a }).is_empty());
            let now = pair.now();
            let other = if round % 2 == 0 {
                &mut pair.b
            } else {
                &mut pair.a
            };
            let there = incoming(other)[0];
            other.session.close(now, there);
        }
        let closed = |event: &Event| matches!(event, Event::Closed(_));
        pair.run(|pair| pair.a.saw(closed) && pair.b.saw(closed));
        assert_eq!(pair.a.session.channels().count(), 0);
        assert_eq!(pair.b.session.channels().count(), 0);
    }
    assert_eq!(pair.a.received.len() + pair.b.received.len(), 1000);
}

#[test]
fn a_slow_reader_stops_the_sender_and_loses_nothing() {
    let mut pair = connected(9);
    let now = pair.now();
    let slow = pair
        .a
        .session
        .create(now, ChannelInit::new("slow"))
        .unwrap();
    pair.run(|pair| incoming(&pair.b).len() == 1);
    pair.b.reads = false;
    let message = vec![3; 60_000];
    let mut sent = 0;
    let now = pair.now();
    while pair
        .a
        .session
        .send(now, slow, Message::Binary(&message))
        .is_ok()
    {
        sent += 1;
    }
    let full = pair.a.session.send(now, slow, Message::Text("more"));
    assert_eq!(full, Err(SendError::BufferFull));
    assert!(sent * message.len() >= 16 << 20);
    pair.run_for(secs(60));
    let stuck = pair.a.session.channel(slow).unwrap().buffered_amount;
    assert!(stuck > 8 << 20, "{stuck} bytes wait although nobody reads");
    // The association lives, the other way too.
    pair.b.reads = true;
    pair.run(|pair| pair.b.received.len() == sent);
    assert!(pair.b.received.iter().all(|(_, _, it)| *it == message));
    assert_eq!(pair.a.session.channel(slow).unwrap().buffered_amount, 0);
}

#[test]
fn the_buffered_amount_falls_and_says_so_once() {
    let mut pair = connected(10);
    let now = pair.now();
    let a = pair.a.session.create(now, ChannelInit::default()).unwrap();
    pair.run(|pair| incoming(&pair.b).len() == 1);
    pair.a.session.set_buffered_amount_low_threshold(a, 100_000);
    let now = pair.now();
    for round in 1..=3 {
        for n in 1..=30 {
            pair.a
                .session
                .send(now, a, Message::Binary(&[0; 10_000]))
                .unwrap();
            let amount = pair.a.session.channel(a).unwrap().buffered_amount;
            assert_eq!(amount, n * 10_000);
        }
        pair.a.session.send(now, a, Message::Text("")).unwrap();
        assert_eq!(pair.a.session.channel(a).unwrap().buffered_amount, 300_000);
        pair.run(|pair| pair.b.received.len() == round * 31);
        let low = |event: &&Event| **event == Event::BufferedAmountLow(a);
        assert_eq!(pair.a.events.iter().filter(low).count(), round);
        assert_eq!(pair.a.session.channel(a).unwrap().buffered_amount, 0);
    }
}

#[test]
fn the_far_end_is_told_of_an_abort() {
    let mut pair = connected(11);
    let now = pair.now();
    let a = pair.a.session.create(now, ChannelInit::default()).unwrap();
    pair.run(|pair| incoming(&pair.b).len() == 1);
    let b = incoming(&pair.b)[0];
    let now = pair.now();
    pair.b.reads = false;
    pair.a
        .session
        .send(now, a, Message::Text("last words"))
        .unwrap();
    pair.run_for(secs(1));
    let now = pair.now();
    pair.a.session.abort(now);
    pair.run(|pair| pair.b.saw(|event| matches!(event, Event::Failed(_))));
    let lost = Event::ChannelError(b, ChannelError::AssociationLost { cause: Some(12) });
    assert!(pair.b.saw(|event| *event == lost));
    // Not closed before it was read.
    assert!(!pair.b.saw(|event| *event == Event::Closed(b)));
    pair.b.reads = true;
    pair.run(|pair| pair.b.saw(|event| *event == Event::Closed(b)));
    assert_eq!(pair.b.of(b), [b"last words"]);
    assert!(pair.a.saw(|event| *event == Event::Closed(a)));
    assert!(pair.a.saw(|event| *event == Event::SessionClosed));
    let now = pair.now();
    let late = pair.a.session.create(now, ChannelInit::default());
    assert_eq!(late, Err(CreateError::Closed));
    pair.run_until_idle();
}

#[test]
fn a_shutdown_delivers_first() {
    let mut pair = connected(12);
    let now = pair.now();
    let a = pair.a.session.create(now, ChannelInit::default()).unwrap();
    for _ in 0..100 {
        pair.a
            .session
            .send(now, a, Message::Binary(&[9; 20_000]))
            .unwrap();
    }
    pair.a.session.shutdown(now);
    pair.run(|pair| {
        pair.a.saw(|event| *event == Event::SessionClosed)
            && pair.b.saw(|event| *event == Event::SessionClosed)
    });
    assert_eq!(pair.b.received.len(), 100);
    assert!(!pair.b.saw(|event| matches!(event, Event::ChannelError(..))));
    pair.run_until_idle();
}
