//! An RTP packet, [RFC 3550 §5.1](https://www.rfc-editor.org/rfc/rfc3550#section-5.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |           synchronization source (SSRC) identifier            |
//! |            contributing source (CSRC) identifiers  (0..15)    |
//! |      defined by profile       |            length             |  if X
//! |                      header extension                         |
//! |                           payload …           padding | count |  count if P
//! ```

use pc_proto::{ParseError, Reader, Serial16, Serial32};

use crate::{ExtensionsView, PayloadType, Ssrc};

/// The bytes of a header without CSRCs and extension.
pub const FIXED_HEADER_LEN: usize = 12;

/// A packet whose every range has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketView<'a> {
    second_byte: u8,
    sequence_number: Serial16,
    timestamp: Serial32,
    ssrc: Ssrc,
    csrcs: &'a [u8],
    extensions: ExtensionsView<'a>,
    payload: &'a [u8],
    padding_len: usize,
    header_len: usize,
}

impl<'a> PacketView<'a> {
    /// Reads a packet in the clear.
    ///
    /// # Errors
    ///
    /// Another version than 2, or a header, extension or padding that is longer than the packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let [first, second_byte] = reader.array::<2>("RTP header")?;
        if first >> 6 != 2 {
            return Err(ParseError {
                what: "RTP version other than 2",
                at: 0,
            });
        }
        let sequence_number = Serial16(reader.u16("RTP sequence number")?);
        let timestamp = Serial32(reader.u32("RTP timestamp")?);
        let ssrc = Ssrc(reader.u32("SSRC")?);
        let csrcs = reader.bytes(usize::from(first & 0x0F) * 4, "CSRCs")?;
        let extensions = if first & 0x10 != 0 {
            let profile = reader.u16("profile of the header extension")?;
            let words = reader.u16("length of the header extension")?;
            let data = reader.bytes(usize::from(words) * 4, "header extension")?;
            ExtensionsView::new(profile, data)
        } else {
            ExtensionsView::default()
        };
        let header_len = reader.at();
        let rest = reader.rest();
        let (payload, padding_len) = match first & 0x20 {
            0 => (rest, 0),
            _ => unpadded(rest, &reader)?,
        };
        Ok(Self {
            second_byte,
            sequence_number,
            timestamp,
            ssrc,
            csrcs,
            extensions,
            payload,
            padding_len,
            header_len,
        })
    }

    /// What the profile says: the last packet of a picture, the first of a spurt of talk.
    pub const fn marker(&self) -> bool {
        self.second_byte & 0x80 != 0
    }

    /// What the payload is.
    pub const fn payload_type(&self) -> PayloadType {
        PayloadType::of_byte(self.second_byte)
    }

    /// One more than that of the packet sent before.
    pub const fn sequence_number(&self) -> Serial16 {
        self.sequence_number
    }

    /// When the first byte of the payload was sampled, in ticks of the payload's clock.
    pub const fn timestamp(&self) -> Serial32 {
        self.timestamp
    }

    /// Who sends it.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Whose media a mixer has put into it.
    pub fn csrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let (chunks, _) = self.csrcs.as_chunks::<4>();
        chunks.iter().map(|bytes| Ssrc(u32::from_be_bytes(*bytes)))
    }

    /// The header extensions; none if there is no extension of RFC 8285.
    pub const fn extensions(&self) -> ExtensionsView<'a> {
        self.extensions
    }

    /// The payload, without padding.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes of padding follow the payload, their count included.
    pub const fn padding_len(&self) -> usize {
        self.padding_len
    }

    /// How many bytes are before the payload.
    pub const fn header_len(&self) -> usize {
        self.header_len
    }
}

/// RFC 3550 §5.1: the last byte counts the padding, itself included.
fn unpadded<'a>(rest: &'a [u8], reader: &Reader<'a>) -> Result<(&'a [u8], usize), ParseError> {
    let wrong = || reader.error("RTP padding");
    let count = usize::from(*rest.last().ok_or_else(wrong)?);
    if count == 0 {
        return Err(wrong());
    }
    let len = rest.len().checked_sub(count).ok_or_else(wrong)?;
    Ok((rest.get(..len).unwrap_or_default(), count))
}

/// Whether a datagram that is one of RTP or RTCP is RTCP: its second byte is a packet type from 192
/// to 223 ([RFC 5761 §4](https://www.rfc-editor.org/rfc/rfc5761#section-4)).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}
