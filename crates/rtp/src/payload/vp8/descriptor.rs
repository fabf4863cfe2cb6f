//! VP8's payload descriptor, read and given other numbers in place.

use pc_proto::{ParseError, Reader, WriteError};

pub(super) const X: u8 = 0x80;
pub(super) const N: u8 = 0x20;
pub(super) const S: u8 = 0x10;
const PID: u8 = 0x07;
pub(super) const I: u8 = 0x80;
pub(super) const L: u8 = 0x40;
pub(super) const T: u8 = 0x20;
const K: u8 = 0x10;
/// The picture id has 15 bits.
pub(super) const M: u8 = 0x80;
/// No frame but those of the base layer is referred to.
pub(super) const Y: u8 = 0x20;
const KEYIDX: u8 = 0x1F;

/// What stands before each payload of VP8, [RFC 7741 §4.2](https://www.rfc-editor.org/rfc/rfc7741#section-4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vp8Descriptor {
    /// Whether the payload is the first of a frame: the S bit, in partition 0 (§4.4).
    pub starts_frame: bool,
    /// Whether no other frame refers to this one: the N bit.
    pub discardable: bool,
    /// One more than that of the frame before, modulo 2^7 or 2^15.
    pub picture_id: Option<u16>,
    /// Whether the picture id has 15 bits, not 7.
    pub is_long_picture_id: bool,
    /// TL0PICIDX: one more with each frame of the base layer.
    pub tl0_picture_index: Option<u8>,
    /// TID: the temporal layer, 0 the lowest.
    pub temporal_id: Option<u8>,
    /// The Y bit: the frame refers to none but the base layer's.
    pub is_layer_sync: bool,
    /// KEYIDX: which key frame the frame goes back to, counted modulo 2^5.
    pub key_index: Option<u8>,
    /// How many bytes the descriptor has.
    pub len: usize,
}

/// The numbers that a forwarder gives a frame: those that are there are put where the descriptor has
/// such a number, in as many bits as it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vp8Numbers {
    /// See [`Vp8Descriptor::picture_id`].
    pub picture_id: Option<u16>,
    /// See [`Vp8Descriptor::tl0_picture_index`].
    pub tl0_picture_index: Option<u8>,
    /// See [`Vp8Descriptor::key_index`].
    pub key_index: Option<u8>,
}

impl Vp8Descriptor {
    /// Reads the descriptor of a payload, which is never all there is.
    ///
    /// # Errors
    ///
    /// The payload ends in its descriptor.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        Self::read(&mut Reader::new(payload))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let begin = reader.at();
        let flags = reader.u8("VP8 payload descriptor")?;
        let mut descriptor = Self {
            // RFC 7741 §4.4: the first packet of a frame has the S bit and partition 0.
            starts_frame: flags & S != 0 && flags & PID == 0,
            discardable: flags & N != 0,
            picture_id: None,
            is_long_picture_id: false,
            tl0_picture_index: None,
            temporal_id: None,
            is_layer_sync: false,
            key_index: None,
            len: 0,
        };
        if flags & X != 0 {
            descriptor.extend(reader)?;
        }
        descriptor.len = reader.at() - begin;
        match reader.is_empty() {
            true => Err(reader.error("VP8 payload")),
            false => Ok(descriptor),
        }
    }

    fn extend(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let present = reader.u8("VP8 extension")?;
        if present & I != 0 {
            let first = reader.u8("VP8 picture id")?;
            self.is_long_picture_id = first & M != 0;
            self.picture_id = Some(match self.is_long_picture_id {
                false => u16::from(first),
                true => u16::from_be_bytes([first & !M, reader.u8("VP8 picture id")?]),
            });
        }
        if present & L != 0 {
            self.tl0_picture_index = Some(reader.u8("VP8 TL0PICIDX")?);
        }
        if present & (T | K) != 0 {
            let byte = reader.u8("VP8 TID")?;
            let has_layer = present & T != 0;
            self.temporal_id = has_layer.then_some(byte >> 6);
            self.is_layer_sync = has_layer && byte & Y != 0;
            self.key_index = (present & K != 0).then_some(byte & KEYIDX);
        }
        Ok(())
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
    pub fn renumber(&self, payload: &mut [u8], numbers: Vp8Numbers) -> Result<(), WriteError> {
        let remaining = payload.len();
        let descriptor = payload.get_mut(..self.len).ok_or(WriteError {
            needed: self.len,
            remaining,
        })?;
        let mut put = |at: usize, keep: u8, bits: u8| {
            if let Some(slot) = descriptor.get_mut(at) {
                *slot = *slot & keep | bits;
            }
        };
        // The flags, which say what there is, are the first two bytes.
        let mut at = 2;
        if self.picture_id.is_some() {
            let [high, low] = numbers.picture_id.unwrap_or_default().to_be_bytes();
            match numbers.picture_id {
                Some(_) if self.is_long_picture_id => {
                    put(at, 0, high | M);
                    put(at + 1, 0, low);
                }
                Some(_) => put(at, 0, low & !M),
                None => {}
            }
            at += 1 + usize::from(self.is_long_picture_id);
        }
        if self.tl0_picture_index.is_some() {
            if let Some(index) = numbers.tl0_picture_index {
                put(at, 0, index);
            }
            at += 1;
        }
        if let (Some(_), Some(index)) = (self.key_index, numbers.key_index) {
            put(at, !KEYIDX, index & KEYIDX);
        }
        Ok(())
    }
}
