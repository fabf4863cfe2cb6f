//! The template dependency structure, AV1 RTP appendix A.8.2 to A.8.3.
//!
//! ```text
//! template_id_offset (6) | dt_cnt_minus_one (5)
//! next_layer_idc (2), for each template: 0 same layer, 1 next temporal, 2 next spatial, 3 no more
//! template_dti (2), for each template and decode target
//! fdiff_follows_flag (1), fdiff_minus_one (4) …, for each template
//! chain_cnt ns(DtCnt + 1), decode_target_protected_by ns(chain_cnt) for each decode target
//! template_chain_fdiff (4), for each template and chain
//! resolutions_present_flag (1), width and height minus one (16, 16) for each spatial layer
//! ```

use super::bits::{BitReader, BitWriter};
use super::{Indication, Layer, MAX_DECODE_TARGETS, MAX_LEN, MAX_TEMPLATES};
use pc_proto::{ParseError, WriteError};
use std::ops::Range;

/// AV1 §6.4.1: spatial layers are 0 to 3, temporal ones 0 to 7.
pub(super) const MAX_SPATIAL: usize = 4;
pub(super) const MAX_TEMPORAL: usize = 8;
/// A frame difference takes five bits of an extension of 255 bytes.
const MAX_FRAME_DIFFS: usize = MAX_LEN * 8 / 5;
/// A chain difference takes four.
const MAX_CHAIN_DIFFS: usize = MAX_LEN * 8 / 4;

/// What is constant in a stream: the kinds of frames there are, and what can be decoded.
///
/// It comes with each key frame that starts a coded video sequence; later descriptors name one of its
/// templates. Its memory is its own and of one size, however many templates it has.
#[derive(Clone)]
pub struct TemplateStructure {
    pub(super) id_offset: u8,
    pub(super) targets: u8,
    pub(super) templates: u8,
    pub(super) chains: u8,
    /// Of each template.
    pub(super) layers: [Layer; MAX_TEMPLATES],
    /// Of each template: two bits a decode target, the first lowest.
    pub(super) indications: [u64; MAX_TEMPLATES],
    /// Of all templates, one after the other; where each one's end.
    pub(super) frame_diffs: [u8; MAX_FRAME_DIFFS],
    pub(super) frame_diff_ends: [u16; MAX_TEMPLATES],
    /// `chains` of each template, one after the other.
    pub(super) chain_diffs: [u8; MAX_CHAIN_DIFFS],
    pub(super) protected_by: [u8; MAX_DECODE_TARGETS],
    target_layers: [Layer; MAX_DECODE_TARGETS],
    pub(super) resolutions: Option<[(u32, u32); MAX_SPATIAL]>,
}

impl TemplateStructure {
    pub(super) const EMPTY: Self = Self {
        id_offset: 0,
        targets: 0,
        templates: 0,
        chains: 0,
        layers: [Layer::BASE; MAX_TEMPLATES],
        indications: [0; MAX_TEMPLATES],
        frame_diffs: [0; MAX_FRAME_DIFFS],
        frame_diff_ends: [0; MAX_TEMPLATES],
        chain_diffs: [0; MAX_CHAIN_DIFFS],
        protected_by: [0; MAX_DECODE_TARGETS],
        target_layers: [Layer::BASE; MAX_DECODE_TARGETS],
        resolutions: None,
    };

    /// How many templates there are, 1 to 64.
    pub const fn template_count(&self) -> usize {
        self.templates as usize
    }

    /// How many decode targets there are, 1 to 32: what a receiver may choose to decode.
    pub const fn decode_target_count(&self) -> usize {
        self.targets as usize
    }

    /// How many chains there are, 0 to 32.
    pub const fn chain_count(&self) -> usize {
        self.chains as usize
    }

    /// The number that descriptors give the first template; the others follow, modulo 64.
    pub const fn id_offset(&self) -> u8 {
        self.id_offset
    }

    /// The mask that has every decode target.
    pub fn all_decode_targets(&self) -> u32 {
        u32::MAX >> (32 - u32::from(self.targets.clamp(1, 32)))
    }

    /// The highest layers of a decode target (A.8.3.5).
    pub fn decode_target(&self, target: usize) -> Option<Layer> {
        let layers = self.target_layers.get(..self.decode_target_count())?;
        layers.get(target).copied()
    }

    /// The chain that protects a decode target: as long as it is unbroken, the target can be decoded.
    pub fn chain_of(&self, target: usize) -> Option<usize> {
        let chains = self.protected_by.get(..self.decode_target_count())?;
        let chain = chains.get(target).filter(|_| self.chains > 0)?;
        Some(usize::from(*chain))
    }

    /// The largest size at which a spatial layer is to be shown, where the structure tells.
    pub fn resolution(&self, spatial_id: u8) -> Option<(u32, u32)> {
        let known = self.resolutions.as_ref()?;
        let size = known.get(usize::from(spatial_id))?;
        (spatial_id <= self.max_spatial()).then_some(*size)
    }

    fn max_spatial(&self) -> u8 {
        let layers = self.layers.iter().take(self.template_count());
        layers.map(|layer| layer.spatial_id).max().unwrap_or(0)
    }

    /// The layer of a template.
    pub fn layer(&self, template: usize) -> Option<Layer> {
        let layers = self.layers.get(..self.template_count())?;
        layers.get(template).copied()
    }

    pub(super) fn indications(&self, template: usize) -> u64 {
        self.indications.get(template).copied().unwrap_or(0)
    }

    pub(super) fn frame_diffs(&self, template: usize) -> &[u8] {
        let end = |at: usize| self.frame_diff_ends.get(at).copied().unwrap_or(0);
        let begin = template.checked_sub(1).map_or(0, end);
        let range = usize::from(begin)..usize::from(end(template));
        self.frame_diffs.get(range).unwrap_or_default()
    }

    fn chain_range(&self, template: usize) -> Range<usize> {
        let chains = self.chain_count();
        template * chains..(template + 1) * chains
    }

    pub(super) fn chain_diffs(&self, template: usize) -> &[u8] {
        let range = self.chain_range(template);
        self.chain_diffs.get(range).unwrap_or_default()
    }

    /// The index of the template with this number (A.8.3.6).
    pub(super) fn index_of(&self, template_id: u8) -> Option<u8> {
        let index = template_id.wrapping_sub(self.id_offset) & 63;
        (index < self.templates).then_some(index)
    }
}

impl TemplateStructure {
    pub(super) fn read(bits: &mut BitReader<'_>) -> Result<Self, ParseError> {
        let mut structure = Self::EMPTY;
        structure.id_offset = bits.byte(6, "template_id_offset")?;
        structure.targets = bits.byte(5, "dt_cnt_minus_one")? + 1;
        structure.read_layers(bits)?;
        structure.read_indications(bits)?;
        structure.read_frame_diffs(bits)?;
        structure.read_chains(bits)?;
        structure.find_target_layers();
        if bits.flag("resolutions_present_flag")? {
            let mut sizes = [(0, 0); MAX_SPATIAL];
            for size in sizes
                .iter_mut()
                .take(usize::from(structure.max_spatial()) + 1)
            {
                let width = bits.number(16, "max_render_width_minus_1")? + 1;
                *size = (width, bits.number(16, "max_render_height_minus_1")? + 1);
            }
            structure.resolutions = Some(sizes);
        }
        Ok(structure)
    }

    fn read_layers(&mut self, bits: &mut BitReader<'_>) -> Result<(), ParseError> {
        let mut layer = Layer::BASE;
        for slot in &mut self.layers {
            *slot = layer;
            self.templates += 1;
            match bits.number(2, "next_layer_idc")? {
                0 => {}
                1 => layer.temporal_id += 1,
                2 => {
                    layer.spatial_id += 1;
                    layer.temporal_id = 0;
                }
                _ => return Ok(()),
            }
            let is_valid = usize::from(layer.spatial_id) < MAX_SPATIAL
                && usize::from(layer.temporal_id) < MAX_TEMPORAL;
            if !is_valid {
                return Err(bits.error("layer beyond those of AV1"));
            }
        }
        Err(bits.error("more than 64 templates"))
    }

    fn read_indications(&mut self, bits: &mut BitReader<'_>) -> Result<(), ParseError> {
        for slot in self.indications.iter_mut().take(self.templates.into()) {
            *slot = read_indications(bits, self.targets, "template_dti")?;
        }
        Ok(())
    }

    fn read_frame_diffs(&mut self, bits: &mut BitReader<'_>) -> Result<(), ParseError> {
        let mut count: u16 = 0;
        for end in self.frame_diff_ends.iter_mut().take(self.templates.into()) {
            while bits.flag("fdiff_follows_flag")? {
                let slot = self.frame_diffs.get_mut(usize::from(count));
                let slot = slot.ok_or_else(|| bits.error("template_fdiff beyond 255 bytes"))?;
                *slot = bits.byte(4, "fdiff_minus_one")? + 1;
                count += 1;
            }
            *end = count;
        }
        Ok(())
    }

    fn read_chains(&mut self, bits: &mut BitReader<'_>) -> Result<(), ParseError> {
        let targets = self.decode_target_count();
        self.chains = bits.non_symmetric(targets + 1, "chain_cnt")?;
        if self.chains == 0 {
            return Ok(());
        }
        for chain in self.protected_by.iter_mut().take(targets) {
            *chain = bits.non_symmetric(self.chains.into(), "decode_target_protected_by")?;
        }
        let count = self.template_count() * self.chain_count();
        if count > MAX_CHAIN_DIFFS {
            return Err(bits.error("template_chain_fdiff beyond 255 bytes"));
        }
        for slot in self.chain_diffs.iter_mut().take(count) {
            *slot = bits.byte(4, "template_chain_fdiff")?;
        }
        Ok(())
    }

    /// A.8.3.5: a decode target is as high as the highest template that is in it.
    pub(super) fn find_target_layers(&mut self) {
        let templates = || self.layers.iter().zip(&self.indications);
        let mut found = [Layer::BASE; MAX_DECODE_TARGETS];
        for (target, highest) in found.iter_mut().enumerate().take(self.targets.into()) {
            for (layer, indications) in templates().take(self.templates.into()) {
                if Indication::of(*indications, target) != Indication::NotPresent {
                    highest.spatial_id = highest.spatial_id.max(layer.spatial_id);
                    highest.temporal_id = highest.temporal_id.max(layer.temporal_id);
                }
            }
        }
        self.target_layers = found;
    }

    pub(super) fn write(&self, bits: &mut BitWriter<'_>) -> Result<(), WriteError> {
        bits.number(6, self.id_offset.into())?;
        bits.number(5, u32::from(self.targets.saturating_sub(1)))?;
        self.write_layers(bits)?;
        for template in 0..self.template_count() {
            write_indications(bits, self.indications(template), self.targets)?;
        }
        for template in 0..self.template_count() {
            for diff in self.frame_diffs(template) {
                bits.number(5, 0x10 | u32::from(diff.wrapping_sub(1) & 0xF))?;
            }
            bits.flag(false)?;
        }
        self.write_chains(bits)?;
        bits.flag(self.resolutions.is_some())?;
        for spatial_id in 0..=self.max_spatial() {
            if let Some((width, height)) = self.resolution(spatial_id) {
                bits.number(16, width.wrapping_sub(1))?;
                bits.number(16, height.wrapping_sub(1))?;
            }
        }
        Ok(())
    }

    fn write_layers(&self, bits: &mut BitWriter<'_>) -> Result<(), WriteError> {
        let layers = self.layers.get(..self.template_count()).unwrap_or_default();
        for pair in layers.windows(2) {
            let next = match pair {
                [a, b] if a == b => 0,
                [a, b] if a.spatial_id == b.spatial_id => 1,
                _ => 2,
            };
            bits.number(2, next)?;
        }
        bits.number(2, 3)
    }

    fn write_chains(&self, bits: &mut BitWriter<'_>) -> Result<(), WriteError> {
        bits.non_symmetric(self.decode_target_count() + 1, self.chains)?;
        for target in 0..self.decode_target_count() {
            if let Some(chain) = self.chain_of(target) {
                bits.non_symmetric(self.chain_count(), chain as u8)?;
            }
        }
        for template in 0..self.template_count() {
            for diff in self.chain_diffs(template) {
                bits.number(4, (*diff).into())?;
            }
        }
        Ok(())
    }
}

/// One indication a decode target, packed.
pub(super) fn read_indications(
    bits: &mut BitReader<'_>,
    targets: u8,
    what: &'static str,
) -> Result<u64, ParseError> {
    let mut packed = 0;
    for target in 0..targets {
        packed |= u64::from(bits.number(2, what)?) << (2 * target);
    }
    Ok(packed)
}

pub(super) fn write_indications(
    bits: &mut BitWriter<'_>,
    packed: u64,
    targets: u8,
) -> Result<(), WriteError> {
    for target in 0..usize::from(targets) {
        bits.number(2, Indication::of(packed, target).bits().into())?;
    }
    Ok(())
}

/// By what it says: arrays hold stale values behind their ends.
impl PartialEq for TemplateStructure {
    fn eq(&self, other: &Self) -> bool {
        let shape = |it: &Self| (it.id_offset, it.targets, it.templates, it.chains);
        let sizes = |it: &Self| [0, 1, 2, 3].map(|spatial_id| it.resolution(spatial_id));
        shape(self) == shape(other)
            && sizes(self) == sizes(other)
            && (0..self.template_count()).all(|template| {
                self.layer(template) == other.layer(template)
                    && self.indications(template) == other.indications(template)
                    && self.frame_diffs(template) == other.frame_diffs(template)
                    && self.chain_diffs(template) == other.chain_diffs(template)
            })
            && (0..self.decode_target_count())
                .all(|target| self.chain_of(target) == other.chain_of(target))
    }
}

impl Eq for TemplateStructure {}

impl std::fmt::Debug for TemplateStructure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let targets = (0..self.decode_target_count()).filter_map(|it| self.decode_target(it));
        let layers = (0..self.template_count()).filter_map(|it| self.layer(it));
        f.debug_struct("TemplateStructure")
            .field("id_offset", &self.id_offset)
            .field("decode_targets", &targets.collect::<Vec<_>>())
            .field("templates", &layers.collect::<Vec<_>>())
            .field("chains", &self.chains)
            .finish_non_exhaustive()
    }
}
