//! A thousand connections on one socket.

#[path = "common/sockets.rs"]
mod sockets;

use std::sync::Arc;

use peerconnection::{Configuration, DataChannelInit, Endpoint, Message};
use sockets::{Call, message, soon};
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
    for (n, Call { here, there, .. }) in live.iter().enumerate() {
        here.send_text(&format!("again {n}")).unwrap();
        assert_eq!(
            soon("a message", message(there)).await,
            Message::from(format!("again {n}"))
        );
    }
    assert_eq!(live.len(), CONNECTIONS);
}

async fn connect(n: usize, server: Configuration, handshakes: Arc<Semaphore>) -> Call {
    let _turn = handshakes.acquire().await.unwrap();
    let call = Call::open_from(server, DataChannelInit::default()).await;
    call.here.send_text(&n.to_string()).unwrap();
    let arrived = soon("a message", message(&call.there)).await;
    assert_eq!(arrived, Message::from(n.to_string()));
    call
}
