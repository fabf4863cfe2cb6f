//! Tracks, directions and streams.

use pc_jsep::{ErrorKind, Event, SdpType, SignalingState, TransceiverDirection as Direction};

use crate::support::*;

#[test]
fn audio_and_video_go_both_ways() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "a-voice", &streams(&["s"])).unwrap();
    a.add_track(Video, "a-face", &streams(&["s"])).unwrap();
    b.add_track(Audio, "b-voice", &[]).unwrap();
    b.add_track(Video, "b-face", &streams(&["t", "u"])).unwrap();
    let (offer, answer) = exchange(&mut a, &mut b);
    for text in [&offer, &answer] {
        assert_eq!(parse(text).media.len(), 2);
        assert_eq!(lines(text, "a=group"), ["a=group:BUNDLE 0 1"]);
    }
    let both = |mid: &str| (Some(mid.to_owned()), "sendrecv", Some("sendrecv"));
    assert_eq!(table(&a), [both("0"), both("1")]);
    assert_eq!(table(&b), [both("0"), both("1")], "addTrack's are taken");
    assert_eq!(
        lines(&offer, "a=msid:"),
        ["a=msid:s a-voice", "a=msid:s a-face"]
    );
    assert_eq!(
        lines(&answer, "a=msid:"),
        ["a=msid:- b-voice", "a=msid:t b-face", "a=msid:u b-face"]
    );
    let heard = |session: &pc_jsep::Session, index| {
        let own = session.transceivers().nth(index).unwrap();
        own.receiver_streams().to_vec()
    };
    assert_eq!(heard(&b, 0), ["s"]);
    assert!(heard(&a, 0).is_empty());
    assert_eq!(heard(&a, 1), ["t", "u"]);
}

#[test]
fn a_transceiver_of_the_peers_only_receives_until_it_is_told_otherwise() {
    let (mut a, mut b) = pair();
    a.add_track(Video, "face", &[]).unwrap();
    exchange(&mut a, &mut b);
    let row = |wanted, current| [(Some("0".to_owned()), wanted, Some(current))];
    assert_eq!(table(&a), row("sendrecv", "sendonly"));
    assert_eq!(table(&b), row("recvonly", "recvonly"));
    let id = b.add_track(Video, "other", &[]).unwrap();
    assert_eq!(id, only(&b), "a sender that has never sent is taken");
    assert_eq!(table(&b), row("sendrecv", "recvonly"));
    exchange(&mut b, &mut a);
    assert_eq!(table(&a), row("sendrecv", "sendrecv"));
    assert_eq!(table(&b), row("sendrecv", "sendrecv"));
}

#[test]
fn every_direction_meets_every_other() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for offered in [SendRecv, SendOnly, RecvOnly, Inactive] {
        for wanted in [SendRecv, SendOnly, RecvOnly, Inactive] {
            let (mut a, mut b) = pair();
            add(&mut a, Audio, offered);
            offer(&mut a, &mut b);
            b.set_direction(only(&b), wanted).unwrap();
            answer(&mut b, &mut a, SdpType::Answer);
            let sends = wanted.sends() && offered.receives();
            let receives = wanted.receives() && offered.sends();
            let own = a.transceiver(only(&a)).unwrap();
            assert_eq!(
                own.current_direction(),
                Some(Direction::new(receives, sends))
            );
            let own = b.transceiver(only(&b)).unwrap();
            assert_eq!(
                own.current_direction(),
                Some(Direction::new(sends, receives))
            );
            assert_eq!(own.direction(), wanted);
        }
    }
}

#[test]
fn a_sender_that_has_sent_is_not_taken_for_another_track() {
    let (mut a, mut b) = pair();
    let first = a.add_track(Audio, "one", &[]).unwrap();
    exchange(&mut a, &mut b);
    a.remove_track(first).unwrap();
    assert_eq!(
        a.transceiver(first).unwrap().direction(),
        Direction::RecvOnly
    );
    assert_eq!(a.transceiver(first).unwrap().sender_track(), None);
    let second = a.add_track(Audio, "two", &[]).unwrap();
    assert_ne!(first, second);
    // Nothing is left to be removed.
    a.remove_track(first).unwrap();
    exchange(&mut a, &mut b);
    let current = |id| a.transceiver(id).unwrap().current_direction();
    assert_eq!(current(first), Some(Direction::Inactive));
    assert_eq!(current(second), Some(Direction::SendOnly));
}

#[test]
fn a_track_has_one_sender() {
    let (mut a, _) = pair();
    a.add_track(Audio, "one", &[]).unwrap();
    let error = fails(&mut a, |a| a.add_track(Audio, "one", &[]));
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
    let free = add(&mut a, Audio, Direction::RecvOnly);
    assert_eq!(a.add_track(Audio, "two", &[]).unwrap(), free);
    assert_eq!(
        a.transceiver(free).unwrap().direction(),
        Direction::SendRecv
    );
    let free = add(&mut a, Video, Direction::Inactive);
    assert_eq!(a.add_track(Video, "three", &[]).unwrap(), free);
    assert_eq!(
        a.transceiver(free).unwrap().direction(),
        Direction::SendOnly
    );
}

#[test]
fn a_transceiver_of_add_transceiver_waits_for_its_own_section() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendRecv);
    add(&mut b, Audio, Direction::SendRecv);
    exchange(&mut a, &mut b);
    let mids: Vec<_> = b
        .transceivers()
        .map(|own| own.mid().map(str::to_owned))
        .collect();
    assert_eq!(mids, [None, Some("0".to_owned())]);
    exchange(&mut b, &mut a);
    assert_eq!(a.transceivers().count(), 2);
    assert_eq!(b.transceivers().next().unwrap().mid(), Some("1"));
}

#[test]
fn a_section_that_only_sends_takes_no_waiting_track() {
    let (mut a, mut b) = pair();
    add(&mut a, Audio, Direction::SendOnly);
    b.add_track(Audio, "voice", &[]).unwrap();
    offer(&mut a, &mut b);
    assert_eq!(b.transceivers().count(), 2);
    assert_eq!(b.transceivers().next().unwrap().mid(), None);
}

#[test]
fn an_ended_transceiver_leaves_its_section_to_another() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    exchange(&mut a, &mut b);
    events(&mut b);
    a.stop(voice).unwrap();
    assert_eq!(
        a.transceiver(voice).unwrap().direction(),
        Direction::Stopped
    );
    assert!(!a.transceiver(voice).unwrap().is_stopped());
    let of_peer = nth(&b, 0);
    let offer_text = offer(&mut a, &mut b);
    assert_eq!(
        lines(&offer_text, "m=")[0],
        "m=audio 0 UDP/TLS/RTP/SAVPF 111"
    );
    assert_eq!(lines(&offer_text, "a=group"), ["a=group:BUNDLE 1"]);
    assert!(b.transceiver(of_peer).unwrap().is_stopped());
    assert_eq!(
        events(&mut b),
        [
            Event::SignalingStateChange(SignalingState::HaveRemoteOffer),
            Event::TrackMuted(of_peer),
            Event::TrackEnded(of_peer),
        ]
    );
    answer(&mut b, &mut a, SdpType::Answer);
    assert!(a.transceiver(voice).is_none());
    assert_eq!((a.transceivers().count(), b.transceivers().count()), (1, 1));
    assert_eq!(bundles(&a), [["1"]]);
    // The place is taken by the next, whatever its kind, under another mid.
    let other = a.add_track(Video, "other", &[]).unwrap();
    let (offer_text, answer_text) = exchange(&mut a, &mut b);
    for text in [&offer_text, &answer_text] {
        let sdp = parse(text);
        assert_eq!(sdp.media.len(), 2);
        assert_eq!(sdp.media[0].mid().unwrap(), "2");
        assert!(!sdp.media[0].is_rejected());
    }
    assert_eq!(a.transceiver(other).unwrap().mid(), Some("2"));
    assert_eq!(bundles(&a), bundles(&b));
    assert_eq!(bundles(&a), [["2", "1"]]);
}

#[test]
fn a_transceiver_that_stops_before_it_is_described_is_forgotten() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    a.stop(voice).unwrap();
    let (offer, _) = exchange(&mut a, &mut b);
    assert_eq!(parse(&offer).media.len(), 1);
    assert!(a.transceiver(voice).is_none());
    assert!(!needs(&mut a));
}

#[test]
fn the_answerers_stop_rejects_the_section() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    exchange(&mut a, &mut b);
    b.stop(nth(&b, 0)).unwrap();
    events(&mut a);
    let of_a = nth(&a, 0);
    let (_, answer) = exchange(&mut a, &mut b);
    assert!(parse(&answer).media[0].is_rejected());
    assert_eq!((a.transceivers().count(), b.transceivers().count()), (1, 1));
    assert_eq!(events(&mut a).last(), Some(&Event::TrackEnded(of_a)));
    assert_eq!(
        (bundles(&a), bundles(&b)),
        (vec![vec!["1".to_owned()]], vec![vec!["1".to_owned()]])
    );
    let [own] = a.transports() else {
        panic!("one transport")
    };
    let [theirs] = b.transports() else {
        panic!("one transport")
    };
    assert_eq!(own.peer.as_ref().unwrap().remote, theirs.local);
}

#[test]
fn streams_come_and_go_with_events_in_order() {
    let (mut a, mut b) = pair();
    let voice = a.add_track(Audio, "voice", &streams(&["s", "t"])).unwrap();
    offer(&mut a, &mut b);
    let id = only(&b);
    let added = |stream: &str| Event::TrackAdded {
        transceiver: id,
        stream: stream.to_owned(),
    };
    let removed = |stream: &str| Event::TrackRemoved {
        transceiver: id,
        stream: stream.to_owned(),
    };
    let track = |names: &[&str]| Event::Track {
        transceiver: id,
        streams: streams(names),
    };
    let state = Event::SignalingStateChange;
    assert_eq!(
        events(&mut b),
        [
            state(SignalingState::HaveRemoteOffer),
            added("s"),
            added("t"),
            track(&["s", "t"]),
        ]
    );
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(events(&mut b), [state(SignalingState::Stable)]);
    a.set_streams(voice, &streams(&["t", "u"])).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(
        events(&mut b),
        [
            state(SignalingState::HaveRemoteOffer),
            removed("s"),
            added("u"),
            track(&["t", "u"]),
            state(SignalingState::Stable),
        ]
    );
    a.remove_track(voice).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(
        events(&mut b),
        [
            state(SignalingState::HaveRemoteOffer),
            Event::TrackMuted(id),
            removed("t"),
            removed("u"),
            state(SignalingState::Stable),
        ]
    );
}

#[test]
fn an_answer_brings_tracks_after_the_state() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "voice", &[]).unwrap();
    offer(&mut a, &mut b);
    b.add_track(Audio, "other", &streams(&["s"])).unwrap();
    events(&mut a);
    answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(
        events(&mut a),
        [
            Event::SignalingStateChange(SignalingState::Stable),
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
}

#[test]
fn a_peer_that_says_no_msid_or_no_stream_has_tracks_all_the_same() {
    for line in ["a=msid:- x\r\n", "a=msid:-\r\n", ""] {
        let (mut a, mut b) = pair();
        a.add_track(Audio, "voice", &streams(&["s"])).unwrap();
        let text = local(&mut a, SdpType::Offer);
        let text = edited(&text, "a=msid:s voice\r\n", line);
        b.set_remote_description(SdpType::Offer, &text).unwrap();
        let id = only(&b);
        assert_eq!(
            events(&mut b)[1..],
            [Event::Track {
                transceiver: id,
                streams: Vec::new()
            }]
        );
    }
}

#[test]
fn a_closed_session_takes_nothing() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "voice", &[]).unwrap();
    exchange(&mut a, &mut b);
    events(&mut a);
    a.close();
    assert_eq!(a.signaling_state(), SignalingState::Closed);
    assert_eq!(events(&mut a), []);
    let kind = |result: Result<(), pc_jsep::Error>| result.unwrap_err().kind;
    let state = ErrorKind::InvalidState;
    assert_eq!(kind(a.add_track(Audio, "x", &[]).map(drop)), state);
    assert_eq!(kind(a.create_offer(Default::default()).map(drop)), state);
    assert_eq!(kind(a.set_local_description(None)), state);
    assert_eq!(kind(a.set_remote_description(SdpType::Offer, "")), state);
    assert_eq!(kind(a.add_ice_candidate(None).map(drop)), state);
    assert_eq!(kind(a.stop(id)), state);
    a.update_negotiation_needed();
    assert_eq!(events(&mut a), []);
}
