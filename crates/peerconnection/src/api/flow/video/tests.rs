use std::collections::BTreeMap;

use pc_media::devices::TestPicture;
use pc_rtp::payload::{Format, inspect};

use super::*;
use crate::rtp::{Codec, EncodingParameters};

const SIZE: (u32, u32) = (320, 192);

/// Pictures at 20 a second, and what becomes of them.
struct Stage {
    sender: VideoSender,
    plan: Plan,
    signals: Arc<Signals>,
    at: Duration,
}

fn vp8() -> CodecParameters {
    codec("video/VP8", 96)
}

fn codec(mime_type: &str, payload_type: u8) -> CodecParameters {
    CodecParameters {
        payload_type: pc_sdp::PayloadType::new(payload_type).unwrap(),
        codec: Codec {
            mime_type: mime_type.into(),
            clock_rate: 90_000,
            channels: None,
            sdp_fmtp_line: None,
        },
        feedback: Vec::new(),
    }
}

impl Stage {
    /// f, h, q.
    fn new(change: impl FnOnce(&mut [EncodingParameters])) -> Self {
        let encoding = |by: f64| EncodingParameters {
            scale_resolution_down_by: Some(by),
            ..EncodingParameters::default()
        };
        let mut encodings = [1.0, 2.0, 4.0].map(encoding).to_vec();
        change(&mut encodings);
        let plan = Plan {
            codecs: vec![vp8()],
            encodings,
            restrictions: vec![RidRestrictions::default(); 3],
        };
        Self {
            sender: VideoSender::new(&plan),
            plan,
            signals: Arc::default(),
            at: Duration::ZERO,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan);
        self.sender.update(&self.plan);
    }

    fn encode(&mut self) -> Vec<Encoded> {
        self.at += Duration::from_millis(50);
        let frame = TestPicture::frame(self.at, SIZE.0, SIZE.1).unwrap();
        let at = Moment {
            media: self.at,
            clock: crate::clock::now(),
        };
        self.sender.encode(&frame, at, &self.signals)
    }

    /// The encodings of a picture, and whether each is a key frame.
    fn keys(&mut self) -> BTreeMap<usize, bool> {
        let packets = self.encode().into_iter();
        packets.map(|it| (it.encoding, it.is_key_frame)).collect()
    }
}

#[test]
fn a_picture_is_encoded_in_three_sizes() {
    let mut stage = Stage::new(|_| ());
    for number in 0..5 {
        let packets = stage.encode();
        let sizes: Vec<_> = packets.iter().map(|it| (it.encoding, it.size)).collect();
        let size = |width, height| Some((width, height));
        assert_eq!(
            sizes,
            [(0, size(320, 192)), (1, size(160, 96)), (2, size(80, 48))]
        );
        for packet in &packets {
            assert_eq!(packet.is_key_frame, number == 0);
            assert_eq!(packet.timestamp, packets[0].timestamp);
            // What is in it is of that size.
            let payload = [&[0x10][..], &packet.data].concat();
            let seen = inspect(Format::Vp8, &payload).unwrap().size;
            assert_eq!(seen, packet.size.filter(|_| number == 0));
        }
    }
    let bitrates: Vec<_> = stage
        .sender
        .settings()
        .iter()
        .map(|it| it.bitrate)
        .collect();
    assert!(bitrates.iter().all(|it| *it >= 100_000), "{bitrates:?}");
}

#[test]
fn a_key_frame_is_made_of_the_encoding_that_it_is_asked_of() {
    let mut stage = Stage::new(|_| ());
    stage.encode();
    stage.signals.want_key_frame(1);
    assert_eq!(stage.keys(), [(0, false), (1, true), (2, false)].into());
    assert_eq!(stage.keys(), [(0, false), (1, false), (2, false)].into());
}

#[test]
fn what_is_not_active_is_not_made_and_comes_back_with_a_key_frame() {
    let mut stage = Stage::new(|_| ());
    stage.encode();
    stage.change(|plan| plan.encodings[0].active = false);
    assert_eq!(stage.keys(), [(1, false), (2, false)].into());
    assert_eq!(stage.sender.settings()[0].bitrate, 0);
    stage.change(|plan| plan.encodings[0].active = true);
    assert_eq!(stage.keys(), [(0, true), (1, false), (2, false)].into());
    assert_eq!(stage.keys(), [(0, false), (1, false), (2, false)].into());
}

#[test]
fn the_largest_gives_way_when_the_network_is_narrow() {
    let mut stage = Stage::new(|_| ());
    stage.encode();
    stage.signals.set_bitrate(170_000);
    assert_eq!(stage.keys(), [(2, false)].into());
    assert!(stage.sender.next_step() > 150_000);
    stage.signals.set_bitrate(400_000);
    assert_eq!(stage.keys(), [(0, true), (1, true), (2, false)].into());
    assert_eq!(stage.sender.next_step(), 0);
}

#[test]
fn no_encoding_has_more_pictures_than_it_may() {
    let mut stage = Stage::new(|encodings| {
        encodings[0].max_framerate = Some(10.0);
        encodings[1].max_framerate = Some(0.0);
    });
    let mut counts = [0; 3];
    for _ in 0..40 {
        for packet in stage.encode() {
            counts[packet.encoding] += 1;
        }
    }
    assert_eq!(counts[1], 0);
    assert!((18..=22).contains(&counts[0]), "{counts:?}");
    assert!(counts[2] >= 36, "{counts:?}");
}

#[test]
fn layers_in_time_are_made_where_they_are_asked_for() {
    let mut stage = Stage::new(|encodings| {
        encodings[0].scalability_mode = Some("L1T3".into());
        encodings[1].scalability_mode = Some("L1T2".into());
    });
    let mut ids = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..8 {
        for packet in stage.encode() {
            ids[packet.encoding].push(packet.layer.map(|it| it.id));
        }
    }
    let some = |ids: [u8; 4]| ids.map(Some).repeat(2);
    assert_eq!(ids[0], some([0, 2, 1, 2]));
    assert_eq!(ids[1], some([0, 1, 0, 1]));
    assert_eq!(ids[2], [None; 8]);
    let modes = |stage: &Stage| -> Vec<_> {
        let settings = stage.sender.settings().into_iter();
        settings.map(|it| it.scalability_mode).collect()
    };
    assert_eq!(
        modes(&stage),
        [Some("L1T3".into()), Some("L1T2".into()), None]
    );
    // They change without a key frame, and begin with the base layer.
    stage.change(|plan| plan.encodings[0].scalability_mode = Some("L1T2".into()));
    let packets = stage.encode();
    assert!(!packets[0].is_key_frame);
    assert_eq!(packets[0].layer.map(|it| it.id), Some(0));
    stage.change(|plan| plan.encodings[1].scalability_mode = None);
    assert_eq!(stage.encode()[1].layer, None);
    assert_eq!(modes(&stage), [Some("L1T2".into()), None, None]);
    // A codec without them was negotiated after all.
    stage.change(|plan| plan.codecs = vec![codec("video/VP9", 98)]);
    let packets = stage.encode();
    assert!(
        packets
            .iter()
            .all(|it| it.is_key_frame && it.layer.is_none())
    );
    assert_eq!(modes(&stage), [Some("L1T1".into()), None, None]);
}

#[test]
fn the_peer_gets_no_more_than_it_takes() {
    let mut stage = Stage::new(|_| ());
    stage.change(|plan| {
        plan.codecs.push(codec("video/VP9", 98));
        plan.restrictions[0].max_width = Some(200.0);
        plan.restrictions[1].max_frame_size = Some(80.0 * 48.0);
        plan.restrictions[1].payload_types = vec![pc_sdp::PayloadType::new(98).unwrap()];
        // Ten pictures a second.
        plan.restrictions[2].max_pixel_rate = Some(80.0 * 48.0 * 10.0);
    });
    let packets = stage.encode();
    let sizes: Vec<_> = packets.iter().filter_map(|it| it.size).collect();
    assert_eq!(sizes, [(200, 120), (80, 48), (80, 48)]);
    let types: Vec<_> = packets.iter().map(|it| it.payload_type.number()).collect();
    assert_eq!(types, [96, 98, 96]);
    let mut counts = [1; 3];
    for _ in 1..40 {
        for packet in stage.encode() {
            counts[packet.encoding] += 1;
        }
    }
    assert!(
        counts[0] >= 36 && (18..=22).contains(&counts[2]),
        "{counts:?}"
    );
}

/// Both sides say how large a picture they take, each something else.
#[test]
fn the_codec_that_is_asked_for_is_found_whatever_the_peer_says_of_it() {
    let mut stage = Stage::new(|all| {
        for own in all {
            own.codec = Some(vp8().codec);
        }
    });
    stage.change(|plan| {
        let line = "max-fs=12288;max-fr=60";
        plan.codecs[0].codec.sdp_fmtp_line = Some(line.into());
    });
    assert_eq!(stage.encode().len(), 3);
}
