use std::fmt;

use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;

/// The length of what HMAC-SHA-1 gives, in bytes.
pub const SHA1_LEN: usize = 20;

/// A message authentication code.
pub trait Mac: Send {
    /// The code of all parts, one after another.
    fn compute(&self, parts: &[&[u8]]) -> [u8; SHA1_LEN];
}

/// HMAC-SHA-1, whose key has been absorbed.
#[derive(Clone)]
pub struct HmacSha1(Hmac<Sha1>);

impl HmacSha1 {
    /// With a key of any length.
    pub fn new(key: &[u8]) -> Self {
        // A block of SHA-1 has 64 bytes; a longer key is hashed first (RFC 2104 §2).
        let mut block = [0; 64];
        match block.get_mut(..key.len()) {
            Some(short) => short.copy_from_slice(key),
            None => {
                use sha1::Digest;
                let hashed = Sha1::digest(key);
                for (slot, byte) in block.iter_mut().zip(hashed) {
                    *slot = byte;
                }
            }
        }
        Self(Hmac::new(&block.into()))
    }
}

impl Mac for HmacSha1 {
    #[inline]
    fn compute(&self, parts: &[&[u8]]) -> [u8; SHA1_LEN] {
        let mut state = self.0.clone();
        for part in parts {
            state.update(part);
        }
        state.finalize().into_bytes().into()
    }
}

impl fmt::Debug for HmacSha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSha1(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 §3, cases 1 and 6.
    #[test]
    fn codes_of_rfc_2202() {
        let hex = |bytes: [u8; 20]| bytes.map(|byte| format!("{byte:02x}")).concat();
        let short = HmacSha1::new(&[0x0B; 20]);
        assert_eq!(
            hex(short.compute(&[b"Hi ", b"There"])),
            "b617318655057264e28bc0b6fb378c8ef146be00"
        );
        let long = HmacSha1::new(&[0xAA; 80]);
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(long.compute(&[text])),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
    }
}
