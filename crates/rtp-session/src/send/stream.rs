//! One encoding that is sent: its numbers, its packets, what is counted about it.

use super::{
    history::{History, Index, SentFrame},
    remote::Remote,
};
use crate::{Codec, Frame, OutgoingPacket, SendError};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{
    PayloadType, Ssrc, dtmf,
    payload::{Format, FrameInfo, Packetizer},
};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use std::time::{Duration, Instant};

/// A peer's request for a key frame is passed on at most this often.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// A packet that is forwarded with a number this far from the last one starts anew.
const MAX_JUMP: u16 = 1000;

/// One encoding.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: Ssrc,
    pub(super) rtx: Rtx,
    pub(super) rid: Option<String>,
    pub(super) active: bool,
    pub(super) history: History,
    pub(super) remote: Remote,
    pub(super) counters: Counters,
    pub(super) media_clock: Option<MediaClock>,
    /// Whether the peer has reported about this SSRC: it knows whose it is then.
    pub(super) is_known_to_peer: bool,
    /// When the last packet left.
    pub(super) last_sent: Option<Instant>,
    pub(super) payload_type: Option<PayloadType>,
    next: Index,
    /// The number of the newest packet that left.
    newest: Option<Index>,
    timestamp_offset: u32,
    /// Telephone events have set the media clock before any media: these go on with it.
    follows_events: bool,
    packetizer: Option<(Format, Packetizer)>,
    forwarded: Option<Forwarded>,
    last_key_frame_request: Option<Instant>,
    /// A request that came too soon after the last, and that no key frame has met since.
    owes_key_frame: bool,
    last_fir: Option<(Ssrc, u8)>,
}

/// The stream of retransmissions, RFC 4588 §4: an SSRC and numbers of its own.
#[derive(Debug)]
pub(super) struct Rtx {
    pub(super) ssrc: Ssrc,
    pub(super) next: Serial16,
    pub(super) is_known_to_peer: bool,
    pub(super) last_sent: Option<Instant>,
    pub(super) packets: u64,
    pub(super) octets: u64,
}

/// What the members of `RTCOutboundRtpStreamStats` count.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    /// Of the media SSRC alone, as in sender reports.
    pub(super) packets: u64,
    pub(super) octets: u64,
    pub(super) header_bytes: u64,
    /// Again, wherever: on the media SSRC or that of RTX.
    pub(super) repeated_packets: u64,
    pub(super) repeated_bytes: u64,
    pub(super) nacks: u32,
    pub(super) plis: u32,
    pub(super) firs: u32,
    pub(super) frames: u64,
    pub(super) key_frames: u64,
    pub(super) send_delay: Duration,
}

/// A moment on the wall clock and on the media clock: for the timestamps of sender reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaClock {
    timestamp: Serial32,
    at: Instant,
    pub(super) rate: u32,
}

impl MediaClock {
    /// RFC 3550 §6.4.1: what the timestamp of something sampled at `now` would be.
    pub(super) fn timestamp_at(&self, now: Instant) -> Serial32 {
        let ticks =
            |time: Duration| (time.as_nanos() * u128::from(self.rate) / 1_000_000_000) as u32;
        if now >= self.at {
            self.timestamp.plus(ticks(now - self.at))
        } else {
            self.timestamp.minus(ticks(self.at - now))
        }
    }
}

/// Packets that wait to leave: their numbers, and payload bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub(super) first: Index,
    pub(super) end: Index,
    pub(super) bytes: usize,
}

/// How the numbers of packets that are forwarded become the stream's.
#[derive(Debug, Clone, Copy)]
struct Forwarded {
    source: Ssrc,
    /// The newest packet: as it came, and as it left.
    theirs: Serial16,
    ours: Index,
    timestamp_shift: u32,
}

/// When a request for a key frame is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFrame {
    Now,
    At(Instant),
    Never,
}

impl Stream {
    pub(super) fn new(rng: &mut ChaCha12Rng, ssrc: Ssrc, rtx: Ssrc) -> Self {
        Self {
            ssrc,
            rtx: Rtx {
                ssrc: rtx,
                next: Serial16(first_sequence_number(rng)),
                is_known_to_peer: false,
                last_sent: None,
                packets: 0,
                octets: 0,
            },
            rid: None,
            active: true,
            history: History::default(),
            remote: Remote::default(),
            counters: Counters::default(),
            media_clock: None,
            is_known_to_peer: false,
            last_sent: None,
            payload_type: None,
            next: Index::from(first_sequence_number(rng)),
            newest: None,
            timestamp_offset: rng.next_u32(),
            follows_events: false,
            packetizer: None,
            forwarded: None,
            last_key_frame_request: None,
            owes_key_frame: false,
            last_fir: None,
        }
    }

    /// Cuts a frame into packets and queues them. Returns the numbers they have and their payload
    /// bytes.
    pub(super) fn packetize(
        &mut self,
        now: Instant,
        codec: &Codec,
        frame: &Frame<'_>,
        max_payload: usize,
        rng: &mut ChaCha12Rng,
    ) -> Result<Queued, SendError> {
        if std::mem::take(&mut self.follows_events)
            && let Some(clock) = &self.media_clock
        {
            let timestamp = clock.timestamp_at(frame.capture);
            self.timestamp_offset = timestamp.steps_from(frame.timestamp);
        }
        let timestamp = frame.timestamp.plus(self.timestamp_offset);
        let info = FrameInfo {
            is_key_frame: frame.is_key_frame,
            size: frame.size,
            timestamp,
            layer: frame.layer,
        };
        if self
            .packetizer
            .as_ref()
            .is_none_or(|(format, _)| *format != codec.format)
        {
            let seed = rng.next_u32() as u16;
            self.packetizer = Some((codec.format, Packetizer::new(codec.format, seed)));
        }
        let mut sent = self
            .history
            .take_spare(now, codec.payload_type, frame.data.len());
        if let Some((_, packetizer)) = &mut self.packetizer
            && let Err(error) =
                packetizer.packetize(frame.data, &info, max_payload, &mut sent.payloads)
        {
            self.history.put_back(sent);
            return Err(error.into());
        }
        sent.rtx = codec.rtx;
        sent.timestamp = timestamp;
        sent.marker = !codec.format.is_audio();
        sent.audio_level = frame.audio_level;
        sent.orientation = frame.orientation;
        self.forwarded = None;
        self.media_clock = Some(MediaClock {
            timestamp,
            at: frame.capture,
            rate: codec.clock_rate,
        });
        self.owes_key_frame &= !frame.is_key_frame;
        self.counters.key_frames += u64::from(frame.is_key_frame && !codec.format.is_audio());
        self.enqueue(self.next, sent)
    }

    /// Queues a packet that is sent on.
    pub(super) fn forward(
        &mut self,
        now: Instant,
        codec: &Codec,
        packet: &OutgoingPacket<'_>,
    ) -> Result<Queued, SendError> {
        let (index, timestamp) = self.renumber(now, codec.clock_rate, packet)?;
        let mut sent = self
            .history
            .take_spare(now, codec.payload_type, packet.payload.len());
        sent.payloads.push(&[packet.payload]);
        sent.rtx = codec.rtx;
        sent.timestamp = timestamp;
        sent.marker = packet.marker;
        sent.audio_level = packet.audio_level;
        sent.orientation = packet.orientation;
        self.enqueue(index, sent)
    }

    /// The timestamp of media that are sampled now, on a clock of `rate` if there have been none.
    pub(super) fn media_timestamp(&mut self, now: Instant, rate: u32) -> Serial32 {
        if self.media_clock.is_none() {
            self.set_media_clock(now, Serial32(self.timestamp_offset), rate);
            self.follows_events = true;
        }
        let clock = self.media_clock.as_ref();
        clock.map_or(Serial32(0), |clock| clock.timestamp_at(now))
    }

    /// Queues a telephone event. It is no media: clock and codec of the stream stay.
    pub(super) fn telephone_event(
        &mut self,
        now: Instant,
        codec: &Codec,
        event: &dtmf::Packet,
    ) -> Result<Queued, SendError> {
        let mut sent = (self.history).take_spare(now, codec.payload_type, event.payload.len());
        sent.payloads.push(&[&event.payload]);
        sent.rtx = None;
        sent.timestamp = event.timestamp;
        sent.marker = event.marker;
        sent.audio_level = None;
        sent.orientation = None;
        self.forwarded = None;
        let payload_type = self.payload_type;
        let queued = self.enqueue(self.next, sent);
        self.payload_type = payload_type;
        queued
    }

    fn enqueue(&mut self, first: Index, sent: SentFrame) -> Result<Queued, SendError> {
        let bytes = sent.payloads.iter().map(<[u8]>::len).sum();
        let end = first + sent.payloads.len() as Index;
        self.payload_type = Some(sent.payload_type);
        if !self.history.push(first, sent) {
            return Err(SendError::Late);
        }
        self.next = self.next.max(end);
        Ok(Queued { first, end, bytes })
    }

    /// The number and timestamp under which a packet is sent on.
    fn renumber(
        &mut self,
        now: Instant,
        clock_rate: u32,
        packet: &OutgoingPacket<'_>,
    ) -> Result<(Index, Serial32), SendError> {
        let theirs = packet.sequence_number;
        if let Some(last) = self.forwarded.filter(|last| last.source == packet.source) {
            let (ahead, behind) = (
                theirs.steps_from(last.theirs),
                last.theirs.steps_from(theirs),
            );
            if behind <= MAX_JUMP {
                let index = last
                    .ours
                    .checked_sub(Index::from(behind))
                    .ok_or(SendError::Late)?;
                return Ok((index, packet.timestamp.plus(last.timestamp_shift)));
            }
            if ahead <= MAX_JUMP {
                let ours = last.ours + Index::from(ahead);
                let timestamp = packet.timestamp.plus(last.timestamp_shift);
                self.forwarded = Some(Forwarded {
                    theirs,
                    ours,
                    ..last
                });
                self.set_media_clock(now, timestamp, clock_rate);
                return Ok((ours, timestamp));
            }
        }
        // Another source: the media clock goes on with the time that has passed.
        let timestamp = match &self.media_clock {
            Some(clock) => clock.timestamp_at(now),
            None => packet.timestamp.plus(self.timestamp_offset),
        };
        self.forwarded = Some(Forwarded {
            source: packet.source,
            theirs,
            ours: self.next,
            timestamp_shift: timestamp.steps_from(packet.timestamp),
        });
        self.set_media_clock(now, timestamp, clock_rate);
        Ok((self.next, timestamp))
    }

    fn set_media_clock(&mut self, at: Instant, timestamp: Serial32, rate: u32) {
        self.media_clock = Some(MediaClock {
            timestamp,
            at,
            rate,
        });
    }

    /// Takes out what has not left, so that the next packet continues without a gap. Returns how
    /// many payload bytes do not leave.
    pub(super) fn cancel_unsent(&mut self) -> usize {
        let (next, bytes) = self.history.cancel_unsent();
        if let Some(next) = next.filter(|_| self.forwarded.is_none()) {
            self.next = next;
        }
        bytes
    }

    /// Notes that the packet with this number left for the first time.
    pub(super) fn on_sent(&mut self, now: Instant, index: Index) {
        self.newest = Some(self.newest.map_or(index, |newest| newest.max(index)));
        self.last_sent = Some(now);
    }

    /// The number a peer means by a sequence number, `None` when no packet left yet.
    pub(super) fn index_of(&self, sequence_number: Serial16) -> Option<Index> {
        History::index_of(self.newest?, sequence_number)
    }

    /// A key frame is asked for.
    pub(super) fn on_key_frame_request(&mut self, now: Instant) -> KeyFrame {
        self.owes_key_frame = false;
        if !self.active {
            return KeyFrame::Never;
        }
        let next = self
            .last_key_frame_request
            .map(|last| last + KEY_FRAME_INTERVAL);
        if let Some(next) = next.filter(|next| *next > now) {
            // Whoever asks again has a reason to: it may be another receiver of the same stream.
            self.owes_key_frame = true;
            return KeyFrame::At(next);
        }
        self.last_key_frame_request = Some(now);
        KeyFrame::Now
    }

    /// Whether a request still waits.
    pub(super) fn owes_key_frame(&self) -> bool {
        self.owes_key_frame
    }

    /// Whether this FIR is a new command, and no repetition (RFC 5104 §4.3.1.2).
    pub(super) fn is_new_fir(&mut self, from: Ssrc, sequence_number: u8) -> bool {
        self.last_fir.replace((from, sequence_number)) != Some((from, sequence_number))
    }
}

/// A random first sequence number (RFC 3550 §5.1) in the lower half: when the first packets are
/// lost or reordered, an SRTP receiver cannot mistake them for those of the cycle before
/// (RFC 3711 §3.3.1).
fn first_sequence_number(rng: &mut ChaCha12Rng) -> u16 {
    (rng.next_u32() as u16) & 0x7FFF
}
