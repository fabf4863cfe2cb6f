//! `a=rid` and `a=simulcast`, read and written (RFC 8851, RFC 8853).

use pc_sdp::{MediaDescription, SessionDescription};
use proptest::prelude::*;

use super::*;
use crate::encoding::simulcast::{RemoteRid, RidAlternatives};

/// A video section with these lines and the payload types 96 and 97.
fn section(lines: &[&str]) -> MediaDescription {
    let head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\n";
    let lines: String = lines.iter().map(|line| format!("a={line}\r\n")).collect();
    parse(&format!("{head}{lines}"))
}

fn parse(text: &str) -> MediaDescription {
    let mut sdp = SessionDescription::parse(text).unwrap();
    sdp.media.remove(0)
}

fn read(lines: &[&str]) -> Option<RemoteSimulcast> {
    read_simulcast(&section(lines)).unwrap()
}

/// `q,~h;f` for streams with their alternatives.
fn spell(streams: &[RidAlternatives]) -> String {
    let name = |own: &RemoteRid| format!("{}{}", if own.paused { "~" } else { "" }, own.id);
    let stream = |own: &RidAlternatives| own.iter().map(name).collect::<Vec<_>>().join(",");
    streams.iter().map(stream).collect::<Vec<_>>().join(";")
}

fn recv(lines: &[&str]) -> String {
    read(lines).map_or(String::new(), |own| spell(&own.recv))
}

/// The lines that `write` adds, without `a=`.
fn written(write: impl FnOnce(&mut MediaDescription)) -> Vec<String> {
    let mut media = section(&[]);
    let before = media.lines.iter().count();
    write(&mut media);
    let lines = media.attributes().skip(before);
    lines.map(|own| own.to_string()).collect()
}

#[test]
fn browsers_offer_three_streams() {
    let offers = [
        include_str!("../../../../sdp/testdata/chromium-simulcast-rids.sdp"),
        include_str!("../../../../sdp/testdata/firefox-simulcast-rids.sdp"),
    ];
    for offer in offers {
        let media = parse(offer);
        let offered = read_simulcast(&media).unwrap().unwrap();
        assert_eq!(spell(&offered.send), "q;h;f");
        assert_eq!(spell(&offered.recv), "");
        let answer = written(|media| write_answer_simulcast(None, &offered, true, media));
        let expected = [
            "rid:q recv",
            "rid:h recv",
            "rid:f recv",
            "simulcast:recv q;h;f",
        ];
        assert_eq!(answer, expected);
    }
}

#[test]
fn both_directions_with_alternatives_and_pauses() {
    let read = read(&[
        "rid:1 send",
        "rid:2 send",
        "rid:3 send",
        "rid:a-b_c recv",
        "rid:x recv",
        "simulcast:recv ~x;a-b_c send 1,~2;~3",
    ])
    .unwrap();
    assert_eq!(spell(&read.send), "1,~2;~3");
    assert_eq!(spell(&read.recv), "~x;a-b_c");
    assert_eq!(read.accepted_rids(), names(&["x", "a-b_c"]));
    assert_eq!(read.sent_rids(), names(&["1", "3"]));
}

#[test]
fn only_first_alternatives_count() {
    let lines = [
        "rid:1 recv",
        "rid:2 recv",
        "rid:3 recv",
        "simulcast:recv 1,2;~3",
    ];
    assert_eq!(read(&lines).unwrap().accepted_rids(), names(&["1", "3"]));
}

#[test]
fn no_simulcast_line_is_no_simulcast() {
    assert_eq!(read(&["rid:1 send"]), None);
    assert_eq!(read(&[]), None);
}

#[test]
fn a_rid_without_its_line_is_discarded() {
    assert_eq!(recv(&["rid:1 recv", "simulcast:recv 1;2"]), "1");
    assert_eq!(recv(&["rid:2 recv", "simulcast:recv 1,2;3"]), "2");
    assert_eq!(read(&["simulcast:recv 1;2"]), None);
}

#[test]
fn a_rid_of_the_other_direction_is_discarded() {
    assert_eq!(
        recv(&["rid:1 send", "rid:2 recv", "simulcast:recv 1;2"]),
        "2"
    );
}

#[test]
fn rids_defined_twice_are_discarded() {
    let lines = [
        "rid:1 recv",
        "rid:2 recv",
        "rid:1 recv",
        "rid:1 recv",
        "simulcast:recv 1;2",
    ];
    assert_eq!(recv(&lines), "2");
}

#[test]
fn of_a_rid_named_twice_the_first_counts() {
    let lines = ["rid:1 recv", "rid:2 recv", "simulcast:recv ~1;2,1;1"];
    assert_eq!(recv(&lines), "~1;2");
}

#[test]
fn a_rid_for_payload_types_that_are_not_there_is_discarded() {
    let lines = [
        "rid:1 recv pt=98,99",
        "rid:2 recv pt=98,97,97",
        "rid:3 recv pt=",
        "rid:4 recv pt=97;max-width=1280",
        "simulcast:recv 1;2;3;4",
    ];
    let read = read(&lines).unwrap();
    assert_eq!(spell(&read.recv), "2;4");
    let types: Vec<_> = read.recv[0][0]
        .payload_types
        .iter()
        .map(|own| own.value())
        .collect();
    assert_eq!(types, [97]);
    assert_eq!(read.recv[1][0].restrictions, "max-width=1280");
}

#[test]
fn restrictions_on_us_are_ones_we_know() {
    let with =
        |restrictions: &str| recv(&[&format!("rid:1 recv {restrictions}"), "simulcast:recv 1"]);
    for known in [
        "max-width=1",
        "max-height=720;max-fps=30",
        "max-fs=8160",
        "max-br=1000000",
        "max-pps=1",
        "max-bpp=0.25",
    ] {
        assert_eq!(with(known), "1", "{known}");
    }
    for unknown in [
        "depend=2",
        "max-fun=1",
        "max-width",
        "max-width=0",
        "max-width=-1",
        "max-fps=nan",
        "max-br=1e9",
        "max-width=1;x",
    ] {
        assert_eq!(with(unknown), "", "{unknown}");
    }
}

#[test]
fn streams_that_depend_on_others_are_discarded() {
    let lines = ["rid:1 send depend=2", "rid:2 send", "simulcast:send 1;2"];
    assert_eq!(spell(&read(&lines).unwrap().send), "2");
}

#[test]
fn a_rid_that_no_packet_can_carry_is_discarded() {
    for (length, kept) in [(255, true), (256, false)] {
        let long = "r".repeat(length);
        let rid = format!("rid:{long} recv");
        assert_eq!(
            recv(&[&rid, &format!("simulcast:recv {long}")]).is_empty(),
            !kept
        );
    }
}

#[test]
fn too_many_rids_are_an_error_that_names_the_number() {
    let lines: Vec<String> = (0..1_000).map(|own| format!("rid:{own} send")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let error = read_simulcast(&section(&lines));
    refused(
        error,
        ErrorKind::InvalidAccess,
        "section v has 1000 a=rid lines",
    );
    assert!(read_simulcast(&section(&lines[..64])).is_ok());
    refused(
        read_simulcast(&section(&lines[..65])),
        ErrorKind::InvalidAccess,
        "65 a=rid lines",
    );
}

#[test]
fn too_many_alternatives_are_an_error_that_names_the_number() {
    for separator in [",", ";"] {
        let line = format!("simulcast:send {}", ["1"; 10_000].join(separator));
        let error = read_simulcast(&section(&["rid:1 send", &line]));
        refused(error, ErrorKind::InvalidAccess, "10000 rids in a=simulcast");
    }
    let both = format!("simulcast:send {0} recv {0}", ["1"; 33].join(";"));
    refused(
        read_simulcast(&section(&[&both])),
        ErrorKind::InvalidAccess,
        "66 rids",
    );
    let line = format!("simulcast:send {}", ["1"; 64].join(";"));
    assert_eq!(spell(&read(&["rid:1 send", &line]).unwrap().send), "1");
}

#[test]
fn an_offer_names_every_encoding_in_order() {
    let mut sender = simulcast(&["q", "h", "f"]);
    let expected = [
        "rid:q send",
        "rid:h send",
        "rid:f send",
        "simulcast:send q;h;f",
    ];
    assert_eq!(
        written(|media| write_offer_simulcast(Some(&sender), &[], media)),
        expected
    );
    let mut new = parameters(&mut sender, "1");
    new.encodings[0].active = false;
    sender.set_parameters(new, &[], can).unwrap();
    assert_eq!(
        written(|media| write_offer_simulcast(Some(&sender), &[], media)),
        expected
    );
}

#[test]
fn an_offer_of_one_stream_says_nothing() {
    let mut sender = simulcast(&["q", "h"]);
    sender.narrow(&names(&["h"]));
    let without = video(vec![EncodingParameters::default(); 2]).unwrap();
    for own in [sender, SendEncodings::single(MediaKind::Video), without] {
        assert!(written(|media| write_offer_simulcast(Some(&own), &[], media)).is_empty());
    }
}

#[test]
fn an_answer_keeps_the_offers_order_and_our_rids() {
    let lines = [
        "rid:1 recv",
        "rid:2 recv",
        "rid:3 recv",
        "rid:4 recv",
        "simulcast:recv 3,4;~1;2",
    ];
    let offered = read(&lines).unwrap();
    let answer = |sender: &SendEncodings| {
        written(|media| write_answer_simulcast(Some(sender), &offered, true, media))
    };
    let mut new = SendEncodings::single(MediaKind::Video);
    new.propose(&offered.accepted_rids());
    let expected = [
        "rid:3 send",
        "rid:1 send",
        "rid:2 send",
        "simulcast:send 3;1;2",
    ];
    assert_eq!(answer(&new), expected);
    let older = simulcast(&["1", "3", "4", "x"]);
    assert_eq!(
        answer(&older),
        ["rid:3 send", "rid:1 send", "simulcast:send 3;1"]
    );
    assert!(answer(&simulcast(&["x", "y"])).is_empty());
    assert!(answer(&SendEncodings::single(MediaKind::Video)).is_empty());
    assert!(written(|media| write_answer_simulcast(None, &offered, true, media)).is_empty());
}

#[test]
fn an_answer_keeps_restrictions_within_its_payload_types() {
    let mut offered = read(&[
        "rid:1 send pt=96,97;max-width=1280;x-new=1;x",
        "rid:2 send pt=96",
        "rid:3 send max-fps=30",
        "rid:4 send",
        "rid:5 send",
        "simulcast:send 1;2;~3;4,5",
    ])
    .unwrap();
    let answer = |offered: &RemoteSimulcast, receive| {
        written(|media| {
            let formats = vec![PayloadType::new(97).unwrap()];
            media.head.formats = pc_sdp::Formats::PayloadTypes(formats);
            write_answer_simulcast(None, offered, receive, media);
        })
    };
    let expected = [
        "rid:1 recv pt=97;max-width=1280;x-new=1;x",
        "rid:3 recv max-fps=30",
        "rid:4 recv",
        "simulcast:recv 1;~3;4",
    ];
    assert_eq!(answer(&offered, true), expected);
    assert!(answer(&offered, false).is_empty());
    offered.send.truncate(2);
    offered.send.remove(0);
    assert!(answer(&offered, true).is_empty());
}

#[test]
fn an_answer_may_go_both_ways() {
    let offered = read(&[
        "rid:a send",
        "rid:q recv",
        "rid:f recv",
        "simulcast:send a recv q;f",
    ])
    .unwrap();
    let sender = simulcast(&["q", "f"]);
    let answer = written(|media| write_answer_simulcast(Some(&sender), &offered, true, media));
    let expected = [
        "rid:q send",
        "rid:f send",
        "rid:a recv",
        "simulcast:send q;f recv a",
    ];
    assert_eq!(answer, expected);
}

fn rid_names() -> impl Strategy<Value = Vec<String>> {
    let name = "[a-zA-Z0-9]{1,16}";
    prop::collection::hash_set(name, 2..=8).prop_map(|names| names.into_iter().collect())
}

proptest! {
    /// An offer that is written, spelled, parsed and read is the sender's rids; the answer to it,
    /// read in turn, wants all of them, and narrows to what it names.
    #[test]
    fn what_is_written_is_read(names in rid_names(), kept in any::<u8>()) {
        let init = names.iter().map(|name| rid(name)).collect();
        let mut sender = video(init).unwrap();
        let mut offer = section(&[]);
        write_offer_simulcast(Some(&sender), &[], &mut offer);
        let mut sdp = SessionDescription::parse("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n").unwrap();
        sdp.media.push(offer);
        let offered = read_simulcast(&parse(&sdp.to_string())).unwrap().unwrap();
        prop_assert_eq!(spell(&offered.send), names.join(";"));

        let mut accepted = offered;
        let mut index = 0;
        accepted.send.retain(|_| { index += 1; kept >> (index - 1) & 1 == 1 });
        let mut answer = section(&[]);
        write_answer_simulcast(None, &accepted, true, &mut answer);
        sdp.media[0] = answer;
        let answered = read_simulcast(&parse(&sdp.to_string())).unwrap().unwrap_or_default();
        prop_assert_eq!(&spell(&answered.recv), &spell(&accepted.send));
        sender.narrow(&answered.accepted_rids());
        let expected = answered.accepted_rids();
        if expected.is_empty() {
            prop_assert_eq!(rids(&sender), [names[0].as_str()]);
        } else {
            prop_assert_eq!(rids(&sender), expected);
        }
    }

    /// Whatever streams, alternatives and pauses there are, reading loses none of them.
    #[test]
    fn what_is_spelled_is_read(
        shape in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..4), 1..8),
        sends in any::<bool>(),
    ) {
        let direction = if sends { "send" } else { "recv" };
        let mut lines = Vec::new();
        let mut streams = Vec::new();
        for stream in shape {
            let mut alternatives = Vec::new();
            for paused in stream {
                let name = format!("r{}", lines.len());
                lines.push(format!("rid:{name} {direction}"));
                alternatives.push(format!("{}{name}", if paused { "~" } else { "" }));
            }
            streams.push(alternatives.join(","));
        }
        let streams = streams.join(";");
        lines.push(format!("simulcast:{direction} {streams}"));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let read = read(&lines).unwrap();
        let (here, there) = if sends { (read.send, read.recv) } else { (read.recv, read.send) };
        prop_assert_eq!(spell(&here), streams);
        prop_assert!(there.is_empty());
    }
}
