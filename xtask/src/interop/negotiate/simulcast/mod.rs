//! Simulcast: three layers of a browser's decoded here, and a browser's view of what a forwarding unit
//! sends on of them, through a hundred switches.

mod source;
mod unit;
mod view;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    MediaFrame, MediaKind, RtpReceiver, TrackFrames, TransceiverInit, rtp::TransceiverDirection,
    sink,
};

use super::{super::scenario::Side, session::Session};
use source::{BROWSERS, LAYERS, browser_camera, rust_client};
use unit::Unit;
use view::{Seen, View};

/// Until the smallest layer has come from the start, and the largest: senders begin with little and find
/// out what the network takes.
const RAMP_UP: Duration = Duration::from_secs(40);
/// What a switch may take: a key frame is asked for once a second at most.
const SWITCH: Duration = Duration::from_secs(8);
/// A picture that stands longer than this is frozen; this machine may be busy.
const FREEZE: Duration = Duration::from_millis(1500);
/// How often the viewer's picture is changed.
const SWITCHES: usize = 100;
/// Pictures with a new clock that show that a layer is alive.
const ALIVE: u32 = 10;

/// Where a scenario's layers come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sender {
    /// The browser, by its own connection.
    Browser,
    /// Our stack.
    Rust,
}

/// The browser sends three layers: each is decoded here, in its size, with its clock running. Then one
/// after the other in the receiver's own track.
pub(super) async fn three_layers(session: &mut Session) -> Result<()> {
    let arg = source::encodings();
    session.theirs.run(source::ADD_CAMERA, arg).await?;
    let [offer, answer] = session.exchange(Side::Theirs).await?;
    ensure!(
        offer.sdp.contains("a=simulcast:send f;h;q"),
        "{}",
        offer.sdp
    );
    ensure!(
        answer.sdp.contains("a=simulcast:recv f;h;q"),
        "{}",
        answer.sdp
    );
    session.connected(1).await?;
    let transceivers = session.ours.pc.transceivers();
    let receiver = transceivers.first().context("no transceiver")?.receiver();
    let tracks = LAYERS.map(|layer| (layer, receiver.layer_track(layer.rid).frames()));
    for (layer, mut frames) in tracks {
        let came = clock_runs(&mut frames, layer.size(BROWSERS), RAMP_UP).await;
        let came = came.with_context(|| format!("{}: {:?}", layer.rid, receiver.layers()))?;
        println!("      {}: {came:.1?}", layer.rid);
    }
    let known = receiver.layers();
    for layer in LAYERS {
        let mut known = known.iter();
        let known = known.find(|it| it.rid.as_deref() == Some(layer.rid));
        let known = known.with_context(|| format!("no layer {}", layer.rid))?;
        ensure!(
            known.size == Some(layer.size(BROWSERS)) && known.is_active,
            "{known:?}"
        );
    }
    one_at_a_time(&receiver).await
}

/// We ask for three layers in an offer, and the browser sends them, the first the smallest.
pub(super) async fn three_asked_for(session: &mut Session) -> Result<()> {
    let init = TransceiverInit {
        direction: TransceiverDirection::RecvOnly,
        ..Default::default()
    };
    let pc = &session.ours.pc;
    let receiver = pc.add_transceiver(MediaKind::Video, init)?.receiver();
    let rids: Vec<_> = LAYERS.iter().rev().map(|it| it.rid).collect();
    receiver.offer_layers(&rids)?;
    let offer = session.describe(Side::Ours).await?;
    session.deliver(Side::Theirs, &offer).await?;
    session
        .theirs
        .run(source::ANSWER_CAMERA, source::encodings())
        .await?;
    let answer = session.describe(Side::Theirs).await?;
    session.deliver(Side::Ours, &answer).await?;
    ensure!(
        answer.sdp.contains("a=simulcast:send q;h;f"),
        "{}",
        answer.sdp
    );
    session.connected(1).await?;
    for layer in LAYERS {
        let mut frames = receiver.layer_track(layer.rid).frames();
        let came = clock_runs(&mut frames, layer.size(BROWSERS), RAMP_UP).await;
        let came = came.with_context(|| format!("{}: {:?}", layer.rid, receiver.layers()))?;
        println!("      {}: {came:.1?}", layer.rid);
    }
    Ok(())
}

async fn one_at_a_time(receiver: &RtpReceiver) -> Result<()> {
    let mut frames = receiver.track().frames();
    for round in 0..3 {
        for layer in LAYERS {
            receiver.select_layer(Some(layer.rid));
            let came = clock_runs(&mut frames, layer.size(BROWSERS), SWITCH).await;
            came.with_context(|| format!("round {round}, layer {} selected", layer.rid))?;
        }
    }
    Ok(())
}

/// Waits for pictures of this size, whose clock runs; how long it took.
async fn clock_runs(
    frames: &mut TrackFrames,
    size: (u32, u32),
    patience: Duration,
) -> Result<Duration> {
    let begun = Instant::now();
    let (mut alive, mut last, mut other) = (0, None, None);
    let wait = async {
        while alive < ALIVE {
            let Some(MediaFrame::Video(frame)) = frames.next().await else {
                bail!("the track has ended");
            };
            if (frame.width(), frame.height()) != size {
                ensure!(
                    alive == 0,
                    "{size:?} gave way to {}×{}",
                    frame.width(),
                    frame.height()
                );
                other = Some((frame.width(), frame.height()));
                continue;
            }
            if let Some(clock) = sink::read_clock(&frame)
                && last.is_none_or(|last| clock > last)
            {
                last = Some(clock);
                alive += 1;
            }
        }
        Ok(())
    };
    let waited = tokio::time::timeout(patience, wait).await;
    waited.with_context(|| format!("{alive} pictures of {size:?}, others {other:?}"))??;
    Ok(begun.elapsed())
}

/// The browser looks at what our unit sends on, while that goes from layer to layer.
pub(super) async fn switches(session: &mut Session, sender: Sender) -> Result<()> {
    let source = match sender {
        Sender::Browser => browser_camera(&session.theirs.page).await?,
        Sender::Rust => rust_client().await?,
    };
    let unit = Unit::start(session, &source.receiver).await?;
    let view = View::begin(&session.theirs).await?;
    for layer in LAYERS {
        let came = view
            .shows(&unit, layer.rid, layer.size(source.size), RAMP_UP)
            .await;
        came.with_context(|| format!("at first: {:?}", source.receiver.layers()))?;
    }
    view.forget().await?;
    let mut times = Vec::with_capacity(SWITCHES);
    for number in 0..SWITCHES {
        // Each after each, in an order that looks like none.
        let layer = LAYERS[(number + number * number / 2 + number / 7) % LAYERS.len()];
        let came = view
            .shows(&unit, layer.rid, layer.size(source.size), SWITCH)
            .await;
        times.push(came.with_context(|| format!("switch {number}, to {}", layer.rid))?);
    }
    let seen = view.seen().await?;
    times.sort_unstable();
    let (median, longest) = (times[SWITCHES / 2], times[SWITCHES - 1]);
    println!(
        "      {seen}; to switch took {median:.1?}, {longest:.1?} at most; {}",
        unit.told()
    );
    check(&seen)
}

fn check(seen: &Seen) -> Result<()> {
    ensure!(
        seen.longest < FREEZE.as_secs_f64() * 1000.0,
        "it froze: {seen:?}"
    );
    ensure!(
        seen.unreadable * 50 <= seen.frames,
        "broken pictures: {seen:?}"
    );
    ensure!(seen.stuck < 3, "framesDecoded stood still: {seen:?}");
    Ok(())
}
