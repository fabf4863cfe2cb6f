//! A description, line by line in the order of RFC 8866 §5, chosen by bytes.
//!
//! Every line keeps to its grammar and to what an oracle knows of it, so that nothing is left to
//! the taste of a reader. It is written as text, without this crate's writer.

use super::attributes;
use super::dice::Dice;

/// A description as lines without their ends.
pub(super) struct Draft {
    pub(super) lines: Vec<String>,
    /// Lines of RFC 8866 that WebRTC does not use: `webrtc-sdp` knows none of them.
    pub(super) beyond_webrtc: bool,
}

impl Draft {
    pub(super) fn text(&self, end: &str) -> String {
        let lines = self.lines.iter();
        lines.flat_map(|line| [line, end]).collect()
    }

    pub(super) fn push(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }
}

/// What the sections have to know of the session.
pub(super) struct Session {
    /// RFC 8866 §5.7: then the sections need none.
    pub(super) has_connection: bool,
    /// RFC 8285 §6: then no section may have one.
    pub(super) has_extmap: bool,
    pub(super) has_transport: bool,
}

pub(super) fn description(dice: &mut Dice<'_>) -> Draft {
    let mut draft = Draft {
        lines: vec!["v=0".to_owned()],
        beyond_webrtc: dice.below(4) == 3,
    };
    let username = if dice.yes() {
        dice.token()
    } else {
        "-".to_owned()
    };
    let (id, version) = (dice.u64(), dice.u64());
    let address = dice.network_address();
    draft.push(format!("o={username} {id} {version} {address}"));
    draft.push(match dice.yes() {
        true => format!("s={}", dice.text()),
        false => "s=-".to_owned(),
    });
    let session = Session {
        has_connection: dice.yes(),
        has_extmap: dice.yes(),
        has_transport: dice.yes(),
    };
    session_lines(dice, &mut draft, &session);
    let mids: Vec<_> = (0..1 + dice.below(4))
        .map(|index| format!("{}{index}", dice.token()))
        .collect();
    attributes::session(dice, &mut draft, &session, &mids);
    for mid in &mids {
        section(dice, &mut draft, &session, mid);
    }
    draft
}

fn session_lines(dice: &mut Dice<'_>, draft: &mut Draft, session: &Session) {
    if dice.yes() {
        draft.push(format!("i={}", dice.text()));
    }
    if draft.beyond_webrtc {
        draft.push(format!("u=https://example.com/{}", dice.word()));
        draft.push(format!("e={}@example.com (A B)", dice.word()));
        draft.push(format!("p=+1 617 555-{:04}", dice.u16()));
    }
    if session.has_connection {
        draft.push(format!("c={}", dice.network_address()));
    }
    bandwidths(dice, draft);
    let (start, stop) = if dice.yes() {
        (dice.u64(), dice.u64())
    } else {
        (0, 0)
    };
    draft.push(format!("t={start} {stop}"));
    if draft.beyond_webrtc {
        draft.push(format!(
            "r={}d {}h 0 {}h",
            dice.byte(),
            dice.byte(),
            dice.byte()
        ));
        draft.push(format!("z={} -{}h", dice.u32(), dice.byte()));
        draft.push("k=prompt");
    }
}

fn bandwidths(dice: &mut Dice<'_>, draft: &mut Draft) {
    for _ in 0..dice.below(3) {
        let kind = dice.pick(&["AS", "TIAS", "CT", "RR", "RS"]);
        draft.push(format!("b={kind}:{}", dice.u32()));
    }
}

fn section(dice: &mut Dice<'_>, draft: &mut Draft, session: &Session, mid: &str) {
    let port = dice.u16();
    let kind = dice.pick(&["application", "audio", "video", "text"]);
    let payload_types = payload_types(dice);
    let (protocol, formats) = match kind {
        "application" => match dice.pick(&["UDP/DTLS/SCTP", "DTLS/SCTP"]) {
            "DTLS/SCTP" => ("DTLS/SCTP", "5000".to_owned()),
            new => (new, "webrtc-datachannel".to_owned()),
        },
        _ => (dice.pick(&RTP), joined(&payload_types, " ")),
    };
    let count = match dice.byte() {
        255 => format!("/{}", 2 + dice.below(7)),
        _ => String::new(),
    };
    draft.push(format!("m={kind} {port}{count} {protocol} {formats}"));
    if dice.yes() {
        draft.push(format!("i={}", dice.text()));
    }
    if dice.yes() || !session.has_connection {
        draft.push(format!("c={}", dice.network_address()));
    }
    bandwidths(dice, draft);
    if draft.beyond_webrtc {
        draft.push("k=prompt");
    }
    draft.push(format!("a=mid:{mid}"));
    match kind {
        "application" => attributes::data(dice, draft, protocol),
        _ => attributes::rtp(dice, draft, session, &payload_types),
    }
    attributes::section(dice, draft, session);
}

const RTP: [&str; 6] = [
    "UDP/TLS/RTP/SAVPF",
    "UDP/TLS/RTP/SAVP",
    "RTP/SAVPF",
    "RTP/SAVP",
    "RTP/AVPF",
    "RTP/AVP",
];

/// Up to six, each once.
fn payload_types(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut all: Vec<u8> = Vec::new();
    for _ in 0..1 + dice.below(6) {
        let payload_type = dice.byte() & 127;
        if !all.contains(&payload_type) {
            all.push(payload_type);
        }
    }
    all
}

pub(super) fn joined(items: &[impl ToString], separator: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(separator)
}
