//! Source descriptions, [RFC 3550 §6.5](https://www.rfc-editor.org/rfc/rfc3550#section-6.5).
//!
//! ```text
//! |V=2|P|   SC    |  PT=SDES=202  |             length            |
//! |                          SSRC/CSRC                            |  for each chunk
//! |     item      |    length     | text …        | 0 … to a word |
//! ```

use pc_proto::{ParseError, Reader, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// The item of the canonical name, §6.5.1.
const CNAME: u8 = 1;

/// Descriptions of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdesView<'a> {
    count: u8,
    body: &'a [u8],
}

/// One source's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdesChunkView<'a> {
    /// Whose.
    pub ssrc: Ssrc,
    items: &'a [u8],
}

/// One thing about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// What it is: 1 is the canonical name.
    pub kind: u8,
    /// What it says; UTF-8 by the specification.
    pub text: &'a [u8],
}

impl<'a> SdesView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        for _ in 0..raw.count {
            read_chunk(&mut reader)?;
        }
        Ok(Self {
            count: raw.count,
            body: raw.body,
        })
    }

    /// The descriptions.
    pub fn chunks(&self) -> impl Iterator<Item = SdesChunkView<'a>> + use<'a> {
        let mut reader = Reader::new(self.body);
        (0..self.count).map_while(move |_| read_chunk(&mut reader).ok())
    }
}

/// Items up to the zero that ends them, and zeros to the next word.
fn read_chunk<'a>(reader: &mut Reader<'a>) -> Result<SdesChunkView<'a>, ParseError> {
    let ssrc = Ssrc(reader.u32("SDES chunk")?);
    let all = reader.rest();
    let begin = reader.at();
    while reader.u8("SDES item")? != 0 {
        let len = reader.u8("SDES item")?;
        reader.bytes(usize::from(len), "SDES item")?;
    }
    let items = all.get(..reader.at() - begin - 1).unwrap_or_default();
    // A chunk begins at a word; so do these bytes, for the body does.
    let len = reader.at() - begin;
    reader.bytes(len.next_multiple_of(4) - len, "SDES padding")?;
    Ok(SdesChunkView { ssrc, items })
}

impl<'a> SdesChunkView<'a> {
    /// What is said.
    pub fn items(&self) -> impl Iterator<Item = SdesItem<'a>> + use<'a> {
        let mut reader = Reader::new(self.items);
        std::iter::from_fn(move || {
            let kind = reader.u8("SDES item").ok()?;
            let len = reader.u8("SDES item").ok()?;
            let text = reader.bytes(usize::from(len), "SDES item").ok()?;
            Some(SdesItem { kind, text })
        })
    }

    /// The canonical name, §6.5.1.
    pub fn cname(&self) -> Option<&'a [u8]> {
        let mut items = self.items();
        items.find(|item| item.kind == CNAME).map(|item| item.text)
    }
}

/// The canonical name of a source, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sdes<'a> {
    /// Whose.
    pub ssrc: Ssrc,
    /// The name; the first 255 bytes are written.
    pub cname: &'a str,
}

impl Sdes<'_> {
    fn name(&self) -> &[u8] {
        let bytes = self.cname.as_bytes();
        bytes.get(..255).unwrap_or(bytes)
    }

    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        // At least one zero ends the items.
        HEADER_LEN + 4 + (2 + self.name().len() + 1).next_multiple_of(4)
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(writer, 1, packet_type::SDES, self.wire_len())?;
        writer.u32(self.ssrc.0)?;
        writer.u8(CNAME)?;
        writer.u8(self.name().len() as u8)?;
        writer.bytes(self.name())?;
        let len = 2 + self.name().len();
        writer.zeros((len + 1).next_multiple_of(4) - len)
    }
}
