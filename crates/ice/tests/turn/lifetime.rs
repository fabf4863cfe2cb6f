//! What is kept alive, and for how long (RFC 8656 §8, §9, §12).

use std::time::Duration;

use pc_ice::{ServerError, turn};
use pc_proto::{Batch, Protocol};
use pc_simnet::{for_each_seed, ms};
use pc_stun::{ErrorCode, Method};

use crate::{
    server::Policy,
    world::{PEERS, World, address},
};

const HOUR: Duration = Duration::from_secs(3600);

fn times(world: &mut World, method: Method) -> Vec<u64> {
    let start = pc_simnet::epoch();
    let seen = world.server().requests(method);
    seen.iter()
        .map(|seen| (seen.at - start).as_secs())
        .collect()
}

/// RFC 8656 §3.2: a minute before the end; §9: four of five minutes; §12: eight of ten.
#[test]
fn everything_is_refreshed_in_time() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    world.permit(PEERS[1]);
    world.network.run_for(Duration::from_secs(1700));
    assert_eq!(times(&mut world, Method::REFRESH), [540, 1080, 1620]);
    assert_eq!(times(&mut world, Method::CHANNEL_BIND), [0, 480, 960, 1440]);
    let permissions = times(&mut world, Method::CREATE_PERMISSION);
    // Two addresses; ChannelBind restarts the time of the first.
    assert!(permissions.len() <= 2 * 8, "{permissions:?}");
    for peer in [PEERS[0], PEERS[1]] {
        assert!(world.echoes(peer, b"after half an hour"));
    }
    assert_eq!(world.events(), []);
}

/// RFC 8656 §8.1: a short lifetime is refreshed at its half, a long one a minute before its end.
#[test]
fn the_server_decides_how_often() {
    for (seconds, first) in [(60, 30), (100, 50), (1200, 1140), (3600, 3540)] {
        let policy = Policy {
            lifetime: Duration::from_secs(seconds),
            ..Policy::default()
        };
        let change = |config: &mut turn::Config| config.lifetime = Some(HOUR);
        let mut world = World::with(7.into(), policy, change).allocate();
        world.network.run_for(HOUR);
        assert_eq!(times(&mut world, Method::REFRESH)[0], first);
        assert!(world.app().client.allocation().is_some());
    }
}

/// Hours of it over a bad network and with a driver that is late.
#[test]
fn nothing_lapses_in_hours() {
    for_each_seed(5, |seed| {
        let policy = Policy {
            nonce_lifetime: Duration::from_secs(600),
            ..Policy::default()
        };
        let mut world = World::with(seed, policy, |_| {}).bad().allocate();
        world.bind(PEERS[0]);
        world.permit(PEERS[1]);
        for _ in 0..3 {
            world.network.run_for(HOUR);
            let now = world.now();
            let relay = &world.server().relay;
            let allocation = relay.allocation().unwrap();
            assert!(allocation.permissions.values().all(|until| *until > now));
            assert!(allocation.channels.values().all(|(_, until)| *until > now));
            assert_eq!(allocation.permissions.len(), 2);
        }
        assert_eq!(world.events(), []);
    });
}

/// RFC 8489 §6.3.4: 500 to a Refresh is not the end; the next one comes soon.
#[test]
fn a_server_error_passes() {
    let policy = Policy {
        refuse: [(Method::REFRESH, ErrorCode::SERVER_ERROR)].into(),
        ..Policy::default()
    };
    let mut world = World::new(policy).allocate();
    world.network.run_for(Duration::from_secs(700));
    assert_eq!(times(&mut world, Method::REFRESH), [540, 545]);
    assert!(world.app().client.allocation().is_some());
}

/// RFC 8656 §8.3: 437 says that there is no allocation any more.
#[test]
fn a_server_that_has_forgotten_ends_the_client() {
    for restart in [Method::REFRESH, Method::CREATE_PERMISSION] {
        let mut world = World::new(Policy::default()).allocate();
        world.server().relay.allocations.clear();
        if restart == Method::CREATE_PERMISSION {
            let now = world.now();
            world.app().client.permit(now, address(PEERS[0])).unwrap();
        }
        let mismatch = ServerError::Refused(ErrorCode::ALLOCATION_MISMATCH.into());
        assert_eq!(world.end(), turn::Event::Failed(mismatch));
        assert_eq!(world.server().seen.last().unwrap().method, restart);
    }
}

/// A server that falls silent: the allocation ends when its time is over, not before.
#[test]
fn a_silent_server_loses_the_allocation_at_its_end() {
    let mut world = World::new(Policy::default()).allocate();
    let start = world.now();
    world.server().policy.silent = true;
    world.network.run_for(Duration::from_secs(590));
    assert!(world.app().client.allocation().is_some());
    let lost = turn::Event::Failed(ServerError::AllocationLost);
    assert_eq!(world.end(), lost);
    assert_eq!(world.now() - start, Duration::from_secs(600));
}

/// A short outage at the wrong moment costs nothing.
#[test]
fn an_outage_of_half_a_minute_is_survived() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    world.network.run_for(Duration::from_secs(235));
    for _ in 0..3 {
        world.server().policy.silent = true;
        world.network.run_for(Duration::from_secs(25));
        world.server().policy.silent = false;
        world.network.run_for(Duration::from_secs(215));
        assert!(world.echoes(PEERS[0], b"x"));
    }
    assert_eq!(world.events(), []);
}

/// Requests that fail are made again while there is time.
#[test]
fn an_outage_of_a_minute_is_survived_as_well() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    for (at, method) in [
        (235, Method::CREATE_PERMISSION),
        (475, Method::CHANNEL_BIND),
    ] {
        world
            .network
            .run_until(pc_simnet::epoch() + Duration::from_secs(at));
        world.server().policy.silent = true;
        world.network.run_for(Duration::from_secs(50));
        world.server().policy.silent = false;
        world.network.run_for(Duration::from_secs(10));
        let answered = times(&mut world, method);
        assert!(*answered.last().unwrap() > at + 44, "{answered:?}");
    }
    world.network.run_for(Duration::from_secs(300));
    assert_eq!(world.events(), []);
    assert!(world.app().client.has_channel(address(PEERS[0])));
    assert!(world.echoes(PEERS[0], b"x"));
}

/// RFC 8656 §12: a channel whose refreshes fail is told when it ends.
#[test]
fn a_channel_that_lapses_is_told() {
    let policy = Policy {
        refuse: [(Method::CHANNEL_BIND, ErrorCode::SERVER_ERROR); 40]
            .into_iter()
            .collect(),
        ..Policy::default()
    };
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    world.server().policy = policy;
    let (start, peer) = (world.now(), address(PEERS[0]));
    let events = world.until(|event| matches!(event, turn::Event::ChannelRefused(..)));
    assert_eq!(events.len(), 1);
    let after = world.now() - start;
    assert!(
        after > Duration::from_secs(590) && after <= Duration::from_secs(600),
        "{after:?}"
    );
    assert!(!world.app().client.has_channel(peer));
    assert!(world.echoes(PEERS[0], b"in an indication"));
}

/// RFC 8016 §3.2: the allocation, its permissions and channels move with the client.
#[test]
fn an_allocation_moves_to_another_path() {
    let change = |config: &mut turn::Config| config.mobility = true;
    let policy = Policy {
        mobility: true,
        nonce_lifetime: Duration::from_secs(10),
        ..Policy::default()
    };
    let mut world = World::with(8.into(), policy, change).allocate();
    world.bind(PEERS[0]);
    world.network.run_for(Duration::from_secs(60));
    for port in [4001, 4002] {
        let local = (address("10.0.0.1:1").ip(), port).into();
        world.network.add_address(world.app, local);
        let now = world.now();
        let path = pc_proto::FiveTuple::udp(local, address(crate::world::SERVER));
        world.app().client.move_to(now, path).unwrap();
        let events = world.until(|event| *event == turn::Event::Moved);
        assert_eq!(events, [turn::Event::Moved]);
        world.network.run_for(ms(100));
        assert!(world.echoes(PEERS[0], b"from elsewhere"));
        let allocation = world.server().relay.allocation().unwrap();
        assert_eq!(allocation.client, local);
    }
}

/// What was asked on the old path is asked again on the new one: requests that were under way, and
/// refreshes that were.
#[test]
fn what_was_under_way_is_asked_again() {
    let change = |config: &mut turn::Config| config.mobility = true;
    let policy = Policy {
        mobility: true,
        ..Policy::default()
    };
    let mut world = World::with(8.into(), policy, change).allocate();
    world.bind(PEERS[0]);
    world.network.run_for(Duration::from_secs(478));
    world.server().policy.silent = true;
    world.network.run_for(Duration::from_secs(5));
    let (now, path) = (world.now(), world.app().client.path());
    let client = &mut world.app().client;
    client.bind_channel(now, address(PEERS[1])).unwrap();
    client.move_to(now, path).unwrap();
    // RFC 8016 §3.2: nothing else counts before the Refresh with the ticket.
    let mut batch = Batch::new();
    client.poll_transmit(now, &mut batch.transmit_buf(1200, 8));
    assert_eq!(batch.len(), 1);
    world.server().policy.silent = false;
    let mut events = world.until(|event| *event == turn::Event::Moved);
    world.network.run_for(ms(200));
    events.extend(world.events());
    let peer = address(PEERS[1]);
    assert!(events.contains(&turn::Event::Permitted(peer.ip())));
    assert!(events.contains(&turn::Event::ChannelBound(peer)));
    world.network.run_for(Duration::from_secs(300));
    assert!(world.app().client.has_channel(address(PEERS[0])));
    assert!(world.echoes(PEERS[0], b"x") && world.echoes(PEERS[1], b"y"));
}

/// RFC 8656 §9: 300 s, whatever becomes of the request for more.
#[test]
fn a_permission_lapses_while_it_is_asked_for() {
    let change = |config: &mut turn::Config| config.timing.last_wait = 100;
    let mut world = World::with(10.into(), Policy::default(), change).allocate();
    world.permit(PEERS[0]);
    let (start, ip) = (world.now(), address(PEERS[0]).ip());
    world.server().policy.silent = true;
    world.network.run_until(start + Duration::from_secs(299));
    assert!(world.app().client.is_permitted(ip));
    world.network.run_until(start + Duration::from_secs(300));
    assert!(!world.app().client.is_permitted(ip));
    assert_eq!(world.events(), [], "an answer may still come");
    world.server().policy.silent = false;
    world.network.run_for(Duration::from_secs(60));
    // The last transmission was answered by nobody.
    let timeout = turn::Event::NotPermitted(ip, ServerError::Timeout);
    assert_eq!(world.events(), [timeout]);
}

/// RFC 8016 §3.1: without a ticket it cannot.
#[test]
fn without_a_ticket_nothing_moves() {
    let change = |config: &mut turn::Config| config.mobility = true;
    let mut world = World::with(9.into(), Policy::default(), change).allocate();
    let (now, path) = (world.now(), world.app().client.path());
    let moved = world.app().client.move_to(now, path);
    assert_eq!(moved, Err(pc_ice::Error::NoMobility));
}
