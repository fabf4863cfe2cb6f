//! ChannelData, [RFC 8656 §12.4](https://www.rfc-editor.org/rfc/rfc8656#section-12.4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         channel number        | length without the padding    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  application data, padded to a multiple of 4 bytes in a stream ...
//! ```

use std::{fmt, ops::Range};

use pc_proto::{ParseError, Reader, WriteError, Writer};

/// Bytes of a ChannelData header. RFC 8656 §12.4
pub const CHANNEL_HEADER_LEN: usize = 4;

/// The number of a channel, 0x4000 to 0x4FFF. RFC 8656 §12
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The lowest number.
    pub const MIN: Self = Self(0x4000);
    /// The highest number; those up to 0x7FFF are reserved, since other protocols on the same port
    /// begin with their first byte (RFC 7983 §7).
    pub const MAX: Self = Self(0x4FFF);

    /// The channel of that number, if it is one.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= Self::MIN.0 && number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ChannelNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// The header of a ChannelData message, which goes in front of data that is in place already.
///
/// ```
/// use pc_stun::{ChannelHeader, ChannelNumber};
///
/// let header = ChannelHeader::parse(&[0x40, 0x01, 0, 2, b'h', b'i'])?;
/// assert_eq!(Some(header.number), ChannelNumber::new(0x4001));
/// assert_eq!(header.data(), 4..6);
/// # Ok::<(), pc_stun::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelHeader {
    /// The channel.
    pub number: ChannelNumber,
    /// Bytes of data that follow, without padding.
    pub len: u16,
}

impl ChannelHeader {
    /// Whether a datagram is meant to be ChannelData: first byte 0x40 to 0x4F. RFC 7983 §7
    pub fn is_channel_data(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|first| first >> 4 == 4)
    }

    /// Bytes of the message that starts with `head`, padding included, for streams.
    /// RFC 8656 §12.5
    ///
    /// `None` when `head` is shorter than 4 bytes or cannot be the start of ChannelData.
    pub fn stream_len(head: &[u8]) -> Option<usize> {
        let header = Self::read(head).ok()?;
        Some(CHANNEL_HEADER_LEN + usize::from(header.len).next_multiple_of(4))
    }

    /// Reads the header of a message that fills `bytes`.
    ///
    /// # Errors
    ///
    /// It is not the number of a channel, the data reach past the end, or more than padding
    /// follows them. Padding may be there over UDP too (RFC 8656 §12.5).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let header = Self::read(bytes)?;
        let there = bytes.len().saturating_sub(CHANNEL_HEADER_LEN);
        let needed = usize::from(header.len);
        if there < needed || there > needed.next_multiple_of(4) {
            return Err(ParseError {
                what: "ChannelData length",
                at: 2,
            });
        }
        Ok(header)
    }

    /// Where the data are in the message.
    pub fn data(&self) -> Range<usize> {
        CHANNEL_HEADER_LEN..CHANNEL_HEADER_LEN + usize::from(self.len)
    }

    /// Writes the header.
    ///
    /// # Errors
    ///
    /// There is no room for 4 bytes.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        writer.u16(self.number.0)?;
        writer.u16(self.len)
    }

    fn read(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let number = ChannelNumber::new(reader.u16("channel number")?);
        let number = number.ok_or(ParseError {
            what: "channel number",
            at: 0,
        })?;
        let len = reader.u16("ChannelData length")?;
        Ok(Self { number, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for len in [0u16, 1, 3, 4, 1200, u16::MAX] {
            let number = ChannelNumber::MAX;
            let header = ChannelHeader { number, len };
            let mut bytes = vec![0xAA; 4 + usize::from(len)];
            header.write(&mut Writer::new(&mut bytes)).unwrap();
            assert_eq!(ChannelHeader::parse(&bytes), Ok(header));
            assert_eq!(header.data().len(), usize::from(len));
            let padded = ChannelHeader::stream_len(&bytes).unwrap();
            assert_eq!(padded, bytes.len().next_multiple_of(4));
            bytes.resize(padded, 0);
            assert_eq!(ChannelHeader::parse(&bytes), Ok(header), "padded");
            bytes.push(0);
            assert!(ChannelHeader::parse(&bytes).is_err(), "more than padding");
        }
    }

    #[test]
    fn lengths_and_numbers_that_lie_are_refused() {
        assert!(ChannelHeader::parse(&[0x40, 0, 0]).is_err());
        assert!(ChannelHeader::parse(&[0x40, 0, 0, 1]).is_err());
        assert_eq!(ChannelHeader::stream_len(&[0x40, 0, 0]), None);
        for number in [0x3FFF, 0x5000, 0x7FFF] {
            assert_eq!(ChannelNumber::new(number), None);
            let [high, low] = number.to_be_bytes();
            assert!(ChannelHeader::parse(&[high, low, 0, 0]).is_err());
            assert!(!ChannelHeader::is_channel_data(&[high, low, 0, 0]));
        }
        assert!(ChannelHeader::is_channel_data(&[0x4F]));
        assert!(!ChannelHeader::is_channel_data(&[]));
    }
}
