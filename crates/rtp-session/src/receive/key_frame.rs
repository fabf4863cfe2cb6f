//! When a key frame is asked for.

use std::time::{Duration, Instant};

/// At most one request in this time: an encoder that is asked more often sends nothing else.
const INTERVAL: Duration = Duration::from_secs(1);

/// A stream that has been silent for so long is not asked: nobody may be there to hear it.
const SILENT: Duration = Duration::from_secs(5);

/// The wish for a key frame, until one has come.
#[derive(Debug, Default)]
pub(super) struct KeyFrameWish {
    /// Since when there is one, if it is to be told.
    wanted: Option<Instant>,
    asked: Option<Instant>,
    /// When the last packet came.
    heard: Option<Instant>,
    /// Of FIR, RFC 5104 §4.3.1.2.
    sequence_number: u8,
}

impl KeyFrameWish {
    /// A key frame is needed, from `at` on.
    pub(super) fn want(&mut self, at: Instant) {
        let wanted = self.wanted.get_or_insert(at);
        *wanted = at.min(*wanted);
    }

    /// A packet has come: there is somebody to ask.
    pub(super) fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// One has come.
    pub(super) fn fulfil(&mut self) {
        self.wanted = None;
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let wanted = self.wanted?;
        let asked = self.asked;
        let due = asked.map_or(wanted, |asked| wanted.max(asked + INTERVAL));
        let is_silent = self.heard.is_some_and(|heard| due >= heard + SILENT);
        (!is_silent).then_some(due)
    }

    /// Whether it is to be asked for now. It is asked for again until it has come.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due().is_some_and(|due| due <= now);
        if is_due {
            self.asked = Some(now);
        }
        is_due
    }

    /// The number of the request that is about to be made.
    pub(super) fn next_sequence_number(&mut self) -> u8 {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        self.sequence_number
    }
}
