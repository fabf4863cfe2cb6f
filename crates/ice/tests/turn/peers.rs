//! Permissions, channels and data (RFC 8656 §9–§12).

use pc_ice::{Error, ServerError, turn};
use pc_proto::{Batch, Protocol};
use pc_simnet::{for_each_seed, ms};
use pc_stun::{ErrorCode, Method};

use crate::{
    server::Policy,
    world::{PEERS, World, address},
};

/// RFC 8656 §9: nothing is relayed before there is a permission.
#[test]
fn data_wait_for_a_permission() {
    let mut world = World::new(Policy::default()).allocate();
    assert!(!world.echoes(PEERS[0], b"early"));
    assert_eq!(world.app().unsent, [Error::NotPermitted]);
    world.permit(PEERS[0]);
    assert!(world.app().client.is_permitted(address(PEERS[0]).ip()));
    assert!(world.echoes(PEERS[0], b"now"));
    // A permission is for an address, whatever the port.
    assert!(
        world
            .app()
            .client
            .is_permitted(address("198.51.100.1:9").ip())
    );
    assert!(!world.app().client.is_permitted(address(PEERS[1]).ip()));
    let relay = &world.server().relay;
    assert_eq!((relay.indications, relay.channel_messages), (1, 0));
    assert!(relay.dropped.is_empty());
}

/// RFC 8656 §10: asked for before there is an allocation, and once.
#[test]
fn permissions_wait_for_the_allocation() {
    let mut world = World::new(Policy::default());
    let now = world.now();
    for _ in 0..3 {
        world.app().client.permit(now, address(PEERS[0])).unwrap();
    }
    let events = world.until(|event| matches!(event, turn::Event::Permitted(_)));
    let permitted = turn::Event::Permitted(address(PEERS[0]).ip());
    assert_eq!(events, [turn::Event::Allocated, permitted]);
    world.network.run_for(ms(1000));
    assert_eq!(world.server().requests(Method::CREATE_PERMISSION).len(), 1);
    assert_eq!(world.events(), []);
}

/// RFC 8656 §12: indications at first, then 4 bytes.
#[test]
fn a_channel_takes_over() {
    for peer in [PEERS[0], PEERS[2]] {
        let change = |config: &mut turn::Config| config.families = turn::Families::Both;
        let mut world = World::with(2.into(), Policy::default(), change).allocate();
        world.permit(peer);
        let before = world.app().client.overhead(address(peer));
        assert!(world.echoes(peer, b"in an indication"));
        world.bind(peer);
        assert!(world.app().client.has_channel(address(peer)));
        let after = world.app().client.overhead(address(peer));
        assert_eq!(after, 4);
        let six = address(peer).is_ipv6();
        assert_eq!(
            before,
            if six {
                20 + 24 + 4 + 3
            } else {
                20 + 12 + 4 + 3
            }
        );
        for data in [&b"in a channel"[..], b"", &[7; 1100]] {
            assert!(world.echoes(peer, data), "{} bytes", data.len());
        }
        let relay = &world.server().relay;
        assert_eq!((relay.indications, relay.channel_messages), (1, 3));
    }
}

/// RFC 8656 §12.2: ChannelBind grants a permission too, and a channel is enough to ask for.
#[test]
fn a_channel_needs_no_other_call() {
    let mut world = World::new(Policy::default());
    let (now, peer) = (world.now(), address(PEERS[0]));
    world.app().client.bind_channel(now, peer).unwrap();
    let events = world.until(|event| matches!(event, turn::Event::ChannelBound(_)));
    assert!(events.contains(&turn::Event::Permitted(peer.ip())));
    assert!(world.echoes(PEERS[0], b"x"));
}

/// The layer above writes a batch once; equal datagrams stay equal, so that they leave in one
/// system call.
#[test]
fn a_batch_is_wrapped_in_place() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    world.permit(PEERS[1]);
    for (peer, len) in [(PEERS[0], 1004), (PEERS[1], 1036)] {
        let mut batch = Batch::new();
        let mut out = batch.transmit_buf(1200, 64);
        let mtu = world
            .app()
            .client
            .wrap(&mut out, address(peer), |inner| {
                for _ in 0..10 {
                    inner.datagram(1000, |bytes| bytes.fill(9));
                }
                inner.payload_mtu()
            })
            .unwrap();
        assert_eq!(mtu, 1200 - world.app().client.overhead(address(peer)));
        let runs: Vec<_> = batch.gso_runs().map(|run| run.segment_len).collect();
        assert_eq!(runs, [len]);
        assert_eq!(batch.len(), 10);
    }
    // What does not fit into the length field is not sent.
    let mut batch = Batch::new();
    let client = &mut world.app().client;
    for peer in [PEERS[0], PEERS[1]] {
        let mut out = batch.transmit_buf(1200, 64);
        let write = |inner: &mut pc_proto::TransmitBuf<'_>| inner.datagram(65_536, |_| {});
        client.wrap(&mut out, address(peer), write).unwrap();
        assert!(batch.is_empty());
    }
}

/// RFC 8656 §12.5: over a stream the message is padded, and its length is not.
#[test]
fn channel_data_are_padded_in_streams() {
    let mut world = World::with(3.into(), Policy::default(), |config| {
        config.transport = pc_ice::ServerTransport::Tcp;
    })
    .allocate();
    world.bind(PEERS[0]);
    let mut batch = Batch::new();
    let mut out = batch.transmit_buf(1200, 64);
    let client = &mut world.app().client;
    client
        .wrap(&mut out, address(PEERS[0]), |inner| {
            inner.datagram(5, |bytes| bytes.copy_from_slice(b"hello"));
        })
        .unwrap();
    let datagram = batch.datagrams().next().unwrap();
    assert_eq!(datagram, b"\x40\x00\0\x05hello\0\0\0");
    assert_eq!(client.overhead(address(PEERS[0])), 7);
}

/// RFC 8656 §9.2, §10.4: 403 is told, and the peer may be asked for again.
#[test]
fn forbidden_peers_are_told() {
    let forbidden = ErrorCode::FORBIDDEN;
    let policy = Policy {
        refuse: [(Method::CREATE_PERMISSION, forbidden)].into(),
        ..Policy::default()
    };
    let mut world = World::new(policy).allocate();
    let (now, peer) = (world.now(), address(PEERS[0]));
    world.app().client.permit(now, peer).unwrap();
    let events = world.until(|event| matches!(event, turn::Event::NotPermitted(..)));
    let error = ServerError::Refused(forbidden.into());
    assert_eq!(events, [turn::Event::NotPermitted(peer.ip(), error)]);
    world.permit(PEERS[0]);
    assert!(world.echoes(PEERS[0], b"second try"));
}

/// RFC 8656 §12.3: without a channel, indications serve.
#[test]
fn a_refused_channel_leaves_indications() {
    let error = ErrorCode::INSUFFICIENT_CAPACITY;
    let policy = Policy {
        refuse: [(Method::CHANNEL_BIND, error)].into(),
        ..Policy::default()
    };
    let mut world = World::new(policy).allocate();
    world.permit(PEERS[0]);
    let (now, peer) = (world.now(), address(PEERS[0]));
    world.app().client.bind_channel(now, peer).unwrap();
    let events = world.until(|event| matches!(event, turn::Event::ChannelRefused(..)));
    let error = ServerError::Refused(error.into());
    assert_eq!(events, [turn::Event::ChannelRefused(peer, error)]);
    assert!(world.echoes(PEERS[0], b"in an indication"));
    assert_eq!(world.server().relay.indications, 1);
    world.bind(PEERS[0]);
}

/// RFC 8656 §10.2: 443 is known without asking.
#[test]
fn peers_of_another_family_are_not_asked_for() {
    let mut world = World::new(Policy::default()).allocate();
    let (now, peer) = (world.now(), address(PEERS[2]));
    world.app().client.bind_channel(now, peer).unwrap();
    let error = ServerError::Refused(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH.into());
    world.network.run_for(ms(100));
    let refused = turn::Event::NotPermitted(peer.ip(), error);
    assert_eq!(world.events(), [refused]);
    assert_eq!(world.server().seen.len(), 2, "the allocation alone");
    let useless = world.app().client.permit(now, address("0.0.0.0:9"));
    assert_eq!(useless, Err(Error::UnusableAddress));
}

/// Whoever revokes a permission neither sends to nor hears from that address.
#[test]
fn revoked_peers_are_silent() {
    for with_channel in [false, true] {
        let mut world = World::new(Policy::default()).allocate();
        match with_channel {
            true => world.bind(PEERS[0]),
            false => world.permit(PEERS[0]),
        }
        let now = world.now();
        world.app().client.revoke(now, address(PEERS[0]).ip());
        assert!(!world.echoes(PEERS[0], b"x"));
        assert_eq!(world.app().unsent, [Error::NotPermitted]);
        if with_channel {
            let result = world.inject(b"\x40\x00\0\x01x");
            assert_eq!(result, Err(pc_ice::Rejected::UnknownChannel(0x4000)));
        }
        // Not refreshed either.
        world.network.run_for(ms(700_000));
        assert_eq!(world.server().requests(Method::CREATE_PERMISSION).len(), 1);
        let bound = world.server().requests(Method::CHANNEL_BIND).len();
        assert_eq!(bound, usize::from(with_channel));
        assert_eq!(world.events(), []);
    }
}

/// A permission that is refused later takes its channels along.
#[test]
fn a_peer_that_becomes_forbidden_is_silent() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    let forbidden = ErrorCode::FORBIDDEN;
    world.server().policy.refuse = [(Method::CREATE_PERMISSION, forbidden)].into();
    let peer = address(PEERS[0]);
    let events = world.until(|event| matches!(event, turn::Event::NotPermitted(..)));
    let error = ServerError::Refused(forbidden.into());
    assert_eq!(events, [turn::Event::NotPermitted(peer.ip(), error)]);
    assert!(!world.app().client.has_channel(peer));
    assert!(!world.echoes(PEERS[0], b"x"));
}

/// RFC 8656 §12: a channel that is given up is followed by indications, and comes back with the same
/// number.
#[test]
fn a_channel_comes_back_with_its_number() {
    let mut world = World::new(Policy::default()).allocate();
    world.bind(PEERS[0]);
    let now = world.now();
    world.app().client.unbind_channel(now, address(PEERS[0]));
    assert!(
        world.echoes(PEERS[0], b"x"),
        "the echo comes through the channel still"
    );
    assert_eq!(world.server().relay.indications, 1);
    world.bind(PEERS[0]);
    world.bind(PEERS[1]);
    let allocation = world.server().relay.allocation().unwrap();
    assert_eq!(allocation.channels.len(), 2);
}

/// RFC 8489 §6.2: many peers at once, with few requests open at a time.
#[test]
fn many_peers_are_asked_for_in_turn() {
    for_each_seed(10, |seed| {
        let mut world = World::with(seed, Policy::default(), |_| {})
            .bad()
            .allocate();
        let (now, app) = (world.now(), world.app());
        let peers = (1..=128).map(|i| ([10, 9, 8, i], 1000).into());
        for peer in peers {
            app.client.bind_channel(now, peer).unwrap();
        }
        let more = app.client.permit(now, address(PEERS[0]));
        assert_eq!(more, Err(Error::TooManyPeers));
        let mut batch = Batch::new();
        let mut out = batch.transmit_buf(1200, 1000);
        app.client.poll_transmit(now, &mut out);
        assert_eq!(batch.len(), 16, "open at once");
        let mut bound = 0;
        let app = world.app;
        world.network.drive(|network| {
            let events = network[app].take_events();
            let is_bound = |event: &&turn::Event| matches!(event, turn::Event::ChannelBound(_));
            bound += events.iter().filter(is_bound).count();
            bound == 128
        });
        let allocation = world.server().relay.allocation().unwrap();
        assert_eq!(allocation.channels.len(), 128);
    });
}
