//! Which servers are asked, when and from where.

use std::net::SocketAddr;

use pc_ice::turn::Credentials;
use pc_simnet::{epoch, secs};
use pc_stun::{Attribute, Class, ErrorCode, MessageBuilder, MessageView};
use rand_chacha::rand_core::SeedableRng;

use super::*;

const SERVER: &str = "192.0.2.1:3478";

fn servers() -> Servers {
    let rng = ChaCha12Rng::from_seed([7; 32]);
    Servers::new(AskerId(0), rng)
}

fn base(host: u8) -> SocketAddr {
    ([10, 0, 0, host], 5000).into()
}

fn list(uris: &[&str]) -> Arc<[IceServer]> {
    let server = |uri: &&str| IceServer {
        uri: uri.parse().unwrap(),
        credentials: uri
            .starts_with("turn")
            .then(|| Credentials::new("user", "secret")),
    };
    uris.iter().map(server).collect()
}

fn gather(servers: &mut Servers, list: &Arc<[IceServer]>, bases: &[SocketAddr]) {
    let asked = Asked {
        servers: list,
        patience: secs(5),
        moves_relays: false,
        relays_tcp: false,
        hides_addresses: false,
    };
    servers.gather(epoch(), asked, bases);
}

/// The URLs of what is to be reached.
fn requests(servers: &mut Servers) -> Vec<ServerRequest> {
    std::iter::from_fn(|| servers.poll_request()).collect()
}

fn reach(servers: &mut Servers, request: &ServerRequest) {
    let path = ServerPath::Datagrams(vec![SERVER.parse().unwrap()]);
    servers.reached(epoch(), request.id, &path);
}

fn reach_over(servers: &mut Servers, request: &ServerRequest, host: u8) -> FiveTuple {
    let (mut local, remote) = (base(host), SERVER.parse().unwrap());
    local.set_port(40_000);
    servers.reached(epoch(), request.id, &ServerPath::Stream { local, remote });
    FiveTuple {
        transport: Carrier::Tcp,
        local,
        remote,
    }
}

/// What is sent, with the paths.
fn sent(servers: &mut Servers, now: Instant) -> Vec<(FiveTuple, Vec<u8>)> {
    let (mut batch, mut all) = (Batch::new(), Vec::new());
    while let Some(path) = servers.poll_transmit(now, &mut batch.transmit_buf(1200, 8)) {
        all.extend(batch.datagrams().map(|it| (path, it.to_vec())));
    }
    all
}

fn paths(servers: &mut Servers) -> Vec<SocketAddr> {
    let sent = sent(servers, epoch());
    sent.into_iter().map(|(path, _)| path.local).collect()
}

fn answer(
    servers: &mut Servers,
    now: Instant,
    (path, request): &(FiveTuple, Vec<u8>),
    class: Class,
    attributes: &[Attribute<'_>],
) {
    let request = MessageView::parse(request).unwrap();
    let mut bytes = vec![0; 200];
    let id = request.transaction_id();
    let mut message = MessageBuilder::new(&mut bytes, class, request.method(), id);
    for attribute in attributes {
        message.attribute(*attribute);
    }
    let len = message.finish().unwrap();
    let passed = servers.handle_input(now, *path, &mut bytes[..len]);
    assert!(passed.unwrap().is_none());
}

fn found(servers: &mut Servers) -> usize {
    let told = std::iter::from_fn(|| servers.poll_told());
    told.filter(|it| matches!(it, Told::Found(..))).count()
}

#[test]
fn a_socket_that_comes_asks_the_servers_that_it_does_not_have() {
    let mut servers = servers();
    let list = list(&[
        "stun:192.0.2.1",
        "turn:192.0.2.1",
        "turn:192.0.2.1?transport=tcp",
    ]);
    gather(&mut servers, &list, &[base(1)]);
    let first = requests(&mut servers);
    assert_eq!(first.len(), 3);
    reach(&mut servers, &first[0]);
    // While the second and the third are sought: they are found from there, too.
    servers.add_base(epoch(), base(2));
    let again = requests(&mut servers);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].uri, first[0].uri);
    reach(&mut servers, &again[0]);
    reach(&mut servers, &first[1]);
    reach_over(&mut servers, &first[2], 1);
    let mut asked = paths(&mut servers);
    asked.sort_unstable();
    let stream: SocketAddr = ([10, 0, 0, 1], 40_000).into();
    assert_eq!(asked, [base(1), base(1), stream, base(2), base(2)]);
    servers.add_base(epoch(), base(2));
    assert_eq!(requests(&mut servers), [], "known");
    // A restart asks nobody twice, whoever has new credentials.
    let renewed = list.iter().cloned().map(|server| IceServer {
        credentials: server
            .credentials
            .map(|_| Credentials::new("later", "other")),
        ..server
    });
    let renewed = renewed.collect();
    gather(&mut servers, &renewed, &[base(1), base(2)]);
    assert_eq!(requests(&mut servers), []);
}

#[test]
fn a_stream_is_opened_anew_where_the_old_one_has_lost_its_network() {
    let mut servers = servers();
    gather(
        &mut servers,
        &list(&["turn:192.0.2.1?transport=tcp"]),
        &[base(1), base(2)],
    );
    let first = requests(&mut servers);
    let old = reach_over(&mut servers, &first[0], 1);
    assert_eq!(servers.streams().collect::<Vec<_>>(), [old]);
    servers.socket_lost(epoch(), base(2));
    assert_eq!(requests(&mut servers), [], "another network");
    servers.socket_lost(epoch(), base(1));
    assert_eq!(servers.streams().count(), 0);
    let [again] = &requests(&mut servers)[..] else {
        panic!("one request");
    };
    // What was being opened through the network that is gone is opened again, too.
    servers.socket_lost(epoch(), base(1));
    let [last] = &requests(&mut servers)[..] else {
        panic!("one request");
    };
    reach_over(&mut servers, again, 3);
    assert_eq!(servers.streams().count(), 0, "nobody waits for it");
    let new = reach_over(&mut servers, last, 3);
    assert_eq!(servers.streams().collect::<Vec<_>>(), [new]);
}

#[test]
fn what_could_not_be_found_is_sought_again_after_a_change() {
    let mut servers = servers();
    gather(&mut servers, &list(&["stun:stun.example.org"]), &[base(1)]);
    let first = requests(&mut servers);
    servers.add_base(epoch(), base(2));
    servers.unreachable(first[0].id, "no such name".into());
    assert!(servers.poll_told().is_none());
    let again = requests(&mut servers);
    servers.unreachable(again[0].id, "no such name".into());
    assert!(matches!(servers.poll_told(), Some(Told::Error(_))));
    assert_eq!(requests(&mut servers), []);
    assert!(servers.are_done());
}

/// A server whose relay is gone is asked again once, if it had lasted.
#[test]
fn who_refuses_is_not_asked_for_ever() {
    for (after, is_asked) in [(secs(1), false), (secs(70), true)] {
        let mut servers = servers();
        gather(&mut servers, &list(&["stun:192.0.2.1"]), &[base(1)]);
        let first = requests(&mut servers);
        reach(&mut servers, &first[0]);
        let mut now = epoch();
        let request = sent(&mut servers, now).remove(0);
        let mapped = [Attribute::XorMappedAddress(([203, 0, 113, 1], 7).into())];
        answer(&mut servers, now, &request, Class::Success, &mapped);
        let gone = [Attribute::ErrorCode(ErrorCode::BAD_REQUEST)];
        let mut last = None;
        while last.is_none() {
            now += secs(1);
            servers.handle_timeout(now);
            for request in sent(&mut servers, now) {
                if now >= epoch() + after {
                    answer(&mut servers, now, &request, Class::Error, &gone);
                    last = Some(());
                } else {
                    answer(&mut servers, now, &request, Class::Success, &mapped);
                }
            }
        }
        let again = requests(&mut servers);
        assert_eq!(again.len(), usize::from(is_asked));
        for request in again {
            reach(&mut servers, &request);
            let request = sent(&mut servers, now).remove(0);
            answer(&mut servers, now, &request, Class::Error, &gone);
            assert_eq!(requests(&mut servers), []);
        }
    }
}

/// A server that sees another address every time does not fill the list of candidates.
#[test]
fn the_addresses_that_a_server_makes_up_are_bounded() {
    let mut servers = servers();
    gather(&mut servers, &list(&["stun:192.0.2.1"]), &[base(1)]);
    let first = requests(&mut servers);
    reach(&mut servers, &first[0]);
    let mut now = epoch();
    for port in 1..100 {
        for request in sent(&mut servers, now) {
            let mapped = Attribute::XorMappedAddress(([203, 0, 113, 1], port).into());
            answer(&mut servers, now, &request, Class::Success, &[mapped]);
        }
        now += secs(15);
        servers.handle_timeout(now);
    }
    assert_eq!(found(&mut servers), usize::from(MAX_MAPPED));
}
