//! The numbers of SDP, as types of their own.

use core::fmt::{self, Write};

use crate::fields::{Why, is_digits, number};
use crate::{InvalidValue, Word};

/// An RTP payload type, 0 to 127 (RFC 3550 §5.1: seven bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadType(u8);

impl PayloadType {
    const WHY: Why = "not a payload type (0 to 127)";

    /// The payload type `value`, or `None` past 127.
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 127 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The number.
    pub const fn value(self) -> u8 {
        self.0
    }

    pub(crate) fn parse(digits: &str) -> Result<Self, Why> {
        Self::new(number(digits, Self::WHY)?).ok_or(Self::WHY)
    }
}

/// An RTP synchronisation source (RFC 3550 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ssrc(pub u32);

impl Ssrc {
    pub(crate) fn parse(digits: &str) -> Result<Self, Why> {
        number(digits, "not an SSRC (32 bits)").map(Self)
    }
}

/// The id of a header extension: 1 to 255, or 4096 to 4351 while it is only proposed
/// (RFC 8285 §5 and §6; 0 is padding in both header forms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtmapId(u16);

impl ExtmapId {
    const WHY: Why = "not an extension id (1 to 255, or 4096 to 4351)";

    /// The id `value`, or `None` outside the two ranges.
    pub const fn new(value: u16) -> Option<Self> {
        match value {
            1..=255 | 4096..=4351 => Some(Self(value)),
            _ => None,
        }
    }

    /// The number.
    pub const fn value(self) -> u16 {
        self.0
    }

    pub(crate) fn parse(digits: &str) -> Result<Self, Why> {
        Self::new(number(digits, Self::WHY)?).ok_or(Self::WHY)
    }
}

/// Writes `value` in decimal; every line that is read is also written once, to be compared, and
/// the general formatter takes several times as long.
pub(crate) fn write_number(out: &mut dyn Write, value: impl Into<u64>) -> fmt::Result {
    const MAX_DIGITS: usize = 20;
    let mut digits = [b'0'; MAX_DIGITS];
    let mut rest = value.into();
    let mut start = MAX_DIGITS;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    let digits = digits.get(start..).unwrap_or_default();
    out.write_str(core::str::from_utf8(digits).unwrap_or_default())
}

macro_rules! display_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
display_number!(PayloadType, Ssrc, ExtmapId);

/// A non-negative decimal number such as `20` or `29.97`, kept as it is spelled
/// (RFC 8866 §9, `non-zero-int-or-real`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Word);

impl Decimal {
    /// Takes digits with at most one point among them.
    ///
    /// # Errors
    /// [`InvalidValue`] for anything else.
    pub fn new(text: &str) -> Result<Self, InvalidValue> {
        Self::parse_digits(text).map_err(|why| InvalidValue::new("decimal number", why))
    }

    /// The nearest floating-point number.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::INFINITY)
    }

    /// The number as spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse_digits(text: &str) -> Result<Self, Why> {
        let well_formed = match text.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(text),
        };
        if !well_formed {
            return Err("not a decimal number");
        }
        Ok(Self(Word::checked(text)))
    }
}

impl From<u32> for Decimal {
    fn from(value: u32) -> Self {
        Self(Word::from(value))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_formatter_writes_them() {
        for value in [0, 1, 9, 10, 99, 100, 65_535, u64::from(u32::MAX), u64::MAX] {
            let mut text = String::new();
            write_number(&mut text, value).unwrap();
            assert_eq!(text, value.to_string());
        }
    }
}
