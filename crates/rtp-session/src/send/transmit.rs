//! From the lines that wait into datagrams.

use super::{
    Senders,
    history::Index,
    packet::{Packet, Stamp, Written},
    queue::{Line, Waiting},
    stream::Stream,
};
use pc_proto::{Serial16, TransmitBuf};
use std::time::Instant;

impl Senders {
    /// Writes what may leave at `now`, until `out` is full.
    pub(crate) fn write_packets(&mut self, now: Instant, out: &mut TransmitBuf<'_>) {
        self.wake = None;
        while !out.is_full() {
            let is_paced = self.pacer.next(now) <= now;
            match self.queue.next(is_paced) {
                Some((line, waiting)) => self.write_waiting(now, line, waiting, out),
                None if self.queue.is_empty() => return,
                None => {
                    self.wake = Some(self.pacer.wake(now));
                    return;
                }
            }
        }
        if !self.queue.is_empty() {
            self.wake = Some(now);
        }
    }

    /// Writes packets of the first of a line: as many as may leave now.
    fn write_waiting(
        &mut self,
        now: Instant,
        line: Line,
        waiting: Waiting,
        out: &mut TransmitBuf<'_>,
    ) {
        let mut next = waiting.next;
        while next < waiting.end && !out.is_full() {
            if line != Line::Audio && self.pacer.next(now) > now {
                break;
            }
            if line == Line::Again {
                self.write_again(now, &waiting, next, out);
            } else {
                self.write_first(now, line, &waiting, next, out);
            }
            next += 1;
        }
        self.queue.advance(line, next);
    }

    /// Writes a packet that leaves for the first time.
    fn write_first(
        &mut self,
        now: Instant,
        line: Line,
        waiting: &Waiting,
        index: Index,
        out: &mut TransmitBuf<'_>,
    ) {
        let stamp = self.stamp(now);
        let Some(sender) = self.senders.get_mut(&waiting.sender) else {
            return;
        };
        let Some(stream) = sender.streams.get_mut(waiting.encoding) else {
            return;
        };
        // Taken out and put back: writing reads the stream beside its history.
        let mut history = std::mem::take(&mut stream.history);
        let Some((frame, offset)) = history.find(index) else {
            stream.history = history;
            return;
        };
        let packet = Packet {
            frame,
            offset,
            ssrc: stream.ssrc,
            payload_type: frame.payload_type,
            sequence_number: Serial16(index as u16),
            original: None,
            is_known_to_peer: stream.is_known_to_peer,
        };
        let written = packet.write(&sender.parameters, sender.negotiated, stream, stamp, out);
        if let Some(state) = frame.packets.get_mut(offset) {
            state.last_sent = Some(now);
        }
        frame.unsent = frame.unsent.saturating_sub(1);
        let counters = &mut stream.counters;
        counters.packets += 1;
        counters.octets += written.payload as u64;
        counters.header_bytes += written.header as u64;
        counters.send_delay += now.saturating_duration_since(frame.queued);
        counters.frames += u64::from(frame.unsent == 0 && (frame.marker || sender.is_audio));
        stream.history = history;
        self.has_new_stream |= stream.last_sent.is_none();
        stream.on_sent(now, index);
        let has_transport_sequence = sender.negotiated.transport_sequence;
        self.account(now, line, written, has_transport_sequence);
    }

    /// Writes a packet again: in a stream of its own (RFC 4588), or just as it was.
    ///
    /// As it was but for extensions that tell of the moment, under the same sequence number: a
    /// sender of SRTP that refuses an index it has seen has to be told to allow this
    /// (RFC 3711 §3.3.2 asks for replay protection of receivers only).
    fn write_again(
        &mut self,
        now: Instant,
        waiting: &Waiting,
        index: Index,
        out: &mut TransmitBuf<'_>,
    ) {
        let stamp = self.stamp(now);
        let Some(sender) = self.senders.get_mut(&waiting.sender) else {
            return;
        };
        let Some(stream) = sender.streams.get_mut(waiting.encoding) else {
            return;
        };
        let mut history = std::mem::take(&mut stream.history);
        let Some((frame, offset)) = history.find(index) else {
            stream.history = history;
            return;
        };
        let original = Serial16(index as u16);
        let packet = match frame.rtx {
            Some(payload_type) => Packet {
                frame,
                offset,
                ssrc: stream.rtx.ssrc,
                payload_type,
                sequence_number: stream.rtx.next,
                original: Some(original),
                is_known_to_peer: stream.rtx.is_known_to_peer,
            },
            None => Packet {
                frame,
                offset,
                ssrc: stream.ssrc,
                payload_type: frame.payload_type,
                sequence_number: original,
                original: None,
                is_known_to_peer: stream.is_known_to_peer,
            },
        };
        let written = packet.write(&sender.parameters, sender.negotiated, stream, stamp, out);
        let is_rtx = frame.rtx.is_some();
        if let Some(state) = frame.packets.get_mut(offset) {
            state.last_sent = Some(now);
        }
        stream.history = history;
        stream.count_again(now, is_rtx, written);
        let has_transport_sequence = sender.negotiated.transport_sequence;
        self.account(now, Line::Again, written, has_transport_sequence);
    }

    fn stamp(&self, now: Instant) -> Stamp {
        Stamp {
            unix: self.clock.unix(now),
            transport_sequence: self.transport_sequence,
        }
    }

    /// Books a packet that was written.
    fn account(&mut self, now: Instant, line: Line, written: Written, has_sequence: bool) {
        let bytes = written.header + written.payload;
        if has_sequence {
            self.transport_sequence = self.transport_sequence.next();
        }
        self.rate.on_sent(now, bytes);
        match line {
            Line::Audio => self.audio_rate.add(now, bytes as u64),
            Line::Again => self.pacer.on_sent(now, bytes),
            Line::Video => {
                self.queue.video_bytes = self.queue.video_bytes.saturating_sub(written.payload);
                self.pacer.on_sent(now, bytes);
            }
        }
    }
}

impl Stream {
    fn count_again(&mut self, now: Instant, is_rtx: bool, written: Written) {
        let counters = &mut self.counters;
        counters.repeated_packets += 1;
        counters.repeated_bytes += written.payload as u64;
        counters.header_bytes += written.header as u64;
        if is_rtx {
            self.rtx.next = self.rtx.next.next();
            self.rtx.packets += 1;
            self.rtx.octets += written.payload as u64;
            self.rtx.last_sent = Some(now);
        } else {
            counters.packets += 1;
            counters.octets += written.payload as u64;
            self.last_sent = Some(now);
        }
    }
}
