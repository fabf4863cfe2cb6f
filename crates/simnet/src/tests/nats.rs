//! Address translators.

use std::net::SocketAddr;

use super::networks::{Peer, address};
use crate::{Dependence, Fate, HostId, Link, Nat, Network, ms, secs};

const INSIDE: &str = "10.0.0.2:5000";
const OUTSIDE: &str = "203.0.113.1";
/// Two ports of one host, and another host.
const FAR: [&str; 3] = ["192.0.2.1:1", "192.0.2.1:2", "198.51.100.1:1"];

fn network(mapping: Dependence, filtering: Dependence) -> (Network<Peer>, HostId, [HostId; 2]) {
    let mut network = Network::new(1).with_link(Link::new().delay(ms(5)));
    let inside = network.add(Peer::default(), &[address(INSIDE)]);
    let far = FAR.map(address);
    let one = network.add(Peer::default(), &far[..2]);
    let other = network.add(Peer::default(), &far[2..]);
    let nat = Nat::new(OUTSIDE.parse().unwrap(), mapping, filtering);
    network.put_behind(nat, &[address(INSIDE).ip()]);
    (network, inside, [one, other])
}

fn sources(peer: &Peer) -> Vec<SocketAddr> {
    let of = |(route, _): &(pc_proto::FiveTuple, _)| route.remote;
    peer.received.iter().map(of).collect()
}

/// RFC 4787 §4.1: how many sources three destinations see.
#[test]
fn mappings_differ_in_what_they_depend_on() {
    for (mapping, count) in Dependence::ALL.into_iter().zip([1, 2, 3]) {
        let (mut network, inside, [one, other]) = network(mapping, mapping);
        for far in FAR {
            network[inside].send(address(INSIDE), address(far), b"?");
            network[inside].send(address(INSIDE), address(far), b"again");
        }
        network.run_until_idle();
        let mut seen = sources(&network[one]);
        assert_eq!(seen.len(), 4);
        seen.extend(sources(&network[other]));
        assert_eq!(
            seen[0],
            SocketAddr::new(OUTSIDE.parse().unwrap(), Nat::FIRST_PORT)
        );
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "{mapping:?}");
    }
}

/// RFC 4787 §5: who may answer to what was sent to the first far end.
#[test]
fn filterings_differ_in_whom_they_let_in() {
    let let_in: [&[&[u8]]; 3] = [&[b"1", b"2", b"3"], &[b"1", b"2"], &[b"1"]];
    for (filtering, expected) in Dependence::ALL.into_iter().zip(let_in) {
        let mapping = Dependence::EndpointIndependent;
        let (mut network, inside, [one, other]) = network(mapping, filtering);
        network[inside].send(address(INSIDE), address(FAR[0]), b"?");
        network.run_until_idle();
        let outside = network[one].received[0].0.remote;
        network[one].send(address(FAR[0]), outside, b"1");
        network[one].send(address(FAR[1]), outside, b"2");
        network[other].send(address(FAR[2]), outside, b"3");
        network.run_until_idle();
        assert_eq!(network[inside].heard(), expected, "{filtering:?}");
        let filtered = network.trace().count(|it| it.fate == Fate::Filtered);
        assert_eq!(filtered, 3 - expected.len());
    }
}

#[test]
fn nothing_comes_in_by_another_way() {
    let [open, _, _] = Dependence::ALL;
    let (mut network, inside, [one, _]) = network(open, open);
    let outside = SocketAddr::new(OUTSIDE.parse().unwrap(), Nat::FIRST_PORT);
    network[one].send(address(FAR[0]), address(INSIDE), b"private address");
    network[one].send(address(FAR[0]), outside, b"no binding");
    network.run_until_idle();
    network[inside].send(address(INSIDE), address(FAR[0]), b"?");
    network.run_until_idle();
    network[one].send(address(FAR[0]), outside, b"too late");
    network.inject(address(FAR[0]), outside, b"now");
    network.run_until(network.now() + secs(121));
    network.inject(address(FAR[0]), outside, b"the binding has ended");
    network.run_until_idle();
    assert_eq!(network[inside].heard(), [&b"now"[..], b"too late"]);
}

#[test]
fn hosts_behind_one_nat_reach_each_other_directly_and_around() {
    let [open, _, _] = Dependence::ALL;
    let mut network = Network::new(1);
    let inside = [INSIDE, "10.0.0.3:6000"].map(address);
    let [a, b] = inside.map(|it| network.add(Peer::default(), &[it]));
    let far = network.add(Peer::default(), &[address(FAR[0])]);
    let nat = Nat::new(OUTSIDE.parse().unwrap(), open, open);
    network.put_behind(nat, &inside.map(|it| it.ip()));
    for (host, from) in [(a, inside[0]), (b, inside[1])] {
        network[host].send(from, address(FAR[0]), b"?");
    }
    network.run_until_idle();
    let seen = sources(&network[far]);
    network[a].send(inside[0], inside[1], b"directly");
    network[a].send(inside[0], seen[1], b"around");
    network.run_until_idle();
    assert_eq!(network[b].heard(), [&b"directly"[..], b"around"]);
    assert_eq!(sources(&network[b]), [inside[0], seen[0]]);
}
