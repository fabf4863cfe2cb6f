//! The chain of operations, `negotiationneeded`, errors, and what signaling carries.

use peerconnection::{
    Event, IceCandidate,
    MediaKind::{Audio, Video},
    SdpType, SessionDescription,
    state::SignalingState::{self, *},
};

use crate::{Side, at_once, name, soon};

#[tokio::test]
async fn calls_resolve_in_the_order_they_were_made() {
    let a = Side::new();
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    let (one, two) = (a.pc.create_offer(None), a.pc.create_offer(None));
    let set = a.pc.set_local_description(None);
    assert_eq!(a.pc.signaling_state(), Stable);
    let order = std::sync::Mutex::new(Vec::new());
    let note = |name| order.lock().unwrap().push(name);
    let all = async {
        tokio::join!(
            async { set.await.map(|()| note("set")) },
            async { two.await.map(|_| note("two")) },
            async { one.await.map(|_| note("one")) },
        )
    };
    let (set, two, one) = soon("the chain", all).await;
    set.and(two).and(one).unwrap();
    assert_eq!(*order.lock().unwrap(), ["one", "two", "set"]);
}

#[tokio::test]
async fn descriptions_back_to_back_visit_every_state() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    b.pc.add_transceiver(Video, Default::default()).unwrap();
    let theirs = b.offer().await;
    // The first is taken back for the second.
    let (ours, taken) = (
        a.pc.set_local_description(None),
        a.pc.set_remote_description(theirs),
    );
    soon("both", async { tokio::try_join!(ours, taken) })
        .await
        .unwrap();
    assert_eq!(states(&mut a), [HaveLocalOffer, Stable, HaveRemoteOffer]);
    assert!(!a.is_negotiation_needed().await);
}

fn states(side: &mut Side) -> Vec<SignalingState> {
    side.hear();
    let heard = side.heard.iter();
    heard
        .filter_map(|event| match event {
            Event::SignalingStateChange(state) => Some(*state),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_close_fails_what_is_pending() {
    let mut a = Side::new();
    let track = a.track(Audio, "one");
    let sender = a.pc.add_track(&track, &[]).unwrap();
    let pending = (
        a.pc.create_offer(None),
        a.pc.set_local_description(None),
        sender.replace_track(None),
    );
    a.pc.close();
    assert_eq!(
        name(soon("the offer", pending.0).await),
        Some("InvalidStateError")
    );
    assert_eq!(
        name(soon("the description", pending.1).await),
        Some("InvalidStateError")
    );
    assert_eq!(
        name(soon("the track", pending.2).await),
        Some("InvalidStateError")
    );
    assert!(sender.track().unwrap().is_same(&track));
}

#[tokio::test]
async fn what_cannot_succeed_fails_in_the_call() {
    let a = Side::new();
    let failed = at_once(a.pc.create_answer()).expect("an error in the call");
    assert_eq!(name(failed), Some("InvalidStateError"));
    let nowhere = IceCandidate {
        candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".into(),
        ..Default::default()
    };
    let failed = at_once(a.pc.add_ice_candidate(nowhere)).expect("an error in the call");
    assert_eq!(name(failed), Some("TypeError"));
    // Not when something before it in the chain may make it possible.
    let (mut b, _) = (Side::new(), ());
    b.pc.add_transceiver(Audio, Default::default()).unwrap();
    let offer = b.offer().await;
    let set = a.pc.set_remote_description(offer);
    let answer = a.pc.create_answer();
    set.await.unwrap();
    assert_eq!(answer.await.unwrap().kind, SdpType::Answer);
    let failed = at_once(a.pc.create_offer(None)).expect("an error in the call");
    assert_eq!(name(failed), Some("InvalidStateError"));
    a.pc.close();
    let failed = at_once(a.pc.set_local_description(None)).expect("an error in the call");
    assert_eq!(name(failed), Some("InvalidStateError"));
}

#[tokio::test]
async fn negotiation_is_asked_for_once_and_when_stable() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    a.pc.add_transceiver(Video, Default::default()).unwrap();
    a.negotiation_needed().await;
    assert!(!a.is_negotiation_needed().await, "once");
    let offer = a.offer().await;
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    assert!(
        !a.is_negotiation_needed().await,
        "not while an answer is awaited"
    );
    b.pc.set_remote_description(offer).await.unwrap();
    b.pc.set_local_description(None).await.unwrap();
    let answer = b.pc.local_description().unwrap();
    a.pc.set_remote_description(answer).await.unwrap();
    a.negotiation_needed().await;
    assert!(!b.is_negotiation_needed().await);
}

#[tokio::test]
async fn errors_have_the_names_of_the_specification() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.pc.add_transceiver(Audio, Default::default()).unwrap();
    let offer = a.offer().await;
    let set =
        async |side: &Side, description| name(side.pc.set_remote_description(description).await);
    let sdp = &offer.sdp;
    let answer = SessionDescription::answer(sdp.as_str());
    assert_eq!(set(&b, answer).await, Some("InvalidStateError"));
    let rollback = SessionDescription::rollback();
    assert_eq!(set(&b, rollback).await, Some("InvalidStateError"));
    let error =
        b.pc.set_remote_description(SessionDescription::offer("v=1\r\n"))
            .await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.name(), error.sdp_line_number()),
        ("OperationError", Some(1))
    );
    let without = |line: &str| {
        let lines = sdp.split_inclusive("\r\n");
        let kept: String = lines.filter(|it| !it.starts_with(line)).collect();
        SessionDescription::offer(kept)
    };
    for line in ["a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=rtcp-mux"] {
        assert_eq!(
            set(&b, without(line)).await,
            Some("InvalidAccessError"),
            "{line}"
        );
    }
    // Nothing of it has been taken.
    assert_eq!(b.pc.signaling_state(), Stable);
    assert!(b.pc.transceivers().is_empty() && b.track_events().is_empty());
    let own = SessionDescription::offer(sdp.replace("a=rtcp-rsize\r\n", ""));
    let munged = a.pc.set_local_description(own).await;
    assert_eq!(name(munged), Some("InvalidModificationError"));
    let early = IceCandidate {
        candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".into(),
        sdp_mid: Some("0".into()),
        ..Default::default()
    };
    let early = b.pc.add_ice_candidate(early).await;
    assert_eq!(name(early), Some("InvalidStateError"));
}

#[test]
fn a_candidate_tells_what_it_is() {
    let of = |candidate: &str| IceCandidate {
        candidate: candidate.into(),
        ..Default::default()
    };
    let candidate = of(
        "candidate:4234997325 1 udp 2043278322 192.0.2.172 44323 typ srflx raddr 10.0.0.1 rport 8998",
    );
    assert_eq!(candidate.foundation().as_deref(), Some("4234997325"));
    assert_eq!(candidate.component(), Some(1));
    assert_eq!(candidate.priority(), Some(2_043_278_322));
    assert_eq!(candidate.address().as_deref(), Some("192.0.2.172"));
    assert_eq!(candidate.protocol().as_deref(), Some("udp"));
    assert_eq!(candidate.port(), Some(44_323));
    assert_eq!(candidate.kind().as_deref(), Some("srflx"));
    assert_eq!(candidate.tcp_type(), None);
    assert_eq!(candidate.related_address().as_deref(), Some("10.0.0.1"));
    assert_eq!(candidate.related_port(), Some(8998));
    let tcp = of("candidate:1 1 TCP 1 x.local 9 typ host tcptype passive");
    assert_eq!(tcp.protocol().as_deref(), Some("tcp"));
    assert_eq!(tcp.tcp_type().as_deref(), Some("passive"));
    assert_eq!(tcp.address().as_deref(), Some("x.local"));
    for nothing in ["", "candidate:", "nonsense"] {
        assert_eq!(of(nothing).foundation(), None);
    }
}

#[cfg(feature = "serde")]
#[test]
fn every_type_of_description_has_its_json() {
    for (description, text) in [
        (
            SessionDescription::offer("v=0"),
            r#"{"type":"offer","sdp":"v=0"}"#,
        ),
        (
            SessionDescription::answer("v=0"),
            r#"{"type":"answer","sdp":"v=0"}"#,
        ),
        (
            SessionDescription::pranswer("v=0"),
            r#"{"type":"pranswer","sdp":"v=0"}"#,
        ),
        (
            SessionDescription::rollback(),
            r#"{"type":"rollback","sdp":""}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&description).unwrap(), text);
        let read: SessionDescription = serde_json::from_str(text).unwrap();
        assert_eq!(read, description);
    }
    let short: SessionDescription = serde_json::from_str(r#"{"type":"rollback"}"#).unwrap();
    assert_eq!(short, SessionDescription::rollback());
    let unknown = serde_json::from_str::<SessionDescription>(r#"{"type":"x","sdp":""}"#);
    assert!(unknown.is_err());
}
