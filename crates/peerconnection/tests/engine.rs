//! The whole stack as two values on a simulated network.

mod common;

use std::time::Instant;

use common::{A, B, Call, bad, digest, good, is_open, ufrag};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::{for_each_seed, ms, secs};
use peerconnection::{
    DataChannelInit, Error, RtcErrorDetail, SessionDescription,
    engine::{Connection, Event, Message},
    state::*,
};

/// The names of what happened, in order; candidates and paths left out.
fn story(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::IceCandidate(Some(candidate)) if candidate.candidate.is_empty() => {
            Some("end of candidates".to_owned())
        }
        Event::IceCandidate(Some(_)) => Some("candidate".to_owned()),
        Event::IceCandidate(None) => Some("gathered".to_owned()),
        Event::SignalingStateChange(state) => Some(format!("signaling {state}")),
        Event::IceGatheringStateChange(state) => Some(format!("gathering {state}")),
        Event::IceConnectionStateChange(state) => Some(format!("ice {state}")),
        Event::DtlsTransportStateChange(_, state) => Some(format!("dtls {state}")),
        Event::SctpStateChange(state) => Some(format!("sctp {state}")),
        Event::ConnectionStateChange(state) => Some(format!("connection {state}")),
        Event::PathAuthenticated(_) | Event::PathConfirmed(_) | Event::PathForgotten(_) => None,
        Event::IceTransportStateChange(..)
        | Event::IceTransportGatheringStateChange(..)
        | Event::SelectedCandidatePairChange(_) => None,
        Event::DataChannel(_) => Some("datachannel".to_owned()),
        Event::ChannelOpen(_) => Some("open".to_owned()),
        Event::ChannelReadable(_) => Some("readable".to_owned()),
        other => Some(format!("{other:?}")),
    };
    events.iter().filter_map(name).collect()
}

#[test]
fn events_come_in_the_order_of_the_specification() {
    let mut call = Call::new(1, good());
    let chat = call.channel(A, "chat");
    call.net[A].engine.update_negotiation_needed();
    let (call, ..) = {
        call.negotiate().unwrap();
        call.run(|net| is_open(net, A) && is_open(net, B));
        call.send(A, chat, "hello");
        call.run(|net| !net[B].received.is_empty());
        (call, chat)
    };
    assert_eq!(call.net[B].texts(), ["hello"]);
    let caller = story(&call.net[A].events);
    let without_completed = |story: Vec<String>| {
        story
            .into_iter()
            .filter(|it| it != "ice completed")
            .collect::<Vec<_>>()
    };
    assert_eq!(
        without_completed(caller),
        [
            "NegotiationNeeded",
            "signaling have-local-offer",
            "gathering gathering",
            "candidate",
            "end of candidates",
            "gathering complete",
            "gathered",
            "signaling stable",
            "ice checking",
            "connection connecting",
            "ice connected",
            "dtls connecting",
            "dtls connected",
            "connection connected",
            "sctp connected",
            "open",
            "ChannelBufferedAmountLow(ChannelId(0))",
        ]
    );
    let callee = story(&call.net[B].events);
    assert_eq!(
        without_completed(callee),
        [
            "signaling have-remote-offer",
            "signaling stable",
            "gathering gathering",
            "candidate",
            "end of candidates",
            "gathering complete",
            "gathered",
            "ice checking",
            "connection connecting",
            "ice connected",
            "dtls connecting",
            "dtls connected",
            "connection connected",
            "sctp connected",
            "datachannel",
            "open",
            "readable",
        ]
    );
}

#[test]
fn every_message_arrives_once_and_in_order_over_a_bad_network() {
    for_each_seed(60, |seed| {
        let (mut call, chat, back) = Call::open(seed, bad());
        let sent: Vec<String> = (0..40)
            .map(|n| format!("{n} {}", "x".repeat(n * 97)))
            .collect();
        for text in &sent {
            call.send(A, chat, text);
            call.send(B, back, text);
        }
        call.run(|net| net[A].received.len() == 40 && net[B].received.len() == 40);
        call.run_for(secs(5));
        assert_eq!(call.net[A].texts(), sent);
        assert_eq!(call.net[B].texts(), sent);
    });
}

#[test]
fn a_lazy_driver_loses_nothing() {
    for_each_seed(40, |seed| {
        let (mut call, chat, _) = Call::new(seed, bad()).lazily().opened();
        let sent: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
        for text in &sent {
            call.send(A, chat, text);
        }
        call.run(|net| net[B].received.len() == 20);
        assert_eq!(call.net[B].texts(), sent);
    });
}

#[test]
fn messages_of_256_kib_and_a_slow_reader() {
    let (mut call, chat, _) = Call::open(3, good());
    call.net[B].slow = true;
    let now = call.net.now();
    let big: Vec<u8> = (0..262_144_u32).map(|n| (n % 251) as u8).collect();
    // More than the peer's window holds.
    for _ in 0..40 {
        call.net[A]
            .engine
            .send(now, chat, Message::Binary(&big))
            .unwrap();
    }
    call.run_for(secs(60));
    let waiting = call.net[A].engine.channel(chat).unwrap().buffered_amount;
    assert!(waiting > 1 << 20, "the window never closed: {waiting}");
    call.net[B].slow = false;
    call.run(|net| net[B].received.len() == 40);
    assert!(
        call.net[B]
            .received
            .iter()
            .all(|(_, message)| *message == big)
    );
    let now = call.net.now();
    let too_big = vec![0; 262_145];
    let error = call.net[A]
        .engine
        .send(now, chat, Message::Binary(&too_big))
        .unwrap_err();
    assert_eq!(error.name(), "TypeError");
}

#[test]
fn a_wrong_fingerprint_fails_both_sides_and_opens_nothing() {
    let tamper = |mut description: SessionDescription| {
        let at = description.sdp.find("sha-256 ").unwrap() + "sha-256 ".len();
        let flipped = if &description.sdp[at..=at] == "0" {
            "1"
        } else {
            "0"
        };
        description.sdp.replace_range(at..=at, flipped);
        description
    };
    let mut call = Call::new(4, good()).tampering(tamper);
    call.channel(A, "chat");
    call.negotiate().unwrap();
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Failed);
    call.run_for(secs(40));
    for host in [A, B] {
        let peer = &call.net[host];
        assert_eq!(peer.engine.connection_state(), PeerConnectionState::Failed);
        let story = story(&peer.events);
        assert!(
            !story
                .iter()
                .any(|it| it == "dtls connected" || it == "open"),
            "{story:?}"
        );
    }
    let is_fingerprint = |event: &Event| matches!(event, Event::DtlsError(_, error) if error.detail == RtcErrorDetail::FingerprintFailure);
    assert!(call.net[A].saw(is_fingerprint) || call.net[B].saw(is_fingerprint));
}

#[test]
fn a_peer_that_begins_no_handshake_is_given_up() {
    // Both are told that the other is the client, so both wait.
    let tamper = |mut description: SessionDescription| {
        let (from, to) = match description.kind {
            peerconnection::SdpType::Offer => ("actpass", "active"),
            _ => ("passive", "active"),
        };
        description.sdp = description.sdp.replace(from, to);
        description
    };
    let mut call = Call::new(18, good()).tampering(tamper);
    call.channel(A, "chat");
    call.negotiate().unwrap();
    call.run(|net| {
        let failed = |host| net[host].engine.connection_state() == PeerConnectionState::Failed;
        failed(A) && failed(B)
    });
    assert!(call.net.elapsed() < secs(60));
    for host in [A, B] {
        let is_dtls = |event: &Event| matches!(event, Event::DtlsError(_, error) if error.detail == RtcErrorDetail::DtlsFailure);
        assert_eq!(
            call.net[host]
                .events
                .iter()
                .filter(|it| is_dtls(it))
                .count(),
            1
        );
    }
    assert!(call.net[A].saw(|event| matches!(event, Event::ChannelClosed(_))));
}

#[test]
fn close_tells_the_peer_and_drains() {
    let (mut call, ..) = Call::open(5, good());
    let now = call.net.now();
    let before = call.net[A].events.len();
    call.net[A].engine.close(now);
    let engine = &call.net[A].engine;
    assert_eq!(engine.signaling_state(), SignalingState::Closed);
    assert_eq!(engine.connection_state(), PeerConnectionState::Closed);
    assert_eq!(engine.ice_connection_state(), IceConnectionState::Closed);
    assert_eq!(engine.sctp_state(), Some(SctpTransportState::Closed));
    call.run(|net| {
        net[A].engine.is_drained() && net[B].saw(|it| matches!(it, Event::ChannelClosed(_)))
    });
    assert_eq!(
        call.net[A].events.len(),
        before,
        "a local close fires no event"
    );
    let errors = |event: &Event| matches!(event, Event::ChannelError(_, error) if error.detail == RtcErrorDetail::SctpFailure);
    assert!(call.net[B].saw(errors));
    assert!(!is_open(&call.net, B));
}

#[test]
fn a_channel_closes_from_either_side_and_nothing_is_lost() {
    for closer in [A, B] {
        let (mut call, here, there) = Call::open(6, good());
        call.send(A, here, "last words");
        let id = if closer == A { here } else { there };
        if closer == B {
            call.run(|net| !net[B].received.is_empty());
        }
        let now = call.net.now();
        call.net[closer].engine.close_channel(now, id);
        call.run(|net| {
            [A, B]
                .iter()
                .all(|host| net[*host].saw(|it| matches!(it, Event::ChannelClosed(_))))
        });
        assert_eq!(call.net[B].texts(), ["last words"]);
        assert!(!call.net[A].saw(|it| matches!(it, Event::ChannelError(..))));
    }
}

#[test]
fn forged_datagrams_change_nothing_at_any_layer() {
    let (mut call, chat, _) = Call::open(7, good());
    call.run_for(secs(3));
    let (a, b) = (call.net[A].address, call.net[B].address);
    let before = digest(&call.net[B].engine);
    let stun = [&b"\x00\x01\x00\x00\x21\x12\xA4\x42"[..], &[7; 12]].concat();
    let alert = b"\x15\xFE\xFD\x00\x00\x00\x00\x00\x00\x00\x09\x00\x02\x02\x28".to_vec();
    let hello = [
        &b"\x16\xFE\xFD\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x01"[..],
        &[9; 31],
    ]
    .concat();
    let record = [
        &b"\x17\xFE\xFD\x00\x01\x00\x00\x00\x00\x00\x05\x00\x20"[..],
        &[1; 32],
    ]
    .concat();
    let unified = [&b"\x2F\x00\x05\x00\x20"[..], &[3; 32]].concat();
    let rtp = [&b"\x80\x6F\x00\x01"[..], &[0; 40]].concat();
    for datagram in [stun, alert, hello, record, unified, rtp, Vec::new()] {
        // From the peer's own address, and from a stranger's.
        call.net.inject(a, b, &datagram);
        call.net
            .inject("203.0.113.9:9".parse().unwrap(), b, &datagram);
    }
    let rejected = call.net[B].engine.transport_info().datagrams_rejected;
    call.run_for(ms(100));
    assert_eq!(digest(&call.net[B].engine), before);
    assert_eq!(
        call.net[B].engine.transport_info().datagrams_rejected,
        rejected + 14
    );
    call.send(A, chat, "still here");
    call.run(|net| net[B].texts() == ["still here"]);
}

#[test]
fn replayed_datagrams_deliver_nothing_twice() {
    let (mut call, chat, _) = Call::open(8, good().duplicate(1.0));
    for n in 0..50 {
        call.send(A, chat, &n.to_string());
    }
    call.run(|net| net[B].received.len() >= 50);
    call.run_for(secs(2));
    assert_eq!(call.net[B].received.len(), 50);
}

#[test]
fn negotiated_channels_and_ids_by_role() {
    let mut call = Call::new(9, good());
    let now = call.net.now();
    let init = DataChannelInit {
        negotiated: true,
        id: Some(7),
        ..Default::default()
    };
    let by_agreement = |engine: &mut Connection| {
        engine
            .create_data_channel(now, "seven", init.clone())
            .unwrap()
    };
    let here = by_agreement(&mut call.net[A].engine);
    by_agreement(&mut call.net[B].engine);
    let opened = call.channel(A, "opened");
    assert_eq!(call.net[A].engine.channel(opened).unwrap().id, None);
    call.negotiate().unwrap();
    call.run(|net| net[B].engine.channels().count() == 2 && is_open(net, A));
    // The offerer is actpass, so the answerer became the client: the offerer's ids are odd.
    assert_eq!(call.net[A].engine.channel(opened).unwrap().id, Some(1));
    call.send(A, here, "by agreement");
    call.run(|net| net[B].texts() == ["by agreement"]);
}

/// Carries datagrams both ways until nothing moves; no event is polled.
fn carry(a: &mut Connection, b: &mut Connection, now: Instant) {
    fn one_way(from: &mut Connection, to: &mut Connection, now: Instant) -> bool {
        let mut batch = Batch::new();
        let mut moved = false;
        while let Some(route) = from.poll_transmit(now, &mut batch.transmit_buf(1200, 16)) {
            for datagram in batch.datagrams() {
                let _ = to.handle_input(now, route.reversed(), &mut datagram.to_vec());
            }
            moved = true;
        }
        moved
    }
    while one_way(a, b, now) | one_way(b, a, now) {}
}

#[test]
fn a_channel_that_closed_at_once_can_still_be_found_when_it_is_told_of() {
    let (mut call, ..) = Call::open(17, good());
    let now = call.net.now();
    let (a, b) = call.net.two(A, B);
    let (a, b) = (&mut a.engine, &mut b.engine);
    let brief = a
        .create_data_channel(now, "brief", Default::default())
        .unwrap();
    a.close_channel(now, brief);
    for n in 0..20 {
        carry(a, b, now + ms(n * 500));
        a.handle_timeout(now + ms(n * 500));
        b.handle_timeout(now + ms(n * 500));
    }
    let mut told = Vec::new();
    while let Some(event) = b.poll_event() {
        if let Event::DataChannel(id) = event {
            assert_eq!(b.channel(id).expect("the channel").label, "brief");
        }
        told.push(event);
    }
    let place = |found: fn(&Event) -> bool| told.iter().position(found);
    let announced = place(|event| matches!(event, Event::DataChannel(_)));
    let closed = place(|event| matches!(event, Event::ChannelClosed(_)));
    assert!(announced.is_some() && announced < closed, "{told:?}");
}

#[test]
fn create_data_channel_checks_its_arguments() {
    let mut call = Call::new(10, good());
    let now = call.net.now();
    let mut name = |label: &str, init: DataChannelInit| {
        let result = call.net[A].engine.create_data_channel(now, label, init);
        result.map_err(|error| error.name()).err()
    };
    let new = DataChannelInit::default;
    assert_eq!(name(&"x".repeat(65_536), new()), Some("TypeError"));
    assert_eq!(
        name(
            "",
            DataChannelInit {
                protocol: "x".repeat(65_536),
                ..new()
            }
        ),
        Some("TypeError")
    );
    let both = DataChannelInit {
        max_retransmits: Some(1),
        max_packet_life_time: Some(1),
        ..new()
    };
    assert_eq!(name("", both), Some("TypeError"));
    assert_eq!(
        name(
            "",
            DataChannelInit {
                negotiated: true,
                ..new()
            }
        ),
        Some("TypeError")
    );
    let last = DataChannelInit {
        negotiated: true,
        id: Some(65_535),
        ..new()
    };
    assert_eq!(name("", last), Some("TypeError"));
    let four = DataChannelInit {
        negotiated: true,
        id: Some(4),
        ..new()
    };
    assert_eq!(name("", four.clone()), None);
    assert_eq!(name("", four), Some("OperationError"));
    // Without `negotiated` the id is not looked at.
    assert_eq!(
        name(
            "",
            DataChannelInit {
                id: Some(65_535),
                ..new()
            }
        ),
        None
    );
}

#[test]
fn the_peers_ice_restart_moves_the_path_without_losing_data() {
    let (mut call, chat, _) = Call::open(11, good());
    let before = ufrag(&call.net[A].engine).to_owned();
    // The restarting peer is a browser; here, its offer is made from the old one.
    let now = call.net.now();
    let mut offer = call.net[B]
        .engine
        .create_offer(now, Default::default())
        .unwrap();
    offer.sdp = offer.sdp.replace(
        &format!("a=ice-ufrag:{}", ufrag(&call.net[B].engine)),
        "a=ice-ufrag:restarted",
    );
    call.net[A]
        .engine
        .set_remote_description(now, offer)
        .unwrap();
    // Nothing is announced before the answer that says whose candidates they are.
    assert!(!call.net[A].engine.needs_gathering());
    call.net[A].engine.set_local_description(now, None).unwrap();
    assert!(call.net[A].engine.needs_gathering());
    assert_ne!(ufrag(&call.net[A].engine), before);
    let answer = call.net[A].engine.local_description().unwrap();
    assert!(answer.sdp.contains(ufrag(&call.net[A].engine)));
    // The old path still carries data.
    call.send(A, chat, "meanwhile");
    call.run(|net| net[B].texts() == ["meanwhile"]);
}

#[test]
fn silence_disconnects_then_fails() {
    let (mut call, ..) = Call::open(12, good());
    call.net.cut_between(A, B);
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Disconnected);
    call.net.mend_between(A, B);
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Connected);
    call.net.cut_between(A, B);
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Failed);
}

#[test]
fn errors_bear_the_w3c_names() {
    let mut call = Call::new(13, good());
    let now = call.net.now();
    let engine = &mut call.net[A].engine;
    let name = |result: Result<(), Error>| result.unwrap_err().name();
    assert_eq!(
        engine.create_answer(now).unwrap_err().name(),
        "InvalidStateError"
    );
    assert_eq!(
        name(engine.add_ice_candidate(now, None)),
        "InvalidStateError"
    );
    assert_eq!(
        name(engine.set_remote_description(now, SessionDescription::answer("v=0"))),
        "InvalidStateError"
    );
    assert_eq!(
        name(engine.set_remote_description(now, SessionDescription::offer("v=0"))),
        "OperationError"
    );
    let broken = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=setup:maybe\r\n";
    let error = engine
        .set_remote_description(now, SessionDescription::offer(broken))
        .unwrap_err();
    assert_eq!(error.sdp_line_number(), Some(5));
    let rollback = SessionDescription {
        kind: peerconnection::SdpType::Rollback,
        sdp: String::new(),
    };
    assert_eq!(
        name(engine.set_local_description(now, Some(rollback))),
        "InvalidStateError"
    );
    engine
        .create_data_channel(now, "chat", Default::default())
        .unwrap();
    let offer = engine.create_offer(now, Default::default()).unwrap();
    let munged = SessionDescription::offer(offer.sdp.replace("actpass", "active"));
    assert_eq!(
        name(engine.set_local_description(now, Some(munged))),
        "InvalidModificationError"
    );
    assert_eq!(engine.signaling_state(), SignalingState::Stable);
    engine.close(now);
    assert_eq!(
        name(engine.set_local_description(now, Some(offer))),
        "InvalidStateError"
    );
}

#[test]
fn a_malformed_description_leaves_the_connection_unharmed() {
    let (mut call, chat, _) = Call::open(14, good());
    let now = call.net.now();
    let offer = call.net[B]
        .engine
        .create_offer(now, Default::default())
        .unwrap();
    let cases = [
        ("a=fingerprint:sha-256", "a=x:"),
        ("a=ice-ufrag:", "a=ice-ufrag:?"),
        ("a=ice-pwd:", "a=y:"),
        ("a=sctp-port:5000", "a=sctp-port:5001"),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("m=application 9", "m=application nine"),
    ];
    let before = digest(&call.net[A].engine);
    for (from, to) in cases {
        let bad = SessionDescription::offer(offer.sdp.replace(from, to));
        call.net[A]
            .engine
            .set_remote_description(now, bad)
            .unwrap_err();
        assert_eq!(digest(&call.net[A].engine), before, "{from}");
    }
    call.send(A, chat, "unharmed");
    call.run(|net| net[B].texts() == ["unharmed"]);
}

/// Every offer that real peers made gets an answer that rejects media and takes the data section.
#[test]
fn every_captured_offer_gets_an_answer() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdp/testdata");
    let mut offers = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".sdp") || name.contains("answer") {
            continue;
        }
        offers += 1;
        let sdp = std::fs::read_to_string(&path).unwrap();
        let mut call = Call::new(15, good());
        let now = call.net.now();
        let engine = &mut call.net[A].engine;
        engine
            .set_remote_description(now, SessionDescription::offer(&*sdp))
            .unwrap();
        engine.set_local_description(now, None).unwrap();
        let answer = engine.local_description().unwrap();
        let (offer, answer) = (pc_sdp::SessionDescription::parse(&sdp).unwrap(), answer.sdp);
        let answer = pc_sdp::SessionDescription::parse(&answer).unwrap();
        assert_eq!(answer.media.len(), offer.media.len(), "{name}");
        for (offered, answered) in offer.media.iter().zip(&answer.media) {
            assert_eq!(offered.mid(), answered.mid(), "{name}");
            assert_eq!(offered.kind(), answered.kind(), "{name}");
            assert_eq!(answered.is_rejected(), offered.is_rejected(), "{name}");
        }
    }
    assert!(offers > 30, "{offers} offers");
}

#[test]
fn an_idle_connection_has_nothing_to_do_between_its_timers() {
    let (mut call, ..) = Call::open(16, good());
    call.run_for(secs(10));
    let now = call.net.now();
    let engine = &mut call.net[A].engine;
    let before = digest(engine);
    for _ in 0..100 {
        engine.handle_timeout(now);
    }
    assert_eq!(digest(engine), before);
    assert!(engine.poll_event().is_none());
    let route = FiveTuple::udp(
        "192.0.2.1:1".parse().unwrap(),
        "192.0.2.9:1".parse().unwrap(),
    );
    assert!(engine.handle_input(now, route, &mut [1, 2, 3]).is_err());
}
