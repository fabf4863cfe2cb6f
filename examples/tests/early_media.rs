//! `early_media` as its users run it.

mod common;

#[test]
fn the_self_test_hears_tracks_that_were_taken_early() {
    let program = env!("CARGO_BIN_EXE_early_media");
    common::self_test(program, &["ok: tracks of receivers"]);
}
