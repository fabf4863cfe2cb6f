//! What arrives, given to whom it is for.

use super::{MAX_REFERENCES, Reference, Rtcp};
use crate::{Rejected, receive::Receivers, send::Senders};
use pc_proto::{WriteError, Writer};
use pc_rtp::{
    Ssrc, compact_duration,
    rtcp::{
        Compound, Dlrr, Packet, ReportBlock, XrBlock, XrView, write_dlrr,
        write_receiver_reference_time,
    },
};
use std::time::{Duration, Instant};

/// How many packets of one datagram are read, of sources of one BYE, of entries of one FIR. A
/// datagram holds hundreds at most; nobody sends as many.
const MAX_READ: usize = 64;

/// The bytes of a receiver reference time, RFC 3611 §4.4.
const REFERENCE_TIME_LEN: usize = 20;

/// The bytes of an answer to one, and of what is around them, RFC 3611 §4.5.
const DLRR_LEN: usize = 12;

impl Rtcp {
    /// Takes a datagram of RTCP. A packet in it that is malformed is left out; those beside it count.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        datagram: &[u8],
        senders: &mut Senders,
        receivers: &mut Receivers,
    ) -> Result<(), Rejected> {
        let compound = Compound::parse(datagram)?;
        for packet in compound.packets().take(MAX_READ).flatten() {
            match packet {
                Packet::SenderReport(report) => {
                    receivers.on_sender_report(
                        now,
                        report.ssrc,
                        report.ntp,
                        report.rtp,
                        report.packet_count,
                        report.octet_count,
                    );
                    on_blocks(now, report.reports(), senders, receivers);
                }
                Packet::ReceiverReport(report) => {
                    on_blocks(now, report.reports(), senders, receivers);
                }
                Packet::Bye(bye) => {
                    for ssrc in bye.ssrcs().take(MAX_READ) {
                        receivers.on_bye(now, ssrc);
                    }
                }
                Packet::Sdes(description) => {
                    for chunk in description.chunks().take(MAX_READ) {
                        if let Some(name) = chunk.cname() {
                            receivers.on_name(chunk.ssrc, name);
                        }
                    }
                }
                Packet::Xr(report) => self.on_extended(now, &report, senders, receivers),
                Packet::Nack(nack) => senders.on_nack(now, nack.media, nack.lost()),
                Packet::Pli(pli) => senders.on_pli(now, pli.media),
                Packet::Fir(fir) => {
                    for entry in fir.entries().take(MAX_READ) {
                        senders.on_fir(now, fir.sender, entry.ssrc, entry.sequence_number);
                    }
                }
                Packet::Remb(remb) => senders.on_remb(now, remb.bits_per_second, remb.ssrcs()),
                _ => {}
            }
        }
        Ok(())
    }

    /// RFC 3611: the round-trip time for those who only receive.
    fn on_extended(
        &mut self,
        now: Instant,
        report: &XrView<'_>,
        senders: &mut Senders,
        receivers: &mut Receivers,
    ) {
        for block in report.blocks().take(MAX_READ) {
            match block {
                XrBlock::ReceiverReferenceTime(time) => {
                    self.references.retain(|known| known.ssrc != report.ssrc);
                    if self.references.len() == MAX_REFERENCES {
                        self.references.pop_front();
                    }
                    self.references.push_back(Reference {
                        ssrc: report.ssrc,
                        compact: time.compact(),
                        arrived: now,
                    });
                }
                XrBlock::Dlrr(answer)
                    if answer.last_rr != 0 && self.is_reporter(answer.ssrc, senders) =>
                {
                    let (sent, delay) = (answer.last_rr, answer.delay_since_last_rr);
                    if let Some(rtt) = senders.round_trip_since(now, sent, delay) {
                        on_round_trip(rtt, senders, receivers);
                    }
                }
                _ => {}
            }
        }
    }

    fn is_reporter(&self, ssrc: Ssrc, senders: &Senders) -> bool {
        ssrc == self.own || senders.is_own(ssrc)
    }

    /// Extended reports beside a report: who sends answers the peer's reference times, who does not
    /// sends one (RFC 3611 §4.4, §4.5).
    pub(super) fn extended(
        &self,
        writer: &mut Writer<'_>,
        now: Instant,
        reporter: Ssrc,
        is_sender: bool,
    ) -> Result<(), WriteError> {
        let mut answers = [Dlrr {
            ssrc: Ssrc(0),
            last_rr: 0,
            delay_since_last_rr: 0,
        }; MAX_REFERENCES];
        let room = writer.remaining().saturating_sub(DLRR_LEN) / DLRR_LEN;
        let known = self.references.iter().take(room);
        let count = known.len();
        for (answer, known) in answers.iter_mut().zip(known) {
            let held = now.saturating_duration_since(known.arrived);
            *answer = Dlrr {
                ssrc: known.ssrc,
                last_rr: known.compact,
                delay_since_last_rr: compact_duration(held),
            };
        }
        match answers.get(..count) {
            Some(answers) if is_sender && !answers.is_empty() => {
                write_dlrr(writer, reporter, answers)
            }
            _ if !is_sender && self.has_receivers() && writer.remaining() >= REFERENCE_TIME_LEN => {
                write_receiver_reference_time(writer, reporter, self.clock.ntp(now))
            }
            _ => Ok(()),
        }
    }
}

fn on_blocks(
    now: Instant,
    blocks: impl Iterator<Item = ReportBlock>,
    senders: &mut Senders,
    receivers: &mut Receivers,
) {
    for block in blocks {
        if let Some(rtt) = senders.on_report_block(now, &block) {
            on_round_trip(rtt, senders, receivers);
        }
    }
}

fn on_round_trip(rtt: Duration, senders: &mut Senders, receivers: &mut Receivers) {
    senders.set_round_trip_time(rtt);
    receivers.set_round_trip_time(rtt);
}
