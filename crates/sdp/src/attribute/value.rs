//! What stands behind an attribute's colon.

use core::fmt::{self, Write};

use crate::fields::{PORT, Why, is_digits, number, single};
use crate::number::write_number;
use crate::{Decimal, Word, WordList};

/// The value of an attribute: how it is read and written.
pub(crate) trait Value: Sized {
    /// Reads `value`, known to hold no NUL, CR or LF.
    fn parse(value: &str) -> Result<Self, Why>;
    /// Writes the canonical form, within one line.
    fn write(&self, out: &mut dyn Write) -> fmt::Result;
}

/// `FromStr` and `Display` of a [`Value`] that is useful outside its line.
macro_rules! standalone {
    ($($type:ty = $what:literal,)*) => {$(
        impl core::str::FromStr for $type {
            type Err = crate::InvalidValue;
            fn from_str(text: &str) -> Result<Self, crate::InvalidValue> {
                crate::text::check_text(text)
                    .and_then(|()| <$type as crate::attribute::value::Value>::parse(text))
                    .map_err(|why| crate::InvalidValue::new($what, why))
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                crate::attribute::value::Value::write(self, f)
            }
        }
    )*};
}
pub(crate) use standalone;

impl<V: Value> Value for Box<V> {
    fn parse(value: &str) -> Result<Self, Why> {
        V::parse(value).map(Box::new)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        V::write(self, out)
    }
}

impl Value for Word {
    fn parse(value: &str) -> Result<Self, Why> {
        single(value, "must not be empty").map(Self::checked)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self)
    }
}

impl Value for WordList {
    fn parse(value: &str) -> Result<Self, Why> {
        Ok(Self::split(value, &[]))
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Value for Decimal {
    fn parse(value: &str) -> Result<Self, Why> {
        Self::parse_digits(single(value, "no number")?)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A port.
impl Value for u16 {
    fn parse(value: &str) -> Result<Self, Why> {
        number(single(value, PORT)?, PORT)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, *self)
    }
}

impl Value for u32 {
    fn parse(value: &str) -> Result<Self, Why> {
        number(single(value, "no number")?, "not a 32-bit number")
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, *self)
    }
}

/// A size, which saturates.
impl Value for u64 {
    fn parse(value: &str) -> Result<Self, Why> {
        let digits = single(value, "no number")?;
        if !is_digits(digits) {
            return Err("not a number");
        }
        Ok(digits.parse().unwrap_or(Self::MAX))
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_number(out, *self)
    }
}
