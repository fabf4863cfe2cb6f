//! Keys pressed on a telephone, [RFC 4733](https://www.rfc-editor.org/rfc/rfc4733): what sends their
//! events, and what makes one event of the packets that tell of it.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use pc_proto::Serial32;
//! use pc_rtp::dtmf::{Event, EventCode, Receiver, Transmitter};
//!
//! let mut now = Instant::now();
//! let mut transmitter = Transmitter::new(48_000);
//! let mut receiver = Receiver::new(48_000);
//!
//! let five = EventCode::from_tone('5').ok_or("no tone")?;
//! transmitter.play(now, Serial32(9600), five, Duration::from_millis(100))?;
//! while let Some(at) = transmitter.poll_timeout() {
//!     now = at;
//!     while let Some(packet) = transmitter.poll_packet(now) {
//!         receiver.handle_packet(now, packet.marker, packet.timestamp, &packet.payload)?;
//!     }
//! }
//! assert!(matches!(receiver.poll_event(), Some(Event::Begin(begun)) if begun.code == five));
//! let Some(Event::End(ended)) = receiver.poll_event() else { return Err("no end".into()) };
//! assert_eq!(ended.duration, Duration::from_millis(100));
//! assert_eq!(receiver.poll_event(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code;
mod receiver;
mod transmitter;

#[cfg(test)]
mod tests;

pub use code::EventCode;
pub use receiver::{Begun, Ended, Event, Receiver};
pub use transmitter::{DEFAULT_VOLUME, Packet, PlayError, Transmitter};

use std::time::Duration;

/// A time in ticks of a clock, rounded down.
fn ticks(time: Duration, clock_rate: u32) -> u64 {
    let ticks = time.as_nanos() * u128::from(clock_rate) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// The time of so many ticks of a clock.
fn time(ticks: u64, clock_rate: u32) -> Duration {
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(clock_rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
