use std::time::{Duration, Instant};

use pc_proto::Serial32;

use super::{EventCode, ticks};
use crate::payload::telephone_event::{MAX_DURATION, MAX_VOLUME, TelephoneEvent, WIRE_LEN};

/// How loud tones are unless told otherwise, in -dBm0: as browsers send them.
pub const DEFAULT_VOLUME: u8 = 10;

/// How often an event that lasts is told of, unless told otherwise: as often as sound is sent.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(20);

/// RFC 4733 §2.5.1.4: how often the last packet of an event, and of each of its segments, is sent.
const FINAL_PACKETS: u8 = 3;

/// A packet to be sent: what is not of its stream alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Whether it is the first of an event (RFC 4733 §2.5.1.1).
    pub marker: bool,
    /// When the event, or this segment of it, began (RFC 4733 §2.2).
    pub timestamp: Serial32,
    /// A [telephone event](crate::payload::telephone_event).
    pub payload: [u8; WIRE_LEN],
}

/// Why an event is not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// Another one is being played: events do not overlap.
    #[error("another event is being played")]
    Busy,
}

/// Plays events, one after the other, as [RFC 4733 §2.5.1](https://www.rfc-editor.org/rfc/rfc4733#section-2.5.1)
/// says.
///
/// ```text
///         play()           duration over        three final packets sent
///  idle ─────────▶ playing ────────────▶ ending ────────────────────────▶ idle
///                     ▲      or stop()     │
///                     └────────────────────┘ play()
/// ```
///
/// An update leaves at each interval, the first when one interval has passed: before, there is nothing
/// to tell. What has to leave in the stead of sound does so while it [is active](Self::is_active).
#[derive(Debug, Clone)]
pub struct Transmitter {
    clock_rate: u32,
    interval: Duration,
    volume: u8,
    playing: Option<Playing>,
    ending: Option<Ending>,
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    code: EventCode,
    timestamp: Serial32,
    begin: Instant,
    duration: Duration,
    /// What has been told, since `begin`; zero before the first packet.
    told: Duration,
    is_marked: bool,
    /// Where the segment begins that is being told of, in ticks since `begin` (§2.5.1.3).
    segment: u64,
    /// How many of that segment's final packets have been sent.
    segment_finals: u8,
}

/// An event is over, and is told to be so again.
#[derive(Debug, Clone, Copy)]
struct Ending {
    packet: Packet,
    left: u8,
    at: Instant,
}

impl Transmitter {
    /// One for a payload type with this clock: 8,000 and 48,000 are what is negotiated.
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            interval: DEFAULT_INTERVAL,
            volume: DEFAULT_VOLUME,
            playing: None,
            ending: None,
        }
    }

    /// How often an event is told of: as often as its stream has packets of sound (RFC 4733 §2.5.1.2),
    /// which is every 20 ms unless this says otherwise.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.max(Duration::from_millis(1));
    }

    /// How loud the events to come are, in -dBm0: [`DEFAULT_VOLUME`] unless this says otherwise.
    pub fn set_volume(&mut self, volume: u8) {
        self.volume = volume.min(MAX_VOLUME);
    }

    /// Plays an event that begins now, which is `timestamp` on the stream's clock. Final packets of the
    /// one before may still have to leave; its tone is over.
    ///
    /// # Errors
    ///
    /// The event before is not over.
    pub fn play(
        &mut self,
        now: Instant,
        timestamp: Serial32,
        code: EventCode,
        duration: Duration,
    ) -> Result<(), PlayError> {
        if self.playing.is_some() {
            return Err(PlayError::Busy);
        }
        self.playing = Some(Playing {
            code,
            timestamp,
            begin: now,
            duration,
            told: Duration::ZERO,
            is_marked: false,
            segment: 0,
            segment_finals: 0,
        });
        Ok(())
    }

    /// Ends what is being played.
    pub fn stop(&mut self, now: Instant) {
        if let Some(playing) = &mut self.playing {
            let lasted = now.saturating_duration_since(playing.begin);
            playing.duration = playing.duration.min(lasted).max(playing.told);
        }
    }

    /// Whether an event is being played, or final packets of one have to leave: no sound is sent
    /// meanwhile.
    pub fn is_active(&self) -> bool {
        self.playing.is_some() || self.ending.is_some()
    }

    /// The next packet that is due: call until there is none. Updates that have been missed are left
    /// out, as the next one tells the same.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Packet> {
        let due = self.playing.filter(|it| it.next(self.interval) <= now);
        // Whatever follows comes after the final packets of the event before, even if they are early.
        let ending = self.ending.filter(|it| it.at <= now || due.is_some());
        if let Some(ending) = ending {
            self.ending = ending.after(now + self.interval);
            return Some(ending.packet);
        }
        self.tell(now, due?)
    }

    /// When [`poll_packet`](Self::poll_packet) has something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let playing = self.playing.map(|it| it.next(self.interval));
        let ending = self.ending.map(|it| it.at);
        playing.into_iter().chain(ending).min()
    }

    /// Tells how long the event has lasted.
    fn tell(&mut self, now: Instant, mut playing: Playing) -> Option<Packet> {
        let told = playing.lasted(now, self.interval);
        let is_end = told == playing.duration;
        let lasted = ticks(told, self.clock_rate).max(1);
        let since_segment = lasted.saturating_sub(playing.segment);
        let marker = !std::mem::replace(&mut playing.is_marked, true);
        let timestamp = playing.segment_timestamp();
        let Ok(duration) = u16::try_from(since_segment) else {
            let payload = self.payload(playing.code, false, MAX_DURATION);
            playing.end_segment();
            self.playing = Some(playing);
            return Some(Packet {
                marker,
                timestamp,
                payload,
            });
        };
        let packet = Packet {
            marker,
            timestamp,
            payload: self.payload(playing.code, is_end, duration),
        };
        playing.told = told;
        self.playing = Some(playing).filter(|_| !is_end);
        if is_end {
            self.ending = Ending::of(packet, now + self.interval);
        }
        Some(packet)
    }

    fn payload(&self, code: EventCode, is_end: bool, duration: u16) -> [u8; WIRE_LEN] {
        let event = TelephoneEvent {
            code,
            is_end,
            volume: self.volume,
            duration,
        };
        event.to_bytes()
    }
}

impl Playing {
    /// When there is something to tell.
    fn next(&self, interval: Duration) -> Instant {
        self.begin + self.duration.min(self.told + interval)
    }

    /// How long the event has lasted: in whole intervals, until it is over.
    fn lasted(&self, now: Instant, interval: Duration) -> Duration {
        let lasted = now.saturating_duration_since(self.begin);
        if lasted >= self.duration {
            return self.duration;
        }
        let more = lasted.saturating_sub(self.told).as_nanos() % interval.as_nanos().max(1);
        lasted.saturating_sub(Duration::from_nanos(u64::try_from(more).unwrap_or(0)))
    }

    fn segment_timestamp(&self) -> Serial32 {
        // The stream's timestamps wrap, too.
        self.timestamp
            .plus((self.segment & u64::from(u32::MAX)) as u32)
    }

    /// RFC 4733 §2.5.1.3: the longest duration there is has been told, without the end bit; what
    /// comes after it has a timestamp of its own.
    ///
    /// Its final packets leave together, not an interval apart (§2.5.1.4): there are receivers that take
    /// a timestamp they had left for a new event.
    fn end_segment(&mut self) {
        self.segment_finals += 1;
        if self.segment_finals == FINAL_PACKETS {
            self.segment += u64::from(MAX_DURATION);
            self.segment_finals = 0;
        }
    }
}

impl Ending {
    /// The event's final packet has left for the first time.
    fn of(packet: Packet, at: Instant) -> Option<Self> {
        let packet = Packet {
            marker: false,
            ..packet
        };
        let first = Self {
            packet,
            left: FINAL_PACKETS,
            at,
        };
        first.after(at)
    }

    /// What is left when it has left once more.
    fn after(self, at: Instant) -> Option<Self> {
        let left = self.left - 1;
        (left > 0).then_some(Self { left, at, ..self })
    }
}
