//! How long it takes to connect, where every way takes 50 ms.
//!
//! Signaling takes no time here: what is measured is gathering and checking.

use std::time::Duration;

use pc_simnet::{Dependence, HostId, Link, Network, ms};
use peerconnection::state::IceConnectionState;

use crate::{
    nodes::Node,
    server::Policy,
    world::{A, B, Behind, World, is_open, is_relayed, peer, stun, turn},
};

/// To anybody and back.
const RTT: Duration = ms(100);

fn is_connected(net: &Network<Node>, host: HostId) -> bool {
    use IceConnectionState::{Completed, Connected};
    let state = peer(net, host).engine.ice_connection_state();
    matches!(state, Connected | Completed)
}

/// When both sides had a path, and when the channel was open on both.
fn call(behind: [Behind; 2], relayed: bool) -> (Duration, Duration) {
    let mut world = World::new(1.into(), Link::new().delay(RTT / 2), behind)
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)]);
    let begin = world.net.now();
    world.call();
    world.run(|net| is_connected(net, A) && is_connected(net, B));
    let connected = world.net.now() - begin;
    for host in [A, B] {
        let pair = world.pair(host).unwrap();
        assert_eq!(is_relayed(&pair), relayed, "{pair}");
    }
    world.run(|net| is_open(net, A) && is_open(net, B));
    (connected, world.net.now() - begin)
}

#[test]
fn time_to_connect() {
    let [open, _, symmetric] = Dependence::ALL;
    let nat = Some([open, symmetric]);
    let [host, reflexive, relayed] = [
        ("host", [None, None], false),
        ("srflx", [nat, nat], false),
        ("relay", [Some([symmetric; 2]); 2], true),
    ]
    .map(|(name, behind, relayed)| (name, call(behind, relayed)));
    // A check and its answer.
    let host_earliest = RTT;
    // After a Binding request and its answer.
    let reflexive_earliest = 2 * RTT;
    // A request without credentials, one with them, and a check of two round trips' length, of which
    // the permission does not delay the first half.
    let relayed_earliest = 4 * RTT;
    eprintln!("| path | earliest possible | connected | one check | channel open |");
    for ((name, (connected, opened)), (earliest, check)) in
        [host, reflexive, relayed].into_iter().zip([
            (host_earliest, RTT),
            (reflexive_earliest, RTT),
            (relayed_earliest, 2 * RTT),
        ])
    {
        eprintln!("| {name} | {earliest:?} | {connected:?} | {check:?} | {opened:?} |");
        assert!(connected >= earliest, "{name}: earlier than is possible");
        assert!(connected <= earliest + check, "{name}: {connected:?}");
    }
}
