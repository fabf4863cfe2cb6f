//! Replays the corpus of the fuzz target `rtp_payloads`.
#![allow(unreachable_pub)]

mod payloads;

#[test]
fn the_corpus_is_survived() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/rtp_payloads"
    );
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        payloads::run(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "no corpus");
}
