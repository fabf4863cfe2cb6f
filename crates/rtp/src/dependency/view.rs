//! One descriptor, AV1 RTP appendix A.8.1.
//!
//! ```text
//!  0                   1                   2
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3
//! |S|E| template  |         frame number          | S, E: starts, ends the frame
//! |T|A|D|F|C| …                                     only if there are more than three bytes
//!  T: the template structure   A: one bit for each decode target that is active
//!  D: indications of its own, 2 bits each   F: frame differences of its own: size (2), 4 × size bits …, 0 (2)
//!  C: chain differences of its own, 8 bits each
//! ```

use super::bits::BitReader;
use super::structure::{TemplateStructure, read_indications};
use super::{Indication, Layer, MAX_LEN};
use pc_proto::{ParseError, Serial16};
use std::ops::Range;

pub(super) const HEAD_LEN: usize = 3;
/// The bits of the head and of the five flags.
pub(super) const FLAGS_END: usize = HEAD_LEN * 8 + 5;

/// What can be read without the template structure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) starts_frame: bool,
    pub(super) ends_frame: bool,
    pub(super) template_id: u8,
    pub(super) frame_number: Serial16,
    pub(super) has_structure: bool,
    has_active_targets: bool,
    has_indications: bool,
    has_frame_diffs: bool,
    has_chain_diffs: bool,
}

impl Head {
    /// Reads it; a template structure comes next, where there is one.
    pub(super) fn read(data: &[u8], bits: &mut BitReader<'_>) -> Result<Self, ParseError> {
        if data.len() > MAX_LEN {
            let what = "dependency descriptor of more than 255 bytes";
            return Err(ParseError { what, at: MAX_LEN });
        }
        let what = "dependency descriptor";
        let is_extended = data.len() > HEAD_LEN;
        Ok(Self {
            starts_frame: bits.flag(what)?,
            ends_frame: bits.flag(what)?,
            template_id: bits.byte(6, what)?,
            frame_number: Serial16(bits.number(16, what)? as u16),
            has_structure: is_extended && bits.flag(what)?,
            has_active_targets: is_extended && bits.flag(what)?,
            has_indications: is_extended && bits.flag(what)?,
            has_frame_diffs: is_extended && bits.flag(what)?,
            has_chain_diffs: is_extended && bits.flag(what)?,
        })
    }
}

/// What follows the structure. Positions are in bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) head: Head,
    pub(super) template: u8,
    /// Where the template structure is.
    pub(super) structure: (u16, u16),
    pub(super) active_targets: Option<u32>,
    indications: Option<u64>,
    /// Where the first size of a frame difference is.
    frame_diffs: Option<u16>,
    chain_diffs: Option<u16>,
    /// Where what is not padding ends.
    pub(super) end: u16,
}

impl Fields {
    /// Reads what is behind the template structure, where there is one.
    pub(super) fn read(
        head: Head,
        structure: &TemplateStructure,
        bits: &mut BitReader<'_>,
    ) -> Result<Self, ParseError> {
        let here = |bits: &BitReader<'_>| bits.position() as u16;
        let template = structure.index_of(head.template_id);
        let template = template.ok_or_else(|| bits.error("template that is not there"))?;
        let mut fields = Self {
            head,
            template,
            structure: (FLAGS_END as u16, here(bits)),
            active_targets: None,
            indications: None,
            frame_diffs: None,
            chain_diffs: None,
            end: 0,
        };
        if head.has_active_targets {
            let what = "active_decode_targets_bitmask";
            fields.active_targets = Some(bits.number(structure.decode_target_count(), what)?);
        }
        if head.has_indications {
            let targets = structure.decode_target_count() as u8;
            fields.indications = Some(read_indications(bits, targets, "frame_dti")?);
        }
        if head.has_frame_diffs {
            fields.frame_diffs = Some(here(bits));
            while next_frame_diff(bits)?.is_some() {}
        }
        if head.has_chain_diffs {
            fields.chain_diffs = Some(here(bits));
            for _ in 0..structure.chain_count() {
                bits.number(8, "frame_chain_fdiff")?;
            }
        }
        fields.end = here(bits);
        Ok(fields)
    }

    /// Where the fields of the frame itself are: indications and differences of its own.
    pub(super) fn custom(&self, structure: &TemplateStructure) -> Range<usize> {
        let mask = match self.active_targets {
            Some(_) => structure.decode_target_count(),
            None => 0,
        };
        usize::from(self.structure.1) + mask..usize::from(self.end)
    }
}

/// A frame difference of A.8.1's `frame_fdiffs`; `None` at their end.
fn next_frame_diff(bits: &mut BitReader<'_>) -> Result<Option<u16>, ParseError> {
    match bits.number(2, "next_fdiff_size")? {
        0 => Ok(None),
        size => {
            let diff = bits.number(4 * size as usize, "fdiff_minus_one")? + 1;
            Ok(Some(diff as u16))
        }
    }
}

/// A descriptor whose every field has been checked, with the structure that it refers to.
#[derive(Debug, Clone, Copy)]
pub struct DependencyDescriptorView<'a> {
    pub(super) data: &'a [u8],
    pub(super) structure: &'a TemplateStructure,
    pub(super) fields: Fields,
    pub(super) active_targets: u32,
}

impl<'a> DependencyDescriptorView<'a> {
    /// The bytes of the extension.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.data
    }

    /// Whether the packet is the frame's first.
    pub const fn starts_frame(&self) -> bool {
        self.fields.head.starts_frame
    }

    /// Whether the packet is the frame's last.
    pub const fn ends_frame(&self) -> bool {
        self.fields.head.ends_frame
    }

    /// The frame's number: each frame of the stream has the next one, whatever its layer.
    pub const fn frame_number(&self) -> Serial16 {
        self.fields.head.frame_number
    }

    /// The template structure, if this packet brings it: a coded video sequence starts with the frame.
    pub const fn template_structure(&self) -> Option<&'a TemplateStructure> {
        match self.fields.head.has_structure {
            true => Some(self.structure),
            false => None,
        }
    }

    /// The template structure that the packet refers to.
    pub const fn structure(&self) -> &'a TemplateStructure {
        self.structure
    }

    /// The frame's layer.
    pub fn layer(&self) -> Layer {
        let layer = self.structure.layer(self.fields.template.into());
        layer.unwrap_or(Layer::BASE)
    }

    /// The decode targets that there are frames of, from this frame on: bit 0 is the first.
    pub const fn active_decode_targets(&self) -> u32 {
        self.active_targets
    }

    /// The same, if this packet says so itself.
    pub const fn carried_active_decode_targets(&self) -> Option<u32> {
        self.fields.active_targets
    }

    /// What the frame is to a decode target.
    pub fn indication(&self, target: usize) -> Indication {
        if target >= self.structure.decode_target_count() {
            return Indication::NotPresent;
        }
        let template = self.structure.indications(self.fields.template.into());
        Indication::of(self.fields.indications.unwrap_or(template), target)
    }

    /// How many frames before it those are that the frame refers to.
    pub fn frame_diffs(&self) -> impl Iterator<Item = u16> + use<'a> {
        let (template, mut own) = match self.fields.frame_diffs {
            Some(at) => (&[][..], Some(BitReader::at_bit(self.data, at.into()))),
            None => (
                self.structure.frame_diffs(self.fields.template.into()),
                None,
            ),
        };
        let own = std::iter::from_fn(move || next_frame_diff(own.as_mut()?).ok()?);
        template.iter().map(|diff| u16::from(*diff)).chain(own)
    }

    /// For each chain, how many frames before it the chain's last one is; 0 if there is none.
    pub fn chain_diffs(&self) -> impl Iterator<Item = u8> + use<'a> {
        let (template, mut own) = match self.fields.chain_diffs {
            Some(at) => (&[][..], Some(BitReader::at_bit(self.data, at.into()))),
            None => (
                self.structure.chain_diffs(self.fields.template.into()),
                None,
            ),
        };
        let mut left = self.structure.chain_count();
        let own = std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            own.as_mut()?.byte(8, "frame_chain_fdiff").ok()
        });
        template.iter().copied().chain(own)
    }

    /// The largest size at which the frame is to be shown, where the structure tells.
    pub fn resolution(&self) -> Option<(u32, u32)> {
        self.structure.resolution(self.layer().spatial_id)
    }
}

/// By what they say.
impl PartialEq for DependencyDescriptorView<'_> {
    fn eq(&self, other: &Self) -> bool {
        let head = |it: &Self| {
            (
                (it.starts_frame(), it.ends_frame(), it.frame_number()),
                (it.fields.template, it.fields.head.has_structure),
                (it.active_targets, it.fields.active_targets),
            )
        };
        head(self) == head(other)
            && self.structure == other.structure
            && (0..self.structure.decode_target_count())
                .all(|target| self.indication(target) == other.indication(target))
            && self.frame_diffs().eq(other.frame_diffs())
            && self.chain_diffs().eq(other.chain_diffs())
    }
}

impl Eq for DependencyDescriptorView<'_> {}
