//! What is whole and due of a stream, taken out of its buffer.

use std::time::Instant;

use pc_proto::Serial32;

use super::{
    super::{audio::Next, slots::Slot, video::Span},
    Media, Stream,
};
use crate::{Received, ReceivedFrame, ReceiverParameters};

impl Stream {
    /// Whether [`poll`](Self::poll) has something.
    pub(in crate::receive) fn is_ready(&mut self, now: Instant) -> bool {
        match &mut self.media {
            Media::Audio(buffer) => buffer.poll(now, &self.timing).is_some(),
            Media::Video(_) => self.next_picture(now).is_some(),
        }
    }

    /// The frame that is whole and due.
    fn next_picture(&mut self, now: Instant) -> Option<Span> {
        let Media::Video(buffer) = &mut self.media else {
            return None;
        };
        let was_waiting = buffer.is_waiting();
        let span = buffer.next_frame(now);
        if buffer.is_waiting() && !was_waiting {
            self.key_frame.want(now);
        }
        let span = span?;
        let extended = buffer.slot(span.first)?.extended;
        let is_due = self.timing.playout(extended).is_none_or(|at| at <= now);
        (is_due || buffer.is_crowded()).then_some(span)
    }

    /// The next frame or gap that is due, and what its packet said of itself.
    pub(in crate::receive) fn poll(
        &mut self,
        now: Instant,
        parameters: &ReceiverParameters,
    ) -> Option<Received<'_>> {
        match self.media {
            Media::Audio(_) => self.poll_audio(now),
            Media::Video(_) => self.poll_video(now, parameters),
        }
    }

    fn poll_audio(&mut self, now: Instant) -> Option<Received<'_>> {
        let Media::Audio(buffer) = &mut self.media else {
            return None;
        };
        let next = buffer.poll(now, &self.timing)?;
        let Next::Packet(number) = next else {
            buffer.advance(next);
            self.stats.concealment_events += 1;
            let Next::Lost(extended) = next else {
                return None;
            };
            return Some(Received::Lost {
                timestamp: Serial32(extended as u32),
            });
        };
        let extended = buffer.slot(number)?.extended;
        let playout = self.timing.playout(extended).unwrap_or(now);
        buffer.advance(next);
        // It has been let go of, and is there until the next packet comes.
        let slot = buffer.slots().freed()?;
        self.stats.frames_received += 1;
        self.stats.emit(now, slot.received, &self.timing);
        self.nack.forget_before(number);
        Some(Received::Frame(ReceivedFrame {
            payload_type: slot.payload_type,
            data: &slot.payload,
            timestamp: slot.timestamp,
            ssrc: self.ssrc,
            rid: self.rid.as_deref(),
            is_key_frame: true,
            size: None,
            capture_time: self.reception.capture_time(slot.timestamp, self.clock_rate),
            audio_level: slot.audio_level,
            orientation: None,
            received: slot.received,
            playout,
        }))
    }

    fn poll_video(
        &mut self,
        now: Instant,
        parameters: &ReceiverParameters,
    ) -> Option<Received<'_>> {
        let (span, head) = self.assemble_next(now, parameters)?;
        self.nack.forget_before(span.last + 1);
        let playout = self.timing.playout(head.extended).unwrap_or(now);
        self.stats.emit(now, head.received, &self.timing);
        self.stats.frames_received += 1;
        if span.last > span.first {
            self.stats.frames_assembled_from_multiple_packets += 1;
            self.stats.total_assembly_time +=
                head.received.saturating_duration_since(head.first_received);
        }
        let Media::Video(buffer) = &mut self.media else {
            return None;
        };
        self.stats.frames_dropped = buffer.dropped;
        let frame = buffer.assembled()?;
        if frame.is_key_frame {
            self.key_frame.fulfil();
            self.stats.key_frames_received += 1;
        }
        self.meter.count_frame(now);
        self.stats.frame_size = frame.size.or(self.stats.frame_size);
        Some(Received::Frame(ReceivedFrame {
            payload_type: head.payload_type,
            data: frame.data,
            timestamp: head.timestamp,
            ssrc: self.ssrc,
            rid: self.rid.as_deref(),
            is_key_frame: frame.is_key_frame,
            size: frame.size,
            capture_time: self.reception.capture_time(head.timestamp, self.clock_rate),
            audio_level: None,
            orientation: head.orientation,
            received: head.received,
            playout,
        }))
    }

    /// Puts the next picture together that is due and can be. A malformed frame is as good as lost; the
    /// next key frame may be there.
    fn assemble_next(
        &mut self,
        now: Instant,
        parameters: &ReceiverParameters,
    ) -> Option<(Span, Head)> {
        loop {
            let span = self.next_picture(now)?;
            let Media::Video(buffer) = &mut self.media else {
                return None;
            };
            let head = Head::of(buffer.slot(span.first)?, buffer.slot(span.last)?);
            let mut codecs = parameters.codecs.iter();
            let codec = codecs.find(|it| it.payload_type == head.payload_type);
            if codec.is_some_and(|codec| buffer.assemble(span, codec.format))
                && buffer.assembled().is_some()
            {
                return Some((span, head));
            }
            buffer.give_up();
            self.key_frame.want(now);
        }
    }

    /// When [`poll`](Self::poll) has something though no packet comes.
    pub(in crate::receive) fn next_due(&self) -> Option<Instant> {
        match &self.media {
            Media::Audio(buffer) => buffer.next_due(&self.timing),
            Media::Video(buffer) => {
                let due = buffer
                    .next_playable()
                    .and_then(|it| self.timing.playout(it));
                due.into_iter().chain(buffer.next_due()).min()
            }
        }
    }
}

/// What the packets of a frame said of it.
struct Head {
    payload_type: pc_rtp::PayloadType,
    timestamp: Serial32,
    extended: i64,
    orientation: Option<pc_rtp::VideoOrientation>,
    first_received: Instant,
    received: Instant,
}

impl Head {
    fn of(first: &Slot, last: &Slot) -> Self {
        Self {
            payload_type: first.payload_type,
            timestamp: first.timestamp,
            extended: first.extended,
            orientation: last.orientation.or(first.orientation),
            first_received: first.received,
            received: last.received,
        }
    }
}
