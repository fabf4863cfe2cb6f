//! ICE credentials, options and `a=remote-candidates` (RFC 8839). Candidates have their own file.

use core::fmt::{self, Write};

use super::value::{Value, standalone};
use crate::fields::{Fields, PORT, Why, number};
use crate::{Host, InvalidValue, Word, WordList};

/// Whether `text` is 4 to 256 `ice-char`s (RFC 8839 §5.4).
///
/// The parser takes any word, since the W3C wants a bad fragment to be another error
/// (`InvalidAccessError`) than bad syntax.
pub fn is_ice_ufrag(text: &str) -> bool {
    (4..=256).contains(&text.len()) && text.bytes().all(is_ice_char)
}

/// Whether `text` is 22 to 256 `ice-char`s (RFC 8839 §5.4).
pub fn is_ice_pwd(text: &str) -> bool {
    (22..=256).contains(&text.len()) && text.bytes().all(is_ice_char)
}

/// RFC 8839 §5.1, `ice-char`.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// An ICE password (RFC 8839 §5.4). `Debug` does not show it; `Deref` gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct IcePwd(Word);

impl IcePwd {
    /// Takes a password of one word; see [`is_ice_pwd`] for the stricter rule.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is empty or holds white space, CR, LF or NUL.
    pub fn new(password: impl Into<Box<str>>) -> Result<Self, InvalidValue> {
        Word::new(password).map(Self)
    }

    /// The password.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Word> for IcePwd {
    fn from(word: Word) -> Self {
        Self(word)
    }
}

impl core::ops::Deref for IcePwd {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IcePwd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IcePwd(..)")
    }
}

impl Value for IcePwd {
    fn parse(value: &str) -> Result<Self, Why> {
        Word::parse(value).map(Self)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// `a=ice-options:<option> …` (RFC 8839 §5.6).
///
/// libdatachannel separates them by commas; no option can hold one, so both are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IceOptions(WordList);

impl IceOptions {
    /// `trickle` alone (RFC 8840 §4.1.1).
    pub fn trickle() -> Self {
        Self(Word::checked("trickle").into())
    }

    /// The options in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter()
    }

    /// Whether `option` is one of them.
    pub fn contains(&self, option: &str) -> bool {
        self.0.contains(option)
    }
}

impl FromIterator<Word> for IceOptions {
    fn from_iter<I: IntoIterator<Item = Word>>(options: I) -> Self {
        Self(options.into_iter().collect())
    }
}

impl Value for IceOptions {
    fn parse(value: &str) -> Result<Self, Why> {
        Ok(Self(WordList::split(value, &[','])))
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.0.as_str())
    }
}

/// One of `a=remote-candidates` (RFC 8839 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCandidate {
    /// The component, 1 to 256.
    pub component: u16,
    /// The address.
    pub address: Host,
    /// The port.
    pub port: u16,
}

/// `a=remote-candidates`: for each component, the remote candidate that was chosen (RFC 8839 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCandidates(pub Vec<RemoteCandidate>);

impl Value for RemoteCandidates {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let mut candidates = Vec::new();
        while let Some(component) = fields.next() {
            candidates.push(RemoteCandidate {
                component: parse_component(component)?,
                address: Host::parse(fields.required("no address")?),
                port: number(fields.required("no port")?, PORT)?,
            });
        }
        if candidates.is_empty() {
            return Err("no candidate");
        }
        Ok(Self(candidates))
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        for (index, candidate) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            let RemoteCandidate {
                component,
                address,
                port,
            } = candidate;
            write!(out, "{separator}{component} {address} {port}")?;
        }
        Ok(())
    }
}

/// RFC 8839 §5.1: a component is 1 to 256.
pub(super) fn parse_component(digits: &str) -> Result<u16, Why> {
    const WHY: Why = "not a component (1 to 256)";
    let component = number(digits, WHY)?;
    if !(1..=256).contains(&component) {
        return Err(WHY);
    }
    Ok(component)
}

standalone! {
    IceOptions = "a=ice-options",
}
