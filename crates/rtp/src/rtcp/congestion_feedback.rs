//! When packets arrived, and how they were marked,
//! [RFC 8888 §3.1](https://www.rfc-editor.org/rfc/rfc8888#section-3.1).
//!
//! ```text
//! |V=2|P| FMT=11  |   PT = 205    |          length               |
//! |                 SSRC of RTCP packet sender                    |
//! |                   SSRC of nth RTP stream                      |  for each
//! |          begin_seq            |          num_reports          |
//! |R|ECN|  Arrival time offset    | …                     to a word
//! |                        Report Timestamp (32 bits)             |
//! ```

use pc_proto::{ParseError, Reader, Serial16, WriteError, Writer};

use super::{HEADER_LEN, compound::Raw, packet_type, write_header};
use crate::Ssrc;

/// The most packets of one stream, §3.1.
const MAX_REPORTS: u16 = 16_384;

/// What the IP header said of congestion, RFC 3168 §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecn {
    /// Not capable.
    NotEct,
    /// Capable, and of low latency (RFC 9331).
    Ect1,
    /// Capable.
    Ect0,
    /// Congestion was met.
    Ce,
}

/// How one packet arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its mark.
    pub ecn: Ecn,
    /// How long before the report, in 1/1024 seconds; 0x1FFE: longer; 0x1FFF: not known.
    pub offset: u16,
}

impl Arrival {
    fn read(bits: u16) -> Option<Self> {
        (bits & 0x8000 != 0).then_some(Self {
            ecn: match bits >> 13 & 3 {
                0 => Ecn::NotEct,
                1 => Ecn::Ect1,
                2 => Ecn::Ect0,
                _ => Ecn::Ce,
            },
            offset: bits & 0x1FFF,
        })
    }

    fn bits(self) -> u16 {
        let ecn = match self.ecn {
            Ecn::NotEct => 0,
            Ecn::Ect1 => 1,
            Ecn::Ect0 => 2,
            Ecn::Ce => 3,
        };
        0x8000 | ecn << 13 | self.offset.min(0x1FFF)
    }
}

/// Which packets of which streams came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CongestionFeedbackView<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// When: the middle of an NTP time.
    pub timestamp: u32,
    streams: &'a [u8],
}

/// Those of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamArrivalsView<'a> {
    /// Whose.
    pub ssrc: Ssrc,
    /// The first packet that is spoken of.
    pub begin: Serial16,
    metrics: &'a [u8],
}

impl<'a> CongestionFeedbackView<'a> {
    pub(super) fn read(raw: Raw<'a>) -> Result<Self, ParseError> {
        let wrong = |at| ParseError {
            what: "congestion feedback",
            at,
        };
        let (streams, timestamp) = raw.body.split_last_chunk::<4>().ok_or_else(|| wrong(0))?;
        let mut reader = Reader::new(streams);
        let sender = Ssrc(reader.u32("congestion feedback")?);
        let streams = reader.rest();
        while !reader.is_empty() {
            read_stream(&mut reader)?;
        }
        Ok(Self {
            sender,
            timestamp: u32::from_be_bytes(*timestamp),
            streams,
        })
    }

    /// The streams.
    pub fn streams(&self) -> impl Iterator<Item = StreamArrivalsView<'a>> + use<'a> {
        let mut reader = Reader::new(self.streams);
        std::iter::from_fn(move || read_stream(&mut reader).ok())
    }
}

fn read_stream<'a>(reader: &mut Reader<'a>) -> Result<StreamArrivalsView<'a>, ParseError> {
    let ssrc = Ssrc(reader.u32("stream of congestion feedback")?);
    let begin = Serial16(reader.u16("stream of congestion feedback")?);
    let count = reader.u16("stream of congestion feedback")?;
    if count > MAX_REPORTS {
        return Err(reader.error("more packets than congestion feedback may speak of"));
    }
    let len = usize::from(count) * 2;
    let metrics = reader.bytes(len, "metrics of congestion feedback")?;
    reader.bytes(len % 4, "padding of congestion feedback")?;
    Ok(StreamArrivalsView {
        ssrc,
        begin,
        metrics,
    })
}

impl<'a> StreamArrivalsView<'a> {
    /// What became of each packet from `begin` on; `None`: it has not come.
    pub fn arrivals(&self) -> impl Iterator<Item = (Serial16, Option<Arrival>)> + use<'a> {
        let (metrics, _) = self.metrics.as_chunks::<2>();
        let begin = self.begin;
        metrics.iter().enumerate().map(move |(index, bytes)| {
            let arrival = Arrival::read(u16::from_be_bytes(*bytes));
            (begin.plus(index as u16), arrival)
        })
    }
}

/// One stream's arrivals, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamArrivals<'a> {
    /// Whose.
    pub ssrc: Ssrc,
    /// The first packet.
    pub begin: Serial16,
    /// What became of each from there on; the first 16,384 are written.
    pub arrivals: &'a [Option<Arrival>],
}

impl StreamArrivals<'_> {
    fn count(&self) -> usize {
        self.arrivals.len().min(usize::from(MAX_REPORTS))
    }

    fn wire_len(&self) -> usize {
        8 + (2 * self.count()).next_multiple_of(4)
    }
}

/// Feedback to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CongestionFeedback<'a> {
    /// Who says it.
    pub sender: Ssrc,
    /// When: the middle of an NTP time.
    pub timestamp: u32,
    /// Of which streams.
    pub streams: &'a [StreamArrivals<'a>],
}

impl CongestionFeedback<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        let streams: usize = self.streams.iter().map(StreamArrivals::wire_len).sum();
        HEADER_LEN + 8 + streams
    }

    /// Writes the packet.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        write_header(writer, 11, packet_type::TRANSPORT_FEEDBACK, self.wire_len())?;
        writer.u32(self.sender.0)?;
        for stream in self.streams {
            let count = stream.count();
            writer.u32(stream.ssrc.0)?;
            writer.u16(stream.begin.0)?;
            writer.u16(count as u16)?;
            for arrival in stream.arrivals.iter().take(count) {
                writer.u16(arrival.map_or(0, Arrival::bits))?;
            }
            writer.zeros(2 * (count % 2))?;
        }
        writer.u32(self.timestamp)
    }
}
