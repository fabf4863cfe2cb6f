//! The attributes of a checked message, and which of them count.

use std::ops::Range;

use pc_proto::{ParseError, Reader};

use crate::attribute::ATTRIBUTE_HEADER_LEN;
use crate::header::HEADER_LEN;
use crate::{Attribute, AttributeType};

/// One attribute as it is on the wire.
pub(super) struct Tlv<'a> {
    pub(super) kind: AttributeType,
    /// Without the padding.
    pub(super) value: &'a [u8],
    /// Where its type starts.
    pub(super) at: u16,
}

impl<'a> Tlv<'a> {
    /// Reads an attribute and its padding, whose bytes mean nothing (RFC 8489 §14).
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        // A message is shorter than 2^16 + 20 bytes and ends with a whole attribute.
        let at = reader.at() as u16;
        let head = reader.u32("attribute header")?;
        let kind = AttributeType((head >> 16) as u16);
        let len = (head & 0xFFFF) as usize;
        let padded = reader.bytes(len.next_multiple_of(4), "attribute value")?;
        let value = padded.get(..len).unwrap_or_default();
        Ok(Self { kind, value, at })
    }

    /// An error at this attribute's type.
    pub(super) fn error(&self, what: &'static str) -> ParseError {
        ParseError {
            what,
            at: usize::from(self.at),
        }
    }
}

/// Which attributes count from here on. RFC 8489 §14.5–14.6
///
/// ```text
///            after(MESSAGE-INTEGRITY)          after(MESSAGE-INTEGRITY-SHA256)
///   Open ─────────────────────────────► AfterSha1 ──────────────────────────► AfterSha256
///     └───────────────────────────────────────────────────────────────────────────▲
///                        after(MESSAGE-INTEGRITY-SHA256)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// All do.
    Open,
    /// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT do.
    AfterSha1,
    /// FINGERPRINT does.
    AfterSha256,
}

impl Phase {
    #[inline]
    pub(super) fn admits(self, kind: AttributeType) -> bool {
        match self {
            Self::Open => true,
            Self::AfterSha1 => {
                kind == AttributeType::MESSAGE_INTEGRITY_SHA256
                    || kind == AttributeType::FINGERPRINT
            }
            Self::AfterSha256 => kind == AttributeType::FINGERPRINT,
        }
    }

    #[inline]
    pub(super) fn after(self, kind: AttributeType) -> Self {
        match kind {
            AttributeType::MESSAGE_INTEGRITY => Self::AfterSha1,
            AttributeType::MESSAGE_INTEGRITY_SHA256 => Self::AfterSha256,
            _ => self,
        }
    }
}

/// The attributes of a message that count, in their order.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    reader: Reader<'a>,
    phase: Phase,
    id: &'a [u8; 12],
}

impl<'a> Attributes<'a> {
    /// Of a message whose attributes have been checked.
    #[inline]
    pub(super) fn new(message: &'a [u8], id: &'a [u8; 12]) -> Self {
        let mut reader = Reader::new(message);
        // Always there in a checked message.
        let _ = reader.bytes(HEADER_LEN, "header");
        Self {
            reader,
            phase: Phase::Open,
            id,
        }
    }

    /// The next that counts, not decoded.
    #[inline]
    fn next_tlv(&mut self) -> Option<Tlv<'a>> {
        loop {
            let tlv = Tlv::read(&mut self.reader).ok()?;
            if self.phase.admits(tlv.kind) {
                self.phase = self.phase.after(tlv.kind);
                return Some(tlv);
            }
        }
    }

    /// The next of a type, not decoded.
    #[inline]
    fn tlv_of(mut self, kind: AttributeType) -> Option<Tlv<'a>> {
        loop {
            let tlv = self.next_tlv()?;
            if tlv.kind == kind {
                return Some(tlv);
            }
        }
    }

    /// The value of the next of a type.
    #[inline]
    pub(super) fn value_of(self, kind: AttributeType) -> Option<&'a [u8]> {
        Some(self.tlv_of(kind)?.value)
    }

    /// Where in the message the value of the next of a type is.
    pub(super) fn range_of(self, kind: AttributeType) -> Option<Range<usize>> {
        let tlv = self.tlv_of(kind)?;
        let start = usize::from(tlv.at) + ATTRIBUTE_HEADER_LEN;
        Some(start..start + tlv.value.len())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let Tlv { kind, value, .. } = self.next_tlv()?;
        Some(Attribute::decode(kind, value, self.id).unwrap_or(Attribute::Unknown { kind, value }))
    }
}
