//! What servers do and do not, and what a connection makes of it.

use std::time::Duration;

use pc_ice::{CandidateKind, turn};
use pc_simnet::{Dependence, HostId, Link, Seed, ms, secs};
use pc_stun::{AttributeType, Method};
use peerconnection::{
    BundlePolicy, IceTransportPolicy,
    engine::{Config, Connection, Event, IceServer, MediaKind},
    state::{IceConnectionState, IceGatheringState},
    stats::Stats,
};

use crate::{
    nodes::certificates,
    server::Policy,
    world::{
        A, B, Behind, S, World, is_open, is_relayed, peer, relay_of, server_address, stun, turn,
    },
};

/// Only servers can help.
const SYMMETRIC: Behind = Some([Dependence::AddressAndPortDependent; 2]);
const OPEN: Behind = Some([Dependence::EndpointIndependent; 2]);

fn world(behind: [Behind; 2]) -> World {
    World::new(Seed(1), Link::new().delay(ms(20)), behind)
}

fn ice_states(world: &World, host: HostId) -> Vec<IceConnectionState> {
    let of = |event: &Event| match event {
        Event::IceConnectionStateChange(state) => Some(*state),
        _ => None,
    };
    world.events(host).iter().filter_map(of).collect()
}

fn server_of(world: &mut World, host: HostId) -> Option<u8> {
    relay_of(&world.pair(host)?)
}

#[test]
fn another_relay_takes_over_from_one_that_is_gone() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .serve(Policy::default())
        .asking(&[turn(0), turn(1)]);
    let channels = world.open();
    world.run_for(secs(5));
    let gone = server_of(&mut world, A).expect("a relayed pair");
    assert_eq!(server_of(&mut world, B), Some(gone));
    world.server(HostId(S.0 + usize::from(gone))).policy.silent = true;
    let at = world.net.now();
    let other = Some(1 - gone);
    world.run_for(secs(1));
    world.run(move |net| {
        let uses = |host| {
            let mut transports = peer(net, host).engine.transports();
            let pair = transports.next().and_then(|it| it.selected_pair().cloned());
            pair.and_then(|pair| relay_of(&pair)) == Some(1 - gone)
        };
        uses(A) && uses(B)
    });
    let took = world.net.now() - at;
    eprintln!("taken over after {took:?}");
    assert!(took < secs(20), "{took:?}");
    assert_eq!(server_of(&mut world, A), other);
    world.talk(channels);
    for host in [A, B] {
        assert!(!ice_states(&world, host).contains(&IceConnectionState::Failed));
    }
}

#[test]
fn a_call_without_another_pair_ends_with_its_relay() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[turn(0)]);
    world.open();
    world.run_for(secs(5));
    world.server(S).policy.silent = true;

    let (at, before) = (
        world.net.now(),
        [A, B].map(|host| ice_states(&world, host).len()),
    );
    world.run(|net| {
        [A, B].iter().all(|host| {
            peer(net, *host).engine.ice_connection_state() == IceConnectionState::Failed
        })
    });
    let took = world.net.now() - at;
    // RFC 7675 §5.1: 30 s after the last answer to a consent check.
    assert!(took > secs(20) && took < secs(40), "{took:?}");
    for host in [A, B] {
        use IceConnectionState::{Disconnected, Failed};
        let states = &ice_states(&world, host)[before[host.0]..];
        assert_eq!(states, [Disconnected, Failed]);
    }
}

/// Who uses relays alone does not want to say where it is, to the peer or to the application.
#[test]
fn relay_only_leaks_no_address() {
    let mut world = world([OPEN, None])
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)]);
    world
        .engine(A)
        .set_ice_transport_policy(IceTransportPolicy::Relay);
    let channels = world.open();
    world.run_for(secs(12));
    world.talk(channels);
    let now = world.net.now();
    let candidates: Vec<_> = world.signaled[A.0]
        .iter()
        .map(|it| it.candidate.clone())
        .collect();
    let relayed = candidates.iter().filter(|it| !it.is_empty());
    assert_eq!(relayed.clone().count(), 2, "{candidates:?}");
    for (candidate, nowhere) in relayed.zip(["0.0.0.0", "::"]) {
        let end = format!(" typ relay raddr {nowhere} rport 9");
        assert!(candidate.contains(&end), "{candidate}");
    }
    let report = world.engine(A).stats(now, |_| None);
    let local: Vec<_> = report
        .iter()
        .filter(|it| matches!(it, Stats::LocalCandidate(_)))
        .collect();
    assert_eq!(local.len(), 2, "{local:?}");
    let sdp = world.engine(A).local_description().unwrap().sdp;
    let views: Vec<_> = world
        .engine(A)
        .transports()
        .map(|it| it.local_candidates())
        .collect();
    let told = format!("{candidates:?} {report:?} {sdp} {views:?}");
    // The socket's address, and that of the NAT.
    for secret in ["10.0.0.2", "203.0.113.1"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert_eq!(world.pair(A).unwrap().local.kind, CandidateKind::Relayed);
    let elsewhere = world
        .net
        .trace()
        .count(|it| it.from == Some(A.0) && it.to != Some(S.0));
    assert_eq!(elsewhere, 0, "everything goes to the server");
}

/// RFC 8489 §9.2.5: 401 to a request that has credentials is the end.
#[test]
fn a_wrong_password_is_told_and_the_call_goes_on_without() {
    let wrong = IceServer {
        credentials: Some(turn::Credentials::new("user", "not it")),
        ..turn(0)
    };
    let mut world = world([None; 2]).serve(Policy::default()).asking(&[wrong]);
    let channels = world.open();
    world.run_for(secs(1));
    world.talk(channels);
    for host in [A, B] {
        let socket = world.peer(host).address;
        let [error] = &world.errors(host)[..] else {
            panic!("{:?}", world.errors(host));
        };
        assert_eq!(error.error_code, 401);
        assert_eq!(error.url, "turn:192.0.2.1:3478?transport=udp");
        assert_eq!(
            (error.address, error.port),
            (Some(socket.ip()), Some(socket.port()))
        );
        assert_eq!(
            world.engine(host).ice_gathering_state(),
            IceGatheringState::Complete
        );
        assert_eq!(world.pair(host).unwrap().local.kind, CandidateKind::Host);
    }
}

/// RFC 8489 §10.
#[test]
fn a_redirected_client_uses_the_other_server() {
    let elsewhere = Policy {
        alternate: Some(server_address(1)),
        ..Policy::default()
    };
    let mut world = world([SYMMETRIC; 2])
        .serve(elsewhere)
        .serve(Policy::default())
        .asking(&[turn(0)]);
    let channels = world.open();
    world.run_for(secs(1));
    world.talk(channels);
    assert_eq!(server_of(&mut world, A), Some(1));
    assert_eq!(world.server(S).relay.allocations.len(), 0);
    assert_eq!(world.server(HostId(S.0 + 1)).relay.allocations.len(), 2);
    for host in [A, B] {
        assert!(world.errors(host).is_empty());
        assert_eq!(
            world.engine(host).ice_gathering_state(),
            IceGatheringState::Complete
        );
    }
}

/// Two servers that send each other their clients.
#[test]
fn redirects_in_a_circle_end() {
    let to = |number| Policy {
        alternate: Some(server_address(number)),
        ..Policy::default()
    };
    let mut world = world([None; 2])
        .serve(to(1))
        .serve(to(0))
        .asking(&[turn(0), stun(0)]);
    world.open();
    world.run_for(secs(5));
    for host in [A, B] {
        assert_eq!(
            world.engine(host).ice_gathering_state(),
            IceGatheringState::Complete
        );
        let errors = world.errors(host);
        assert_eq!(errors.len(), 2, "{errors:?}");
    }
    let asked = world.server(S).seen.len();
    assert!(asked < 20, "{asked} requests");
}

/// Names that cannot be resolved are what [`nodes`](crate::nodes) says they are.
#[test]
fn an_unreachable_server_is_told() {
    let nowhere = IceServer {
        uri: "stun:stun.example.org".parse().unwrap(),
        credentials: None,
    };
    let mut world = world([None; 2]).asking(&[nowhere]);
    world.open();
    for host in [A, B] {
        let [error] = &world.errors(host)[..] else {
            panic!("{:?}", world.errors(host));
        };
        assert_eq!((error.error_code, error.address), (701, None));
        assert_eq!(error.error_text, "stun.example.org: no such name");
        assert_eq!(
            world.engine(host).ice_gathering_state(),
            IceGatheringState::Complete
        );
    }
}

#[test]
fn a_restart_keeps_the_allocations() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)]);
    let channels = world.open();
    world.run_for(secs(2));
    let first = world.signaled.clone();
    world.engine(A).restart_ice();
    world.negotiate();
    world.run_for(secs(5));
    world.talk(channels);
    assert!(is_relayed(&world.pair(A).unwrap()));
    let allocated = |world: &mut World| {
        let requests = world.server(S).requests(Method::ALLOCATE);
        requests.iter().filter(|it| it.answer == 0).count()
    };
    assert_eq!(allocated(&mut world), 2, "one for each side");
    for side in [A.0, B.0] {
        // The same candidates under new user fragments.
        let (old, new) = world.signaled[side].split_at(first[side].len());
        let relays = |list: &[peerconnection::IceCandidate]| -> Vec<String> {
            let relayed = list.iter().filter(|it| it.candidate.contains(" relay "));
            let address = |it: &str| it.split(' ').skip(4).take(2).collect::<Vec<_>>().join(":");
            relayed.map(|it| address(&it.candidate)).collect()
        };
        assert_eq!(relays(old).len(), 2, "one of each family");
        assert_eq!(relays(old), relays(new));
        assert_ne!(old[0].username_fragment, new[0].username_fragment);
    }
}

/// RFC 8656 §8: a Refresh with a lifetime of zero gives the allocation back.
#[test]
fn closing_releases_the_allocation() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[turn(0)]);
    world.open();
    assert_eq!(world.server(S).relay.allocations.len(), 2);
    for (host, left) in [(A, 1), (B, 0)] {
        let now = world.net.now();
        world.engine(host).close(now);
        world.run_for(ms(100));
        assert!(world.engine(host).is_drained());
        assert_eq!(world.server(S).relay.allocations.len(), left);
    }
    let released = world.server(S).requests(Method::REFRESH);
    assert_eq!(released.len(), 2);
    for request in released {
        assert!(request.has(AttributeType::LIFETIME) && request.answer == 0);
    }
}

/// Before anybody has answered, too.
#[test]
fn closing_early_releases_the_allocation() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[turn(0)]);
    let now = world.net.now();
    let init = Default::default();
    let channel = world.engine(A).create_data_channel(now, "chat", init);
    channel.unwrap();
    world.describe(A);
    world.net.run_for(secs(1));
    assert_eq!(world.server(S).relay.allocations.len(), 1);
    let now = world.net.now();
    world.engine(A).close(now);
    world.net.run_for(ms(100));
    assert_eq!(world.server(S).relay.allocations.len(), 0);
}

/// What bundling makes superfluous gives back what it has.
#[test]
fn an_ended_transport_releases_its_allocation() {
    let mut world = world([SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[turn(0)]);
    let policy = BundlePolicy::MaxCompat;
    *world.engine(A) = Connection::new(Config {
        bundle_policy: policy,
        ..Config::new(certificates()[0].clone(), [7; 32])
    });
    world.engine(A).set_ice_servers(vec![turn(0)]);
    let now = world.net.now();
    let engine = world.engine(A);
    engine
        .add_transceiver(MediaKind::Audio, None, Default::default())
        .unwrap();
    let here = engine.create_data_channel(now, "chat", Default::default());
    let offer = world.describe(A);
    world.net.run_for(secs(1));
    assert_eq!(world.server(S).relay.allocations.len(), 2);
    let now = world.net.now();
    world.engine(B).set_remote_description(now, offer).unwrap();
    let answer = world.describe(B);
    world.engine(A).set_remote_description(now, answer).unwrap();
    world.run(|net| is_open(net, A) && is_open(net, B));
    world.run_for(secs(1));
    assert_eq!(
        world.server(S).relay.allocations.len(),
        2,
        "one for each side"
    );
    assert_eq!(world.server(S).requests(Method::REFRESH).len(), 1);
    let (there, _) = world.engine(B).channels().next().unwrap();
    world.talk([here.unwrap(), there]);
}

/// An hour, in which everything on the server would lapse several times: nonces, permissions,
/// channels, allocations, and the NATs' bindings.
#[test]
fn a_relayed_call_outlives_what_lapses() {
    let policy = Policy {
        nonce_lifetime: Duration::from_secs(600),
        ..Policy::default()
    };
    let mut world = world([SYMMETRIC; 2])
        .serve(policy)
        .asking(&[stun(0), turn(0)]);
    let channels = world.open();
    for _ in 0..6 {
        world.run_for(Duration::from_secs(600));
        world.talk(channels);
    }
    for host in [A, B] {
        assert!(is_open(&world.net, host));
        assert!(world.errors(host).is_empty());
        let states = ice_states(&world, host);
        assert!(
            !states.contains(&IceConnectionState::Disconnected),
            "{states:?}"
        );
    }
    assert!(world.server(S).relay.channel_messages > 100);
}
