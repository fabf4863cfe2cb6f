//! Offers that are taken back, and answers that are not the last.

use anyhow::{Result, ensure};
use peerconnection::SdpType;
use serde_json::{Value, json};

use super::{
    super::{peers::Peer, scenario::Side},
    later::settle,
    media::{add, add_transceiver, make_channel},
    session::Session,
    state::Transceiver,
};

/// Who takes back what.
#[derive(Clone, Copy)]
pub(super) enum Rollback {
    /// The offerer its own offer.
    Local,
    /// The answerer the offer it was given; the offerer then its own, too.
    Remote,
    /// The answerer has offered as well, and takes the other's offer.
    Implicit,
}

/// An offer that is taken back leaves nothing; the next exchange goes as if it had never been.
pub(super) async fn rollback(session: &mut Session, what: Rollback) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add(session, one, "audio", &["main"]).await?;
    // Not Chromium: it forgets channels that an offer had which was taken back.
    make_channel(session, Side::Ours, "chat").await?;
    match what {
        Rollback::Local => local(session, one).await?,
        Rollback::Remote => remote(session, one).await?,
        Rollback::Implicit => return implicit(session, one).await,
    }
    // Now the other side is first.
    add(session, other, "video", &["main"]).await?;
    session.exchange(other).await?;
    session.exchange(one).await?;
    let state = session.ours.state();
    let kinds: Vec<_> = state.by_mid().iter().map(|it| it.kind.clone()).collect();
    ensure!(
        kinds.len() == 2,
        "two transceivers were due: {:?}",
        state.transceivers
    );
    session.connected(1).await?;
    session.talk("chat", "after a rollback").await?;
    session.forgive();
    Ok(())
}

async fn local(session: &Session, one: Side) -> Result<()> {
    let mark = session.mark(one).await?;
    session.describe(one).await?;
    session.roll_back(one, true).await?;
    states(session, one, mark, &["have-local-offer", "stable"]).await?;
    // The transceiver of addTrack stays, but belongs to no m-section.
    let left = transceivers(session, one).await?;
    ensure!(
        left.len() == 1 && left.iter().all(|it| it.mid.is_none()),
        "left: {left:?}"
    );
    described(session, one, false).await
}

async fn remote(session: &Session, one: Side) -> Result<()> {
    let other = one.other();
    let mark = session.mark(other).await?;
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    session.until_logged(other, mark, "track").await?;
    session.roll_back(other, false).await?;
    states(session, other, mark, &["have-remote-offer", "stable"]).await?;
    // The transceiver that the offer has made is gone.
    let left = transceivers(session, other).await?;
    ensure!(left.is_empty(), "left: {left:?}");
    settle().await;
    let log = session.log(other, mark).await?;
    let told: Vec<_> = names(&log, &["track", "mute", "removetrack", "ended"]);
    ensure!(
        told.first() == Some(&"track") && told.contains(&"removetrack"),
        "told: {told:?}"
    );
    described(session, other, false).await?;
    session.roll_back(one, true).await
}

async fn implicit(session: &Session, one: Side) -> Result<()> {
    let other = one.other();
    // Not of the offered kind, which would be its answer; and not video, for whose header extensions
    // Chromium keeps the ids of the offer it has taken back, also where they mean another one now.
    add_transceiver(session, other, "audio", "sendrecv").await?;
    let mark = session.mark(other).await?;
    let offer = session.describe(one).await?;
    session.describe(other).await?;
    session.deliver(other, &offer).await?;
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    let log = session.log(other, mark).await?;
    let seen: Vec<_> = signaling_states(&log);
    ensure!(
        seen == ["have-local-offer", "stable", "have-remote-offer", "stable"],
        "signaling states at {}: {seen:?}",
        other.name()
    );
    // What was rolled back still wants to be negotiated.
    session
        .until_logged(other, mark, "negotiationneeded")
        .await?;
    session.exchange(other).await?;
    let state = session.ours.state();
    ensure!(
        state.by_mid().len() == 2,
        "two transceivers were due: {:?}",
        state.transceivers
    );
    session.connected(1).await?;
    session.talk("chat", "after a rollback").await?;
    session.forgive();
    Ok(())
}

async fn transceivers(session: &Session, side: Side) -> Result<Vec<Transceiver>> {
    Ok(match side {
        Side::Ours => session.ours.state(),
        Side::Theirs => session.theirs.state().await?,
    }
    .transceivers)
}

/// Whether a side has any description.
async fn described(session: &Session, side: Side, expected: bool) -> Result<()> {
    let seen = match side {
        Side::Ours => {
            let pc = &session.ours.pc;
            pc.local_description().is_some() || pc.remote_description().is_some()
        }
        Side::Theirs => {
            let js = "return it.localDescription !== null || it.remoteDescription !== null";
            session.theirs.run(js, ()).await? == true
        }
    };
    ensure!(
        seen == expected,
        "{}: a description is there: {seen}",
        side.name()
    );
    Ok(())
}

async fn states(session: &Session, side: Side, from: usize, expected: &[&str]) -> Result<()> {
    let log = session.log(side, from).await?;
    let seen = signaling_states(&log);
    ensure!(
        seen == expected,
        "signaling states at {}: {seen:?} instead of {expected:?}",
        side.name()
    );
    Ok(())
}

/// The states of `signalingstatechange`.
pub(super) fn signaling_states(log: &[Value]) -> Vec<&str> {
    let changes = log
        .iter()
        .filter(|it| it["event"] == "signalingstatechange");
    changes.filter_map(|it| it["state"].as_str()).collect()
}

/// The events among `wanted`, in their order.
pub(super) fn names<'a>(log: &'a [Value], wanted: &[&str]) -> Vec<&'a str> {
    let names = log.iter().filter_map(|it| it["event"].as_str());
    names.filter(|it| wanted.contains(it)).collect()
}

/// The answerer answers provisionally, and again, and at last finally. Transports come up with the
/// first of them, RFC 9429 §4.1.10.1.
pub(super) async fn pranswer(session: &mut Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add(session, one, "audio", &["main"]).await?;
    make_channel(session, one, "chat").await?;
    let marks = [session.mark(one).await?, session.mark(other).await?];
    let offer = session.describe(one).await?;
    session.deliver(other, &offer).await?;
    if session.peer == Peer::Firefox {
        return without_pranswer(session).await;
    }
    for _ in 0..2 {
        let provisional = session.describe_as(other, SdpType::Pranswer).await?;
        session.deliver(one, &provisional).await?;
        let seen = [
            session.signaling_state(one).await?,
            session.signaling_state(other).await?,
        ];
        ensure!(
            seen == ["have-remote-pranswer", "have-local-pranswer"],
            "states {seen:?}"
        );
    }
    session.connected(1).await?;
    session.talk("chat", "early").await?;
    add(session, other, "audio", &["main"]).await?;
    let answer = session.describe_as(other, SdpType::Answer).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    session.directions(&[("audio", "sendrecv")])?;
    session.connected(1).await?;
    session.talk("chat", "final").await?;
    states(
        session,
        one,
        marks[0],
        &["have-local-offer", "have-remote-pranswer", "stable"],
    )
    .await?;
    states(
        session,
        other,
        marks[1],
        &["have-remote-offer", "have-local-pranswer", "stable"],
    )
    .await
}

/// Firefox has none, and says so; it goes on as if it had not been asked.
async fn without_pranswer(session: &Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    let refused = match other {
        Side::Theirs => {
            let js = "const { sdp } = await it.createAnswer(); await it.setLocalDescription({ type: 'pranswer', sdp })";
            session.theirs.tried(js, ()).await
        }
        Side::Ours => {
            let answer = session.ours.pc.create_answer().await?;
            let arg = json!({"type": "pranswer", "sdp": answer.sdp});
            session
                .theirs
                .tried("await it.setRemoteDescription(arg)", arg)
                .await
        }
    };
    let name = refused.err().map(|error| error.name);
    ensure!(
        name.as_deref() == Some("NotSupportedError"),
        "Firefox has pranswers now: {name:?}"
    );
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    session.agree().await?;
    session.connected(1).await?;
    session.talk("chat", "without").await
}
