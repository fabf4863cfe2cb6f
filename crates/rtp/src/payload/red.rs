//! RED: several generations of sound in one payload, [RFC 2198 §3](https://www.rfc-editor.org/rfc/rfc2198#section-3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |1|   block PT  |  timestamp offset         |   block length    |  for each that is sent again
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0|   block PT  |                                                  the primary: the rest
//! +-+-+-+-+-+-+-+-+
//! ```
//!
//! ```
//! use pc_rtp::payload::red;
//!
//! let payload = [0xEF, 0x0F, 0x00, 0x02, 0x6F, b'o', b'n', b't', b'w', b'o'];
//! let blocks: Vec<_> = red::parse(&payload)?.collect();
//! assert_eq!((blocks[0].timestamp_offset, blocks[0].data), (960, &b"on"[..]));
//! assert_eq!((blocks[1].timestamp_offset, blocks[1].data), (0, &b"two"[..]));
//! # Ok::<(), pc_rtp::ParseError>(())
//! ```

use super::buffer::{FrameBuffer, PayloadInfo};
use super::{PacketizeError, Payloads, audio};
use crate::PayloadType;
use pc_proto::{ParseError, Reader, Serial32};

/// A header follows this one: the F bit.
const FOLLOWS: u8 = 0x80;
/// 14 bits: what comes later than this after its first sending cannot be sent again.
const MAX_OFFSET: u32 = (1 << 14) - 1;
/// 10 bits.
const MAX_BLOCK_LEN: usize = (1 << 10) - 1;
const HEADER_LEN: usize = 4;
const PRIMARY_HEADER_LEN: usize = 1;

/// One block of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// The payload type that it has outside RED.
    pub payload_type: PayloadType,
    /// How much older it is than the packet's timestamp, in units of the RTP clock; 0 for the primary.
    pub timestamp_offset: u16,
    /// Its payload; that of a block that is sent again may be empty.
    pub data: &'a [u8],
}

/// The blocks of a payload, the oldest first as they are sent, the primary last.
#[derive(Debug, Clone)]
pub struct Blocks<'a> {
    headers: Reader<'a>,
    data: Reader<'a>,
}

/// The blocks of `payload`.
///
/// # Errors
///
/// Headers or blocks are longer than the payload.
pub fn parse(payload: &[u8]) -> Result<Blocks<'_>, ParseError> {
    let mut reader = Reader::new(payload);
    let mut total = 0;
    while reader.u8("RED block header")? & FOLLOWS != 0 {
        total += (reader.u24("RED block header")? & 0x3FF) as usize;
    }
    if total > reader.remaining() {
        return Err(reader.error("RED block length"));
    }
    Ok(Blocks {
        headers: Reader::new(payload.get(..reader.at()).unwrap_or_default()),
        data: reader,
    })
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let first = self.headers.u8("RED block header").ok()?;
        let payload_type = PayloadType::new(first & !FOLLOWS)?;
        let (timestamp_offset, len) = match first & FOLLOWS {
            0 => (0, self.data.remaining()),
            _ => {
                let rest = self.headers.u24("RED block header").ok()?;
                ((rest >> 10) as u16, (rest & 0x3FF) as usize)
            }
        };
        Some(Block {
            payload_type,
            timestamp_offset,
            data: self.data.bytes(len, "RED block length").ok()?,
        })
    }
}

fn primary(payload: &[u8]) -> Result<&[u8], ParseError> {
    Ok(parse(payload)?.last().map_or(&[][..], |block| block.data))
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, ParseError> {
    audio::inspect(primary(payload)?)
}

pub(super) fn push(payload: &[u8], frame: &mut FrameBuffer) -> Result<(), ParseError> {
    audio::push(primary(payload)?, frame)
}

/// Sends each frame a second time, with the next one: a single lost packet is not heard then.
#[derive(Debug)]
pub(super) struct Redundancy {
    primary: PayloadType,
    before: Vec<u8>,
    before_at: Serial32,
}

impl Redundancy {
    pub(super) const fn new(primary: PayloadType) -> Self {
        Self {
            primary,
            before: Vec::new(),
            before_at: Serial32(0),
        }
    }

    pub(super) fn packetize(
        &mut self,
        frame: &[u8],
        timestamp: Serial32,
        max_payload: usize,
        out: &mut Payloads,
    ) -> Result<(), PacketizeError> {
        let room = max_payload
            .checked_sub(PRIMARY_HEADER_LEN + frame.len())
            .ok_or(PacketizeError::TooLong { len: frame.len() })?;
        let block_type = self.primary.number();
        let offset = timestamp.steps_from(self.before_at);
        let len = self.before.len();
        let again = (1..=MAX_BLOCK_LEN).contains(&len)
            && (1..=MAX_OFFSET).contains(&offset)
            && HEADER_LEN + len <= room;
        if again {
            let [_, a, b, c] = ((offset << 10) | len as u32).to_be_bytes();
            let header = [FOLLOWS | block_type, a, b, c, block_type];
            out.push(&[&header, &self.before, frame]);
        } else {
            out.push(&[&[block_type], frame]);
        }
        self.before.clear();
        self.before.extend_from_slice(frame);
        self.before_at = timestamp;
        Ok(())
    }
}
