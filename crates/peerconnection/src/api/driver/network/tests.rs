use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    Configuration, DataChannelInit, Event, Events, HostAddresses, NetworkCost, PeerConnection,
    clock,
    state::{IceConnectionState, IceGatheringState},
};

/// Addresses of loopback, each of which stands for an interface.
fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, n).into()
}

fn connection(addresses: &[u8]) -> (PeerConnection, Events) {
    connection_at(addresses, &[])
}

/// The application says what some of them cost.
fn connection_at(addresses: &[u8], costs: &[(u8, NetworkCost)]) -> (PeerConnection, Events) {
    let addresses = addresses.iter().map(|n| address(*n)).collect();
    let costs = costs.iter().map(|(n, cost)| (address(*n), *cost));
    PeerConnection::new(Configuration {
        host_addresses: HostAddresses::Only(addresses),
        network_costs: costs.collect(),
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

/// An application knows better than the interface what an address costs. Loopback costs nothing; its
/// addresses but the first are of no interface, so that nobody knows what they cost.
#[tokio::test]
async fn an_application_says_what_networks_cost() {
    let costs = [(1, NetworkCost::HIGH), (3, NetworkCost::LOW)];
    let (a, mut a_events) = connection_at(&[1, 2, 3], &costs);
    let (b, mut b_events) = connection(&[1]);
    let _here = a
        .create_data_channel("chat", DataChannelInit::default())
        .unwrap();
    let offer = described(&a, &mut a_events).await;
    let line = |n: u8| {
        let typed = format!(" {} ", address(n));
        let mut lines = offer.sdp.lines();
        let found = lines.find(|line| line.starts_with("a=candidate:") && line.contains(&typed));
        found.unwrap_or_else(|| panic!("{}", offer.sdp)).to_owned()
    };
    let (first, second, third) = (line(1), line(2), line(3));
    assert!(first.contains(" network-id 1 network-cost 900"), "{first}");
    assert!(second.contains(" network-cost 50"), "{second}");
    assert!(third.contains(" network-cost 10"), "{third}");
    b.set_remote_description(offer).await.unwrap();
    let answer = described(&b, &mut b_events).await;
    assert!(answer.sdp.contains(" network-id 1") && !answer.sdp.contains("network-cost"));
    a.set_remote_description(answer).await.unwrap();
    let nominated = async {
        while a.ice_connection_state() != IceConnectionState::Completed {
            a_events.next().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), nominated)
        .await
        .expect("no connection");
    assert!(local(&a).contains("127.0.0.3:"), "{}", local(&a));
}
