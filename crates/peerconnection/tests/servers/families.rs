//! IPv4 and IPv6: a relay speaks whichever the peer does.

use std::net::SocketAddr;

use pc_ice::CandidateKind;
use pc_simnet::{HostId, Link, Seed, ms, secs};
use pc_stun::{ErrorCode, Method};
use peerconnection::{IceTransportPolicy, engine::IceServer};

use crate::{
    server::{Additional, Policy},
    world::{A, B, S, World, server_address, turn},
};

const SIX: &str = "[2001:db8:b::2]:5000";

/// A has IPv4 alone and B has IPv6 alone.
fn apart() -> World {
    let mut world = World::new(Seed(1), Link::new().delay(ms(20)), [None; 2]);
    let (old, six): (_, SocketAddr) = (world.peer(B).address, SIX.parse().unwrap());
    world.net.remove_address(old);
    world.net.add_address(B, six);
    world.peer(B).address = six;
    world
}

/// The relayed candidates that a side has told, and their related addresses.
fn relays(world: &World, host: HostId) -> Vec<(String, String)> {
    let told = world.signaled[host.0].iter();
    let relayed = told.filter(|it| it.candidate.contains(" typ relay "));
    let part = |text: &str, at: usize| text.split(' ').nth(at).unwrap().to_owned();
    let both = |it: &str| (part(it, 4), part(it, 9));
    relayed.map(|it| both(&it.candidate)).collect()
}

/// RFC 8656 §7.1: the relay has an address of the peer's family, whatever the client's is.
#[test]
fn a_relay_leads_to_a_peer_of_the_other_family() {
    for additional in [Additional::Known, Additional::Draft] {
        let policy = Policy {
            additional,
            ..Policy::default()
        };
        let mut world = apart().serve(policy);
        world.engine(A).set_ice_servers(vec![turn(0)]);
        let channels = world.open();
        world.run_for(secs(2));
        world.talk(channels);
        let socket = world.peer(A).address.ip().to_string();
        let (four, six) = ("192.0.2.1".to_owned(), "2001:db8::".to_owned());
        assert_eq!(
            relays(&world, A),
            [(four, socket.clone()), (six, socket)],
            "RFC 8839 §5.1: the mapped address is the related one of both"
        );
        let pair = world.pair(A).unwrap();
        assert_eq!(pair.local.kind, CandidateKind::Relayed);
        assert_eq!(pair.remote.address, SIX.parse().unwrap());
        // Over a channel, once there is one (RFC 8656 §12).
        let before = world.server(S).relay.indications;
        world.talk(channels);
        assert_eq!(world.server(S).relay.indications, before);
        // What cannot be reached is not asked for: one permission, for B's only address.
        let permissions = world.server(S).requests(Method::CREATE_PERMISSION);
        assert!(permissions.iter().all(|it| it.answer == 0));
    }
}

/// A server that knows nothing of families gives no more than it did, as fast as it did.
#[test]
fn a_server_of_rfc_5766_gives_one() {
    let policy = Policy {
        additional: Additional::Ignored,
        ..Policy::default()
    };
    let mut world = World::new(Seed(2), Link::new().delay(ms(20)), [None; 2])
        .serve(policy)
        .asking(&[turn(0)]);
    for host in [A, B] {
        world
            .engine(host)
            .set_ice_transport_policy(IceTransportPolicy::Relay);
    }
    let channels = world.open();
    world.talk(channels);
    for host in [A, B] {
        assert_eq!(relays(&world, host).len(), 1);
    }
    assert_eq!(world.server(S).requests(Method::ALLOCATE).len(), 4);
}

/// What has no address of IPv6 by its name has no relayed one either: nothing is asked for that coturn
/// with `external-ip` would refuse, and gathering takes two round trips.
#[test]
fn a_name_of_ipv4_alone_is_not_asked_for_ipv6() {
    let refusing = Policy {
        additional: Additional::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
        ..Policy::default()
    };
    let four = server_address(0).ip();
    let six = "2001:db8::53".parse().unwrap();
    for (ips, policy, requests, relayed) in [
        (vec![four], Policy::default(), 2, 1),
        (vec![four], refusing.clone(), 2, 1),
        (vec![six, four], Policy::default(), 2, 2),
        (vec![six, four], refusing, 3, 1),
    ] {
        let mut world = World::new(Seed(4), Link::new().delay(ms(20)), [None; 2]).serve(policy);
        let server = IceServer {
            uri: "turn:turn.example.org".parse().unwrap(),
            ..turn(0)
        };
        world.peer(A).hosts = vec![("turn.example.org", ips)];
        world.engine(A).set_ice_servers(vec![server]);
        world.open();
        world.run_for(secs(1));
        assert_eq!(relays(&world, A).len(), relayed);
        let asked = world.server(S).requests(Method::ALLOCATE);
        assert_eq!(asked.len(), requests);
    }
}

/// Both sides use relays alone; neither has an address of IPv6.
#[test]
fn relays_of_either_family_carry_a_call() {
    for families in [[true, true], [true, false], [false, true]] {
        let policy = Policy {
            families,
            ..Policy::default()
        };
        let mut world = World::new(Seed(3), Link::new().delay(ms(20)), [None; 2])
            .serve(policy)
            .asking(&[turn(0)]);
        for host in [A, B] {
            world
                .engine(host)
                .set_ice_transport_policy(IceTransportPolicy::Relay);
        }
        let channels = world.open();
        world.run_for(secs(2));
        world.talk(channels);
        for host in [A, B] {
            let given = families.iter().filter(|it| **it).count();
            assert_eq!(relays(&world, host).len(), given);
            let pair = world.pair(host).unwrap();
            // RFC 8421 §4: IPv6 first.
            assert_eq!(pair.local.address.is_ipv6(), families[1], "{pair}");
        }
    }
}
