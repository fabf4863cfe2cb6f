//! VP8: temporal layers are left out, and picture ids close up: RFC 7741 §4.2 has receivers take a gap
//! for a loss.

use super::frames::{Frames, Level, PictureId};
use super::{Chosen, Counters};
use crate::forward::{Incoming, PayloadNumbers, numbering::Known};
use pc_proto::Serial32;
use pc_rtp::{
    dependency::Layer,
    payload::{Vp8Descriptor, Vp8Numbers},
};

#[derive(Debug, Clone)]
pub(super) struct Vp8Run {
    frames: Frames,
    temporal: Level,
    tl0: Index,
    key: Index,
}

/// A number that is moved by the same distance for a whole run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    offset: u8,
    newest: u8,
    is_there: bool,
}

impl Index {
    pub(super) fn begin(first: Option<u8>, out: u8) -> Self {
        Self {
            offset: out.wrapping_sub(first.unwrap_or(0)),
            newest: out,
            is_there: first.is_some(),
        }
    }

    pub(super) fn out(self, index: Option<u8>) -> Option<u8> {
        Some(index?.wrapping_add(self.offset))
    }

    /// Takes that of a new frame.
    pub(super) fn advance(&mut self, index: Option<u8>) {
        if let Some(out) = self.out(index) {
            self.newest = out;
        }
    }

    /// Where the next encoding goes on.
    pub(super) fn leave(self, next: &mut u8) {
        if self.is_there {
            *next = self.newest.wrapping_add(1);
        }
    }
}

fn id_of(descriptor: &Vp8Descriptor) -> Option<PictureId> {
    let bits = descriptor.picture_id_space().ilog2();
    descriptor.picture_id.map(|id| (id, bits))
}

impl Vp8Run {
    pub(super) fn begin(
        descriptor: &Vp8Descriptor,
        timestamp: Serial32,
        counters: &Counters,
        limit: Layer,
    ) -> Self {
        let id = id_of(descriptor);
        Self {
            frames: Frames::begin(id, timestamp, counters.picture_id, true),
            temporal: Level::new(limit.temporal_id),
            tl0: Index::begin(descriptor.tl0_picture_index, counters.tl0_picture_index),
            key: Index::begin(descriptor.key_index, counters.key_index),
        }
    }

    pub(super) fn take(
        &mut self,
        descriptor: &Vp8Descriptor,
        incoming: &Incoming<'_>,
        limit: Layer,
        is_late: bool,
    ) -> Option<Chosen> {
        let frame = self.frames.look(id_of(descriptor), incoming.timestamp);
        let temporal_id = descriptor.temporal_id.unwrap_or(0);
        match frame.known {
            Known::New if is_late => return None,
            Known::New => {
                self.switch(descriptor, incoming, frame.number, limit);
                // Of one that is left out, too: a frame that it names may come late.
                self.tl0.advance(descriptor.tl0_picture_index);
                self.key.advance(descriptor.key_index);
                let is_sent = temporal_id <= self.temporal.now();
                self.frames.advance(frame, incoming.timestamp, is_sent);
                if !is_sent {
                    return None;
                }
            }
            Known::Sent(_) => {}
            Known::Missing(_) if temporal_id <= self.temporal.at(frame.number) => {
                self.frames.fill(frame);
            }
            Known::Missing(_) | Known::LeftOut | Known::TooOld => return None,
        }
        let numbers = Vp8Numbers {
            picture_id: self.frames.out(frame),
            tl0_picture_index: self.tl0.out(descriptor.tl0_picture_index),
            key_index: self.key.out(descriptor.key_index),
        };
        Some(Chosen {
            numbers: PayloadNumbers::Vp8(*descriptor, numbers),
            ..Chosen::PLAIN
        })
    }

    /// Goes down at any frame; up at a key frame, or by one layer where a frame of it refers to the
    /// base layer alone (the Y bit of RFC 7741 §4.2).
    fn switch(
        &mut self,
        descriptor: &Vp8Descriptor,
        incoming: &Incoming<'_>,
        number: Option<u64>,
        limit: Layer,
    ) {
        let (now, limit) = (self.temporal.now(), limit.temporal_id);
        let next = now.saturating_add(1);
        if incoming.begins_key_frame || now > limit {
            self.temporal.set(limit, number);
        } else if next <= limit && descriptor.temporal_id == Some(next) && descriptor.is_layer_sync
        {
            self.temporal.set(next, number);
        }
    }

    pub(super) fn leave(&self, counters: &mut Counters) {
        if let Some(next) = self.frames.next_out() {
            counters.picture_id = next;
        }
        self.tl0.leave(&mut counters.tl0_picture_index);
        self.key.leave(&mut counters.key_index);
    }
}
