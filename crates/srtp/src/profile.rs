/// The ciphers and lengths that DTLS-SRTP negotiates, RFC 5764 §4.1.2 and RFC 7714 §14.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`.
    Aes128CmSha1_80,
    /// `SRTP_AES128_CM_HMAC_SHA1_32`: the tag of SRTCP has 80 bits here, too (RFC 5764 §4.1.2).
    Aes128CmSha1_32,
    /// `SRTP_AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`.
    AeadAes256Gcm,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Aes128CmSha1_80,
        Self::Aes128CmSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
    ];

    /// The length of a master key in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// The length of a master salt in bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// What protection adds to a packet of RTP: the tag.
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 10,
            Self::Aes128CmSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// What protection adds to RTCP: the tag, and the index with its flag.
    pub const fn rtcp_overhead(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 20,
        }
    }
}

/// How a context works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many packets behind the latest one may still come, and are told from replays: 64 to 32,768.
    pub replay_window: usize,
    /// Header extensions and contributing sources are encrypted on the way out, and accepted encrypted
    /// on the way in (RFC 9335).
    pub cryptex: bool,
    /// How many sources are kept.
    pub max_ssrcs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            replay_window: 1024,
            cryptex: false,
            max_ssrcs: 1024,
        }
    }
}
