//! What applications make of RTCP,
//! [RFC 3550 §6.7](https://www.rfc-editor.org/rfc/rfc3550#section-6.7).

use pc_proto::{ParseError, Reader};

use super::compound::Raw;
use crate::Ssrc;

/// A packet of an application's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppView<'a> {
    /// The application's own five bits.
    pub subtype: u8,
    /// Who sends it.
    pub ssrc: Ssrc,
    /// Four letters.
    pub name: [u8; 4],
    /// Anything.
    pub data: &'a [u8],
}

impl<'a> AppView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        Ok(Self {
            subtype: raw.count,
            ssrc: Ssrc(reader.u32("APP source")?),
            name: reader.array("APP name")?,
            data: reader.rest(),
        })
    }
}
