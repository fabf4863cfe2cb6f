//! A router between two sides of a connection, which can forget it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use peerconnection::SessionDescription;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

#[derive(Clone)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Where connections go on to.
    to: Option<SocketAddr>,
    connections: Vec<AbortHandle>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let port = listener.local_addr().unwrap().port();
        let shared = state.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let to = shared.lock().unwrap().to.unwrap();
                let carry = tokio::spawn(async move {
                    let mut far = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
                shared
                    .lock()
                    .unwrap()
                    .connections
                    .push(carry.abort_handle());
            }
        });
        Self { port, state }
    }

    /// Puts the proxy's address in place of that of the passive candidate.
    pub(crate) fn in_place_of_passive(
        &self,
        description: SessionDescription,
    ) -> SessionDescription {
        let lines = description.sdp.split_inclusive("\r\n").map(|line| {
            if !line.contains("tcptype passive") {
                return line.to_owned();
            }
            let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            let to = format!("{}:{}", words[4], words[5]);
            self.state.lock().unwrap().to = Some(to.parse().unwrap());
            words[5] = self.port.to_string();
            words.join(" ")
        });
        let sdp = lines.collect();
        SessionDescription { sdp, ..description }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections.len()
    }

    /// Ends them all.
    pub(crate) fn cut(&self) {
        for connection in &self.state.lock().unwrap().connections {
            connection.abort();
        }
    }
}
