//! What the peer reports of one stream that is sent.

use crate::{RemoteInbound, clock::WallClock};
use pc_rtp::{from_compact_duration, rtcp::ReportBlock};
use std::time::{Duration, Instant};

/// The report blocks about one SSRC.
#[derive(Debug, Default)]
pub(super) struct Remote {
    last: Option<RemoteInbound>,
}

/// What one report block told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// Packets lost since the block before.
    pub(super) lost: u64,
    /// Packets that were to come since the block before.
    pub(super) expected: u64,
    /// The round-trip time, when the block answers a sender report.
    pub(super) rtt: Option<Duration>,
}

impl Remote {
    pub(super) fn stats(&self) -> Option<RemoteInbound> {
        self.last
    }

    /// Takes a block about a stream with the given clock rate (RFC 3550 §6.4.1).
    pub(super) fn on_report_block(
        &mut self,
        now: Instant,
        clock: &WallClock,
        clock_rate: u32,
        block: &ReportBlock,
    ) -> Told {
        let rtt = round_trip_time(now, clock, block);
        let before = self.last;
        let expected = before.map_or(0, |before| {
            let advance = block.highest_sequence.wrapping_sub(before.highest_sequence);
            // More than half the space is a report that was overtaken.
            if advance < 1 << 31 {
                u64::from(advance)
            } else {
                0
            }
        });
        let lost = before.map_or(0, |before| {
            let more = i64::from(block.cumulative_lost) - i64::from(before.packets_lost);
            u64::try_from(more).unwrap_or(0).min(expected)
        });
        let (total, count) = before.map_or((Duration::ZERO, 0), |before| {
            (
                before.total_round_trip_time,
                before.round_trip_time_measurements,
            )
        });
        self.last = Some(RemoteInbound {
            received: now,
            packets_lost: block.cumulative_lost,
            // RFC 3550 §6.4.1: in units of 1/256.
            fraction_lost: f64::from(block.fraction_lost) / 256.0,
            jitter: ticks(block.jitter, clock_rate),
            highest_sequence: block.highest_sequence,
            round_trip_time: rtt.or(before.and_then(|before| before.round_trip_time)),
            total_round_trip_time: total + rtt.unwrap_or_default(),
            round_trip_time_measurements: count + u64::from(rtt.is_some()),
        });
        Told {
            lost,
            expected,
            rtt,
        }
    }
}

/// RFC 3550 §6.4.1: now - LSR - DLSR; `None` before the peer has had a sender report, and for what
/// cannot be.
fn round_trip_time(now: Instant, clock: &WallClock, block: &ReportBlock) -> Option<Duration> {
    if block.last_sr == 0 {
        return None;
    }
    answered(now, clock, block.last_sr, block.delay_since_last_sr)
}

/// The time since `sent`, without the `delay` the peer held it for. Up to a tick of rounding the
/// wrong way is a round trip of nothing.
pub(super) fn answered(now: Instant, clock: &WallClock, sent: u32, delay: u32) -> Option<Duration> {
    let since = clock.since_compact(now, sent);
    let rtt = (since + from_compact_duration(2)).checked_sub(from_compact_duration(delay))?;
    // The compact time wraps after 18 hours; no report is that old.
    (rtt < MAX_RTT).then(|| rtt.saturating_sub(from_compact_duration(2)))
}

/// Round trips longer than this are forged or the peer's clock is broken.
const MAX_RTT: Duration = Duration::from_secs(60);

fn ticks(count: u32, clock_rate: u32) -> Duration {
    Duration::from_nanos(u64::from(count) * 1_000_000_000 / u64::from(clock_rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_rtp::{Ssrc, compact_duration};
    use pc_simnet::{epoch, ms, secs};

    fn block(clock: &WallClock, sent: Instant, held: Duration) -> ReportBlock {
        ReportBlock {
            ssrc: Ssrc(1),
            fraction_lost: 64,
            cumulative_lost: 10,
            highest_sequence: 1000,
            jitter: 900,
            last_sr: clock.ntp(sent).compact(),
            delay_since_last_sr: compact_duration(held),
        }
    }

    #[test]
    fn round_trips_are_measured_and_nonsense_is_not() {
        let clock = WallClock::new(epoch(), secs(1_700_000_000));
        let (sent, now) = (epoch() + secs(5), epoch() + ms(6120));
        let mut remote = Remote::default();
        let told = remote.on_report_block(now, &clock, 90_000, &block(&clock, sent, secs(1)));
        let rtt = told.rtt.unwrap();
        assert!(
            rtt.abs_diff(ms(120)) < Duration::from_micros(100),
            "{rtt:?}"
        );
        let forged = block(&clock, sent, secs(3));
        assert_eq!(
            remote.on_report_block(now, &clock, 90_000, &forged).rtt,
            None
        );
        let stats = remote.stats().unwrap();
        assert_eq!(stats.round_trip_time_measurements, 1);
        assert_eq!((stats.jitter, stats.fraction_lost), (ms(10), 0.25));
    }

    #[test]
    fn losses_are_counted_from_report_to_report() {
        let clock = WallClock::new(epoch(), secs(1_700_000_000));
        let mut remote = Remote::default();
        let mut tell = |cumulative_lost, highest_sequence| {
            let block = ReportBlock {
                cumulative_lost,
                highest_sequence,
                last_sr: 0,
                ..block(&clock, epoch(), secs(0))
            };
            let told = remote.on_report_block(epoch(), &clock, 90_000, &block);
            (told.lost, told.expected)
        };
        assert_eq!(tell(10, 1000), (0, 0), "nothing to compare with");
        assert_eq!(tell(15, 1100), (5, 100));
        assert_eq!(tell(12, 1200), (0, 100), "retransmissions came");
        assert_eq!(tell(8_000_000, 1250), (50, 50), "not more than there were");
        assert_eq!(tell(0, 1000), (0, 0), "an older report");
    }
}
