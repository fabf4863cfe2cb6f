//! Forged, replayed and plentiful messages (facts §11, rows 9, 10 and 11).

use std::{net::SocketAddr, time::Duration};

use pc_proto::{Batch, Protocol};
use pc_stun::{Class, IntegrityKey, MessageView, TransactionId};

use super::bytes::{Check, Lone, OURS, route, route_from};
use crate::{Event, Rejected, Role, State};

fn stranger() -> SocketAddr {
    ([203, 0, 113, 9], 666).into()
}

/// What a request is refused with, and whether the refusal is authenticated.
fn refusal(lone: &mut Lone) -> Option<(u16, bool)> {
    let key = IntegrityKey::short_term(&lone.agent.local_credentials().pwd);
    let (_, bytes) = lone.replies().pop()?;
    let reply = MessageView::parse(&bytes).unwrap();
    reply.verify_fingerprint().unwrap();
    assert_eq!(reply.class(), Class::Error);
    Some((
        reply.error_code().unwrap().code,
        reply.verify_integrity(&key).is_ok(),
    ))
}

#[test]
fn bad_requests_are_refused_and_change_nothing() {
    for role in [Role::Controlling, Role::Controlled] {
        for mut lone in [
            Lone::new(role),
            Lone::signalled(role),
            Lone::connected(role),
        ] {
            lone.sent();
            lone.events();
            let good = lone.check();
            let ufrag = lone.agent.local_credentials().ufrag.clone();
            let conflict = match role {
                Role::Controlling => Some((role, 0)),
                Role::Controlled => Some((role, u64::MAX)),
            };
            let cases = [
                (
                    Check {
                        integrity: false,
                        ..good.clone()
                    },
                    Rejected::BadRequest,
                    (400, false),
                ),
                (
                    Check {
                        username: "colonless".into(),
                        ..good.clone()
                    },
                    Rejected::BadRequest,
                    (400, false),
                ),
                (
                    Check {
                        username: format!("{ufrag}x:theirs"),
                        ..good.clone()
                    },
                    Rejected::UnknownUfrag,
                    (401, false),
                ),
                (
                    Check {
                        username: format!("theirs:{ufrag}"),
                        ..good.clone()
                    },
                    Rejected::UnknownUfrag,
                    (401, false),
                ),
                (
                    Check {
                        pwd: "wrongpasswordwrongpassword".into(),
                        ..good.clone()
                    },
                    Rejected::Unauthenticated,
                    (401, false),
                ),
                (
                    Check {
                        unknown: true,
                        ..good.clone()
                    },
                    Rejected::UnknownAttribute(0x7F01),
                    (420, true),
                ),
                (
                    Check {
                        priority: None,
                        ..good.clone()
                    },
                    Rejected::BadRequest,
                    (400, true),
                ),
                (
                    Check {
                        role: conflict,
                        ..good.clone()
                    },
                    Rejected::RoleConflict,
                    (487, true),
                ),
            ];
            for (check, rejected, refused) in cases {
                for from in [route(), route_from(stranger())] {
                    let before = lone.digest();
                    assert_eq!(lone.input(from, &check.write()), Err(rejected));
                    assert_eq!(refusal(&mut lone), Some(refused), "{rejected}");
                    assert_eq!(lone.digest(), before, "{rejected}");
                    assert_eq!(lone.events(), []);
                }
            }
        }
    }
}

#[test]
fn what_is_no_check_changes_nothing_and_gets_no_answer() {
    let mut lone = Lone::connected(Role::Controlled);
    let good = lone.check().write();
    let before = lone.digest();
    // Each bit of a good check flipped: never accepted, whatever it then looks like. Left out are
    // the type and length of FINGERPRINT: then it has none, and is as good as before.
    let proven = good.len() - 8;
    for bit in (0..proven * 8).chain((good.len() - 4) * 8..good.len() * 8) {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let outcome = lone.input(route_from(stranger()), &forged);
        assert!(outcome.is_err(), "bit {bit}");
        assert!(bit < proven * 8 || outcome == Err(Rejected::Fingerprint));
        lone.replies();
        assert_eq!(lone.digest(), before, "bit {bit}");
    }
    for len in 0..good.len() {
        assert_eq!(
            lone.input(route_from(stranger()), &good[..len]),
            Err(Rejected::UnknownPath)
        );
    }
    let mut elsewhere = route();
    elsewhere.local = stranger();
    assert_eq!(
        lone.input(elsewhere, &good),
        Err(Rejected::UnknownLocalAddress)
    );
    assert!(lone.replies().is_empty());
    assert_eq!(lone.digest(), before);
}

#[test]
fn only_proven_paths_pass_data_up() {
    let mut lone = Lone::signalled(Role::Controlled);
    let data = [0x16, 0xFE, 0xFD, 0, 0];
    assert_eq!(lone.input(route(), &data), Err(Rejected::UnknownPath));
    let check = lone.check().write();
    assert_eq!(lone.input(route(), &check), Ok(false));
    assert_eq!(
        lone.events().last(),
        Some(&Event::PathAuthenticated(route()))
    );
    assert_eq!(lone.input(route(), &data), Ok(true));
    assert_eq!(
        lone.input(route_from(stranger()), &data),
        Err(Rejected::UnknownPath)
    );
    lone.agent.close();
    assert_eq!(lone.input(route(), &data), Err(Rejected::Closed));
}

/// A replay of a good check is either answered as the retransmission it may be, or dropped.
#[test]
fn replayed_requests_have_no_second_effect() {
    for role in [Role::Controlling, Role::Controlled] {
        let mut lone = Lone::connected(role);
        let nominates = role == Role::Controlled;
        let check = Check {
            nominates,
            ..lone.check()
        }
        .write();
        lone.input(route(), &check).unwrap();
        lone.run_for(Duration::from_secs(3));
        lone.events();
        let before = lone.digest();
        assert_eq!(lone.input(route(), &check), Ok(false));
        assert_eq!(lone.replies().len(), 1);
        assert_eq!(
            lone.input(route_from(stranger()), &check),
            Err(Rejected::Replayed)
        );
        assert_eq!(lone.replies().len(), 0);
        assert_eq!(lone.digest(), before);
        assert_eq!(lone.events(), []);
    }
}

#[test]
fn responses_need_transaction_source_and_password() {
    let mut lone = Lone::signalled(Role::Controlling);
    let (_, request) = lone.sent().remove(0);
    let id = MessageView::parse(&request).unwrap().transaction_id();
    let good = lone.success(id, OURS.into());
    let before = lone.digest();

    let unknown = lone.success(TransactionId([9; 12]), OURS.into());
    assert_eq!(
        lone.input(route(), &unknown),
        Err(Rejected::UnmatchedResponse)
    );
    lone.theirs.pwd = "wrongpasswordwrongpassword".into();
    let (forged, error) = (lone.success(id, OURS.into()), lone.error(id, 487));
    lone.theirs.pwd = "theirpasswordtheirpassword".into();
    for from in [route(), route_from(stranger())] {
        assert_eq!(lone.input(from, &forged), Err(Rejected::Unauthenticated));
        assert_eq!(lone.input(from, &error), Err(Rejected::Unauthenticated));
    }
    // The request itself, sent back.
    assert_eq!(lone.input(route(), &request), Err(Rejected::UnknownUfrag));
    assert_eq!(lone.digest(), before);
    assert_eq!(lone.state(), State::Checking);

    lone.input(route(), &good).unwrap();
    assert_eq!(lone.state(), State::Connected);
    let after = lone.digest();
    assert_eq!(
        lone.input(route(), &good),
        Err(Rejected::UnmatchedResponse),
        "a replay"
    );
    assert_eq!(lone.digest(), after);
}

#[test]
fn consent_needs_the_same() {
    let mut lone = Lone::connected(Role::Controlling);
    let (_, request) = lone.run_for(Duration::from_secs(6)).remove(0);
    let id = MessageView::parse(&request).unwrap().transaction_id();
    let good = lone.success(id, OURS.into());
    let before = lone.digest();
    lone.theirs.pwd = "wrongpasswordwrongpassword".into();
    let forged = lone.success(id, OURS.into());
    assert_eq!(lone.input(route(), &forged), Err(Rejected::Unauthenticated));
    assert_eq!(
        lone.input(route_from(stranger()), &good),
        Err(Rejected::UnmatchedResponse)
    );
    assert_eq!(lone.digest(), before);
    lone.input(route(), &good).unwrap();
    assert_ne!(lone.digest(), before);
}

/// RFC 8445 §7.2.5.2.1: the peer's own answer, from another address.
#[test]
fn an_answer_from_elsewhere_fails_the_pair() {
    let mut lone = Lone::signalled(Role::Controlling);
    let (_, request) = lone.sent().remove(0);
    let id = MessageView::parse(&request).unwrap().transaction_id();
    let answer = lone.success(id, OURS.into());
    assert_eq!(lone.input(route_from(stranger()), &answer), Ok(false));
    assert_eq!(
        lone.input(route(), &answer),
        Err(Rejected::UnmatchedResponse)
    );
    assert_eq!(lone.agent.route(), None);
    assert!(format!("{:?}", lone.agent).contains("state: Failed"));
}

#[test]
fn floods_are_bounded_in_memory_and_answers() {
    let mut lone = Lone::connected(Role::Controlled);
    lone.sent();
    let good = lone.check();
    let from = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        route_from(SocketAddr::from(([100, a, b, c], 7)))
    };
    // Nobody's requests: refused at 50 a second.
    let forged = Check {
        pwd: "wrongpasswordwrongpassword".into(),
        ..good.clone()
    };
    let mut refused = 0;
    for n in 0..2_000 {
        assert_eq!(
            lone.input(from(n), &forged.write()),
            Err(Rejected::Unauthenticated)
        );
        refused += lone.replies().len();
    }
    assert_eq!(refused, 50);
    // The peer's own requests from everywhere: answered, in bounds.
    let mut sizes = Vec::new();
    for n in 0..2_000u32 {
        let mut id = [0xEE; 12];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let check = Check {
            id: TransactionId(id),
            nominates: true,
            ..good.clone()
        };
        assert_eq!(lone.input(from(n), &check.write()), Ok(false));
        sizes.push(format!("{:?}", lone.agent).len());
    }
    assert_eq!(lone.replies().len(), crate::reply::MAX_REPLIES);
    // Numbers grow longer, lists do not.
    assert!(
        sizes[1_999] < sizes[999] * 21 / 20,
        "{} {}",
        sizes[999],
        sizes[1_999]
    );
    assert!(lone.agent.remote_candidates().count() <= 1 + crate::remotes::MAX_REFLEXIVE);
    assert!(lone.events().len() <= 256);
    assert_eq!(lone.agent.route(), Some(route()), "the pair in use stays");
    // Checks of all those addresses leave at the pace, no faster.
    let sent = lone.run_for(Duration::from_secs(1));
    assert!(sent.len() <= 100, "{}", sent.len());
}

#[test]
fn early_checks_are_bounded_and_only_the_peers_count() {
    let mut lone = Lone::new(Role::Controlled);
    let stray = Check {
        username: format!("{}:stray", lone.agent.local_credentials().ufrag),
        ..lone.check()
    };
    lone.input(route_from(stranger()), &stray.write()).unwrap();
    let good = lone.check();
    for n in 0..500u16 {
        let mut id = [0xEE; 12];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let check = Check {
            id: TransactionId(id),
            ..good.clone()
        };
        let from = SocketAddr::from(([10, 1, 0, 1], 1_000 + n));
        assert_eq!(lone.input(route_from(from), &check.write()), Ok(false));
    }
    assert_eq!(lone.state(), State::New);
    lone.signal();
    let learnt: Vec<_> = lone.agent.remote_candidates().collect();
    assert!(!learnt.is_empty() && learnt.len() <= 32, "{}", learnt.len());
    assert!(learnt.iter().all(|known| known.address != stranger()));
}

/// Each request of the peer triggers a check that replaces the last one, not one more.
#[test]
fn open_checks_are_bounded() {
    let mut lone = Lone::signalled(Role::Controlled);
    for _ in 0..100 {
        let check = lone.check().write();
        lone.input(route(), &check).unwrap();
        lone.run_for(Duration::from_millis(50));
    }
    let open = format!("{:?}", lone.agent).matches("Transaction {").count();
    assert!((2..=4).contains(&open), "{open}");
}

#[test]
fn requests_of_one_path_are_answered_in_one_batch() {
    let mut lone = Lone::connected(Role::Controlled);
    lone.sent();
    for _ in 0..3 {
        let check = lone.check().write();
        lone.input(route(), &check).unwrap();
    }
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1200, 64);
    assert_eq!(lone.agent.poll_transmit(lone.now, &mut out), Some(route()));
    assert_eq!(batch.datagrams().count(), 3);
}

/// Two agents with one tie-breaker cannot both keep, or both change, their role for ever.
#[test]
fn a_role_conflict_answer_is_obeyed_once() {
    let mut lone = Lone::signalled(Role::Controlling);
    let (_, request) = lone.sent().remove(0);
    let id = MessageView::parse(&request).unwrap().transaction_id();
    let conflict = lone.error(id, 487);
    lone.input(route(), &conflict).unwrap();
    assert_eq!(lone.agent.role(), Role::Controlled);
    assert_eq!(
        lone.input(route(), &conflict),
        Err(Rejected::UnmatchedResponse)
    );
    assert_eq!(lone.agent.role(), Role::Controlled);
    let again = lone.run_for(Duration::from_millis(50));
    let repeated = MessageView::parse(&again.last().unwrap().1).unwrap();
    // In the new role, and drawn anew: two equal ones would go on for ever.
    let first = MessageView::parse(&request).unwrap().ice_controlling();
    assert!(repeated.ice_controlled().is_some() && repeated.ice_controlled() != first);
}
