//! H.264, [RFC 6184 §5](https://www.rfc-editor.org/rfc/rfc6184#section-5).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+
//! |F|NRI|  Type   |  1 to 23: a NAL unit as it is (§5.6)
//! +-+-+-+-+-+-+-+-+
//!
//! |F|NRI|   24    | length (16) | NAL unit | length (16) | NAL unit …   STAP-A (§5.7.1)
//!
//! |F|NRI|   28    |S|E|R|  Type   | a piece of a NAL unit without its header   FU-A (§5.8)
//! ```
//!
//! STAP-B, MTAP and FU-B belong to the interleaved mode, which is not negotiated and refused.

mod sps;

use super::buffer::{FrameBuffer, PayloadInfo};
use super::packetize::piece_len;
use super::{PacketizeError, Payloads, nal};
use pc_proto::{ParseError, Reader};
use std::ops::Range;

const TYPE: u8 = 0x1F;
const NRI: u8 = 0x60;
const F: u8 = 0x80;
const SLICE: u8 = 1;
const DATA_PARTITION_C: u8 = 4;
const IDR: u8 = 5;
const SPS: u8 = 7;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// Start and end of the unit, in a fragment's second byte.
const S: u8 = 0x80;
const E: u8 = 0x40;

const STAP_HEADER_LEN: usize = 1;
const FU_HEADER_LEN: usize = 2;

/// A payload, taken apart.
enum Payload<'a> {
    Single(&'a [u8]),
    Aggregation(Reader<'a>),
    Fragment {
        /// The header of the unit that it is a piece of.
        header: u8,
        starts: bool,
        ends: bool,
        data: &'a [u8],
    },
}

impl<'a> Payload<'a> {
    fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let header = reader.u8("H.264 payload")?;
        let refused = |what| Err(ParseError { what, at: 0 });
        match header & TYPE {
            1..=23 => Ok(Self::Single(payload)),
            STAP_A if reader.is_empty() => Err(reader.error("STAP-A without a unit")),
            STAP_A => Ok(Self::Aggregation(reader)),
            FU_A => {
                let second = reader.u8("FU-A header")?;
                match reader.is_empty() {
                    true => Err(reader.error("FU-A without data")),
                    false => Ok(Self::Fragment {
                        header: header & !TYPE | second & TYPE,
                        starts: second & S != 0,
                        ends: second & E != 0,
                        data: reader.rest(),
                    }),
                }
            }
            25 => refused("STAP-B, of the interleaved mode"),
            26 => refused("MTAP16, of the interleaved mode"),
            27 => refused("MTAP24, of the interleaved mode"),
            29 => refused("FU-B, of the interleaved mode"),
            _ => refused("reserved H.264 NAL unit type"),
        }
    }
}

/// A unit of an aggregation packet: one that could stand alone.
fn aggregated<'a>(units: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    let unit = nal::aggregated(units, STAP_HEADER_LEN)?;
    match unit.first().map(|header| header & TYPE) {
        Some(1..=23) => Ok(unit),
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
            look(&[header], &mut info);
            if !starts {
                (info.starts_frame, info.is_key_frame) = (Some(false), None);
            }
        }
    }
    Ok(info)
}

/// What a unit says about its frame. A delimiter comes first (H.264 §7.4.1.2.3); the others may have
/// some before them. A slice tells a key frame; before there is one, a parameter set announces it.
fn look(unit: &[u8], info: &mut PayloadInfo) {
    let header = unit.first().copied().unwrap_or_default();
    match header & TYPE {
        ACCESS_UNIT_DELIMITER => info.starts_frame = Some(true),
        SPS => {
            info.is_key_frame = info.is_key_frame.or(Some(true));
            info.size = sps::size(unit);
        }
        IDR => info.is_key_frame = Some(true),
        SLICE..=DATA_PARTITION_C => {
            info.is_key_frame = Some(false);
            info.discardable = header & NRI == 0;
        }
        _ => {}
    }
}

#[derive(Debug)]
pub(super) struct Packetizer {
    /// Whether units may be put together and cut: packetization mode 1.
    non_interleaved: bool,
    units: Vec<Range<usize>>,
}

impl Packetizer {
    pub(super) const fn new(packetization_mode: u8) -> Self {
        Self {
            non_interleaved: packetization_mode == 1,
            units: Vec::new(),
        }
    }

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
            let count = match self.non_interleaved {
                true => nal::fitting(rest, STAP_HEADER_LEN, max_payload),
                false => 1,
            };
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            match now {
                [unit] => self.single(checked(frame, unit)?, max_payload, out)?,
                _ => aggregate(frame, now, out)?,
            }
            rest = later;
        }
        Ok(())
    }

    fn single(
        &self,
        unit: &[u8],
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        if unit.len() <= max_payload {
            out.push(&[unit]);
            return Ok(());
        }
        if !self.non_interleaved {
            return Err(PacketizeError::TooLong { len: unit.len() });
        }
        fragment(unit, max_payload, out)
    }
}

/// The unit at `range`, whose type must not be one of those that RTP uses itself.
fn checked<'a>(frame: &'a [u8], range: &Range<usize>) -> Result<&'a [u8], ParseError> {
    let unit = frame.get(range.clone()).unwrap_or_default();
    match unit.first().map(|header| header & TYPE) {
        Some(1..=23) => Ok(unit),
        _ => Err(ParseError {
            what: "H.264 NAL unit type that RTP cannot carry",
            at: range.start,
        }),
    }
}

/// RFC 6184 §5.7: F if any unit has it, and the highest NRI of all.
fn aggregate(
    frame: &[u8],
    units: &[Range<usize>],
    out: &mut Payloads,
) -> Result<(), PacketizeError> {
    let headers = units.iter().filter_map(|unit| frame.get(unit.start));
    let (f, nri) = headers.fold((0, 0), |(f, nri), header| {
        (f | header & F, nri.max(header & NRI))
    });
    out.append(&[f | nri | STAP_A]);
    for range in units {
        let unit = checked(frame, range)?;
        out.append(&(unit.len() as u16).to_be_bytes());
        out.append(unit);
    }
    out.end();
    Ok(())
}

fn fragment(unit: &[u8], max_payload: usize, out: &mut Payloads) -> Result<(), PacketizeError> {
    let room = max_payload.saturating_sub(FU_HEADER_LEN);
    let (header, data) = match unit.split_first() {
        Some((header, data)) if room > 0 => (header, data),
        _ => {
            let needed = FU_HEADER_LEN + 1;
            return Err(PacketizeError::MaxPayloadTooSmall { needed });
        }
    };
    let mut position = S;
    let mut left = data.len();
    for piece in data.chunks(piece_len(data.len(), room)) {
        left -= piece.len();
        if left == 0 {
            position |= E;
        }
        out.push(&[&[header & !TYPE | FU_A, position | header & TYPE], piece]);
        position = 0;
    }
    Ok(())
}

/// What has been seen of the frame.
#[derive(Debug, Default)]
pub(super) struct Depacketizer {
    /// Of the unit whose fragments are coming: its header, and where it starts in the frame.
    open: Option<(u8, usize)>,
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
        header: u8,
        starts: bool,
        data: &[u8],
        frame: &mut FrameBuffer,
    ) -> Result<usize, ParseError> {
        if starts {
            self.finish()?;
            nal::append(frame, &[&[header], data])?;
            let start = frame.len() - data.len() - 1;
            self.open = Some((header, start));
            return Ok(start);
        }
        match self.open {
            Some((open, start)) if open & TYPE == header & TYPE => {
                frame.append(data)?;
                Ok(start)
            }
            Some(_) => Err(ParseError {
                what: "FU-A of another unit",
                at: 1,
            }),
            None => Err(ParseError {
                what: "FU-A without its start",
                at: 1,
            }),
        }
    }

    pub(super) const fn finish(&self) -> Result<(), ParseError> {
        match self.open {
            None => Ok(()),
            Some(_) => Err(ParseError {
                what: "FU-A without its end",
                at: 0,
            }),
        }
    }
}

/// Learns from a unit that is in the frame from `start` on.
fn complete(frame: &mut FrameBuffer, start: usize) {
    let unit = frame.from(start);
    match unit.first().map(|header| header & TYPE) {
        Some(IDR) => frame.is_key_frame = true,
        Some(SPS) => frame.size = sps::size(unit).or(frame.size),
        _ => {}
    }
}
