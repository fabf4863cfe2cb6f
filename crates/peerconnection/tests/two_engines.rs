//! Replays the corpus of the fuzz target `two_engines`, and operations drawn at random.

#[path = "../../../fuzz/fuzz_targets/two_engines/model.rs"]
mod model;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/two_engines");
    let files = std::fs::read_dir(corpus).expect("the corpus");
    let mut count = 0;
    for file in files {
        let path = file.expect("an entry").path();
        let data = std::fs::read(&path).expect("a file of the corpus");
        eprintln!("{}", path.display());
        model::run(&data);
        count += 1;
    }
    assert!(count >= 10, "{count} files");
}

#[test]
fn random_operations_hold() {
    use rand_chacha::{
        ChaCha12Rng,
        rand_core::{Rng, SeedableRng},
    };
    for seed in 0..50 {
        eprintln!("seed {seed}");
        let mut data = vec![0; 120];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut data);
        model::run(&data);
    }
}
