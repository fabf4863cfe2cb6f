//! Packets to be sent again,
//! [RFC 4585 §6.2.1](https://www.rfc-editor.org/rfc/rfc4585#section-6.2.1).
//!
//! ```text
//! |V=2|P| FMT=1   |    PT=205     |             length            |
//! |                     SSRC of packet sender                     |
//! |                     SSRC of media source                      |
//! |          packet id            | bitmask of the 16 that follow |  …
//! ```

use pc_proto::{ParseError, Reader, Serial16, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// Packets that somebody has not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NackView<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// Whose packets.
    pub media: Ssrc,
    pairs: &'a [u8],
}

impl<'a> NackView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        Ok(Self {
            sender: Ssrc(reader.u32("NACK sender")?),
            media: Ssrc(reader.u32("NACK source")?),
            pairs: reader.rest(),
        })
    }

    /// Which: 17 at most for every four bytes.
    pub fn lost(&self) -> impl Iterator<Item = Serial16> + use<'a> {
        let (pairs, _) = self.pairs.as_chunks::<4>();
        pairs.iter().flat_map(|[a, b, c, d]| {
            let first = Serial16(u16::from_be_bytes([*a, *b]));
            let mask = u16::from_be_bytes([*c, *d]);
            let others = (0..16).filter(move |bit| mask >> bit & 1 == 1);
            std::iter::once(first).chain(others.map(move |bit| first.plus(bit + 1)))
        })
    }
}

/// Packets that are wanted again, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who wants them.
    pub sender: Ssrc,
    /// Whose packets.
    pub media: Ssrc,
    /// Which, in ascending order.
    pub lost: &'a [Serial16],
}

impl Nack<'_> {
    /// Packet ids, each with the mask of those that follow.
    fn pairs(&self) -> impl Iterator<Item = (Serial16, u16)> {
        let mut rest = self.lost.iter().copied().peekable();
        std::iter::from_fn(move || {
            let first = rest.next()?;
            let mut mask = 0;
            while let Some(step @ 1..=16) = rest.peek().map(|next| next.steps_from(first)) {
                mask |= 1 << (step - 1);
                rest.next();
            }
            Some((first, mask))
        })
    }

    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 8 + 4 * self.pairs().count()
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(writer, 1, packet_type::TRANSPORT_FEEDBACK, self.wire_len())?;
        writer.u32(self.sender.0)?;
        writer.u32(self.media.0)?;
        self.pairs().try_for_each(|(first, mask)| {
            writer.u16(first.0)?;
            writer.u16(mask)
        })
    }
}
