//! Bundles and transports (RFC 9143, RFC 9429 §4.1.1).

use pc_jsep::{BundlePolicy, ErrorKind, SdpType, Session, TransceiverDirection as Direction};

use crate::support::*;

/// Two of audio, one of video, and data.
fn full(policy: BundlePolicy) -> Session {
    let mut session = with_policy(1, policy);
    session.add_track(Audio, "one", &[]).unwrap();
    session.add_track(Audio, "two", &[]).unwrap();
    session.add_track(Video, "face", &[]).unwrap();
    session.want_data();
    session
}

fn mids(lists: &[&[&str]]) -> Vec<Vec<String>> {
    lists.iter().map(|list| streams(list)).collect()
}

fn bundle_only(text: &str) -> Vec<bool> {
    let sdp = parse(text);
    let sections = sdp.media.iter();
    sections
        .map(|media| {
            let only = media.has(&pc_sdp::Attribute::BundleOnly);
            assert_eq!(only, media.port() == 0);
            only
        })
        .collect()
}

/// An offer without bundles: what a peer makes of it that knows none.
fn unbundled(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("a=group:") && !line.starts_with("a=bundle-only"));
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

#[test]
fn an_offer_proposes_as_many_transports_as_the_policy_says() {
    for (policy, transports, only) in [
        (
            BundlePolicy::Balanced,
            mids(&[&["0", "1"], &["2"], &["3"]]),
            [false, true, false, false],
        ),
        (
            BundlePolicy::MaxCompat,
            mids(&[&["0"], &["1"], &["2"], &["3"]]),
            [false; 4],
        ),
        (
            BundlePolicy::MaxBundle,
            mids(&[&["0", "1", "2", "3"]]),
            [false, true, true, true],
        ),
    ] {
        let (mut a, mut b) = (full(policy), session(2));
        let text = offer(&mut a, &mut b);
        assert_eq!(lines(&text, "a=group"), ["a=group:BUNDLE 0 1 2 3"]);
        assert_eq!(bundle_only(&text), only, "{policy}");
        assert_eq!(bundles(&a), transports, "{policy}");
        assert!(a.transports().iter().all(|plan| plan.peer.is_none()));
        let ufrags = lines(&text, "a=ice-ufrag");
        assert_eq!(ufrags.len(), 4, "bundle-only sections have them too");
        assert!(b.transports().is_empty(), "nothing before the answer");
        let first = a.transports()[0].id;
        answer(&mut b, &mut a, SdpType::Answer);
        assert_eq!(bundles(&a), mids(&[&["0", "1", "2", "3"]]));
        assert_eq!(bundles(&b), bundles(&a));
        assert_eq!(
            a.transports()[0].id,
            first,
            "the first one's transport stays"
        );
        assert_eq!(a.data().unwrap().transport, first);
        for own in a.transceivers() {
            assert_eq!(own.transport(), Some(first));
        }
        // Agreed once, nothing is bundle-only any more, and what is new shares the transport.
        a.add_track(Video, "screen", &[]).unwrap();
        let (text, _) = exchange(&mut a, &mut b);
        assert_eq!(bundle_only(&text), [false; 5]);
        assert_eq!(bundles(&a), mids(&[&["0", "1", "2", "3", "4"]]));
        assert_eq!(bundles(&b), bundles(&a));
        assert_eq!(a.transports()[0].id, first);
    }
}

#[test]
fn both_sides_know_each_others_transport() {
    let (mut a, mut b) = (full(BundlePolicy::Balanced), session(2));
    exchange(&mut a, &mut b);
    let ([own], [theirs]) = (a.transports(), b.transports()) else {
        panic!("one transport each");
    };
    let (to, from) = (own.peer.as_ref().unwrap(), theirs.peer.as_ref().unwrap());
    assert_eq!((&to.local, &to.remote), (&own.local, &theirs.local));
    assert_eq!((&from.local, &from.remote), (&theirs.local, &own.local));
    assert!(
        !to.dtls_client && from.dtls_client,
        "the answerer is the client"
    );
    assert!(a.is_controlling() && !b.is_controlling());
    assert_eq!(*to.fingerprints[0].value, [2; 32]);
    assert!(!to.lite && !to.end_of_candidates && to.candidates.is_empty());
    let (data, theirs) = (a.data().unwrap(), b.data().unwrap());
    assert_eq!((&*data.mid, &*theirs.mid), ("3", "3"));
    let peer = data.peer.unwrap();
    assert_eq!((peer.port, peer.max_message_size), (5000, 262_144));
}

#[test]
fn without_bundle_every_section_has_a_transport() {
    let (mut a, mut b) = (
        full(BundlePolicy::MaxCompat),
        with_policy(2, BundlePolicy::MaxCompat),
    );
    let text = unbundled(&local(&mut a, SdpType::Offer));
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    let text = answer(&mut b, &mut a, SdpType::Answer);
    assert!(lines(&text, "a=group").is_empty());
    for session in [&a, &b] {
        assert_eq!(bundles(session), mids(&[&["0"], &["1"], &["2"], &["3"]]));
    }
    for (own, theirs) in a.transports().iter().zip(b.transports()) {
        assert_eq!(own.peer.as_ref().unwrap().remote, theirs.local);
        assert_eq!(theirs.peer.as_ref().unwrap().remote, own.local);
    }
    let ids: Vec<_> = a.transports().iter().map(|plan| plan.id).collect();
    exchange(&mut a, &mut b);
    // Bundled after all, the first transport carries all.
    assert_eq!(bundles(&a), mids(&[&["0", "1", "2", "3"]]));
    assert_eq!(bundles(&b), bundles(&a));
    assert_eq!(a.transports()[0].id, ids[0]);
}

#[test]
fn an_answerer_takes_what_its_policy_allows_without_bundle() {
    for (policy, accepted) in [
        (BundlePolicy::Balanced, [true, false, true, true]),
        (BundlePolicy::MaxBundle, [true, false, false, false]),
        (BundlePolicy::MaxCompat, [true; 4]),
    ] {
        let (mut a, mut b) = (full(BundlePolicy::MaxCompat), with_policy(2, policy));
        let text = unbundled(&local(&mut a, SdpType::Offer));
        b.set_remote_description(SdpType::Offer, &text).unwrap();
        let answer = parse(&answer(&mut b, &mut a, SdpType::Answer));
        let taken: Vec<_> = answer
            .media
            .iter()
            .map(|media| !media.is_rejected())
            .collect();
        assert_eq!(taken, accepted, "{policy}");
        assert_eq!(bundles(&a), bundles(&b));
    }
}

#[test]
fn an_answer_may_leave_a_section_out_of_the_bundle() {
    let (mut a, mut b) = (full(BundlePolicy::MaxCompat), session(2));
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let text = edited(&text, "a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1 3");
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    assert_eq!(bundles(&a), mids(&[&["0", "1", "3"], &["2"]]));
    assert!(a.transports().iter().all(|plan| plan.peer.is_some()));
    // A later offer proposes the bundle anew, and keeps both transports until it is agreed.
    let text = local(&mut a, SdpType::Offer);
    assert_eq!(lines(&text, "a=group"), ["a=group:BUNDLE 0 1 2 3"]);
    assert_eq!(bundle_only(&text), [false; 4]);
    assert_eq!(bundles(&a), mids(&[&["0", "1", "3"], &["2"]]));
}

#[test]
fn bundle_only_is_used_in_the_bundle_or_rejected() {
    let (mut a, mut b) = (full(BundlePolicy::MaxBundle), session(2));
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let alone = edited(&text, "a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1 3");
    let error = fails(&mut a, |a| {
        a.set_remote_description(SdpType::Answer, &alone)
    });
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
    assert!(error.message.contains("m-section 2"), "{error}");
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    // Nor can it leave later.
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let alone = edited(&text, "a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1 3");
    let error = fails(&mut a, |a| {
        a.set_remote_description(SdpType::Answer, &alone)
    });
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
}

#[test]
fn a_peer_that_knows_no_bundle_gets_the_first_section_of_max_bundle() {
    let (mut a, mut b) = (full(BundlePolicy::MaxBundle), session(2));
    let text = local(&mut a, SdpType::Offer);
    let lines = text.lines().filter(|line| !line.starts_with("a=group:"));
    let text: String = lines.flat_map(|line| [line, "\r\n"]).collect();
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(bundles(&a), mids(&[&["0"]]));
    assert_eq!(bundles(&b), mids(&[&["0"]]));
    assert_eq!(a.transceivers().count(), 1);
}

#[test]
fn the_next_section_leads_where_the_first_is_rejected() {
    for policy in [
        BundlePolicy::Balanced,
        BundlePolicy::MaxCompat,
        BundlePolicy::MaxBundle,
    ] {
        let (mut a, mut b) = (full(policy), session(2));
        offer(&mut a, &mut b);
        b.stop(nth(&b, 0)).unwrap();
        b.stop(nth(&b, 1)).unwrap();
        let text = answer(&mut b, &mut a, SdpType::Answer);
        assert_eq!(lines(&text, "a=group"), ["a=group:BUNDLE 2 3"]);
        assert_eq!(bundles(&a), mids(&[&["2", "3"]]), "{policy}");
        assert_eq!(bundles(&b), bundles(&a));
        let (own, theirs) = (&a.transports()[0], &b.transports()[0]);
        assert_eq!(own.local, theirs.peer.as_ref().unwrap().remote, "{policy}");
        assert_eq!(theirs.local, own.peer.as_ref().unwrap().remote, "{policy}");
        exchange(&mut b, &mut a);
        assert_eq!(
            a.transports()[0].local,
            b.transports()[0].peer.as_ref().unwrap().remote
        );
    }
}

#[test]
fn a_transport_outlives_the_section_it_began_with() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    exchange(&mut a, &mut b);
    let before = a.transports()[0].clone();
    a.stop(voice).unwrap();
    exchange(&mut a, &mut b);
    let after = a.transports()[0].clone();
    assert_eq!(
        (after.id, &after.local, &after.peer),
        (before.id, &before.local, &before.peer)
    );
    assert_eq!(bundles(&a), mids(&[&["1"]]));
    assert_eq!(bundles(&b), mids(&[&["1"]]));
}

#[test]
fn the_transport_ends_with_its_last_section() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    exchange(&mut a, &mut b);
    let before = a.transports()[0].id;
    a.stop(voice).unwrap();
    exchange(&mut a, &mut b);
    assert!(a.transports().is_empty() && b.transports().is_empty());
    a.add_track(Audio, "again", &[]).unwrap();
    exchange(&mut a, &mut b);
    assert_ne!(a.transports()[0].id, before);
}

#[test]
fn what_an_answer_may_not_do_with_bundles() {
    let (mut a, mut b) = (full(BundlePolicy::MaxCompat), session(2));
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    for (old, new) in [
        ("a=mid:2", "a=mid:x"),
        (
            "a=group:BUNDLE 0 1 2 3",
            "a=group:BUNDLE 0 1\r\na=group:BUNDLE 1 2 3",
        ),
        ("m=audio", "m=video"),
    ] {
        let text = edited(&text, old, new);
        let error = fails(&mut a, |a| a.set_remote_description(SdpType::Answer, &text));
        assert_eq!(error.kind, ErrorKind::InvalidAccess, "{new}");
    }
    let fewer = &text[..text.find("m=application").unwrap()];
    let error = fails(&mut a, |a| a.set_remote_description(SdpType::Answer, fewer));
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
    // Mids that nobody has are of no section.
    let text = edited(
        &text,
        "a=group:BUNDLE 0 1 2 3",
        "a=group:BUNDLE x 0 1 y 2 3",
    );
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    assert_eq!(bundles(&a), mids(&[&["0", "1", "2", "3"]]));
}

#[test]
fn two_bundles_run_on_two_transports() {
    let (mut a, mut b) = (
        full(BundlePolicy::MaxCompat),
        with_policy(2, BundlePolicy::MaxCompat),
    );
    let text = local(&mut a, SdpType::Offer);
    let text = edited(
        &text,
        "a=group:BUNDLE 0 1 2 3",
        "a=group:BUNDLE 0 2\r\na=group:BUNDLE 1 3",
    );
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    local(&mut b, SdpType::Answer);
    assert_eq!(bundles(&b), mids(&[&["0", "2"], &["1", "3"]]));
    let text = b.local_description().unwrap().1;
    assert_eq!(
        lines(&text, "a=group"),
        ["a=group:BUNDLE 0 2", "a=group:BUNDLE 1 3"]
    );
}

#[test]
fn a_section_without_a_mid_is_answered_without_one() {
    let mut a = session(1);
    a.add_track(Audio, "voice", &[]).unwrap();
    let mut b = session(2);
    let text = unbundled(&local(&mut a, SdpType::Offer));
    let text = edited(&text, "a=mid:0\r\n", "");
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    let mid = b.transceivers().next().unwrap().mid().unwrap().to_owned();
    let answer = local(&mut b, SdpType::Answer);
    assert!(lines(&answer, "a=mid").is_empty());
    assert_eq!(bundles(&b), [[mid.clone()]]);
    // It keeps what it is called here, and nobody else is called so.
    b.add_track(Video, "face", &[]).unwrap();
    add(&mut b, Audio, Direction::RecvOnly);
    let text = local(&mut b, SdpType::Offer);
    let all: Vec<_> = b.transceivers().filter_map(|own| own.mid()).collect();
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().filter(|own| **own == mid).count(), 1);
    assert_eq!(lines(&text, "a=mid").len(), 2);
}

#[test]
fn a_mid_of_a_later_section_is_not_given_to_one_without() {
    let mut a = session(1);
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    let text = unbundled(&local(&mut a, SdpType::Offer));
    let text = edited(&text, "a=mid:0\r\n", "");
    let text = edited(&text, "a=mid:1\r\n", "a=mid:0\r\n");
    let mut b = session(2);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    let mids: Vec<_> = b.transceivers().map(|own| own.mid().unwrap()).collect();
    assert_ne!(mids[0], mids[1]);
    assert_eq!(mids[1], "0");
}
