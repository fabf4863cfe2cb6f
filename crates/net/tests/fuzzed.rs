//! Replays what the fuzz targets `tcp_framing` and `mdns` have collected.

#[path = "fuzzed/mdns.rs"]
mod mdns;
#[path = "fuzzed/tcp_framing.rs"]
mod tcp_framing;

use std::{fs, path::Path};

fn replay(target: &str, run: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut files = 0;
    for entry in fs::read_dir(corpus.join(target)).expect("the corpus is part of the repository") {
        run(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn streams_are_read_the_same_in_whatever_pieces() {
    replay("tcp_framing", tcp_framing::run);
}

#[test]
fn messages_change_only_what_was_asked_for() {
    replay("mdns", mdns::run);
}
