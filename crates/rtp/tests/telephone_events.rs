//! Replays the corpus of the fuzz target `telephone_event`.
#![allow(unreachable_pub)]

#[path = "telephone_events/mod.rs"]
mod telephone_events;

#[test]
fn the_corpus_is_survived() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/telephone_event"
    );
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        telephone_events::run(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "no corpus");
}

proptest::proptest! {
    /// The same without a corpus.
    #[test]
    fn any_operations_are_survived(data in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        telephone_events::run(&data);
    }
}
