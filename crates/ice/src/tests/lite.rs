//! Lite agents (RFC 8445 §2.5).

use pc_simnet::{Link, Network, Seed, ms, secs};

use super::{
    bytes::{Check, Lone, OURS, THEIRS, route, route_from},
    support::{A, B, Duo, Peer, address},
};
use crate::{Agent, Candidate, CandidateKind, Config, Event, Rejected, Role, State};

fn lite_agent(name: &str, role: Role) -> Agent {
    let mut config = Config::new(role, Seed(11).bytes(name));
    config.lite = true;
    Agent::new(config)
}

/// A lite agent whose peer has been signalled.
fn lone() -> Lone {
    let mut lone = Lone::new(Role::Controlled);
    lone.agent = lite_agent("lone", Role::Controlling);
    let own = Candidate::host(OURS.into());
    lone.agent.add_local_candidate(lone.now, own).unwrap();
    lone.signal();
    let theirs = Candidate::host(THEIRS.into());
    lone.agent.add_remote_candidate(lone.now, theirs).unwrap();
    lone
}

/// Agents of which these are lite.
fn duo(lite: [bool; 2], roles: [Role; 2]) -> Duo {
    let mut net = Network::new(Seed(1)).with_link(Link::new().delay(ms(50)));
    for (host, name) in [(A, "a"), (B, "b")] {
        let mut config = Config::new(roles[host.0], Seed(1).bytes(name));
        config.lite = lite[host.0];
        let at = address(host, 1);
        net.add(Peer::new(Agent::new(config)), &[at]);
        let now = net.now();
        let agent = &mut net[host].agent;
        agent.add_local_candidate(now, Candidate::host(at)).unwrap();
        agent.set_remote_lite(now, lite[1 - host.0]);
    }
    Duo { net }
}

/// RFC 8445 §6.1.1, §7.3.2, §8.2.1: the full agent controls, checks and nominates.
#[test]
fn a_full_agent_connects_to_a_lite_one() {
    for lite in [A, B] {
        let mut duo = duo([lite == A, lite == B], [Role::Controlling; 2]);
        let full = if lite == A { B } else { A };
        duo.signal();
        duo.run_until_state(State::Completed);
        duo.assert_same_path();
        assert_eq!(duo.net[lite].agent.role(), Role::Controlled);
        assert_eq!(duo.net[full].agent.role(), Role::Controlling);
        // Consent of the one lasts by its answers, of the other by the checks (RFC 7675 §4.1).
        duo.net.run_for(secs(120));
        for host in [A, B] {
            assert_eq!(duo.net[host].agent.state(), State::Completed);
        }
        assert!(duo.send(A, b"there") && duo.send(B, b"back"));
        // It has sent no check of its own.
        let counters = duo.net[lite].agent.pairs().next().unwrap().counters;
        assert_eq!(
            (counters.requests_sent, counters.consent_requests_sent),
            (0, 0)
        );
        // A peer that is gone stops checking, and then nothing is sent.
        duo.net.cut_between(A, B);
        duo.net.run_for(secs(37));
        assert_eq!(duo.net[lite].agent.state(), State::Failed);
        assert_eq!(duo.net[lite].agent.route(), None);
    }
}

/// RFC 8445 §7.3.2: without a nomination no data leave, and with it they do at once.
#[test]
fn a_lite_agent_sends_where_it_is_nominated() {
    let mut lone = lone();
    assert!(lone.sent().is_empty(), "no checks");
    let plain = lone.check().write();
    lone.input(route(), &plain).unwrap();
    assert_eq!(lone.sent().len(), 1, "the answer");
    assert_eq!(lone.agent.route(), None);
    let nominating = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route(), &nominating.write()).unwrap();
    assert_eq!(lone.agent.route(), Some(route()));
    assert!(lone.agent.is_nominated());
    assert!(lone.input(route(), b"\x16data").unwrap());
    // From another address, as a NAT may have it: a peer-reflexive candidate.
    let elsewhere = ([10, 0, 1, 9], 7000).into();
    let moved = Check {
        nominates: true,
        ..lone.check()
    };
    lone.run_for(secs(4));
    lone.input(route_from(elsewhere), &moved.write()).unwrap();
    assert_eq!(lone.agent.route(), Some(route_from(elsewhere)));
    let events = lone.events();
    assert_eq!(events.last(), Some(&Event::SelectedPairChanged));
}

/// RFC 8445 §7.3.1.1: a full peer that believes to be controlled has to change its mind.
#[test]
fn a_lite_agent_never_controls() {
    let mut lone = lone();
    assert_eq!(lone.agent.role(), Role::Controlled);
    lone.agent.set_role(lone.now, Role::Controlling);
    assert_eq!(lone.agent.role(), Role::Controlled);
    for tie_breaker in [0, u64::MAX] {
        let check = Check {
            role: Some((Role::Controlled, tie_breaker)),
            ..lone.check()
        };
        let refused = lone.input(route(), &check.write());
        assert_eq!(refused, Err(Rejected::RoleConflict));
        assert_eq!(lone.agent.role(), Role::Controlled);
    }
}

/// RFC 8445 §5.2: host candidates alone.
#[test]
fn a_lite_agent_has_host_candidates_alone() {
    let mut lone = lone();
    let reflexive = Candidate {
        related_address: Some(OURS.into()),
        ..Candidate::new(CandidateKind::ServerReflexive, ([192, 0, 2, 1], 7).into())
    };
    let relayed = Candidate::new(CandidateKind::Relayed, ([192, 0, 2, 1], 8).into());
    for candidate in [reflexive, relayed] {
        assert_eq!(lone.agent.add_local_candidate(lone.now, candidate), None);
    }
}

/// RFC 8445 §8.2.2: nobody checks, and both use the pair of the highest priority.
#[test]
fn two_lite_agents_use_the_best_pair_unchecked() {
    let mut duo = duo([true; 2], [Role::Controlling, Role::Controlled]);
    for host in [A, B] {
        duo.add_address(host, 2);
    }
    duo.signal();
    duo.run_until_state(State::Completed);
    assert_eq!(duo.net[A].agent.role(), Role::Controlling);
    assert_eq!(duo.net.trace().total(), 0);
    assert_eq!(duo.net[A].agent.route().unwrap().local, address(A, 1));
    duo.assert_same_path();
    // What comes keeps it, and silence ends it.
    for _ in 0..4 {
        duo.net.run_for(secs(20));
        assert!(duo.send(A, b"there") && duo.send(B, b"back"));
    }
    duo.net.run_for(secs(31));
    for host in [A, B] {
        assert_eq!(duo.net[host].agent.state(), State::Failed);
    }
}
