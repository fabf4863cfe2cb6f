//! Three pictures of 178×98 each, encoded by libvpx, x264, x265 and SVT-AV1 and packetized by FFmpeg's
//! RTP muxer, an implementation that shares nothing with this one.

use super::*;

struct Stream {
    format: Format,
    /// The frames as the encoder gave them, and the payloads that FFmpeg made of them.
    frames: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

fn streams() -> Vec<Stream> {
    let files: [&[u8]; 5] = [
        include_bytes!("vp8.bin"),
        include_bytes!("vp9.bin"),
        include_bytes!("h264.bin"),
        include_bytes!("h265.bin"),
        include_bytes!("av1.bin"),
    ];
    let streams = VIDEO.into_iter().zip(files).map(|(format, file)| {
        let mut reader = pc_proto::Reader::new(file);
        let mut frames = Vec::new();
        while !reader.is_empty() {
            let len = reader.u32("frame").unwrap() as usize;
            let frame = reader.bytes(len, "frame").unwrap().to_vec();
            let payloads = (0..reader.u16("payloads").unwrap()).map(|_| {
                let len = reader.u16("payload").unwrap().into();
                reader.bytes(len, "payload").unwrap().to_vec()
            });
            frames.push((frame, payloads.collect()));
        }
        Stream { format, frames }
    });
    streams.collect()
}

/// The frame in the form that a depacketizer gives: start codes of four bytes, no temporal delimiter.
fn canonical(format: Format, frame: &[u8]) -> Vec<u8> {
    match format {
        Format::H264 { .. } | Format::H265 => {
            let mut units = Vec::new();
            nal::find(frame, &mut units).unwrap();
            let units = units.into_iter();
            units
                .flat_map(|unit| [&[0, 0, 0, 1], &frame[unit]].concat())
                .collect()
        }
        Format::Av1 => frame.strip_prefix(&[0x12, 0]).unwrap().to_vec(),
        _ => frame.to_vec(),
    }
}

fn expected(stream: &Stream, index: usize) -> Received {
    let is_key_frame = index == 0;
    Received {
        data: canonical(stream.format, &stream.frames[index].0),
        is_key_frame,
        size: is_key_frame.then_some((178, 98)),
    }
}

#[test]
fn frames_that_another_implementation_packetized_come_out_as_encoded() {
    for stream in streams() {
        assert_eq!(stream.frames.len(), 3);
        for (index, (_, payloads)) in stream.frames.iter().enumerate() {
            let received = receive(stream.format, payloads).unwrap();
            assert_eq!(received, expected(&stream, index), "{:?}", stream.format);
        }
    }
}

#[test]
fn frames_come_back_from_our_own_payloads() {
    for stream in streams() {
        for (index, (frame, _)) in stream.frames.iter().enumerate() {
            let info = FrameInfo {
                is_key_frame: index == 0,
                ..FrameInfo::default()
            };
            for max_payload in [100, 250, 1200] {
                let payloads = send(stream.format, frame, &info, max_payload).unwrap();
                assert!(payloads.iter().all(|payload| payload.len() <= max_payload));
                let received = receive(stream.format, &payloads).unwrap();
                assert_eq!(received, expected(&stream, index), "{:?}", stream.format);
            }
        }
    }
}

#[test]
fn a_single_payload_tells_what_it_knows_of_its_frame() {
    for stream in streams() {
        for (index, (frame, theirs)) in stream.frames.iter().enumerate() {
            let is_key_frame = index == 0;
            let info = FrameInfo {
                is_key_frame,
                ..FrameInfo::default()
            };
            let ours = send(stream.format, frame, &info, 250).unwrap();
            for payloads in [theirs, &ours] {
                let (first, others) = payloads.split_first().unwrap();
                let first = inspect(stream.format, first).unwrap();
                assert_ne!(first.starts_frame, Some(false), "{:?}", stream.format);
                assert_eq!(
                    first.is_key_frame,
                    Some(is_key_frame),
                    "{:?}",
                    stream.format
                );
                assert_eq!(first.size, is_key_frame.then_some((178, 98)));
                for other in others {
                    let other = inspect(stream.format, other).unwrap();
                    assert_ne!(other.starts_frame, Some(true), "{:?}", stream.format);
                }
            }
        }
    }
}

#[test]
fn a_lost_payload_is_never_overlooked_within_a_fragmented_frame() {
    for stream in streams() {
        let (frame, _) = &stream.frames[0];
        let info = FrameInfo {
            is_key_frame: true,
            ..FrameInfo::default()
        };
        let payloads = send(stream.format, frame, &info, 100).unwrap();
        assert!(payloads.len() > 2, "{:?}", stream.format);
        // The first: where the format marks a start. H.264 and H.265 begin with their parameter sets
        // here, which could as well be missing.
        if !matches!(stream.format, Format::H264 { .. } | Format::H265) {
            assert!(receive(stream.format, &payloads[1..]).is_err());
        }
        // The last: VP8 has no mark of an end but the packet's marker bit.
        if stream.format != Format::Vp8 {
            let all_but_last = &payloads[..payloads.len() - 1];
            assert!(
                receive(stream.format, all_but_last).is_err(),
                "{:?}",
                stream.format
            );
        }
    }
}
