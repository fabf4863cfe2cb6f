//! What the fuzz target `telephone_event` runs.
//!
//! The first byte chooses the clock; then operations, each a byte and what it needs: a packet that
//! comes, time that goes by, a key that is pressed or let go of.

use std::time::{Duration, Instant};

use pc_proto::{Serial32, Writer};
use pc_rtp::{
    dtmf::{Event, EventCode, Receiver, Transmitter},
    payload::telephone_event::{self, WIRE_LEN},
};

/// Runs one input; panics where a promise is broken.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let clock_rate = [8_000, 48_000, 1, 0][usize::from(*first % 4)];
    let mut ends = Ends {
        now: beginning(),
        timestamp: Serial32(0),
        transmitter: Transmitter::new(clock_rate),
        receiver: Receiver::new(clock_rate),
        is_open: false,
    };
    let mut rest = rest;
    while let Some((operation, after)) = rest.split_first() {
        rest = ends.operate(*operation, after);
        ends.drain();
    }
    ends.receiver.stop();
    ends.drain();
    assert!(!ends.is_open, "what begins ends");
}

/// Where virtual time begins.
#[allow(clippy::disallowed_methods)]
fn beginning() -> Instant {
    Instant::now()
}

struct Ends {
    now: Instant,
    timestamp: Serial32,
    transmitter: Transmitter,
    receiver: Receiver,
    is_open: bool,
}

impl Ends {
    fn operate<'a>(&mut self, operation: u8, rest: &'a [u8]) -> &'a [u8] {
        match operation % 6 {
            0 => self.packet(operation & 0x80 != 0, rest),
            1 => {
                let Some((ms, rest)) = rest.split_first_chunk() else {
                    return &[];
                };
                self.now += Duration::from_millis(u16::from_be_bytes(*ms).into());
                self.receiver.handle_timeout(self.now);
                rest
            }
            2 => {
                let Some(([code, high, low], rest)) = rest.split_first_chunk() else {
                    return &[];
                };
                let duration = Duration::from_millis(u16::from_be_bytes([*high, *low]).into());
                let code = EventCode(*code);
                let _ = (self.transmitter).play(self.now, self.timestamp, code, duration);
                rest
            }
            3 => {
                self.transmitter.stop(self.now);
                rest
            }
            4 => {
                self.transmit();
                rest
            }
            _ => {
                if let Some(at) = self.transmitter.poll_timeout() {
                    self.now = self.now.max(at);
                    assert!(self.transmit() > 0, "what is due is there");
                }
                rest
            }
        }
    }

    /// A packet of anybody's: how far its timestamp is from the last one, its length, its payload.
    fn packet<'a>(&mut self, marker: bool, rest: &'a [u8]) -> &'a [u8] {
        let Some(([a, b, c, d, len], rest)) = rest.split_first_chunk() else {
            return &[];
        };
        let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        self.timestamp = self.timestamp.plus(u32::from_be_bytes([*a, *b, *c, *d]));
        let taken = (self.receiver).handle_packet(self.now, marker, self.timestamp, payload);
        match telephone_event::parse(payload) {
            Ok(events) => {
                taken.unwrap();
                assert_eq!(events.len() * WIRE_LEN, payload.len());
                let mut again = vec![0; payload.len()];
                let mut writer = Writer::new(&mut again);
                events.for_each(|event| event.write(&mut writer).unwrap());
                let (sent, read) = (payload.iter(), again.iter());
                // All but the reserved bit.
                let mut pairs = sent.zip(read).enumerate();
                assert!(pairs.all(|(at, (sent, read))| match at % WIRE_LEN {
                    1 => sent & 0xBF == *read,
                    _ => sent == read,
                }));
            }
            Err(error) => {
                assert_eq!(taken, Err(error));
                assert!(error.at <= payload.len());
            }
        }
        rest
    }

    /// What is sent is heard. The number of packets.
    fn transmit(&mut self) -> usize {
        let mut count = 0;
        while let Some(packet) = self.transmitter.poll_packet(self.now) {
            let mut events = telephone_event::parse(&packet.payload).unwrap();
            assert!(events.all(|event| event.duration > 0));
            let (marker, timestamp) = (packet.marker, packet.timestamp);
            let taken = (self.receiver).handle_packet(self.now, marker, timestamp, &packet.payload);
            taken.unwrap();
            count += 1;
        }
        assert!(
            self.transmitter
                .poll_timeout()
                .is_none_or(|at| at > self.now)
        );
        assert!(self.transmitter.is_active() == self.transmitter.poll_timeout().is_some());
        count
    }

    fn drain(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            let begins = matches!(event, Event::Begin(_));
            assert_ne!(begins, self.is_open, "{event:?}");
            self.is_open = begins;
        }
    }
}
