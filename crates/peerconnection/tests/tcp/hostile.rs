//! What anybody may send to a port that is open to all.

use std::{net::SocketAddr, time::Duration};

use peerconnection::{Configuration, Endpoint, HostAddresses, TcpCandidates};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{call, talk, with, without_udp};

/// A Binding request for the user `name`, which nobody has signed, with its length in front.
fn unsigned_check(name: &str) -> Vec<u8> {
    let padded = name.len().next_multiple_of(4);
    let mut message = vec![0, 1, 0, padded as u8 + 4, 0x21, 0x12, 0xA4, 0x42];
    message.extend([7; 12]);
    message.extend([0, 6, 0, name.len() as u8]);
    message.extend(name.as_bytes());
    message.resize(24 + padded, 0);
    let mut frame = vec![0, message.len() as u8];
    frame.extend(message);
    frame
}

/// Whether the far side ends the connection soon.
async fn is_sent_away(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest));
    // A reset is an end, too.
    read.await.is_ok()
}

#[tokio::test]
async fn strangers_are_sent_away_and_do_no_harm() {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind_with_tcp(&[any], &[any]).unwrap();
    let port = endpoint.local_tcp_addresses()[0];
    let server = Configuration {
        endpoint: Some(endpoint),
        host_addresses: HostAddresses::default(),
        ..with(TcpCandidates::ActiveAndPassive)
    };
    let call = call((server, with(TcpCandidates::Active)), &without_udp).await;
    let transport = call.a.sctp().unwrap().transport().unwrap();
    let ufrag = transport.ice_transport().local_parameters().unwrap();
    let ufrag = ufrag.username_fragment;
    let frames = [
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".repeat(1000),
        vec![0xFF; 70_000],
        unsigned_check("nobody:there"),
        unsigned_check(&format!("{ufrag}:evil")),
        // DTLS and RTP are no checks.
        [&[0, 20, 22, 254, 253][..], &[0; 17]].concat(),
        [&[0, 20, 128, 96][..], &[0; 18]].concat(),
    ];
    for (n, frame) in frames.iter().enumerate() {
        let mut stream = TcpStream::connect(port).await.unwrap();
        let _ = stream.write_all(frame).await;
        assert!(is_sent_away(&mut stream).await, "frame {n}");
        talk(&call.here, &call.there).await;
    }
}

/// Those that say nothing, and those that say half a word, leave room for a call.
#[tokio::test]
async fn silence_without_end_takes_no_room() {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind_with_tcp(&[any], &[any]).unwrap();
    let port = endpoint.local_tcp_addresses()[0];
    let mut silent = Vec::new();
    for n in 0..400 {
        let mut stream = TcpStream::connect(port).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(&[0xFF, 0xFF, 0, 1]).await.unwrap();
        }
        silent.push(stream);
    }
    // The oldest have made room.
    assert!(is_sent_away(&mut silent[0]).await);
    let server = Configuration {
        endpoint: Some(endpoint),
        host_addresses: HostAddresses::default(),
        ..with(TcpCandidates::ActiveAndPassive)
    };
    let call = call((server, with(TcpCandidates::Active)), &without_udp).await;
    talk(&call.here, &call.there).await;
}
