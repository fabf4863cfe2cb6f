//! `a=rtpmap`, `a=fmtp`, `a=extmap`: the formats of RTP.

use core::fmt::{self, Write};

use super::Direction;
use super::value::{Value, standalone};
use crate::fields::{Fields, Why, is_digits, number};
use crate::number::write_number;
use crate::{ExtmapId, PayloadType, Text, Word};

/// The format an attribute speaks of: one of those in the `m=` line, or all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Format {
    /// One payload type.
    PayloadType(PayloadType),
    /// `*`, every format of the section (RFC 4585 §4.2).
    Any,
    /// A format that is no payload type.
    Name(Word),
}

impl Format {
    /// Whether this speaks of `payload_type`.
    pub fn covers(&self, payload_type: PayloadType) -> bool {
        match self {
            Self::PayloadType(own) => *own == payload_type,
            Self::Any => true,
            Self::Name(_) => false,
        }
    }

    pub(super) fn parse(field: &str) -> Result<Self, Why> {
        if is_digits(field) {
            return PayloadType::parse(field).map(Self::PayloadType);
        }
        Ok(match field {
            "*" => Self::Any,
            name => Self::Name(Word::checked(name)),
        })
    }
}

impl Format {
    pub(super) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        match self {
            Self::PayloadType(payload_type) => write_number(out, payload_type.value()),
            Self::Any => out.write_char('*'),
            Self::Name(name) => out.write_str(name),
        }
    }
}

impl From<PayloadType> for Format {
    fn from(payload_type: PayloadType) -> Self {
        Self::PayloadType(payload_type)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// `a=rtpmap:<payload type> <encoding>/<clock rate>[/<parameters>]` (RFC 8866 §6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtpmap {
    /// The payload type.
    pub payload_type: PayloadType,
    /// The codec's name; names are compared without regard to case (RFC 4855 §3).
    pub encoding: Word,
    /// Ticks of the RTP timestamp in a second.
    pub clock_rate: u32,
    /// For audio the number of channels; left out or 1 for one (Firefox writes `G722/8000/1`).
    pub parameters: Option<Word>,
}

impl Rtpmap {
    /// The number of audio channels, 1 where nothing is said.
    pub fn channels(&self) -> u32 {
        let channels = self.parameters.as_ref().map(|channels| channels.parse());
        channels.and_then(Result::ok).unwrap_or(1)
    }
}

impl Value for Rtpmap {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let payload_type = PayloadType::parse(fields.required("no payload type")?)?;
        let codec = fields.required("no encoding")?;
        fields.end()?;
        let mut parts = codec.splitn(3, '/');
        let encoding = parts.next().filter(|encoding| !encoding.is_empty());
        let encoding = Word::checked(encoding.ok_or("no encoding")?);
        let clock_rate = parts.next().ok_or("no clock rate")?;
        let clock_rate = number(clock_rate, "not a clock rate")?;
        let parameters = match parts.next() {
            Some("") => return Err("empty encoding parameters"),
            parameters => parameters.map(Word::checked),
        };
        Ok(Self {
            payload_type,
            encoding,
            clock_rate,
            parameters,
        })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, self.payload_type.value())?;
        out.write_char(' ')?;
        out.write_str(&self.encoding)?;
        out.write_char('/')?;
        write_number(out, self.clock_rate)?;
        match &self.parameters {
            Some(parameters) => {
                out.write_char('/')?;
                out.write_str(parameters)
            }
            None => Ok(()),
        }
    }
}

/// `a=fmtp:<format> <parameters>` (RFC 8866 §6.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fmtp {
    /// The format.
    pub format: Format,
    /// The parameters as they are spelled: mostly `name=value` separated by `;`, but also such as
    /// `0-15` (RFC 4733) or `111/111` (RFC 2198). Some stacks write none.
    pub parameters: Text,
}

impl Fmtp {
    /// The pieces between semicolons, each cut at its first `=`, white space trimmed.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> + Clone {
        split_parameters(&self.parameters)
    }

    /// The value of the parameter `name`; names are compared without regard to case
    /// (RFC 4855 §3).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters();
        let (_, value) = parameters.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        value
    }
}

pub(super) fn split_parameters(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> + Clone {
    text.split(';')
        .map(|piece| match piece.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (piece.trim(), None),
        })
        .filter(|piece| *piece != ("", None))
}

impl Value for Fmtp {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let format = Format::parse(fields.required("no format")?)?;
        let parameters = Text::checked(fields.rest().unwrap_or_default());
        Ok(Self { format, parameters })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        self.format.write(out)?;
        if self.parameters.is_empty() {
            return Ok(());
        }
        out.write_char(' ')?;
        out.write_str(&self.parameters)
    }
}

/// `a=extmap:<id>[/<direction>] <uri> [<attributes>]` (RFC 8285 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extmap {
    /// The id in packets.
    pub id: ExtmapId,
    /// The direction, if it is not the section's.
    pub direction: Option<Direction>,
    /// What the extension is.
    pub uri: Word,
    /// What the extension's own specification defines.
    pub attributes: Option<Text>,
}

impl Value for Extmap {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let id = fields.required("no extension id")?;
        let (id, direction) = match id.split_once('/') {
            Some((id, direction)) => {
                let direction = Direction::parse(direction).ok_or("not a direction")?;
                (id, Some(direction))
            }
            None => (id, None),
        };
        let id = ExtmapId::parse(id)?;
        let uri = Word::checked(fields.required("no URI")?);
        let attributes = fields.rest().map(Text::checked);
        Ok(Self {
            id,
            direction,
            uri,
            attributes,
        })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, self.id.value())?;
        if let Some(direction) = self.direction {
            out.write_char('/')?;
            out.write_str(direction.as_str())?;
        }
        out.write_char(' ')?;
        out.write_str(&self.uri)?;
        match &self.attributes {
            Some(attributes) => write!(out, " {attributes}"),
            None => Ok(()),
        }
    }
}

standalone! {
    Rtpmap = "a=rtpmap",
    Fmtp = "a=fmtp",
    Extmap = "a=extmap",
}
