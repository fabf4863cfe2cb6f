//! Sound: packets in their order, each when its time has come, and gaps where one will not come.

use std::time::Instant;

use pc_rtp::{PayloadType, payload::red};

use super::{
    slots::{PacketInfo, Slot, Slots},
    timing::Timing,
};

/// Packets that wait for their time: ten seconds of 20 ms.
const MAX_PACKETS: usize = 512;
/// As many packets in a row are told as lost; a longer gap is passed over.
const MAX_LOST: u64 = 25;

/// What is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Packet(u64),
    /// It will not come: its extended timestamp.
    Lost(i64),
}

/// Packets that are missing before one that is there.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// The packet that is there, and its extended timestamp.
    later: u64,
    extended: i64,
    /// The extended timestamp of the first that is missing.
    lost: i64,
    is_regular: bool,
}

impl Gap {
    /// What decides when something is to be done about it.
    fn due(&self) -> i64 {
        self.lost.min(self.extended)
    }

    /// Whether concealment makes sense, packet by packet.
    fn is_fillable(&self) -> bool {
        self.is_regular && self.lost < self.extended
    }
}

#[derive(Debug)]
pub(super) struct AudioBuffer {
    slots: Slots,
    /// The number of the packet to play next.
    next: Option<u64>,
    highest: u64,
    /// The extended timestamp of the packet played last, and its distance from the one before.
    last: Option<(i64, i64)>,
}

impl AudioBuffer {
    pub(super) fn new() -> Self {
        Self {
            slots: Slots::new(MAX_PACKETS),
            next: None,
            highest: 0,
            last: None,
        }
    }

    pub(super) fn slots(&mut self) -> &mut Slots {
        &mut self.slots
    }

    pub(super) fn slot(&self, number: u64) -> Option<&Slot> {
        self.slots.get(number)
    }

    pub(super) fn is_late(&self, number: u64) -> bool {
        self.last.is_some() && self.next.is_some_and(|next| number < next)
    }

    /// Keeps a packet. One without a payload is passed over when its turn comes.
    pub(super) fn insert(&mut self, number: u64, info: PacketInfo, payload: &[u8]) {
        self.slots.insert(number, info, payload);
        self.on_packet(number);
    }

    /// Keeps what is in a packet of RFC 2198: its own frame, and those before it that have not come.
    /// What is not of the payload type `sound` is not played, such as telephone events.
    pub(super) fn insert_red(
        &mut self,
        number: u64,
        info: PacketInfo,
        sound: PayloadType,
        payload: &[u8],
    ) {
        let Ok(blocks) = red::parse(payload) else {
            // Nothing is missing in its place.
            return self.insert(number, info, &[]);
        };
        // The last one is the packet's own, and each before it is of a packet earlier.
        let count = blocks.count() as u64;
        let blocks = red::parse(payload).into_iter().flatten();
        for (block, back) in blocks.zip((0..count).rev()) {
            let number = number.saturating_sub(back);
            let offset = u32::from(block.timestamp_offset);
            let extended = info.extended - i64::from(offset);
            let is_sound = block.payload_type == sound;
            let is_of_use = is_sound && !block.data.is_empty() && self.misses(number, extended);
            if back > 0 && !is_of_use {
                continue;
            }
            let info = PacketInfo {
                payload_type: block.payload_type,
                timestamp: info.timestamp.minus(offset),
                extended,
                is_copy: back > 0,
                ..info
            };
            let data = if is_sound { block.data } else { &[] };
            self.insert(number, info, data);
        }
    }

    /// Whether a copy of sound has a place: not that of another packet, and not before what was played or
    /// comes before. Packets of telephone events have numbers, too, and no copies.
    fn misses(&self, number: u64, extended: i64) -> bool {
        let is_known = self.slots.get(number).is_some() || self.is_late(number);
        let before = number.checked_sub(1).and_then(|it| self.slots.get(it));
        let is_after = |at: Option<i64>| at.is_none_or(|at| extended > at);
        !is_known
            && is_after(self.last.map(|(at, _)| at))
            && is_after(before.map(|slot| slot.extended))
    }

    /// A packet has been put into its slot.
    fn on_packet(&mut self, number: u64) {
        self.highest = self.highest.max(number);
        let next = *self.next.get_or_insert(number);
        if self.last.is_none() && number < next {
            // Nothing has been played: one from before the first is welcome.
            self.next = Some(number);
        }
        if number >= next + self.slots.capacity() {
            // Nobody has polled for ten seconds.
            self.next = Some(number);
        }
    }

    /// Whether more waits than there is soon room for: then it is played early, not dropped.
    fn is_crowded(&self) -> bool {
        let waiting = self
            .next
            .map_or(0, |next| self.highest.saturating_sub(next));
        waiting >= self.slots.capacity() / 4 * 3 || self.slots.is_crowded()
    }

    /// What is to be played at `now`, in order.
    pub(super) fn poll(&mut self, now: Instant, timing: &Timing) -> Option<Next> {
        let next = self.skip_empty()?;
        if let Some(slot) = self.slots.get(next) {
            let is_due = timing.playout(slot.extended).is_none_or(|at| at <= now);
            return (is_due || self.is_crowded()).then_some(Next::Packet(next));
        }
        let gap = self.gap(next)?;
        if timing.playout(gap.due()).is_some_and(|at| at > now) && !self.is_crowded() {
            return None;
        }
        if gap.is_fillable() {
            return Some(Next::Lost(gap.lost));
        }
        self.next = Some(gap.later);
        self.poll(now, timing)
    }

    /// The packet to play next, after those that have no payload.
    fn skip_empty(&mut self) -> Option<u64> {
        let mut next = self.next?;
        while (self.slots.get(next)).is_some_and(|slot| slot.payload.is_empty()) {
            self.slots.free(next);
            next += 1;
        }
        self.next = Some(next);
        Some(next)
    }

    /// When [`poll`](Self::poll) has something though no packet comes.
    pub(super) fn next_due(&self, timing: &Timing) -> Option<Instant> {
        let next = self.next?;
        if let Some(slot) = self.slots.get(next) {
            return timing.playout(slot.extended);
        }
        timing.playout(self.gap(next)?.due())
    }

    /// What is missing from `next` on, up to the next packet that is there.
    fn gap(&self, next: u64) -> Option<Gap> {
        let (later, slot) = self.first_after(next)?;
        let (last, step) = self.last.unwrap_or((slot.extended, 0));
        let missing = later - next;
        // Where the missing one would be: between its neighbours.
        let step = if step > 0 {
            step
        } else {
            (slot.extended - last) / (missing as i64 + 1)
        };
        Some(Gap {
            later,
            extended: slot.extended,
            lost: last + step,
            is_regular: missing <= MAX_LOST && step > 0,
        })
    }

    fn first_after(&self, number: u64) -> Option<(u64, &Slot)> {
        let mut later = number + 1..=self.highest;
        later.find_map(|later| Some((later, self.slots.get(later)?)))
    }

    /// What [`poll`](Self::poll) gave has been played.
    pub(super) fn advance(&mut self, next: Next) {
        let extended = match next {
            Next::Packet(number) => self.slots.get(number).map(|slot| slot.extended),
            Next::Lost(extended) => Some(extended),
        };
        if let Some(extended) = extended {
            let step = self.last.map_or(0, |(last, _)| extended - last);
            self.last = Some((extended, step));
        }
        if let Some(next) = &mut self.next {
            self.slots.free(*next);
            *next += 1;
        }
    }
}
