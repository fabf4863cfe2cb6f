//! Keys, [RFC 8489 §9.1.1 and §9.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.1.1).

use std::fmt;

use md5::{Digest, Md5};
use zeroize::Zeroize;

use super::hmac::{Hmac, Sha1, Sha256};
use super::{SHA1_LEN, SHA256_LEN};

/// A key for integrity, kept as hash states that have it absorbed: a message costs no more than
/// its own bytes. Zeroised on drop; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct IntegrityKey {
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
}

/// How long-term credentials become a key. RFC 8489 §18.5
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordAlgorithm {
    /// 0x0001; also what is meant when no algorithm is named. RFC 8489 §18.5.1.1
    Md5,
    /// 0x0002. RFC 8489 §18.5.1.2
    Sha256,
}

impl PasswordAlgorithm {
    /// The number in the IANA registry.
    pub const fn number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    /// The algorithm of that number, if this crate has it.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha256),
            _ => None,
        }
    }
}

impl IntegrityKey {
    /// The key of short-term credentials, as in ICE: the password itself. RFC 8489 §9.1.1
    ///
    /// The password is taken as it is; one that is not ASCII is to be prepared by the caller
    /// (OpaqueString, RFC 8265).
    pub fn short_term(password: &str) -> Self {
        Self::from_bytes(password.as_bytes())
    }

    /// The key of long-term credentials: a hash of `username:realm:password`. RFC 8489 §9.2.2
    ///
    /// The three are taken as they are, as in [`IntegrityKey::short_term`].
    pub fn long_term(
        username: &str,
        realm: &str,
        password: &str,
        algorithm: PasswordAlgorithm,
    ) -> Self {
        let parts = [username, ":", realm, ":", password];
        match algorithm {
            PasswordAlgorithm::Md5 => Self::from_digest::<Md5>(parts),
            PasswordAlgorithm::Sha256 => Self::from_digest::<sha2::Sha256>(parts),
        }
    }

    /// A key of any length that was agreed in another way, as in RFC 7635.
    pub fn from_bytes(key: &[u8]) -> Self {
        Self {
            sha1: Hmac::new(&block::<sha1::Sha1>(key)),
            sha256: Hmac::new(&block::<sha2::Sha256>(key)),
        }
    }

    fn from_digest<D: Digest>(parts: [&str; 5]) -> Self {
        let mut digest = parts
            .iter()
            .fold(D::new(), |hash, part| hash.chain_update(part))
            .finalize();
        let key = Self::from_bytes(&digest);
        digest.as_mut_slice().zeroize();
        key
    }

    /// MESSAGE-INTEGRITY of `covered`, whose header is taken to say `length`.
    pub(crate) fn sha1(&self, covered: &[u8], length: u16) -> [u8; SHA1_LEN] {
        self.sha1.code(covered, length)
    }

    /// MESSAGE-INTEGRITY-SHA256 of `covered`, whose header is taken to say `length`.
    pub(crate) fn sha256(&self, covered: &[u8], length: u16) -> [u8; SHA256_LEN] {
        self.sha256.code(covered, length)
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(…)")
    }
}

/// The value of USERHASH: SHA-256 of `username:realm`, both prepared already. RFC 8489 §14.4
pub fn userhash(username: &str, realm: &str) -> [u8; 32] {
    sha2::Sha256::new()
        .chain_update(username)
        .chain_update(":")
        .chain_update(realm)
        .finalize()
        .into()
}

/// A key as HMAC takes it: hashed when longer than a block, then padded. RFC 2104 §2
fn block<D: Digest>(key: &[u8]) -> zeroize::Zeroizing<[u8; 64]> {
    let mut block = zeroize::Zeroizing::new([0; 64]);
    match block.get_mut(..key.len()) {
        Some(place) => place.copy_from_slice(key),
        None => {
            let mut digest = D::digest(key);
            for (place, byte) in block.iter_mut().zip(digest.iter()) {
                *place = *byte;
            }
            digest.as_mut_slice().zeroize();
        }
    }
    block
}
