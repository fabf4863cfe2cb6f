//! MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT,
//! [RFC 8489 §14.5–14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.5).

mod hmac;
mod key;

pub use key::{IntegrityKey, PasswordAlgorithm, userhash};

use subtle::ConstantTimeEq;

/// Bytes of a whole HMAC-SHA1. RFC 8489 §14.5
pub(crate) const SHA1_LEN: usize = 20;
/// Bytes of a whole HMAC-SHA256. RFC 8489 §14.6
pub(crate) const SHA256_LEN: usize = 32;
/// The fewest bytes that HMAC-SHA256 may be cut to. RFC 8489 §14.6
pub(crate) const SHA256_MIN_LEN: usize = 16;
/// What a FINGERPRINT is XORed with, "STUN" in ASCII. RFC 8489 §14.7
const FINGERPRINT_XOR: u32 = 0x5354_554E;

/// Which integrity attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntegrityAlgorithm {
    /// MESSAGE-INTEGRITY. RFC 8489 §14.5
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256. RFC 8489 §14.6
    Sha256,
}

/// Why a message is not what its sender wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityError {
    /// The message does not carry the attribute that would prove it.
    #[error("the message has no such check value")]
    Missing,
    /// The attribute does not belong to these bytes, or to this key.
    #[error("the check value does not match the message")]
    Mismatch,
}

/// Compares in a time that does not depend on where the two differ; their lengths are no secret,
/// and multiples of 4.
#[inline]
pub(crate) fn compare(computed: &[u8], carried: &[u8]) -> Result<(), IntegrityError> {
    let words = computed.as_chunks().0.iter().zip(carried.as_chunks().0);
    let difference = words.fold(0, |difference, (a, b)| {
        difference | (u32::from_ne_bytes(*a) ^ u32::from_ne_bytes(*b))
    });
    if computed.len() == carried.len() && bool::from(difference.ct_eq(&0)) {
        Ok(())
    } else {
        Err(IntegrityError::Mismatch)
    }
}

/// The FINGERPRINT of a message whose bytes before that attribute are `covered` and whose length
/// field counts the attribute already.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    crc32fast::hash(covered) ^ FINGERPRINT_XOR
}
