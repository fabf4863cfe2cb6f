//! Two [`PeerConnection`]s over loopback sockets, on a runtime of one thread.

use peerconnection::{
    Configuration, DataChannel, DataChannelEvent, Endpoint, Event, Events, HostAddresses, Message,
    PeerConnection,
};
use tokio::runtime::{Builder, Runtime};

use super::Transfer;

pub struct Loopback {
    /// Before the runtime, which their ends need.
    pair: Connected,
    runtime: Runtime,
}

/// Two peers and the channel between them.
pub struct Connected {
    here: DataChannel,
    there: DataChannel,
    _ends: [(PeerConnection, Events); 2],
}

impl Loopback {
    pub fn open() -> Self {
        let runtime = runtime();
        let pair = runtime.block_on(Connected::open([own_sockets(), own_sockets()]));
        Self { pair, runtime }
    }
}

impl Transfer for Loopback {
    fn transfer(&mut self, len: usize, count: usize) {
        let payload = vec![7; len];
        let Connected { here, there, .. } = &self.pair;
        let send = async {
            for _ in 0..count {
                here.ready().await.unwrap();
                here.send(&payload).unwrap();
            }
        };
        let receive = async {
            let mut received = 0;
            while received < count {
                match there.next().await {
                    Some(DataChannelEvent::Message(Message::Binary(message))) => {
                        assert_eq!(message.len(), len);
                        received += 1;
                    }
                    Some(_) => {}
                    None => panic!("the channel closed"),
                }
            }
        };
        self.runtime.block_on(async { tokio::join!(send, receive) });
    }
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn own_sockets() -> Configuration {
    Configuration {
        host_addresses: HostAddresses::Only(vec!["127.0.0.1".parse().unwrap()]),
        ..Default::default()
    }
}

/// For any number of connections; call it within a runtime.
pub fn one_socket() -> Configuration {
    Configuration {
        endpoint: Some(Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap()),
        ..Default::default()
    }
}

impl Connected {
    pub async fn open([ours, theirs]: [Configuration; 2]) -> Self {
        let (a, mut a_events) = PeerConnection::new(ours).unwrap();
        let (b, mut b_events) = PeerConnection::new(theirs).unwrap();
        let here = a.create_data_channel("bench", Default::default()).unwrap();
        a.set_local_description(None).await.unwrap();
        gathered(&mut a_events).await;
        let offer = a.local_description().unwrap();
        b.set_remote_description(offer).await.unwrap();
        b.set_local_description(None).await.unwrap();
        gathered(&mut b_events).await;
        let answer = b.local_description().unwrap();
        a.set_remote_description(answer).await.unwrap();
        let there = incoming(&mut b_events).await;
        here.ready().await.unwrap();
        Self {
            here,
            there,
            _ends: [(a, a_events), (b, b_events)],
        }
    }
}

async fn gathered(events: &mut Events) {
    while !matches!(events.next().await, Some(Event::IceCandidate(None))) {}
}

async fn incoming(events: &mut Events) -> DataChannel {
    loop {
        if let Some(Event::DataChannel(channel)) = events.next().await {
            return channel;
        }
    }
}
