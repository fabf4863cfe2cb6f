//! Any frame comes back from its payloads, whatever their greatest length.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// The inside of a NAL unit: no start code in it, and no zero byte at its end.
fn unit_data() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 1..=255u8, 1 => Just(0)], 1..2000).prop_map(|mut data| {
        for at in 2..data.len() {
            if data[at - 2..at] == [0, 0] {
                data[at] |= 4;
            }
        }
        *data.last_mut().unwrap() |= 0x80;
        data
    })
}

fn stream(units: Vec<Vec<u8>>) -> Vec<u8> {
    let with_start = |unit: Vec<u8>| [&[0, 0, 0, 1][..], &unit].concat();
    units.into_iter().flat_map(with_start).collect()
}

fn h264() -> impl Strategy<Value = Vec<u8>> {
    let unit = (1..=23u8, 0..8u8, unit_data());
    let unit = unit.prop_map(|(kind, top, data)| [&[top << 5 | kind][..], &data].concat());
    vec(unit, 1..6).prop_map(stream)
}

fn h265() -> impl Strategy<Value = Vec<u8>> {
    let unit = (0..48u8, any::<bool>(), 1..=255u8, unit_data());
    let unit = unit.prop_map(|(kind, top, second, data)| {
        // A first byte of 0 and a second of 1 cannot follow a zero byte; the type is not 0 then.
        let first = (kind.max(1) << 1) | u8::from(top);
        [&[first, second][..], &data].concat()
    });
    vec(unit, 1..6).prop_map(stream)
}

fn av1() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![1u8, 3, 4, 5, 6, 7, 15]);
    let data = prop_oneof![vec(any::<u8>(), 0..20), vec(any::<u8>(), 100..3000)];
    let obu = (kind, any::<Option<u8>>(), data).prop_map(|(kind, extension, data)| {
        let mut obu = match extension {
            Some(extension) => vec![kind << 3 | 6, extension],
            None => vec![kind << 3 | 2],
        };
        match data.len() {
            len @ 0..128 => obu.push(len as u8),
            len => obu.extend([len as u8 | 0x80, (len >> 7) as u8]),
        }
        obu.extend(data);
        obu
    });
    vec(obu, 1..8).prop_map(|obus| obus.concat())
}

fn frame() -> impl Strategy<Value = (Format, Vec<u8>, usize)> {
    let any_bytes = || vec(any::<u8>(), 1..6000);
    prop_oneof![
        (Just(Format::Vp8), any_bytes(), 5..1500usize),
        (Just(Format::Vp9), any_bytes(), 9..1500usize),
        (Just(H264), h264(), 3..1500usize),
        (
            Just(Format::H264 {
                packetization_mode: 0
            }),
            h264(),
            2001..3000usize
        ),
        (Just(Format::H265), h265(), 4..1500usize),
        (Just(Format::Av1), av1(), 2..1500usize),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_frame_comes_back(
        (format, frame, max_payload) in frame(),
        is_key_frame: bool,
        size: Option<(u16, u16)>,
    ) {
        let info = FrameInfo { is_key_frame, size, ..FrameInfo::default() };
        let payloads = send(format, &frame, &info, max_payload).unwrap();
        for payload in &payloads {
            prop_assert!(!payload.is_empty() && payload.len() <= max_payload);
            inspect(format, payload).unwrap();
        }
        let received = receive(format, &payloads).unwrap();
        prop_assert!(received.data == frame);
        if format == Format::Vp9 && is_key_frame && size.is_some() {
            prop_assert_eq!(received.size, size);
        }
        // No two payloads could be one, but for AV1's rest at an end and the units of H.264 and H.265.
        if matches!(format, Format::Vp8) {
            prop_assert_eq!(payloads.len(), frame.len().div_ceil(max_payload - 4));
        }
    }

    #[test]
    fn arbitrary_payloads_do_no_harm(
        format in prop::sample::select(VIDEO.to_vec()),
        payloads in vec(vec(any::<u8>(), 0..40), 0..12),
    ) {
        let total: usize = payloads.iter().map(Vec::len).sum();
        for payload in &payloads {
            let _ = inspect(format, payload);
        }
        if let Ok(received) = receive(format, &payloads) {
            // At most a start code of four bytes before a NAL unit of one.
            prop_assert!(received.data.len() <= 5 * total);
        }
    }
}
