//! When packets of a transport arrived, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
//!
//! ```text
//! |V=2|P| FMT=15  |    PT=205     |             length            |
//! |                     SSRC of packet sender                     |
//! |                      SSRC of media source                     |
//! |      base sequence number     |      packet status count      |
//! |           reference time (64 ms)              | fb pkt. count |
//! |          packet chunk         |  …   | recv delta (250 µs) …
//! ```

use std::time::Duration;

use pc_proto::{ParseError, Reader, Serial16, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// The unit of the reference time, §3.1.
const REFERENCE: Duration = Duration::from_millis(64);
/// The unit of deltas in microseconds, §3.1.5.
const DELTA_MICROS: i64 = 250;
/// The longest run of one chunk, §3.1.3.
const MAX_RUN: u16 = 0x1FFF;

/// Which packets came, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFeedbackView<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// Any of the streams.
    pub media: Ssrc,
    /// The first packet that is spoken of.
    pub base: Serial16,
    /// How many are spoken of.
    pub status_count: u16,
    /// What deltas begin from, in units of 64 ms on the receiver's clock: 24 bits, signed.
    pub reference_time: i32,
    /// One more with each feedback.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketStatus {
    /// Which packet of the transport.
    pub sequence_number: Serial16,
    /// When it came, in microseconds after the reference time of the receiver's clock, which is in
    /// units of 64 ms; `None`: not yet.
    pub arrival_micros: Option<i64>,
}

impl<'a> TransportFeedbackView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw.body);
        let sender = Ssrc(reader.u32("transport feedback")?);
        let media = Ssrc(reader.u32("transport feedback")?);
        let base = Serial16(reader.u16("transport feedback")?);
        let status_count = reader.u16("transport feedback")?;
        let reference = reader.u24("transport feedback")?;
        let feedback_count = reader.u8("transport feedback")?;
        let all = reader.rest();
        // One chunk speaks of seven packets or more, but for the last.
        let (mut spoken, mut chunks_len, mut deltas_len) = (0, 0, 0);
        while spoken < status_count {
            let chunk = Chunk(reader.u16("packet chunk")?);
            chunks_len += 2;
            for at in 0..chunk.len() {
                if spoken == status_count {
                    break;
                }
                deltas_len += chunk.symbol(at).delta_len();
                spoken += 1;
            }
            if chunk.len() == 0 {
                return Err(reader.error("a run of no packets"));
            }
        }
        let deltas = reader.bytes(deltas_len, "receive deltas")?;
        Ok(Self {
            sender,
            media,
            base,
            status_count,
            reference_time: (reference << 8).cast_signed() >> 8,
            feedback_count,
            chunks: all.get(..chunks_len).unwrap_or_default(),
            deltas,
        })
    }

    /// Every packet that is spoken of, in the order of their numbers.
    pub fn packets(&self) -> impl Iterator<Item = PacketStatus> + use<'a> {
        let (chunks, _) = self.chunks.as_chunks::<2>();
        let symbols = chunks.iter().flat_map(|bytes| {
            let chunk = Chunk(u16::from_be_bytes(*bytes));
            (0..chunk.len()).map(move |at| chunk.symbol(at))
        });
        let mut deltas = Reader::new(self.deltas);
        let (mut at, base) = (0_i64, self.base);
        let numbered = symbols.take(usize::from(self.status_count)).enumerate();
        numbered.map(move |(index, symbol)| {
            let delta = match symbol {
                Symbol::NotReceived => None,
                Symbol::Small => deltas.u8("delta").ok().map(i64::from),
                Symbol::Large => {
                    let delta = deltas.u16("delta").ok();
                    delta.map(|delta| i64::from(delta.cast_signed()))
                }
            };
            PacketStatus {
                sequence_number: base.plus(index as u16),
                arrival_micros: delta.map(|delta| {
                    at += delta * DELTA_MICROS;
                    at
                }),
            }
        })
    }
}

/// §3.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    NotReceived,
    Small,
    Large,
}

impl Symbol {
    fn of(bits: u16) -> Self {
        match bits & 3 {
            1 => Self::Small,
            2 => Self::Large,
            // 3 is reserved: nothing can be said of its delta.
            _ => Self::NotReceived,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Self::NotReceived => 0,
            Self::Small => 1,
            Self::Large => 2,
        }
    }

    fn delta_len(self) -> usize {
        usize::from(self.bits())
    }
}

/// A packet chunk: a run of one symbol (§3.1.3), or a vector of 14 symbols of one bit or 7 of two
/// (§3.1.4).
#[derive(Debug, Clone, Copy)]
struct Chunk(u16);

impl Chunk {
    fn len(self) -> u16 {
        match self.0 >> 14 {
            0 | 1 => self.0 & MAX_RUN,
            2 => 14,
            _ => 7,
        }
    }

    fn symbol(self, at: u16) -> Symbol {
        match self.0 >> 14 {
            0 | 1 => Symbol::of(self.0 >> 13),
            2 => Symbol::of(self.0 >> 13_u16.saturating_sub(at) & 1),
            _ => Symbol::of(self.0 >> 12_u16.saturating_sub(2 * at)),
        }
    }
}

/// Feedback to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// Any of the streams.
    pub media: Ssrc,
    /// The first packet.
    pub base: Serial16,
    /// One more with each feedback.
    pub feedback_count: u8,
    /// When each packet from `base` on arrived, on the receiver's clock; `None`: not yet.
    pub arrivals: &'a [Option<Duration>],
}

impl TransportFeedback<'_> {
    /// What deltas begin from: the first arrival, rounded down.
    fn reference(&self) -> u64 {
        let first = self.arrivals.iter().flatten().next();
        let millis = first.map_or(0, |at| at.as_millis());
        (millis / REFERENCE.as_millis()) as u64
    }

    /// The deltas, in units of 250 µs. Those that do not fit 16 bits are of packets that are said not
    /// to have come.
    fn deltas(&self) -> impl Iterator<Item = Option<i16>> {
        let reference = i128::from(self.reference()) * REFERENCE.as_micros() as i128;
        let mut last = 0_i128;
        self.arrivals.iter().map(move |arrival| {
            let at = (arrival.as_ref()?.as_micros() as i128 - reference) / i128::from(DELTA_MICROS);
            let delta = i16::try_from(at - last).ok()?;
            last = at;
            Some(delta)
        })
    }

    fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.deltas().map(|delta| match delta {
            None => Symbol::NotReceived,
            Some(0..=255) => Symbol::Small,
            Some(_) => Symbol::Large,
        })
    }

    /// The chunks: a run where seven or more are alike, else a vector.
    fn chunks(&self) -> impl Iterator<Item = u16> {
        let mut rest = self.symbols().peekable();
        let mut held = Held::default();
        std::iter::from_fn(move || {
            held.fill(&mut rest);
            held.take(&mut rest)
        })
    }

    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        let deltas: usize = self.symbols().map(Symbol::delta_len).sum();
        let len = 2 * self.chunks().count() + deltas;
        HEADER_LEN + 16 + len.next_multiple_of(4)
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let len = self.wire_len();
        let begin = writer.len();
        write_header(writer, 15, packet_type::TRANSPORT_FEEDBACK, len)?;
        writer.u32(self.sender.0)?;
        writer.u32(self.media.0)?;
        writer.u16(self.base.0)?;
        writer.u16(self.arrivals.len().min(0xFFFF) as u16)?;
        writer.u24((self.reference() & 0xFF_FFFF) as u32)?;
        writer.u8(self.feedback_count)?;
        for chunk in self.chunks() {
            writer.u16(chunk)?;
        }
        for delta in self.deltas().flatten() {
            match u8::try_from(delta) {
                Ok(small) => writer.u8(small)?,
                Err(_) => writer.u16(delta.cast_unsigned())?,
            }
        }
        writer.zeros((begin + len).saturating_sub(writer.len()))
    }
}

/// Symbols that are in no chunk yet: as many as a vector of two bits takes.
#[derive(Default)]
struct Held {
    symbols: [Option<Symbol>; 7],
    len: usize,
}

impl Held {
    fn fill(&mut self, rest: &mut impl Iterator<Item = Symbol>) {
        for slot in self.symbols.iter_mut().skip(self.len) {
            *slot = rest.next();
            if slot.is_none() {
                break;
            }
            self.len += 1;
        }
    }

    /// The next chunk, and the symbols that it takes.
    fn take(
        &mut self,
        rest: &mut std::iter::Peekable<impl Iterator<Item = Symbol>>,
    ) -> Option<u16> {
        let first = self.symbols.first().copied().flatten()?;
        let held = self.symbols.iter().take(self.len);
        let alike = held.clone().all(|symbol| *symbol == Some(first));
        if alike {
            let mut run = self.len as u16;
            while run < MAX_RUN && rest.next_if_eq(&first).is_some() {
                run += 1;
            }
            *self = Self::default();
            return Some(first.bits() << 13 | run);
        }
        let mut vector = 0xC000;
        for (at, symbol) in held.enumerate() {
            let bits = symbol.map_or(0, Symbol::bits);
            vector |= bits << (12 - 2 * at as u16);
        }
        *self = Self::default();
        Some(vector)
    }
}
