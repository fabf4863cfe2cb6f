//! Replays the corpus of the fuzz target `dependency_descriptor`.

#[path = "dependency/mod.rs"]
mod dependency;

#[test]
fn the_corpus_is_survived() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/dependency_descriptor"
    );
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus is part of the repository") {
        dependency::run(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 4, "{count} files");
}
