//! Rollback and provisional answers (RFC 9429 §4.1.10.2, WebRTC §4.4.1.5).

use pc_jsep::{
    ErrorKind, Event, SdpType, Session, SignalingState as State, TransceiverDirection as Direction,
};

use crate::support::*;

fn roll_back(session: &mut Session, local: bool) -> Result<(), pc_jsep::Error> {
    match local {
        true => session.set_local_description(Some((SdpType::Rollback, ""))),
        false => session.set_remote_description(SdpType::Rollback, ""),
    }
}

#[test]
fn a_rollback_fits_where_an_offer_waits_and_nowhere_else() {
    let in_state = |state: State| {
        let (mut a, mut b) = pair();
        a.add_track(Audio, "voice", &[]).unwrap();
        match state {
            State::HaveLocalOffer => drop(local(&mut a, SdpType::Offer)),
            State::HaveRemoteOffer => drop(offer(&mut b, &mut a)),
            State::HaveLocalPranswer => {
                offer(&mut b, &mut a);
                local(&mut a, SdpType::Pranswer);
            }
            State::HaveRemotePranswer => {
                offer(&mut a, &mut b);
                answer(&mut b, &mut a, SdpType::Pranswer);
            }
            _ => {}
        }
        assert_eq!(a.signaling_state(), state);
        a
    };
    for by_local in [true, false] {
        for state in [
            State::Stable,
            State::HaveLocalPranswer,
            State::HaveRemotePranswer,
        ] {
            let error = fails(&mut in_state(state), |own| roll_back(own, by_local));
            assert_eq!(error.kind, ErrorKind::InvalidState, "{state}");
        }
        for state in [State::HaveLocalOffer, State::HaveRemoteOffer] {
            let mut own = in_state(state);
            events(&mut own);
            roll_back(&mut own, by_local).unwrap();
            assert_eq!(
                events(&mut own),
                [Event::SignalingStateChange(State::Stable)]
            );
            assert_eq!(own.local_description(), None);
            assert_eq!(own.remote_description(), None);
            assert!(own.transports().is_empty() && own.data().is_none());
        }
    }
}

#[test]
fn a_local_offer_taken_back_leaves_transceivers_without_mids() {
    let (mut a, _) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    assert!(needs(&mut a));
    local(&mut a, SdpType::Offer);
    assert!(a.transceivers().all(|own| own.mid().is_some()));
    assert!(!needs(&mut a), "not while an offer waits");
    roll_back(&mut a, true).unwrap();
    assert!(a.transceivers().all(|own| own.mid().is_none()));
    assert_eq!(a.transceivers().count(), 1);
    assert!(needs(&mut a), "told again");
}

#[test]
fn a_remote_offer_taken_back_takes_its_transceivers_along() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &streams(&["s"])).unwrap();
    a.add_track(Video, "face", &streams(&["s"])).unwrap();
    b.add_track(Audio, "waits", &[]).unwrap();
    let waits = only(&b);
    offer(&mut a, &mut b);
    let of_offer = nth(&b, 1);
    assert_eq!(b.transceiver(waits).unwrap().mid(), Some("0"));
    events(&mut b);
    roll_back(&mut b, false).unwrap();
    assert_eq!(only(&b), waits);
    assert_eq!(b.transceiver(waits).unwrap().mid(), None);
    let removed = |transceiver| Event::TrackRemoved {
        transceiver,
        stream: "s".to_owned(),
    };
    assert_eq!(
        events(&mut b),
        [
            Event::SignalingStateChange(State::Stable),
            Event::TrackMuted(waits),
            Event::TrackMuted(of_offer),
            removed(waits),
            removed(of_offer),
            Event::TrackEnded(of_offer),
        ]
    );
}

#[test]
fn a_transceiver_that_add_track_has_taken_stays() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = offer(&mut a, &mut b);
    let id = b.add_track(Audio, "mine", &[]).unwrap();
    assert_eq!(id, only(&b));
    roll_back(&mut b, true).unwrap();
    let own = b.transceiver(id).unwrap();
    assert_eq!((own.mid(), own.direction()), (None, Direction::SendRecv));
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    assert_eq!(b.transceiver(only(&b)).unwrap().mid(), Some("0"));
}

#[test]
fn what_the_application_has_done_since_stays() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "voice", &streams(&["s"])).unwrap();
    exchange(&mut a, &mut b);
    a.set_direction(id, Direction::Inactive).unwrap();
    local(&mut a, SdpType::Offer);
    a.set_streams(id, &streams(&["t"])).unwrap();
    let later = a.add_track(Video, "face", &[]).unwrap();
    roll_back(&mut a, true).unwrap();
    let own = a.transceiver(id).unwrap();
    assert_eq!(
        (own.mid(), own.direction()),
        (Some("0"), Direction::Inactive)
    );
    assert_eq!(own.current_direction(), Some(Direction::SendOnly));
    assert_eq!(own.sender_streams(), ["t"]);
    assert_eq!(a.transceiver(later).unwrap().mid(), None);
}

#[test]
fn streams_come_back_with_their_events() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &streams(&["s"])).unwrap();
    exchange(&mut a, &mut b);
    let id = only(&b);
    a.set_direction(voice, Direction::Inactive).unwrap();
    offer(&mut a, &mut b);
    events(&mut b);
    roll_back(&mut b, true).unwrap();
    assert_eq!(
        events(&mut b),
        [
            Event::SignalingStateChange(State::Stable),
            Event::TrackAdded {
                transceiver: id,
                stream: "s".to_owned()
            },
            Event::Track {
                transceiver: id,
                streams: streams(&["s"])
            },
        ]
    );
    assert_eq!(b.transceiver(id).unwrap().receiver_streams(), ["s"]);
}

#[test]
fn an_offer_in_have_local_offer_takes_ours_back() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "a", &[]).unwrap();
    b.add_track(Video, "b", &[]).unwrap();
    local(&mut b, SdpType::Offer);
    events(&mut b);
    offer(&mut a, &mut b);
    let states: Vec<_> = events(&mut b)
        .into_iter()
        .filter_map(|event| match event {
            Event::SignalingStateChange(state) => Some(state),
            _ => None,
        })
        .collect();
    assert_eq!(states, [State::Stable, State::HaveRemoteOffer]);
    assert_eq!(b.pending_local_description(), None);
    answer(&mut b, &mut a, SdpType::Answer);
    assert!(needs(&mut b), "its own is still to be offered");
    exchange(&mut b, &mut a);
    assert_eq!(table(&a).len(), 2);
    assert!(!needs(&mut a) && !needs(&mut b));
}

#[test]
fn a_bad_offer_does_not_take_ours_back() {
    let (mut a, _) = pair();
    a.add_track(Audio, "a", &[]).unwrap();
    local(&mut a, SdpType::Offer);
    for text in [
        "",
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
    ] {
        fails(&mut a, |a| a.set_remote_description(SdpType::Offer, text));
    }
    assert_eq!(a.signaling_state(), State::HaveLocalOffer);
}

#[test]
fn a_transceiver_that_a_withdrawn_offer_stopped_stays_stopped() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    exchange(&mut a, &mut b);
    a.stop(voice).unwrap();
    offer(&mut a, &mut b);
    roll_back(&mut b, false).unwrap();
    assert!(b.transceiver(only(&b)).unwrap().is_stopped());
    assert!(needs(&mut b), "its section is to be rejected");
    roll_back(&mut a, true).unwrap();
    let (text, _) = exchange(&mut b, &mut a);
    assert!(parse(&text).media[0].is_rejected());
    assert_eq!((a.transceivers().count(), b.transceivers().count()), (0, 0));
    assert!(!needs(&mut a) && !needs(&mut b));
}

#[test]
fn a_remote_offer_that_replaces_another_needs_not_be_like_it() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Audio, "other", &[]).unwrap();
    offer(&mut a, &mut b);
    let mut c = session(3);
    c.add_track(Video, "face", &[]).unwrap();
    let text = local(&mut c, SdpType::Offer);
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    let own = b.transceiver(only(&b)).unwrap();
    assert_eq!((own.kind(), own.mid()), (Video, Some("0")));
    let (_, text) = {
        local(&mut b, SdpType::Answer);
        b.local_description().unwrap()
    };
    c.set_remote_description(SdpType::Answer, &text).unwrap();
    assert_eq!(c.signaling_state(), State::Stable);
}

#[test]
fn an_offer_may_be_replaced_by_another_of_ours() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let first = local(&mut a, SdpType::Offer);
    a.add_track(Video, "face", &[]).unwrap();
    let second = local(&mut a, SdpType::Offer);
    assert_eq!(
        (parse(&first).media.len(), parse(&second).media.len()),
        (1, 2)
    );
    assert_eq!(
        lines(&first, "a=ice-ufrag")[0],
        lines(&second, "a=ice-ufrag")[0]
    );
    b.set_remote_description(SdpType::Offer, &second).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    // Taking it back goes to the stable state, not to the first offer.
    local(&mut a, SdpType::Offer);
    local(&mut a, SdpType::Offer);
    roll_back(&mut a, true).unwrap();
    assert_eq!(a.signaling_state(), State::Stable);
    assert_eq!(bundles(&a), bundles(&b));
}

#[test]
fn a_provisional_answer_may_be_followed_by_another_content() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &streams(&["s"])).unwrap();
    a.add_track(Video, "face", &streams(&["s"])).unwrap();
    offer(&mut a, &mut b);
    let voice = nth(&b, 0);
    b.set_direction(voice, Direction::Inactive).unwrap();
    answer(&mut b, &mut a, SdpType::Pranswer);
    assert_eq!(a.signaling_state(), State::HaveRemotePranswer);
    assert_eq!(b.signaling_state(), State::HaveLocalPranswer);
    assert_eq!(b.pending_local_description().unwrap().0, SdpType::Pranswer);
    assert_eq!(b.current_local_description(), None);
    assert_eq!(table(&a)[0].2, Some("inactive"));
    let peer = a.transports()[0]
        .peer
        .clone()
        .expect("the transport can begin");
    answer(&mut b, &mut a, SdpType::Pranswer);
    events(&mut b);
    b.set_direction(voice, Direction::SendRecv).unwrap();
    b.replace_track(voice, Some("mine")).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(table(&a)[0].2, Some("sendrecv"));
    assert_eq!(table(&b)[0].2, Some("sendrecv"));
    assert_eq!(a.transports()[0].peer.as_ref(), Some(&peer), "and goes on");
    assert!(events(&mut b).contains(&Event::Track {
        transceiver: voice,
        streams: streams(&["s"])
    }));
    assert_eq!(a.pending_remote_description(), None);
    assert_eq!(a.current_remote_description().unwrap().0, SdpType::Answer);
}

#[test]
fn the_final_answer_decides_about_transports_anew() {
    let (mut a, mut b) = (with_policy(1, pc_jsep::BundlePolicy::MaxCompat), session(2));
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    offer(&mut a, &mut b);
    let offered = a.transports().to_vec();
    let text = local(&mut b, SdpType::Pranswer);
    a.set_remote_description(SdpType::Pranswer, &text).unwrap();
    assert_eq!(bundles(&a)[0], ["0", "1"]);
    let text = edited(&text, "a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    assert_eq!(bundles(&a), [["0"], ["1"]]);
    let locals = |plans: &[pc_jsep::TransportPlan]| -> Vec<_> {
        plans
            .iter()
            .map(|plan| (plan.id, plan.local.clone()))
            .collect()
    };
    assert_eq!(locals(a.transports()), locals(&offered));
}

#[test]
fn nothing_but_answers_follows_a_provisional_one() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = offer(&mut a, &mut b);
    answer(&mut b, &mut a, SdpType::Pranswer);
    let state = ErrorKind::InvalidState;
    for own in [&mut a, &mut b] {
        assert_eq!(
            fails(own, |own| own.create_offer(Default::default())).kind,
            state
        );
        let error = fails(own, |own| {
            own.set_local_description(Some((SdpType::Offer, "")))
        });
        assert_eq!(error.kind, state);
        let error = fails(own, |own| own.set_remote_description(SdpType::Offer, &text));
        assert_eq!(error.kind, state);
    }
    assert_eq!(fails(&mut a, Session::create_answer).kind, state);
    b.create_answer().unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
}

#[test]
fn without_an_argument_the_state_says_what_is_set() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.set_local_description(None).unwrap();
    let (kind, text) = a.local_description().unwrap();
    assert_eq!(kind, SdpType::Offer);
    b.set_remote_description(kind, &text).unwrap();
    b.set_local_description(Some((SdpType::Pranswer, "")))
        .unwrap();
    b.set_local_description(None).unwrap();
    let (kind, text) = b.local_description().unwrap();
    assert_eq!(kind, SdpType::Answer);
    a.set_remote_description(kind, &text).unwrap();
}

#[test]
fn only_what_was_created_last_can_be_set() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let first = a.create_offer(Default::default()).unwrap();
    let second = a.create_offer(Default::default()).unwrap();
    assert_ne!(first, second, "the version has changed");
    let wrong = ErrorKind::InvalidModification;
    for text in [
        first.as_str(),
        &edited(&second, "voice", "noise"),
        "v=0\r\n",
    ] {
        let error = fails(&mut a, |a| {
            a.set_local_description(Some((SdpType::Offer, text)))
        });
        assert_eq!(error.kind, wrong);
    }
    a.set_local_description(Some((SdpType::Offer, &second)))
        .unwrap();
    b.set_remote_description(SdpType::Offer, &second).unwrap();
    let answer = b.create_answer().unwrap();
    let other = edited(&answer, "a=recvonly", "a=inactive");
    let error = fails(&mut b, |b| {
        b.set_local_description(Some((SdpType::Answer, &other)))
    });
    assert_eq!(error.kind, wrong);
    b.set_local_description(Some((SdpType::Pranswer, &answer)))
        .unwrap();
    b.set_local_description(Some((SdpType::Answer, &answer)))
        .unwrap();
}

#[test]
fn an_offer_from_before_another_exchange_does_not_fit() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    let old = a.create_offer(Default::default()).unwrap();
    b.add_track(Video, "face", &[]).unwrap();
    exchange(&mut b, &mut a);
    let error = fails(&mut a, |a| {
        a.set_local_description(Some((SdpType::Offer, &old)))
    });
    assert_eq!(error.kind, ErrorKind::InvalidModification);
}

#[test]
fn a_section_that_only_a_replaced_offer_rejects_is_not_recycled() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    exchange(&mut a, &mut b);
    // The peer stops it, and its offer is taken back: stopped here, and alive in the descriptions.
    a.stop(voice).unwrap();
    offer(&mut a, &mut b);
    roll_back(&mut b, true).unwrap();
    roll_back(&mut a, true).unwrap();
    let first = local(&mut b, SdpType::Offer);
    b.add_track(Audio, "other", &[]).unwrap();
    let second = local(&mut b, SdpType::Offer);
    for text in [&first, &second] {
        assert!(parse(text).media[0].is_rejected());
        assert_eq!(parse(text).media[0].mid().unwrap(), "0");
    }
    a.set_remote_description(SdpType::Offer, &second).unwrap();
    answer(&mut a, &mut b, SdpType::Answer);
    // Now that both have seen it go, the place is free.
    b.add_track(Video, "face", &[]).unwrap();
    let (text, _) = exchange(&mut b, &mut a);
    assert_eq!(parse(&text).media.len(), 2);
    assert_eq!(parse(&text).media[0].mid().unwrap(), "2");
}
