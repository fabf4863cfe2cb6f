//! Packets and feedback that were taken apart by hand, and what is written comes back.

use std::time::Duration;

use pc_proto::{Serial16, Serial32, Writer};
use proptest::prelude::*;

use crate::{
    AbsCaptureTime, AbsSendTime, AudioLevel, ExtensionMap, ExtensionUri, Extensions, Header,
    NtpTime, PacketView, PayloadType, PlayoutDelay, Ssrc, VideoOrientation, is_rtcp,
    rtcp::{
        Arrival, Bye, Compound, CongestionFeedback, Dlrr, Ecn, Fir, FirEntry, Nack, Packet, Pli,
        ReceiverReport, Remb, ReportBlock, Sdes, SenderReport, StreamArrivals, TransportFeedback,
        XrBlock, write_dlrr, write_receiver_reference_time,
    },
};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn written(len: usize, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = vec![0xAA; len];
    let mut writer = Writer::new(&mut bytes);
    write(&mut writer);
    assert_eq!(writer.len(), len, "wire_len is what is written");
    bytes
}

#[test]
fn a_packet_with_everything() {
    let bytes = hex("b2 e0 1234 00015f90 deadbeef 00000001 00000002 \
         bede 0002 10 8c 41 31 00 22 abcd 0000 \
         68656c6c6f 000003");
    // The extension is 8 bytes: level, a MID of two bytes… as the lengths say.
    let bytes = {
        let mut bytes = bytes;
        bytes.truncate(20);
        bytes.extend(hex("bede 0002 10 8c 40 31 00 31 abcd"));
        bytes.extend(b"hello");
        bytes.extend([0, 0, 3]);
        bytes
    };
    let packet = PacketView::parse(&bytes).unwrap();
    assert!(packet.marker());
    assert_eq!(packet.payload_type(), PayloadType::new(96).unwrap());
    assert_eq!(packet.sequence_number(), Serial16(0x1234));
    assert_eq!(packet.timestamp(), Serial32(90_000));
    assert_eq!(packet.ssrc(), Ssrc(0xDEAD_BEEF));
    assert_eq!(packet.csrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!((packet.payload(), packet.padding_len()), (&b"hello"[..], 3));
    assert_eq!(packet.header_len(), 32);
    let mut map = ExtensionMap::new();
    map.set(1, ExtensionUri::SsrcAudioLevel);
    map.set(3, ExtensionUri::TransportCc);
    map.set(4, ExtensionUri::Mid);
    let read = packet.extensions().read(&map);
    assert_eq!(
        read.audio_level,
        Some(AudioLevel {
            voice: true,
            level: 12
        })
    );
    assert_eq!(read.mid, Some("1"));
    assert_eq!(read.transport_sequence, Some(0xABCD));
    for len in 0..32 {
        assert!(PacketView::parse(&bytes[..len]).is_err(), "{len}");
    }
    assert!(!is_rtcp(&bytes) && is_rtcp(&[0x80, 200]) && !is_rtcp(&[0x80]));
}

#[test]
fn elements_end_where_they_are_malformed() {
    let with = |profile: u16, elements: &[u8]| {
        let mut bytes = hex("90 60 0001 00000000 00000001");
        bytes.extend(profile.to_be_bytes());
        let words = elements.len().div_ceil(4) as u16;
        bytes.extend(words.to_be_bytes());
        bytes.extend(elements);
        bytes.resize(16 + usize::from(words) * 4, 0);
        let packet = PacketView::parse(&bytes).unwrap();
        let elements = packet.extensions();
        elements
            .iter()
            .map(|(id, data)| (id, data.to_vec()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        with(0xBEDE, &[0x10, 7, 0, 0, 0x20, 8]),
        [(1, vec![7]), (2, vec![8])]
    );
    assert_eq!(
        with(0xBEDE, &[0x10, 7, 0xF0, 1, 0x20, 8]),
        [(1, vec![7])],
        "15 ends it"
    );
    assert_eq!(
        with(0xBEDE, &[0x10, 7, 0x2F, 8]),
        [(1, vec![7])],
        "too long"
    );
    assert_eq!(
        with(0x1000, &[1, 0, 200, 2, 5, 6]),
        [(1, vec![]), (200, vec![5, 6])]
    );
    assert_eq!(with(0x1007, &[9, 9, 1]), []);
    assert_eq!(with(0xC0DE, &[0x10, 7]), [], "encrypted");
    assert_eq!(with(0x1234, &[0x10, 7]), []);
}

#[test]
fn typed_values_go_there_and_back() {
    let mut map = ExtensionMap::new();
    for (id, uri) in (1..).zip(ExtensionUri::ALL) {
        map.set(id, *uri);
    }
    let full = Extensions {
        mid: Some("audio-0"),
        rid: Some("hi"),
        repaired_rid: Some("lo"),
        audio_level: Some(AudioLevel {
            voice: false,
            level: 127,
        }),
        csrc_audio_levels: Some(&[1, 2, 3]),
        abs_send_time: Some(AbsSendTime(0x12_3456)),
        transport_sequence: Some(0xFFFF),
        transmission_offset: Some(-5),
        orientation: Some(VideoOrientation {
            back_camera: true,
            flip: true,
            quarters: 3,
        }),
        playout_delay: Some(PlayoutDelay {
            min: 0xABC,
            max: 0x123,
        }),
        abs_capture_time: Some(AbsCaptureTime {
            capture: NtpTime(7 << 40),
            clock_offset: Some(-9),
        }),
        video_content_type: Some(1),
        video_frame_tracking_id: Some(77),
        video_timing: Some(&[1; 13]),
        color_space: Some(&[2; 28]),
        video_layers_allocation: Some(&[3; 5]),
        dependency_descriptor: Some(&[4; 40]),
        generic_frame_descriptor: Some(&[5; 3]),
        corruption_detection: Some(&[6; 2]),
    };
    let header = Header {
        marker: false,
        payload_type: PayloadType::new(0).unwrap(),
        sequence_number: Serial16(0),
        timestamp: Serial32(0),
        ssrc: Ssrc(0),
        csrcs: &[Ssrc(9); 20],
        extensions: &full,
        map: &map,
    };
    let bytes = written(header.wire_len(), |writer| header.write(writer).unwrap());
    let view = PacketView::parse(&bytes).unwrap();
    assert_eq!(view.extensions().read(&map), full);
    assert_eq!(view.csrcs().count(), 15);
    assert_eq!(
        view.extensions().profile(),
        0x1000,
        "40 bytes need the longer form"
    );
    // Without the map nothing is written: nobody could read it.
    let bare = Header {
        map: &ExtensionMap::new(),
        csrcs: &[],
        ..header
    };
    assert_eq!(bare.wire_len(), 12);
}

#[test]
fn values_mean_what_they_say() {
    assert_eq!(
        AbsSendTime::from_duration(Duration::from_millis(65_500)).0,
        3 << 17
    );
    assert_eq!(AbsSendTime(1 << 18).to_duration(), Duration::from_secs(1));
    assert_eq!(AudioLevel::of_samples(&[0; 960]).level, 127);
    assert_eq!(AudioLevel::of_samples(&[i16::MIN; 960]).level, 0);
    assert_eq!(
        AudioLevel {
            voice: true,
            level: 20
        }
        .linear(),
        0.1
    );
    assert_eq!(
        AudioLevel {
            voice: true,
            level: 127
        }
        .linear(),
        0.0
    );
}

const BLOCK: ReportBlock = ReportBlock {
    ssrc: Ssrc(0x0102_0304),
    fraction_lost: 25,
    cumulative_lost: -2,
    highest_sequence: 0x0001_0203,
    jitter: 44,
    last_sr: 0xAABB_CCDD,
    delay_since_last_sr: 0x1_0000,
};

fn packets(bytes: &[u8]) -> Vec<Packet<'_>> {
    Compound::parse(bytes)
        .unwrap()
        .packets()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_sender_report_byte_by_byte() {
    let report = SenderReport {
        ssrc: Ssrc(1),
        ntp: NtpTime(0x0000_0002_8000_0000),
        rtp: Serial32(3),
        packet_count: 4,
        octet_count: 5,
        reports: &[BLOCK],
    };
    let mut bytes = written(report.wire_len(), |writer| report.write(writer).unwrap());
    let expected = hex(
        "81 c8 000c 00000001 00000002 80000000 00000003 00000004 00000005 \
         01020304 19 fffffe 00010203 0000002c aabbccdd 00010000",
    );
    assert_eq!(bytes, expected);
    let sdes = Sdes {
        ssrc: Ssrc(1),
        cname: "abc",
    };
    bytes.extend(written(sdes.wire_len(), |writer| {
        sdes.write(writer).unwrap()
    }));
    assert_eq!(bytes[52..], hex("81 ca 0003 00000001 01 03 616263 000000"));
    let bye = Bye {
        ssrcs: &[Ssrc(1), Ssrc(2)],
    };
    bytes.extend(written(bye.wire_len(), |writer| bye.write(writer).unwrap()));
    match packets(&bytes)[..] {
        [
            Packet::SenderReport(sr),
            Packet::Sdes(sdes),
            Packet::Bye(bye),
        ] => {
            assert_eq!((sr.ntp.compact(), sr.octet_count), (0x2_8000, 5));
            assert_eq!(sr.reports().collect::<Vec<_>>(), [BLOCK]);
            assert_eq!(sdes.chunks().next().unwrap().cname(), Some(&b"abc"[..]));
            assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn compounds_that_lie_are_refused() {
    for text in [
        "",
        "80",
        "40 c9 0001 00000001",
        "80 c9 0002 00000001",
        "a0 c9 0001 00000001 80 c9 0001 00000001",
        "a0 c9 0001 00000000",
        "a0 c9 0001 00000009",
    ] {
        assert!(Compound::parse(&hex(text)).is_err(), "{text}");
    }
    // Counts beyond the packet are errors of that packet alone.
    let bytes = hex("9f c9 0001 00000001 81 ce 0002 00000001 00000002");
    let read: Vec<_> = Compound::parse(&bytes).unwrap().packets().collect();
    assert!(read[0].is_err());
    assert_eq!(
        read[1],
        Ok(Packet::Pli(Pli {
            sender: Ssrc(1),
            media: Ssrc(2)
        }))
    );
    for text in [
        "81 ca 0001 00000001",
        "82 cb 0001 00000001",
        "81 ca 0002 00000001 01ff6162",
    ] {
        let bytes = hex(text);
        assert!(
            Compound::parse(&bytes)
                .unwrap()
                .packets()
                .next()
                .unwrap()
                .is_err(),
            "{text}"
        );
    }
}

#[test]
fn feedback_goes_there_and_back() {
    let lost = [10, 11, 26, 27, 65_535, 3].map(Serial16);
    let nack = Nack {
        sender: Ssrc(1),
        media: Ssrc(2),
        lost: &lost,
    };
    let bytes = written(nack.wire_len(), |writer| nack.write(writer).unwrap());
    assert_eq!(bytes.len(), 12 + 4 * 3);
    match packets(&bytes)[..] {
        [Packet::Nack(view)] => assert_eq!(view.lost().collect::<Vec<_>>(), lost),
        ref other => panic!("{other:?}"),
    }
    let entries = [FirEntry {
        ssrc: Ssrc(3),
        sequence_number: 255,
    }];
    let fir = Fir {
        sender: Ssrc(1),
        entries: &entries,
    };
    let bytes = written(fir.wire_len(), |writer| fir.write(writer).unwrap());
    match packets(&bytes)[..] {
        [Packet::Fir(view)] => assert_eq!(view.entries().collect::<Vec<_>>(), entries),
        ref other => panic!("{other:?}"),
    }
    for (rate, kept) in [
        (0, 0),
        (262_143, 262_143),
        (1_000_001, 1_000_000),
        (u64::MAX, 0x3_FFFF << 46),
    ] {
        let remb = Remb {
            sender: Ssrc(1),
            bits_per_second: rate,
            ssrcs: &[Ssrc(5)],
        };
        let bytes = written(remb.wire_len(), |writer| remb.write(writer).unwrap());
        match packets(&bytes)[..] {
            [Packet::Remb(view)] => {
                assert_eq!(view.bits_per_second, kept);
                assert_eq!(view.ssrcs().collect::<Vec<_>>(), [Ssrc(5)]);
            }
            ref other => panic!("{other:?}"),
        }
    }
    let bytes = written(20, |writer| {
        write_receiver_reference_time(writer, Ssrc(1), NtpTime(99)).unwrap();
    });
    match packets(&bytes)[..] {
        [Packet::Xr(view)] => {
            let blocks: Vec<_> = view.blocks().collect();
            assert_eq!(blocks, [XrBlock::ReceiverReferenceTime(NtpTime(99))]);
        }
        ref other => panic!("{other:?}"),
    }
    let answers = [Dlrr {
        ssrc: Ssrc(1),
        last_rr: 2,
        delay_since_last_rr: 3,
    }; 2];
    let bytes = written(36, |writer| write_dlrr(writer, Ssrc(9), &answers).unwrap());
    match packets(&bytes)[..] {
        [Packet::Xr(view)] => {
            assert_eq!(
                view.blocks().collect::<Vec<_>>(),
                answers.map(XrBlock::Dlrr)
            );
        }
        ref other => panic!("{other:?}"),
    }
    let reports = [BLOCK; 40];
    let report = ReceiverReport {
        ssrc: Ssrc(1),
        reports: &reports,
    };
    let bytes = written(report.wire_len(), |writer| report.write(writer).unwrap());
    match packets(&bytes)[..] {
        [Packet::ReceiverReport(view)] => assert_eq!(view.reports().count(), 31),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn transport_feedback_as_the_draft_draws_it() {
    // Base 5, 9 packets: a run of 3 received, then a vector of one bit: 1 0 1 1 0 0.
    let bytes = hex("8f cd 0007 00000001 00000002 0005 0009 000002 07 \
         2003 ac00 04 08 00 10 0c 20 0000 0000");
    let bytes = bytes[..32].to_vec();
    match packets(&bytes)[..] {
        [Packet::TransportFeedback(view)] => {
            assert_eq!((view.base, view.status_count), (Serial16(5), 9));
            assert_eq!((view.reference_time, view.feedback_count), (2, 7));
            let arrivals: Vec<_> = view.packets().map(|it| it.arrival_micros).collect();
            let some = |units: i64| Some(units * 250);
            assert_eq!(
                arrivals,
                [
                    some(4),
                    some(12),
                    some(12),
                    some(28),
                    None,
                    some(40),
                    some(72),
                    None,
                    None
                ]
            );
        }
        ref other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn transport_feedback_comes_back(
        arrivals in prop::collection::vec(prop::option::weighted(0.8, 0_u64..8_000_000), 1..200),
        base: u16,
    ) {
        let arrivals: Vec<_> = arrivals
            .into_iter()
            .map(|at| at.map(|micros| Duration::from_micros(500_000_000 + micros / 250 * 250)))
            .collect();
        let feedback = TransportFeedback {
            sender: Ssrc(1),
            media: Ssrc(2),
            base: Serial16(base),
            feedback_count: 3,
            arrivals: &arrivals,
        };
        let bytes = written(feedback.wire_len(), |writer| feedback.write(writer).unwrap());
        let all = packets(&bytes);
        let [Packet::TransportFeedback(view)] = all[..] else { panic!("{all:?}") };
        let reference = i64::from(view.reference_time) * 64_000;
        for (index, (status, arrival)) in view.packets().zip(&arrivals).enumerate() {
            prop_assert_eq!(status.sequence_number, Serial16(base).plus(index as u16));
            prop_assert_eq!(
                status.arrival_micros.map(|micros| micros + reference),
                arrival.map(|at| at.as_micros() as i64)
            );
        }
        prop_assert_eq!(view.packets().count(), arrivals.len());
    }

    #[test]
    fn congestion_feedback_comes_back(
        marks in prop::collection::vec(prop::option::of((0_u8..4, 0_u16..0x2000)), 0..50),
    ) {
        let arrivals: Vec<_> = marks
            .into_iter()
            .map(|mark| mark.map(|(ecn, offset)| Arrival {
                ecn: [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce][usize::from(ecn)],
                offset,
            }))
            .collect();
        let stream = StreamArrivals { ssrc: Ssrc(7), begin: Serial16(65_530), arrivals: &arrivals };
        let streams = [stream, StreamArrivals { ssrc: Ssrc(8), ..stream }];
        let feedback = CongestionFeedback { sender: Ssrc(1), timestamp: 9, streams: &streams };
        let bytes = written(feedback.wire_len(), |writer| feedback.write(writer).unwrap());
        let all = packets(&bytes);
        let [Packet::CongestionFeedback(view)] = all[..] else { panic!("{all:?}") };
        prop_assert_eq!(view.timestamp, 9);
        prop_assert_eq!(view.streams().count(), 2);
        for stream in view.streams() {
            let read: Vec<_> = stream.arrivals().map(|(_, arrival)| arrival).collect();
            prop_assert_eq!(&read, &arrivals);
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(packet) = PacketView::parse(&bytes) {
            prop_assert!(packet.header_len() + packet.payload().len() + packet.padding_len() == bytes.len());
            for (_, data) in packet.extensions() {
                prop_assert!(data.len() <= 255);
            }
        }
        if let Ok(compound) = Compound::parse(&bytes) {
            for packet in compound.packets().flatten() {
                let _ = format!("{packet:?}");
                if let Packet::TransportFeedback(view) = packet {
                    prop_assert_eq!(view.packets().count(), usize::from(view.status_count));
                }
            }
        }
    }
}
