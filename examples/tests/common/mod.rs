//! Programs as their users run them.

use std::process::Command;

/// Runs `program` against itself, and requires success and each of `parts` in what it prints.
#[track_caller]
pub(crate) fn self_test(program: &str, parts: &[&str]) {
    let output = Command::new(program)
        .args(["--self-test", "--address", "127.0.0.1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{errors}");
    for part in parts {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
