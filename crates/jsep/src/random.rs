//! Names and secrets out of one seeded generator.

use std::fmt;

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{IceCredentials, UfragPrefix};

#[derive(Clone)]
pub(crate) struct Random {
    rng: ChaCha12Rng,
    prefix: UfragPrefix,
}

impl Random {
    /// User fragments begin with the prefix.
    pub(crate) fn new(seed: [u8; 32], prefix: UfragPrefix) -> Self {
        let rng = ChaCha12Rng::from_seed(seed);
        Self { rng, prefix }
    }

    /// RFC 9429 §5.2.1: the session id is a random 63-bit number.
    pub(crate) fn session_id(&mut self) -> u64 {
        self.rng.next_u64() >> 1
    }

    /// 48 and 144 random bits, those of the user fragment behind its prefix; at least 24 and 128 are
    /// needed (RFC 8445 §5.3).
    pub(crate) fn credentials(&mut self) -> IceCredentials {
        let ufrag = self.ice_chars(8);
        IceCredentials {
            ufrag: format!("{}{ufrag}", self.prefix),
            pwd: self.ice_chars(24),
        }
    }

    /// 20 to 255 characters with 120 random bits (RFC 8842 §4).
    pub(crate) fn tls_id(&mut self) -> String {
        self.ice_chars(22)
    }

    /// A CNAME of 96 random bits (RFC 7022 §4.2).
    pub(crate) fn cname(&mut self) -> String {
        self.ice_chars(16)
    }

    /// A version 4 UUID (RFC 9562 §5.4), as the W3C wants the ids of tracks and transactions.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        let number = u128::from_be_bytes(bytes);
        let number = (number & !(0xf << 76)) | (0x4 << 76);
        let number = (number & !(0b11 << 62)) | (0b10 << 62);
        let hex = format!("{number:032x}");
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
        [
            part(0..8),
            part(8..12),
            part(12..16),
            part(16..20),
            part(20..32),
        ]
        .join("-")
    }

    fn ice_chars(&mut self, len: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = vec![0; len];
        self.rng.fill_bytes(&mut bytes);
        let letter = |byte: u8| ALPHABET.get(usize::from(byte & 63)).copied();
        bytes
            .into_iter()
            .map(|byte| char::from(letter(byte).unwrap_or(b'A')))
            .collect()
    }
}

impl fmt::Debug for Random {
    /// Nothing of what is to come: it is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_4() {
        let mut random = Random::new([7; 32], UfragPrefix::default());
        for _ in 0..100 {
            let uuid = random.uuid();
            assert_eq!(uuid.len(), 36, "{uuid}");
            assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        }
        assert_ne!(random.uuid(), random.uuid());
    }

    #[test]
    fn credentials_are_valid() {
        let credentials = Random::new([8; 32], UfragPrefix::default()).credentials();
        assert!(pc_sdp::is_ice_ufrag(&credentials.ufrag));
        assert!(pc_sdp::is_ice_pwd(&credentials.pwd));
    }
}
