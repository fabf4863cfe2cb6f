//! Connections over real loopback sockets, with signaling by function call.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.

use std::time::Duration;

use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, Error, Event, Events,
    HostAddresses, Message, PeerConnection,
};

pub fn loopback() -> Configuration {
    let address = "127.0.0.1".parse().unwrap();
    Configuration {
        host_addresses: HostAddresses::Only(vec![address]),
        ..Default::default()
    }
}

/// Fails instead of hanging.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited a minute for {what}"),
    }
}

/// Exchanges descriptions with all candidates inside.
pub async fn negotiate(
    (a, a_events): (&PeerConnection, &mut Events),
    (b, b_events): (&PeerConnection, &mut Events),
) -> Result<(), Error> {
    a.set_local_description(None).await?;
    gathered(a_events).await;
    b.set_remote_description(a.local_description().unwrap())
        .await?;
    b.set_local_description(None).await?;
    gathered(b_events).await;
    a.set_remote_description(b.local_description().unwrap())
        .await
}

/// Exchanges descriptions alone.
pub async fn exchange(a: &PeerConnection, b: &PeerConnection) {
    a.set_local_description(None).await.unwrap();
    let offer = a.local_description().unwrap();
    b.set_remote_description(offer).await.unwrap();
    b.set_local_description(None).await.unwrap();
    let answer = b.local_description().unwrap();
    a.set_remote_description(answer).await.unwrap();
}

/// Does what signaling does about the events of one side, for as long as there are any: `tell` gets the
/// others.
pub fn follow(
    own: &PeerConnection,
    other: &PeerConnection,
    mut events: Events,
    mut tell: impl FnMut(Event) + Send + 'static,
) {
    let (own, other) = (own.clone(), other.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::NegotiationNeeded => exchange(&own, &other).await,
                Event::IceCandidate(candidate) => {
                    other.add_ice_candidate(candidate).await.unwrap();
                }
                event => tell(event),
            }
        }
    });
}

pub async fn gathered(events: &mut Events) {
    while let Some(event) = events.next().await {
        if let Event::IceCandidate(None) = event {
            return;
        }
    }
    panic!("the connection ended while gathering");
}

pub async fn incoming(events: &mut Events) -> DataChannel {
    while let Some(event) = events.next().await {
        if let Event::DataChannel(channel) = event {
            return channel;
        }
    }
    panic!("the connection ended before a channel came");
}

pub async fn message(channel: &DataChannel) -> Message {
    while let Some(event) = channel.next().await {
        if let DataChannelEvent::Message(message) = event {
            return message;
        }
    }
    panic!("the channel closed before a message came");
}

/// Two connections with one channel, open on both sides.
pub struct Call {
    pub a: PeerConnection,
    pub a_events: Events,
    pub b: PeerConnection,
    pub b_events: Events,
    /// A's side of the channel.
    pub here: DataChannel,
    /// B's side of it.
    pub there: DataChannel,
}

impl Call {
    pub async fn open() -> Self {
        Self::open_from(loopback(), DataChannelInit::default()).await
    }

    /// A is made from `configuration`, and opens the channel.
    pub async fn open_from(configuration: Configuration, init: DataChannelInit) -> Self {
        let (a, mut a_events) = PeerConnection::new(configuration).unwrap();
        let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
        let here = a.create_data_channel("chat", init).unwrap();
        let both = negotiate((&a, &mut a_events), (&b, &mut b_events));
        soon("negotiation", both).await.unwrap();
        let there = soon("a channel", incoming(&mut b_events)).await;
        soon("open", here.ready()).await.unwrap();
        Self {
            a,
            a_events,
            b,
            b_events,
            here,
            there,
        }
    }
}
