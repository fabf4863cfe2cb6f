use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    Configuration, DataChannelInit, Event, Events, HostAddresses, PeerConnection, clock,
    state::IceGatheringState,
};

/// Addresses of loopback, each of which stands for an interface.
fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, n).into()
}

fn connection(addresses: &[u8]) -> (PeerConnection, Events) {
    let addresses = addresses.iter().map(|n| address(*n)).collect();
    PeerConnection::new(Configuration {
        host_addresses: HostAddresses::Only(addresses),
        ..Default::default()
    })
    .unwrap()
}

async fn described(pc: &PeerConnection, events: &mut Events) -> crate::SessionDescription {
    pc.set_local_description(None).await.unwrap();
    while pc.ice_gathering_state() != IceGatheringState::Complete {
        events.next().await;
    }
    pc.local_description().unwrap()
}

fn change(pc: &PeerConnection, gone: &[u8], come: &[u8]) {
    let change = [gone, come].map(|list| list.iter().map(|n| address(*n)).collect());
    pc.change_network(change);
}

fn local(pc: &PeerConnection) -> String {
    pc.transport_info().candidate_pair.unwrap().0
}

/// The data that this side says arrive within two seconds of the change, from another address.
#[tokio::test]
async fn sockets_follow_the_interfaces() {
    let ((a, mut a_events), (b, mut b_events)) = (connection(&[1]), connection(&[2, 3]));
    let here = a
        .create_data_channel("chat", DataChannelInit::default())
        .unwrap();
    let offer = described(&a, &mut a_events).await;
    b.set_remote_description(offer).await.unwrap();
    let answer = described(&b, &mut b_events).await;
    a.set_remote_description(answer).await.unwrap();
    let there = loop {
        if let Some(Event::DataChannel(channel)) = b_events.next().await {
            break channel;
        }
    };
    there.ready().await.unwrap();
    here.ready().await.unwrap();
    // The one in use goes, one that was bound takes over; then that goes, too, and another comes.
    let used: u8 = if local(&b).contains("127.0.0.2:") {
        2
    } else {
        3
    };
    let steps = [(used, None, 5 - used), (5 - used, Some(4), 4)];
    for (gone, come, expected) in steps {
        let begun = clock::now();
        change(&b, &[gone], come.as_slice());
        there.send_text("from elsewhere").unwrap();
        let heard = async {
            while !matches!(here.next().await, Some(crate::DataChannelEvent::Message(_))) {}
        };
        tokio::time::timeout(Duration::from_secs(10), heard)
            .await
            .expect("silence");
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        let expected = format!("{}:", address(expected));
        assert!(local(&b).contains(&expected), "{}", local(&b));
    }
}
