//! Media that is seen and heard: our tone and picture in the browser, its microphone and camera here.

mod acts;
mod redundant;
mod sources;
mod watch;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{MediaKind, RtpTransceiver, rtp::Codec};
use serde_json::json;

pub(super) use acts::{disabled_there, key_frames_of_ours, key_frames_of_theirs, paused, replaced};

pub(super) use redundant::redundant;

use super::{
    super::{run::LeftOut, scenario::Side},
    session::Session,
};
use watch::{heard_here, played_there, seen_here};

/// How long media is looked at, in seconds.
pub(super) const LOOK: u64 = 4;
/// For how long a call has to hold without a freeze.
pub(super) const LONG_LOOK: u64 = 60;

/// Both sides send sound and pictures, in the codecs of these names, for so many seconds.
pub(super) async fn both_ways(
    session: &mut Session,
    audio: &str,
    video: &str,
    seconds: u64,
) -> Result<()> {
    for (kind, name) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
        if !has_codec(session, kind, name).await? {
            bail!(LeftOut(format!("this build or this browser has no {name}")));
        }
    }
    let look = Duration::from_secs(seconds);
    let stream = sources::tone_and_picture()?;
    let they_offer = session.offerer() == Side::Theirs;
    if they_offer {
        send_theirs(session, &["audio", "video"]).await?;
        if audio == RED {
            // A side sends what the other wants most.
            session.theirs.run(PREFER_RED, ()).await?;
        }
        let offer = session.describe(Side::Theirs).await?;
        session.deliver(Side::Ours, &offer).await?;
    }
    for track in stream.tracks() {
        session.ours.pc.add_track(&track, &[&stream])?;
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
        send_theirs(session, &["audio", "video"]).await?;
        let answer = session.describe(Side::Theirs).await?;
        session.deliver(Side::Ours, &answer).await?;
    }
    session.connected(1).await?;
    let (heard, seen, there) = tokio::join!(
        heard_here(session, look),
        seen_here(session, look),
        played_there(session, look)
    );
    let there = there.context("in the browser")?;
    let heard = heard.context("their sound, here")?;
    let seen = seen.context("their picture, here")?;
    println!("      here {heard}, {seen}; there {there}");
    Ok(())
}

/// Whether both sides encode and decode it: AV1 and H.264 are features of this build.
async fn has_codec(session: &Session, kind: MediaKind, name: &str) -> Result<bool> {
    let ours = peerconnection::RtpSender::capabilities(kind).codecs;
    let js = "const has = (of) => of.getCapabilities(arg.kind)?.codecs.some(({ mimeType }) => mimeType.toLowerCase() === arg.type); \
        return has(RTCRtpSender) && has(RTCRtpReceiver)";
    let kind = kind.as_str();
    let arg = json!({"kind": kind, "type": format!("{kind}/{name}").to_lowercase()});
    let theirs = session.theirs.run(js, arg).await?;
    let mut ours = ours.iter();
    Ok(ours.any(|it| it.name().eq_ignore_ascii_case(name)) && theirs == true)
}

pub(super) async fn send_theirs(session: &Session, kinds: &[&str]) -> Result<()> {
    for kind in kinds {
        let js = "await addFakeTrack('pc', arg)";
        session.theirs.run(js, *kind).await?;
    }
    Ok(())
}

/// Sound that is sent twice: not sent unless it is preferred to what it carries.
const RED: &str = "red";
const PREFER_RED: &str = "const { codecs } = RTCRtpReceiver.getCapabilities('audio'); \
    const isRed = ({ mimeType }) => mimeType === 'audio/red'; \
    const [sound] = it.getTransceivers().filter(({ receiver }) => receiver.track.kind === 'audio'); \
    sound.setCodecPreferences([...codecs.filter(isRed), ...codecs.filter((codec) => !isRed(codec))])";

/// This codec alone, and what retransmits it; of redundancy, what it carries.
fn prefer(transceiver: &RtpTransceiver, name: &str) -> Result<()> {
    let all = peerconnection::RtpReceiver::capabilities(transceiver.kind()).codecs;
    let is_red = name == RED;
    let carried = if is_red { "opus" } else { name };
    let is_it = |it: &Codec| it.name().eq_ignore_ascii_case(carried);
    let fits = |it: &Codec| is_it(it) || it.is_rtx() || (is_red && it.is_red());
    let mut wanted: Vec<_> = all.into_iter().filter(fits).collect();
    wanted.sort_by_key(|it| !it.is_red());
    ensure!(wanted.iter().any(Codec::is_media), "we have no {name}");
    Ok(transceiver.set_codec_preferences(wanted)?)
}
