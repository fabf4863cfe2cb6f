use pc_simnet::{Seed, ms, secs};

use super::{
    bytes::Lone,
    support::{A, B, Duo, address},
};
use crate::{Candidate, CandidateKind, Credentials, Error, Role, State};

#[test]
fn candidates_may_come_late_and_one_by_one() {
    let mut duo = Duo::new(Seed(1));
    duo.add_address(B, 2);
    duo.signal_credentials(A);
    duo.signal_credentials(B);
    duo.net.run_for(secs(20));
    assert_eq!([A, B].map(|id| duo.net[id].agent.state()), [State::New; 2]);
    // The first one leads nowhere.
    duo.net.cut(address(A, 1), address(B, 1));
    let candidates: Vec<_> = duo.net[B].agent.local_candidates().cloned().collect();
    let mut now = duo.net.now();
    duo.net[A]
        .agent
        .add_remote_candidate(now, candidates[0].clone())
        .unwrap();
    duo.net.run_for(secs(10));
    assert_eq!(duo.net[A].agent.state(), State::Checking);
    now = duo.net.now();
    duo.net[A]
        .agent
        .add_remote_candidate(now, candidates[1].clone())
        .unwrap();
    duo.net.run_for(ms(20));
    assert_eq!(
        duo.net[A].agent.state(),
        State::Connected,
        "checked at once"
    );
    duo.net.run_for(secs(3));
    assert!(duo.net[A].agent.is_nominated());
    assert_eq!(duo.net[A].agent.state(), State::Connected, "more may come");
    duo.signal_candidates(A);
    duo.signal_candidates(B);
    duo.run_until_state(State::Completed);
    assert_eq!(
        duo.net[A].path(),
        [State::Checking, State::Connected, State::Completed]
    );
}

#[test]
fn candidates_may_come_before_the_credentials() {
    let mut duo = Duo::new(Seed(2));
    for id in [A, B] {
        duo.signal_candidates(id);
    }
    duo.net.run_for(secs(1));
    assert_eq!(duo.net.trace().total(), 0);
    duo.signal_credentials(A);
    duo.signal_credentials(B);
    duo.run_until_state(State::Completed);
}

#[test]
fn a_local_candidate_may_come_late() {
    let mut duo = Duo::new(Seed(3));
    duo.net.cut_between(A, B);
    duo.signal();
    duo.net.run_for(secs(2));
    // Nobody tells A of this address; B's checks from it do.
    duo.add_address(B, 2);
    duo.run_until_state(State::Completed);
    duo.assert_same_path();
    let pair = duo.net[A].agent.selected_pair().unwrap();
    assert_eq!(pair.remote.kind, CandidateKind::PeerReflexive);
    assert_eq!(pair.remote.address, address(B, 2));
    assert_eq!(
        duo.net[B].agent.selected_pair().unwrap().local.kind,
        CandidateKind::Host
    );
}

/// A NAT in front of A: it learns its outer address from B, and B from A's check.
#[test]
fn both_sides_learn_peer_reflexive_candidates() {
    let mut duo = Duo::new(Seed(4));
    let outside = address(A, 99);
    duo.net.add_address(A, outside);
    duo.net[A].nat.insert(address(A, 1), outside);
    duo.signal_credentials(A);
    duo.signal_credentials(B);
    duo.signal_candidates(A);
    let now = duo.net.now();
    for id in [A, B] {
        duo.net[id].agent.end_of_local_candidates(now);
        duo.net[id].agent.end_of_remote_candidates(now);
    }
    duo.run_until_state(State::Completed);
    let local = duo.net[A].agent.selected_pair().unwrap().local.clone();
    assert_eq!(
        (local.kind, local.address),
        (CandidateKind::PeerReflexive, outside)
    );
    assert_eq!(local.related_address, Some(address(A, 1)));
    let remote = duo.net[B].agent.selected_pair().unwrap().remote.clone();
    assert_eq!(
        (remote.kind, remote.address),
        (CandidateKind::PeerReflexive, outside)
    );
    assert_eq!(remote.priority, local.priority);
    assert!(duo.send(A, b"out") && duo.send(B, b"in"));
}

#[test]
fn candidates_beyond_measure_are_refused() {
    let mut lone = Lone::signalled(Role::Controlling);
    let mut refused = 0;
    for n in 0..400u32 {
        let [.., a, b] = n.to_be_bytes();
        let candidate = Candidate::host(([10, 9, a, b], 5).into());
        match lone.agent.add_remote_candidate(lone.now, candidate) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Error::TooManyCandidates);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 301);
    for n in 2..50 {
        lone.agent
            .add_local_candidate(lone.now, Candidate::host(([10, 0, 0, n], 5).into()));
    }
    let pairs = format!("{:?}", lone.agent).matches("PairId").count();
    assert!(pairs <= 110, "{pairs}");
    // The pace holds all the same: Ta is 50 ms.
    assert!(lone.run_for(secs(2)).len() <= 41 + 40);
}

#[test]
fn credentials_change_with_a_restart_only() {
    let mut lone = Lone::signalled(Role::Controlling);
    lone.signal();
    let others = Credentials::new("others", "otherpasswordotherpassword").unwrap();
    let (now, agent) = (lone.now, &mut lone.agent);
    assert_eq!(
        agent.set_remote_credentials(now, others.clone()),
        Err(Error::CredentialsChanged)
    );
    let bad = Credentials {
        ufrag: "a:b:c".into(),
        pwd: String::new(),
    };
    assert_eq!(
        agent.set_remote_credentials(now, bad),
        Err(Error::InvalidUfrag)
    );
    agent.restart(now);
    assert_eq!(agent.set_remote_credentials(now, others), Ok(()));
}
