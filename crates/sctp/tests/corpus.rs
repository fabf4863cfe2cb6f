//! Replays the corpus of the fuzz target `sctp_datagrams`.
#![allow(unreachable_pub)]

mod datagrams;

#[test]
fn the_corpus_is_survived() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/sctp_datagrams"
    );
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let script = std::fs::read(entry.unwrap().path()).unwrap();
        datagrams::run(pc_simnet::epoch(), &script);
        count += 1;
    }
    assert!(count > 0, "no corpus");
}
