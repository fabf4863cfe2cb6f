//! What a server refuses is not asked for again, and the allocation is made without it
//! (RFC 8656 §7.2, RFC 8016 §3.1).

use pc_ice::{ServerError, turn};
use pc_simnet::{for_each_seed, ms};
use pc_stun::{AttributeType as T, ErrorCode, Method};

use crate::{
    relay::{RELAYED_V4, RELAYED_V6},
    server::{Additional, Policy},
    world::{World, address},
};

/// Asks for two families and a ticket.
fn wishing(policy: Policy) -> World {
    World::with(1.into(), policy, |config| {
        config.families = turn::Families::Both;
        config.mobility = true;
    })
}

/// What was given, with how many Allocate requests.
fn given(policy: Policy) -> (Vec<&'static str>, usize) {
    let mut world = wishing(policy).allocate();
    let allocation = world.app().client.allocation().unwrap().clone();
    let has = |text: &&str| allocation.relayed_addresses().any(|it| it == address(text));
    let relayed = [RELAYED_V4, RELAYED_V6].into_iter().filter(has);
    let relayed: Vec<_> = relayed.collect();
    assert_eq!(relayed.len(), allocation.relayed_addresses().count());
    let requests = world.server().requests(Method::ALLOCATE).len();
    (relayed, requests)
}

fn policy(additional: Additional, families: [bool; 2]) -> Policy {
    Policy {
        additional,
        families,
        ..Policy::default()
    }
}

/// RFC 8656 §7.2, and coturn before 4.8, which knows the attribute by another number and puts
/// 0.0.0.0:0 in the place of what it does not give.
#[test]
fn no_round_trip_more_where_both_are_understood() {
    for known in [Additional::Known, Additional::Draft] {
        let given = |families| given(policy(known, families));
        assert_eq!(given([true, true]), (vec![RELAYED_V4, RELAYED_V6], 2));
        assert_eq!(given([true, false]), (vec![RELAYED_V4], 2));
        assert_eq!(given([false, true]), (vec![RELAYED_V6], 2));
    }
}

/// A server of RFC 5766 gives what it would without, in as many round trips. One that has IPv6 alone,
/// and answers 440 like those that do not give two, is asked for that by name in the end (RFC 6156
/// §4.1.1).
#[test]
fn where_it_is_not_understood_one_family_serves() {
    let given = |families| given(policy(Additional::Ignored, families));
    assert_eq!(given([true, true]), (vec![RELAYED_V4], 2));
    assert_eq!(given([false, true]), (vec![RELAYED_V6], 4));
}

/// Who names no family takes what there is.
#[test]
fn any_family_serves() {
    for (families, expected, requests) in [
        ([true, true], RELAYED_V4, 2),
        ([true, false], RELAYED_V4, 2),
        ([false, true], RELAYED_V6, 3),
    ] {
        let change = |config: &mut turn::Config| config.families = turn::Families::Any;
        let given = policy(Additional::Known, families);
        let mut world = World::with(1.into(), given, change).allocate();
        let asked = world.server().requests(Method::ALLOCATE);
        assert_eq!(asked.len(), requests);
        assert!(asked.iter().all(|it| !it.has(T::ADDITIONAL_ADDRESS_FAMILY)));
        let client = &world.app().client;
        let relayed = client.allocation().unwrap().relayed_addresses();
        assert_eq!(relayed.collect::<Vec<_>>(), [address(expected)]);
    }
}

/// coturn with `external-ip`: 440 before 4.16, 508 since. 420 and 400 are of servers that take
/// comprehension-optional attributes too seriously.
#[test]
fn where_two_are_refused_one_family_serves() {
    for error in [
        ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED,
        ErrorCode::INSUFFICIENT_CAPACITY,
        ErrorCode::UNKNOWN_ATTRIBUTE,
        ErrorCode::BAD_REQUEST,
        ErrorCode::SERVER_ERROR,
    ] {
        let given = given(policy(Additional::Refused(error), [true, false]));
        assert_eq!(given, (vec![RELAYED_V4], 3), "{error:?}");
    }
    let six = policy(
        Additional::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
        [false, true],
    );
    assert_eq!(given(six), (vec![RELAYED_V6], 4));
}

/// RFC 8016 §3.1.2: 405, and both families all the same.
#[test]
fn where_mobility_is_forbidden_the_allocation_stays_in_its_place() {
    let mut world = wishing(Policy {
        forbids_mobility: true,
        ..Policy::default()
    })
    .allocate();
    let asked: Vec<_> = world.server().requests(Method::ALLOCATE);
    let asked: Vec<_> = asked.iter().map(|it| it.has(T::MOBILITY_TICKET)).collect();
    assert_eq!(asked, [true, true, false]);
    assert_eq!(world.now() - pc_simnet::epoch(), ms(60));
    let client = &world.app().client;
    let relayed = client.allocation().unwrap().relayed_addresses();
    assert_eq!(relayed.count(), 2);
    let (now, path) = (world.now(), world.app().client.path());
    let moved = world.app().client.move_to(now, path);
    assert_eq!(moved, Err(pc_ice::Error::NoMobility));
}

/// pion signs no error. A refusal is taken for what it is at once, not after 39.5 s.
#[test]
fn an_unsigned_refusal_is_heard() {
    let unsigned = Policy {
        signs_errors: false,
        forbids_mobility: true,
        ..policy(
            Additional::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
            [true, true],
        )
    };
    let world = wishing(unsigned).allocate();
    assert_eq!(world.now() - pc_simnet::epoch(), ms(80));
}

/// Whoever refuses the plain request too is believed.
#[test]
fn what_is_refused_for_good_is_told() {
    let refusals = |error, times| Policy {
        refuse: vec![(Method::ALLOCATE, error); times].into(),
        ..Policy::default()
    };
    let tells = |error, times: usize| {
        let mut world = wishing(refusals(error, times));
        let told = ServerError::Refused(error.into());
        assert_eq!(world.end(), turn::Event::Failed(told));
        let requests = world.server().requests(Method::ALLOCATE).len();
        assert_eq!(requests, times + 1, "and the first is not signed");
    };
    tells(ErrorCode::INSUFFICIENT_CAPACITY, 2);
    tells(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED, 3);
    // Asking for less would help with none of these.
    for error in [
        ErrorCode::FORBIDDEN,
        ErrorCode::ALLOCATION_MISMATCH,
        ErrorCode::WRONG_CREDENTIALS,
        ErrorCode::ALLOCATION_QUOTA_REACHED,
    ] {
        tells(error, 1);
    }
}

/// What is not wanted any more is not asked for again, either.
#[test]
fn a_refusal_ends_what_is_closing() {
    let mut world = wishing(Policy {
        forbids_mobility: true,
        ..Policy::default()
    });
    world.network.run_for(ms(30));
    let now = world.now();
    world.app().client.close(now);
    assert_eq!(world.end(), turn::Event::Released);
    assert_eq!(world.server().requests(Method::ALLOCATE).len(), 2);
}

#[test]
fn less_is_asked_for_on_a_bad_network() {
    for_each_seed(50, |seed| {
        let refusing = Policy {
            forbids_mobility: true,
            ..policy(
                Additional::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
                [true, true],
            )
        };
        let change = |config: &mut turn::Config| {
            config.families = turn::Families::Both;
            config.mobility = true;
        };
        let mut world = World::with(seed, refusing, change).bad().allocate();
        let client = &world.app().client;
        let relayed = client.allocation().unwrap().relayed_addresses();
        assert_eq!(relayed.collect::<Vec<_>>(), [address(RELAYED_V4)]);
    });
}
