//! Keys for SRTP, [RFC 5764 §4.2](https://www.rfc-editor.org/rfc/rfc5764#section-4.2).

use std::fmt;

use zeroize::Zeroizing;

/// A protection profile for SRTP, from the IANA "DTLS-SRTP Protection Profiles" registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SrtpProfile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, RFC 5764 §4.1.2.
    Aes128CmSha1_80,
    /// `SRTP_AEAD_AES_128_GCM`, RFC 7714 §14.2.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`, RFC 7714 §14.2.
    AeadAes256Gcm,
}

impl SrtpProfile {
    /// The number in the registry.
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128CmSha1_80 => 0x0001,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// The name in the registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }

    /// The length of a master key in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// The length of a master salt in bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    pub(crate) fn from_dimpl(profile: dimpl::SrtpProfile) -> Option<Self> {
        Some(match profile {
            dimpl::SrtpProfile::AES128_CM_SHA1_80 => Self::Aes128CmSha1_80,
            dimpl::SrtpProfile::AEAD_AES_128_GCM => Self::AeadAes128Gcm,
            dimpl::SrtpProfile::AEAD_AES_256_GCM => Self::AeadAes256Gcm,
            _ => return None,
        })
    }
}

impl fmt::Display for SrtpProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What both sides export for SRTP under the label `EXTRACTOR-dtls_srtp`.
///
/// ```text
///  client key | server key | client salt | server salt
/// ```
///
/// Wiped from memory when dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeyingMaterial {
    profile: SrtpProfile,
    bytes: Zeroizing<Vec<u8>>,
}

impl SrtpKeyingMaterial {
    /// `None` when there are not as many bytes as the profile needs.
    pub(crate) fn new(profile: SrtpProfile, bytes: &[u8]) -> Option<Self> {
        let expected = 2 * (profile.key_len() + profile.salt_len());
        (bytes.len() == expected).then(|| Self {
            profile,
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// The profile that was negotiated.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// The master key of what the DTLS client sends.
    pub fn client_key(&self) -> &[u8] {
        self.part(0, self.profile.key_len())
    }

    /// The master key of what the DTLS server sends.
    pub fn server_key(&self) -> &[u8] {
        self.part(self.profile.key_len(), self.profile.key_len())
    }

    /// The master salt of what the DTLS client sends.
    pub fn client_salt(&self) -> &[u8] {
        self.part(2 * self.profile.key_len(), self.profile.salt_len())
    }

    /// The master salt of what the DTLS server sends.
    pub fn server_salt(&self) -> &[u8] {
        let start = 2 * self.profile.key_len() + self.profile.salt_len();
        self.part(start, self.profile.salt_len())
    }

    fn part(&self, start: usize, len: usize) -> &[u8] {
        self.bytes.get(start..start + len).unwrap_or_default()
    }
}

impl fmt::Debug for SrtpKeyingMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKeyingMaterial")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_in_the_order_of_rfc_5764() {
        let profile = SrtpProfile::Aes128CmSha1_80;
        let bytes: Vec<u8> = (0..60).collect();
        let keys = SrtpKeyingMaterial::new(profile, &bytes).unwrap();
        assert_eq!(keys.client_key(), &bytes[..16]);
        assert_eq!(keys.server_key(), &bytes[16..32]);
        assert_eq!(keys.client_salt(), &bytes[32..46]);
        assert_eq!(keys.server_salt(), &bytes[46..]);
        assert_eq!(SrtpKeyingMaterial::new(profile, &bytes[1..]), None);
        assert!(!format!("{keys:?}").contains('['));
    }
}
