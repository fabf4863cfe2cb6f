//! Kinds, directions and streams of one first exchange.

use anyhow::{Context, Result, bail, ensure};
use peerconnection::{MediaKind, TransceiverInit, rtp::TransceiverDirection};
use serde_json::{Value, json};

use super::{
    super::scenario::Side,
    session::Session,
    state::{reversed, sections},
};

/// The kind of this name.
pub(super) fn kind(name: &str) -> MediaKind {
    if name == "audio" {
        MediaKind::Audio
    } else {
        MediaKind::Video
    }
}

/// The offerer has one track of each of `kinds`, in a stream of both its own, and perhaps a data
/// channel; the answerer has none.
pub(super) async fn tracks(session: &mut Session, kinds: &[&str], data: bool) -> Result<()> {
    for kind in kinds {
        add(session, session.offerer(), kind, &["main"]).await?;
    }
    if data {
        make_channel(session, session.offerer(), "chat").await?;
    }
    let [offer, _] = session.exchange(session.offerer()).await?;
    let media: Vec<_> = sections(&offer.sdp)
        .into_iter()
        .map(|it| it.media)
        .collect();
    let expected: Vec<_> = kinds
        .iter()
        .copied()
        .chain(data.then_some("application"))
        .collect();
    ensure!(
        media == expected,
        "the offer has {media:?} instead of {expected:?}"
    );
    let current = if session.offerer() == Side::Ours {
        "sendonly"
    } else {
        "recvonly"
    };
    let expected: Vec<_> = kinds.iter().map(|kind| (*kind, current)).collect();
    session.directions(&expected)?;
    session.connected(1).await?;
    if data {
        session.talk("chat", "hello").await?;
    }
    received(session, kinds, "main").await
}

/// The answerer was told of every track, in their order, all of one stream.
async fn received(session: &Session, kinds: &[&str], stream: &str) -> Result<()> {
    let log = match session.offerer() {
        Side::Ours => session.theirs.log().await?,
        Side::Theirs => session.ours.log(),
    };
    let told: Vec<_> = log.iter().filter(|it| it["event"] == "track").collect();
    let seen: Vec<_> = told
        .iter()
        .map(|it| it["track"]["kind"].as_str().unwrap_or_default())
        .collect();
    ensure!(
        seen == kinds,
        "track events for {seen:?} instead of {kinds:?}"
    );
    for event in told {
        let ids = ids(&event["streams"]);
        let fits = match session.offerer() {
            Side::Ours => ids == [stream],
            // A browser names its streams itself.
            Side::Theirs => ids.len() == 1,
        };
        ensure!(fits, "one stream was due: {event}");
    }
    Ok(())
}

fn ids(streams: &Value) -> Vec<&str> {
    let streams = streams.as_array().into_iter().flatten();
    streams.filter_map(|it| it["id"].as_str()).collect()
}

/// `addTrack` on one side.
pub(super) async fn add(session: &Session, side: Side, name: &str, streams: &[&str]) -> Result<()> {
    match side {
        Side::Ours => session.ours.add_track(kind(name), streams).map(drop),
        Side::Theirs => {
            let arg = json!({"kind": name, "streams": streams});
            let js = "await addFakeTrack('pc', arg.kind, arg.streams)";
            session.theirs.run(js, arg).await.map(drop)
        }
    }
}

/// `createDataChannel` on one side.
pub(super) async fn make_channel(session: &Session, side: Side, label: &str) -> Result<()> {
    match side {
        Side::Ours => session.ours.create_data_channel(label).map(drop),
        Side::Theirs => session
            .theirs
            .run("it.createDataChannel(arg)", label)
            .await
            .map(drop),
    }
}

/// `addTransceiver` on one side, for a track where it is to send.
pub(super) async fn add_transceiver(
    session: &Session,
    side: Side,
    name: &str,
    direction: &str,
) -> Result<()> {
    let sends = direction.starts_with("send");
    match side {
        Side::Ours => {
            let init = TransceiverInit {
                direction: TransceiverDirection::from_name(direction).context("a direction")?,
                ..TransceiverInit::default()
            };
            if sends {
                session.ours.add_transceiver(kind(name), init).map(drop)
            } else {
                Ok(session
                    .ours
                    .pc
                    .add_transceiver(kind(name), init)
                    .map(drop)?)
            }
        }
        Side::Theirs => {
            let arg = json!({"kind": name, "direction": direction});
            let js = if sends {
                "await addFakeTransceiver('pc', arg.kind, { direction: arg.direction })"
            } else {
                "it.addTransceiver(arg.kind, { direction: arg.direction })"
            };
            session.theirs.run(js, arg).await.map(drop)
        }
    }
}

/// The offerer has a video transceiver of this direction, the answerer one that would do both.
pub(super) async fn direction(session: &mut Session, offered: &str) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add_transceiver(session, one, "video", offered).await?;
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    // Only a track that is added can be attached to the transceiver that the offer has made.
    add(session, other, "video", &[]).await?;
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    let current = if one == Side::Ours {
        offered
    } else {
        reversed(offered)
    };
    session.directions(&[("video", current)])?;
    let has = |sdp: &str, name: &str| sections(sdp).iter().all(|it| it.has(name));
    let text = if one == Side::Ours {
        &offer.sdp
    } else {
        &answer.sdp
    };
    ensure!(has(text, current), "no a={current} in {text}");
    session.connected(1).await?;
    told_of_tracks(session, current).await
}

/// `track` events came where there is something to receive, and nowhere else.
async fn told_of_tracks(session: &Session, ours: &str) -> Result<()> {
    let count = |log: &[Value]| log.iter().filter(|it| it["event"] == "track").count();
    let seen = [
        count(&session.ours.log()),
        count(&session.theirs.log().await?),
    ];
    let expected = match ours {
        "sendrecv" => [1, 1],
        "sendonly" => [0, 1],
        "recvonly" => [1, 0],
        "inactive" => [0, 0],
        other => bail!("{other}"),
    };
    ensure!(
        seen == expected,
        "track events on our side and theirs: {seen:?} instead of {expected:?}"
    );
    Ok(())
}

/// Both send a track in `streams`; each must see as many. Without one the line is `msid:-`.
pub(super) async fn streams(session: &mut Session, streams: &[&str]) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add(session, one, "video", streams).await?;
    add(session, other, "video", streams).await?;
    let [offer, answer] = session.exchange(one).await?;
    let text = if one == Side::Ours { &offer } else { &answer };
    let msids: Vec<_> = sections(&text.sdp)
        .iter()
        .flat_map(|it| {
            it.values("msid")
                .map(|it| it.split(' ').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let expected = if streams.is_empty() {
        &["-"][..]
    } else {
        streams
    };
    ensure!(
        msids == expected,
        "our a=msid {msids:?} instead of {expected:?}"
    );
    session.connected(1).await?;
    let theirs = session.theirs.until_logged(0, "track").await?;
    ensure!(ids(&theirs["streams"]) == streams, "they got {theirs}");
    let ours = session.ours.until_logged(0, "track", |_| true).await?;
    ensure!(
        ids(&ours["streams"]).len() == streams.len(),
        "we got {ours}"
    );
    Ok(())
}
