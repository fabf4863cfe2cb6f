//! Compound packets, RFC 3550 §6.1: a report in front, then the reporter's name, then the rest.

use super::{Rtcp, schedule::interval};
use crate::{
    feedback::Arrivals,
    receive::{Feedback, Receivers},
    send::Senders,
};
use pc_proto::{TransmitBuf, WriteError, Writer};
use pc_rtp::{
    Ssrc,
    rtcp::{
        Bye, Fir, FirEntry, MAX_COUNT, Nack, Pli, ReceiverReport, ReportBlock, Sdes, SenderReport,
    },
};
use std::time::Instant;

/// The longest feedback: a NACK of 100 packets, none of them within 16 of another.
const MAX_FEEDBACK_LEN: usize = 12 + 4 * 100;

/// The bytes of a sender report without blocks.
const SENDER_REPORT_LEN: usize = 28;

/// The bytes of a receiver report without blocks.
const RECEIVER_REPORT_LEN: usize = 8;

impl Rtcp {
    /// Reports of everything that sends, about everything that is received, in as many packets as
    /// they need.
    pub(super) fn write_reports(
        &mut self,
        now: Instant,
        has_video: bool,
        senders: &Senders,
        receivers: &mut Receivers,
        out: &mut TransmitBuf<'_>,
    ) {
        let mut reports = std::mem::take(&mut self.reports);
        let mut blocks = std::mem::take(&mut self.blocks);
        reports.clear();
        blocks.clear();
        // RFC 3550 §6.3.8: who sent since the report before the last is a sender.
        let since = now.checked_sub(interval(has_video) * 3).unwrap_or(now);
        senders.sender_reports(now, since, &mut reports);
        receivers.report_blocks(now, &mut blocks);
        let (mut some_reports, mut some_blocks) = (reports.as_slice(), blocks.as_slice());
        let reporter = senders.reporter().unwrap_or(self.own);
        loop {
            let (before, len) = ((some_reports.len(), some_blocks.len()), self.room(out));
            let write = |bytes: &mut [u8]| {
                let mut writer = Writer::new(bytes);
                self.compound(
                    &mut writer,
                    now,
                    reporter,
                    &mut some_reports,
                    &mut some_blocks,
                )
                .ok()?;
                Some(writer.len())
            };
            let is_written = out.datagram_up_to(len, write);
            let after = (some_reports.len(), some_blocks.len());
            if !is_written || after == (0, 0) || after == before {
                break;
            }
        }
        self.reports = reports;
        self.blocks = blocks;
    }

    /// One compound packet with as much as fits; takes that from `reports` and `blocks`.
    fn compound(
        &self,
        writer: &mut Writer<'_>,
        now: Instant,
        reporter: Ssrc,
        reports: &mut &[SenderReport<'static>],
        blocks: &mut &[ReportBlock],
    ) -> Result<(), WriteError> {
        let name_len = self.name(reporter).wire_len();
        let is_sender = !reports.is_empty();
        let reporter = match reports.split_first() {
            Some((report, rest)) => {
                let some = take_blocks(blocks, writer, SENDER_REPORT_LEN + name_len);
                let report = SenderReport {
                    reports: some,
                    ..*report
                };
                report.write(writer)?;
                *reports = rest;
                report.ssrc
            }
            None => {
                let some = take_blocks(blocks, writer, RECEIVER_REPORT_LEN + name_len);
                let report = ReceiverReport {
                    ssrc: reporter,
                    reports: some,
                };
                report.write(writer)?;
                reporter
            }
        };
        self.name(reporter).write(writer)?;
        while let Some((report, rest)) = reports.split_first()
            && writer.remaining() >= SENDER_REPORT_LEN + name_len
        {
            report.write(writer)?;
            self.name(report.ssrc).write(writer)?;
            *reports = rest;
        }
        self.extended(writer, now, reporter, is_sender)
    }

    /// Feedback that receivers want written now (RFC 4585 §3.5: early, in unicast without delay).
    pub(super) fn write_feedback(
        &self,
        now: Instant,
        reduced_size: bool,
        reporter: Ssrc,
        receivers: &mut Receivers,
        out: &mut TransmitBuf<'_>,
    ) {
        let mut is_written = true;
        while is_written && !out.is_full() {
            is_written = out.datagram_up_to(self.room(out), |bytes| {
                let mut writer = Writer::new(bytes);
                if !reduced_size {
                    self.front(&mut writer, reporter).ok()?;
                }
                let front = writer.len();
                while writer.remaining() >= MAX_FEEDBACK_LEN
                    && let Some(feedback) = receivers.poll_feedback(now)
                {
                    write_one(&feedback, reporter, &mut writer).ok()?;
                }
                (writer.len() > front).then_some(writer.len())
            });
        }
    }

    /// Feedback about arrivals, when due.
    pub(super) fn write_arrivals(
        &self,
        now: Instant,
        reduced_size: bool,
        reporter: Ssrc,
        arrivals: &mut Arrivals,
        out: &mut TransmitBuf<'_>,
    ) {
        let mut is_written = true;
        while is_written && !out.is_full() && arrivals.poll_timeout().is_some_and(|due| due <= now)
        {
            is_written = out.datagram_up_to(self.room(out), |bytes| {
                let mut writer = Writer::new(bytes);
                if !reduced_size {
                    self.front(&mut writer, reporter).ok()?;
                }
                let feedback = arrivals.poll(now, reporter, writer.remaining())?;
                feedback.write(&mut writer).ok()?;
                Some(writer.len())
            });
        }
    }

    /// RFC 3550 §6.6: streams that have ended.
    pub(super) fn write_farewells(&self, senders: &mut Senders, out: &mut TransmitBuf<'_>) {
        let reporter = senders.reporter().unwrap_or(self.own);
        let farewells = senders.farewells();
        while !farewells.is_empty() && !out.is_full() {
            let some = farewells.len().min(MAX_COUNT);
            let bye = Bye {
                ssrcs: farewells.get(..some).unwrap_or_default(),
            };
            out.datagram_up_to(self.room(out), |bytes| {
                let mut writer = Writer::new(bytes);
                self.front(&mut writer, reporter).ok()?;
                bye.write(&mut writer).ok()?;
                Some(writer.len())
            });
            farewells.drain(..some);
        }
    }

    /// What stands in front of every compound packet: a report, here of nothing, and a name.
    fn front(&self, writer: &mut Writer<'_>, reporter: Ssrc) -> Result<(), WriteError> {
        let report = ReceiverReport {
            ssrc: reporter,
            reports: &[],
        };
        report.write(writer)?;
        self.name(reporter).write(writer)
    }

    fn name(&self, ssrc: Ssrc) -> Sdes<'_> {
        Sdes {
            ssrc,
            cname: &self.cname,
        }
    }

    /// How long a packet may be.
    fn room(&self, out: &TransmitBuf<'_>) -> usize {
        self.mtu.min(out.payload_mtu())
    }
}

/// The blocks that fit in front of and beside `others` bytes, at most 31.
fn take_blocks<'a>(
    blocks: &mut &'a [ReportBlock],
    writer: &Writer<'_>,
    others: usize,
) -> &'a [ReportBlock] {
    let room = writer.remaining().saturating_sub(others) / ReportBlock::LEN;
    let (some, rest) = blocks.split_at(room.min(MAX_COUNT).min(blocks.len()));
    *blocks = rest;
    some
}

fn write_one(
    feedback: &Feedback<'_>,
    sender: Ssrc,
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    match *feedback {
        Feedback::Nack { ssrc: media, lost } => Nack {
            sender,
            media,
            lost,
        }
        .write(writer),
        Feedback::Pli { ssrc: media } => Pli { sender, media }.write(writer),
        Feedback::Fir {
            ssrc,
            sequence_number,
        } => {
            let entry = FirEntry {
                ssrc,
                sequence_number,
            };
            Fir {
                sender,
                entries: &[entry],
            }
            .write(writer)
        }
    }
}
