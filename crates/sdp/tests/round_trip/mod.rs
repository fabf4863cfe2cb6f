//! What must hold for any bytes whatever. Shared with the fuzz target `sdp`.

use pc_sdp::{Attribute, Candidate, Line, SessionDescription};

/// Parses `bytes` as a description and checks every promise of the crate about it.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(text) = core::str::from_utf8(bytes) {
        check_pieces(text);
    }
    let session = match SessionDescription::parse_bytes(bytes) {
        Ok(session) => session,
        Err(error) => return check_error(bytes, error.line),
    };
    let written = session.to_string();
    assert_eq!(written, with_crlf(bytes), "what is read is written back");
    let again = SessionDescription::parse(&written).expect("what is written parses");
    assert_eq!(again, session);

    let mut canonical = session.clone();
    canonical.canonicalize();
    let again = SessionDescription::parse(&canonical.to_string()).expect("canonical form parses");
    assert_eq!(
        values(&again),
        values(&session),
        "the canonical form means the same"
    );
    assert_eq!(again, canonical, "the canonical form is a fixed point");
}

/// An error points at a line of the input, or at the one that is missing behind the last.
fn check_error(bytes: &[u8], line: usize) {
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!((1..=lines + 1).contains(&line), "line {line} of {lines}");
}

/// Attributes and candidates also travel alone.
fn check_pieces(text: &str) {
    if let Ok(candidate) = text.parse::<Candidate>() {
        let written = candidate.to_string();
        assert_eq!(written.parse().as_ref(), Ok(&candidate));
        assert!(!written.contains(['\r', '\n', '\0']));
    }
    if let Ok(attribute) = text.parse::<Attribute>() {
        let written = format!("a={attribute}");
        assert_eq!(written.parse().as_ref(), Ok(&attribute));
        assert!(!written.contains(['\r', '\n', '\0']));
    }
}

fn with_crlf(bytes: &[u8]) -> String {
    let text = core::str::from_utf8(bytes).expect("parsed");
    let text = text.trim_end_matches(['\r', '\n']);
    let lines = text.split('\n');
    let lines = lines.map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

fn values(session: &SessionDescription) -> Vec<&Line> {
    let sections = session.media.iter().map(|media| &media.lines);
    let lines = [&session.lines].into_iter().chain(sections);
    lines.flatten().map(|line| &**line).collect()
}
