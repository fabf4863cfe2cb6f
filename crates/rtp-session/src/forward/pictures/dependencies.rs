//! The dependency descriptor: frames that are no part of the chosen decode target are left out. Frame
//! numbers keep their distances, by which frames refer to each other (AV1 RTP appendix A.8.3).

use super::Counters;
use crate::forward::numbering::{Known, Numbering};
use pc_proto::Serial16;
use pc_rtp::dependency::{DependencyDescriptorView, Indication, Layer};

const BITS: u32 = 16;

#[derive(Debug, Clone)]
pub(super) struct Dependencies {
    frames: Numbering<4>,
    /// The decode target that is sent on, from a frame on; and the one before it.
    target: usize,
    since: u64,
    before: usize,
    /// Whether the target that is wanted has more spatial layers, and has not been reached.
    wants_key: bool,
    /// The frame that tells which targets are sent on.
    told: Option<u64>,
}

/// How a packet of a frame is sent on.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentFrame {
    pub(super) number: Serial16,
    pub(super) ends_picture: bool,
    pub(super) active_decode_targets: Option<u32>,
}

/// The highest decode target within a limit that there are frames of; spatial layers count more.
fn best(view: &DependencyDescriptorView<'_>, limit: Layer) -> usize {
    let structure = view.structure();
    let layer_of = |target| structure.decode_target(target).unwrap_or_default();
    let is_active = |target: &usize| view.active_decode_targets() >> target & 1 == 1;
    let targets = (0..structure.decode_target_count()).filter(is_active);
    let order = |layer: Layer| (layer.spatial_id, layer.temporal_id);
    let within = targets.filter(|target| layer_of(*target).is_within(limit));
    // Where nothing is within the limit, the lowest there is.
    let lowest = || (0..structure.decode_target_count()).min_by_key(|it| order(layer_of(*it)));
    within
        .max_by_key(|target| order(layer_of(*target)))
        .or_else(lowest)
        .unwrap_or(0)
}

impl Dependencies {
    pub(super) fn begin(
        view: &DependencyDescriptorView<'_>,
        counters: &Counters,
        limit: Layer,
    ) -> Self {
        let frames = Numbering::new(view.frame_number().0, counters.frame_number, false);
        let first = frames.highest();
        let mut run = Self {
            frames,
            target: 0,
            since: first,
            before: 0,
            wants_key: false,
            told: None,
        };
        run.switch(view, first, limit);
        run
    }

    /// The number of a frame of which nothing is left out here.
    pub(super) fn number_of(&mut self, view: &DependencyDescriptorView<'_>) -> Serial16 {
        let number = self.frames.extend(view.frame_number().0, BITS);
        if number > self.frames.highest() {
            self.frames.advance(number, true);
        }
        self.out(number)
    }

    pub(super) fn take(
        &mut self,
        view: &DependencyDescriptorView<'_>,
        limit: Layer,
        is_late: bool,
    ) -> Option<SentFrame> {
        let number = self.frames.extend(view.frame_number().0, BITS);
        let target = |run: &Self| match number >= run.since {
            true => run.target,
            false => run.before,
        };
        let is_part = |run: &Self| view.indication(target(run)) != Indication::NotPresent;
        match self.frames.look(number) {
            Known::New if is_late => return None,
            Known::New => {
                self.switch(view, number, limit);
                let is_sent = is_part(self);
                self.frames.advance(number, is_sent)?;
            }
            Known::Sent(_) => {}
            Known::Missing(_) if is_part(self) => self.frames.fill(number),
            Known::Missing(_) | Known::LeftOut | Known::TooOld => return None,
        }
        let structure = view.structure();
        let layers = structure.decode_target(target(self)).unwrap_or_default();
        let all = structure.all_decode_targets();
        let targets = (0..structure.decode_target_count()).filter(|target| {
            structure
                .decode_target(*target)
                .is_some_and(|layer| layer.is_within(layers))
        });
        let mask =
            targets.fold(0, |mask, target| mask | 1 << target) & view.active_decode_targets();
        let is_told = self.told == Some(number) && mask != view.active_decode_targets();
        Some(SentFrame {
            number: self.out(number),
            // A frame below is not the last of its picture.
            ends_picture: view.ends_frame()
                && mask != all
                && view.layer().spatial_id == layers.spatial_id,
            active_decode_targets: is_told.then_some(mask),
        })
    }

    /// Goes to the target that is wanted: with a key frame, or where a frame that can be decoded says
    /// that all later ones can, too (A.8.3.3).
    fn switch(&mut self, view: &DependencyDescriptorView<'_>, number: u64, limit: Layer) {
        let wanted = best(view, limit);
        let is_key = view.template_structure().is_some();
        let begins = || {
            view.indication(wanted) == Indication::Switch
                && view.frame_diffs().all(|diff| {
                    let before = number.saturating_sub(diff.into());
                    matches!(self.frames.look(before), Known::Sent(_))
                })
        };
        if is_key || (wanted != self.target && begins()) {
            (self.before, self.target) = (self.target, wanted);
            self.since = number;
            self.told = Some(number);
        }
        let layer = |target| view.structure().decode_target(target).unwrap_or_default();
        self.wants_key = layer(wanted).spatial_id > layer(self.target).spatial_id;
    }

    pub(super) const fn wants_key(&self) -> bool {
        self.wants_key
    }

    /// All frames are moved by the same distance.
    const fn out(&self, number: u64) -> Serial16 {
        let distance = self.frames.highest().wrapping_sub(number);
        Serial16(self.frames.highest_out().wrapping_sub(distance) as u16)
    }

    pub(super) const fn leave(&self, counters: &mut Counters) {
        counters.frame_number = self.frames.highest_out().wrapping_add(1);
    }
}
