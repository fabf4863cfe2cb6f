//! What browsers do otherwise than the RFCs say, and what they refuse though the RFCs allow it.

#[path = "session/support.rs"]
#[allow(dead_code, unused_imports)] // Shared with the tests of whole sessions.
mod support;

use pc_jsep::{OfferOptions, SdpType, Session, TransceiverDirection as Direction};
use support::{Audio, Video, add, edited, exchange, lines, local, offer, pair};

const RESTART: OfferOptions = OfferOptions { ice_restart: true };

/// Audio and data, of which the first offer has a transport each, and the answer one for both.
fn talking() -> (Session, Session, [String; 2]) {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.want_data();
    let (offer, answer) = exchange(&mut a, &mut b);
    (a, b, [offer, answer])
}

fn ufrags(text: &str) -> Vec<&str> {
    lines(text, "a=ice-ufrag:")
}

/// Firefox takes a section whose credentials change, while those of another stay, for a partial
/// restart, and refuses the description.
#[test]
fn a_section_that_joins_a_bundle_goes_on_showing_its_credentials() {
    let (mut a, mut b, [first, _]) = talking();
    let offered = ufrags(&first);
    assert_eq!(offered[0], offered[1], "those of the bundle from the start");
    let (again, _) = exchange(&mut a, &mut b);
    assert_eq!(ufrags(&again), offered);
    let (_, answer) = exchange(&mut b, &mut a);
    assert_eq!(ufrags(&answer), offered);
    let [plan] = a.transports() else {
        panic!("one transport")
    };
    assert_eq!(offered[0], format!("a=ice-ufrag:{}", plan.local.ufrag));
    a.create_offer(RESTART).unwrap();
    let (restarted, _) = exchange(&mut a, &mut b);
    let restarted = ufrags(&restarted);
    assert_eq!(restarted[0], restarted[1]);
    assert!(!offered.contains(&restarted[0]));
}

#[test]
fn the_candidates_of_a_transport_that_has_ended_are_shown_no_more() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.want_data();
    offer(&mut a, &mut b);
    let plans: Vec<_> = a.transports().to_vec();
    for (plan, port) in plans.iter().zip([4000, 5000]) {
        let text = format!("candidate:1 1 udp 2130706431 192.0.2.1 {port} typ host");
        a.add_local_candidate(plan.id, &plan.local.ufrag, text.parse().unwrap());
    }
    let text = a.local_description().unwrap().1;
    assert!(text.contains(" 5000 typ host") && text.contains("m=application 5000"));
    let answer = local(&mut b, SdpType::Answer);
    a.set_remote_description(SdpType::Answer, &answer).unwrap();
    let text = local(&mut a, SdpType::Offer);
    assert!(text.contains(" 4000 typ host") && text.contains("m=application 4000"));
    assert!(!text.contains("5000 typ host") && !text.contains("m=application 5000"));
}

/// A browser that restarts nominates nothing where the roles are turned with it.
#[test]
fn a_restart_keeps_the_roles() {
    let (mut a, mut b, _) = talking();
    assert!(a.is_controlling() && !b.is_controlling());
    b.create_offer(RESTART).unwrap();
    exchange(&mut b, &mut a);
    assert!(a.is_controlling() && !b.is_controlling());
}

/// Firefox answers a restart with `a=setup:active` where it has been passive, and keeps its
/// association all the same.
#[test]
fn a_restart_alone_does_not_turn_the_dtls_role() {
    let (mut a, mut b, [_, answer]) = talking();
    assert!(answer.contains("a=setup:active"));
    let is_client = |session: &Session| session.transports()[0].peer.as_ref().unwrap().dtls_client;
    assert!(is_client(&b));
    b.create_offer(RESTART).unwrap();
    offer(&mut b, &mut a);
    let text = local(&mut a, SdpType::Answer);
    let turned = edited(&text, "a=setup:passive", "a=setup:active");
    let untagged: String = turned
        .lines()
        .filter(|line| !line.starts_with("a=tls-id:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let mut other = b.clone();
    b.set_remote_description(SdpType::Answer, &untagged)
        .unwrap();
    assert!(is_client(&b), "kept");
    other
        .set_remote_description(SdpType::Answer, &turned)
        .unwrap();
    assert!(
        !is_client(&other),
        "whoever names associations means another one"
    );
}

/// Firefox adds a section with AV1 under the number that a section of libwebrtc's has for what repairs
/// VP9. Other browsers take that.
#[test]
fn a_payload_type_of_a_second_meaning_is_not_answered() {
    let (mut a, mut b) = pair();
    add(&mut a, Video, Direction::SendRecv);
    add(&mut a, Video, Direction::SendRecv);
    let text = local(&mut a, SdpType::Offer);
    let (first, second) = text.split_at(text.rfind("m=video").unwrap());
    assert!(first.contains("a=rtpmap:99 rtx/90000"));
    let second = edited(second, " 98 99 ", " 98 ");
    let second = edited(&second, "a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n", "");
    let second = edited(&second, " 45 46", " 99 46");
    let second = edited(&second, ":45 ", ":99 ");
    let second = edited(&second, "apt=45", "apt=99");
    let offer = format!("{first}{second}");
    b.set_remote_description(SdpType::Offer, &offer).unwrap();
    let answer = local(&mut b, SdpType::Answer);
    let (first, second) = answer.split_at(answer.rfind("m=video").unwrap());
    assert!(first.contains("a=rtpmap:99 rtx/90000"));
    assert!(second.contains("a=rtpmap:98 VP9/90000") && !second.contains("m=video 0"));
    assert!(
        !second.contains(":99 ") && !second.contains("apt=99"),
        "{second}"
    );
    // Nor is it offered later on.
    a.set_remote_description(SdpType::Answer, &answer).unwrap();
    let (again, _) = exchange(&mut b, &mut a);
    let second = &again[again.rfind("m=video").unwrap()..];
    assert!(!second.contains("a=rtpmap:99 AV1"), "{second}");
}
