//! Which ICE credentials the transports of a BUNDLE group have (RFC 8839 §5.4, RFC 9143 §7.2).

use std::collections::HashSet;

use pc_jsep::{
    BundlePolicy, CandidateInit, OfferOptions, SdpType, Session, TransceiverDirection as Direction,
    TransportPlan,
};

use crate::support::*;

const RESTART: OfferOptions = OfferOptions { ice_restart: true };

/// Audio, video and data, each with a transport as long as no answer has bundled them.
fn apart(seed: u8) -> Session {
    let mut session = with_policy(seed, BundlePolicy::MaxCompat);
    session.add_track(Audio, "voice", &[]).unwrap();
    session.add_track(Video, "face", &[]).unwrap();
    session.want_data();
    session
}

/// User fragment and password of each section.
fn shown(text: &str) -> Vec<(&str, &str)> {
    let ufrags = lines(text, "a=ice-ufrag:").into_iter();
    let pairs: Vec<_> = ufrags.zip(lines(text, "a=ice-pwd:")).collect();
    assert_eq!(pairs.len(), lines(text, "m=").len(), "{text}");
    pairs
}

/// How many different ones there are.
fn distinct(text: &str) -> usize {
    shown(text).into_iter().collect::<HashSet<_>>().len()
}

/// What the transports are under, where that is one thing.
fn common(plans: &[TransportPlan]) -> (String, String) {
    let all: HashSet<_> = plans.iter().map(|plan| &plan.local).collect();
    assert_eq!(all.len(), 1, "{plans:?}");
    (plans[0].local.ufrag.clone(), plans[0].local.pwd.clone())
}

/// An answer that takes the sections and not their bundle.
fn refused(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("a=group:"));
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

/// An exchange that leaves every section on its own; the texts that went over.
fn exchange_apart(a: &mut Session, b: &mut Session) -> (String, String) {
    let text = local(a, SdpType::Offer);
    b.set_remote_description(SdpType::Offer, &refused(&text))
        .unwrap();
    let answered = answer(b, a, SdpType::Answer);
    (text, answered)
}

fn host(port: u16) -> String {
    format!("candidate:1 1 udp 2130706431 192.0.2.1 {port} typ host")
}

/// Each transport has found an address of its own.
fn gather(session: &mut Session) {
    for (index, plan) in session.transports().to_vec().iter().enumerate() {
        let port = 4000 + u16::try_from(index).unwrap();
        let candidate = host(port).parse().unwrap();
        session.add_local_candidate(plan.id, &plan.local.ufrag, candidate);
        session.end_local_candidates(plan.id, &plan.local.ufrag);
    }
}

/// The ports of the candidates of each section, and the section's own.
fn ports(text: &str) -> Vec<(u16, Vec<u16>)> {
    let sdp = parse(text);
    let of = |media: &pc_sdp::MediaDescription| {
        let candidates = media.candidates().map(|own| own.port).collect();
        (media.port(), candidates)
    };
    sdp.media.iter().map(of).collect()
}

#[test]
fn sections_of_a_group_share_their_credentials() {
    for policy in [
        BundlePolicy::Balanced,
        BundlePolicy::MaxCompat,
        BundlePolicy::MaxBundle,
    ] {
        let (mut a, mut b) = (with_policy(1, policy), session(2));
        a.add_track(Audio, "voice", &[]).unwrap();
        a.add_track(Video, "face", &[]).unwrap();
        a.want_data();
        let created = a.create_offer(OfferOptions::default()).unwrap();
        let again = a.create_offer(OfferOptions::default()).unwrap();
        assert_eq!(shown(&created), shown(&again));
        let text = offer(&mut a, &mut b);
        assert_eq!(shown(&created), shown(&text));
        assert_eq!(distinct(&text), 1, "{policy} {text}");
        assert_eq!(
            a.transports().len(),
            if policy == BundlePolicy::MaxBundle {
                1
            } else {
                3
            }
        );
        common(a.transports());
        let tls_ids: HashSet<_> = lines(&text, "a=tls-id:").into_iter().collect();
        assert_eq!(tls_ids.len(), a.transports().len(), "one of each transport");
        // A section that an offer adds to one that waits for its answer.
        let before = shown(&text)[0];
        a.add_track(Video, "screen", &[]).unwrap();
        let text = offer(&mut a, &mut b);
        assert_eq!((distinct(&text), shown(&text)[0]), (1, before));
        answer(&mut b, &mut a, SdpType::Answer);
        let text = local(&mut a, SdpType::Offer);
        assert_eq!((distinct(&text), shown(&text)[0]), (1, before));
    }
}

#[test]
fn transports_that_the_peer_keeps_apart_stay_under_the_same_until_a_restart() {
    let (mut a, mut b) = (apart(1), with_policy(2, BundlePolicy::MaxCompat));
    let (first, _) = exchange_apart(&mut a, &mut b);
    assert_eq!(a.transports().len(), 3);
    let before = common(a.transports());
    // One more has those of its group.
    a.add_track(Audio, "more", &[]).unwrap();
    let (added, _) = exchange_apart(&mut a, &mut b);
    assert_eq!(a.transports().len(), 4);
    assert_eq!(common(a.transports()), before);
    assert_eq!(distinct(&added), 1);
    assert_eq!(shown(&added)[0], shown(&first)[0]);
    let mut seen = HashSet::from([before]);
    for round in 0..4 {
        match round % 2 {
            0 => a.restart_ice(),
            _ => drop(a.create_offer(RESTART).unwrap()),
        }
        let new = format!("more-{round}");
        a.add_track(Audio, &new, &[]).unwrap();
        let options = if round % 2 == 0 {
            OfferOptions::default()
        } else {
            RESTART
        };
        a.create_offer(options).unwrap();
        let (text, _) = exchange_apart(&mut a, &mut b);
        assert_eq!(distinct(&text), 1, "{text}");
        assert_eq!(lines(&text, "a=group").len(), 1);
        assert!(seen.insert(common(a.transports())), "new ones");
        assert_eq!(a.transports().len(), 5 + round);
    }
}

#[test]
fn a_restart_that_is_taken_back_leaves_them_as_they_were() {
    let (mut a, mut b) = (apart(1), with_policy(2, BundlePolicy::MaxCompat));
    exchange_apart(&mut a, &mut b);
    let before = common(a.transports());
    a.create_offer(RESTART).unwrap();
    local(&mut a, SdpType::Offer);
    assert_ne!(common(a.transports()), before);
    a.set_local_description(Some((SdpType::Rollback, "")))
        .unwrap();
    assert_eq!(common(a.transports()), before);
}

#[test]
fn without_a_group_each_transport_has_its_own() {
    let (mut a, mut b) = (apart(1), with_policy(2, BundlePolicy::MaxCompat));
    let (_, answered) = exchange_apart(&mut a, &mut b);
    assert_eq!(distinct(&answered), 3);
    // They go on with those, and are not offered as one bundle as long as they do. What is new has
    // those of the bundle it comes to.
    add(&mut b, Audio, Direction::SendRecv);
    let text = offer(&mut b, &mut a);
    let groups = ["0", "1", "2"].map(|mid| format!("a=group:BUNDLE {mid}"));
    let own = groups[0].clone() + " 3";
    assert_eq!(lines(&text, "a=group"), [&own, &groups[1], &groups[2]]);
    let (offered, before) = (shown(&text), shown(&answered));
    assert_eq!(offered[..3], before);
    assert_eq!(offered[3], offered[0]);
    answer(&mut a, &mut b, SdpType::Answer);
    // A restart unites them.
    b.restart_ice();
    let (text, _) = exchange(&mut b, &mut a);
    assert_eq!(lines(&text, "a=group"), ["a=group:BUNDLE 0 1 2 3"]);
    assert_eq!(distinct(&text), 1);
    assert!(!before.contains(&shown(&text)[0]));
    assert_eq!((a.transports().len(), b.transports().len()), (1, 1));
}

#[test]
fn groups_that_cannot_be_one_differ() {
    // A peer without bundles, whose payload types mean one thing here and another there.
    let (mut a, mut b) = (session(1), with_policy(2, BundlePolicy::MaxCompat));
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    let text = refused(&local(&mut a, SdpType::Offer));
    let text = edited(&text, "a=rtpmap:111 opus", "a=rtpmap:96 opus");
    let text = edited(&text, "a=fmtp:111 ", "a=fmtp:96 ");
    let text = text.replace("a=rtcp-fb:111 ", "a=rtcp-fb:96 ");
    let text = edited(&text, "UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF 96");
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    local(&mut b, SdpType::Answer);
    for round in 0..2 {
        let offered = local(&mut b, SdpType::Offer);
        assert_eq!(
            lines(&offered, "a=group"),
            ["a=group:BUNDLE 0", "a=group:BUNDLE 1"]
        );
        assert_eq!(distinct(&offered), 2, "round {round}");
        b.restart_ice();
    }
}

#[test]
fn candidates_stand_under_their_own_section() {
    let (mut a, mut b) = (apart(1), with_policy(2, BundlePolicy::MaxCompat));
    let text = local(&mut a, SdpType::Offer);
    common(a.transports());
    gather(&mut a);
    let expected = [4000, 4001, 4002].map(|port| (port, vec![port]));
    let (_, gathered) = a.local_description().unwrap();
    assert_eq!(ports(&gathered), expected);
    assert_eq!(lines(&gathered, "a=end-of-candidates").len(), 3);
    b.set_remote_description(SdpType::Offer, &refused(&text))
        .unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(ports(&a.local_description().unwrap().1), expected);
    assert_eq!(ports(&local(&mut a, SdpType::Offer)), expected);
    // Of a restart, none yet, while what runs has its own.
    a.create_offer(RESTART).unwrap();
    let text = local(&mut a, SdpType::Offer);
    assert!(ports(&text).iter().all(|own| *own == (9, vec![])), "{text}");
    assert_eq!(ports(&a.current_local_description().unwrap().1), expected);
    gather(&mut a);
    assert_eq!(ports(&a.local_description().unwrap().1), expected);
}

#[test]
fn of_transports_that_are_bundled_away_nothing_is_kept() {
    let (mut a, mut b) = (apart(1), session(2));
    let text = local(&mut a, SdpType::Offer);
    gather(&mut a);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    let one = [(4000, vec![4000]), (4000, vec![]), (4000, vec![])];
    assert_eq!(ports(&a.local_description().unwrap().1), one);
    assert_eq!(ports(&local(&mut a, SdpType::Offer)), one);
    // The first section's transport goes with it: the next one's leads, with its candidates.
    let (mut a, mut b) = (apart(1), session(2));
    let text = local(&mut a, SdpType::Offer);
    gather(&mut a);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    b.stop(nth(&b, 0)).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(bundles(&a), [["1", "2"]]);
    let text = local(&mut a, SdpType::Offer);
    assert_eq!(ports(&text)[1..], [(4001, vec![4001]), (4001, vec![])]);
}

/// What the offerer has found for a transport that the answer makes superfluous leads nowhere, though
/// it is under the credentials of the one that stays.
#[test]
fn offered_candidates_of_superfluous_transports_are_not_checked() {
    let (mut a, mut b) = (apart(1), session(2));
    local(&mut a, SdpType::Offer);
    gather(&mut a);
    let (_, text) = a.local_description().unwrap();
    let text = text.replace("a=end-of-candidates\r\n", "");
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    let late = |candidate: String, mid: &str| CandidateInit {
        candidate,
        sdp_mid: Some(mid.to_owned()),
        username_fragment: Some(a.transports()[0].local.ufrag.clone()),
        ..CandidateInit::default()
    };
    let told = b.add_ice_candidate(Some(&late(host(5000), "0"))).unwrap();
    assert_eq!(told.len(), 1);
    // Nor does their end say anything of the others.
    let told = b
        .add_ice_candidate(Some(&late(String::new(), "1")))
        .unwrap();
    assert_eq!(told, []);
    let peer = b.transports()[0].peer.as_ref().unwrap();
    let found: Vec<_> = peer.candidates.iter().map(|it| it.port).collect();
    assert_eq!((found, peer.end_of_candidates), (vec![4000, 5000], false));
    let told = b
        .add_ice_candidate(Some(&late(String::new(), "0")))
        .unwrap();
    assert_eq!(told.len(), 1);
}

/// The offerer goes on with another transport than the provisional answer has begun: so does the
/// answerer, though it hears the same credentials.
#[test]
fn the_final_answer_may_lead_elsewhere_than_the_provisional_one() {
    let (mut a, mut b) = (apart(1), session(2));
    offer(&mut a, &mut b);
    answer(&mut b, &mut a, SdpType::Pranswer);
    let (ours, theirs) = (a.transports().to_vec(), b.transports()[0].clone());
    b.stop(nth(&b, 0)).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!((bundles(&a), bundles(&b)), (bundles(&b), bundles(&a)));
    assert_eq!(a.transports()[0].id, ours[1].id);
    assert_ne!(b.transports()[0].id, theirs.id);
    assert_ne!(b.transports()[0].local, theirs.local);
}
