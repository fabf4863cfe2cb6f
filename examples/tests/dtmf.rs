//! `dtmf` as its users run it.

use std::process::Command;

#[test]
fn the_self_test_hears_all_five_variants() {
    let output = Command::new(env!("CARGO_BIN_EXE_dtmf"))
        .args(["--self-test", "--address", "127.0.0.1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{errors}");
    for part in [
        "tones: 1 500 ms, 2 500 ms, 3 500 ms, 4 500 ms",
        "abort: 1 100 ms, 2 100 ms",
        "durations: 1 1000 ms, 2 2000 ms",
        "ok: all five variants were heard",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
