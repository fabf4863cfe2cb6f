//! The end of sources, [RFC 3550 §6.6](https://www.rfc-editor.org/rfc/rfc3550#section-6.6).

use pc_proto::{ParseError, Reader, WriteError, Writer};

use super::{HEADER_LEN, MAX_COUNT, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// Sources that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByeView<'a> {
    ssrcs: &'a [u8],
    /// Why, if that is said.
    pub reason: Option<&'a [u8]>,
}

impl<'a> ByeView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        let ssrcs = reader.bytes(usize::from(raw.count) * 4, "BYE sources")?;
        let reason = if reader.is_empty() {
            None
        } else {
            let len = reader.u8("BYE reason")?;
            Some(reader.bytes(usize::from(len), "BYE reason")?)
        };
        Ok(Self { ssrcs, reason })
    }

    /// Which.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let (chunks, _) = self.ssrcs.as_chunks::<4>();
        chunks.iter().map(|bytes| Ssrc(u32::from_be_bytes(*bytes)))
    }
}

/// Sources that end, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bye<'a> {
    /// Which; the first 31 are written.
    pub ssrcs: &'a [Ssrc],
}

impl Bye<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 4 * self.ssrcs.len().min(MAX_COUNT)
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let count = self.ssrcs.len().min(MAX_COUNT);
        write_header(writer, count, packet_type::BYE, self.wire_len())?;
        self.ssrcs
            .iter()
            .take(count)
            .try_for_each(|ssrc| writer.u32(ssrc.0))
    }
}
