use std::{future::poll_fn, net::Ipv4Addr};

use super::*;
use crate::api::inbox::Inbox;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Two transports of a connection.
fn transports() -> [AskerId; 2] {
    [AskerId(1), AskerId(2)]
}

async fn next(own: &mut OwnSockets, received: &mut RecvBatch) -> (Key, SocketAddr) {
    let (key, local, result) = poll_fn(|cx| own.poll_recv(cx, received)).await;
    result.unwrap();
    (key, local)
}

#[tokio::test]
async fn each_transport_of_each_connection_has_one_that_leads_to_it() {
    let (inbox, [one, two]) = (Inbox::default(), transports());
    let [a, b] = [(); 2].map(|()| inbox.new_key());
    let (mut own, mut received) = (OwnSockets::default(), RecvBatch::new());
    let all = [(a, one), (a, two), (b, one)];
    let bound = all.map(|(key, id)| own.bind(key, id, HERE).unwrap());
    assert!(bound[0] != bound[1] && bound[0] != bound[2]);
    assert_eq!(own.bind(a, one, HERE), Some(bound[0]), "it is there");
    let theirs = std::net::UdpSocket::bind((HERE, 0)).unwrap();
    for round in 0..3 {
        for at in [2, 0, 1] {
            theirs
                .send_to(&[round, at], bound[usize::from(at)])
                .unwrap();
            let key = all[usize::from(at)].0;
            let from = next(&mut own, &mut received).await;
            assert_eq!(from, (key, bound[usize::from(at)]));
            let datagrams: Vec<_> = received
                .datagrams_mut()
                .map(|it| it.bytes.to_vec())
                .collect();
            assert_eq!(datagrams, [[round, at]]);
        }
    }
    own.release(a, |local| local == bound[1]);
    assert_eq!(own.len(), 2);
    assert!(own.get(bound[0]).is_none() && own.get(bound[2]).is_some());
    own.release(a, |_| false);
    own.release(b, |_| false);
    assert!(own.len() == 0 && own.by_key.is_empty());
    // The ports are free again.
    for local in bound {
        std::net::UdpSocket::bind(local).unwrap();
    }
}

/// What happens to one costs nothing for the others.
#[tokio::test]
async fn only_those_that_have_something_are_looked_at() {
    let (inbox, [id, _]) = (Inbox::default(), transports());
    let (mut own, mut received) = (OwnSockets::default(), RecvBatch::new());
    let bound: Vec<_> = (0..50)
        .map(|_| own.bind(inbox.new_key(), id, HERE).unwrap())
        .collect();
    // The first look registers each of them.
    let idle = poll_fn(|cx| Poll::Ready(own.poll_recv(cx, &mut received).is_pending()));
    assert!(idle.await);
    let theirs = std::net::UdpSocket::bind((HERE, 0)).unwrap();
    theirs.send_to(b"x", bound[30]).unwrap();
    assert_eq!(next(&mut own, &mut received).await.1, bound[30]);
    // Itself, once more, and nobody else.
    assert_eq!(own.bells.queued(), [bound[30]]);
}
