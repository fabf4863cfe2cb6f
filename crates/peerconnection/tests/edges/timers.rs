//! Timers, and the order of what is told.

use std::time::Instant;

use pc_proto::{Batch, FiveTuple, Protocol};
use pc_simnet::{for_each_seed, ms};
use peerconnection::{
    engine::{Connection, Event},
    state::*,
};

use crate::common::{A, B, Call, bad, good, is_open};

#[test]
fn a_dtls_error_comes_before_the_states_it_leads_to() {
    let mut call = Call::new(1, good()).tampering(|mut description| {
        if description.kind == peerconnection::SdpType::Answer {
            let at = description.sdp.find("sha-256 ").unwrap() + 8;
            let other = if &description.sdp[at..at + 2] == "00" {
                "11"
            } else {
                "00"
            };
            description.sdp.replace_range(at..at + 2, other);
        }
        description
    });
    call.channel(A, "chat");
    call.negotiate().unwrap();
    call.run(|net| net[A].engine.connection_state() == PeerConnectionState::Failed);
    call.run_for(ms(100));
    let events = &call.net[A].events;
    let position = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let error = position(&|it| matches!(it, Event::DtlsError(..)));
    let failed = position(&|it| {
        matches!(
            it,
            Event::DtlsTransportStateChange(_, DtlsTransportState::Failed)
        )
    });
    let sctp = position(&|it| matches!(it, Event::SctpStateChange(SctpTransportState::Closed)));
    let sum = position(&|it| {
        matches!(
            it,
            Event::ConnectionStateChange(PeerConnectionState::Failed)
        )
    });
    assert!(error < failed && failed < sum, "{events:?}");
    // All change in one task.
    assert!(sctp < sum + 3, "{events:?}");
}

/// After everything due has been done, the next expiry lies ahead.
#[track_caller]
fn settle(now: Instant, engine: &mut Connection, batch: &mut Batch) {
    for round in 0.. {
        engine.handle_timeout(now);
        let mut sent = 0;
        while engine
            .poll_transmit(now, &mut batch.transmit_buf(1200, 16))
            .is_some()
        {
            sent += 1;
            assert!(sent < 10_000, "sends for ever");
        }
        while engine.poll_event().is_some() {}
        if engine.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        assert!(
            round < 100,
            "a timer stays in the past: {:?}",
            engine.dtls_state()
        );
    }
}

#[test]
fn no_timer_stays_in_the_past_when_the_peer_falls_silent() {
    for_each_seed(40, |seed| {
        let mut call = Call::new(seed, bad());
        call.channel(A, "chat");
        call.negotiate().unwrap();
        // Somewhere between the first check and a connection in use.
        let cut = seed.bytes("cut");
        call.run_for(ms(u64::from(cut[0]) * 4));
        let now = call.net.now();
        for host in [A, B] {
            let mut now = now;
            let mut batch = Batch::new();
            let peer = &mut call.net[host].engine;
            let channels: Vec<_> = peer.channels().map(|(id, _)| id).collect();
            for id in channels {
                let _ = peer.send(
                    now,
                    id,
                    peerconnection::engine::Message::Binary(&[1; 50_000]),
                );
            }
            let mut fired = 0;
            loop {
                settle(now, peer, &mut batch);
                match peer.poll_timeout() {
                    Some(at) if fired < 3000 => now = at,
                    _ => break,
                }
                fired += 1;
            }
            peer.close(now);
            let mut polls = 0;
            while !peer.is_drained() {
                let _ = peer.poll_transmit(now, &mut batch.transmit_buf(1200, 16));
                polls += 1;
                assert!(polls < 100, "does not drain");
            }
            assert_eq!(peer.poll_timeout(), None);
        }
    });
}

#[test]
fn a_connection_drains_whenever_it_is_closed() {
    for_each_seed(60, |seed| {
        let mut call = Call::new(seed, good());
        call.channel(A, "chat");
        call.negotiate().unwrap();
        let cut = seed.bytes("cut");
        call.run_for(ms(u64::from(cut[0]) * 2));
        let now = call.net.now();
        for host in [A, B] {
            let peer = &mut call.net[host].engine;
            peer.close(now);
            let mut batch = Batch::new();
            for polls in 0.. {
                let route: Option<FiveTuple> =
                    peer.poll_transmit(now, &mut batch.transmit_buf(1200, 2));
                if route.is_none() {
                    break;
                }
                assert!(polls < 100);
            }
            assert!(peer.is_drained());
        }
        assert!(!is_open(&call.net, A));
    });
}
