//! VP9's payload descriptor, read and given other numbers in place.

use pc_proto::{ParseError, Reader, WriteError};

pub(super) const I: u8 = 0x80;
pub(super) const P: u8 = 0x40;
const L: u8 = 0x20;
const F: u8 = 0x10;
pub(super) const B: u8 = 0x08;
pub(super) const E: u8 = 0x04;
pub(super) const V: u8 = 0x02;
const Z: u8 = 0x01;
/// The picture id has 15 bits.
pub(super) const M: u8 = 0x80;
/// U: one can switch up behind this picture.
const U: u8 = 0x10;
/// D: the layer below is referred to.
const D: u8 = 0x01;
/// Another P_DIFF follows.
const MORE: u8 = 0x01;
/// RFC 9628 §4.2.3: at most three P_DIFF.
const MAX_REFERENCES: usize = 3;
/// Y of the scalability structure: sizes are there. G: a picture group is.
pub(super) const Y: u8 = 0x10;
const G: u8 = 0x08;

/// What stands before each payload of VP9, [RFC 9628 §4.2](https://www.rfc-editor.org/rfc/rfc9628#section-4.2).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vp9Descriptor {
    /// One more than that of the picture before, modulo 2^7 or 2^15; all layer frames of a picture have
    /// the same.
    pub picture_id: Option<u16>,
    /// Whether the picture id has 15 bits, not 7.
    pub is_long_picture_id: bool,
    /// P: the layer frame refers to other pictures.
    pub is_inter_predicted: bool,
    /// F: references are told one by one, and there is no TL0PICIDX.
    pub is_flexible: bool,
    /// B: the payload starts a layer frame.
    pub starts_layer_frame: bool,
    /// E: the payload ends a layer frame.
    pub ends_layer_frame: bool,
    /// Z: no higher spatial layer refers to this one.
    pub is_not_reference_for_upper: bool,
    /// TID, SID, U and D.
    pub layer: Option<Vp9Layer>,
    /// TL0PICIDX: one more with each picture of the lowest temporal layer.
    pub tl0_picture_index: Option<u8>,
    /// How many pictures before it those are that the layer frame refers to, in flexible mode.
    references: [u8; MAX_REFERENCES],
    reference_count: u8,
    /// The size of the largest layer, where a scalability structure tells it.
    pub size: Option<(u16, u16)>,
    /// How many bytes the descriptor has.
    pub len: usize,
}

/// The layer indices of a payload.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vp9Layer {
    /// TID: the temporal layer, 0 the lowest.
    pub temporal_id: u8,
    /// SID: the spatial layer, 0 the lowest.
    pub spatial_id: u8,
    /// U: no later picture of a higher temporal layer refers to one of such a layer that is before this.
    pub is_switching_up_point: bool,
    /// D: it refers to the spatial layer below, of the same picture.
    pub refers_to_lower: bool,
}

/// The numbers that a forwarder gives a picture: those that are there are put where the descriptor has
/// such a number, in as many bits as it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vp9Numbers {
    /// See [`Vp9Descriptor::picture_id`].
    pub picture_id: Option<u16>,
    /// See [`Vp9Descriptor::tl0_picture_index`].
    pub tl0_picture_index: Option<u8>,
}

impl Vp9Descriptor {
    /// Reads the descriptor of a payload, which is never all there is.
    ///
    /// # Errors
    ///
    /// The payload ends in its descriptor, or has more than three references.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        Self::read(&mut Reader::new(payload))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let begin = reader.at();
        let flags = reader.u8("VP9 payload descriptor")?;
        let has = |flag| flags & flag != 0;
        let mut descriptor = Self {
            is_inter_predicted: has(P),
            is_flexible: has(F),
            starts_layer_frame: has(B),
            ends_layer_frame: has(E),
            is_not_reference_for_upper: has(Z),
            ..Self::default()
        };
        if has(I) {
            let first = reader.u8("VP9 picture id")?;
            descriptor.is_long_picture_id = first & M != 0;
            descriptor.picture_id = Some(match descriptor.is_long_picture_id {
                false => u16::from(first),
                true => u16::from_be_bytes([first & !M, reader.u8("VP9 picture id")?]),
            });
        }
        if has(L) {
            let byte = reader.u8("VP9 layer indices")?;
            descriptor.layer = Some(Vp9Layer {
                temporal_id: byte >> 5,
                spatial_id: byte >> 1 & 7,
                is_switching_up_point: byte & U != 0,
                refers_to_lower: byte & D != 0,
            });
            if !has(F) {
                descriptor.tl0_picture_index = Some(reader.u8("VP9 TL0PICIDX")?);
            }
        }
        if has(P) && has(F) {
            descriptor.read_references(reader)?;
        }
        if has(V) {
            descriptor.size = scalability_structure(reader)?;
        }
        descriptor.len = reader.at() - begin;
        match reader.is_empty() {
            true => Err(reader.error("VP9 payload")),
            false => Ok(descriptor),
        }
    }

    /// RFC 9628 §4.2.3: the references of flexible mode.
    fn read_references(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        for slot in &mut self.references {
            let byte = reader.u8("VP9 P_DIFF")?;
            *slot = byte >> 1;
            self.reference_count += 1;
            if byte & MORE == 0 {
                return Ok(());
            }
        }
        Err(reader.error("fourth VP9 P_DIFF"))
    }

    /// How many pictures before it those are that the layer frame refers to; known in flexible mode
    /// alone.
    pub fn references(&self) -> &[u8] {
        let count = usize::from(self.reference_count);
        self.references.get(..count).unwrap_or_default()
    }

    /// Whether the payload is the first of a picture, which is all layer frames of one timestamp. It
    /// cannot be told for an upper layer that does not depend on the one below: a forwarder may have
    /// taken that one out.
    pub fn starts_picture(&self) -> Option<bool> {
        match self.layer {
            _ if !self.starts_layer_frame => Some(false),
            Some(layer) if layer.refers_to_lower => Some(false),
            Some(layer) if layer.spatial_id > 0 => None,
            _ => Some(true),
        }
    }

    /// How many different picture ids there are.
    pub const fn picture_id_space(&self) -> u32 {
        if self.is_long_picture_id {
            1 << 15
        } else {
            1 << 7
        }
    }

    /// Gives the payload that this descriptor was read from, or a copy of it, other numbers, in place.
    ///
    /// # Errors
    ///
    /// `payload` is shorter than the descriptor.
    pub fn renumber(&self, payload: &mut [u8], numbers: Vp9Numbers) -> Result<(), WriteError> {
        let remaining = payload.len();
        let descriptor = payload.get_mut(..self.len).ok_or(WriteError {
            needed: self.len,
            remaining,
        })?;
        let mut at = 1;
        let mut put = |at: usize, byte: u8| {
            if let Some(slot) = descriptor.get_mut(at) {
                *slot = byte;
            }
        };
        if self.picture_id.is_some() {
            let long = self.is_long_picture_id;
            if let Some(picture_id) = numbers.picture_id {
                let [high, low] = picture_id.to_be_bytes();
                match long {
                    true => {
                        put(at, high | M);
                        put(at + 1, low);
                    }
                    false => put(at, low & !M),
                }
            }
            at += 1 + usize::from(long);
        }
        if self.tl0_picture_index.is_some()
            && let Some(index) = numbers.tl0_picture_index
        {
            // Behind the layer indices.
            put(at + 1, index);
        }
        Ok(())
    }
}

/// RFC 9628 §4.2.1: the size of the largest layer, where sizes are there.
///
/// ```text
///      +-+-+-+-+-+-+-+-+
/// V:   | N_S |Y|G|-|-|-|
///      +-+-+-+-+-+-+-+-+
/// Y:   | WIDTH, HEIGHT | 16 bits each, N_S + 1 times
///      +-+-+-+-+-+-+-+-+
/// G:   |      N_G      |
///      +-+-+-+-+-+-+-+-+
/// N_G: | TID |U| R |-|-| N_G times, each with R times P_DIFF of 8 bits
///      +-+-+-+-+-+-+-+-+
/// ```
fn scalability_structure(reader: &mut Reader<'_>) -> Result<Option<(u16, u16)>, ParseError> {
    let flags = reader.u8("VP9 scalability structure")?;
    let mut size = None;
    if flags & Y != 0 {
        for _ in 0..=flags >> 5 {
            let width = reader.u16("VP9 layer width")?;
            size = Some((width, reader.u16("VP9 layer height")?));
        }
    }
    if flags & G != 0 {
        for _ in 0..reader.u8("VP9 N_G")? {
            let references = reader.u8("VP9 picture group")? >> 2 & 3;
            reader.bytes(references.into(), "VP9 P_DIFF of a picture group")?;
        }
    }
    Ok(size)
}
