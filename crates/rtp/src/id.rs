use std::{fmt, time::Duration};

/// A synchronization source, RFC 3550 §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a payload is, RFC 3550 §5.1: a number from 0 to 127 that signaling gives a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadType(u8);

impl PayloadType {
    /// `None` beyond 127.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The low seven bits of the header's second byte.
    pub(crate) const fn of_byte(byte: u8) -> Self {
        Self(byte & 0x7F)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time as NTP has it, RFC 3550 §4: seconds since 1900 in the upper 32 bits, fractions of 2^-32
/// seconds in the lower. It wraps in 2036.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From 1900 to 1970, in seconds.
    const UNIX_EPOCH: u64 = 2_208_988_800;

    /// A time since the Unix epoch.
    pub fn from_unix(time: Duration) -> Self {
        let seconds = time.as_secs().wrapping_add(Self::UNIX_EPOCH);
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }

    /// The time since the Unix epoch; one before it is taken for one after 2036.
    pub fn to_unix(self) -> Duration {
        let seconds = (self.0 >> 32).wrapping_sub(Self::UNIX_EPOCH) & 0xFFFF_FFFF;
        let nanos = ((self.0 & 0xFFFF_FFFF) * 1_000_000_000) >> 32;
        Duration::new(seconds, u32::try_from(nanos).unwrap_or(0))
    }

    /// The middle 32 bits: what reports echo (RFC 3550 §6.4.1, LSR).
    pub const fn compact(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A duration in units of 2^-16 seconds, as DLSR has it (RFC 3550 §6.4.1); the longest if it does not
/// fit.
pub fn compact_duration(duration: Duration) -> u32 {
    let units = (duration.as_nanos() << 16) / 1_000_000_000;
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// What a duration in units of 2^-16 seconds is.
pub fn from_compact_duration(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_times_are_unix_times_70_years_on() {
        let time = Duration::new(1_700_000_000, 250_000_000);
        let ntp = NtpTime::from_unix(time);
        assert_eq!(ntp.0, (1_700_000_000 + 2_208_988_800) << 32 | 0x4000_0000);
        assert_eq!(ntp.to_unix(), time);
        assert_eq!(ntp.compact() & 0xFFFF, 0x4000);
        // Past the wrap in February 2036.
        let late = Duration::from_secs(2_200_000_000);
        assert_eq!(NtpTime::from_unix(late).to_unix(), late);
    }

    #[test]
    fn compact_durations_go_there_and_back() {
        assert_eq!(compact_duration(Duration::from_millis(500)), 0x8000);
        assert_eq!(from_compact_duration(0x1_8000), Duration::from_millis(1500));
        assert_eq!(compact_duration(Duration::from_secs(100_000)), u32::MAX);
        assert_eq!(PayloadType::new(128), None);
    }
}
