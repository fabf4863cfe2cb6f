//! Servers asked from interfaces that come while the connection lives.

use std::net::{IpAddr, SocketAddr};

use pc_ice::CandidatePair;
use pc_simnet::{Dependence, Link, Nat, Seed, ms, secs};
use peerconnection::{
    IceTransportPolicy,
    engine::{ChannelId, Event},
    state::{IceGatheringState, IceTransportState},
};

use crate::{
    server::Policy,
    world::{A, B, Behind, S, World, is_relayed, peer, stun, turn},
};

/// Only servers can help.
const SYMMETRIC: Behind = Some([Dependence::AddressAndPortDependent; 2]);

/// A socket on another network.
const OTHER: ([u8; 4], u16) = ([10, 9, 0, 2], 5009);

/// The address of the NAT before that.
const OTHER_NAT: [u8; 4] = [203, 0, 113, 99];

fn world(seed: u64) -> World {
    let link = Link::new().delay(ms(20));
    let mut world = World::new(Seed(seed), link, [SYMMETRIC; 2])
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)]);
    let [mapping, filtering] = SYMMETRIC.unwrap();
    let nat = Nat::new(OTHER_NAT.into(), mapping, filtering);
    world.net.put_behind(nat, &[OTHER.0.into()]);
    world
}

fn negotiation_is_needed(world: &mut World) -> bool {
    let known = world.events(A).len();
    world.engine(A).update_negotiation_needed();
    world.run_for(ms(1));
    let needed = |event: &Event| matches!(event, Event::NegotiationNeeded);
    world.events(A)[known..].iter().any(needed)
}

/// The candidates of allocations, which have an address of IPv4 each.
fn relayed(told: &[String]) -> usize {
    let is_relayed = |it: &&String| it.contains(" 192.0.2.1 ") && it.contains(" typ relay ");
    told.iter().filter(is_relayed).count()
}

/// Another pair than this carries data within a second, and a message each way. SCTP's own timers come
/// on top (RFC 9260 §6.3.1: RTO.Min is 1 s).
#[track_caller]
fn takes_over(world: &mut World, before: &CandidatePair, channels: [ChannelId; 2]) {
    let begin = world.net.now();
    world.run(|net| {
        let pairs = [A, B].map(|host| {
            let mut transports = peer(net, host).engine.transports();
            let transport = transports.next().unwrap();
            let is_connected = matches!(
                transport.ice_state(),
                IceTransportState::Connected | IceTransportState::Completed
            );
            transport.selected_pair().cloned().filter(|_| is_connected)
        });
        let new = pairs[A.0].as_ref();
        let agree = |there: &CandidatePair| {
            new.is_some_and(|here| here.local.address == there.remote.address)
        };
        new.is_some_and(|new| new != before) && pairs[B.0].as_ref().is_some_and(agree)
    });
    let took = world.net.now() - begin;
    eprintln!("taken over after {took:?}");
    assert!(took < secs(1), "{took:?}");
    world.talk(channels);
}

#[test]
fn what_comes_while_gathering_is_told() {
    let mut world = world(1);
    world.call();
    world.run_for(ms(10));
    world.gain(A, OTHER.into());
    world.run_for(secs(1));
    assert_eq!(
        world.engine(A).ice_gathering_state(),
        IceGatheringState::Complete
    );
    let told = world.told(A);
    let other = format!("raddr {} rport {}", IpAddr::from(OTHER.0), OTHER.1);
    let reflexive = |it: &String| it.contains(" typ srflx ") && it.contains(&other);
    assert!(told.iter().any(reflexive), "{told:?}");
    assert_eq!(relayed(&told), 2, "{told:?}");
    assert_eq!(world.errors(A), []);
}

/// The network in use goes, then another one comes, from which only a relay leads to the peer: it is
/// asked at once, so that the call goes on without a restart. What it gave is told by the next one.
#[test]
fn a_relay_asked_from_another_network_takes_over() {
    for policy in [IceTransportPolicy::All, IceTransportPolicy::Relay] {
        let mut world = world(2);
        world.engine(A).set_ice_transport_policy(policy);
        let channels = world.open();
        world.run_for(secs(3));
        negotiation_is_needed(&mut world);
        let before = world.told(A).len();
        let (address, pair) = (world.peer(A).address, world.pair(A).unwrap());
        world.lose(A, address);
        world.run_for(secs(1));
        world.gain(A, OTHER.into());
        takes_over(&mut world, &pair, channels);
        world.run_for(secs(3));
        world.talk(channels);
        assert!(is_relayed(&world.pair(A).unwrap()));
        assert!(!negotiation_is_needed(&mut world), "no restart");
        // RFC 8838 §13: not after the end of candidates.
        assert_eq!(world.told(A).len(), before);
        assert_eq!(world.errors(A), []);
        world.engine(A).restart_ice();
        world.negotiate();
        world.run_for(ms(1));
        let told = world.told(A).split_off(before);
        assert_eq!(relayed(&told), 1, "{told:?}");
        if policy == IceTransportPolicy::Relay {
            let is_relayed = |it: &String| it.contains(" typ relay ");
            assert!(told.iter().all(is_relayed), "{told:?}");
        }
    }
}

/// Another network is there already, and has been asked from.
#[test]
fn the_relay_of_another_socket_takes_over() {
    let mut world = world(3);
    world.peer(A).others = vec![OTHER.into()];
    let channels = world.open();
    world.run_for(secs(3));
    assert_eq!(world.server(S).relay.allocations.len(), 3);
    let (address, pair) = (world.peer(A).address, world.pair(A).unwrap());
    world.lose(A, address);
    takes_over(&mut world, &pair, channels);
    assert!(is_relayed(&world.pair(A).unwrap()));
}

/// The next gathering is of other servers (WebRTC §4.4.1.6), and of other kinds of candidates.
#[test]
fn a_restart_tells_of_the_servers_and_the_policy_of_now_alone() {
    let mut world = world(5).serve(Policy::default());
    let channels = world.open();
    world.run_for(secs(3));
    let before = world.told(A).len();
    world.engine(A).set_ice_servers(vec![turn(1)]);
    let policy = IceTransportPolicy::Relay;
    world.engine(A).set_ice_transport_policy(policy);
    world.engine(A).restart_ice();
    world.negotiate();
    world.run_for(secs(2));
    let told = world.told(A).split_off(before);
    assert!(!told.is_empty());
    for candidate in told {
        let is_of_second = !candidate.contains(" 192.0.2.1 ");
        assert!(
            candidate.contains(" typ relay ") && is_of_second,
            "{candidate}"
        );
    }
    world.talk(channels);
}

/// A new network that the peer is reached from only by what is signaled: ICE is restarted, and what the
/// servers have found is told at once.
#[test]
fn a_restart_finds_the_answers_there() {
    let mut world = world(4);
    let channels = world.open();
    world.run_for(secs(3));
    let before = world.told(A).len();
    let address: SocketAddr = world.peer(A).address;
    world.gain(A, OTHER.into());
    world.lose(A, address);
    world.run_for(ms(300));
    world.peer(A).address = OTHER.into();
    let complete = world.net.now();
    world.engine(A).restart_ice();
    world.negotiate();
    world.run(|net| peer(net, A).engine.ice_gathering_state() == IceGatheringState::Complete);
    assert_eq!(world.net.now(), complete);
    let told = world.told(A).split_off(before);
    assert!(told.iter().any(|it| it.contains(" typ relay ")), "{told:?}");
    world.talk(channels);
}
