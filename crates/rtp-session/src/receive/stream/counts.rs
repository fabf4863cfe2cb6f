//! What is counted of a stream.

use std::time::{Duration, Instant};

use pc_rtp::Ssrc;

use super::{Stream, Timing};
use crate::{InboundStats, ReceivedLayer};

impl InboundStats {
    pub(super) fn new(ssrc: Ssrc, rid: Option<&str>, mid: &str) -> Self {
        Self {
            ssrc,
            rtx_ssrc: None,
            rid: rid.map(str::to_owned),
            mid: mid.to_owned(),
            payload_type: None,
            packets_received: 0,
            bytes_received: 0,
            header_bytes_received: 0,
            packets_lost: 0,
            jitter: Duration::ZERO,
            last_packet_received: None,
            packets_discarded: 0,
            retransmitted_packets_received: 0,
            retransmitted_bytes_received: 0,
            nack_count: 0,
            pli_count: 0,
            fir_count: 0,
            frames_received: 0,
            key_frames_received: 0,
            frames_dropped: 0,
            frames_assembled_from_multiple_packets: 0,
            total_assembly_time: Duration::ZERO,
            frame_size: None,
            jitter_buffer_delay: Duration::ZERO,
            jitter_buffer_target_delay: Duration::ZERO,
            jitter_buffer_minimum_delay: Duration::ZERO,
            jitter_buffer_emitted: 0,
            audio_level: None,
            concealment_events: 0,
            remote: None,
        }
    }

    /// A frame leaves the jitter buffer.
    pub(super) fn emit(&mut self, now: Instant, received: Instant, timing: &Timing) {
        self.jitter_buffer_emitted += 1;
        self.jitter_buffer_delay += now.saturating_duration_since(received);
        self.jitter_buffer_target_delay += timing.target_delay();
        self.jitter_buffer_minimum_delay += timing.jitter_delay();
    }
}

impl Stream {
    /// Everything that is counted.
    pub(in crate::receive) fn snapshot(&self) -> InboundStats {
        InboundStats {
            rtx_ssrc: self.rtx_ssrc,
            packets_lost: self.reception.lost(),
            jitter: self.reception.jitter(self.clock_rate),
            remote: self.reception.sender_report().map(|it| it.outbound),
            ..self.stats.clone()
        }
    }

    /// What is known of it as a layer of simulcast.
    pub(in crate::receive) fn layer(&self, now: Instant) -> ReceivedLayer {
        let (bit_rate, frame_rate) = self.meter.rates(now);
        ReceivedLayer {
            rid: self.rid.clone(),
            ssrc: self.ssrc,
            payload_type: self.stats.payload_type,
            size: self.stats.frame_size,
            bit_rate,
            frame_rate,
            frames_received: self.stats.frames_received,
            packets_received: self.stats.packets_received,
            last_packet_received: self.stats.last_packet_received,
            is_paused: self.is_paused,
        }
    }
}
