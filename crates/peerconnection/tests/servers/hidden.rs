//! Host candidates that are told by names of multicast DNS.

use std::net::IpAddr;

use pc_ice::{CandidateKind, turn};
use pc_simnet::{Dependence, HostId, Link, Seed, ms, secs};
use peerconnection::{
    engine::{Config, Connection, Event, IceServer},
    stats::Stats,
};

use crate::{
    nodes::certificates,
    server::Policy,
    world::{A, B, Behind, World, stun, turn},
};

const NAME: &str = "3a8c1d4e-0000-4000-8000-000000000001.local";
const OPEN: Behind = Some([Dependence::EndpointIndependent; 2]);

/// A's addresses are hidden, and its socket's has a name.
fn world(behind: [Behind; 2]) -> World {
    let mut world = World::new(Seed(1), Link::new().delay(ms(20)), behind);
    let peer = world.peer(A);
    let config = Config::new(certificates()[0].clone(), [7; 32]);
    peer.engine = Connection::new(Config {
        hide_host_addresses: true,
        ..config
    });
    peer.engine.set_host_name(peer.address.ip(), NAME);
    world
}

/// Everything that a side signals, or tells its application.
fn told(world: &mut World, host: HostId) -> String {
    let now = world.net.now();
    let signaled = world.signaled[host.0].clone();
    let errors = world.events(host).iter().filter_map(|event| match event {
        Event::IceCandidateError(error) => Some(error.clone()),
        _ => None,
    });
    let errors = format!("{:?}", errors.collect::<Vec<_>>());
    let engine = world.engine(host);
    let report = engine.stats(now, |_| None);
    let descriptions = [engine.local_description(), engine.remote_description()];
    let info = engine.transport_info();
    let views = engine.transports().map(|it| {
        (
            it.local_candidates(),
            it.remote_candidates(),
            it.selected_candidate_pair(),
        )
    });
    let views: Vec<_> = views.collect();
    format!("{signaled:?} {errors} {report:?} {descriptions:?} {info:?} {views:?}")
}

#[test]
fn hidden_addresses_are_told_nowhere() {
    let wrong = IceServer {
        credentials: Some(turn::Credentials::new("user", "not it")),
        ..turn(0)
    };
    let mut world = world([OPEN, None])
        .serve(Policy::default())
        .asking(&[stun(0), wrong]);
    let channels = world.open();
    world.talk(channels);
    world.run_for(secs(2));
    let signaled: Vec<_> = world.signaled[A.0]
        .iter()
        .map(|it| it.candidate.clone())
        .collect();
    let has = |what: &str| signaled.iter().any(|it| it.contains(what));
    assert!(has(&format!(" {NAME} 5000 typ host")), "{signaled:?}");
    assert!(has(" typ srflx raddr 0.0.0.0 rport 9"), "{signaled:?}");
    let all = told(&mut world, A);
    assert!(
        all.contains(NAME) && all.contains("error_code: 401"),
        "{all}"
    );
    assert!(!all.contains("10.0.0.2"), "{all}");
    // It is the statistics that name the candidate, not what was signaled alone.
    let now = world.net.now();
    let report = world.engine(A).stats(now, |_| None);
    let mut local = report.iter().filter_map(|it| match it {
        Stats::LocalCandidate(candidate) => Some(candidate),
        _ => None,
    });
    assert!(
        local.any(|it| it.address.as_deref() == Some(NAME)),
        "{report:?}"
    );
}

#[test]
fn who_looks_the_name_up_connects_and_shows_the_name_alone() {
    let mut world = world([None; 2]);
    let ip: IpAddr = world.peer(A).address.ip();
    world.peer(B).names.push((NAME.to_owned(), ip));
    let channels = world.open();
    world.talk(channels);
    world.run_for(secs(2));
    let pair = world.pair(B).unwrap();
    assert_eq!(
        (pair.remote.kind, pair.remote.address.ip()),
        (CandidateKind::Host, ip)
    );
    for host in [A, B] {
        let all = told(&mut world, host);
        assert!(
            all.contains(NAME) && !all.contains(&ip.to_string()),
            "{host:?}: {all}"
        );
    }
}

/// As where multicast DNS cannot be had.
#[test]
fn an_address_without_a_name_is_not_told_and_serves_nevertheless() {
    let mut world = world([None; 2]);
    let config = Config::new(certificates()[0].clone(), [7; 32]);
    let ip = world.peer(A).address.ip().to_string();
    world.peer(A).engine = Connection::new(Config {
        hide_host_addresses: true,
        ..config
    });
    let channels = world.open();
    world.talk(channels);
    let mut signaled = world.signaled[A.0].iter();
    assert!(signaled.all(|it| it.candidate.is_empty()));
    let all = told(&mut world, A);
    assert!(!all.contains(&ip), "{all}");
}
