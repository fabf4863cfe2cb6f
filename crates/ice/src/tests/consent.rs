use std::net::SocketAddr;

use pc_proto::Protocol;
use pc_simnet::{Link, Seed, for_each_seed, ms, secs};
use pc_stun::MessageView;

use super::{
    bytes::{Check, Lone, route, route_from},
    support::{A, B, Duo},
};
use crate::{Candidate, Event, Rejected, Role, State};

fn connected(seed: Seed) -> Duo {
    let mut duo = Duo::new(seed);
    duo.signal();
    duo.run_until_state(State::Completed);
    duo
}

/// RFC 7675 §5.1: consent expires 30 s after the last answer, and then nothing is sent.
#[test]
fn silence_disconnects_and_then_fails() {
    for_each_seed(20, |seed| {
        let mut duo = connected(seed);
        duo.net.run_for(secs(20));
        let cut_at = duo.net.elapsed();
        duo.net.cut_between(A, B);
        duo.run_until_state(State::Failed);
        for id in [A, B] {
            let peer = &duo.net[id];
            assert_eq!(
                peer.path()[2..],
                [State::Completed, State::Disconnected, State::Failed]
            );
            let disconnected = peer.reached(State::Disconnected).unwrap() - cut_at;
            assert!(
                disconnected >= ms(4_900) && disconnected <= ms(11_100),
                "{disconnected:?}"
            );
            let failed = peer.reached(State::Failed).unwrap() - cut_at;
            assert!(failed >= secs(24) && failed <= secs(30), "{failed:?}");
            assert_eq!(
                (peer.agent.route(), peer.agent.selected_pair()),
                (None, None)
            );
        }
        // Mending does not bring it back: that takes a restart.
        let sent = duo.net.trace().total();
        duo.net.mend_between(A, B);
        duo.net.run_for(secs(60));
        assert_eq!(
            duo.net.trace().total(),
            sent,
            "nothing is sent without consent"
        );
        assert_eq!(duo.net[A].agent.state(), State::Failed);
    });
}

#[test]
fn a_path_that_comes_back_in_time_recovers() {
    for_each_seed(20, |seed| {
        let mut duo = connected(seed);
        duo.net.cut_between(A, B);
        duo.run_until_state(State::Disconnected);
        assert!(duo.net[A].agent.route().is_some(), "consent lasts");
        duo.net.run_for(secs(8));
        duo.net.mend_between(A, B);
        duo.run_until_state(State::Completed);
        duo.assert_same_path();
        let changes = |id| {
            duo.net[id]
                .events
                .iter()
                .filter(|event| **event == Event::SelectedPairChanged)
                .count()
        };
        assert_eq!((changes(A), changes(B)), (1, 1));
        assert!(duo.send(A, b"back") && duo.send(B, b"again"));
    });
}

/// The peer's checks are still answered, but not met with new ones for the old credentials.
#[test]
fn lost_consent_is_not_asked_for_again() {
    let mut lone = Lone::connected(Role::Controlled);
    lone.run_for(secs(31));
    assert_eq!(lone.state(), State::Failed);
    let check = lone.check().write();
    lone.input(route(), &check).unwrap();
    assert_eq!(lone.sent().len(), 1, "the answer");
    assert!(lone.run_for(secs(5)).is_empty());
    assert_eq!((lone.state(), lone.agent.route()), (State::Failed, None));

    // Another address is another matter (RFC 7675 §5.1 speaks of the 5-tuple).
    let second = SocketAddr::from(([10, 0, 1, 2], 5000));
    let candidate = Candidate::host(second);
    lone.agent
        .add_remote_candidate(lone.now, candidate)
        .unwrap();
    lone.live_for(ms(100));
    let check = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route_from(second), &check.write()).unwrap();
    assert!(lone.agent.is_nominated());
}

/// Every 4 to 6 s, each with a transaction of its own.
#[test]
fn consent_checks_are_fresh_and_not_synchronised() {
    let mut lone = Lone::connected(Role::Controlling);
    let (start, mut at, mut ids) = (lone.now, Vec::new(), Vec::new());
    while lone.now < start + secs(300) {
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
        for (to, bytes) in lone.sent() {
            assert_eq!(to, route());
            let id = MessageView::parse(&bytes).unwrap().transaction_id();
            let answer = lone.success(id, to.local);
            lone.input(to, &answer).unwrap();
            assert_eq!(lone.input(to, &answer), Err(Rejected::UnmatchedResponse));
            at.push(lone.now);
            ids.push(id);
        }
    }
    let gaps: Vec<_> = at
        .windows(2)
        .map(|two| (two[1] - two[0]).as_millis())
        .collect();
    assert!(
        gaps.iter().all(|gap| (4_000..=6_000).contains(gap)),
        "{gaps:?}"
    );
    assert!(
        gaps.iter().max().unwrap() - gaps.iter().min().unwrap() > 500,
        "{gaps:?}"
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), at.len());
}

/// The peer's requests and data keep coming, but it does not answer: consent still runs out.
#[test]
fn only_answers_renew_consent() {
    let mut lone = Lone::connected(Role::Controlled);
    for _ in 0..35 {
        let check = lone.check().write();
        let known = lone.input(route(), &check).is_ok();
        assert!(known);
        lone.input(route(), b"\x80data").unwrap();
        lone.run_for(secs(1));
        if lone.agent.route().is_none() {
            break;
        }
    }
    assert_eq!(lone.state(), State::Failed);
    let events = lone.events();
    let states = events.iter().filter_map(|event| match event {
        Event::StateChanged(state) => Some(*state),
        _ => None,
    });
    assert_eq!(
        states.collect::<Vec<_>>(),
        [State::Disconnected, State::Failed]
    );
}

/// A fifth of all packets lost, idle for ten minutes.
#[test]
fn a_lossy_path_is_not_taken_for_a_lost_one() {
    let mut unsettled = 0;
    for_each_seed(20, |seed| {
        let mut duo = Duo::new(seed).link(Link::new().delay(ms(30)).loss(0.2));
        duo.signal();
        duo.net.run_for(secs(600));
        for id in [A, B] {
            unsettled += duo.net[id]
                .path()
                .iter()
                .filter(|state| **state == State::Disconnected)
                .count();
            assert!(!duo.net[id].path().contains(&State::Failed));
        }
    });
    assert!(unsettled <= 8, "{unsettled} times in 20 × 2 × 120 checks");
}
