//! Interfaces that go and come while two engines talk.

mod common;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use common::{A, B, Call, good, is_open};
use pc_simnet::{HostId, Link, Seed, ms, secs};
use peerconnection::{
    SessionDescription,
    engine::{ChannelId, Event, Network, NetworkCost},
    state::{IceConnectionState, IceTransportState},
};

/// Address `n` of a host.
fn at(host: HostId, n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, host.0 as u8, n], 5000))
}

/// Two engines with these addresses, which talk over the first of each.
fn talking(seed: Seed, link: Link, addresses: [&[u8]; 2]) -> (Call, [ChannelId; 2]) {
    talking_over(seed, link, addresses, [&[], &[]])
}

/// The same, where addresses are of networks with these numbers and costs.
fn talking_over(
    seed: Seed,
    link: Link,
    addresses: [&[u8]; 2],
    networks: [&[(u8, NetworkCost)]; 2],
) -> (Call, [ChannelId; 2]) {
    let mut call = Call::new(seed, link);
    for host in [A, B] {
        let network = |(n, cost): &(u8, NetworkCost)| {
            let id = u16::from(*n);
            (at(host, *n).ip(), Network { id, cost: *cost })
        };
        let networks: Vec<(IpAddr, Network)> = networks[host.0].iter().map(network).collect();
        call.net[host].engine.set_networks(&networks);
    }
    for host in [A, B] {
        let old = call.net[host].address;
        call.net.remove_address(old);
        for n in addresses[host.0] {
            call.net.add_address(host, at(host, *n));
        }
    }
    let here = call.channel(A, "chat");
    exchange(&mut call, addresses);
    call.run(|net| is_open(net, A) && is_open(net, B));
    call.run_for(secs(3));
    let (there, _) = call.net[B].engine.channels().next().unwrap();
    for host in [A, B] {
        drain_negotiation(&mut call, host);
    }
    (call, [here, there])
}

/// Offer and answer, with the candidates of these addresses.
fn exchange(call: &mut Call, addresses: [&[u8]; 2]) {
    let now = call.net.now();
    let mut described = |host: HostId, other: Option<SessionDescription>| {
        let engine = &mut call.net[host].engine;
        if let Some(description) = other {
            engine.set_remote_description(now, description).unwrap();
        }
        engine.set_local_description(now, None).unwrap();
        let own: Vec<_> = addresses[host.0].iter().map(|n| at(host, *n)).collect();
        engine.gather(now, &own);
        engine.local_description().unwrap()
    };
    let offer = described(A, None);
    let answer = described(B, Some(offer));
    let engine = &mut call.net[A].engine;
    engine.set_remote_description(now, answer).unwrap();
}

/// Whether the driver would have fired `negotiationneeded` by now.
fn drain_negotiation(call: &mut Call, host: HostId) -> bool {
    call.net[host].engine.update_negotiation_needed();
    let known = call.net[host].events.len();
    call.run_for(ms(1));
    let needed = |event: &Event| matches!(event, Event::NegotiationNeeded);
    call.net[host].events[known..].iter().any(needed)
}

fn lose(call: &mut Call, host: HostId, n: u8) {
    let (now, address) = (call.net.now(), at(host, n));
    call.net.remove_address(address);
    call.net[host].engine.remove_local_address(now, address);
}

fn gain(call: &mut Call, host: HostId, n: u8) {
    let (now, address) = (call.net.now(), at(host, n));
    call.net.add_address(host, address);
    let engine = &mut call.net[host].engine;
    let id = engine.transports().next().unwrap().id();
    engine.add_local_address(now, id, address);
}

/// Lets both sides say something every 20 ms for this long; the longest that either waited.
fn talk(call: &mut Call, channels: [ChannelId; 2], time: Duration) -> Duration {
    let end = call.net.elapsed() + time;
    let (mut last, mut longest) = ([call.net.elapsed(); 2], Duration::ZERO);
    while call.net.elapsed() < end {
        for host in [A, B] {
            call.send(host, channels[host.0], "still here");
        }
        let before = [A, B].map(|host| call.net[host].received.len());
        call.run_for(ms(20));
        for host in [A, B] {
            longest = longest.max(call.net.elapsed() - last[host.0]);
            if call.net[host].received.len() > before[host.0] {
                last[host.0] = call.net.elapsed();
            }
        }
    }
    assert!(
        last.iter().all(|last| call.net.elapsed() - *last < secs(2)),
        "silence at the end: {last:?} of {:?}",
        call.net.elapsed()
    );
    longest
}

fn local(call: &Call, host: HostId) -> String {
    let info = call.net[host].engine.transport_info();
    info.candidate_pair.unwrap().0
}

/// The address in use goes, and another pair lives: no restart, on whichever side.
#[test]
fn another_pair_takes_over() {
    for (seed, loss) in [(1, 0.0), (2, 0.0), (3, 0.1), (4, 0.1)] {
        for host in [A, B] {
            let link = Link::new().delay(ms(50)).loss(loss);
            let (mut call, channels) = talking(Seed(seed), link, [&[1, 2], &[1, 2]]);
            talk(&mut call, channels, secs(1));
            let n = if local(&call, host).contains(".1:") {
                1
            } else {
                2
            };
            lose(&mut call, host, n);
            let silence = talk(&mut call, channels, secs(5));
            eprintln!("loss {loss}, host {host:?}: {silence:?}");
            // With loss, SCTP's own timers come on top (RFC 9260 §6.3.1: RTO.Min is 1 s, and doubles).
            let limit = if loss > 0.0 { secs(4) } else { ms(1500) };
            assert!(silence <= limit, "{silence:?}");
            for host in [A, B] {
                assert!(!drain_negotiation(&mut call, host));
                let state = call.net[host].engine.ice_connection_state();
                assert!(state != IceConnectionState::Disconnected, "{state:?}");
            }
        }
    }
}

/// Nobody is told that the path is gone.
#[test]
fn a_black_hole_is_noticed() {
    let (mut call, channels) = talking(Seed(5), good(), [&[1, 2], &[1, 2]]);
    talk(&mut call, channels, secs(1));
    for (from, to) in [(at(A, 1), at(B, 1)), (at(B, 1), at(A, 1))] {
        call.net.cut(from, to);
    }
    let silence = talk(&mut call, channels, secs(5));
    assert!(silence <= secs(2), "{silence:?}");
}

/// The only address goes and another one comes: the peer learns it from checks.
#[test]
fn an_address_that_comes_is_used_without_a_restart() {
    for host in [A, B] {
        let (mut call, channels) = talking(Seed(6), good(), [&[1], &[1]]);
        lose(&mut call, host, 1);
        call.run_for(ms(300));
        let view = call.net[host].engine.transports().next().unwrap();
        assert_eq!(view.ice_state(), IceTransportState::Disconnected);
        gain(&mut call, host, 7);
        let silence = talk(&mut call, channels, secs(3));
        assert!(silence <= secs(2), "{silence:?}");
        assert!(!drain_negotiation(&mut call, host));
        // It is told by the next restart, not now: the end of candidates was.
        let after = call.net[host].engine.transports().next().unwrap();
        assert!(local(&call, host).contains(".7:"), "{}", local(&call, host));
        assert_eq!(after.ice_state(), IceTransportState::Completed);
    }
}

/// The only address goes, and from the other one the peer cannot be reached at any address that is
/// known: ICE restarts within two seconds, and the peer's new candidates do it.
#[test]
fn where_no_pair_lives_ice_restarts() {
    for allowed in [true, false] {
        let (mut call, channels) = talking(Seed(7), good(), [&[1, 2], &[1]]);
        let engine = &mut call.net[A].engine;
        engine.set_restart_on_network_change(allowed);
        talk(&mut call, channels, secs(1));
        call.net.cut(at(A, 2), at(B, 1));
        call.net.cut(at(B, 1), at(A, 2));
        lose(&mut call, A, 1);
        call.run_for(ms(900));
        assert!(
            !drain_negotiation(&mut call, A),
            "another pair has its time"
        );
        call.run_for(ms(300));
        assert_eq!(drain_negotiation(&mut call, A), allowed);
        assert!(!drain_negotiation(&mut call, B), "one side restarts");
        if !allowed {
            continue;
        }
        call.net.add_address(B, at(B, 2));
        exchange(&mut call, [&[2], &[1, 2]]);
        let silence = talk(&mut call, channels, secs(5));
        assert!(silence <= secs(2), "{silence:?}");
        assert!(local(&call, A).contains(".2:"));
    }
}

/// Without any address there is nothing to restart with: that waits for one.
#[test]
fn a_restart_waits_for_an_address() {
    let (mut call, channels) = talking(Seed(8), good(), [&[1], &[1]]);
    talk(&mut call, channels, secs(1));
    lose(&mut call, A, 1);
    call.run_for(secs(5));
    assert!(!drain_negotiation(&mut call, A));
    call.net.cut(at(A, 2), at(B, 1));
    gain(&mut call, A, 2);
    call.run_for(ms(1100));
    assert!(drain_negotiation(&mut call, A));
}

/// draft-thatcher-ice-network-cost: a telephone's cellular network, which comes first, is told as what
/// it costs, carries nothing while the wireless LAN does, and is there within two seconds of its loss.
#[test]
fn a_cellular_network_is_used_where_there_is_no_other() {
    for phone in [A, B] {
        let desk = if phone == A { B } else { A };
        let mut addresses: [&[u8]; 2] = [&[1], &[1]];
        addresses[phone.0] = &[1, 2];
        let mut networks: [&[_]; 2] = [&[(1, NetworkCost::FREE)]; 2];
        networks[phone.0] = &[(1, NetworkCost::HIGH), (2, NetworkCost::LOW)];
        let link = Link::new().delay(ms(30));
        let (mut call, channels) = talking_over(Seed(9), link, addresses, networks);
        let told = call.net[phone].engine.local_description().unwrap().sdp;
        let line = |address: &str| {
            let mut lines = told.lines();
            let of = |line: &&str| line.starts_with("a=candidate:") && line.contains(address);
            lines.find(of).unwrap()
        };
        let lines = [
            line(&at(phone, 1).ip().to_string()),
            line(&at(phone, 2).ip().to_string()),
        ];
        assert!(
            lines[0].contains(" network-id 1 network-cost 900"),
            "{told}"
        );
        assert!(lines[1].contains(" network-id 2 network-cost 10"), "{told}");
        let told = call.net[desk].engine.local_description().unwrap().sdp;
        assert!(
            told.contains(" network-id 1") && !told.contains("network-cost"),
            "{told}"
        );

        assert!(
            local(&call, phone).contains(".2:"),
            "{}",
            local(&call, phone)
        );
        talk(&mut call, channels, secs(1));
        lose(&mut call, phone, 2);
        let silence = talk(&mut call, channels, secs(3));
        assert!(silence <= secs(2), "{silence:?}");
        assert!(local(&call, phone).contains(".1:"));
        // Back at once by whom it is an address that came; to who nominates from afar it is a path that
        // fell silent, which has to last ten seconds.
        gain(&mut call, phone, 2);
        let back = if phone == A { secs(1) } else { secs(14) };
        let silence = talk(&mut call, channels, back);
        assert!(silence <= ms(200), "{silence:?}");
        assert!(
            local(&call, phone).contains(".2:"),
            "{}",
            local(&call, phone)
        );
    }
}
