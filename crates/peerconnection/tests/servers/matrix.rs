//! Every NAT of RFC 4787 against every other one.

use std::net::SocketAddr;

use pc_simnet::{Dependence, Link, Nat, Seed, epoch, for_each_seed, ms, secs};

use crate::{
    server::Policy,
    world::{A, B, SERVER, World, is_relayed, outside, stun, turn},
};

/// A mapping and a filtering.
type Kind = [Dependence; 2];

fn kinds() -> impl Iterator<Item = Kind> + Clone {
    let all = Dependence::ALL.into_iter();
    all.flat_map(|mapping| Dependence::ALL.map(|filtering| [mapping, filtering]))
}

fn short(kind: Kind) -> String {
    let letters = kind.map(|it| match it {
        Dependence::EndpointIndependent => "EI",
        Dependence::AddressDependent => "AD",
        Dependence::AddressAndPortDependent => "APD",
    });
    letters.join("/")
}

/// Whether two sides can have a path between them without a server: whether any request of one,
/// sent to an address that it may know, comes to the other, and its answer back from that address.
/// They know what the server saw at first, and then where requests have come from.
fn is_direct_possible(kinds: [Kind; 2]) -> bool {
    let now = epoch();
    let server: SocketAddr = SERVER.parse().unwrap();
    let inside: [SocketAddr; 2] = ["10.0.0.2:1", "10.1.0.2:1"].map(|it| it.parse().unwrap());
    let mut nats = [0, 1].map(|side: usize| {
        let [mapping, filtering] = kinds[side];
        Nat::new(outside(side as u8).into(), mapping, filtering)
    });
    let seen = [0, 1].map(|side| nats[side].outbound(now, inside[side], server));
    let mut known = [vec![seen[1]], vec![seen[0]]];
    for round in 0..12 {
        let (here, there) = (round % 2, (round + 1) % 2);
        for to in known[here].clone() {
            let from = nats[here].outbound(now, inside[here], to);
            if nats[there].inbound(now, to, from).is_none() {
                continue;
            }
            if !known[there].contains(&from) {
                known[there].push(from);
            }
            let answers_from = nats[there].outbound(now, inside[there], from);
            let comes_back = nats[here].inbound(now, from, answers_from).is_some();
            if answers_from == to && comes_back {
                return true;
            }
        }
    }
    false
}

/// What the rules say that one can say in words.
#[test]
fn where_a_direct_path_is_possible() {
    let [open, address, symmetric] = Dependence::ALL;
    for a in kinds() {
        for b in kinds() {
            let possible = is_direct_possible([a, b]);
            assert_eq!(possible, is_direct_possible([b, a]), "{a:?} {b:?}");
            if a[0] == open && b[0] == open {
                // RFC 5128 §3.3: hole punching.
                assert!(possible, "{a:?} {b:?}");
            } else if a[0] == open {
                // The other side's port is not known beforehand.
                assert_eq!(possible, a[1] != symmetric, "{a:?} {b:?}");
            }
        }
    }
    assert!(!is_direct_possible([[symmetric; 2]; 2]));
    assert!(!is_direct_possible([[symmetric, address]; 2]));
}

/// One call: the kinds of the pair that A uses, and whether it is relayed.
fn call(seed: Seed, link: Link, kinds: [Kind; 2]) -> (String, bool) {
    let mut world = World::new(seed, link, kinds.map(Some))
        .serve(Policy::default())
        .asking(&[stun(0), turn(0)]);
    let channels = world.open();
    // Both sides agree on one.
    world.run_for(secs(8));
    world.talk(channels);
    let pairs = [A, B].map(|host| world.pair(host).expect("a pair"));
    if pairs.iter().any(is_relayed) && is_direct_possible(kinds) {
        // When the loss has hit every check so far, the next ones come at ever longer intervals; and
        // so it is with the answer that tells one side of what the other has agreed to.
        world.run_for(secs(35));
        world.talk(channels);
    }
    let [ours, theirs] = [A, B].map(|host| world.pair(host).expect("a pair"));
    let is_relay = is_relayed(&ours);
    assert_eq!(is_relay, is_relayed(&theirs), "{ours} against {theirs}");
    let (local, remote) = world.engine(A).transport_info().candidate_pair.unwrap();
    let told = local.starts_with("relay") || remote.starts_with("relay");
    assert_eq!(told, is_relay, "{local}, {remote}");
    (
        format!("{}-{}", ours.local.kind, ours.remote.kind),
        is_relay,
    )
}

/// All 81 cases: how often there was a direct path; and in how many cases there could have been one,
/// and was not.
fn matrix(seeds: u64, link: &Link) -> usize {
    let mut missed = 0;
    for a in kinds() {
        for b in kinds() {
            let mut pairs: Vec<(String, bool)> = Vec::new();
            for_each_seed(seeds, |seed| pairs.push(call(seed, link.clone(), [a, b])));
            let possible = is_direct_possible([a, b]);
            let direct = pairs.iter().filter(|(_, relayed)| !relayed).count();
            assert!(possible || direct == 0, "{a:?} {b:?}: through both NATs?");
            missed += if possible { pairs.len() - direct } else { 0 };
            pairs.sort();
            pairs.dedup();
            let names: Vec<_> = pairs.into_iter().map(|(name, _)| name).collect();
            eprintln!(
                "| {:7} | {:7} | {} | {direct:3} of {seeds} | {} |",
                short(a),
                short(b),
                if possible { "direct" } else { "relay " },
                names.join(", ")
            );
        }
    }
    missed
}

#[test]
fn nat_matrix() {
    eprintln!("| A | B | expected | direct | pairs (mapping/filtering) |");
    let link = Link::new().delay(ms(20));
    assert_eq!(matrix(1, &link), 0);
    assert_eq!(matrix(1, &link.loss(0.1)), 0);
}

/// 100 seeds each, with a tenth of all datagrams lost: `cargo test --release -p peerconnection --test
/// servers -- --ignored --nocapture`.
#[test]
#[ignore = "8,100 calls: a minute when optimized"]
fn nat_matrix_with_loss() {
    eprintln!("| A | B | expected | direct | pairs (mapping/filtering) |");
    let missed = matrix(100, &Link::new().delay(ms(20)).loss(0.1));
    assert_eq!(missed, 0);
}
