//! Datagrams over TCP on loopback: framed, in batches, and what ends a stream.

use std::{net::SocketAddr, time::Duration};

use pc_net::{Framing, FramingError, Listener, Stream, StreamError, TcpOptions};
use pc_proto::Batch;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ICE: TcpOptions = TcpOptions::new(Framing::Rfc4571);

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn batch_of(datagrams: &[Vec<u8>]) -> Batch {
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1_500, usize::MAX);
    for datagram in datagrams {
        out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(datagram));
    }
    batch
}

async fn pair(options: &TcpOptions) -> (Stream, Stream) {
    let mut listener = Listener::bind(any(), options.clone()).unwrap();
    let (here, there) = tokio::join!(
        Stream::connect(listener.local_addr(), options),
        listener.accept()
    );
    (here.unwrap(), there)
}

/// A stream, and the plain connection that it has with whoever is not us.
async fn stream_and_tcp(options: &TcpOptions) -> (Stream, TcpStream) {
    let listener = TcpListener::bind(any()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (here, there) = tokio::join!(Stream::connect(address, options), listener.accept());
    (here.unwrap(), there.unwrap().0)
}

async fn receive(stream: &mut Stream, count: usize) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while found.len() < count {
        stream.recv().await.unwrap();
        while let Some(datagram) = stream.next_datagram().unwrap() {
            found.push(datagram.to_vec());
        }
    }
    found
}

#[tokio::test]
async fn batches_arrive_whole_and_in_order() {
    let (mut here, mut there) = pair(&ICE).await;
    assert_eq!(here.remote_addr(), there.local_addr());
    assert_eq!(there.remote_addr(), here.local_addr());
    assert!(!here.is_tls());
    let lens = [1, 1_200, 1_200, 3, 65_535, 700];
    let datagrams: Vec<_> = lens.iter().map(|len| vec![*len as u8; *len]).collect();
    for _ in 0..20 {
        assert_eq!(here.send(&batch_of(&datagrams)), 6);
        let (flushed, found) = tokio::join!(here.flush(), receive(&mut there, 6));
        flushed.unwrap();
        assert_eq!(found, datagrams);
    }
    assert_eq!((here.stats().sent, there.stats().received), (120, 120));
    assert_eq!((here.queued(), here.stats().dropped), (0, 0));
}

#[tokio::test]
async fn who_does_not_read_costs_no_more_than_the_queue() {
    let (mut here, _there) = pair(&ICE).await;
    let batch = batch_of(&vec![vec![7; 1_200]; 50]);
    // The kernel's buffers take some megabytes at most; the rest has nowhere to go.
    for _ in 0..400 {
        here.send(&batch);
        let flushed = std::future::poll_fn(|cx| here.poll_flush(cx));
        let _ = tokio::time::timeout(Duration::ZERO, flushed).await;
        assert!(here.queued() <= TcpOptions::QUEUE + 2);
    }
    let stats = here.stats();
    assert_eq!(stats.sent + stats.dropped, 20_000);
    assert!(stats.dropped > 0, "{stats:?}");
}

#[tokio::test]
async fn a_stream_that_ends_says_so() {
    let (here, mut there) = pair(&ICE).await;
    here.close().await.unwrap();
    let end = there.recv().await.unwrap_err();
    assert!(matches!(end, StreamError::Closed { cut: false }), "{end:?}");

    let (mut here, mut tcp) = stream_and_tcp(&ICE).await;
    tcp.write_all(&[0, 4, b'o', b'n', b'e', b'!', 0, 9, b'h'])
        .await
        .unwrap();
    drop(tcp);
    assert_eq!(receive(&mut here, 1).await, [b"one!"]);
    let end = here.recv().await.unwrap_err();
    assert!(matches!(end, StreamError::Closed { cut: true }), "{end:?}");
}

#[tokio::test]
async fn what_is_no_stun_ends_a_stream_to_a_server() {
    let (mut here, mut tcp) = stream_and_tcp(&TcpOptions::new(Framing::Turn)).await;
    tcp.write_all(b"220 mail.example ESMTP").await.unwrap();
    here.recv().await.unwrap(); // there is something to be told
    let error = here.next_datagram().unwrap_err();
    let not_turn = StreamError::Framing(FramingError::NotTurn(b'2'));
    assert_eq!(error.to_string(), not_turn.to_string());
}

#[tokio::test]
async fn a_stream_takes_another_framing_between_two_datagrams() {
    let (mut here, mut tcp) = stream_and_tcp(&TcpOptions::new(Framing::Turn)).await;
    let mut stun = vec![0; 20];
    stun[..8].copy_from_slice(&[0x01, 0x0B, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
    tcp.write_all(&[&stun[..], &[0, 2, b'h', b'i']].concat())
        .await
        .unwrap();
    here.recv().await.unwrap();
    assert_eq!(here.next_datagram().unwrap().unwrap(), stun);
    here.set_framing(Framing::Rfc4571);
    assert_eq!(receive(&mut here, 1).await, [b"hi"]);
    here.send(&batch_of(&[b"there".to_vec()]));
    here.flush().await.unwrap();
    let mut sent = [0; 7];
    tcp.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, *b"\0\x05there");
}

#[tokio::test]
async fn a_datagram_over_the_limit_ends_a_stream() {
    let options = TcpOptions {
        max_datagram: 1_500,
        ..ICE
    };
    let (mut here, mut there) = pair(&options).await;
    there.send(&batch_of(&[vec![1; 1_500], vec![2; 1_501]]));
    there.flush().await.unwrap();
    assert_eq!(receive_one(&mut here).await, 1_500);
    let error = loop {
        here.recv().await.unwrap();
        match here.next_datagram() {
            Ok(None) => continue,
            Ok(Some(datagram)) => panic!("{} bytes", datagram.len()),
            Err(error) => break error,
        }
    };
    assert_eq!(
        error.to_string(),
        "a datagram of 1501 bytes, where 1500 are allowed"
    );
}

async fn receive_one(stream: &mut Stream) -> usize {
    stream.recv().await.unwrap();
    stream.next_datagram().unwrap().unwrap().len()
}

#[tokio::test]
async fn nobody_who_listens_is_named_refused() {
    let listener = TcpListener::bind(any()).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Stream::connect(address, &ICE).await.unwrap_err();
    assert!(matches!(error, StreamError::Refused(a) if a == address));
    assert_eq!(
        error.to_string(),
        format!("{address} refused the connection")
    );
}

#[tokio::test]
async fn a_connection_leaves_from_where_it_is_told_to() {
    let mut listener = Listener::bind(any(), ICE).unwrap();
    let options = TcpOptions {
        local: Some("127.0.0.2:0".parse().unwrap()),
        ..ICE
    };
    let connect = Stream::connect(listener.local_addr(), &options);
    let (here, there) = tokio::join!(connect, listener.accept());
    if cfg!(target_os = "linux") {
        assert_eq!(here.unwrap().local_addr(), there.remote_addr());
        assert_eq!(there.remote_addr().ip().to_string(), "127.0.0.2");
    }

    let options = TcpOptions {
        local: Some("192.0.2.1:0".parse().unwrap()), // of no machine: RFC 5737
        ..ICE
    };
    let error = Stream::connect(listener.local_addr(), &options).await;
    assert!(matches!(error, Err(StreamError::Io(_))), "{error:?}");
}

/// RFC 6544 §4.1, 5.2: one port listens and connects, as a simultaneous open needs it.
#[cfg(unix)]
#[tokio::test]
async fn a_port_is_shared_by_what_listens_and_what_connects() {
    let shared = TcpOptions {
        share_port: true,
        ..ICE
    };
    let mut mine = Listener::bind(any(), shared.clone()).unwrap();
    let mut theirs = Listener::bind(any(), shared.clone()).unwrap();
    let from_mine = TcpOptions {
        local: Some(mine.local_addr()),
        ..shared
    };
    let connect = Stream::connect(theirs.local_addr(), &from_mine);
    let (out, incoming) = tokio::join!(connect, theirs.accept());
    assert_eq!(out.unwrap().local_addr(), mine.local_addr());
    assert_eq!(incoming.remote_addr(), mine.local_addr());

    let (again, accepted) = tokio::join!(Stream::connect(mine.local_addr(), &ICE), mine.accept());
    assert_eq!(again.unwrap().local_addr(), accepted.remote_addr());
}
