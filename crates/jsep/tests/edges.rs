//! Where two rules meet: what a session does at the edges of the specifications.

#[path = "session/support.rs"]
#[allow(dead_code)] // Shared with the tests of whole sessions.
mod support;

use pc_jsep::{
    CandidateInit, ErrorKind, SdpType, Session, SignalingState, TransceiverDirection as Direction,
};
use support::{Audio, Video, add, answer, edited, exchange, lines, local, needs, offer, pair};

const CANDIDATE: &str = "candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host";

/// WebRTC §4.7.3: a section that the peer has rejected has not been negotiated, so a channel made
/// later asks for another one. The rejection itself must not ask for ever.
#[test]
fn a_channel_after_a_rejected_data_section_asks_for_another() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendRecv);
    a.want_data();
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let text = edited(&text, "m=application 9", "m=application 0");
    let text = edited(&text, "a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    assert!(!needs(&mut a), "the peer does not want it");
    a.want_data();
    assert!(needs(&mut a), "a channel was made after that");
    let text = local(&mut a, SdpType::Offer);
    assert_eq!(lines(&text, "m=application 9").len(), 1, "{text}");
}

/// RFC 8285 §6: "Identifiers values in the valid range MUST NOT be altered (remapped)".
#[test]
fn an_extension_in_use_keeps_its_id() {
    let (mut a, mut b) = pair();
    let id = add(&mut a, Audio, Direction::SendRecv);
    exchange(&mut a, &mut b);
    let used = a.transceiver(id).unwrap().header_extensions().to_vec();
    let level = used.iter().find(|own| own.uri.ends_with("audio-level"));
    let level = format!("a=extmap:{} ", level.unwrap().id);
    let text = local(&mut a, SdpType::Offer);
    let line = lines(&text, &level)[0];
    let other = format!("{level}urn:example:another");
    let error = b
        .set_remote_description(SdpType::Offer, &edited(&text, line, &other))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidAccess, "{error}");
    assert_eq!(b.signaling_state(), SignalingState::Stable);
    // One that is no longer used is free.
    let gone = edited(&text, &format!("{line}\r\n"), "");
    b.set_remote_description(SdpType::Offer, &gone).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
}

/// RFC 9143 §7.1.3, RFC 8840 §4.3: whichever section of a bundle a candidate is signaled for, it is
/// for their one transport.
#[test]
fn a_candidate_for_a_bundled_section_reaches_the_transport_it_shares() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendRecv);
    add(&mut a, Video, Direction::SendRecv);
    exchange(&mut a, &mut b);
    // A second offer has one transport for both sections already.
    a.restart_ice();
    offer(&mut a, &mut b);
    let init = CandidateInit {
        candidate: CANDIDATE.into(),
        sdp_mid: Some("1".into()),
        ..CandidateInit::default()
    };
    b.add_ice_candidate(Some(&init)).unwrap();
    b.set_local_description(None).unwrap();
    let [plan] = b.transports() else {
        panic!("{:?}", b.transports())
    };
    let peer = plan.peer.as_ref().unwrap();
    let ports: Vec<_> = peer.candidates.iter().map(|it| it.port).collect();
    assert_eq!(ports, [5000]);
}

/// WebRTC §5.1, removeTrack: nothing happens to a sender whose transceiver is stopping.
#[test]
fn a_stopping_transceiver_keeps_its_track() {
    let (mut a, _) = pair();
    let id = a.add_track(Audio, "t", &[]).unwrap();
    a.stop(id).unwrap();
    a.remove_track(id).unwrap();
    assert_eq!(a.transceiver(id).unwrap().sender_track(), Some("t"));
}

/// A transport's name is never used again: whoever holds it sees it closed, and so it stays.
#[test]
fn a_transport_that_was_rolled_back_does_not_come_back() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendRecv);
    let text = a.create_offer(Default::default()).unwrap();
    let set = |a: &mut Session| {
        a.set_local_description(Some((SdpType::Offer, &text)))
            .unwrap();
        a.transports()[0].id
    };
    let first = set(&mut a);
    a.set_local_description(Some((SdpType::Rollback, "")))
        .unwrap();
    assert_ne!(set(&mut a), first);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
}

/// However often the peer describes itself, and with whatever candidates.
#[test]
fn candidates_in_descriptions_are_bounded() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendRecv);
    exchange(&mut a, &mut b);
    for round in 0..10_u16 {
        let text = local(&mut a, SdpType::Offer);
        let candidates: String = (0..200)
            .map(|n| {
                format!(
                    "a={}\r\n",
                    CANDIDATE.replace("5000", &format!("{}", 6000 + 200 * round + n))
                )
            })
            .collect();
        let text = edited(&text, "a=ice-ufrag", &format!("{candidates}a=ice-ufrag"));
        b.set_remote_description(SdpType::Offer, &text).unwrap();
        answer(&mut b, &mut a, SdpType::Answer);
    }
    let peer = b.transports()[0].peer.as_ref().unwrap();
    assert_eq!(peer.candidates.len(), 256);
}
