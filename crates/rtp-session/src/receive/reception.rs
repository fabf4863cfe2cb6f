//! How a stream arrives: what its reports say
//! ([RFC 3550 appendix A.3, A.8](https://www.rfc-editor.org/rfc/rfc3550#appendix-A.3)).

use std::time::{Duration, Instant};

use pc_proto::Serial32;
use pc_rtp::{NtpTime, Ssrc, compact_duration, rtcp::ReportBlock};

use crate::RemoteOutbound;

/// Counts of one stream, retransmissions apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Reception {
    first: Option<u64>,
    highest: u64,
    received: u64,
    /// Lost before the source began to count anew.
    lost_before: i64,
    /// As of the last report.
    reported: (u64, u64),
    heard_since_report: bool,
    /// In ticks, times 16 (appendix A.8).
    jitter: u64,
    last_transit: Option<i64>,
    last_timestamp: Option<Serial32>,
    sender_report: Option<SenderInfo>,
}

/// What the last sender report said.
#[derive(Debug, Clone, Copy)]
pub(super) struct SenderInfo {
    pub(super) ntp: NtpTime,
    pub(super) rtp: Serial32,
    pub(super) outbound: RemoteOutbound,
}

impl Reception {
    /// A packet that is no duplicate. `arrival` is since the stream's beginning.
    pub(super) fn on_packet(
        &mut self,
        number: u64,
        timestamp: Serial32,
        clock_rate: u32,
        arrival: Duration,
    ) {
        let first = *self.first.get_or_insert(number);
        self.first = Some(first.min(number));
        self.highest = self.highest.max(number);
        self.received += 1;
        self.heard_since_report = true;
        // Packets of one frame have one timestamp, and are sent one after another: the first tells.
        if self.last_timestamp.replace(timestamp) != Some(timestamp) {
            self.follow_jitter(timestamp, clock_rate, arrival);
        }
    }

    /// The source counts anew (appendix A.1).
    pub(super) fn restart(&mut self) {
        self.lost_before = self.lost();
        self.first = None;
        self.highest = 0;
        self.received = 0;
        self.reported = (0, 0);
    }

    /// Appendix A.8: `J += (|D| - J) / 16`.
    fn follow_jitter(&mut self, timestamp: Serial32, clock_rate: u32, arrival: Duration) {
        let ticks = arrival.as_micros() * u128::from(clock_rate) / 1_000_000;
        let transit = ticks as i64 - i64::from(timestamp.0);
        if let Some(last) = self.last_transit.replace(transit) {
            // Both wrap with the timestamp.
            let difference = (transit - last) as i32;
            // A second and more is a jump of the source's, not of the network's.
            if difference.unsigned_abs() < clock_rate {
                let jitter = self.jitter + u64::from(difference.unsigned_abs());
                self.jitter = jitter - ((self.jitter + 8) >> 4);
            }
        }
    }

    /// Timestamps count in another unit from now on (RFC 7160), and so does jitter.
    pub(super) fn change_clock_rate(&mut self, before: u32, after: u32) {
        self.jitter = self.jitter.saturating_mul(after.into()) / u64::from(before.max(1));
        self.last_transit = None;
    }

    pub(super) fn jitter(&self, clock_rate: u32) -> Duration {
        let ticks = self.jitter >> 4;
        Duration::from_nanos(ticks * 1_000_000_000 / u64::from(clock_rate.max(1)))
    }

    fn expected(&self) -> u64 {
        self.first.map_or(0, |first| self.highest - first + 1)
    }

    /// Duplicates are not counted as received here, so this is never negative but for retransmissions
    /// under the same number.
    pub(super) fn lost(&self) -> i64 {
        self.lost_before + self.expected() as i64 - self.received as i64
    }

    /// A block about what was heard since the last one; `None` if nothing was (RFC 3550 §6.4).
    pub(super) fn report(&mut self, now: Instant, ssrc: Ssrc) -> Option<ReportBlock> {
        if !std::mem::take(&mut self.heard_since_report) {
            return None;
        }
        let (expected_before, received_before) = self.reported;
        self.reported = (self.expected(), self.received);
        let expected = self.expected().saturating_sub(expected_before);
        let received = self.received.saturating_sub(received_before);
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        let sender_report = self.sender_report;
        Some(ReportBlock {
            ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest_sequence: self.highest as u32,
            jitter: (self.jitter >> 4) as u32,
            last_sr: sender_report.map_or(0, |it| it.ntp.compact()),
            delay_since_last_sr: sender_report.map_or(0, |it| {
                compact_duration(now.saturating_duration_since(it.outbound.received))
            }),
        })
    }

    pub(super) fn on_sender_report(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        rtp: Serial32,
        packets: u32,
        octets: u32,
    ) {
        let before = self.sender_report.map_or(0, |it| it.outbound.reports_sent);
        self.sender_report = Some(SenderInfo {
            ntp,
            rtp,
            outbound: RemoteOutbound {
                received: now,
                remote_timestamp: ntp.to_unix(),
                packets_sent: packets,
                bytes_sent: octets,
                reports_sent: before + 1,
            },
        });
    }

    pub(super) fn sender_report(&self) -> Option<SenderInfo> {
        self.sender_report
    }

    /// When media with this timestamp were captured, by the sender's clock.
    pub(super) fn capture_time(&self, timestamp: Serial32, clock_rate: u32) -> Option<Duration> {
        let report = self.sender_report?;
        let ticks = timestamp.0.wrapping_sub(report.rtp.0).cast_signed();
        let nanos = u64::from(ticks.unsigned_abs()) * 1_000_000_000 / u64::from(clock_rate.max(1));
        let away = Duration::from_nanos(nanos);
        let time = report.ntp.to_unix();
        if ticks < 0 {
            time.checked_sub(away)
        } else {
            time.checked_add(away)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_tell_of_losses_since_the_last_one() {
        let now = pc_simnet::epoch();
        let mut reception = Reception::default();
        let ms = Duration::from_millis;
        for number in (100_u64..110).filter(|number| ![103, 104].contains(number)) {
            let at = ms((number - 100) * 20);
            reception.on_packet(number, Serial32((number as u32) * 960), 48_000, at);
        }
        let block = reception.report(now, Ssrc(7)).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (51, 2));
        assert_eq!((block.highest_sequence, block.jitter), (109, 0));
        assert_eq!(
            reception.report(now, Ssrc(7)),
            None,
            "nothing was heard since"
        );
        reception.on_packet(110, Serial32(110 * 960), 48_000, ms(216));
        reception.on_sender_report(now, NtpTime(5 << 32), Serial32(0), 1, 2);
        let block = reception.report(now + ms(500), Ssrc(7)).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 2));
        // 16 ms late, a sixteenth of which is a millisecond.
        assert_eq!(reception.jitter(48_000), ms(1));
        assert_eq!(
            (block.last_sr, block.delay_since_last_sr),
            (5 << 16, 0x8000)
        );
    }
}
