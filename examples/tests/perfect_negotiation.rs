//! `perfect_negotiation` as its users run it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfect_negotiation"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A program whose output is read line by line.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that contains `part`; none before it may tell of an error.
    fn wait_for(&mut self, part: &str) -> String {
        let mut before = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.contains(part) {
                return line;
            }
            assert!(!line.starts_with('!'), "{line}");
            before.push(line);
        }
        panic!("{part:?} never came; what came was {before:#?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_self_test_passes_and_says_how_it_went() {
    for seed in ["1", "2", "3"] {
        let output = program(&["--self-test", "--rounds", "20", "--seed", seed])
            .output()
            .unwrap();
        let text = text_of(&output);
        assert!(output.status.success(), "{text}");
        for part in ["20 rounds", "collisions", "rollbacks", "recycled", "OK"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.contains(&format!("--seed {seed}")), "{text}");
        let collisions = text.lines().find(|line| line.contains("collisions"));
        let number = collisions.unwrap().split_whitespace().nth(1).unwrap();
        assert!(number.parse::<u64>().unwrap() > 0, "{text}");
    }
}

#[test]
fn a_self_test_that_fails_says_so_and_how_to_repeat_it() {
    // There is no such address on any machine: RFC 5737.
    let arguments = [
        "--self-test",
        "--address",
        "192.0.2.1",
        "--seconds",
        "2",
        "--seed",
        "5",
    ];
    let output = program(&arguments).output().unwrap();
    let text = text_of(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("FAILED") && text.contains("--seed 5"),
        "{text}"
    );
}

#[test]
fn two_programs_collide_and_go_on() {
    let busy = ["--random", "50"];
    let mut host = Running::start(&[&busy[..], &["--port", "0"]].concat());
    let line = host.wait_for("Open http://");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap()
        .to_owned();

    let mut guest = Running::start(&[&busy[..], &["--connect", &url]].concat());
    host.wait_for("we give way");
    guest.wait_for("theirs is ignored");
    // Another one takes over, and the first one is let go.
    let mut second = Running::start(&[&busy[..], &["--connect", &url]].concat());
    host.wait_for("takes over");
    guest.wait_for("has left");
    host.wait_for("we give way");
    second.wait_for("theirs is ignored");
    drop(second);
    host.wait_for("has left");
}
