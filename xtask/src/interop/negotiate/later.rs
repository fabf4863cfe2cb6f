//! What changes after a first exchange.

use anyhow::{Context, Result, ensure};
use peerconnection::rtp::TransceiverDirection;
use serde_json::{Value, json};

use super::{
    super::scenario::Side,
    media::{add, make_channel},
    pending::names,
    session::Session,
    state::{reversed, sections},
};

/// The one who stops, adds or changes: the first offerer, or the other.
fn actor(session: &Session, is_answerer: bool) -> Side {
    if is_answerer {
        session.offerer().other()
    } else {
        session.offerer()
    }
}

/// A first exchange of audio and data, up and running.
async fn call(session: &Session) -> Result<()> {
    for side in [session.offerer(), session.offerer().other()] {
        add(session, side, "audio", &["main"]).await?;
    }
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    session.talk("chat", "first").await
}

/// A stopped transceiver's m-section is rejected, and the next transceiver takes its place with a
/// mid of its own (RFC 9429 §5.2.2). Not the section that carries the bundle:
/// docs/interop.md tells what becomes of that.
pub(super) async fn recycle(session: &mut Session, by_answerer: bool) -> Result<()> {
    for side in [session.offerer(), session.offerer().other()] {
        add(session, side, "audio", &["main"]).await?;
        add(session, side, "video", &["main"]).await?;
    }
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    let (actor, marks) = (
        actor(session, by_answerer),
        (session.ours.mark(), session.theirs.mark().await?),
    );
    let index = 1;
    let old = session
        .ours
        .state()
        .transceivers
        .get(index)
        .and_then(|it| it.mid.clone())
        .context("no mid")?;
    match actor {
        Side::Ours => session.ours.transceiver(&old)?.stop()?,
        Side::Theirs => {
            let js = "it.getTransceivers().find(({ mid }) => mid === arg).stop()";
            session.theirs.run(js, old.clone()).await?;
        }
    }
    let [offer, answer] = session.exchange(actor).await?;
    for sdp in [&offer.sdp, &answer.sdp] {
        let stopped = sections(sdp).into_iter().nth(index).context("no section")?;
        ensure!(
            stopped.rejected,
            "the stopped section is not rejected: {:?}",
            stopped.lines
        );
    }
    ensure!(
        session.ours.state().transceivers.len() == 1,
        "we keep {:?}",
        session.ours.state()
    );
    let left = session.theirs.state().await?.transceivers;
    ensure!(left.len() == 1, "they keep {left:?}");
    ended(session, actor, marks).await?;
    session.connected(1).await?;
    session.talk("chat", "without it").await?;
    recycled(session, actor, (index, &old)).await
}

/// The track ended where the transceiver was stopped by the other side.
async fn ended(session: &Session, actor: Side, marks: (usize, usize)) -> Result<()> {
    match actor {
        Side::Ours => session
            .theirs
            .until_logged(marks.1, "ended")
            .await
            .map(drop),
        Side::Theirs => session
            .ours
            .until_logged(marks.0, "ended", |_| true)
            .await
            .map(drop),
    }
}

async fn recycled(session: &Session, actor: Side, (index, old): (usize, &str)) -> Result<()> {
    // Firefox recycles for the same kind of media only.
    let kind = "video";
    for side in [actor, actor.other()] {
        add(session, side, kind, &["main"]).await?;
    }
    let [offer, _] = session.exchange(actor).await?;
    let all = sections(&offer.sdp);
    ensure!(all.len() == 3, "{} m-sections instead of 3", all.len());
    let again = all.get(index).context("no section")?;
    let mid = again.mid.as_deref().unwrap_or_default();
    ensure!(
        again.media == kind && !again.rejected && mid != old,
        "not recycled: {:?}",
        again.lines
    );
    session.connected(1).await?;
    session.talk("chat", "with another in its place").await
}

/// `addTrack` after a first exchange that had only data.
pub(super) async fn add_track(session: &mut Session, by_answerer: bool) -> Result<()> {
    make_channel(session, session.offerer(), "chat").await?;
    session.exchange(session.offerer()).await?;
    session.connected(1).await?;
    let actor = actor(session, by_answerer);
    let marks = [
        session.mark(actor).await?,
        session.mark(actor.other()).await?,
    ];
    add(session, actor, "audio", &["main"]).await?;
    add(session, actor, "video", &["main"]).await?;
    session
        .until_logged(actor, marks[0], "negotiationneeded")
        .await?;
    session.exchange(actor).await?;
    let current = if actor == Side::Ours {
        "sendonly"
    } else {
        "recvonly"
    };
    session.directions(&[("audio", current), ("video", current)])?;
    let log = session.log(actor.other(), marks[1]).await?;
    ensure!(
        names(&log, &["track"]).len() == 2,
        "two track events were due"
    );
    // addTrack here attaches to what is there: nothing but the direction is new.
    add(session, actor.other(), "audio", &["main"]).await?;
    session.exchange(actor.other()).await?;
    session.directions(&[("audio", "sendrecv"), ("video", current)])?;
    session.connected(1).await?;
    session.talk("chat", "all along").await
}

/// Every change of `direction` of one side, with what it fires at the other (W3C webrtc-pc §4.4.1.5,
/// "process the removal of a remote track"). Media flow meanwhile, so tracks are unmuted when the first
/// packet comes, and muted with the direction.
pub(super) async fn directions(session: &mut Session, by_answerer: bool) -> Result<()> {
    call(session).await?;
    let actor = actor(session, by_answerer);
    let steps: [(&str, &str, &[&str]); 5] = [
        ("recvonly", "recvonly", &["removetrack"]),
        ("sendrecv", "sendrecv", &["track"]),
        ("inactive", "inactive", &["removetrack"]),
        ("sendonly", "sendonly", &["track"]),
        ("sendrecv", "sendrecv", &[]),
    ];
    for (direction, current, told) in steps {
        let mark = session.mark(actor.other()).await?;
        set_direction(session, actor, direction).await?;
        session.exchange(actor).await?;
        let ours = if actor == Side::Ours {
            current
        } else {
            reversed(current)
        };
        session.directions(&[("audio", ours)])?;
        settle().await;
        let log = session.log(actor.other(), mark).await?;
        let seen = names(&log, &["removetrack", "track"]);
        ensure!(
            seen == told,
            "{direction}: {} saw {seen:?} instead of {told:?}",
            actor.other().name()
        );
        // Once it is removed, nothing that is under way unmutes it.
        let seen = names(&log, &["unmute", "removetrack"]);
        ensure!(
            !seen.ends_with(&["removetrack", "unmute"]),
            "{direction}: {} unmuted a track after its removal: {seen:?}",
            actor.other().name()
        );
    }
    session.connected(1).await?;
    session.talk("chat", "in every direction").await
}

/// Lets tasks that listen to tracks and streams have their turn.
pub(super) async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

pub(super) async fn set_direction(session: &Session, side: Side, direction: &str) -> Result<()> {
    match side {
        Side::Ours => {
            let first = session
                .ours
                .pc
                .transceivers()
                .into_iter()
                .next()
                .context("no transceiver")?;
            let direction = TransceiverDirection::from_name(direction).context("a direction")?;
            Ok(first.set_direction(direction)?)
        }
        Side::Theirs => session
            .theirs
            .run("it.getTransceivers()[0].direction = arg", direction)
            .await
            .map(drop),
    }
}

/// `removeTrack` and `addTrack` with another track: the sender is not reused by a side that has sent
/// (W3C webrtc-pc §5.1, addTrack step 7), so there is a second m-section.
pub(super) async fn remove_track(session: &mut Session, by_answerer: bool) -> Result<()> {
    call(session).await?;
    let actor = actor(session, by_answerer);
    let mark = session.mark(actor.other()).await?;
    match actor {
        Side::Ours => {
            let sender = session
                .ours
                .pc
                .senders()
                .into_iter()
                .next()
                .context("no sender")?;
            session.ours.pc.remove_track(&sender)?;
        }
        Side::Theirs => {
            session
                .theirs
                .run("it.removeTrack(it.getSenders()[0])", ())
                .await?;
        }
    }
    session.exchange(actor).await?;
    let current = if actor == Side::Ours {
        "recvonly"
    } else {
        "sendonly"
    };
    session.directions(&[("audio", current)])?;
    session
        .until_logged(actor.other(), mark, "removetrack")
        .await?;
    add(session, actor, "audio", &["main"]).await?;
    session.exchange(actor).await?;
    let (first, second) = if actor == Side::Ours {
        ("recvonly", "sendonly")
    } else {
        ("sendonly", "recvonly")
    };
    session.directions(&[("audio", first), ("audio", second)])?;
    session.connected(1).await?;
    session.talk("chat", "another track").await
}

/// `setStreams` moves the track from one stream into another; the remote is told of both.
pub(super) async fn set_streams(session: &mut Session, by_answerer: bool) -> Result<()> {
    call(session).await?;
    let actor = actor(session, by_answerer);
    let mark = session.mark(actor.other()).await?;
    match actor {
        Side::Ours => {
            let sender = session
                .ours
                .pc
                .senders()
                .into_iter()
                .next()
                .context("no sender")?;
            let other = peerconnection::MediaStream::new("elsewhere", []);
            sender.set_streams(&[&other])?;
        }
        Side::Theirs => {
            session
                .theirs
                .run("it.getSenders()[0].setStreams(stream('elsewhere'))", ())
                .await?;
        }
    }
    session.exchange(actor).await?;
    settle().await;
    let log = session.log(actor.other(), mark).await?;
    let removed = log
        .iter()
        .find(|it| it["event"] == "removetrack")
        .context("no removetrack")?;
    let track = log
        .iter()
        .find(|it| it["event"] == "track")
        .context("no track")?;
    let streams: Vec<&Value> = track["streams"].as_array().into_iter().flatten().collect();
    ensure!(
        streams.len() == 1 && streams[0]["id"] != removed["stream"]["id"],
        "{}",
        json!([removed, track])
    );
    session.connected(1).await
}
