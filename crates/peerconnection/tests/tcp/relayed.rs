//! Connections through a TURN server (RFC 6062), where it relays no datagram.

use peerconnection::{
    Configuration, Event, IceServer, IceTransportPolicy, PeerConnection, TcpCandidates,
    stats::Stats,
};

use super::{
    call, in_use,
    sockets::{Call, gathered, incoming, soon},
    talk, tcp,
    turn::Turn,
    with,
};

/// Relayed alone, through this server.
fn relayed(server: &Turn) -> Configuration {
    let url = format!("turn:{}?transport=tcp", server.address);
    Configuration {
        ice_servers: vec![IceServer::turn(&url, "user", "secret")],
        ice_transport_policy: IceTransportPolicy::Relay,
        ..with(TcpCandidates::ActiveAndPassive)
    }
}

fn candidates(connection: &PeerConnection) -> Vec<String> {
    let sdp = connection.local_description().unwrap().sdp;
    let lines = sdp.lines().filter(|it| it.starts_with("a=candidate:"));
    lines.map(str::to_owned).collect()
}

/// The last words of a connection have to arrive.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    soon(what, wait).await;
}

#[tokio::test]
async fn peers_connect_to_our_relay() {
    for we_offer in [false, true] {
        let server = Turn::start();
        let (ours, theirs) = (relayed(&server), with(TcpCandidates::Active));
        let both = if we_offer {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        let Call {
            a, b, here, there, ..
        } = call(both, &|description| description).await;
        talk(&here, &there).await;
        let (ours, theirs) = if we_offer { (&a, &b) } else { (&b, &a) };
        assert_eq!(in_use(ours), [tcp("passive"), tcp("active")]);
        assert_eq!(in_use(theirs), [tcp("active"), tcp("passive")]);
        let [datagrams, active, passive] = candidates(ours).try_into().unwrap();
        let hidden = "typ relay raddr 0.0.0.0 rport 9";
        assert!(datagrams.contains(" udp ") && datagrams.contains(hidden));
        let connects = format!(" 127.0.0.1 9 {hidden} tcptype active");
        assert!(active.contains(&connects), "{active}");
        assert!(passive.contains(&format!("{hidden} tcptype passive")));
        assert_eq!(server.seen(|it| (it.allocations, it.bound)), (1, 1));
        is_told_of_in_statistics(ours, server.address.to_string());
    }
}

fn is_told_of_in_statistics(connection: &PeerConnection, server: String) {
    let report = connection.stats(None).unwrap();
    let mut types = Vec::new();
    for stats in report.iter() {
        if let Stats::LocalCandidate(it) = stats {
            assert_eq!(it.candidate_type, "relay", "{it:?}");
            assert_eq!(it.relay_protocol.as_deref(), Some("tcp"), "{it:?}");
            assert_eq!(it.url, Some(format!("turn:{server}?transport=tcp")));
            types.push((it.protocol.clone(), it.tcp_type));
        }
    }
    types.sort();
    let [udp, active, passive] = [
        ("udp", None),
        ("tcp", Some("active")),
        ("tcp", Some("passive")),
    ]
    .map(|(protocol, tcp_type)| (protocol.to_owned(), tcp_type));
    assert_eq!(types, [active, passive, udp]);
}

/// The peer that connects is let in when its addresses are known. Before the answer with them is here it
/// is sent away, and comes again.
#[tokio::test]
async fn who_comes_too_early_comes_again() {
    let server = Turn::start();
    let (a, mut a_events) = PeerConnection::new(relayed(&server)).unwrap();
    let (b, mut b_events) = PeerConnection::new(with(TcpCandidates::Active)).unwrap();
    let here = a.create_data_channel("chat", Default::default()).unwrap();
    a.set_local_description(None).await.unwrap();
    soon("candidates", gathered(&mut a_events)).await;
    let offer = a.local_description().unwrap();
    b.set_remote_description(offer).await.unwrap();
    b.set_local_description(None).await.unwrap();
    soon("candidates", gathered(&mut b_events)).await;
    until("a peer", || server.seen(|it| it.sent_away > 0)).await;
    let answer = b.local_description().unwrap();
    a.set_remote_description(answer).await.unwrap();
    let there = soon("a channel", incoming(&mut b_events)).await;
    soon("open", here.ready()).await.unwrap();
    talk(&here, &there).await;
    assert_eq!(server.seen(|it| it.bound), 1);
}

/// RFC 6062 §4.3: the server opens the connection.
#[tokio::test]
async fn our_relay_connects_to_peers() {
    let server = Turn::start();
    let theirs = with(TcpCandidates::ActiveAndPassive);
    // The peer's own connections are taken away, lest they are first.
    let call = call((theirs, relayed(&server)), &|mut description| {
        let lines = description.sdp.split_inclusive("\r\n");
        let is_active = |line: &&str| line.trim_end().ends_with("tcptype active");
        let is_relayed_passive =
            |line: &&str| line.contains("typ relay") && line.contains("passive");
        let is_theirs = |line: &&str| is_active(line) && !line.contains("typ relay");
        let kept = lines.filter(|line| !is_theirs(line) && !is_relayed_passive(line));
        description.sdp = kept.collect();
        description
    });
    let call = call.await;
    talk(&call.here, &call.there).await;
    assert_eq!(in_use(&call.b), [tcp("active"), tcp("passive")]);
    assert_eq!(server.seen(|it| it.bound), 1);
    let (local, _) = call.b.transport_info().candidate_pair.unwrap();
    assert!(local.starts_with("relay tcp 127.0.0.1:9"), "{local}");
}

/// Both ends are relayed, each by its own server, which connects to the other.
#[tokio::test]
async fn relays_connect_to_each_other() {
    let servers = [Turn::start(), Turn::start()];
    let both = (relayed(&servers[0]), relayed(&servers[1]));
    let call = call(both, &|description| description).await;
    talk(&call.here, &call.there).await;
    let bound = servers.iter().map(|it| it.seen(|it| it.bound));
    assert!(bound.sum::<usize>() >= 2);
    assert!(
        in_use(&call.a)
            .iter()
            .all(|(protocol, _)| protocol == "tcp")
    );
}

/// RFC 6062 §6.3: 442 is no error of an application's, for datagrams are relayed.
#[tokio::test]
async fn a_server_that_relays_no_connections_is_no_error() {
    let server = Turn::start();
    server.seen(|it| it.refuses_tcp = true);
    let (connection, mut events) = PeerConnection::new(relayed(&server)).unwrap();
    let _channel = connection.create_data_channel("chat", Default::default());
    connection.set_local_description(None).await.unwrap();
    let all = async {
        loop {
            match events.next().await {
                Some(Event::IceCandidate(None)) => break,
                Some(Event::IceCandidateError(error)) => panic!("{error:?}"),
                _ => {}
            }
        }
    };
    soon("the end of gathering", all).await;
    assert_eq!(candidates(&connection).len(), 1);
    assert_eq!(server.seen(|it| it.clients), 2);
}

/// Nobody asks for what is not wanted: it costs the server a second allocation.
#[tokio::test]
async fn active_candidates_alone_ask_for_no_relay() {
    let server = Turn::start();
    let configuration = Configuration {
        tcp_candidates: TcpCandidates::Active,
        ..relayed(&server)
    };
    let (connection, mut events) = PeerConnection::new(configuration).unwrap();
    let _channel = connection.create_data_channel("chat", Default::default());
    connection.set_local_description(None).await.unwrap();
    soon("candidates", gathered(&mut events)).await;
    assert_eq!(candidates(&connection).len(), 1);
    assert_eq!(server.seen(|it| it.clients), 1);
}

/// Streams end with the connection that they are for, and allocations are given back.
#[tokio::test]
async fn nothing_stays_at_the_server() {
    let server = Turn::start();
    let both = (with(TcpCandidates::Active), relayed(&server));
    let call = call(both, &|description| description).await;
    talk(&call.here, &call.there).await;
    call.b.close();
    until("the streams' end", || server.seen(|it| it.are_all_over())).await;
}

/// The server is gone, and with it the connection: both sides notice.
#[tokio::test]
async fn the_end_of_the_server_is_noticed() {
    let server = Turn::start();
    let both = (with(TcpCandidates::Active), relayed(&server));
    let call = call(both, &|description| description).await;
    talk(&call.here, &call.there).await;
    server.stop();
    for side in [&call.a, &call.b] {
        until("a loss", || {
            use peerconnection::state::IceConnectionState::{Disconnected, Failed};
            matches!(side.ice_connection_state(), Disconnected | Failed)
        })
        .await;
    }
}
