//! Allocate: what is asked for, and what comes of it (RFC 8656 §7).

use std::time::Duration;

use pc_ice::{Error, ServerError, ServerTransport, turn};
use pc_simnet::{for_each_seed, ms};
use pc_stun::{AddressFamily, AttributeType as T, ErrorCode, Method};

use crate::{
    relay::{RELAYED_V4, RELAYED_V6},
    server::Policy,
    world::{CLIENT, World, address, config},
};

/// RFC 8656 §7.3: the relayed and the mapped address, in two round trips.
#[test]
fn an_allocation_takes_two_round_trips() {
    let mut world = World::new(Policy::default());
    let start = world.now();
    world = world.allocate();
    assert_eq!(world.now() - start, ms(40));
    let allocation = world.app().client.allocation().unwrap().clone();
    let relayed: Vec<_> = allocation.relayed_addresses().collect();
    assert_eq!(relayed, [address(RELAYED_V4)]);
    assert_eq!(allocation.relayed(AddressFamily::V6), None);
    assert_eq!(allocation.mapped_address(), Some(address(CLIENT)));
    assert_eq!(allocation.lifetime(), Duration::from_secs(600));
    // RFC 8489 §9.2.3.1: the first request goes without credentials.
    let answers: Vec<_> = world.server().seen.iter().map(|seen| seen.answer).collect();
    assert_eq!(answers, [401, 0]);
    let first = &world.server().seen[0];
    for kind in [T::USERNAME, T::USERHASH, T::REALM, T::NONCE] {
        assert!(!first.has(kind), "{kind:?}");
    }
}

#[test]
fn an_allocation_gets_through_a_bad_network() {
    for_each_seed(50, |seed| {
        let world = World::with(seed, Policy::default(), |_| {})
            .bad()
            .allocate();
        drop(world);
    });
}

/// A server that asks for no credentials.
#[test]
fn credentials_are_not_sent_unasked() {
    let mut world = World::new(Policy {
        account: None,
        ..Policy::default()
    })
    .allocate();
    world.permit("198.51.100.1:5000");
    assert!(
        world
            .server()
            .seen
            .iter()
            .all(|seen| !seen.has(T::USERNAME))
    );
}

/// RFC 8656 §7.1: every option is one attribute.
#[test]
fn options_are_asked_for() {
    type Change = fn(&mut turn::Config);
    let options: [(Change, &[T]); 7] = [
        (
            |config| config.families = turn::Families::V6,
            &[T::REQUESTED_ADDRESS_FAMILY],
        ),
        (
            |config| config.families = turn::Families::Both,
            &[T::ADDITIONAL_ADDRESS_FAMILY],
        ),
        (
            |config| config.port = turn::RelayedPort::Even,
            &[T::EVEN_PORT],
        ),
        (
            |config| config.port = turn::RelayedPort::Reserved(*b"reserved"),
            &[T::RESERVATION_TOKEN],
        ),
        (|config| config.dont_fragment = true, &[T::DONT_FRAGMENT]),
        (
            |config| config.lifetime = Some(Duration::from_secs(1200)),
            &[T::LIFETIME],
        ),
        (
            |config| config.software = Some("a product".into()),
            &[T::SOFTWARE],
        ),
    ];
    let all: Vec<T> = options
        .iter()
        .flat_map(|(_, kinds)| *kinds)
        .copied()
        .collect();
    for (change, kinds) in options {
        let mut world = World::with(3.into(), Policy::default(), change).allocate();
        let requests = world.server().requests(Method::ALLOCATE);
        assert_eq!(requests.len(), 2);
        for kind in &all {
            let there = requests.iter().all(|seen| seen.has(*kind));
            assert_eq!(there, kinds.contains(kind), "{kind:?}");
            let anywhere = requests.iter().any(|seen| seen.has(*kind));
            assert_eq!(anywhere, there, "in both requests or in none");
        }
    }
}

/// RFC 8656 §18.11–18.12: two families, or one and why not the other.
#[test]
fn both_families_or_one_of_them() {
    let both = |policy| {
        let change = |config: &mut turn::Config| config.families = turn::Families::Both;
        let mut world = World::with(4.into(), policy, change).allocate();
        world.app().client.allocation().unwrap().clone()
    };
    let allocation = both(Policy::default());
    let relayed: Vec<_> = allocation.relayed_addresses().collect();
    assert_eq!(relayed, [RELAYED_V4, RELAYED_V6].map(address));
    assert_eq!(allocation.refused_family(), None);
    let allocation = both(Policy {
        families: [true, false],
        ..Policy::default()
    });
    let (family, error) = allocation.refused_family().unwrap();
    assert_eq!((family, error.code), (AddressFamily::V6, 440));
    assert_eq!(allocation.relayed_addresses().count(), 1);
}

/// RFC 8656 §7.1: EVEN-PORT with R gives a token for the next port.
#[test]
fn a_port_is_reserved() {
    let change = |config: &mut turn::Config| config.port = turn::RelayedPort::EvenAndNext;
    let mut world = World::with(5.into(), Policy::default(), change).allocate();
    let allocation = world.app().client.allocation().unwrap();
    assert_eq!(allocation.reservation_token(), Some(*b"reserved"));
}

/// RFC 8656 §7.1, RFC 6062 §4.1: what a request must not say is refused before it is sent.
#[test]
fn impossible_requests_are_not_made() {
    use turn::{Conflict, Families, RelayedPort, RelayedTransport};
    type Change = fn(&mut turn::Config);
    let error = |change: Change| {
        let mut config = config(1.into());
        change(&mut config);
        turn::Client::new(config).err()
    };
    let conflict = |conflict| Some(Error::ImpossibleAllocation(conflict));
    let reserved: Change = |config| {
        config.port = RelayedPort::Reserved([0; 8]);
        config.families = Families::Both;
    };
    assert_eq!(error(reserved), conflict(Conflict::ReservedFamily));
    let twice: Change = |config| {
        config.port = RelayedPort::EvenAndNext;
        config.families = Families::Both;
    };
    assert_eq!(error(twice), conflict(Conflict::ReserveInBoth));
    let udp: Change = |config| config.relayed = RelayedTransport::Tcp;
    assert_eq!(error(udp), conflict(Conflict::TcpOverDatagrams));
    let even: Change = |config| {
        config.relayed = RelayedTransport::Tcp;
        config.transport = ServerTransport::Tls;
        config.port = RelayedPort::Even;
    };
    assert_eq!(error(even), conflict(Conflict::TcpWithUdpOptions));
    let software: Change = |config| config.software = Some("x".repeat(764));
    assert_eq!(error(software), conflict(Conflict::SoftwareLength));
    for len in [0, 509] {
        let mut config = config(1.into());
        config.credentials.username = "u".repeat(len);
        let error = turn::Client::new(config).err();
        assert_eq!(error, Some(Error::InvalidUsername), "{len} bytes");
    }
}

/// RFC 8656 §7.4: the server's code and text are told.
#[test]
fn refusals_are_told() {
    for error in [
        ErrorCode::FORBIDDEN,
        ErrorCode::ALLOCATION_MISMATCH,
        ErrorCode::WRONG_CREDENTIALS,
        ErrorCode::ALLOCATION_QUOTA_REACHED,
        ErrorCode::INSUFFICIENT_CAPACITY,
    ] {
        let policy = Policy {
            refuse: [(Method::ALLOCATE, error)].into(),
            ..Policy::default()
        };
        let mut world = World::new(policy);
        let expected = ServerError::Refused(error.into());
        assert_eq!(expected.code(), error.code);
        assert_eq!(world.end(), turn::Event::Failed(expected));
    }
}

/// RFC 8656 §7.3: a family that was not asked for is given back.
#[test]
fn an_unwanted_family_is_released() {
    // The policy gives IPv6 alone, and the request is for both: that is fine.
    let six = Policy {
        families: [false, true],
        ..Policy::default()
    };
    let change = |config: &mut turn::Config| config.families = turn::Families::Both;
    drop(World::with(6.into(), six.clone(), change).allocate());
    // With a request for IPv4 the server says 440.
    let mut world = World::new(six);
    let refused = ServerError::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED.into());
    assert_eq!(world.end(), turn::Event::Failed(refused));
}

/// RFC 8489 §6.2.1: 39.5 s without an answer; W3C: 701.
#[test]
fn a_silent_server_is_given_up() {
    let policy = Policy {
        silent: true,
        ..Policy::default()
    };
    let mut world = World::new(policy);
    let start = world.now();
    assert_eq!(world.end(), turn::Event::Failed(ServerError::Timeout));
    assert_eq!(world.now() - start, ms(39_500));
    assert_eq!(world.network.trace().count(|_| true), 7);
}
