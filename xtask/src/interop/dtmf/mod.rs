//! `cargo xtask interop dtmf`: keys of a telephone (RFC 4733), to and from real peers.
//!
//! Browsers are scripted with our side in this process, as in `interop negotiate`; GStreamer is a
//! program that decodes what our side, in this process as well, presses.

mod gstreamer;
mod line;
pub(super) mod variants;

use std::fmt;

use anyhow::{Result, bail, ensure};
use clap::Args;
use peerconnection::{MediaKind, RtpReceiver, RtpTransceiver, rtp::Codec};
use serde::Deserialize;

use super::{negotiate::Negotiate, peers::Peer, selection::Selection};
pub(super) use line::{Line, Silence, silence};

/// All keys there are.
pub(super) const ALL_KEYS: &str = "0123456789ABCD*#";
/// How long each of them is pressed, and what is between two, in ms.
pub(super) const PRESSED: u64 = 200;
pub(super) const GAP: u64 = 80;
/// How long the longest is (W3C webrtc-pc §7.2), in ms: with a clock of 48,000 Hz it is told of in
/// five segments (RFC 4733 §2.5.1.3).
pub(super) const LONGEST: u64 = 6000;
/// How much longer or shorter than it was pressed a key may be heard, in ms.
pub(super) const TOLERANCE: u64 = 20;

/// The flags of `cargo xtask interop dtmf`.
#[derive(Args)]
pub(crate) struct Dtmf {
    #[command(flatten)]
    selection: Selection,
}

impl Dtmf {
    pub(crate) fn run(self) -> Result<()> {
        let peers = self.selection.peers_or(&Peer::OF_DTMF);
        if let Some(peer) = peers.iter().find(|it| !Peer::OF_DTMF.contains(it)) {
            bail!("{peer} has no keys");
        }
        let (browsers, programs): (Vec<_>, Vec<_>) =
            peers.into_iter().partition(|it| it.is_browser());
        let has = |all: Vec<&str>| all.into_iter().any(|it| self.selection.has(it));
        let mut outcomes = Vec::new();
        if !browsers.is_empty() && has(Negotiate::dtmf_names()) {
            outcomes.push(Negotiate::new(self.selection.of(browsers)).run_dtmf());
        }
        let mut roles = self.selection.roles();
        let is_ours = roles.any(|it| it == gstreamer::OUR_ROLE);
        if !programs.is_empty() && is_ours && has(gstreamer::names()) {
            outcomes.push(gstreamer::run(&self.selection.of(programs)));
        }
        if outcomes.is_empty() {
            bail!("no scenario has such a name");
        }
        outcomes.into_iter().collect()
    }
}

/// The sound that keys take the place of. Telephone events have its clock, as one stream has one (RFC
/// 7160 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    Opus,
    Pcmu,
}

impl Sound {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "PCMU",
        }
    }

    pub(super) fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu => 8_000,
        }
    }

    /// Has a transceiver negotiate it and its telephone events alone.
    pub(super) fn prefer(self, transceiver: &RtpTransceiver) -> Result<()> {
        let mut wanted = RtpReceiver::capabilities(MediaKind::Audio).codecs;
        let is_it = |it: &Codec| it.name().eq_ignore_ascii_case(self.name());
        wanted.retain(|it| {
            it.clock_rate == self.clock_rate() && (is_it(it) || it.is_telephone_event())
        });
        ensure!(wanted.len() == 2, "we have {wanted:?} alone");
        Ok(transceiver.set_codec_preferences(wanted)?)
    }
}

/// A key, and how long it is or was pressed, in ms.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Key {
    pub(super) tone: char,
    pub(super) ms: u64,
}

impl Key {
    /// Keys that are all pressed for as long.
    pub(super) fn each(tones: &str, ms: u64) -> Vec<Self> {
        tones.chars().map(|tone| Self { tone, ms }).collect()
    }
}

/// Such as `1 for 500 ms`.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} ms", self.tone, self.ms)
    }
}

/// Whether these keys were heard in their order, each as long as it was pressed: what is to be said of
/// them.
pub(super) fn compare(heard: &[Key], pressed: &[Key], tolerance: u64) -> Result<String> {
    let tones = |keys: &[Key]| keys.iter().map(|it| it.tone).collect::<String>();
    ensure!(
        tones(heard) == tones(pressed),
        "heard {heard:?} instead of {pressed:?}"
    );
    let pairs = heard.iter().zip(pressed);
    let worst = pairs.map(|(one, other)| one.ms.abs_diff(other.ms)).max();
    let worst = worst.unwrap_or(0);
    ensure!(
        worst <= tolerance,
        "{worst} ms too long or too short: heard {heard:?} instead of {pressed:?}"
    );
    let count = heard.len();
    Ok(format!("{count} keys, within {worst} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_tone_order_and_duration() {
        let pressed = Key::each("12", 100);
        let mut heard = pressed.clone();
        heard[1].ms = 118;
        assert!(compare(&heard, &pressed, TOLERANCE).is_ok());
        heard[1].ms = 121;
        assert!(compare(&heard, &pressed, TOLERANCE).is_err());
        for other in ["1", "21", "122", "13", ""] {
            let other = Key::each(other, 100);
            assert!(compare(&other, &pressed, TOLERANCE).is_err(), "{other:?}");
        }
    }
}
