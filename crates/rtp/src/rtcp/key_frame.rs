//! Requests for a key frame: picture loss indication
//! ([RFC 4585 §6.3.1](https://www.rfc-editor.org/rfc/rfc4585#section-6.3.1)) and full intra request
//! ([RFC 5104 §4.3.1](https://www.rfc-editor.org/rfc/rfc5104#section-4.3.1)).

use pc_proto::{ParseError, Reader, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// Pictures were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pli {
    /// Who says it.
    pub sender: Ssrc,
    /// Whose pictures.
    pub media: Ssrc,
}

impl Pli {
    /// Its bytes.
    pub const LEN: usize = HEADER_LEN + 8;

    pub(super) fn read(raw: Raw<'_>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        Ok(Self {
            sender: Ssrc(reader.u32("PLI sender")?),
            media: Ssrc(reader.u32("PLI source")?),
        })
    }

    /// How many bytes [`write`](Self::write) writes.
    pub const fn wire_len(&self) -> usize {
        Self::LEN
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(writer, 1, packet_type::PAYLOAD_FEEDBACK, Self::LEN)?;
        writer.u32(self.sender.0)?;
        writer.u32(self.media.0)
    }
}

/// Key frames are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirView<'a> {
    /// Who needs them.
    pub sender: Ssrc,
    entries: &'a [u8],
}

/// A key frame of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirEntry {
    /// Whose.
    pub ssrc: Ssrc,
    /// One more with each new request; the same when one is repeated.
    pub sequence_number: u8,
}

impl<'a> FirView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        let sender = Ssrc(reader.u32("FIR sender")?);
        // §4.3.1.2: unused, 0.
        reader.u32("FIR source")?;
        Ok(Self {
            sender,
            entries: reader.rest(),
        })
    }

    /// Of whom.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + use<'a> {
        let (entries, _) = self.entries.as_chunks::<8>();
        entries
            .iter()
            .map(|[a, b, c, d, sequence_number, ..]| FirEntry {
                ssrc: Ssrc(u32::from_be_bytes([*a, *b, *c, *d])),
                sequence_number: *sequence_number,
            })
    }
}

/// A request for key frames, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fir<'a> {
    /// Who needs them.
    pub sender: Ssrc,
    /// Of whom.
    pub entries: &'a [FirEntry],
}

impl Fir<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 8 + 8 * self.entries.len()
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(writer, 4, packet_type::PAYLOAD_FEEDBACK, self.wire_len())?;
        writer.u32(self.sender.0)?;
        writer.u32(0)?;
        self.entries.iter().try_for_each(|entry| {
            writer.u32(entry.ssrc.0)?;
            writer.u8(entry.sequence_number)?;
            writer.u24(0)
        })
    }
}
