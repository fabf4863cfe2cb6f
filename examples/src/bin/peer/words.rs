//! The lines in words, for people.

use std::fmt;

use crate::{
    lines::{Attributes, Line, Origin},
    traffic::Tally,
};

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |it: &Option<String>| it.clone().unwrap_or_else(|| "unknown".to_owned());
        match self {
            Self::Signal { url } => write!(f, "the mailbox is at {url}"),
            Self::State { connection } => write!(f, "the connection is {}", connection.0),
            Self::CandidateError { url, code, text } => write!(f, "{url}: {code} {text}"),
            Self::DataChannel(channel) => write!(f, "the other peer opened {channel}"),
            Self::Open {
                attributes,
                origin: Origin::Created,
            } => {
                write!(f, "our {attributes} is open")
            }
            Self::Open { attributes, .. } => write!(f, "their {attributes} is open"),
            Self::Transport {
                local,
                remote,
                dtls_cipher,
                ..
            } => {
                write!(
                    f,
                    "from {} to {}, {}",
                    known(local),
                    known(remote),
                    known(dtls_cipher)
                )
            }
            Self::Track { kind, id } => write!(f, "their {kind} track {id:?} is there"),
            Self::Media(came) => write!(f, "{came}"),
            Self::Recorded { path, frames } => write!(f, "{path} has {frames} frames"),
            Self::Done {} => write!(f, "done"),
            Self::Close { label, .. } => write!(f, "channel {label:?} is closed"),
            Self::ChannelError { what } => write!(f, "the channel says: {what}"),
            Self::Error { what } => write!(f, "error: {what}"),
            Self::End {
                result,
                sent,
                received,
            } => {
                write!(f, "{result:?}: sent {sent}; received {received}")
            }
        }
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.ordered { "ordered" } else { "unordered" };
        write!(f, "channel {:?} ({order}", self.label)?;
        if let Some(id) = self.id {
            write!(f, ", id {id}")?;
        }
        if let Some(number) = self.max_retransmits {
            write!(f, ", at most {number} retransmissions")?;
        }
        if let Some(time) = self.max_packet_life_time {
            write!(f, ", for at most {time} ms")?;
        }
        if !self.protocol.is_empty() {
            write!(f, ", protocol {:?}", self.protocol)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            text,
            binary,
            empty_text,
            empty_binary,
            bytes,
        } = self;
        let empty = empty_text + empty_binary;
        write!(
            f,
            "{text} text, {binary} binary, {empty} empty, {bytes} bytes"
        )
    }
}
