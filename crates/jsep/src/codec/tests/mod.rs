//! Against the descriptions of real peers, hand-made ones, and any at all.

mod capabilities;
mod hostile;
mod negotiation;
mod peers;
mod properties;

use std::fs;
use std::path::Path;

use pc_sdp::{MediaDescription, MediaKind, SessionDescription};

use super::*;
use crate::ErrorKind;

/// A captured file's text.
pub(super) fn capture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The first section of a kind in a captured description.
pub(super) fn captured(name: &str, kind: MediaKind) -> MediaDescription {
    let session = SessionDescription::parse(&capture(name)).unwrap();
    let mut media = session.media.into_iter();
    media.find(|media| *media.kind() == kind).unwrap()
}

/// A section of these lines.
pub(super) fn section(lines: &str) -> MediaDescription {
    let text = format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{lines}");
    let mut session = SessionDescription::parse(&text).unwrap();
    session.media.pop().unwrap()
}

/// The codecs of a video section with these lines below `m=`.
fn video(formats: &str, lines: &str) -> Vec<CodecParameters> {
    let media = section(&format!(
        "m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\na=rtcp-mux\r\n{lines}"
    ));
    read_codecs(&media).unwrap()
}

fn audio(formats: &str, lines: &str) -> Vec<CodecParameters> {
    let media = section(&format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF {formats}\r\na=rtcp-mux\r\n{lines}"
    ));
    read_codecs(&media).unwrap()
}

/// Payload types, names and parameters, one a line: what a test compares.
fn listed(codecs: &[CodecParameters]) -> Vec<String> {
    let line = |own: &CodecParameters| {
        let line = own.codec.sdp_fmtp_line.as_deref().unwrap_or_default();
        let text = format!("{} {} {line}", own.payload_type, own.codec.name());
        text.trim_end().to_owned()
    };
    codecs.iter().map(line).collect()
}

fn numbers(codecs: &[CodecParameters]) -> Vec<u8> {
    codecs.iter().map(|own| own.payload_type.value()).collect()
}

fn ours(kind: &MediaKind) -> KindCapabilities {
    let all = Capabilities::default();
    match kind {
        MediaKind::Audio => all.audio,
        _ => all.video,
    }
}

fn answer_to(offered: &[CodecParameters], kind: &MediaKind) -> Vec<CodecParameters> {
    answer_codecs(&ours(kind), None, true, true, offered)
}

fn offer(preferences: Option<&[Codec]>, section: &[CodecParameters]) -> Vec<CodecParameters> {
    let mut taken = PayloadTypes::default();
    let all = ours(&MediaKind::Video);
    offer_codecs(&all, preferences, true, true, section, &mut taken).unwrap()
}

fn codec(mime_type: &str, line: &str) -> Codec {
    Codec {
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        channels: None,
        sdp_fmtp_line: (!line.is_empty()).then(|| line.to_owned()),
    }
}
