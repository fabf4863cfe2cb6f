use std::{net::SocketAddr, time::Duration};

use pc_proto::{FiveTuple, Protocol};
use pc_simnet::{Seed, ms, secs};
use pc_stun::{Class, MessageView};

use super::{
    bytes::{Check, Lone, OURS, THEIRS, route, route_from},
    support::{A, B, Duo, address},
};
use crate::{Candidate, CandidateKind, Event, Role, State};

fn second() -> SocketAddr {
    ([10, 0, 1, 2], 5000).into()
}

/// A controlled agent with two valid pairs, that to `THEIRS` the better.
fn two_pairs() -> Lone {
    two_pairs_as(Role::Controlled, ms(200))
}

/// An agent with two such pairs, whose peer has answered for so long.
fn two_pairs_as(role: Role, time: Duration) -> Lone {
    let mut lone = Lone::new(role);
    lone.signal();
    for (priority, address) in [(2_130_706_431, THEIRS.into()), (2_130_706_175, second())] {
        let candidate = Candidate {
            priority,
            ..Candidate::host(address)
        };
        lone.agent
            .add_remote_candidate(lone.now, candidate)
            .unwrap();
    }
    lone.live_for(time);
    lone
}

fn nominate(lone: &mut Lone, remote: SocketAddr) {
    let check = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route_from(remote), &check.write()).unwrap();
}

fn in_use(lone: &Lone) -> Option<SocketAddr> {
    lone.agent.route().map(|route| route.remote)
}

/// RFC 5245 §8.1.1.2, RFC 8445 §8.1.1: of all pairs nominated the best is used, in any order.
#[test]
fn an_aggressive_nominator_gets_the_best_pair() {
    for order in [[THEIRS.into(), second()], [second(), THEIRS.into()]] {
        let mut lone = two_pairs();
        for remote in order {
            nominate(&mut lone, remote);
            lone.live_for(ms(50));
        }
        assert_eq!(in_use(&lone), Some(THEIRS.into()));
        assert!(lone.agent.is_nominated());
    }
}

/// USE-CANDIDATE on the first check, before the pair is known to be valid (RFC 8445 §7.3.1.5).
#[test]
fn nomination_waits_for_validity() {
    let mut lone = Lone::signalled(Role::Controlled);
    nominate(&mut lone, THEIRS.into());
    assert!(!lone.agent.is_nominated());
    lone.answer_all();
    assert!(lone.agent.is_nominated());
}

/// RFC 8445 §7.3.1.4: a check proves its path, also one from another address of this machine to
/// loopback, on which this side would begin no check.
#[test]
fn a_pair_that_a_check_has_shown_is_checked_whatever_its_scopes() {
    let base: SocketAddr = ([127, 0, 0, 1], 5000).into();
    let mut lone = Lone::signalled(Role::Controlled);
    lone.agent.remove_local_address(lone.now, OURS.into());
    lone.agent
        .add_local_candidate(lone.now, Candidate::host(base))
        .unwrap();
    lone.live_for(ms(200));
    assert_eq!(in_use(&lone), None, "nothing of our own is checked");
    let check = Check {
        nominates: true,
        ..lone.check()
    };
    let path = FiveTuple::udp(base, THEIRS.into());
    lone.input(path, &check.write()).unwrap();
    lone.live_for(ms(200));
    assert_eq!(lone.agent.route(), Some(path));
    assert!(lone.agent.is_nominated());
}

/// libwebrtc nominates again and again, each time with the pair it now prefers.
#[test]
fn a_peer_may_change_its_mind() {
    let mut lone = two_pairs();
    for _ in 0..4 {
        nominate(&mut lone, THEIRS.into());
        lone.live_for(ms(480));
    }
    assert_eq!(in_use(&lone), Some(THEIRS.into()));
    // A single check of the worse pair is not yet a change of mind …
    nominate(&mut lone, second());
    assert_eq!(in_use(&lone), Some(THEIRS.into()));
    // … but a plain check of the better one, with the worse nominated, is.
    let plain = lone.check().write();
    lone.input(route(), &plain).unwrap();
    nominate(&mut lone, second());
    assert_eq!(in_use(&lone), Some(second()));
    // So is silence about it.
    let mut lone = two_pairs();
    nominate(&mut lone, THEIRS.into());
    lone.live_for(secs(4));
    nominate(&mut lone, second());
    assert_eq!(in_use(&lone), Some(second()));
    assert_eq!(lone.events().last(), Some(&Event::SelectedPairChanged));
}

/// … and a pair that was last heard of a while ago is checked before it is used.
#[test]
fn a_stale_pair_is_checked_before_it_is_used() {
    let mut lone = two_pairs();
    nominate(&mut lone, THEIRS.into());
    lone.live_for(secs(40));
    nominate(&mut lone, second());
    assert_eq!(in_use(&lone), Some(THEIRS.into()));
    lone.live_for(ms(50));
    assert_eq!(in_use(&lone), Some(second()));
    assert!(lone.agent.is_nominated());
}

/// The best pair answers once and never again: another one is nominated in its stead.
#[test]
fn a_nomination_that_gets_no_answer_is_given_up() {
    let mut lone = two_pairs_as(Role::Controlling, ms(1));
    let end = lone.now + secs(25);
    while lone.now < end && !(in_use(&lone) == Some(second()) && lone.agent.is_nominated()) {
        for (to, bytes) in lone.sent() {
            let id = MessageView::parse(&bytes).unwrap().transaction_id();
            if to.remote == second() {
                let answer = lone.success(id, to.local);
                lone.input(to, &answer).unwrap();
            }
        }
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
    }
    assert!(lone.agent.is_nominated());
    assert_eq!(in_use(&lone), Some(second()));
}

/// Consent for the pair in use runs out, that for another one does not: it takes over, though the
/// peer has not nominated it.
#[test]
fn another_pair_with_consent_takes_over() {
    let mut lone = two_pairs();
    nominate(&mut lone, THEIRS.into());
    let end = lone.now + secs(31);
    while lone.now < end {
        for (to, bytes) in lone.sent() {
            let request = MessageView::parse(&bytes).unwrap();
            if to.remote == second() && request.class() == Class::Request {
                let answer = lone.success(request.transaction_id(), to.local);
                lone.input(to, &answer).unwrap();
            }
        }
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
    }
    assert_eq!(in_use(&lone), Some(second()));
    assert!(!lone.agent.is_nominated());
}

/// A relayed pair is nominated, no answer to that comes, and then a direct pair answers: it is
/// nominated instead, and the peer hears no more of the other.
#[test]
fn a_direct_pair_does_not_wait_for_the_nomination_of_a_relayed_one() {
    let mut lone = Lone::new(Role::Controlling);
    lone.signal();
    let direct = Candidate {
        priority: 2_130_706_431,
        ..Candidate::host(THEIRS.into())
    };
    let relayed = Candidate {
        kind: CandidateKind::Relayed,
        priority: 16_777_215,
        ..Candidate::host(second())
    };
    for candidate in [direct, relayed] {
        let added = lone.agent.add_remote_candidate(lone.now, candidate);
        added.unwrap();
    }
    let begun = lone.now;
    let (direct_answers, end) = (begun + secs(3), begun + secs(20));
    let mut relay_nominated = Vec::new();
    while lone.now < end {
        for (to, bytes) in lone.sent() {
            let request = MessageView::parse(&bytes).unwrap();
            let relayed = to.remote == second();
            if relayed && request.use_candidate() {
                relay_nominated.push(lone.now);
            } else if relayed || lone.now >= direct_answers {
                let answer = lone.success(request.transaction_id(), to.local);
                lone.input(to, &answer).unwrap();
            }
        }
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
    }
    assert_eq!(in_use(&lone), Some(THEIRS.into()));
    assert!(lone.agent.is_nominated());
    let first = relay_nominated.first().unwrap();
    assert!(*first < direct_answers, "after {:?}", *first - begun);
    // The direct pair's next check came a while after it was mended, and not later.
    let last = relay_nominated.last().unwrap();
    assert!(*last <= direct_answers + secs(2), "{:?}", *last - begun);
}

#[test]
fn a_controlling_agent_obeys_no_nomination() {
    let mut lone = Lone::signalled(Role::Controlling);
    let check = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route(), &check.write()).unwrap();
    lone.answer_all();
    assert_eq!(in_use(&lone), Some(THEIRS.into()));
    assert!(!lone.agent.is_nominated(), "it has not nominated yet");
}

/// The controlling side waits a little for a better pair, and no longer.
#[test]
fn a_worse_pair_is_nominated_after_a_short_wait() {
    let mut duo = Duo::new(Seed(1));
    duo.add_address(B, 2);
    duo.net.cut_between(A, B);
    duo.net.mend(address(A, 1), address(B, 2));
    duo.net.mend(address(B, 2), address(A, 1));
    duo.signal();
    duo.net.run(|net| net[A].agent.is_nominated());
    // The second check at 50 ms, its answer at 70, the wait of 50 ms, a round trip.
    assert!(duo.net.elapsed() <= ms(150), "{:?}", duo.net.elapsed());
}

/// A NAT gives the controlled side another address: its next check from there is found, checked,
/// and nominated when the old path has fallen silent.
#[test]
fn a_new_nat_binding_is_followed() {
    let mut duo = Duo::new(Seed(2));
    duo.signal();
    duo.run_until_state(State::Completed);
    let (inside, outside) = (address(B, 1), address(B, 77));
    duo.net.add_address(B, outside);
    duo.net.remove_address(inside);
    duo.net[B].nat.insert(inside, outside);
    duo.net.run(|net| {
        net[A]
            .agent
            .route()
            .is_some_and(|route| route.remote == outside)
    });
    assert!(duo.net.elapsed() < secs(20), "{:?}", duo.net.elapsed());
    duo.net.run_for(secs(5));
    assert!(duo.send(A, b"to the new address") && duo.send(B, b"from it"));
    duo.net.run_for(secs(60));
    assert_eq!(
        [A, B].map(|id| duo.net[id].agent.state()),
        [State::Completed; 2]
    );
}

/// The same on the controlling side, which notices first.
#[test]
fn a_new_nat_binding_of_the_controlling_side_is_followed() {
    let mut duo = Duo::new(Seed(3));
    duo.signal();
    duo.run_until_state(State::Completed);
    let (inside, outside) = (address(A, 1), address(A, 77));
    duo.net.add_address(A, outside);
    duo.net.remove_address(inside);
    duo.net[A].nat.insert(inside, outside);
    duo.net.run(|net| {
        net[B]
            .agent
            .route()
            .is_some_and(|route| route.remote == outside)
    });
    assert!(duo.net.elapsed() < secs(25), "{:?}", duo.net.elapsed());
    assert!(duo.send(A, b"from") && duo.send(B, b"to"));
}

#[test]
fn an_interface_that_goes_is_replaced() {
    let mut duo = Duo::new(Seed(4));
    duo.add_address(A, 2);
    duo.signal();
    duo.run_until_state(State::Completed);
    assert_eq!(duo.net[A].agent.route().unwrap().local, address(A, 1));
    let now = duo.net.now();
    duo.net.remove_address(address(A, 1));
    duo.net[A].agent.remove_local_address(now, address(A, 1));
    duo.net.run_for(secs(1));
    assert_eq!(duo.net[A].agent.route().unwrap().local, address(A, 2));
    duo.net.run(|net| {
        net[B]
            .agent
            .route()
            .is_some_and(|route| route.remote == address(A, 2))
    });
    assert!(duo.send(B, b"found you"));
    assert!(duo.net[A].saw(|event| matches!(event, Event::PathForgotten(_))));
}

#[test]
fn the_last_interface_may_be_replaced_in_time() {
    let mut duo = Duo::new(Seed(5));
    duo.signal();
    duo.run_until_state(State::Completed);
    for (next, grace) in [(2, secs(10)), (3, secs(31))] {
        let (now, old) = (duo.net.now(), address(A, next - 1));
        duo.net.remove_address(old);
        duo.net[A].agent.remove_local_address(now, old);
        duo.net.run_for(grace);
        let expected = if next == 2 {
            State::Disconnected
        } else {
            State::Failed
        };
        assert_eq!(duo.net[A].agent.state(), expected);
        assert_eq!(duo.net[A].agent.route(), None);
        if next == 2 {
            duo.add_address(A, next);
            duo.net.run(|net| {
                [A, B].iter().all(|id| {
                    net[*id].agent.is_nominated() && net[*id].agent.state() == State::Completed
                })
            });
            duo.assert_same_path();
        }
    }
}

#[test]
fn events_name_what_polls_show() {
    let mut duo = Duo::new(Seed(6));
    duo.signal();
    duo.run_until_state(State::Completed);
    let route = duo.net[A].agent.route().unwrap();
    let expected = [
        Event::StateChanged(State::Checking),
        Event::PathAuthenticated(route),
        Event::PathConfirmed(route),
        Event::SelectedPairChanged,
        Event::StateChanged(State::Connected),
        Event::PathConfirmed(route),
        Event::StateChanged(State::Completed),
    ];
    assert_eq!(duo.net[A].events, expected);
    assert_eq!(duo.net[A].agent.poll_event(), None);
}
