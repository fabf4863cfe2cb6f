//! Frames told apart by picture id, or by timestamp where there is none; and up to which layer they
//! are sent on.

use super::super::numbering::{Known, Numbering};
use pc_proto::Serial32;

/// A picture id and how many bits it has.
pub(super) type PictureId = (u16, u32);

/// The frames that came of late.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    ids: Option<Numbering<2>>,
    /// The newest frame, and whether it is sent on.
    newest: Serial32,
    is_sent: bool,
}

/// A frame that a packet belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) known: Known,
    /// Its number; without picture ids only the newest frame has one.
    pub(super) number: Option<u64>,
}

impl Frames {
    pub(super) fn begin(
        id: Option<PictureId>,
        timestamp: Serial32,
        out: u64,
        closes: bool,
    ) -> Self {
        Self {
            ids: id.map(|(id, _)| Numbering::new(id, out, closes)),
            newest: timestamp,
            is_sent: true,
        }
    }

    pub(super) fn look(&self, id: Option<PictureId>, timestamp: Serial32) -> Frame {
        if let (Some(ids), Some((id, bits))) = (&self.ids, id) {
            let number = ids.extend(id, bits);
            return Frame {
                known: ids.look(number),
                number: Some(number),
            };
        }
        let is_newest = timestamp == self.newest;
        Frame {
            known: match is_newest {
                true if self.is_sent => Known::Sent(0),
                true => Known::LeftOut,
                false if timestamp.is_newer_than(self.newest) => Known::New,
                false => Known::Missing(0),
            },
            number: None,
        }
    }

    /// Whether the frame this many before `number` was sent on.
    pub(super) fn was_sent(&self, number: Option<u64>, before: u8) -> bool {
        let known = (self.ids.as_ref().zip(number))
            .map(|(ids, number)| ids.look(number.saturating_sub(before.into())));
        matches!(known, Some(Known::Sent(_)))
    }

    /// Takes a new frame.
    pub(super) fn advance(&mut self, frame: Frame, timestamp: Serial32, is_sent: bool) {
        if let (Some(ids), Some(number)) = (&mut self.ids, frame.number) {
            ids.advance(number, is_sent);
        }
        (self.newest, self.is_sent) = (timestamp, is_sent);
    }

    /// Takes a frame that was missing.
    pub(super) fn fill(&mut self, frame: Frame) {
        if let (Some(ids), Some(number)) = (&mut self.ids, frame.number) {
            ids.fill(number);
        }
    }

    /// Whether this is the newest frame.
    pub(super) fn is_newest(&self, frame: Frame, timestamp: Serial32) -> bool {
        match (&self.ids, frame.number) {
            (Some(ids), Some(number)) => ids.highest() == number,
            _ => timestamp == self.newest,
        }
    }

    /// The picture id under which a frame is sent on.
    pub(super) fn out(&self, frame: Frame) -> Option<u16> {
        let ids = self.ids.as_ref()?;
        match ids.look(frame.number?) {
            Known::Sent(out) | Known::Missing(out) => Some(out as u16),
            Known::New | Known::LeftOut | Known::TooOld => None,
        }
    }

    pub(super) fn next_out(&self) -> Option<u64> {
        Some(self.ids.as_ref()?.highest_out().wrapping_add(1))
    }
}

/// The highest layer that is sent on. Frames from before it rose are held to what it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    now: u8,
    before: u8,
    since: Option<u64>,
}

impl Level {
    pub(super) const fn new(now: u8) -> Self {
        Self {
            now,
            before: now,
            since: None,
        }
    }

    pub(super) const fn now(self) -> u8 {
        self.now
    }

    pub(super) fn set(&mut self, level: u8, since: Option<u64>) {
        if level != self.now {
            self.before = self.now;
            (self.now, self.since) = (level, since);
        }
    }

    /// The highest layer that was sent on at this frame.
    pub(super) fn at(self, number: Option<u64>) -> u8 {
        match (number, self.since) {
            (Some(number), Some(since)) if number >= since => self.now,
            (_, None) if number.is_some() => self.now,
            _ => self.now.min(self.before),
        }
    }
}
