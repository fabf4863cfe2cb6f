//! The W3C's [perfect negotiation] under glare: two whole engines, on which both applications do
//! what they like at random, end stable and agree.
//!
//! `SIM_SEED=…` replays one seed. `PERFECT_NEGOTIATION_SEEDS=…` is how many there are, of which every
//! twentieth has a network too; the others carry signaling alone, which is faster.
//!
//! [perfect negotiation]: https://www.w3.org/TR/webrtc/#perfect-negotiation-example

mod agreement;
mod application;
mod peer;
mod world;

use pc_simnet::{Seed, for_each_seed};

/// Every so many seeds the datagrams are carried too.
const WITH_NETWORK: u64 = 20;

fn run(count: u64) {
    let count = match std::env::var("PERFECT_NEGOTIATION_SEEDS") {
        Ok(number) => number.parse().expect("a number"),
        Err(_) => count,
    };
    for_each_seed(count, |seed| {
        world::World::new(seed, has_network(seed)).run();
    });
}

fn has_network(seed: Seed) -> bool {
    seed.0.is_multiple_of(WITH_NETWORK)
}

#[test]
fn whatever_both_do_they_agree() {
    run(400);
}

#[test]
#[ignore = "takes minutes; the same with fewer seeds always runs"]
fn whatever_both_do_they_agree_10_000_times() {
    run(10_000);
}
