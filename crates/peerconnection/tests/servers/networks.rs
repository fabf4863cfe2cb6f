//! Candidates of every kind say what the network costs that they are of (draft-thatcher-ice-network-cost).

use pc_simnet::{Dependence, Link, Seed, ms, secs};
use peerconnection::{
    IceTransportPolicy,
    engine::{Network, NetworkCost},
};

use crate::{
    server::Policy,
    world::{A, World, stun, turn},
};

/// As libwebrtc tells them. A reflexive one is of its base's network, a relayed one of that which leads to
/// the server, also where nothing else is told.
#[test]
fn what_servers_find_is_of_the_network_that_leads_to_them() {
    for (policy, kinds) in [
        (IceTransportPolicy::All, &["host", "srflx", "relay"][..]),
        (IceTransportPolicy::Relay, &["relay"]),
    ] {
        let open = Some([Dependence::EndpointIndependent; 2]);
        let link = Link::new().delay(ms(20));
        let mut world = World::new(Seed(1), link, [open, None])
            .serve(Policy::default())
            .asking(&[stun(0), turn(0)]);
        let ip = world.peer(A).address.ip();
        let network = Network {
            id: 4,
            cost: NetworkCost::HIGH,
        };
        let engine = world.engine(A);
        engine.set_ice_transport_policy(policy);
        engine.set_networks(&[(ip, network)]);
        world.open();
        world.run_for(secs(1));
        let told = world.signaled[A.0].iter().map(|it| it.candidate.clone());
        let told: Vec<_> = told.filter(|it| !it.is_empty()).collect();
        for kind in kinds {
            let mut all = told.iter();
            let found = all.find(|it| it.contains(&format!(" typ {kind} ")));
            let found = found.unwrap_or_else(|| panic!("no {kind} in {told:?}"));
            assert!(found.contains(" network-id 4 network-cost 900"), "{found}");
        }
    }
}
