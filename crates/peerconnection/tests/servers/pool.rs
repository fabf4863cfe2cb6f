//! The candidate pool: servers asked before anybody wants to know (RFC 9429 §3.5.4).

use std::net::SocketAddr;

use pc_simnet::{Dependence, HostId, Link, Seed, ms, secs};
use pc_stun::Method;
use peerconnection::{
    Configuration, HostAddresses, IceServer, IceTransportPolicy, PeerConnection, TcpCandidates,
    engine::{Event, PoolId},
    state::IceGatheringState,
};

use crate::{
    live::Live,
    server::Policy,
    shared::Gathered,
    sockets::soon,
    world::{A, S, World, stun, turn},
};

/// One side behind a NAT, and a server.
fn world() -> World {
    let nat = [Dependence::EndpointIndependent; 2];
    World::new(Seed(1), Link::new().delay(ms(20)), [Some(nat), None])
        .serve(Policy::default())
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)])
}

/// Another socket of A's.
fn socket(world: &mut World, number: u16) -> SocketAddr {
    let mut address = world.peer(A).address;
    address.set_port(address.port() + number);
    world.net.add_address(A, address);
    address
}

fn gather_ahead(world: &mut World, number: u16) -> PoolId {
    let (now, address) = (world.net.now(), socket(world, number));
    world.engine(A).gather_ahead(now, &[address])
}

fn allocations(world: &mut World, number: usize) -> usize {
    world.server(HostId(S.0 + number)).relay.allocations.len()
}

fn ask_for_channel(world: &mut World) {
    let now = world.net.now();
    let init = Default::default();
    let channel = world.engine(A).create_data_channel(now, "chat", init);
    channel.unwrap();
}

#[test]
fn answers_are_there_when_a_description_is_set() {
    let mut world = world();
    world.engine(A).set_ice_candidate_pool_size(1);
    assert_eq!(world.engine(A).unfilled_pool(), 1);
    let id = gather_ahead(&mut world, 0);
    assert_eq!(world.engine(A).unfilled_pool(), 0);
    world.net.run_for(secs(1));
    assert_eq!(allocations(&mut world, 0), 1);
    assert!(world.events(A).is_empty(), "{:?}", world.events(A));
    assert!(world.engine(A).needs_pooled(id));
    assert_eq!(world.engine(A).next_pooled(), Some(id));

    ask_for_channel(&mut world);
    world.describe(A);
    let told = |it: &Event| match it {
        Event::IceCandidate(Some(it)) => Some(it.candidate.clone()),
        _ => None,
    };
    world.net.run_for(ms(1));
    let told: Vec<_> = world.events(A).iter().filter_map(told).collect();
    for kind in [" typ host", " typ srflx ", " typ relay "] {
        assert!(told.iter().any(|it| it.contains(kind)), "{kind}: {told:?}");
    }
    assert_eq!(told.last().map(String::as_str), Some(""));
    let state = world.engine(A).ice_gathering_state();
    assert_eq!(state, IceGatheringState::Complete);
    assert!(!world.engine(A).needs_pooled(id), "the transport's");
    // The relay goes on for it.
    let asked = world.server(S).requests(Method::ALLOCATE).len();
    world.net.run_for(secs(1800));
    assert_eq!(allocations(&mut world, 0), 1);
    assert_eq!(world.server(S).requests(Method::ALLOCATE).len(), asked);
    // And nobody fills the pool again.
    assert_eq!(world.engine(A).unfilled_pool(), 0);
}

#[test]
fn a_call_begins_with_what_the_pool_has() {
    let mut world = world();
    world.engine(A).set_ice_candidate_pool_size(1);
    let policy = IceTransportPolicy::Relay;
    world.engine(A).set_ice_transport_policy(policy);
    gather_ahead(&mut world, 0);
    world.net.run_for(secs(1));
    let begin = world.net.now();
    let channels = world.open();
    let took = world.net.now() - begin;
    eprintln!("open after {took:?}");
    world.talk(channels);
    assert_eq!(allocations(&mut world, 0), 2, "one of each side");
}

/// RFC 9429 §4.1.18: with other servers or another policy the pool begins anew, and owes the old ones
/// what it has.
#[test]
fn other_servers_and_another_policy_begin_anew() {
    for change in [0, 1, 2] {
        let mut world = world();
        world.engine(A).set_ice_candidate_pool_size(1);
        let id = gather_ahead(&mut world, 0);
        world.net.run_for(secs(1));
        let engine = world.engine(A);
        match change {
            0 => engine.set_ice_servers(vec![turn(1)]),
            1 => engine.set_ice_transport_policy(IceTransportPolicy::Relay),
            _ => engine.set_ice_candidate_pool_size(0),
        }
        assert!(engine.needs_pooled(id), "to say so");
        assert_eq!(engine.next_pooled(), None, "for nobody else");
        world.net.run_for(ms(100));
        assert_eq!(allocations(&mut world, 0), 0);
        let engine = world.engine(A);
        assert!(!engine.needs_pooled(id));
        assert_eq!(engine.unfilled_pool(), usize::from(change < 2));
        gather_ahead(&mut world, 10);
        world.net.run_for(secs(1));
        assert_eq!(allocations(&mut world, usize::from(change == 0)), 1);
    }
}

/// What the first exchange has not used is given back, as when the connection is closed.
#[test]
fn what_is_not_used_is_given_back() {
    for closes in [false, true] {
        let mut world = world();
        world.engine(A).set_ice_candidate_pool_size(3);
        let ids = [0, 10, 20].map(|number| gather_ahead(&mut world, number));
        world.net.run_for(secs(1));
        assert_eq!(allocations(&mut world, 0), 3);
        if closes {
            let now = world.net.now();
            world.engine(A).close(now);
            world.net.run_for(ms(100));
            assert!(world.engine(A).is_drained());
            assert_eq!(allocations(&mut world, 0), 0);
        } else {
            ask_for_channel(&mut world);
            world.describe(A);
            world.net.run_for(ms(100));
            assert_eq!(allocations(&mut world, 0), 3, "an answer may want them");
            let offer = world.engine(A).local_description().unwrap();
            let now = world.net.now();
            world.engine(crate::world::B).set_ice_servers(Vec::new());
            let b = world.engine(crate::world::B);
            b.set_remote_description(now, offer).unwrap();
            let answer = world.describe(crate::world::B);
            world.engine(A).set_remote_description(now, answer).unwrap();
            world.net.run_for(ms(100));
            assert_eq!(allocations(&mut world, 0), 1);
            let kept = ids.map(|id| world.engine(A).needs_pooled(id));
            assert_eq!(kept, [false; 3]);
        }
    }
}

/// An error is told when somebody gathers.
#[test]
fn errors_wait_for_a_description() {
    let mut world = world();
    world.server(S).policy.silent = true;
    world.engine(A).set_ice_candidate_pool_size(1);
    gather_ahead(&mut world, 0);
    world.net.run_for(secs(20));
    assert!(world.events(A).is_empty());
    ask_for_channel(&mut world);
    world.describe(A);
    world.net.run_for(ms(1));
    assert_eq!(world.errors(A).len(), 2, "{:?}", world.errors(A));
    let state = world.engine(A).ice_gathering_state();
    assert_eq!(state, IceGatheringState::Complete, "it was waited for");
}

/// The network changes meanwhile.
#[test]
fn the_pool_follows_the_network() {
    let mut world = world();
    world.engine(A).set_ice_candidate_pool_size(1);
    let id = gather_ahead(&mut world, 0);
    world.net.run_for(secs(1));
    let other = socket(&mut world, 10);
    let now = world.net.now();
    world.engine(A).add_pooled_address(now, id, other);
    let gone = world.peer(A).address;
    world.engine(A).remove_local_address(now, gone);
    world.net.run_for(secs(1));
    assert_eq!(allocations(&mut world, 0), 2);
    let asked = world.server(S).requests(Method::ALLOCATE).len();
    world.peer(A).address = other;
    ask_for_channel(&mut world);
    world.describe(A);
    world.net.run_for(ms(1));
    assert_eq!(world.server(S).requests(Method::ALLOCATE).len(), asked);
    let state = world.engine(A).ice_gathering_state();
    assert_eq!(state, IceGatheringState::Complete);
}

/// The same with sockets, and the whole driver.
#[tokio::test]
async fn a_connection_has_its_candidates_before_it_is_used() {
    let server = Live::start(Policy::default()).await;
    let turn = format!("turn:{}", server.address);
    let configuration = Configuration {
        ice_servers: vec![
            IceServer::stun(&server.address.to_string()),
            IceServer::turn(&turn, "user", "secret"),
        ],
        tcp_candidates: TcpCandidates::Disabled,
        host_addresses: HostAddresses::Only(vec![server.address.ip()]),
        ice_candidate_pool_size: 1,
        ..Default::default()
    };
    let (pc, events) = PeerConnection::new(configuration.clone()).unwrap();
    let has = |count| move |it: &crate::server::Server| it.relay.allocations.len() == count;
    soon("an allocation", server.until(has(1))).await;
    // Changed while nothing is described: what was there goes, and as much as is wanted comes.
    let more = Configuration {
        ice_candidate_pool_size: 2,
        ..configuration
    };
    pc.set_configuration(more).unwrap();
    soon("another one", server.until(has(2))).await;
    let asked = server.with(|it| it.requests(Method::ALLOCATE).len());
    pc.create_data_channel("x", Default::default()).unwrap();
    pc.set_local_description(None).await.unwrap();
    let gathered = soon("candidates", Gathered::from(pc, events)).await;
    assert_eq!(gathered.candidates.len(), 3, "{:?}", gathered.candidates);
    assert!(gathered.errors.is_empty(), "{:?}", gathered.errors);
    let now = server.with(|it| it.requests(Method::ALLOCATE).len());
    assert_eq!(now, asked, "nobody has asked anew");
    drop(gathered);
    soon("both are given back", server.until(has(0))).await;
}
