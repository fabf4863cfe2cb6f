use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::Error;

/// The length of a nonce, in bytes.
pub const NONCE_LEN: usize = 12;
/// The length of a tag, in bytes.
pub const TAG_LEN: usize = 16;

/// Authenticated encryption with associated data.
pub trait Aead: Send {
    /// Encrypts `bytes` in place, and returns the tag. A nonce must never be used twice with one key.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`].
    fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Error>;

    /// Decrypts `sealed` in place, which ends in the tag, if it and `associated` are what was sealed;
    /// returns the length without the tag. If not, what is in `sealed` afterwards is of no use.
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthentic`].
    fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, Error>;
}

/// AES-GCM with a key of 128 or 256 bits.
pub struct AesGcm(LessSafeKey);

impl AesGcm {
    /// # Errors
    ///
    /// [`Error::KeyLength`]: neither 16 nor 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        let wrong = Error::KeyLength(key.len());
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return Err(wrong),
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| wrong)?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

impl Aead for AesGcm {
    #[inline]
    fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(associated), bytes);
        let tag = sealed.map_err(|_| Error::Failed)?;
        tag.as_ref().try_into().map_err(|_| Error::Failed)
    }

    #[inline]
    fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let parts = sealed.split_last_chunk_mut::<TAG_LEN>();
        let (bytes, tag) = parts.ok_or(Error::NotAuthentic)?;
        self.0
            .open_in_place_separate_tag(nonce, Aad::from(associated), tag, bytes)
            .map(|plain| plain.len())
            .map_err(|_| Error::NotAuthentic)
    }
}

impl fmt::Debug for AesGcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesGcm(..)")
    }
}
