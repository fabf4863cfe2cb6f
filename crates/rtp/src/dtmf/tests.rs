//! What both ends rely on: the wire is as the RFC says, and what was pressed is heard once.

mod loss;
mod received;
mod sent;

use std::time::{Duration, Instant};

use pc_proto::Serial32;

use super::*;
use crate::payload::telephone_event::{self, TelephoneEvent};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Where virtual time begins.
#[expect(clippy::disallowed_methods, reason = "any instant will do")]
fn beginning() -> Instant {
    Instant::now()
}

fn key(tone: char) -> EventCode {
    EventCode::from_tone(tone).unwrap()
}

/// A packet, and when it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    at: Duration,
    packet: Packet,
}

impl Sent {
    fn event(&self) -> TelephoneEvent {
        let mut events = telephone_event::parse(&self.packet.payload).unwrap();
        events.next().unwrap()
    }

    /// When, on which timestamp, for how many ticks, with which bits: as a table has it.
    fn line(&self) -> (u64, u32, u16, &'static str) {
        let event = self.event();
        let bits = match (self.packet.marker, event.is_end) {
            (true, true) => "ME",
            (true, false) => "M",
            (false, true) => "E",
            (false, false) => "",
        };
        let at = self.at.as_millis() as u64;
        (at, self.packet.timestamp.0, event.duration, bits)
    }
}

/// A transmitter whose packets leave when they are due.
struct Line {
    transmitter: Transmitter,
    begin: Instant,
    sent: Vec<Sent>,
}

impl Line {
    fn new(clock_rate: u32) -> Self {
        Self {
            transmitter: Transmitter::new(clock_rate),
            begin: beginning(),
            sent: Vec::new(),
        }
    }

    /// Lets time go on to `until`.
    fn run(&mut self, until: Duration) {
        while let Some(at) = self.transmitter.poll_timeout()
            && at <= self.begin + until
        {
            self.poll(at - self.begin);
        }
    }

    /// Looks for packets at `at` alone.
    fn poll(&mut self, at: Duration) {
        while let Some(packet) = self.transmitter.poll_packet(self.begin + at) {
            self.sent.push(Sent { at, packet });
        }
    }

    fn play(&mut self, at: Duration, timestamp: u32, tone: char, duration: Duration) {
        let (now, start) = (self.begin + at, Serial32(timestamp));
        let played = self.transmitter.play(now, start, key(tone), duration);
        played.unwrap();
    }
}
