//! Hosts with addresses.

use std::{convert::Infallible, net::SocketAddr, time::Instant};

use pc_proto::{FiveTuple, Protocol, TransmitBuf};

use crate::{Fate, LazyDriver, Link, Network, Pair, ms};

/// Sends what it is told to and keeps what comes, with the route.
#[derive(Default)]
pub(super) struct Peer {
    pub(super) received: Vec<(FiveTuple, Vec<u8>)>,
    to_send: Vec<(FiveTuple, Vec<u8>)>,
}

impl Peer {
    pub(super) fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let route = FiveTuple::udp(from, to);
        self.to_send.push((route, datagram.to_vec()));
    }

    pub(super) fn heard(&self) -> Vec<&[u8]> {
        self.received.iter().map(|(_, bytes)| &bytes[..]).collect()
    }
}

impl Protocol for Peer {
    type Route = FiveTuple;
    type Payload<'d> = ();
    type Event = ();
    type Rejected = Infallible;

    fn handle_input(
        &mut self,
        _: Instant,
        route: FiveTuple,
        datagram: &mut [u8],
    ) -> Result<(), Infallible> {
        self.received.push((route, datagram.to_vec()));
        Ok(())
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self, _: Instant, out: &mut TransmitBuf<'_>) -> Option<FiveTuple> {
        if self.to_send.is_empty() {
            return None;
        }
        let (route, datagram) = self.to_send.remove(0);
        out.datagram(datagram.len(), |bytes| bytes.copy_from_slice(&datagram));
        Some(route)
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn addresses() -> [SocketAddr; 4] {
    ["10.0.0.1:1", "10.0.0.2:2", "[2001:db8::2]:2", "10.0.0.3:3"].map(address)
}

#[test]
fn datagrams_go_to_the_owner_of_an_address_and_back() {
    let [a1, b1, b2, c1] = addresses();
    let mut network = Network::new(1).with_driver(LazyDriver::default());
    let a = network.add(Peer::default(), &[a1]);
    let b = network.add(Peer::default(), &[b1, b2]);
    let c = network.add(Peer::default(), &[c1]);
    network[a].send(a1, b1, b"first");
    network[a].send(a1, b2, b"second");
    network[a].send(a1, c1, b"third");
    network.run(|network| network[b].received.len() == 2 && network[c].received.len() == 1);
    let (route, bytes) = network[b].received[0].clone();
    assert_eq!((route, &bytes[..]), (FiveTuple::udp(b1, a1), &b"first"[..]));
    network[b].send(route.local, route.remote, b"answer");
    network.run(|network| network[a].received.len() == 1);
    assert_eq!(network.owner(b2), Some(b));
    assert_eq!(network.two(a, c).1.heard(), [b"third"]);
}

#[test]
fn each_directed_link_is_its_own() {
    let [a1, b1, b2, _] = addresses();
    let mut network = Network::new(1).with_link(Link::new().delay(ms(5)));
    let a = network.add(Peer::default(), &[a1]);
    let b = network.add(Peer::default(), &[b1, b2]);
    network.set_link(a1, b2, Link::new().delay(ms(50)));
    network[a].send(a1, b2, b"slow");
    network[a].send(a1, b1, b"fast");
    network[b].send(b2, a1, b"way back");
    network.run_for(ms(6));
    assert_eq!(network[b].heard(), [b"fast"]);
    assert_eq!(network[a].heard(), [b"way back"]);
    network.run_until_idle();
    assert_eq!(network[b].heard(), [b"fast", b"slow"]);
}

#[test]
fn links_are_cut_and_mended() {
    let [a1, b1, b2, _] = addresses();
    let mut network = Network::new(1);
    let a = network.add(Peer::default(), &[a1]);
    let b = network.add(Peer::default(), &[b1, b2]);
    let both_ways = |network: &mut Network<Peer>| {
        for (from, to, host) in [(a1, b1, a), (a1, b2, a), (b1, a1, b), (b2, a1, b)] {
            network[host].send(from, to, b"?");
        }
        network.run_until_idle();
        let (a, b) = network.two(a, b);
        let heard = (a.received.len(), b.received.len());
        a.received.clear();
        b.received.clear();
        heard
    };
    assert_eq!(both_ways(&mut network), (2, 2));
    network.cut(a1, b1);
    assert_eq!(both_ways(&mut network), (2, 1));
    network.cut_between(b, a);
    assert_eq!(both_ways(&mut network), (0, 0));
    network.mend_between(a, b);
    assert_eq!(both_ways(&mut network), (2, 2));
}

#[test]
fn a_removed_address_neither_sends_nor_receives() {
    let [a1, b1, b2, _] = addresses();
    let mut network = Network::new(1);
    let a = network.add(Peer::default(), &[a1]);
    let b = network.add(Peer::default(), &[b1, b2]);
    network[a].send(a1, b1, b"under way");
    network.run_for(ms(1));
    network.remove_address(b1);
    network[a].send(a1, b1, b"too late");
    network[b].send(b1, a1, b"no longer mine");
    network[b].send(b2, a1, b"mine");
    network.run_until_idle();
    assert_eq!(network[a].heard(), [b"mine"]);
    assert!(network[b].received.is_empty());
    let fates = |fate| network.trace().count(|record| record.fate == fate);
    assert_eq!((fates(Fate::NoHost), fates(Fate::NotMyAddress)), (2, 1));
    network.add_address(b, b1);
    network[a].send(a1, b1, b"again");
    network.run_until_idle();
    assert_eq!(network[b].heard(), [b"again"]);
}

#[test]
fn a_third_party_forges_any_source() {
    let [a1, b1, ..] = addresses();
    let mut network = Network::new(1);
    let a = network.add(Peer::default(), &[a1]);
    network.inject(b1, a1, b"spoofed");
    network.run_until_idle();
    assert_eq!(network[a].received[0].0, FiveTuple::udp(a1, b1));
}

#[test]
fn a_pair_turns_routes_around() {
    let [a1, b1, ..] = addresses();
    let mut pair = Pair::new(1, Peer::default(), Peer::default());
    pair.a.send(a1, b1, b"x");
    pair.run_until_idle();
    assert_eq!(pair.b.received[0].0, FiveTuple::udp(b1, a1));
    assert_eq!(
        pair.trace().iter().next().unwrap().addresses,
        Some((a1, b1))
    );
}
