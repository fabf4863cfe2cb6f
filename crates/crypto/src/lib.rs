//! The cryptographic primitives that protocol engines need, and no others.
//!
//! An engine is written against [`Aead`], [`Counter`] and [`Mac`]; [`AesGcm`], [`AesCounter`] and
//! [`HmacSha1`] are what it gets unless somebody brings their own.
//!
//! ```
//! use pc_crypto::{AesCounter, Counter, HmacSha1, Mac};
//!
//! let key = AesCounter::new(&[1; 16])?;
//! let mut bytes = *b"secret";
//! key.apply(&[0; 16], &mut bytes)?;
//! key.apply(&[0; 16], &mut bytes)?; // the same again undoes it
//! assert_eq!(&bytes, b"secret");
//!
//! let mac = HmacSha1::new(b"key");
//! assert_eq!(mac.compute(&[b"what", b"ever"]), mac.compute(&[b"whatever"]));
//! # Ok::<(), pc_crypto::Error>(())
//! ```
//!
//! # Layout
//!
//! | item | what it is |
//! |---|---|
//! | [`Aead`], [`AesGcm`] | authenticated encryption in place, the tag apart (SP 800-38D) |
//! | [`Counter`], [`AesCounter`] | AES in counter mode (SP 800-38A §6.5) |
//! | [`Mac`], [`HmacSha1`] | HMAC-SHA-1 (RFC 2104) |
//! | [`is_equal`] | comparison in constant time |
//!
//! # Design decision
//!
//! Keys are set up once and used through `&self` for every packet; nothing allocates. AES comes from
//! AWS-LC. HMAC comes from RustCrypto: its state after the key is a value that can be copied, which
//! costs less for a packet than what AWS-LC's interface does (measured in `benches/benches/srtp.rs`).
//!
//! # Non-goals
//!
//! Key exchange, signatures and certificates: `pc-dtls` has them from its own library. Randomness:
//! engines get a seed.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod aead;
mod counter;
mod mac;

pub use aead::{Aead, AesGcm, NONCE_LEN, TAG_LEN};
pub use counter::{AesCounter, Counter};
pub use mac::{HmacSha1, Mac, SHA1_LEN};

/// Why a primitive refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key of a length that the cipher does not have.
    #[error("a key of {0} bytes is none of this cipher")]
    KeyLength(usize),
    /// What was opened is not what was sealed.
    #[error("not authentic")]
    NotAuthentic,
    /// The library failed, or there is more than a cipher takes at once.
    #[error("the cipher failed")]
    Failed,
}

/// Whether both are the same, in a time that depends on their lengths alone.
pub fn is_equal(one: &[u8], other: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(one, other).into()
}
