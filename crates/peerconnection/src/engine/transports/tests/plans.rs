use pc_jsep::TransportPlan;
use pc_simnet::{for_each_seed, ms, secs};
use rand_chacha::rand_core::Rng;

use super::support::{A, B, Duo, Plans, credentials, good, tid};
use crate::{
    engine::Event,
    state::{DtlsTransportState, IceTransportState, PeerConnectionState, SctpTransportState},
};

/// What `check_plan` says to a change of A's plans.
fn refusal(duo: &Duo, change: impl FnOnce(&mut Plans)) -> Option<&'static str> {
    let mut plans = duo.plans[A.0].clone();
    change(&mut plans);
    let engine = &duo.net[A].engine;
    let result = engine.check_plan(&plans.transports, plans.data.as_ref());
    result.err().map(|error| error.name())
}

fn turn(plan: &mut TransportPlan) {
    let peer = plan.peer.as_mut().unwrap();
    peer.dtls_client = !peer.dtls_client;
}

fn forge(plan: &mut TransportPlan) {
    plan.peer.as_mut().unwrap().fingerprints[0].value[0] ^= 1;
}

fn rename(plan: &mut TransportPlan) {
    plan.peer.as_mut().unwrap().tls_id = Some("another".into());
}

#[test]
fn what_would_need_a_new_association_is_refused() {
    let mut duo = Duo::new(1, good(), 2).both_with_data_on(0);
    duo.apply_all();
    // Nothing has begun: all can still change.
    assert_eq!(refusal(&duo, |it| turn(&mut it.transports[1])), None);
    assert_eq!(refusal(&duo, |it| forge(&mut it.transports[1])), None);
    assert_eq!(refusal(&duo, |it| it.data_on(1)), None);
    duo.run_until_both(PeerConnectionState::Connected);
    let refused = Some("NotSupportedError");
    assert_eq!(refusal(&duo, |it| turn(&mut it.transports[1])), refused);
    assert_eq!(refusal(&duo, |it| forge(&mut it.transports[0])), refused);
    assert_eq!(refusal(&duo, |it| rename(&mut it.transports[0])), refused);
    // RFC 8842 §5.1: none was given before.
    assert_eq!(refusal(&duo, |it| rename(&mut it.transports[1])), None);
    assert_eq!(refusal(&duo, |it| it.data_on(1)), refused);
    assert_eq!(refusal(&duo, |_| {}), None);
    assert_eq!(refusal(&duo, |it| it.transports.clear()), None);
    // One more fingerprint beside the known one is the same certificate.
    let add = |plan: &mut TransportPlan| {
        let fingerprints = &mut plan.peer.as_mut().unwrap().fingerprints;
        let mut more = fingerprints[0].clone();
        more.value[0] ^= 1;
        fingerprints.push(more);
    };
    assert_eq!(refusal(&duo, |it| add(&mut it.transports[0])), None);
}

#[test]
fn what_is_of_no_use_is_refused() {
    let duo = Duo::new(2, good(), 1);
    let first = |change: fn(&mut TransportPlan)| refusal(&duo, |it| change(&mut it.transports[0]));
    let invalid = Some("InvalidAccessError");
    assert_eq!(first(|it| it.local.ufrag = "a".into()), invalid);
    assert_eq!(
        first(|it| it.peer.as_mut().unwrap().remote.pwd = "short".into()),
        invalid
    );
    assert_eq!(
        first(|it| it.peer.as_mut().unwrap().fingerprints.clear()),
        invalid
    );
    let long = |it: &mut TransportPlan| {
        let peer = it.peer.as_mut().unwrap();
        (peer.local.ufrag, peer.remote.ufrag) = ("x".repeat(256), "y".repeat(256));
    };
    assert_eq!(first(long), invalid);
    let refused = Some("NotSupportedError");
    let many = |it: &mut Plans| {
        let one = it.transports[0].clone();
        let with_id = |n| TransportPlan {
            id: tid(n),
            ..one.clone()
        };
        it.transports = (0..257).map(with_id).collect();
    };
    assert_eq!(refusal(&duo, many), refused);
    let port = |it: &mut Plans| {
        it.data_on(0);
        it.data.as_mut().unwrap().peer.as_mut().unwrap().port = 5001;
    };
    assert_eq!(refusal(&duo, port), refused);
}

/// Bundling moves the data before anything is connected; then it runs where the answer put it.
#[test]
fn data_follows_its_section_while_nothing_is_connected() {
    let mut duo = Duo::new(3, good(), 2).both_with_data_on(1);
    let offered = duo.plans[A.0].offered();
    duo.apply_at(A, &offered);
    duo.gather_at(A);
    for plans in &mut duo.plans {
        plans.data_on(0);
        plans.transports.truncate(1);
    }
    duo.apply();
    duo.gather_at(B);
    let chat = duo.open_channel();
    duo.send(chat, "bundled");
    duo.net.run(|net| net[B].received == ["bundled"]);
    assert_eq!(duo.net[A].engine.data_transport(), Some(tid(0)));
    assert!(!duo.net[A].engine.needs_sockets(tid(1)));
}

/// A section for data that comes later uses the DTLS that is there (RFC 8261 §6.1).
#[test]
fn data_may_come_when_dtls_is_long_connected() {
    let mut duo = Duo::new(4, good(), 1);
    duo.connect();
    duo.net.run_for(secs(3));
    assert_eq!(duo.net[A].engine.sctp_state(), None);
    duo.plans[B.0].data_on(0);
    let plans = duo.plans[B.0].clone();
    duo.apply_at(B, &plans);
    // B's first packets come before A has the answer.
    duo.net.run_for(ms(100));
    duo.plans[A.0].data_on(0);
    duo.apply();
    let began = duo.net.now();
    let chat = duo.open_channel();
    let took = duo.net.now() - began;
    assert!(took < ms(500), "{took:?}: a packet had to be repeated");
    duo.send(chat, "late");
    duo.net.run(|net| net[B].received == ["late"]);
    // And when its section goes, the channels go, not the transport.
    duo.plans.iter_mut().for_each(|plans| plans.data = None);
    duo.apply();
    let engine = &duo.net[A].engine;
    assert_eq!(engine.sctp_state(), None);
    assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
    duo.net.run_for(ms(100));
    assert!(duo.net[A].saw(|it| matches!(it, Event::ChannelClosed(_))));
}

/// The transport below the channels goes, and with it they.
#[test]
fn channels_end_with_their_transport() {
    let mut duo = Duo::new(5, good(), 2).both_with_data_on(1);
    duo.connect();
    duo.open_channel();
    duo.plans[A.0].transports.truncate(1);
    let plans = duo.plans[A.0].clone();
    duo.apply_at(A, &plans);
    let engine = &duo.net[A].engine;
    assert_eq!(engine.sctp_state(), Some(SctpTransportState::Closed));
    duo.net.run_for(ms(100));
    for host in [A, B] {
        let closed = |it: &Event| matches!(it, Event::ChannelClosed(_));
        assert!(duo.net[host].saw(closed));
    }
}

/// Another final answer than the provisional one begins anew, as long as DTLS has not begun.
#[test]
fn another_peer_may_answer_before_dtls_has_begun() {
    let mut duo = Duo::new(6, good(), 1);
    let mut pranswer = duo.plans[A.0].clone();
    forge(&mut pranswer.transports[0]);
    let peer = pranswer.transports[0].peer.as_mut().unwrap();
    peer.remote = credentials(1, 7, 7);
    peer.candidates.clear();
    let offered = duo.plans[A.0].offered();
    duo.apply_at(A, &offered);
    duo.gather_at(A);
    duo.apply_at(A, &pranswer);
    duo.net.run_for(ms(300));
    duo.apply();
    duo.gather_at(B);
    duo.run_until_both(PeerConnectionState::Connected);
    let dtls = duo.net[A].engine.transport(tid(0)).unwrap().dtls_state();
    assert_eq!(dtls, DtlsTransportState::Connected);
}

/// The peer's first flight may come before its answer: it is kept, and need not be repeated.
#[test]
fn a_handshake_that_comes_before_the_answer_is_kept() {
    let mut duo = Duo::new(7, good(), 2);
    let offered = duo.plans[A.0].offered();
    duo.apply_at(A, &offered);
    duo.gather_at(A);
    let plans = duo.plans[B.0].clone();
    duo.apply_at(B, &plans);
    duo.gather_at(B);
    // By now B repeats its ClientHello every few seconds.
    duo.net.run_for(secs(4));
    let began = duo.net.now();
    let plans = duo.plans[A.0].clone();
    duo.apply_at(A, &plans);
    duo.run_until_both(PeerConnectionState::Connected);
    let took = duo.net.now() - began;
    assert!(took < ms(400), "{took:?}");
}

/// Transports come, restart and go in any order; those that are left at the end are connected, and
/// nothing is left of the others.
#[test]
fn any_sequence_of_plans_ends_as_the_last_one_says() {
    for_each_seed(20, |seed| {
        let mut rng = seed.rng("plans");
        let mut duo = Duo::new(seed, good(), 10);
        let mut waiting: Vec<_> = (0..10).collect();
        let all = duo.plans.clone();
        for plans in &mut duo.plans {
            plans.transports.clear();
        }
        let mut gone = Vec::new();
        for step in 0..25_u8 {
            let count = duo.plans[A.0].transports.len();
            let any = (rng.next_u32() as usize).checked_rem(count);
            match (rng.next_u32() % 4, any) {
                (0, _) if !waiting.is_empty() => {
                    let n = waiting.remove(0);
                    for side in [0, 1] {
                        let plan = all[side].transports[n].clone();
                        duo.plans[side].transports.push(plan);
                    }
                }
                (1, Some(index)) if count > 1 => {
                    for plans in &mut duo.plans {
                        let plan = plans.transports.remove(index);
                        gone.push(plan.id);
                    }
                }
                (2, Some(index)) => {
                    for side in [0, 1] {
                        let of = |side| credentials(side, index, step + 1);
                        let plan = &mut duo.plans[side].transports[index];
                        plan.local = of(side);
                        let peer = plan.peer.as_mut().unwrap();
                        (peer.local, peer.remote) = (of(side), of(1 - side));
                        peer.candidates[0].ufrag = None;
                    }
                }
                (_, Some(_)) => duo
                    .plans
                    .iter_mut()
                    .for_each(|it| it.transports.rotate_left(1)),
                _ => {}
            }
            duo.apply();
            duo.gather_at(A);
            duo.gather_at(B);
            duo.net.run_for(ms(u64::from(rng.next_u32() % 1500)));
        }
        duo.run_until_both(PeerConnectionState::Connected);
        for host in [A, B] {
            let engine = &duo.net[host].engine;
            let ids: Vec<_> = engine.transports().map(|it| it.id()).collect();
            let planned = duo.plans[host.0].transports.iter().map(|it| it.id);
            assert!(planned.eq(ids.iter().copied()), "{ids:?}");
            for id in &gone {
                assert!(!engine.needs_sockets(*id));
                let closed = |it: &Event| matches!(it, Event::IceTransportStateChange(of, IceTransportState::Closed) if of == id);
                let count = duo.net[host].events.iter().filter(|it| closed(it)).count();
                assert!(count <= 1, "{id:?} closed {count} times");
            }
        }
    });
}
