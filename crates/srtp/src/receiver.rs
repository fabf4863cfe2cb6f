use std::fmt;

use crate::{
    Error, Options, Profile, Rejected,
    cipher::{Cipher, ENCRYPTED},
    cryptex,
    header::{Header, rtcp_ssrc},
    index::{MAX_INDEX, estimate},
    streams::Streams,
    window::Window,
};

/// Verifies and decrypts what is received in one direction.
pub struct Receiver {
    cipher: Cipher,
    options: Options,
    rtp: Streams<Window>,
    rtcp: Streams<Window>,
}

impl Receiver {
    /// From a master key and salt, as DTLS exports them.
    ///
    /// # Errors
    ///
    /// They are not of the profile's lengths, or the window is not between 64 and 32,768 packets long.
    pub fn new(
        profile: Profile,
        master_key: &[u8],
        master_salt: &[u8],
        options: Options,
    ) -> Result<Self, Error> {
        if !(64..=32_768).contains(&options.replay_window) {
            return Err(Error::ReplayWindow(options.replay_window));
        }
        let cipher = Cipher::new(profile, master_key, master_salt)?;
        let secret = cipher.secret();
        Ok(Self {
            cipher,
            rtp: Streams::new(options.max_ssrcs, secret),
            rtcp: Streams::new(options.max_ssrcs, secret),
            options,
        })
    }

    /// The plain packet, in place.
    ///
    /// # Errors
    ///
    /// It is malformed, not authentic, has come before or too late, or is of one source too many. No
    /// state has changed; what the bytes hold then is of no use.
    pub fn unprotect_rtp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], Rejected> {
        let header = Header::parse(packet)?;
        let Some(window) = self.rtp.get_mut(header.ssrc) else {
            return self.unprotect_first(packet);
        };
        let index = estimate(window.highest(), header.sequence_number);
        if index > MAX_INDEX {
            return Err(Rejected::KeyExhausted);
        }
        window.check(index)?;
        let len = open(&self.cipher, &self.options, packet, &header, index)?;
        window.accept(index);
        packet.get_mut(..len).ok_or(Rejected::Malformed)
    }

    /// A packet of a source that none has come of.
    #[cold]
    fn unprotect_first<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], Rejected> {
        self.rtp.check_room()?;
        let header = Header::parse(packet)?;
        let index = u64::from(header.sequence_number);
        let len = open(&self.cipher, &self.options, packet, &header, index)?;
        let window = Window::new(self.options.replay_window, index);
        self.rtp.insert(header.ssrc, window);
        packet.get_mut(..len).ok_or(Rejected::Malformed)
    }

    /// The plain RTCP, in place.
    ///
    /// # Errors
    ///
    /// As [`unprotect_rtp`](Self::unprotect_rtp); or it is not encrypted.
    pub fn unprotect_rtcp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], Rejected> {
        let ssrc = rtcp_ssrc(packet)?;
        let word = self.cipher.rtcp_word(packet)?;
        if word & ENCRYPTED == 0 {
            return Err(Rejected::NotEncrypted);
        }
        let index = u64::from(word & !ENCRYPTED);
        match self.rtcp.get_mut(ssrc) {
            Some(window) => window.check(index)?,
            None => self.rtcp.check_room()?,
        }
        let len = self.cipher.unprotect_rtcp(packet, ssrc, word)?;
        match self.rtcp.get_mut(ssrc) {
            Some(window) => window.accept(index),
            None => {
                let size = self.options.replay_window;
                self.rtcp.insert(ssrc, Window::new(size, index));
            }
        }
        packet.get_mut(..len).ok_or(Rejected::Malformed)
    }
}

/// Verifies and decrypts a packet of RTP; its length without the tag.
///
/// What is rare reads the header again: so it stays in registers where the way is short.
#[inline(always)]
fn open(
    cipher: &Cipher,
    options: &Options,
    packet: &mut [u8],
    header: &Header,
    index: u64,
) -> Result<usize, Rejected> {
    match header.profile.and_then(cryptex::plain) {
        None => cipher.unprotect_rtp(packet, header.len, header.ssrc, index),
        Some(_) if !options.cryptex => Err(Rejected::Malformed),
        Some(profile) => open_cryptex(cipher, packet, index, profile),
    }
}

#[cold]
fn open_cryptex(
    cipher: &Cipher,
    packet: &mut [u8],
    index: u64,
    profile: u16,
) -> Result<usize, Rejected> {
    let header = Header::parse(packet)?;
    let len = cipher.unprotect_cryptex(packet, &header, index)?;
    cryptex::set_profile(packet, &header, profile);
    Ok(len)
}

impl fmt::Debug for Receiver {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
