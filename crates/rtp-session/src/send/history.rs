//! Packets that were sent, kept to be sent again.

use pc_proto::{Serial16, Serial32};
use pc_rtp::{AudioLevel, PayloadType, VideoOrientation, payload::Payloads};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How many payload bytes one stream keeps at most: four seconds of 8 Mbit/s.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// How many packets one stream keeps at most: half of what sequence numbers can tell apart would be
/// 2^15; this is three seconds of 16 Mbit/s.
pub(super) const MAX_PACKETS: usize = 6144;

/// How many emptied frames wait to be used again, and how many bytes they may have held together.
const MAX_SPARE: usize = 128;
const MAX_SPARE_BYTES: usize = 1 << 20;

/// A sequence number with the cycles before it (RFC 3550 §6.4.1: extended).
pub(super) type Index = u64;

/// One frame, cut into payloads, or one forwarded packet.
#[derive(Debug)]
pub(super) struct SentFrame {
    /// The number of its first packet; the others follow.
    pub(super) first: Index,
    pub(super) payloads: Payloads,
    pub(super) packets: Vec<PacketState>,
    pub(super) payload_type: PayloadType,
    /// The payload type that retransmissions have, where they have a stream of their own.
    pub(super) rtx: Option<PayloadType>,
    pub(super) timestamp: Serial32,
    /// Whether the last packet has the marker bit set.
    pub(super) marker: bool,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) orientation: Option<VideoOrientation>,
    pub(super) queued: Instant,
    /// How many packets have not left yet.
    pub(super) unsent: usize,
    /// The most payload bytes that this memory has held.
    held: usize,
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PacketState {
    /// When it last left, or was last queued to be sent again.
    pub(super) last_sent: Option<Instant>,
    /// How often it was sent again.
    pub(super) repeats: u8,
}

impl SentFrame {
    fn new(now: Instant, payload_type: PayloadType) -> Self {
        Self {
            first: 0,
            payloads: Payloads::new(),
            packets: Vec::new(),
            payload_type,
            rtx: None,
            timestamp: Serial32(0),
            marker: false,
            audio_level: None,
            orientation: None,
            queued: now,
            unsent: 0,
            held: 0,
        }
    }

    pub(super) fn end(&self) -> Index {
        self.first + self.packets.len() as Index
    }

    fn bytes(&self) -> usize {
        self.payloads.total_len()
    }
}

/// Memory is used again for frames of about the same length: by powers of two. A key frame's is not
/// taken for the small ones that follow, or all would become as large in time.
fn class(bytes: usize) -> u32 {
    bytes.max(256).next_power_of_two().ilog2()
}

/// The frames of one stream, in the order of their numbers: some still to leave, some that left.
#[derive(Debug, Default)]
pub(super) struct History {
    frames: VecDeque<SentFrame>,
    spare: Vec<SentFrame>,
    bytes: usize,
    packets: usize,
}

impl History {
    /// An empty frame to fill with about `bytes` and to [`push`](Self::push); its memory is that of
    /// an earlier one.
    pub(super) fn take_spare(
        &mut self,
        now: Instant,
        payload_type: PayloadType,
        bytes: usize,
    ) -> SentFrame {
        let wanted = class(bytes);
        let fits = |spare: &SentFrame| (wanted..=wanted + 1).contains(&class(spare.held));
        let spare = self.spare.iter().rposition(fits);
        let mut frame = match spare {
            Some(at) => self.spare.swap_remove(at),
            None => SentFrame::new(now, payload_type),
        };
        frame.payloads.clear();
        frame.packets.clear();
        frame.payload_type = payload_type;
        frame.queued = now;
        frame
    }

    /// Gives the memory of a frame back that was not pushed.
    pub(super) fn put_back(&mut self, mut frame: SentFrame) {
        frame.held = frame.held.max(frame.bytes());
        self.spare.push(frame);
        let held = |spare: &[SentFrame]| spare.iter().map(|frame| frame.held).sum::<usize>();
        while self.spare.len() > MAX_SPARE || held(&self.spare) > MAX_SPARE_BYTES {
            self.spare.remove(0);
        }
    }

    /// Adds a frame whose payloads are to leave, under the numbers from `first` on.
    ///
    /// Whether it did: it does not when one of those numbers is taken.
    pub(super) fn push(&mut self, first: Index, mut frame: SentFrame) -> bool {
        frame.first = first;
        frame.packets.clear();
        let count = frame.payloads.len();
        frame.packets.resize(count, PacketState::default());
        frame.unsent = count;
        let at = self.frames.partition_point(|other| other.first < first);
        let before = at.checked_sub(1).and_then(|index| self.frames.get(index));
        let taken = before.is_some_and(|before| before.end() > first)
            || (self.frames.get(at)).is_some_and(|after| after.first < frame.end());
        if taken {
            self.put_back(frame);
            return false;
        }
        self.bytes += frame.bytes();
        self.packets += count;
        self.frames.insert(at, frame);
        true
    }

    /// The frame that has the packet with this number, and which of its packets it is.
    pub(super) fn find(&mut self, index: Index) -> Option<(&mut SentFrame, usize)> {
        let after = self.frames.partition_point(|frame| frame.first <= index);
        let frame = self.frames.get_mut(after.checked_sub(1)?)?;
        let offset = usize::try_from(index - frame.first).ok()?;
        (offset < frame.packets.len()).then_some((frame, offset))
    }

    /// The number a peer means by `sequence_number`, `newest` being the last that left.
    pub(super) fn index_of(newest: Index, sequence_number: Serial16) -> Option<Index> {
        let back = Serial16(newest as u16).steps_from(sequence_number);
        newest.checked_sub(Index::from(back))
    }

    /// Forgets what left longer than `keep` ago, and more where memory's bounds are reached. What
    /// has not left stays.
    pub(super) fn expire(&mut self, now: Instant, keep: Duration) {
        while let Some(oldest) = self.frames.front() {
            let last_sent = oldest.packets.iter().filter_map(|packet| packet.last_sent);
            let age = now.saturating_duration_since(last_sent.max().unwrap_or(oldest.queued));
            let over = self.bytes > MAX_BYTES || self.packets > MAX_PACKETS;
            if oldest.unsent > 0 || (age <= keep && !over) {
                return;
            }
            if let Some(frame) = self.frames.pop_front() {
                self.forget(frame);
            }
        }
    }

    /// Takes out what has not left. Says which number the next packet can have instead, and how many
    /// payload bytes do not leave.
    pub(super) fn cancel_unsent(&mut self) -> (Option<Index>, usize) {
        let (mut next, mut bytes) = (None, 0);
        while let Some(last) = self.frames.back_mut()
            && last.unsent > 0
        {
            let sent = last.packets.len().saturating_sub(last.unsent);
            let cut: usize = last.payloads.iter().skip(sent).map(<[u8]>::len).sum();
            next = Some(last.first + sent as Index);
            bytes += cut;
            if sent > 0 {
                last.packets.truncate(sent);
                self.packets -= last.unsent;
                last.unsent = 0;
                break;
            }
            if let Some(frame) = self.frames.pop_back() {
                self.forget(frame);
            }
        }
        // Forwarded packets that came late wait among those that left; their numbers stay free.
        for frame in self.frames.iter_mut().filter(|frame| frame.unsent > 0) {
            bytes += frame.bytes();
            frame.unsent = 0;
        }
        (next, bytes)
    }

    fn forget(&mut self, frame: SentFrame) {
        self.bytes = self.bytes.saturating_sub(frame.bytes());
        self.packets = self.packets.saturating_sub(frame.packets.len());
        self.put_back(frame);
    }

    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        (self.frames.len(), self.packets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pc_simnet::{epoch, ms, secs};

    fn payload_type() -> PayloadType {
        PayloadType::new(96).unwrap()
    }

    fn frame(history: &mut History, now: Instant, payloads: usize, len: usize) -> SentFrame {
        let mut frame = history.take_spare(now, payload_type(), len * payloads);
        for n in 0..payloads {
            frame.payloads.push(&[&vec![n as u8; len]]);
        }
        frame
    }

    fn send_all(history: &mut History, now: Instant, first: Index) {
        let (frame, _) = history.find(first).unwrap();
        frame.unsent = 0;
        for packet in &mut frame.packets {
            packet.last_sent = Some(now);
        }
    }

    #[test]
    fn packets_are_found_by_number() {
        let (mut history, now) = (History::default(), epoch());
        for first in [100, 103] {
            let frame = frame(&mut history, now, 3, 10);
            assert!(history.push(first, frame));
        }
        let (found, offset) = history.find(104).unwrap();
        assert_eq!((found.first, offset), (103, 1));
        assert!(history.find(99).is_none() && history.find(106).is_none());
        let late = frame(&mut history, now, 1, 10);
        assert!(!history.push(101, late), "the number is taken");
        let early = frame(&mut history, now, 1, 10);
        assert!(history.push(98, early));
        assert!(history.find(98).is_some() && history.find(99).is_none());
    }

    #[test]
    fn numbers_are_found_across_their_wrap() {
        assert_eq!(History::index_of(0x1_0002, Serial16(0xFFFE)), Some(0xFFFE));
        assert_eq!(
            History::index_of(0x1_0002, Serial16(0x0001)),
            Some(0x1_0001)
        );
        assert_eq!(
            History::index_of(5, Serial16(9)),
            None,
            "before the first of all"
        );
    }

    #[test]
    fn time_bytes_and_packets_bound_what_is_kept() {
        let (mut history, start) = (History::default(), epoch());
        for n in 0..50 {
            let now = start + ms(100) * n;
            let frame = frame(&mut history, now, 2, 1000);
            assert!(history.push(u64::from(n) * 2, frame));
            send_all(&mut history, now, u64::from(n) * 2);
            history.expire(now, secs(1));
            assert!(history.len().0 <= 11, "{:?}", history.len());
        }
        // All at once, nothing is old.
        let now = start + secs(10);
        for n in 0..MAX_PACKETS as u64 + 500 {
            let frame = frame(&mut history, now, 1, 1000);
            assert!(history.push(1000 + n, frame));
            send_all(&mut history, now, 1000 + n);
            history.expire(now, secs(1));
        }
        assert!(history.packets <= MAX_PACKETS && history.bytes <= MAX_BYTES);
        assert!(history.packets > MAX_BYTES / 1000 - 2);
    }

    #[test]
    fn what_has_not_left_is_kept_until_it_is_cancelled() {
        let (mut history, now) = (History::default(), epoch());
        for first in [10, 20, 30] {
            let frame = frame(&mut history, now, 10, 10);
            assert!(history.push(first, frame));
        }
        send_all(&mut history, now, 10);
        let (half, _) = history.find(20).unwrap();
        half.unsent = 6;
        history.expire(now + secs(60), secs(1));
        assert_eq!(history.len(), (2, 20));
        assert_eq!(history.cancel_unsent(), (Some(24), 160));
        assert_eq!(history.len(), (1, 4));
        assert!(history.find(23).is_some() && history.find(24).is_none());
        assert_eq!(history.cancel_unsent(), (None, 0));
    }
}
