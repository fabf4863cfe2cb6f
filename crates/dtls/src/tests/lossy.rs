//! Handshakes and data over bad links, on virtual time.

use std::collections::HashSet;

use pc_simnet::{Collect, LazyDriver, Link, Pair, Seed, for_each_seed, secs};

use super::*;

pub(super) type Side = Collect<Connection>;

fn pair(seed: Seed, versions: [Versions; 2]) -> Pair<Side> {
    let [mut client, mut server] = configs(Versions::All);
    [client.versions, server.versions] = versions;
    pair_of(seed, client, server)
}

pub(super) fn pair_of(seed: Seed, mut client: Config, mut server: Config) -> Pair<Side> {
    client.seed = Some(seed.bytes("client"));
    server.seed = Some(seed.bytes("server"));
    let side = |config| {
        Collect::pulled(connection(config), |connection, _, records| {
            while let Some(record) = connection.poll_data() {
                records.push(record.to_vec());
            }
        })
    };
    Pair::new(seed, side(client), side(server))
}

/// By turns both versions, and either side the one that has only DTLS 1.2.
fn versions(seed: Seed) -> [Versions; 2] {
    match seed.0 % 4 {
        0 => [Versions::All, V12],
        1 => [V12, Versions::All],
        _ => [Versions::All, Versions::All],
    }
}

pub(super) fn connected(pair: &Pair<Side>) -> bool {
    pair.a.state() == State::Connected && pair.b.state() == State::Connected
}

/// Sends `count` records each way and checks that those that arrive are what was sent, and once.
pub(super) fn exchange(pair: &mut Pair<Side>, count: u32) {
    for n in 0..count {
        let now = pair.now();
        pair.a.send(now, &record(b'a', n)).unwrap();
        pair.b.send(now, &record(b'b', n)).unwrap();
        pair.run_for(ms(5));
    }
    pair.run_for(secs(1));
    for (got, from) in [(&pair.b.collected, b'a'), (&pair.a.collected, b'b')] {
        let sent: HashSet<_> = (0..count).map(|n| record(from, n)).collect();
        let unique: HashSet<_> = got.iter().cloned().collect();
        assert_eq!(unique.len(), got.len(), "a record came twice");
        assert!(unique.is_subset(&sent), "a record was altered");
        assert!(got.len() > count as usize / 3, "{} of {count}", got.len());
    }
    assert!(pair.a.events == [Event::Connected] && pair.b.events == [Event::Connected]);
}

fn record(from: u8, n: u32) -> Vec<u8> {
    let mut record = vec![from; 20 + n as usize % 1000];
    record[..4].copy_from_slice(&n.to_be_bytes());
    record
}

fn bad_link() -> Link {
    Link::new()
        .delay(ms(20))
        .jitter(ms(10))
        .loss(0.3)
        .reorder(0.2, ms(50))
        .duplicate(0.1)
}

#[test]
fn every_handshake_survives_30_percent_loss() {
    for_each_seed(100, |seed| {
        let mut pair = pair(seed, versions(seed)).with_link(bad_link());
        pair.run(connected);
        exchange(&mut pair, 50);
    });
}

#[test]
fn no_call_order_is_needed() {
    for_each_seed(50, |seed| {
        let link = Link::new().delay(ms(20)).loss(0.1).reorder(0.1, ms(50));
        let mut pair = pair(seed, versions(seed))
            .with_link(link.duplicate(0.1))
            .with_driver(LazyDriver::default());
        pair.run(connected);
        exchange(&mut pair, 30);
    });
}

/// Every fifth datagram has flipped bits, from the moment when both are connected.
#[test]
fn corruption_neither_ends_a_connection_nor_alters_data() {
    for_each_seed(20, |seed| {
        let mut pair = pair(seed, versions(seed));
        pair.run(connected);
        pair.run_for(secs(1));
        let link = Link::new().delay(ms(5)).corrupt(0.2).duplicate(0.2);
        pair = pair.with_link(link);
        exchange(&mut pair, 200);
        let rejected = pair.a.rejected.len() + pair.b.rejected.len();
        assert!(rejected > 40, "{rejected}");
    });
}

/// A handshake in the clear cannot be protected from corruption, but it can fail by name.
#[test]
fn corruption_of_a_handshake_ends_in_a_connection_or_a_named_failure() {
    let mut connected = 0;
    for_each_seed(60, |seed| {
        let mut pair = pair(seed, versions(seed)).with_link(Link::new().delay(ms(5)).corrupt(0.2));
        pair.run(|pair| {
            let settled = |side: &Side| !matches!(side.state(), State::New | State::Connecting);
            settled(&pair.a) && settled(&pair.b) || pair.elapsed() > secs(70)
        });
        for side in [&pair.a, &pair.b] {
            connected += u32::from(side.state() == State::Connected);
            let named = |event: &Event| {
                let Event::Failed(error) = event else {
                    return false;
                };
                use Error::{FingerprintMismatch, Handshake, HandshakeTimeout, UnsupportedPeerKey};
                matches!(
                    error,
                    Handshake(_)
                        | HandshakeTimeout { .. }
                        | FingerprintMismatch
                        | UnsupportedPeerKey
                )
            };
            match &side.events[..] {
                [] | [Event::Connected] => {}
                [failure] if named(failure) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(connected > 60, "{connected} of 120");
}

/// A record of the server's flight is missing: the client says so, at a bounded rate.
#[test]
fn a_gap_in_a_flight_does_not_cause_a_storm() {
    let [client, mut server] = configs(V13);
    server.mtu = MIN_MTU;
    let mut duo = Duo::new([client, server]);
    duo.pass(Role::Client);
    let flight = sent(duo.now, &mut duo.server);
    assert!(flight.len() >= 2);
    duo.give(Role::Client, &flight[0]).unwrap();
    // All but the second datagram arrive, and nothing after them.
    for datagram in &flight[2..] {
        duo.give(Role::Client, datagram).unwrap();
    }
    let mut sent_in_all = 0;
    let end = duo.now + secs(1);
    while let Some(at) = duo.client.poll_timeout().filter(|at| *at < end) {
        duo.now = at.max(duo.now);
        duo.client.handle_timeout(duo.now);
        sent_in_all += sent(duo.now, &mut duo.client).len();
    }
    assert!(sent_in_all <= 60, "{sent_in_all} datagrams in a second");
}
