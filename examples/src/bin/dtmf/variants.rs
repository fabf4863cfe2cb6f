//! The five examples of <https://www.w3.org/TR/webrtc/#dtmf-example>, with their lines in their order.
//!
//! `lightKey(key)` lights a key of this side's keypad, and `lightKey('')` turns it off; `tones` is what
//! `ontonechange` is called with.

use std::{str::FromStr, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use peerconnection::DtmfSender;
use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};

use crate::keypad::Keypad;

/// One of the examples, by what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// "Sending the DTMF signal "1234" with 500 ms duration per tone".
    Tones,
    /// "Send the DTMF signal "123" and abort after sending "2"".
    Abort,
    /// "Send the DTMF signal "1234", and light up the active key using lightKey(key) while the tone is
    /// playing".
    Light,
    /// "It is always safe to append to the tone buffer. This example appends before any tone playout
    /// has started as well as during playout".
    Append,
    /// "Send a 1-second "1" tone followed by a 2-second "2" tone".
    Durations,
}

impl Variant {
    pub(crate) const ALL: [Self; 5] = [
        Self::Tones,
        Self::Abort,
        Self::Light,
        Self::Append,
        Self::Durations,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tones => "tones",
            Self::Abort => "abort",
            Self::Light => "light",
            Self::Append => "append",
            Self::Durations => "durations",
        }
    }

    /// The keys that the other side is to hear, and for how many milliseconds each.
    pub(crate) fn keys(self) -> Vec<(char, u64)> {
        let all = |keys: &str, ms| keys.chars().map(|key| (key, ms)).collect();
        match self {
            Self::Tones | Self::Light => all("1234", 500),
            Self::Abort => all("12", 100),
            Self::Append => all("123456789", 100),
            Self::Durations => vec![('1', 1000), ('2', 2000)],
        }
    }

    /// Plays it, until all has been played.
    pub(crate) async fn play(self, dtmf: &DtmfSender, keypad: &Keypad) -> Result<()> {
        // if (sender.dtmf.canInsertDTMF) { … } else { console.log('DTMF function not available'); }
        ensure!(dtmf.can_insert_dtmf(), "DTMF function not available");
        let tones = Tones(keypad.tones());
        match self {
            Self::Tones => play_tones(dtmf, tones).await,
            Self::Abort => abort(dtmf, tones).await,
            Self::Light => light(dtmf, tones, keypad).await,
            Self::Append => append(dtmf, tones).await,
            Self::Durations => durations(dtmf, tones).await,
        }
    }
}

impl FromStr for Variant {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|it| it.name() == name);
        known.ok_or_else(|| anyhow!("no variant is named {name:?}"))
    }
}

/// `sender.dtmf.ontonechange`.
struct Tones(broadcast::Receiver<Option<char>>);

impl Tones {
    /// The next tone; `None` when all have been played.
    async fn next(&mut self) -> Result<Option<char>> {
        self.0.recv().await.context("the call has ended")
    }

    async fn end(&mut self) -> Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

async fn play_tones(dtmf: &DtmfSender, mut tones: Tones) -> Result<()> {
    // const duration = 500;
    let duration = ms(500);
    // sender.dtmf.insertDTMF('1234', duration);
    dtmf.insert_dtmf("1234", duration, None)?;
    tones.end().await
}

async fn abort(dtmf: &DtmfSender, mut tones: Tones) -> Result<()> {
    // async function sendDTMF() {
    // sender.dtmf.insertDTMF('123');
    dtmf.insert_dtmf("123", None, None)?;
    // await new Promise(r => sender.dtmf.ontonechange = e => e.tone == '2' && r());
    while tones.next().await? != Some('2') {}
    // empty the buffer to not play any tone after "2"
    // sender.dtmf.insertDTMF('');
    dtmf.insert_dtmf("", None, None)?;
    tones.end().await
}

async fn light(dtmf: &DtmfSender, mut tones: Tones, keypad: &Keypad) -> Result<()> {
    // const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
    // const duration = 500; // ms
    let duration = ms(500);
    // sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1234', duration);
    let buffer = dtmf.tone_buffer() + "1234";
    dtmf.insert_dtmf(&buffer, duration, None)?;
    // sender.dtmf.ontonechange = async event => {
    // if (!event.tone) return;
    while let Some(tone) = tones.next().await? {
        // lightKey(event.tone); // light up the key when playout starts
        keypad.light(Some(tone));
        // await wait(duration);
        sleep_until(Instant::now() + duration).await;
        // lightKey(''); // turn off the light after tone duration
        keypad.light(None);
    }
    Ok(())
}

async fn append(dtmf: &DtmfSender, mut tones: Tones) -> Result<()> {
    // sender.dtmf.insertDTMF('123');
    dtmf.insert_dtmf("123", None, None)?;
    // append more tones to the tone buffer before playout has begun
    // sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '456');
    dtmf.insert_dtmf(&(dtmf.tone_buffer() + "456"), None, None)?;
    // sender.dtmf.ontonechange = event => {
    while let Some(tone) = tones.next().await? {
        // if (event.tone == '1') {
        if tone == '1' {
            // append more tones when playout has begun
            // sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '789');
            dtmf.insert_dtmf(&(dtmf.tone_buffer() + "789"), None, None)?;
        }
    }
    Ok(())
}

async fn durations(dtmf: &DtmfSender, mut tones: Tones) -> Result<()> {
    // sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1', 1000);
    dtmf.insert_dtmf(&(dtmf.tone_buffer() + "1"), ms(1000), None)?;
    // sender.dtmf.ontonechange = event => {
    while let Some(tone) = tones.next().await? {
        // if (event.tone == '1') {
        if tone == '1' {
            // sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '2', 2000);
            dtmf.insert_dtmf(&(dtmf.tone_buffer() + "2"), ms(2000), None)?;
        }
    }
    Ok(())
}
