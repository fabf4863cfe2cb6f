use std::net::SocketAddr;

use pc_proto::Protocol;
use pc_simnet::{Seed, ms, secs};
use pc_stun::MessageView;

use super::{
    bytes::{Lone, route},
    support::{A, B, Duo, address},
};
use crate::{Candidate, Role, State};

/// RFC 8863 §4: with no pair left to check, not before 39.5 s.
#[test]
fn nothing_fails_before_patience_is_over() {
    let mut lone = Lone::signalled(Role::Controlling);
    lone.agent.end_of_local_candidates(lone.now);
    lone.agent.end_of_remote_candidates(lone.now);
    let (_, request) = lone.sent().remove(0);
    let id = MessageView::parse(&request).unwrap().transaction_id();
    let error = lone.error(id, 400);
    lone.input(route(), &error).unwrap();
    lone.run_for(ms(39_499));
    assert_eq!(lone.state(), State::Checking);
    lone.run_for(ms(1));
    assert_eq!(lone.state(), State::Failed);
    assert_eq!(lone.agent.poll_timeout(), None, "nothing more to do");
}

#[test]
fn no_candidate_at_all_fails_as_late() {
    let mut lone = Lone::new(Role::Controlled);
    lone.signal();
    lone.run_for(ms(39_499));
    assert_eq!(lone.state(), State::New);
    lone.run_for(ms(1));
    assert_eq!(lone.state(), State::Failed);
    // A candidate that comes after all is tried.
    let late = Candidate::host(route().remote);
    lone.agent.add_remote_candidate(lone.now, late).unwrap();
    assert_eq!(lone.state(), State::Checking);
    assert_eq!(lone.answer_all(), 1);
    assert_eq!(lone.state(), State::Connected);
}

/// RFC 8489 §6.2.1: transmissions at 0, 1, 3, 7, 15, 31 and 63 RTO, failure at 79.
#[test]
fn a_check_is_repeated_seven_times() {
    let mut lone = Lone::signalled(Role::Controlled);
    let (start, mut times, mut ids) = (lone.now, Vec::new(), Vec::new());
    while lone.state() != State::Failed {
        for (_, bytes) in lone.sent() {
            times.push((lone.now - start).as_millis());
            ids.push(MessageView::parse(&bytes).unwrap().transaction_id());
        }
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
    }
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!((lone.now - start).as_millis(), 39_500);
}

/// Two pairs of one foundation: the second lets others go first, but does not wait for the failure
/// of the first.
#[test]
fn a_frozen_pair_gets_its_turn() {
    let mut lone = Lone::new(Role::Controlling);
    lone.signal();
    let good = SocketAddr::from(([10, 0, 1, 1], 6000));
    let other = SocketAddr::from(([10, 0, 1, 2], 5000));
    let candidates = [
        (2_000, "same", route().remote),
        (1_000, "same", good),
        (500, "other", other),
    ];
    for (priority, foundation, address) in candidates {
        let candidate = Candidate {
            priority,
            foundation: foundation.into(),
            ..Candidate::host(address)
        };
        let now = lone.now;
        lone.agent.add_remote_candidate(now, candidate).unwrap();
    }
    let checks = lone.run_for(ms(100));
    let to: Vec<_> = checks.iter().map(|(to, _)| to.remote).collect();
    assert_eq!(to, [route().remote, other, good]);
}

#[test]
fn a_black_hole_is_avoided() {
    let mut duo = Duo::new(Seed(5));
    duo.add_address(A, 2);
    duo.add_address(B, 2);
    // The best pair works one way only, the second best not at all.
    duo.net.cut(address(A, 1), address(B, 1));
    duo.net.cut(address(A, 1), address(B, 2));
    duo.net.cut(address(B, 2), address(A, 1));
    duo.signal();
    duo.net
        .run(|net| [A, B].iter().all(|id| net[*id].agent.is_nominated()));
    duo.assert_same_path();
    assert!(duo.net.elapsed() < ms(600), "{:?}", duo.net.elapsed());
    let route = duo.net[A].agent.route().unwrap();
    assert_eq!((route.local, route.remote), (address(A, 2), address(B, 1)));
    duo.net.run_for(secs(60));
    duo.assert_same_path();
    assert_eq!(
        [A, B].map(|id| duo.net[id].agent.state()),
        [State::Completed; 2]
    );
}

#[test]
fn a_closed_agent_is_inert() {
    let mut lone = Lone::connected(Role::Controlling);
    lone.agent.close();
    assert_eq!((lone.state(), lone.agent.route()), (State::Closed, None));
    assert_eq!(lone.agent.poll_timeout(), None);
    assert!(lone.sent().is_empty() && lone.events().is_empty());
    lone.agent.restart(lone.now);
    assert_eq!(lone.state(), State::Closed);
}

/// RFC 8445 §7.3.1.4: a triggered check takes the place of the one in progress, whose answer
/// still counts.
#[test]
fn a_triggered_check_replaces_the_one_in_progress() {
    let mut lone = Lone::signalled(Role::Controlled);
    let (_, first) = lone.sent().remove(0);
    let first = MessageView::parse(&first).unwrap().transaction_id();
    let check = lone.check().write();
    lone.input(route(), &check).unwrap();
    let mut ids: Vec<_> = lone
        .run_for(secs(5))
        .into_iter()
        .map(|(_, bytes)| MessageView::parse(&bytes).unwrap().transaction_id())
        .collect();
    ids.remove(0); // the answer
    assert!(ids.len() >= 4 && ids.iter().all(|id| *id == ids[0] && *id != first));
    let answer = lone.success(first, route().local);
    lone.input(route(), &answer).unwrap();
    assert_eq!(lone.state(), State::Connected);
}

/// Karn's algorithm: the answer to one of several transmissions says nothing about the path.
#[test]
fn only_unambiguous_answers_measure_the_path() {
    let mut lone = Lone::signalled(Role::Controlled);
    lone.sent();
    lone.run_for(ms(499));
    lone.now += ms(1);
    lone.agent.handle_timeout(lone.now);
    let (_, again) = lone.sent().remove(0);
    lone.now += ms(20);
    let id = MessageView::parse(&again).unwrap().transaction_id();
    let answer = lone.success(id, route().local);
    lone.input(route(), &answer).unwrap();
    assert_eq!(lone.agent.rtt(), Some(ms(500)), "a guess, for now");
    for _ in 0..20 {
        lone.live_for(secs(6));
    }
    assert!(lone.agent.rtt().unwrap() < ms(10));
}
