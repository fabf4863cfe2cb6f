//! What is printed: a line for every event.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use peerconnection::{DataChannel, engine::TransportInfo, state::PeerConnectionState};
use serde::{Serialize, Serializer};
use tokio::time::Instant;

use crate::{media::Came, traffic::Tally};

/// Prints lines to stdout.
pub(crate) struct Lines {
    is_json: bool,
    begin: Instant,
}

/// One line. Its name in JSON is the event's.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// The mailbox is served here.
    Signal { url: String },
    /// The connection's state has changed.
    State { connection: State },
    /// A STUN or TURN server could not be used.
    CandidateError {
        url: String,
        code: u16,
        text: String,
    },
    /// A channel was accepted.
    DataChannel(Attributes),
    /// A channel is open.
    Open {
        #[serde(flatten)]
        attributes: Attributes,
        origin: Origin,
    },
    /// How the connection runs.
    #[serde(rename_all = "camelCase")]
    Transport {
        local: Option<String>,
        remote: Option<String>,
        tls_version: Option<String>,
        dtls_cipher: Option<String>,
    },
    /// A track of the other peer is there.
    Track { kind: String, id: String },
    /// What came of one kind in the time that was asked for.
    Media(Came),
    /// A recording is whole.
    Recorded { path: String, frames: u64 },
    /// The script's own part is complete.
    Done {},
    /// A channel is closed.
    Close {
        label: String,
        id: Option<u16>,
        connection: State,
    },
    /// A channel's own error event; its close follows. When the remote ends the connection with an
    /// abort this is how that looks, so it is no failure in itself.
    ChannelError { what: String },
    /// Something is wrong.
    Error { what: String },
    /// The last line.
    End {
        result: Outcome,
        sent: Tally,
        received: Tally,
    },
}

/// A data channel's attributes by the W3C's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attributes {
    pub(crate) label: String,
    pub(crate) id: Option<u16>,
    pub(crate) ordered: bool,
    pub(crate) max_retransmits: Option<u16>,
    pub(crate) max_packet_life_time: Option<u16>,
    pub(crate) protocol: String,
    negotiated: bool,
}

impl Attributes {
    pub(crate) fn of(channel: &DataChannel) -> Self {
        Self {
            label: channel.label().to_owned(),
            id: channel.id(),
            ordered: channel.ordered(),
            max_retransmits: channel.max_retransmits(),
            max_packet_life_time: channel.max_packet_life_time(),
            protocol: channel.protocol().to_owned(),
            negotiated: channel.negotiated(),
        }
    }
}

/// `connectionState` as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State(pub(crate) PeerConnectionState);

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// Who made a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    Created,
    Accepted,
}

/// How the script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// All went as asked.
    Ok,
    /// Something was wrong.
    Failed,
    /// The connection failed before any channel was open.
    ConnectionFailed,
    /// Time ran out.
    Timeout,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Ok => 0,
            Self::Failed => 1,
            // 2 is for wrong flags.
            Self::ConnectionFailed => 3,
            Self::Timeout => 4,
        })
    }
}

#[derive(Serialize)]
struct Stamped<'a> {
    event: &'static str,
    ms: u64,
    #[serde(flatten)]
    line: &'a Line,
}

impl Lines {
    /// Time is counted from here.
    pub(crate) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            begin: Instant::now(),
        }
    }

    pub(crate) fn print(&self, line: &Line) {
        let ms = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let text = self.text(ms, line);
        // A reader that has gone does not end the script: the other peer still counts on it.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    fn text(&self, ms: u64, line: &Line) -> String {
        let stamped = Stamped {
            event: line.event(),
            ms,
            line,
        };
        match serde_json::to_string(&stamped) {
            Ok(json) if self.is_json => json,
            _ => format!("{ms:>6} ms  {line}"),
        }
    }
}

impl Line {
    pub(crate) fn transport(info: TransportInfo) -> Self {
        let (local, remote) = info.candidate_pair.unzip();
        Self::Transport {
            local,
            remote,
            tls_version: info.tls_version,
            dtls_cipher: info.dtls_cipher,
        }
    }

    fn event(&self) -> &'static str {
        match self {
            Self::Signal { .. } => "signal",
            Self::State { .. } => "state",
            Self::CandidateError { .. } => "icecandidateerror",
            Self::DataChannel(_) => "datachannel",
            Self::Open { .. } => "open",
            Self::Transport { .. } => "transport",
            Self::Track { .. } => "track",
            Self::Media(_) => "media",
            Self::Recorded { .. } => "recorded",
            Self::Done {} => "done",
            Self::Close { .. } => "close",
            Self::ChannelError { .. } => "channelerror",
            Self::Error { .. } => "error",
            Self::End { .. } => "end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_contract() {
        let json = Lines::new(true);
        let state = State(PeerConnectionState::Connecting);
        assert_eq!(
            json.text(12, &Line::State { connection: state }),
            r#"{"event":"state","ms":12,"connection":"connecting"}"#
        );
        assert_eq!(
            json.text(230, &Line::Done {}),
            r#"{"event":"done","ms":230}"#
        );
        let attributes = Attributes {
            label: "chat".into(),
            id: Some(1),
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            protocol: String::new(),
            negotiated: false,
        };
        assert_eq!(
            json.text(
                55,
                &Line::Open {
                    attributes,
                    origin: Origin::Created
                }
            ),
            r#"{"event":"open","ms":55,"label":"chat","id":1,"ordered":true,"maxRetransmits":null,"maxPacketLifeTime":null,"protocol":"","negotiated":false,"origin":"created"}"#
        );
        let came = Line::Media(Came::Audio {
            codec: Some("audio/opus".into()),
            samples: 48_000,
            level: Some(-23.0),
            tone: None,
        });
        assert_eq!(
            json.text(9, &came),
            r#"{"event":"media","ms":9,"kind":"audio","codec":"audio/opus","samples":48000,"level":-23.0,"tone":null}"#
        );
        let end = Line::End {
            result: Outcome::ConnectionFailed,
            sent: Tally::default(),
            received: Tally {
                text: 1,
                bytes: 3,
                ..Tally::default()
            },
        };
        assert_eq!(
            json.text(1, &end),
            r#"{"event":"end","ms":1,"result":"connection-failed","sent":{"text":0,"binary":0,"emptyText":0,"emptyBinary":0,"bytes":0},"received":{"text":1,"binary":0,"emptyText":0,"emptyBinary":0,"bytes":3}}"#
        );
    }
}
