use std::fmt;

use crate::{
    Error, Options, Profile, Rejected,
    cipher::Cipher,
    cryptex,
    header::{Header, rtcp_ssrc},
    index::{MAX_INDEX, estimate},
    streams::Streams,
};

/// One key protects no more packets of SRTCP than this (RFC 3711 §9.2).
const MAX_RTCP_INDEX: u32 = (1 << 31) - 1;

/// Protects what is sent in one direction.
pub struct Sender {
    cipher: Cipher,
    cryptex: bool,
    /// The highest index of each source.
    rtp: Streams<u64>,
    /// The next index of each source.
    rtcp: Streams<u32>,
}

impl Sender {
    /// From a master key and salt, as DTLS exports them.
    ///
    /// # Errors
    ///
    /// They are not of the profile's lengths.
    pub fn new(
        profile: Profile,
        master_key: &[u8],
        master_salt: &[u8],
        options: Options,
    ) -> Result<Self, Error> {
        let cipher = Cipher::new(profile, master_key, master_salt)?;
        let secret = cipher.secret();
        Ok(Self {
            cipher,
            cryptex: options.cryptex,
            rtp: Streams::new(options.max_ssrcs, secret),
            rtcp: Streams::new(options.max_ssrcs, secret),
        })
    }

    /// Protects the packet in the first `len` bytes, which has room for
    /// [`rtp_overhead`](Profile::rtp_overhead) more behind it; returns the length on the wire.
    ///
    /// Sequence numbers may skip and go back, by less than 32,768. The same one must not be used for
    /// another packet: ciphers would give both away.
    ///
    /// # Errors
    ///
    /// It is none of RTP, the room does not suffice, there are too many sources, or the key is
    /// exhausted. The packet is as it was, then.
    pub fn protect_rtp(&mut self, packet: &mut [u8], len: usize) -> Result<usize, Rejected> {
        let header = Header::parse(packet.get(..len).ok_or(Rejected::Malformed)?)?;
        let index = match self.rtp.get_mut(header.ssrc) {
            Some(highest) => {
                let index = estimate(*highest, header.sequence_number);
                if index > MAX_INDEX {
                    return Err(Rejected::KeyExhausted);
                }
                *highest = index.max(*highest);
                index
            }
            None => {
                self.rtp.check_room()?;
                let first = u64::from(header.sequence_number);
                self.rtp.insert(header.ssrc, first);
                first
            }
        };
        let encrypted = header.profile.and_then(cryptex::encrypted);
        let Some(profile) = encrypted.filter(|_| self.cryptex) else {
            let cipher = &self.cipher;
            return cipher.protect_rtp(packet, len, header.len, header.ssrc, index);
        };
        cryptex::set_profile(packet, &header, profile);
        let protected = self.cipher.protect_cryptex(packet, len, &header, index);
        if protected.is_err() {
            cryptex::set_profile(packet, &header, header.profile.unwrap_or_default());
        }
        protected
    }

    /// The same for a packet of RTCP, plain or compound, with room for
    /// [`rtcp_overhead`](Profile::rtcp_overhead).
    ///
    /// # Errors
    ///
    /// As [`protect_rtp`](Self::protect_rtp).
    pub fn protect_rtcp(&mut self, packet: &mut [u8], len: usize) -> Result<usize, Rejected> {
        let ssrc = rtcp_ssrc(packet.get(..len).ok_or(Rejected::Malformed)?)?;
        let index = match self.rtcp.get_mut(ssrc) {
            Some(next) => *next,
            None => {
                self.rtcp.check_room()?;
                self.rtcp.insert(ssrc, 0);
                0
            }
        };
        if index > MAX_RTCP_INDEX {
            return Err(Rejected::KeyExhausted);
        }
        let len = self.cipher.protect_rtcp(packet, len, ssrc, index)?;
        if let Some(next) = self.rtcp.get_mut(ssrc) {
            *next = index + 1;
        }
        Ok(len)
    }
}

impl fmt::Debug for Sender {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("cryptex", &self.cryptex)
            .field("rtp", &self.rtp)
            .finish_non_exhaustive()
    }
}
