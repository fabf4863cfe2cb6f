//! Replays the corpus of the fuzz target `turn_client`, and operations drawn at random.

#[path = "../../../fuzz/fuzz_targets/turn_client/model.rs"]
mod model;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/turn_client");
    let files = std::fs::read_dir(corpus).expect("the corpus");
    let mut count = 0;
    for file in files {
        let path = file.expect("an entry").path();
        let data = std::fs::read(&path).expect("a file of the corpus");
        eprintln!("{}", path.display());
        model::run(&data);
        count += 1;
    }
    assert!(count >= 50, "{count} files");
}

#[test]
fn random_operations_hold() {
    use rand_chacha::{
        ChaCha12Rng,
        rand_core::{Rng, SeedableRng},
    };
    for seed in 0..300 {
        eprintln!("seed {seed}");
        let mut data = vec![0; 400];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut data);
        model::run(&data);
    }
}
