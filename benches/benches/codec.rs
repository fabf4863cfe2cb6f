//! Encoding and decoding: one picture of a call, one packet of audio.
//!
//! Pictures come as a camera's do, with texture that stays and a part that moves, at the bit rate of
//! a call. What counts is the rate in elements a second: pictures, or packets of 20 ms.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pc_media::{
    VideoFrame,
    codec::{self, VideoEncoderConfig},
};

const SIZES: [(u32, u32); 2] = [(480, 270), (640, 360)];
const PICTURES: u32 = 60;
const BITRATE: u32 = 500_000;

fn picture(width: u32, height: u32, at: u32) -> VideoFrame {
    let (left, top) = (at * 5 % (width - 100), at * 3 % (height - 100));
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let inside = (left..left + 90).contains(&x) && (top..top + 90).contains(&y);
            let luma = if inside {
                60 + ((x - left) / 8 + (y - top) / 8) % 2 * 120
            } else {
                let wave = (f64::from(x) * 0.02).sin() * 40.0 + (f64::from(y) * 0.03).cos() * 40.0;
                (110.0 + wave) as u32 + ((x * 7) ^ (y * 13)) % 11
            };
            data.push(luma as u8);
        }
    }
    data.resize(VideoFrame::byte_len(width, height).expect("a size"), 120);
    let time = Duration::from_secs(at.into()) / 30;
    VideoFrame::new(width, height, data, time).expect("a picture")
}

fn video(criterion: &mut Criterion) {
    for (width, height) in SIZES {
        let clip: Vec<_> = (0..PICTURES).map(|at| picture(width, height, at)).collect();
        let config = VideoEncoderConfig {
            width,
            height,
            bitrate: BITRATE,
            frame_rate: 30.0,
        };
        let mut group = criterion.benchmark_group(format!("{width}x{height}"));
        group.throughput(Throughput::Elements(PICTURES.into()));
        group.sample_size(10);
        for mime in ["video/VP8", "video/VP9"] {
            let encode = || {
                let mut encoder = codec::video_encoder(mime, None, config).expect("an encoder");
                let encode = |frame| {
                    let mut out = Vec::new();
                    encoder.encode(frame, false, &mut out).expect("it encodes");
                    out
                };
                clip.iter().map(encode).collect::<Vec<_>>()
            };
            group.bench_function(BenchmarkId::new("encode", mime), |it| it.iter(encode));
            let encoded = encode();
            group.bench_function(BenchmarkId::new("decode", mime), |it| {
                it.iter(|| {
                    let mut decoder = codec::video_decoder(mime, None).expect("a decoder");
                    for frame in encoded.iter().filter(|frame| !frame.is_empty()) {
                        black_box(decoder.decode(frame, Duration::ZERO).expect("it decodes"));
                    }
                });
            });
        }
    }
}

fn audio(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("audio");
    for (name, fmtp) in [
        ("opus mono", "useinbandfec=1"),
        ("opus stereo", "stereo=1;useinbandfec=1"),
    ] {
        let mut encoder = codec::audio_encoder("audio/opus", 48_000, 2, Some(fmtp)).expect("one");
        let mut decoder = codec::audio_decoder("audio/opus", 48_000, 2, None).expect("one");
        let channels = usize::from(encoder.channels());
        let tone = |at: usize| ((at / channels) as f64 * 0.05).sin() * 8_000.0;
        let noise = |at: usize| (at * 7_919 % 997) as f64;
        let samples: Vec<_> = (0..960 * channels)
            .map(|at| (tone(at) + noise(at)) as i16)
            .collect();
        let (mut packet, mut out) = (Vec::new(), Vec::new());
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("encode", name), |it| {
            it.iter(|| encoder.encode(black_box(&samples), &mut packet));
        });
        group.bench_function(BenchmarkId::new("decode", name), |it| {
            it.iter(|| decoder.decode(black_box(&packet), &mut out));
        });
    }
}

criterion_group!(benches, video, audio);
criterion_main!(benches);
