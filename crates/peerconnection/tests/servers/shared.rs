//! Servers that several ask from one socket: connections of an endpoint, and transports of a connection.

use std::{collections::HashSet, net::SocketAddr};

use pc_stun::{ErrorCode, Method};
use peerconnection::{
    Configuration, Endpoint, Event, Events, HostAddresses, IceCandidateError, IceServer,
    IceTransportPolicy, PeerConnection, TcpCandidates,
};

use crate::{
    live::{FORGED, Live, OUTSIDE},
    server::Policy,
    sockets::{incoming, message, negotiate, soon},
};

fn endpoint() -> Endpoint {
    Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap()
}

/// Asks a server for STUN and TURN over UDP.
fn asking(server: &Live, endpoint: &Endpoint) -> Configuration {
    let turn = format!("turn:{}", server.address);
    Configuration {
        ice_servers: vec![
            IceServer::stun(&server.address.to_string()),
            IceServer::turn(&turn, "user", "secret"),
        ],
        tcp_candidates: TcpCandidates::Disabled,
        endpoint: Some(endpoint.clone()),
        ..Default::default()
    }
}

/// A connection that gathers, and what it finds.
pub(crate) struct Gathered {
    pub(crate) pc: PeerConnection,
    pub(crate) candidates: Vec<String>,
    pub(crate) errors: Vec<IceCandidateError>,
}

impl Gathered {
    async fn of(configuration: Configuration) -> Self {
        let (pc, events) = PeerConnection::new(configuration).unwrap();
        pc.create_data_channel("x", Default::default()).unwrap();
        pc.set_local_description(None).await.unwrap();
        soon("candidates", Self::from(pc, events)).await
    }

    pub(crate) async fn from(pc: PeerConnection, mut events: Events) -> Self {
        let (mut candidates, mut errors) = (Vec::new(), Vec::new());
        loop {
            match events.next().await.expect("the end of gathering") {
                Event::IceCandidate(Some(it)) if !it.candidate.is_empty() => {
                    candidates.push(it.candidate);
                }
                Event::IceCandidate(None) => break,
                Event::IceCandidateError(error) => errors.push(error),
                _ => {}
            }
        }
        Self {
            pc,
            candidates,
            errors,
        }
    }

    /// What stands behind the priority in the only candidate of a kind.
    #[track_caller]
    fn only(&self, kind: &str) -> Vec<&str> {
        let typ = format!("typ {kind}");
        let mut of = self.candidates.iter().filter(|it| it.contains(&typ));
        let (Some(one), None) = (of.next(), of.next()) else {
            panic!("{kind}: {:?}", self.candidates);
        };
        one.split(' ').skip(4).collect()
    }
}

/// Every connection has its own transaction with the STUN server, and its own allocation, for which it is
/// a client of its own (RFC 8656 §5).
#[track_caller]
fn assert_all_found(server: &Live, endpoint: &Endpoint, all: &[Gathered]) {
    let shared = endpoint.local_addresses()[0];
    let (port, outside) = (shared.port().to_string(), OUTSIDE.to_string());
    let mut relayed = HashSet::new();
    for one in all {
        assert!(one.errors.is_empty(), "{:?}", one.errors);
        assert_eq!(one.candidates.len(), 3, "{:?}", one.candidates);
        assert_eq!(one.only("host")[..2], ["127.0.0.1", &port]);
        let reflexive = [
            &outside,
            &port,
            "typ",
            "srflx",
            "raddr",
            "127.0.0.1",
            "rport",
            &port,
        ];
        assert_eq!(one.only("srflx")[..8], reflexive);
        let relay = one.only("relay");
        let seen: SocketAddr = format!("{}:{}", relay[5], relay[7]).parse().unwrap();
        assert_eq!(seen.ip(), OUTSIDE);
        assert_ne!(seen.port(), shared.port(), "a socket of its own");
        let address: SocketAddr = format!("{}:{}", relay[0], relay[1]).parse().unwrap();
        assert!(relayed.insert(address), "{address} twice");
        let is_theirs = server.with(|server| {
            let mut all = server.relay.allocations.iter();
            all.any(|it| it.client == seen && it.relayed == [address])
        });
        assert!(is_theirs, "{address} of {seen}");
    }
}

/// Without an endpoint both servers are asked from the sockets that candidates are of.
#[tokio::test]
async fn a_connection_asks_from_sockets_of_its_own() {
    let (server, endpoint) = (Live::start(Policy::default()).await, endpoint());
    let found = Gathered::of(Configuration {
        endpoint: None,
        host_addresses: HostAddresses::Only(vec![server.address.ip()]),
        ..asking(&server, &endpoint)
    })
    .await;
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    assert_eq!(found.candidates.len(), 3, "{:?}", found.candidates);
    let (host, relay) = (found.only("host"), found.only("relay"));
    let clients = server.with(|server| -> Vec<u16> {
        let all = server.relay.allocations.iter();
        all.map(|it| it.client.port()).collect()
    });
    assert_eq!(clients, [host[1].parse::<u16>().unwrap()]);
    assert_eq!(relay[5], OUTSIDE.to_string());
}

#[tokio::test]
async fn connections_of_an_endpoint_ask_one_server_at_once() {
    let (server, endpoint) = (Live::start(Policy::default()).await, endpoint());
    let all = (0..5).map(|_| tokio::spawn(Gathered::of(asking(&server, &endpoint))));
    let all: Vec<_> = all.collect();
    let mut found = Vec::new();
    for one in all {
        found.push(one.await.unwrap());
    }
    assert_all_found(&server, &endpoint, &found);
    assert_eq!(server.with(|it| it.requests(Method::BINDING).len()), 5);
    let clients = server.with(|server| -> Vec<SocketAddr> {
        let all = server.relay.allocations.iter();
        all.map(|it| it.client).collect()
    });

    // What each has goes with it, and with it alone.
    for (closed, one) in found.iter().enumerate() {
        one.pc.close();
        let left = 4 - closed;
        let gone = server.until(|server| server.relay.allocations.len() == left);
        soon("the release", gone).await;
    }
    for client in clients {
        soon("a closed socket", is_free(client.port())).await;
    }
    let again = [Gathered::of(asking(&server, &endpoint)).await];
    assert_all_found(&server, &endpoint, &again);
}

/// Nobody has this port of loopback.
async fn is_free(port: u16) {
    while std::net::UdpSocket::bind(("127.0.0.1", port)).is_err() {
        tokio::task::yield_now().await;
    }
}

/// RFC 8656 §7.4: a server may have an allocation for that port of ours, as of a process that has crashed.
/// Three are tried.
#[tokio::test]
async fn a_port_that_is_taken_at_the_server_is_given_up_for_another() {
    let (server, endpoint) = (Live::start(Policy::default()).await, endpoint());
    let refuse = |times: usize| {
        let taken = (Method::ALLOCATE, ErrorCode::ALLOCATION_MISMATCH);
        server.with(|server| server.policy.refuse = std::iter::repeat_n(taken, times).collect());
    };
    refuse(2);
    let found = [Gathered::of(asking(&server, &endpoint)).await];
    assert_all_found(&server, &endpoint, &found);
    let answers = |code| {
        server.with(|server| {
            let all = server.requests(Method::ALLOCATE).into_iter();
            all.filter(|it| it.answer == code).count()
        })
    };
    assert_eq!(answers(437), 2);
    refuse(3);
    let found = Gathered::of(asking(&server, &endpoint)).await;
    assert_eq!(found.candidates.len(), 2, "{:?}", found.candidates);
    let ports: Vec<_> = found
        .errors
        .iter()
        .map(|it| (it.error_code, it.port))
        .collect();
    let [(437, Some(port))] = ports[..] else {
        panic!("{:?}", found.errors);
    };
    assert_ne!(port, endpoint.local_addresses()[0].port());
    assert_eq!(answers(437), 5);
}

/// With another transaction nobody has asked; with the right one nobody has asked there.
#[tokio::test]
async fn answers_that_nobody_has_asked_for_are_dropped() {
    let (server, endpoint) = (Live::start(Policy::default()).await, endpoint());
    server.forge();
    let all = [(); 3].map(|()| tokio::spawn(Gathered::of(asking(&server, &endpoint))));
    let mut found = Vec::new();
    for one in all {
        found.push(one.await.unwrap());
    }
    assert_all_found(&server, &endpoint, &found);
    let told = format!(
        "{:?}",
        found.iter().map(|it| &it.candidates).collect::<Vec<_>>()
    );
    assert!(!told.contains(&FORGED.to_string()), "{told}");
}

/// One call through the relays of both sides.
struct Relayed {
    caller: PeerConnection,
    callee: PeerConnection,
    here: peerconnection::DataChannel,
    there: peerconnection::DataChannel,
    _events: [Events; 2],
}

impl Relayed {
    async fn open([caller, callee]: [Configuration; 2]) -> Self {
        let only = |configuration| Configuration {
            ice_transport_policy: IceTransportPolicy::Relay,
            ..configuration
        };
        let (caller, mut events) = PeerConnection::new(only(caller)).unwrap();
        let (callee, mut callee_events) = PeerConnection::new(only(callee)).unwrap();
        let here = caller
            .create_data_channel("chat", Default::default())
            .unwrap();
        let both = negotiate((&caller, &mut events), (&callee, &mut callee_events));
        soon("negotiation", both).await.unwrap();
        let there = soon("a channel", incoming(&mut callee_events)).await;
        soon("open", here.ready()).await.unwrap();
        Self {
            caller,
            callee,
            here,
            there,
            _events: [events, callee_events],
        }
    }

    async fn talk(&self, text: &str) {
        for (from, to) in [(&self.here, &self.there), (&self.there, &self.here)] {
            from.send_text(text).unwrap();
            assert_eq!(soon("a message", message(to)).await, text.into());
        }
    }
}

#[tokio::test]
async fn connections_of_an_endpoint_talk_through_relays_of_their_own() {
    let server = Live::start(Policy::default()).await;
    let (ours, theirs) = (endpoint(), endpoint());
    let sides = || [&ours, &theirs].map(|it| asking(&server, it));
    let (first, second, third) = tokio::join!(
        Relayed::open(sides()),
        Relayed::open(sides()),
        Relayed::open(sides())
    );
    let allocations = |server: &crate::server::Server| server.relay.allocations.len();
    assert_eq!(server.with(|it| allocations(it)), 6);
    for (number, call) in [&first, &second, &third].into_iter().enumerate() {
        call.talk(&format!("call {number}")).await;
        for pc in [&call.caller, &call.callee] {
            let candidates = pc.transport_info().candidate_pair;
            assert!(candidates.is_some());
        }
    }
    assert!(server.with(|it| it.relay.channel_messages) > 0);

    first.caller.close();
    first.callee.close();
    soon("the release", server.until(|it| allocations(it) == 4)).await;
    for call in [&second, &third] {
        call.talk("still there").await;
    }
    // Everything ends with the last handle, the endpoints' sockets too.
    drop((second, third, first));
    soon("the release", server.until(|it| allocations(it) == 0)).await;
    let ports = [&ours, &theirs].map(|it| it.local_addresses()[0].port());
    drop((ours, theirs));
    for port in ports {
        soon("a closed endpoint", is_free(port)).await;
    }
}
