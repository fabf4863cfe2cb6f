//! One stream: a synchronization source, and what retransmits it.

mod counts;
mod lip_sync;
mod meter;
mod pause;
mod play;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pc_proto::Serial16;
use pc_rtp::{
    Extensions, PacketView, Ssrc,
    payload::{self, Format},
};

use super::{
    audio::AudioBuffer,
    key_frame::KeyFrameWish,
    nack::NackList,
    number::{Sequence, Timestamps},
    reception::Reception,
    slots::PacketInfo,
    timing::Timing,
    video::VideoBuffer,
};
use crate::{Codec, InboundStats, Rejected};

/// How long the first key frame is waited for before it is asked for.
const FIRST_KEY_FRAME: Duration = Duration::from_millis(200);
/// Sound waits at least so long: half of it is what devices hand over at once.
const MIN_AUDIO_DELAY: Duration = Duration::from_millis(20);
/// How far ahead of the latest packet the next one may be, RFC 3550 appendix A.1.
const MAX_DROPOUT: u64 = 3000;
/// How far behind the latest packet one may be that nobody asked for, RFC 3550 appendix A.1. Nor are
/// packets sent again that are further ahead.
const MAX_MISORDER: u64 = 100;
/// Packets further behind the latest one than this are of no use.
const MAX_DISTANCE: u64 = 10_000;
/// When no new packet has come for so long, the source may have begun anew.
const QUIET: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: Ssrc,
    pub(super) rtx_ssrc: Option<Ssrc>,
    pub(super) rid: Option<Arc<str>>,
    /// Nobody wants its frames: nothing is kept of it, and nothing asked for.
    is_paused: bool,
    meter: meter::Meter,
    /// Its canonical name (RFC 3550 §6.5.1): streams of one name have one clock.
    pub(super) cname: Option<Arc<[u8]>>,
    begin: Instant,
    clock_rate: u32,
    sequence: Sequence,
    /// The number that would show that the source counts anew.
    probation: Option<Serial16>,
    /// When the latest packet came, and its extended timestamp.
    newest: Option<(Instant, i64)>,
    timestamps: Timestamps,
    pub(super) reception: Reception,
    pub(super) nack: NackList,
    pub(super) key_frame: KeyFrameWish,
    pub(super) timing: Timing,
    media: Media,
    pub(super) stats: InboundStats,
}

#[derive(Debug)]
enum Media {
    Audio(AudioBuffer),
    Video(VideoBuffer),
}

/// A packet as the stream takes it: that of the original, when it is a retransmission.
pub(super) struct Packet<'a> {
    pub(super) number: Serial16,
    pub(super) payload: &'a [u8],
    pub(super) view: &'a PacketView<'a>,
    pub(super) extensions: &'a Extensions<'a>,
    pub(super) codec: &'a Codec,
    pub(super) is_retransmission: bool,
}

impl Packet<'_> {
    /// Whether it is of telephone events (RFC 4733), for whoever looks at packets as they arrive.
    fn is_event(&self) -> bool {
        self.codec.format == Format::TelephoneEvent
    }
}

impl Stream {
    pub(super) fn new(
        now: Instant,
        ssrc: Ssrc,
        rid: Option<&str>,
        codec: &Codec,
        mid: &str,
    ) -> Self {
        let is_audio = codec.format.is_audio();
        let min = if is_audio {
            MIN_AUDIO_DELAY
        } else {
            Duration::ZERO
        };
        let mut key_frame = KeyFrameWish::default();
        if !is_audio {
            key_frame.want(now + FIRST_KEY_FRAME);
        }
        Self {
            ssrc,
            rtx_ssrc: None,
            rid: rid.map(Arc::from),
            is_paused: false,
            meter: meter::Meter::new(now),
            cname: None,
            begin: now,
            clock_rate: codec.clock_rate,
            sequence: Sequence::default(),
            probation: None,
            newest: None,
            timestamps: Timestamps::default(),
            reception: Reception::default(),
            nack: NackList::default(),
            key_frame,
            timing: Timing::new(now, codec.clock_rate, min),
            media: if is_audio {
                Media::Audio(AudioBuffer::new())
            } else {
                Media::Video(VideoBuffer::new())
            },
            stats: InboundStats::new(ssrc, rid, mid),
        }
    }

    /// Takes a packet. Whether it can still be played does not matter to who forwards it.
    pub(super) fn on_packet(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Rejected> {
        let mut number = self.sequence.extend(packet.number);
        let highest = self.sequence.highest();
        if highest.is_some_and(|highest| self.is_strange(now, highest, number, packet)) {
            number = self.restart(now, packet).ok_or(Rejected::OutOfWindow)?;
        }
        if self.slot_taken(number) {
            return Err(Rejected::Duplicate);
        }
        self.count(now, packet);
        // Browsers send old packets again to find out what the path takes: that is not of the layer.
        if !packet.is_retransmission || self.nack.is_missing(number) {
            let overhead = packet.view.header_len() + packet.view.padding_len();
            self.meter.count(now, packet.payload.len() + overhead);
        }
        self.key_frame.hear(now);
        if !packet.is_retransmission {
            if !packet.is_event() {
                self.follow_clock(packet.codec.clock_rate);
            }
            let arrival = now.saturating_duration_since(self.begin);
            let timestamp = packet.view.timestamp();
            self.reception
                .on_packet(number, timestamp, self.clock_rate, arrival);
        }
        if let Some(highest) = highest
            && !self.is_paused
            && packet.codec.nack
            && number > highest
            && self.nack.on_gap(now, highest, number)
        {
            self.lose(now);
        }
        self.nack.on_arrival(number);
        self.sequence.note(number);
        if highest.is_none_or(|highest| number > highest) {
            let timestamp = self.timestamps.peek(packet.view.timestamp());
            self.newest = Some((now, timestamp));
        }
        if self.is_paused {
            return Ok(());
        }
        if self.is_late(number) {
            self.stats.packets_discarded += 1;
            return Ok(());
        }
        self.keep(now, number, packet);
        Ok(())
    }

    /// Whether a number belongs to another count than those before (RFC 3550 appendix A.1).
    ///
    /// What is behind may be late, a copy, or sent again under its own number; then its media are old,
    /// too. Newer media under an older number, or any when nothing else comes, are of a source that
    /// counts anew.
    fn is_strange(&self, now: Instant, highest: u64, number: u64, packet: &Packet<'_>) -> bool {
        if number > highest {
            let max = match packet.is_retransmission {
                true => MAX_MISORDER,
                false => MAX_DROPOUT,
            };
            return number - highest > max;
        }
        let behind = highest - number;
        if behind <= MAX_MISORDER || packet.is_retransmission || self.nack.is_missing(number) {
            return behind > MAX_DISTANCE;
        }
        let timestamp = self.timestamps.peek(packet.view.timestamp());
        let is_anew = self.newest.is_none_or(|(at, newest)| {
            timestamp > newest || now.saturating_duration_since(at) >= QUIET
        });
        behind > MAX_DISTANCE || is_anew
    }

    /// Another codec may count in another unit (RFC 7160).
    fn follow_clock(&mut self, clock_rate: u32) {
        let before = std::mem::replace(&mut self.clock_rate, clock_rate);
        if before != clock_rate {
            self.timing.set_clock_rate(clock_rate);
            self.reception.change_clock_rate(before, clock_rate);
        }
    }

    /// RFC 3550 appendix A.1: two packets in a row with numbers of another time show that the source
    /// was restarted, or that the network was away for long. The number that the second one gets.
    fn restart(&mut self, now: Instant, packet: &Packet<'_>) -> Option<u64> {
        let expected = Some(packet.number);
        if packet.is_retransmission || self.probation.replace(packet.number.next()) != expected {
            return None;
        }
        self.probation = None;
        self.reception.restart();
        self.nack.clear();
        self.lose(now);
        Some(self.sequence.restart(packet.number))
    }

    fn slot_taken(&self, number: u64) -> bool {
        match &self.media {
            Media::Audio(buffer) => buffer.slot(number).is_some_and(|it| !it.is_copy),
            Media::Video(buffer) => buffer.slot(number).is_some(),
        }
    }

    fn is_late(&self, number: u64) -> bool {
        match &self.media {
            Media::Audio(buffer) => buffer.is_late(number),
            Media::Video(buffer) => buffer.is_late(number),
        }
    }

    fn count(&mut self, now: Instant, packet: &Packet<'_>) {
        let stats = &mut self.stats;
        if !packet.is_event() {
            stats.payload_type = Some(packet.codec.payload_type);
        }
        stats.packets_received += 1;
        stats.bytes_received += packet.payload.len() as u64;
        let overhead = packet.view.header_len() + packet.view.padding_len();
        stats.header_bytes_received += overhead as u64;
        stats.last_packet_received = Some(now);

        if packet.is_retransmission {
            stats.retransmitted_packets_received += 1;
            stats.retransmitted_bytes_received += packet.payload.len() as u64;
        }
        if let Some(level) = packet.extensions.audio_level {
            stats.audio_level = Some(level.linear());
        }
    }

    fn keep(&mut self, now: Instant, number: u64, packet: &Packet<'_>) {
        // A telephone event is not played with the sound, and has the timestamp of its beginning:
        // what is kept of it is that nothing is missing in its place.
        let (extended, payload) = match packet.is_event() {
            true => (self.timestamps.peek(packet.view.timestamp()), &[][..]),
            false => (
                self.timestamps.extend(packet.view.timestamp()),
                packet.payload,
            ),
        };
        let inspected = match payload {
            [] => None,
            payload => payload::inspect(packet.codec.format, payload).ok(),
        };
        let is_key_frame = inspected
            .as_ref()
            .is_some_and(|it| it.is_key_frame == Some(true));
        let info = PacketInfo {
            payload_type: packet.codec.payload_type,
            timestamp: packet.view.timestamp(),
            extended,
            marker: packet.view.marker(),
            received: now,
            starts_frame: inspected.and_then(|it| it.starts_frame),
            is_key_frame,
            audio_level: packet.extensions.audio_level,
            orientation: packet.extensions.orientation,
            is_copy: false,
        };
        match &mut self.media {
            Media::Audio(buffer) => {
                if !packet.is_retransmission && !packet.is_event() {
                    self.timing.observe(now, extended);
                }
                match packet.codec.format {
                    Format::Red { primary } => buffer.insert_red(number, info, primary, payload),
                    _ => buffer.insert(number, info, payload),
                }
            }
            Media::Video(buffer) => {
                // A frame is there when its last packet is.
                if info.marker && !packet.is_retransmission {
                    self.timing.observe(now, extended);
                }
                let is_full = buffer.slots().insert(number, info, payload);
                if is_full {
                    buffer.give_up();
                }
                if buffer.on_packet(number, is_key_frame) || is_full {
                    self.key_frame.want(now);
                }
            }
        }
    }
}
