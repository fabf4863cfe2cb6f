//! Sessions under glare: the corpus of the fuzz target `jsep_operations`, and operations drawn at
//! random. `SIM_SEED=…` replays one seed, `SIM_SEEDS=…` runs that many.

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

#[path = "../../../../fuzz/fuzz_targets/jsep_operations/model.rs"]
pub(crate) mod negotiation;

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

/// Seeds beyond those of every run that have found something.
const FOUND: [u64; 3] = [1440, 4600, 9472];

#[test]
fn two_sessions_agree_whatever_was_done() {
    let (seeds, found) = match number("SIM_SEED") {
        Some(seed) => (seed..seed + 1, &[][..]),
        None => (0..number("SIM_SEEDS").unwrap_or(300), &FOUND[..]),
    };
    for seed in seeds.chain(found.iter().copied()) {
        eprintln!("SIM_SEED={seed}");
        let mut data = vec![0; 300];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut data);
        negotiation::run(&data);
    }
}
