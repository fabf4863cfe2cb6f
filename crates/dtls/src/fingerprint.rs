//! Certificate fingerprints, [RFC 8122 §5](https://www.rfc-editor.org/rfc/rfc8122#section-5).

use std::{fmt, str::FromStr};

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// A hash function that a fingerprint may be made with, weakest first.
///
/// MD5 and MD2, which RFC 8122 §5 forbids, have no variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-1, accepted from old peers, never offered.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, what every WebRTC endpoint offers (RFC 8122 §5).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    const ALL: [Self; 5] = [
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The name in SDP, from the IANA "Hash Function Textual Names" registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The length of its output in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, bytes: &[u8]) -> Box<[u8]> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).as_slice().into(),
            Self::Sha224 => Sha224::digest(bytes).as_slice().into(),
            Self::Sha256 => Sha256::digest(bytes).as_slice().into(),
            Self::Sha384 => Sha384::digest(bytes).as_slice().into(),
            Self::Sha512 => Sha512::digest(bytes).as_slice().into(),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HashAlgorithm {
    type Err = FingerprintError;

    /// Reads a name; case does not matter (RFC 8122 §5).
    fn from_str(name: &str) -> Result<Self, FingerprintError> {
        if ["md5", "md2"]
            .iter()
            .any(|weak| name.eq_ignore_ascii_case(weak))
        {
            return Err(FingerprintError::ForbiddenHash(name.into()));
        }
        Self::ALL
            .into_iter()
            .find(|algorithm| name.eq_ignore_ascii_case(algorithm.name()))
            .ok_or_else(|| FingerprintError::UnknownHash(name.into()))
    }
}

/// Why a fingerprint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// MD5 or MD2, which RFC 8122 §5 forbids.
    #[error("hash function {0} must not be used for fingerprints (RFC 8122 section 5)")]
    ForbiddenHash(Box<str>),
    /// A hash function this crate does not know; a fingerprint made with it is to be ignored as
    /// long as there is another.
    #[error("unknown hash function {0}")]
    UnknownHash(Box<str>),
    /// The value is not as long as the hash function's output.
    #[error("a {algorithm} fingerprint has {expected} bytes, not {actual}")]
    WrongLength {
        /// The hash function named.
        algorithm: HashAlgorithm,
        /// The length of its output in bytes.
        expected: usize,
        /// The length of the value in bytes.
        actual: usize,
    },
    /// Not `hash-func SP 2UHEX *(":" 2UHEX)`.
    #[error("a fingerprint is a hash function's name, a space and hex bytes between colons")]
    Malformed,
}

/// The hash of a certificate, as it stands in SDP.
///
/// ```
/// use pc_dtls::{Fingerprint, HashAlgorithm};
/// let text = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
/// let fingerprint: Fingerprint = text.parse()?;
/// assert_eq!(fingerprint.algorithm(), HashAlgorithm::Sha1);
/// assert_eq!(fingerprint.to_string(), text);
/// # Ok::<(), pc_dtls::FingerprintError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    algorithm: HashAlgorithm,
    value: Box<[u8]>,
}

impl Fingerprint {
    /// A fingerprint with a known value.
    ///
    /// # Errors
    ///
    /// [`FingerprintError::WrongLength`].
    pub fn new(algorithm: HashAlgorithm, value: &[u8]) -> Result<Self, FingerprintError> {
        if value.len() != algorithm.digest_len() {
            return Err(FingerprintError::WrongLength {
                algorithm,
                expected: algorithm.digest_len(),
                actual: value.len(),
            });
        }
        Ok(Self {
            algorithm,
            value: value.into(),
        })
    }

    /// The fingerprint of a certificate in DER.
    pub fn of(algorithm: HashAlgorithm, certificate: &[u8]) -> Self {
        Self {
            algorithm,
            value: algorithm.digest(certificate),
        }
    }

    /// The hash function.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The hash.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value as it stands in SDP: upper-case hex bytes between colons.
    pub fn value_text(&self) -> String {
        let mut text = String::with_capacity(3 * self.value.len());
        for byte in &self.value {
            if !text.is_empty() {
                text.push(':');
            }
            text.push_str(&format!("{byte:02X}"));
        }
        text
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.value_text())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads `sha-256 AB:CD:…`; case does not matter.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (name, hex) = text.split_once(' ').ok_or(FingerprintError::Malformed)?;
        let algorithm: HashAlgorithm = name.parse()?;
        let value = hex
            .trim()
            .split(':')
            .map(hex_byte)
            .collect::<Option<Vec<u8>>>()
            .ok_or(FingerprintError::Malformed)?;
        Self::new(algorithm, &value)
    }
}

fn hex_byte(text: &str) -> Option<u8> {
    let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    two_digits
        .then(|| u8::from_str_radix(text, 16).ok())
        .flatten()
}

/// Whether a certificate is one of those that `expected` names.
///
/// Only the fingerprints of the strongest hash function present count; any of them may match
/// (RFC 8122 §5). With none at all nothing matches.
pub(crate) fn matches(expected: &[Fingerprint], certificate: &[u8]) -> bool {
    let Some(strongest) = expected.iter().map(Fingerprint::algorithm).max() else {
        return false;
    };
    let actual = strongest.digest(certificate);
    expected
        .iter()
        .filter(|fingerprint| fingerprint.algorithm == strongest)
        .any(|fingerprint| fingerprint.value.ct_eq(&actual).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_unknown_and_ill_formed_fingerprints_are_named() {
        let parse = |text: &str| text.parse::<Fingerprint>().unwrap_err();
        assert_eq!(
            parse("MD5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"),
            FingerprintError::ForbiddenHash("MD5".into())
        );
        assert_eq!(
            parse("md2 00"),
            FingerprintError::ForbiddenHash("md2".into())
        );
        assert_eq!(
            parse("sha3-256 00"),
            FingerprintError::UnknownHash("sha3-256".into())
        );
        assert_eq!(
            parse("sha-256 00:11").to_string(),
            "a sha-256 fingerprint has 32 bytes, not 2"
        );
        for text in [
            "",
            "sha-256",
            "sha-1 0:1",
            "sha-1 00::11",
            "sha-1 +1:00",
            "sha-1 é",
        ] {
            assert_eq!(parse(text), FingerprintError::Malformed, "{text}");
        }
    }

    #[test]
    fn every_hash_function_round_trips() {
        for algorithm in HashAlgorithm::ALL {
            let fingerprint = Fingerprint::of(algorithm, b"certificate");
            assert_eq!(fingerprint.value().len(), algorithm.digest_len());
            let lower = fingerprint.to_string().to_ascii_lowercase();
            assert_eq!(lower.parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn the_strongest_hash_function_decides() {
        let good = |algorithm| Fingerprint::of(algorithm, b"mine");
        let bad = |algorithm| Fingerprint::of(algorithm, b"other");
        use HashAlgorithm::{Sha1, Sha256, Sha512};
        assert!(!matches(&[], b"mine"));
        assert!(matches(&[good(Sha1)], b"mine"));
        assert!(matches(&[bad(Sha256), good(Sha256)], b"mine"));
        assert!(matches(&[bad(Sha1), good(Sha256)], b"mine"));
        assert!(!matches(&[good(Sha256), good(Sha1), bad(Sha512)], b"mine"));
    }

    /// The digests of "abc" from FIPS 180-4's example vectors.
    #[test]
    fn known_digests() {
        let start = |algorithm| Fingerprint::of(algorithm, b"abc").value()[..4].to_vec();
        assert_eq!(start(HashAlgorithm::Sha1), [0xa9, 0x99, 0x3e, 0x36]);
        assert_eq!(start(HashAlgorithm::Sha224), [0x23, 0x09, 0x7d, 0x22]);
        assert_eq!(start(HashAlgorithm::Sha256), [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(start(HashAlgorithm::Sha384), [0xcb, 0x00, 0x75, 0x3f]);
        assert_eq!(start(HashAlgorithm::Sha512), [0xdd, 0xaf, 0x35, 0xa1]);
    }
}
