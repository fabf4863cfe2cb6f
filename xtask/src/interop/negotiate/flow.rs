//! The order of events and messages: the W3C's "Call Flow Browser to Browser".

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{super::scenario::Side, media::add, session::Session};

/// `addTrack` of audio and video on both sides, an offer, an answer, candidates: what each side is
/// told, in which order.
pub(super) async fn call(session: &mut Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add_both(session, one).await?;
    session.until_logged(one, 0, "negotiationneeded").await?;
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    // `track` is told before setRemoteDescription resolves, W3C §4.4.1.5.
    tracks(session, other, 2).await?;
    add_both(session, other).await?;
    let answer = session.describe(other).await?;
    ensure!(
        session.signaling_state(other).await? == "stable",
        "the answer is not set"
    );
    tracks(session, one, 0).await?;
    session.deliver(one, &answer).await?;
    tracks(session, one, 2).await?;
    session.agree().await?;
    session.connected(1).await?;
    for side in [one, other] {
        let log = story(&session.log(side, 0).await?);
        in_order(side, &log, side == one)?;
    }
    Ok(())
}

async fn add_both(session: &Session, side: Side) -> Result<()> {
    add(session, side, "audio", &["main"]).await?;
    add(session, side, "video", &["main"]).await
}

async fn tracks(session: &Session, side: Side, expected: usize) -> Result<()> {
    let log = session.log(side, 0).await?;
    let seen = log.iter().filter(|it| it["event"] == "track").count();
    ensure!(
        seen == expected,
        "{}: {seen} track events instead of {expected}",
        side.name()
    );
    Ok(())
}

/// The log in words: each event with its state or kind.
fn story(log: &[Value]) -> Vec<String> {
    let word = |entry: &Value| {
        let event = entry["event"].as_str()?;
        let detail = match event {
            "track" => entry["track"]["kind"].as_str()?,
            "icecandidate" if entry["candidate"].is_null() => "none",
            "icecandidate" if entry["candidate"]["candidate"] == "" => "end",
            "icecandidate" => "one",
            _ => entry["state"].as_str().unwrap_or_default(),
        };
        Some(format!("{event} {detail}").trim_end().to_owned())
    };
    log.iter().filter_map(word).collect()
}

/// Chains of events, each of which comes in this order; the first of every kind counts.
fn in_order(side: Side, story: &[String], offers: bool) -> Result<()> {
    let signaling: &[&str] = match offers {
        true => &[
            "negotiationneeded",
            "signalingstatechange have-local-offer",
            "signalingstatechange stable",
        ],
        false => &[
            "signalingstatechange have-remote-offer",
            "track audio",
            "track video",
            "signalingstatechange stable",
        ],
    };
    // Chromium tells of its transports before `signalingstatechange`.
    let answered = match side {
        Side::Ours => "signalingstatechange stable",
        Side::Theirs => signaling.first().copied().unwrap_or_default(),
    };
    let described = match offers {
        true => "signalingstatechange have-local-offer",
        false => "signalingstatechange stable",
    };
    let chains: [&[&str]; 5] = [
        signaling,
        &[
            answered,
            "iceconnectionstatechange checking",
            "iceconnectionstatechange connected",
        ],
        &[
            answered,
            "connectionstatechange connecting",
            "connectionstatechange connected",
        ],
        &[
            described,
            "icegatheringstatechange gathering",
            "icecandidate one",
            "icegatheringstatechange complete",
            "icecandidate none",
        ],
        &[
            "dtls.statechange connecting",
            "dtls.statechange connected",
            "connectionstatechange connected",
        ],
    ];
    for chain in chains {
        let places: Vec<_> = chain
            .iter()
            .map(|word| story.iter().position(|it| it == word))
            .collect();
        let sorted = places
            .windows(2)
            .all(|pair| pair[0].is_some() && pair[0] < pair[1]);
        ensure!(
            sorted,
            "{}: not in this order: {chain:?}, in {story:#?}",
            side.name()
        );
    }
    if offers {
        let after: &[&str] = &["signalingstatechange stable", "track audio", "track video"];
        let places: Vec<_> = after
            .iter()
            .map(|word| story.iter().position(|it| it == word))
            .collect();
        ensure!(
            places.is_sorted() && places[0].is_some(),
            "{}: not {after:?} in {story:#?}",
            side.name()
        );
    }
    let changes: Vec<_> = story
        .iter()
        .filter(|it| it.starts_with("signalingstatechange"))
        .collect();
    ensure!(changes.len() == 2, "{}: {changes:?}", side.name());
    let connection: Vec<_> = story
        .iter()
        .filter(|it| it.starts_with("connectionstatechange"))
        .collect();
    ensure!(
        connection
            == [
                "connectionstatechange connecting",
                "connectionstatechange connected"
            ],
        "{}: {connection:?}",
        side.name()
    );
    Ok(())
}
