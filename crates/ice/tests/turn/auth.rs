//! Long-term credentials (RFC 8489 §9.2).

use std::time::Duration;

use pc_ice::{ServerError, turn};
use pc_simnet::for_each_seed;
use pc_stun::{AttributeType as T, ErrorCode, IntegrityAlgorithm, MessageView, Method};

use crate::{
    server::{Policy, Seen},
    world::World,
};

const SHA256: u16 = 2;
const MD5: u16 = 1;

/// A server of RFC 8489 with everything.
fn modern() -> Policy {
    Policy {
        algorithms: vec![SHA256, MD5],
        anonymity: true,
        features: "wAAA",
        ..Policy::default()
    }
}

fn signature(seen: &Seen) -> [bool; 2] {
    let view = MessageView::parse(&seen.bytes).unwrap();
    [IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256].map(|it| view.has_integrity(it))
}

/// RFC 8489 §9.2.5: without PASSWORD-ALGORITHMS, MD5 and MESSAGE-INTEGRITY.
#[test]
fn old_servers_get_what_they_know() {
    let mut world = World::new(Policy::default()).allocate();
    let seen = world.server().seen[1].clone();
    assert_eq!(signature(&seen), [true, false]);
    assert!(seen.has(T::USERNAME) && !seen.has(T::USERHASH));
    assert!(!seen.has(T::PASSWORD_ALGORITHM) && !seen.has(T::PASSWORD_ALGORITHMS));
}

/// RFC 8489 §9.2.5: MESSAGE-INTEGRITY-SHA256 alone, the list as it came, and the user name hashed
/// when the nonce says so, from whichever side the bits of its features are counted.
#[test]
fn modern_servers_get_sha256_and_userhash() {
    for features in ["wAAA", "AAAD"] {
        let policy = Policy {
            features,
            ..modern()
        };
        let mut world = World::new(policy).allocate();
        world.permit("198.51.100.1:5000");
        for seen in &world.server().seen[1..] {
            assert_eq!(signature(seen), [false, true], "{features}");
            assert!(seen.has(T::USERHASH) && !seen.has(T::USERNAME));
            assert!(seen.has(T::PASSWORD_ALGORITHM) && seen.has(T::PASSWORD_ALGORITHMS));
        }
    }
}

/// RFC 8489 §9.2.5: "the first algorithm supported on the list", even if it is MD5.
#[test]
fn the_first_known_algorithm_is_taken() {
    for algorithms in [vec![0x7777, MD5, SHA256], vec![MD5], vec![0x1234, SHA256]] {
        let policy = Policy {
            algorithms,
            ..modern()
        };
        drop(World::new(policy).allocate());
    }
    let mut none = World::new(Policy {
        algorithms: vec![0x7777],
        ..modern()
    });
    let failed = turn::Event::Failed(ServerError::NoPasswordAlgorithm);
    assert_eq!(none.end(), failed);
    assert_eq!(none.server().seen.len(), 1, "no retry");
}

/// RFC 8489 §9.2.5: the nonce promises a list that is not there. Nothing is signed for whoever took
/// it out.
#[test]
fn a_removed_list_is_noticed() {
    let policy = Policy {
        stripped: true,
        ..modern()
    };
    let mut world = World::new(policy);
    assert_eq!(world.end(), turn::Event::Failed(ServerError::BidDown));
    assert_eq!(world.server().seen.len(), 1, "no retry");
}

/// RFC 8489 §9.2.5: a later 438 without list and features does not talk the client into SHA-1.
#[test]
fn a_stale_nonce_does_not_weaken_the_signature() {
    let mut world = World::new(modern()).allocate();
    world.server().policy.features = "";
    world.server().policy.stripped = true;
    world.permit("198.51.100.1:5000");
    let answers: Vec<_> = world
        .server()
        .requests(Method::CREATE_PERMISSION)
        .iter()
        .map(|seen| (seen.answer, signature(seen)))
        .collect();
    assert_eq!(answers, [(438, [false, true]), (0, [false, true])]);
}

/// RFC 8489 §9.2.5: with a stale nonce the request is made again with the new one.
#[test]
fn stale_nonces_are_replaced() {
    for policy in [Policy::default(), modern()] {
        let policy = Policy {
            nonce_lifetime: Duration::from_secs(100),
            ..policy
        };
        let mut world = World::new(policy).allocate();
        world.bind("198.51.100.1:5000");
        world.network.run_for(Duration::from_secs(3600));
        assert_eq!(world.events(), [], "nothing is noticed above");
        let stale = world.server().seen.iter().filter(|seen| seen.answer == 438);
        assert!(stale.count() > 10);
        assert!(world.echoes("198.51.100.1:5000", b"still here"));
    }
}

/// A server whose nonces are always stale is given up.
#[test]
fn endless_challenges_end() {
    let policy = Policy {
        nonce_lifetime: Duration::ZERO,
        ..Policy::default()
    };
    let mut world = World::new(policy);
    assert_eq!(
        world.end(),
        turn::Event::Failed(ServerError::TooManyChallenges)
    );
    assert_eq!(world.server().seen.len(), 5);
}

/// RFC 8489 §9.2.5: not again with the same credentials.
#[test]
fn wrong_credentials_are_tried_once() {
    for (user, password) in [("other", "secret"), ("user", "guess")] {
        let change = |config: &mut turn::Config| {
            config.credentials = turn::Credentials::new(user, password);
        };
        let mut world = World::with(2.into(), Policy::default(), change);
        let refused = ServerError::Refused(ErrorCode::UNAUTHENTICATED.into());
        assert_eq!(world.end(), turn::Event::Failed(refused));
        assert_eq!(world.server().seen.len(), 2);
    }
}

/// RFC 8489 §9.2.5: over UDP an answer with a wrong signature is as none, and in the end it is the
/// signature that is blamed.
#[test]
fn answers_with_a_wrong_signature_do_not_count() {
    let policy = Policy {
        signs_wrongly: true,
        ..Policy::default()
    };
    let mut world = World::new(policy);
    assert_eq!(
        world.end(),
        turn::Event::Failed(ServerError::Integrity(None))
    );
    assert!(world.network.elapsed() > Duration::from_secs(39));
}

/// Some servers do not sign errors: what they claim is told as a claim.
#[test]
fn unsigned_errors_are_told_in_the_end() {
    let error = ErrorCode::ALLOCATION_QUOTA_REACHED;
    let refuse = [(Method::ALLOCATE, error)].into();
    let policy = Policy {
        refuse,
        signs_errors: false,
        ..Policy::default()
    };
    let mut world = World::new(policy);
    world.network.run_for(Duration::from_millis(30));
    assert_eq!(world.app().client.claimed_refusal(), None);
    world.network.run_for(Duration::from_millis(30));
    let known = world.app().client.claimed_refusal();
    assert_eq!(known.map(|it| it.code), Some(486), "while it is waited for");
    let claimed = ServerError::Integrity(Some(error.into()));
    assert_eq!(claimed.code(), 486);
    assert_eq!(world.end(), turn::Event::Failed(claimed));
}

/// All of it, with losses.
#[test]
fn every_kind_of_server_is_reached_over_a_bad_network() {
    for_each_seed(20, |seed| {
        for policy in [Policy::default(), modern()] {
            let policy = Policy {
                nonce_lifetime: Duration::from_secs(30),
                ..policy
            };
            let mut world = World::with(seed, policy, |_| {}).bad().allocate();
            world.permit("198.51.100.1:5000");
            world.network.run_for(Duration::from_secs(700));
            let now = world.now();
            assert!(world.app().client.allocation().is_some());
            let server = &world.server().relay;
            assert!(server.allocation().unwrap().expires_at > now);
        }
    });
}
