//! Free text that cannot break out of its line.

use core::fmt;

use crate::InvalidValue;

/// Bytes that no value may hold: RFC 8866 §9 `byte-string` excludes NUL, CR and LF.
fn is_forbidden(byte: u8) -> bool {
    matches!(byte, 0 | b'\r' | b'\n')
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `Err` unless `text` can stand within one line.
pub(crate) fn check_text(text: &str) -> Result<(), &'static str> {
    if text.bytes().any(is_forbidden) {
        return Err("NUL, CR and LF are not allowed");
    }
    Ok(())
}

fn check_word(word: &str) -> Result<(), &'static str> {
    if word.is_empty() {
        return Err("must not be empty");
    }
    if word.bytes().any(is_separator) {
        return Err("must not hold white space");
    }
    check_text(word)
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes `text` if it keeps the rules of this type.
            ///
            /// # Errors
            /// [`InvalidValue`] naming the rule that `text` breaks.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidValue> {
                let text = text.into();
                $check(&text).map_err(|why| InvalidValue::new($what, why))?;
                Ok(Self(text))
            }

            /// For text known to keep the rules: a piece of a checked line, or a literal.
            pub(crate) fn checked(text: &str) -> Self {
                debug_assert!($check(text).is_ok());
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl core::str::FromStr for $name {
            type Err = InvalidValue;
            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidValue;
            fn try_from(text: &str) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;
            fn try_from(text: String) -> Result<Self, InvalidValue> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

text_type! {
    /// Text within one line: any UTF-8 but NUL, CR and LF (RFC 8866 §9, `byte-string`), maybe empty.
    Text, "text", check_text
}

text_type! {
    /// A non-empty [`Text`] without white space (RFC 8866 §9, `non-ws-string`).
    ///
    /// It stands wherever the RFCs say `token` or `1*ice-char`: parsers are lenient, and the stricter
    /// rules are checked by those who depend on them.
    Word, "word", check_word
}

impl From<Word> for Text {
    fn from(word: Word) -> Self {
        Self(word.0)
    }
}

macro_rules! word_from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for Word {
            fn from(number: $number) -> Self {
                Self(number.to_string().into())
            }
        }
    )*};
}
word_from_number!(u8, u16, u32, u64, usize);

/// Words separated by single spaces, maybe none, in one allocation.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct WordList(Box<str>);

impl WordList {
    /// The words of text known to hold no NUL, CR or LF, `separators` included in white space.
    pub(crate) fn split(text: &str, separators: &[char]) -> Self {
        let mut list = String::with_capacity(text.len());
        let is_separator = |c: char| c == ' ' || c == '\t' || separators.contains(&c);
        for word in text.split(is_separator).filter(|word| !word.is_empty()) {
            append(&mut list, word);
        }
        Self(list.into())
    }

    /// The words in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether `word` is one of the words.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a word. Takes time in proportion to the list's length: collect many at once.
    pub fn push(&mut self, word: &Word) {
        let mut list = String::from(core::mem::take(&mut self.0));
        append(&mut list, word);
        self.0 = list.into();
    }

    /// The words as one text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn append(list: &mut String, word: &str) {
    if !list.is_empty() {
        list.push(' ');
    }
    list.push_str(word);
}

impl FromIterator<Word> for WordList {
    fn from_iter<I: IntoIterator<Item = Word>>(words: I) -> Self {
        let mut list = String::new();
        for word in words {
            append(&mut list, &word);
        }
        Self(list.into())
    }
}

impl From<Word> for WordList {
    fn from(word: Word) -> Self {
        Self(word.0)
    }
}

impl fmt::Display for WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_hold_a_line_break() {
        for bad in ["a\nb", "a\rb", "a\0b", "\r\na=ice-lite"] {
            assert!(Text::new(bad).is_err(), "{bad:?}");
            assert!(Word::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Text::new("").unwrap(), "");
        assert_eq!(Text::new("a b").unwrap(), "a b");
        assert!(Word::new("").is_err());
        assert!(Word::new("a b").is_err());
        assert!(Word::new("a\tb").is_err());
        assert_eq!(Word::new("{73fe}").unwrap(), "{73fe}");
    }

    #[test]
    fn a_list_normalises_white_space() {
        let mut list = WordList::split("  a \t b,c ", &[',']);
        assert_eq!(list.as_str(), "a b c");
        assert!(list.contains("b") && !list.contains("a b"));
        list.push(&Word::from(7u8));
        assert_eq!(list.iter().last(), Some("7"));
        assert_eq!(WordList::default().iter().count(), 0);
    }
}
