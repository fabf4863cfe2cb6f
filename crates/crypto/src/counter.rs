use std::fmt;

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use crate::Error;

/// A stream cipher: a block cipher in counter mode.
pub trait Counter: Send {
    /// Combines `bytes` in place with the key stream that begins with the counter block `iv`; the same
    /// again undoes it.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`].
    fn apply(&self, iv: &[u8; 16], bytes: &mut [u8]) -> Result<(), Error>;
}

/// AES in counter mode with a key of 128 or 256 bits.
pub struct AesCounter(EncryptingKey);

impl AesCounter {
    /// # Errors
    ///
    /// [`Error::KeyLength`]: neither 16 nor 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        let wrong = Error::KeyLength(key.len());
        let algorithm = match key.len() {
            16 => &AES_128,
            32 => &AES_256,
            _ => return Err(wrong),
        };
        let key = UnboundCipherKey::new(algorithm, key).map_err(|_| wrong)?;
        Ok(Self(EncryptingKey::ctr(key).map_err(|_| wrong)?))
    }
}

impl Counter for AesCounter {
    #[inline]
    fn apply(&self, iv: &[u8; 16], bytes: &mut [u8]) -> Result<(), Error> {
        let context = EncryptionContext::Iv128(iv.into());
        self.0
            .less_safe_encrypt(bytes, context)
            .map(|_| ())
            .map_err(|_| Error::Failed)
    }
}

impl fmt::Debug for AesCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesCounter(..)")
    }
}
