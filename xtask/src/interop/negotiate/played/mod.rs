//! Media that is seen and heard: our tone and picture in the browser, its microphone and camera here.

use std::{
    f64::consts::TAU,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    AudioFrame, MediaFrame, MediaKind, MediaStream, MediaStreamTrack, RtpSender, RtpTransceiver,
    TrackFrames, TrackSource, VideoFrame,
    rtp::{Codec, TransceiverDirection},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{super::scenario::Side, media::kind, session::Session};

/// How long media is looked at.
const LOOK: Duration = Duration::from_secs(4);
/// What the first frames may take: ICE, DTLS, a key frame.
const PATIENCE: Duration = Duration::from_secs(15);
const TONE: f64 = 440.0;
const SIZE: (u32, u32) = (320, 240);
const FRAME_RATE: u32 = 20;

/// A source of ours, written to by a task that ends with it.
struct Playing {
    track: MediaStreamTrack,
    task: JoinHandle<()>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Playing {
    fn tone() -> Self {
        let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "our-tone", "440 Hz");
        let task = tokio::spawn(play_tone(source));
        Self { track, task }
    }

    fn picture() -> Self {
        let (track, source) = MediaStreamTrack::new(MediaKind::Video, "our-picture", "a bar");
        let task = tokio::spawn(play_picture(source, None));
        Self { track, task }
    }

    /// A picture of one brightness.
    fn plain(luma: u8) -> Self {
        let (track, source) = MediaStreamTrack::new(MediaKind::Video, "our-plain", "nothing");
        let task = tokio::spawn(play_picture(source, Some(luma)));
        Self { track, task }
    }
}

async fn play_tone(source: TrackSource) {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for frame in 0_u64.. {
        ticks.tick().await;
        let sample = |index: u64| {
            let time = (frame * 480 + index) as f64 / 48_000.0;
            (8000.0 * (time * TONE * TAU).sin()) as i16
        };
        let samples: Vec<i16> = (0..480).map(sample).collect();
        let at = Duration::from_millis(frame * 10);
        if let Ok(frame) = AudioFrame::new(48_000, 1, samples, at) {
            let _ = source.write(frame);
        }
    }
}

/// A white bar that moves to the right over black, an eighth of the width wide, once around in four
/// seconds; or all of this `plain` brightness.
async fn play_picture(source: TrackSource, plain: Option<u8>) {
    let (width, height) = SIZE;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / FRAME_RATE);
    for frame in 0_u32.. {
        ticks.tick().await;
        let begin = frame * 4 % width;
        let luma = |x: u32| {
            if (x + width - begin) % width < width / 8 {
                235
            } else {
                16
            }
        };
        let row: Vec<u8> = (0..width)
            .map(|x| plain.unwrap_or_else(|| luma(x)))
            .collect();
        let mut data = row.repeat(height as usize);
        data.resize(data.len() * 3 / 2, 128);
        let at = Duration::from_secs(1) / FRAME_RATE * frame;
        if let Ok(frame) = VideoFrame::new(width, height, data, at) {
            let _ = source.write(frame);
        }
    }
}

/// Both sides send sound and pictures, in the codecs of these names.
pub(super) async fn both_ways(session: &mut Session, audio: &str, video: &str) -> Result<()> {
    let ours = [Playing::tone(), Playing::picture()];
    let stream = MediaStream::new("ours", []);
    let they_offer = session.offerer() == Side::Theirs;
    if they_offer {
        send_theirs(session).await?;
        let offer = session.describe(Side::Theirs).await?;
        session.deliver(Side::Ours, &offer).await?;
    }
    for playing in &ours {
        session.ours.pc.add_track(&playing.track, &[&stream])?;
    }
    for transceiver in session.ours.pc.transceivers() {
        let wanted = if transceiver.kind() == MediaKind::Audio {
            audio
        } else {
            video
        };
        prefer(&transceiver, wanted)?;
    }
    if they_offer {
        let answer = session.describe(Side::Ours).await?;
        session.deliver(Side::Theirs, &answer).await?;
    } else {
        let offer = session.describe(Side::Ours).await?;
        session.deliver(Side::Theirs, &offer).await?;
        send_theirs(session).await?;
        let answer = session.describe(Side::Theirs).await?;
        session.deliver(Side::Ours, &answer).await?;
    }
    session.connected(1).await?;
    let heard = heard_here(session);
    let seen = seen_here(session);
    let there = played_there(session, audio, video);
    let (heard, seen, there) = tokio::join!(heard, seen, there);
    let there = there.context("in the browser")?;
    let heard = heard.context("their sound, here")?;
    let seen = seen.context("their picture, here")?;
    println!("      {audio} {video}: here {heard}, {seen}; there {there}");
    Ok(())
}

async fn send_theirs(session: &Session) -> Result<()> {
    let js = "await addFakeTrack('pc', 'audio'); await addFakeTrack('pc', 'video')";
    session.theirs.run(js, ()).await.map(drop)
}

/// Our picture is seen; then another track takes its place without an exchange, then it is disabled,
/// which is black, and enabled again.
pub(super) async fn replaced(session: &mut Session) -> Result<()> {
    let (first, second) = (Playing::picture(), Playing::plain(180));
    let sender = seen_there(session, &first).await?;
    sender.replace_track(second.track.clone()).await?;
    let plain = "shown('pc').mean > 150";
    session
        .theirs
        .until(plain)
        .await
        .context("after replaceTrack")?;
    second.track.set_enabled(false);
    let black = "shown('pc').most < 60";
    session.theirs.until(black).await.context("disabled")?;
    second.track.set_enabled(true);
    session.theirs.until(plain).await.context("enabled again")?;
    sender.replace_track(None).await?;
    let js = "const count = async () => [...(await it.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video').framesDecoded; \
        await new Promise((done) => setTimeout(done, 500)); const before = await count(); \
        await new Promise((done) => setTimeout(done, 1000)); return (await count()) - before";
    let came = session.theirs.run(js, ()).await?;
    ensure!(came == 0, "{came} pictures came of no track");
    sender.replace_track(first.track.clone()).await?;
    let bar = "shown('pc').most > 180 && shown('pc').mean < 100";
    session.theirs.until(bar).await.context("the first again")
}

/// Our picture is seen; we stop sending it by an exchange, and go on by another.
pub(super) async fn paused(session: &mut Session) -> Result<()> {
    let playing = Playing::picture();
    seen_there(session, &playing).await?;
    let transceivers = session.ours.pc.transceivers();
    let transceiver = transceivers.first().context("no transceiver")?;
    let muted = "it.getReceivers()[0].track.muted";
    for round in 0..2 {
        let before = transceiver.direction();
        transceiver.set_direction(TransceiverDirection::Inactive)?;
        session.exchange(Side::Ours).await?;
        session
            .theirs
            .until(muted)
            .await
            .with_context(|| format!("round {round}"))?;
        transceiver.set_direction(before)?;
        session.exchange(Side::Ours).await?;
        let unmuted = format!("!({muted})");
        session
            .theirs
            .until(&unmuted)
            .await
            .with_context(|| format!("round {round}"))?;
        let js = "const first = shown('pc').mean; await until(() => Math.abs(shown('pc').mean - first) > 1 || shown('pc').most > 180)";
        session
            .theirs
            .run(js, ())
            .await
            .with_context(|| format!("round {round}"))?;
    }
    Ok(())
}

/// Has the browser show our track.
async fn seen_there(session: &Session, playing: &Playing) -> Result<RtpSender> {
    let stream = MediaStream::new("ours", []);
    let add = || session.ours.pc.add_track(&playing.track, &[&stream]);
    let sender = if session.offerer() == Side::Ours {
        let sender = add()?;
        session.exchange(Side::Ours).await?;
        sender
    } else {
        let js = "it.addTransceiver('video', { direction: 'recvonly' })";
        session.theirs.run(js, ()).await?;
        let offer = session.describe(Side::Theirs).await?;
        session.deliver(Side::Ours, &offer).await?;
        let sender = add()?;
        let answer = session.describe(Side::Ours).await?;
        session.deliver(Side::Theirs, &answer).await?;
        sender
    };
    session.connected(1).await?;
    session.theirs.run("await show('pc')", ()).await?;
    Ok(sender)
}

/// This codec alone, and what retransmits it.
fn prefer(transceiver: &RtpTransceiver, name: &str) -> Result<()> {
    let all = peerconnection::RtpReceiver::capabilities(transceiver.kind()).codecs;
    let fits = |it: &Codec| it.name().eq_ignore_ascii_case(name) || it.is_rtx();
    let wanted: Vec<_> = all.into_iter().filter(fits).collect();
    ensure!(wanted.iter().any(Codec::is_media), "we have no {name}");
    Ok(transceiver.set_codec_preferences(wanted)?)
}

fn received(session: &Session, of: &str) -> Result<TrackFrames> {
    let all = session.ours.pc.transceivers();
    let found = all.iter().find(|it| it.kind() == kind(of));
    let found = found.with_context(|| format!("no transceiver of {of}"))?;
    Ok(found.receiver().track().frames())
}

/// Their fake microphone: it is not silent.
async fn heard_here(session: &Session) -> Result<String> {
    let mut frames = received(session, "audio")?;
    let (mut samples, mut loudest) = (0_usize, 0_u16);
    let mut begun = None;
    let wait = tokio::time::Instant::now() + PATIENCE;
    loop {
        let frame = tokio::time::timeout_at(wait, frames.next()).await;
        let Some(MediaFrame::Audio(frame)) = frame.context("no sound came")? else {
            bail!("the track has ended");
        };
        samples += frame.samples_per_channel();
        let loud = frame.samples().iter().map(|it| it.unsigned_abs()).max();
        loudest = loudest.max(loud.unwrap_or(0));
        if begun.get_or_insert_with(Instant::now).elapsed() > LOOK {
            break;
        }
    }
    ensure!(
        loudest > 500,
        "it is silent: {samples} samples, none louder than {loudest}"
    );
    Ok(format!("{samples} samples, up to {loudest}"))
}

/// Their fake camera: a picture with something in it, that moves.
async fn seen_here(session: &Session) -> Result<String> {
    let mut frames = received(session, "video")?;
    let mut seen: Vec<VideoFrame> = Vec::new();
    let mut begun = None;
    let wait = tokio::time::Instant::now() + PATIENCE;
    loop {
        let frame = tokio::time::timeout_at(wait, frames.next()).await;
        let Some(MediaFrame::Video(frame)) = frame.context("no picture came")? else {
            bail!("the track has ended");
        };
        seen.push(frame);
        if begun.get_or_insert_with(Instant::now).elapsed() > LOOK {
            break;
        }
    }
    let moving = seen
        .windows(2)
        .filter(|pair| pair[0].data() != pair[1].data());
    let moving = moving.count();
    let size = seen.last().map(|it| (it.width(), it.height()));
    let frames = seen.len();
    ensure!(
        frames > 20 && moving > 5,
        "{frames} pictures of {size:?}, {moving} of them new"
    );
    Ok(format!("{frames} pictures of {size:?}"))
}

/// Our tone by its frequency, and our bar by its place in two pictures.
async fn played_there(session: &Session, audio: &str, video: &str) -> Result<String> {
    let arg = json!({"look": LOOK.as_millis() as u64});
    let js = "return played('pc', arg.look)";
    let page = &session.theirs.page;
    let seen = page.eval_within(Duration::from_secs(40), js, arg).await?;
    let number = |name: &str| seen[name].as_f64();
    let (width, height) = SIZE;
    ensure!(
        number("width") == Some(width.into()) && number("height") == Some(height.into()),
        "the picture is {seen}"
    );
    let decoded = number("decoded").unwrap_or(0.0);
    ensure!(
        decoded >= 20.0,
        "{video}: {decoded} pictures decoded: {seen}"
    );
    let places: Vec<f64> = values(&seen["places"]);
    ensure!(places.len() > 3, "{video}: the bar is not seen: {seen}");
    let moves = places
        .windows(2)
        .filter(|pair| (pair[0] - pair[1]).abs() > 1.0);
    ensure!(moves.count() > 2, "{video}: the bar does not move: {seen}");
    // Without a sound device one browser has no clock for WebAudio, the other measures no energy.
    let heard = match number("frequency") {
        Some(frequency) => {
            let is_right = (frequency - TONE).abs() < 15.0;
            ensure!(is_right, "{audio}: {frequency} Hz: {seen}");
            format!("{frequency:.0} Hz")
        }
        None => {
            let energy = number("energy").unwrap_or(0.0);
            ensure!(energy > 0.001, "{audio}: it is silent: {seen}");
            format!("energy {energy:.3}")
        }
    };
    Ok(format!("{decoded} pictures, {heard}"))
}

fn values(list: &Value) -> Vec<f64> {
    let list = list.as_array();
    list.into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}
