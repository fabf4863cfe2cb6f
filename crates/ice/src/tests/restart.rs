use std::net::SocketAddr;

use pc_simnet::{Link, Seed, for_each_seed, ms, secs};
use pc_stun::{MessageView, TransactionId};

use super::{
    bytes::{Check, Lone, OURS, route, route_from},
    support::{A, B, Duo, other},
};
use crate::{Candidate, Credentials, Error, Event, Rejected, Role, State};

fn connected(seed: Seed, link: Link) -> Duo {
    let mut duo = Duo::new(seed).link(link);
    duo.signal();
    duo.run_until_state(State::Completed);
    duo
}

/// Data flows both ways at every moment of a restart, whoever begins it and however late the
/// other side hears of it.
#[test]
fn a_restart_does_not_interrupt_data() {
    for_each_seed(30, |seed| {
        let mut duo = connected(seed, Link::new().delay(ms(10)).jitter(ms(5)));
        let first = if seed.0 % 2 == 0 { A } else { B };
        for id in [first, other(first)] {
            let now = duo.net.now();
            let before = duo.net[id].agent.local_credentials().clone();
            duo.net[id].agent.restart(now);
            if seed.0 % 3 == 0 {
                duo.net[id].agent.restart(now);
            }
            assert_ne!(*duo.net[id].agent.local_credentials(), before);
            for step in 0..10 {
                let text = format!("{id:?} {step}");
                assert!(
                    duo.send(A, text.as_bytes()) && duo.send(B, text.as_bytes()),
                    "{text}"
                );
            }
            // Long enough for the old generation's consent to be asked for again.
            duo.net.run_for(secs(35));
        }
        duo.signal_credentials(A);
        duo.signal_candidates(A);
        for step in 0..20 {
            assert!(
                duo.send(A, &[b'a', step]) && duo.send(B, &[b'b', step]),
                "{step}"
            );
        }
        duo.signal_credentials(B);
        duo.signal_candidates(B);
        for step in 0..20 {
            assert!(
                duo.send(A, &[b'c', step]) && duo.send(B, &[b'd', step]),
                "{step}"
            );
        }
        for id in [A, B] {
            let peer = &duo.net[id];
            assert!(peer.agent.is_nominated());
            assert!(
                !peer.path().contains(&State::Disconnected),
                "{:?}",
                peer.path()
            );
            assert_eq!(
                peer.path()
                    .iter()
                    .filter(|state| **state == State::Checking)
                    .count(),
                1
            );
            let changes = peer
                .events
                .iter()
                .filter(|event| **event == Event::SelectedPairChanged)
                .count();
            assert_eq!(changes, 2, "the old pair, the new pair");
        }
        duo.net.run_for(secs(60));
        assert_eq!(
            [A, B].map(|id| duo.net[id].agent.state()),
            [State::Completed; 2]
        );
    });
}

/// Not before nomination, however valid the new pair is (RFC 8445 §9).
#[test]
fn the_old_pair_is_used_until_the_new_one_is_nominated() {
    let mut lone = Lone::connected(Role::Controlled);
    lone.agent.restart(lone.now);
    lone.theirs.ufrag = "next".into();
    lone.signal();
    let second = SocketAddr::from(([10, 0, 1, 2], 5000));
    let (now, candidate) = (lone.now, Candidate::host(second));
    lone.agent.add_remote_candidate(now, candidate).unwrap();
    lone.live_for(ms(200));
    assert!(
        lone.agent
            .remote_candidates()
            .any(|known| known.address == second)
    );
    assert_eq!(lone.agent.route(), Some(route()));
    let check = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route_from(second), &check.write()).unwrap();
    assert_eq!(lone.agent.route(), Some(route_from(second)));
}

/// libwebrtc checks from its next generation to ours of before, and would stay with a pair that is
/// answered.
#[test]
fn generations_are_not_mixed() {
    let mut lone = Lone::connected(Role::Controlled);
    let elsewhere = route_from(([10, 0, 1, 2], 5000).into());
    let before = lone.check();
    let username = format!("{}:next", lone.agent.local_credentials().ufrag);
    let mixed = Check {
        username,
        nominates: true,
        ..before.clone()
    };
    for restarted in [false, true] {
        if restarted {
            lone.agent.restart(lone.now);
            lone.theirs.ufrag = "next".into();
            lone.signal();
        }
        lone.sent();
        let refused = lone.input(elsewhere, &mixed.write());
        assert_eq!(refused, Err(Rejected::OtherGeneration));
        assert_eq!(lone.replies().len(), 0, "restarted: {restarted}");
        assert_eq!(
            lone.input(elsewhere, &[128; 20]),
            Err(Rejected::UnknownPath)
        );
        // Those of one generation are answered, also after it.
        let again = Check {
            id: TransactionId([200 + u8::from(restarted); 12]),
            ..before.clone()
        };
        lone.input(route(), &again.write()).unwrap();
        assert_eq!(lone.replies().len(), 1, "restarted: {restarted}");
    }
}

#[test]
fn a_restart_revives_what_has_failed() {
    let mut duo = connected(Seed(1), Link::new().delay(ms(10)));
    duo.net.cut_between(A, B);
    duo.run_until_state(State::Failed);
    duo.net.mend_between(A, B);
    let now = duo.net.now();
    for id in [A, B] {
        duo.net[id].agent.restart(now);
    }
    duo.signal();
    duo.run_until_state(State::Completed);
    let path = duo.net[A].path();
    assert_eq!(
        path[4..],
        [
            State::Failed,
            State::Checking,
            State::Connected,
            State::Completed
        ]
    );
}

#[test]
fn a_restart_that_leads_nowhere_fails() {
    let mut duo = connected(Seed(2), Link::new().delay(ms(10)));
    duo.net.cut_between(A, B);
    let now = duo.net.now();
    for id in [A, B] {
        duo.net[id].agent.restart(now);
    }
    duo.signal();
    duo.run_until_state(State::Failed);
}

/// A change of network: the interface goes, a restart follows, and the way to the peer is long.
/// What has become of the old path is no matter to the new generation.
#[test]
fn a_restart_outlives_the_interface_it_began_on() {
    let mut lone = Lone::connected(Role::Controlling);
    lone.agent.remove_local_address(lone.now, OURS.into());
    lone.agent.restart(lone.now);
    let another = SocketAddr::from(([10, 0, 0, 2], 5000));
    lone.agent
        .add_local_candidate(lone.now, Candidate::host(another))
        .unwrap();
    assert_eq!(lone.state(), State::Disconnected);
    lone.run_for(secs(20));
    lone.theirs.ufrag = "next".into();
    lone.signal();
    lone.agent
        .add_remote_candidate(lone.now, Candidate::host(route().remote))
        .unwrap();
    lone.run_for(secs(15));
    assert_eq!(lone.state(), State::Checking, "30 s after the loss");
    // The check is still repeated: in the end the peer answers.
    lone.live_for(secs(25));
    assert!(lone.agent.is_nominated());
}

/// The same, the other way round.
#[test]
fn an_interface_may_go_after_the_restart() {
    let mut lone = Lone::connected(Role::Controlling);
    let another = SocketAddr::from(([10, 0, 0, 2], 5000));
    lone.agent
        .add_local_candidate(lone.now, Candidate::host(another))
        .unwrap();
    lone.agent.restart(lone.now);
    lone.theirs.ufrag = "next".into();
    lone.signal();
    lone.agent.remove_local_address(lone.now, OURS.into());
    assert_eq!(
        (lone.state(), lone.agent.route()),
        (State::Disconnected, None)
    );
    lone.run_for(secs(25));
    lone.agent
        .add_remote_candidate(lone.now, Candidate::host(route().remote))
        .unwrap();
    lone.run_for(secs(6));
    assert_eq!(lone.state(), State::Checking);
    lone.live_for(secs(10));
    assert!(lone.agent.is_nominated());
}

/// The old pair's consent expires while nothing new can be tried yet.
#[test]
fn a_restart_without_candidates_is_not_connected() {
    let mut lone = Lone::connected(Role::Controlling);
    lone.agent.restart(lone.now);
    lone.theirs.ufrag = "next".into();
    lone.run_for(secs(15));
    lone.signal();
    lone.run_for(secs(20));
    assert_eq!((lone.state(), lone.agent.route()), (State::Checking, None));
    lone.run_for(secs(20));
    assert_eq!(lone.state(), State::Failed);
}

/// Checks for the old credentials are answered with the old password, and that is all they do.
#[test]
fn old_checks_are_answered() {
    let mut lone = Lone::connected(Role::Controlled);
    let (old, older) = (lone.check(), lone.check());
    lone.agent.restart(lone.now);
    lone.sent();
    lone.input(route(), &old.write()).unwrap();
    let (_, reply) = lone.replies().pop().unwrap();
    let key = pc_stun::IntegrityKey::short_term(&old.pwd);
    let reply = MessageView::parse(&reply).unwrap();
    assert_eq!(reply.class(), pc_stun::Class::Success);
    reply.verify_integrity(&key).unwrap();
    assert_eq!(lone.agent.route(), Some(route()));
    // Until the generation that answers them is gone as well.
    lone.theirs.ufrag = "next".into();
    lone.signal();
    let new = Check {
        nominates: true,
        ..lone.check()
    };
    lone.input(route(), &new.write()).unwrap();
    lone.run_for(ms(50));
    lone.agent.restart(lone.now);
    lone.agent.restart(lone.now);
    let outcome = lone.input(route(), &older.write());
    assert!(outcome == Ok(false) || outcome == Err(Rejected::UnknownUfrag));
}

#[test]
fn a_lazy_driver_restarts_too() {
    for_each_seed(50, |seed| {
        let mut duo = Duo::new(seed)
            .link(Link::new().delay(ms(20)).loss(0.1))
            .lazy();
        duo.signal();
        duo.net.run_for(secs(10));
        let now = duo.net.now();
        duo.net[A].agent.restart(now);
        duo.net.run_for(ms(100));
        duo.net[B].agent.restart(now);
        duo.signal();
        duo.net.run_for(secs(30));
        for id in [A, B] {
            assert!(duo.net[id].agent.is_nominated(), "{:?}", duo.net[id].agent);
        }
        duo.assert_same_path();
    });
}

/// The credentials of an offer are in use only when its answer says so; then they are those.
#[test]
fn a_restart_takes_the_credentials_it_is_given() {
    let mut lone = Lone::connected(Role::Controlling);
    let before = lone.agent.local_credentials().clone();
    let malformed = Credentials {
        ufrag: "x".into(),
        pwd: "y".into(),
    };
    let now = lone.now;
    assert_eq!(
        lone.agent.restart_with(now, malformed),
        Err(Error::InvalidUfrag)
    );
    assert_eq!(*lone.agent.local_credentials(), before);
    let offered = Credentials::new("offered+", "passwordpasswordpassword").unwrap();
    lone.agent.restart_with(now, offered.clone()).unwrap();
    assert_eq!(*lone.agent.local_credentials(), offered);
    assert_eq!(lone.agent.remote_credentials(), None);
    let ufrags: Vec<_> = lone.agent.local_ufrags().collect();
    assert_eq!(ufrags, ["offered+", before.ufrag.as_str()]);
    // The path outlives it, and the new generation connects.
    assert_eq!(lone.agent.route(), Some(route()));
    lone.theirs = Credentials::new("their2nd", "otherpasswordotherpassword").unwrap();
    lone.signal();
    let check = lone.check();
    assert!(check.username.starts_with("offered+:"));
    lone.input(route(), &check.write()).unwrap();
    lone.live_for(ms(500));
    assert!(lone.agent.is_nominated());
    assert_eq!(lone.agent.state(), State::Connected);
    lone.agent.close();
    let again = lone.agent.restart_with(now, offered);
    assert_eq!(again, Err(Error::Closed));
    assert_eq!(lone.agent.local_ufrags().count(), 0);
}

/// What a demultiplexer of several agents goes by.
#[test]
fn an_agent_knows_what_is_for_it() {
    let mut lone = Lone::signalled(Role::Controlling);
    assert!(lone.agent.has_local_address(OURS.into()));
    assert!(!lone.agent.has_local_address(([10, 0, 0, 1], 5001).into()));
    assert!(!lone.agent.knows(route()));
    let sent = lone.sent();
    let id = MessageView::parse(&sent[0].1).unwrap().transaction_id();
    assert!(lone.agent.awaits(id));
    assert!(!lone.agent.awaits(TransactionId([9; 12])));
    let answer = lone.success(id, OURS.into());
    lone.input(route(), &answer).unwrap();
    assert!(!lone.agent.awaits(id));
    assert!(lone.agent.knows(route()));
    assert_eq!(lone.agent.paths().collect::<Vec<_>>(), [route()]);
    lone.live_for(ms(500));
    // A consent check is awaited as well.
    let consent = lone.run_for(secs(7));
    let id = MessageView::parse(&consent[0].1).unwrap().transaction_id();
    assert!(lone.agent.awaits(id));
    let answer = lone.success(id, OURS.into());
    lone.input(route(), &answer).unwrap();
    assert!(!lone.agent.awaits(id));
}
