//! RTP timestamps as a time that does not wrap.

use std::time::Duration;

/// The time since the first frame of a receiver. It goes on where timestamps jump, as they do when
/// the peer's source changes.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    last: Option<(u32, Duration)>,
}

/// A jump of more than this is another source's time line.
const MAX_JUMP: Duration = Duration::from_secs(30);

impl Unwrapped {
    /// Where a timestamp in ticks of `clock_rate` is.
    pub(super) fn place(&mut self, timestamp: u32, clock_rate: u32) -> Duration {
        let Some((last, at)) = self.last else {
            self.last = Some((timestamp, Duration::ZERO));
            return Duration::ZERO;
        };
        // The shorter way round (RFC 1982).
        let steps = i64::from(timestamp.wrapping_sub(last).cast_signed());
        let nanos = steps.unsigned_abs() * 1_000_000_000 / u64::from(clock_rate.max(1));
        let way = Duration::from_nanos(nanos);
        let next = match steps {
            _ if way > MAX_JUMP => at,
            0.. => at + way,
            _ => at.saturating_sub(way),
        };
        if steps > 0 || way > MAX_JUMP {
            self.last = Some((timestamp, next));
        }
        next
    }

    /// Another stream goes on where this one was, so much later; its first frame has this timestamp.
    pub(super) fn go_on(&mut self, timestamp: u32, passed: Duration) {
        if let Some((_, at)) = self.last {
            self.last = Some((timestamp, at + passed));
        }
    }

    /// Where the last one was.
    pub(super) fn last(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_where_timestamps_wrap_and_jump() {
        let mut line = Unwrapped::default();
        let ms = Duration::from_millis;
        assert_eq!(line.place(u32::MAX - 89, 90_000), ms(0));
        assert_eq!(line.place(0, 90_000), ms(1));
        assert_eq!(line.place(180, 90_000), ms(3));
        assert_eq!(line.place(90, 90_000), ms(2)); // out of order
        assert_eq!(line.place(0x7000_0000, 90_000), ms(3)); // another source
        assert_eq!(line.place(0x7000_0000 + 900, 90_000), ms(13));
        line.go_on(0x7000_0000, ms(20)); // another layer, by chance near the one before
        assert_eq!(line.place(0x7000_0000, 90_000), ms(33));
        assert_eq!(line.place(0x7000_0000 + 900, 90_000), ms(43));
    }
}
