//! One outgoing stream, fed by one of several encodings at a time.

use super::pictures::{Chosen, Counters};
use super::run::{Placed, Run};
use super::{Incoming, Outgoing, PayloadNumbers};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{PayloadType, Ssrc, dependency::Layer};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Instant;

/// One of the encodings of the same media: of simulcast, or of several cameras that a viewer switches
/// between. The number is the application's: an index, an SSRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding(pub u32);

/// What the receiver of the stream knows.
#[derive(Debug, Clone)]
pub struct RewriterConfig {
    /// The stream's source.
    pub ssrc: Ssrc,
    /// What its payload is.
    pub payload_type: PayloadType,
    /// Ticks of the payload's clock a second: 90,000 for video.
    pub clock_rate: u32,
    /// Where the first numbers come from, which are random (RFC 3550 §5.1).
    pub seed: [u8; 32],
}

/// Why a packet is not sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Another encoding is sent on, or none.
    #[error("not the encoding that is sent on")]
    NotSelected,
    /// Its encoding is to be sent on, and waits for a key frame.
    #[error("waits for a key frame")]
    AwaitsKeyFrame,
    /// Its layer is left out, or it is all padding. The numbers that follow have moved up.
    #[error("left out")]
    LeftOut,
    /// It came before.
    #[error("a duplicate")]
    Duplicate,
    /// It is from before the last switch but one, or so late that its number is not known any more.
    #[error("too old")]
    TooOld,
}

/// Gives the packets of whichever encoding is chosen the numbers of one stream.
///
/// ```text
///            select(b)               first packet of a key frame of b
///  sends a ─────────────▶ sends a, ───────────────────────────────────▶ sends b,
///          ◀───────────── waits for b                                   takes what a still misses
///            select(a)
/// ```
///
/// - Sequence numbers go on without a gap over switches and over packets that are left out. A packet
///   that is missing keeps its number free and gets it when it comes late, after a switch too.
/// - No number is used for two packets, so that SRTP never encrypts two with the same key stream.
/// - Timestamps move on at a switch by the time that has passed.
/// - Picture ids, TL0PICIDX, KEYIDX and the frame numbers of dependency descriptors go on likewise.
/// - The time for a packet does not depend on how many came before; nothing is allocated, and memory
///   is of one size, about two kilobytes.
///
/// Packets are given in any order, but a switch needs a key frame whose first packet comes before the
/// others; where it does not, it waits for the next.
#[derive(Debug, Clone)]
pub struct Rewriter {
    ssrc: Ssrc,
    payload_type: PayloadType,
    clock_rate: u32,
    wanted: Option<Encoding>,
    limit: Layer,
    current: Option<Run>,
    previous: Option<Run>,
    next_sequence: u64,
    counters: Counters,
    /// The newest timestamp that left, and when its first packet came.
    newest: Option<(Serial32, Instant)>,
    first_timestamp: Serial32,
    /// The newest packet of the wanted encoding that was refused.
    refused: Option<RefusedPacket>,
}

#[derive(Debug, Clone, Copy)]
struct RefusedPacket {
    encoding: Encoding,
    sequence_number: Serial16,
    timestamp: Serial32,
}

impl RefusedPacket {
    /// Whether it came before a packet that it follows. Another second is that of a source which has
    /// begun anew.
    fn overtook(&self, encoding: Encoding, incoming: &Incoming<'_>, clock_rate: u32) -> bool {
        self.encoding == encoding
            && self.sequence_number.is_newer_than(incoming.sequence_number)
            && self.timestamp.steps_from(incoming.timestamp) < clock_rate
    }
}

impl Rewriter {
    /// One that sends nothing until an encoding is selected.
    pub fn new(config: &RewriterConfig) -> Self {
        let mut random = ChaCha12Rng::from_seed(config.seed);
        // RFC 3711 §3.3.1: not near the end, or a loss of the first packets makes the peer's count of
        // roll-overs wrong.
        let sequence = random.next_u32() & 0x7FFF;
        Self {
            ssrc: config.ssrc,
            payload_type: config.payload_type,
            clock_rate: config.clock_rate,
            wanted: None,
            limit: Layer {
                spatial_id: u8::MAX,
                temporal_id: u8::MAX,
            },
            current: None,
            previous: None,
            next_sequence: sequence.into(),
            counters: Counters {
                picture_id: u64::from(random.next_u32()) & 0x7FFF,
                tl0_picture_index: random.next_u32() as u8,
                key_index: random.next_u32() as u8,
                frame_number: u64::from(random.next_u32()) & 0xFFFF,
            },
            newest: None,
            first_timestamp: Serial32(random.next_u32()),
            refused: None,
        }
    }

    /// Wants another encoding. The one that is sent on stays so until a key frame of the other comes;
    /// [`awaited`](Self::awaited) says whom to ask for one.
    pub fn select(&mut self, encoding: Encoding) {
        self.wanted = Some(encoding);
    }

    /// Sends nothing any more, until an encoding is selected and a key frame of it comes. What is
    /// missing can still come.
    pub fn pause(&mut self) {
        self.wanted = None;
        self.retire();
    }

    /// Leaves out what is above these layers: spatial ones of VP9, temporal ones of VP8 and VP9, either
    /// where there are dependency descriptors. It takes effect where the stream allows it, and upwards
    /// perhaps with a key frame only.
    pub const fn set_limit(&mut self, limit: Layer) {
        self.limit = limit;
    }

    /// Another payload type, for encodings of another codec.
    pub const fn set_payload_type(&mut self, payload_type: PayloadType) {
        self.payload_type = payload_type;
    }

    /// Another clock, for encodings of another codec: ticks a second.
    pub const fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
    }

    /// The encoding that is sent on.
    pub fn current(&self) -> Option<Encoding> {
        self.current.as_ref().map(|run| run.encoding)
    }

    /// The encoding of which a key frame is needed, if one is.
    pub fn awaited(&self) -> Option<Encoding> {
        let wanted = self.wanted?;
        match &self.current {
            Some(run) if run.encoding == wanted => {
                run.wants_key_frame(self.limit).then_some(wanted)
            }
            _ => Some(wanted),
        }
    }

    /// The sequence number that the next packet gets, unless it is late.
    pub fn next_sequence_number(&self) -> Serial16 {
        let next = self.current.as_ref().map(Run::next_out);
        Serial16(next.unwrap_or(self.next_sequence) as u16)
    }

    /// What a timestamp of the encoding that is sent on is in this stream: for the sender reports that
    /// are sent on with it (RFC 3550 §6.4.1).
    pub fn timestamp(&self, encoding: Encoding, timestamp: Serial32) -> Option<Serial32> {
        let run = self.current.as_ref()?;
        (run.encoding == encoding).then(|| run.timestamp(timestamp))
    }

    /// Under which numbers a packet is sent on.
    ///
    /// # Errors
    ///
    /// It is not, or not yet.
    pub fn rewrite(
        &mut self,
        now: Instant,
        encoding: Encoding,
        incoming: &Incoming<'_>,
    ) -> Result<Outgoing, Refused> {
        if let Some(run) = self.current.as_mut().filter(|run| run.encoding == encoding) {
            match run.place(incoming, self.limit) {
                Placed::Restarted => {
                    // What it misses does not come any more.
                    self.retire();
                    self.previous = None;
                }
                // It may be one that the run before misses, when that was of the same encoding.
                Placed::Refused(Refused::TooOld) if self.was_before(encoding) => {}
                placed => return self.outgoing(now, encoding, incoming, placed),
            }
        }
        let waits = self.wanted == Some(encoding) && self.current() != Some(encoding);
        if waits && self.may_begin(encoding, incoming) {
            return self.begin(now, encoding, incoming);
        }
        if let Some(run) = self
            .previous
            .as_mut()
            .filter(|run| run.encoding == encoding)
        {
            let placed = run.place_late(incoming, self.limit);
            if !matches!(placed, Placed::Refused(Refused::NotSelected)) {
                return self.outgoing(now, encoding, incoming, placed);
            }
        }
        if waits {
            self.refuse(encoding, incoming);
            return Err(Refused::AwaitsKeyFrame);
        }
        Err(match self.current() == Some(encoding) {
            true => Refused::TooOld,
            false => Refused::NotSelected,
        })
    }

    /// Whether one can switch to this packet: not where a later one of its frame has been refused.
    fn may_begin(&self, encoding: Encoding, incoming: &Incoming<'_>) -> bool {
        let rate = self.clock_rate;
        let is_overtaken = (self.refused).is_some_and(|it| it.overtook(encoding, incoming, rate));
        // A packet of the run before may come twice.
        let is_repeated = (self.previous.as_ref())
            .is_some_and(|run| run.encoding == encoding && run.has_seen(incoming));
        incoming.begins_key_frame && !is_overtaken && !is_repeated
    }

    fn was_before(&self, encoding: Encoding) -> bool {
        let previous = self.previous.as_ref();
        previous.is_some_and(|run| run.encoding == encoding)
    }

    fn refuse(&mut self, encoding: Encoding, incoming: &Incoming<'_>) {
        let rate = self.clock_rate;
        if !(self.refused).is_some_and(|it| it.overtook(encoding, incoming, rate)) {
            self.refused = Some(RefusedPacket {
                encoding,
                sequence_number: incoming.sequence_number,
                timestamp: incoming.timestamp,
            });
        }
    }

    fn begin(
        &mut self,
        now: Instant,
        encoding: Encoding,
        incoming: &Incoming<'_>,
    ) -> Result<Outgoing, Refused> {
        self.retire();
        self.refused = None;
        let timestamp = match self.newest {
            None => self.first_timestamp,
            Some((newest, at)) => {
                let micros = now.saturating_duration_since(at).as_micros();
                let ticks = micros * u128::from(self.clock_rate) / 1_000_000;
                newest.plus((ticks as u32).max(1))
            }
        };
        let mut run = Run::begin(
            encoding,
            incoming,
            self.next_sequence,
            timestamp,
            &self.counters,
            self.limit,
        );
        let placed = run.first(incoming, self.limit);
        self.current = Some(run);
        self.outgoing(now, encoding, incoming, placed)
    }

    /// Ends what is sent on, but for what it misses.
    fn retire(&mut self) {
        if let Some(run) = self.current.take() {
            self.next_sequence = run.next_out();
            run.leave(&mut self.counters);
            self.previous = Some(run);
        }
    }

    fn outgoing(
        &mut self,
        now: Instant,
        encoding: Encoding,
        incoming: &Incoming<'_>,
        placed: Placed,
    ) -> Result<Outgoing, Refused> {
        let runs = [self.current.as_ref(), self.previous.as_ref()];
        let run = runs
            .into_iter()
            .flatten()
            .find(|run| run.encoding == encoding);
        let timestamp = run.map_or(incoming.timestamp, |run| run.timestamp(incoming.timestamp));
        let (number, chosen) = match placed {
            Placed::Sent(number, chosen) => (number, Some(chosen)),
            Placed::Emptied(number) => (number, None),
            Placed::Refused(refused) => return Err(refused),
            Placed::Restarted => return Err(Refused::AwaitsKeyFrame),
        };
        let is_newer = |newest: (Serial32, Instant)| timestamp.is_newer_than(newest.0);
        if self.newest.is_none_or(is_newer) {
            self.newest = Some((timestamp, now));
        }
        let ends_picture = |chosen: &Chosen| incoming.marker || chosen.ends_picture;
        Ok(Outgoing {
            ssrc: self.ssrc,
            payload_type: self.payload_type,
            sequence_number: Serial16(number),
            timestamp,
            marker: chosen.as_ref().is_some_and(ends_picture),
            is_padding: chosen.is_none(),
            begins_key_frame: incoming.begins_key_frame && chosen.is_some(),
            frame_number: chosen.and_then(|chosen| chosen.frame_number),
            active_decode_targets: chosen.and_then(|chosen| chosen.active_decode_targets),
            payload_numbers: chosen.map_or(PayloadNumbers::None, |chosen| chosen.numbers),
        })
    }
}
