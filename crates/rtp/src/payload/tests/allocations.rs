//! Nothing is allocated for a frame once the buffers have grown.

use super::*;
use allocation_counter::measure;

fn frame(format: Format) -> Vec<u8> {
    match format {
        Format::H264 { .. } => {
            [&[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65][..], &[0x51; 4000]].concat()
        }
        Format::H265 => [
            &[0, 0, 0, 1, 0x40, 1, 1, 0, 0, 0, 1, 0x26, 1][..],
            &[0x51; 4000],
        ]
        .concat(),
        Format::Av1 => [&[0x0A, 1, 7, 0x32, 0xA0, 0x1F][..], &[0x10; 4000]].concat(),
        Format::Vp8 | Format::Vp9 => vec![0x87; 4000],
        _ => vec![0x51; 400],
    }
}

#[test]
fn packetizing_and_depacketizing_do_not_allocate() {
    let primary = crate::PayloadType::new(111).unwrap();
    for format in VIDEO
        .into_iter()
        .chain([Format::Opus, Format::Red { primary }])
    {
        let frame = frame(format);
        let mut packetizer = Packetizer::new(format, 0);
        let mut depacketizer = Depacketizer::new(format);
        let mut payloads = Payloads::new();
        let mut timestamp = 0;
        let mut round = || {
            timestamp += 960;
            let info = FrameInfo {
                is_key_frame: true,
                size: Some((640, 360)),
                timestamp: pc_proto::Serial32(timestamp),
                layer: None,
            };
            packetizer
                .packetize(&frame, &info, 1200, &mut payloads)
                .unwrap();
            depacketizer.begin();
            for payload in payloads.iter() {
                inspect(format, payload).unwrap();
                depacketizer.push(payload).unwrap();
            }
            assert_eq!(depacketizer.finish().unwrap().data.len(), frame.len());
        };
        round();
        round();
        let allocations = measure(|| (0..10).for_each(|_| round()));
        assert_eq!(allocations.count_total, 0, "{format:?}");
    }
}
