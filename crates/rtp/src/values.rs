//! What typed header extensions say.

use std::time::Duration;

use crate::NtpTime;

/// How loud a packet of audio is ([RFC 6464](https://www.rfc-editor.org/rfc/rfc6464)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioLevel {
    /// Whether somebody speaks.
    pub voice: bool,
    /// From 0, the loudest, to 127, silence: in -dBov.
    pub level: u8,
}

impl AudioLevel {
    /// Of 16-bit samples, by their root mean square (RFC 6464 §3): silence is 127.
    pub fn of_samples(samples: &[i16]) -> Self {
        let sum: f64 = samples
            .iter()
            .map(|it| f64::from(*it) * f64::from(*it))
            .sum();
        let mean = sum / samples.len().max(1) as f64;
        let level = if mean <= 0.0 {
            127.0
        } else {
            -10.0 * (mean / (32_768.0 * 32_768.0)).log10()
        };
        let level = level.round().clamp(0.0, 127.0) as u8;
        Self {
            voice: level < 50,
            level,
        }
    }

    /// From 0, silence, to 1, the loudest, as the W3C's `audioLevel` has it
    /// ([webrtc-pc §5.3](https://www.w3.org/TR/webrtc/#dom-rtcrtpcontributingsource-audiolevel)).
    pub fn linear(self) -> f64 {
        match self.level {
            127.. => 0.0,
            level => 10_f64.powf(-f64::from(level) / 20.0),
        }
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let byte = data.first()?;
        Some(Self {
            voice: byte & 0x80 != 0,
            level: byte & 0x7F,
        })
    }

    pub(crate) fn write(self) -> [u8; 1] {
        [u8::from(self.voice) << 7 | self.level.min(127)]
    }
}

/// When a packet left: seconds in 24 bits, 6.18, which wrap after 64 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AbsSendTime(pub u32);

impl AbsSendTime {
    /// From a time on any clock.
    pub fn from_duration(time: Duration) -> Self {
        let units = (time.as_nanos() << 18) / 1_000_000_000;
        Self((units & 0xFF_FFFF) as u32)
    }

    /// The time modulo 64 seconds.
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos((u64::from(self.0 & 0xFF_FFFF) * 1_000_000_000) >> 18)
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let [a, b, c] = *data.first_chunk::<3>()?;
        Some(Self(u32::from_be_bytes([0, a, b, c])))
    }

    pub(crate) fn write(self) -> [u8; 3] {
        let [_, bytes @ ..] = self.0.to_be_bytes();
        bytes
    }
}

/// Which way a picture is turned, 3GPP TS 26.114 §7.4.5: `0000 C F R1 R0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VideoOrientation {
    /// Taken by the camera on the back.
    pub back_camera: bool,
    /// To be mirrored.
    pub flip: bool,
    /// Quarters of a turn, clockwise, that the picture is to be turned before it is shown: 0 to 3.
    pub quarters: u8,
}

impl VideoOrientation {
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let byte = data.first()?;
        Some(Self {
            back_camera: byte & 8 != 0,
            flip: byte & 4 != 0,
            quarters: byte & 3,
        })
    }

    pub(crate) fn write(self) -> [u8; 1] {
        [u8::from(self.back_camera) << 3 | u8::from(self.flip) << 2 | self.quarters & 3]
    }
}

/// How long a frame is to wait before it is played, at least and at most: each 12 bits of 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PlayoutDelay {
    /// At least, in units of 10 ms.
    pub min: u16,
    /// At most, in units of 10 ms.
    pub max: u16,
}

impl PlayoutDelay {
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let [a, b, c] = *data.first_chunk::<3>()?;
        Some(Self {
            min: u16::from(a) << 4 | u16::from(b) >> 4,
            max: u16::from(b & 0x0F) << 8 | u16::from(c),
        })
    }

    pub(crate) fn write(self) -> [u8; 3] {
        let (min, max) = (self.min.min(0xFFF), self.max.min(0xFFF));
        [
            (min >> 4) as u8,
            ((min & 0xF) << 4 | max >> 8) as u8,
            max as u8,
        ]
    }
}

/// When media were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AbsCaptureTime {
    /// On the clock of who captured them.
    pub capture: NtpTime,
    /// How far that clock is ahead of the sender's: seconds, signed, 32.32.
    pub clock_offset: Option<i64>,
}

impl AbsCaptureTime {
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let (capture, rest) = data.split_first_chunk::<8>()?;
        Some(Self {
            capture: NtpTime(u64::from_be_bytes(*capture)),
            clock_offset: rest.first_chunk::<8>().map(|it| i64::from_be_bytes(*it)),
        })
    }
}

/// RFC 7941 §4.1.1: text without a terminator; an id is never empty.
pub(crate) fn read_text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data)
        .ok()
        .filter(|text| !text.is_empty())
}

pub(crate) fn read_u16(data: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*data.first_chunk::<2>()?))
}

pub(crate) fn read_i24(data: &[u8]) -> Option<i32> {
    let [a, b, c] = *data.first_chunk::<3>()?;
    Some(i32::from_be_bytes([a, b, c, 0]) >> 8)
}
