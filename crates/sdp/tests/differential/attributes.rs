//! The attributes of WebRTC with values that their grammars allow, chosen by bytes.

use super::dice::Dice;
use super::grammar::{Draft, Session, joined};

const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

pub(super) fn session(dice: &mut Dice<'_>, draft: &mut Draft, session: &Session, mids: &[String]) {
    let semantics = dice.pick(&["BUNDLE", "LS", "FID", "SRF", "ANAT", "FEC", "DDP"]);
    let count = dice.below(mids.len() + 1);
    let mids: String = mids
        .iter()
        .take(count)
        .map(|mid| format!(" {mid}"))
        .collect();
    draft.push(format!("a=group:{semantics}{mids}"));
    let flags = dice.byte();
    let simple = [
        "a=extmap-allow-mixed",
        "a=ice-lite",
        "a=msid-semantic:WMS *",
        "a=tool:example 1.0",
        "a=end-of-candidates",
    ];
    for (bit, line) in simple.iter().enumerate() {
        if flags >> bit & 1 == 1 {
            draft.push(*line);
        }
    }
    if dice.yes() {
        draft.push(format!("a={}", dice.pick(&DIRECTIONS)));
    }
    if dice.yes() {
        draft.push(format!("a=ice-pacing:{}", dice.u16()));
    }
    if dice.yes() {
        draft.push(format!("a=identity:{}==", dice.ice(8)));
    }
    if session.has_extmap {
        extmaps(dice, draft);
    }
    if session.has_transport {
        transport(dice, draft);
    }
}

/// What any section may have.
pub(super) fn section(dice: &mut Dice<'_>, draft: &mut Draft, session: &Session) {
    if !session.has_transport {
        transport(dice, draft);
    }
    for _ in 0..dice.below(4) {
        draft.push(candidate(dice));
    }
    let flags = dice.byte();
    for (bit, line) in ["a=end-of-candidates", "a=bundle-only"].iter().enumerate() {
        if flags >> bit & 1 == 1 {
            draft.push(*line);
        }
    }
    if dice.yes() {
        let (ip, port) = (dice.ip(), dice.u16());
        draft.push(format!(
            "a=remote-candidates:{} {ip} {port}",
            component(dice)
        ));
    }
    for _ in 0..dice.below(3) {
        let name = dice.word();
        draft.push(match dice.yes() {
            true => format!("a=x-{name}:{}", dice.text()),
            false => format!("a=x-{name}"),
        });
    }
    if dice.yes() {
        draft.push(format!("a=label:{}", dice.token()));
    }
}

/// RFC 8839 §5.4 and §5.6, RFC 8122 §5, RFC 4145 §4.
fn transport(dice: &mut Dice<'_>, draft: &mut Draft) {
    draft.push(format!("a=ice-ufrag:{}", dice.ice(4)));
    draft.push(format!("a=ice-pwd:{}", dice.ice(22)));
    let options = dice.pick(&["trickle", "ice2 trickle", "renomination"]);
    draft.push(format!("a=ice-options:{options}"));
    for _ in 0..1 + dice.below(2) {
        let (hash, len) = dice.pick(&[
            ("sha-1", 20),
            ("sha-224", 28),
            ("sha-256", 32),
            ("sha-384", 48),
            ("sha-512", 64),
        ]);
        let bytes: Vec<_> = (0..len).map(|_| format!("{:02X}", dice.byte())).collect();
        draft.push(format!("a=fingerprint:{hash} {}", bytes.join(":")));
    }
    let setup = dice.pick(&["actpass", "active", "passive", "holdconn"]);
    draft.push(format!("a=setup:{setup}"));
    if dice.yes() {
        draft.push(format!("a=tls-id:{}", dice.ice(20)));
    }
}

/// RFC 8839 §5.1: 1 to 256.
fn component(dice: &mut Dice<'_>) -> u16 {
    1 + u16::from(dice.byte())
}

/// RFC 8839 §5.1, RFC 6544 §4.5.
fn candidate(dice: &mut Dice<'_>) -> String {
    let (foundation, component) = (dice.ice(1), component(dice));
    let transport = dice.pick(&["udp", "UDP", "tcp", "TCP"]);
    let priority = 1 + (dice.u32() >> 1).min(0x7FFF_FFFE);
    let host = match dice.below(4) {
        3 => format!("h{}.local", dice.word().to_lowercase()),
        _ => dice.ip().to_string(),
    };
    let port = dice.u16();
    let kind = dice.pick(&["host", "srflx", "prflx", "relay"]);
    let mut line = format!(
        "a=candidate:{foundation} {component} {transport} {priority} {host} {port} typ {kind}"
    );
    if kind != "host" {
        line += &format!(" raddr {} rport {}", dice.ip(), dice.u16());
    }
    if transport.eq_ignore_ascii_case("tcp") {
        line += &format!(" tcptype {}", dice.pick(&["active", "passive", "so"]));
    }
    if dice.yes() {
        line += &format!(" generation {}", dice.u32());
    }
    if dice.yes() {
        line += &format!(" ufrag {}", dice.ice(4));
    }
    if dice.yes() {
        line += &format!(
            " network-id {} network-cost {}",
            dice.u16(),
            dice.below(1000)
        );
    }
    if dice.yes() {
        line += &format!(" x-{} {}", dice.word().to_lowercase(), dice.token());
    }
    line
}

/// RFC 8841 §5 and §6, and what was there before it.
pub(super) fn data(dice: &mut Dice<'_>, draft: &mut Draft, protocol: &str) {
    if protocol == "DTLS/SCTP" {
        draft.push(format!("a=sctpmap:5000 webrtc-datachannel {}", dice.u16()));
    } else {
        draft.push(format!("a=sctp-port:{}", dice.u16()));
    }
    if dice.yes() {
        draft.push(format!("a=max-message-size:{}", dice.u64()));
    }
}

pub(super) fn rtp(dice: &mut Dice<'_>, draft: &mut Draft, session: &Session, formats: &[u8]) {
    if dice.yes() {
        draft.push(format!("a={}", dice.pick(&DIRECTIONS)));
    }
    rtcp(dice, draft);
    if !session.has_extmap {
        extmaps(dice, draft);
    }
    for format in formats {
        codec(dice, draft, *format, formats);
    }
    timing(dice, draft);
    sources(dice, draft);
    if dice.yes() {
        simulcast(dice, draft, formats);
    }
}

fn rtcp(dice: &mut Dice<'_>, draft: &mut Draft) {
    match dice.below(4) {
        0 => {}
        1 => draft.push("a=rtcp-mux"),
        // RFC 8858 §3: both.
        _ => draft
            .lines
            .extend(["a=rtcp-mux", "a=rtcp-mux-only"].map(str::to_owned)),
    }
    if dice.yes() {
        draft.push("a=rtcp-rsize");
    }
    match dice.below(4) {
        0 => draft.push(format!("a=rtcp:{}", dice.u16())),
        1 => draft.push(format!("a=rtcp:{} {}", dice.u16(), dice.network_address())),
        _ => {}
    }
}

/// RFC 8285 §5: ids of one section are different.
fn extmaps(dice: &mut Dice<'_>, draft: &mut Draft) {
    let mut id = 0;
    for _ in 0..dice.below(4) {
        id += 1 + dice.below(60);
        let direction = dice.pick(&["", "", "/sendonly", "/recvonly", "/sendrecv"]);
        let uri = dice.pick(&[
            "urn:ietf:params:rtp-hdrext:sdes:mid",
            "urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        ]);
        let attributes = if dice.yes() { " vad=on" } else { "" };
        draft.push(format!("a=extmap:{id}{direction} {uri}{attributes}"));
    }
}

/// RFC 8866 §6.6 and §6.15, RFC 4585 §4.2, RFC 5104 §7.1.
fn codec(dice: &mut Dice<'_>, draft: &mut Draft, format: u8, formats: &[u8]) {
    let (encoding, parameters) = dice.pick(&[
        ("VP8", "max-fr=30;max-fs=3600"),
        ("VP9", "profile-id=0"),
        (
            "H264",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ),
        ("AV1", "level-idx=5;profile=0;tier=0"),
        ("opus", "minptime=10;useinbandfec=1"),
        ("telephone-event", "0-16"),
        ("rtx", "apt"),
        ("red", "red"),
        ("G722", ""),
    ]);
    let channels = match dice.below(3) {
        0 => String::new(),
        channels => format!("/{channels}"),
    };
    let clock_rate = dice.u32().max(1);
    draft.push(format!(
        "a=rtpmap:{format} {encoding}/{clock_rate}{channels}"
    ));
    match parameters {
        "" => {}
        "apt" => draft.push(format!(
            "a=fmtp:{format} apt={};rtx-time=3000",
            dice.pick(formats)
        )),
        "red" if formats.len() > 1 => {
            draft.push(format!("a=fmtp:{format} {}", joined(formats, "/")))
        }
        "red" => {}
        parameters => draft.push(format!("a=fmtp:{format} {parameters}")),
    }
    for _ in 0..dice.below(4) {
        let feedback = dice.pick(&[
            "nack",
            "nack pli",
            "nack sli",
            "nack rpsi",
            "ack rpsi",
            "ccm fir",
            "ccm tmmbr",
            "trr-int 100",
            "goog-remb",
            "transport-cc",
        ]);
        let format = if dice.yes() {
            "*".to_owned()
        } else {
            format.to_string()
        };
        draft.push(format!("a=rtcp-fb:{format} {feedback}"));
    }
}

/// RFC 8866 §6.4, §6.5 and §6.13.
fn timing(dice: &mut Dice<'_>, draft: &mut Draft) {
    let flags = dice.byte();
    let names = ["a=ptime:", "a=maxptime:", "a=framerate:"];
    for (bit, name) in names.iter().enumerate() {
        if flags >> bit & 1 == 1 {
            draft.push(format!("{name}{}", 1 + u32::from(dice.byte())));
        }
    }
}

/// RFC 8830 §2, RFC 5576 §4.
fn sources(dice: &mut Dice<'_>, draft: &mut Draft) {
    for _ in 0..dice.below(3) {
        let stream = if dice.yes() {
            "-".to_owned()
        } else {
            dice.token()
        };
        draft.push(match dice.yes() {
            true => format!("a=msid:{stream} {}", dice.token()),
            false => format!("a=msid:{stream}"),
        });
    }
    let ssrcs: Vec<_> = (0..dice.below(4)).map(|_| dice.u32()).collect();
    for ssrc in &ssrcs {
        draft.push(match dice.below(3) {
            0 => format!("a=ssrc:{ssrc} cname:{}", dice.word()),
            1 => format!("a=ssrc:{ssrc} msid:{} {}", dice.token(), dice.token()),
            _ => format!("a=ssrc:{ssrc} x-{}", dice.word()),
        });
    }
    if !ssrcs.is_empty() {
        let semantics = dice.pick(&["FID", "FEC", "FEC-FR", "DUP", "SIM"]);
        draft.push(format!("a=ssrc-group:{semantics} {}", joined(&ssrcs, " ")));
    }
}

/// RFC 8851 §4, RFC 8853 §5.1: each rid is declared once and used once.
fn simulcast(dice: &mut Dice<'_>, draft: &mut Draft, formats: &[u8]) {
    let count = 1 + dice.below(4);
    let directions = if dice.yes() {
        ["send", "recv"]
    } else {
        ["recv", "send"]
    };
    let mut streams = [String::new(), String::new()];
    for index in 0..count {
        let side = dice.below(2);
        let id = format!("{}{index}", dice.word());
        let restrictions = match dice.below(4) {
            0 => String::new(),
            1 => format!(" max-width={};max-height={}", dice.u16(), dice.u16()),
            2 => format!(" pt={}", dice.pick(formats)),
            _ => format!(
                " pt={};max-br={};max-fps=30",
                joined(formats, ","),
                dice.u32()
            ),
        };
        draft.push(format!("a=rid:{id} {}{restrictions}", directions[side]));
        let list = &mut streams[side];
        if !list.is_empty() {
            list.push(dice.pick(&[';', ',']));
        }
        if dice.yes() {
            list.push('~');
        }
        *list += &id;
    }
    let used = directions
        .iter()
        .zip(&streams)
        .filter(|(_, list)| !list.is_empty());
    let used: Vec<_> = used
        .map(|(direction, list)| format!("{direction} {list}"))
        .collect();
    draft.push(format!("a=simulcast:{}", used.join(" ")));
}
