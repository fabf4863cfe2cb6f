//! What a profile does to the bytes of one packet.

use pc_crypto::{Aead, AesCounter, AesGcm, Counter, HmacSha1, Mac, NONCE_LEN, TAG_LEN, is_equal};
use zeroize::Zeroizing;

use crate::{
    Error, Profile, Rejected,
    cryptex::{self, CLEAR_LEN},
    header::Header,
    kdf::{Derivation, Label},
};

/// The tag of AES-CM with HMAC-SHA-1 for SRTCP, RFC 5764 §4.1.2.
const RTCP_TAG_LEN: usize = 10;
/// The flag of an SRTCP index: the packet is encrypted (RFC 3711 §3.4).
pub(crate) const ENCRYPTED: u32 = 0x8000_0000;
/// The length of an SRTCP index.
pub(crate) const INDEX_LEN: usize = 4;

/// The session keys of one direction.
pub(crate) enum Cipher {
    Cm(Box<Cm>),
    Gcm(Box<Gcm>),
}

pub(crate) struct Cm {
    rtp: CmKeys,
    rtcp: CmKeys,
    rtp_tag_len: usize,
}

struct CmKeys {
    key: AesCounter,
    /// `k_s * 2^16`.
    salt: Zeroizing<u128>,
    authentication: HmacSha1,
}

pub(crate) struct Gcm {
    rtp: GcmKeys,
    rtcp: GcmKeys,
}

struct GcmKeys {
    key: AesGcm,
    /// The lower 96 bits are what nonces are combined with.
    salt: Zeroizing<u128>,
}

impl Cipher {
    pub(crate) fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, Error> {
        let (got, needed) = (key.len(), profile.key_len());
        if got != needed {
            return Err(Error::KeyLength { got, needed });
        }
        let (got, needed) = (salt.len(), profile.salt_len());
        if got != needed {
            return Err(Error::SaltLength { got, needed });
        }
        let derivation = Derivation::new(key, salt)?;
        let len = profile.key_len();
        Ok(match profile {
            Profile::Aes128CmSha1_80 | Profile::Aes128CmSha1_32 => Self::Cm(Box::new(Cm {
                rtp: CmKeys::new(
                    &derivation,
                    [Label::RtpKey, Label::RtpAuthentication, Label::RtpSalt],
                )?,
                rtcp: CmKeys::new(
                    &derivation,
                    [Label::RtcpKey, Label::RtcpAuthentication, Label::RtcpSalt],
                )?,
                rtp_tag_len: profile.rtp_overhead(),
            })),
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => Self::Gcm(Box::new(Gcm {
                rtp: GcmKeys::new(&derivation, len, [Label::RtpKey, Label::RtpSalt])?,
                rtcp: GcmKeys::new(&derivation, len, [Label::RtcpKey, Label::RtcpSalt])?,
            })),
        })
    }

    /// Bits that nobody else knows, for what is not cryptography.
    pub(crate) fn secret(&self) -> u64 {
        let salt = match self {
            Self::Cm(cm) => *cm.rtp.salt,
            Self::Gcm(gcm) => *gcm.rtp.salt,
        };
        (salt >> 32) as u64
    }

    /// Protects a packet of which the first `clear` bytes stay readable, with `index` of 48 bits. The
    /// tag is written behind `len`; returns the length on the wire.
    #[inline]
    pub(crate) fn protect_rtp(
        &self,
        packet: &mut [u8],
        len: usize,
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        let (body, room) = packet
            .split_at_mut_checked(len)
            .ok_or(Rejected::Malformed)?;
        let overhead = match self {
            Self::Gcm(gcm) => gcm.rtp.protect_rtp(body, room, clear, ssrc, index)?,
            Self::Cm(cm) => cm.protect_rtp(body, room, clear, ssrc, index)?,
        };
        Ok(len + overhead)
    }

    /// Undoes [`protect_rtp`](Self::protect_rtp); returns the length without the tag. What is not
    /// authentic is not decrypted to anything of use.
    #[inline]
    pub(crate) fn unprotect_rtp(
        &self,
        packet: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        match self {
            Self::Gcm(gcm) => gcm.rtp.unprotect_rtp(packet, clear, ssrc, index),
            Self::Cm(cm) => cm.unprotect_rtp(packet, clear, ssrc, index),
        }
    }

    /// As [`protect_rtp`](Self::protect_rtp), with all but [`CLEAR_LEN`] bytes encrypted (RFC 9335
    /// §6.2). HMAC is over the packet as it is on the wire.
    pub(crate) fn protect_cryptex(
        &self,
        packet: &mut [u8],
        len: usize,
        header: &Header,
        index: u64,
    ) -> Result<usize, Rejected> {
        let room = packet.len().saturating_sub(len);
        match self {
            Self::Gcm(_) => {
                if room < TAG_LEN {
                    return Err(Rejected::NoRoom);
                }
                cryptex::gather(packet, header);
                let protected = self.protect_rtp(packet, len, CLEAR_LEN, header.ssrc, index);
                cryptex::scatter(packet, header);
                protected
            }
            Self::Cm(cm) => {
                if room < cm.rtp_tag_len {
                    return Err(Rejected::NoRoom);
                }
                cm.apply_cryptex(packet, len, header, index)?;
                let (body, room) = packet
                    .split_at_mut_checked(len)
                    .ok_or(Rejected::Malformed)?;
                let tag = cm.rtp.rtp_tag(body, index);
                copy(room.get_mut(..cm.rtp_tag_len).unwrap_or_default(), &tag);
                Ok(len + cm.rtp_tag_len)
            }
        }
    }

    /// Undoes [`protect_cryptex`](Self::protect_cryptex).
    pub(crate) fn unprotect_cryptex(
        &self,
        packet: &mut [u8],
        header: &Header,
        index: u64,
    ) -> Result<usize, Rejected> {
        match self {
            Self::Gcm(_) => {
                cryptex::gather(packet, header);
                let opened = self.unprotect_rtp(packet, CLEAR_LEN, header.ssrc, index);
                cryptex::scatter(packet, header);
                opened
            }
            Self::Cm(cm) => {
                // Nothing is encrypted from the end on: this only verifies.
                let end = packet.len().checked_sub(cm.rtp_tag_len);
                let end = end.ok_or(Rejected::Malformed)?;
                let len = self.unprotect_rtp(packet, end, header.ssrc, index)?;
                cm.apply_cryptex(packet, len, header, index)?;
                Ok(len)
            }
        }
    }

    /// Protects RTCP, whose first eight bytes stay readable, with `index` of 31 bits.
    pub(crate) fn protect_rtcp(
        &self,
        packet: &mut [u8],
        len: usize,
        ssrc: u32,
        index: u32,
    ) -> Result<usize, Rejected> {
        let (body, room) = packet
            .split_at_mut_checked(len)
            .ok_or(Rejected::Malformed)?;
        let word = (index | ENCRYPTED).to_be_bytes();
        match self {
            Self::Gcm(gcm) => {
                // RFC 7714 §9.2: the tag, then the index.
                let room = room
                    .get_mut(..TAG_LEN + INDEX_LEN)
                    .ok_or(Rejected::NoRoom)?;
                let associated = associated(body, word)?;
                let (_, payload) = split(body, 8)?;
                let nonce = gcm.rtcp.rtcp_nonce(ssrc, index);
                let tag = gcm.rtcp.key.seal(&nonce, &associated, payload);
                let (tag_room, index_room) = room.split_at_mut(TAG_LEN);
                tag_room.copy_from_slice(&tag.map_err(|_| Rejected::Malformed)?);
                index_room.copy_from_slice(&word);
                Ok(len + TAG_LEN + INDEX_LEN)
            }
            Self::Cm(cm) => {
                // RFC 3711 §3.4: the index, then the tag.
                let room = room
                    .get_mut(..INDEX_LEN + RTCP_TAG_LEN)
                    .ok_or(Rejected::NoRoom)?;
                let (_, payload) = split(body, 8)?;
                cm.rtcp.apply(ssrc, u64::from(index), payload)?;
                let tag = cm.rtcp.authentication.compute(&[body, &word]);
                let (index_room, tag_room) = room.split_at_mut(INDEX_LEN);
                index_room.copy_from_slice(&word);
                copy(tag_room, &tag);
                Ok(len + INDEX_LEN + RTCP_TAG_LEN)
            }
        }
    }

    /// The index of SRTCP, with its flag, before anything is verified.
    pub(crate) fn rtcp_word(&self, packet: &[u8]) -> Result<u32, Rejected> {
        let behind = match self {
            Self::Gcm(_) => 0,
            Self::Cm(_) => RTCP_TAG_LEN,
        };
        let end = packet
            .len()
            .checked_sub(behind)
            .ok_or(Rejected::Malformed)?;
        let bytes = packet.get(..end).and_then(<[u8]>::last_chunk::<INDEX_LEN>);
        Ok(u32::from_be_bytes(*bytes.ok_or(Rejected::Malformed)?))
    }

    /// Undoes [`protect_rtcp`](Self::protect_rtcp); `word` is the index with its flag. Returns the
    /// length without index and tag.
    pub(crate) fn unprotect_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        word: u32,
    ) -> Result<usize, Rejected> {
        let index = word & !ENCRYPTED;
        match self {
            Self::Gcm(gcm) => {
                let (rest, _) = packet
                    .split_last_chunk_mut::<INDEX_LEN>()
                    .ok_or(Rejected::Malformed)?;
                let len = rest.len().checked_sub(TAG_LEN).filter(|len| *len >= 8);
                let associated = associated(rest, word.to_be_bytes())?;
                let (_, sealed) = split(rest, 8)?;
                let nonce = gcm.rtcp.rtcp_nonce(ssrc, index);
                let opened = gcm.rtcp.key.open(&nonce, &associated, sealed);
                opened.map_err(|_| Rejected::NotAuthentic)?;
                len.ok_or(Rejected::Malformed)
            }
            Self::Cm(cm) => {
                let (authentic, tag) = packet
                    .split_last_chunk_mut::<RTCP_TAG_LEN>()
                    .ok_or(Rejected::Malformed)?;
                let expected = cm.rtcp.authentication.compute(&[authentic]);
                if !is_equal(expected.get(..RTCP_TAG_LEN).unwrap_or_default(), tag) {
                    return Err(Rejected::NotAuthentic);
                }
                let len = authentic.len().checked_sub(INDEX_LEN);
                let len = len.ok_or(Rejected::Malformed)?;
                let body = authentic.get_mut(..len).ok_or(Rejected::Malformed)?;
                let (_, payload) = split(body, 8)?;
                cm.rtcp.apply(ssrc, u64::from(index), payload)?;
                Ok(len)
            }
        }
    }
}

impl Cm {
    /// Returns the length of the tag, which is written to `room`.
    fn protect_rtp(
        &self,
        body: &mut [u8],
        room: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        let tag_room = room.get_mut(..self.rtp_tag_len).ok_or(Rejected::NoRoom)?;
        let (_, payload) = split(body, clear)?;
        self.rtp.apply(ssrc, index, payload)?;
        let tag = self.rtp.rtp_tag(body, index);
        copy(tag_room, &tag);
        Ok(self.rtp_tag_len)
    }

    fn unprotect_rtp(
        &self,
        packet: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        let len = packet.len().checked_sub(self.rtp_tag_len);
        let len = len.ok_or(Rejected::Malformed)?;
        let (body, tag) = packet
            .split_at_mut_checked(len)
            .ok_or(Rejected::Malformed)?;
        let expected = self.rtp.rtp_tag(body, index);
        if !is_equal(expected.get(..self.rtp_tag_len).unwrap_or_default(), tag) {
            return Err(Rejected::NotAuthentic);
        }
        let (_, payload) = split(body, clear)?;
        self.rtp.apply(ssrc, index, payload)?;
        Ok(len)
    }

    fn apply_cryptex(
        &self,
        packet: &mut [u8],
        len: usize,
        header: &Header,
        index: u64,
    ) -> Result<(), Rejected> {
        cryptex::gather(packet, header);
        let hidden = packet.get_mut(CLEAR_LEN..len).ok_or(Rejected::Malformed);
        let applied = hidden.and_then(|hidden| self.rtp.apply(header.ssrc, index, hidden));
        cryptex::scatter(packet, header);
        applied
    }
}

impl CmKeys {
    fn new(
        derivation: &Derivation,
        [key, authentication, salt]: [Label; 3],
    ) -> Result<Self, Error> {
        let key = derivation.derive::<16>(key, 16)?;
        let authentication = derivation.derive::<20>(authentication, 20)?;
        Ok(Self {
            key: AesCounter::new(&*key)?,
            salt: Zeroizing::new(u128::from_be_bytes(*derivation.derive(salt, 14)?)),
            authentication: HmacSha1::new(&*authentication),
        })
    }

    /// RFC 3711 §4.1.1: `IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)`.
    #[inline]
    fn apply(&self, ssrc: u32, index: u64, payload: &mut [u8]) -> Result<(), Rejected> {
        let mixed = u128::from(ssrc) << 64 | u128::from(index) << 16;
        let iv = (*self.salt ^ mixed).to_be_bytes();
        let applied = self.key.apply(&iv, payload);
        applied.map_err(|_| Rejected::Malformed)
    }

    /// RFC 3711 §4.2: over the packet and the roll-over counter.
    #[inline]
    fn rtp_tag(&self, packet: &[u8], index: u64) -> [u8; 20] {
        let roll_over = ((index >> 16) as u32).to_be_bytes();
        self.authentication.compute(&[packet, &roll_over])
    }
}

impl GcmKeys {
    fn new(derivation: &Derivation, len: usize, [key, salt]: [Label; 2]) -> Result<Self, Error> {
        let key = derivation.derive::<32>(key, len)?;
        Ok(Self {
            key: AesGcm::new(key.get(..len).unwrap_or_default())?,
            salt: Zeroizing::new(u128::from_be_bytes(*derivation.derive(salt, NONCE_LEN)?) >> 32),
        })
    }

    /// Returns the length of the tag, which is written to `room`.
    #[inline(always)]
    fn protect_rtp(
        &self,
        body: &mut [u8],
        room: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        let tag_room = room.first_chunk_mut().ok_or(Rejected::NoRoom)?;
        let (header, payload) = split(body, clear)?;
        let nonce = self.rtp_nonce(ssrc, index);
        let tag = self.key.seal(&nonce, header, payload);
        *tag_room = tag.map_err(|_| Rejected::Malformed)?;
        Ok(TAG_LEN)
    }

    #[inline(always)]
    fn unprotect_rtp(
        &self,
        packet: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Rejected> {
        let (header, sealed) = split(packet, clear)?;
        let nonce = self.rtp_nonce(ssrc, index);
        let opened = self.key.open(&nonce, header, sealed);
        let len = opened.map_err(|_| Rejected::NotAuthentic)?;
        Ok(clear + len)
    }

    /// RFC 7714 §8.1: `00 00 | SSRC | ROC | SEQ`, combined with the salt.
    #[inline]
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> [u8; NONCE_LEN] {
        self.nonce(u128::from(ssrc) << 48 | u128::from(index))
    }

    /// RFC 7714 §9.1: `00 00 | SSRC | 00 00 | index`, combined with the salt.
    fn rtcp_nonce(&self, ssrc: u32, index: u32) -> [u8; NONCE_LEN] {
        self.nonce(u128::from(ssrc) << 48 | u128::from(index))
    }

    /// Written as a cipher reads it, in words: a read that spans what was written byte by byte has to
    /// wait for memory, which takes as long as a tenth of a short packet.
    #[inline]
    fn nonce(&self, mixed: u128) -> [u8; NONCE_LEN] {
        let combined = *self.salt ^ mixed;
        let mut nonce = [0; NONCE_LEN];
        let (head, tail) = nonce.split_at_mut(8);
        head.copy_from_slice(&((combined >> 32) as u64).to_be_bytes());
        tail.copy_from_slice(&(combined as u32).to_be_bytes());
        nonce
    }
}

/// RFC 7714 §9.2: what SRTCP authenticates without encrypting it: the first header and the index.
fn associated(body: &[u8], word: [u8; INDEX_LEN]) -> Result<[u8; 12], Rejected> {
    let [a, b, c, d, e, f, g, h] = *body.first_chunk::<8>().ok_or(Rejected::Malformed)?;
    let [i, j, k, l] = word;
    Ok([a, b, c, d, e, f, g, h, i, j, k, l])
}

#[inline]
fn split(body: &mut [u8], clear: usize) -> Result<(&mut [u8], &mut [u8]), Rejected> {
    body.split_at_mut_checked(clear).ok_or(Rejected::Malformed)
}

/// As much of a tag as there is room for.
#[inline]
fn copy(room: &mut [u8], tag: &[u8]) {
    for (slot, byte) in room.iter_mut().zip(tag) {
        *slot = *byte;
    }
}

#[cfg(test)]
impl Cipher {
    /// With session keys as they are, for the vectors of RFC 7714.
    pub(crate) fn of_session_keys(key: &[u8], salt: [u8; NONCE_LEN]) -> Self {
        let keys = || GcmKeys {
            key: AesGcm::new(key).unwrap(),
            salt: Zeroizing::new(
                salt.iter()
                    .fold(0, |all, byte| all << 8 | u128::from(*byte)),
            ),
        };
        Self::Gcm(Box::new(Gcm {
            rtp: keys(),
            rtcp: keys(),
        }))
    }
}
