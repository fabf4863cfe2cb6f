//! The W3C interface over real sockets.

#[path = "common/sockets.rs"]
mod sockets;

use peerconnection::{
    DataChannelEvent, DataChannelInit, Event, MediaKind, Message, PeerConnection, SdpType,
    SessionDescription, state::*,
};
use sockets::{Call, incoming, loopback, message, negotiate, soon};

#[tokio::test]
async fn two_connections_talk() {
    let (a, mut a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    let init = DataChannelInit {
        protocol: "p".into(),
        ordered: false,
        max_retransmits: Some(9),
        ..Default::default()
    };
    let here = a.create_data_channel("chat", init).unwrap();
    assert_eq!(here.ready_state(), DataChannelState::Connecting);
    assert_eq!(
        here.send_text("early").unwrap_err().name(),
        "InvalidStateError"
    );
    soon(
        "negotiation",
        negotiate((&a, &mut a_events), (&b, &mut b_events)),
    )
    .await
    .unwrap();
    let there = soon("a channel", incoming(&mut b_events)).await;
    assert_eq!(
        (there.label(), there.protocol(), there.ordered()),
        ("chat", "p", false)
    );
    assert_eq!(
        (there.max_retransmits(), there.max_packet_life_time()),
        (Some(9), None)
    );
    assert_eq!(there.id(), here.id());
    // `send` works at once; the open event comes as the first one.
    there.send(b"\x00\xFF").unwrap();
    assert_eq!(
        soon("open", there.next()).await,
        Some(DataChannelEvent::Open)
    );
    soon("open", here.ready()).await.unwrap();
    assert_eq!(
        soon("a message", message(&here)).await,
        Message::from(vec![0, 0xFF])
    );
    for text in ["", "grüß dich", &"x".repeat(100_000)] {
        here.send_text(text).unwrap();
        assert_eq!(
            soon("a message", message(&there)).await,
            Message::from(text)
        );
    }
    assert_eq!(a.connection_state(), PeerConnectionState::Connected);
    assert_eq!(a.sctp().unwrap().state(), SctpTransportState::Connected);
    assert_eq!(a.sctp().unwrap().max_message_size(), Some(262_144));
    let info = a.transport_info();
    assert_eq!(info.tls_version.as_deref(), Some("FEFC"));
    assert!(info.candidate_pair.is_some());
}

#[tokio::test]
async fn operations_are_carried_out_in_the_order_of_their_calls() {
    let (a, _a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    a.create_data_channel("chat", Default::default()).unwrap();
    let offer = a.create_offer(None).await.unwrap();
    // Not awaited, in either call: the chain keeps them apart, and the state is old until then.
    let set_remote = b.set_remote_description(offer);
    assert_eq!(b.signaling_state(), SignalingState::Stable);
    let set_local = b.set_local_description(None);
    soon("the chain", async {
        tokio::try_join!(set_remote, set_local)
    })
    .await
    .unwrap();
    assert_eq!(b.signaling_state(), SignalingState::Stable);
    assert_eq!(b.local_description().unwrap().kind, SdpType::Answer);
    let mut states = Vec::new();
    while let Some(event) = b_events.try_next() {
        match event {
            Event::SignalingStateChange(state) => states.push(state),
            Event::IceCandidate(_) => break,
            _ => {}
        }
    }
    assert_eq!(
        states,
        [SignalingState::HaveRemoteOffer, SignalingState::Stable]
    );
}

#[tokio::test]
async fn negotiation_is_asked_for_once() {
    let (a, mut events) = PeerConnection::new(loopback()).unwrap();
    let _one = a.create_data_channel("one", Default::default()).unwrap();
    let _two = a.create_data_channel("two", Default::default()).unwrap();
    assert!(matches!(
        soon("the event", events.next()).await,
        Some(Event::NegotiationNeeded)
    ));
    // Something else for the driver to do, after which a second event would have come.
    a.create_offer(None).await.unwrap();
    assert!(events.try_next().is_none());
}

#[tokio::test]
async fn who_awaits_a_call_goes_on_before_the_next_call_in_the_chain() {
    let (a, _events) = PeerConnection::new(loopback()).unwrap();
    let _chat = a.create_data_channel("chat", Default::default()).unwrap();
    let offer = a.set_local_description(None);
    let rollback = a.set_local_description(SessionDescription::rollback());
    let after_offer = async {
        offer.await.unwrap();
        (a.signaling_state(), a.local_description().map(|it| it.kind))
    };
    let after_rollback = async {
        rollback.await.unwrap();
        (a.signaling_state(), a.local_description().map(|it| it.kind))
    };
    let seen = soon("the chain", async {
        tokio::join!(after_offer, after_rollback)
    });
    assert_eq!(
        seen.await,
        (
            (SignalingState::HaveLocalOffer, Some(SdpType::Offer)),
            (SignalingState::Stable, None)
        )
    );
}

#[tokio::test]
async fn a_need_for_negotiation_that_was_overtaken_is_told_later() {
    let (a, _a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    a.create_data_channel("chat", Default::default()).unwrap();
    b.add_transceiver(MediaKind::Audio, Default::default())
        .unwrap();
    // The driver has fired it when a call that came later is done; nobody has taken it.
    b.create_offer(None).await.unwrap();
    b.set_remote_description(a.create_offer(None).await.unwrap())
        .await
        .unwrap();
    let is_need = |event: &Event| matches!(event, Event::NegotiationNeeded);
    let mut while_an_offer_waits = std::iter::from_fn(|| b_events.try_next());
    assert!(!while_an_offer_waits.any(|event| is_need(&event)));
    b.set_local_description(None).await.unwrap();
    // What b has added is in no description yet.
    soon("the event", async {
        while !is_need(&b_events.next().await.unwrap()) {}
    })
    .await;
}

#[tokio::test]
async fn a_call_on_a_closed_connection_fails_in_the_call() {
    let (a, mut events) = PeerConnection::new(loopback()).unwrap();
    let chat = a.create_data_channel("chat", Default::default()).unwrap();
    let pending = a.create_offer(None);
    a.close();
    assert_eq!(a.signaling_state(), SignalingState::Closed);
    assert_eq!(a.connection_state(), PeerConnectionState::Closed);
    assert_eq!(a.ice_connection_state(), IceConnectionState::Closed);
    assert_eq!(chat.ready_state(), DataChannelState::Closed);
    let name = |error: peerconnection::Error| error.name();
    assert_eq!(pending.await.map_err(name), Err("InvalidStateError"));
    assert_eq!(
        a.create_offer(None).await.map_err(name),
        Err("InvalidStateError")
    );
    let error = a
        .create_data_channel("more", Default::default())
        .map_err(name);
    assert_eq!(error.err(), Some("InvalidStateError"));
    assert_eq!(chat.ready().await.map_err(name), Err("InvalidStateError"));
    while let Some(event) = soon("the end", events.next()).await {
        assert!(matches!(event, Event::NegotiationNeeded), "{event:?}");
    }
    assert_eq!(soon("the channel's end", chat.next()).await, None);
}

#[tokio::test]
async fn the_peer_sees_a_close_as_error_and_close() {
    let Call {
        a,
        b: _b,
        here,
        there,
        ..
    } = Call::open().await;
    here.send_text("last words").unwrap();
    assert_eq!(
        soon("a message", message(&there)).await,
        Message::from("last words")
    );
    drop(a);
    assert!(matches!(
        soon("error", there.next()).await,
        Some(DataChannelEvent::Error(_))
    ));
    assert_eq!(
        soon("close", there.next()).await,
        Some(DataChannelEvent::Close)
    );
    assert_eq!(soon("the end", there.next()).await, None);
}

#[tokio::test]
async fn an_unread_channel_is_closed_when_its_handle_is_dropped() {
    let Call {
        a: _a,
        b: _b,
        here,
        there,
        ..
    } = Call::open().await;
    drop(there);
    let mut seen = Vec::new();
    while let Some(event) = soon("the end", here.next()).await {
        seen.push(event);
    }
    assert_eq!(seen.last(), Some(&DataChannelEvent::Close), "{seen:?}");
}

#[tokio::test]
async fn a_fast_sender_is_slowed_down_and_loses_nothing() {
    const MESSAGES: usize = 300;
    let Call {
        a: _a,
        b: _b,
        here,
        there,
        ..
    } = Call::open().await;
    let sender = tokio::spawn(async move {
        let mut highest = 0;
        for n in 0..MESSAGES {
            here.ready().await.unwrap();
            here.send(&vec![n as u8; 65_536]).unwrap();
            highest = highest.max(here.buffered_amount());
        }
        (here, highest)
    });
    for n in 0..MESSAGES {
        let Message::Binary(bytes) = soon("a message", message(&there)).await else {
            panic!("text")
        };
        assert!(bytes.len() == 65_536 && bytes.iter().all(|byte| *byte == n as u8));
    }
    let (_here, highest) = sender.await.unwrap();
    assert!(
        highest <= peerconnection::engine::SEND_HIGH_WATER + 65_536,
        "{highest}"
    );
}

#[tokio::test]
async fn buffered_amount_low_comes_once_a_crossing() {
    let Call {
        a: _a,
        b: _b,
        here,
        there,
        ..
    } = Call::open().await;
    here.set_buffered_amount_low_threshold(1000);
    here.send(&[0; 200_000]).unwrap();
    assert_eq!(here.buffered_amount(), 200_000);
    soon("the message", message(&there)).await;
    assert_eq!(
        soon("open", here.next()).await,
        Some(DataChannelEvent::Open)
    );
    assert_eq!(
        soon("low", here.next()).await,
        Some(DataChannelEvent::BufferedAmountLow)
    );
    assert_eq!(here.try_next(), None);
}

#[tokio::test]
async fn a_malformed_remote_description_names_its_line() {
    let (a, _events) = PeerConnection::new(loopback()).unwrap();
    let sdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application\r\n";
    let error = a
        .set_remote_description(SessionDescription::offer(sdp))
        .await
        .unwrap_err();
    assert_eq!(
        (error.name(), error.sdp_line_number()),
        ("OperationError", Some(5))
    );
}

#[cfg(feature = "serde")]
#[test]
fn json_is_that_of_browsers() {
    let offer: SessionDescription =
        serde_json::from_str(r#"{"type":"offer","sdp":"v=0\r\n"}"#).unwrap();
    assert_eq!(offer, SessionDescription::offer("v=0\r\n"));
    let text = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}"#;
    let candidate: peerconnection::IceCandidate = serde_json::from_str(text).unwrap();
    assert_eq!(candidate.sdp_m_line_index, Some(0));
    assert_eq!(serde_json::to_string(&candidate).unwrap(), text);
}
