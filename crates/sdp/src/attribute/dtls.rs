//! `a=fingerprint`, `a=setup`, and `a=crypto`, which DTLS replaces.

use core::fmt::{self, Write};

use super::value::{Value, standalone};
use crate::fields::{Fields, Why, number, single};
use crate::{Text, Word};

/// The hash of a fingerprint (RFC 8122 §5). Names are read in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashFunction {
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// Any other, MD5 and MD2 among them, which RFC 8122 §5 forbids to use.
    Other(Word),
}

impl HashFunction {
    const KNOWN: [(Self, usize); 5] = [
        (Self::Sha1, 20),
        (Self::Sha224, 28),
        (Self::Sha256, 32),
        (Self::Sha384, 48),
        (Self::Sha512, 64),
    ];

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Other(name) => name,
        }
    }

    /// How many bytes it yields; `None` for one that is not known.
    pub fn digest_len(&self) -> Option<usize> {
        let known = Self::KNOWN.iter().find(|(hash, _)| hash == self);
        known.map(|(_, len)| *len)
    }

    fn parse(name: &str) -> Self {
        let is_it = |(hash, _): &&(Self, usize)| hash.as_str().eq_ignore_ascii_case(name);
        match Self::KNOWN.iter().find(is_it) {
            Some((hash, _)) => hash.clone(),
            None => Self::Other(Word::checked(name)),
        }
    }
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `a=fingerprint:<hash> <XX:XX:…>` (RFC 8122 §5).
///
/// Any number of bytes is taken here: a wrong one is for the DTLS layer to refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash function.
    pub hash: HashFunction,
    /// What it yields for the certificate.
    pub value: Box<[u8]>,
}

impl Fingerprint {
    /// Whether the hash is known and the value as long as what it yields.
    pub fn has_valid_len(&self) -> bool {
        self.hash.digest_len() == Some(self.value.len())
    }
}

impl Value for Fingerprint {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let hash = HashFunction::parse(fields.required("no hash function")?);
        let bytes = fields.required("no fingerprint")?;
        fields.end()?;
        let value = bytes.split(':').map(parse_hex).collect::<Option<_>>();
        let value = value.ok_or("the fingerprint is not pairs of hexadecimal digits")?;
        Ok(Self { hash, value })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let mut text = String::with_capacity(self.hash.as_str().len() + 3 * self.value.len());
        text.push_str(self.hash.as_str());
        for (index, byte) in self.value.iter().enumerate() {
            text.push(if index == 0 { ' ' } else { ':' });
            text.push(hex_digit(byte >> 4));
            text.push(hex_digit(byte & 0xf));
        }
        out.write_str(&text)
    }
}

/// The digit of a number below 16, in upper case.
fn hex_digit(nibble: u8) -> char {
    match nibble {
        0..=9 => char::from(b'0' + nibble),
        _ => char::from(b'A' + (nibble - 10)),
    }
}

/// A byte in two hexadecimal digits of either case (RFC 8122 wants upper case).
fn parse_hex(digits: &str) -> Option<u8> {
    let [high, low] = *digits.as_bytes() else {
        return None;
    };
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high << 4 | low).ok()
}

/// `a=setup`: who begins the DTLS handshake (RFC 4145 §4, RFC 8842 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// The one who writes this: the DTLS client.
    Active,
    /// The other: this one is the DTLS server.
    Passive,
    /// Either; the answer decides.
    Actpass,
    /// Nobody for now. WebRTC does not use it (RFC 9429 §5.2.1).
    Holdconn,
}

impl Setup {
    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        }
    }
}

impl Value for Setup {
    fn parse(value: &str) -> Result<Self, Why> {
        const WHY: Why = "not active, passive, actpass or holdconn";
        match single(value, WHY)? {
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            "actpass" => Ok(Self::Actpass),
            "holdconn" => Ok(Self::Holdconn),
            _ => Err(WHY),
        }
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// `a=crypto:<tag> <suite> <key-params> …` (RFC 4568 §4): SDES keys, which WebRTC must not use
/// (RFC 8827 §6.5). It is read so that it can be refused; `Debug` does not show the keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Numbers the offers of one section.
    pub tag: u32,
    /// The crypto suite.
    pub suite: Word,
    /// The keys and session parameters.
    pub parameters: Text,
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypto")
            .field("tag", &self.tag)
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

impl Value for Crypto {
    fn parse(value: &str) -> Result<Self, Why> {
        let mut fields = Fields::new(value);
        let tag = number(fields.required("no tag")?, "the tag is not a number")?;
        let suite = Word::checked(fields.required("no crypto suite")?);
        let parameters = Text::checked(fields.rest().ok_or("no key")?);
        Ok(Self {
            tag,
            suite,
            parameters,
        })
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "{} {} {}", self.tag, self.suite, self.parameters)
    }
}

standalone! {
    Fingerprint = "a=fingerprint",
    Setup = "a=setup",
}
