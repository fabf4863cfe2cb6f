use pc_proto::{ParseError, Serial32};

/// The longest frame a [`Depacketizer`](super::Depacketizer) assembles, in bytes: 8 MiB. A 4K key
/// frame of a high-quality encoder is a tenth of it.
pub const MAX_FRAME_LEN: usize = 8 << 20;

/// The payloads of one frame, back to back in one buffer that is used again for the next.
#[derive(Debug, Default, Clone)]
pub struct Payloads {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Payloads {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Takes all payloads out; the memory stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes they are in total.
    pub fn total_len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The payload with this index, in the order of sending.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..end)
    }

    /// All of them, in the order of sending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// Appends one payload that is made of `parts`, one after the other.
    pub fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.append(part);
        }
        self.end();
    }

    /// Appends to the payload that [`end`](Self::end) will close.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Closes the payload whose bytes were appended.
    pub(super) fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// What a [`Packetizer`](super::Packetizer) is told about a frame beside its bytes, which may be
/// encrypted and then tell nothing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    /// Whether it can be decoded without any frame before it (VP9: the P bit; AV1: the N bit).
    pub is_key_frame: bool,
    /// Width and height in pixels, which a VP9 key frame carries in its scalability structure.
    pub size: Option<(u16, u16)>,
    /// Its media timestamp, in units of the RTP clock. Only RED needs it, for the offset of what is
    /// sent again.
    pub timestamp: Serial32,
    /// Where it stands among the stream's layers in time, if there are any. VP8's descriptor tells.
    pub layer: Option<TemporalLayer>,
}

/// Where a frame stands in a stream with layers in time (webrtc-svc's `L1T2` and `L1T3`): who leaves
/// out the upper ones still has a stream, of fewer frames.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TemporalLayer {
    /// 0 is the base layer, which builds on itself alone; at most 3 (RFC 7741 §4.2, TID).
    pub id: u8,
    /// Whether it builds on frames of the base layer alone, so that its layer can be joined here
    /// (RFC 7741 §4.2, Y).
    pub is_sync: bool,
    /// Whether no frame builds on this one (RFC 7741 §4.2, N).
    pub is_discardable: bool,
}

/// What one payload says about its frame ([`inspect`](super::inspect)).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadInfo {
    /// Whether this is the first payload of a frame; `None` where the format does not tell, as for
    /// most of H.264.
    pub starts_frame: Option<bool>,
    /// Whether the frame is a key frame; known only from the payload that starts it.
    pub is_key_frame: Option<bool>,
    /// Width and height in pixels, where this payload has them.
    pub size: Option<(u16, u16)>,
    /// Whether no other frame depends on this one.
    pub discardable: bool,
    /// VP8's and VP9's picture id: one for each frame, modulo 2^7 or 2^15.
    pub picture_id: Option<u16>,
    /// The temporal layer, 0 the lowest.
    pub temporal_id: Option<u8>,
    /// The spatial layer, 0 the lowest.
    pub spatial_id: Option<u8>,
}

/// A frame put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameView<'a> {
    /// What a decoder takes: a VP8 or VP9 frame (or superframe), H.264 and H.265 as Annex B with start
    /// codes of four bytes, AV1 as a stream of OBUs with sizes and without temporal delimiter, an
    /// audio codec's packet.
    pub data: &'a [u8],
    /// Whether it can be decoded without any frame before it; always so for sound.
    pub is_key_frame: bool,
    /// Width and height in pixels, where the frame has them.
    pub size: Option<(u16, u16)>,
}

/// The frame that is being put together.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    pub(super) is_key_frame: bool,
    pub(super) size: Option<(u16, u16)>,
}

impl FrameBuffer {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.is_key_frame = false;
        self.size = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was appended from offset `start` on.
    pub(super) fn from(&self, start: usize) -> &[u8] {
        self.bytes.get(start..).unwrap_or_default()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        if bytes.len() > MAX_FRAME_LEN.saturating_sub(self.bytes.len()) {
            return Err(ParseError {
                what: "frame longer than 8 MiB",
                at: 0,
            });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn view(&self) -> FrameView<'_> {
        FrameView {
            data: &self.bytes,
            is_key_frame: self.is_key_frame,
            size: self.size,
        }
    }
}
