//! What networks cost (draft-thatcher-ice-network-cost), and which pair is used for it.

use std::time::Duration;

use pc_simnet::{HostId, Link, Seed, ms, secs};
use pc_stun::{Attribute, AttributeType, MessageView};

use super::{
    bytes::{Check, Lone, route_from},
    support::{A, B, Duo, address},
};
use crate::{Candidate, CandidateKind, Network, NetworkCost, Role, State};

const WIFI: u8 = 1;
const CELLULAR: u8 = 2;

fn network(id: u8, cost: NetworkCost) -> Network {
    let id = id.into();
    Network { id, cost }
}

fn host(host: HostId, n: u8, cost: NetworkCost) -> Candidate {
    Candidate {
        network: network(n, cost),
        ..Candidate::host(address(host, n))
    }
}

fn add(duo: &mut Duo, host: HostId, candidate: Candidate) {
    let now = duo.net.now();
    duo.net.add_address(host, candidate.address);
    duo.net[host]
        .agent
        .add_local_candidate(now, candidate)
        .unwrap();
}

fn remove(duo: &mut Duo, host: HostId, n: u8) {
    let (now, at) = (duo.net.now(), address(host, n));
    duo.net.remove_address(at);
    duo.net[host].agent.remove_local_address(now, at);
}

/// `phone` has a wireless LAN and a cellular network, of which the latter has the priority; the other
/// side has a cable, and says so.
fn phone_and_desk(seed: u64, phone: HostId) -> Duo {
    let mut duo = Duo::new(Seed(seed)).link(Link::new().delay(ms(50)));
    for host in [A, B] {
        remove(&mut duo, host, 1);
    }
    let desk = if phone == A { B } else { A };
    add(&mut duo, desk, host(desk, 1, NetworkCost::FREE));
    let cellular = Candidate {
        priority: (126 << 24) + (65_535 << 8) + 255,
        ..host(phone, CELLULAR, NetworkCost::HIGH)
    };
    let wifi = Candidate {
        priority: (126 << 24) + (1_000 << 8) + 255,
        ..host(phone, WIFI, NetworkCost::LOW)
    };
    add(&mut duo, phone, cellular);
    add(&mut duo, phone, wifi);
    duo
}

fn set_wifi(duo: &mut Duo, phone: HostId, works: bool) {
    let desk = if phone == A { B } else { A };
    let (a, b) = (address(phone, WIFI), address(desk, 1));
    for (from, to) in [(a, b), (b, a)] {
        match works {
            true => duo.net.mend(from, to),
            false => duo.net.cut(from, to),
        }
    }
}

/// Which of the phone's networks carries the data.
fn used(duo: &Duo, phone: HostId) -> u8 {
    duo.assert_same_path();
    let route = duo.net[phone].agent.route().unwrap();
    let at = |n: &u8| route.local == address(phone, *n);
    [WIFI, CELLULAR].into_iter().find(at).unwrap()
}

/// Lets data flow both ways for `time`, which is what finds out that a path has gone.
fn talk(duo: &mut Duo, time: Duration) {
    let end = duo.net.elapsed() + time;
    while duo.net.elapsed() < end {
        for host in [A, B] {
            let now = duo.net.now();
            if let Some(route) = duo.net[host].agent.route() {
                duo.net[host].agent.data_sent(now);
                duo.net.inject(route.local, route.remote, b"\x80data");
            }
        }
        duo.net.run_for(ms(20));
    }
}

/// Between two pairs that both work the cost decides before the priority, on either side, whether or
/// not nominations are numbered.
#[test]
fn the_cheaper_network_is_used_whatever_its_priority() {
    for phone in [A, B] {
        for renomination in [true, false] {
            let mut duo = phone_and_desk(1, phone);
            for host in [A, B] {
                let now = duo.net.now();
                duo.net[host].agent.set_renomination(now, renomination);
            }
            duo.signal();
            duo.run_until_state(State::Completed);
            talk(&mut duo, secs(5));
            assert_eq!(used(&duo, phone), WIFI, "{phone:?}, {renomination}");
            assert!([A, B].iter().all(|id| duo.net[*id].agent.is_nominated()));
            let desk = if phone == A { B } else { A };
            let pair = duo.net[desk].agent.selected_pair().unwrap();
            assert_eq!(pair.remote.network, network(WIFI, NetworkCost::LOW));
        }
    }
}

/// What is dear is there for when the cheap network is lost: within two seconds. When that works again
/// it is returned to, and less and less readily if it does not last.
#[test]
fn a_lost_network_is_replaced_by_a_dear_one_and_returned_to() {
    for phone in [A, B] {
        for renomination in [true, false] {
            let mut duo = phone_and_desk(2, phone);
            for host in [A, B] {
                let now = duo.net.now();
                duo.net[host].agent.set_renomination(now, renomination);
            }
            duo.signal();
            talk(&mut duo, secs(5));
            assert_eq!(used(&duo, phone), WIFI);
            set_wifi(&mut duo, phone, false);
            talk(&mut duo, secs(2));
            assert_eq!(used(&duo, phone), CELLULAR, "{phone:?}, {renomination}");
            // Not while it is gone.
            talk(&mut duo, secs(60));
            assert_eq!(used(&duo, phone), CELLULAR);
            set_wifi(&mut duo, phone, true);
            talk(&mut duo, secs(12));
            assert_eq!(used(&duo, phone), WIFI, "{phone:?}, {renomination}");
            // The second time it has to be there for twice as long.
            set_wifi(&mut duo, phone, false);
            talk(&mut duo, secs(2));
            set_wifi(&mut duo, phone, true);
            talk(&mut duo, secs(14));
            assert_eq!(used(&duo, phone), CELLULAR);
            talk(&mut duo, secs(18));
            assert_eq!(used(&duo, phone), WIFI, "{phone:?}, {renomination}");
        }
    }
}

/// A check that was lost, or a network that comes to work later, is no reason to pay for the whole
/// session.
#[test]
fn a_network_that_works_later_is_moved_to() {
    for (gone_for, within) in [(secs(2), secs(4)), (secs(90), secs(12))] {
        let mut duo = phone_and_desk(3, A);
        set_wifi(&mut duo, A, false);
        duo.signal();
        talk(&mut duo, gone_for);
        assert_eq!(used(&duo, A), CELLULAR);
        assert!(duo.net[A].agent.is_nominated());
        set_wifi(&mut duo, A, true);
        talk(&mut duo, within);
        assert_eq!(used(&duo, A), WIFI, "after {gone_for:?}");
    }
}

/// As in libwebrtc, whose `CompareCandidatePairNetworks` comes before the priorities.
#[test]
fn a_relay_over_a_cheap_network_is_better_than_a_direct_pair_over_a_dear_one() {
    let mut duo = phone_and_desk(4, A);
    remove(&mut duo, A, WIFI);
    let relayed = Candidate {
        network: network(WIFI, NetworkCost::LOW),
        ..Candidate::new(CandidateKind::Relayed, address(A, 9))
    };
    add(&mut duo, A, relayed);
    duo.signal();
    talk(&mut duo, secs(45));
    assert_eq!(duo.net[A].agent.route().unwrap().local, address(A, 9));
    duo.assert_same_path();
    assert!(duo.net[A].agent.is_nominated());
}

/// A peer that says nothing of costs chooses, and follows, by priorities: another choice would part
/// the two sides.
#[test]
fn a_peer_that_knows_no_costs_is_not_asked_to_move_to_a_lower_priority() {
    for knows in [true, false] {
        let mut duo = phone_and_desk(5, A);
        if !knows {
            remove(&mut duo, B, 1);
            duo.add_address(B, 1);
        }
        set_wifi(&mut duo, A, false);
        duo.signal();
        talk(&mut duo, secs(2));
        assert_eq!(used(&duo, A), CELLULAR);
        set_wifi(&mut duo, A, true);
        talk(&mut duo, secs(20));
        assert_eq!(used(&duo, A), if knows { WIFI } else { CELLULAR });
    }
}

/// GOOG-NETWORK-INFO, as libwebrtc sends it in every check; nothing, where nothing is known.
#[test]
fn checks_say_which_network_they_come_over() {
    for known in [true, false] {
        let mut lone = Lone::signalled(Role::Controlling);
        if known {
            let second = host(A, 7, NetworkCost::LOW);
            lone.agent.add_local_candidate(lone.now, second).unwrap();
        }
        let sent = lone.run_for(secs(1));
        let said = sent.iter().filter_map(|(route, bytes)| {
            let check = MessageView::parse(bytes).unwrap();
            let info = check.attribute(AttributeType::GOOG_NETWORK_INFO)?;
            let expected = Attribute::GoogNetworkInfo { id: 7, cost: 10 };
            assert_eq!(info, expected);
            assert_eq!(route.local, address(A, 7));
            Some(())
        });
        assert_eq!(said.count() > 0, known);
    }
}

/// A peer-reflexive candidate costs what its check says, bounded; a later one may say otherwise, also
/// of a candidate that was signalled.
#[test]
fn checks_teach_what_the_peers_networks_cost() {
    let mut lone = Lone::signalled(Role::Controlled);
    let elsewhere = ([10, 0, 1, 9], 7000).into();
    for (n, (cost, expected)) in [(900, 900), (65_535, 999), (0, 0)].into_iter().enumerate() {
        let mut check = Check {
            network: Some((3, cost)),
            ..lone.check()
        };
        check.id.0[0] = n as u8;
        lone.input(route_from(elsewhere), &check.write()).unwrap();
        let mut all = lone.agent.remote_candidates();
        let learned = all.find(|it| it.address == elsewhere).unwrap();
        assert_eq!(learned.kind, CandidateKind::PeerReflexive);
        assert_eq!(learned.network, network(3, NetworkCost::new(expected)));
    }
    // What signaling leaves out stays; what it says counts.
    for said in [Network::default(), network(4, NetworkCost::LOW)] {
        let mut lone = Lone::signalled(Role::Controlled);
        let check = Check {
            network: Some((3, 900)),
            ..lone.check()
        };
        lone.input(route_from(elsewhere), &check.write()).unwrap();
        let signalled = Candidate {
            priority: 5,
            network: said,
            ..Candidate::host(elsewhere)
        };
        lone.agent
            .add_remote_candidate(lone.now, signalled)
            .unwrap();
        let mut all = lone.agent.remote_candidates();
        let known = all.find(|it| it.address == elsewhere).unwrap();
        assert_eq!(known.kind, CandidateKind::Host);
        let learned = network(3, NetworkCost::HIGH);
        let expected = if said.is_known() { said } else { learned };
        assert_eq!(known.network, expected);
    }
}
