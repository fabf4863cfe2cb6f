//! SCTP packets and chunks, [RFC 9260 §3](https://www.rfc-editor.org/rfc/rfc9260#section-3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------------------------------+-------------------------------+
//! |          Source Port          |       Destination Port        |
//! +-------------------------------+-------------------------------+
//! |                       Verification Tag                        |
//! +---------------------------------------------------------------+
//! |                  Checksum (CRC-32C, little-endian)            |
//! +---------------+---------------+-------------------------------+
//! |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
//! +---------------+---------------+-------------------------------+
//! |                   Chunk Value, padded to 4                    | ...
//! +---------------------------------------------------------------+
//! ```

use pc_proto::{ParseError, Reader};

/// RFC 9260 §3.1.
pub(crate) const COMMON_HEADER_LEN: usize = 12;
/// RFC 9260 §3.2.
pub(crate) const CHUNK_HEADER_LEN: usize = 4;
/// RFC 9260 §3.3.1: chunk header, TSN, stream, SSN and PPID.
pub(crate) const DATA_HEADER_LEN: usize = 16;
const CHECKSUM_AT: usize = 8;

/// Chunk types: RFC 9260 §3.2, RFC 6525 §3, RFC 3758 §3.2.
pub(crate) mod chunk {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INIT_ACK: u8 = 2;
    pub(crate) const SACK: u8 = 3;
    pub(crate) const HEARTBEAT: u8 = 4;
    pub(crate) const HEARTBEAT_ACK: u8 = 5;
    pub(crate) const ABORT: u8 = 6;
    pub(crate) const SHUTDOWN: u8 = 7;
    pub(crate) const SHUTDOWN_ACK: u8 = 8;
    pub(crate) const ERROR: u8 = 9;
    pub(crate) const COOKIE_ECHO: u8 = 10;
    pub(crate) const COOKIE_ACK: u8 = 11;
    pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
    pub(crate) const RE_CONFIG: u8 = 130;
    pub(crate) const FORWARD_TSN: u8 = 192;
}

/// The common header without its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) tag: u32,
}

/// One chunk of a checked packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) value: &'a [u8],
}

/// A packet whose checksum is right and whose chunks lie within it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketView<'a> {
    pub(crate) header: Header,
    chunks: Reader<'a>,
}

impl<'a> PacketView<'a> {
    /// Checks the checksum and the bounds of every chunk.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let view = Self::parse_unsummed(bytes)?;
        let found = bytes.get(CHECKSUM_AT..COMMON_HEADER_LEN);
        if found != Some(&checksum(bytes).to_le_bytes()) {
            let (what, at) = ("checksum", CHECKSUM_AT);
            return Err(ParseError { what, at });
        }
        Ok(view)
    }

    /// As [`parse`](Self::parse), for a packet that this process made itself.
    pub(crate) fn parse_unsummed(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let header = Header {
            source_port: reader.u16("source port")?,
            destination_port: reader.u16("destination port")?,
            tag: reader.u32("verification tag")?,
        };
        reader.u32("checksum")?;
        let mut rest = reader;
        if rest.is_empty() {
            return Err(rest.error("no chunk"));
        }
        while !rest.is_empty() {
            read_chunk(&mut rest)?;
        }
        Ok(Self {
            header,
            chunks: reader,
        })
    }

    pub(crate) fn chunks(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut rest = self.chunks;
        std::iter::from_fn(move || read_chunk(&mut rest).ok())
    }
}

fn read_chunk<'a>(reader: &mut Reader<'a>) -> Result<Chunk<'a>, ParseError> {
    let kind = reader.u8("chunk type")?;
    let flags = reader.u8("chunk flags")?;
    let value = read_value(reader, "chunk length")?;
    Ok(Chunk { kind, flags, value })
}

/// A length that counts the four bytes before it ends, a value and its padding.
fn read_value<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a [u8], ParseError> {
    let error = reader.error(what);
    let len = usize::from(reader.u16(what)?);
    let len = len.checked_sub(CHUNK_HEADER_LEN).ok_or(error)?;
    let value = reader.bytes(len, what)?;
    // The last one's padding may be missing: RFC 9260 §3.2 forbids it, but nothing hinges on it.
    reader.bytes(padding(len).min(reader.remaining()), what)?;
    Ok(value)
}

/// A parameter: type and value, RFC 9260 §3.2.1.
pub(crate) fn read_param<'a>(reader: &mut Reader<'a>) -> Result<(u16, &'a [u8]), ParseError> {
    let kind = reader.u16("parameter type")?;
    Ok((kind, read_value(reader, "parameter length")?))
}

/// How many bytes bring `len` to a multiple of four.
pub(crate) const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}

/// RFC 9260 §6.8 and appendix A: CRC-32C over the packet with a checksum of zero.
fn checksum(packet: &[u8]) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(packet.get(..CHECKSUM_AT).unwrap_or_default());
    digest.update(&[0; 4]);
    digest.update(packet.get(COMMON_HEADER_LEN..).unwrap_or_default());
    // The algorithm has 32 bits.
    digest.finalize() as u32
}

/// Writes the checksum of `packet` into it.
pub(crate) fn seal(packet: &mut [u8]) {
    let sum = checksum(packet).to_le_bytes();
    if let Some(place) = packet.get_mut(CHECKSUM_AT..COMMON_HEADER_LEN) {
        place.copy_from_slice(&sum);
    }
}

/// Builds a packet chunk by chunk.
#[derive(Debug, Clone)]
pub(crate) struct PacketBuilder {
    bytes: Vec<u8>,
}

impl PacketBuilder {
    pub(crate) fn new(header: Header) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(header.source_port.to_be_bytes());
        bytes.extend(header.destination_port.to_be_bytes());
        bytes.extend(header.tag.to_be_bytes());
        bytes.extend([0; 4]);
        Self { bytes }
    }

    /// Whether it has no chunk yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.len() == COMMON_HEADER_LEN
    }

    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a chunk; a value longer than a chunk can be is cut.
    pub(crate) fn chunk(&mut self, kind: u8, flags: u8, parts: &[&[u8]]) -> &mut Self {
        let start = self.bytes.len();
        self.bytes.extend([kind, flags, 0, 0]);
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.bytes.truncate(start + usize::from(u16::MAX));
        let len = self.bytes.len() - start;
        if let Some(place) = self.bytes.get_mut(start + 2..start + 4) {
            place.copy_from_slice(&(len as u16).to_be_bytes());
        }
        self.bytes.resize(start + len + padding(len), 0);
        self
    }

    /// The packet with its checksum.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        seal(&mut self.bytes);
        self.bytes
    }
}

/// Appends a parameter. Its padding comes with the next one, since a chunk's length does not count
/// the padding of its last (RFC 9260 §3.2).
pub(crate) fn push_param(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.resize(bytes.len() + padding(bytes.len()), 0);
    let len = CHUNK_HEADER_LEN + value.len();
    bytes.extend(kind.to_be_bytes());
    bytes.extend((len as u16).to_be_bytes());
    bytes.extend_from_slice(value);
}
