//! AV1, [RTP Payload Format For AV1 §4](https://aomediacodec.github.io/av1-rtp-spec/#4-payload-format).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |Z|Y| W |N|-|-|-|  Z: the first element continues one; Y: the last element goes on in the next
//! +-+-+-+-+-+-+-+-+  payload; W: how many elements there are, or 0; N: a coded video sequence starts
//! | size (leb128) |
//! +-+-+-+-+-+-+-+-+
//! | OBU element   |
//! +-+-+-+-+-+-+-+-+
//! | …             |  of W elements the last has no size
//! ```
//!
//! An element is an OBU, or a piece of one, without the size that it has in a file.

mod obu;
mod sequence;

use super::buffer::{FrameBuffer, FrameInfo, MAX_FRAME_LEN, PayloadInfo};
use super::{PacketizeError, Payloads};
use obu::{Obu, leb128, leb128_len, write_leb128};
use pc_proto::{ParseError, Reader};
use std::ops::Range;

const Z: u8 = 0x80;
const Y: u8 = 0x40;
const W_SHIFT: u32 = 4;
const N: u8 = 0x08;
/// The most that W can tell; with more elements it is 0, and the last has a size too.
const MAX_W: usize = 3;
const AGGREGATION_HEADER_LEN: usize = 1;
/// No OBU is begun at a payload's end for less than this, but where it stands alone.
const MIN_PIECE: usize = 16;

/// The aggregation header of a payload.
#[derive(Debug, Clone, Copy)]
struct Aggregation(u8);

impl Aggregation {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let header = Self(reader.u8("AV1 aggregation header")?);
        if reader.is_empty() {
            return Err(reader.error("AV1 OBU element"));
        }
        if header.has(N) && header.has(Z) {
            return Err(ParseError {
                what: "AV1 sequence that starts with a continuation",
                at: 0,
            });
        }
        Ok(header)
    }

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// The element with this index, and whether it is the payload's last.
    fn element<'a>(
        self,
        reader: &mut Reader<'a>,
        index: usize,
    ) -> Result<(&'a [u8], bool), ParseError> {
        let w = usize::from(self.0 >> W_SHIFT & 3);
        if w == index + 1 {
            let rest = reader.bytes(reader.remaining(), "AV1 OBU element")?;
            return Ok((rest, true));
        }
        let len = leb128(reader, "AV1 OBU element's size")?;
        let element = reader.bytes(len, "AV1 OBU element")?;
        Ok((element, w == 0 && reader.is_empty()))
    }
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    let mut reader = Reader::new(payload);
    let header = Aggregation::parse(&mut reader)?;
    let mut info = PayloadInfo::default();
    let mut seen = Seen::default();
    for index in 0.. {
        let (element, is_last) = header.element(&mut reader, index)?;
        let is_start = index > 0 || !header.has(Z);
        if is_start && let Ok(obu) = Obu::parse_start(element) {
            if index == 0 {
                (info.temporal_id, info.spatial_id) = obu.layer().unzip();
            }
            seen.obu(&obu);
        }
        if is_last {
            break;
        }
    }
    info.size = seen.size;
    if header.has(Z) {
        info.starts_frame = Some(false);
    } else if header.has(N) {
        (info.starts_frame, info.is_key_frame) = (Some(true), Some(true));
    } else {
        info.is_key_frame = seen.is_key_frame();
    }
    Ok(info)
}

/// What the OBUs so far say about their frame.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    has_sequence_header: bool,
    is_still_picture: bool,
    size: Option<(u16, u16)>,
    /// Whether the first frame is a key frame.
    first_is_key: Option<bool>,
}

impl Seen {
    fn obu(&mut self, obu: &Obu<'_>) {
        match obu.kind() {
            obu::SEQUENCE_HEADER => {
                self.has_sequence_header = true;
                self.is_still_picture = sequence::is_reduced_still_picture(obu.payload);
                self.size = sequence::size(obu.payload).or(self.size);
            }
            obu::FRAME_HEADER | obu::FRAME if self.first_is_key.is_none() => {
                // AV1 §5.9.2: show_existing_frame and frame_type, of which 0 is KEY_FRAME.
                let start = obu.payload.first();
                self.first_is_key = start.map(|first| first & 0xE0 == 0 || self.is_still_picture);
            }
            _ => {}
        }
    }

    /// Decoding can start at a key frame with its sequence header.
    fn is_key_frame(&self) -> Option<bool> {
        match (self.has_sequence_header, self.first_is_key) {
            (true, None) => Some(true),
            (true, is_key) => is_key,
            (false, Some(_)) => Some(false),
            (false, None) => None,
        }
    }
}

/// An OBU that is to be sent: its header without a size, and where its payload is in the frame.
#[derive(Debug)]
struct Element {
    header: [u8; 2],
    header_len: usize,
    payload: Range<usize>,
}

impl Element {
    fn len(&self) -> usize {
        self.header_len + self.payload.len()
    }

    /// Appends the bytes `range` of the element.
    fn append(&self, frame: &[u8], range: Range<usize>, out: &mut Payloads) {
        let in_header = range.start.min(self.header_len)..range.end.min(self.header_len);
        out.append(self.header.get(in_header).unwrap_or_default());
        let at = |offset: usize| self.payload.start + offset.saturating_sub(self.header_len);
        let in_payload = at(range.start)..at(range.end);
        out.append(frame.get(in_payload).unwrap_or_default());
    }
}

#[derive(Debug, Default)]
pub(super) struct Packetizer {
    elements: Vec<Element>,
}

impl Packetizer {
    pub(super) fn packetize(
        &mut self,
        frame: &[u8],
        info: &FrameInfo,
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        self.find(frame)?;
        let room = max_payload.saturating_sub(AGGREGATION_HEADER_LEN);
        if room == 0 {
            let needed = AGGREGATION_HEADER_LEN + 1;
            return Err(PacketizeError::MaxPayloadTooSmall { needed });
        }
        let mut unsent = Unsent {
            elements: &self.elements,
            offset: 0,
        };
        if unsent.elements.is_empty() {
            return Err(PacketizeError::Empty);
        }
        let mut n = if info.is_key_frame { N } else { 0 };
        while !unsent.elements.is_empty() {
            unsent.write_payload(n, room, frame, out);
            n = 0;
        }
        Ok(())
    }

    /// Finds the OBUs of a temporal unit, without those that do not travel.
    fn find(&mut self, frame: &[u8]) -> Result<(), ParseError> {
        self.elements.clear();
        let mut reader = Reader::new(frame);
        while !reader.is_empty() {
            let obu = Obu::parse(&mut reader)?;
            let end = reader.at();
            if obu.travels() {
                self.elements.push(Element {
                    header: obu.header,
                    header_len: obu.header_len,
                    payload: end - obu.payload.len()..end,
                });
            }
        }
        Ok(())
    }
}

/// What is to be sent yet: elements, of the first of which `offset` bytes are gone.
struct Unsent<'a> {
    elements: &'a [Element],
    offset: usize,
}

impl Unsent<'_> {
    /// Writes one payload, of at most `room` bytes behind its aggregation header.
    fn write_payload(&mut self, n: u8, room: usize, frame: &[u8], out: &mut Payloads) {
        let (whole, piece) = self.fitting(room);
        let count = whole + usize::from(piece > 0);
        let w = if count <= MAX_W { count as u8 } else { 0 };
        let z = if self.offset > 0 { Z } else { 0 };
        let y = if piece > 0 { Y } else { 0 };
        out.append(&[z | y | w << W_SHIFT | n]);
        for index in 1..=count {
            let Some((element, rest)) = self.elements.split_first() else {
                break;
            };
            let is_piece = index > whole;
            let end = match is_piece {
                true => self.offset + piece,
                false => element.len(),
            };
            if index != usize::from(w) {
                let (size, len) = write_leb128(end - self.offset);
                out.append(size.get(..len).unwrap_or_default());
            }
            element.append(frame, self.offset..end, out);
            match is_piece {
                true => self.offset = end,
                false => (self.elements, self.offset) = (rest, 0),
            }
        }
        out.end();
    }

    /// How many elements fit in `room`, and how much of the one after them, which may be nothing.
    fn fitting(&self, room: usize) -> (usize, usize) {
        let (mut count, mut used) = (0, 0);
        let mut offset = self.offset;
        for element in self.elements {
            let len = element.len() - offset;
            // The last of up to three elements has no size.
            let size_len = if count < MAX_W { 0 } else { leb128_len(len) };
            if used + size_len + len > room {
                let piece = room.saturating_sub(used + size_len);
                let is_worth_it = piece >= MIN_PIECE || count == 0;
                return (count, if is_worth_it { piece } else { 0 });
            }
            // The next one makes this one's size necessary.
            used += leb128_len(len) + len;
            (count, offset) = (count + 1, 0);
        }
        (count, 0)
    }
}

/// What has been seen of the frame.
#[derive(Debug, Default)]
pub(super) struct Depacketizer {
    /// The OBU whose pieces are coming.
    partial: Vec<u8>,
    is_open: bool,
    seen: Seen,
}

impl Depacketizer {
    pub(super) fn begin(&mut self) {
        self.partial.clear();
        self.is_open = false;
        self.seen = Seen::default();
    }

    pub(super) fn push(
        &mut self,
        payload: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<(), ParseError> {
        let mut reader = Reader::new(payload);
        let header = Aggregation::parse(&mut reader)?;
        let wrong = match (header.has(Z), self.is_open) {
            (true, false) => Some("AV1 continuation without its start"),
            (false, true) => Some("AV1 OBU without its end"),
            _ => None,
        };
        if let Some(what) = wrong {
            return Err(ParseError { what, at: 0 });
        }
        for index in 0.. {
            let at = reader.at();
            let (element, is_last) = header.element(&mut reader, index)?;
            let goes_on = is_last && header.has(Y);
            let result = match self.is_open || goes_on {
                true => self.piece(element, goes_on, frame),
                false => self.whole(element, frame),
            };
            result.map_err(|error| ParseError {
                at: at + error.at,
                ..error
            })?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn piece(
        &mut self,
        element: &[u8],
        goes_on: bool,
        frame: &mut FrameBuffer,
    ) -> Result<(), ParseError> {
        if self.partial.len() + element.len() > MAX_FRAME_LEN.saturating_sub(frame.len()) {
            return Err(ParseError {
                what: "OBU longer than 8 MiB",
                at: 0,
            });
        }
        self.partial.extend_from_slice(element);
        self.is_open = goes_on;
        if goes_on {
            return Ok(());
        }
        let partial = std::mem::take(&mut self.partial);
        let result = self.whole(&partial, frame);
        self.partial = partial;
        self.partial.clear();
        // What is wrong may be in an earlier payload: it is told of this one's start.
        result.map_err(|error| ParseError { at: 0, ..error })
    }

    fn whole(&mut self, element: &[u8], frame: &mut FrameBuffer) -> Result<(), ParseError> {
        let obu = Obu::parse_element(element)?;
        if !obu.travels() {
            return Ok(());
        }
        self.seen.obu(&obu);
        frame.is_key_frame = self.seen.is_key_frame() == Some(true);
        frame.size = self.seen.size;
        let (size, size_len) = write_leb128(obu.payload.len());
        let header = obu.sized_header();
        frame.append(header.get(..obu.header_len).unwrap_or_default())?;
        frame.append(size.get(..size_len).unwrap_or_default())?;
        frame.append(obu.payload)
    }

    pub(super) const fn finish(&self) -> Result<(), ParseError> {
        match self.is_open {
            false => Ok(()),
            true => Err(ParseError {
                what: "AV1 OBU without its end",
                at: 0,
            }),
        }
    }
}
