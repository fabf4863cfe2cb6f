//! Connections, channels and events that stand beside each other.

use std::time::Duration;

use peerconnection::{DataChannelEvent, Endpoint, Event as ApiEvent, PeerConnection, state::*};

use crate::{
    endings::soon_or_none,
    sockets::{self, Call as Sockets, soon},
    start,
};

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
