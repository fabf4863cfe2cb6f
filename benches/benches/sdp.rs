//! Browser offers read and written, beside `sdp` and `webrtc-sdp`.
//!
//! `sdp` cuts lines and leaves attributes as text; `webrtc-sdp` types them and drops what it does
//! not know; `pc-sdp` types them and keeps every byte. Only ratios within one run hold.

use std::hint::black_box;
use std::io::Cursor;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pc_sdp::SessionDescription;

const OFFERS: [(&str, &str); 2] = [
    (
        "chromium-data",
        include_str!("../../crates/sdp/testdata/chromium-data.sdp"),
    ),
    (
        "chromium-audio-video-data",
        include_str!("../../crates/sdp/testdata/chromium-audio-video-data.sdp"),
    ),
];

fn sdp_parse(text: &str) -> sdp::SessionDescription {
    sdp::SessionDescription::unmarshal(&mut Cursor::new(text)).expect("a browser's offer")
}

fn webrtc_sdp_parse(text: &str) -> webrtc_sdp::SdpSession {
    webrtc_sdp::parse_sdp(text, false).expect("a browser's offer")
}

fn parse(criterion: &mut Criterion) {
    for (name, text) in OFFERS {
        let mut group = criterion.benchmark_group(format!("sdp/parse/{name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("pc-sdp", |bencher| {
            bencher.iter(|| SessionDescription::parse(black_box(text)).expect("a browser's offer"));
        });
        group.bench_function("sdp", |bencher| {
            bencher.iter(|| sdp_parse(black_box(text)));
        });
        group.bench_function("webrtc-sdp", |bencher| {
            bencher.iter(|| webrtc_sdp_parse(black_box(text)));
        });
        group.finish();
    }
}

fn write(criterion: &mut Criterion) {
    for (name, text) in OFFERS {
        let mut group = criterion.benchmark_group(format!("sdp/write/{name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let session = SessionDescription::parse(text).expect("a browser's offer");
        group.bench_function("pc-sdp", |bencher| {
            bencher.iter(|| black_box(&session).to_string());
        });
        let session = sdp_parse(text);
        group.bench_function("sdp", |bencher| {
            bencher.iter(|| black_box(&session).marshal());
        });
        let session = webrtc_sdp_parse(text);
        group.bench_function("webrtc-sdp", |bencher| {
            bencher.iter(|| black_box(&session).to_string());
        });
        group.finish();
    }
}

criterion_group!(benches, parse, write);
criterion_main!(benches);
