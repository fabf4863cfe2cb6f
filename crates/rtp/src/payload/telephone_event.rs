//! Telephone events, [RFC 4733 §2.3](https://www.rfc-editor.org/rfc/rfc4733#section-2.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     event     |E|R| volume    |          duration             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A payload is one of them, or several that follow each other without a pause (§2.5.1.5).
//!
//! ```
//! use pc_proto::Writer;
//! use pc_rtp::{dtmf::EventCode, payload::telephone_event::{self, TelephoneEvent}};
//!
//! let code = EventCode::from_tone('#').ok_or("no tone")?;
//! let sent = TelephoneEvent { code, is_end: true, volume: 10, duration: 800 };
//! let mut payload = [0; telephone_event::WIRE_LEN];
//! sent.write(&mut Writer::new(&mut payload))?;
//! assert_eq!(payload, [11, 0x8A, 0x03, 0x20]);
//! assert_eq!(telephone_event::parse(&payload)?.collect::<Vec<_>>(), [sent]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use pc_proto::{ParseError, WriteError, Writer};

use crate::dtmf::EventCode;

/// The bytes of one event.
pub const WIRE_LEN: usize = 4;

/// The longest that one event, or one segment of a longer one, can last: in ticks (§2.5.1.3).
pub const MAX_DURATION: u16 = u16::MAX;

/// The weakest volume that can be told (§2.3.4): six bits.
pub const MAX_VOLUME: u8 = 0x3F;

/// The E bit (§2.3.2).
const END: u8 = 0x80;

/// What a payload says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TelephoneEvent {
    /// Which it is.
    pub code: EventCode,
    /// Whether the event is over: `duration` is its whole duration, or that of its last segment.
    pub is_end: bool,
    /// How loud a tone is, in -dBm0: from 0, the loudest, to [`MAX_VOLUME`], which is also written for
    /// what is beyond. Without a meaning for events that are no tones.
    pub volume: u8,
    /// How long the event, or this segment of it, has lasted since the packet's timestamp: in ticks of
    /// the payload type's clock. 0 for a state that lasts (§2.3.5), which no tone is.
    pub duration: u16,
}

impl TelephoneEvent {
    fn read(bytes: [u8; WIRE_LEN]) -> Self {
        let [code, flags, high, low] = bytes;
        Self {
            code: EventCode(code),
            is_end: flags & END != 0,
            volume: flags & MAX_VOLUME,
            duration: u16::from_be_bytes([high, low]),
        }
    }

    /// The event as it is sent. The reserved bit is 0 (§2.3.3).
    pub fn to_bytes(&self) -> [u8; WIRE_LEN] {
        let end = if self.is_end { END } else { 0 };
        let [high, low] = self.duration.to_be_bytes();
        [self.code.0, end | self.volume.min(MAX_VOLUME), high, low]
    }

    /// Writes [`WIRE_LEN`] bytes.
    ///
    /// # Errors
    ///
    /// There is no room.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        writer.bytes(&self.to_bytes())
    }
}

impl fmt::Display for TelephoneEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.is_end { " end" } else { "" };
        let (code, ticks, volume) = (self.code, self.duration, self.volume);
        write!(f, "{code}{end} {ticks} ticks -{volume} dBm0")
    }
}

/// The events of `payload`, in the order in which they happened: each begins where the one before it
/// has ended, the first at the packet's timestamp (§2.5.1.5).
///
/// # Errors
///
/// No event, or a part of one.
pub fn parse(payload: &[u8]) -> Result<Events<'_>, ParseError> {
    let (events, rest) = payload.as_chunks::<WIRE_LEN>();
    if events.is_empty() || !rest.is_empty() {
        return Err(ParseError {
            what: "telephone event",
            at: payload.len() - rest.len(),
        });
    }
    Ok(Events(events.iter()))
}

/// The events of a payload: see [`parse`].
#[derive(Debug, Clone)]
pub struct Events<'a>(std::slice::Iter<'a, [u8; WIRE_LEN]>);

impl Iterator for Events<'_> {
    type Item = TelephoneEvent;

    fn next(&mut self) -> Option<TelephoneEvent> {
        self.0.next().copied().map(TelephoneEvent::read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Events<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(code: u8, is_end: bool, volume: u8, duration: u16) -> TelephoneEvent {
        TelephoneEvent {
            code: EventCode(code),
            is_end,
            volume,
            duration,
        }
    }

    /// What a browser sends for a "5" of 100 ms at 48,000 Hz, and how it ends.
    #[test]
    fn what_browsers_send_is_read() {
        let read = |bytes: &[u8]| parse(bytes).unwrap().collect::<Vec<_>>();
        assert_eq!(read(&[0x05, 0x0A, 0x03, 0xC0]), [event(5, false, 10, 960)]);
        assert_eq!(read(&[0x05, 0x8A, 0x12, 0xC0]), [event(5, true, 10, 4800)]);
        assert_eq!(
            event(5, true, 10, 4800).to_string(),
            "5 end 4800 ticks -10 dBm0"
        );
    }

    /// RFC 4733 §2.3.3: the reserved bit is ignored.
    #[test]
    fn the_reserved_bit_says_nothing() {
        let read = parse(&[1, 0x4A, 0, 1]).unwrap().next();
        assert_eq!(read, Some(event(1, false, 10, 1)));
    }

    #[test]
    fn several_events_follow_each_other() {
        let bytes = [9, 0x80, 0, 80, 1, 0x05, 0, 40];
        let events = parse(&bytes).unwrap();
        assert_eq!(events.len(), 2);
        let expected = [event(9, true, 0, 80), event(1, false, 5, 40)];
        assert_eq!(events.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn parts_of_an_event_are_refused() {
        for len in [0, 1, 2, 3, 5, 6, 7] {
            let error = parse(&[0; 7][..len]).unwrap_err();
            assert_eq!(error.at, len / WIRE_LEN * WIRE_LEN, "{len}");
        }
    }

    proptest! {
        #[test]
        fn an_event_comes_back(code: u8, is_end: bool, volume in 0..=MAX_VOLUME, duration: u16) {
            let sent = event(code, is_end, volume, duration);
            let mut bytes = [0; WIRE_LEN];
            sent.write(&mut Writer::new(&mut bytes)).unwrap();
            prop_assert_eq!(parse(&bytes).unwrap().collect::<Vec<_>>(), [sent]);
            prop_assert!(sent.write(&mut Writer::new(&mut bytes[..3])).is_err());
        }
    }
}
