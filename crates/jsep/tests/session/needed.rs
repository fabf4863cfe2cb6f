//! "Check if negotiation is needed" (WebRTC §4.7.3), rule by rule.

use pc_jsep::{SdpType, Session, TransceiverDirection as Direction};

use crate::support::*;

fn settled() -> (Session, Session) {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &streams(&["s", "t"])).unwrap();
    assert!(needs(&mut a));
    exchange(&mut a, &mut b);
    assert!(!needs(&mut a) && !needs(&mut b));
    (a, b)
}

#[test]
fn nothing_needs_nothing() {
    assert!(!needs(&mut session(1)));
}

#[test]
fn it_is_told_once() {
    let mut a = session(1);
    add(&mut a, Audio, Direction::Inactive);
    assert!(needs(&mut a));
    assert!(!needs(&mut a));
    add(&mut a, Audio, Direction::Inactive);
    assert!(!needs(&mut a), "still told");
}

#[test]
fn not_while_an_exchange_is_under_way() {
    let (mut a, mut b) = settled();
    offer(&mut a, &mut b);
    for own in [&mut a, &mut b] {
        own.add_track(Video, "face", &[]).unwrap();
        assert!(!needs(own));
    }
    answer(&mut b, &mut a, SdpType::Answer);
    assert!(needs(&mut a) && needs(&mut b));
}

#[test]
fn of_data_channels_the_first() {
    let (mut a, mut b) = settled();
    a.want_data();
    assert!(needs(&mut a));
    exchange(&mut a, &mut b);
    assert!(!needs(&mut a));
    a.want_data();
    assert!(!needs(&mut a));
    b.want_data();
    assert!(!needs(&mut b));
}

#[test]
fn a_rejected_section_for_data_is_not_offered_for_ever() {
    let (mut a, mut b) = settled();
    a.want_data();
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let text = edited(&text, "m=application 9", "m=application 0");
    let text = edited(&text, "a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    assert!(a.data().is_none());
    assert!(!needs(&mut a));
    // With the next exchange it is tried again.
    let text = local(&mut a, SdpType::Offer);
    assert_eq!(lines(&text, "m=application 9").len(), 1);
    assert_eq!(parse(&text).media.len(), 2, "in its old place");
}

#[test]
fn a_stopping_transceiver() {
    let (mut a, mut b) = settled();
    a.stop(only(&a)).unwrap();
    assert!(needs(&mut a));
    exchange(&mut a, &mut b);
    assert!(!needs(&mut a) && !needs(&mut b));
}

#[test]
fn other_streams_and_not_the_same_in_another_order() {
    let (mut a, mut b) = settled();
    let id = only(&a);
    for (names, needed) in [
        (&["t", "s"][..], false),
        (&["s", "t", "s"], false),
        (&["s"], true),
        (&[], true),
        (&["s", "u"], true),
    ] {
        let mut a = a.clone();
        a.set_streams(id, &streams(names)).unwrap();
        assert_eq!(needs(&mut a), needed, "{names:?}");
    }
    a.set_streams(id, &[]).unwrap();
    exchange(&mut a, &mut b);
    assert!(!needs(&mut a));
    // Of a sender that does not send nothing is said.
    a.set_direction(id, Direction::RecvOnly).unwrap();
    exchange(&mut a, &mut b);
    a.set_streams(id, &streams(&["u"])).unwrap();
    assert!(!needs(&mut a));
}

#[test]
fn a_direction_that_neither_description_of_an_offerer_has() {
    let (a, _) = settled();
    // Offered sendrecv, answered recvonly: sendonly here.
    for (direction, needed) in [
        (Direction::SendRecv, false),
        (Direction::SendOnly, false),
        (Direction::RecvOnly, true),
        (Direction::Inactive, true),
    ] {
        let mut a = a.clone();
        a.set_direction(only(&a), direction).unwrap();
        assert_eq!(needs(&mut a), needed, "{direction}");
    }
}

#[test]
fn a_direction_of_an_answerer_that_the_offer_would_have_allowed() {
    let (_, b) = settled();
    // Offered sendrecv, answered recvonly.
    for (direction, needed) in [
        (Direction::RecvOnly, false),
        (Direction::SendRecv, true),
        (Direction::SendOnly, true),
        (Direction::Inactive, true),
    ] {
        let mut b = b.clone();
        b.set_direction(only(&b), direction).unwrap();
        assert_eq!(needs(&mut b), needed, "{direction}");
    }
}

#[test]
fn two_who_want_to_send_to_one_who_does_not_listen_come_to_rest() {
    let (mut a, mut b) = pair();
    for (own, peer) in [(true, false), (false, true)] {
        let (x, y) = if own {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        add(x, Audio, Direction::SendRecv);
        offer(x, y);
        let theirs = nth(y, y.transceivers().count() - 1);
        y.set_direction(theirs, Direction::Inactive).unwrap();
        answer(y, x, SdpType::Answer);
        let _ = peer;
    }
    assert!(!needs(&mut a) && !needs(&mut b));
}
