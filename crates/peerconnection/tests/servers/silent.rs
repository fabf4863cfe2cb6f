//! Servers that say nothing or too late, and how often an application hears of it.

use std::net::SocketAddr;

use pc_ice::turn;
use pc_simnet::{Dependence, HostId, Link, Network, Seed, ms, secs};
use pc_stun::{ErrorCode, Method};
use peerconnection::{
    IceTransportPolicy,
    engine::{GATHERING_TIMEOUT, IceServer},
    state::IceGatheringState,
};

use crate::{
    nodes::Node,
    server::Policy,
    world::{A, B, S, World, is_relayed, peer, server_address, stun, turn},
};

fn world() -> World {
    World::new(Seed(1), Link::new().delay(ms(20)), [None; 2])
}

fn silent() -> Policy {
    Policy {
        silent: true,
        ..Policy::default()
    }
}

fn is_complete(net: &Network<Node>, host: HostId) -> bool {
    peer(net, host).engine.ice_gathering_state() == IceGatheringState::Complete
}

/// pion signs no error of its allocations: what it claims is told as a claim when gathering ends, for an
/// answer that is signed may come until then (RFC 8489 §9.2.5).
#[test]
fn an_unsigned_refusal_is_told_when_gathering_ends() {
    let error = ErrorCode::ALLOCATION_QUOTA_REACHED;
    let quota = Policy {
        signs_errors: false,
        refuse: vec![(Method::ALLOCATE, error); 2].into(),
        ..Policy::default()
    };
    let mut world = world().serve(quota).asking(&[turn(0)]);
    world.open();
    world.run(|net| is_complete(net, A) && is_complete(net, B));
    for host in [A, B] {
        let [error] = &world.errors(host)[..] else {
            panic!("{:?}", world.errors(host));
        };
        assert_eq!(error.error_code, 486);
        assert!(error.error_text.contains("not signed"), "{error:?}");
    }
}

#[test]
fn gathering_does_not_wait_for_ever() {
    let mut world = world().serve(silent()).asking(&[stun(0), turn(0)]);
    let begin = world.net.now();
    world.open();
    let opened = world.net.now() - begin;
    assert!(opened < secs(1), "the call waits for nobody: {opened:?}");
    world.run(|net| is_complete(net, A) && is_complete(net, B));
    assert_eq!(world.net.now() - begin, GATHERING_TIMEOUT);
    for host in [A, B] {
        let errors = world.errors(host);
        let codes: Vec<_> = errors.iter().map(|it| (it.error_code, &*it.url)).collect();
        assert_eq!(
            codes,
            [
                (701, "stun:192.0.2.1:3478"),
                (701, "turn:192.0.2.1:3478?transport=udp")
            ]
        );
    }
    // The requests' own end is not told again.
    let told = world.errors(A).len();
    world.run_for(secs(60));
    assert_eq!(world.errors(A).len(), told);
}

#[test]
fn who_cannot_wait_says_so() {
    let mut world = world().serve(silent()).asking(&[stun(0)]);
    world.engine(A).set_gathering_timeout(ms(700));
    let begin = world.net.now();
    world.call();
    world.run(|net| is_complete(net, A));
    assert_eq!(world.net.now() - begin, ms(700));
}

/// Nothing is signaled after the end of candidates (RFC 8838 §13), but what comes late is used: the
/// peer learns it from checks.
#[test]
fn a_late_answer_serves_without_being_told() {
    let mut world = world().serve(silent()).asking(&[turn(0)]);
    let policy = IceTransportPolicy::Relay;
    world.engine(A).set_ice_transport_policy(policy);
    world.engine(B).set_ice_servers(Vec::new());
    let channels = {
        let here = world.call();
        world.run_for(GATHERING_TIMEOUT + secs(1));
        assert!(is_complete(&world.net, A) && world.told(A).is_empty());
        world.server(S).policy.silent = false;
        world.run(|net| crate::world::is_open(net, A) && crate::world::is_open(net, B));
        let (there, _) = world.engine(B).channels().next().unwrap();
        [here, there]
    };
    world.talk(channels);
    assert!(is_relayed(&world.pair(A).unwrap()));
    assert!(world.told(A).is_empty(), "{:?}", world.told(A));
    // A restart tells it, without asking anew.
    world.engine(A).restart_ice();
    world.negotiate();
    world.run_for(ms(1));
    let told = world.told(A);
    assert!(!told.is_empty());
    assert!(told.iter().all(|it| it.contains(" typ relay ")), "{told:?}");
}

/// [WebRTC §4.8.2](https://www.w3.org/TR/webrtc/#dom-rtcpeerconnectioniceerrorevent-errorcode): 701 is
/// for a server that no host candidate reaches.
#[test]
fn a_socket_without_a_way_to_the_server_is_no_error_while_another_has_one() {
    let mut world = world().serve(Policy::default()).asking(&[stun(0), turn(0)]);
    let elsewhere: SocketAddr = ([172, 16, 0, 2], 5000).into();
    let six: SocketAddr = "[2001:db8:1::2]:5000".parse().unwrap();
    world.peer(A).others = vec![elsewhere, six];
    world.net.cut(elsewhere, server_address(0));
    let begin = world.net.now();
    world.open();
    world.run(|net| is_complete(net, A));
    assert_eq!(world.net.now() - begin, GATHERING_TIMEOUT);
    assert_eq!(world.errors(A), []);
    let told = world.told(A);
    assert!(told.iter().any(|it| it.contains(" typ relay ")), "{told:?}");
}

#[test]
fn a_server_that_no_socket_reaches_is_told_once() {
    let mut world = world().serve(silent()).asking(&[stun(0)]);
    world.peer(A).others = vec![
        ([172, 16, 0, 2], 5000).into(),
        ([172, 17, 0, 2], 5000).into(),
    ];
    world.open();
    world.run_for(secs(60));
    let [error] = &world.errors(A)[..] else {
        panic!("{:?}", world.errors(A));
    };
    assert_eq!((error.error_code, error.address), (701, None));
    // There is one socket on the other side.
    let [error] = &world.errors(B)[..] else {
        panic!("{:?}", world.errors(B));
    };
    let address = world.peer(B).address;
    assert_eq!(error.address, Some(address.ip()));
    assert_eq!(error.port, Some(address.port()));
}

/// What a server answers is told for each socket.
#[test]
fn a_refusal_is_told_for_each_socket() {
    let wrong = IceServer {
        credentials: Some(turn::Credentials::new("user", "not it")),
        ..turn(0)
    };
    for (policy, count) in [(IceTransportPolicy::All, 2), (IceTransportPolicy::Relay, 1)] {
        let mut world = world()
            .serve(Policy::default())
            .asking(std::slice::from_ref(&wrong));
        world.engine(A).set_ice_transport_policy(policy);
        world.peer(A).others = vec![([172, 16, 0, 2], 5000).into()];
        world.call();
        world.run_for(secs(1));
        let errors = world.errors(A);
        // Where sockets are not told of, both would be the same.
        assert_eq!(errors.len(), count, "{errors:?}");
        assert!(errors.iter().all(|it| it.error_code == 401));
        let mut addresses: Vec<_> = errors.iter().map(|it| it.address).collect();
        addresses.dedup();
        assert_eq!(addresses.len(), count);
    }
}

/// A NAT that gives another address, and a server that stops answering, are not failures to gather.
#[test]
fn what_goes_wrong_later_is_no_error_of_gathering() {
    let open = [Dependence::EndpointIndependent; 2];
    let mut world = World::new(Seed(2), Link::new().delay(ms(20)), [Some(open); 2])
        .serve(Policy::default())
        .asking(&[stun(0)]);
    let channels = world.open();
    world.run_for(secs(2));
    world.server(S).policy.silent = true;
    world.run_for(secs(120));
    assert_eq!(world.errors(A), []);
    world.talk(channels);
}
