//! ICE over TCP (RFC 6544).

mod world;

use std::time::Duration;

use pc_proto::{FiveTuple, Protocol, Transport};
use pc_simnet::{Seed, for_each_seed, secs};

use super::support::agent;
use crate::{Candidate, CandidateKind, Event, PairStatus, Role, State, TcpType, tcp::MAX_DIALS};
use world::World;

const TCP: [Option<Transport>; 2] = [Some(Transport::Tcp); 2];
const UDP: [Option<Transport>; 2] = [Some(Transport::Udp); 2];

#[test]
fn where_udp_is_blocked_tcp_connects_whoever_waits() {
    for_each_seed(20, |seed| {
        for active in [0, 1] {
            let mut world = World::ordinary(seed, active);
            world.udp_is_blocked = true;
            world.signal();
            assert!(world.run(|it| it.are(State::Connected) && it.transports() == TCP));
            assert!(world.run(|it| it.agents.iter().all(|agent| agent.is_nominated())));
            let taken = world.now - pc_simnet::epoch();
            assert!(taken < Duration::from_millis(1500), "{taken:?}");
            assert!(world.send(0, b"\x80hello") && world.send(1, b"\x80there"));
            let path = world.agents[active].route().unwrap();
            assert_eq!(Some(path.reversed()), world.agents[1 - active].route());
            // The far side knows the connection's port from its check alone.
            let pair = world.agents[1 - active].selected_pair().unwrap();
            assert_eq!(pair.remote.kind, CandidateKind::PeerReflexive);
            assert_eq!(pair.remote.tcp_type, Some(TcpType::Active));
            assert_eq!(pair.local.tcp_type, Some(TcpType::Passive));
            let pair = world.agents[active].selected_pair().unwrap();
            assert_eq!(
                (pair.local.kind, pair.local.address.port()),
                (CandidateKind::Host, 9)
            );
            assert_eq!(pair.remote.tcp_type, Some(TcpType::Passive));
            assert_eq!(world.dialed.len(), 1);
        }
    });
}

#[test]
fn udp_is_preferred_where_both_work() {
    for_each_seed(20, |seed| {
        let mut world = World::ordinary(seed, 0);
        world.signal();
        assert!(world.run(|it| it.are(State::Completed)));
        assert_eq!(world.transports(), UDP);
        world.run_for(secs(60));
        assert_eq!(world.transports(), UDP);
        assert!(world.open.is_empty(), "the connection is not needed");
    });
}

/// UDP comes to work after TCP was nominated: it takes over.
#[test]
fn udp_takes_over_when_it_comes_late() {
    let mut world = World::ordinary(Seed(5), 0);
    world.udp_is_blocked = true;
    world.signal();
    assert!(world.run(|it| it.agents[0].is_nominated() && it.transports() == TCP));
    world.udp_is_blocked = false;
    assert!(world.run(|it| it.transports() == UDP));
    assert!(world.send(0, b"\x80hello") && world.send(1, b"\x80there"));
}

/// RFC 6544 §6.2: who waits forms no pairs and asks for nothing; UDP and TCP do not mix.
#[test]
fn passive_candidates_form_no_pairs() {
    let mut world = World::new(Seed(1));
    world.add(0, Some(TcpType::Passive));
    world.add(1, Some(TcpType::Passive));
    world.signal();
    world.run_for(secs(1));
    assert!(world.agents.iter().all(|it| it.pairs().count() == 0));
    assert!(world.dialed.is_empty());
    let mut world = World::new(Seed(1));
    world.add(0, None);
    world.add(1, Some(TcpType::Active));
    world.signal();
    assert!(world.agents.iter().all(|it| it.pairs().count() == 0));
}

#[test]
fn simultaneous_opens_use_their_own_ports() {
    let mut world = World::new(Seed(2));
    for side in [0, 1] {
        world.add(side, Some(TcpType::SimultaneousOpen));
    }
    world.signal();
    assert!(world.run(|it| it.are(State::Completed)));
    let path = world.agents[0].route().unwrap();
    assert_eq!(
        (path.local, path.remote),
        (World::address(0), World::address(1))
    );
    assert_eq!(world.agents[1].route(), Some(path.reversed()));
}

/// RFC 8445 §7.2.5.3.1, RFC 6544 §7.2: behind a NAT both sides see a peer-reflexive candidate.
#[test]
fn a_nat_makes_active_candidates_peer_reflexive() {
    let mut world = World::ordinary(Seed(3), 0);
    world.nat = Some(0);
    world.signal();
    assert!(world.run(|it| it.transports() == TCP));
    let pair = world.agents[0].selected_pair().unwrap();
    assert_eq!(pair.local.kind, CandidateKind::PeerReflexive);
    assert_eq!(pair.local.tcp_type, Some(TcpType::Active));
    assert_eq!(pair.local.address.ip().to_string(), "192.0.2.1");
    let seen = &world.agents[1].selected_pair().unwrap().remote;
    assert_eq!(seen.address, pair.local.address);
    assert_eq!(seen.priority, pair.local.priority);
}

#[test]
fn a_refused_connection_fails_its_pair_at_once() {
    let mut world = World::ordinary(Seed(4), 0);
    (world.udp_is_blocked, world.refuses) = (true, true);
    world.signal();
    let failed = |it: &World| {
        let mut pairs = it.agents[0].pairs();
        pairs.any(|pair| pair.local.tcp_type.is_some() && pair.status == PairStatus::Failed)
    };
    assert!(world.run(failed));
    assert!(world.now - pc_simnet::epoch() < secs(1));
    assert!(
        world.run(|it| it.are(State::Failed)),
        "and UDP's in its time"
    );
    assert_eq!(world.dialed.len(), 1);
}

/// Nobody tells what became of the connection: it is given up, and nothing waits for ever.
#[test]
fn a_connection_that_is_never_told_of_is_given_up() {
    let mut world = World::new(Seed(4));
    world.add(0, Some(TcpType::Active));
    world.add(1, Some(TcpType::Passive));
    world.swallows = true;
    world.signal();
    assert!(world.run(|it| it.agents[0].state() == State::Failed));
    let taken = world.now - pc_simnet::epoch();
    assert!((secs(39)..secs(42)).contains(&taken), "{taken:?}");
}

#[test]
fn a_lost_connection_is_opened_again_by_who_opened_it() {
    for_each_seed(20, |seed| {
        for active in [0, 1] {
            let mut world = World::ordinary(seed, active);
            world.udp_is_blocked = true;
            world.signal();
            assert!(world.run(|it| it.transports() == TCP && it.agents[0].is_nominated()));
            let before = world.agents[active].route();
            world.cut();
            assert!(world.are(State::Disconnected));
            assert_eq!(
                world.transports(),
                [None, None],
                "nothing is sent into the void"
            );
            assert!(world.run(|it| it.transports() == TCP));
            assert_ne!(world.agents[active].route(), before);
            assert!(world.send(0, b"\x80hello") && world.send(1, b"\x80there"));
            let forgotten = |event: &Event| matches!(event, Event::PathForgotten(_));
            assert!(world.events[active].iter().any(forgotten));
        }
    });
}

/// A TURN server that listens for the peer ends what it has no permission for (RFC 6062 §5.3), which the
/// peer installs when it has heard of this side.
#[test]
fn a_connection_that_ends_unanswered_is_opened_again_a_few_times() {
    for (lets_in_after, connects) in [(secs(1), true), (secs(20), false)] {
        let mut world = World::ordinary(Seed(8), 0);
        world.udp_is_blocked = true;
        world.ends_until = Some(world.now + lets_in_after);
        world.signal();
        assert_eq!(world.run(|it| it.transports() == TCP), connects);
        // At 0.0, 0.5 and 1.5 s; then at 3.5 and 7.5 s, and never again.
        let expected = if connects { 3 } else { 5 };
        assert_eq!(world.dialed.len(), expected);
        assert_eq!(world.are(State::Failed), !connects);
    }
}

/// A connection that is lost and opened again without end ends all the same.
#[test]
fn the_number_of_connections_is_bounded() {
    let mut world = World::ordinary(Seed(6), 0);
    world.udp_is_blocked = true;
    world.signal();
    for _ in 0..100 {
        world.run(|it| it.transports() == TCP || it.are(State::Failed));
        world.cut();
    }
    assert_eq!(world.dialed.len(), usize::from(MAX_DIALS));
    assert!(world.run(|it| it.are(State::Failed)));
    // A restart begins anew.
    for side in [0, 1] {
        let now = world.now;
        world.agents[side].restart(now);
    }
    world.signal();
    assert!(world.run(|it| it.transports() == TCP));
}

/// Facts §11 row 10, RFC 8445 §19.5.1: a peer names addresses without end.
#[test]
fn who_names_many_addresses_gets_few_connections() {
    let mut ours = agent(Seed(7), "ours", Role::Controlling);
    let theirs = agent(Seed(8), "theirs", Role::Controlled);
    let now = pc_simnet::epoch();
    let at = World::address(0);
    ours.add_local_candidate(
        now,
        Candidate::tcp(CandidateKind::Host, at, TcpType::Active),
    );
    let credentials = theirs.local_credentials().clone();
    ours.set_remote_credentials(now, credentials).unwrap();
    for port in 1..=2000 {
        let there = ([192, 0, 2, 1], port).into();
        let named = Candidate::tcp(CandidateKind::Host, there, TcpType::Passive);
        let _ = ours.add_remote_candidate(now, named);
    }
    let mut batch = pc_proto::Batch::new();
    let (mut now, mut asked) = (now, Vec::<FiveTuple>::new());
    for _ in 0..200 {
        assert_eq!(
            ours.poll_transmit(now, &mut batch.transmit_buf(1200, 8)),
            None
        );
        asked.extend(std::iter::from_fn(|| ours.poll_connect()));
        now += Duration::from_millis(50);
        ours.handle_timeout(now);
    }
    assert_eq!(asked.len(), 8, "at once");
    // Each that fails makes room for another.
    for at in 0.. {
        let Some(path) = asked.get(at) else { break };
        ours.connect_failed(now, *path);
        ours.poll_transmit(now, &mut batch.transmit_buf(1200, 8));
        now += Duration::from_millis(50);
        asked.extend(std::iter::from_fn(|| ours.poll_connect()));
    }
    assert_eq!(asked.len(), usize::from(MAX_DIALS), "in all");
}

/// The answer is late: the checks that came over TCP before it are not lost.
#[test]
fn a_check_may_come_before_the_credentials() {
    let mut world = World::ordinary(Seed(9), 0);
    world.udp_is_blocked = true;
    world.signal_to(0);
    world.run_for(secs(2));
    assert_eq!(world.agents[0].state(), State::Connected);
    assert_eq!(world.open.len(), 1, "it is kept");
    world.signal_to(1);
    assert!(world.run(|it| it.transports() == TCP));
}

/// Consent holds for TCP, too (RFC 7675 §4): an open connection alone is none.
#[test]
fn consent_runs_out_on_an_open_connection() {
    let mut world = World::ordinary(Seed(10), 0);
    world.udp_is_blocked = true;
    world.signal();
    assert!(world.run(|it| it.transports() == TCP && it.agents[0].is_nominated()));
    world.agents[1].close();
    world.run_for(secs(35));
    assert_eq!(world.agents[0].route(), None);
}
