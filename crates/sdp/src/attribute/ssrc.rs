//! `a=ssrc` and `a=ssrc-group` (RFC 5576).

use core::fmt::{self, Write};

use super::value::{Value, standalone};
use crate::fields::{Fields, Why};
use crate::media::word_enum;
use crate::number::write_number;
use crate::{Ssrc, Text, Word};

/// `a=ssrc:<ssrc> <name>[:<value>]` (RFC 5576 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsrcAttribute {
    /// The source.
    pub ssrc: Ssrc,
    /// The attribute's name, such as `cname` (§6.1).
    pub name: Word,
    /// Its value.
    pub value: Option<Text>,
}

impl SsrcAttribute {
    /// The value, if this is the source's `cname` (RFC 5576 §6.1).
    pub fn cname(&self) -> Option<&Text> {
        let value = self.value.as_ref();
        value.filter(|_| self.name == "cname")
    }
}

impl Value for SsrcAttribute {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let ssrc = Ssrc::parse(fields.required("no SSRC")?)?;
        let attribute = fields.rest().ok_or("no attribute")?;
        let (name, value) = match attribute.split_once(':') {
            Some((name, value)) => (name, Some(Text::checked(value))),
            None => (attribute, None),
        };
        let name = Word::new(name).map_err(|_| "the attribute's name is not a word")?;
        Ok(Self { ssrc, name, value })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, self.ssrc.0)?;
        out.write_char(' ')?;
        out.write_str(&self.name)?;
        match &self.value {
            Some(value) => {
                out.write_char(':')?;
                out.write_str(value)
            }
            None => Ok(()),
        }
    }
}

word_enum! {
    /// Why sources are grouped (RFC 5576 §4.2).
    SsrcGroupSemantics {
        /// A stream and its retransmissions (RFC 4588 §8.8 by way of RFC 5576 §10.1).
        FlowIdentification = "FID",
        /// A stream and its FEC (RFC 5576 §10.2).
        ForwardErrorCorrection = "FEC",
        /// A stream and its FEC (RFC 5956 §4.3).
        ForwardErrorCorrectionFramework = "FEC-FR",
        /// Simulcast before RFC 8853.
        Simulcast = "SIM",
    }
}

/// `a=ssrc-group:<semantics> <ssrc> …` (RFC 5576 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsrcGroup {
    /// Why they are grouped.
    pub semantics: SsrcGroupSemantics,
    /// The sources.
    pub ssrcs: Vec<Ssrc>,
}

impl Value for SsrcGroup {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let semantics = SsrcGroupSemantics::parse(fields.required("no semantics")?);
        let mut ssrcs = Vec::new();
        while let Some(field) = fields.next() {
            ssrcs.push(Ssrc::parse(field)?);
        }
        Ok(Self { semantics, ssrcs })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.semantics.as_str())?;
        let mut ssrcs = self.ssrcs.iter();
        ssrcs.try_for_each(|ssrc| write!(out, " {ssrc}"))
    }
}

standalone! {
    SsrcAttribute = "a=ssrc",
    SsrcGroup = "a=ssrc-group",
}
