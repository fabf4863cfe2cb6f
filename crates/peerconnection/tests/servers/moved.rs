//! Allocations that move to another network with the connection (RFC 8016).

use std::{net::SocketAddr, time::Duration};

use pc_simnet::{Link, Seed, ms, secs};
use pc_stun::{AttributeType as T, Method};
use peerconnection::{
    IceTransportPolicy,
    engine::{ChannelId, Event},
};

use crate::{
    server::Policy,
    world::{A, B, S, World, is_relayed, peer, turn},
};

/// Sockets on other networks.
const OTHERS: [&str; 3] = [
    "198.51.100.77:5077",
    "198.51.100.78:5078",
    "198.51.100.79:5079",
];

fn other(number: usize) -> SocketAddr {
    OTHERS[number].parse().unwrap()
}

fn mobile() -> Policy {
    Policy {
        mobility: true,
        ..Policy::default()
    }
}

/// Both sides use relays alone, and ask for tickets.
fn talking(seed: Seed, link: Link, policy: Policy) -> (World, [ChannelId; 2]) {
    let mut world = World::new(seed, link, [None; 2])
        .serve(policy)
        .asking(&[turn(0)]);
    for host in [A, B] {
        let engine = world.engine(host);
        engine.set_ice_transport_policy(IceTransportPolicy::Relay);
        engine.set_relay_mobility(true);
    }
    let channels = world.open();
    world.run_for(secs(3));
    (world, channels)
}

fn quick() -> Link {
    Link::new().delay(ms(20))
}

fn allocations(world: &mut World) -> usize {
    let requests = world.server(S).requests(Method::ALLOCATE);
    requests.iter().filter(|it| it.answer == 0).count()
}

/// How long it takes until both have heard something new.
fn silence(world: &mut World, channels: [ChannelId; 2]) -> Duration {
    let begin = world.net.now();
    world.talk(channels);
    world.net.now() - begin
}

fn restarts(world: &mut World) -> usize {
    world.engine(A).update_negotiation_needed();
    world.run_for(ms(1));
    let needed = |event: &&Event| matches!(event, Event::NegotiationNeeded);
    world.events(A).iter().filter(needed).count()
}

/// The only network goes, and another one comes: the call goes on through the same relayed addresses,
/// and the peer notices nothing.
#[test]
fn a_relayed_call_moves_to_another_network() {
    let (mut world, channels) = talking(Seed(1), quick(), mobile());
    let (pairs, allocated) = ([A, B].map(|host| world.pair(host)), allocations(&mut world));
    assert_eq!(allocated, 2);
    let restarted = restarts(&mut world);
    let mut from = world.peer(A).address;
    for (number, away) in [ms(0), ms(300), secs(8)].into_iter().enumerate() {
        world.lose(A, from);
        world.run_for(away);
        from = other(number);
        world.gain(A, from);
        // The Refresh with the ticket is answered after one round trip, and SCTP's own timers may have
        // run meanwhile (RFC 9260 §6.3.1: RTO.Min is 1 s).
        let took = silence(&mut world, channels);
        eprintln!("after {away:?} without a network: {took:?}");
        assert!(took < secs(1), "{took:?}");
        world.run_for(secs(3));
        world.talk(channels);
        let now = [A, B].map(|host| world.pair(host));
        assert_eq!(now, pairs);
    }
    assert_eq!(allocations(&mut world), allocated);
    assert_eq!(restarts(&mut world), restarted, "no restart");
    let clients: Vec<_> = world
        .server(S)
        .relay
        .allocations
        .iter()
        .map(|it| it.client)
        .collect();
    assert!(clients.contains(&other(2)), "{clients:?}");
    // What moves lasts: permissions, the channel and the allocation are refreshed from there.
    world.run_for(secs(1300));
    world.talk(channels);
    assert_eq!(allocations(&mut world), allocated);
}

#[test]
fn a_relayed_call_moves_on_a_bad_network() {
    for seed in 1..=10 {
        let link = Link::new().delay(ms(50)).jitter(ms(10)).loss(0.1);
        let (mut world, channels) = talking(Seed(seed), link, mobile());
        let from = world.peer(A).address;
        world.lose(A, from);
        world.run_for(secs(1));
        world.gain(A, other(0));
        world.talk(channels);
        world.run_for(secs(10));
        world.talk(channels);
        assert!(is_relayed(&world.pair(A).unwrap()));
    }
}

/// While there is no network, nothing is sent and nobody is woken for it.
#[test]
fn without_a_network_a_relay_waits() {
    let (mut world, channels) = talking(Seed(2), quick(), mobile());
    let (from, before) = (world.peer(A).address, restarts(&mut world));
    world.lose(A, from);
    world.run_for(ms(100));
    let sent = world.net.trace().count(|it| it.from == Some(A.0));
    world.run_for(secs(20));
    assert_eq!(world.net.trace().count(|it| it.from == Some(A.0)), sent);
    assert_eq!(
        restarts(&mut world),
        before,
        "there is nothing to restart with"
    );
    world.gain(A, other(0));
    world.talk(channels);
}

/// RFC 8016 §3.1.2: where the server forbids it, another relay takes over from the new network.
#[test]
fn where_relays_do_not_move_others_are_asked_for() {
    let forbidding = Policy {
        forbids_mobility: true,
        ..Policy::default()
    };
    for policy in [forbidding, Policy::default()] {
        let (mut world, channels) = talking(Seed(3), quick(), policy);
        let before = restarts(&mut world);
        let from = world.peer(A).address;
        world.lose(A, from);
        world.run_for(ms(300));
        world.gain(A, other(0));
        world.talk(channels);
        world.run_for(secs(3));
        world.talk(channels);
        assert_eq!(allocations(&mut world), 3);
        assert_eq!(restarts(&mut world), before);
    }
}

/// The server has forgotten the ticket: it is asked for another relay at once.
#[test]
fn a_move_that_is_refused_is_no_end() {
    let (mut world, channels) = talking(Seed(4), quick(), mobile());
    let from = world.peer(A).address;
    world.lose(A, from);
    let relay = &mut world.server(S).relay;
    relay.allocations.retain(|it| it.client != from);
    world.run_for(ms(300));
    world.gain(A, other(0));
    world.talk(channels);
    world.run_for(secs(3));
    world.talk(channels);
    assert_eq!(allocations(&mut world), 3);
}

/// The server cannot be reached from the new network: ICE is restarted, as where there is no relay.
#[test]
fn a_move_without_an_answer_leads_to_a_restart() {
    let (mut world, _) = talking(Seed(5), quick(), mobile());
    let (from, before) = (world.peer(A).address, restarts(&mut world));
    world.lose(A, from);
    world.run_for(ms(300));
    let server = world.server(S).address;
    world.net.cut(other(0), server);
    world.gain(A, other(0));
    world.run_for(ms(900));
    assert_eq!(restarts(&mut world), before, "it has its time");
    world.run_for(ms(200));
    assert_eq!(restarts(&mut world), before + 1);
}

/// Nothing is left behind by a connection that is closed while it has no network.
#[test]
fn closing_does_not_wait_for_a_network() {
    let (mut world, _) = talking(Seed(6), quick(), mobile());
    let from = world.peer(A).address;
    world.lose(A, from);
    world.run_for(ms(300));
    let now = world.net.now();
    world.engine(A).close(now);
    world.run_for(ms(1));
    assert!(world.engine(A).is_drained());
    assert_eq!(peer(&world.net, B).engine.transports().count(), 1);
}

/// Nobody who does not want it pays for it.
#[test]
fn tickets_are_not_asked_for_unasked() {
    let mut world = World::new(Seed(7), quick(), [None; 2])
        .serve(mobile())
        .asking(&[turn(0)]);
    world.open();
    let asked = world.server(S).requests(Method::ALLOCATE);
    assert!(asked.iter().all(|it| !it.has(T::MOBILITY_TICKET)));
}
