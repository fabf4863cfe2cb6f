//! What is heard and seen, here and in the browser.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    MediaFrame, TrackFrames,
    sink::{Level, ToneMeter},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{media::kind, session::Session},
    sources::{SIZE, TONE},
};

/// What the first frames may take: ICE, DTLS, a key frame.
const PATIENCE: Duration = Duration::from_secs(15);
/// A picture that stands longer than this is frozen: the browsers say so from some 300 ms on, and
/// this machine may be busy.
const FREEZE: Duration = Duration::from_millis(1000);
/// Between two looks at a picture in the browser.
const GLANCE: Duration = Duration::from_millis(200);

/// The frames of what is received of this kind.
pub(super) fn received(session: &Session, of: &str) -> Result<TrackFrames> {
    let all = session.ours.pc.transceivers();
    let found = all.iter().find(|it| it.kind() == kind(of));
    let found = found.with_context(|| format!("no transceiver of {of}"))?;
    Ok(found.receiver().track().frames())
}

async fn next(frames: &mut TrackFrames) -> Result<MediaFrame> {
    let next = tokio::time::timeout(PATIENCE, frames.next()).await;
    next.context("no frame came")?
        .context("the track has ended")
}

/// Their fake microphone: it is not silent.
pub(super) async fn heard_here(session: &Session, look: Duration) -> Result<String> {
    let mut frames = received(session, "audio")?;
    let (mut samples, mut loudest, mut note) = (0_usize, Level::SILENCE, None);
    let mut meter = ToneMeter::new();
    let mut begun = None;
    while begun.get_or_insert_with(Instant::now).elapsed() < look {
        let MediaFrame::Audio(frame) = next(&mut frames).await? else {
            bail!("a frame is no audio");
        };
        samples += frame.samples_per_channel();
        meter.push(&frame);
        let level = Level::of(frame.samples()).rms;
        if level > loudest {
            (loudest, note) = (level, meter.note().or(note));
        }
    }
    ensure!(
        loudest > -40.0,
        "it is silent: {samples} samples, {loudest:.0} dB at most"
    );
    let note = note.map_or(String::new(), |it| format!(" at {:.0} Hz", it.frequency));
    Ok(format!("{samples} samples, {loudest:.0} dB{note}"))
}

/// Their fake camera: a picture with something in it, that moves, and never stands still for long.
pub(super) async fn seen_here(session: &Session, look: Duration) -> Result<String> {
    let mut frames = received(session, "video")?;
    let (mut count, mut moving, mut freeze) = (0_u32, 0_u32, Duration::ZERO);
    let mut last = None;
    let mut begun: Option<Instant> = None;
    let mut before = Instant::now();
    while begun.is_none_or(|begun| begun.elapsed() < look) {
        let MediaFrame::Video(frame) = next(&mut frames).await? else {
            bail!("a frame is no picture");
        };
        let now = Instant::now();
        if begun.is_some() {
            freeze = freeze.max(now - before);
        }
        (before, begun) = (now, begun.or(Some(now)));
        count += 1;
        moving += u32::from(last.as_ref() != Some(frame.data()));
        last = Some(frame.data().clone());
    }
    let seconds = look.as_secs_f64();
    ensure!(
        f64::from(count) > 5.0 * seconds && f64::from(moving) > 2.0 * seconds,
        "{count} pictures in {seconds} s, {moving} of them new"
    );
    ensure!(freeze < FREEZE, "it froze for {freeze:?}");
    Ok(format!(
        "{count} pictures, {} ms between two at most",
        freeze.as_millis()
    ))
}

/// What `played` of `peers/negotiate.js` tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Played {
    width: u32,
    height: u32,
    /// When, and what the clock in the picture showed then, both in ms.
    clocks: Vec<(f64, f64)>,
    glances: u32,
    decoded: Option<u32>,
    energy: Option<f64>,
    frequency: Option<f64>,
}

/// Our tone by its frequency, and our picture by its clock.
pub(super) async fn played_there(session: &Session, look: Duration) -> Result<String> {
    let arg = json!({"look": look.as_millis() as u64, "glance": GLANCE.as_millis() as u64});
    let js = "return played('pc', arg.look, arg.glance)";
    let page = &session.theirs.page;
    let seen = page
        .eval_within(look + Duration::from_secs(40), js, arg)
        .await?;
    let seen: Played = serde_json::from_value(seen)?;
    ensure!(
        (seen.width, seen.height) == SIZE,
        "the picture is {}×{}",
        seen.width,
        seen.height
    );
    let decoded = seen.decoded.unwrap_or(0);
    let freeze = clock(&seen, look)?;
    // Without a sound device one browser has no clock for WebAudio, the other measures no energy.
    let heard = match seen.frequency {
        Some(frequency) => {
            ensure!(
                (frequency - TONE).abs() < 15.0,
                "the tone has {frequency} Hz"
            );
            format!("{frequency:.0} Hz")
        }
        None => {
            let energy = seen.energy.unwrap_or(0.0);
            ensure!(energy > 0.001, "it is silent");
            format!("energy {energy:.3}")
        }
    };
    Ok(format!(
        "{decoded} pictures, {freeze:.0} ms frozen at most, {heard}"
    ))
}

/// Whether the clock in the picture can be read and runs as fast as time: how long it stood still at
/// most, in ms.
fn clock(seen: &Played, look: Duration) -> Result<f64> {
    let read = seen.clocks.len();
    ensure!(
        read * 10 > seen.glances as usize * 9,
        "the clock could be read {read} of {} times",
        seen.glances
    );
    let (first, last) = (seen.clocks.first(), seen.clocks.last());
    let (first, last) = first.zip(last).context("nothing was looked at")?;
    let (time, shown) = (last.0 - first.0, last.1 - first.1);
    let tolerance = 1500.0_f64.max(look.as_millis() as f64 / 50.0);
    ensure!(
        (time - shown).abs() < tolerance,
        "its clock went {shown:.0} ms in {time:.0} ms"
    );
    let mut since = *first;
    let mut longest = 0.0_f64;
    for (at, shown) in &seen.clocks {
        if *shown > since.1 {
            since = (*at, *shown);
        }
        longest = longest.max(at - since.0);
    }
    ensure!(
        longest < FREEZE.as_millis() as f64,
        "the picture froze for {longest:.0} ms"
    );
    Ok(longest)
}
