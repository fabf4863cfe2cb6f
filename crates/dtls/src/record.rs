//! Record headers, [RFC 6347 §4.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.1) and
//! [RFC 9147 §4](https://www.rfc-editor.org/rfc/rfc9147#section-4), read only as far as it takes to
//! tell a record that may be legitimate from one that cannot be.
//!
//! ```text
//!  fixed header (13 bytes): DTLS 1.2, and DTLS 1.3 in the clear
//!  +------+---------+-------+-----------------+--------+----------
//!  | type | version | epoch | sequence number | length | fragment
//!  +------+---------+-------+-----------------+--------+----------
//!     1        2        2            6             2
//!
//!  unified header (2 to 5 bytes): DTLS 1.3, protected
//!  +-----------------+-----------------+------------------+---------
//!  | 0 0 1 C S L E E | sequence number | length (L is set)| fragment
//!  +-----------------+-----------------+------------------+---------
//!           1           1 or 2 (S set)           0 or 2
//! ```

use pc_proto::{Reader, Writer};

use crate::Rejected;

/// The length of a fixed header in bytes.
pub(crate) const HEADER_LEN: usize = 13;

/// The most bytes that a record's fragment may have: 2^14 of plaintext, and 256 for protection
/// (RFC 9147 §4.2; the 2,048 of RFC 6347 §4.1.2.1 are for ciphers that are not used here).
const MAX_FRAGMENT: usize = 16_384 + 256;

/// Content types, RFC 6347 §4.1 and RFC 9147 §4.1.
pub(crate) mod content_type {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const APPLICATION_DATA: u8 = 23;
    pub(crate) const ACK: u8 = 26;
}

/// One record of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) header: Header,
    /// Header and fragment.
    pub(crate) bytes: &'a [u8],
    pub(crate) fragment: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Fixed {
        content_type: u8,
        epoch: u16,
        sequence: u64,
    },
    /// Everything in it but the flags is encrypted or of no interest.
    Unified,
}

/// The records of a datagram, front to back. The first one that is ill-formed ends it, since
/// nothing tells where the next one would begin.
pub(crate) struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    pub(crate) fn new(datagram: &'a [u8]) -> Self {
        Self(datagram)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let result = parse(self.0);
        self.0 = match result {
            Ok(record) => self.0.get(record.bytes.len()..).unwrap_or_default(),
            Err(_) => &[],
        };
        Some(result)
    }
}

/// The first record of `bytes`.
fn parse(bytes: &[u8]) -> Result<Record<'_>, Rejected> {
    let mut reader = Reader::new(bytes);
    let truncated = |_| Rejected::Truncated;
    let first = reader.u8("content type").map_err(truncated)?;
    let (header, len) = if first & 0b1110_0000 == 0b0010_0000 {
        if first & 0b0001_0000 != 0 {
            return Err(Rejected::ConnectionId);
        }
        let sequence_len = if first & 0b0000_1000 != 0 { 2 } else { 1 };
        reader
            .bytes(sequence_len, "sequence number")
            .map_err(truncated)?;
        let len = if first & 0b0000_0100 != 0 {
            usize::from(reader.u16("length").map_err(truncated)?)
        } else {
            reader.remaining()
        };
        (Header::Unified, len)
    } else {
        fixed_header(first, &mut reader)?
    };
    if len > MAX_FRAGMENT {
        return Err(Rejected::Oversize);
    }
    let fragment = reader.bytes(len, "fragment").map_err(truncated)?;
    let bytes = bytes.get(..reader.at()).ok_or(Rejected::Truncated)?;
    Ok(Record {
        header,
        bytes,
        fragment,
    })
}

fn fixed_header(content_type: u8, reader: &mut Reader<'_>) -> Result<(Header, usize), Rejected> {
    let known = content_type::CHANGE_CIPHER_SPEC..=content_type::APPLICATION_DATA;
    if !known.contains(&content_type) && content_type != content_type::ACK {
        return Err(Rejected::NotDtls);
    }
    let truncated = |_| Rejected::Truncated;
    let version = reader.u16("version").map_err(truncated)?;
    let epoch = reader.u16("epoch").map_err(truncated)?;
    let high = reader.u16("sequence number").map_err(truncated)?;
    let low = reader.u32("sequence number").map_err(truncated)?;
    let len = reader.u16("length").map_err(truncated)?;
    // A ClientHello may come in a record of DTLS 1.0 (RFC 6347 §4.1); what is protected may not.
    if version != 0xFEFD && (version, epoch) != (0xFEFF, 0) {
        return Err(Rejected::Version);
    }
    let header = Header::Fixed {
        content_type,
        epoch,
        sequence: u64::from(high) << 32 | u64::from(low),
    };
    Ok((header, usize::from(len)))
}

/// Writes a record in the clear.
pub(crate) fn plaintext(content_type: u8, sequence: u64, fragment: &[&[u8]]) -> Vec<u8> {
    let len: usize = fragment.iter().map(|part| part.len()).sum();
    let mut bytes = vec![0; HEADER_LEN + len];
    let mut writer = Writer::new(&mut bytes);
    // There is room for all of it, so nothing of this fails.
    let _ = writer.u8(content_type);
    let _ = writer.u16(0xFEFD);
    let _ = writer.u64(sequence & 0xFFFF_FFFF_FFFF);
    let _ = writer.u16(u16::try_from(len).unwrap_or(u16::MAX));
    for part in fragment {
        let _ = writer.bytes(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_split_into_its_records() {
        let mut datagram = plaintext(22, 7, &[b"ab", b"c"]);
        datagram.extend([0x2E, 0, 1, 0, 2, 9, 9]); // S and L set
        datagram.extend([0x22, 5, 8, 8, 8]); // neither: the rest is the record
        let records: Vec<_> = Records::new(&datagram).map(Result::unwrap).collect();
        let header = Header::Fixed {
            content_type: 22,
            epoch: 0,
            sequence: 7,
        };
        assert_eq!(
            (records[0].header, records[0].fragment),
            (header, &b"abc"[..])
        );
        assert_eq!(records[1].fragment, [9, 9]);
        assert_eq!(
            (records[2].header, records[2].fragment),
            (Header::Unified, &[8, 8, 8][..])
        );
        assert_eq!(
            records
                .iter()
                .map(|record| record.bytes.len())
                .sum::<usize>(),
            datagram.len()
        );
    }

    #[test]
    fn what_cannot_be_a_record_is_named() {
        let error = |bytes: &[u8]| Records::new(bytes).find_map(Result::err);
        let good = plaintext(22, 0, &[b"abc"]);
        for len in 1..good.len() {
            assert_eq!(error(&good[..len]), Some(Rejected::Truncated), "{len}");
        }
        assert_eq!(error(&[0x3F, 0, 0]), Some(Rejected::ConnectionId));
        assert_eq!(error(&[0x80; 20]), Some(Rejected::NotDtls));
        assert_eq!(error(&[24; 20]), Some(Rejected::NotDtls));
        let mut wrong = good.clone();
        wrong[2] = 0xFC;
        assert_eq!(error(&wrong), Some(Rejected::Version));
        wrong = good;
        wrong[11] = 0xFF;
        assert_eq!(error(&wrong), Some(Rejected::Oversize));
    }
}
