//! The Data Channel Establishment Protocol, [RFC 8832 §5](https://www.rfc-editor.org/rfc/rfc8832#section-5).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! | Message Type  |  Channel Type |            Priority           |
//! +---------------+---------------+-------------------------------+
//! |                    Reliability Parameter                      |
//! +-------------------------------+-------------------------------+
//! |         Label Length          |       Protocol Length         |
//! +-------------------------------+-------------------------------+
//! |                            Label                              | ...
//! +---------------------------------------------------------------+
//! |                           Protocol                            | ...
//! +---------------------------------------------------------------+
//! ```

use std::fmt;

use pc_proto::{ParseError, Reader, WriteError, Writer};

/// RFC 8832 §8.2.1.
const DATA_CHANNEL_ACK: u8 = 0x02;
/// RFC 8832 §8.2.1.
const DATA_CHANNEL_OPEN: u8 = 0x03;
/// RFC 8832 §5.1: the bit of the channel type that says unordered.
const UNORDERED: u8 = 0x80;
/// RFC 8832 §5.1: everything before the label.
const OPEN_HEADER_LEN: usize = 12;

/// When a channel gives up a message: the channel types of RFC 8832 §5.1, without their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReliabilityParameter {
    /// Never; the parameter is written as zero and ignored.
    Reliable,
    /// After so many retransmissions.
    Retransmits(u32),
    /// After so many milliseconds.
    Lifetime(u32),
}

/// A DATA_CHANNEL_OPEN message, RFC 8832 §5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataChannelOpen<'a> {
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// When a message is given up.
    pub reliability: ReliabilityParameter,
    /// The priority, RFC 8831 §6.4: 128 is below normal, 256 normal, 512 high, 1,024 extra high.
    pub priority: u16,
    /// The label, at most 65,535 bytes.
    pub label: &'a str,
    /// The subprotocol, at most 65,535 bytes.
    pub protocol: &'a str,
}

/// A message of PPID 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dcep<'a> {
    /// The sender opens a channel on the stream.
    Open(DataChannelOpen<'a>),
    /// The sender accepts the channel that was opened on the stream, RFC 8832 §5.2.
    Ack,
}

impl<'a> Dcep<'a> {
    /// Reads a whole message. Bytes after it are ignored.
    ///
    /// # Errors
    ///
    /// It is neither message, it is cut short, its channel type is unknown, or its label or
    /// protocol is not UTF-8.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let error = reader.error("message type");
        match reader.u8("message type")? {
            DATA_CHANNEL_ACK => Ok(Self::Ack),
            DATA_CHANNEL_OPEN => DataChannelOpen::read(&mut reader).map(Self::Open),
            _ => Err(error),
        }
    }

    /// How many bytes [`write`](Self::write) writes.
    pub const fn wire_len(&self) -> usize {
        match self {
            Self::Ack => 1,
            Self::Open(open) => OPEN_HEADER_LEN + open.label.len() + open.protocol.len(),
        }
    }

    /// Writes the message.
    ///
    /// # Errors
    ///
    /// There is no room for it, or a length does not fit into its field.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        match self {
            Self::Ack => writer.u8(DATA_CHANNEL_ACK),
            Self::Open(open) => open.write(writer),
        }
    }

    /// The message as bytes of its own; `None` if a length does not fit into its field.
    pub fn to_vec(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.wire_len()];
        self.write(&mut Writer::new(&mut bytes)).ok()?;
        Some(bytes)
    }
}

impl<'a> DataChannelOpen<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let error = reader.error("channel type");
        let kind = reader.u8("channel type")?;
        let priority = reader.u16("priority")?;
        let parameter = reader.u32("reliability parameter")?;
        let label_len = usize::from(reader.u16("label length")?);
        let protocol_len = usize::from(reader.u16("protocol length")?);
        let reliability = match kind & !UNORDERED {
            0 => ReliabilityParameter::Reliable,
            1 => ReliabilityParameter::Retransmits(parameter),
            2 => ReliabilityParameter::Lifetime(parameter),
            _ => return Err(error),
        };
        Ok(Self {
            ordered: kind & UNORDERED == 0,
            reliability,
            priority,
            label: text(reader, label_len, "label")?,
            protocol: text(reader, protocol_len, "protocol")?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let (kind, parameter) = match self.reliability {
            ReliabilityParameter::Reliable => (0, 0),
            ReliabilityParameter::Retransmits(n) => (1, n),
            ReliabilityParameter::Lifetime(ms) => (2, ms),
        };
        let order = if self.ordered { 0 } else { UNORDERED };
        writer.u8(DATA_CHANNEL_OPEN)?;
        writer.u8(kind | order)?;
        writer.u16(self.priority)?;
        writer.u32(parameter)?;
        writer.u16(length(self.label)?)?;
        writer.u16(length(self.protocol)?)?;
        writer.bytes(self.label.as_bytes())?;
        writer.bytes(self.protocol.as_bytes())
    }
}

fn text<'a>(
    reader: &mut Reader<'a>,
    len: usize,
    what: &'static str,
) -> Result<&'a str, ParseError> {
    let error = reader.error(what);
    let bytes = reader.bytes(len, what)?;
    std::str::from_utf8(bytes).map_err(|_| error)
}

fn length(text: &str) -> Result<u16, WriteError> {
    u16::try_from(text.len()).map_err(|_| WriteError {
        needed: text.len(),
        remaining: usize::from(u16::MAX),
    })
}

impl fmt::Display for Dcep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ack => f.write_str("DATA_CHANNEL_ACK"),
            Self::Open(open) => write!(
                f,
                "DATA_CHANNEL_OPEN {:?} {:?} {} {:?} priority {}",
                open.label,
                open.protocol,
                if open.ordered { "ordered" } else { "unordered" },
                open.reliability,
                open.priority
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_a_browser_sends() {
        // As dcSCTP sends `createDataChannel("chat", { ordered: false, maxRetransmits: 3 })`.
        let bytes = b"\x03\x81\x01\x00\x00\x00\x00\x03\x00\x04\x00\x00chat";
        let open = DataChannelOpen {
            ordered: false,
            reliability: ReliabilityParameter::Retransmits(3),
            priority: 256,
            label: "chat",
            protocol: "",
        };
        assert_eq!(Dcep::parse(bytes), Ok(Dcep::Open(open)));
        assert_eq!(Dcep::Open(open).to_vec().as_deref(), Some(&bytes[..]));
        assert_eq!(Dcep::parse(&[2]), Ok(Dcep::Ack));
        assert_eq!(Dcep::Ack.to_vec(), Some(vec![2]));
    }

    #[test]
    fn names_what_is_wrong() {
        let open = b"\x03\x00\x01\x00\x00\x00\x00\x00\x00\x02\x00\x01abc".to_vec();
        assert!(Dcep::parse(&open).is_ok());
        for len in 0..open.len() {
            assert!(Dcep::parse(&open[..len]).is_err(), "{len}");
        }
        let mut wrong = open.clone();
        wrong[1] = 3;
        assert_eq!(Dcep::parse(&wrong).unwrap_err().what, "channel type");
        let mut wrong = open.clone();
        wrong[12] = 0xFF;
        let error = Dcep::parse(&wrong).unwrap_err();
        assert_eq!((error.what, error.at), ("label", 12));
        assert_eq!(Dcep::parse(&[1]).unwrap_err().what, "message type");
        let long = "x".repeat(65_536);
        let open = DataChannelOpen {
            ordered: true,
            reliability: ReliabilityParameter::Reliable,
            priority: 256,
            label: &long,
            protocol: "",
        };
        assert_eq!(Dcep::Open(open).to_vec(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            ordered: bool,
            kind in 0..3,
            parameter: u32,
            priority: u16,
            label: String,
            protocol: String,
        ) {
            let reliability = match kind {
                0 => ReliabilityParameter::Reliable,
                1 => ReliabilityParameter::Retransmits(parameter),
                _ => ReliabilityParameter::Lifetime(parameter),
            };
            let open = Dcep::Open(DataChannelOpen {
                ordered,
                reliability,
                priority,
                label: &label,
                protocol: &protocol,
            });
            let bytes = open.to_vec().unwrap();
            prop_assert_eq!(Dcep::parse(&bytes), Ok(open));
        }
    }
}
