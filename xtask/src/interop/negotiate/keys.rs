//! Keys of a telephone: the browser's, heard here, and ours, heard in the browser.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{MediaStream, stats::Stats};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{
        dtmf::{
            ALL_KEYS, GAP, Key, LONGEST, Line, PRESSED, Silence, Sound, TOLERANCE, compare,
            silence,
            variants::{self, Variant},
        },
        run::LeftOut,
        scenario::Side,
    },
    played::send_theirs,
    session::Session,
};

/// How much longer or shorter than it was pressed a key may sound in a page, in ms: a jitter buffer
/// blends it with what was before and comes after, the more so the busier the machine, and the page's
/// ear is as fine as 20 ms.
const EAR: u64 = 80;

/// All keys of the browser's.
pub(super) async fn all_of_theirs(session: &mut Session, sound: Sound) -> Result<()> {
    let mut call = Call::begin(session, sound).await?;
    press_theirs(session, ALL_KEYS, PRESSED).await?;
    call.hear(Key::each(ALL_KEYS, PRESSED)).await
}

/// A key that needs several segments with a clock of 48,000 Hz.
pub(super) async fn longest_of_theirs(session: &mut Session) -> Result<()> {
    let sound = best(session).await?;
    let mut call = Call::begin(session, sound).await?;
    press_theirs(session, "5", LONGEST).await?;
    call.hear(Key::each("5", LONGEST)).await
}

/// One of the W3C's examples, in the page.
pub(super) async fn variant_of_theirs(session: &mut Session, variant: Variant) -> Result<()> {
    let sound = best(session).await?;
    let mut call = Call::begin(session, sound).await?;
    let js = "await playVariant('pc', arg)";
    session.theirs.run(js, variant.name).await?;
    call.hear(variant.keys()).await?;
    if variant == variants::LIGHT {
        let js = "return log('pc').filter(({ event }) => event === 'light').map(({ key }) => key)";
        let lit = session.theirs.run(js, ()).await?;
        ensure!(
            lit == json!(["1", "", "2", "", "3", "", "4", ""]),
            "lit {lit}"
        );
    }
    Ok(())
}

/// All keys of ours.
pub(super) async fn all_of_ours(session: &mut Session, sound: Sound) -> Result<()> {
    let mut call = Call::begin(session, sound).await?;
    let ear = Ear::open(session).await?;
    press_ours(&mut call.line, ALL_KEYS, PRESSED).await?;
    ear.heard(session, &Key::each(ALL_KEYS, PRESSED)).await
}

/// The same of ours.
pub(super) async fn longest_of_ours(session: &mut Session) -> Result<()> {
    let sound = best(session).await?;
    let mut call = Call::begin(session, sound).await?;
    let ear = Ear::open(session).await?;
    press_ours(&mut call.line, "5", LONGEST).await?;
    ear.heard(session, &Key::each("5", LONGEST)).await
}

/// One of the W3C's examples, on our side.
pub(super) async fn variant_of_ours(session: &mut Session, variant: Variant) -> Result<()> {
    let sound = best(session).await?;
    let mut call = Call::begin(session, sound).await?;
    let ear = Ear::open(session).await?;
    variant.play(&mut call.line).await?;
    ear.heard(session, &variant.keys()).await
}

async fn press_theirs(session: &Session, tones: &str, ms: u64) -> Result<()> {
    let js = "const { dtmf } = await keypad('pc'); dtmf.insertDTMF(arg.tones, arg.ms, arg.gap)";
    let arg = json!({"tones": tones, "ms": ms, "gap": GAP});
    session.theirs.run(js, arg).await.map(drop)
}

async fn press_ours(line: &mut Line, tones: &str, pressed: u64) -> Result<()> {
    let ms = Duration::from_millis;
    let dtmf = line.keypad().await?;
    dtmf.insert_dtmf(tones, ms(pressed), ms(GAP))?;
    while line.next_tone().await?.is_some() {}
    Ok(())
}

/// Whether the browser has telephone events of this clock.
async fn has(session: &Session, sound: Sound) -> Result<bool> {
    let js = "return RTCRtpSender.getCapabilities('audio').codecs.some((it) => \
        it.mimeType === 'audio/telephone-event' && it.clockRate === arg)";
    Ok(session.theirs.run(js, sound.clock_rate()).await? == true)
}

/// What the browser would use: Opus, unless there are no telephone events with its clock.
async fn best(session: &Session) -> Result<Sound> {
    Ok(if has(session, Sound::Opus).await? {
        Sound::Opus
    } else {
        Sound::Pcmu
    })
}

/// Both sides can press keys; ours comes with a sound that is silent.
struct Call {
    line: Line,
    _silence: Silence,
}

impl Call {
    async fn begin(session: &mut Session, sound: Sound) -> Result<Self> {
        if !has(session, sound).await? {
            let rate = sound.clock_rate();
            bail!(LeftOut(format!(
                "this browser has no telephone events of {rate} Hz"
            )));
        }
        let (track, silence) = silence();
        let stream = MediaStream::new("keys", [track.clone()]);
        let they_offer = session.offerer() == Side::Theirs;
        if they_offer {
            send_theirs(session, &["audio"]).await?;
            let offer = session.describe(Side::Theirs).await?;
            session.deliver(Side::Ours, &offer).await?;
        }
        session.ours.pc.add_track(&track, &[&stream])?;
        for transceiver in session.ours.pc.transceivers() {
            sound.prefer(&transceiver)?;
        }
        let description = session.describe(Side::Ours).await?;
        session.deliver(Side::Theirs, &description).await?;
        if !they_offer {
            send_theirs(session, &["audio"]).await?;
            let answer = session.describe(Side::Theirs).await?;
            session.deliver(Side::Ours, &answer).await?;
        }
        session.connected(1).await?;
        let events = session.take_events().await?;
        Ok(Self {
            line: Line::new(session.ours.pc.clone(), events),
            _silence: silence,
        })
    }

    async fn hear(&mut self, pressed: Vec<Key>) -> Result<()> {
        let heard = self.line.hear(pressed.len()).await?;
        let told = compare(&heard, &pressed, TOLERANCE)?;
        println!("      {told}");
        Ok(())
    }
}

/// What listens in the page.
struct Ear {
    /// Without a sound device there is no clock for WebAudio in one of the browsers.
    hears: bool,
    before: Inbound,
}

/// Of `RTCInboundRtpStreamStats`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inbound {
    packets_received: u64,
    packets_lost: i64,
    #[serde(default)]
    total_audio_energy: f64,
}

impl Ear {
    async fn open(session: &Session) -> Result<Self> {
        let hears = session.theirs.run("return listen('pc')", ()).await?;
        let before = inbound(session).await?;
        Ok(Self {
            hears: hears == true,
            before,
        })
    }

    /// The page has heard these keys; all packets that tell of them have been taken.
    async fn heard(&self, session: &Session, pressed: &[Key]) -> Result<()> {
        let told = if self.hears {
            let js = "await until(() => keysHeard('pc').length >= arg, 'keys', 2000).catch(() => {}); \
                await new Promise((done) => setTimeout(done, 400)); return keysHeard('pc')";
            let heard = session.theirs.run(js, pressed.len()).await?;
            let heard: Vec<Key> = serde_json::from_value(heard)?;
            compare(&heard, pressed, EAR)?
        } else {
            let energy = inbound(session).await?.total_audio_energy;
            let energy = energy - self.before.total_audio_energy;
            // 0.1 mW at full scale for as long: -10 dBm0 each of two frequencies.
            ensure!(energy > 0.001, "nothing is heard: an energy of {energy}");
            format!("energy {energy:.3}")
        };
        let counted = self.counted(session).await?;
        println!("      {told}, {counted} packets");
        Ok(())
    }

    /// What has been sent, the browser has counted, and none is lost. While keys are pressed these are
    /// telephone events.
    async fn counted(&self, session: &Session) -> Result<u64> {
        let sent = session.ours.pc.stats(None)?;
        let sent = sent.iter().find_map(|it| match it {
            Stats::OutboundRtp(it) => Some(it.packets_sent),
            _ => None,
        });
        let sent = sent.context("nothing was sent")?;
        let js = "await until(async () => [...(await it.getStats()).values()].find((s) => \
            s.type === 'inbound-rtp' && s.kind === 'audio')?.packetsReceived >= arg, 'all packets')";
        session.theirs.run(js, sent).await?;
        let now = inbound(session).await?;
        ensure!(now.packets_lost == 0, "lost: {now:?}");
        Ok(now.packets_received - self.before.packets_received)
    }
}

async fn inbound(session: &Session) -> Result<Inbound> {
    let js = "return until(async () => [...(await it.getStats()).values()].find((s) => \
        s.type === 'inbound-rtp' && s.kind === 'audio'), 'sound')";
    let stats = session.theirs.run(js, ()).await?;
    serde_json::from_value(stats).context("statistics of received sound")
}
