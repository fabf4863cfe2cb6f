//! Single faults against a grammar, of which nobody may make anything.

use super::dice::Dice;
use super::grammar::Draft;

/// How many ways there are to break a line.
pub(super) const LINES: usize = 18;

/// Breaks the description at one place that RFC 8866 §5 or §9 is clear about.
pub(super) fn break_a_line(which: usize, dice: &mut Dice<'_>, draft: &mut Draft) {
    let lines = &mut draft.lines;
    let find = |lines: &[String], start: &str| {
        let found = lines.iter().position(|line| line.starts_with(start));
        found.expect("every description has one")
    };
    let (timing, media) = (find(lines, "t="), find(lines, "m="));
    let without_last = |line: &str| line.rsplit_once(' ').expect("several fields").0.to_owned();
    match which % LINES {
        0 => lines[0] = "v=1".to_owned(),
        1 => lines[0] = "v=".to_owned(),
        // A line that has to be there.
        2 => drop(lines.remove(0)),
        3 => drop(lines.remove(1)),
        4 => drop(lines.remove(2)),
        5 => {
            lines.retain(|line| {
                !["t=", "r=", "z="]
                    .iter()
                    .any(|start| line.starts_with(start))
            });
        }
        // A field that has to be there, or is no number.
        6 => lines[1] = without_last(&lines[1]),
        7 => lines[1] = "o=- one 2 IN IP4 192.0.2.1".to_owned(),
        8 => lines[timing] = "t=0".to_owned(),
        9 => lines[timing] = "t=now 0".to_owned(),
        10 => lines.insert(timing, "b=AS".to_owned()),
        11 => lines.insert(timing, "b=AS:much".to_owned()),
        12 => lines[media] = "m=audio 65536 RTP/AVP 0".to_owned(),
        13 => lines[media] = "m=audio RTP/AVP 0".to_owned(),
        14 => lines[media] = "m=audio 9 RTP/AVP".to_owned(),
        // A type that RFC 8866 does not know, a line that is none, and one at a wrong place.
        15 => {
            let at = 3 + dice.below(lines.len() - 2);
            lines.insert(at, "y=1".to_owned());
        }
        16 => {
            let at = 1 + dice.below(lines.len() - 1);
            lines.insert(at, "nonsense".to_owned());
        }
        _ => {
            let line = dice.pick(&["v=0", "o=- 1 2 IN IP4 192.0.2.1", "s=-", "t=0 0"]);
            let at = media + 1 + dice.below(lines.len() - media);
            lines.insert(at, line.to_owned());
        }
    }
}

/// Adds an attribute that breaks its own grammar. RFC 8866 leaves it to the reader of the
/// attribute to see that.
pub(super) fn break_an_attribute(which: usize, draft: &mut Draft) {
    draft.push(format!("a={}", ATTRIBUTES[which % ATTRIBUTES.len()]));
}

pub(super) const ATTRIBUTES: [&str; 33] = [
    "candidate:1 1 udp 1 192.0.2.1 9 typ",
    "candidate:1 1 udp 1 192.0.2.1 9 kind host",
    "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
    "candidate:1 one udp 1 192.0.2.1 9 typ host",
    "candidate:1 1 udp high 192.0.2.1 9 typ host",
    "candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 192.0.2.1 rport 65536",
    "remote-candidates:1 192.0.2.1",
    "remote-candidates:1 192.0.2.1 65536",
    "fingerprint:sha-256",
    "fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:GG:11:22:33",
    "setup:both",
    "ice-ufrag:",
    "ice-pwd:",
    "mid:",
    "sctp-port:65536",
    "sctp-port:many",
    "max-message-size:-1",
    "rtpmap:96",
    "rtpmap:96 VP8",
    "rtpmap:96 VP8/fast",
    "rtpmap:128 VP8/90000",
    "rtcp:any",
    "rtcp:9 IN IP4",
    "rtcp-fb:96",
    "extmap:1",
    "extmap:one urn:example",
    "rid:1",
    "rid:1 both",
    "simulcast:send",
    "simulcast:both 1",
    "ssrc:one cname:two",
    "ssrc-group:FID one",
    "rtcp-mux:1",
];
