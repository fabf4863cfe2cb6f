//! ICE, DTLS and candidates.

use pc_jsep::{
    CandidateInit, ErrorKind, OfferOptions, RemoteCandidate, SdpType, Session, SignalingState,
    UfragPrefix,
};

use crate::support::*;

const RESTART: OfferOptions = OfferOptions { ice_restart: true };

fn talking() -> (Session, Session) {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.want_data();
    exchange(&mut a, &mut b);
    (a, b)
}

fn ufrags(session: &Session) -> (String, String, String) {
    let [plan] = session.transports() else {
        panic!("one transport")
    };
    let peer = plan.peer.as_ref().unwrap();
    (
        plan.local.ufrag.clone(),
        peer.local.ufrag.clone(),
        peer.remote.ufrag.clone(),
    )
}

#[test]
fn a_restart_takes_effect_with_its_answer() {
    for by_option in [true, false] {
        let (mut a, mut b) = talking();
        let (before, others) = (ufrags(&a), ufrags(&b));
        if by_option {
            a.create_offer(RESTART).unwrap();
        } else {
            a.restart_ice();
            assert!(needs(&mut a));
        }
        offer(&mut a, &mut b);
        let (local, old, remote) = ufrags(&a);
        assert_ne!(local, before.0, "announced");
        assert_eq!((old, remote), (before.1, before.2), "and not yet in use");
        assert_eq!(ufrags(&b), others);
        answer(&mut b, &mut a, SdpType::Answer);
        let (now, theirs) = (ufrags(&a), ufrags(&b));
        assert_eq!((&now.0, &now.0, &now.2), (&local, &now.1, &theirs.0));
        assert_eq!((&theirs.0, &theirs.2), (&theirs.1, &now.0));
        assert_ne!(theirs.0, others.0, "a restart is answered by one");
        assert!(!needs(&mut a) && !needs(&mut b));
        // Nothing restarts by itself.
        exchange(&mut b, &mut a);
        assert_eq!((ufrags(&a), ufrags(&b)), (now, theirs));
    }
}

#[test]
fn a_restart_that_is_taken_back_is_still_wanted() {
    let (mut a, mut b) = talking();
    let before = ufrags(&a);
    a.restart_ice();
    local(&mut a, SdpType::Offer);
    assert_ne!(ufrags(&a).0, before.0);
    a.set_local_description(Some((SdpType::Rollback, "")))
        .unwrap();
    assert_eq!(ufrags(&a), before);
    assert!(needs(&mut a));
    exchange(&mut a, &mut b);
    assert_ne!(ufrags(&a).0, before.0);
    assert!(!needs(&mut a));
}

#[test]
fn a_restart_wanted_while_an_offer_waits_is_made_after_it() {
    let (mut a, mut b) = talking();
    offer(&mut a, &mut b);
    a.restart_ice();
    answer(&mut b, &mut a, SdpType::Answer);
    let before = ufrags(&a);
    assert!(needs(&mut a));
    exchange(&mut a, &mut b);
    assert_ne!(ufrags(&a), before);
}

#[test]
fn the_peers_restart_fulfils_ours() {
    let (mut a, mut b) = talking();
    a.restart_ice();
    b.restart_ice();
    exchange(&mut b, &mut a);
    assert!(!needs(&mut a) && !needs(&mut b));
}

#[test]
fn before_there_is_a_transport_nothing_restarts() {
    let (mut a, _) = pair();
    a.restart_ice();
    assert!(!needs(&mut a));
}

#[test]
fn an_answer_cannot_restart_by_itself() {
    let (mut a, mut b) = talking();
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let ufrag = ufrags(&b).0;
    let text = edited(&text, &ufrag, "otherUfrag");
    let error = fails(&mut a, |a| a.set_remote_description(SdpType::Answer, &text));
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
}

#[test]
fn roles_of_dtls_follow_the_offer_and_stay() {
    for (setup, answered, we_are_client) in [
        ("actpass", "active", true),
        ("active", "passive", false),
        ("passive", "active", true),
    ] {
        let (mut a, mut b) = pair();
        a.add_track(Audio, "voice", &[]).unwrap();
        let text = local(&mut a, SdpType::Offer);
        let text = edited(&text, "a=setup:actpass", &format!("a=setup:{setup}"));
        b.set_remote_description(SdpType::Offer, &text).unwrap();
        let text = answer(&mut b, &mut a, SdpType::Answer);
        assert_eq!(lines(&text, "a=setup"), [format!("a=setup:{answered}")]);
        let client = |session: &Session| session.transports()[0].peer.as_ref().unwrap().dtls_client;
        assert_eq!((client(&a), client(&b)), (!we_are_client, we_are_client));
        // Whoever offers later, the association stays.
        for _ in 0..2 {
            exchange(&mut b, &mut a);
            assert_eq!((client(&a), client(&b)), (!we_are_client, we_are_client));
            exchange(&mut a, &mut b);
            assert_eq!((client(&a), client(&b)), (!we_are_client, we_are_client));
        }
    }
}

#[test]
fn an_answer_has_decided_who_begins() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    for setup in ["actpass", "holdconn"] {
        let text = edited(&text, "a=setup:active", &format!("a=setup:{setup}"));
        let error = fails(&mut a, |a| a.set_remote_description(SdpType::Answer, &text));
        assert_eq!(error.kind, ErrorKind::InvalidAccess);
    }
}

#[test]
fn a_tls_id_is_answered_with_one_and_stays() {
    let (mut a, mut b) = talking();
    let (first, answered) = exchange(&mut a, &mut b);
    let (second, again) = exchange(&mut a, &mut b);
    let ids = |text: &str| {
        lines(text, "a=tls-id")
            .first()
            .map(|line| (*line).to_owned())
    };
    assert!(ids(&first).is_some() && ids(&answered).is_some());
    assert_ne!(ids(&first), ids(&answered));
    assert_eq!((ids(&first), ids(&answered)), (ids(&second), ids(&again)));
    let text = local(&mut a, SdpType::Offer);
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("a=tls-id"))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    b.set_remote_description(SdpType::Offer, &without).unwrap();
    assert_eq!(ids(&local(&mut b, SdpType::Answer)), None);
}

fn offer_with(fingerprint: &str) -> String {
    let mut a = session(1);
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = local(&mut a, SdpType::Offer);
    let own = lines(&text, "a=fingerprint")[0].to_owned() + "\r\n";
    edited(&text, &own, fingerprint)
}

#[test]
fn fingerprints_stand_in_the_section_or_before_all() {
    let sha256 = format!("a=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
    let sha1 = format!("a=fingerprint:sha-1 {}\r\n", ["CD"; 20].join(":"));
    let md5 = format!("a=fingerprint:md5 {}\r\n", ["EF"; 16].join(":"));
    let heard = |text: &str| -> Vec<u8> {
        let mut b = session(2);
        b.set_remote_description(SdpType::Offer, text).unwrap();
        local(&mut b, SdpType::Answer);
        let peer = b.transports()[0].peer.as_ref().unwrap();
        peer.fingerprints.iter().map(|own| own.value[0]).collect()
    };
    assert_eq!(heard(&offer_with(&sha256)), [0xab]);
    assert_eq!(
        heard(&offer_with(&format!("{sha1}{sha256}{md5}"))),
        [0xcd, 0xab]
    );
    let for_all = edited(&offer_with(""), "t=0 0\r\n", &format!("t=0 0\r\n{sha256}"));
    assert_eq!(heard(&for_all), [0xab]);
    let short = format!("a=fingerprint:sha-256 {}\r\n", ["AB"; 31].join(":"));
    for wrong in ["", &md5, &short] {
        let text = offer_with(wrong);
        let error = fails(&mut session(2), |b| {
            b.set_remote_description(SdpType::Offer, &text)
        });
        assert_eq!(error.kind, ErrorKind::InvalidAccess, "{wrong}");
    }
}

#[test]
fn what_a_transport_needs_is_asked_for() {
    let mut a = session(1);
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = local(&mut a, SdpType::Offer);
    let line = |start: &str| lines(&text, start)[0].to_owned() + "\r\n";
    for (old, new) in [
        (line("a=ice-ufrag"), String::new()),
        (line("a=ice-pwd"), String::new()),
        (line("a=ice-ufrag"), "a=ice-ufrag:a b!\r\n".to_owned()),
        (line("a=ice-ufrag"), "a=ice-ufrag:???????\r\n".to_owned()),
        (line("a=ice-pwd"), "a=ice-pwd:short\r\n".to_owned()),
        (line("a=rtcp-mux"), String::new()),
        (line("a=setup"), "a=setup:holdconn\r\n".to_owned()),
    ] {
        let text = edited(&text, &old, &new);
        let error = fails(&mut session(2), |b| {
            b.set_remote_description(SdpType::Offer, &text)
        });
        let refused = matches!(
            error.kind,
            ErrorKind::InvalidAccess | ErrorKind::Syntax { .. }
        );
        assert!(refused, "{old:?}: {error:?}");
    }
}

#[test]
fn a_lite_peer_is_controlled() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = local(&mut a, SdpType::Offer);
    let text = edited(&text, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    local(&mut b, SdpType::Answer);
    assert!(b.is_controlling());
    assert!(b.transports()[0].peer.as_ref().unwrap().lite);
}

const HOST: &str = "candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host";

fn candidate(
    text: &str,
    mid: Option<&str>,
    index: Option<u16>,
    ufrag: Option<&str>,
) -> CandidateInit {
    CandidateInit {
        candidate: text.to_owned(),
        sdp_mid: mid.map(str::to_owned),
        sdp_m_line_index: index,
        username_fragment: ufrag.map(str::to_owned),
    }
}

#[test]
fn candidates_find_their_transport() {
    let (_, b) = talking();
    let id = b.transports()[0].id;
    let ufrag = ufrags(&b).2;
    for (mid, index, fragment) in [
        (Some("0"), None, None),
        (Some("1"), None, Some(&*ufrag)),
        (None, Some(1), None),
        (Some("0"), Some(7), None),
    ] {
        let mut b = b.clone();
        let init = candidate(HOST, mid, index, fragment);
        let told = b.add_ice_candidate(Some(&init)).unwrap();
        let [(to, RemoteCandidate::Candidate(told))] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!((*to, told.port), (id, 4000));
        let peer = b.transports()[0].peer.as_ref().unwrap();
        assert_eq!(peer.candidates.len(), 1);
        assert_eq!(
            lines(&b.remote_description().unwrap().1, "a=candidate").len(),
            1
        );
    }
}

#[test]
fn candidates_that_cannot_be_are_refused() {
    let (_, mut b) = talking();
    for (init, kind) in [
        (candidate(HOST, None, None, None), ErrorKind::Type),
        (candidate(HOST, Some("7"), None, None), ErrorKind::Operation),
        (candidate(HOST, None, Some(2), None), ErrorKind::Operation),
        (
            candidate(HOST, Some("0"), None, Some("nobody")),
            ErrorKind::Operation,
        ),
        (
            candidate("candidate:1 1 udp", Some("0"), None, None),
            ErrorKind::Operation,
        ),
        (
            candidate(
                "candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=x",
                Some("0"),
                None,
                None,
            ),
            ErrorKind::Operation,
        ),
    ] {
        let error = fails(&mut b, |b| b.add_ice_candidate(Some(&init)));
        assert_eq!(error.kind, kind, "{init:?}");
    }
    let mut early = session(3);
    let init = candidate(HOST, Some("0"), None, None);
    let error = fails(&mut early, |own| own.add_ice_candidate(Some(&init)));
    assert_eq!(error.kind, ErrorKind::InvalidState);
}

#[test]
fn the_end_of_candidates_has_three_forms() {
    let (_, b) = talking();
    let empty = candidate("", None, None, None);
    let of_section = candidate("", Some("0"), None, None);
    for init in [None, Some(&empty), Some(&of_section)] {
        let mut b = b.clone();
        let told = b.add_ice_candidate(init).unwrap();
        assert_eq!(told, [(b.transports()[0].id, RemoteCandidate::End)]);
        assert!(b.transports()[0].peer.as_ref().unwrap().end_of_candidates);
        assert!(
            b.remote_description()
                .unwrap()
                .1
                .contains("a=end-of-candidates")
        );
    }
}

#[test]
fn a_candidate_before_the_answer_waits_in_the_description() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    offer(&mut a, &mut b);
    let init = candidate(HOST, Some("0"), None, None);
    assert_eq!(b.add_ice_candidate(Some(&init)).unwrap(), []);
    local(&mut b, SdpType::Answer);
    let peer = b.transports()[0].peer.as_ref().unwrap();
    assert_eq!(peer.candidates.len(), 1);
}

#[test]
fn candidates_go_by_their_generation() {
    let (mut a, mut b) = talking();
    let old = ufrags(&b).2;
    a.restart_ice();
    offer(&mut a, &mut b);
    let new = a.transports()[0].local.ufrag.clone();
    let id = b.transports()[0].id;
    let of_old = candidate(HOST, Some("0"), None, Some(&old));
    let told = b.add_ice_candidate(Some(&of_old)).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, id);
    let of_new = candidate(&HOST.replace("4000", "5000"), Some("0"), None, Some(&new));
    assert_eq!(b.add_ice_candidate(Some(&of_new)).unwrap(), []);
    // Without a fragment it is of the description that was set last.
    let of_last = candidate(&HOST.replace("4000", "6000"), Some("0"), None, None);
    assert_eq!(b.add_ice_candidate(Some(&of_last)).unwrap(), []);
    answer(&mut b, &mut a, SdpType::Answer);
    let peer = b.transports()[0].peer.as_ref().unwrap();
    let ports: Vec<_> = peer.candidates.iter().map(|own| own.port).collect();
    assert_eq!(ports, [5000, 6000]);
    let error = fails(&mut b, |b| b.add_ice_candidate(Some(&of_old)));
    assert_eq!(
        error.kind,
        ErrorKind::Operation,
        "of a generation that is over"
    );
}

#[test]
fn local_candidates_show_in_descriptions() {
    let (mut a, mut b) = talking();
    let (id, ufrag) = (a.transports()[0].id, a.transports()[0].local.ufrag.clone());
    a.add_local_candidate(id, &ufrag, HOST.parse().unwrap());
    a.add_local_candidate(id, &ufrag, HOST.parse().unwrap());
    a.end_local_candidates(id, &ufrag);
    let (_, text) = a.local_description().unwrap();
    assert_eq!(
        lines(&text, "a=candidate").len(),
        1,
        "each once, in the first section"
    );
    assert_eq!(lines(&text, "a=end-of-candidates").len(), 1);
    assert_eq!(lines(&text, "m=")[0].split(' ').nth(1), Some("4000"));
    assert_eq!(lines(&text, "c=")[0], "c=IN IP4 192.0.2.1");
    // And in the offers that follow, which can be set as they are.
    let offer_text = a.create_offer(OfferOptions::default()).unwrap();
    a.set_local_description(Some((SdpType::Offer, &offer_text)))
        .unwrap();
    let (_, text) = a.local_description().unwrap();
    assert_eq!(lines(&text, "a=candidate").len(), 1);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(b.transports()[0].peer.as_ref().unwrap().candidates.len(), 1);
    a.restart_ice();
    exchange(&mut a, &mut b);
    let (_, text) = a.local_description().unwrap();
    assert_eq!(
        lines(&text, "a=candidate").len(),
        0,
        "of another generation"
    );
    assert!(
        b.transports()[0]
            .peer
            .as_ref()
            .unwrap()
            .candidates
            .is_empty()
    );
}

#[test]
fn a_peer_says_whether_it_trickles() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    assert_eq!(b.can_trickle_ice_candidates(), None);
    let text = local(&mut a, SdpType::Offer);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    assert_eq!(b.can_trickle_ice_candidates(), Some(true));
    let mut c = session(3);
    let text = edited(&text, "a=ice-options:trickle renomination\r\n", "");
    c.set_remote_description(SdpType::Offer, &text).unwrap();
    assert_eq!(c.can_trickle_ice_candidates(), Some(false));
    assert_eq!(c.signaling_state(), SignalingState::HaveRemoteOffer);
}

/// draft-thatcher-ice-renomination §3: offered always, answered where it was offered.
#[test]
fn renomination_takes_both_sides() {
    for offered in [true, false] {
        let (mut a, mut b) = pair();
        a.add_track(Audio, "voice", &[]).unwrap();
        let mut offer = local(&mut a, SdpType::Offer);
        assert!(offer.contains("a=ice-options:trickle renomination\r\n"));
        if !offered {
            offer = edited(&offer, " renomination\r\n", "\r\n");
        }
        b.set_remote_description(SdpType::Offer, &offer).unwrap();
        let answer = local(&mut b, SdpType::Answer);
        assert_eq!(answer.contains("renomination"), offered);
        a.set_remote_description(SdpType::Answer, &answer).unwrap();
        for side in [&a, &b] {
            let peer = side.transports()[0].peer.as_ref().unwrap();
            assert_eq!(peer.renomination, offered);
        }
    }
}

/// RFC 8445 §6.1.1, RFC 8839 §5.3: who offers controls, unless one side is lite, which is controlled.
#[test]
fn a_lite_side_is_controlled() {
    for (lite, controlling) in [
        ([false, false], [true, false]),
        ([true, false], [false, true]),
        ([false, true], [true, false]),
        ([true, true], [true, false]),
    ] {
        let make = |side: usize| {
            let mut config = config(side as u8 + 1);
            config.ice_lite = lite[side];
            Session::new(config)
        };
        let (mut a, mut b) = (make(0), make(1));
        a.add_track(Audio, "voice", &[]).unwrap();
        let offer = local(&mut a, SdpType::Offer);
        assert_eq!(offer.contains("a=ice-lite\r\n"), lite[0]);
        b.set_remote_description(SdpType::Offer, &offer).unwrap();
        let answer = local(&mut b, SdpType::Answer);
        assert_eq!(answer.contains("a=ice-lite\r\n"), lite[1]);
        a.set_remote_description(SdpType::Answer, &answer).unwrap();
        assert_eq!([a.is_controlling(), b.is_controlling()], controlling);
        for (side, theirs) in [(&a, lite[1]), (&b, lite[0])] {
            let peer = side.transports()[0].peer.as_ref().unwrap();
            assert_eq!(peer.lite, theirs);
        }
    }
}

/// RFC 8445 §5.3: at least 24 bits of a user fragment and 128 of a password are random, whatever the
/// prefix, and a restart keeps that.
#[test]
fn user_fragments_begin_with_the_prefix() {
    let prefix = UfragPrefix::new("eu1+").unwrap();
    let mut seen = std::collections::HashSet::new();
    for seed in 0..100 {
        let mut config = config(seed);
        config.ufrag_prefix = prefix.clone();
        let mut a = Session::new(config);
        a.add_track(Audio, "voice", &[]).unwrap();
        for _ in 0..2 {
            local(&mut a, SdpType::Offer);
            let own = a.transports()[0].local.clone();
            let random = own.ufrag.strip_prefix(prefix.as_str()).unwrap();
            assert!(random.len() * 6 >= 24 && own.pwd.len() * 6 >= 128);
            assert!(seen.insert(random.to_owned()), "{random} comes twice");
            a.set_local_description(Some((SdpType::Rollback, "")))
                .unwrap();
        }
    }
}
