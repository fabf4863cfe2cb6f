//! The fields of a line's value, and the numbers in them.

use core::str::FromStr;

/// The rule a value breaks.
pub(crate) type Why = &'static str;

pub(crate) const PORT: Why = "not a port number (0 to 65535)";

/// Fields separated by spaces or tabs. Runs of them count as one: where they differ from a single
/// space, the line's spelling is kept beside the value.
pub(crate) struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a str) -> Self {
        Self { rest: value }
    }

    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let (field, rest) = match rest.split_once([' ', '\t']) {
            Some(split) => split,
            None => (rest, ""),
        };
        self.rest = rest;
        (!field.is_empty()).then_some(field)
    }

    pub(crate) fn required(&mut self, why: Why) -> Result<&'a str, Why> {
        self.next().ok_or(why)
    }

    /// What follows, without the white space around it; `None` when nothing does.
    pub(crate) fn rest(self) -> Option<&'a str> {
        let rest = self.rest.trim_matches([' ', '\t']);
        (!rest.is_empty()).then_some(rest)
    }

    /// `Err` if a field is left.
    pub(crate) fn end(mut self) -> Result<(), Why> {
        match self.next() {
            Some(_) => Err("too many fields"),
            None => Ok(()),
        }
    }
}

/// The one field of `value`.
pub(crate) fn single(value: &str, why: Why) -> Result<&str, Why> {
    let mut fields = Fields::new(value);
    let field = fields.required(why)?;
    fields.end()?;
    Ok(field)
}

/// A number in decimal digits alone: no sign.
pub(crate) fn number<N: FromStr>(digits: &str, why: Why) -> Result<N, Why> {
    if !is_digits(digits) {
        return Err(why);
    }
    digits.parse().map_err(|_| why)
}

pub(crate) fn is_digits(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
