//! The receiver's estimate of the bit rate, draft-alvestrand-rmcat-remb-03 §2.2.
//!
//! ```text
//! |V=2|P| FMT=15  |   PT=206      |             length            |
//! |                     SSRC of packet sender                     |
//! |                               0                               |
//! |  'R' 'E' 'M' 'B'                                              |
//! |  Num SSRC     | BR Exp    |  BR Mantissa                      |
//! |   SSRC feedback …                                             |
//! ```

use pc_proto::{ParseError, Reader, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

const NAME: [u8; 4] = *b"REMB";

/// How much the path takes, as its receiver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RembView<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// Bits a second, of all these sources together.
    pub bits_per_second: u64,
    ssrcs: &'a [u8],
}

impl<'a> RembView<'a> {
    /// `None`: other application-layer feedback.
    pub(super) fn read(raw: Raw<'a>) -> Result<Option<Self>, ParseError> {
        let mut reader = Reader::new(raw.body);
        let sender = Ssrc(reader.u32("REMB sender")?);
        reader.u32("REMB source")?;
        if reader.array("REMB name")? != NAME {
            return Ok(None);
        }
        let count = reader.u8("REMB sources")?;
        let rate = reader.u24("REMB bit rate")?;
        let (exponent, mantissa) = (rate >> 18, u64::from(rate & 0x3_FFFF));
        Ok(Some(Self {
            sender,
            // 18 bits shifted by 63 at most: what does not fit is as much as can be.
            bits_per_second: u64::try_from(u128::from(mantissa) << exponent).unwrap_or(u64::MAX),
            ssrcs: reader.bytes(usize::from(count) * 4, "REMB sources")?,
        }))
    }

    /// The sources.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let (chunks, _) = self.ssrcs.as_chunks::<4>();
        chunks.iter().map(|bytes| Ssrc(u32::from_be_bytes(*bytes)))
    }
}

/// An estimate to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// Bits a second; written to 18 significant bits, rounded down.
    pub bits_per_second: u64,
    /// The sources; the first 255 are written.
    pub ssrcs: &'a [Ssrc],
}

impl Remb<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 16 + 4 * self.ssrcs.len().min(255)
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let exponent = 46_u32.saturating_sub(self.bits_per_second.leading_zeros());
        let mantissa = (self.bits_per_second >> exponent) as u32;
        let count = self.ssrcs.len().min(255);
        write_header(writer, 15, packet_type::PAYLOAD_FEEDBACK, self.wire_len())?;
        writer.u32(self.sender.0)?;
        writer.u32(0)?;
        writer.bytes(&NAME)?;
        writer.u8(count as u8)?;
        writer.u24(exponent << 18 | mantissa)?;
        self.ssrcs
            .iter()
            .take(count)
            .try_for_each(|ssrc| writer.u32(ssrc.0))
    }
}
