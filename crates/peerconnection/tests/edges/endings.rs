//! Closing and dropping at awkward moments: nobody waits for ever.

use std::time::Duration;

use peerconnection::{DataChannelEvent, Endpoint, Event as ApiEvent, PeerConnection, state::*};

use crate::sockets::{Call as Sockets, loopback, soon};

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

pub(crate) async fn soon_or_none<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(300), future)
        .await
        .ok()
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
