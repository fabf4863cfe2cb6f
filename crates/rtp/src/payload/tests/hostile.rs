//! Payloads that nobody sends in good faith.

use super::*;

#[test]
fn truncated_payloads_name_what_is_missing() {
    let cases: &[(Format, &[u8], &str)] = &[
        (Format::Vp8, &[], "VP8 payload descriptor"),
        (Format::Vp8, &[0x90], "VP8 extension"),
        (Format::Vp8, &[0x90, 0x80, 0x80], "VP8 picture id"),
        (Format::Vp8, &[0x90, 0x40], "VP8 TL0PICIDX"),
        (Format::Vp8, &[0x90, 0x10], "VP8 TID"),
        (Format::Vp8, &[0x10], "VP8 payload"),
        (Format::Vp8, &[0x00, 0x50], "VP8 frame without its start"),
        (Format::Vp9, &[], "VP9 payload descriptor"),
        (Format::Vp9, &[0x88, 0x80], "VP9 picture id"),
        (Format::Vp9, &[0x28], "VP9 layer indices"),
        (Format::Vp9, &[0x28, 0x00], "VP9 TL0PICIDX"),
        (Format::Vp9, &[0x58], "VP9 P_DIFF"),
        (Format::Vp9, &[0x0C], "VP9 payload"),
        (Format::Vp9, &[0x0A], "VP9 scalability structure"),
        (Format::Vp9, &[0x0A, 0xF0, 0, 1, 0, 1], "VP9 layer width"),
        (Format::Vp9, &[0x0A, 0x08], "VP9 N_G"),
        (Format::Vp9, &[0x0A, 0x08, 0xFF], "VP9 picture group"),
        (
            Format::Vp9,
            &[0x0A, 0x08, 0xFF, 0x0C, 1, 2],
            "VP9 P_DIFF of a picture group",
        ),
        (H264, &[], "H.264 payload"),
        (H264, &[0x00, 1], "reserved H.264 NAL unit type"),
        (H264, &[0x1F, 1], "reserved H.264 NAL unit type"),
        (H264, &[0x18], "STAP-A without a unit"),
        (H264, &[0x18, 0], "aggregated NAL unit's length"),
        (H264, &[0x18, 0, 0], "aggregated NAL unit's length"),
        (H264, &[0x18, 0xFF, 0xFF, 0x65], "aggregated NAL unit"),
        (H264, &[0x18, 0, 2, 0x18, 0], "aggregated NAL unit's type"),
        (H264, &[0x1C], "FU-A header"),
        (H264, &[0x1C, 0x85], "FU-A without data"),
        (H264, &[0x1C, 0x05, 1], "FU-A without its start"),
        (H264, &[0x1C, 0x85, 1], "FU-A without its end"),
        (
            H264,
            &[0x19, 0, 0, 0, 2, 0x65, 1],
            "STAP-B, of the interleaved mode",
        ),
        (H264, &[0x1A, 0], "MTAP16, of the interleaved mode"),
        (H264, &[0x1B, 0], "MTAP24, of the interleaved mode"),
        (
            H264,
            &[0x1D, 0x85, 0, 0, 1],
            "FU-B, of the interleaved mode",
        ),
        (Format::H265, &[0x40], "H.265 payload header"),
        (
            Format::H265,
            &[0x60, 1],
            "aggregation packet without a unit",
        ),
        (
            Format::H265,
            &[0x60, 1, 0, 1, 0x40],
            "aggregated NAL unit's length",
        ),
        (
            Format::H265,
            &[0x60, 1, 0, 2, 0x60, 1],
            "aggregated NAL unit's type",
        ),
        (Format::H265, &[0x62, 1], "FU header"),
        (Format::H265, &[0x62, 1, 0x93], "FU without data"),
        (Format::H265, &[0x62, 1, 0x13, 1], "FU without its start"),
        (Format::H265, &[0x62, 1, 0x93, 1], "FU without its end"),
        (Format::H265, &[0x64, 1, 1], "PACI packet"),
        (Format::H265, &[0x66, 1, 1], "reserved H.265 NAL unit type"),
        (Format::Av1, &[], "AV1 aggregation header"),
        (Format::Av1, &[0x10], "AV1 OBU element"),
        (
            Format::Av1,
            &[0x98, 1],
            "AV1 sequence that starts with a continuation",
        ),
        (
            Format::Av1,
            &[0x90, 1],
            "AV1 continuation without its start",
        ),
        (Format::Av1, &[0x50, 0x30, 1], "AV1 OBU without its end"),
        (Format::Av1, &[0x00, 0x80], "AV1 OBU element's size"),
        (
            Format::Av1,
            &[0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            "AV1 OBU element's size",
        ),
        (Format::Av1, &[0x00, 5, 0x30], "AV1 OBU element"),
        (Format::Av1, &[0x20, 2, 0x30, 1], "OBU header"),
        (Format::Av1, &[0x30, 1, 0x30], "AV1 OBU element's size"),
        (Format::Av1, &[0x10, 0xB0], "OBU forbidden bit"),
        (Format::Av1, &[0x10, 0x34], "OBU extension"),
        (Format::Av1, &[0x10, 0x32, 0x80], "OBU size"),
        (Format::Av1, &[0x10, 0x32, 2, 0], "OBU payload"),
        (Format::Av1, &[0x10, 0x32, 1, 0, 0], "bytes after an OBU"),
        // Only a temporal delimiter.
        (Format::Av1, &[0x10, 0x10], "a frame without a payload"),
    ];
    for (format, payload, what) in cases {
        assert_eq!(
            refusal(*format, &[payload]),
            *what,
            "{format:?} {payload:?}"
        );
    }
    for format in VIDEO {
        assert_eq!(refusal::<&[u8]>(format, &[]), "a frame without a payload");
    }
}

#[test]
fn payloads_of_two_frames_do_not_mix() {
    for (format, payloads, what) in [
        (
            Format::Vp8,
            [&[0x90, 0x80, 1, 0x51][..], &[0x80, 0x80, 2, 1]],
            "VP8 picture id of another frame",
        ),
        (
            Format::Vp8,
            [&[0x90, 0x80, 1, 0x51], &[0x90, 0x80, 1, 0x51]],
            "start within a VP8 frame",
        ),
        (
            Format::Vp9,
            [&[0x88, 1, 9], &[0x84, 2, 9]],
            "VP9 picture id of another frame",
        ),
        (
            H264,
            [&[0x7C, 0x85, 1], &[0x7C, 0x41, 1]],
            "FU-A of another unit",
        ),
        (
            H264,
            [&[0x7C, 0x85, 1], &[0x7C, 0x85, 1]],
            "FU-A without its end",
        ),
        (H264, [&[0x7C, 0x85, 1], &[0x68, 1]], "FU-A without its end"),
        (
            H264,
            [&[0x7C, 0xC5, 1], &[0x7C, 0x45, 1]],
            "FU-A without its start",
        ),
        (
            Format::H265,
            [&[0x62, 1, 0x93, 1], &[0x62, 1, 0x41, 1]],
            "FU of another unit",
        ),
        (
            Format::H265,
            [&[0x62, 1, 0x93, 1], &[0x02, 1, 1]],
            "FU without its end",
        ),
        (
            Format::Av1,
            [&[0x50, 0x30, 1], &[0x10, 0x30, 1]],
            "AV1 OBU without its end",
        ),
    ] {
        assert_eq!(refusal(format, &payloads), what, "{format:?}");
    }
}

#[test]
fn what_is_wrong_is_within_the_payload_that_was_refused() {
    // The OBU's size is in the first payload, and what is too long for it in the second.
    let mut depacketizer = Depacketizer::new(Format::Av1);
    depacketizer.begin();
    let start = [&[0x50, 0x32, 40][..], &[0; 60]].concat();
    depacketizer.push(&start).unwrap();
    let error = depacketizer.push(&[0x90, 0]).unwrap_err();
    assert_eq!((error.what, error.at), ("bytes after an OBU", 1));
}

#[test]
fn a_frame_that_was_refused_stays_refused_until_the_next_begins() {
    for format in VIDEO {
        let mut depacketizer = Depacketizer::new(format);
        depacketizer.begin();
        let error = depacketizer.push(&[]).unwrap_err();
        let good = send(format, &frame(format), &FrameInfo::default(), 1200).unwrap();
        assert_eq!(depacketizer.push(&good[0]), Err(error));
        assert_eq!(depacketizer.finish(), Err(error));
        depacketizer.begin();
        depacketizer.push(&good[0]).unwrap();
        assert_eq!(depacketizer.finish().unwrap().data, frame(format));
    }
}

/// A frame of one byte or one unit.
fn frame(format: Format) -> Vec<u8> {
    match format {
        Format::H264 { .. } => vec![0, 0, 0, 1, 0x41, 1],
        Format::H265 => vec![0, 0, 0, 1, 0x02, 1, 1],
        Format::Av1 => vec![0x32, 1, 0x20],
        _ => vec![0x87],
    }
}

#[test]
fn a_frame_without_end_is_bounded() {
    const PIECE: usize = 60_000;
    for (format, first, next, what) in [
        (
            Format::Vp8,
            &[0x10][..],
            &[0x00][..],
            "frame longer than 8 MiB",
        ),
        (Format::Vp9, &[0x08], &[0x00], "frame longer than 8 MiB"),
        (
            H264,
            &[0x7C, 0x85],
            &[0x7C, 0x05],
            "frame longer than 8 MiB",
        ),
        (H264, &[0x65], &[0x65], "frame longer than 8 MiB"),
        (
            Format::H265,
            &[0x62, 1, 0x93],
            &[0x62, 1, 0x13],
            "frame longer than 8 MiB",
        ),
        (Format::Av1, &[0x50, 0x30], &[0xD0], "OBU longer than 8 MiB"),
        (
            Format::Av1,
            &[0x10, 0x30],
            &[0x10, 0x30],
            "frame longer than 8 MiB",
        ),
    ] {
        let mut depacketizer = Depacketizer::new(format);
        depacketizer.begin();
        let payload = |start: &[u8]| [start, &[0x51; PIECE]].concat();
        depacketizer.push(&payload(first)).unwrap();
        let next = payload(next);
        let pushed = (1..1000)
            .take_while(|_| depacketizer.push(&next).is_ok())
            .count();
        assert_eq!(pushed, MAX_FRAME_LEN / PIECE - 1, "{format:?}");
        assert_eq!(depacketizer.finish().unwrap_err().what, what);
    }
}

#[test]
fn frames_that_no_encoder_writes_are_refused() {
    let info = FrameInfo::default();
    let malformed = |format, frame: &[u8]| match send(format, frame, &info, 1200) {
        Err(PacketizeError::Malformed(error)) => error.what,
        other => panic!("{other:?}"),
    };
    assert_eq!(malformed(H264, &[0x65, 1]), "no start code");
    assert_eq!(
        malformed(H264, &[9, 0, 0, 1, 0x65]),
        "bytes before the first start code"
    );
    assert_eq!(
        malformed(H264, &[0, 0, 1, 0x7C, 1]),
        "H.264 NAL unit type that RTP cannot carry"
    );
    let two = [0, 0, 1, 0x67, 1, 0, 0, 1, 0x78, 1];
    assert_eq!(
        malformed(H264, &two),
        "H.264 NAL unit type that RTP cannot carry"
    );
    assert_eq!(
        malformed(Format::H265, &[0, 0, 1, 0x62, 1, 1]),
        "H.265 NAL unit that RTP cannot carry"
    );
    assert_eq!(
        malformed(Format::H265, &[0, 0, 1, 0x40]),
        "H.265 NAL unit that RTP cannot carry"
    );
    assert_eq!(malformed(Format::Av1, &[0x32, 5, 1]), "OBU payload");
    assert_eq!(malformed(Format::Av1, &[0xB2, 1, 1]), "OBU forbidden bit");
    assert_eq!(
        send(Format::Av1, &[0x12, 0], &info, 1200),
        Err(PacketizeError::Empty)
    );
    assert_eq!(
        send(H264, &[0, 0, 1], &info, 1200),
        Err(PacketizeError::Empty)
    );
    for (format, needed) in VIDEO.into_iter().zip([5, 9, 3, 4, 2]) {
        let long = [frame(format), vec![0x51; 20]].concat();
        let long = match format {
            Format::Av1 => [&[0x32, 20][..], &[0x51; 20]].concat(),
            _ => long,
        };
        let sent = send(format, &long, &info, needed - 1);
        assert_eq!(
            sent,
            Err(PacketizeError::MaxPayloadTooSmall { needed }),
            "{format:?}"
        );
        let payloads = send(format, &long, &info, needed).unwrap();
        assert_eq!(receive(format, &payloads).unwrap().data, long);
    }
}
