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
