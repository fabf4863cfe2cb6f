//! The offerer's transports have one user fragment and password, as those of an offered bundle do, and
//! the answerer keeps them apart.

use pc_proto::Protocol;
use pc_simnet::{for_each_seed, ms, secs};

use super::support::{A, B, Duo, bad, check_for, good, tid};
use crate::state::PeerConnectionState;

/// The pair of each transport, by which it would be noticed that they have been mixed up.
fn pairs_are_their_own(duo: &Duo, count: usize) {
    for host in [A, B] {
        for n in 0..count {
            let view = duo.net[host].engine.transport(tid(n)).unwrap();
            let pair = view.selected_pair().unwrap();
            let route = duo.route(host, n);
            assert_eq!(pair.local.address, route.local);
            assert_eq!(pair.remote.address, route.remote);
        }
    }
}

fn talk(duo: &mut Duo) {
    let chat = duo.open_channel();
    duo.send(chat, "over the last");
    duo.net.run(|net| net[B].received == ["over the last"]);
}

#[test]
fn transports_with_sockets_of_their_own_connect() {
    for_each_seed(20, |seed| {
        let mut duo = Duo::new(seed, bad(), 3).with_shared_credentials();
        duo = duo.both_with_data_on(2);
        duo.connect();
        pairs_are_their_own(&duo, 3);
        talk(&mut duo);
    });
}

/// The answerer checks before its answer has come.
#[test]
fn early_checks_do_not_confuse_them() {
    for_each_seed(20, |seed| {
        for shares_socket in [false, true] {
            let duo = match shares_socket {
                true => Duo::offering_from_one_socket(seed, good(), 3),
                false => Duo::new(seed, good(), 3),
            };
            let mut duo = duo.with_shared_credentials().both_with_data_on(2);
            let offered = duo.plans[A.0].offered();
            duo.apply_at(A, &offered);
            duo.gather_at(A);
            let answered = duo.plans[B.0].clone();
            duo.apply_at(B, &answered);
            duo.gather_at(B);
            duo.net.run_for(ms(400));
            duo.apply();
            duo.run_until_both(PeerConnectionState::Connected);
            pairs_are_their_own(&duo, 3);
            talk(&mut duo);
            // Consent of each is asked for and given on its own path.
            duo.net.run_for(secs(60));
            for host in [A, B] {
                let engine = &duo.net[host].engine;
                assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
            }
        }
    });
}

#[test]
fn a_check_is_for_the_transport_whose_socket_it_came_in_on() {
    let mut duo = Duo::new(3, good(), 2).with_shared_credentials();
    let (now, offered) = (duo.net.now(), duo.plans[A.0].offered());
    // The check says that its sender controls.
    let engine = &mut duo.net[A].engine;
    engine.apply_plan(now, &offered.transports, None, false);
    duo.gather_at(A);
    let (now, ours) = (duo.net.now(), duo.plans[A.0].transports[0].local.clone());
    for n in [1, 0] {
        let route = duo.route(A, n);
        let mut check = check_for(&ours.ufrag, &ours.pwd);
        let engine = &mut duo.net[A].engine;
        engine.handle_input(now, route, &mut check).unwrap();
        let transports = &engine.transports;
        for other in [0, 1] {
            let it = transports.get(tid(other)).unwrap();
            assert_eq!(it.ice.knows(route), other == n);
        }
    }
    assert_eq!(duo.net[A].engine.local_ufrags().count(), 2);
}
