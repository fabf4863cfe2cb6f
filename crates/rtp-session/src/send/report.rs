//! Reports: those that are written about what was sent, and those that come.

use super::{Senders, remote};
use crate::{OutboundStats, SenderId};
use pc_rtp::{
    Ssrc,
    rtcp::{ReportBlock, SenderReport},
};
use std::time::{Duration, Instant};

impl Senders {
    /// Appends a report on each stream that has sent since `since` (RFC 3550 §6.4): those of
    /// retransmissions too, which are sources as any other (RFC 4588 §6.1).
    pub(crate) fn sender_reports(
        &self,
        now: Instant,
        since: Instant,
        reports: &mut Vec<SenderReport<'static>>,
    ) {
        let is_recent = |sent: Option<Instant>| sent.is_some_and(|sent| sent >= since);
        for stream in self.senders.values().flat_map(|sender| &sender.streams) {
            let Some(clock) = &stream.media_clock else {
                continue;
            };
            let mut report = |ssrc: Ssrc, packets: u64, octets: u64| {
                reports.push(SenderReport {
                    ssrc,
                    ntp: self.clock.ntp(now),
                    rtp: clock.timestamp_at(now),
                    // RFC 3550 §6.4.1: the counts wrap.
                    packet_count: packets as u32,
                    octet_count: octets as u32,
                    reports: &[],
                });
            };
            if is_recent(stream.last_sent) {
                report(stream.ssrc, stream.counters.packets, stream.counters.octets);
            }
            if is_recent(stream.rtx.last_sent) {
                report(stream.rtx.ssrc, stream.rtx.packets, stream.rtx.octets);
            }
        }
    }

    /// A report of the peer about what it receives. Returns the round-trip time it tells.
    pub(crate) fn on_report_block(
        &mut self,
        now: Instant,
        block: &ReportBlock,
    ) -> Option<Duration> {
        let place = self.by_ssrc.get(&block.ssrc.0).copied()?;
        let clock = self.clock;
        let is_audio = self.senders.get(&place.sender)?.is_audio;
        let stream = self.stream_mut(place)?;
        if place.is_rtx {
            stream.rtx.is_known_to_peer = true;
            return None;
        }
        stream.is_known_to_peer = true;
        let clock_rate = stream.media_clock.map_or(90_000, |clock| clock.rate);
        let told = (stream.remote).on_report_block(now, &clock, clock_rate, block);
        // Sound is too thin a stream to tell by it what the network carries.
        if !is_audio && told.expected > 0 {
            let rtt = self.rtt();
            self.rate.set_wanted(self.wanted_bitrate(now));
            self.rate.on_loss(now, told.lost, told.expected, rtt);
            self.tell_target(now);
        }
        told.rtt
    }

    /// RFC 3611 §4.5: the peer answers a time this side sent.
    pub(crate) fn round_trip_since(&self, now: Instant, sent: u32, delay: u32) -> Option<Duration> {
        remote::answered(now, &self.clock, sent, delay)
    }

    pub(crate) fn set_round_trip_time(&mut self, rtt: Duration) {
        self.rtt = Some(rtt);
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.rtt
    }

    pub(crate) fn target_bitrate(&self, now: Instant) -> u64 {
        self.rate.target(now)
    }

    /// The source that reports and asks on behalf of all: the first that has sent.
    pub(crate) fn reporter(&self) -> Option<Ssrc> {
        let mut streams = self.senders.values().flat_map(|sender| &sender.streams);
        let first = streams.find(|stream| stream.last_sent.is_some());
        first.map(|stream| stream.ssrc)
    }

    pub(crate) fn stats(&self, id: SenderId) -> impl Iterator<Item = OutboundStats> {
        self.senders.get(&id).into_iter().flat_map(|sender| {
            let has_rtx = sender.has_rtx();
            sender
                .streams
                .iter()
                .enumerate()
                .map(move |(encoding, stream)| {
                    let (counters, rtx) = (&stream.counters, &stream.rtx);
                    OutboundStats {
                        encoding,
                        rid: stream.rid.clone(),
                        mid: sender.parameters.mid.clone(),
                        ssrc: stream.ssrc,
                        rtx_ssrc: has_rtx.then_some(rtx.ssrc),
                        active: stream.active,
                        payload_type: stream.payload_type,
                        packets_sent: counters.packets + rtx.packets,
                        bytes_sent: counters.octets + rtx.octets,
                        header_bytes_sent: counters.header_bytes,
                        retransmitted_packets_sent: counters.repeated_packets,
                        retransmitted_bytes_sent: counters.repeated_bytes,
                        nack_count: counters.nacks,
                        pli_count: counters.plis,
                        fir_count: counters.firs,
                        frames_sent: counters.frames,
                        key_frames_sent: counters.key_frames,
                        target_bitrate: sender.target_bitrate,
                        total_packet_send_delay: counters.send_delay,
                        remote: stream.remote.stats(),
                    }
                })
        })
    }
}
