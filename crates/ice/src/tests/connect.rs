use std::net::SocketAddr;

use pc_simnet::{Link, Seed, for_each_seed, ms, secs};

use super::{
    bytes::{Lone, OURS},
    support::{A, B, Duo, address, agent},
};
use crate::{Candidate, CandidateKind, Event, Role, State};

/// One pair: the first check leaves at once, data may flow one round trip later, and nomination
/// takes one paced turn and one more round trip.
#[test]
fn one_pair_connects_in_one_round_trip() {
    let mut duo = Duo::new(Seed(1));
    duo.signal();
    duo.run_until_state(State::Completed);
    duo.assert_same_path();
    for id in [A, B] {
        let peer = &duo.net[id];
        assert_eq!(
            peer.path(),
            [State::Checking, State::Connected, State::Completed]
        );
        // Links take 10 ms each way.
        assert_eq!(peer.reached(State::Connected), Some(ms(20)), "{id:?}");
        assert!(peer.agent.is_nominated());
        assert_eq!(peer.agent.rtt(), Some(ms(20)));
        let pair = peer.agent.selected_pair().unwrap();
        assert_eq!(
            (pair.local.kind, pair.remote.kind),
            (CandidateKind::Host, CandidateKind::Host)
        );
    }
    assert_eq!(duo.net[A].reached(State::Completed), Some(ms(70)));
    assert_eq!(duo.net[B].reached(State::Completed), Some(ms(60)));
    assert!(duo.net[A].rejected.is_empty() && duo.net[B].rejected.is_empty());
    assert!(duo.send(A, b"hello") && duo.send(B, b"there"));
}

#[test]
fn the_peer_that_learns_last_is_found_by_an_early_check() {
    let mut duo = Duo::new(Seed(2));
    duo.signal_credentials(A);
    duo.signal_candidates(A);
    duo.net.run_for(ms(30));
    // B has answered, without knowing whom.
    assert_eq!(duo.net[A].agent.state(), State::Connected);
    assert_eq!(duo.net[B].agent.state(), State::New);
    assert!(duo.net[B].saw(|event| matches!(event, Event::PathAuthenticated(_))));
    duo.signal_credentials(B);
    duo.net.run(|net| net[B].agent.state() == State::Connected);
    duo.assert_same_path();
    // The address is known from the check alone, until it is signalled.
    let kind = |duo: &Duo| duo.net[B].agent.selected_pair().unwrap().remote.kind;
    assert_eq!(kind(&duo), CandidateKind::PeerReflexive);
    duo.signal_candidates(B);
    duo.run_until_state(State::Completed);
    assert_eq!(duo.net[B].agent.remote_candidates().count(), 1);
    assert_eq!(kind(&duo), CandidateKind::Host);
}

#[test]
fn the_best_of_several_pairs_is_nominated() {
    let mut duo = Duo::new(Seed(3));
    for n in 2..=4 {
        duo.add_address(A, n);
        duo.add_address(B, n);
    }
    duo.signal();
    duo.run_until_state(State::Completed);
    duo.assert_same_path();
    let route = duo.net[A].agent.route().unwrap();
    assert_eq!((route.local, route.remote), (address(A, 1), address(B, 1)));
}

#[test]
fn equal_roles_are_resolved() {
    for role in [Role::Controlling, Role::Controlled] {
        for_each_seed(20, |seed| {
            let mut duo = Duo::with_roles(seed, role, role);
            duo.signal();
            duo.run_until_state(State::Completed);
            duo.assert_same_path();
            let roles = [duo.net[A].agent.role(), duo.net[B].agent.role()];
            assert_eq!(roles[0], roles[1].opposite());
            let switches = |id| {
                duo.net[id]
                    .events
                    .iter()
                    .filter(|event| matches!(event, Event::RoleChanged(_)))
                    .count()
            };
            assert_eq!(switches(A) + switches(B), 1, "one gives way, once");
        });
    }
}

/// 30 % loss, jitter, reordering and duplication: every seed connects and agrees.
#[test]
fn a_bad_link_only_takes_longer() {
    for_each_seed(200, |seed| {
        let bad = Link::new()
            .delay(ms(20))
            .jitter(ms(15))
            .loss(0.3)
            .reorder(0.1, ms(80))
            .duplicate(0.1);
        let mut duo = Duo::new(seed).link(bad);
        duo.add_address(A, 2);
        duo.add_address(B, 2);
        duo.signal();
        let agreed = |duo: &Duo| {
            let routes = [A, B].map(|id| {
                duo.net[id]
                    .agent
                    .route()
                    .filter(|_| duo.net[id].agent.is_nominated())
            });
            routes[0].is_some() && routes[0] == routes[1].map(|route| route.reversed())
        };
        for _ in 0..80 {
            if agreed(&duo) {
                break;
            }
            duo.net.run_for(ms(500));
        }
        assert!(
            agreed(&duo),
            "{:?} {:?}",
            duo.net[A].agent,
            duo.net[B].agent
        );
    });
}

#[test]
fn no_call_order_is_needed() {
    for_each_seed(100, |seed| {
        let bad = Link::new().delay(ms(20)).jitter(ms(15)).loss(0.1);
        let mut duo = Duo::with_roles(seed, Role::Controlling, Role::Controlling)
            .link(bad)
            .lazy();
        duo.add_address(A, 2);
        duo.signal();
        duo.net.run_for(secs(30));
        for id in [A, B] {
            assert!(duo.net[id].agent.is_nominated(), "{:?}", duo.net[id].agent);
        }
        duo.assert_same_path();
    });
}

/// RFC 8421 §4: neither family waits for all of the other.
#[test]
fn families_take_turns() {
    let mut lone = Lone::new(Role::Controlling);
    let addresses = |host: u16| {
        let v6 = [1, 2].map(|n| SocketAddr::from(([0x2001, 0xDB8, 0, 0, 0, 0, host, n], 5)));
        let v4 = [8, 9].map(|n| SocketAddr::from(([10, 0, host as u8, n], 5)));
        v6.into_iter().chain(v4)
    };
    lone.agent.remove_local_address(lone.now, OURS.into());
    let mut other = agent(Seed(9), "other", Role::Controlled);
    for address in addresses(0) {
        lone.agent
            .add_local_candidate(lone.now, Candidate::host(address))
            .unwrap();
    }
    lone.signal();
    for address in addresses(1) {
        let candidate = other
            .add_local_candidate(lone.now, Candidate::host(address))
            .unwrap();
        lone.agent
            .add_remote_candidate(lone.now, candidate)
            .unwrap();
    }
    let checks = lone.run_for(ms(349));
    let families: Vec<_> = checks.iter().map(|(to, _)| to.remote.is_ipv6()).collect();
    assert_eq!(families.len(), 7, "at 0, 50, … 300 ms");
    assert!(families[0] && !families[1], "{families:?}");
    assert!(
        families
            .windows(4)
            .all(|four| four.contains(&true) && four.contains(&false)),
        "{families:?}"
    );
}
