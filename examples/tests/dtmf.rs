//! `dtmf` as its users run it.

mod common;

#[test]
fn the_self_test_hears_all_five_variants() {
    let program = env!("CARGO_BIN_EXE_dtmf");
    common::self_test(
        program,
        &[
            "tones: 1 500 ms, 2 500 ms, 3 500 ms, 4 500 ms",
            "abort: 1 100 ms, 2 100 ms",
            "durations: 1 1000 ms, 2 2000 ms",
            "ok: all five variants were heard",
        ],
    );
}
