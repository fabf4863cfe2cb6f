//! The dependency descriptor: a header extension that tells what each frame is to those who forward it
//! ([AV1 RTP appendix A](https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension)).
//!
//! A forwarder needs neither the payload nor the codec: the descriptor names the frame's layer, the
//! frames it refers to, and for each *decode target* (a layer that a receiver may choose to see) whether
//! the frame is part of it. What repeats is in the [`TemplateStructure`], which comes once, with a key
//! frame; a [`DependencyReader`] keeps it.
//!
//! ```
//! use pc_rtp::dependency::{
//!     DependencyDescriptor, DependencyReader, Indication::{NotPresent, Switch, Discardable}, Layer,
//!     Template, TemplateStructure, TemplateStructureInit,
//! };
//!
//! // L1T2: each second frame can be left out, which is decode target 0.
//! let base = Layer { spatial_id: 0, temporal_id: 0 };
//! let upper = Layer { spatial_id: 0, temporal_id: 1 };
//! let template = |layer, indications, frame_diffs, chain_diffs| {
//!     Template { layer, indications, frame_diffs, chain_diffs }
//! };
//! let structure = TemplateStructure::new(&TemplateStructureInit {
//!     id_offset: 0,
//!     templates: &[
//!         template(base, &[Switch, Switch], &[], &[0]),
//!         template(base, &[Switch, Switch], &[2], &[2]),
//!         template(upper, &[NotPresent, Discardable], &[1], &[1]),
//!     ],
//!     protected_by: &[0, 0],
//!     resolutions: &[(640, 360)],
//! })?;
//!
//! let key_frame = DependencyDescriptor {
//!     structure: Some(&structure), ..DependencyDescriptor::of_template(0, 100)
//! };
//! let (mut bytes, mut reader) = ([0; 255], DependencyReader::new());
//! let len = key_frame.write(&structure, &mut bytes)?;
//! assert!(reader.read(&bytes[..len])?.template_structure().is_some());
//!
//! // Three bytes say all of another frame.
//! let len = DependencyDescriptor::of_template(2, 101).write(&structure, &mut bytes)?;
//! let frame = reader.read(&bytes[..len])?;
//! assert_eq!((len, frame.layer(), frame.frame_diffs().next()), (3, upper, Some(1)));
//! assert_eq!(frame.indication(0), NotPresent);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod build;
mod reader;
mod structure;
mod template;
#[cfg(test)]
mod tests;
mod view;

pub use build::{DependencyDescriptor, set_frame_number};
pub use reader::DependencyReader;
pub use structure::TemplateStructure;
pub use template::{Template, TemplateError, TemplateStructureInit};
pub use view::DependencyDescriptorView;

/// RFC 8285 §4.3: no element of a header extension is longer.
pub const MAX_LEN: usize = 255;
/// A.8.2: template ids have six bits.
pub const MAX_TEMPLATES: usize = 64;
/// A.8.2: `dt_cnt_minus_one` has five bits.
pub const MAX_DECODE_TARGETS: usize = 32;

/// Where a frame is in a scalable stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Layer {
    /// The spatial layer, 0 the lowest, at most 3.
    pub spatial_id: u8,
    /// The temporal layer, 0 the lowest, at most 7.
    pub temporal_id: u8,
}

impl Layer {
    /// The lowest.
    pub const BASE: Self = Self {
        spatial_id: 0,
        temporal_id: 0,
    };

    /// Whether a receiver that takes all up to `limit` takes this one.
    pub const fn is_within(self, limit: Self) -> bool {
        self.spatial_id <= limit.spatial_id && self.temporal_id <= limit.temporal_id
    }
}

/// What a frame is to a decode target (A.8.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Indication {
    /// It is no part of it.
    NotPresent = 0,
    /// It is part of it, and no later frame of it refers to this one.
    Discardable = 1,
    /// If this frame can be decoded, so can all later ones of the target: one can begin here.
    Switch = 2,
    /// Later frames of the target refer to it.
    Required = 3,
}

impl Indication {
    const fn bits(self) -> u8 {
        self as u8
    }

    /// Of packed ones, two bits each, the first lowest.
    const fn of(packed: u64, target: usize) -> Self {
        if target >= MAX_DECODE_TARGETS {
            return Self::NotPresent;
        }
        match packed >> (2 * target) & 3 {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }

    fn pack(all: &[Self]) -> u64 {
        let numbered = all.iter().take(MAX_DECODE_TARGETS).enumerate();
        numbered.fold(0, |packed, (target, indication)| {
            packed | u64::from(indication.bits()) << (2 * target)
        })
    }
}
