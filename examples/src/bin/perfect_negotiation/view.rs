//! What a peer has: its m-lines and states, as it shows them and tells the other side.

use peerconnection::{MediaKind, PeerConnection, SessionDescription, rtp::TransceiverDirection};
use serde::{Deserialize, Serialize};

/// What goes over the data channel, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Note {
    /// What the sender has now.
    View(View),
    /// To be answered with the same number.
    Ping(u64),
    /// That answer.
    Pong(u64),
    /// The sender is about to offer: so is the receiver to, that the offers meet.
    Glare(bool),
}

/// One side, as far as the other may want to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct View {
    pub(crate) polite: bool,
    pub(crate) signaling_state: String,
    pub(crate) counts: Counts,
    /// By m-line.
    pub(crate) sections: Vec<Section>,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counts {
    pub(crate) offers: u64,
    pub(crate) answers: u64,
    /// Offers that came while one of ours was under way.
    pub(crate) collisions: u64,
    /// Those of them that were ignored, since we are impolite.
    pub(crate) ignored: u64,
    /// Descriptions taken back, of either side, by whatever reason.
    pub(crate) rollbacks: u64,
    pub(crate) ice_restarts: u64,
    /// Messages handed to signaling, and taken from it.
    #[serde(skip)]
    pub(crate) sent: u64,
    #[serde(skip)]
    pub(crate) received: u64,
}

/// An m-line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Section {
    pub(crate) mid: String,
    pub(crate) kind: String,
    /// What the application wants; none without a transceiver.
    pub(crate) direction: Option<String>,
    /// What was agreed.
    pub(crate) current_direction: Option<String>,
    /// Stopped: its port is 0 in either description.
    pub(crate) rejected: bool,
}

impl View {
    pub(crate) fn of(pc: &PeerConnection, polite: bool, counts: Counts) -> Self {
        let described = |description: Option<SessionDescription>| {
            description.map_or_else(Vec::new, |it| sections_of(&it.sdp))
        };
        let mut sections = described(pc.current_local_description());
        let remote = described(pc.current_remote_description());
        for (section, theirs) in sections.iter_mut().zip(remote) {
            // An offer keeps the port of an m-line that the answer rejects.
            section.rejected |= theirs.rejected;
        }
        for transceiver in pc.transceivers() {
            let mid = transceiver.mid();
            let section = sections
                .iter_mut()
                .find(|section| mid.as_ref() == Some(&section.mid) && !section.rejected);
            if let Some(section) = section {
                section.direction = Some(transceiver.direction().to_string());
                section.current_direction = transceiver
                    .current_direction()
                    .as_ref()
                    .map(ToString::to_string);
            }
        }
        Self {
            polite,
            signaling_state: pc.signaling_state().to_string(),
            counts,
            sections,
        }
    }

    /// Whether two sides that are at rest have the same m-lines, each seen from its end. The error
    /// says where they differ.
    pub(crate) fn agree(&self, other: &Self) -> Result<(), String> {
        if self.sections.len() != other.sections.len() {
            let (ours, theirs) = (self.sections.len(), other.sections.len());
            return Err(format!("{ours} m-lines against {theirs}"));
        }
        let pairs = self.sections.iter().zip(&other.sections);
        for (index, (ours, theirs)) in pairs.enumerate() {
            let differ = |what| {
                Err(format!(
                    "m-line {index} {what}: {ours:?} against {theirs:?}"
                ))
            };
            if (&ours.mid, &ours.kind, ours.rejected)
                != (&theirs.mid, &theirs.kind, theirs.rejected)
            {
                return differ("is not the same");
            }
            if ours.rejected || ours.kind == "application" {
                continue;
            }
            let sides = |section: &Section| {
                let wanted = section.direction.as_deref().and_then(flows);
                wanted.zip(section.current_direction.as_deref().and_then(flows))
            };
            let Some(((ours_wanted, ours_now), (theirs_wanted, theirs_now))) =
                sides(ours).zip(sides(theirs))
            else {
                return differ("lacks a transceiver");
            };
            if ours_now != mirrored(theirs_now) {
                return differ("has directions that do not mirror each other");
            }
            // At rest nothing is left to be wished: what flows is what both want.
            let (sends, receives) = mirrored(theirs_wanted);
            if ours_now != (ours_wanted.0 && sends, ours_wanted.1 && receives) {
                return differ("is at rest, but is not what both sides want");
            }
        }
        Ok(())
    }
}

/// Whether it sends and receives.
fn flows(direction: &str) -> Option<(bool, bool)> {
    match direction {
        "sendrecv" => Some((true, true)),
        "sendonly" => Some((true, false)),
        "recvonly" => Some((false, true)),
        "inactive" => Some((false, false)),
        _ => None,
    }
}

fn mirrored((sends, receives): (bool, bool)) -> (bool, bool) {
    (receives, sends)
}

/// The m-lines of a description: kind, mid, and whether the port is 0 (RFC 9429 §5.2.1).
fn sections_of(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split(' ');
            sections.push(Section {
                kind: words.next().unwrap_or_default().to_owned(),
                rejected: words.next() == Some("0"),
                ..Section::default()
            });
        } else if let (Some(mid), Some(section)) =
            (line.strip_prefix("a=mid:"), sections.last_mut())
        {
            section.mid = mid.to_owned();
        } else if let (Some("bundle-only"), Some(section)) =
            (line.strip_prefix("a="), sections.last_mut())
        {
            // RFC 9143 §6: its port is 0, but it is not rejected.
            section.rejected = false;
        }
    }
    sections
}

/// A short name for columns.
pub(crate) fn arrow(direction: Option<&str>) -> &'static str {
    if direction == Some("stopped") {
        return "×";
    }
    match direction.and_then(flows) {
        Some((true, true)) => "⇄",
        Some((true, false)) => "→",
        Some((false, true)) => "←",
        Some((false, false)) => "·",
        None => " ",
    }
}

/// The directions that an application may set.
pub(crate) const DIRECTIONS: [TransceiverDirection; 4] = [
    TransceiverDirection::SendRecv,
    TransceiverDirection::SendOnly,
    TransceiverDirection::RecvOnly,
    TransceiverDirection::Inactive,
];

/// The kinds of media.
pub(crate) const KINDS: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

#[cfg(test)]
mod tests {
    use super::*;

    fn view(direction: &str, current: &str) -> View {
        let section = Section {
            mid: "0".into(),
            kind: "audio".into(),
            direction: Some(direction.into()),
            current_direction: Some(current.into()),
            rejected: false,
        };
        View {
            sections: vec![section],
            ..View::default()
        }
    }

    #[test]
    fn sides_that_mirror_each_other_agree() {
        assert_eq!(
            view("sendrecv", "recvonly").agree(&view("sendonly", "sendonly")),
            Ok(())
        );
        assert_eq!(
            view("inactive", "inactive").agree(&view("sendrecv", "inactive")),
            Ok(())
        );
    }

    #[test]
    fn sides_that_do_not_are_told_where() {
        let same_way = view("sendonly", "sendonly").agree(&view("sendonly", "sendonly"));
        assert!(same_way.unwrap_err().contains("mirror"));
        let unfinished = view("sendrecv", "inactive").agree(&view("sendrecv", "inactive"));
        assert!(unfinished.unwrap_err().contains("want"));
        assert!(
            view("sendrecv", "sendrecv")
                .agree(&View::default())
                .is_err()
        );
        let mut other = view("sendrecv", "sendrecv");
        other.sections[0].mid = "1".into();
        assert!(view("sendrecv", "sendrecv").agree(&other).is_err());
    }

    #[test]
    fn m_lines_are_read_from_a_description() {
        let sdp = "v=0\r\nm=audio 9 X 111\r\na=mid:a\r\nm=video 0 X 96\r\na=mid:b\r\n\
                   m=application 0 X y\r\na=mid:c\r\na=bundle-only\r\n";
        let read: Vec<_> = sections_of(sdp)
            .into_iter()
            .map(|it| (it.kind, it.mid, it.rejected))
            .collect();
        let expected = [
            ("audio", "a", false),
            ("video", "b", true),
            ("application", "c", false),
        ];
        assert_eq!(
            read,
            expected.map(|(kind, mid, no)| (kind.into(), mid.into(), no))
        );
    }

    #[test]
    fn the_json_is_what_the_page_reads() {
        let note = Note::View(view("sendrecv", "recvonly"));
        let json = serde_json::to_string(&note).unwrap();
        assert!(
            json.starts_with(r#"{"view":{"polite":false,"signalingState":"#),
            "{json}"
        );
        assert!(json.contains(r#""currentDirection":"recvonly""#), "{json}");
        assert_eq!(serde_json::from_str::<Note>(&json).unwrap(), note);
        assert_eq!(
            serde_json::to_string(&Note::Ping(7)).unwrap(),
            r#"{"ping":7}"#
        );
    }
}
