//! Two `peer` processes against each other: lines and exit codes are the contract.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use examples::mailbox::Mailbox;
use serde_json::{Value, json};

const COMMON: [&str; 2] = ["--loopback", "--json"];

/// A peer whose lines are read as they come.
struct Running {
    child: Child,
    stdout: std::io::Lines<BufReader<ChildStdout>>,
    lines: Vec<Value>,
}

impl Running {
    fn start(arguments: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_peer"))
            .args(COMMON)
            .args(arguments.split(' '))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdout,
            lines: Vec::new(),
        }
    }

    fn next_line(&mut self) -> Option<Value> {
        let line = self.stdout.next()?.unwrap();
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["ms"].is_u64() && line["event"].is_string(), "{line}");
        self.lines.push(line.clone());
        Some(line)
    }

    /// Every line and the exit code.
    fn end(mut self) -> Ended {
        while self.next_line().is_some() {}
        let code = self.child.wait().unwrap().code();
        Ended {
            lines: std::mem::take(&mut self.lines),
            code,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Ended {
    lines: Vec<Value>,
    code: Option<i32>,
}

impl Ended {
    fn all(&self, event: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["event"] == event)
            .collect()
    }

    fn one(&self, event: &str) -> &Value {
        let all = self.all(event);
        assert_eq!(all.len(), 1, "{event} in {self:#?}");
        all[0]
    }

    /// The end says so, and nothing went wrong before.
    fn assert_ok(&self) {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert!(self.all("error").is_empty(), "{self:#?}");
        let last = self.lines.last().unwrap();
        assert_eq!(
            (&last["event"], &last["result"]),
            (&json!("end"), &json!("ok"))
        );
    }
}

/// Runs an offerer that serves the mailbox, and an answerer.
fn run(offerer: &str, answerer: &str) -> (Ended, Ended) {
    let mut a = Running::start(&format!(
        "--serve-signal 0 --name a --remote b --offer {offerer}"
    ));
    let url = a.next_line().unwrap()["url"].as_str().unwrap().to_owned();
    let b = Running::start(&format!(
        "--signal {url} --name b --remote a --answer {answerer}"
    ));
    (a.end(), b.end())
}

#[test]
fn forty_messages_are_echoed_and_the_connection_closed() {
    let (a, b) = run("--data chat --count 40 --close connection", "--echo");
    a.assert_ok();
    b.assert_ok();

    let open = a.one("open");
    assert_eq!(open["label"], "chat");
    assert_eq!(open["origin"], "created");
    assert_eq!(open["maxRetransmits"], Value::Null);
    assert_eq!(b.one("open")["origin"], "accepted");
    assert_eq!(b.one("open")["id"], open["id"]);
    assert_eq!(b.one("datachannel")["label"], "chat");
    assert!(
        a.all("state")
            .iter()
            .any(|line| line["connection"] == "connected")
    );
    a.one("done");
    b.one("close");

    let ten_of_each =
        json!({"text": 10, "binary": 10, "emptyText": 10, "emptyBinary": 10, "bytes": 20_000});
    for ended in [&a, &b] {
        assert_eq!(ended.one("end")["sent"], ten_of_each);
        assert_eq!(ended.one("end")["received"], ten_of_each);
    }
}

#[test]
fn a_closed_channel_is_seen_while_the_connection_is_up() {
    let (a, b) = run(
        "--data big --count 2 --size 262144 --close channel",
        "--echo",
    );
    a.assert_ok();
    b.assert_ok();
    assert_eq!(a.one("close")["connection"], "connected");
    assert_eq!(b.one("close")["connection"], "connected");
    assert_eq!(b.one("end")["received"]["bytes"], 2 * 262_144);
}

#[test]
fn both_sides_may_create_channels_of_their_own() {
    let ours = "--data ours --unordered --max-retransmits 3 --protocol p --channels 2 --count 8";
    let (a, b) = run(
        &format!("{ours} --echo --close connection"),
        "--data theirs --max-packet-life-time 500 --channels 2 --echo",
    );
    a.assert_ok();
    b.assert_ok();
    let seen = b.one("datachannel");
    assert_eq!(
        (&seen["label"], &seen["ordered"]),
        (&json!("ours"), &json!(false))
    );
    assert_eq!(
        (&seen["maxRetransmits"], &seen["protocol"]),
        (&json!(3), &json!("p"))
    );
    assert_eq!(seen["maxPacketLifeTime"], Value::Null);
    assert_eq!(a.one("datachannel")["maxPacketLifeTime"], 500);
    assert_eq!(a.one("end")["sent"]["text"], 2);
    assert_eq!(b.one("end")["sent"], a.one("end")["sent"]);
}

/// In the debug profile of `cargo test` a picture may take its time: what is asked is that it comes.
#[test]
fn sound_and_pictures_are_echoed_measured_and_recorded() {
    let folder = std::env::temp_dir().join(format!("peer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [sound, picture] = ["it.ogg", "it.ivf"].map(|name| folder.join(name).display().to_string());
    let (a, b) = run(
        "--audio --video --codec opus --codec VP8 --media-seconds 3 --close connection",
        &format!("--echo --media-seconds 2 --record {sound} --record {picture}"),
    );
    a.assert_ok();
    b.assert_ok();
    for ended in [&a, &b] {
        let all = ended.all("media");
        let [audio, video] = all.as_slice() else {
            panic!("{ended:#?}")
        };
        assert_eq!(audio["codec"], "audio/opus");
        assert_eq!(video["codec"], "video/VP8");
        assert!(audio["samples"].as_u64().unwrap() > 48_000, "{audio}");
        let tone = audio["tone"].as_f64().unwrap();
        assert!((tone - 440.0).abs() < 3.0, "{audio}");
        assert!(video["clocks"].as_u64().unwrap() > 5, "{video}");
        assert!(video["clock"].as_u64().unwrap() > 500, "{video}");
        assert_eq!(
            (&video["width"], &video["height"]),
            (&json!(480), &json!(270))
        );
    }
    assert_eq!(b.all("recorded").len(), 2, "{b:#?}");
    let begin = |path: &str| std::fs::read(path).unwrap()[..4].to_vec();
    assert_eq!(
        (begin(&sound).as_slice(), begin(&picture).as_slice()),
        (&b"OggS"[..], &b"DKIF"[..])
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_codec_that_nobody_has_is_named() {
    let ended =
        Running::start("--serve-signal 0 --name a --remote b --offer --audio --codec mp3").end();
    assert_eq!(ended.code, Some(1));
    let what = ended.one("error")["what"].as_str().unwrap();
    assert!(
        what.contains("no codec is called mp3; there are opus"),
        "{what}"
    );
}

#[test]
fn a_negotiated_channel_is_announced_by_nobody() {
    let (a, b) = run(
        "--data n --negotiated 7 --count 4 --close channel",
        "--data n --negotiated 7 --echo",
    );
    a.assert_ok();
    b.assert_ok();
    assert_eq!(a.one("open")["id"], 7);
    assert_eq!(b.one("open")["negotiated"], true);
    assert!(a.all("datachannel").is_empty() && b.all("datachannel").is_empty());
}

/// Stands between the mailboxes of an offerer and an answerer and changes every fingerprint of the
/// description that goes to `victim`.
fn tamper(url: &str, victim: &str) {
    let relay = async {
        let from_a = Mailbox::new(url, "to-b", "b").unwrap();
        let from_b = Mailbox::new(url, "to-a", "a").unwrap();
        for (relay, to) in [(from_a, "b"), (from_b, "a")] {
            let mut description = relay.recv().await.unwrap();
            if to == victim {
                let is_fingerprint = |line: &&str| line.starts_with("a=fingerprint:");
                let line = description
                    .sdp
                    .lines()
                    .find(is_fingerprint)
                    .unwrap()
                    .to_owned();
                let digit = if line.ends_with('0') { '1' } else { '0' };
                let wrong = format!("{}{digit}", &line[..line.len() - 1]);
                description.sdp = description.sdp.replace(&line, &wrong);
            }
            relay.send(&description).await.unwrap();
        }
    };
    tokio::runtime::Runtime::new().unwrap().block_on(relay);
}

#[test]
fn a_wrong_fingerprint_is_refused() {
    for victim in ["a", "b"] {
        let offer = "--serve-signal 0 --name a --remote to-b --offer --data x --seconds 4";
        let mut a = Running::start(offer);
        let url = a.next_line().unwrap()["url"].as_str().unwrap().to_owned();
        let answer = format!("--signal {url} --name b --remote to-a --answer --seconds 4");
        let b = Running::start(&answer);
        tamper(&url, victim);
        let (a, b) = (a.end(), b.end());
        for ended in [&a, &b] {
            assert!(ended.all("open").is_empty(), "{victim}: {ended:#?}");
            assert!(
                ended.all("end")[0]["result"] != "ok",
                "{victim}: {ended:#?}"
            );
        }
        let victim_ended = if victim == "a" { &a } else { &b };
        assert_eq!(victim_ended.code, Some(3), "{victim}: {victim_ended:#?}");
        let connected = |line: &&Value| line["connection"] == "connected";
        assert!(
            !victim_ended.lines.iter().any(|line| connected(&line)),
            "{victim_ended:#?}"
        );
    }
}

#[test]
fn a_peer_that_nobody_answers_gives_up() {
    let a = Running::start("--serve-signal 0 --name a --remote b --offer --data x --seconds 1");
    let ended = a.end();
    assert_eq!(ended.code, Some(4));
    assert_eq!(ended.one("end")["result"], "timeout");
}

#[test]
fn wrong_flags_print_no_line() {
    let ended = Running::start("--serve-signal 0 --name a --remote b").end();
    assert_eq!(ended.code, Some(2));
    assert!(ended.lines.is_empty());
}
