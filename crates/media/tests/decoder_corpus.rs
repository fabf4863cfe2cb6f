//! Replays the corpus of the fuzz target `media_decoders`.
#![allow(unreachable_pub)]
#![cfg(all(feature = "opus", feature = "vp8", feature = "vp9"))]

mod decoders;

#[test]
fn the_corpus_is_survived() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/media_decoders"
    );
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus") {
        let path = entry.expect("an entry").path();
        decoders::run(&std::fs::read(path).expect("a file"));
        count += 1;
    }
    assert!(count > 0, "no corpus");
}
