//! Replays what the fuzz target `srtp` has collected.

#[path = "operations/mod.rs"]
mod operations;

use std::{fs, path::Path};

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/srtp");
    let mut files = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        operations::run(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}
