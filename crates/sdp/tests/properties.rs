//! Any bytes, any mixture of captured lines, and the corpus of the fuzz target `sdp`.

use std::fs;
use std::path::Path;

use pc_sdp::{Attribute, SessionDescription};
use proptest::prelude::*;

mod round_trip;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/sdp");
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

fn files(folder: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(Path::new(folder)).unwrap();
    let files: Vec<_> = entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn the_corpus_replays() {
    for file in files(CORPUS).iter().chain(&files(CAPTURES)) {
        round_trip::check(file);
    }
}

/// Every capture cut anywhere, and with any one byte changed, keeps the promises.
#[test]
fn damaged_captures_keep_the_promises() {
    for file in files(CAPTURES).iter().filter(|file| file.len() < 900) {
        for at in 0..file.len() {
            round_trip::check(&file[..at]);
            for byte in [b'\n', b'\r', b' ', b':', b'/', b'0', 0, 0xFF] {
                let mut damaged = file.clone();
                damaged[at] = byte;
                round_trip::check(&damaged);
            }
        }
    }
}

/// Lines of all captures, each once.
fn captured_lines() -> Vec<String> {
    let mut lines: Vec<String> = files(CAPTURES)
        .iter()
        .flat_map(|file| std::str::from_utf8(file).unwrap().lines())
        .filter(|line| line.starts_with(['a', 'm', 'c']))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Attribute values in and just outside the grammars.
fn attribute() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        "group mid ice-ufrag ice-pwd ice-options ice-pacing candidate remote-candidates \
         fingerprint setup tls-id crypto sctp-port max-message-size sctp-init sctpmap rtpmap fmtp \
         extmap rtcp-fb rtcp rtcp-xr msid msid-semantic ssrc ssrc-group rid simulcast ptime \
         framerate sendrecv ice-lite unknown"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    let word = prop_oneof![
        Just("send"),
        Just("recv"),
        Just("typ"),
        Just("host"),
        Just("IN"),
        Just("IP4"),
        Just("UDP"),
        Just("0"),
        Just("1"),
        Just("96"),
        Just("65536"),
        Just("::1"),
        Just("127.0.0.1"),
        Just("VP8/90000"),
        Just("a;~b,c"),
        Just("sha-256"),
        Just("0A:0b"),
        Just("x=1;y"),
        Just("cname:a"),
        Just("active"),
        Just("*"),
        Just("1/sendonly"),
        Just("AQAA"),
        Just("raddr"),
        Just("é"),
        Just("007"),
    ];
    let separator = prop_oneof![4 => Just(" "), 1 => Just("  "), 1 => Just("\t"), 1 => Just("")];
    let value = prop::collection::vec((separator, word), 0..12);
    (name, value).prop_map(|(name, value)| {
        let value: String = value.into_iter().flat_map(|(a, b)| [a, b]).collect();
        format!("a={name}:{value}")
    })
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        round_trip::check(&bytes);
    }

    #[test]
    fn any_text_below_a_valid_head(text in "([abcikmtv]=\\PC{0,30}\r?\n){0,12}") {
        round_trip::check(format!("v=0\no=- 1 2 IN IP4 a\ns=-\nt=0 0\n{text}").as_bytes());
    }

    #[test]
    fn any_mixture_of_captured_lines(
        lines in prop::collection::vec(prop::sample::select(captured_lines()), 0..60)
    ) {
        let text = format!("v=0\no=- 1 2 IN IP4 a\ns=-\nt=0 0\n{}", lines.join("\n"));
        round_trip::check(text.as_bytes());
        let is_attribute = |line: &&String| line.starts_with("a=");
        let attributes = lines.iter().filter(is_attribute).count();
        if let Ok(session) = SessionDescription::parse(&text) {
            let sections = session.media.iter().map(|media| &media.lines);
            let found: usize = sections.chain([&session.lines]).map(|l| l.attributes().count()).sum();
            prop_assert_eq!(found, attributes);
        }
    }

    #[test]
    fn any_attribute(lines in prop::collection::vec(attribute(), 1..4)) {
        for line in &lines {
            round_trip::check(line.as_bytes());
            if line.parse::<Attribute>().is_ok() {
                let text = format!("v=0\no=- 1 2 IN IP4 a\ns=-\nt=0 0\n{line}\n");
                prop_assert!(SessionDescription::parse(&text).is_ok(), "{}", text);
                round_trip::check(text.as_bytes());
            }
        }
    }
}
