//! `chat` as its users run it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

fn chat(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// A running chat whose output is read line by line.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = chat(arguments).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that contains `part`.
    fn wait_for(&mut self, part: &str) -> String {
        let mut before = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.contains(part) {
                return line;
            }
            before.push(line);
        }
        panic!("{part:?} never came; what came was {before:#?}");
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
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
    let output = chat(&["--self-test", "--messages", "200"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for part in [
        "open after",
        "200 messages",
        "MB/s",
        "host udp",
        "DTLS",
        "rejected",
        "OK",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn a_self_test_that_fails_says_so() {
    // There is no such address on any machine: RFC 5737.
    let arguments = ["--self-test", "--address", "192.0.2.1", "--seconds", "2"];
    let output = chat(&arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILED"), "{text}");
}

#[test]
fn two_programs_chat_and_either_starts() {
    let mut host = Running::start(&["--port", "0"]);
    let line = host.wait_for("Open http://");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap()
        .to_owned();

    let mut guest = Running::start(&["--connect", &url]);
    host.wait_for("Somebody has come");
    guest.type_line("hello, host");
    host.wait_for("< hello, host");
    host.type_line("hello, guest");
    guest.wait_for("< hello, guest");

    guest.type_line("/close");
    host.wait_for("The chat is over");
    host.type_line("once more");
    guest.wait_for("< once more");

    // Another guest takes over, and a chat begins with it as with the first.
    let mut second = Running::start(&["--connect", &url]);
    guest.wait_for("The other side has left");
    host.wait_for("Somebody else has come");
    second.type_line("I am new");
    host.wait_for("< I am new");
    second.type_line("/quit");
    host.wait_for("The other side has left");
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = chat(&["--port", &port])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("--port"), "{text}");
}
