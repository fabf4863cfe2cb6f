//! `simulcast` as its users run it.

use std::process::Command;

#[test]
fn the_self_test_goes_through_all_layers() {
    let output = Command::new(env!("CARGO_BIN_EXE_simulcast"))
        .args(["--self-test", "--address", "127.0.0.1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("ok: two viewers"), "{text}");
}
