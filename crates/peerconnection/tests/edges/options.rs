//! What an application asks for has its effect, or is refused: no option is stored and not used.

use std::time::{Duration, SystemTime};

use pc_simnet::Seed;
use peerconnection::{
    Configuration, Endpoint, Error, HostAddresses, MediaKind, MediaStreamTrack, PeerConnection,
    UfragPrefix,
    engine::{Event, MediaKind as Kind, TransceiverInit},
    rtp::{self, DegradationPreference, EncodingParameters, Priority},
    stats::Stats,
};

use crate::{
    common::{
        A, good,
        pair::{self, Application},
    },
    sockets::{Call, follow, gathered, loopback, soon},
};

/// The offer of a connection with a section for each of `kinds`, with all candidates inside.
async fn offer(configuration: Configuration, kinds: &[MediaKind]) -> String {
    let (pc, mut events) = PeerConnection::new(configuration).unwrap();
    for kind in kinds {
        pc.add_transceiver(*kind, Default::default()).unwrap();
    }
    pc.set_local_description(None).await.unwrap();
    if !pc.local_description().unwrap().sdp.contains("\r\nm=") {
        return pc.local_description().unwrap().sdp;
    }
    soon("candidates", gathered(&mut events)).await;
    pc.local_description().unwrap().sdp
}

#[tokio::test]
async fn a_section_for_data_is_offered_without_a_channel_where_that_is_asked() {
    for asked in [true, false] {
        let configuration = Configuration {
            always_negotiate_data_channels: asked,
            ..loopback()
        };
        let sdp = offer(configuration, &[]).await;
        assert_eq!(sdp.contains("\r\nm=application "), asked, "{sdp}");
    }
}

#[tokio::test]
async fn what_is_negotiated_is_what_the_configuration_has() {
    let mut capabilities = rtp::built_in_capabilities();
    let audio = &mut capabilities.audio.codecs;
    audio.retain(|it| it.codec.name() == "PCMU");
    let number = audio[0].payload_type;
    let configuration = Configuration {
        capabilities: Some(capabilities),
        ..loopback()
    };
    let sdp = offer(configuration, &[MediaKind::Audio]).await;
    let section = sdp.lines().find(|it| it.starts_with("m=audio ")).unwrap();
    assert!(section.ends_with(&format!("SAVPF {number}")), "{section}");
}

#[tokio::test]
async fn user_fragments_begin_as_the_configuration_has_it() {
    let configuration = Configuration {
        ufrag_prefix: UfragPrefix::new("east7").unwrap(),
        ..loopback()
    };
    let sdp = offer(configuration, &[MediaKind::Audio]).await;
    assert!(sdp.contains("\r\na=ice-ufrag:east7"), "{sdp}");
}

#[tokio::test]
async fn a_lite_agent_says_so_and_is_found() {
    let configuration = Configuration {
        ice_lite: true,
        ..loopback()
    };
    let call = Call::open_from(configuration, Default::default()).await;
    let sdp = call.a.local_description().unwrap().sdp;
    assert!(sdp.contains("\r\na=ice-lite"), "{sdp}");
    let sent = call.a.stats(None).unwrap();
    // RFC 8445 §6.1: it has checked nothing of its own accord.
    for stats in sent.iter() {
        if let Stats::CandidatePair(pair) = stats {
            assert_eq!(pair.requests_sent, 0, "{pair:?}");
        }
    }
}

#[tokio::test]
async fn addresses_that_are_to_be_hidden_are_told_nowhere() {
    let configuration = Configuration {
        hide_host_addresses: true,
        host_addresses: HostAddresses::InterfacesAndLoopback,
        ..Default::default()
    };
    let sdp = offer(configuration, &[MediaKind::Audio]).await;
    let hosts = sdp.lines().filter(|it| it.contains(" typ host"));
    for candidate in hosts {
        let address = candidate.split(' ').nth(4).unwrap();
        assert!(address.ends_with(".local"), "{candidate}");
    }
}

#[tokio::test]
async fn another_endpoint_is_refused() {
    let endpoint = || Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let configuration = Configuration {
        endpoint: Some(endpoint()),
        ..Default::default()
    };
    let (own, _) = PeerConnection::new(configuration.clone()).unwrap();
    own.set_configuration(configuration.clone()).unwrap();
    let change = |pc: &PeerConnection, endpoint| {
        let changed = pc.set_configuration(Configuration {
            endpoint,
            ..pc.configuration()
        });
        changed.map_err(|error| error.name())
    };
    let modification = Err("InvalidModificationError");
    assert_eq!(change(&own, Some(endpoint())), modification);
    // None given: the one there is, as with certificates.
    assert_eq!(change(&own, None), Ok(()));
    assert_eq!(own.configuration().endpoint, configuration.endpoint);
    let (private, _) = PeerConnection::new(Configuration::default()).unwrap();
    assert_eq!(change(&private, configuration.endpoint), modification);
}

/// What an endpoint has decided already.
#[tokio::test]
async fn what_does_not_go_with_an_endpoint_is_refused() {
    let endpoint = Endpoint::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let own = Configuration {
        endpoint: Some(endpoint),
        ..Default::default()
    };
    let pooled = Configuration {
        ice_candidate_pool_size: 1,
        ..own.clone()
    };
    let chosen = Configuration {
        host_addresses: HostAddresses::InterfacesAndLoopback,
        ..own.clone()
    };
    for wrong in [pooled.clone(), chosen] {
        let error = PeerConnection::new(wrong).map(|_| ()).unwrap_err();
        assert_eq!(error.name(), "NotSupportedError");
    }
    let (pc, _) = PeerConnection::new(own).unwrap();
    let unnamed = Configuration {
        endpoint: None,
        ..pooled
    };
    let error = pc.set_configuration(unnamed).unwrap_err();
    assert_eq!(error.name(), "NotSupportedError");
}

#[tokio::test]
async fn what_nothing_would_come_of_is_refused() {
    let (pc, _) = PeerConnection::new(loopback()).unwrap();
    let marked = EncodingParameters {
        network_priority: Some(Priority::High),
        ..Default::default()
    };
    let init = rtp::TransceiverInit {
        send_encodings: vec![marked],
        ..Default::default()
    };
    let name = |error: Error| error.name();
    let added = pc.add_transceiver(MediaKind::Video, init).map(drop);
    assert_eq!(added.map_err(name), Err("NotSupportedError"));
    let transceiver = pc.add_transceiver(MediaKind::Video, Default::default());
    let sender = transceiver.unwrap().sender();
    let set = |change: &dyn Fn(&mut rtp::SendParameters)| {
        let mut parameters = sender.parameters().unwrap();
        change(&mut parameters);
        sender.set_parameters(parameters).map_err(name)
    };
    let refused = Err("NotSupportedError");
    let marked = set(&|it| it.encodings[0].network_priority = Some(Priority::Low));
    assert_eq!(marked, refused);
    use DegradationPreference::*;
    for (preference, expected) in [
        (MaintainFramerate, refused),
        (Balanced, refused),
        (MaintainResolution, Ok(())),
        (MaintainFramerateAndResolution, Ok(())),
    ] {
        let outcome = set(&|it| it.degradation_preference = Some(preference));
        assert_eq!(outcome, expected, "{preference}");
    }
    assert_eq!(set(&|it| it.encodings[0].priority = Priority::High), Ok(()));
}

/// Reports of what is sent tell the time of the world.
#[tokio::test]
async fn reports_tell_the_time() {
    let (a, a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, b_events) = PeerConnection::new(loopback()).unwrap();
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, "voice", "");
    a.add_track(&track, &[]).unwrap();
    follow(&a, &b, a_events, drop);
    follow(&b, &a, b_events, drop);
    let told = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for number in 0_u32.. {
            ticks.tick().await;
            let at = Duration::from_millis(20) * number;
            let frame = peerconnection::AudioFrame::new(48_000, 1, vec![1000; 960], at);
            source.write(frame.unwrap()).unwrap();
            let report = b.stats(None).unwrap();
            let told = report.iter().find_map(|it| match it {
                Stats::RemoteOutboundRtp(report) => Some(report.remote_timestamp),
                _ => None,
            });
            if let Some(told) = told {
                return told;
            }
        }
        f64::NAN
    };
    let told = soon("a report", told).await;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() * 1000.0;
    assert!((now - told).abs() < 60_000.0, "{told}, it is {now}");
}

/// Nothing is done with what comes.
#[derive(Default)]
struct Nobody;

impl Application for Nobody {}

#[test]
fn senders_share_the_network_by_priority() {
    use Priority::{High, Low, Medium, VeryLow};
    for (priorities, parts) in [
        ([Low, Low], [1, 1]),
        ([High, Low], [4, 1]),
        ([VeryLow, Medium], [1, 4]),
    ] {
        let mut net = pair::network::<Nobody>(Seed::from(1), good(), false);
        let ids = priorities.map(|priority| {
            let init = TransceiverInit {
                send_encodings: vec![EncodingParameters {
                    priority,
                    ..Default::default()
                }],
                ..Default::default()
            };
            let engine = &mut net[A].engine;
            engine
                .add_transceiver(Kind::Video, Some(priority.as_str()), init)
                .unwrap()
        });
        pair::connect(&mut net, &mut [0; 2]);
        let share = |id| {
            let mut told = net[A].events.iter().filter_map(|event| match event {
                Event::TargetBitrate(own, bits) if *own == id => Some(*bits),
                _ => None,
            });
            told.next_back().unwrap()
        };
        let [one, other] = ids.map(share);
        assert_eq!(one * parts[1], other * parts[0], "{priorities:?}");
    }
}
