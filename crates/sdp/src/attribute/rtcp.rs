//! `a=rtcp-fb` and `a=rtcp`.

use core::fmt::{self, Write};

use super::Format;
use super::value::{Value, standalone};
use crate::fields::{Fields, PORT, Why, number};
use crate::{NetworkAddress, Text};

/// `a=rtcp-fb:<format> <feedback>` (RFC 4585 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcpFb {
    /// The format that may get it.
    pub format: Format,
    /// The feedback.
    pub feedback: Feedback,
}

/// A kind of feedback (RFC 4585 §4.2, RFC 5104 §7.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feedback {
    /// `nack`: lost packets (RFC 4585 §6.2.1).
    Nack,
    /// `nack pli`: a lost picture (RFC 4585 §6.3.1).
    NackPli,
    /// `ccm fir`: a full picture, please (RFC 5104 §3.5.1).
    CcmFir,
    /// `goog-remb`: the receiver's estimate of the bandwidth (draft-alvestrand-rmcat-remb).
    GoogRemb,
    /// `transport-cc`: arrival times (draft-holmer-rmcat-transport-wide-cc-extensions).
    TransportCc,
    /// `ack ccfb`: arrival times (RFC 8888 §6).
    AckCcfb,
    /// Any other.
    Other(Text),
}

impl Feedback {
    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Nack => "nack",
            Self::NackPli => "nack pli",
            Self::CcmFir => "ccm fir",
            Self::GoogRemb => "goog-remb",
            Self::TransportCc => "transport-cc",
            Self::AckCcfb => "ack ccfb",
            Self::Other(other) => other,
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "nack" => Self::Nack,
            "nack pli" => Self::NackPli,
            "ccm fir" => Self::CcmFir,
            "goog-remb" => Self::GoogRemb,
            "transport-cc" => Self::TransportCc,
            "ack ccfb" => Self::AckCcfb,
            other => Self::Other(Text::checked(other)),
        }
    }
}

impl fmt::Display for Feedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Value for RtcpFb {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let format = Format::parse(fields.required("no format")?)?;
        let feedback = Feedback::parse(fields.rest().ok_or("no feedback")?);
        Ok(Self { format, feedback })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        self.format.write(out)?;
        out.write_char(' ')?;
        out.write_str(self.feedback.as_str())
    }
}

/// `a=rtcp:<port> [<address>]` (RFC 3605 §2.1): where RTCP goes without ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtcp {
    /// The port.
    pub port: u16,
    /// The address, if it is not that of `c=`.
    pub address: Option<NetworkAddress>,
}

impl Value for Rtcp {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let port = number(fields.required("no port")?, PORT)?;
        let Some(address) = fields.rest() else {
            return Ok(Self {
                port,
                address: None,
            });
        };
        let mut fields = Fields::new(address);
        let address = Some(NetworkAddress::parse(&mut fields)?);
        fields.end()?;
        Ok(Self { port, address })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{}", self.port)?;
        match &self.address {
            Some(address) => write!(out, " {address}"),
            None => Ok(()),
        }
    }
}

standalone! {
    RtcpFb = "a=rtcp-fb",
}
