//! `docs/w3c-coverage.toml`: what the rule of names does not find, and what is absent.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// The specifications to cover.
    pub(crate) specifications: Vec<String>,
    /// The modules, beside the root, in which the rule of names looks for types.
    pub(crate) modules: Vec<String>,
    /// Definition to the Rust types that carry it.
    #[serde(default)]
    pub(crate) types: BTreeMap<String, Items>,
    /// Definition to the Rust enums whose variants are its events.
    #[serde(default)]
    pub(crate) events: BTreeMap<String, Items>,
    /// `Definition.member` to the Rust items that carry it.
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Items>,
    /// What has no item.
    #[serde(default)]
    pub(crate) absent: Vec<Because>,
    /// What has an item that refuses it by name.
    #[serde(default)]
    pub(crate) refused: Vec<Because>,
}

/// One path, or several that must all exist.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Items {
    One(String),
    Several(Vec<String>),
}

/// A reason, and what is absent or refused for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Because {
    pub(crate) reason: String,
    /// `Definition` with all its members, `Definition.member`, `Definition.*`; `*` stands for any text.
    pub(crate) of: Vec<String>,
}

impl Items {
    /// The paths.
    pub(crate) fn paths(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}

/// The entry of `list` that says most precisely why of `definition`, or of its `member`: the indices
/// of the reason and of the pattern.
pub(crate) fn most_precise(
    list: &[Because],
    definition: &str,
    member: Option<&str>,
) -> Option<(usize, usize)> {
    let entries = list.iter().enumerate().flat_map(|(reason, entry)| {
        let patterns = entry.of.iter().enumerate();
        patterns.map(move |(at, pattern)| (precision(pattern), (reason, at), pattern))
    });
    entries
        .filter(|(_, _, pattern)| covers(pattern, definition, member))
        .max_by_key(|(precision, ..)| *precision)
        .map(|(_, found, _)| found)
}

/// One of a member is more precise than one of a definition; then the one with more of its own text.
fn precision(pattern: &str) -> (bool, usize) {
    let text = pattern.bytes().filter(|byte| *byte != b'*').count();
    (pattern.contains('.'), text)
}

fn covers(pattern: &str, definition: &str, member: Option<&str>) -> bool {
    match (pattern.split_once('.'), member) {
        (None, _) => matches(pattern, definition),
        (Some((of, name)), Some(member)) => matches(of, definition) && matches(name, member),
        (Some(_), None) => false,
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| matches(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("RTC*Stats", "RTCStats"));
        assert!(matches("RTC*Stats", "RTCCodecStats"));
        assert!(!matches("RTC*Stats", "RTCStatsType"));
        assert!(matches("*", ""));
        assert!(!matches("createOffer", "createOffer(RTCOfferOptions)"));
    }

    #[test]
    fn the_most_precise_reason_counts() {
        let because = |reason: &str, of: &[&str]| Because {
            reason: reason.into(),
            of: of.iter().map(|it| (*it).to_owned()).collect(),
        };
        let absent = [
            because("media", &["RTCRtpSender", "RTCPeerConnection.get*"]),
            because("statistics", &["*.getStats"]),
        ];
        let found = |definition: &str, member| most_precise(&absent, definition, member);
        assert_eq!(found("RTCRtpSender", None), Some((0, 0)));
        assert_eq!(found("RTCRtpSender", Some("track")), Some((0, 0)));
        assert_eq!(found("RTCRtpSender", Some("getStats")), Some((1, 0)));
        assert_eq!(found("RTCPeerConnection", None), None);
        assert_eq!(found("RTCPeerConnection", Some("getSenders")), Some((0, 1)));
    }
}
