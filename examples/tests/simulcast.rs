//! `simulcast` as its users run it.

mod common;

#[test]
fn the_self_test_goes_through_all_layers() {
    let program = env!("CARGO_BIN_EXE_simulcast");
    common::self_test(program, &["ok: two viewers"]);
}
