//! The lines other than `v=`, `s=` and `m=`.

use core::fmt::{self, Write};

use crate::fields::{Fields, Why, number};
use crate::spelled::WriteLine;
use crate::{Attribute, Connection, InvalidValue, NetworkAddress, Text, Word};

/// One line of a session or media section (RFC 8866 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `i=`, a description for people (§5.4).
    Information(Text),
    /// `u=`, where to read more (§5.5).
    Uri(Text),
    /// `e=`, an email address (§5.6).
    Email(Text),
    /// `p=`, a phone number (§5.6).
    Phone(Text),
    /// `c=`, the connection address (§5.7).
    Connection(Connection),
    /// `b=`, a bandwidth limit (§5.8).
    Bandwidth(Bandwidth),
    /// `t=`, when the session is active (§5.9).
    Timing(Timing),
    /// `r=`, repeat times (§5.10).
    Repeat(Text),
    /// `z=`, time zone adjustment (§5.11).
    Zone(Text),
    /// `k=`, an obsolete encryption key (§5.12): kept, never used, not shown by `Debug`.
    Key(Key),
    /// `a=`, an attribute (§5.13).
    Attribute(Attribute),
}

impl Line {
    /// The letter before `=`.
    pub fn letter(&self) -> char {
        match self {
            Self::Information(_) => 'i',
            Self::Uri(_) => 'u',
            Self::Email(_) => 'e',
            Self::Phone(_) => 'p',
            Self::Connection(_) => 'c',
            Self::Bandwidth(_) => 'b',
            Self::Timing(_) => 't',
            Self::Repeat(_) => 'r',
            Self::Zone(_) => 'z',
            Self::Key(_) => 'k',
            Self::Attribute(_) => 'a',
        }
    }

    /// The attribute, if this is one.
    pub fn attribute(&self) -> Option<&Attribute> {
        match self {
            Self::Attribute(attribute) => Some(attribute),
            _ => None,
        }
    }

    /// Where the line stands in the order of RFC 8866 §5.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Information(_) => 0,
            Self::Uri(_) => 1,
            Self::Email(_) => 2,
            Self::Phone(_) => 3,
            Self::Connection(_) => 4,
            Self::Bandwidth(_) => 5,
            Self::Timing(_) | Self::Repeat(_) => 6,
            Self::Zone(_) => 7,
            Self::Key(_) => 8,
            Self::Attribute(_) => 9,
        }
    }

    /// The line of type `letter`; `None` for a letter that is no part of a section.
    pub(crate) fn parse(letter: u8, value: &str) -> Option<Result<Self, InvalidValue>> {
        let invalid = |what| move |why| InvalidValue::new(what, why);
        Some(match letter {
            b'a' => Attribute::parse(value).map(Self::Attribute),
            b'c' => Connection::parse(value)
                .map(Self::Connection)
                .map_err(invalid("c=")),
            b'b' => Bandwidth::parse(value)
                .map(Self::Bandwidth)
                .map_err(invalid("b=")),
            b't' => Timing::parse(value)
                .map(Self::Timing)
                .map_err(invalid("t=")),
            b'i' => Ok(Self::Information(Text::checked(value))),
            b'u' => Ok(Self::Uri(Text::checked(value))),
            b'e' => Ok(Self::Email(Text::checked(value))),
            b'p' => Ok(Self::Phone(Text::checked(value))),
            b'r' => Ok(Self::Repeat(Text::checked(value))),
            b'z' => Ok(Self::Zone(Text::checked(value))),
            b'k' => Ok(Self::Key(Key(Text::checked(value)))),
            _ => return None,
        })
    }
}

impl WriteLine for Line {
    fn write_line(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_char(self.letter())?;
        out.write_char('=')?;
        match self {
            Self::Information(text)
            | Self::Uri(text)
            | Self::Email(text)
            | Self::Phone(text)
            | Self::Repeat(text)
            | Self::Zone(text)
            | Self::Key(Key(text)) => out.write_str(text),
            Self::Connection(connection) => write!(out, "{connection}"),
            Self::Bandwidth(bandwidth) => write!(out, "{bandwidth}"),
            Self::Timing(timing) => write!(out, "{timing}"),
            Self::Attribute(attribute) => attribute.write(out),
        }
    }
}

impl From<Attribute> for Line {
    fn from(attribute: Attribute) -> Self {
        Self::Attribute(attribute)
    }
}

impl From<Connection> for Line {
    fn from(connection: Connection) -> Self {
        Self::Connection(connection)
    }
}

impl From<Bandwidth> for Line {
    fn from(bandwidth: Bandwidth) -> Self {
        Self::Bandwidth(bandwidth)
    }
}

impl From<Timing> for Line {
    fn from(timing: Timing) -> Self {
        Self::Timing(timing)
    }
}

/// The value of `k=`: obsolete, kept to be written back, and hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Text);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// `o=`: who made the session, and which version of it this is (RFC 8866 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The user's login, `-` where there is none.
    pub username: Word,
    /// The session's id.
    pub session_id: u64,
    /// Grows with every changed description (RFC 9429 §5.2.2).
    pub session_version: u64,
    /// The address of the one who made it.
    pub address: NetworkAddress,
}

impl Origin {
    /// `- <session_id> <session_version> IN IP4 0.0.0.0`, as RFC 9429 §5.2.1 would have it.
    pub fn new(session_id: u64, session_version: u64) -> Self {
        Self {
            username: Word::checked("-"),
            session_id,
            session_version,
            address: NetworkAddress::UNSPECIFIED,
        }
    }

    pub(crate) fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let username = Word::checked(fields.required("no username")?);
        let session_id = fields.required("no session id")?;
        let session_version = fields.required("no session version")?;
        let address = NetworkAddress::parse(&mut fields)?;
        fields.end()?;
        Ok(Self {
            username,
            session_id: number(session_id, "the session id is not a 64-bit number")?,
            session_version: number(
                session_version,
                "the session version is not a 64-bit number",
            )?,
            address,
        })
    }
}

impl WriteLine for Origin {
    fn write_line(&self, out: &mut dyn Write) -> fmt::Result {
        let Self {
            username,
            session_id,
            session_version,
            address,
        } = self;
        write!(out, "o={username} {session_id} {session_version} {address}")
    }
}

/// `t=`: start and stop in seconds since 1900, 0 for "always" (RFC 8866 §5.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// When the session starts.
    pub start: u64,
    /// When it ends.
    pub stop: u64,
}

impl Timing {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let start = number(fields.required("no start time")?, "not a start time")?;
        let stop = number(fields.required("no stop time")?, "not a stop time")?;
        fields.end()?;
        Ok(Self { start, stop })
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.start, self.stop)
    }
}

/// `b=`: a bandwidth limit (RFC 8866 §5.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bandwidth {
    /// What is limited, and in which unit.
    pub kind: BandwidthKind,
    /// The limit.
    pub value: u64,
}

/// The modifier of `b=`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BandwidthKind {
    /// `CT`: of the whole conference, in kbit/s (RFC 8866 §5.8).
    ConferenceTotal,
    /// `AS`: of one application, lower layers included, in kbit/s (RFC 8866 §5.8).
    ApplicationSpecific,
    /// `TIAS`: of one application without lower layers, in bit/s (RFC 3890 §6.2).
    TransportIndependent,
    /// `RS`: RTCP of senders, in bit/s (RFC 3556 §2).
    RtcpSenders,
    /// `RR`: RTCP of receivers, in bit/s (RFC 3556 §2).
    RtcpReceivers,
    /// Any other, to be ignored.
    Other(Word),
}

impl Bandwidth {
    fn parse(value: &str) -> Result<Self, Why> {
        let (kind, value) = value.split_once(':').ok_or("not <type>:<number>")?;
        let kind = match kind {
            "CT" => BandwidthKind::ConferenceTotal,
            "AS" => BandwidthKind::ApplicationSpecific,
            "TIAS" => BandwidthKind::TransportIndependent,
            "RS" => BandwidthKind::RtcpSenders,
            "RR" => BandwidthKind::RtcpReceivers,
            other => BandwidthKind::Other(
                Word::new(other).map_err(|_| "the bandwidth type is not a word")?,
            ),
        };
        let value = number(value.trim_matches([' ', '\t']), "not a bandwidth")?;
        Ok(Self { kind, value })
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            BandwidthKind::ConferenceTotal => "CT",
            BandwidthKind::ApplicationSpecific => "AS",
            BandwidthKind::TransportIndependent => "TIAS",
            BandwidthKind::RtcpSenders => "RS",
            BandwidthKind::RtcpReceivers => "RR",
            BandwidthKind::Other(kind) => kind,
        };
        write!(f, "{kind}:{}", self.value)
    }
}
