use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::{ParseError, Serial32};

use super::{EventCode, ticks, time};
use crate::payload::telephone_event::{self, MAX_DURATION, TelephoneEvent};

/// An event of which nothing has been heard for so long is over: its final packets are lost. Updates
/// come every 50 ms at least (RFC 4733 §2.5.1.2), so as many in a row would have to be lost.
const SILENCE: Duration = Duration::from_millis(300);

/// Packets that tell of a time before the last event are late; those from longer ago than this are of a
/// source that has set its clock anew.
const MAX_LATE: Duration = Duration::from_secs(10);

/// A segment follows the one before it even if this many between them were lost.
const MAX_SEGMENTS: u64 = 8;

/// How much later than the one before it has ended a segment may begin: libwebrtc begins it with the
/// packet in which it tells of it first.
const MAX_SEGMENT_GAP: Duration = Duration::from_millis(60);

/// How many events wait to be polled. Beyond, no event begins.
const MAX_EVENTS: usize = 1024;

/// What was heard. To each [`Begin`](Self::Begin) there is one [`End`](Self::End), before the next one
/// begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An event has begun.
    Begin(Begun),
    /// It is over.
    End(Ended),
}

/// An event that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub code: EventCode,
    /// How loud, in -dBm0.
    pub volume: u8,
    /// When, on the stream's clock.
    pub timestamp: Serial32,
}

/// An event that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub code: EventCode,
    /// How loud it was, in -dBm0.
    pub volume: u8,
    /// When it began, on the stream's clock.
    pub timestamp: Serial32,
    /// How long it lasted, as far as was heard.
    pub duration: Duration,
    /// Whether the peer has told that it is over. If not, its final packets were lost, and it may have
    /// lasted longer.
    pub is_complete: bool,
}

/// Makes one event of the packets that tell of it, whichever of them are lost, late or there twice
/// ([RFC 4733 §2.5.2](https://www.rfc-editor.org/rfc/rfc4733#section-2.5.2)).
///
/// ```text
///        a packet              end bit, silence, stop()
///  idle ──────────▶ playing ───────────────────────────▶ over
///                   ▲   │ ▲                               │
///                   └───┘ └───────────────────────────────┘
///                     a packet with a later timestamp
/// ```
///
/// An event is known by its timestamp. One that begins ends the one before; packets from before the
/// last one are dropped, so that events never come in another order than they were sent in. One
/// receiver is for one stream and one clock.
#[derive(Debug, Clone)]
pub struct Receiver {
    clock_rate: u32,
    state: State,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    Playing(Playing),
    /// What further packets of the last event are known by, and whether it may go on: it fell silent
    /// before it was over.
    Over(Segment, bool),
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    begun: Begun,
    segment: Segment,
    /// How long the segments before have lasted, in ticks.
    before: u64,
    /// When it was heard of last.
    heard: Instant,
}

/// The part of an event that its last packets told of; most have one alone (RFC 4733 §2.5.1.3).
#[derive(Debug, Clone, Copy)]
struct Segment {
    code: EventCode,
    timestamp: Serial32,
    duration: u16,
}

impl Receiver {
    /// One for a payload type with this clock.
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            state: State::Idle,
            events: VecDeque::new(),
        }
    }

    /// Takes a packet of the stream with the payload type of telephone events.
    ///
    /// # Errors
    ///
    /// It is none; nothing has changed.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        marker: bool,
        timestamp: Serial32,
        payload: &[u8],
    ) -> Result<(), ParseError> {
        self.handle_timeout(now);
        let (mut marker, mut timestamp) = (marker, timestamp);
        for event in telephone_event::parse(payload)? {
            self.hear(now, marker, timestamp, event);
            // RFC 4733 §2.5.1.5: each begins where the one before it has ended.
            marker = false;
            timestamp = timestamp.plus(u32::from(event.duration));
        }
        Ok(())
    }

    /// Ends an event that has not been heard of for long.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.end(false);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Playing(playing) => Some(playing.heard + SILENCE),
            State::Idle | State::Over(..) => None,
        }
    }

    /// No more packets will come: what is being played is over.
    pub fn stop(&mut self) {
        self.end(false);
    }

    /// Another stream, or another payload type, is listened to from now on: what is being played is
    /// over, and nothing of it is known.
    pub fn restart(&mut self, clock_rate: u32) {
        self.end(false);
        self.clock_rate = clock_rate.max(1);
        self.state = State::Idle;
    }

    /// What was heard, in its order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn hear(&mut self, now: Instant, marker: bool, timestamp: Serial32, event: TelephoneEvent) {
        // RFC 4733 §2.3.5: a state that lasts, which no tone is; or a tone of which nothing can be
        // told yet.
        if event.duration == 0 {
            return;
        }
        let known = match &self.state {
            State::Idle => None,
            State::Playing(playing) => Some((playing.segment, true)),
            State::Over(segment, may_go_on) => Some((*segment, *may_go_on)),
        };
        let Some((segment, may_go_on)) = known else {
            return self.begin(now, timestamp, event);
        };
        if segment.timestamp == timestamp {
            if segment.code == event.code {
                self.update(now, event);
            }
        } else if segment.is_after(timestamp, self.clock_rate) {
            // Late, and known: or it would be told in the wrong order.
        } else if may_go_on
            && !marker
            && let Some(lasted) = segment.followed_by(timestamp, event.code, self.clock_rate)
        {
            self.go_on(lasted, timestamp, event);
            self.update(now, event);
        } else {
            self.end(false);
            self.begin(now, timestamp, event);
        }
    }

    fn begin(&mut self, now: Instant, timestamp: Serial32, event: TelephoneEvent) {
        // Its end is to have room, too.
        if self.events.len() + 2 > MAX_EVENTS {
            return;
        }
        let begun = Begun {
            code: event.code,
            volume: event.volume,
            timestamp,
        };
        self.events.push_back(Event::Begin(begun));
        self.state = State::Playing(Playing {
            begun,
            segment: Segment {
                code: event.code,
                timestamp,
                duration: 0,
            },
            before: 0,
            heard: now,
        });
        self.update(now, event);
    }

    /// More is told of the segment that is being played; of one that is over, nothing new can be.
    fn update(&mut self, now: Instant, event: TelephoneEvent) {
        if let State::Playing(playing) = &mut self.state {
            let segment = &mut playing.segment;
            segment.duration = segment.duration.max(event.duration);
            playing.heard = now;
        }
        if event.is_end {
            self.end(true);
        }
    }

    /// The event goes on in another segment; those up to it have lasted so long.
    fn go_on(&mut self, lasted: u64, timestamp: Serial32, event: TelephoneEvent) {
        let next = Segment {
            code: event.code,
            timestamp,
            duration: 0,
        };
        match &mut self.state {
            State::Playing(playing) => {
                playing.before += lasted;
                playing.segment = next;
            }
            State::Over(segment, _) => *segment = next,
            State::Idle => {}
        }
    }

    fn end(&mut self, is_complete: bool) {
        match &mut self.state {
            State::Playing(playing) => {
                let lasted = playing.before + u64::from(playing.segment.duration);
                self.events.push_back(Event::End(Ended {
                    code: playing.begun.code,
                    volume: playing.begun.volume,
                    timestamp: playing.begun.timestamp,
                    duration: time(lasted, self.clock_rate),
                    is_complete,
                }));
                self.state = State::Over(playing.segment, !is_complete);
            }
            // The end of what had fallen silent.
            State::Over(_, may_go_on) => *may_go_on &= !is_complete,
            State::Idle => {}
        }
    }
}

impl Segment {
    /// Whether `timestamp` is of before this segment.
    fn is_after(&self, timestamp: Serial32, clock_rate: u32) -> bool {
        let late = u64::from(self.timestamp.steps_from(timestamp));
        late <= ticks(MAX_LATE, clock_rate)
    }

    /// How long this segment and those after it have lasted, in ticks, if an event with this timestamp
    /// is the next one: where this one has ended, or would have if its last packets, or whole segments,
    /// are lost (RFC 4733 §2.5.1.3); or a bit later. That bit is of no segment: who begins them late
    /// means to play no longer for it.
    fn followed_by(&self, timestamp: Serial32, code: EventCode, clock_rate: u32) -> Option<u64> {
        let longest = u32::from(MAX_DURATION);
        let ahead = timestamp.steps_from(self.timestamp);
        let is_next = ahead == u32::from(self.duration) && self.duration > 0;
        let (segments, later) = (u64::from(ahead / longest), u64::from(ahead % longest));
        let is_further = (1..=MAX_SEGMENTS).contains(&segments)
            && later <= segments * ticks(MAX_SEGMENT_GAP, clock_rate)
            && (later == 0 || segments > 1 || self.is_long(clock_rate));
        let lasted = if is_next {
            u64::from(ahead)
        } else {
            segments * u64::from(longest)
        };
        (code == self.code && (is_next || is_further)).then_some(lasted)
    }

    /// Whether as much was heard of it as must be of one that has not fallen silent before its end.
    fn is_long(&self, clock_rate: u32) -> bool {
        let heard = u64::from(self.duration) + ticks(SILENCE + MAX_SEGMENT_GAP, clock_rate);
        heard >= u64::from(MAX_DURATION)
    }
}
