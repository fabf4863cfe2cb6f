//! The `SignalingChannel` of the W3C samples: JSON messages to and from the other peer.
//!
//! A channel is the same whatever carries it: a WebSocket that a page opened to us ([`accept`]), one
//! that we opened to another program ([`connect`]), or nothing but memory ([`pair`]).
//!
//! [`accept`]: SignalingChannel::accept
//! [`connect`]: SignalingChannel::connect
//! [`pair`]: SignalingChannel::pair

use std::future::pending;

use anyhow::{Result, anyhow, bail};
use axum::extract::ws::{CloseFrame, Message as Accepted, WebSocket};
use futures_util::{SinkExt, StreamExt};
use peerconnection::{Event, Events, IceCandidate, SessionDescription};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Connected;

use crate::servers::tell_errors;

/// Where the WebSocket is served.
pub const PATH: &str = "/signaling";

/// The close code that tells a page that another one has taken its place; it must not come back by
/// itself. From the range that RFC 6455 §7.4.2 leaves to applications.
pub const REPLACED: u16 = 4001;

/// Bytes of a message that are read at most; a description has a few thousand.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What goes through signaling, as in the W3C sample: `{desc}` or `{candidate}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalingMessage {
    /// An offer or an answer.
    Desc(SessionDescription),
    /// A trickled candidate; `None` when there are no more.
    Candidate(Option<IceCandidate>),
    /// Send your media now: of the warm-up alone.
    Start(bool),
}

/// What a sample has callbacks for.
#[derive(Debug)]
pub enum Callback {
    /// Of its connection.
    Event(Event),
    /// `signaling.onmessage`
    Message(SignalingMessage),
}

/// What sends through a [`SignalingChannel`], apart from the one that receives.
#[derive(Debug, Clone)]
pub struct SignalingSender {
    outgoing: mpsc::UnboundedSender<Parcel>,
}

impl SignalingSender {
    /// Sends a message to the other peer. One that can no longer arrive is lost, as with a
    /// WebSocket.
    pub fn send(&self, message: SignalingMessage) {
        tracing::debug!(?message, "signaling: sent");
        let _ = self.outgoing.send(Parcel::Message(message));
    }

    /// Tells the other peer, if it is a page, that another one takes its place, and ends its end.
    pub fn replace(&self) {
        let _ = self.outgoing.send(Parcel::Replaced);
    }
}

/// A way to the other peer for descriptions and candidates, in order.
#[derive(Debug)]
pub struct SignalingChannel {
    outgoing: mpsc::UnboundedSender<Parcel>,
    incoming: mpsc::UnboundedReceiver<Parcel>,
}

#[derive(Debug)]
enum Parcel {
    Message(SignalingMessage),
    /// The last one: somebody else takes the receiver's place.
    Replaced,
}

impl SignalingChannel {
    /// Two ends in one process.
    pub fn pair() -> (Self, Self) {
        let (to_a, from_b) = mpsc::unbounded_channel();
        let (to_b, from_a) = mpsc::unbounded_channel();
        let a = Self {
            outgoing: to_b,
            incoming: from_b,
        };
        let b = Self {
            outgoing: to_a,
            incoming: from_a,
        };
        (a, b)
    }

    /// The channel that a page opened. The future carries its messages until either side ends it.
    pub fn accept(socket: WebSocket) -> (Self, impl Future<Output = ()> + Send) {
        let (here, there) = Self::pair();
        (here, carry_accepted(socket, there))
    }

    /// Opens a channel to the program at `url`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    ///
    /// The URL is none, or nobody answers there.
    pub async fn connect(url: &str) -> Result<Self> {
        let address = websocket_address(url)?;
        let (socket, _) = tokio_tungstenite::connect_async(&address)
            .await
            .map_err(|error| {
                anyhow!("nobody answers at {address} ({error}): is the other program running?")
            })?;
        let (here, mut there) = Self::pair();
        let (mut sink, mut stream) = socket.split();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    message = there.recv() => {
                        let Some(message) = message else { break };
                        let Some(text) = to_json(&message) else { continue };
                        if sink.send(Connected::text(text)).await.is_err() { break }
                    }
                    received = stream.next() => match received {
                        Some(Ok(Connected::Text(text))) => there.pass_on(text.as_str()),
                        Some(Ok(Connected::Close(_)) | Err(_)) | None => break,
                        Some(Ok(_)) => {}
                    },
                }
            }
            let _ = sink.close().await;
        });
        Ok(here)
    }

    /// Sends a message to the other peer. One that can no longer arrive is lost, as with a
    /// WebSocket; the receiving side then ends.
    pub fn send(&self, message: SignalingMessage) {
        self.sender().send(message);
    }

    /// What sends, for the callbacks that do; the channel ends when this is gone too.
    pub fn sender(&self) -> SignalingSender {
        SignalingSender {
            outgoing: self.outgoing.clone(),
        }
    }

    /// The next message from the other peer; `None` when the channel has ended. Cancel safe.
    pub async fn recv(&mut self) -> Option<SignalingMessage> {
        match self.incoming.recv().await? {
            Parcel::Message(message) => Some(message),
            Parcel::Replaced => None,
        }
    }

    /// The next event of the connection, if there is a connection, or else the next message from the
    /// other peer; `None` when either has ended. Cancel safe.
    pub async fn recv_or(&mut self, events: impl Into<Option<&mut Events>>) -> Option<Callback> {
        let events = events.into();
        let event = async {
            match events {
                Some(events) => events.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            event = event => event.inspect(tell_errors).map(Callback::Event),
            message = self.recv() => message.map(Callback::Message),
        }
    }

    /// Ends the channel and tells the other peer, if it is a page, that another one took its place.
    pub fn replace(self) {
        self.sender().replace();
    }

    fn pass_on(&self, text: &str) {
        match serde_json::from_str(text) {
            Ok(message) => {
                tracing::debug!(?message, "signaling: received");
                let _ = self.outgoing.send(Parcel::Message(message));
            }
            Err(error) => tracing::warn!(%error, "signaling: neither {{desc}} nor {{candidate}}"),
        }
    }
}

async fn carry_accepted(mut socket: WebSocket, mut there: SignalingChannel) {
    let close = loop {
        tokio::select! {
            parcel = there.incoming.recv() => match parcel {
                Some(Parcel::Message(message)) => {
                    let Some(text) = to_json(&message) else { continue };
                    if socket.send(Accepted::Text(text.into())).await.is_err() { return }
                }
                Some(Parcel::Replaced) => {
                    break Some(CloseFrame { code: REPLACED, reason: "replaced".into() });
                }
                None => break None,
            },
            received = socket.recv() => match received {
                Some(Ok(Accepted::Text(text))) => there.pass_on(&text),
                Some(Ok(Accepted::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    };
    let _ = socket.send(Accepted::Close(close)).await;
}

fn to_json(message: &SignalingMessage) -> Option<String> {
    serde_json::to_string(message)
        .inspect_err(|error| tracing::warn!(%error, "signaling: not to be written as JSON"))
        .ok()
}

fn websocket_address(url: &str) -> Result<String> {
    let rest = match url.split_once("://") {
        Some(("http" | "ws", rest)) => rest,
        None => url,
        Some((scheme, _)) => bail!("{scheme}: is not supported here, only http: is"),
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() {
        bail!("{url:?} names no host; try http://127.0.0.1:8080");
    }
    Ok(format!("ws://{host}{PATH}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_sample() {
        let desc = r#"{"desc":{"type":"offer","sdp":"v=0\r\n"}}"#;
        let expected = SignalingMessage::Desc(SessionDescription::offer("v=0\r\n"));
        assert_eq!(
            serde_json::from_str::<SignalingMessage>(desc).unwrap(),
            expected
        );
        assert_eq!(serde_json::to_string(&expected).unwrap(), desc);

        let over = SignalingMessage::Candidate(None);
        assert_eq!(
            serde_json::to_string(&over).unwrap(),
            r#"{"candidate":null}"#
        );
        assert_eq!(
            serde_json::from_str::<SignalingMessage>(r#"{"candidate":null}"#).unwrap(),
            over
        );

        let chromium = r#"{"candidate":{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}}"#;
        let Ok(SignalingMessage::Candidate(Some(candidate))) = serde_json::from_str(chromium)
        else {
            panic!("not a candidate")
        };
        assert_eq!(candidate.sdp_m_line_index, Some(0));
        assert_eq!(
            serde_json::to_string(&SignalingMessage::Candidate(Some(candidate))).unwrap(),
            chromium
        );
    }

    #[test]
    fn any_way_to_write_the_address_is_understood() {
        for url in [
            "http://localhost:8080",
            "http://localhost:8080/",
            "localhost:8080",
            "ws://localhost:8080/x",
        ] {
            assert_eq!(
                websocket_address(url).unwrap(),
                "ws://localhost:8080/signaling"
            );
        }
        assert!(websocket_address("https://localhost").is_err());
        assert!(websocket_address("http://").is_err());
    }

    #[tokio::test]
    async fn a_pair_carries_both_ways_and_ends_with_either_end() {
        let (a, mut b) = SignalingChannel::pair();
        a.send(SignalingMessage::Candidate(None));
        drop(a);
        assert_eq!(b.recv().await, Some(SignalingMessage::Candidate(None)));
        assert_eq!(b.recv().await, None);
    }

    #[tokio::test]
    async fn who_is_replaced_hears_nothing_more() {
        let (a, mut b) = SignalingChannel::pair();
        a.replace();
        assert_eq!(b.recv().await, None);
    }
}
