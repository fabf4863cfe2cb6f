//! Sender and receiver reports,
//! [RFC 3550 §6.4](https://www.rfc-editor.org/rfc/rfc3550#section-6.4).
//!
//! ```text
//! |V=2|P|   RC    |   PT=200/201  |             length            |
//! |                         SSRC of sender                        |
//! |                    NTP timestamp, 64 bits                     |  SR
//! |                         RTP timestamp                         |  SR
//! |                     sender's packet count                     |  SR
//! |                      sender's octet count                     |  SR
//! |                        report blocks …                        |
//! ```

use pc_proto::{ParseError, Reader, Serial32, WriteError, Writer};

use super::{HEADER_LEN, MAX_COUNT, compound::Raw, packet_type, write_header};
use crate::{NtpTime, Ssrc};

/// How one stream is received.
///
/// ```text
/// |                             SSRC                              |
/// | fraction lost |       cumulative number of packets lost       |
/// |           extended highest sequence number received           |
/// |                      interarrival jitter                      |
/// |                         last SR (LSR)                         |
/// |                   delay since last SR (DLSR)                  |
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whose stream.
    pub ssrc: Ssrc,
    /// What part was lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// How many were lost in all; duplicates make it negative. 24 bits.
    pub cumulative_lost: i32,
    /// The highest sequence number, with its roll-overs in the upper half.
    pub highest_sequence: u32,
    /// In ticks of the stream's clock.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report; 0: none has come.
    pub last_sr: u32,
    /// How long ago that was, in 1/65,536 seconds.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Its bytes.
    pub const LEN: usize = 24;

    fn read(bytes: &[u8; Self::LEN]) -> Self {
        let [s0, s1, s2, s3, fraction_lost, l0, l1, l2, rest @ ..] = *bytes;
        let [
            h0,
            h1,
            h2,
            h3,
            j0,
            j1,
            j2,
            j3,
            r0,
            r1,
            r2,
            r3,
            d0,
            d1,
            d2,
            d3,
        ] = rest;
        Self {
            ssrc: Ssrc(u32::from_be_bytes([s0, s1, s2, s3])),
            fraction_lost,
            cumulative_lost: i32::from_be_bytes([l0, l1, l2, 0]) >> 8,
            highest_sequence: u32::from_be_bytes([h0, h1, h2, h3]),
            jitter: u32::from_be_bytes([j0, j1, j2, j3]),
            last_sr: u32::from_be_bytes([r0, r1, r2, r3]),
            delay_since_last_sr: u32::from_be_bytes([d0, d1, d2, d3]),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        // §6.4.1: a number that does not fit stays at its limit.
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF);
        writer.u32(self.ssrc.0)?;
        writer.u8(self.fraction_lost)?;
        writer.u24(lost.cast_unsigned() & 0xFF_FFFF)?;
        writer.u32(self.highest_sequence)?;
        writer.u32(self.jitter)?;
        writer.u32(self.last_sr)?;
        writer.u32(self.delay_since_last_sr)
    }
}

fn blocks<'a>(bytes: &'a [u8]) -> impl Iterator<Item = ReportBlock> + use<'a> {
    let (chunks, _) = bytes.as_chunks::<{ ReportBlock::LEN }>();
    chunks.iter().map(ReportBlock::read)
}

fn read_blocks<'a>(reader: &mut Reader<'a>, count: u8) -> Result<&'a [u8], ParseError> {
    reader.bytes(usize::from(count) * ReportBlock::LEN, "report blocks")
}

/// What a sender says of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReportView<'a> {
    /// Whose stream.
    pub ssrc: Ssrc,
    /// Now, on the sender's clock.
    pub ntp: NtpTime,
    /// The same moment in ticks of the stream's clock.
    pub rtp: Serial32,
    /// Packets sent so far.
    pub packet_count: u32,
    /// Bytes of payload sent so far.
    pub octet_count: u32,
    blocks: &'a [u8],
}

impl<'a> SenderReportView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        Ok(Self {
            ssrc: Ssrc(reader.u32("sender report")?),
            ntp: NtpTime(reader.u64("sender report")?),
            rtp: Serial32(reader.u32("sender report")?),
            packet_count: reader.u32("sender report")?,
            octet_count: reader.u32("sender report")?,
            blocks: read_blocks(&mut reader, raw.count)?,
        })
    }

    /// How it receives others.
    pub fn reports(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

/// A sender report to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Whose stream.
    pub ssrc: Ssrc,
    /// Now, on the sender's clock.
    pub ntp: NtpTime,
    /// The same moment in ticks of the stream's clock.
    pub rtp: Serial32,
    /// Packets sent so far.
    pub packet_count: u32,
    /// Bytes of payload sent so far.
    pub octet_count: u32,
    /// How others are received; the first 31 are written.
    pub reports: &'a [ReportBlock],
}

impl SenderReport<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 24 + self.reports.len().min(MAX_COUNT) * ReportBlock::LEN
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let count = self.reports.len().min(MAX_COUNT);
        write_header(writer, count, packet_type::SENDER_REPORT, self.wire_len())?;
        writer.u32(self.ssrc.0)?;
        writer.u64(self.ntp.0)?;
        writer.u32(self.rtp.0)?;
        writer.u32(self.packet_count)?;
        writer.u32(self.octet_count)?;
        self.reports
            .iter()
            .take(count)
            .try_for_each(|it| it.write(writer))
    }
}

/// What one who does not send says of others' streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReportView<'a> {
    /// Who says it.
    pub ssrc: Ssrc,
    blocks: &'a [u8],
}

impl<'a> ReceiverReportView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        Ok(Self {
            ssrc: Ssrc(reader.u32("receiver report")?),
            blocks: read_blocks(&mut reader, raw.count)?,
        })
    }

    /// How it receives others.
    pub fn reports(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

/// A receiver report to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who says it.
    pub ssrc: Ssrc,
    /// How others are received; the first 31 are written.
    pub reports: &'a [ReportBlock],
}

impl ReceiverReport<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + 4 + self.reports.len().min(MAX_COUNT) * ReportBlock::LEN
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let count = self.reports.len().min(MAX_COUNT);
        write_header(writer, count, packet_type::RECEIVER_REPORT, self.wire_len())?;
        writer.u32(self.ssrc.0)?;
        self.reports
            .iter()
            .take(count)
            .try_for_each(|it| it.write(writer))
    }
}
