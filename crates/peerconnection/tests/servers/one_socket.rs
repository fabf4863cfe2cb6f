//! Transports of one connection that share a socket and ask one server, and relays asked from another one.

use pc_simnet::{Dependence, Link, ms, secs};
use pc_stun::Method;
use peerconnection::{
    BundlePolicy, IceCandidate,
    engine::{Config, Connection, Event, MediaKind, ServerPath},
    state::IceGatheringState,
};

use crate::{
    nodes::certificates,
    server::Policy,
    world::{A, S, World, server_address, stun, turn},
};

fn behind_a_nat(policy: Policy) -> World {
    let nat = Some([Dependence::EndpointIndependent; 2]);
    World::new(1.into(), Link::new().delay(ms(20)), [nat, None]).serve(policy)
}

fn has_no_errors(world: &World) -> bool {
    let is_error = |event: &Event| matches!(event, Event::IceCandidateError(_));
    !world.events(A).iter().any(is_error)
}

/// RFC 8489 §5: the transaction says whose an answer is.
#[test]
fn each_transport_takes_the_answers_to_its_own_questions() {
    let mut world = behind_a_nat(Policy::default());
    *world.engine(A) = Connection::new(Config {
        bundle_policy: BundlePolicy::MaxCompat,
        ..Config::new(certificates()[0].clone(), [7; 32])
    });
    let (now, address) = (world.net.now(), world.peer(A).address);
    let engine = world.engine(A);
    engine.set_ice_servers(vec![stun(0)]);
    let audio = engine.add_transceiver(MediaKind::Audio, None, Default::default());
    audio.unwrap();
    let chat = engine.create_data_channel(now, "chat", Default::default());
    chat.unwrap();
    engine.set_local_description(now, None).unwrap();
    let waiting: Vec<_> = engine.ungathered_transports().collect();
    assert_eq!(waiting.len(), 2);
    for id in waiting {
        engine.gather_transport(now, id, &[address]);
    }
    world.net.run_for(ms(1));
    let open: Vec<_> = world.engine(A).server_transactions().collect();
    assert_eq!(open.len(), 2);
    assert_ne!(open[0], open[1]);
    world.net.run_for(secs(1));
    let engine = world.engine(A);
    assert_eq!(engine.server_transactions().count(), 0, "both have an end");
    assert_eq!(engine.ice_gathering_state(), IceGatheringState::Complete);
    for transport in engine.transports() {
        let found = transport.local_candidates();
        assert_eq!(found.len(), 2, "{found:?}");
    }
    assert!(has_no_errors(&world));
    // Nobody had to ask twice.
    assert_eq!(world.server(S).requests(Method::BINDING).len(), 2);
}

/// An endpoint may have addresses that the server is not reached from: those that it is reached from have
/// their allocations, and are not asked for another one (RFC 8656 §7.2).
#[test]
fn a_restart_does_not_ask_for_what_is_there() {
    let mut world = behind_a_nat(Policy::default());
    let (shared, six) = (world.peer(A).address, "[2001:db8::7]:5000".parse().unwrap());
    let mut own = shared;
    own.set_port(6000);
    world.net.add_address(A, own);
    let path = ServerPath::OwnSockets {
        locals: vec![own],
        addresses: vec![server_address(0)],
    };
    world.engine(A).set_ice_servers(vec![turn(0)]);
    let now = world.net.now();
    let engine = world.engine(A);
    let chat = engine.create_data_channel(now, "chat", Default::default());
    chat.unwrap();
    for _ in 0..3 {
        let now = world.net.now();
        let engine = world.engine(A);
        engine.set_local_description(now, None).unwrap();
        let waiting: Vec<_> = engine.ungathered_transports().collect();
        for id in waiting {
            engine.gather_transport(now, id, &[shared, six]);
        }
        while let Some(request) = engine.poll_server_request() {
            engine.server_reached(now, request.id, &path);
        }
        world.net.run_for(secs(1));
        world.engine(A).restart_ice();
    }
    let asked = world.server(S).requests(Method::ALLOCATE);
    let answers: Vec<_> = asked.iter().map(|it| it.answer).collect();
    assert_eq!(answers, [401, 0]);
    assert!(has_no_errors(&world));
}

/// A socket towards a relay is no candidate, and nothing else is sent from there. What it had does not
/// move to the shared socket when it is gone: there may be others' allocations.
#[test]
fn a_relay_that_is_asked_from_a_socket_of_its_own_ends_with_it() {
    let mut world = behind_a_nat(Policy {
        mobility: true,
        ..Policy::default()
    });
    let (now, shared) = (world.net.now(), world.peer(A).address);
    let mut own = shared;
    own.set_port(6000);
    world.net.add_address(A, own);
    let engine = world.engine(A);
    engine.set_ice_servers(vec![turn(0)]);
    let chat = engine.create_data_channel(now, "chat", Default::default());
    chat.unwrap();
    engine.set_local_description(now, None).unwrap();
    let id = engine.ungathered_transports().next().unwrap();
    engine.gather_transport(now, id, &[shared]);
    let request = engine.poll_server_request().unwrap();
    assert!(!engine.needs_server_socket(own));
    let path = ServerPath::OwnSockets {
        locals: vec![own],
        addresses: vec![server_address(0)],
    };
    engine.server_reached(now, request.id, &path);
    assert!(engine.needs_server_socket(own) && !engine.needs_server_socket(shared));
    assert_eq!(
        engine.server_transactions().count(),
        0,
        "it is nobody else's"
    );
    world.net.run_for(secs(1));
    let seen = world.server(S).relay.allocation().unwrap().client;
    let kinds = |world: &mut World| -> Vec<String> {
        let transport = world.engine(A).transports().next().unwrap();
        let all = transport.local_candidates();
        let kind = |it: &IceCandidate| it.candidate.split(' ').nth(7).unwrap().to_owned();
        all.iter().map(kind).collect()
    };
    let found = kinds(&mut world);
    assert!(found.contains(&"host".to_owned()) && found.contains(&"relay".to_owned()));
    assert!(!found.contains(&"srflx".to_owned()), "{found:?}");

    let now = world.net.now();
    world.engine(A).remove_local_address(now, own);
    assert!(!world.engine(A).needs_server_socket(own));
    // Another one is asked for, which is not there.
    let again = world.engine(A).poll_server_request().unwrap();
    assert_eq!(again.uri, request.uri);
    world.net.run_for(secs(1));
    assert_eq!(kinds(&mut world), ["host"]);
    let allocation = world.server(S).relay.allocation();
    assert_eq!(allocation.map(|it| it.client), Some(seen));
}
