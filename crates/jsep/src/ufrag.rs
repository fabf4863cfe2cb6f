use std::fmt;

use crate::Error;

/// Together with the peer's 256 characters and what is random, well below the 508 of a USERNAME
/// (RFC 8489 §14.3).
const MAX_PREFIX: usize = 64;

/// What every local user fragment begins with: whoever spreads checks over servers sees in it where a
/// session lives, as USERNAME begins with it (RFC 8445 §7.2.2).
///
/// What follows it is as random as a user fragment without one, 48 bits where RFC 8445 §5.3 wants 24;
/// the password has nothing to do with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct UfragPrefix(String);

impl UfragPrefix {
    /// At most 64 ice-chars: letters, digits, `+` and `/` (RFC 8839 §5.4).
    ///
    /// # Errors
    ///
    /// `TypeError`: it is longer, or has others.
    pub fn new(prefix: impl Into<String>) -> Result<Self, Error> {
        let prefix = prefix.into();
        let is_ice_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        if prefix.len() > MAX_PREFIX || !prefix.bytes().all(is_ice_char) {
            let message = "a prefix of user fragments has at most 64 letters, digits, + and /";
            return Err(Error::type_error(message));
        }
        Ok(Self(prefix))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UfragPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_alphabet_are_checked() {
        for good in ["", "eu+1/", &"x".repeat(64)] {
            assert_eq!(UfragPrefix::new(good).unwrap().as_str(), good);
        }
        for bad in ["a:b", "a b", "a\r\nb", "ä", "a=", &"x".repeat(65)] {
            assert!(UfragPrefix::new(bad).is_err(), "{bad:?}");
        }
    }
}
