//! What was sent of late, for those who ask for it again.

use pc_proto::{Serial16, Writer};
use pc_rtp::{PacketMut, PacketView, PayloadType, Ssrc, payload::rtx};
use std::time::{Duration, Instant};

/// A packet is sent again so often at most.
const MAX_REPEATS: u8 = 10;

/// How much a [`NackCache`] keeps.
#[derive(Debug, Clone, Copy)]
pub struct NackCacheConfig {
    /// How many packets at most, rounded up to a power of two, from 2 to 2^15: half of what sequence
    /// numbers tell apart.
    pub max_packets: usize,
    /// How many bytes at most. The memory comes with the packets.
    pub max_bytes: usize,
    /// For how long.
    pub keep: Duration,
}

impl Default for NackCacheConfig {
    /// A second of 5 Mbit/s: 512 packets and 640 KiB.
    fn default() -> Self {
        Self {
            max_packets: 512,
            max_bytes: 640 << 10,
            keep: Duration::from_secs(1),
        }
    }
}

/// The packets of one outgoing stream, in the clear, by their sequence numbers (RFC 4585 §6.2.1).
///
/// ```text
///  slots:  │ 17 │ 18 │    │ 20 │          at their number modulo the count
///             │    └─────────┐ └──┐
///  bytes:  │ …     packet 17 │ packet 18 │ packet 20 │ oldest …    in the order of sending, around and around
/// ```
///
/// The same packet is given again not before a round trip has passed, and ten times at most, so that
/// a viewer that asks for everything all the time gets no multiple of the stream. Once its memory has
/// grown, nothing is allocated.
#[derive(Debug, Clone)]
pub struct NackCache {
    slots: Vec<Option<Slot>>,
    bytes: Vec<u8>,
    max_bytes: usize,
    keep: Duration,
    /// How many bytes have been written in all, skipped ones included.
    written: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    sequence_number: Serial16,
    /// Where it is among all bytes that have been written.
    begin: u64,
    len: usize,
    inserted: Instant,
    last_sent: Instant,
    repeats: u8,
}

/// The stream of retransmissions that belongs to an outgoing stream (RFC 4588 §4).
#[derive(Debug, Clone, Copy)]
pub struct Retransmission {
    /// Its source.
    pub ssrc: Ssrc,
    /// Its payload type.
    pub payload_type: PayloadType,
    /// The number of this retransmission.
    pub sequence_number: Serial16,
}

impl NackCache {
    /// An empty one.
    pub fn new(config: NackCacheConfig) -> Self {
        let slots = config.max_packets.clamp(2, 1 << 15).next_power_of_two();
        Self {
            slots: vec![None; slots],
            bytes: Vec::new(),
            max_bytes: config.max_bytes,
            keep: config.keep,
            written: 0,
        }
    }

    /// Keeps a packet that leaves, as it is before SRTP; older ones go for it. Longer ones than all
    /// there is room for are not kept.
    pub fn insert(&mut self, now: Instant, sequence_number: Serial16, packet: &[u8]) {
        let (len, room) = (packet.len(), self.max_bytes as u64);
        if len > self.max_bytes || len == 0 {
            return;
        }
        // A packet lies in one piece: what is left at the end stays empty.
        let begin = match self.written % room {
            at if at + len as u64 > room => self.written + room - at,
            _ => self.written,
        };
        let range = Self::range(begin, len, room);
        if self.bytes.len() < range.end {
            self.bytes.resize(range.end, 0);
        }
        if let Some(bytes) = self.bytes.get_mut(range) {
            bytes.copy_from_slice(packet);
        }
        self.written = begin + len as u64;
        let place = self.place(sequence_number);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some(Slot {
                sequence_number,
                begin,
                len,
                inserted: now,
                last_sent: now,
                repeats: 0,
            });
        }
    }

    /// The packet with this number, to be sent again.
    ///
    /// `None` if it is not there any more, or has been sent within a round trip or ten times.
    pub fn answer(
        &mut self,
        now: Instant,
        round_trip: Duration,
        sequence_number: Serial16,
    ) -> Option<&[u8]> {
        let (place, room) = (self.place(sequence_number), self.max_bytes as u64);
        let (keep, written) = (self.keep, self.written);
        let slot = self.slots.get_mut(place)?.as_mut()?;
        let is_there = slot.sequence_number == sequence_number
            && written - slot.begin <= room
            && now.saturating_duration_since(slot.inserted) <= keep;
        // The first request comes a round trip after sending anyway.
        let is_too_soon =
            slot.repeats > 0 && now.saturating_duration_since(slot.last_sent) < round_trip;
        if !is_there || is_too_soon || slot.repeats >= MAX_REPEATS {
            return None;
        }
        slot.repeats += 1;
        slot.last_sent = now;
        self.bytes.get(Self::range(slot.begin, slot.len, room))
    }

    /// Answers a NACK: calls `each` for every packet that is to be sent again. Returns how many.
    pub fn answer_all(
        &mut self,
        now: Instant,
        round_trip: Duration,
        lost: impl IntoIterator<Item = Serial16>,
        mut each: impl FnMut(Serial16, &[u8]),
    ) -> usize {
        let mut count = 0;
        for sequence_number in lost {
            if let Some(packet) = self.answer(now, round_trip, sequence_number) {
                each(sequence_number, packet);
                count += 1;
            }
        }
        count
    }

    /// Forgets everything; the memory stays.
    pub fn clear(&mut self) {
        self.slots.fill(None);
    }

    fn place(&self, sequence_number: Serial16) -> usize {
        usize::from(sequence_number.0) & (self.slots.len() - 1)
    }

    const fn range(begin: u64, len: usize, room: u64) -> std::ops::Range<usize> {
        let begin = (begin % room) as usize;
        begin..begin + len
    }
}

impl Retransmission {
    /// Writes `packet` as a retransmission of this stream: its number goes before its payload
    /// (RFC 4588 §4). Header extensions stay. Returns its length, [`rtx::HEADER_LEN`] more than that of
    /// the packet without padding.
    ///
    /// `None` if `packet` is not one of RTP, or there is no room for it in `out`.
    pub fn write(&self, packet: &[u8], out: &mut [u8]) -> Option<usize> {
        let view = PacketView::parse(packet).ok()?;
        let mut writer = Writer::new(out);
        writer.bytes(packet.get(..view.header_len())?).ok()?;
        rtx::write(view.sequence_number(), view.payload(), &mut writer).ok()?;
        let len = writer.len();
        let out = out.get_mut(..len)?;
        // Padding is not sent again.
        *out.first_mut()? &= !0x20;
        let mut copy = PacketMut::parse(out).ok()?;
        copy.set_ssrc(self.ssrc);
        copy.set_payload_type(self.payload_type);
        copy.set_sequence_number(self.sequence_number);
        Some(len)
    }
}
