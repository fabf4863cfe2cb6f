use std::{fmt, str::FromStr};

use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use thiserror::Error;

/// The domain of multicast DNS. RFC 6762 §3
const DOMAIN: &str = ".local";
/// The longest label. RFC 1035 §2.3.4
const MAX_LABEL: usize = 63;

/// The name of a host on this link: one label and `local`, such as `printer.local`. Names that
/// differ in case alone are the same (RFC 6762 §16): it is kept in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// A text is no name of a host in `.local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// It does not end in `.local`, or has more labels than one before: an ordinary host name.
    #[error("not one label in `.local`")]
    NotLocal,
    /// The label is empty, longer than 63 bytes, or has other characters than letters, digits,
    /// hyphens and underscores.
    #[error("not a label of a host name")]
    BadLabel,
}

impl Name {
    /// A name that nobody else has: a random (version 4) UUID. RFC 9562 §5.4,
    /// draft-ietf-mmusic-mdns-ice-candidates §3.1.1
    pub(super) fn random(rng: &mut ChaCha12Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let bits = u128::from_be_bytes(bytes);
        const VERSION: (u128, u128) = (0xF << 76, 0x4 << 76);
        const VARIANT: (u128, u128) = (0x3 << 62, 0x2 << 62);
        let bits = bits & !VERSION.0 | VERSION.1;
        let bits = bits & !VARIANT.0 | VARIANT.1;
        let part = |from: u32, digits: u32| bits >> from & ((1 << (4 * digits)) - 1);
        let (a, b, c, d, e) = (
            part(96, 8),
            part(80, 4),
            part(64, 4),
            part(48, 4),
            part(0, 12),
        );
        Self(format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}{DOMAIN}").into())
    }

    /// The name as candidates write it, without a dot at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label before `.local`.
    pub fn label(&self) -> &str {
        self.0.strip_suffix(DOMAIN).unwrap_or_default()
    }

    /// Whether it looks like a UUID, as names of candidates do.
    pub(super) fn is_uuid(&self) -> bool {
        let parts = self.label().split('-');
        let is_hex = |c: u8| c.is_ascii_hexdigit();
        parts.clone().map(str::len).eq([8, 4, 4, 4, 12]) && parts.flat_map(str::bytes).all(is_hex)
    }

    /// The labels from the first to `local`.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads a name with or without a dot at its end.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let lower = text.to_ascii_lowercase();
        let label = lower.strip_suffix(DOMAIN).ok_or(NameError::NotLocal)?;
        if label.contains('.') {
            return Err(NameError::NotLocal);
        }
        let is_fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if label.is_empty() || label.len() > MAX_LABEL || !label.bytes().all(is_fine) {
            return Err(NameError::BadLabel);
        }
        Ok(Self(lower.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn a_name_is_one_label_in_local() {
        let name: Name = "9B36EAAC-bb2e-49bb-bb78-21C41C499900.Local."
            .parse()
            .unwrap();
        assert_eq!(name.as_str(), "9b36eaac-bb2e-49bb-bb78-21c41c499900.local");
        assert_eq!(name.label(), "9b36eaac-bb2e-49bb-bb78-21c41c499900");
        assert_eq!(name.labels().last(), Some("local"));
        assert!(name.is_uuid());
        for other in [
            "printer.local",
            "9b36eaac-bb2e-49bb-bb78-21c41c49990g.local",
        ] {
            assert!(!other.parse::<Name>().unwrap().is_uuid());
        }
        for (text, error) in [
            ("", NameError::NotLocal),
            ("local", NameError::NotLocal),
            ("example.org", NameError::NotLocal),
            ("a.b.local", NameError::NotLocal),
            ("printer.local..", NameError::NotLocal),
            (".local", NameError::BadLabel),
            ("bad name.local", NameError::BadLabel),
            ("drücker.local", NameError::BadLabel),
            (&format!("{}.local", "a".repeat(64)), NameError::BadLabel),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text}");
        }
    }

    #[test]
    fn random_names_are_uuids_of_version_4() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let names: Vec<_> = (0..100).map(|_| Name::random(&mut rng)).collect();
        for name in &names {
            let label = name.label();
            let lens: Vec<_> = label.split('-').map(str::len).collect();
            assert_eq!(lens, [8, 4, 4, 4, 12]);
            assert_eq!(label.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&label.as_bytes()[19]), "{label}");
            assert!(name.is_uuid());
            assert_eq!(name.as_str().parse().as_ref(), Ok(name));
        }
        let mut bits: Vec<_> = names.iter().map(Name::as_str).collect();
        bits.sort_unstable();
        bits.dedup();
        assert_eq!(bits.len(), 100);
    }
}
