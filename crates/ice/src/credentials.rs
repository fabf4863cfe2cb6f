use std::fmt;

use pc_stun::IntegrityKey;
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

use crate::Error;

/// A username fragment and its password (RFC 8445 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// 4 to 256 ice-chars: letters, digits, `+` and `/`.
    pub ufrag: String,
    /// 22 to 256 ice-chars.
    pub pwd: String,
}

impl Credentials {
    /// Checked credentials.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    pub fn new(ufrag: impl Into<String>, pwd: impl Into<String>) -> Result<Self, Error> {
        let credentials = Self {
            ufrag: ufrag.into(),
            pwd: pwd.into(),
        };
        credentials.validate()?;
        Ok(credentials)
    }

    /// Checks length and alphabet (RFC 8839 §5.4).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUfrag`] or [`Error::InvalidPassword`].
    pub fn validate(&self) -> Result<(), Error> {
        let ice_chars = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        };
        if !(4..=256).contains(&self.ufrag.len()) || !ice_chars(&self.ufrag) {
            return Err(Error::InvalidUfrag);
        }
        if !(22..=256).contains(&self.pwd.len()) || !ice_chars(&self.pwd) {
            return Err(Error::InvalidPassword);
        }
        Ok(())
    }

    /// New ones with 48 and 144 random bits; at least 24 and 128 are needed (RFC 8445 §5.3).
    pub(crate) fn random(rng: &mut ChaCha12Rng) -> Self {
        Self {
            ufrag: ice_chars(rng, 8),
            pwd: ice_chars(rng, 24),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

fn ice_chars(rng: &mut ChaCha12Rng, len: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |byte: u8| {
        ALPHABET
            .get(usize::from(byte & 63))
            .copied()
            .unwrap_or(b'A')
    };
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
        .into_iter()
        .map(|byte| char::from(letter(byte)))
        .collect()
}

/// Credentials with the key that their password makes.
pub(crate) struct Secret {
    pub(crate) credentials: Credentials,
    pub(crate) key: IntegrityKey,
}

impl Secret {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            key: IntegrityKey::short_term(&credentials.pwd),
            credentials,
        }
    }

    pub(crate) fn ufrag(&self) -> &str {
        &self.credentials.ufrag
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credentials.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn length_and_alphabet_are_checked() {
        let pwd = "a".repeat(22);
        assert!(Credentials::new("abc+", &pwd[..]).is_ok());
        assert!(Credentials::new("a".repeat(256), "/".repeat(256)).is_ok());
        for ufrag in ["abc", "ab:cd", "abcd ", "äbcd", &"a".repeat(257)] {
            assert_eq!(
                Credentials::new(ufrag, &pwd[..]),
                Err(Error::InvalidUfrag),
                "{ufrag}"
            );
        }
        for pwd in [&"a".repeat(21), &"a".repeat(257), "aaaaaaaaaaaaaaaaaaaaaa="] {
            assert_eq!(
                Credentials::new("abcd", pwd),
                Err(Error::InvalidPassword),
                "{pwd}"
            );
        }
    }

    #[test]
    fn generated_ones_are_valid_and_differ() {
        let mut rng = ChaCha12Rng::from_seed([3; 32]);
        let (a, b) = (Credentials::random(&mut rng), Credentials::random(&mut rng));
        a.validate().unwrap();
        assert!(a.ufrag != b.ufrag && a.pwd != b.pwd);
    }

    #[test]
    fn debug_keeps_the_password() {
        let credentials = Credentials::random(&mut ChaCha12Rng::from_seed([4; 32]));
        let shown = format!("{credentials:?}{:?}", Secret::new(credentials.clone()));
        assert!(shown.contains(&credentials.ufrag) && !shown.contains(&credentials.pwd));
    }
}
