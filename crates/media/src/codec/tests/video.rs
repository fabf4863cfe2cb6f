use std::time::Duration;

use super::{garbage, picture, psnr};
use crate::{
    VideoFrame,
    codec::{self, VideoDecoder, VideoEncoder, VideoEncoderConfig},
};

/// Every codec of this build.
const TYPES: &[&str] = &[
    #[cfg(feature = "vp8")]
    "video/VP8",
    #[cfg(feature = "vp9")]
    "video/VP9",
    #[cfg(feature = "h264")]
    "video/H264",
];

fn pair(
    mime: &str,
    width: u32,
    height: u32,
    bitrate: u32,
) -> (Box<dyn VideoEncoder>, Box<dyn VideoDecoder>) {
    let config = VideoEncoderConfig {
        width,
        height,
        bitrate,
        frame_rate: 30.0,
    };
    let encoder = codec::video_encoder(mime, None, config).expect("an encoder");
    (
        encoder,
        codec::video_decoder(mime, None).expect("a decoder"),
    )
}

#[test]
fn a_moving_picture_keeps_its_quality() {
    for mime in TYPES {
        // Neither side is a multiple of 16.
        let (mut encoder, mut decoder) = pair(mime, 174, 134, 600_000);
        let (mut data, mut worst) = (Vec::new(), f64::MAX);
        for at in 0..60 {
            let frame = picture(174, 134, at);
            let encoded = encoder
                .encode(&frame, false, &mut data)
                .expect("it encodes");
            assert_eq!(encoded.is_key_frame, at == 0, "{mime} {at}");
            assert!(!data.is_empty(), "{mime} {at}");
            let time = Duration::from_millis(at.into());
            let decoded = decoder.decode(&data, time).expect("it decodes");
            let decoded = decoded.expect("it is shown");
            assert_eq!(decoded.timestamp(), time);
            worst = worst.min(psnr(&frame, &decoded));
            let [_, u, v] = frame.planes();
            let [_, du, dv] = decoded.planes();
            assert!(
                u.at(20, 20).unwrap().abs_diff(du.at(20, 20).unwrap()) < 12,
                "{mime} {at}"
            );
            assert!(
                v.at(20, 50).unwrap().abs_diff(dv.at(20, 50).unwrap()) < 12,
                "{mime} {at}"
            );
        }
        assert!(worst > 30.0, "{mime}: {worst} dB");
    }
}

#[cfg(all(feature = "vp8", feature = "vp9"))]
#[test]
fn an_odd_picture_stays_as_it_is() {
    for mime in ["video/VP8", "video/VP9"] {
        let (mut encoder, mut decoder) = pair(mime, 83, 61, 300_000);
        let mut data = Vec::new();
        for at in 0..10 {
            let frame = picture(83, 61, at);
            encoder
                .encode(&frame, false, &mut data)
                .expect("it encodes");
            let decoded = decoder.decode(&data, Duration::ZERO).expect("it decodes");
            assert!(
                psnr(&frame, &decoded.expect("it is shown")) > 30.0,
                "{mime} {at}"
            );
        }
    }
}

#[test]
fn a_decoder_can_begin_at_a_key_frame_that_was_asked_for() {
    for mime in TYPES {
        let (mut encoder, _) = pair(mime, 160, 96, 300_000);
        let mut late = codec::video_decoder(mime, None).expect("a decoder");
        let mut data = Vec::new();
        for at in 0..12 {
            let frame = picture(160, 96, at);
            let encoded = encoder
                .encode(&frame, at == 6, &mut data)
                .expect("it encodes");
            assert_eq!(encoded.is_key_frame, at == 0 || at == 6, "{mime} {at}");
            if at == 0 {
                continue;
            }
            let decoded = late.decode(&data, Duration::ZERO);
            if at < 6 {
                assert!(
                    !matches!(decoded, Ok(Some(_))),
                    "{mime}: {at} builds on what is missing"
                );
            } else {
                let decoded = decoded.expect("it decodes").expect("it is shown");
                assert!(psnr(&frame, &decoded) > 28.0, "{mime} {at}");
            }
        }
    }
}

#[test]
fn another_size_begins_with_a_key_frame() {
    for mime in TYPES {
        let (mut encoder, mut decoder) = pair(mime, 160, 96, 300_000);
        let mut data = Vec::new();
        for (at, (width, height)) in [(160, 96), (160, 96), (96, 64), (96, 64), (200, 120)]
            .into_iter()
            .enumerate()
        {
            let frame = picture(width, height, at as u32);
            let encoded = encoder
                .encode(&frame, false, &mut data)
                .expect("it encodes");
            assert_eq!(encoded.is_key_frame, at % 2 == 0, "{mime} {at}");
            let decoded = decoder.decode(&data, Duration::ZERO).expect("it decodes");
            assert!(
                psnr(&frame, &decoded.expect("it is shown")) > 28.0,
                "{mime} {at}"
            );
        }
    }
}

/// Encodes pictures at `rate` a second, with the clock that belongs to it; gives the bits a second
/// and how many pictures were encoded.
fn encode(
    encoder: &mut dyn VideoEncoder,
    clip: &[VideoFrame],
    from: Duration,
    rate: f64,
    seconds: f64,
) -> (f64, usize) {
    let (mut data, mut bytes, mut pictures) = (Vec::new(), 0, 0);
    for at in 0..(seconds * rate) as usize {
        let time = from + Duration::from_secs_f64(at as f64 / rate);
        // Back and forth, so that the clip has no seam.
        let at = at % (2 * clip.len());
        let frame = clip
            .get(at)
            .unwrap_or_else(|| &clip[2 * clip.len() - 1 - at]);
        encoder
            .encode(&frame.clone().with_timestamp(time), false, &mut data)
            .expect("it encodes");
        bytes += data.len();
        pictures += usize::from(!data.is_empty());
    }
    (bytes as f64 * 8.0 / seconds, pictures)
}

#[test]
fn the_bit_rate_is_obeyed() {
    let clip: Vec<_> = (0..30).map(|at| picture(176, 144, at)).collect();
    for mime in TYPES {
        let (mut encoder, _) = pair(mime, 176, 144, 60_000);
        for (bitrate, from) in [(60_000, 0), (150_000, 10)] {
            encoder.set_rate(bitrate, 30.0);
            let (got, _) = encode(
                encoder.as_mut(),
                &clip,
                Duration::from_secs(from),
                30.0,
                10.0,
            );
            let target = f64::from(bitrate);
            assert!(
                (0.7 * target..1.3 * target).contains(&got),
                "{mime}: {got} for {target}"
            );
        }
    }
}

#[test]
fn the_frame_rate_is_obeyed() {
    let clip: Vec<_> = (0..10).map(|at| picture(96, 64, at)).collect();
    for mime in TYPES {
        let (mut encoder, _) = pair(mime, 96, 64, 300_000);
        encoder.set_rate(300_000, 10.0);
        for (rate, wanted) in [(30.0, 19..=21), (25.0, 19..=21), (8.0, 16..=16)] {
            let from = Duration::from_secs(rate as u64 * 10);
            let (_, pictures) = encode(encoder.as_mut(), &clip, from, rate, 2.0);
            assert!(
                wanted.contains(&pictures),
                "{mime}: {pictures} of 2 s at {rate}"
            );
        }
    }
}

/// A clock that stands still or goes backwards is not taken for a frame rate.
#[test]
fn pictures_without_a_clock_are_encoded_all_the_same() {
    for mime in TYPES {
        let (mut encoder, _) = pair(mime, 96, 64, 300_000);
        let mut data = Vec::new();
        for at in (0..10).rev() {
            for frame in [picture(96, 64, at), picture(96, 64, at)] {
                encoder
                    .encode(&frame, false, &mut data)
                    .expect("it encodes");
                assert!(!data.is_empty(), "{mime} {at}");
            }
        }
    }
}

#[test]
fn a_decoder_survives_garbage_and_goes_on_at_the_next_key_frame() {
    for mime in TYPES {
        let (mut encoder, mut decoder) = pair(mime, 96, 64, 300_000);
        let (mut key, mut delta) = (Vec::new(), Vec::new());
        encoder
            .encode(&picture(96, 64, 0), true, &mut key)
            .expect("it encodes");
        encoder
            .encode(&picture(96, 64, 1), false, &mut delta)
            .expect("it encodes");
        for seed in 0..200 {
            let noise = garbage(seed, seed as usize % 60);
            let _ = decoder.decode(&noise, Duration::ZERO);
            // The header is right, what follows is not; and then a part of it is missing.
            for frame in [&key, &delta] {
                let mut frame = frame.clone();
                for (at, byte) in noise.iter().enumerate() {
                    if let Some(place) = frame.get_mut(12 + at * 7) {
                        *place ^= byte;
                    }
                }
                let _ = decoder.decode(&frame, Duration::ZERO);
                frame.truncate(seed as usize * 3);
                let _ = decoder.decode(&frame, Duration::ZERO);
            }
        }
        let decoded = decoder.decode(&key, Duration::ZERO).expect("it decodes");
        assert!(
            psnr(&picture(96, 64, 0), &decoded.expect("it is shown")) > 30.0,
            "{mime}"
        );
    }
}

/// The size stands in the first bytes, and the memory for it would be taken at once.
#[cfg(feature = "vp8")]
#[test]
fn a_picture_that_claims_to_be_huge_is_refused() {
    let (mut encoder, mut decoder) = pair("video/VP8", 96, 64, 300_000);
    let mut key = Vec::new();
    encoder
        .encode(&picture(96, 64, 0), true, &mut key)
        .expect("it encodes");
    // RFC 6386 §9.1: 14 bits each of width and height, after the tag and the start code.
    key[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(decoder.decode(&key, Duration::ZERO).is_err());
}

#[cfg(feature = "vp9")]
#[test]
fn a_vp9_picture_that_claims_to_be_huge_is_refused() {
    use codec::{CodecError, vp9::with_size};
    let (mut encoder, mut decoder) = pair("video/VP9", 96, 64, 300_000);
    let mut key = Vec::new();
    encoder
        .encode(&picture(96, 64, 0), true, &mut key)
        .expect("it encodes");
    let huge = with_size(&key, 65_536, 65_536);
    let refused = decoder.decode(&huge, Duration::ZERO);
    assert!(matches!(refused, Err(CodecError::Frame(_))), "{refused:?}");
    let same = with_size(&key, 96, 64);
    assert!(matches!(decoder.decode(&same, Duration::ZERO), Ok(Some(_))));
}
