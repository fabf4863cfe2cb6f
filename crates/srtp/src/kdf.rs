//! Session keys out of the master key,
//! [RFC 3711 §4.3](https://www.rfc-editor.org/rfc/rfc3711#section-4.3).

use pc_crypto::{AesCounter, Counter};
use zeroize::Zeroizing;

use crate::Error;

/// What a session key is for, RFC 3711 §4.3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Label {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The function that makes session keys: AES in counter mode under the master key (§4.3.3).
pub(crate) struct Derivation {
    master: AesCounter,
    /// The master salt, 112 bits; one of 96 bits has zeros behind it (RFC 7714 §11).
    salt: Zeroizing<[u8; 16]>,
}

impl Derivation {
    pub(crate) fn new(master_key: &[u8], master_salt: &[u8]) -> Result<Self, Error> {
        let mut salt = Zeroizing::new([0; 16]);
        for (slot, byte) in salt.iter_mut().zip(master_salt.iter().take(14)) {
            *slot = *byte;
        }
        Ok(Self {
            master: AesCounter::new(master_key)?,
            salt,
        })
    }

    /// With a key derivation rate of 0 the key id is the label alone, 48 bits from the right (§4.3.1).
    pub(crate) fn derive<const N: usize>(
        &self,
        label: Label,
        len: usize,
    ) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut iv = *self.salt;
        if let Some(byte) = iv.get_mut(7) {
            *byte ^= label as u8;
        }
        let mut key = Zeroizing::new([0; N]);
        self.master
            .apply(&iv, key.get_mut(..len).unwrap_or_default())?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<_> = text.chars().filter(char::is_ascii_hexdigit).collect();
        let byte =
            |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    /// RFC 3711 §B.3.
    #[test]
    fn keys_of_rfc_3711() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let derivation = Derivation::new(&key, &salt).unwrap();
        let key = derivation.derive::<16>(Label::RtpKey, 16).unwrap();
        assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let salt = derivation.derive::<16>(Label::RtpSalt, 14).unwrap();
        assert_eq!(salt[..14], hex("30CBBC08863D8C85D49DB34A9AE1"));
        let auth = derivation
            .derive::<20>(Label::RtpAuthentication, 20)
            .unwrap();
        assert_eq!(
            auth.to_vec(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
        );
    }
}
