//! Replays what the fuzz target `srtp_differential` has collected, and some more.

#[path = "differential/mod.rs"]
mod differential;

use std::{fs, path::Path};

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/srtp_differential");
    let mut files = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        differential::run(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(150))]

    #[test]
    fn both_agree(data in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
        differential::run(&data);
    }
}
