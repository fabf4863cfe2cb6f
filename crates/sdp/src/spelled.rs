//! A value and the way it was spelled.

use core::fmt::{self, Write};
use core::ops::{Deref, DerefMut};

/// What is written as one line.
pub(crate) trait WriteLine {
    /// Writes the line, letter and all, without its end.
    fn write_line(&self, out: &mut dyn Write) -> fmt::Result;
}

/// A line's value, and the line as it was read where the value would be written otherwise.
///
/// Reading goes through `Deref`. `DerefMut` drops the spelling, so that an edit is always written;
/// a borrow for reading is not to be taken mutably.
#[derive(Clone, PartialEq, Eq)]
pub struct Spelled<T> {
    value: T,
    spelling: Option<Box<str>>,
}

impl<T> Spelled<T> {
    /// The value to be written in its canonical form.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            spelling: None,
        }
    }

    /// The line as it was read, if the value would be written differently.
    pub fn spelling(&self) -> Option<&str> {
        self.spelling.as_deref()
    }

    /// Drops the spelling: the value will be written in its canonical form.
    pub fn canonicalize(&mut self) {
        self.spelling = None;
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// `value` as read from `line`.
    pub(crate) fn read(value: T, line: &str) -> Self
    where
        T: WriteLine,
    {
        let mut expected = Expected(line);
        let same = value.write_line(&mut expected).is_ok() && expected.0.is_empty();
        let spelling = (!same).then(|| line.into());
        Self { value, spelling }
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> fmt::Result
    where
        T: WriteLine,
    {
        match &self.spelling {
            Some(line) => out.write_str(line)?,
            None => self.value.write_line(out)?,
        }
        out.write_str("\r\n")
    }
}

/// A sink that fails at the first difference from what is expected.
struct Expected<'a>(&'a str);

impl Write for Expected<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl<T> Deref for Spelled<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Spelled<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.spelling = None;
        &mut self.value
    }
}

impl<T> From<T> for Spelled<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// The value alone: the spelling of a password would give it away.
impl<T: fmt::Debug> fmt::Debug for Spelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
