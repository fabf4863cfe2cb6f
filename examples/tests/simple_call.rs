//! `simple_call` as its users run it.

mod common;

#[test]
fn the_self_test_hears_and_sees_both_sides() {
    let program = env!("CARGO_BIN_EXE_simple_call");
    common::self_test(program, &["ok: both sides hear 440 Hz"]);
}
