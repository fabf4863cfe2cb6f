//! Sound: one payload a frame, and RED.

use super::*;
use crate::PayloadType;
use pc_proto::Serial32;

const SOUND: [Format; 5] = [
    Format::Opus,
    Format::Pcmu,
    Format::Pcma,
    Format::G722,
    Format::ComfortNoise,
];

fn opus() -> PayloadType {
    PayloadType::new(111).unwrap()
}

#[test]
fn a_frame_is_a_payload() {
    // The last is RFC 3389 §3.1: a noise level of -60 dBov and two coefficients.
    for (format, frame) in SOUND.into_iter().zip([
        &[0xFC, 0xFF, 0xFE][..],
        &[0xFF; 160],
        &[0xD5; 160],
        &[0; 160],
        &[60, 0x7F, 0x81],
    ]) {
        let payloads = send(format, frame, &FrameInfo::default(), 1200).unwrap();
        assert_eq!(payloads, [frame]);
        let received = receive(format, &payloads).unwrap();
        assert_eq!(
            (received.data.as_slice(), received.is_key_frame),
            (frame, true)
        );
        let info = inspect(format, frame).unwrap();
        assert_eq!(
            (info.starts_frame, info.is_key_frame),
            (Some(true), Some(true))
        );
        assert!(inspect(format, &[]).is_err());
        assert_eq!(refusal(format, &[&[]]), "empty audio payload");
        assert_eq!(
            refusal(format, &[frame, frame]),
            "second payload of an audio frame"
        );
    }
}

#[test]
fn sound_is_not_cut() {
    for format in SOUND {
        let sent = send(format, &[1; 1201], &FrameInfo::default(), 1200);
        assert_eq!(sent, Err(PacketizeError::TooLong { len: 1201 }));
        let sent = send(format, &[], &FrameInfo::default(), 1200);
        assert_eq!(sent, Err(PacketizeError::Empty));
    }
}

#[test]
fn red_sends_each_frame_again_with_the_next() {
    let mut packetizer = Packetizer::new(Format::Red { primary: opus() }, 0);
    let mut payloads = Payloads::new();
    let mut packetize = |frame: &[u8], timestamp, max_payload| {
        let info = FrameInfo {
            timestamp: Serial32(timestamp),
            ..FrameInfo::default()
        };
        packetizer
            .packetize(frame, &info, max_payload, &mut payloads)
            .unwrap();
        assert_eq!(payloads.len(), 1);
        payloads.get(0).unwrap().to_vec()
    };
    assert_eq!(packetize(b"one", 0xFFFF_FFFF, 100), b"\x6Fone");
    // 960 is 14 bits: 00001111000000, then 3 in 10 bits.
    assert_eq!(packetize(b"two", 959, 100), b"\xEF\x0F\x00\x03\x6Fonetwo");
    assert_eq!(
        packetize(b"three", 1919, 13),
        b"\xEF\x0F\x00\x03\x6Ftwothree"
    );
    assert_eq!(
        packetize(b"four", 2879, 13),
        b"\x6Ffour",
        "no room for five bytes more"
    );
    assert_eq!(packetize(b"five", 20_000, 100), b"\x6Ffive", "too long ago");
    assert_eq!(
        packetize(&[7; 1024], 20_960, 1100)[..5],
        [0xEF, 0x0F, 0x00, 0x04, 0x6F]
    );
    assert_eq!(
        packetize(b"six", 21_920, 2000),
        b"\x6Fsix",
        "too long a frame"
    );
    assert_eq!(
        packetize(b"seven", 21_920, 100),
        b"\x6Fseven",
        "at the same time"
    );
}

#[test]
fn red_gives_its_primary() {
    let red = Format::Red { primary: opus() };
    // RFC 2198 §4: two generations, here of PCMU and Opus.
    let payload = b"\x80\x02\x80\x02\x6Fabopus";
    let blocks: Vec<_> = red::parse(payload).unwrap().collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0].payload_type, PayloadType::new(0).unwrap());
    assert_eq!(
        (blocks[0].timestamp_offset, blocks[0].data),
        (160, &b"ab"[..])
    );
    assert_eq!(
        (blocks[1].payload_type, blocks[1].data),
        (opus(), &b"opus"[..])
    );
    assert_eq!(receive(red, &[payload]).unwrap().data, b"opus");
    assert_eq!(inspect(red, payload).unwrap().is_key_frame, Some(true));
}

#[test]
fn red_lengths_are_checked() {
    let red = Format::Red { primary: opus() };
    for (payload, what) in [
        (&b""[..], "RED block header"),
        (b"\xEF\x0F\x00", "RED block header"),
        (b"\xEF\x0F\x00\x03", "RED block header"),
        (b"\xEF\x0F\x00\x03\x6Fab", "RED block length"),
        (
            b"\xEF\x0F\x03\xFF\xEF\x0F\x03\xFF\x6Fab",
            "RED block length",
        ),
        (b"\xEF\x0F\x00\x03\x6Fabc", "empty audio payload"),
    ] {
        assert_eq!(refusal(red, &[payload]), what, "{payload:?}");
        assert_eq!(inspect(red, payload).unwrap_err().what, what);
    }
}
