//! VP8, [RFC 7741 §4](https://www.rfc-editor.org/rfc/rfc7741#section-4).
//!
//! ```text
//!       0 1 2 3 4 5 6 7
//!      +-+-+-+-+-+-+-+-+
//!      |X|R|N|S|R| PID | N: no other frame depends on this one; S: start of partition PID
//!      +-+-+-+-+-+-+-+-+
//! X:   |I|L|T|K| RSV   |
//!      +-+-+-+-+-+-+-+-+
//! I:   |M| PictureID   | M: 15 bits, else 7
//!      +-+-+-+-+-+-+-+-+
//! M:   |   PictureID   |
//!      +-+-+-+-+-+-+-+-+
//! L:   |   TL0PICIDX   |
//!      +-+-+-+-+-+-+-+-+
//! T/K: |TID|Y| KEYIDX  |
//!      +-+-+-+-+-+-+-+-+
//! ```

mod descriptor;

pub use descriptor::{Vp8Descriptor, Vp8Numbers};

use super::buffer::{FrameBuffer, PayloadInfo};
use super::packetize::piece_len;
use super::{PacketizeError, Payloads, TemporalLayer};
use descriptor::{I, L, M, N, S, T, X, Y};
use pc_proto::{ParseError, Reader};

/// The descriptor that is sent: with a picture id of 15 bits, which libwebrtc orders frames by.
const DESCRIPTOR_LEN: usize = 4;

/// The same with TL0PICIDX and TID.
const LAYERED_DESCRIPTOR_LEN: usize = DESCRIPTOR_LEN + 2;

/// The frame header, RFC 6386 §9.1: whether this is a key frame, and its size.
fn frame_header(frame: &[u8]) -> (bool, Option<(u16, u16)>) {
    let is_key_frame = frame.first().is_some_and(|tag| tag & 1 == 0);
    let size = match frame {
        [_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] if is_key_frame => {
            let pixels = |low, high| u16::from_le_bytes([low, high]) & 0x3FFF;
            Some((pixels(*w0, *w1), pixels(*h0, *h1)))
        }
        _ => None,
    };
    (is_key_frame, size)
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    let mut reader = Reader::new(payload);
    let descriptor = Vp8Descriptor::read(&mut reader)?;
    let starts_frame = descriptor.starts_frame;
    let (is_key_frame, size) = frame_header(reader.rest());
    Ok(PayloadInfo {
        starts_frame: Some(starts_frame),
        is_key_frame: starts_frame.then_some(is_key_frame),
        size: size.filter(|_| starts_frame),
        discardable: descriptor.discardable,
        picture_id: descriptor.picture_id,
        temporal_id: descriptor.temporal_id,
        spatial_id: None,
    })
}

#[derive(Debug)]
pub(super) struct Packetizer {
    picture_id: u16,
    /// TL0PICIDX of the last frame of the base layer.
    tl0_picture_index: u8,
}

impl Packetizer {
    pub(super) const fn new(seed: u16) -> Self {
        Self {
            picture_id: seed,
            tl0_picture_index: (seed >> 8) as u8,
        }
    }

    pub(super) fn packetize(
        &mut self,
        frame: &[u8],
        layer: Option<TemporalLayer>,
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        let len = layer.map_or(DESCRIPTOR_LEN, |_| LAYERED_DESCRIPTOR_LEN);
        let room = max_payload.saturating_sub(len);
        if room == 0 {
            return Err(PacketizeError::MaxPayloadTooSmall { needed: len + 1 });
        }
        let (descriptor, len) = self.descriptor(layer);
        let [first, rest @ ..] = descriptor.get(..len).unwrap_or_default() else {
            return Ok(());
        };
        let mut start = S;
        for piece in frame.chunks(piece_len(frame.len(), room)) {
            out.push(&[&[first | start], rest, piece]);
            start = 0;
        }
        self.picture_id = self.picture_id.wrapping_add(1);
        Ok(())
    }

    /// The next frame's descriptor, without S, and how long it is.
    fn descriptor(&mut self, layer: Option<TemporalLayer>) -> ([u8; 6], usize) {
        let [high, low] = self.picture_id.to_be_bytes();
        let Some(layer) = layer else {
            return ([X, I, M | high, low, 0, 0], DESCRIPTOR_LEN);
        };
        if layer.id == 0 {
            self.tl0_picture_index = self.tl0_picture_index.wrapping_add(1);
        }
        let not_referred_to = if layer.is_discardable { N } else { 0 };
        let sync = if layer.is_sync { Y } else { 0 };
        let descriptor = [
            X | not_referred_to,
            I | L | T,
            M | high,
            low,
            self.tl0_picture_index,
            layer.id.min(3) << 6 | sync,
        ];
        (descriptor, LAYERED_DESCRIPTOR_LEN)
    }
}

/// What has been seen of the frame.
#[derive(Debug, Default)]
pub(super) struct Depacketizer {
    picture_id: Option<u16>,
}

impl Depacketizer {
    pub(super) fn push(
        &mut self,
        payload: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<(), ParseError> {
        let mut reader = Reader::new(payload);
        let descriptor = Vp8Descriptor::read(&mut reader)?;
        let wrong = match frame.is_empty() {
            true if !descriptor.starts_frame => Some("VP8 frame without its start"),
            false if descriptor.starts_frame => Some("start within a VP8 frame"),
            false if descriptor.picture_id != self.picture_id => {
                Some("VP8 picture id of another frame")
            }
            _ => None,
        };
        if let Some(what) = wrong {
            return Err(ParseError { what, at: 0 });
        }
        if frame.is_empty() {
            self.picture_id = descriptor.picture_id;
            (frame.is_key_frame, frame.size) = frame_header(reader.rest());
        }
        frame.append(reader.rest())
    }
}
