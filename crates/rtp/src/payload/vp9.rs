//! VP9, [RFC 9628 §4](https://www.rfc-editor.org/rfc/rfc9628#section-4).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |I|P|L|F|B|E|V|Z| P: inter-picture predicted, F: flexible mode, B, E: start, end of a layer frame
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PICTURE ID  | M: 15 bits, else 7
//!     +-+-+-+-+-+-+-+-+
//! M:  | EXTENDED PID  |
//!     +-+-+-+-+-+-+-+-+
//! L:  | TID |U| SID |D| D: depends on the spatial layer below
//!     +-+-+-+-+-+-+-+-+
//!     |   TL0PICIDX   | non-flexible mode
//!     +-+-+-+-+-+-+-+-+
//! P,F:| P_DIFF      |N| flexible mode, up to 3 times
//!     +-+-+-+-+-+-+-+-+
//! V:  | SS …          | scalability structure
//!     +-+-+-+-+-+-+-+-+
//! ```

mod descriptor;

pub use descriptor::{Vp9Descriptor, Vp9Layer, Vp9Numbers};

use super::bits::Bits;
use super::buffer::{FrameBuffer, FrameInfo, PayloadInfo};
use super::packetize::piece_len;
use super::{PacketizeError, Payloads};
use descriptor::{B, E, I, M, P, V, Y};
use pc_proto::{ParseError, Reader};

/// The descriptor that is sent: flags and a picture id of 15 bits.
const DESCRIPTOR_LEN: usize = 3;
/// The scalability structure that is sent: one layer, its width and its height.
const STRUCTURE_LEN: usize = 5;

/// The uncompressed header, VP9 bitstream §6.2: whether this is a key frame, and its size. `None` when
/// it cannot be read, as when it is encrypted.
fn frame_header(frame: &[u8]) -> Option<(bool, Option<(u16, u16)>)> {
    let mut bits = Bits::new(frame);
    if bits.number(2)? != 2 {
        return None; // frame_marker
    }
    let profile = bits.number(1)? | bits.number(1)? << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let shows_existing_frame = bits.flag()?;
    if shows_existing_frame || bits.flag()? {
        return Some((false, None));
    }
    Some((true, key_frame_size(&mut bits, profile)))
}

/// The rest of a key frame's header, from show_frame on.
fn key_frame_size(bits: &mut Bits<'_>, profile: u32) -> Option<(u16, u16)> {
    const SYNC_CODE: u32 = 0x49_83_42;
    const CS_RGB: u32 = 7;
    bits.skip(2)?; // show_frame, error_resilient_mode
    if bits.number(24)? != SYNC_CODE {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?; // ten_or_twelve_bit
    }
    let has_subsampling = profile & 1 == 1;
    match bits.number(3)? {
        CS_RGB if has_subsampling => bits.skip(1)?, // reserved_zero
        CS_RGB => {}
        _ if has_subsampling => bits.skip(1 + 3)?, // color_range, subsampling, reserved_zero
        _ => bits.skip(1)?,
    }
    let mut side = || bits.number(16)?.checked_add(1)?.try_into().ok();
    Some((side()?, side()?))
}

/// Whether a picture that starts so is a key frame, and its size.
fn key_frame(descriptor: &Vp9Descriptor, frame: &[u8]) -> (bool, Option<(u16, u16)>) {
    // An intra-only frame is not predicted either; the frame's own header tells it apart.
    let (is_key_frame, size) = frame_header(frame).unwrap_or((true, None));
    let size = descriptor.size.or(size);
    (is_key_frame && !descriptor.is_inter_predicted, size)
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    let mut reader = Reader::new(payload);
    let descriptor = Vp9Descriptor::read(&mut reader)?;
    let starts_frame = descriptor.starts_picture();
    let (is_key_frame, size) = match starts_frame {
        Some(true) => key_frame(&descriptor, reader.rest()),
        _ => (false, descriptor.size),
    };
    Ok(PayloadInfo {
        starts_frame,
        is_key_frame: (starts_frame == Some(true)).then_some(is_key_frame),
        size,
        discardable: false,
        picture_id: descriptor.picture_id,
        temporal_id: descriptor.layer.map(|layer| layer.temporal_id),
        spatial_id: descriptor.layer.map(|layer| layer.spatial_id),
    })
}

#[derive(Debug)]
pub(super) struct Packetizer {
    picture_id: u16,
}

impl Packetizer {
    pub(super) const fn new(seed: u16) -> Self {
        Self { picture_id: seed }
    }

    pub(super) fn packetize(
        &mut self,
        frame: &[u8],
        info: &FrameInfo,
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        const NEEDED: usize = DESCRIPTOR_LEN + STRUCTURE_LEN + 1;
        let room = max_payload
            .checked_sub(DESCRIPTOR_LEN)
            .filter(|_| max_payload >= NEEDED)
            .ok_or(PacketizeError::MaxPayloadTooSmall { needed: NEEDED })?;
        let structure = match info.is_key_frame {
            true => info.size.or_else(|| frame_header(frame)?.1),
            false => None,
        };
        let mut bytes = [0; STRUCTURE_LEN];
        let structure = match structure {
            Some(size) => write_structure(size, &mut bytes),
            None => &[],
        };
        self.cut(frame, info.is_key_frame, structure, room, out);
        self.picture_id = self.picture_id.wrapping_add(1);
        Ok(())
    }

    fn cut(&self, frame: &[u8], is_key: bool, structure: &[u8], room: usize, out: &mut Payloads) {
        let [high, low] = self.picture_id.to_be_bytes();
        let predicted = if is_key { 0 } else { P };
        let piece = piece_len(frame.len() + structure.len(), room).max(structure.len() + 1);
        let first = frame.len().min(piece - structure.len());
        let (first, rest) = frame.split_at_checked(first).unwrap_or((frame, &[]));
        let end = if rest.is_empty() { E } else { 0 };
        let v = if structure.is_empty() { 0 } else { V };
        let flags = I | predicted | B | end | v;
        out.push(&[&[flags, M | high, low], structure, first]);
        let mut left = rest.len();
        for piece in rest.chunks(piece) {
            left -= piece.len();
            let end = if left == 0 { E } else { 0 };
            out.push(&[&[I | predicted | end, M | high, low], piece]);
        }
    }
}

/// One spatial layer with its size and without a picture group: N_S is 0.
fn write_structure((width, height): (u16, u16), bytes: &mut [u8; STRUCTURE_LEN]) -> &[u8] {
    let ([w0, w1], [h0, h1]) = (width.to_be_bytes(), height.to_be_bytes());
    *bytes = [Y, w0, w1, h0, h1];
    bytes
}

/// What has been seen of the picture.
#[derive(Debug, Default)]
pub(super) struct Depacketizer {
    picture_id: Option<u16>,
    /// Whether the last payload's layer frame goes on.
    is_open: bool,
}

impl Depacketizer {
    pub(super) fn push(
        &mut self,
        payload: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<(), ParseError> {
        let mut reader = Reader::new(payload);
        let descriptor = Vp9Descriptor::read(&mut reader)?;
        let is_first = frame.is_empty();
        let wrong = match descriptor.starts_layer_frame {
            _ if is_first && descriptor.starts_picture() == Some(false) => {
                Some("VP9 frame without its start")
            }
            false if !self.is_open => Some("VP9 payload after a layer frame's end"),
            true if self.is_open => Some("VP9 layer frame without its end"),
            _ if !is_first && descriptor.picture_id != self.picture_id => {
                Some("VP9 picture id of another frame")
            }
            _ => None,
        };
        if let Some(what) = wrong {
            return Err(ParseError { what, at: 0 });
        }
        if is_first {
            self.picture_id = descriptor.picture_id;
            (frame.is_key_frame, frame.size) = key_frame(&descriptor, reader.rest());
        }
        self.is_open = !descriptor.ends_layer_frame;
        frame.append(reader.rest())
    }

    pub(super) const fn finish(&self) -> Result<(), ParseError> {
        match self.is_open {
            false => Ok(()),
            true => Err(ParseError {
                what: "VP9 frame without its end",
                at: 0,
            }),
        }
    }
}
