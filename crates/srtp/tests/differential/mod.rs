//! What the fuzz target `srtp_differential` runs: packets protected and unprotected by this crate and by
//! `webrtc-srtp` under the same keys. Both write the same bytes, each opens what the other has written,
//! and what the other refuses as forged or repeated, we refuse.
//!
//! The bytes choose packets, their order and what happens to them. Known differences of the oracle, which
//! the choices keep clear of:
//!
//! - It takes the last packet, not the highest, for where a stream is, and so loses count of roll-overs
//!   when an early packet and a leap follow each other: packets stay within `BEHIND` and `AHEAD` of
//!   the highest (RFC 3711 §3.3.1).
//! - A source's window begins where its first packet says, authentic or not: nothing is forged, and
//!   nothing comes that cannot be opened, before a first packet has proven authentic.
//! - It takes the length of the header from the extensions it finds in it, not from the length that is
//!   written there (RFC 3550 §5.3.1), and panics where elements go past the end: extensions are
//!   well-formed, without the reserved element 15, and of its forged packets the oracle gets those only
//!   whose header says the same about lengths.
//! - It knows no Cryptex: "defined by profile" is neither 0xC0DE nor 0xC2DE (RFC 9335 §5.1).
//! - Its first index of SRTCP is 1, where RFC 3711 §3.4 has 0: ours protects one packet before.
//! - Without the flag E, it takes SRTCP under AES-CM unread and unverified, and under AES-GCM as if the
//!   flag were set. We refuse it.
//! - It panics on SRTCP that is shorter than index and tag.

mod dice;
mod packet;
mod stream;

use dice::Dice;
use packet::{Kind, Plain};
use pc_srtp::{Options, Profile, Receiver, Rejected, Sender};
use stream::{Expected, Stream};
use webrtc_srtp::{
    context::Context,
    option::{srtcp_replay_protection, srtp_replay_protection},
    protection_profile::ProtectionProfile,
};

/// Two differ in several bits: no change of one bit makes one of another.
const SOURCES: [u32; 3] = [0x1111_1111, 0x2222_2222, 0xFFFF_FFF8];
const WINDOW: usize = 1024;

pub(crate) fn run(data: &[u8]) {
    let mut dice = Dice::new(data);
    let mut both = Both::new(&mut dice);
    for _ in 0..200 {
        if dice.is_empty() {
            return;
        }
        let source = usize::from(dice.byte()) % SOURCES.len();
        match dice.byte() % 8 {
            0..=3 => both.protect_rtp(&mut dice, source),
            4 => both.protect_rtcp(&mut dice, source),
            5 => both.deliver(&mut dice),
            _ => both.forge(&mut dice),
        }
    }
}

/// Both implementations, in both directions, under the same keys.
struct Both {
    profile: Profile,
    sender: Sender,
    receiver: Receiver,
    their_sender: Context,
    their_receiver: Context,
    /// RTP, then RTCP.
    streams: [[Stream; SOURCES.len()]; 2],
    sent: Vec<Sent>,
}

/// A packet that was protected.
struct Sent {
    plain: Plain,
    wire: Vec<u8>,
    source: usize,
    index: u64,
}

impl Both {
    fn new(dice: &mut Dice<'_>) -> Self {
        let profile = Profile::ALL[usize::from(dice.byte()) % Profile::ALL.len()];
        let key: Vec<u8> = (0..profile.key_len()).map(|_| dice.byte()).collect();
        let salt: Vec<u8> = (0..profile.salt_len()).map(|_| dice.byte()).collect();
        let options = || Options {
            replay_window: WINDOW,
            ..Options::default()
        };
        let theirs = || {
            let (rtp, rtcp) = (
                srtp_replay_protection(WINDOW),
                srtcp_replay_protection(WINDOW),
            );
            Context::new(&key, &salt, name(profile), Some(rtp), Some(rtcp)).unwrap()
        };
        let mut new = Self {
            profile,
            sender: Sender::new(profile, &key, &salt, options()).unwrap(),
            receiver: Receiver::new(profile, &key, &salt, options()).unwrap(),
            their_sender: theirs(),
            their_receiver: theirs(),
            streams: Default::default(),
            sent: Vec::new(),
        };
        for ssrc in SOURCES {
            let mut first = Plain::rtcp(&mut Dice::new(&[]), ssrc).bytes;
            let len = first.len();
            first.resize(len + profile.rtcp_overhead(), 0);
            new.sender.protect_rtcp(&mut first, len).unwrap();
        }
        new
    }

    fn protect_rtp(&mut self, dice: &mut Dice<'_>, source: usize) {
        let Some(index) = self.streams[0][source].next_to_send(dice) else {
            return;
        };
        let plain = Plain::rtp(dice, SOURCES[source], index as u16);
        let ours = self.protected(&plain);
        let theirs = self.their_sender.encrypt_rtp(&plain.bytes).unwrap();
        assert_eq!(ours, theirs, "{plain:?}");
        self.keep(plain, ours, source, index, dice);
    }

    fn protect_rtcp(&mut self, dice: &mut Dice<'_>, source: usize) {
        let index = self.streams[1][source].count();
        let plain = Plain::rtcp(dice, SOURCES[source]);
        let ours = self.protected(&plain);
        let theirs = self.their_sender.encrypt_rtcp(&plain.bytes).unwrap();
        assert_eq!(ours, theirs, "{plain:?}");
        self.keep(plain, ours, source, index, dice);
    }

    fn protected(&mut self, plain: &Plain) -> Vec<u8> {
        let (mut wire, len) = (plain.bytes.clone(), plain.bytes.len());
        let protected = match plain.kind {
            Kind::Rtp => {
                wire.resize(len + self.profile.rtp_overhead(), 0xEE);
                self.sender.protect_rtp(&mut wire, len)
            }
            Kind::Rtcp => {
                wire.resize(len + self.profile.rtcp_overhead(), 0xEE);
                self.sender.protect_rtcp(&mut wire, len)
            }
        };
        assert_eq!(protected, Ok(wire.len()));
        wire
    }

    /// Most arrive at once.
    fn keep(
        &mut self,
        plain: Plain,
        wire: Vec<u8>,
        source: usize,
        index: u64,
        dice: &mut Dice<'_>,
    ) {
        self.sent.push(Sent {
            plain,
            wire,
            source,
            index,
        });
        if !dice.byte().is_multiple_of(4) {
            self.arrive(self.sent.len() - 1);
        }
    }

    /// A packet that was held back, or one that has come before.
    fn deliver(&mut self, dice: &mut Dice<'_>) {
        if let Some(at) = self.choose(dice) {
            self.arrive(at);
        }
    }

    fn choose(&self, dice: &mut Dice<'_>) -> Option<usize> {
        self.sent.len().checked_sub(1 + usize::from(dice.byte()))
    }

    fn arrive(&mut self, at: usize) {
        let Sent {
            plain,
            wire,
            source,
            index,
        } = &self.sent[at];
        let stream = &mut self.streams[plain.kind as usize][*source];
        let expected = stream.expected(*index, plain.kind);
        if expected == Expected::Unsure {
            return;
        }
        let mut bytes = wire.clone();
        let (ours, theirs) = match plain.kind {
            Kind::Rtp => (
                self.receiver.unprotect_rtp(&mut bytes),
                self.their_receiver.decrypt_rtp(wire),
            ),
            Kind::Rtcp => (
                self.receiver.unprotect_rtcp(&mut bytes),
                self.their_receiver.decrypt_rtcp(wire),
            ),
        };
        match expected {
            Expected::Taken => {
                assert_eq!(ours.as_deref(), Ok(&*plain.bytes));
                assert_eq!(theirs.as_deref().ok(), Some(&*plain.bytes));
                stream.take(*index);
            }
            _ => {
                assert!(ours.is_err() && theirs.is_err(), "{ours:?}, {theirs:?}");
                if expected == Expected::Repeated {
                    assert_eq!(ours, Err(Rejected::Replayed));
                }
            }
        }
    }

    /// A packet that was protected, with one change.
    fn forge(&mut self, dice: &mut Dice<'_>) {
        let Some(at) = self.choose(dice) else { return };
        let sent = &self.sent[at];
        if !self.streams[sent.plain.kind as usize][sent.source].has_begun() {
            return;
        }
        let (forged, oracle_reads_it) = sent.plain.change(&sent.wire, dice);
        let mut bytes = forged.clone();
        match sent.plain.kind {
            Kind::Rtp => {
                assert!(self.receiver.unprotect_rtp(&mut bytes).is_err());
                assert!(!oracle_reads_it || self.their_receiver.decrypt_rtp(&forged).is_err());
            }
            Kind::Rtcp => {
                assert!(self.receiver.unprotect_rtcp(&mut bytes).is_err());
                assert!(!oracle_reads_it || self.their_receiver.decrypt_rtcp(&forged).is_err());
            }
        }
    }
}

fn name(profile: Profile) -> ProtectionProfile {
    match profile {
        Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::Aes128CmSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        _ => ProtectionProfile::AeadAes256Gcm,
    }
}
