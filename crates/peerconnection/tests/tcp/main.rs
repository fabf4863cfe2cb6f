//! Calls over TCP (RFC 6544) with real sockets.

#[path = "../common/sockets.rs"]
mod sockets;

mod hostile;
mod proxy;
mod relayed;
mod turn;

use std::{net::SocketAddr, time::Duration};

use peerconnection::{
    Configuration, DataChannel, Endpoint, Events, HostAddresses, IceTransportPolicy, Message,
    PeerConnection, SessionDescription, TcpCandidates,
    state::{IceConnectionState, PeerConnectionState},
    stats::Stats,
};
use proxy::Proxy;
use sockets::{Call, gathered, incoming, loopback, message, soon};
use tokio::net::TcpListener;

pub(crate) fn with(tcp_candidates: TcpCandidates) -> Configuration {
    Configuration {
        tcp_candidates,
        ..loopback()
    }
}

/// The description without the candidates of UDP, as if a firewall had taken them.
pub(crate) fn without_udp(description: SessionDescription) -> SessionDescription {
    let lines = description.sdp.split_inclusive("\r\n");
    let is_udp = |line: &&str| line.starts_with("a=candidate:") && line.contains(" udp ");
    let sdp = lines.filter(|line| !is_udp(line)).collect();
    SessionDescription { sdp, ..description }
}

/// What happens to descriptions on their way.
type Change = dyn Fn(SessionDescription) -> SessionDescription + Send + Sync;

/// A's offer and B's answer, changed on their way; A opens a channel.
pub(crate) async fn call((a, b): (Configuration, Configuration), change: &Change) -> Call {
    let (a, mut a_events) = PeerConnection::new(a).unwrap();
    let (b, mut b_events) = PeerConnection::new(b).unwrap();
    let here = a.create_data_channel("chat", Default::default()).unwrap();
    exchange((&a, &mut a_events), (&b, &mut b_events), change).await;
    let there = soon("a channel", incoming(&mut b_events)).await;
    soon("open", here.ready()).await.unwrap();
    Call {
        a,
        a_events,
        b,
        b_events,
        here,
        there,
    }
}

async fn exchange(
    (a, a_events): (&PeerConnection, &mut Events),
    (b, b_events): (&PeerConnection, &mut Events),
    change: &Change,
) {
    a.set_local_description(None).await.unwrap();
    soon("candidates", gathered(a_events)).await;
    let offer = change(a.local_description().unwrap());
    b.set_remote_description(offer).await.unwrap();
    b.set_local_description(None).await.unwrap();
    soon("candidates", gathered(b_events)).await;
    let answer = change(b.local_description().unwrap());
    a.set_remote_description(answer).await.unwrap();
}

/// `udp` or `tcp`, and who connects, of both candidates in use.
fn in_use(connection: &PeerConnection) -> [(String, Option<String>); 2] {
    let transport = connection.sctp().unwrap().transport().unwrap();
    let pair = transport.ice_transport().selected_candidate_pair().unwrap();
    [pair.local, pair.remote].map(|it| (it.protocol().unwrap(), it.tcp_type()))
}

fn tcp(tcp_type: &str) -> (String, Option<String>) {
    ("tcp".to_owned(), Some(tcp_type.to_owned()))
}

pub(crate) async fn talk(here: &DataChannel, there: &DataChannel) {
    for (from, to) in [(here, there), (there, here)] {
        from.send_text("hello").unwrap();
        let heard = soon("a message", message(to)).await;
        assert_eq!(heard, Message::from("hello"));
    }
}

#[tokio::test]
async fn where_udp_is_taken_away_either_side_connects() {
    for a_waits in [true, false] {
        let (active, passive) = (TcpCandidates::Active, TcpCandidates::ActiveAndPassive);
        let (a, b) = match a_waits {
            true => (passive, active),
            false => (active, passive),
        };
        let call = call((with(a), with(b)), &without_udp).await;
        talk(&call.here, &call.there).await;
        let ends = match a_waits {
            true => [tcp("passive"), tcp("active")],
            false => [tcp("active"), tcp("passive")],
        };
        assert_eq!(in_use(&call.a), ends);
        assert_eq!(in_use(&call.b), [ends[1].clone(), ends[0].clone()]);
    }
}

/// More than the queue of a stream holds: it drops, and SCTP makes up for it.
#[tokio::test]
async fn much_data_goes_through_one_connection() {
    const SIZE: usize = 200_000;
    let both = (
        with(TcpCandidates::Active),
        with(TcpCandidates::ActiveAndPassive),
    );
    let call = call(both, &without_udp).await;
    for n in 0..40 {
        call.here.send(&[n; SIZE]).unwrap();
        call.there.send(&[n; SIZE]).unwrap();
    }
    for n in 0..40 {
        let expected = Message::from(vec![n; SIZE]);
        assert_eq!(soon("a message", message(&call.there)).await, expected);
        assert_eq!(soon("a message", message(&call.here)).await, expected);
    }
    assert_eq!(in_use(&call.a)[0].0, "tcp");
}

#[tokio::test]
async fn statistics_name_transport_and_type() {
    let both = (
        with(TcpCandidates::ActiveAndPassive),
        with(TcpCandidates::Active),
    );
    let call = call(both, &without_udp).await;
    talk(&call.here, &call.there).await;
    let nominated = async {
        while !has_nominated(&call.a) {
            tokio::task::yield_now().await;
        }
    };
    soon("a nomination", nominated).await;
    let report = call.a.stats(None).unwrap();
    let mut candidates = Vec::new();
    for stats in report.iter() {
        if let Stats::LocalCandidate(it) | Stats::RemoteCandidate(it) = stats {
            candidates.push((it.protocol.as_str(), it.tcp_type));
        }
    }
    assert!(
        candidates.contains(&("tcp", Some("passive"))),
        "{candidates:?}"
    );
    assert!(
        candidates.contains(&("tcp", Some("active"))),
        "{candidates:?}"
    );
    let (local, remote) = call.a.transport_info().candidate_pair.unwrap();
    let types = ["active", "passive"];
    for text in [local, remote] {
        assert!(text.contains(" tcp 127.0.0.1:"), "{text}");
        assert!(types.iter().any(|it| text.ends_with(it)), "{text}");
    }
}

/// Whether a nominated pair has carried data.
fn has_nominated(connection: &PeerConnection) -> bool {
    let report = connection.stats(None).unwrap();
    let mut all = report.iter();
    all.any(|it| matches!(it, Stats::CandidatePair(it) if it.nominated && it.bytes_received > 0))
}

#[tokio::test]
async fn udp_is_preferred() {
    let both = (with(TcpCandidates::All), with(TcpCandidates::All));
    let call = call(both, &|description| description).await;
    talk(&call.here, &call.there).await;
    let nominated = async {
        while !(has_nominated(&call.a) && has_nominated(&call.b)) {
            tokio::task::yield_now().await;
        }
    };
    soon("a nomination", nominated).await;
    assert_eq!(in_use(&call.a)[0].0, "udp");
    assert_eq!(in_use(&call.b)[0].0, "udp");
}

#[tokio::test]
async fn both_open_at_once() {
    let only_so = |description: SessionDescription| {
        let description = without_udp(description);
        let lines = description.sdp.split_inclusive("\r\n");
        let is_other =
            |line: &&str| line.starts_with("a=candidate:") && !line.contains("tcptype so");
        let sdp = lines.filter(|line| !is_other(line)).collect();
        SessionDescription { sdp, ..description }
    };
    let both = (with(TcpCandidates::All), with(TcpCandidates::All));
    let call = call(both, &only_so).await;
    talk(&call.here, &call.there).await;
    assert_eq!(in_use(&call.a), [tcp("so"), tcp("so")]);
}

/// Nothing is announced, nothing is connected to, nobody is let in.
#[tokio::test]
async fn who_relays_only_or_has_it_disabled_connects_to_nobody() {
    let relayed = Configuration {
        ice_transport_policy: IceTransportPolicy::Relay,
        ..with(TcpCandidates::All)
    };
    for configuration in [relayed, with(TcpCandidates::Disabled)] {
        let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = trap.local_addr().unwrap().port();
        let (a, mut a_events) = PeerConnection::new(configuration).unwrap();
        let (b, mut b_events) = PeerConnection::new(with(TcpCandidates::All)).unwrap();
        a.create_data_channel("chat", Default::default()).unwrap();
        let lure = move |description: SessionDescription| {
            let sdp = without_udp(description).sdp;
            let here = format!(
                "a=candidate:9 1 tcp 1518214911 127.0.0.1 {port} typ host tcptype passive\r\na=end-of-candidates\r\n"
            );
            let sdp = sdp.replacen("a=end-of-candidates\r\n", &here, 1);
            SessionDescription::answer(sdp)
        };
        a.set_local_description(None).await.unwrap();
        soon("candidates", gathered(&mut a_events)).await;
        let offer = a.local_description().unwrap();
        assert!(!offer.sdp.contains(" tcp "), "{}", offer.sdp);
        b.set_remote_description(offer).await.unwrap();
        b.set_local_description(None).await.unwrap();
        soon("candidates", gathered(&mut b_events)).await;
        let answer = lure(b.local_description().unwrap());
        assert!(answer.sdp.contains(&port.to_string()));
        a.set_remote_description(answer).await.unwrap();
        let caught = tokio::time::timeout(Duration::from_millis(700), trap.accept()).await;
        assert!(caught.is_err(), "it has connected");
    }
}

/// A router forgets the connection in the middle of a call: another one takes over.
#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let proxy = Proxy::start().await;
    let through = proxy.clone();
    let change = move |description| through.in_place_of_passive(without_udp(description));
    let both = (
        with(TcpCandidates::Active),
        with(TcpCandidates::ActiveAndPassive),
    );
    let mut call = call(both, &change).await;
    talk(&call.here, &call.there).await;
    let before = proxy.connections();
    proxy.cut();
    call.here.send_text("sent into the gap").unwrap();
    let heard = soon("a message", message(&call.there)).await;
    assert_eq!(heard, Message::from("sent into the gap"));
    talk(&call.here, &call.there).await;
    assert!(proxy.connections() > before);
    assert_eq!(call.a.connection_state(), PeerConnectionState::Connected);
    assert_ne!(call.b.ice_connection_state(), IceConnectionState::Failed);
    drop(call.a_events.next());
}

/// One port for many peers, with UDP blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_has_one_port_for_many_peers() {
    const PEERS: usize = 100;
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind_with_tcp(&[any], &[any]).unwrap();
    assert_eq!(endpoint.local_tcp_addresses().len(), 1);
    let server = Configuration {
        endpoint: Some(endpoint),
        host_addresses: HostAddresses::default(),
        ..with(TcpCandidates::ActiveAndPassive)
    };
    let mut all = Vec::new();
    for _ in 0..PEERS {
        let both = (server.clone(), with(TcpCandidates::Active));
        all.push(tokio::spawn(async move { call(both, &without_udp).await }));
    }
    let mut live = Vec::new();
    for connection in all {
        live.push(soon("a connection", connection).await.unwrap());
    }
    for call in &live {
        talk(&call.here, &call.there).await;
        assert_eq!(in_use(&call.a), [tcp("passive"), tcp("active")]);
    }
}
