//! Descriptors that are written, and those of others that are written anew.

use super::bits::BitWriter;
use super::structure::{TemplateStructure, write_indications};
use super::view::{DependencyDescriptorView, FLAGS_END, HEAD_LEN};
use super::{Indication, MAX_LEN};
use pc_proto::{ParseError, Serial16, WriteError};

/// A descriptor to be written.
#[derive(Debug, Clone, Copy)]
pub struct DependencyDescriptor<'a> {
    /// Whether the packet is the frame's first.
    pub starts_frame: bool,
    /// Whether the packet is the frame's last.
    pub ends_frame: bool,
    /// The frame's template, by its index in the structure.
    pub template: u8,
    /// One more than that of the frame before.
    pub frame_number: Serial16,
    /// The template structure, with the first packet of a frame that starts a coded video sequence.
    pub structure: Option<&'a TemplateStructure>,
    /// The decode targets that there are frames of, where that changes: bit 0 is the first.
    pub active_decode_targets: Option<u32>,
    /// What the frame is to each decode target, where that is not what its template says.
    pub indications: Option<&'a [Indication]>,
    /// How many frames before it those are that it refers to, 1 to 4,096 each, where that is not what
    /// its template says.
    pub frame_diffs: Option<&'a [u16]>,
    /// For each chain, how many frames before it the chain's last one is, where that is not what its
    /// template says.
    pub chain_diffs: Option<&'a [u8]>,
}

impl DependencyDescriptor<'_> {
    /// That of a frame which is all its template says and has one packet.
    pub const fn of_template(template: u8, frame_number: u16) -> Self {
        Self {
            starts_frame: true,
            ends_frame: true,
            template,
            frame_number: Serial16(frame_number),
            structure: None,
            active_decode_targets: None,
            indications: None,
            frame_diffs: None,
            chain_diffs: None,
        }
    }

    /// Writes the descriptor of a stream that has this structure. Returns how many bytes it takes:
    /// three or more.
    ///
    /// # Errors
    ///
    /// There is less room. An extension has 255 bytes at most.
    pub fn write(
        &self,
        structure: &TemplateStructure,
        out: &mut [u8],
    ) -> Result<usize, WriteError> {
        let structure = self.structure.unwrap_or(structure);
        let mut bits = BitWriter::new(out);
        let template_id = structure.id_offset().wrapping_add(self.template) & 63;
        let flags = [
            self.structure.is_some(),
            self.active_decode_targets.is_some(),
            self.indications.is_some(),
            self.frame_diffs.is_some(),
            self.chain_diffs.is_some(),
        ];
        bits.flag(self.starts_frame)?;
        bits.flag(self.ends_frame)?;
        bits.number(6, template_id.into())?;
        bits.number(16, self.frame_number.0.into())?;
        if !flags.contains(&true) {
            return Ok(bits.len());
        }
        for flag in flags {
            bits.flag(flag)?;
        }
        if let Some(structure) = self.structure {
            structure.write(&mut bits)?;
        }
        if let Some(mask) = self.active_decode_targets {
            bits.number(structure.decode_target_count(), mask)?;
        }
        self.write_custom(structure, &mut bits)?;
        within_an_extension(bits.len())
    }

    fn write_custom(
        &self,
        structure: &TemplateStructure,
        bits: &mut BitWriter<'_>,
    ) -> Result<(), WriteError> {
        if let Some(indications) = self.indications {
            let targets = structure.decode_target_count() as u8;
            write_indications(bits, Indication::pack(indications), targets)?;
        }
        if let Some(diffs) = self.frame_diffs {
            for diff in diffs {
                let value = u32::from(diff.saturating_sub(1).min(0xFFF));
                let size = (value.max(1).ilog2() / 4 + 1) as usize;
                bits.number(2, size as u32)?;
                bits.number(4 * size, value)?;
            }
            bits.number(2, 0)?;
        }
        if let Some(diffs) = self.chain_diffs {
            let all = diffs.iter().copied().chain(std::iter::repeat(0));
            for diff in all.take(structure.chain_count()) {
                bits.number(8, diff.into())?;
            }
        }
        Ok(())
    }
}

impl DependencyDescriptorView<'_> {
    /// Writes the same descriptor with another frame number and, where it is given, another mask of
    /// active decode targets (A.8.3.9). Returns how many bytes it takes.
    ///
    /// # Errors
    ///
    /// There is less room, or the mask makes it longer than the 255 bytes of an extension.
    pub fn rewrite(
        &self,
        frame_number: Serial16,
        active_decode_targets: Option<u32>,
        out: &mut [u8],
    ) -> Result<usize, WriteError> {
        let mask = active_decode_targets.or(self.fields.active_targets);
        if mask == self.fields.active_targets || mask.is_none() {
            let room = out.len();
            let copy = out.get_mut(..self.data.len()).ok_or(WriteError {
                needed: self.data.len(),
                remaining: room,
            })?;
            copy.copy_from_slice(self.data);
            // What was read has a frame number.
            let _ = set_frame_number(copy, frame_number);
            return Ok(self.data.len());
        }
        let mut bits = BitWriter::new(out);
        bits.copy(self.data, 0, 8)?;
        bits.number(16, frame_number.0.into())?;
        let is_extended = self.data.len() > HEAD_LEN;
        bits.flag(self.fields.head.has_structure)?;
        bits.flag(true)?;
        match is_extended {
            true => bits.copy(self.data, FLAGS_END - 3, FLAGS_END)?,
            false => bits.number(3, 0)?,
        }
        let (from, to) = self.fields.structure;
        if self.fields.head.has_structure {
            bits.copy(self.data, from.into(), to.into())?;
        }
        let targets = self.structure.decode_target_count();
        bits.number(targets, mask.unwrap_or_default())?;
        let custom = self.fields.custom(self.structure);
        if is_extended {
            bits.copy(self.data, custom.start, custom.end)?;
        }
        within_an_extension(bits.len())
    }
}

const fn within_an_extension(len: usize) -> Result<usize, WriteError> {
    if len > MAX_LEN {
        return Err(WriteError {
            needed: len,
            remaining: MAX_LEN,
        });
    }
    Ok(len)
}

/// Gives the descriptor in `data` another frame number, in place: nothing else depends on it, as long
/// as all frames of a stream are moved by the same distance.
///
/// # Errors
///
/// `data` is shorter than a descriptor.
pub fn set_frame_number(data: &mut [u8], frame_number: Serial16) -> Result<(), ParseError> {
    match data {
        [_, high, low, ..] => {
            [*high, *low] = frame_number.0.to_be_bytes();
            Ok(())
        }
        _ => Err(ParseError {
            what: "dependency descriptor",
            at: data.len(),
        }),
    }
}
