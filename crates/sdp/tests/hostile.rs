//! What a hostile peer may send: bounded memory, linear work, and an error with its line.

use allocation_counter::{AllocationInfo, measure};
use pc_sdp::{MAX_LEN, MAX_MEDIA, ParseErrorKind, SessionDescription};

const HEAD: &str = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n";
const MEDIA: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n";

fn fails(text: &str) -> (usize, ParseErrorKind) {
    let error = SessionDescription::parse(text).unwrap_err();
    (error.line, error.kind)
}

/// `unit` as often as fits into `len` bytes, below a head.
fn flood(unit: &str, len: usize) -> String {
    let mut text = String::from(HEAD);
    text.push_str(&unit.repeat((len - HEAD.len()) / unit.len()));
    text
}

#[test]
fn ten_megabytes_are_refused_before_they_are_read() {
    let text = flood("a=foo\n", 10 << 20);
    let mut result = None;
    let cost = measure(|| result = Some(SessionDescription::parse(&text)));
    let error = result.unwrap().unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooLong);
    let lines_before = text[..MAX_LEN].matches('\n').count();
    assert_eq!(error.line, lines_before + 1);
    assert_eq!(cost.count_total, 0);
    let bytes = vec![0xFF; MAX_LEN + 1];
    let error = SessionDescription::parse_bytes(&bytes).unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooLong);
}

#[test]
fn a_full_mebibyte_is_taken_and_one_byte_more_is_not() {
    let mut text = flood("a=foo\n", MAX_LEN);
    text.push_str(&"\n".repeat(MAX_LEN - text.len()));
    assert!(SessionDescription::parse(&text).is_ok());
    text.push('\n');
    assert_eq!(fails(&text).1, ParseErrorKind::TooLong);
}

#[test]
fn a_thousand_media_sections_are_taken_and_one_more_is_not() {
    let text = format!("{HEAD}{}", "m=x 0 y z\na=mid:0\n".repeat(MAX_MEDIA));
    let session = SessionDescription::parse(&text).unwrap();
    assert_eq!(session.media.len(), MAX_MEDIA);
    let text = format!("{HEAD}{}", "m=x 0 y z\n".repeat(100_000));
    assert_eq!(
        fails(&text),
        (4 + MAX_MEDIA + 1, ParseErrorKind::TooManyMedia)
    );
}

/// Duplicate mids are a matter of meaning: the first is found.
#[test]
fn duplicate_mids_parse() {
    let text = format!("{HEAD}{MEDIA}a=mid:0\na=sctp-port:1\n{MEDIA}a=mid:0\na=sctp-port:2\n");
    let session = SessionDescription::parse(&text).unwrap();
    assert_eq!(session.media_by_mid("0").unwrap().sctp_port(), Some(1));
}

#[test]
fn numbers_out_of_range_are_refused_with_their_line() {
    for line in [
        "a=rtpmap:128 VP8/90000",
        "a=rtpmap:256 VP8/90000",
        "a=fmtp:128 apt=1",
        "a=rtcp-fb:128 nack",
        "a=extmap:0 urn:x",
        "a=extmap:256 urn:x",
        "a=extmap:99999999999999999999 urn:x",
        "a=sctp-port:65536",
        "a=ssrc:4294967296 cname:x",
        "m=audio 9 UDP/TLS/RTP/SAVPF 128",
        "m=audio 99999 UDP/TLS/RTP/SAVPF 0",
    ] {
        let (number, kind) = fails(&format!("{HEAD}{MEDIA}{line}\n"));
        assert_eq!(number, 6, "{line}");
        assert!(matches!(kind, ParseErrorKind::Invalid(_)), "{line}: {kind}");
    }
}

#[test]
fn a_thousand_rids_parse_in_order() {
    let rids: String = (0..1000).map(|id| format!("a=rid:r{id} send\n")).collect();
    let ids: Vec<String> = (0..1000).map(|id| format!("r{id}")).collect();
    let text = format!("{HEAD}{MEDIA}{rids}a=simulcast:send {}\n", ids.join(";"));
    let session = SessionDescription::parse(&text).unwrap();
    let media = &session.media[0];
    assert!(
        media
            .rids()
            .map(|rid| rid.id.as_str())
            .eq(ids.iter().map(String::as_str))
    );
    let send = media.simulcast().and_then(|own| own.send.as_ref());
    assert_eq!(send.unwrap().iter().count(), 1000);
}

/// The shapes that cost most for their length.
fn floods(len: usize) -> Vec<(&'static str, String)> {
    let line = |head: &str, unit: &str| {
        let mut text = format!("{HEAD}{MEDIA}{head}");
        text.push_str(&unit.repeat((len - text.len()) / unit.len()));
        text
    };
    vec![
        ("empty attributes", flood("a=a\n", len)),
        ("misspelled attributes", flood("a=mid: 0\n", len)),
        (
            "candidates",
            line("", "a=candidate:1 1 UDP 1 a 1 typ host x y\n"),
        ),
        ("feedback", line("", "a=rtcp-fb:* a\n")),
        ("session lines", flood("b=A:1\n", len)),
        ("one group", line("a=group:BUNDLE", " a")),
        ("one group, tabs", line("a=group:BUNDLE", "\ta")),
        ("one fmtp", line("a=fmtp:96 a", ";")),
        ("one simulcast", line("a=simulcast:send a", ";a")),
        ("one ssrc-group", line("a=ssrc-group:FID", " 1")),
        ("one fingerprint", line("a=fingerprint:sha-256 00", ":00")),
        (
            "one candidate",
            line("a=candidate:1 1 udp 1 a 1 typ host", " a b"),
        ),
        (
            "one remote-candidates",
            line("a=remote-candidates:", "1 a 1 "),
        ),
        (
            "one m-line",
            format!("{HEAD}m=audio 9 RTP/AVP{}", " 0".repeat((len - 60) / 2)),
        ),
        (
            "one odd m-line",
            format!("{HEAD}m=a 9 a{}", " 0".repeat((len - 60) / 2)),
        ),
        ("spaces", line("a=mid:0", " ")),
        ("a long name", line("a=", "a")),
    ]
}

fn cost(text: &str) -> AllocationInfo {
    measure(|| {
        let session = SessionDescription::parse(text).unwrap();
        assert!(session.to_string().len() >= text.len() - 1);
    })
}

/// Twice the input allocates at most about twice as often and as much, and memory stays within
/// sixty times the input for the worst of shapes.
#[test]
fn work_and_memory_grow_linearly() {
    let half = floods(MAX_LEN / 2);
    for ((name, half), (_, full)) in half.iter().zip(&floods(MAX_LEN)) {
        let (half, whole) = (cost(half), cost(full));
        let bytes = whole.bytes_max;
        assert!(
            whole.count_total <= 2 * half.count_total + 64,
            "{name}: {half:?} {whole:?}"
        );
        assert!(
            whole.bytes_total <= 3 * half.bytes_total,
            "{name}: {half:?} {whole:?}"
        );
        assert!(bytes <= 60 * full.len() as u64, "{name}: {bytes} bytes");
    }
}

/// Looking things up and reading lists lazily is linear too: this would take minutes otherwise.
#[test]
fn reading_a_full_description_is_linear() {
    for (name, text) in floods(MAX_LEN) {
        let session = SessionDescription::parse(&text).unwrap();
        let empty = pc_sdp::MediaDescription::data_channel(9);
        let media = session.media.last().unwrap_or(&empty);
        let parameters: usize = media.fmtps().map(|fmtp| fmtp.parameters().count()).sum();
        let mids: usize = media.groups().map(|group| group.mids.iter().count()).sum();
        let extensions = media
            .candidates()
            .filter_map(|own| own.extension("none"))
            .count();
        let found = session.fingerprints_for(media).count() + parameters + mids + extensions;
        assert!(found <= text.len(), "{name}");
        assert!(session.ice_ufrag_for(media).is_none());
    }
}
