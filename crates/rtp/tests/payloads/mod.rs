//! What the fuzz target `rtp_payloads` runs.
//!
//! The first byte chooses the format and the direction. Receiving: payloads, each behind its length in
//! two bytes; a length of 0xFFFF ends a frame. Sending: flags, the greatest payload length in two bytes,
//! and the rest is a frame.

use pc_proto::Serial32;
use pc_rtp::PayloadType;
use pc_rtp::payload::{
    Depacketizer, Format, FrameInfo, MAX_FRAME_LEN, Packetizer, Payloads, inspect, red, rtx,
};

const END_OF_FRAME: u16 = 0xFFFF;

fn format(choice: u8) -> Format {
    match choice % 9 {
        0 => Format::Opus,
        1 => Format::Red {
            primary: PayloadType::new(111).unwrap(),
        },
        2 => Format::ComfortNoise,
        3 => Format::Vp8,
        4 => Format::Vp9,
        5 => Format::H264 {
            packetization_mode: 0,
        },
        6 => Format::H264 {
            packetization_mode: 1,
        },
        7 => Format::H265,
        _ => Format::Av1,
    }
}

/// Runs one input; panics where a promise is broken.
pub fn run(data: &[u8]) {
    match data {
        [choice @ 0..=127, rest @ ..] => receive(format(*choice), rest),
        [choice, flags, high, low, frame @ ..] => {
            let max_payload = u16::from_be_bytes([*high, *low]).into();
            send(format(*choice), *flags, max_payload, frame);
        }
        _ => {}
    }
}

fn receive(format: Format, mut rest: &[u8]) {
    let mut depacketizer = Depacketizer::new(format);
    depacketizer.begin();
    let mut pushed = 0;
    let mut is_lost = false;
    while let Some((len, after)) = rest.split_first_chunk() {
        let len = u16::from_be_bytes(*len);
        if len == END_OF_FRAME {
            rest = after;
            finish(&mut depacketizer, pushed);
            depacketizer.begin();
            (pushed, is_lost) = (0, false);
            continue;
        }
        let (payload, after) = after.split_at(usize::from(len).min(after.len()));
        rest = after;
        pushed += payload.len();
        let _ = rtx::parse(payload);
        if let Ok(blocks) = red::parse(payload) {
            let total: usize = blocks.map(|block| block.data.len()).sum();
            assert!(total < payload.len());
        }
        let inspected = inspect(format, payload);
        match depacketizer.push(payload) {
            // What can be put in a frame can be looked into.
            Ok(()) => drop(inspected.unwrap()),
            Err(error) => {
                assert!(is_lost || error.at <= payload.len(), "{error:?}");
                is_lost = true;
            }
        }
    }
    finish(&mut depacketizer, pushed);
}

fn finish(depacketizer: &mut Depacketizer, pushed: usize) {
    if let Ok(frame) = depacketizer.finish() {
        assert!(!frame.data.is_empty());
        assert!(frame.data.len() <= MAX_FRAME_LEN);
        // A start code of four bytes before a NAL unit of one.
        assert!(frame.data.len() <= 5 * pushed);
    }
}

fn send(format: Format, flags: u8, max_payload: usize, frame: &[u8]) {
    let info = FrameInfo {
        is_key_frame: flags & 1 != 0,
        size: (flags & 2 != 0).then_some((640, 360)),
        timestamp: Serial32(flags.into()),
        layer: None,
    };
    let payloads = |frame: &[u8]| {
        let mut payloads = Payloads::new();
        let sent = Packetizer::new(format, 0).packetize(frame, &info, max_payload, &mut payloads);
        assert_eq!(sent.is_ok(), !payloads.is_empty());
        sent.ok().map(|()| payloads)
    };
    let Some(sent) = payloads(frame) else { return };
    let mut depacketizer = Depacketizer::new(format);
    depacketizer.begin();
    for payload in sent.iter() {
        assert!(!payload.is_empty() && payload.len() <= max_payload);
        inspect(format, payload).unwrap();
        depacketizer.push(payload).unwrap();
    }
    let received = depacketizer.finish().unwrap().data;
    match format {
        // What comes out is in a canonical form; it is sent in the same payloads.
        Format::H264 { .. } | Format::H265 | Format::Av1 => {
            let again = payloads(received).unwrap();
            assert!(again.iter().eq(sent.iter()));
        }
        _ => assert_eq!(received, frame),
    }
}
