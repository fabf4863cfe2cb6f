//! Extended reports, [RFC 3611](https://www.rfc-editor.org/rfc/rfc3611): the round-trip time for those
//! who do not send. Other blocks are kept as they are.
//!
//! ```text
//! |V=2|P|reserved |   PT=XR=207   |             length            |
//! |                              SSRC                             |
//! |      BT       | type-specific |         block length          |  …
//! ```

use pc_proto::{ParseError, Reader, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::{NtpTime, Ssrc};

/// §4.4.
const RECEIVER_REFERENCE_TIME: u8 = 4;
/// §4.5.
const DLRR: u8 = 5;

/// Blocks of one who reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XrView<'a> {
    /// Who reports.
    pub ssrc: Ssrc,
    blocks: &'a [u8],
}

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum XrBlock<'a> {
    /// Now, on the clock of one who does not send (§4.4).
    ReceiverReferenceTime(NtpTime),
    /// One answer to such a time (§4.5).
    Dlrr(Dlrr),
    /// Anything else.
    Unknown {
        /// The block type.
        kind: u8,
        /// What follows its header.
        data: &'a [u8],
    },
}

/// "Delay since the last receiver reference time", §4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dlrr {
    /// Whose reference time.
    pub ssrc: Ssrc,
    /// The middle of its NTP time.
    pub last_rr: u32,
    /// How long ago it came, in 1/65,536 seconds.
    pub delay_since_last_rr: u32,
}

impl<'a> XrView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        let ssrc = Ssrc(reader.u32("XR sender")?);
        let blocks = reader.rest();
        while !reader.is_empty() {
            read_block(&mut reader)?;
        }
        Ok(Self { ssrc, blocks })
    }

    /// The blocks; one of several answers gives each of them.
    pub fn blocks(&self) -> impl Iterator<Item = XrBlock<'a>> + use<'a> {
        let mut reader = Reader::new(self.blocks);
        let raw = std::iter::from_fn(move || read_block(&mut reader).ok());
        raw.flat_map(|(kind, data)| {
            let (answers, _) = match kind {
                DLRR => data.as_chunks::<12>(),
                _ => (&[][..], data),
            };
            let single = match (kind, data.first_chunk::<8>()) {
                (DLRR, _) => None,
                (RECEIVER_REFERENCE_TIME, Some(time)) => Some(XrBlock::ReceiverReferenceTime(
                    NtpTime(u64::from_be_bytes(*time)),
                )),
                _ => Some(XrBlock::Unknown { kind, data }),
            };
            let answers = answers.iter().map(|bytes| XrBlock::Dlrr(Dlrr::read(bytes)));
            answers.chain(single)
        })
    }
}

fn read_block<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), ParseError> {
    let [kind, _] = reader.array::<2>("XR block")?;
    let words = reader.u16("XR block length")?;
    Ok((kind, reader.bytes(usize::from(words) * 4, "XR block")?))
}

impl Dlrr {
    fn read(bytes: &[u8; 12]) -> Self {
        let [s0, s1, s2, s3, l0, l1, l2, l3, d0, d1, d2, d3] = *bytes;
        Self {
            ssrc: Ssrc(u32::from_be_bytes([s0, s1, s2, s3])),
            last_rr: u32::from_be_bytes([l0, l1, l2, l3]),
            delay_since_last_rr: u32::from_be_bytes([d0, d1, d2, d3]),
        }
    }
}

/// Writes a reference time: 20 bytes.
///
/// # Errors
///
/// The buffer is too short.
pub fn write_receiver_reference_time(
    writer: &mut Writer<'_>,
    ssrc: Ssrc,
    time: NtpTime,
) -> Result<(), WriteError> {
    write_header(writer, 0, packet_type::XR, HEADER_LEN + 16)?;
    writer.u32(ssrc.0)?;
    writer.u8(RECEIVER_REFERENCE_TIME)?;
    writer.u8(0)?;
    writer.u16(2)?;
    writer.u64(time.0)
}

/// Writes answers to reference times: 12 bytes and 12 for each; the first 31.
///
/// # Errors
///
/// The buffer is too short.
pub fn write_dlrr(writer: &mut Writer<'_>, ssrc: Ssrc, answers: &[Dlrr]) -> Result<(), WriteError> {
    let answers = answers.get(..31).unwrap_or(answers);
    let len = HEADER_LEN + 8 + 12 * answers.len();
    write_header(writer, 0, packet_type::XR, len)?;
    writer.u32(ssrc.0)?;
    writer.u8(DLRR)?;
    writer.u8(0)?;
    writer.u16(3 * answers.len() as u16)?;
    answers.iter().try_for_each(|answer| {
        writer.u32(answer.ssrc.0)?;
        writer.u32(answer.last_rr)?;
        writer.u32(answer.delay_since_last_rr)
    })
}
