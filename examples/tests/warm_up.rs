//! `warm_up` as its users run it.

mod common;

#[test]
fn the_self_test_begins_without_an_exchange() {
    let program = env!("CARGO_BIN_EXE_warm_up");
    common::self_test(program, &["ok: media began without an exchange"]);
}
