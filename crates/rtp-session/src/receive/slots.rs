//! The packets that wait for their frame, or for their time.

use std::time::Instant;

use pc_proto::Serial32;
use pc_rtp::{AudioLevel, PayloadType, VideoOrientation};

/// A packet that has arrived.
#[derive(Debug)]
pub(super) struct Slot {
    /// Whose number it is; the slot is free while it is `None`.
    number: Option<u64>,
    pub(super) payload_type: PayloadType,
    pub(super) timestamp: Serial32,
    /// The same, without roll-overs.
    pub(super) extended: i64,
    pub(super) marker: bool,
    pub(super) received: Instant,
    pub(super) starts_frame: Option<bool>,
    pub(super) is_key_frame: bool,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) orientation: Option<VideoOrientation>,
    /// Of a packet that has not come itself: see [`PacketInfo::is_copy`].
    pub(super) is_copy: bool,
    /// Empty for padding.
    pub(super) payload: Vec<u8>,
}

/// What a packet is, apart from its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketInfo {
    pub(super) payload_type: PayloadType,
    pub(super) timestamp: Serial32,
    pub(super) extended: i64,
    pub(super) marker: bool,
    pub(super) received: Instant,
    pub(super) starts_frame: Option<bool>,
    pub(super) is_key_frame: bool,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) orientation: Option<VideoOrientation>,
    /// Another packet has brought it (RFC 2198): its own is not there twice when it comes, too.
    pub(super) is_copy: bool,
}

/// How many empty payloads wait to be used again.
const MAX_SPARE: usize = 256;
/// Longer ones than a path carries in one piece are not worth keeping.
const MAX_SPARE_LEN: usize = 2048;
/// How many bytes wait in all: as many as a frame may have.
const MAX_BYTES: usize = 8 << 20;

/// As many packets as there is room for, each at its number modulo that.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    max: usize,
    /// Of all payloads that wait.
    bytes: usize,
    /// The memory of payloads that were let go of: what waits decides how much there is, and not
    /// how many places there are.
    spare: Vec<Vec<u8>>,
    /// The place that was freed last: its payload can still be read.
    freed: Option<usize>,
}

impl Slots {
    /// Room for `max` packets; memory comes with them.
    pub(super) fn new(max: usize) -> Self {
        Self {
            slots: Vec::new(),
            max,
            bytes: 0,
            spare: Vec::new(),
            freed: None,
        }
    }

    pub(super) fn capacity(&self) -> u64 {
        self.max as u64
    }

    fn place(&self, number: u64) -> usize {
        (number % self.max as u64) as usize
    }

    pub(super) fn get(&self, number: u64) -> Option<&Slot> {
        let slot = self.slots.get(self.place(number))?;
        (slot.number == Some(number)).then_some(slot)
    }

    /// Whether so much waits that there is soon no room for more.
    pub(super) fn is_crowded(&self) -> bool {
        self.bytes >= MAX_BYTES / 4 * 3
    }

    /// Lets go of everything, and of its memory.
    fn clear(&mut self) {
        self.slots.clear();
        self.freed = None;
        self.bytes = 0;
    }

    /// Keeps a packet; one that has its place goes. Whether all others had to go to make room for it.
    pub(super) fn insert(&mut self, number: u64, info: PacketInfo, payload: &[u8]) -> bool {
        self.reclaim();
        let is_full = self.bytes + payload.len() > MAX_BYTES;
        if is_full {
            self.clear();
        }
        let place = self.place(number);
        while self.slots.len() <= place {
            self.slots.push(Slot {
                number: None,
                payload_type: info.payload_type,
                timestamp: info.timestamp,
                extended: 0,
                marker: false,
                received: info.received,
                starts_frame: None,
                is_key_frame: false,
                audio_level: None,
                orientation: None,
                is_copy: false,
                payload: Vec::new(),
            });
        }
        let Some(slot) = self.slots.get_mut(place) else {
            return is_full;
        };
        if slot.number.is_some() {
            self.bytes -= slot.payload.len();
        }
        self.bytes += payload.len();
        if !(1..=MAX_SPARE_LEN).contains(&slot.payload.capacity()) {
            slot.payload = self.spare.pop().unwrap_or_default();
        }
        slot.number = Some(number);
        slot.payload_type = info.payload_type;
        slot.timestamp = info.timestamp;
        slot.extended = info.extended;
        slot.marker = info.marker;
        slot.received = info.received;
        slot.starts_frame = info.starts_frame;
        slot.is_key_frame = info.is_key_frame;
        slot.audio_level = info.audio_level;
        slot.orientation = info.orientation;
        slot.is_copy = info.is_copy;
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
        is_full
    }

    /// Lets go of a packet, but not of its memory.
    pub(super) fn free(&mut self, number: u64) {
        self.reclaim();
        let place = self.place(number);
        if let Some(slot) = self.slots.get_mut(place)
            && slot.number == Some(number)
        {
            slot.number = None;
            self.bytes -= slot.payload.len();
            self.freed = Some(place);
        }
    }

    /// The packet that was let go of last, until another comes or goes.
    pub(super) fn freed(&self) -> Option<&Slot> {
        self.slots.get(self.freed?)
    }

    /// Takes the memory of the payload that was freed last.
    fn reclaim(&mut self) {
        let freed = self.freed.take();
        if let Some(slot) = freed.and_then(|place| self.slots.get_mut(place)) {
            let payload = std::mem::take(&mut slot.payload);
            if self.spare.len() < MAX_SPARE && payload.capacity() <= MAX_SPARE_LEN {
                self.spare.push(payload);
            }
        }
    }
}
