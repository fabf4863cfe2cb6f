//! Simulcast from a track to the peer's statistics, over loopback sockets.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/sockets.rs"]
mod sockets;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use layers::{RIDS, encodings};
use pc_media::{
    EncodedFrame, Request,
    codec::{self, VideoEncoder, VideoEncoderConfig},
    devices::TestPicture,
};
use peerconnection::{
    MediaKind, MediaStreamTrack, PeerConnection, RtpSender, TrackSource,
    rtp::{EncodingParameters, TransceiverDirection, TransceiverInit},
    stats::{InboundRtpStreamStats, OutboundRtpStreamStats, Stats},
};
use sockets::{loopback, negotiate, soon};
use tokio::time::MissedTickBehavior;

const SIZE: (u32, u32) = (320, 192);
const SCALES: [f64; 3] = [1.0, 2.0, 4.0];

/// A sends three encodings of a track to B.
struct Call {
    sender: RtpSender,
    a: PeerConnection,
    b: PeerConnection,
}

impl Call {
    async fn new(track: &MediaStreamTrack, encodings: Vec<EncodingParameters>) -> Self {
        let (a, mut a_events) = PeerConnection::new(loopback()).unwrap();
        let (b, mut b_events) = PeerConnection::new(loopback()).unwrap();
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            send_encodings: encodings,
            ..TransceiverInit::default()
        };
        let transceiver = a.add_transceiver(track.clone(), init).unwrap();
        let both = negotiate((&a, &mut a_events), (&b, &mut b_events));
        soon("the negotiation", both).await.unwrap();
        Self {
            sender: transceiver.sender(),
            a,
            b,
        }
    }

    fn outbound(&self) -> Vec<OutboundRtpStreamStats> {
        let report = self.a.stats(None).unwrap();
        let all = report.iter().filter_map(|stats| match stats {
            Stats::OutboundRtp(own) => Some((**own).clone()),
            _ => None,
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|it| it.encoding_index);
        all
    }

    fn inbound(&self) -> BTreeMap<u32, InboundRtpStreamStats> {
        let report = self.b.stats(None).unwrap();
        let all = report.iter().filter_map(|stats| match stats {
            Stats::InboundRtp(own) => Some((own.ssrc, (**own).clone())),
            _ => None,
        });
        all.collect()
    }

    /// Until the condition holds.
    async fn until(&self, what: &str, condition: impl Fn(&[OutboundRtpStreamStats]) -> bool) {
        let looking = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while !condition(&self.outbound()) {
                ticks.tick().await;
            }
        };
        soon(what, looking).await;
    }

    fn set_active(&self, encoding: usize, active: bool) {
        let mut parameters = self.sender.parameters().unwrap();
        parameters.encodings[encoding].active = active;
        self.sender.set_parameters(parameters).unwrap();
    }
}

/// A picture 20 times a second.
fn camera() -> (MediaStreamTrack, tokio::task::JoinHandle<()>) {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "camera", "");
    let task = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        for number in 0_u32.. {
            ticks.tick().await;
            let at = Duration::from_millis(50) * number;
            source
                .write(TestPicture::frame(at, SIZE.0, SIZE.1).unwrap())
                .unwrap();
        }
    });
    (track, task)
}

fn all_have_sent(frames: u64) -> impl Fn(&[OutboundRtpStreamStats]) -> bool {
    move |all| all.len() == 3 && all.iter().all(|it| it.frames_sent.unwrap_or(0) >= frames)
}

#[tokio::test]
async fn three_sizes_of_one_picture_leave_and_arrive() {
    let (track, _camera) = camera();
    let call = Call::new(&track, encodings(SCALES)).await;
    call.until("pictures", all_have_sent(25)).await;
    let (sent, came) = (call.outbound(), call.inbound());
    let rids: Vec<_> = sent.iter().map(|it| it.rid.as_deref().unwrap()).collect();
    assert_eq!(rids, RIDS);
    let ssrcs: BTreeSet<u32> = sent
        .iter()
        .flat_map(|it| [it.ssrc, it.rtx_ssrc.unwrap()])
        .collect();
    assert_eq!(ssrcs.len(), 6);
    for (index, own) in sent.iter().enumerate() {
        assert_eq!(own.encoding_index as usize, index);
        let size = (own.frame_width.unwrap(), own.frame_height.unwrap());
        assert_eq!(size, (SIZE.0 >> index, SIZE.1 >> index));
        let rate = own.frames_per_second.unwrap();
        assert!(rate > 5.0 && rate <= 30.0, "{rate}");
        assert!(own.target_bitrate.unwrap() >= 100_000.0);
        assert!(own.active && own.scalability_mode.is_none());
        assert!(own.frames_encoded.unwrap() >= 25);
        // B has it under the same name, and in that size.
        let there = &came[&own.ssrc];
        assert!(there.packets_received > 0 && there.packets_lost == 0);
        assert_eq!(
            (there.frame_width, there.frame_height),
            (Some(size.0), Some(size.1))
        );
    }
    let bytes = |index: usize| sent[index].bytes_sent;
    assert!(bytes(0) > bytes(1) && bytes(1) > bytes(2), "{sent:?}");
}

#[tokio::test]
async fn an_encoding_stops_and_goes_on_with_a_key_frame() {
    let (track, _camera) = camera();
    let call = Call::new(&track, encodings(SCALES)).await;
    call.until("pictures", all_have_sent(5)).await;
    call.set_active(0, false);
    call.until("the stop", |all| all[0].target_bitrate == Some(0.0))
        .await;
    let before = call.outbound();
    let counts =
        |all: &[OutboundRtpStreamStats]| [0, 1, 2].map(|at: usize| all[at].frames_sent.unwrap());
    let (frames, keys) = (counts(&before), before[0].key_frames_encoded.unwrap());
    assert!(!before[0].active && before[1].active);
    call.until("pictures of the others", |all| {
        counts(all)[1] > frames[1] + 20
            && counts(all)[2] > frames[2] + 20
            && all[0].frames_per_second == Some(0.0)
    })
    .await;
    let now = call.outbound();
    assert_eq!(counts(&now)[0], frames[0]);
    assert_eq!(now[0].target_bitrate, Some(0.0));
    call.set_active(0, true);
    call.until("pictures again", |all| counts(all)[0] > frames[0] + 5)
        .await;
    let after = call.outbound();
    assert!(after[0].key_frames_encoded.unwrap() > keys);
    assert_eq!(after[0].ssrc, before[0].ssrc);
}

#[tokio::test]
async fn layers_in_time_are_those_of_the_parameters() {
    let (track, _camera) = camera();
    let mut wanted = encodings(SCALES);
    wanted[0].scalability_mode = Some("L1T3".into());
    let call = Call::new(&track, wanted).await;
    call.until("pictures", all_have_sent(5)).await;
    let modes = |all: &[OutboundRtpStreamStats]| -> Vec<Option<String>> {
        all.iter().map(|it| it.scalability_mode.clone()).collect()
    };
    assert_eq!(modes(&call.outbound()), [Some("L1T3".into()), None, None]);
    let mut parameters = call.sender.parameters().unwrap();
    parameters.encodings[0].scalability_mode = Some("L3T3".into());
    let refused = call.sender.set_parameters(parameters.clone()).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");
    let mut parameters = call.sender.parameters().unwrap();
    parameters.encodings[2].scalability_mode = Some("L1T2".into());
    call.sender.set_parameters(parameters).unwrap();
    call.until("two layers", |all| modes(all)[2].as_deref() == Some("L1T2"))
        .await;
    // What can be asked for is listed, and nothing else can.
    let codecs = RtpSender::capabilities(MediaKind::Video).codecs;
    let vp8 = codecs
        .iter()
        .find(|it| it.mime_type == "video/VP8")
        .unwrap();
    assert_eq!(RtpSender::scalability_modes(vp8), ["L1T1", "L1T2", "L1T3"]);
    let vp9 = codecs
        .iter()
        .find(|it| it.mime_type == "video/VP9")
        .unwrap();
    assert_eq!(RtpSender::scalability_modes(vp9), ["L1T1"]);
    let mut wanted = encodings(SCALES);
    wanted[0].scalability_mode = Some("L3T3_KEY".into());
    let init = TransceiverInit {
        send_encodings: wanted,
        ..TransceiverInit::default()
    };
    let refused = call.a.add_transceiver(MediaKind::Video, init).unwrap_err();
    assert_eq!(refused.name(), "OperationError");
}

/// A camera that encodes by itself, in three sizes.
struct Encoding {
    source: TrackSource,
    encoders: Vec<Box<dyn VideoEncoder>>,
    /// What it was asked for.
    requests: Vec<Request>,
}

impl Encoding {
    fn new(source: TrackSource) -> Self {
        let encoder = |index: u32| {
            let config = VideoEncoderConfig {
                width: SIZE.0 >> index,
                height: SIZE.1 >> index,
                bitrate: 150_000,
                frame_rate: 20.0,
            };
            codec::video_encoder("video/VP8", None, config).unwrap()
        };
        Self {
            source,
            encoders: (0..3).map(encoder).collect(),
            requests: Vec::new(),
        }
    }

    fn write(&mut self, at: Duration) {
        let mut asked = [false; 3];
        while let Some(request) = self.source.try_request() {
            match request {
                Request::KeyFrame => asked = [true; 3],
                Request::KeyFrameOf(encoding) => asked[encoding] = true,
                _ => {}
            }
            self.requests.push(request);
        }
        for (index, encoder) in self.encoders.iter_mut().enumerate() {
            let picture = TestPicture::frame(at, SIZE.0 >> index, SIZE.1 >> index).unwrap();
            let mut data = Vec::new();
            let encoded = encoder.encode(&picture, asked[index], &mut data).unwrap();
            if data.is_empty() {
                continue;
            }
            let frame = EncodedFrame {
                mime_type: "video/VP8".into(),
                data: Bytes::from(data),
                timestamp: at,
                is_key_frame: encoded.is_key_frame,
                duration: None,
                size: Some((SIZE.0 as u16 >> index, SIZE.1 as u16 >> index)),
                encoding: index,
            };
            self.source.write(frame).unwrap();
        }
    }
}

#[tokio::test]
async fn a_track_that_is_encoded_already_is_sent_as_it_is() {
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, "layers", "");
    let mut encoding = Encoding::new(source);
    let call = Call::new(&track, encodings(SCALES)).await;
    let mut at = Duration::ZERO;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    // The connections have their turn in between, however long encoding takes.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let counts = || -> Vec<u64> {
        let all = call.outbound().into_iter();
        all.map(|it| it.frames_sent.unwrap()).collect()
    };
    // Writes pictures until the condition holds.
    let mut until = async |encoding: &mut Encoding, condition: &dyn Fn(&Encoding) -> bool| {
        let writing = async {
            while !condition(encoding) {
                ticks.tick().await;
                encoding.write(at);
                at += Duration::from_millis(50);
            }
        };
        soon("what was written to take effect", writing).await;
    };
    until(&mut encoding, &|_| {
        let came = call.inbound();
        let have_come = |it: &OutboundRtpStreamStats| {
            let there = came.get(&it.ssrc);
            there.is_some_and(|it| it.packets_received > 10)
        };
        call.outbound().iter().all(have_come)
    })
    .await;
    let (sent, came) = (call.outbound(), call.inbound());
    for (index, own) in sent.iter().enumerate() {
        assert_eq!(own.rid.as_deref(), Some(RIDS[index]));
        assert_eq!(came[&own.ssrc].frame_width, Some(SIZE.0 >> index));
    }
    // The source knows what each is worth.
    let told = |encoding: &Encoding, index: usize| {
        let mut rates = encoding.requests.iter().rev().filter_map(|it| match it {
            Request::BitrateOf(encoding, rate) if *encoding == index => Some(*rate),
            _ => None,
        });
        rates.next()
    };
    assert!((0..3).all(|it| told(&encoding, it).is_some_and(|rate| rate > 0)));
    // One that is not active is of no use, and goes on with a key frame.
    call.set_active(1, false);
    until(&mut encoding, &|own| told(own, 1) == Some(0)).await;
    let before = counts();
    until(&mut encoding, &|_| {
        let now = counts();
        now[0] > before[0] + 10 && now[2] > before[2] + 10
    })
    .await;
    assert_eq!(counts()[1], before[1]);
    let keys = call.outbound()[1].key_frames_encoded.unwrap();
    encoding.requests.clear();
    call.set_active(1, true);
    until(&mut encoding, &|_| counts()[1] > before[1] + 10).await;
    assert!(encoding.requests.contains(&Request::KeyFrameOf(1)));
    assert_eq!(call.outbound()[1].key_frames_encoded, Some(keys + 1));
}
