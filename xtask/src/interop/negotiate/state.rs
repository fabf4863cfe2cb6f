//! What a side says of itself, in the same words for both.

use serde::Deserialize;

/// A connection's states, its transceivers and its transports.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) signaling_state: String,
    /// For the message of a failure.
    #[allow(dead_code)]
    pub(super) connection_state: String,
    pub(super) transceivers: Vec<Transceiver>,
    pub(super) transports: Vec<Transport>,
}

/// One transceiver.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transceiver {
    pub(super) mid: Option<String>,
    pub(super) kind: String,
    pub(super) direction: String,
    pub(super) current_direction: Option<String>,
}

/// One pair of DTLS and ICE transport, and the m-sections over it ("data" for data channels).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Transport {
    pub(super) dtls: String,
    pub(super) ice: String,
    pub(super) mids: Vec<String>,
}

impl Transport {
    /// Whether media could flow.
    pub(super) fn is_up(&self) -> bool {
        self.dtls == "connected" && ["connected", "completed"].contains(&self.ice.as_str())
    }
}

impl State {
    /// The transceivers that have a mid, by it.
    pub(super) fn by_mid(&self) -> Vec<&Transceiver> {
        let mut all: Vec<_> = self
            .transceivers
            .iter()
            .filter(|it| it.mid.is_some())
            .collect();
        all.sort_by(|a, b| a.mid.cmp(&b.mid));
        all
    }
}

/// The same direction seen from across.
pub(super) fn reversed(direction: &str) -> &str {
    match direction {
        "sendonly" => "recvonly",
        "recvonly" => "sendonly",
        same => same,
    }
}

/// An m-section of a description's text, as far as the scenarios look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) media: String,
    pub(super) rejected: bool,
    pub(super) mid: Option<String>,
    /// All its lines, the m-line first.
    pub(super) lines: Vec<String>,
}

impl Section {
    /// The values of `a=<name>:…`.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.lines.iter();
        lines.filter_map(move |line| {
            line.strip_prefix("a=")?
                .strip_prefix(name)?
                .strip_prefix(':')
        })
    }

    /// Whether there is a line `a=<name>`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.lines
            .iter()
            .any(|line| line.strip_prefix("a=") == Some(name))
    }
}

/// The m-sections of a description.
pub(super) fn sections(sdp: &str) -> Vec<Section> {
    let mut all: Vec<Section> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split(' ');
            all.push(Section {
                media: words.next().unwrap_or_default().to_owned(),
                rejected: words.next() == Some("0"),
                ..Section::default()
            });
        }
        let Some(section) = all.last_mut() else {
            continue;
        };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            section.mid = Some(mid.to_owned());
        }
        section.lines.push(line.to_owned());
    }
    // A rejected section that is bundle-only in an offer has port 0 and yet stands, RFC 9143 §6.
    for section in &mut all {
        section.rejected &= !section.has("bundle-only");
    }
    all
}

/// The mids of `a=group:BUNDLE`.
pub(super) fn bundle(sdp: &str) -> Vec<String> {
    let line = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=group:BUNDLE"));
    let mids = line.unwrap_or_default().split_whitespace();
    mids.map(str::to_owned).collect()
}

/// The `a=ice-ufrag` of every section, in their order.
pub(super) fn ufrags(sdp: &str) -> Vec<String> {
    let lines = sdp.lines();
    let values = lines.filter_map(|line| line.strip_prefix("a=ice-ufrag:"));
    values.map(str::to_owned).collect()
}
