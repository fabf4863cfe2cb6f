//! Payloads written by hand from the specifications' layouts, in the shapes that browsers send.

use super::*;

#[test]
fn vp8_as_chrome_sends_it() {
    // X, S; I, L, T, K; a picture id of 15 bits; TL0PICIDX; TID 1, Y, KEYIDX 5; a key frame of 640×360.
    let key = [
        0x90, 0xF0, 0x92, 0x34, 0x17, 0x65, 0x50, 0x2D, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68,
        0x01, 1,
    ];
    let info = inspect(Format::Vp8, &key).unwrap();
    assert_eq!(info.starts_frame, Some(true));
    assert_eq!(info.is_key_frame, Some(true));
    assert_eq!(info.size, Some((640, 360)));
    assert_eq!(info.picture_id, Some(0x1234));
    assert_eq!(info.temporal_id, Some(1));
    assert!(!info.discardable);
    assert_eq!(receive(Format::Vp8, &[key]).unwrap().data, key[6..]);
    // Without extension, as the simplest senders do: N, S, and a frame that is predicted.
    let info = inspect(Format::Vp8, &[0x30, 0x51]).unwrap();
    assert_eq!(
        (info.starts_frame, info.is_key_frame),
        (Some(true), Some(false))
    );
    assert!(info.discardable);
    assert_eq!(info.picture_id, None);
    // The start of the second partition is not the start of the frame.
    let info = inspect(Format::Vp8, &[0x11, 0x50]).unwrap();
    assert_eq!((info.starts_frame, info.is_key_frame), (Some(false), None));
    assert_eq!(
        receive(Format::Vp8, &[[0x10, 0x51], [0x11, 7], [0x01, 8]])
            .unwrap()
            .data,
        [0x51, 7, 8]
    );
}

#[test]
fn vp8_picture_ids_go_on_and_wrap_at_15_bits() {
    let mut packetizer = Packetizer::new(Format::Vp8, 0x7FFE);
    let mut payloads = Payloads::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        packetizer
            .packetize(&[1; 30], &FrameInfo::default(), 14, &mut payloads)
            .unwrap();
        assert_eq!(payloads.len(), 3);
        for (index, payload) in payloads.iter().enumerate() {
            let start = if index == 0 { 0x10 } else { 0 };
            assert_eq!(payload[..2], [0x80 | start, 0x80]);
            ids.push(inspect(Format::Vp8, payload).unwrap().picture_id.unwrap());
        }
    }
    assert_eq!(
        ids,
        [0x7FFE, 0x7FFE, 0x7FFE, 0x7FFF, 0x7FFF, 0x7FFF, 0, 0, 0]
    );
}

#[test]
fn vp9_as_chrome_sends_it() {
    // Non-flexible, I L B V Z; picture id 0x0ABC; TID 0, SID 0; TL0PICIDX; two layers with sizes and a
    // picture group of one picture that has one reference. The frame is encrypted.
    let first = [
        0xAB, 0x8A, 0xBC, 0x00, 0x2A, 0x38, 0x01, 0x40, 0x00, 0xB4, 0x02, 0x80, 0x01, 0x68, 1,
        0x04, 1, 0xEE,
    ];
    let info = inspect(Format::Vp9, &first).unwrap();
    assert_eq!(info.starts_frame, Some(true));
    assert_eq!(info.is_key_frame, Some(true));
    assert_eq!(info.size, Some((640, 360)), "of the largest layer");
    assert_eq!(info.picture_id, Some(0x0ABC));
    assert_eq!((info.temporal_id, info.spatial_id), (Some(0), Some(0)));
    // The end of that layer frame, then the next layer's, which depends on it.
    let end = [0xA4, 0x8A, 0xBC, 0x00, 0x2A, 0xDD];
    let above = [0xAC, 0x8A, 0xBC, 0x03, 0x2A, 0xCC];
    let info = inspect(Format::Vp9, &above).unwrap();
    assert_eq!((info.starts_frame, info.spatial_id), (Some(false), Some(1)));
    let payloads: [&[u8]; 3] = [&first, &end, &above];
    let received = receive(Format::Vp9, &payloads).unwrap();
    assert_eq!(received.data, [0xEE, 0xDD, 0xCC]);
    assert!(received.is_key_frame);
    assert_eq!(
        refusal(Format::Vp9, &payloads[1..]),
        "VP9 frame without its start"
    );
    assert_eq!(
        refusal(Format::Vp9, &payloads[2..]),
        "VP9 frame without its start"
    );
    assert_eq!(
        refusal(Format::Vp9, &payloads[..1]),
        "VP9 frame without its end"
    );
    assert_eq!(
        refusal(Format::Vp9, &[&first[..], &above]),
        "VP9 layer frame without its end"
    );
    assert_eq!(
        refusal(Format::Vp9, &[&first[..], &end, &end]),
        "VP9 payload after a layer frame's end"
    );
    // An upper layer that stands alone may be all that a forwarder sent.
    let alone = [0xEC, 0x8A, 0xBC, 0x02, 0x2A, 0xCC];
    assert_eq!(inspect(Format::Vp9, &alone).unwrap().starts_frame, None);
    assert_eq!(receive(Format::Vp9, &[alone]).unwrap().data, [0xCC]);
}

#[test]
fn vp9_flexible_mode_and_intra_only_frames() {
    // I P L F B E; a picture id of 7 bits; TID 2, U, SID 0; P_DIFF 1, then 3.
    let payload = [0xFC, 0x05, 0x50, 0x03, 0x06, 0x86];
    let info = inspect(Format::Vp9, &payload).unwrap();
    assert_eq!((info.picture_id, info.temporal_id), (Some(5), Some(2)));
    assert_eq!(info.is_key_frame, Some(false));
    assert_eq!(receive(Format::Vp9, &[payload]).unwrap().data, [0x86]);
    let four = [0xDC, 0x05, 0x03, 0x03, 0x03, 0x02, 0x86];
    assert_eq!(refusal(Format::Vp9, &[four]), "fourth VP9 P_DIFF");
    // Not predicted (P is 0), but no key frame: frame_type is 1.
    assert_eq!(
        inspect(Format::Vp9, &[0x8C, 0x05, 0x84])
            .unwrap()
            .is_key_frame,
        Some(false)
    );
    // show_existing_frame.
    assert_eq!(
        inspect(Format::Vp9, &[0x8C, 0x05, 0x88])
            .unwrap()
            .is_key_frame,
        Some(false)
    );
}

#[test]
fn vp9_is_sent_with_sizes_at_key_frames() {
    let info = FrameInfo {
        is_key_frame: true,
        size: Some((640, 360)),
        ..FrameInfo::default()
    };
    let payloads = send(Format::Vp9, &[9; 20], &info, 14).unwrap();
    assert_eq!(
        payloads[0][..8],
        [0x8A, 0xFF, 0xFF, 0x10, 0x02, 0x80, 0x01, 0x68]
    );
    assert_eq!(payloads[1][..3], [0x80, 0xFF, 0xFF]);
    assert_eq!(payloads[2][..3], [0x84, 0xFF, 0xFF]);
    assert_eq!(
        payloads.iter().map(Vec::len).collect::<Vec<_>>(),
        [12, 12, 10]
    );
    let received = receive(Format::Vp9, &payloads).unwrap();
    assert_eq!(
        (received.data.as_slice(), received.size),
        (&[9; 20][..], Some((640, 360)))
    );
    let payloads = send(Format::Vp9, &[9; 5], &FrameInfo::default(), 14).unwrap();
    assert_eq!(payloads, [[0xCC, 0xFF, 0xFF, 9, 9, 9, 9, 9]]);
}

#[test]
fn h264_parameter_sets_travel_together_and_slices_in_pieces() {
    let frame = [
        0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x28, 3, 0, 0, 1, 0x65, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
        14, 15,
    ];
    let payloads = send(H264, &frame, &FrameInfo::default(), 10).unwrap();
    let expected: [&[u8]; 3] = [
        &[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x28, 3],
        &[0x7C, 0x85, 4, 5, 6, 7, 8, 9],
        &[0x7C, 0x45, 10, 11, 12, 13, 14, 15],
    ];
    assert_eq!(payloads, expected);
    let received = receive(H264, &payloads).unwrap();
    assert!(received.is_key_frame);
    // Mode 0 knows neither.
    let mode_0 = Format::H264 {
        packetization_mode: 0,
    };
    let sent = send(mode_0, &frame, &FrameInfo::default(), 10);
    assert_eq!(sent, Err(PacketizeError::TooLong { len: 13 }));
    let payloads = send(mode_0, &frame, &FrameInfo::default(), 13).unwrap();
    let expected: [&[u8]; 3] = [&frame[4..7], &frame[10..12], &frame[15..]];
    assert_eq!(payloads, expected);
    assert_eq!(receive(mode_0, &payloads).unwrap(), received);
}

#[test]
fn h264_slices_and_delimiters_tell_where_they_are() {
    let look = |payload: &[u8]| {
        let info = inspect(H264, payload).unwrap();
        (info.starts_frame, info.is_key_frame, info.discardable)
    };
    assert_eq!(look(&[0x09, 0xF0]), (Some(true), None, false));
    assert_eq!(look(&[0x68, 1]), (None, None, false));
    assert_eq!(look(&[0x41, 1]), (None, Some(false), false));
    assert_eq!(look(&[0x01, 1]), (None, Some(false), true));
    assert_eq!(look(&[0x7C, 0x85, 1]), (None, Some(true), false));
    assert_eq!(look(&[0x7C, 0x05, 1]), (Some(false), None, false));
    // A parameter set before a slice that is predicted.
    assert_eq!(
        look(&[0x78, 0, 2, 0x67, 1, 0, 2, 0x41, 1]),
        (None, Some(false), false)
    );
}

#[test]
fn h265_headers_of_aggregates_and_pieces() {
    // VPS, SPS and PPS of layer 1, temporal ids 2, 1, 3; a CRA slice.
    let frame = [
        0, 0, 1, 0x40, 0x0B, 1, 0, 0, 1, 0x42, 0x0A, 2, 0, 0, 1, 0x44, 0x0C, 3, 0, 0, 1, 0x2A,
        0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ];
    let payloads = send(Format::H265, &frame, &FrameInfo::default(), 17).unwrap();
    let expected: [&[u8]; 3] = [
        &[
            0x60, 0x0A, 0, 3, 0x40, 0x0B, 1, 0, 3, 0x42, 0x0A, 2, 0, 3, 0x44, 0x0C, 3,
        ],
        &[0x62, 0x01, 0x95, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x62, 0x01, 0x55, 9, 10, 11, 12, 13, 14, 15, 16],
    ];
    assert_eq!(payloads, expected);
    let received = receive(Format::H265, &payloads).unwrap();
    assert!(received.is_key_frame);
    assert_eq!(received.data[..7], [0, 0, 0, 1, 0x40, 0x0B, 1]);
    assert_eq!(
        inspect(Format::H265, &payloads[2]).unwrap().starts_frame,
        Some(false)
    );
    let trail = inspect(Format::H265, &[0x02, 0x02, 1]).unwrap();
    assert_eq!(
        (trail.is_key_frame, trail.temporal_id),
        (Some(false), Some(1))
    );
}

#[test]
fn av1_aggregates_and_pieces() {
    // A temporal delimiter, a sequence header with nothing in it, a frame of 40 bytes.
    let mut frame = vec![0x12, 0, 0x0A, 1, 7, 0x32, 40];
    frame.extend(0..40);
    let info = FrameInfo {
        is_key_frame: true,
        ..FrameInfo::default()
    };
    let payloads = send(Format::Av1, &frame, &info, 31).unwrap();
    assert_eq!(payloads.len(), 2);
    // Y, W 2, N; the sequence header behind its length; the frame up to the payload's end.
    assert_eq!(payloads[0][..6], [0x68, 2, 0x08, 7, 0x30, 0]);
    assert_eq!(payloads[0].len(), 31);
    assert_eq!(payloads[1][..2], [0x90, 26]);
    let received = receive(Format::Av1, &payloads).unwrap();
    assert_eq!(received.data, frame[2..]);
    assert!(received.is_key_frame);
    assert_eq!(
        inspect(Format::Av1, &payloads[0]).unwrap().starts_frame,
        Some(true)
    );
    assert_eq!(
        inspect(Format::Av1, &payloads[1]).unwrap().starts_frame,
        Some(false)
    );
    // Little room at a payload's end is left rather than used for a few bytes.
    let payloads = send(Format::Av1, &frame, &info, 15).unwrap();
    assert_eq!(payloads[0], [0x18, 0x08, 7]);
}

#[test]
fn av1_with_more_elements_than_w_can_tell() {
    let frame = [0x2A, 1, 1, 0x2A, 1, 2, 0x2A, 1, 3, 0x36, 0x28, 2, 4, 5];
    let payloads = send(Format::Av1, &frame, &FrameInfo::default(), 100).unwrap();
    assert_eq!(
        payloads,
        [[
            0x00, 2, 0x28, 1, 2, 0x28, 2, 2, 0x28, 3, 4, 0x34, 0x28, 4, 5
        ]]
    );
    assert_eq!(receive(Format::Av1, &payloads).unwrap().data, frame);
    // Other senders: OBUs with a size of their own, a temporal delimiter, a size in more bytes than needed.
    let received = receive(Format::Av1, &[[0x20, 2, 0x12, 0, 0x2A, 0x81, 0, 9]]).unwrap();
    assert_eq!(received.data, [0x2A, 1, 9]);
    let info = inspect(Format::Av1, &[0x10, 0x34, 0x28, 0x30]).unwrap();
    assert_eq!((info.temporal_id, info.spatial_id), (Some(1), Some(1)));
    assert_eq!((info.starts_frame, info.is_key_frame), (None, Some(false)));
}

#[test]
fn vp8_numbers_are_changed_where_they_are() {
    let chrome = [0x90, 0xF0, 0x92, 0x34, 0x17, 0x65, 0x51, 7];
    let numbers = Vp8Numbers {
        picture_id: Some(0x7ABC),
        tl0_picture_index: Some(0xFE),
        key_index: Some(0x1F),
    };
    let renumbered = |mut payload: Vec<u8>, numbers| {
        let descriptor = Vp8Descriptor::parse(&payload).unwrap();
        descriptor.renumber(&mut payload, numbers).unwrap();
        payload
    };
    assert_eq!(
        renumbered(chrome.to_vec(), numbers),
        [0x90, 0xF0, 0xFA, 0xBC, 0xFE, 0x7F, 0x51, 7],
        "TID and Y stay"
    );
    assert_eq!(renumbered(chrome.to_vec(), Vp8Numbers::default()), chrome);
    // Seven bits; no TL0PICIDX; KEYIDX without TID; nothing at all.
    assert_eq!(
        renumbered(vec![0x90, 0x80, 0x11, 1], numbers),
        [0x90, 0x80, 0x3C, 1]
    );
    assert_eq!(
        renumbered(vec![0x90, 0x90, 0x11, 0x22, 1], numbers),
        [0x90, 0x90, 0x3C, 0x3F, 1]
    );
    assert_eq!(
        renumbered(vec![0x90, 0x60, 0x11, 0x62, 1], numbers),
        [0x90, 0x60, 0xFE, 0x62, 1]
    );
    assert_eq!(renumbered(vec![0x10, 0x51], numbers), [0x10, 0x51]);
    let descriptor = Vp8Descriptor::parse(&chrome).unwrap();
    assert!(descriptor.renumber(&mut [0; 5], numbers).is_err());
}

#[test]
fn vp9_numbers_are_changed_where_they_are() {
    let numbers = Vp9Numbers {
        picture_id: Some(0x7ABC),
        tl0_picture_index: Some(0xFE),
    };
    let renumbered = |payload: &[u8]| {
        let mut payload = payload.to_vec();
        let descriptor = Vp9Descriptor::parse(&payload).unwrap();
        descriptor.renumber(&mut payload, numbers).unwrap();
        payload
    };
    // Non-flexible: layer indices and TL0PICIDX behind the picture id.
    let payload = [0xA8, 0x92, 0x34, 0x52, 0x17, 9];
    let descriptor = Vp9Descriptor::parse(&payload).unwrap();
    let layer = descriptor.layer.unwrap();
    assert_eq!((layer.temporal_id, layer.spatial_id), (2, 1));
    assert!(layer.is_switching_up_point && !layer.refers_to_lower);
    assert_eq!(
        (descriptor.len, descriptor.tl0_picture_index),
        (5, Some(0x17))
    );
    assert_eq!(renumbered(&payload), [0xA8, 0xFA, 0xBC, 0x52, 0xFE, 9]);
    // Flexible: references instead; seven bits.
    let payload = [0xF8, 0x11, 0x52, 0x03, 0x04, 9];
    let descriptor = Vp9Descriptor::parse(&payload).unwrap();
    assert_eq!(descriptor.references(), [1, 2]);
    assert_eq!(renumbered(&payload), [0xF8, 0x3C, 0x52, 0x03, 0x04, 9]);
    assert_eq!(renumbered(&[0x08, 9]), [0x08, 9], "no numbers at all");
}

#[test]
fn vp8_layers_in_time_are_told() {
    let mut packetizer = Packetizer::new(Format::Vp8, 0x12FF);
    let mut payloads = Payloads::new();
    // L1T3: base, discardable, middle, discardable that builds on the middle one, base.
    let layers = [
        (0, false, false),
        (2, true, true),
        (1, true, false),
        (2, false, true),
        (0, false, false),
    ];
    let mut seen = Vec::new();
    for (number, (id, is_sync, is_discardable)) in (0_u16..).zip(layers) {
        let layer = TemporalLayer {
            id,
            is_sync,
            is_discardable,
        };
        let info = FrameInfo {
            is_key_frame: number == 0,
            layer: Some(layer),
            ..FrameInfo::default()
        };
        packetizer
            .packetize(&[1; 30], &info, 20, &mut payloads)
            .unwrap();
        assert_eq!(payloads.len(), 3, "14 bytes beside a descriptor of 6");
        for payload in payloads.iter() {
            let descriptor = Vp8Descriptor::parse(payload).unwrap();
            assert_eq!(descriptor.len, 6);
            assert_eq!(descriptor.picture_id, Some((0x12FF + number) & 0x7FFF));
            assert_eq!(descriptor.temporal_id, Some(id));
            assert_eq!(descriptor.is_layer_sync, is_sync);
            assert_eq!(descriptor.discardable, is_discardable);
            assert_eq!(descriptor.key_index, None);
        }
        let first = Vp8Descriptor::parse(payloads.iter().next().unwrap()).unwrap();
        seen.push(first.tl0_picture_index.unwrap());
    }
    // Every frame names the base frame that it belongs to.
    assert_eq!(seen, [0x13, 0x13, 0x13, 0x13, 0x14]);
    let layered = FrameInfo {
        layer: Some(TemporalLayer::default()),
        ..FrameInfo::default()
    };
    assert_eq!(
        packetizer.packetize(&[1], &layered, 6, &mut payloads),
        Err(PacketizeError::MaxPayloadTooSmall { needed: 7 })
    );
}
