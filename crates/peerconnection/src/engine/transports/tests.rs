//! Two engines with several transports each, their plans made by hand.

mod gathering;
mod plans;
mod shared_ufrag;
mod support;

use pc_proto::{Batch, Protocol};
use pc_simnet::{LazyDriver, for_each_seed, ms, secs};

use super::super::{Connection, Event, Message, Rejected, TransportId};
use crate::state::{
    DtlsTransportState, IceConnectionState, IceTransportState, PeerConnectionState,
};
use support::{A, B, Duo, bad, check_for, digest, good, tid};

fn states(engine: &Connection) -> Vec<(IceTransportState, DtlsTransportState)> {
    let pair = |it: super::super::TransportView<'_>| (it.ice_state(), it.dtls_state());
    engine.transports().map(pair).collect()
}

#[test]
fn two_and_three_transports_connect_and_carry_data() {
    for_each_seed(20, |seed| {
        for count in [2, 3] {
            let mut duo = Duo::new(seed, bad(), count).both_with_data_on(count - 1);
            duo.connect();
            let chat = duo.open_channel();
            duo.send(chat, "over the last");
            duo.net.run(|net| net[B].received == ["over the last"]);
            for host in [A, B] {
                let engine = &duo.net[host].engine;
                assert_eq!(engine.data_transport(), Some(tid(count - 1)));
                for (ice, dtls) in states(engine) {
                    // With so much loss one may fall silent for a while.
                    assert_ne!(ice, IceTransportState::Failed);
                    assert_eq!(dtls, DtlsTransportState::Connected);
                }
            }
        }
    });
}

#[test]
fn a_lazy_driver_connects_them_too() {
    for_each_seed(10, |seed| {
        let mut duo = Duo::new(seed, bad(), 3);
        duo.net = duo.net.with_driver(LazyDriver::default());
        duo = duo.both_with_data_on(0);
        duo.connect();
        let chat = duo.open_channel();
        duo.send(chat, "hello");
        duo.net.run(|net| net[B].received == ["hello"]);
    });
}

/// A transport's events come before the sum's, and the sum is "connected" only with the last.
#[test]
fn events_of_transports_come_before_their_sum() {
    let mut duo = Duo::new(1, good(), 2);
    duo.connect();
    for host in [A, B] {
        let events = &duo.net[host].events;
        let last = |is: &dyn Fn(&Event) -> bool| events.iter().rposition(is).unwrap();
        let first = |is: &dyn Fn(&Event) -> bool| events.iter().position(is).unwrap();
        let up = last(&|it| {
            matches!(
                it,
                Event::DtlsTransportStateChange(_, DtlsTransportState::Connected)
            )
        });
        let sum = first(&|it| {
            matches!(
                it,
                Event::ConnectionStateChange(PeerConnectionState::Connected)
            )
        });
        assert!(up < sum, "{events:?}");
        let paired = first(&|it| matches!(it, Event::SelectedCandidatePairChange(_)));
        let connected = first(&|it| {
            matches!(
                it,
                Event::IceTransportStateChange(_, IceTransportState::Connected)
            )
        });
        let all = first(&|it| {
            matches!(
                it,
                Event::IceConnectionStateChange(IceConnectionState::Connected)
            )
        });
        assert!(paired < connected && connected < all, "{events:?}");
        let both = events[..all]
            .iter()
            .filter(|it| {
                matches!(
                    it,
                    Event::IceTransportStateChange(_, IceTransportState::Connected)
                )
            })
            .count();
        assert_eq!(both, 2, "{events:?}");
    }
}

#[test]
fn one_that_falls_silent_disconnects_then_fails_the_sum_until_it_is_gone() {
    let mut duo = Duo::new(2, good(), 3);
    duo.connect();
    duo.cut(1);
    for sum in [
        PeerConnectionState::Disconnected,
        PeerConnectionState::Failed,
    ] {
        duo.net.run(|net| {
            net[A].engine.connection_state() == sum && net[B].engine.connection_state() == sum
        });
        let ice = duo.net[A].engine.ice_connection_state();
        assert_eq!(ice.as_str(), sum.as_str());
    }
    let others = |engine: &Connection| {
        let view = engine.transport(tid(2)).unwrap();
        (view.ice_state(), view.dtls_state())
    };
    assert_eq!(
        others(&duo.net[A].engine).1,
        DtlsTransportState::Connected,
        "the others are not touched"
    );
    for host in [A, B] {
        duo.plans[host.0].transports.remove(1);
    }
    duo.apply();
    for host in [A, B] {
        let engine = &duo.net[host].engine;
        assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
        assert_eq!(
            engine.ice_connection_state(),
            IceConnectionState::Completed,
            "{:?}",
            states(engine)
        );
    }
}

/// One that never finds a path fails the sum, though the other is up.
#[test]
fn one_that_never_connects_fails_the_sum() {
    let mut duo = Duo::new(3, good(), 2);
    duo.cut(1);
    duo.apply_all();
    duo.net.run_for(secs(10));
    let engine = &duo.net[A].engine;
    assert_eq!(engine.connection_state(), PeerConnectionState::Connecting);
    assert_eq!(engine.ice_connection_state(), IceConnectionState::Checking);
    let first = engine.transport(tid(0)).unwrap();
    assert_eq!(first.dtls_state(), DtlsTransportState::Connected);
    duo.net.run_for(secs(60));
    let engine = &duo.net[A].engine;
    assert_eq!(engine.connection_state(), PeerConnectionState::Failed);
    assert_eq!(engine.ice_connection_state(), IceConnectionState::Failed);
}

#[test]
fn a_transport_that_is_bundled_away_is_closed_and_forgotten() {
    let mut duo = Duo::new(4, good(), 3);
    duo = duo.both_with_data_on(0);
    duo.connect();
    let chat = duo.open_channel();
    let path = duo.address(A, 2);
    let gone_ufrag = duo.plans[A.0].transports[2].local.ufrag.clone();
    duo.plans[A.0].transports.truncate(1);
    let before = duo.net[A].events.len();
    duo.apply();
    assert!(duo.net[A].engine.needs_sockets(tid(2)), "a goodbye is due");
    duo.net.run_for(ms(500));
    let peer = &duo.net[A];
    let events = &peer.events[before..];
    for id in [tid(1), tid(2)] {
        assert!(!peer.engine.needs_sockets(id));
        assert!(peer.engine.transport(id).is_none());
        let count = |is: &dyn Fn(&Event) -> bool| events.iter().filter(|it| is(it)).count();
        let ice = count(
            &|it| matches!(it, Event::IceTransportStateChange(of, IceTransportState::Closed) if *of == id),
        );
        let dtls = count(
            &|it| matches!(it, Event::DtlsTransportStateChange(of, DtlsTransportState::Closed) if *of == id),
        );
        assert_eq!((ice, dtls), (1, 1), "{events:?}");
    }
    assert!(
        events
            .iter()
            .any(|it| matches!(it, Event::PathForgotten(tuple) if tuple.local == path))
    );
    assert!(!peer.engine.local_ufrags().any(|own| own == gone_ufrag));
    // The sum is that of the one that is left, at both ends: a closed DTLS does not spoil it.
    for host in [A, B] {
        let engine = &duo.net[host].engine;
        assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
    }
    let told = duo.net[B].engine.transport(tid(2)).unwrap();
    assert_eq!(told.dtls_state(), DtlsTransportState::Closed);
    duo.send(chat, "still here");
    duo.net.run(|net| net[B].received == ["still here"]);
}

/// A server has one socket for all of a client's transports, which have sockets of their own.
#[test]
fn interleaved_datagrams_on_one_socket_find_their_transports() {
    for_each_seed(10, |seed| {
        let mut duo = Duo::sharing(seed, good(), 3);
        let rejected = |duo: &Duo| {
            let of = |host| duo.net[host].engine.transport_info().datagrams_rejected;
            (of(A), of(B))
        };
        duo.connect();
        assert_eq!(rejected(&duo), (0, 0));
        let mut duo = duo.both_with_data_on(1);
        duo.apply();
        let chat = duo.open_channel();
        // Both ends have opened the association at once: SCTP drops a COOKIE ACK too many.
        duo.net.run_for(ms(200));
        let before = rejected(&duo);
        for n in 0..20 {
            duo.send(chat, &n.to_string());
        }
        duo.net.run(|net| net[B].received.len() == 20);
        // Consent of each is asked for and given on its own path.
        duo.net.run_for(secs(60));
        assert_eq!(rejected(&duo), before);
        for host in [A, B] {
            let engine = &duo.net[host].engine;
            assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
        }
    });
}

/// A second transport on the same socket takes nothing from the first.
#[test]
fn a_transport_that_joins_another_on_its_socket_leaves_it_its_paths() {
    let mut duo = Duo::sharing(8, good(), 2).both_with_data_on(1);
    let all = duo.plans.clone();
    for plans in &mut duo.plans {
        plans.transports.remove(0);
    }
    duo.connect();
    let chat = duo.open_channel();
    duo.net.run_for(ms(200));
    let rejected = duo.net[B].engine.transport_info().datagrams_rejected;
    duo.plans = all;
    duo.connect();
    duo.send(chat, "still there");
    duo.net.run(|net| net[B].received == ["still there"]);
    duo.net.run_for(secs(20));
    let engine = &duo.net[B].engine;
    assert_eq!(engine.transport_info().datagrams_rejected, rejected);
    assert_eq!(engine.transports().count(), 2);
    assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
}

#[test]
fn forged_checks_reach_nobody() {
    let mut duo = Duo::sharing(5, good(), 2);
    duo.connect();
    let now = duo.net.now();
    let ours = duo.plans[B.0].transports[1].local.clone();
    let other = duo.plans[B.0].transports[0].local.clone();
    let route = duo.route(B, 1);
    let engine = &mut duo.net[B].engine;
    let before = digest(engine);
    for (ufrag, pwd, expected) in [
        ("nobody", ours.pwd.as_str(), "ufrag"),
        (ours.ufrag.as_str(), other.pwd.as_str(), "integrity"),
        (other.ufrag.as_str(), ours.pwd.as_str(), "integrity"),
    ] {
        let mut forged = check_for(ufrag, pwd);
        let result = engine.handle_input(now, route, &mut forged);
        let Err(Rejected::Ice(why)) = &result else {
            panic!("{result:?}");
        };
        let as_expected = match why {
            pc_ice::Rejected::UnknownUfrag => expected == "ufrag",
            pc_ice::Rejected::Unauthenticated => expected == "integrity",
            _ => false,
        };
        assert!(as_expected, "{ufrag} {why}");
    }
    // Neither does data from elsewhere, or on a path of nobody's.
    let mut elsewhere = route;
    elsewhere.remote.set_port(9);
    for route in [elsewhere, elsewhere.reversed()] {
        let mut record = [23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0];
        assert!(engine.handle_input(now, route, &mut record).is_err());
    }
    assert_eq!(digest(engine), before);
    duo.net.run_for(secs(30));
    assert_eq!(
        duo.net[B].engine.connection_state(),
        PeerConnectionState::Connected
    );
}

/// However much one has to say, the other's checks go out between.
#[test]
fn a_busy_transport_leaves_the_others_their_turns() {
    let mut duo = Duo::new(6, good(), 2);
    duo = duo.both_with_data_on(0);
    duo.connect();
    let chat = duo.open_channel();
    let mut now = duo.net.now();
    let engine = &mut duo.net[A].engine;
    for _ in 0..20 {
        let message = Message::Binary(&[0; 100_000]);
        engine.send(now, chat, message).unwrap();
    }
    let idle = engine
        .transport(tid(1))
        .unwrap()
        .selected_pair()
        .unwrap()
        .local
        .address;
    // A consent check is due by now.
    now += secs(7);
    engine.handle_timeout(now);
    let mut batch = Batch::new();
    let mut polled = || {
        let mut out = batch.transmit_buf(1200, 1);
        engine.poll_transmit(now, &mut out).unwrap().local
    };
    let first: Vec<_> = (0..2).map(|_| polled()).collect();
    assert!(first.contains(&idle), "{first:?}");
}

#[test]
fn closing_says_goodbye_on_every_transport() {
    let mut duo = Duo::new(7, good(), 3);
    duo.connect();
    let now = duo.net.now();
    duo.net[A].engine.close(now);
    duo.net.run_for(ms(200));
    assert!(duo.net[A].engine.is_drained());
    for n in 0..3 {
        let there = duo.net[B].engine.transport(tid(n)).unwrap();
        assert_eq!(there.dtls_state(), DtlsTransportState::Closed, "{n}");
        let here: TransportId = tid(n);
        let here = duo.net[A].engine.transport(here).unwrap();
        assert_eq!(here.ice_state(), IceTransportState::Closed);
    }
}
