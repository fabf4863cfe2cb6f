//! A thousand connections on one socket.

#[path = "common/sockets.rs"]
mod sockets;

use std::sync::Arc;

use peerconnection::{Configuration, Endpoint, Message, PeerConnection};
use sockets::{incoming, loopback, message, negotiate, soon};
use tokio::sync::Semaphore;

const CONNECTIONS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_share_a_socket() {
    let endpoint = Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let server = Configuration {
        endpoint: Some(endpoint),
        ..Default::default()
    };
    // All live at once at the end; as many as this shake hands at a time.
    let handshakes = Arc::new(Semaphore::new(50));
    let all: Vec<_> = (0..CONNECTIONS)
        .map(|n| tokio::spawn(connect(n, server.clone(), handshakes.clone())))
        .collect();
    let mut live = Vec::new();
    for connection in all {
        live.push(soon("a connection", connection).await.unwrap());
    }
    // Each still carries its own messages when all the others are there.
    for (n, (_, _, here, there)) in live.iter().enumerate() {
        here.send_text(&format!("again {n}")).unwrap();
        assert_eq!(
            soon("a message", message(there)).await,
            Message::from(format!("again {n}"))
        );
    }
    assert_eq!(live.len(), CONNECTIONS);
}

type Live = (
    PeerConnection,
    PeerConnection,
    peerconnection::DataChannel,
    peerconnection::DataChannel,
);

async fn connect(n: usize, server: Configuration, handshakes: Arc<Semaphore>) -> Live {
    let _turn = handshakes.acquire().await.unwrap();
    let (a, mut a_events) = PeerConnection::new(server).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    let here = a.create_data_channel("chat", Default::default()).unwrap();
    soon(
        "negotiation",
        negotiate((&a, &mut a_events), (&b, &mut b_events)),
    )
    .await
    .unwrap();
    let there = soon("a channel", incoming(&mut b_events)).await;
    soon("open", here.ready()).await.unwrap();
    here.send_text(&n.to_string()).unwrap();
    assert_eq!(
        soon("a message", message(&there)).await,
        Message::from(n.to_string())
    );
    (a, b, here, there)
}
