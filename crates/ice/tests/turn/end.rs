//! How a client ends (RFC 8656 §8, RFC 8489 §10).

use std::time::Duration;

use pc_ice::{Error, ServerError, turn};
use pc_proto::{Batch, Protocol};
use pc_simnet::{for_each_seed, ms};
use pc_stun::Method;

use crate::{
    server::Policy,
    world::{PEERS, SERVER, World, address, config},
};

/// RFC 8656 §8.1: a Refresh with a lifetime of zero.
#[test]
fn closing_releases_the_allocation() {
    for_each_seed(20, |seed| {
        let policy = Policy {
            nonce_lifetime: Duration::from_secs(20),
            ..Policy::default()
        };
        let mut world = World::with(seed, policy, |_| {}).bad().allocate();
        world.bind(PEERS[0]);
        world.network.run_for(Duration::from_secs(30));
        let now = world.now();
        world.app().client.close(now);
        world.app().client.close(now);
        assert!(world.app().client.allocation().is_none());
        assert_eq!(world.end(), turn::Event::Released);
        let now = world.now();
        assert_eq!(
            world.app().client.permit(now, address(PEERS[0])),
            Err(Error::Closed)
        );
        // Three transmissions get through nearly always, and the server's allocation ends by itself.
    });
    let mut world = World::new(Policy::default()).allocate();
    let now = world.now();
    world.app().client.close(now);
    assert_eq!(world.end(), turn::Event::Released);
    assert_eq!(world.now() - now, ms(20), "one round trip");
    assert!(world.server().relay.allocation().is_none());
}

/// Whoever closes before the answer is there leaves nothing behind.
#[test]
fn closing_early_releases_what_comes_later() {
    for after in [0, 5, 15, 25, 35] {
        let mut world = World::new(Policy::default());
        world.network.run_for(ms(after));
        let now = world.now();
        world.app().client.close(now);
        assert_eq!(world.end(), turn::Event::Released, "after {after} ms");
        world.network.run_for(ms(1000));
        assert!(world.server().relay.allocation().is_none());
        let released = world.server().requests(Method::REFRESH).len();
        assert_eq!(released, usize::from(after > 20), "after {after} ms");
    }
}

/// Where nothing has been asked, nothing is waited for.
#[test]
fn closing_at_once_sends_nothing() {
    let mut client = turn::Client::new(config(1.into())).unwrap();
    let now = pc_simnet::epoch();
    client.close(now);
    assert_eq!(client.poll_event(), Some(turn::Event::Released));
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1200, 8);
    assert_eq!(client.poll_transmit(now, &mut out), None);
}

/// A server that does not answer is not waited for.
#[test]
fn a_silent_server_does_not_hold_up_the_end() {
    let mut world = World::new(Policy::default()).allocate();
    world.server().policy.silent = true;
    let now = world.now();
    world.app().client.close(now);
    assert_eq!(world.end(), turn::Event::Released);
    assert_eq!(world.now() - now, ms(3_500));
    assert_eq!(world.server().requests(Method::REFRESH).len(), 0);
}

/// RFC 8489 §10: 300 with ALTERNATE-SERVER, and not in a circle.
#[test]
fn redirections_are_told_and_circles_end() {
    let other = address("192.0.2.2:3478");
    let policy = Policy {
        alternate: Some(other),
        ..Policy::default()
    };
    let mut world = World::new(policy);
    let event = world.end();
    let turn::Event::Redirected(alternate) = event else {
        panic!("{event:?}");
    };
    assert_eq!((alternate.server, alternate.domain), (other, None));
    // The other server sends the client back to the first, from where it comes.
    let back = Policy {
        alternate: Some(address(SERVER)),
        ..Policy::default()
    };
    let mut world = World::new(back);
    let circle = ServerError::RedirectLoop(address(SERVER));
    assert_eq!(world.end(), turn::Event::Failed(circle));
    let redirects = alternate.redirects;
    let policy = Policy {
        alternate: Some(address("192.0.2.3:3478")),
        ..Policy::default()
    };
    let mut world = World::with(2.into(), policy, |config| config.redirects = redirects);
    assert!(matches!(world.end(), turn::Event::Redirected(_)));
}

/// For TCP and TLS the driver says that the connection is gone.
#[test]
fn a_lost_connection_ends_the_client() {
    let mut world = World::new(Policy::default()).allocate();
    world.permit(PEERS[0]);
    world.app().client.connection_lost();
    let lost = turn::Event::Failed(ServerError::ConnectionLost);
    assert_eq!(world.end(), lost);
    world.app().client.connection_lost();
    world.network.run_for(ms(1000));
    assert_eq!(world.events(), [], "told once");
    assert!(!world.echoes(PEERS[0], b"x"));
}
