//! VP9: temporal and spatial layers are left out. Picture ids keep their distances: references are
//! told by them, and so is the place in a group of pictures (RFC 9628 §4.2).

use super::frames::{Frame, Frames, Level, PictureId};
use super::vp8::Index;
use super::{Chosen, Counters};
use crate::forward::{Incoming, PayloadNumbers, numbering::Known};
use pc_proto::Serial32;
use pc_rtp::{
    dependency::Layer,
    payload::{Vp9Descriptor, Vp9Layer, Vp9Numbers},
};

#[derive(Debug, Clone)]
pub(super) struct Vp9Run {
    pictures: Frames,
    temporal: Level,
    spatial: Level,
    /// The highest spatial layer that came.
    highest: u8,
    tl0: Index,
}

fn id_of(descriptor: &Vp9Descriptor) -> Option<PictureId> {
    let bits = descriptor.picture_id_space().ilog2();
    descriptor.picture_id.map(|id| (id, bits))
}

impl Vp9Run {
    pub(super) fn begin(
        descriptor: &Vp9Descriptor,
        timestamp: Serial32,
        counters: &Counters,
        limit: Layer,
    ) -> Self {
        let id = id_of(descriptor);
        Self {
            pictures: Frames::begin(id, timestamp, counters.picture_id, false),
            temporal: Level::new(limit.temporal_id),
            // The layers above come with the key picture, one by one.
            spatial: Level::new(descriptor.layer.map_or(0, |layer| layer.spatial_id)),
            highest: 0,
            tl0: Index::begin(descriptor.tl0_picture_index, counters.tl0_picture_index),
        }
    }

    pub(super) fn take(
        &mut self,
        descriptor: &Vp9Descriptor,
        incoming: &Incoming<'_>,
        limit: Layer,
        is_late: bool,
    ) -> Option<Chosen> {
        let timestamp = incoming.timestamp;
        let picture = self.pictures.look(id_of(descriptor), timestamp);
        let layer = descriptor.layer.unwrap_or_default();
        match picture.known {
            Known::New if is_late => return None,
            Known::New => {
                self.switch(descriptor, incoming, picture, limit);
                // Of one that is left out, too: a picture that it names may come late.
                self.tl0.advance(descriptor.tl0_picture_index);
                let is_sent = layer.temporal_id <= self.temporal.now();
                self.pictures.advance(picture, timestamp, is_sent);
                if !is_sent {
                    return None;
                }
            }
            Known::Sent(_) => {}
            Known::Missing(_) if layer.temporal_id <= self.temporal.at(picture.number) => {
                self.pictures.fill(picture);
            }
            Known::Missing(_) | Known::LeftOut | Known::TooOld => return None,
        }
        if self.pictures.is_newest(picture, timestamp) {
            self.raise(descriptor, layer, picture, limit);
        }
        if layer.spatial_id > self.spatial.at(picture.number) {
            return None;
        }
        let numbers = Vp9Numbers {
            picture_id: self.pictures.out(picture),
            tl0_picture_index: self.tl0.out(descriptor.tl0_picture_index),
        };
        // RFC 9628 §4.1: the marker is on the last packet of a picture. Where one more layer is wanted,
        // it may begin with this picture, if that refers to none before it.
        let top = self.spatial.at(picture.number);
        let is_top = layer.spatial_id == top
            && (top >= limit.spatial_id || (self.highest > top && descriptor.is_inter_predicted));
        Some(Chosen {
            numbers: PayloadNumbers::Vp9(*descriptor, numbers),
            ends_picture: is_top && descriptor.ends_layer_frame,
            ..Chosen::PLAIN
        })
    }

    /// At a new picture: goes down in either dimension; up to more pictures at a key picture, behind a
    /// switching point (the U bit of RFC 9628 §4.2), or at a picture all of whose references were sent
    /// on.
    fn switch(
        &mut self,
        descriptor: &Vp9Descriptor,
        incoming: &Incoming<'_>,
        picture: Frame,
        limit: Layer,
    ) {
        if self.spatial.now() > limit.spatial_id {
            self.spatial.set(limit.spatial_id, picture.number);
        }
        let (now, limit) = (self.temporal.now(), limit.temporal_id);
        if incoming.begins_key_frame || now > limit {
            return self.temporal.set(limit, picture.number);
        }
        let layer = descriptor.layer.unwrap_or_default();
        if now == limit || layer.temporal_id > now.saturating_add(1) {
            return;
        }
        if layer.temporal_id > now {
            let references = descriptor.references();
            let can_be_decoded = match references {
                // Senders set U where a picture refers to none of its own temporal layer.
                [] => layer.is_switching_up_point,
                _ => (references.iter()).all(|it| self.pictures.was_sent(picture.number, *it)),
            };
            if can_be_decoded {
                self.temporal.set(layer.temporal_id, picture.number);
            }
        } else if layer.is_switching_up_point {
            self.temporal.set(limit, picture.number);
        }
    }

    /// Goes up by a spatial layer, where that layer's frame refers to no other picture.
    fn raise(&mut self, descriptor: &Vp9Descriptor, layer: Vp9Layer, picture: Frame, limit: Layer) {
        self.highest = self.highest.max(layer.spatial_id);
        let next = self.spatial.now().saturating_add(1);
        let is_intra = !descriptor.is_inter_predicted;
        if is_intra && layer.spatial_id == next && next <= limit.spatial_id {
            self.spatial.set(next, picture.number);
        }
    }

    /// Whether only a key picture brings the spatial layer that is allowed.
    pub(super) fn wants_key_frame(&self, limit: Layer) -> bool {
        self.spatial.now() < limit.spatial_id.min(self.highest)
    }

    pub(super) fn leave(&self, counters: &mut Counters) {
        if let Some(next) = self.pictures.next_out() {
            counters.picture_id = next;
        }
        self.tl0.leave(&mut counters.tl0_picture_index);
    }
}
