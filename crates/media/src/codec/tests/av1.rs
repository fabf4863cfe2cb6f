use std::time::Duration;

use super::{picture, psnr};
use crate::{
    VideoFrame,
    codec::{self, CodecError, VideoDecoder, VideoEncoder, VideoEncoderConfig},
};

/// How many pictures later one comes out.
const DELAY: usize = 4;

fn encoder(width: u32, height: u32, bitrate: u32) -> Box<dyn VideoEncoder> {
    let config = VideoEncoderConfig {
        width,
        height,
        bitrate,
        frame_rate: 30.0,
    };
    codec::video_encoder("video/AV1", None, config).expect("an encoder")
}

fn decoder() -> Box<dyn VideoDecoder> {
    codec::video_decoder("video/AV1", None).expect("a decoder")
}

/// What came out: the time, whether it is a key frame, and the data.
type Unit = (Duration, bool, Vec<u8>);

/// Encodes these pictures, each of which is asked to be a key frame or not.
fn encode(
    encoder: &mut dyn VideoEncoder,
    frames: impl IntoIterator<Item = (VideoFrame, bool)>,
) -> Vec<Unit> {
    let mut units = Vec::new();
    for (frame, force) in frames {
        let mut data = Vec::new();
        let encoded = encoder
            .encode(&frame, force, &mut data)
            .expect("it encodes");
        if !data.is_empty() {
            units.push((encoded.timestamp, encoded.is_key_frame, data));
        }
    }
    units
}

fn clip(width: u32, height: u32, count: u32) -> Vec<VideoFrame> {
    (0..count).map(|at| picture(width, height, at)).collect()
}

/// Decodes and compares with what was encoded; the worst ratio in dB.
fn worst(decoder: &mut dyn VideoDecoder, clip: &[VideoFrame], units: &[Unit]) -> f64 {
    let mut worst = f64::MAX;
    for (time, _, data) in units {
        let frame = clip.iter().find(|it| it.timestamp() == *time);
        let decoded = decoder.decode(data, *time).expect("it decodes");
        let decoded = decoded.expect("it is shown");
        assert_eq!(decoded.timestamp(), *time);
        worst = worst.min(psnr(frame.expect("of the clip"), &decoded));
        let [_, u, v] = frame.expect("of the clip").planes();
        let [_, du, dv] = decoded.planes();
        for (plane, decoded) in [(u, du), (v, dv)] {
            let difference = |x, y| plane.at(x, y).unwrap().abs_diff(decoded.at(x, y).unwrap());
            assert!(
                difference(20, 20) < 12 && difference(30, 25) < 12,
                "{time:?}"
            );
        }
    }
    worst
}

#[test]
fn a_moving_picture_keeps_its_quality_and_its_times() {
    // Sides that are no multiple of a block, and odd ones.
    for (width, height) in [(110, 70), (83, 61)] {
        let clip = clip(width, height, 24);
        let frames = clip.iter().map(|frame| (frame.clone(), false));
        let units = encode(encoder(width, height, 600_000).as_mut(), frames);
        let times: Vec<_> = units.iter().map(|(time, ..)| *time).collect();
        let given = clip.iter().map(VideoFrame::timestamp);
        assert_eq!(times, given.take(24 - DELAY).collect::<Vec<_>>());
        let keys = units.iter().filter(|(_, is_key, _)| *is_key).count();
        assert!(units[0].1 && keys == 1, "{keys}");
        let worst = worst(decoder().as_mut(), &clip, &units);
        assert!(worst > 30.0, "{width}×{height}: {worst} dB");
    }
}

#[test]
fn a_decoder_can_begin_at_a_key_frame_that_was_asked_for() {
    let clip = clip(160, 96, 24);
    let frames = clip.iter().enumerate();
    // Two in a row as well: both are given.
    let frames = frames.map(|(at, frame)| (frame.clone(), [6, 12, 13].contains(&at)));
    let units = encode(encoder(160, 96, 300_000).as_mut(), frames);
    assert_eq!(units.len(), 24 - DELAY, "none is lost");
    let keys = units.iter().enumerate().filter(|(_, unit)| unit.1);
    assert_eq!(keys.map(|(at, _)| at).collect::<Vec<_>>(), [0, 6, 12, 13]);
    let mut late = decoder();
    for (time, _, data) in &units[1..6] {
        let decoded = late.decode(data, *time);
        assert!(
            !matches!(decoded, Ok(Some(_))),
            "{time:?} builds on what is missing"
        );
    }
    assert!(worst(late.as_mut(), &clip, &units[6..]) > 28.0);
}

#[test]
fn another_size_begins_with_a_key_frame_and_loses_nothing() {
    let sizes = [
        (160, 96),
        (160, 96),
        (96, 64),
        (96, 64),
        (200, 120),
        (200, 120),
    ];
    let frames: Vec<_> = (0..12)
        .map(|at| {
            let (width, height) = sizes[at as usize / 2];
            picture(width, height, at)
        })
        .collect();
    let mut encoder = encoder(160, 96, 300_000);
    let units = encode(
        encoder.as_mut(),
        frames.iter().map(|it| (it.clone(), false)),
    );
    assert_eq!(units.len(), 12 - DELAY);
    for (at, (time, is_key, _)) in units.iter().enumerate() {
        assert_eq!(
            (*time, *is_key),
            (frames[at].timestamp(), at % 4 == 0),
            "{at}"
        );
    }
    assert!(worst(decoder().as_mut(), &frames, &units) > 26.0);
}

#[test]
fn a_picture_that_is_too_small_is_refused() {
    let mut data = vec![1];
    for (width, height) in [(15, 64), (64, 15)] {
        let refused = encoder(64, 64, 100_000).encode(&picture(width, height, 0), false, &mut data);
        assert!(matches!(refused, Err(CodecError::Frame(_))), "{refused:?}");
        assert!(data.is_empty());
    }
}

/// Encodes at 30 pictures a second; gives bits a second and key frames of each second.
fn seconds(
    encoder: &mut dyn VideoEncoder,
    clip: &[VideoFrame],
    range: std::ops::Range<u32>,
) -> Vec<(f64, usize)> {
    let second = |second: u32| {
        let frames = (second * 30..(second + 1) * 30).map(|at| {
            // Back and forth, so that the clip has no seam.
            let place = at as usize % (2 * clip.len());
            let frame = clip
                .get(place)
                .unwrap_or_else(|| &clip[2 * clip.len() - 1 - place]);
            let time = Duration::from_secs_f64(f64::from(at) / 30.0);
            (frame.clone().with_timestamp(time), false)
        });
        let units = encode(encoder, frames);
        let bits = units.iter().map(|(.., data)| data.len() * 8).sum::<usize>();
        (bits as f64, units.iter().filter(|unit| unit.1).count())
    };
    range.map(second).collect()
}

#[test]
fn the_bit_rate_is_kept_to_and_a_new_one_too() {
    let clip = clip(64, 64, 40);
    let mut encoder = encoder(64, 64, 60_000);
    let mean = |of: &[(f64, usize)]| of.iter().map(|it| it.0).sum::<f64>() / of.len() as f64;
    for (from, rate) in [(0, 60_000.0), (4, 25_000.0), (8, 55_000.0)] {
        encoder.set_rate(rate as u32, 30.0);
        let all = seconds(encoder.as_mut(), &clip, from..from + 4);
        let ratio = mean(&all[1..]) / rate;
        assert!((0.7..1.25).contains(&ratio), "{rate}: {ratio}, {all:?}");
        let keys = all.iter().map(|it| it.1).sum::<usize>();
        assert_eq!(keys, 1, "one as it begins");
    }
    // What rises soon, or by a tenth, costs no key frame.
    for (at, rate) in [(12, 80_000), (13, 60_000)] {
        encoder.set_rate(rate, 30.0);
        let [(_, keys)] = seconds(encoder.as_mut(), &clip, at..at + 1)[..] else {
            panic!("a second")
        };
        assert_eq!(keys, 0);
    }
}

#[test]
fn pictures_beyond_the_frame_rate_are_left_out() {
    let mut encoder = encoder(96, 64, 300_000);
    encoder.set_rate(300_000, 10.0);
    let all = clip(96, 64, 60).into_iter().map(|frame| (frame, false));
    let units = encode(encoder.as_mut(), all);
    assert!(
        (19 - DELAY..=21 - DELAY).contains(&units.len()),
        "{}",
        units.len()
    );
}

#[test]
fn pictures_without_a_clock_are_encoded_all_the_same() {
    let mut encoder = encoder(96, 64, 300_000);
    let frames = (0..10)
        .rev()
        .flat_map(|at| [picture(96, 64, at), picture(96, 64, at)]);
    assert_eq!(
        encode(encoder.as_mut(), frames.map(|it| (it, false))).len(),
        20 - DELAY
    );
}

#[test]
fn a_decoder_survives_garbage_and_goes_on_at_the_next_key_frame() {
    let clip = clip(96, 64, 6);
    let frames = clip.iter().map(|frame| (frame.clone(), false));
    let units = encode(encoder(96, 64, 300_000).as_mut(), frames);
    let mut decoder = decoder();
    for seed in 0..200 {
        let noise = super::garbage(seed, seed as usize % 60);
        let _ = decoder.decode(&noise, Duration::ZERO);
        // The headers are right, what follows is not; and then a part of it is missing.
        for (time, _, data) in &units {
            let mut data = data.clone();
            for (at, byte) in noise.iter().enumerate() {
                if let Some(place) = data.get_mut(18 + at * 7) {
                    *place ^= byte;
                }
            }
            let _ = decoder.decode(&data, *time);
            data.truncate(seed as usize * 3);
            let _ = decoder.decode(&data, *time);
        }
    }
    assert!(worst(decoder.as_mut(), &clip, &units) > 30.0);
}

#[test]
fn other_profiles_are_not_ours() {
    assert!(codec::can_decode(
        "video/AV1",
        Some("level-idx=5;profile=0;tier=0")
    ));
    assert!(codec::can_encode("video/av1", None));
    for profile in ["profile=1", "level-idx=5;profile=2"] {
        assert!(!codec::can_decode("video/AV1", Some(profile)));
        assert!(codec::video_decoder("video/AV1", Some(profile)).is_none());
    }
}

/// Three pictures that SVT-AV1 has encoded, each behind its length, with what FFmpeg's RTP muxer
/// made of it: so many payloads, each behind its length.
#[test]
fn pictures_of_another_encoder_are_decoded() {
    let mut file = &include_bytes!("../../../../rtp/src/payload/tests/av1.bin")[..];
    let mut take = |len: usize| {
        let (taken, rest) = file.split_at(len);
        file = rest;
        (taken, file.len())
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, it| sum << 8 | usize::from(*it));
    let (mut decoder, mut count) = (decoder(), 0);
    loop {
        let len = number(take(4).0);
        let unit = take(len).0;
        let decoded = decoder.decode(unit, Duration::ZERO).expect("it decodes");
        let decoded = decoded.expect("it is shown");
        assert_eq!((decoded.width(), decoded.height()), (178, 98));
        let luma = decoded.y().data();
        let range = luma.iter().max().unwrap() - luma.iter().min().unwrap();
        assert!(range > 100, "a picture with contrast: {range}");
        count += 1;
        let mut left = 0;
        for _ in 0..number(take(2).0) {
            let len = number(take(2).0);
            left = take(len).1;
        }
        if left == 0 {
            break;
        }
    }
    assert_eq!(count, 3);
}

/// A black picture of 4,112×2,304 pixels, as `rav1e` has encoded it.
#[test]
fn a_picture_that_is_huge_is_refused() {
    let mut decoder = decoder();
    let huge = include_bytes!("av1_huge.obu");
    let refused = decoder.decode(huge, Duration::ZERO);
    assert!(
        matches!(refused, Err(CodecError::Malformed(_))),
        "{refused:?}"
    );
    // What is small enough is still decoded.
    let clip = clip(96, 64, 6);
    let frames = clip.iter().map(|frame| (frame.clone(), false));
    let units = encode(encoder(96, 64, 300_000).as_mut(), frames);
    assert!(worst(decoder.as_mut(), &clip, &units) > 30.0);
}
