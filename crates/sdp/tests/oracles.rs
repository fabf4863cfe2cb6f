//! The crates `sdp` and `webrtc-sdp` beside this one, on every capture, on generated descriptions
//! and on the corpus of the fuzz target `sdp_differential`.

use std::fs;
use std::path::Path;

use pc_sdp::SessionDescription;
use proptest::prelude::*;

mod differential;

const CORPUS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fuzz/corpus/sdp_differential"
);
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

fn files(folder: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(Path::new(folder)).unwrap();
    let files: Vec<_> = entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!files.is_empty());
    files
}

/// Both oracles take every capture and agree with us.
#[test]
fn captures_mean_the_same_to_all_three() {
    for file in files(CAPTURES) {
        differential::capture_agrees(std::str::from_utf8(&file).unwrap());
    }
}

#[test]
fn the_corpus_replays() {
    files(CORPUS)
        .iter()
        .for_each(|file| differential::check(file));
}

proptest! {
    #[test]
    fn what_is_well_formed_is_read_alike(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        differential::check(&bytes);
    }

    #[test]
    fn what_is_broken_is_read_by_nobody(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        differential::check_every_fault(&bytes);
    }
}

/// Types cost no memory traffic: a browser's offer is read with a fraction of the allocations that
/// either oracle makes.
#[test]
fn reading_an_offer_allocates_less_than_a_third_of_what_the_oracles_do() {
    use allocation_counter::measure;
    use std::io::Cursor;

    let text = include_str!("../testdata/chromium-audio-video-data.sdp");
    let ours = measure(|| drop(SessionDescription::parse(text)));
    let sdp = measure(|| drop(sdp::SessionDescription::unmarshal(&mut Cursor::new(text))));
    let webrtc_sdp = measure(|| drop(webrtc_sdp::parse_sdp(text, false)));
    let (ours, sdp, webrtc_sdp) = (ours.count_total, sdp.count_total, webrtc_sdp.count_total);
    assert!(3 * ours < sdp, "{ours} against {sdp}");
    assert!(3 * ours < webrtc_sdp, "{ours} against {webrtc_sdp}");
}
