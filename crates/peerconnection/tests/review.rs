//! Properties that a hostile reader looked for.

mod common;
#[path = "common/sockets.rs"]
mod sockets;

use std::time::{Duration, Instant};

use common::{A, B, Call, bad, good, is_open, ufrag};
use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::{for_each_seed, ms};
use peerconnection::{
    Certificate, DataChannelEvent, Endpoint, Event as ApiEvent, IceCandidate, PeerConnection,
    SessionDescription,
    engine::{Config, Connection, Event},
    state::*,
};
use sockets::{Call as Sockets, loopback, soon};

fn engine(seed: u8) -> Connection {
    let certificate = Certificate::generate(Duration::from_secs(1_795_000_000)).unwrap();
    Connection::new(Config::new(certificate, [seed; 32]))
}

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

fn events(engine: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

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
fn a_dtls_error_comes_before_the_states_it_leads_to() {
    let mut call = Call::new(1, good()).tampering(|mut description| {
        if description.kind == peerconnection::SdpType::Answer {
            let at = description.sdp.find("sha-256 ").unwrap() + 8;
            let other = if &description.sdp[at..at + 2] == "00" {
                "11"
            } else {
                "00"
            };
            description.sdp.replace_range(at..at + 2, other);
        }
        description
    });
    call.channel(A, "chat");
    call.negotiate().unwrap();
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Failed);
    call.run_for(ms(100));
    let events = &call.net[A].events;
    let position = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let error = position(&|it| matches!(it, Event::DtlsError(..)));
    let failed = position(&|it| {
        matches!(
            it,
            Event::DtlsTransportStateChange(_, DtlsTransportState::Failed)
        )
    });
    let sctp = position(&|it| matches!(it, Event::SctpStateChange(SctpTransportState::Closed)));
    let sum = position(&|it| {
        matches!(
            it,
            Event::ConnectionStateChange(PeerConnectionState::Failed)
        )
    });
    assert!(error < failed && failed < sum, "{events:?}");
    // All change in one task.
    assert!(sctp < sum + 3, "{events:?}");
}

/// After everything due has been done, the next expiry lies ahead.
#[track_caller]
fn settle(now: Instant, engine: &mut Connection, batch: &mut Batch) {
    for round in 0.. {
        engine.handle_timeout(now);
        let mut sent = 0;
        while engine
            .poll_transmit(now, &mut batch.transmit_buf(1200, 16))
            .is_some()
        {
            sent += 1;
            assert!(sent < 10_000, "sends for ever");
        }
        while engine.poll_event().is_some() {}
        if engine.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        assert!(
            round < 100,
            "a timer stays in the past: {:?}",
            engine.dtls_state()
        );
    }
}

#[test]
fn no_timer_stays_in_the_past_when_the_peer_falls_silent() {
    for_each_seed(40, |seed| {
        let mut call = Call::new(seed, bad());
        call.channel(A, "chat");
        call.negotiate().unwrap();
        // Somewhere between the first check and a connection in use.
        let cut = seed.bytes("cut");
        call.run_for(ms(u64::from(cut[0]) * 4));
        let now = call.net.now();
        for host in [A, B] {
            let mut now = now;
            let mut batch = Batch::new();
            let peer = &mut call.net[host].engine;
            let channels: Vec<_> = peer.channels().map(|(id, _)| id).collect();
            for id in channels {
                let _ = peer.send(
                    now,
                    id,
                    peerconnection::engine::Message::Binary(&[1; 50_000]),
                );
            }
            let mut fired = 0;
            loop {
                settle(now, peer, &mut batch);
                match peer.poll_timeout() {
                    Some(at) if fired < 3000 => now = at,
                    _ => break,
                }
                fired += 1;
            }
            peer.close(now);
            let mut polls = 0;
            while !peer.is_drained() {
                let _ = peer.poll_transmit(now, &mut batch.transmit_buf(1200, 16));
                polls += 1;
                assert!(polls < 100, "does not drain");
            }
            assert_eq!(peer.poll_timeout(), None);
        }
    });
}

#[test]
fn a_connection_drains_whenever_it_is_closed() {
    for_each_seed(60, |seed| {
        let mut call = Call::new(seed, good());
        call.channel(A, "chat");
        call.negotiate().unwrap();
        let cut = seed.bytes("cut");
        call.run_for(ms(u64::from(cut[0]) * 2));
        let now = call.net.now();
        for host in [A, B] {
            let peer = &mut call.net[host].engine;
            peer.close(now);
            let mut batch = Batch::new();
            for polls in 0.. {
                let route: Option<FiveTuple> =
                    peer.poll_transmit(now, &mut batch.transmit_buf(1200, 2));
                if route.is_none() {
                    break;
                }
                assert!(polls < 100);
            }
            assert!(peer.is_drained());
        }
        assert!(!is_open(&call.net, A));
    });
}

#[tokio::test]
async fn events_that_nobody_reads_do_not_pile_up() {
    let call = Sockets::open().await;
    for _ in 0..200 {
        call.here.send_text("tick").unwrap();
        soon("tick", sockets::message(&call.there)).await;
        soon("room", async {
            while call.here.buffered_amount() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    let mut low = 0;
    while let Some(event) = call.here.try_next() {
        low += usize::from(event == DataChannelEvent::BufferedAmountLow);
    }
    assert!((1..=2).contains(&low), "{low} events wait");
}

#[tokio::test]
async fn closing_a_channel_ends_the_wait_for_it() {
    let (a, _events) = PeerConnection::new(loopback()).unwrap();
    let chat = a.create_data_channel("chat", Default::default()).unwrap();
    let waiting = tokio::spawn({
        let chat = chat.clone();
        async move { chat.ready().await }
    });
    tokio::task::yield_now().await;
    chat.close();
    let error = soon("ready", waiting).await.unwrap().unwrap_err();
    assert_eq!(error.name(), "InvalidStateError");
    assert_eq!(
        soon("close", chat.next()).await,
        Some(DataChannelEvent::Close)
    );
}

#[tokio::test]
async fn closing_a_full_channel_wakes_its_sender_at_once() {
    let call = Sockets::open().await;
    // Nobody reads at the far end: the window closes, and the buffer fills.
    while soon_or_none(call.here.ready()).await.is_some() {
        let _ = call.here.send(&[0; 200_000]);
    }
    let waiting = tokio::spawn({
        let here = call.here.clone();
        async move { here.ready().await }
    });
    tokio::task::yield_now().await;
    call.here.close();
    let ended = tokio::time::timeout(Duration::from_secs(2), waiting).await;
    assert!(ended.expect("the sender was not woken").unwrap().is_err());
}

async fn soon_or_none<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(300), future)
        .await
        .ok()
}

#[tokio::test]
async fn an_unread_channel_that_is_dropped_does_not_stall_the_others() {
    let mut call = Sockets::open().await;
    let bulk = call
        .a
        .create_data_channel("bulk", Default::default())
        .unwrap();
    soon("open", bulk.ready()).await.unwrap();
    let unread = soon("a channel", sockets::incoming(&mut call.b_events)).await;
    while soon_or_none(bulk.ready()).await.is_some() {
        let _ = bulk.send(&[0; 200_000]);
    }
    drop(unread);
    call.here.send_text("still there?").unwrap();
    soon("a message", sockets::message(&call.there)).await;
}

#[test]
fn nothing_waits_for_ever_when_the_runtime_is_gone() {
    let build = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = build();
    let (call, pc, mut lone_events) = first.block_on(async {
        let call = Sockets::open().await;
        let (pc, events) = PeerConnection::new(loopback()).unwrap();
        (call, pc, events)
    });
    drop(first);
    let mut call = call;
    build().block_on(async {
        let outcome = tokio::time::timeout(Duration::from_secs(2), call.a.create_offer(None)).await;
        assert!(outcome.expect("the operation hangs").is_err());
        let outcome = tokio::time::timeout(Duration::from_secs(2), pc.create_offer(None)).await;
        assert!(outcome.expect("the operation hangs").is_err());
        let all = async { while call.a_events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(2), all)
            .await
            .expect("the events hang");
        let all = async { while lone_events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(2), all)
            .await
            .expect("the events hang");
        let all = async { while call.here.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(2), all)
            .await
            .expect("the channel hangs");
    });
}

#[test]
fn an_endpoint_without_a_runtime_is_an_error() {
    assert!(Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).is_err());
    let error = PeerConnection::new(loopback()).map(|_| ()).unwrap_err();
    assert_eq!(error.name(), "InvalidStateError");
}

#[test]
fn a_driver_that_panics_leaves_nobody_waiting() {
    let build = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build();
    build.unwrap().block_on(async {
        let (pc, mut events) = PeerConnection::new(loopback()).unwrap();
        let chat = pc.create_data_channel("chat", Default::default()).unwrap();
        // Gathering needs sockets, which tokio refuses in a runtime without I/O by a panic.
        drop(pc.set_local_description(None));
        let all = async {
            while events.next().await.is_some() {}
            while chat.next().await.is_some() {}
        };
        tokio::time::timeout(Duration::from_secs(5), all)
            .await
            .expect("the events hang");
        assert_eq!(pc.connection_state(), PeerConnectionState::Closed);
        assert!(pc.create_offer(None).await.is_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_dropped_as_its_endpoint_ends_is_freed() {
    for n in 0..3000 {
        let endpoint = Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        for _ in 0..(n % 50) {
            std::hint::spin_loop();
        }
        let configuration = peerconnection::Configuration {
            endpoint: Some(endpoint),
            ..Default::default()
        };
        let (pc, mut events) = PeerConnection::new(configuration).unwrap();
        drop(pc);
        let all = async { while events.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(5), all)
            .await
            .unwrap_or_else(|_| panic!("round {n}: the events never end"));
    }
}

#[tokio::test]
async fn a_connection_may_be_dropped_by_its_own_event_loop() {
    let (pc, mut events) = PeerConnection::new(loopback()).unwrap();
    let chat = pc.create_data_channel("chat", Default::default()).unwrap();
    let mut pc = Some((pc, chat));
    let all = async {
        while let Some(event) = events.next().await {
            if matches!(event, ApiEvent::NegotiationNeeded) {
                pc = None;
            }
        }
    };
    soon("the end", all).await;
    assert!(pc.is_none());
}

#[tokio::test]
async fn the_far_end_of_a_close_sees_one_error_even_with_messages_unread() {
    let call = Sockets::open().await;
    for n in 0..3 {
        call.here.send_text(&n.to_string()).unwrap();
    }
    soon("the messages", async {
        while call.here.buffered_amount() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    call.a.close();
    soon("the close", async {
        let sctp = call.b.sctp().unwrap();
        while sctp.state() != SctpTransportState::Closed
            || sctp.transport().unwrap().state() != DtlsTransportState::Closed
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut seen = Vec::new();
    while let Some(event) = soon("an event", call.there.next()).await {
        seen.push(match event {
            DataChannelEvent::Message(message) => format!("{message:?}"),
            DataChannelEvent::Error(error) => {
                assert_eq!(error.detail, peerconnection::RtcErrorDetail::SctpFailure);
                "error".into()
            }
            other => format!("{other:?}"),
        });
    }
    assert_eq!(
        seen,
        [
            "Open",
            "Text(\"0\")",
            "Text(\"1\")",
            "Text(\"2\")",
            "error",
            "Close"
        ]
    );
}

#[tokio::test]
async fn an_endpoint_of_both_families_serves_peers_of_each() {
    let endpoint = Endpoint::bind(&["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()]);
    let server = peerconnection::Configuration {
        endpoint: Some(endpoint.unwrap()),
        ..Default::default()
    };
    for address in ["127.0.0.1", "::1"] {
        let client = peerconnection::Configuration {
            host_addresses: peerconnection::HostAddresses::Only(vec![address.parse().unwrap()]),
            ..Default::default()
        };
        let (a, mut a_events) = PeerConnection::new(server.clone()).unwrap();
        let (b, mut b_events) = PeerConnection::new(client).unwrap();
        let here = a.create_data_channel("chat", Default::default()).unwrap();
        let both = sockets::negotiate((&a, &mut a_events), (&b, &mut b_events));
        soon("negotiation", both).await.unwrap();
        let there = soon("a channel", sockets::incoming(&mut b_events)).await;
        soon("open", here.ready()).await.unwrap();
        here.send_text(address).unwrap();
        let text = soon("a message", sockets::message(&there)).await;
        assert_eq!(text, peerconnection::Message::from(address));
    }
}

#[tokio::test]
async fn a_busy_connection_leaves_its_neighbours_their_turns() {
    let endpoint = Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let server = peerconnection::Configuration {
        endpoint: Some(endpoint),
        ..Default::default()
    };
    let busy = Sockets::open_from(server.clone(), Default::default()).await;
    let quiet = Sockets::open_from(server, Default::default()).await;
    let flood = busy.here.clone();
    let flood = tokio::spawn(async move {
        while flood.ready().await.is_ok() {
            let _ = flood.send(&[0; 65_536]);
        }
    });
    let drain = busy.there.clone();
    let drain = tokio::spawn(async move { while drain.next().await.is_some() {} });
    let began = start();
    for n in 0..100 {
        quiet.here.send_text(&n.to_string()).unwrap();
        soon("an echo", sockets::message(&quiet.there)).await;
    }
    let took = start() - began;
    assert!(took < Duration::from_secs(5), "100 messages in {took:?}");
    flood.abort();
    drain.abort();
}

#[tokio::test]
async fn channels_that_nobody_hears_of_are_bounded() {
    let mut call = Sockets::open().await;
    let label = "x".repeat(60_000);
    let init = || peerconnection::DataChannelInit {
        protocol: label.clone(),
        ..Default::default()
    };
    for _ in 0..4 {
        let open = |_| call.a.create_data_channel(&label, init()).unwrap();
        let channels: Vec<_> = (0..30).map(open).collect();
        for channel in &channels {
            channel.close();
        }
        for channel in channels {
            soon("the close", async {
                while channel.next().await.is_some() {}
            })
            .await;
        }
    }
    let mut waiting = 0;
    while let Some(event) = call.b_events.try_next() {
        if let ApiEvent::DataChannel(channel) = event {
            waiting += channel.label().len() + channel.protocol().len();
        }
    }
    assert!(
        (4 << 20..=8 << 20).contains(&waiting),
        "{waiting} bytes wait"
    );
    // Read again, the stream goes on.
    let channel = call
        .a
        .create_data_channel("more", Default::default())
        .unwrap();
    soon("open", channel.ready()).await.unwrap();
    let more = soon("a channel", sockets::incoming(&mut call.b_events)).await;
    assert_eq!(more.label(), "more");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_events_may_be_dropped_while_channels_come() {
    for _ in 0..10 {
        let call = Sockets::open().await;
        let opener = tokio::spawn({
            let a = call.a.clone();
            async move {
                for _ in 0..200 {
                    let _ = a
                        .create_data_channel("more", Default::default())
                        .unwrap()
                        .ready()
                        .await;
                }
            }
        });
        let mut b_events = call.b_events;
        let dropper = tokio::spawn(async move {
            for _ in 0..5 {
                let _ = soon("an event", b_events.next()).await;
            }
        });
        soon("the dropper", dropper).await.unwrap();
        soon("the opener", opener).await.unwrap();
        // The lock is free.
        assert_eq!(call.b.connection_state(), PeerConnectionState::Connected);
    }
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
fn many_channels_do_not_slow_down_each_datagram() {
    let alone = talk_beside(0);
    let beside_many = talk_beside(3000);
    // Work in proportion to the channels takes thousands of times as long; that of this test's peers,
    // which look at all channels in each turn, some dozens.
    assert!(
        beside_many < alone * 300,
        "{beside_many:?}, alone {alone:?}"
    );
}

/// How long a little talk takes beside so many other channels.
fn talk_beside(channels: usize) -> Duration {
    let (mut call, chat, _) = Call::open(9, good());
    for n in 0..channels {
        call.channel(A, &n.to_string());
    }
    call.run(|net| net[B].engine.channels().count() == channels + 1);
    // The test's own peers look at each channel when they read.
    (call.net[A].slow, call.net[B].slow) = (true, true);
    let began = start();
    for n in 0..200 {
        call.send(A, chat, &n.to_string());
        call.run_for(ms(50));
    }
    start() - began
}

#[test]
fn receiving_allocates_nothing_of_the_size_of_its_buffers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let call = runtime.block_on(Sockets::open());
    let talk = || {
        runtime.block_on(async {
            for n in 0..100 {
                call.here.send_text(&n.to_string()).unwrap();
                soon("a message", sockets::message(&call.there)).await;
            }
        });
    };
    talk();
    let allocated = allocation_counter::measure(talk).bytes_total;
    assert!(allocated < 4 << 20, "{allocated} bytes for 100 messages");
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
