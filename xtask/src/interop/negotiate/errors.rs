//! Calls that must fail, by the W3C's names, held against what the browser says.

use anyhow::{Result, ensure};
use peerconnection::{Error, IceCandidate, PeerConnection, SdpType, SessionDescription};
use serde_json::{Value, json};

use super::{
    super::{peers::Peer, scenario::Side},
    media::add,
    session::Session,
};

/// A call that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    CreateOffer,
    CreateAnswer,
    SetLocal(SdpType),
    SetRemote(SdpType),
    /// Text that is no SDP.
    Malformed,
    /// A candidate for the first section.
    Candidate,
    /// A candidate without mid and index.
    Nowhere,
}

/// What each state refuses, and how (W3C webrtc-pc §4.4.1.5, §4.4.2; RFC 9429 §4.1.8 to §4.1.11).
const STABLE: &[(Call, &str)] = &[
    (Call::CreateAnswer, "InvalidStateError"),
    (Call::SetLocal(SdpType::Rollback), "InvalidStateError"),
    (Call::SetRemote(SdpType::Rollback), "InvalidStateError"),
    (Call::SetRemote(SdpType::Answer), "InvalidStateError"),
    (Call::SetRemote(SdpType::Pranswer), "InvalidStateError"),
    (Call::SetLocal(SdpType::Answer), "InvalidStateError"),
    (Call::Malformed, "OperationError"),
    (Call::Candidate, "InvalidStateError"),
    (Call::Nowhere, "TypeError"),
];
const HAVE_LOCAL_OFFER: &[(Call, &str)] = &[
    (Call::CreateAnswer, "InvalidStateError"),
    (Call::SetLocal(SdpType::Answer), "InvalidStateError"),
    (Call::SetLocal(SdpType::Pranswer), "InvalidStateError"),
    (Call::Candidate, "InvalidStateError"),
];
const HAVE_REMOTE_OFFER: &[(Call, &str)] = &[
    (Call::CreateOffer, "InvalidStateError"),
    (Call::SetLocal(SdpType::Offer), "InvalidStateError"),
    (Call::SetRemote(SdpType::Answer), "InvalidStateError"),
    (Call::Malformed, "OperationError"),
    (Call::Nowhere, "TypeError"),
];
const CLOSED: &[(Call, &str)] = &[
    (Call::CreateOffer, "InvalidStateError"),
    (Call::CreateAnswer, "InvalidStateError"),
    (Call::SetLocal(SdpType::Offer), "InvalidStateError"),
    (Call::SetRemote(SdpType::Offer), "InvalidStateError"),
    (Call::Candidate, "InvalidStateError"),
];

/// Both sides, in every state that this one exchange has.
pub(super) async fn wrong_states(session: &mut Session) -> Result<()> {
    let (one, other) = (session.offerer(), session.offerer().other());
    add(session, one, "audio", &["main"]).await?;
    refuse(session, [one, other], "stable", STABLE).await?;
    let offer = session.describe(one).await?;
    refuse(session, [one, one], "have-local-offer", HAVE_LOCAL_OFFER).await?;
    session.deliver(other, &offer).await?;
    refuse(
        session,
        [other, other],
        "have-remote-offer",
        HAVE_REMOTE_OFFER,
    )
    .await?;
    let answer = session.describe(other).await?;
    session.deliver(one, &answer).await?;
    // Nothing of it has left a trace.
    session.agree().await?;
    session.connected(1).await?;
    session.ours.pc.close();
    session.theirs.run("it.close()", ()).await?;
    refuse(session, [one, other], "closed", CLOSED).await
}

async fn refuse(
    session: &Session,
    sides: [Side; 2],
    state: &str,
    calls: &[(Call, &str)],
) -> Result<()> {
    for side in [Side::Ours, Side::Theirs] {
        if !sides.contains(&side) {
            continue;
        }
        for &(call, expected) in calls {
            let seen = match side {
                Side::Ours => ours(&session.ours.pc, call)
                    .await
                    .map_err(|error| error.name().to_owned()),
                Side::Theirs => theirs(session, call).await?,
            };
            let seen = seen.err().unwrap_or_else(|| "no error".into());
            let allowed =
                side == Side::Theirs && deviates(session.peer, state, call) == Some(&*seen);
            ensure!(
                seen == expected || allowed,
                "{}, {state}, {call:?}: {seen} instead of {expected}",
                side.name()
            );
            let now = session.signaling_state(side).await?;
            ensure!(
                now == state,
                "{}: {call:?} has changed {state} to {now}",
                side.name()
            );
        }
    }
    Ok(())
}

/// What browsers do otherwise.
fn deviates(peer: Peer, state: &str, call: Call) -> Option<&'static str> {
    match (peer, state, call) {
        // It has none yet, and says so first.
        (
            Peer::Firefox,
            _,
            Call::SetLocal(SdpType::Pranswer) | Call::SetRemote(SdpType::Pranswer),
        ) => Some("NotSupportedError"),
        _ => None,
    }
}

const CANDIDATE: &str = "candidate:1 1 udp 2122260223 127.0.0.1 9 typ host";

async fn ours(pc: &PeerConnection, call: Call) -> Result<(), Error> {
    let described = |kind, sdp: &str| SessionDescription {
        kind,
        sdp: sdp.to_owned(),
    };
    let candidate = IceCandidate {
        candidate: CANDIDATE.into(),
        ..IceCandidate::default()
    };
    match call {
        Call::CreateOffer => pc.create_offer(None).await.map(drop),
        Call::CreateAnswer => pc.create_answer().await.map(drop),
        Call::SetLocal(kind) => pc.set_local_description(described(kind, "")).await,
        Call::SetRemote(kind) => pc.set_remote_description(described(kind, MINIMAL)).await,
        Call::Malformed => {
            pc.set_remote_description(described(SdpType::Offer, "v=0\r\nnonsense\r\n"))
                .await
        }
        Call::Candidate => {
            let candidate = IceCandidate {
                sdp_m_line_index: Some(0),
                ..candidate
            };
            pc.add_ice_candidate(candidate).await
        }
        Call::Nowhere => pc.add_ice_candidate(candidate).await,
    }
}

/// Enough of a description to be looked at.
const MINIMAL: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

async fn theirs(session: &Session, call: Call) -> Result<Result<(), String>> {
    let (js, arg): (&str, Value) = match call {
        Call::CreateOffer => ("await it.createOffer()", Value::Null),
        Call::CreateAnswer => ("await it.createAnswer()", Value::Null),
        Call::SetLocal(kind) => (
            "await it.setLocalDescription(arg)",
            json!({"type": kind.as_str(), "sdp": ""}),
        ),
        Call::SetRemote(kind) => (
            "await it.setRemoteDescription(arg)",
            json!({"type": kind.as_str(), "sdp": MINIMAL}),
        ),
        Call::Malformed => (
            "await it.setRemoteDescription(arg)",
            json!({"type": "offer", "sdp": "v=0\r\nnonsense\r\n"}),
        ),
        Call::Candidate => (
            "await it.addIceCandidate(arg)",
            json!({"candidate": CANDIDATE, "sdpMLineIndex": 0}),
        ),
        Call::Nowhere => (
            "await it.addIceCandidate(arg)",
            json!({"candidate": CANDIDATE}),
        ),
    };
    match session.theirs.tried(js, arg).await {
        Ok(_) => Ok(Ok(())),
        Err(error) if error.name.starts_with("Bridge") => Err(error.into()),
        Err(error) => Ok(Err(error.name)),
    }
}
