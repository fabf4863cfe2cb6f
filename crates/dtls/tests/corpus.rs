//! Replays the corpus of the fuzz target `dtls_datagrams`.

mod operations;

use std::{fs, path::Path};

const CORPUS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fuzz/corpus/dtls_datagrams"
);

#[test]
fn the_corpus_breaks_no_promise() {
    let mut replayed = 0;
    for file in fs::read_dir(CORPUS).unwrap() {
        let path = file.unwrap().path();
        operations::run(&fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(
        replayed >= 10,
        "{replayed} files in {}",
        Path::new(CORPUS).display()
    );
}

/// A second corpus of sorts: every operation in turn on every setup.
#[test]
fn operations_by_rote() {
    for setup in 0..128u8 {
        for seed in 0..5u32 {
            let mut bytes = vec![setup];
            let mut state = seed.wrapping_mul(2_654_435_761) + 1;
            for _ in 0..200 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push((state >> 24) as u8);
            }
            operations::run(&bytes);
        }
    }
}
