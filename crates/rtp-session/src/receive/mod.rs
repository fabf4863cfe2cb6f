//! The receiving half: whose a packet is, streams and their reports, loss, jitter buffer, frames.

use crate::{
    Arrived, Event, InboundStats, Received, ReceiverId, ReceiverParameters, Rejected, Source,
};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{NtpTime, PacketView, Ssrc, rtcp::ReportBlock};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Feedback that a receiver wants written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback<'a> {
    /// Packets to be sent again, RFC 4585 §6.2.1.
    Nack {
        /// The media stream.
        ssrc: Ssrc,
        /// In ascending order (RFC 1982); at most 100 of them (MAX_NACKED), so that it fits beside others.
        lost: &'a [Serial16],
    },
    /// A key frame wanted, RFC 4585 §6.3.1.
    Pli {
        /// The media stream.
        ssrc: Ssrc,
    },
    /// A key frame wanted, RFC 5104 §4.3.1.
    Fir {
        /// The media stream.
        ssrc: Ssrc,
        /// The command's number: repeated with a repetition.
        sequence_number: u8,
    },
}

/// Everything that is received in one session.
#[derive(Debug)]
pub(crate) struct Receivers {
    events: VecDeque<Event>,
}

impl Receivers {
    pub(crate) fn new(_seed: [u8; 32]) -> Self {
        Self {
            events: VecDeque::new(),
        }
    }

    pub(crate) fn set(&mut self, _now: Instant, _id: ReceiverId, _parameters: ReceiverParameters) {}

    pub(crate) fn remove(&mut self, _now: Instant, _id: ReceiverId) {}

    pub(crate) fn handle_rtp<'d>(
        &mut self,
        _now: Instant,
        packet: PacketView<'d>,
    ) -> Result<Arrived<'d>, Rejected> {
        Err(Rejected::UnknownSsrc(packet.ssrc()))
    }

    /// A sender report about `ssrc`, RFC 3550 §6.4.1.
    pub(crate) fn on_sender_report(
        &mut self,
        _now: Instant,
        _ssrc: Ssrc,
        _ntp: NtpTime,
        _rtp: Serial32,
        _packets: u32,
        _octets: u32,
    ) {
    }

    pub(crate) fn on_bye(&mut self, _now: Instant, _ssrc: Ssrc) {}

    /// The session's round-trip time, whenever it is measured.
    pub(crate) fn set_round_trip_time(&mut self, _rtt: Duration) {}

    /// Appends one block for each stream that was heard since its last block (RFC 3550 §6.4.2).
    pub(crate) fn report_blocks(&mut self, _now: Instant, _blocks: &mut Vec<ReportBlock>) {}

    /// The next feedback that is due at `now`: call until there is none.
    pub(crate) fn poll_feedback(&mut self, _now: Instant) -> Option<Feedback<'_>> {
        None
    }

    pub(crate) fn poll_frame(&mut self, _now: Instant, _id: ReceiverId) -> Option<Received<'_>> {
        None
    }

    pub(crate) fn request_key_frame(&mut self, _now: Instant, _id: ReceiverId) {}

    pub(crate) fn set_jitter_buffer_target(&mut self, _id: ReceiverId, _target: Option<Duration>) {}

    pub(crate) fn contributing_sources(
        &self,
        _now: Instant,
        _id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        std::iter::empty()
    }

    pub(crate) fn synchronization_sources(
        &self,
        _now: Instant,
        _id: ReceiverId,
    ) -> impl Iterator<Item = Source> {
        std::iter::empty()
    }

    pub(crate) fn stats(&self, _id: ReceiverId) -> impl Iterator<Item = InboundStats> {
        std::iter::empty()
    }

    /// When `handle_timeout` or `poll_feedback` has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub(crate) fn handle_timeout(&mut self, _now: Instant) {}

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
