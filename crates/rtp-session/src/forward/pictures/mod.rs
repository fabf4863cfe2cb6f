//! Which pictures are sent on, and under which numbers: what differs from codec to codec.

mod dependencies;
mod frames;
mod vp8;
mod vp9;

use super::{Descriptor, Incoming, PayloadNumbers};
use dependencies::Dependencies;
use pc_proto::{Serial16, Serial32};
use pc_rtp::dependency::Layer;
use vp8::Vp8Run;
use vp9::Vp9Run;

/// The numbers that the next encoding begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    /// Of which the low bits are sent.
    pub(super) picture_id: u64,
    pub(super) tl0_picture_index: u8,
    pub(super) key_index: u8,
    /// Of which the low 16 bits are sent.
    pub(super) frame_number: u64,
}

/// How a packet is sent on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) numbers: PayloadNumbers,
    /// Whether it ends its picture, as nothing above it is sent on.
    pub(super) ends_picture: bool,
    pub(super) frame_number: Option<Serial16>,
    pub(super) active_decode_targets: Option<u32>,
}

impl Chosen {
    const PLAIN: Self = Self {
        numbers: PayloadNumbers::None,
        ends_picture: false,
        frame_number: None,
        active_decode_targets: None,
    };
}

/// The pictures of one encoding, from the key frame on with which it was switched to.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    kind: Kind,
    dependencies: Option<Dependencies>,
    /// The newest picture's timestamp, and what was the limit when it began: another one holds for whole
    /// pictures only.
    newest: Serial32,
    limit: Layer,
}

#[derive(Debug, Clone)]
enum Kind {
    Plain,
    Vp8(Vp8Run),
    Vp9(Vp9Run),
}

impl Pictures {
    /// Begins with a key frame.
    pub(super) fn begin(incoming: &Incoming<'_>, counters: &Counters, limit: Layer) -> Self {
        let timestamp = incoming.timestamp;
        Self {
            kind: match &incoming.descriptor {
                Descriptor::Plain => Kind::Plain,
                Descriptor::Vp8(descriptor) => {
                    Kind::Vp8(Vp8Run::begin(descriptor, timestamp, counters, limit))
                }
                Descriptor::Vp9(descriptor) => {
                    Kind::Vp9(Vp9Run::begin(descriptor, timestamp, counters, limit))
                }
            },
            dependencies: (incoming.dependencies.as_ref())
                .map(|view| Dependencies::begin(view, counters, limit)),
            newest: timestamp,
            limit,
        }
    }

    /// How a packet is sent on; `None` if it is left out. One that `is_late` was missing.
    pub(super) fn take(
        &mut self,
        incoming: &Incoming<'_>,
        limit: Layer,
        is_late: bool,
    ) -> Option<Chosen> {
        if incoming.timestamp.is_newer_than(self.newest) {
            (self.newest, self.limit) = (incoming.timestamp, limit);
        }
        if incoming.payload.is_empty() {
            return None;
        }
        let limit = self.limit;
        let mut chosen = match (&mut self.kind, &incoming.descriptor) {
            (Kind::Plain, Descriptor::Plain) => Chosen::PLAIN,
            (Kind::Vp8(run), Descriptor::Vp8(descriptor)) => {
                run.take(descriptor, incoming, limit, is_late)?
            }
            (Kind::Vp9(run), Descriptor::Vp9(descriptor)) => {
                run.take(descriptor, incoming, limit, is_late)?
            }
            // Another codec than the run began with.
            _ => return None,
        };
        let is_plain = matches!(self.kind, Kind::Plain);
        match (&mut self.dependencies, &incoming.dependencies) {
            (Some(run), Some(view)) if is_plain => {
                let frame = run.take(view, limit, is_late)?;
                chosen.frame_number = Some(frame.number);
                chosen.active_decode_targets = frame.active_decode_targets;
                chosen.ends_picture = frame.ends_picture;
            }
            (Some(run), Some(view)) => chosen.frame_number = Some(run.number_of(view)),
            _ => {}
        }
        Some(chosen)
    }

    /// The newest timestamp that came.
    pub(super) const fn newest(&self) -> Serial32 {
        self.newest
    }

    /// Whether only a key frame brings what `limit` allows.
    pub(super) fn wants_key_frame(&self, limit: Layer) -> bool {
        let by_dependencies = || {
            self.dependencies
                .as_ref()
                .is_some_and(Dependencies::wants_key)
        };
        match &self.kind {
            Kind::Plain => by_dependencies(),
            Kind::Vp8(_) => false,
            Kind::Vp9(run) => run.wants_key_frame(limit),
        }
    }

    /// Leaves the numbers that come next to the next encoding.
    pub(super) fn leave(&self, counters: &mut Counters) {
        match &self.kind {
            Kind::Plain => {}
            Kind::Vp8(run) => run.leave(counters),
            Kind::Vp9(run) => run.leave(counters),
        }
        if let Some(run) = &self.dependencies {
            run.leave(counters);
        }
    }
}
