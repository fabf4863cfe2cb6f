//! `a=group`, `a=msid`, `a=msid-semantic`: what belongs together.

use core::fmt::{self, Write};

use super::value::{Value, standalone};
use crate::fields::{Fields, Why};
use crate::media::word_enum;
use crate::{Word, WordList};

word_enum! {
    /// Why sections are grouped (RFC 5888 §5).
    GroupSemantics {
        /// They share one transport (RFC 9143 §4).
        Bundle = "BUNDLE",
        /// They are played in step (RFC 5888 §7).
        LipSynchronization = "LS",
        /// They carry one flow (RFC 5888 §8).
        FlowIdentification = "FID",
    }
}

/// `a=group:<semantics> <mid> …` (RFC 5888 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Why they are grouped.
    pub semantics: GroupSemantics,
    /// The sections' mids.
    pub mids: WordList,
}

impl Group {
    /// `BUNDLE` of these mids.
    pub fn bundle(mids: impl IntoIterator<Item = Word>) -> Self {
        Self {
            semantics: GroupSemantics::Bundle,
            mids: mids.into_iter().collect(),
        }
    }
}

impl Value for Group {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let semantics = GroupSemantics::parse(fields.required("no semantics")?);
        let mids = WordList::split(fields.rest().unwrap_or_default(), &[]);
        Ok(Self { semantics, mids })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_list(out, self.semantics.as_str(), &self.mids)
    }
}

fn write_list(out: &mut dyn Write, head: &str, list: &WordList) -> fmt::Result {
    out.write_str(head)?;
    if !list.is_empty() {
        out.write_char(' ')?;
        out.write_str(list.as_str())?;
    }
    Ok(())
}

/// `a=msid:<stream> [<track>]` (RFC 8830 §2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Msid {
    /// The stream's id, `-` for no stream (RFC 9429 §5.2.1).
    pub stream: Word,
    /// The track's id ("application data"); newer browsers leave it out.
    pub track: Option<Word>,
}

impl Msid {
    /// The stream's id, `None` where it is `-`.
    pub fn stream_id(&self) -> Option<&Word> {
        (self.stream != "-").then_some(&self.stream)
    }
}

impl Value for Msid {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let stream = Word::checked(fields.required("no stream id")?);
        let track = fields.next().map(Word::checked);
        fields.end()?;
        Ok(Self { stream, track })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(&self.stream)?;
        match &self.track {
            Some(track) => write!(out, " {track}"),
            None => Ok(()),
        }
    }
}

/// `a=msid-semantic:<semantic> <stream> …`: `WMS`, then the streams or `*`; meaning nothing since
/// RFC 8830, and still written by every browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MsidSemantic {
    /// The semantic, `WMS`.
    pub semantic: Word,
    /// The streams' ids, or `*` for all.
    pub streams: WordList,
}

impl Value for MsidSemantic {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let semantic = Word::checked(fields.required("no semantic")?);
        let streams = WordList::split(fields.rest().unwrap_or_default(), &[]);
        Ok(Self { semantic, streams })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_list(out, &self.semantic, &self.streams)
    }
}

standalone! {
    Group = "a=group",
    Msid = "a=msid",
    MsidSemantic = "a=msid-semantic",
}
