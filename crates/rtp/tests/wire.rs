//! Replays what the fuzz target `rtp_wire` has collected.

#[path = "wire/mod.rs"]
mod wire;

use std::{fs, path::Path};

#[test]
fn the_corpus_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rtp_wire");
    let mut files = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        wire::run(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}
