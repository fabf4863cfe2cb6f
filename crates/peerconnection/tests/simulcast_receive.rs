//! Simulcast as it is received, and sent on: a sender of three layers, a forwarding unit and a viewer,
//! over real loopback sockets.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use layers::{RIDS, encodings};
use peerconnection::{
    Event, Events, Forwarder, MediaFrame, MediaKind, MediaStreamTrack, NotForwarded,
    PeerConnection, RtpReceiver, TrackFrames, TransceiverInit, VideoFrame,
    devices::{MediaStreamConstraints, VideoConstraints, get_user_media},
    rtp::TransceiverDirection,
    sink::read_clock,
};
use sockets::{follow, loopback, soon};
use tokio::sync::mpsc;

/// What is captured, and the layers that are made of it: small, for codecs without optimization.
const SIZE: (u32, u32) = (384, 216);
const LAYERS: [(&str, f64, (u32, u32)); 3] = [
    (RIDS[0], 1.0, (384, 216)),
    (RIDS[1], 1.5, (256, 144)),
    (RIDS[2], 2.0, (192, 108)),
];

fn size_of(rid: &str) -> (u32, u32) {
    LAYERS.iter().find(|it| it.0 == rid).unwrap().2
}

/// The moving picture with a clock.
fn camera() -> MediaStreamTrack {
    let stream = get_user_media(&MediaStreamConstraints {
        audio: None,
        video: Some(VideoConstraints {
            width: SIZE.0.into(),
            height: SIZE.1.into(),
            frame_rate: 20.0.into(),
            ..Default::default()
        }),
        synthetic: true,
    });
    stream.unwrap().tracks().remove(0)
}

/// Exchanges descriptions and candidates for as long as both live; what B receives.
fn connect(
    a: &PeerConnection,
    a_events: Events,
    b_events: Events,
    b: &PeerConnection,
) -> mpsc::UnboundedReceiver<RtpReceiver> {
    let (told, receivers) = mpsc::unbounded_channel();
    follow(a, b, a_events, |_| {});
    follow(b, a, b_events, move |event| {
        if let Event::Track(event) = event {
            let _ = told.send(event.receiver);
        }
    });
    receivers
}

/// A sender of three layers, and what the other side receives.
struct Simulcast {
    _sender: PeerConnection,
    server: PeerConnection,
    receiver: RtpReceiver,
}

impl Simulcast {
    async fn begin() -> Self {
        let (sender, sender_events) = PeerConnection::new(loopback()).unwrap();
        let (server, server_events) = PeerConnection::new(loopback()).unwrap();
        let mut receivers = connect(&sender, sender_events, server_events, &server);
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            send_encodings: encodings(LAYERS.map(|(_, scale, _)| scale)),
            ..Default::default()
        };
        sender.add_transceiver(camera(), init).unwrap();
        let receiver = soon("a receiver", receivers.recv()).await.unwrap();
        Self {
            _sender: sender,
            server,
            receiver,
        }
    }
}

async fn picture(frames: &mut TrackFrames) -> VideoFrame {
    match soon("a picture", frames.next()).await.unwrap() {
        MediaFrame::Video(frame) => frame,
        other => panic!("{other:?}"),
    }
}

/// Waits for a picture of this size, whose clock runs on from there for a while; the time it shows.
async fn clock_runs(frames: &mut TrackFrames, size: (u32, u32)) -> Duration {
    let mut before = None;
    let (mut read, mut seen) = (0, 0);
    while read < 6 {
        let frame = picture(frames).await;
        if (frame.width(), frame.height()) != size {
            assert_eq!(read, 0, "{size:?} gave way to {}", frame.width());
            seen += 1;
            assert!(seen < 200, "no picture of {size:?}");
            continue;
        }
        if let Some(clock) = read_clock(&frame) {
            assert!(before.is_none_or(|before| clock > before));
            before = Some(clock);
            read += 1;
        }
    }
    before.unwrap()
}

#[tokio::test]
async fn each_layer_has_a_track_of_its_own() {
    let call = Simulcast::begin().await;
    let mut tracks = LAYERS.map(|(rid, _, size)| (call.receiver.layer_track(rid).frames(), size));
    for (frames, size) in &mut tracks {
        clock_runs(frames, *size).await;
    }
    let layers = call.receiver.layers();
    assert_eq!(layers.len(), 3);
    for (rid, _, size) in LAYERS {
        let layer = layers.iter().find(|it| it.rid.as_deref() == Some(rid));
        let layer = layer.unwrap_or_else(|| panic!("{rid} in {layers:?}"));
        assert_eq!(layer.size, Some(size));
        assert!(layer.is_active && !layer.is_paused, "{layer:?}");
        assert!(layer.bit_rate > 1_000 && layer.frame_rate > 0, "{layer:?}");
    }
}

#[tokio::test]
async fn the_receivers_track_shows_the_selected_layer() {
    let call = Simulcast::begin().await;
    let mut frames = call.receiver.track().frames();
    clock_runs(&mut frames, size_of("f")).await;
    let mut at = Duration::ZERO;
    for rid in ["h", "q"] {
        call.receiver.select_layer(Some(rid));
        assert_eq!(call.receiver.selected_layer().as_deref(), Some(rid));
        at = clock_runs(&mut frames, size_of(rid)).await.max(at);
        assert_eq!(call.receiver.shown_layer().as_deref(), Some(rid));
    }
    // Nobody needs the others.
    for rid in ["f", "h"] {
        call.receiver.set_layer_paused(rid, true);
    }
    call.receiver.select_layer(None);
    for _ in 0..30 {
        let frame = picture(&mut frames).await;
        assert_eq!((frame.width(), frame.height()), size_of("q"));
    }
    call.receiver.set_layer_paused("h", false);
    clock_runs(&mut frames, size_of("h")).await;
}

#[tokio::test]
async fn a_viewer_behind_a_forwarder_sees_one_stream() {
    let call = Simulcast::begin().await;
    let (unit, unit_events) = PeerConnection::new(loopback()).unwrap();
    let (viewer, viewer_events) = PeerConnection::new(loopback()).unwrap();
    let mut receivers = connect(&unit, unit_events, viewer_events, &viewer);
    let init = TransceiverInit {
        direction: TransceiverDirection::SendOnly,
        ..Default::default()
    };
    let sender = unit
        .add_transceiver(MediaKind::Video, init)
        .unwrap()
        .sender();
    let mut packets = call.receiver.packets();
    let mut forwarder = Forwarder::new(&sender).unwrap();
    forwarder.select(&call.receiver, Some("f"));
    let (choose, mut chosen) = mpsc::unbounded_channel::<&'static str>();
    let source = call.receiver.clone();
    let forwarding = tokio::spawn(async move {
        let mut sent = 0;
        loop {
            tokio::select! {
                packet = packets.next() => {
                    let Some(packet) = packet else { return (sent, packets.lost()) };
                    assert!(packet.is_from(&source));
                    match forwarder.forward(&packet) {
                        Ok(()) => sent += 1,
                        Err(NotForwarded::NotReady | NotForwarded::NotSelected
                            | NotForwarded::AwaitsKeyFrame) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                rid = chosen.recv() => match rid {
                    Some(rid) => forwarder.select(&source, Some(rid)),
                    None => return (sent, packets.lost()),
                },
            }
        }
    });
    let receiver = soon("a receiver", receivers.recv()).await.unwrap();
    let mut frames = receiver.track().frames();
    let mut clock = clock_runs(&mut frames, size_of("f")).await;
    for rid in ["h", "q", "f"] {
        choose.send(rid).unwrap();
        let next = clock_runs(&mut frames, size_of(rid)).await;
        assert!(next > clock);
        clock = next;
    }
    drop(choose);
    let (sent, lost) = soon("the forwarder", forwarding).await.unwrap();
    assert!(sent > 40, "{sent}");
    assert_eq!(lost, 0);
    let layers = receiver.layers();
    assert_eq!(layers.len(), 1, "{layers:?}");
    assert!(layers[0].frames_received > 20, "{layers:?}");
}

#[tokio::test]
async fn packets_end_with_their_connection() {
    let call = Simulcast::begin().await;
    let mut packets = call.receiver.packets();
    let first = soon("a packet", packets.next()).await.unwrap();
    assert_eq!(first.codec.mime_type, "video/VP8");
    call.server.close();
    while soon("the end", packets.next()).await.is_some() {}
    assert!(packets.try_next().is_none());
    assert_eq!(packets.lost(), 0);
    let mut late = call.receiver.packets();
    assert!(soon("nothing", late.next()).await.is_none());
}

#[tokio::test]
async fn an_offer_asks_for_layers() {
    let (server, server_events) = PeerConnection::new(loopback()).unwrap();
    let (sender, sender_events) = PeerConnection::new(loopback()).unwrap();
    let init = TransceiverInit {
        direction: TransceiverDirection::RecvOnly,
        ..Default::default()
    };
    let receiver = (server.add_transceiver(MediaKind::Video, init).unwrap()).receiver();
    for wrong in [&["a b"][..], &["f", "f"], &[""], &["x"; 9]] {
        assert!(receiver.offer_layers(wrong).is_err(), "{wrong:?}");
    }
    receiver.offer_layers(&["small", "large"]).unwrap();
    let mut events = (server_events, sender_events);
    server.set_local_description(None).await.unwrap();
    sockets::gathered(&mut events.0).await;
    let offer = server.local_description().unwrap();
    assert!(
        offer.sdp.contains("a=simulcast:recv small;large"),
        "{}",
        offer.sdp
    );
    sender.set_remote_description(offer).await.unwrap();
    let transceiver = sender.transceivers().remove(0);
    transceiver
        .set_direction(TransceiverDirection::SendOnly)
        .unwrap();
    transceiver.sender().replace_track(camera()).await.unwrap();
    sender.set_local_description(None).await.unwrap();
    sockets::gathered(&mut events.1).await;
    let answer = sender.local_description().unwrap();
    assert!(
        answer.sdp.contains("a=simulcast:send small;large"),
        "{}",
        answer.sdp
    );
    server.set_remote_description(answer).await.unwrap();
    let small = &mut receiver.layer_track("small").frames();
    clock_runs(small, (192, 108)).await;
    clock_runs(&mut receiver.layer_track("large").frames(), SIZE).await;
}
