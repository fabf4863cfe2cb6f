//! H.265, [RFC 7798 §4.4](https://www.rfc-editor.org/rfc/rfc7798#section-4.4), without decoding order
//! numbers (`sprop-max-don-diff` is 0).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |F|   Type    |  LayerId  | TID |  0 to 47: a NAL unit as it is (§4.4.1)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!
//! |F|    48     |  LayerId  | TID | length (16) | NAL unit | length (16) | NAL unit …   AP (§4.4.2)
//!
//! |F|    49     |  LayerId  | TID |S|E|  FuType   | a piece of a NAL unit without its header   FU (§4.4.3)
//! ```
//!
//! PACI (50) is refused.

mod sps;

use super::buffer::{FrameBuffer, PayloadInfo};
use super::packetize::piece_len;
use super::{PacketizeError, Payloads, nal};
use pc_proto::{ParseError, Reader};
use std::ops::Range;

/// The type's place in a header's first byte.
const TYPE: u8 = 0x7E;
const F: u8 = 0x80;
/// In both bytes: the layer and the temporal id plus one.
const LAYER_ID: u16 = 0x01F8;
const TID: u16 = 0x0007;
/// H.265 table 7-1: the pictures where decoding can start (BLA, IDR, CRA).
const IRAP: std::ops::RangeInclusive<u8> = 16..=21;
/// The last type of a slice.
const LAST_SLICE: u8 = 31;
const SPS: u8 = 33;
const VPS: u8 = 32;
const ACCESS_UNIT_DELIMITER: u8 = 35;
/// The last type that a stream has of its own.
const LAST: u8 = 47;
const AP: u8 = 48;
const FU: u8 = 49;
/// Start and end of the unit, in a fragment's third byte.
const S: u8 = 0x80;
const E: u8 = 0x40;
const FU_TYPE: u8 = 0x3F;

const HEADER_LEN: usize = 2;
const FU_HEADER_LEN: usize = 3;

type Header = [u8; HEADER_LEN];

const fn kind(header: Header) -> u8 {
    (header[0] & TYPE) >> 1
}

const fn with_kind(header: Header, kind: u8) -> Header {
    [header[0] & !TYPE | kind << 1, header[1]]
}

/// A payload, taken apart.
enum Payload<'a> {
    Single(&'a [u8]),
    Aggregation(Reader<'a>),
    Fragment {
        /// The header of the unit that it is a piece of.
        header: Header,
        starts: bool,
        ends: bool,
        data: &'a [u8],
    },
}

impl<'a> Payload<'a> {
    fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let header = reader.array("H.265 payload header")?;
        let refused = |what| Err(ParseError { what, at: 0 });
        match kind(header) {
            0..=LAST => Ok(Self::Single(payload)),
            AP if reader.is_empty() => Err(reader.error("aggregation packet without a unit")),
            AP => Ok(Self::Aggregation(reader)),
            FU => {
                let third = reader.u8("FU header")?;
                match reader.is_empty() {
                    true => Err(reader.error("FU without data")),
                    false => Ok(Self::Fragment {
                        header: with_kind(header, third & FU_TYPE),
                        starts: third & S != 0,
                        ends: third & E != 0,
                        data: reader.rest(),
                    }),
                }
            }
            50 => refused("PACI packet"),
            _ => refused("reserved H.265 NAL unit type"),
        }
    }
}

fn header(unit: &[u8]) -> Option<Header> {
    unit.first_chunk().copied()
}

/// A unit of an aggregation packet: one that could stand alone.
fn aggregated<'a>(units: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let unit = nal::aggregated(units, HEADER_LEN)?;
    match header(unit).map(kind) {
        Some(0..=LAST) => Ok(unit),
        _ => Err(units.error("aggregated NAL unit's type")),
    }
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    let mut info = PayloadInfo::default();
    match Payload::parse(payload)? {
        Payload::Single(unit) => look(unit, &mut info),
        Payload::Aggregation(mut units) => {
            while !units.is_empty() {
                look(aggregated(&mut units)?, &mut info);
            }
        }
        Payload::Fragment { header, starts, .. } => {
            look(&header, &mut info);
            if !starts {
                (info.starts_frame, info.is_key_frame) = (Some(false), None);
            }
        }
    }
    Ok(info)
}

/// What a unit says about its frame. A delimiter comes first (H.265 §7.4.2.4.4). A slice tells a key
/// frame; before there is one, a parameter set announces it.
fn look(unit: &[u8], info: &mut PayloadInfo) {
    let Some(header) = header(unit) else { return };
    info.temporal_id = (header[1] & TID as u8).checked_sub(1);
    match kind(header) {
        ACCESS_UNIT_DELIMITER => info.starts_frame = Some(true),
        VPS => info.is_key_frame = info.is_key_frame.or(Some(true)),
        SPS => {
            info.is_key_frame = info.is_key_frame.or(Some(true));
            info.size = sps::size(unit);
        }
        kind @ 0..=LAST_SLICE => info.is_key_frame = Some(IRAP.contains(&kind)),
        _ => {}
    }
}

#[derive(Debug, Default)]
pub(super) struct Packetizer {
    units: Vec<Range<usize>>,
}

impl Packetizer {
    pub(super) fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        nal::find(frame, &mut self.units)?;
        let mut rest = self.units.as_slice();
        if rest.is_empty() {
            return Err(PacketizeError::Empty);
        }
        while !rest.is_empty() {
            let count = nal::fitting(rest, HEADER_LEN, max_payload);
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            match now {
                [unit] => match checked(frame, unit)? {
                    (_, unit) if unit.len() <= max_payload => out.push(&[unit]),
                    (header, unit) => fragment(header, unit, max_payload, out)?,
                },
                _ => aggregate(frame, now, out)?,
            }
            rest = later;
        }
        Ok(())
    }
}

/// The unit at `range` and its header, whose type must not be one of those that RTP uses itself.
fn checked<'a>(frame: &'a [u8], range: &Range<usize>) -> Result<(Header, &'a [u8]), ParseError> {
    let unit = frame.get(range.clone()).unwrap_or_default();
    match header(unit) {
        Some(header) if kind(header) <= LAST => Ok((header, unit)),
        _ => Err(ParseError {
            what: "H.265 NAL unit that RTP cannot carry",
            at: range.start,
        }),
    }
}

/// RFC 7798 §4.4.2: F if any unit has it, and the lowest layer and temporal id of all.
fn aggregate(
    frame: &[u8],
    units: &[Range<usize>],
    out: &mut Payloads,
) -> Result<(), PacketizeError> {
    let (mut f, mut layer, mut tid) = (0, LAYER_ID, TID);
    for range in units {
        let (header, _) = checked(frame, range)?;
        f |= header[0] & F;
        let fields = u16::from_be_bytes(header);
        layer = layer.min(fields & LAYER_ID);
        tid = tid.min(fields & TID);
    }
    let [first, second] = (layer | tid).to_be_bytes();
    out.append(&with_kind([first | f, second], AP));
    for range in units {
        let (_, unit) = checked(frame, range)?;
        out.append(&(unit.len() as u16).to_be_bytes());
        out.append(unit);
    }
    out.end();
    Ok(())
}

fn fragment(
    header: Header,
    unit: &[u8],
    max_payload: usize,
    out: &mut Payloads,
) -> Result<(), PacketizeError> {
    let room = max_payload.saturating_sub(FU_HEADER_LEN);
    let data = unit.get(HEADER_LEN..).unwrap_or_default();
    if room == 0 || data.is_empty() {
        let needed = FU_HEADER_LEN + 1;
        return Err(PacketizeError::MaxPayloadTooSmall { needed });
    }
    let mut position = S;
    let mut left = data.len();
    for piece in data.chunks(piece_len(data.len(), room)) {
        left -= piece.len();
        if left == 0 {
            position |= E;
        }
        let [first, second] = with_kind(header, FU);
        out.push(&[&[first, second, position | kind(header)], piece]);
        position = 0;
    }
    Ok(())
}

/// What has been seen of the frame.
#[derive(Debug, Default)]
pub(super) struct Depacketizer {
    /// Of the unit whose fragments are coming: its header, and where it starts in the frame.
    open: Option<(Header, usize)>,
}

impl Depacketizer {
    pub(super) fn push(
        &mut self,
        payload: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<(), ParseError> {
        match Payload::parse(payload)? {
            Payload::Single(unit) => self.whole(unit, frame),
            Payload::Aggregation(mut units) => {
                while !units.is_empty() {
                    self.whole(aggregated(&mut units)?, frame)?;
                }
                Ok(())
            }
            Payload::Fragment {
                header,
                starts,
                ends,
                data,
            } => {
                let start = self.fragment(header, starts, data, frame)?;
                if ends {
                    self.open = None;
                    complete(frame, start);
                }
                Ok(())
            }
        }
    }

    fn whole(&self, unit: &[u8], frame: &mut FrameBuffer) -> Result<(), ParseError> {
        self.finish()?;
        nal::append(frame, &[unit])?;
        let start = frame.len() - unit.len();
        complete(frame, start);
        Ok(())
    }

    /// Appends a fragment; returns where its unit starts.
    fn fragment(
        &mut self,
        header: Header,
        starts: bool,
        data: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<usize, ParseError> {
        if starts {
            self.finish()?;
            nal::append(frame, &[&header, data])?;
            let start = frame.len() - data.len() - HEADER_LEN;
            self.open = Some((header, start));
            return Ok(start);
        }
        let at = HEADER_LEN;
        match self.open {
            Some((open, start)) if kind(open) == kind(header) => {
                frame.append(data)?;
                Ok(start)
            }
            Some(_) => Err(ParseError {
                what: "FU of another unit",
                at,
            }),
            None => Err(ParseError {
                what: "FU without its start",
                at,
            }),
        }
    }

    pub(super) const fn finish(&self) -> Result<(), ParseError> {
        match self.open {
            None => Ok(()),
            Some(_) => Err(ParseError {
                what: "FU without its end",
                at: 0,
            }),
        }
    }
}

/// Learns from a unit that is in the frame from `start` on.
fn complete(frame: &mut FrameBuffer, start: usize) {
    let unit = frame.from(start);
    match header(unit).map(kind) {
        Some(SPS) => frame.size = sps::size(unit).or(frame.size),
        Some(kind) if IRAP.contains(&kind) => frame.is_key_frame = true,
        _ => {}
    }
}
