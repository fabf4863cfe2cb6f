//! Open bitstream units, AV1 §5.3.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |0| type  |X|S|-|
//! +-+-+-+-+-+-+-+-+
//! | TID |SID|-|-|-|  X
//! +-+-+-+-+-+-+-+-+
//! | size (leb128) |  S
//! +-+-+-+-+-+-+-+-+
//! | payload …     |
//! ```

use pc_proto::{ParseError, Reader};

pub(super) const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
pub(super) const FRAME_HEADER: u8 = 3;
pub(super) const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;

const FORBIDDEN: u8 = 0x80;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

/// AV1 §4.10.5: at most eight bytes.
const MAX_LEB128_LEN: u32 = 8;

/// An OBU.
#[derive(Debug, Clone, Copy)]
pub(super) struct Obu<'a> {
    /// The header, with its extension if it has one, as if there were no size.
    pub(super) header: [u8; 2],
    pub(super) header_len: usize,
    pub(super) payload: &'a [u8],
}

impl<'a> Obu<'a> {
    /// The next one of a stream of OBUs with sizes; the last may be without.
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let (mut obu, has_size) = Self::parse_header(reader)?;
        let len = match has_size {
            true => leb128(reader, "OBU size")?,
            false => reader.remaining(),
        };
        obu.payload = reader.bytes(len, "OBU payload")?;
        Ok(obu)
    }

    /// One that is an RTP element. A size is not needed there, but right where it is.
    pub(super) fn parse_element(element: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(element);
        let obu = Self::parse(&mut reader)?;
        reader.finish("bytes after an OBU")?;
        Ok(obu)
    }

    /// As much as there is of an OBU whose end is in a later payload.
    pub(super) fn parse_start(element: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(element);
        let (mut obu, has_size) = Self::parse_header(&mut reader)?;
        if has_size {
            leb128(&mut reader, "OBU size")?;
        }
        obu.payload = reader.rest();
        Ok(obu)
    }

    fn parse_header(reader: &mut Reader<'a>) -> Result<(Self, bool), ParseError> {
        let first = reader.u8("OBU header")?;
        if first & FORBIDDEN != 0 {
            return Err(ParseError {
                what: "OBU forbidden bit",
                at: reader.at() - 1,
            });
        }
        let (extension, header_len) = match first & HAS_EXTENSION {
            0 => (0, 1),
            _ => (reader.u8("OBU extension")?, 2),
        };
        let obu = Self {
            header: [first & !HAS_SIZE, extension],
            header_len,
            payload: &[],
        };
        Ok((obu, first & HAS_SIZE != 0))
    }

    pub(super) const fn kind(&self) -> u8 {
        self.header[0] >> 3 & 0x0F
    }

    /// The temporal and the spatial layer.
    pub(super) fn layer(&self) -> Option<(u8, u8)> {
        let extension = self.header[1];
        (self.header_len == 2).then_some((extension >> 5, extension >> 3 & 3))
    }

    /// AV1 RTP §5: temporal delimiters and tile lists are taken out by the sender, and passed over by
    /// the receiver.
    pub(super) const fn travels(&self) -> bool {
        !matches!(self.kind(), TEMPORAL_DELIMITER | TILE_LIST)
    }

    /// The header as it is before a size.
    pub(super) const fn sized_header(&self) -> [u8; 2] {
        [self.header[0] | HAS_SIZE, self.header[1]]
    }
}

/// A length, AV1 §4.10.5: seven bits a byte, the lowest first; less than 2^32.
pub(super) fn leb128(reader: &mut Reader<'_>, what: &'static str) -> Result<usize, ParseError> {
    let error = reader.error(what);
    let mut value = 0;
    for index in 0..MAX_LEB128_LEN {
        let byte = reader.u8(what)?;
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok();
            return value.and_then(|value| value.try_into().ok()).ok_or(error);
        }
    }
    Err(error)
}

/// How many bytes a length takes.
pub(super) const fn leb128_len(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// A length as bytes, and how many of them it takes.
pub(super) fn write_leb128(mut value: usize) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let len = leb128_len(value);
    for byte in bytes.iter_mut().take(len) {
        *byte = value as u8 | 0x80;
        value >>= 7;
    }
    if let Some(last) = bytes.get_mut(len - 1) {
        *last &= 0x7F;
    }
    (bytes, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leb128_comes_back() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 21, u32::MAX as usize] {
            let (bytes, len) = write_leb128(value);
            let mut reader = Reader::new(&bytes[..len]);
            assert_eq!(leb128(&mut reader, ""), Ok(value));
            assert!(reader.is_empty());
        }
        assert_eq!(write_leb128(300), ([0xAC, 0x02, 0, 0, 0, 0, 0, 0, 0, 0], 2));
    }

    #[test]
    fn leb128_is_bounded() {
        let read = |bytes: &[u8]| leb128(&mut Reader::new(bytes), "");
        // Padded with zeros it is still a number.
        assert_eq!(read(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), Ok(1));
        assert!(read(&[0x80; 8]).is_err());
        assert!(read(&[0xFF; 12]).is_err());
        assert!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]).is_err()); // above 2^32 - 1
        assert!(read(&[0x80]).is_err());
    }
}
