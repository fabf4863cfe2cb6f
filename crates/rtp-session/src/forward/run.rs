//! One encoding, from the key frame on with which it was switched to.

use super::numbering::{Known, Numbering};
use super::pictures::{Chosen, Counters, Pictures};
use super::{Encoding, Incoming, Refused};
use pc_proto::{Serial16, Serial32};
use pc_rtp::dependency::Layer;

/// RFC 3550 appendix A.1: a source whose numbers jump farther than this may have begun anew.
const MAX_DROPOUT: u64 = 3000;

/// Nothing is this late: ten seconds of video. Numbers that came before, with a timestamp from
/// elsewhere, are those of a source that has begun anew.
const MAX_LATE_TICKS: u32 = 900_000;

#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) encoding: Encoding,
    numbers: Numbering<16>,
    /// What is added to timestamps.
    timestamp_offset: u32,
    pictures: Pictures,
    /// RFC 3550 appendix A.1: the number that shows that the source has begun anew, if it comes next.
    bad: Option<Serial16>,
}

/// Where a packet goes.
pub(super) enum Placed {
    /// Out, under this number.
    Sent(u16, Chosen),
    /// Out, emptied.
    Emptied(u16),
    Refused(Refused),
    /// The source counts anew.
    Restarted,
}

impl Run {
    /// Begins with the first packet of a key frame.
    pub(super) fn begin(
        encoding: Encoding,
        incoming: &Incoming<'_>,
        sequence_number: u64,
        timestamp: Serial32,
        counters: &Counters,
        limit: Layer,
    ) -> Self {
        Self {
            encoding,
            numbers: Numbering::new(incoming.sequence_number.0, sequence_number, true),
            timestamp_offset: timestamp.0.wrapping_sub(incoming.timestamp.0),
            pictures: Pictures::begin(incoming, counters, limit),
            bad: None,
        }
    }

    /// The packet that it began with.
    pub(super) fn first(&mut self, incoming: &Incoming<'_>, limit: Layer) -> Placed {
        match self.pictures.take(incoming, limit, false) {
            Some(chosen) => Placed::Sent(self.numbers.highest_out() as u16, chosen),
            // It cannot be: it begins a key frame.
            None => Placed::Emptied(self.numbers.highest_out() as u16),
        }
    }

    /// Places a packet of the encoding that is sent on.
    pub(super) fn place(&mut self, incoming: &Incoming<'_>, limit: Layer) -> Placed {
        let number = self.numbers.extend(incoming.sequence_number.0, 16);
        match self.numbers.look(number) {
            Known::New | Known::TooOld if number.abs_diff(self.numbers.highest()) > MAX_DROPOUT => {
                self.suspect(incoming)
            }
            Known::New => {
                self.bad = None;
                let chosen = self.pictures.take(incoming, limit, false);
                match (self.numbers.advance(number, chosen.is_some()), chosen) {
                    (Some(out), Some(chosen)) => Placed::Sent(out as u16, chosen),
                    _ => Placed::Refused(Refused::LeftOut),
                }
            }
            Known::Missing(_) => self.late(incoming, limit, number),
            _ if !self.is_of_late(incoming.timestamp) => self.suspect(incoming),
            _ => self.late(incoming, limit, number),
        }
    }

    /// Whether a timestamp is one of the last ten seconds.
    fn is_of_late(&self, timestamp: Serial32) -> bool {
        self.pictures.newest().steps_from(timestamp) < MAX_LATE_TICKS
    }

    /// Places a packet of an encoding that is not sent on any more: what it misses may still come.
    pub(super) fn place_late(&mut self, incoming: &Incoming<'_>, limit: Layer) -> Placed {
        let number = self.numbers.extend(incoming.sequence_number.0, 16);
        match self.numbers.look(number) {
            Known::New => Placed::Refused(Refused::NotSelected),
            _ => self.late(incoming, limit, number),
        }
    }

    fn late(&mut self, incoming: &Incoming<'_>, limit: Layer, number: u64) -> Placed {
        match self.numbers.look(number) {
            Known::Missing(out) => {
                self.numbers.fill(number);
                match self.pictures.take(incoming, limit, true) {
                    Some(chosen) => Placed::Sent(out as u16, chosen),
                    None => Placed::Emptied(out as u16),
                }
            }
            Known::Sent(_) | Known::LeftOut => Placed::Refused(Refused::Duplicate),
            Known::New | Known::TooOld => Placed::Refused(Refused::TooOld),
        }
    }

    /// RFC 3550 appendix A.1: two numbers in a row, far from all others, are those of a source that
    /// counts anew.
    fn suspect(&mut self, incoming: &Incoming<'_>) -> Placed {
        if self.bad == Some(incoming.sequence_number) {
            return Placed::Restarted;
        }
        self.bad = Some(incoming.sequence_number.next());
        Placed::Refused(Refused::TooOld)
    }

    pub(super) const fn timestamp(&self, timestamp: Serial32) -> Serial32 {
        timestamp.plus(self.timestamp_offset)
    }

    /// Whether a packet came before: by its number, and not with a timestamp from elsewhere.
    pub(super) fn has_seen(&self, incoming: &Incoming<'_>) -> bool {
        let number = incoming.sequence_number.0;
        let known = self.numbers.look(self.numbers.extend(number, 16));
        let is_old = !matches!(known, Known::New | Known::Missing(_));
        is_old && self.is_of_late(incoming.timestamp)
    }

    /// The sequence number that comes next.
    pub(super) const fn next_out(&self) -> u64 {
        self.numbers.highest_out().wrapping_add(1)
    }

    pub(super) fn wants_key_frame(&self, limit: Layer) -> bool {
        self.pictures.wants_key_frame(limit)
    }

    /// Leaves the numbers that come next to the next encoding.
    pub(super) fn leave(&self, counters: &mut Counters) {
        self.pictures.leave(counters);
    }
}
