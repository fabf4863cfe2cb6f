//! Replays the corpus of the fuzz target `dcep`.

use pc_datachannel::Dcep;

#[test]
fn the_corpus_is_read_and_written_alike() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/dcep");
    let mut read = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        if let Ok(message) = Dcep::parse(&bytes) {
            let written = message.to_vec().unwrap();
            assert_eq!(Dcep::parse(&written), Ok(message));
            read += 1;
        }
    }
    assert!(read > 0, "no corpus");
}
