//! Multicast DNS among sockets of this machine: two nodes, and one who only knows DNS.

use std::net::{IpAddr, Ipv4Addr};

use pc_net::{
    Interface, interfaces,
    mdns::{GROUP_V4, MessageView, Name, Node, NodeError, PORT, RecordType},
};
use socket2::SockRef;
use tokio::net::UdpSocket;

/// An address that names are made for: of an interface that reaches the group.
fn address() -> Ipv4Addr {
    let all = interfaces().unwrap();
    let of = |loopback| {
        let fits = |one: &&Interface| one.loopback == loopback && one.ip.is_ipv4();
        let found = all.iter().find(fits);
        found.map(|one| one.ip)
    };
    match of(false).or(of(true)) {
        Some(IpAddr::V4(ip)) => ip,
        other => panic!("an interface with IPv4: {other:?}"),
    }
}

#[tokio::test]
async fn one_node_finds_what_the_other_has_registered() {
    let (here, there) = (Node::start([1; 32]).unwrap(), Node::start([2; 32]).unwrap());
    let ip = IpAddr::V4(address());
    let first = there.register(ip).await.unwrap();
    let second = there.register(ip).await.unwrap();
    assert_ne!(first.name(), second.name());
    for registration in [&first, &second] {
        assert_eq!(here.resolve(registration.name()).await, Ok(ip));
        assert_eq!(there.resolve(registration.name()).await, Ok(ip));
    }
    // Many who ask for the same wait for the same answer.
    let (a, b) = tokio::join!(here.resolve(first.name()), here.resolve(first.name()));
    assert_eq!((a, b), (Ok(ip), Ok(ip)));
    assert!(!format!("{first:?}").contains(&ip.to_string()));
}

#[tokio::test]
async fn an_ordinary_resolver_is_answered_and_hears_of_what_there_is_not() {
    let node = Node::start([3; 32]).unwrap();
    let ip = address();
    let registration = node.register(ip.into()).await.unwrap();
    let socket = UdpSocket::bind((ip, 0)).await.unwrap();
    SockRef::from(&socket).set_multicast_if_v4(&ip).unwrap();
    for (id, kind, answer) in [
        (7, RecordType::A, RecordType::A),
        (8, RecordType::AAAA, RecordType::NSEC),
    ] {
        let query = question(id, registration.name(), kind);
        socket.send_to(&query, (GROUP_V4, PORT)).await.unwrap();
        let mut bytes = [0; 1_500];
        let (len, from) = socket.recv_from(&mut bytes).await.unwrap();
        assert_eq!(from.port(), PORT);
        let view = MessageView::parse(&bytes[..len]).unwrap();
        let record = view.records().next().unwrap();
        assert_eq!((view.id(), record.kind), (id, answer));
        assert!(record.name.is(registration.name()) && record.ttl <= 10);
        if kind == RecordType::A {
            assert_eq!(record.address(), Some(ip.into()));
        }
    }
}

#[tokio::test]
async fn a_name_is_taken_back_with_its_registration() {
    let node = Node::start([4; 32]).unwrap();
    let ip = address();
    let kept = node.register(ip.into()).await.unwrap();
    let gone = node.register(ip.into()).await.unwrap();
    let name = gone.name().clone();
    drop(gone);
    // Both are asked for at once; who answers for one of them answers for neither later.
    let socket = UdpSocket::bind((ip, 0)).await.unwrap();
    SockRef::from(&socket).set_multicast_if_v4(&ip).unwrap();
    for (id, name) in [(1, &name), (2, kept.name())] {
        let query = question(id, name, RecordType::A);
        socket.send_to(&query, (GROUP_V4, PORT)).await.unwrap();
    }
    let mut bytes = [0; 1_500];
    let len = socket.recv(&mut bytes).await.unwrap();
    assert_eq!(MessageView::parse(&bytes[..len]).unwrap().id(), 2);
}

/// Time is virtual, and goes on while nothing comes in.
#[tokio::test(start_paused = true)]
async fn a_name_of_nobody_has_no_address() {
    let node = Node::start([5; 32]).unwrap();
    let name: Name = "00000000-0000-4000-8000-000000000000.local"
        .parse()
        .unwrap();
    let error = node.resolve(&name).await.unwrap_err();
    assert!(matches!(error, NodeError::Unresolved(_)), "{error}");
}

fn question(id: u16, name: &Name, kind: RecordType) -> Vec<u8> {
    let mut bytes = vec![0, id as u8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in [name.label(), "local"] {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend_from_slice(&[0, 0, kind.0 as u8, 0, 1]);
    bytes
}
