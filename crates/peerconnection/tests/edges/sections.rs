//! M-sections in unusual places, numbers and orders.

use std::time::{Duration, Instant};

use pc_simnet::ms;
use peerconnection::{
    IceCandidate, SessionDescription,
    engine::{Connection, Event},
    state::*,
};

use crate::{
    common::{A, B, Call, good, ufrag},
    engine, events, start,
};

fn asks_for_negotiation(engine: &mut Connection) -> bool {
    engine.update_negotiation_needed();
    let events = events(engine);
    events
        .iter()
        .any(|it| matches!(it, Event::NegotiationNeeded))
}

fn states(engine: &Connection) -> Vec<DataChannelState> {
    engine
        .channels()
        .map(|(_, channel)| channel.state)
        .collect()
}

/// An offer of `b`'s with its m-line under the hammer.
fn data_offer(now: Instant) -> String {
    let mut b = engine(9);
    b.create_data_channel(now, "theirs", Default::default())
        .unwrap();
    b.create_offer(now, Default::default()).unwrap().sdp
}

fn empty_offer() -> SessionDescription {
    SessionDescription::offer("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")
}

#[test]
fn an_exchange_without_data_leaves_a_waiting_channel_alone() {
    let now = start();
    let mut a = engine(1);
    a.create_data_channel(now, "chat", Default::default())
        .unwrap();
    assert!(asks_for_negotiation(&mut a));
    a.set_remote_description(now, empty_offer()).unwrap();
    a.set_local_description(now, None).unwrap();
    assert_eq!(states(&a), [DataChannelState::Connecting]);
    // WebRTC §4.4.1.5: back in "stable" the flag is cleared, and checked anew.
    assert!(asks_for_negotiation(&mut a));
    a.set_local_description(now, None).unwrap();
    assert!(a.local_description().unwrap().sdp.contains("m=application"));
}

#[test]
fn a_channel_made_during_an_exchange_without_data_waits_for_the_next() {
    let now = start();
    let mut a = engine(1);
    a.set_local_description(now, None).unwrap();
    a.create_data_channel(now, "chat", Default::default())
        .unwrap();
    let mut answer = empty_offer();
    answer.kind = peerconnection::SdpType::Answer;
    a.set_remote_description(now, answer).unwrap();
    assert_eq!(states(&a), [DataChannelState::Connecting]);
    assert!(asks_for_negotiation(&mut a));
}

#[test]
fn a_refused_data_section_closes_the_channels_and_is_not_offered_for_ever() {
    let now = start();
    let mut a = engine(1);
    a.create_data_channel(now, "chat", Default::default())
        .unwrap();
    for round in 0..5 {
        if !asks_for_negotiation(&mut a) {
            assert!(round > 0);
            assert!(states(&a).is_empty());
            return;
        }
        a.set_local_description(now, None).unwrap();
        let offer = a.local_description().unwrap().sdp;
        let refused = offer.replace("m=application 9", "m=application 0");
        a.set_remote_description(now, SessionDescription::answer(refused))
            .unwrap();
    }
    panic!("asked for negotiation five times");
}

#[test]
fn an_answer_bundles_only_what_the_offer_bundled() {
    let now = start();
    let offer = data_offer(now);
    assert!(offer.contains("a=group:BUNDLE 0\r\n"));
    let offer = offer.replace("a=group:BUNDLE 0\r\n", "");
    let mut a = engine(1);
    a.set_remote_description(now, SessionDescription::offer(offer))
        .unwrap();
    let answer = a.create_answer(now).unwrap().sdp;
    assert!(!answer.contains("BUNDLE"), "{answer}");
}

#[test]
fn a_section_without_a_mid_is_not_mistaken_for_another() {
    let now = start();
    // The audio section has the mid that the data section would be given for its place.
    let offer = data_offer(now)
        .replace("a=group:BUNDLE 0\r\n", "")
        .replace("a=mid:0\r\n", "")
        .replace(
            "m=application",
            "m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\nm=application",
        );
    let mut a = engine(1);
    a.set_remote_description(now, SessionDescription::offer(offer))
        .unwrap();
    let answer = a.create_answer(now).unwrap().sdp;
    assert!(answer.contains("m=application 9"), "{answer}");
    assert!(answer.contains("m=audio 0"), "{answer}");
}

#[test]
fn two_sections_with_one_mid_are_refused() {
    let now = start();
    let offer = data_offer(now).replace(
        "m=application",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\nm=application",
    );
    let mut a = engine(1);
    let error = a
        .set_remote_description(now, SessionDescription::offer(offer))
        .unwrap_err();
    assert_eq!(error.name(), "InvalidAccessError");
    assert_eq!(a.signaling_state(), SignalingState::Stable);
}

#[test]
fn an_answer_must_keep_kinds_and_mids_in_their_places() {
    let now = start();
    for (from, to) in [
        (
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        ),
        ("a=mid:0", "a=mid:7"),
    ] {
        let mut a = engine(1);
        a.create_data_channel(now, "chat", Default::default())
            .unwrap();
        a.set_local_description(now, None).unwrap();
        let mut b = engine(2);
        b.set_remote_description(now, a.local_description().unwrap())
            .unwrap();
        let answer = b.create_answer(now).unwrap().sdp;
        assert!(answer.contains(from));
        let answer = SessionDescription::answer(answer.replace(from, to));
        let error = a
            .set_remote_description(now, answer)
            .map_err(|it| it.name());
        assert_eq!(error, Err("InvalidAccessError"), "{from}");
    }
}

#[test]
fn a_late_candidate_of_the_generation_before_a_restart_is_no_error() {
    let now = start();
    let mut a = engine(1);
    let mut b = engine(2);
    b.create_data_channel(now, "chat", Default::default())
        .unwrap();
    b.set_local_description(now, None).unwrap();
    let offer = b.local_description().unwrap().sdp;
    a.set_remote_description(now, SessionDescription::offer(&*offer))
        .unwrap();
    a.set_local_description(now, None).unwrap();
    let before = ufrag(&b).to_owned();
    let restarted = offer
        .replace(&format!("a=ice-ufrag:{before}"), "a=ice-ufrag:nextnext")
        .replace("a=ice-pwd:", "a=ice-pwd:x");
    a.set_remote_description(now, SessionDescription::offer(restarted))
        .unwrap();
    let candidate = |ufrag: &str| IceCandidate {
        candidate: "candidate:1 1 udp 2122260223 192.0.2.9 4000 typ host".into(),
        sdp_mid: Some("0".into()),
        username_fragment: Some(ufrag.to_owned()),
        ..Default::default()
    };
    a.add_ice_candidate(now, Some(candidate(&before))).unwrap();
    assert!(!a.remote_description().unwrap().sdp.contains("192.0.2.9"));
    a.add_ice_candidate(now, Some(candidate("nextnext")))
        .unwrap();
    assert!(
        a.add_ice_candidate(now, Some(candidate("unheardof")))
            .is_err()
    );
}

#[test]
fn a_huge_offer_is_answered_in_time_that_grows_with_it() {
    let now = start();
    let mut offer = data_offer(now).replace("a=group:BUNDLE 0\r\n", "");
    for n in 0..4000 {
        offer += &format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:x{n}\r\n");
    }
    let mut a = engine(1);
    let began = start();
    if a.set_remote_description(now, SessionDescription::offer(offer))
        .is_ok()
    {
        a.set_local_description(now, None).unwrap();
        assert_eq!(
            a.local_description().unwrap().sdp.matches("m=").count(),
            4001
        );
    }
    let took = start() - began;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn an_offer_again_by_either_side_keeps_the_connection() {
    let (mut call, chat, back) = Call::open(7, good());
    for (offerer, answerer) in [(A, B), (B, A), (B, A), (A, B)] {
        call.negotiate_from(offerer, answerer).unwrap();
        call.run_for(ms(500));
        call.send(A, chat, "there");
        call.send(B, back, "back");
    }
    call.run(|net| net[A].received.len() == 4 && net[B].received.len() == 4);
    let sections = |sdp: String| sdp.matches("m=").count();
    let local = call.net[A].engine.local_description().unwrap();
    assert_eq!(sections(local.sdp), 1);
}

#[test]
fn a_data_section_taken_back_ends_the_channels_on_both_sides() {
    let (mut call, _, _) = Call::open(8, good());
    let now = call.net.now();
    let b = &mut call.net[B].engine;
    let offer = b.create_offer(now, Default::default()).unwrap();
    let refusal = offer.sdp.replace("m=application 9", "m=application 0");
    let a = &mut call.net[A].engine;
    a.set_remote_description(now, SessionDescription::offer(refusal))
        .unwrap();
    a.set_local_description(now, None).unwrap();
    assert!(
        a.local_description()
            .unwrap()
            .sdp
            .contains("m=application 0")
    );
    assert_eq!(a.sctp_state(), None);
    assert!(!asks_for_negotiation(a));
    assert!(states(a).is_empty());
    call.run_for(ms(500));
    let more = call.net[A]
        .engine
        .create_data_channel(now, "more", Default::default());
    assert_eq!(more.map_err(|it| it.name()).err(), Some("OperationError"));
}

#[test]
fn an_answer_may_not_restart_what_the_offer_did_not() {
    let (mut call, _, _) = Call::open(11, good());
    let now = call.net.now();
    let a = &mut call.net[A].engine;
    let before = ufrag(a).to_owned();
    a.set_local_description(now, None).unwrap();
    let offer = a.local_description().unwrap();
    let b = &mut call.net[B].engine;
    let theirs = ufrag(b).to_owned();
    b.set_remote_description(now, offer).unwrap();
    let answer = b.create_answer(now).unwrap().sdp;
    let answer = answer.replace(&format!("a=ice-ufrag:{theirs}"), "a=ice-ufrag:otherother");
    let a = &mut call.net[A].engine;
    let result = a.set_remote_description(now, SessionDescription::answer(answer));
    assert_eq!(result.map_err(|it| it.name()), Err("InvalidAccessError"));
    // What the description says is what is in use.
    assert_eq!(ufrag(a), before);
    assert!(a.local_description().unwrap().sdp.contains(&before));
}

#[test]
fn a_turned_role_is_not_taken_for_the_role_in_use() {
    // B is the client. An offer that insists on being active cannot change that.
    let (mut call, _, _) = Call::open(12, good());
    let now = call.net.now();
    let a = &mut call.net[A].engine;
    let offer = a
        .create_offer(now, Default::default())
        .unwrap()
        .sdp
        .replace("a=setup:actpass", "a=setup:active");
    let b = &mut call.net[B].engine;
    let result = b.set_remote_description(now, SessionDescription::offer(offer));
    assert_eq!(result.map_err(|it| it.name()), Err("NotSupportedError"));
    // One that keeps it is fine.
    let a = &mut call.net[A].engine;
    let offer = a
        .create_offer(now, Default::default())
        .unwrap()
        .sdp
        .replace("a=setup:actpass", "a=setup:passive");
    let b = &mut call.net[B].engine;
    b.set_remote_description(now, SessionDescription::offer(offer))
        .unwrap();
    assert!(b.create_answer(now).unwrap().sdp.contains("a=setup:active"));
}
