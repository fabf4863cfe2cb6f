//! Retransmission, [RFC 4588 §4](https://www.rfc-editor.org/rfc/rfc4588#section-4).
//!
//! ```text
//! +---------------+---------------+
//! | original sequence number      |
//! +---------------+---------------+
//! | original payload …            |
//! ```

use pc_proto::{ParseError, Reader, Serial16, WriteError, Writer};

/// How many bytes stand before the original payload: the original sequence number.
pub const HEADER_LEN: usize = 2;

/// The sequence number and the payload of the packet that is sent again. A packet without an original
/// payload is padding that probes for bandwidth.
///
/// # Errors
///
/// There is no sequence number.
pub fn parse(payload: &[u8]) -> Result<(Serial16, &[u8]), ParseError> {
    let mut reader = Reader::new(payload);
    let original = Serial16(reader.u16("RTX original sequence number")?);
    Ok((original, reader.rest()))
}

/// Writes a retransmission of `payload`: [`HEADER_LEN`] bytes more than it has.
///
/// # Errors
///
/// There is no room.
pub fn write(
    original: Serial16,
    payload: &[u8],
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    writer.u16(original.0)?;
    writer.bytes(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_comes_back() {
        let mut bytes = [0; 5];
        write(Serial16(0xFFFE), b"abc", &mut Writer::new(&mut bytes)).unwrap();
        assert_eq!(bytes, [0xFF, 0xFE, b'a', b'b', b'c']);
        assert_eq!(parse(&bytes), Ok((Serial16(0xFFFE), &b"abc"[..])));
        assert_eq!(parse(&bytes[..2]), Ok((Serial16(0xFFFE), &b""[..])));
        assert!(parse(&bytes[..1]).is_err());
        assert!(write(Serial16(0), b"abc", &mut Writer::new(&mut bytes[..4])).is_err());
    }
}
