//! Replays the corpus of the fuzz target `rtp_session`, and operations drawn at random.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../../../fuzz/fuzz_targets/rtp_session/model.rs"]
mod model;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/rtp_session");
    let mut count = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        model::run(&std::fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 5, "{count} files");
}

#[test]
fn random_operations_hold() {
    use rand_chacha::{
        ChaCha12Rng,
        rand_core::{Rng, SeedableRng},
    };
    for seed in 0..200 {
        eprintln!("seed {seed}");
        let mut data = vec![0; 1000];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut data);
        model::run(&data);
    }
}
