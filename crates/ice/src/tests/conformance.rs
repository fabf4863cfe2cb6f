//! What `docs/ice-conformance.md` names and no other test shows, and that it names what there is.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::Duration,
};

use pc_proto::Protocol;
use pc_simnet::{Seed, ms, secs};
use pc_stun::{Attribute, Class, MessageBuilder, MessageView, Method, TransactionId};

use super::{
    bytes::{Check, Lone, OURS, THEIRS, route, route_from},
    support::{A, B, Duo, address},
};
use crate::{Candidate, CandidateKind, Event, PairStatus, Rejected, Role, State};

/// Every test that the table names is there, under the path that it gives.
#[test]
fn the_table_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = fs::read_to_string(root.join("docs/ice-conformance.md")).unwrap();
    let mut named = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let tests = row.split('`').skip(1).step_by(2);
        for test in tests.filter(|text| text.contains("::")) {
            let (file, name) = test.split_once("::").unwrap();
            let path = root.join("crates").join(file);
            let source = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let is_test = source
                .lines()
                .any(|line| line.trim_start() == format!("fn {name}() {{"));
            assert!(is_test, "{test} is in the table and not in the sources");
            named += 1;
        }
    }
    assert!(named >= 60, "{named} tests named");
}

/// RFC 8445 §7.3.1.1: of two with one role the larger tie-breaker controls, and the other one is told
/// so with 487 or changes at once.
#[test]
fn a_role_conflict_is_decided_by_the_tie_breaker() {
    for (role, tie_breaker, changes) in [
        (Role::Controlling, 0, false),
        (Role::Controlling, u64::MAX, true),
        (Role::Controlled, 0, true),
        (Role::Controlled, u64::MAX, false),
    ] {
        let mut lone = Lone::signalled(role);
        // As controlled agent it controls from now on if its own is the larger one.
        let check = Check {
            role: Some((role, tie_breaker)),
            ..lone.check()
        };
        let outcome = lone.input(route(), &check.write());
        let now = if changes { role.opposite() } else { role };
        assert_eq!(lone.agent.role(), now, "{role} against {tie_breaker}");
        let answers = lone.replies();
        let answer = MessageView::parse(&answers[0].1).unwrap();
        if changes {
            assert_eq!(outcome, Ok(false));
            assert_eq!(answer.class(), Class::Success);
            assert!(lone.events().contains(&Event::RoleChanged(now)));
        } else {
            assert_eq!(outcome, Err(Rejected::RoleConflict));
            assert_eq!(answer.error_code().unwrap().code, 487);
        }
    }
}

/// RFC 8445 §7.2.5.1: a check that 487 answers is repeated in the other role, and pairs are ranked
/// anew.
#[test]
fn a_check_is_repeated_in_the_other_role() {
    let mut lone = Lone::signalled(Role::Controlling);
    let (path, bytes) = lone.sent().remove(0);
    let check = MessageView::parse(&bytes).unwrap();
    assert!(check.ice_controlling().is_some() && check.ice_controlled().is_none());
    let before = lone.agent.pairs().next().unwrap().priority;
    let refusal = lone.error(check.transaction_id(), 487);
    lone.input(path, &refusal).unwrap();
    assert_eq!(lone.agent.role(), Role::Controlled);
    let again = lone.run_for(ms(60));
    let again = MessageView::parse(&again[0].1).unwrap();
    assert!(again.ice_controlled().is_some());
    assert_ne!(again.transaction_id(), check.transaction_id());
    let after = lone.agent.pairs().next().unwrap().priority;
    assert!(
        before == after || before.abs_diff(after) == 1,
        "only the last bit"
    );
}

/// RFC 8445 §7.1.1, §7.2.2: PRIORITY is that of a peer-reflexive candidate, USERNAME names the peer
/// first, and what is signed is fingerprinted.
#[test]
fn a_check_says_what_it_has_to() {
    let mut lone = Lone::signalled(Role::Controlling);
    let own = lone.agent.local_candidates().next().unwrap().clone();
    let (_, bytes) = lone.sent().remove(0);
    let check = MessageView::parse(&bytes).unwrap();
    let priority = check.priority().unwrap();
    assert_eq!(priority >> 24, 110);
    assert_eq!(priority & 0x00FF_FFFF, own.priority & 0x00FF_FFFF);
    let ours = lone.agent.local_credentials().ufrag.clone();
    assert_eq!(check.username(), Some(&*format!("theirs:{ours}")));
    assert_eq!(check.verify_fingerprint(), Ok(()));
    let key = pc_stun::IntegrityKey::short_term("theirpasswordtheirpassword");
    assert_eq!(check.verify_integrity(&key), Ok(()));
    assert!(
        !check.use_candidate(),
        "regular nomination: not on the first"
    );
}

/// RFC 8445 §7.3.1.3: the candidate that a check comes from has its PRIORITY, and a foundation unlike
/// any other.
#[test]
fn a_peer_reflexive_candidate_has_the_priority_of_its_check() {
    let mut lone = Lone::signalled(Role::Controlled);
    let elsewhere = ([10, 0, 1, 9], 7000).into();
    let check = Check {
        priority: Some(1_845_494_271),
        ..lone.check()
    };
    lone.input(route_from(elsewhere), &check.write()).unwrap();
    let all: Vec<_> = lone.agent.remote_candidates().cloned().collect();
    let learned = all.iter().find(|it| it.address == elsewhere).unwrap();
    assert_eq!(learned.kind, CandidateKind::PeerReflexive);
    assert_eq!(learned.priority, 1_845_494_271);
    let alike = all.iter().filter(|it| it.foundation == learned.foundation);
    assert_eq!(alike.count(), 1);
}

/// RFC 8445 §7.2.5.3.1: an address in an answer that is no candidate of ours is peer-reflexive, with
/// the PRIORITY of the check.
#[test]
fn an_unknown_mapped_address_is_a_candidate_of_ours() {
    let mut lone = Lone::signalled(Role::Controlling);
    let (path, bytes) = lone.sent().remove(0);
    let check = MessageView::parse(&bytes).unwrap();
    let outside = ([198, 51, 100, 7], 40_000).into();
    let answer = lone.success(check.transaction_id(), outside);
    lone.input(path, &answer).unwrap();
    let local = &lone.agent.selected_pair().unwrap().local;
    assert_eq!(local.kind, CandidateKind::PeerReflexive);
    assert_eq!(local.address, outside);
    assert_eq!(Some(local.priority), check.priority());
    assert_eq!(
        lone.agent.local_candidates().count(),
        1,
        "it is not signalled"
    );
}

/// RFC 8445 §14.2, §6.1.4.2: however many pairs there are, a new check leaves every Ta, the best
/// first, and triggered ones before all.
#[test]
fn checks_are_paced_and_in_order() {
    let mut lone = Lone::new(Role::Controlled);
    lone.signal();
    for n in 1..=10 {
        let candidate = Candidate {
            priority: 2_130_706_431 - u32::from(n) * 256,
            ..Candidate::host(([10, 0, 1, n], 5000).into())
        };
        lone.agent
            .add_remote_candidate(lone.now, candidate)
            .unwrap();
    }
    let (begun, mut checked) = (lone.now, Vec::new());
    let mut seen = HashSet::new();
    while checked.len() < 10 {
        for (path, bytes) in lone.sent() {
            let message = MessageView::parse(&bytes).unwrap();
            if message.class() == Class::Request && seen.insert(message.transaction_id()) {
                checked.push((lone.now - begun, path.remote));
            }
        }
        if checked.len() == 3 && lone.now - begun == ms(100) {
            // The worst pair, triggered, has the next turn.
            let check = lone.check().write();
            let worst = route_from(([10, 0, 1, 10], 5000).into());
            lone.input(worst, &check).unwrap();
        }
        lone.now = lone.agent.poll_timeout().unwrap();
        lone.agent.handle_timeout(lone.now);
    }
    let times: Vec<_> = checked.iter().map(|(at, _)| *at).collect();
    let paced: Vec<_> = (0..10).map(|n| ms(50) * n).collect();
    assert_eq!(times, paced);
    let order: Vec<_> = checked.iter().map(|(_, to)| to.to_string()).collect();
    let expected = [1, 2, 3, 10, 4, 5, 6, 7, 8, 9].map(|n| format!("10.0.1.{n}:5000"));
    assert_eq!(order, expected);
}

/// RFC 8445 §6.1.2.6, §7.2.5.3.3: of pairs with one foundation the first is checked, and the others
/// when that was found good.
#[test]
fn one_foundation_is_checked_at_a_time() {
    let mut lone = Lone::new(Role::Controlled);
    lone.signal();
    for n in 1..=3 {
        let candidate = Candidate {
            foundation: "same".into(),
            ..Candidate::host(([10, 0, 1, n], 5000).into())
        };
        lone.agent
            .add_remote_candidate(lone.now, candidate)
            .unwrap();
    }
    let statuses = |lone: &Lone| {
        let mut counted = HashMap::new();
        for pair in lone.agent.pairs() {
            *counted.entry(pair.status.as_str()).or_insert(0) += 1;
        }
        counted
    };
    assert_eq!(statuses(&lone)["frozen"], 2);
    lone.answer_all();
    let after = statuses(&lone);
    assert!(!after.contains_key("frozen"), "{after:?}");
    assert_eq!(after[PairStatus::Succeeded.as_str()], 1);
}

/// RFC 8445 §11: without data something leaves every 15 s at least, and the checks for consent are
/// that (RFC 7675 §5.1 has them replace keepalives); indications are heard without an answer.
#[test]
fn an_idle_path_is_kept_alive() {
    let mut lone = Lone::connected(Role::Controlled);
    let mut last = lone.now;
    for _ in 0..60 {
        lone.now += Duration::from_secs(1);
        lone.agent.handle_timeout(lone.now);
        if lone.answer_all() > 0 {
            last = lone.now;
        }
        assert!(lone.now - last < secs(15));
    }
    let mut bytes = [0; 64];
    let id = TransactionId([9; 12]);
    let mut keepalive = MessageBuilder::new(&mut bytes, Class::Indication, Method::BINDING, id);
    let len = keepalive.fingerprint().finish().unwrap();
    assert_eq!(lone.input(route(), &bytes[..len]), Ok(false));
    assert!(lone.replies().is_empty());
}

/// RFC 7675 §5.1: what leaves after consent has expired is nothing, not even checks; expired means
/// 30 s after the last answer, whatever the peer sends.
#[test]
fn nothing_is_sent_once_consent_is_gone() {
    let mut lone = Lone::connected(Role::Controlling);
    let answered = lone.now;
    lone.run_for(secs(29));
    assert!(lone.agent.route().is_some());
    let left = lone.run_for(answered + secs(31) - lone.now);
    assert_eq!(lone.agent.route(), None, "{} datagrams left", left.len());
    assert!(lone.run_for(secs(60)).is_empty());
    assert_eq!(lone.state(), State::Failed);
}

/// RFC 8838 §11, §14: a candidate that is told after the end was is used all the same, and one told
/// twice is one.
#[test]
fn a_candidate_after_the_end_is_used() {
    let mut duo = Duo::new(Seed(4));
    duo.net.cut_between(A, B);
    duo.signal();
    duo.net.run_for(secs(1));
    duo.add_address(B, 2);
    for (from, to) in [(A, B), (B, A)] {
        let address = |host| address(host, if host == A { 1 } else { 2 });
        duo.net.mend(address(from), address(to));
    }
    for _ in 0..2 {
        duo.signal_candidates(A);
    }
    duo.run_until_state(State::Completed);
    let remotes = duo.net[A].agent.remote_candidates();
    assert_eq!(remotes.filter(|it| it.address == address(B, 2)).count(), 1);
}

/// draft-thatcher-ice-renomination §4: the highest number counts, in any order, whatever the
/// priorities; USE-CANDIDATE is less than any.
#[test]
fn the_highest_nomination_counts() {
    let second = ([10, 0, 1, 2], 5000).into();
    let mut lone = Lone::new(Role::Controlled);
    lone.signal();
    for (priority, address) in [(2_130_706_431, THEIRS.into()), (2_130_706_175, second)] {
        let candidate = Candidate {
            priority,
            ..Candidate::host(address)
        };
        lone.agent
            .add_remote_candidate(lone.now, candidate)
            .unwrap();
    }
    lone.live_for(ms(200));
    let mut nominate = |number: Option<u32>, remote| {
        let check = Check {
            nominates: number.is_none(),
            number,
            ..lone.check()
        };
        lone.input(route_from(remote), &check.write()).unwrap();
        lone.live_for(ms(20));
        lone.agent.route().map(|route| route.remote)
    };
    let first = THEIRS.into();
    assert_eq!(nominate(Some(1), first), Some(first));
    assert_eq!(nominate(Some(3), second), Some(second), "a worse pair");
    assert_eq!(nominate(Some(2), first), Some(second), "an older number");
    assert_eq!(nominate(None, first), Some(second), "no number");
    assert_eq!(nominate(Some(4), first), Some(first));
    assert_eq!(
        lone.agent.local_candidates().next().unwrap().address,
        OURS.into()
    );
}

/// draft-thatcher-ice-renomination §4: numbers grow, and stand where USE-CANDIDATE would.
#[test]
fn a_controlling_agent_numbers_its_nominations() {
    for both in [true, false] {
        let mut lone = Lone::signalled(Role::Controlling);
        lone.agent.set_renomination(lone.now, both);
        let mut nominations = Vec::new();
        let end = lone.now + ms(500);
        while lone.now < end {
            for (path, bytes) in lone.sent() {
                let check = MessageView::parse(&bytes).unwrap();
                nominations.extend(check.nomination().map(Some));
                if check.use_candidate() {
                    nominations.push(None);
                }
                let answer = lone.success(check.transaction_id(), path.local);
                lone.input(path, &answer).unwrap();
            }
            lone.now = lone.agent.poll_timeout().unwrap();
            lone.agent.handle_timeout(lone.now);
        }
        let expected = if both { Some(1) } else { None };
        assert!(!nominations.is_empty());
        assert!(
            nominations.iter().all(|it| *it == expected),
            "{nominations:?}"
        );
    }
}

/// The attribute as it is on the wire, for those who look for it there.
#[test]
fn nomination_has_the_number_of_libwebrtc() {
    let mut bytes = [0; 64];
    let id = TransactionId([1; 12]);
    let mut message = MessageBuilder::new(&mut bytes, Class::Request, Method::BINDING, id);
    message.attribute(Attribute::Nomination(7));
    let len = message.finish().unwrap();
    assert_eq!(bytes[20..len], [0xC0, 0x01, 0, 4, 0, 0, 0, 7]);
}
