//! AV1 from picture to picture: through the payload format alone, and through a call.
#![cfg(feature = "av1")]

#[path = "common/sockets.rs"]
mod sockets;

use std::time::Duration;

use pc_media::codec::{self, VideoEncoderConfig};
use pc_proto::Serial32;
use pc_rtp::payload::{Depacketizer, Format, FrameInfo, Packetizer, Payloads};
use peerconnection::{
    MediaFrame, MediaKind, PeerConnection, RtpReceiver,
    devices::{Constraint, MediaStreamConstraints, TestPicture, VideoConstraints, get_user_media},
    rtp::TransceiverInit,
    sink,
};
use sockets::{loopback, soon};

const FMTP: Option<&str> = Some("level-idx=5;profile=0;tier=0");

#[test]
fn the_clock_is_read_from_what_went_through_payloads() {
    let config = VideoEncoderConfig {
        width: 160,
        height: 96,
        bitrate: 300_000,
        frame_rate: 30.0,
    };
    let mut encoder = codec::video_encoder("video/AV1", FMTP, config).unwrap();
    let mut decoder = codec::video_decoder("video/AV1", FMTP).unwrap();
    let format = Format::from_mime("video/AV1", FMTP).unwrap();
    let mut packetizer = Packetizer::new(format, 0);
    let mut depacketizer = Depacketizer::new(format);
    let (mut unit, mut payloads) = (Vec::new(), Payloads::new());
    let (mut read, mut pieces) = (Vec::new(), 0);
    for at in 0..16 {
        let frame = TestPicture::frame(Duration::from_millis(at * 33), 160, 96).unwrap();
        let encoded = encoder.encode(&frame, at == 9, &mut unit).unwrap();
        if unit.is_empty() {
            continue;
        }
        let info = FrameInfo {
            is_key_frame: encoded.is_key_frame,
            size: Some((160, 96)),
            timestamp: Serial32(at as u32 * 3_000),
            layer: None,
        };
        packetizer
            .packetize(&unit, &info, 300, &mut payloads)
            .unwrap();
        pieces += payloads.len();
        depacketizer.begin();
        for payload in payloads.iter() {
            depacketizer.push(payload).unwrap();
        }
        let received = depacketizer.finish().unwrap();
        assert_eq!(received.is_key_frame, encoded.is_key_frame);
        assert_eq!(received.size.is_some(), encoded.is_key_frame);
        let shown = decoder.decode(received.data, encoded.timestamp).unwrap();
        read.push((encoded.timestamp, sink::read_clock(&shown.unwrap())));
    }
    let expected = (0..12).map(|at| Duration::from_millis(at * 33));
    let expected: Vec<_> = expected.map(|at| (at, Some(at))).collect();
    assert_eq!(read, expected);
    assert!(pieces > read.len(), "key frames are longer than a payload");
}

#[tokio::test]
async fn a_call_that_prefers_av1_shows_the_picture() {
    let (a, mut a_events) = PeerConnection::new(loopback()).unwrap();
    let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
    let camera = get_user_media(&MediaStreamConstraints {
        video: Some(VideoConstraints {
            width: Constraint::exact(160),
            height: Constraint::exact(96),
            frame_rate: Constraint::exact(10.0),
            ..Default::default()
        }),
        synthetic: true,
        ..Default::default()
    });
    let [camera] = camera.unwrap().video_tracks().try_into().unwrap();
    let transceiver = a
        .add_transceiver(camera, TransceiverInit::default())
        .unwrap();
    let mut codecs = RtpReceiver::capabilities(MediaKind::Video).codecs;
    codecs.retain(|codec| codec.mime_type == "video/AV1");
    assert_eq!(codecs.len(), 1);
    assert_eq!(codecs[0].sdp_fmtp_line.as_deref(), FMTP);
    transceiver.set_codec_preferences(codecs).unwrap();
    soon(
        "the negotiation",
        sockets::negotiate((&a, &mut a_events), (&b, &mut b_events)),
    )
    .await
    .unwrap();
    let [transceiver] = b.transceivers().try_into().unwrap();
    let track = transceiver.receiver().track();
    let mut frames = track.frames();
    let mut times = Vec::new();
    while times.len() < 8 {
        let Some(MediaFrame::Video(frame)) = soon("a picture", frames.next()).await else {
            panic!("no picture")
        };
        assert_eq!((frame.width(), frame.height()), (160, 96));
        times.extend(sink::read_clock(&frame));
    }
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}
