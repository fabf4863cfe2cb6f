//! The template structure, kept from packet to packet.

use super::bits::BitReader;
use super::structure::TemplateStructure;
use super::view::{DependencyDescriptorView, Fields, Head};
use pc_proto::{ParseError, Serial16};

/// A structure of a frame that is this many frames older than the current one's came late; one that is
/// older still is that of a stream which began anew.
const MAX_LATE: u16 = 512;

/// A structure and what it says now.
#[derive(Debug, Clone)]
struct Kept {
    structure: TemplateStructure,
    /// The frame it came with.
    since: Serial16,
    active_targets: u32,
    /// The frame that said so.
    active_since: Serial16,
}

impl Kept {
    fn new(structure: TemplateStructure, since: Serial16) -> Self {
        Self {
            // A.8.2: a structure makes all of its decode targets active.
            active_targets: structure.all_decode_targets(),
            structure,
            since,
            active_since: since,
        }
    }
}

/// Reads the descriptors of one stream: it keeps the template structure that they refer to.
///
/// The structure before the current one is kept too: packets that come late refer to it. Memory is of
/// one size, some four kilobytes.
#[derive(Debug, Clone, Default)]
pub struct DependencyReader {
    current: Option<Kept>,
    previous: Option<Kept>,
}

impl DependencyReader {
    /// One that has not seen a structure.
    pub const fn new() -> Self {
        Self {
            current: None,
            previous: None,
        }
    }

    /// The structure of the stream, once it has come.
    pub fn structure(&self) -> Option<&TemplateStructure> {
        self.current.as_ref().map(|kept| &kept.structure)
    }

    /// Reads the descriptor of a packet, and keeps the structure that it brings.
    ///
    /// # Errors
    ///
    /// The descriptor is malformed, or the structure it refers to has not come. Nothing is kept then.
    pub fn read<'s>(
        &'s mut self,
        data: &'s [u8],
    ) -> Result<DependencyDescriptorView<'s>, ParseError> {
        let mut bits = BitReader::new(data);
        let head = Head::read(data, &mut bits)?;
        let (fields, kept) = if head.has_structure {
            let structure = TemplateStructure::read(&mut bits)?;
            let fields = Fields::read(head, &structure, &mut bits)?;
            (fields, self.keep(structure, head.frame_number))
        } else {
            let Some(kept) = self.kept_at(head.frame_number) else {
                let what = "template dependency structure that has not come";
                return Err(ParseError { what, at: 0 });
            };
            (Fields::read(head, &kept.structure, &mut bits)?, kept)
        };
        if let Some(mask) = fields.active_targets
            && head.frame_number.is_at_least(kept.active_since)
        {
            kept.active_targets = mask;
            kept.active_since = head.frame_number;
        }
        Ok(DependencyDescriptorView {
            data,
            structure: &kept.structure,
            active_targets: fields.active_targets.unwrap_or(kept.active_targets),
            fields,
        })
    }

    /// What a frame with this number refers to.
    fn kept_at(&mut self, frame: Serial16) -> Option<&mut Kept> {
        match &mut self.current {
            Some(current) if current.since.is_newer_than(frame) => self.previous.as_mut(),
            current => current.as_mut(),
        }
    }

    /// Keeps a structure that came with a frame, in its place.
    fn keep(&mut self, structure: TemplateStructure, frame: Serial16) -> &mut Kept {
        let new = Kept::new(structure, frame);
        let Some(current) = &self.current else {
            return self.current.insert(new);
        };
        if current.since == frame && current.structure == new.structure {
            // The same packet, or another one of the frame.
        } else if !current.since.is_newer_than(frame) {
            self.previous = self.current.replace(new);
        } else if current.since.steps_from(frame) > MAX_LATE {
            self.previous = None;
            self.current = Some(new);
        } else {
            return self.previous.insert(new);
        }
        // There is one: it was there, or has just been put there.
        self.current
            .get_or_insert_with(|| Kept::new(TemplateStructure::EMPTY, frame))
    }
}
