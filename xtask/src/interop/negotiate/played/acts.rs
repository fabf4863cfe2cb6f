//! What is done with media under way: tracks replaced, disabled and paused, key frames asked for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{
    MediaFrame, MediaStream, MediaStreamTrack, RtpSender, rtp::TransceiverDirection,
};

use super::{
    super::{super::scenario::Side, session::Session},
    send_theirs,
    sources::{self, Plain},
    watch::received,
};

/// What a key frame may take once it is asked for: no more than one a second is.
const KEY_FRAME: Duration = Duration::from_secs(4);
/// What a change may take until it is seen here.
const CHANGE: Duration = Duration::from_secs(10);
/// A clock in the picture, and another time after a while.
const CLOCK_RUNS: &str = "const first = await until(() => shown('pc').clock); \
    await until(() => shown('pc').clock > first)";

/// Our picture is seen; then another track takes its place without an exchange, then it is disabled,
/// which is black, and enabled again.
pub(in super::super) async fn replaced(session: &mut Session) -> Result<()> {
    let (first, second) = (sources::picture()?, Plain::new(180));
    let sender = seen_there(session, &first).await?;
    sender.replace_track(second.track.clone()).await?;
    let plain = "shown('pc').mean > 150 && shown('pc').clock === null";
    let theirs = &session.theirs;
    theirs.until(plain).await.context("after replaceTrack")?;
    second.track.set_enabled(false);
    let black = "shown('pc').most < 60";
    theirs.until(black).await.context("disabled")?;
    second.track.set_enabled(true);
    theirs.until(plain).await.context("enabled again")?;
    sender.replace_track(None).await?;
    let js = "const count = async () => [...(await it.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video').framesDecoded; \
        await new Promise((done) => setTimeout(done, 500)); const before = await count(); \
        await new Promise((done) => setTimeout(done, 1000)); return (await count()) - before";
    let came = theirs.run(js, ()).await?;
    ensure!(came == 0, "{came} pictures came of no track");
    sender.replace_track(video_track(&first)?).await?;
    let again = theirs.run(CLOCK_RUNS, ()).await;
    again.context("the first again").map(drop)
}

/// Our picture is seen; one side stops it by an exchange, and has it go on by another.
pub(in super::super) async fn paused(session: &mut Session, by: Side) -> Result<()> {
    let stream = sources::picture()?;
    seen_there(session, &stream).await?;
    let muted = "it.getReceivers()[0].track.muted";
    for round in 0..2 {
        let in_round = || format!("round {round}");
        let before = turn(session, by, "inactive").await?;
        session.theirs.until(muted).await.with_context(in_round)?;
        turn(session, by, &before).await?;
        let unmuted = format!("!({muted})");
        session
            .theirs
            .until(&unmuted)
            .await
            .with_context(in_round)?;
        let runs = session.theirs.run(CLOCK_RUNS, ()).await;
        runs.with_context(in_round)?;
    }
    Ok(())
}

/// Gives the first transceiver this direction by an exchange; what it was before.
async fn turn(session: &Session, side: Side, direction: &str) -> Result<String> {
    let before = match side {
        Side::Ours => {
            let transceivers = session.ours.pc.transceivers();
            let transceiver = transceivers.first().context("no transceiver")?;
            let all = [
                TransceiverDirection::Inactive,
                TransceiverDirection::SendOnly,
                TransceiverDirection::RecvOnly,
                TransceiverDirection::SendRecv,
            ];
            let wanted = all.into_iter().find(|it| it.as_str() == direction);
            let before = transceiver.direction().as_str().to_owned();
            transceiver.set_direction(wanted.context("a direction")?)?;
            before
        }
        Side::Theirs => {
            let js = "const [first] = it.getTransceivers(); const before = first.direction; first.direction = arg; return before";
            let before = session.theirs.run(js, direction).await?;
            before.as_str().context("a direction")?.to_owned()
        }
    };
    session.exchange(side).await?;
    Ok(before)
}

/// Their picture is seen here; the browser disables its track, and enables it again.
pub(in super::super) async fn disabled_there(session: &mut Session) -> Result<()> {
    see_theirs(session).await?;
    let mut frames = received(session, "video")?;
    let disable = "it.getSenders().forEach(({ track }) => track && (track.enabled = arg))";
    brightness(&mut frames, |most| most > 100)
        .await
        .context("at first")?;
    session.theirs.run(disable, false).await?;
    brightness(&mut frames, |most| most < 40)
        .await
        .context("disabled")?;
    session.theirs.run(disable, true).await?;
    brightness(&mut frames, |most| most > 100)
        .await
        .context("enabled again")
}

/// Waits for a picture whose brightest pixel is like that.
async fn brightness(
    frames: &mut peerconnection::TrackFrames,
    is_it: impl Fn(u8) -> bool,
) -> Result<()> {
    let mut last = 0;
    let wait = async {
        while let Some(frame) = frames.next().await {
            if let MediaFrame::Video(frame) = frame {
                last = frame.y().rows().flatten().copied().max().unwrap_or(0);
                if is_it(last) {
                    return Ok(());
                }
            }
        }
        bail!("the track has ended")
    };
    let waited = tokio::time::timeout(CHANGE, wait).await;
    waited.with_context(|| format!("the brightest pixel is {last}"))?
}

/// We ask for a key frame, thrice, and each comes.
pub(in super::super) async fn key_frames_of_theirs(session: &mut Session) -> Result<()> {
    see_theirs(session).await?;
    let transceivers = session.ours.pc.transceivers();
    let transceiver = transceivers.first().context("no transceiver")?;
    let encoded = transceiver.receiver().encoded_track();
    let mut frames = encoded.frames();
    // The first comes unasked, as this reader begins.
    next_key_frame(&mut frames).await.context("at first")?;
    let mut longest = Duration::ZERO;
    for round in 0..3 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        while frames.try_next().is_some() {}
        let asked = Instant::now();
        frames.request_key_frame();
        let came = next_key_frame(&mut frames).await;
        came.with_context(|| format!("request {round}"))?;
        longest = longest.max(asked.elapsed());
    }
    println!("      a key frame after {} ms at most", longest.as_millis());
    Ok(())
}

async fn next_key_frame(frames: &mut peerconnection::TrackFrames) -> Result<()> {
    let wait = async {
        while let Some(frame) = frames.next().await {
            if matches!(frame, MediaFrame::Encoded(frame) if frame.is_key_frame) {
                return Ok(());
            }
        }
        bail!("the track has ended")
    };
    let waited = tokio::time::timeout(KEY_FRAME, wait).await;
    waited.with_context(|| format!("no key frame within {KEY_FRAME:?}"))?
}

/// The browser asks for key frames of ours, thrice, and each comes.
pub(in super::super) async fn key_frames_of_ours(session: &mut Session) -> Result<()> {
    let stream = sources::picture()?;
    seen_there(session, &stream).await?;
    let js = "const video = async () => [...(await it.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video'); \
        await requestKeyFrames('pc', arg, 2000); await new Promise((done) => setTimeout(done, 1000)); \
        const before = (await until(async () => { const now = await video(); return now?.keyFramesDecoded !== undefined && now; }, 'statistics')).keyFramesDecoded; \
        const enough = async () => { const now = await video(); return now?.keyFramesDecoded >= before + arg && now; }; \
        const { keyFramesDecoded, pliCount, firCount } = await until(enough, 'key frames'); return [keyFramesDecoded - before, pliCount, firCount]";
    let counted = session.theirs.run(js, 3).await?;
    println!("      key frames, PLIs and FIRs: {counted}");
    Ok(())
}

/// Has the browser send its fake camera.
async fn see_theirs(session: &Session) -> Result<()> {
    match session.offerer() {
        Side::Theirs => {
            send_theirs(session, &["video"]).await?;
            session.exchange(Side::Theirs).await?;
        }
        Side::Ours => {
            let kind = peerconnection::MediaKind::Video;
            session.ours.pc.add_transceiver(kind, Default::default())?;
            let offer = session.describe(Side::Ours).await?;
            session.deliver(Side::Theirs, &offer).await?;
            send_theirs(session, &["video"]).await?;
            let answer = session.describe(Side::Theirs).await?;
            session.deliver(Side::Ours, &answer).await?;
        }
    }
    session.connected(1).await
}

/// Has the browser show our track.
async fn seen_there(session: &Session, stream: &MediaStream) -> Result<RtpSender> {
    let add = || {
        session
            .ours
            .pc
            .add_track(&video_track(stream)?, &[stream])
            .map_err(anyhow::Error::from)
    };
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

fn video_track(stream: &MediaStream) -> Result<MediaStreamTrack> {
    let tracks = stream.video_tracks();
    tracks.into_iter().next().context("no picture")
}
