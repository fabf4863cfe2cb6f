//! Replays the corpora of the fuzz targets.

use std::{fs, path::PathBuf};

#[path = "../../../../fuzz/fuzz_targets/jsep_descriptions/model.rs"]
mod descriptions;

use crate::model::negotiation;

fn replay(target: &str, run: impl Fn(&[u8])) {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut count = 0;
    for file in fs::read_dir(corpus.join(target)).unwrap() {
        let path = file.unwrap().path();
        eprintln!("{}", path.display());
        run(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{count} files");
}

#[test]
fn the_corpus_of_operations_holds() {
    replay("jsep_operations", negotiation::run);
}

#[test]
fn the_corpus_of_descriptions_holds() {
    replay("jsep_descriptions", descriptions::run);
}
