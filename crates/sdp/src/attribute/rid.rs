//! `a=rid` (RFC 8851) and `a=simulcast` (RFC 8853).

use core::fmt::{self, Write};

use super::rtp::split_parameters;
use super::value::{Value, standalone};
use crate::fields::{Fields, Why};
use crate::{InvalidValue, PayloadType, Text, Word};

/// Who sends a stream, seen from the one who writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// The one who writes it.
    Send,
    /// The other.
    Recv,
}

impl RidDirection {
    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Recv => "recv",
        }
    }

    fn parse(word: &str) -> Result<Self, Why> {
        match word {
            "send" => Ok(Self::Send),
            "recv" => Ok(Self::Recv),
            _ => Err("the direction is neither send nor recv"),
        }
    }
}

/// `a=rid:<id> <direction> [<restrictions>]` (RFC 8851 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rid {
    /// The stream's id, which RTP carries in a header extension.
    pub id: Word,
    /// Who sends it.
    pub direction: RidDirection,
    /// The restrictions as they are spelled, as in `pt=96,97;max-width=1280`.
    pub restrictions: Option<Text>,
}

impl Rid {
    /// The restrictions, cut at `;` and `=` (RFC 8851 §5).
    pub fn restrictions(&self) -> impl Iterator<Item = (&str, Option<&str>)> + Clone {
        split_parameters(self.restrictions.as_deref().unwrap_or_default())
    }

    /// The payload types that `pt=` restricts the stream to; none where it does not
    /// (RFC 8851 §10).
    pub fn payload_types(&self) -> impl Iterator<Item = PayloadType> {
        let lists = self.restrictions().filter(|(name, _)| *name == "pt");
        lists
            .flat_map(|(_, list)| list.unwrap_or_default().split(','))
            .filter_map(|digits| PayloadType::parse(digits).ok())
    }
}

/// RFC 8851 §10, `rid-id`: letters, digits, `-` and `_`.
fn check_rid(id: &str) -> Result<&str, Why> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.is_empty() || !id.bytes().all(is_allowed) {
        return Err("a rid is not of letters, digits, - and _");
    }
    Ok(id)
}

impl Value for Rid {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let id = Word::checked(check_rid(fields.required("no rid")?)?);
        let direction = RidDirection::parse(fields.required("no direction")?)?;
        let restrictions = fields.rest().map(Text::checked);
        Ok(Self {
            id,
            direction,
            restrictions,
        })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{} {}", self.id, self.direction.as_str())?;
        match &self.restrictions {
            Some(restrictions) => write!(out, " {restrictions}"),
            None => Ok(()),
        }
    }
}

/// `a=simulcast:[send <streams>] [recv <streams>]` (RFC 8853 §5.1); at least one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulcast {
    /// The streams that the one who writes this offers to send.
    pub send: Option<SimulcastStreams>,
    /// The streams that it offers to receive.
    pub recv: Option<SimulcastStreams>,
}

impl Value for Simulcast {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let (mut send, mut recv) = (None, None);
        while let Some(direction) = fields.next() {
            let streams = SimulcastStreams::parse_list(fields.required("no streams")?)?;
            let own = match RidDirection::parse(direction)? {
                RidDirection::Send => &mut send,
                RidDirection::Recv => &mut recv,
            };
            if own.replace(streams).is_some() {
                return Err("a direction is there twice");
            }
        }
        if send.is_none() && recv.is_none() {
            return Err("neither send nor recv");
        }
        Ok(Self { send, recv })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        if let Some(streams) = &self.send {
            write!(out, "send {}", streams.0)?;
        }
        if self.send.is_some() && self.recv.is_some() {
            out.write_char(' ')?;
        }
        match &self.recv {
            Some(streams) => write!(out, "recv {}", streams.0),
            None => Ok(()),
        }
    }
}

/// The streams of one direction in one allocation: `;` between streams, `,` between the
/// alternatives of one, `~` before a rid that begins paused (RFC 8853 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulcastStreams(Box<str>);

/// One alternative of a simulcast stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SimulcastId<'a> {
    /// The rid.
    pub rid: &'a str,
    /// Whether it begins paused.
    pub paused: bool,
}

impl<'a> SimulcastId<'a> {
    fn parse(text: &'a str) -> Self {
        let (rid, paused) = match text.strip_prefix('~') {
            Some(rid) => (rid, true),
            None => (text, false),
        };
        Self { rid, paused }
    }
}

impl SimulcastStreams {
    /// Streams, each with its alternatives, most wanted first.
    ///
    /// # Errors
    /// [`InvalidValue`] for no stream, a stream without alternative, or what is no rid.
    pub fn new<'a, S>(streams: impl IntoIterator<Item = S>) -> Result<Self, InvalidValue>
    where
        S: IntoIterator<Item = SimulcastId<'a>>,
    {
        let invalid = |why| InvalidValue::new("a=simulcast", why);
        let mut list = String::new();
        for (index, alternatives) in streams.into_iter().enumerate() {
            if index > 0 {
                list.push(';');
            }
            for (index, id) in alternatives.into_iter().enumerate() {
                let separator = if index == 0 { "" } else { "," };
                let mark = if id.paused { "~" } else { "" };
                list.extend([separator, mark, check_rid(id.rid).map_err(invalid)?]);
            }
        }
        Self::parse_list(&list).map_err(invalid)
    }

    /// The streams, each as its alternatives.
    pub fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = SimulcastId<'_>>> {
        let streams = self.0.split(';');
        streams.map(|stream| stream.split(',').map(SimulcastId::parse))
    }

    fn parse_list(text: &str) -> Result<Self, Why> {
        for id in text.split([';', ',']) {
            check_rid(SimulcastId::parse(id).rid)?;
        }
        Ok(Self(text.into()))
    }
}

standalone! {
    Rid = "a=rid",
    Simulcast = "a=simulcast",
}
