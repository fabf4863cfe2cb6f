//! Transports: which there are, whose they are, and that they run.

use peerconnection::{
    BundlePolicy, Configuration, DataChannel, Event, IceRole, IceTransportPolicy,
    MediaKind::{Audio, Video},
    RtpTransceiver, SessionDescription,
    state::*,
};

use crate::{
    Side, are_connected, carry, connect, loopback, negotiate, negotiate_through,
    sockets::{incoming, message},
    soon,
};

fn policy(bundle_policy: BundlePolicy) -> Configuration {
    Configuration {
        bundle_policy,
        ..loopback()
    }
}

fn audio_and_video(side: &Side) -> [RtpTransceiver; 2] {
    [Audio, Video].map(|kind| side.pc.add_transceiver(kind, Default::default()).unwrap())
}

#[tokio::test]
async fn bundled_senders_share_one_transport() {
    for (bundle_policy, is_shared_at_once) in [
        (BundlePolicy::MaxCompat, false),
        (BundlePolicy::Balanced, false),
        (BundlePolicy::MaxBundle, true),
    ] {
        let (mut a, mut b) = (Side::of(policy(bundle_policy)), Side::new());
        let [audio, video] = audio_and_video(&a);
        assert!(audio.sender().transport().is_none());
        a.offer().await;
        let before = audio.sender().transport().unwrap();
        let other = video.sender().transport().unwrap();
        assert_eq!(before == other, is_shared_at_once, "{bundle_policy}");
        assert_eq!(audio.receiver().transport(), Some(before.clone()));
        assert_eq!(before.state(), DtlsTransportState::New);
        assert_eq!(before.ice_transport().role(), IceRole::Unknown);
        negotiate(&mut a, &mut b).await;
        assert_eq!(audio.sender().transport(), Some(before.clone()));
        assert_eq!(video.sender().transport(), Some(before.clone()));
        assert_eq!(before.ice_transport().role(), IceRole::Controlling);
        let theirs = b.pc.senders()[0].transport().unwrap();
        assert_eq!(theirs.ice_transport().role(), IceRole::Controlled);
        if !is_shared_at_once {
            assert_eq!(other.state(), DtlsTransportState::Closed);
            assert_eq!(other.ice_transport().state(), IceTransportState::Closed);
        }
    }
}

/// As a peer or a gateway without BUNDLE (RFC 9143 §7.3.3) would.
fn without_bundle(description: SessionDescription) -> SessionDescription {
    let lines = description.sdp.split_inclusive("\r\n");
    let sdp = lines
        .filter(|line| !line.starts_with("a=group:BUNDLE"))
        .collect();
    SessionDescription { sdp, ..description }
}

#[tokio::test]
async fn without_a_bundle_every_transport_connects() {
    let (mut a, mut b) = (
        Side::of(policy(BundlePolicy::MaxCompat)),
        Side::of(policy(BundlePolicy::MaxCompat)),
    );
    let [audio, video] = audio_and_video(&a);
    let chat =
        a.pc.create_data_channel("chat", Default::default())
            .unwrap();
    negotiate_through(&mut a, &mut b, without_bundle)
        .await
        .unwrap();
    carry(&mut a, &mut b, "the connection", are_connected).await;
    for pc in [&a.pc, &b.pc] {
        let transceivers = pc.transceivers().into_iter();
        let mut transports: Vec<_> = transceivers
            .map(|it| it.sender().transport().unwrap())
            .collect();
        transports.push(pc.sctp().unwrap().transport().unwrap());
        for (index, transport) in transports.iter().enumerate() {
            assert_eq!(transport.state(), DtlsTransportState::Connected);
            assert!(
                transport
                    .ice_transport()
                    .selected_candidate_pair()
                    .is_some()
            );
            assert!(!transports[..index].contains(transport));
        }
    }
    assert_ne!(audio.sender().transport(), video.sender().transport());
    talk(&chat, &mut b).await;
    // Another section has a transport of its own.
    let more = a.pc.add_transceiver(Audio, Default::default()).unwrap();
    negotiate_through(&mut a, &mut b, without_bundle)
        .await
        .unwrap();
    carry(&mut a, &mut b, "the fourth transport", are_connected).await;
    let transport = more.sender().transport().unwrap();
    assert_eq!(transport.state(), DtlsTransportState::Connected);
    assert_ne!(Some(transport), audio.sender().transport());
}

async fn talk(channel: &DataChannel, there: &mut Side) {
    soon("the channel", channel.ready()).await.unwrap();
    channel.send_text("hello").unwrap();
    let heard = there.heard.drain(..);
    let mut channel = heard.filter_map(|event| match event {
        Event::DataChannel(channel) => Some(channel),
        _ => None,
    });
    let channel = match channel.next() {
        Some(channel) => channel,
        None => soon("a channel", incoming(&mut there.events)).await,
    };
    assert_eq!(soon("a message", message(&channel)).await, "hello".into());
}

#[tokio::test]
async fn a_restart_of_ice_keeps_the_transports() {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.pc.restart_ice();
    assert!(
        !a.is_negotiation_needed().await,
        "there is nothing to restart"
    );
    let [audio, _] = audio_and_video(&a);
    connect(&mut a, &mut b).await;
    let transport = audio.sender().transport().unwrap();
    let ice = transport.ice_transport();
    let before = (
        ice.local_parameters().unwrap(),
        ice.remote_parameters().unwrap(),
    );
    assert!(!a.is_negotiation_needed().await);
    a.pc.restart_ice();
    a.negotiation_needed().await;
    negotiate(&mut a, &mut b).await;
    let after = (
        ice.local_parameters().unwrap(),
        ice.remote_parameters().unwrap(),
    );
    assert_ne!(after.0.username_fragment, before.0.username_fragment);
    assert_ne!(after.1.username_fragment, before.1.username_fragment);
    assert_ne!(
        (&after.0.password, &after.1.password),
        (&before.0.password, &before.1.password)
    );
    assert_eq!(audio.sender().transport(), Some(transport.clone()));
    // No return to "checking" while the pair works, and DTLS goes on.
    assert_eq!(transport.state(), DtlsTransportState::Connected);
    carry(&mut a, &mut b, "the pair", |a, _| {
        let transport = a.pc.senders()[0].transport().unwrap().ice_transport();
        let pair = transport.selected_candidate_pair();
        let ufrag = pair.and_then(|pair| pair.local.username_fragment);
        ufrag == Some(transport.local_parameters().unwrap().username_fragment)
    })
    .await;
    assert!(are_connected(&a, &b));
    assert!(!a.is_negotiation_needed().await);
}

#[tokio::test]
async fn only_relayed_candidates_are_none() {
    let configuration = Configuration {
        ice_transport_policy: IceTransportPolicy::Relay,
        ..loopback()
    };
    let mut a = Side::of(configuration);
    audio_and_video(&a);
    a.offer().await;
    let mut candidates = Vec::new();
    while let Some(candidate) = a
        .next("a candidate", |event| match event {
            Event::IceCandidate(candidate) => Some(candidate.clone()),
            _ => None,
        })
        .await
    {
        candidates.push(candidate);
    }
    assert!(!candidates.is_empty());
    assert!(
        candidates.iter().all(|it| it.candidate.is_empty()),
        "{candidates:?}"
    );
    assert_eq!(a.pc.ice_gathering_state(), IceGatheringState::Complete);
    let sdp = a.pc.local_description().unwrap().sdp;
    assert!(
        !sdp.contains("a=candidate") && sdp.contains("a=end-of-candidates"),
        "{sdp}"
    );
}

#[tokio::test]
async fn a_pool_of_candidates_serves_the_first_transports() {
    let configuration = Configuration {
        ice_candidate_pool_size: 1,
        bundle_policy: BundlePolicy::MaxCompat,
        ..loopback()
    };
    let (mut a, mut b) = (Side::of(configuration), Side::new());
    assert_eq!(a.pc.ice_gathering_state(), IceGatheringState::New);
    audio_and_video(&a);
    connect(&mut a, &mut b).await;
}
