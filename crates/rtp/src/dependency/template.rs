//! Template structures for who sends: made from templates.

use super::structure::{MAX_SPATIAL, MAX_TEMPORAL};
use super::{
    Indication, Layer, MAX_DECODE_TARGETS, MAX_LEN, MAX_TEMPLATES, TemplateStructure,
    bits::BitWriter,
};

/// One kind of frame.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// Its layer.
    pub layer: Layer,
    /// What it is to each decode target.
    pub indications: &'a [Indication],
    /// How many frames before it those are that it refers to: 1 to 16 each.
    pub frame_diffs: &'a [u8],
    /// For each chain, how many frames before it the chain's last one is: 0 to 15 each.
    pub chain_diffs: &'a [u8],
}

/// What a structure is made from.
#[derive(Debug, Clone, Copy)]
pub struct TemplateStructureInit<'a> {
    /// The number of the first template, below 64: another one than that of the structure before, so
    /// that late packets are not taken for something else (A.8.3.2).
    pub id_offset: u8,
    /// In the order of their layers: spatial first, then temporal, starting at 0 and 0.
    pub templates: &'a [Template<'a>],
    /// For each decode target, the chain that protects it; empty without chains.
    pub protected_by: &'a [u8],
    /// Width and height of each spatial layer, 1 to 65,536; empty when they are not told.
    pub resolutions: &'a [(u32, u32)],
}

/// Why there is no such structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There are 1 to 64 templates, 1 to 32 decode targets, and chains at most as many as those.
    #[error("number of {0} out of range")]
    Count(&'static str),
    /// A template has another number of indications or chain differences than the others.
    #[error("template {0} has another number of decode targets or chains")]
    Shape(usize),
    /// A template's layer does not come after that of the one before, or it is beyond AV1's.
    #[error("layer of template {0} is out of order")]
    Layer(usize),
    /// A frame difference is not 1 to 16, a chain difference not 0 to 15, a resolution not 1 to
    /// 65,536, a chain not one of those there are, or an id offset not below 64.
    #[error("{0} out of range")]
    Range(&'static str),
    /// A descriptor with it is longer than the 255 bytes of an extension.
    #[error("longer than a header extension")]
    TooLong,
}

impl TemplateStructure {
    /// A structure to be sent.
    ///
    /// # Errors
    ///
    /// The wire format has no words for it: see [`TemplateError`].
    pub fn new(init: &TemplateStructureInit<'_>) -> Result<Self, TemplateError> {
        check(init)?;
        let structure = Self::filled(init).ok_or(TemplateError::TooLong)?;
        let mut bits = [0; MAX_LEN];
        let mut bits = BitWriter::new(&mut bits);
        let written = structure.write(&mut bits);
        // A descriptor has four bytes of its own before it, and a mask of up to four behind.
        let fits = written.is_ok() && bits.len() <= MAX_LEN - 8;
        fits.then_some(structure).ok_or(TemplateError::TooLong)
    }

    /// `None` where it is longer than an extension can be.
    fn filled(init: &TemplateStructureInit<'_>) -> Option<Self> {
        let first = init.templates.first()?;
        let mut it = Self::EMPTY;
        it.id_offset = init.id_offset;
        it.targets = first.indications.len() as u8;
        it.templates = init.templates.len() as u8;
        it.chains = first.chain_diffs.len() as u8;
        let (mut frame_diffs, mut chain_diffs) = (0, 0);
        for (index, template) in init.templates.iter().enumerate() {
            *it.layers.get_mut(index)? = template.layer;
            *it.indications.get_mut(index)? = Indication::pack(template.indications);
            append(&mut it.frame_diffs, &mut frame_diffs, template.frame_diffs)?;
            *it.frame_diff_ends.get_mut(index)? = u16::try_from(frame_diffs).ok()?;
            append(&mut it.chain_diffs, &mut chain_diffs, template.chain_diffs)?;
        }
        append(&mut it.protected_by, &mut 0, init.protected_by)?;
        if !init.resolutions.is_empty() {
            let mut sizes = [(0, 0); MAX_SPATIAL];
            for (slot, size) in sizes.iter_mut().zip(init.resolutions) {
                *slot = *size;
            }
            it.resolutions = Some(sizes);
        }
        it.find_target_layers();
        Some(it)
    }
}

/// Appends `values` at `len`; `None` where there is no room.
fn append(all: &mut [u8], len: &mut usize, values: &[u8]) -> Option<()> {
    let end = *len + values.len();
    all.get_mut(*len..end)?.copy_from_slice(values);
    *len = end;
    Some(())
}

fn check(init: &TemplateStructureInit<'_>) -> Result<(), TemplateError> {
    let Some(first) = init.templates.first() else {
        return Err(TemplateError::Count("templates"));
    };
    let (targets, chains) = (first.indications.len(), first.chain_diffs.len());
    let counts = [
        ("templates", init.templates.len() <= MAX_TEMPLATES),
        (
            "decode targets",
            (1..=MAX_DECODE_TARGETS).contains(&targets),
        ),
        ("chains", chains <= targets),
        (
            "protected decode targets",
            init.protected_by.len() == if chains == 0 { 0 } else { targets },
        ),
    ];
    if let Some((what, _)) = counts.iter().find(|(_, holds)| !holds) {
        return Err(TemplateError::Count(what));
    }
    let mut before = None;
    let mut spatial = 0;
    for (index, template) in init.templates.iter().enumerate() {
        if (template.indications.len(), template.chain_diffs.len()) != (targets, chains) {
            return Err(TemplateError::Shape(index));
        }
        if !follows(before, template.layer) {
            return Err(TemplateError::Layer(index));
        }
        before = Some(template.layer);
        spatial = usize::from(template.layer.spatial_id) + 1;
    }
    let ranges = [
        ("id offset", init.id_offset < 64),
        ("frame difference", diffs(init, |it| it.frame_diffs, 1, 16)),
        ("chain difference", diffs(init, |it| it.chain_diffs, 0, 15)),
        (
            "chain",
            init.protected_by.iter().all(|it| usize::from(*it) < chains),
        ),
        (
            "number of resolutions",
            [0, spatial].contains(&init.resolutions.len()),
        ),
        (
            "resolution",
            init.resolutions.iter().all(|(width, height)| {
                [width, height]
                    .iter()
                    .all(|side| (1..=65_536).contains(*side))
            }),
        ),
    ];
    match ranges.iter().find(|(_, holds)| !holds) {
        Some((what, _)) => Err(TemplateError::Range(what)),
        None => Ok(()),
    }
}

fn diffs<'a>(
    init: &TemplateStructureInit<'a>,
    of: impl Fn(&Template<'a>) -> &'a [u8],
    min: u8,
    max: u8,
) -> bool {
    let mut all = init.templates.iter().flat_map(|it| of(it).iter());
    all.all(|diff| (min..=max).contains(diff))
}

/// Whether `next_layer_idc` can tell the step.
fn follows(before: Option<Layer>, layer: Layer) -> bool {
    let is_there = usize::from(layer.spatial_id) < MAX_SPATIAL
        && usize::from(layer.temporal_id) < MAX_TEMPORAL;
    let is_next = match before {
        None => layer == Layer::BASE,
        Some(before) if before.spatial_id == layer.spatial_id => {
            (before.temporal_id..=before.temporal_id + 1).contains(&layer.temporal_id)
        }
        Some(before) => before.spatial_id + 1 == layer.spatial_id && layer.temporal_id == 0,
    };
    is_there && is_next
}
