//! Two sessions over good links: the whole life of channels.

mod common;

use common::{connect, connected, incoming, messages, strangers};
use pc_datachannel::{
    ChannelInit, ChannelState, CreateError, Event, Message, MessageKind, SendError,
};
use pc_simnet::{LazyDriver, secs};

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
    let state = pair.a.session.channel(chat).map(|it| it.state());
    assert_eq!(state, Some(ChannelState::Open));
    for message in [
        Message::Text("first"),
        Message::Binary(&[]),
        Message::Text(""),
    ] {
        pair.a.session.send(now, chat, message).unwrap();
    }
    pair.run(|pair| pair.b.received.len() == 3);
    let there = incoming(&pair.b)[0];
    let view = pair.b.session.channel(there).unwrap();
    assert_eq!(
        (view.label(), view.protocol(), view.id()),
        ("chat", "v1", Some(0))
    );
    assert_eq!(
        (view.ordered(), view.max_retransmits(), view.negotiated()),
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
