//! Pictures out of packets: whole frames, in the order they are decoded.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_rtp::payload::{Depacketizer, Format};

use super::slots::{Slot, Slots};

/// Packets that wait for their frame.
const MAX_PACKETS: usize = 2048;
/// Places where key frames may begin that are kept.
const MAX_KEY_FRAMES: usize = 8;
/// How long a frame with a gap holds up those behind it before they are given up.
const PATIENCE: Duration = Duration::from_millis(600);
/// The same, when there is a whole key frame to go on with.
const PATIENCE_WITH_KEY_FRAME: Duration = Duration::from_millis(150);

/// ```text
///            whole key frame
///   Waiting ────────────────▶ Following ──┐ frames whole, one after another
///      ▲                          │  ▲────┘
///      └── a gap that stays ──────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// For a key frame.
    Waiting,
    /// The number of the packet that the next frame begins with.
    Following(u64),
}

/// The packets of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

#[derive(Debug)]
pub(super) struct VideoBuffer {
    slots: Slots,
    state: State,
    /// Packets of key frames, by number, that have not been played.
    key_packets: VecDeque<u64>,
    highest: u64,
    /// The first packet of all: a frame may begin there though nothing is before it.
    first: Option<u64>,
    blocked_since: Option<Instant>,
    depacketizer: Option<(Format, Depacketizer)>,
    pub(super) dropped: u64,
}

impl VideoBuffer {
    pub(super) fn new() -> Self {
        Self {
            slots: Slots::new(MAX_PACKETS),
            state: State::Waiting,
            key_packets: VecDeque::new(),
            highest: 0,
            first: None,
            blocked_since: None,
            depacketizer: None,
            dropped: 0,
        }
    }

    pub(super) fn slots(&mut self) -> &mut Slots {
        &mut self.slots
    }

    pub(super) fn slot(&self, number: u64) -> Option<&Slot> {
        self.slots.get(number)
    }

    /// Whether a packet is of no use any more: its frame has been played or given up.
    pub(super) fn is_late(&self, number: u64) -> bool {
        match self.state {
            State::Following(next) => number < next,
            State::Waiting => number + self.slots.capacity() <= self.highest,
        }
    }

    /// Whether only a key frame can be played next.
    pub(super) fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// A packet has been put into its slot. Whether the stream has to begin anew: it is too far ahead.
    pub(super) fn on_packet(&mut self, number: u64, is_key_frame: bool) -> bool {
        self.first.get_or_insert(number);
        self.highest = self.highest.max(number);
        if is_key_frame {
            if self.key_packets.len() == MAX_KEY_FRAMES {
                self.key_packets.pop_front();
            }
            self.key_packets.push_back(number);
        }
        if let State::Following(next) = self.state
            && number >= next + self.slots.capacity()
        {
            self.give_up();
            return true;
        }
        false
    }

    /// Whether more waits than there is soon room for: then it is played early, not dropped.
    pub(super) fn is_crowded(&self) -> bool {
        let waiting = match self.state {
            State::Following(next) => self.highest.saturating_sub(next),
            State::Waiting => 0,
        };
        waiting >= self.slots.capacity() / 4 * 3 || self.slots.is_crowded()
    }

    /// Nothing can be played before a key frame.
    pub(super) fn give_up(&mut self) {
        if self.state != State::Waiting {
            self.dropped += 1;
        }
        self.state = State::Waiting;
        self.blocked_since = None;
    }

    /// The same, and of the key frames that wait none is of use either.
    pub(super) fn begin_anew(&mut self) {
        self.give_up();
        self.key_packets.clear();
    }

    /// The next frame, if it is whole. Where a gap has held it up for too long, that is the next key
    /// frame, or none until there is one: see [`is_waiting`](Self::is_waiting).
    pub(super) fn next_frame(&mut self, now: Instant) -> Option<Span> {
        if let State::Following(next) = self.state {
            let next = self.skip_padding(next);
            self.state = State::Following(next);
            if let Some(span) = self.span_from(next) {
                self.blocked_since = None;
                return Some(span);
            }
            if self.highest < next {
                self.blocked_since = None;
                return None;
            }
            let since = *self.blocked_since.get_or_insert(now);
            let blocked = now.saturating_duration_since(since);
            if blocked >= PATIENCE_WITH_KEY_FRAME
                && let Some(span) = self.key_frame()
            {
                return Some(self.jump(span));
            }
            if blocked >= PATIENCE {
                self.give_up();
            }
            return None;
        }
        let span = self.key_frame()?;
        Some(self.jump(span))
    }

    fn jump(&mut self, span: Span) -> Span {
        if let State::Following(_) = self.state {
            self.dropped += 1;
        }
        self.state = State::Following(span.first);
        self.blocked_since = None;
        span
    }

    /// The extended timestamp of the frame that is whole and next in order.
    pub(super) fn next_playable(&self) -> Option<i64> {
        let State::Following(next) = self.state else {
            return None;
        };
        let span = self.span_from(self.skip_padding(next))?;
        Some(self.slots.get(span.first)?.extended)
    }

    /// When [`next_frame`](Self::next_frame) may have another answer though no packet comes.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let since = self.blocked_since?;
        Some(since + PATIENCE)
    }

    /// Packets without a payload belong to no frame.
    fn skip_padding(&self, mut number: u64) -> u64 {
        while self
            .slots
            .get(number)
            .is_some_and(|slot| slot.payload.is_empty())
        {
            number += 1;
        }
        number
    }

    /// The frame that begins with this packet: up to the marker, or where another timestamp begins.
    fn span_from(&self, first: u64) -> Option<Span> {
        let timestamp = self.slots.get(first)?.timestamp;
        for number in first..=self.highest {
            let slot = self.slots.get(number)?;
            if slot.timestamp != timestamp {
                return Some(Span {
                    first,
                    last: number - 1,
                });
            }
            if slot.marker {
                return Some(Span {
                    first,
                    last: number,
                });
            }
        }
        None
    }

    /// The latest key frame that is whole.
    fn key_frame(&mut self) -> Option<Span> {
        let oldest = match self.state {
            State::Following(next) => next,
            State::Waiting => 0,
        };
        while self
            .key_packets
            .front()
            .is_some_and(|number| *number < oldest)
        {
            self.key_packets.pop_front();
        }
        let candidates = self.key_packets.iter().rev();
        let mut spans = candidates.filter_map(|number| self.span_from(self.begin_of(*number)?));
        spans.next()
    }

    /// Where the frame of this packet begins, if that can be told.
    fn begin_of(&self, number: u64) -> Option<u64> {
        let timestamp = self.slots.get(number)?.timestamp;
        let mut first = number;
        loop {
            let slot = self.slots.get(first)?;
            if slot.starts_frame == Some(true) {
                return Some(first);
            }
            match self.slots.get(first - 1) {
                Some(before) if before.timestamp == timestamp && !before.payload.is_empty() => {
                    first -= 1;
                }
                // The packet before is of another frame, or there was none before.
                Some(_) if slot.starts_frame.is_none() => return Some(first),
                None if slot.starts_frame.is_none() && self.first == Some(first) => {
                    return Some(first);
                }
                _ => return None,
            }
        }
    }

    /// Puts the frame together and lets go of its packets. `None`: its payloads are malformed.
    pub(super) fn assemble(&mut self, span: Span, format: Format) -> bool {
        if !matches!(&self.depacketizer, Some((known, _)) if *known == format) {
            self.depacketizer = Some((format, Depacketizer::new(format)));
        }
        let Some((_, depacketizer)) = &mut self.depacketizer else {
            return false;
        };
        depacketizer.begin();
        let mut is_whole = true;
        for number in span.first..=span.last {
            if let Some(slot) = self.slots.get(number)
                && !slot.payload.is_empty()
            {
                is_whole &= depacketizer.push(&slot.payload).is_ok();
            }
            self.slots.free(number);
        }
        self.state = State::Following(span.last + 1);
        while self
            .key_packets
            .front()
            .is_some_and(|number| *number <= span.last)
        {
            self.key_packets.pop_front();
        }
        is_whole
    }

    /// The frame that was put together last.
    pub(super) fn assembled(&mut self) -> Option<pc_rtp::payload::FrameView<'_>> {
        let (_, depacketizer) = self.depacketizer.as_mut()?;
        depacketizer.finish().ok()
    }
}
