//! Nothing is allocated for a packet that is forwarded, kept and asked for again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
// What the other tests of the module use is not all used here.
#![allow(dead_code)]

mod forward;

use forward::source::{Kind, Source, extensions};
use pc_proto::Batch;
use pc_rtp::{Extensions, PacketView, PayloadType, Ssrc, dependency::DependencyReader};
use pc_rtp_session::forward::{
    Encoding, Incoming, KeyFrameLimiter, Layer, LayerSelector, LayerSelectorConfig, NackCache,
    NackCacheConfig, OperatingPoint, OperatingPointInfo, Rewriter, RewriterConfig,
};
use pc_simnet::{epoch, ms};

struct Viewer {
    rewriter: Rewriter,
    sent: NackCache,
    selector: LayerSelector,
    forwarded: usize,
    repeated: usize,
}

fn viewer() -> Viewer {
    let mut selector = LayerSelector::new(LayerSelectorConfig::default());
    for encoding in 0..2 {
        let point = OperatingPoint {
            encoding: Encoding(encoding),
            limit: Layer::BASE,
        };
        let info = OperatingPointInfo {
            bit_rate: 100_000 << encoding,
            size: (320 << encoding, 180 << encoding),
            is_active: true,
        };
        selector.set_point(point, info);
    }
    Viewer {
        rewriter: Rewriter::new(&RewriterConfig {
            ssrc: Ssrc(7),
            payload_type: PayloadType::new(120).unwrap(),
            clock_rate: 90_000,
            seed: [9; 32],
        }),
        sent: NackCache::new(NackCacheConfig {
            max_packets: 256,
            max_bytes: 20_000,
            ..NackCacheConfig::default()
        }),
        selector,
        forwarded: 0,
        repeated: 0,
    }
}

#[test]
fn nothing_is_allocated_in_the_steady_state() {
    for kind in [Kind::Vp8, Kind::Vp9 { is_flexible: true }, Kind::Av1] {
        let map = extensions();
        // Made before, as a network would: pictures of two encodings, with a key frame now and then.
        let mut sources = [0, 1].map(|encoding| Source::new(kind, encoding, 77));
        let pictures: Vec<Vec<Vec<u8>>> = (0..2000)
            .map(|step| sources[step % 2].picture(step % 60 < 2))
            .collect();
        let mut readers = [DependencyReader::new(), DependencyReader::new()];
        let (mut viewer, mut batch) = (viewer(), Batch::new());
        let mut limiter = KeyFrameLimiter::new(ms(500));
        let mut step = 0;
        let mut run = |count: usize| {
            for _ in 0..count {
                let (now, of) = (epoch() + ms(16 * step as u64), step % 2);
                let encoding = Encoding(of as u32);
                viewer
                    .selector
                    .set_target(if step % 500 < 250 { 150_000 } else { 900_000 });
                if let Some(point) = viewer.selector.select(now) {
                    viewer.rewriter.select(point.encoding);
                }
                if let Some(awaited) = viewer.rewriter.awaited() {
                    limiter.want(now, awaited);
                }
                let _ = limiter.poll(now);
                for packet in &pictures[step] {
                    let view = PacketView::parse(packet).unwrap();
                    let data = view.extensions().read(&map).dependency_descriptor;
                    let dependencies = data.map(|data| readers[of].read(data).unwrap());
                    let incoming = Incoming::of_packet(kind.format(), &view, dependencies).unwrap();
                    let mut out = batch.transmit_buf(1200, 64);
                    let Ok(outgoing) = viewer.rewriter.rewrite(now, encoding, &incoming) else {
                        continue;
                    };
                    let number = outgoing.sequence_number;
                    out.datagram_up_to(1200, |bytes| {
                        let none = Extensions::default();
                        let len = outgoing.write(&incoming, &none, &map, bytes).ok()?;
                        viewer.sent.insert(now, number, bytes.get(..len)?);
                        Some(len)
                    });
                    viewer.forwarded += 1;
                    if viewer.forwarded % 10 == 0 {
                        let lost = [number.minus(3), number];
                        viewer.repeated += viewer.sent.answer_all(now, ms(50), lost, |_, bytes| {
                            assert!(bytes.len() > 12);
                        });
                    }
                }
                step += 1;
            }
        };
        run(600);
        let info = allocation_counter::measure(|| run(1400));
        assert_eq!(info.count_total, 0, "{kind:?}");
        assert!(viewer.forwarded > 1500, "{kind:?} {}", viewer.forwarded);
        assert!(viewer.repeated > 200, "{kind:?} {}", viewer.repeated);
    }
}

#[test]
fn a_viewer_costs_two_kilobytes_and_what_it_is_sent() {
    assert!(size_of::<Rewriter>() <= 2048, "{}", size_of::<Rewriter>());
    assert!(
        size_of::<Incoming<'_>>() <= 256,
        "{}",
        size_of::<Incoming<'_>>()
    );
}
