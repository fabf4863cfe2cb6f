//! Real sockets on the loopback interface.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use pc_net::{Ecn, Envelope, RecvBatch, SendProgress, UdpSocket};
use pc_proto::Batch;

/// The loopback addresses this machine has: always IPv4.
fn loopbacks() -> Vec<IpAddr> {
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    let mut all = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
    match std::net::UdpSocket::bind((v6, 0)) {
        Ok(_) => all.push(v6),
        Err(error) => eprintln!("IPv6 is left out: {error}"),
    }
    all
}

fn bind(ip: impl Into<IpAddr>) -> UdpSocket {
    UdpSocket::bind((ip.into(), 0).into()).unwrap()
}

/// Datagrams of these lengths, each beginning with its number.
fn batch_of(lens: &[usize]) -> Batch {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(usize::MAX, usize::MAX);
    for (number, len) in lens.iter().enumerate() {
        out.datagram(*len, |bytes| {
            bytes.fill(number as u8);
            if let Some(start) = bytes.first_chunk_mut() {
                *start = (number as u32).to_be_bytes();
            }
        });
    }
    batch
}

async fn send(socket: &UdpSocket, envelope: Envelope, batch: &Batch) -> SendProgress {
    let mut progress = SendProgress::new();
    while let Err(error) = socket.try_send(envelope, batch, &mut progress) {
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        socket.writable().await.unwrap();
    }
    progress
}

async fn recv(socket: &UdpSocket, batch: &mut RecvBatch) -> usize {
    let received = socket.recv(batch);
    let limit = Duration::from_secs(10);
    let received = tokio::time::timeout(limit, received).await;
    received.expect("nothing came").unwrap()
}

async fn recv_all(socket: &UdpSocket, count: usize) -> Vec<(Vec<u8>, SocketAddr)> {
    let (mut batch, mut all) = (RecvBatch::new(), Vec::new());
    while all.len() < count {
        assert!(recv(socket, &mut batch).await > 0);
        let datagrams = batch.datagrams_mut();
        all.extend(datagrams.map(|datagram| (datagram.bytes.to_vec(), datagram.remote)));
    }
    all
}

#[tokio::test]
async fn a_batch_arrives_whole_and_in_order() {
    for ip in loopbacks() {
        let (here, there) = (bind(ip), bind(ip));
        let mut lens = vec![1200; 100];
        lens.push(700);
        let batch = batch_of(&lens);
        let progress = send(&here, Envelope::to(there.local_addr()), &batch).await;
        assert_eq!((progress.sent, progress.dropped), (101, 0));
        let received = recv_all(&there, 101).await;
        let expected = batch
            .datagrams()
            .map(|one| (one.to_vec(), here.local_addr()));
        assert_eq!(received, expected.collect::<Vec<_>>());
        assert_eq!(here.stats().sent, 101);
    }
}

#[tokio::test]
async fn lengths_of_every_kind_arrive() {
    for ip in loopbacks() {
        let (here, there) = (bind(ip), bind(ip));
        let mut lens = vec![0, 0, 5, 5, 5, 0, 1472, 1473, 9000, 1, 8000, 3];
        if cfg!(target_os = "linux") {
            lens.extend([60_000, 1, 65_000]); // its loopback MTU is 64 KiB
        }
        let batch = batch_of(&lens);
        send(&here, Envelope::to(there.local_addr()), &batch).await;
        let received = recv_all(&there, batch.len()).await;
        let received: Vec<_> = received.iter().map(|(bytes, _)| bytes.len()).collect();
        assert_eq!(received, lens);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn merged_datagrams_come_in_one_buffer_and_are_split() {
    for ip in loopbacks() {
        let (here, there) = (bind(ip), bind(ip));
        if here.max_segments() == 1 {
            eprintln!("this kernel does not merge");
            return;
        }
        send(
            &here,
            Envelope::to(there.local_addr()),
            &batch_of(&[1200; 40]),
        )
        .await;
        let mut one_buffer = RecvBatch::with_buffers(1);
        assert_eq!(recv(&there, &mut one_buffer).await, 40);
        assert!(
            one_buffer
                .datagrams_mut()
                .all(|one| one.bytes.len() == 1200)
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_would_block_is_sent_later() {
    let (here, there) = (bind(Ipv4Addr::LOCALHOST), bind(Ipv4Addr::LOCALHOST));
    let batch = batch_of(&[100; 10]);
    let envelope = Envelope::to(there.local_addr());
    let mut progress = SendProgress::new();
    // The runtime has not looked at the socket yet.
    let error = here.try_send(envelope, &batch, &mut progress).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert_eq!((progress.sent, progress.dropped), (0, 0));
    here.writable().await.unwrap();
    here.try_send(envelope, &batch, &mut progress).unwrap();
    assert_eq!(progress.sent, 10);
    // All is done: once more sends nothing.
    here.try_send(envelope, &batch, &mut progress).unwrap();
    assert_eq!((progress.sent, here.stats().sent), (10, 10));
    assert_eq!(recv_all(&there, 10).await.len(), 10);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ecn_is_seen_at_the_other_side() {
    for ip in loopbacks() {
        let (here, there) = (bind(ip), bind(ip));
        for ecn in [None, Some(Ecn::Ect0), Some(Ecn::Ect1), Some(Ecn::Ce)] {
            let envelope = Envelope {
                ecn,
                ..Envelope::to(there.local_addr())
            };
            send(&here, envelope, &batch_of(&[50, 50])).await;
            let mut batch = RecvBatch::new();
            recv(&there, &mut batch).await;
            assert!(batch.datagrams_mut().all(|one| one.ecn == ecn), "{ecn:?}");
        }
    }
}

#[tokio::test]
async fn a_destination_that_fails_does_not_stop_the_others() {
    let (here, there) = (bind(Ipv4Addr::LOCALHOST), bind(Ipv4Addr::LOCALHOST));
    let nobody = bind(Ipv4Addr::LOCALHOST).local_addr(); // closed again
    let impossible = ["127.0.0.1:0", "[::1]:9", "0.0.0.0:9"].map(|to| to.parse().unwrap());
    let batch = batch_of(&[100; 3]);
    let segments = here.max_segments();
    for round in 1..=20 {
        send(&here, Envelope::to(nobody), &batch).await;
        for to in impossible {
            let progress = send(&here, Envelope::to(to), &batch).await;
            assert_eq!((progress.sent, progress.dropped), (0, 3), "{to}");
            assert!(progress.error.is_some());
        }
        send(&here, Envelope::to(there.local_addr()), &batch).await;
        assert_eq!(recv_all(&there, 3).await.len(), 3);
        send(&there, Envelope::to(here.local_addr()), &batch).await;
        assert_eq!(recv_all(&here, 3).await.len(), 3);
        assert_eq!(here.stats().dropped, round * 9);
    }
    assert_eq!(here.max_segments(), segments);
}

#[tokio::test]
async fn what_is_too_long_is_dropped_alone() {
    let (here, there) = (bind(Ipv4Addr::LOCALHOST), bind(Ipv4Addr::LOCALHOST));
    let segments = here.max_segments();
    let batch = batch_of(&[65_508, 100, 100]);
    let progress = send(&here, Envelope::to(there.local_addr()), &batch).await;
    assert_eq!((progress.sent, progress.dropped), (2, 1));
    assert_eq!(recv_all(&there, 2).await.len(), 2);
    assert_eq!(here.max_segments(), segments);
}

/// An address that is not (or no longer) this machine's is an invalid argument to Linux with IPv6,
/// which must not be taken for missing support of what else was asked for.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_wrong_source_address_costs_the_others_nothing() {
    for ip in loopbacks() {
        let (any, wrong): (IpAddr, &str) = match ip {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), "192.0.2.77"),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), "2001:db8::77"),
        };
        let (here, there) = (bind(any), bind(ip));
        let segments = here.max_segments();
        let envelope = Envelope {
            ecn: Some(Ecn::Ect0),
            ..Envelope::to(there.local_addr())
        };
        let from_wrong = Envelope {
            from: Some(wrong.parse().unwrap()),
            ..envelope
        };
        let batch = batch_of(&[100; 3]);
        let progress = send(&here, from_wrong, &batch).await;
        assert_eq!((progress.sent, progress.dropped), (0, 3));
        assert_eq!(here.max_segments(), segments);
        send(&here, envelope, &batch).await;
        let mut received = RecvBatch::new();
        assert_eq!(recv(&there, &mut received).await, 3);
        assert!(
            received
                .datagrams_mut()
                .all(|one| one.ecn == Some(Ecn::Ect0))
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_socket_of_every_address_tells_and_chooses_the_local_one() {
    let (here, there) = (bind(Ipv4Addr::UNSPECIFIED), bind(Ipv4Addr::LOCALHOST));
    let to_here = SocketAddr::from(([127, 0, 0, 3], here.local_addr().port()));
    send(&there, Envelope::to(to_here), &batch_of(&[10])).await;
    let mut batch = RecvBatch::new();
    recv(&here, &mut batch).await;
    let local_ip = batch.datagrams_mut().next().unwrap().local_ip;
    assert_eq!(local_ip, Some(to_here.ip()));
    let answer = Envelope {
        from: local_ip,
        ..Envelope::to(there.local_addr())
    };
    send(&here, answer, &batch_of(&[10])).await;
    assert_eq!(recv_all(&there, 1).await[0].1, to_here);
}

#[tokio::test]
async fn an_ipv6_socket_leaves_the_port_free_for_ipv4() {
    if loopbacks().len() == 1 {
        return;
    }
    let v6 = bind(Ipv6Addr::UNSPECIFIED);
    let port = v6.local_addr().port();
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port).into()).unwrap();
}

#[tokio::test]
async fn a_socket_has_large_buffers_and_says_how_large() {
    let sizes = bind(Ipv4Addr::LOCALHOST).buffer_sizes();
    assert!(
        sizes.send >= 200_000 && sizes.receive >= 200_000,
        "{sizes:?}"
    );
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let taken = bind(Ipv4Addr::LOCALHOST);
    let error = UdpSocket::bind(taken.local_addr()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
