//! What a peer may write to hurt us.

use std::fmt::Write;

use super::*;

fn error(lines: &str) -> ErrorKind {
    read_codecs(&section(lines)).unwrap_err().kind
}

#[test]
fn payload_types_that_look_like_rtcp_are_refused_on_a_shared_port() {
    for number in [64, 72, 95] {
        let head = format!("m=video 9 UDP/TLS/RTP/SAVPF {number}\r\n");
        let map = format!("a=rtpmap:{number} VP8/90000\r\n");
        assert_eq!(
            error(&format!("{head}a=rtcp-mux\r\n{map}")),
            ErrorKind::InvalidAccess
        );
        let apart = read_codecs(&section(&format!("{head}{map}"))).unwrap();
        assert_eq!(numbers(&apart), [number]);
        // The next offer, which will share the port, has another number for it.
        let offered = numbers(&offer(None, &apart));
        assert!(!offered.contains(&number) && offered.contains(&96));
    }
}

#[test]
fn one_number_means_one_codec() {
    const HEAD: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 96\r\na=rtpmap:96 VP8/90000\r\n";
    assert_eq!(numbers(&read_codecs(&section(HEAD)).unwrap()), [96]);
    let again = format!("{HEAD}a=rtpmap:96 vp8/90000\r\n");
    assert_eq!(read_codecs(&section(&again)).unwrap().len(), 1);
    for other in ["VP9/90000", "VP8/8000", "VP8/0"] {
        let lines = format!("{HEAD}a=rtpmap:96 {other}\r\n");
        assert_eq!(error(&lines), ErrorKind::InvalidAccess, "{other}");
    }
    let unlisted = format!("{HEAD}a=rtpmap:97 VP8/90000\r\na=rtpmap:97 VP9/90000\r\n");
    assert_eq!(read_codecs(&section(&unlisted)).unwrap().len(), 1);
}

#[test]
fn what_has_no_meaning_is_passed_over() {
    let long = "X".repeat(128);
    for map in [
        "VP8/0".to_owned(),
        "opus/48000/0".to_owned(),
        "opus/48000/two".to_owned(),
        "opus/48000/65536".to_owned(),
        format!("{long}/90000"),
    ] {
        let codecs = audio("96 0", &format!("a=rtpmap:96 {map}\r\n"));
        assert_eq!(numbers(&codecs), [0], "{map}");
    }
    assert_eq!(numbers(&video("96 97", "")), [0; 0]);
}

#[test]
fn ten_thousand_parameters_are_read_and_matched() {
    let mut line = String::from("a=rtpmap:96 H264/90000\r\na=fmtp:96 ");
    for index in 0..10_000 {
        write!(line, "x{index}={index};").unwrap();
    }
    line.push_str("profile-level-id=42e01f;packetization-mode=1\r\n");
    let offered = video("96", &line);
    let parameters = offered[0].codec.sdp_fmtp_line.as_deref().unwrap();
    assert_eq!(parameters.split(';').count(), 10_002);
    let answer = answer_to(&offered, &MediaKind::Video);
    assert_eq!(
        listed(&answer),
        ["96 H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"]
    );
    assert_eq!(sendable(&answer, &offered)[0].codec, offered[0].codec);
}

#[test]
fn ten_thousand_lines_for_one_format_are_one() {
    let mut lines = String::from("a=rtpmap:96 VP9/90000\r\n");
    for index in 0..10_000 {
        write!(lines, "a=fmtp:96 x{index}=1\r\n").unwrap();
    }
    lines.push_str("a=fmtp:96 profile-id=2\r\n");
    let offered = video("96", &lines);
    let answer = answer_to(&offered, &MediaKind::Video);
    assert_eq!(listed(&answer), ["96 VP9 profile-id=2"]);
}

#[test]
fn feedback_for_all_formats_is_bounded() {
    let mut lines = String::from("a=rtcp-fb:* nack\r\na=rtcp-fb:96 nack\r\n");
    writeln!(lines, "a=rtcp-fb:* {}\r", "x".repeat(100_000)).unwrap();
    for index in 0..1_000 {
        write!(lines, "a=rtcp-fb:* x{index}\r\n").unwrap();
    }
    let mut formats = String::new();
    for number in (96..=127).chain(35..=63) {
        write!(formats, " {number}").unwrap();
        write!(lines, "a=rtpmap:{number} X{number}/90000\r\n").unwrap();
    }
    let codecs = video(formats.trim(), &lines);
    assert_eq!(codecs.len(), 61);
    for codec in &codecs {
        assert_eq!(codec.feedback.len(), 16);
        assert_eq!(codec.feedback[0], Feedback::Nack);
        let longest = codec.feedback.iter().map(|own| own.as_str().len()).max();
        assert!(longest.unwrap() <= 32);
    }
}

#[test]
fn circles_and_chains_of_references_end() {
    let mut lines = String::new();
    for (number, name, line) in [
        (96, "rtx", "apt=97"),
        (97, "rtx", "apt=96"),
        (98, "red", "99/99"),
        (99, "red", "98/98"),
        (100, "red", "96/96"),
        (101, "rtx", "apt=100"),
    ] {
        write!(lines, "a=rtpmap:{number} {name}/90000\r\n").unwrap();
        write!(lines, "a=fmtp:{number} {line}\r\n").unwrap();
    }
    let offered = video("96 97 98 99 100 101", &lines);
    assert_eq!(offered.len(), 6);
    assert!(sendable(&offered, &offered).is_empty());
    assert!(answer_to(&offered, &MediaKind::Video).is_empty());
    let chain = video(
        "96 97 98",
        "a=rtpmap:96 VP8/90000\r\n\
         a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
         a=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n",
    );
    assert_eq!(numbers(&sendable(&chain, &chain)), [96, 97]);
    let blocks = vec!["96"; 100_000].join("/");
    let lines =
        format!("a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 red/48000/2\r\na=fmtp:97 {blocks}");
    let offered = audio("96 97", &format!("{lines}\r\n"));
    assert_eq!(numbers(&answer_to(&offered, &MediaKind::Audio)), [96]);
}
