//! Replays the corpus of the fuzz target `forward_operations`, and operations drawn at random.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../../../fuzz/fuzz_targets/forward_operations/model.rs"]
mod model;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/forward_operations"
    );
    let mut count = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is part of the repository") {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        model::run(&std::fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 4, "{count} files");
}

#[test]
fn random_operations_hold() {
    use rand_chacha::{
        ChaCha12Rng,
        rand_core::{Rng, SeedableRng},
    };
    for seed in 0..1000 {
        eprintln!("seed {seed}");
        let mut data = vec![0; 1000];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut data);
        // Mostly packets, and each codec as often.
        data[0] = seed as u8;
        model::run(&data);
    }
}
