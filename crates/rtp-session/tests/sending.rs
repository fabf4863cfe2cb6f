//! The sending half of a session, on virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Batch, Protocol, Serial16, Serial32};
use pc_rtp::{
    AudioLevel, PacketView, Ssrc,
    rtcp::{
        Compound, Dlrr, Fir, FirEntry, Nack, Packet, Pli, ReceiverReport, Remb, ReportBlock,
        write_dlrr,
    },
};
use pc_rtp_session::{EncodingParameters, Event, OutgoingPacket, SendError, SenderId, Session};
use pc_simnet::{epoch, ms, secs};
use std::time::Instant;

fn video_ssrcs(session: &Session) -> (Ssrc, Ssrc) {
    let (media, rtx) = session.ssrcs(VIDEO).next().unwrap();
    (media, rtx.unwrap())
}

fn nack(session: &mut Session, now: Instant, media: Ssrc, lost: &[Serial16]) {
    let sender = Ssrc(99);
    hand_in(session, now, |writer| {
        Nack {
            sender,
            media,
            lost,
        }
        .write(writer)
    });
}

fn pli(session: &mut Session, now: Instant, media: Ssrc) {
    let sender = Ssrc(99);
    hand_in(session, now, |writer| Pli { sender, media }.write(writer));
}

fn block(ssrc: Ssrc, cumulative_lost: i32, highest_sequence: u32) -> ReportBlock {
    ReportBlock {
        ssrc,
        fraction_lost: 0,
        cumulative_lost,
        highest_sequence,
        jitter: 0,
        last_sr: 0,
        delay_since_last_sr: 0,
    }
}

fn report(session: &mut Session, now: Instant, reports: &[ReportBlock]) {
    let ssrc = Ssrc(99);
    hand_in(session, now, |writer| {
        ReceiverReport { ssrc, reports }.write(writer)
    });
}

#[test]
fn a_frame_leaves_as_equal_packets_with_its_extensions() {
    let now = epoch();
    let mut session = sending(now);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 9000]))
        .unwrap();
    let mut batch = Batch::new();
    session
        .poll_transmit(now, &mut batch.transmit_buf(1200, 64))
        .unwrap();
    let packets: Vec<_> = batch
        .datagrams()
        .map(|bytes| PacketView::parse(bytes).unwrap())
        .collect();
    let runs: Vec<_> = batch.gso_runs().map(|run| run.segments().count()).collect();
    assert_eq!(
        runs,
        [packets.len()],
        "one call for all: they are equally long"
    );
    assert_eq!(packets.len(), 8);
    for (n, packet) in packets.iter().enumerate() {
        let read = packet.extensions().read(&extensions());
        assert_eq!(read.mid, Some("v"));
        assert_eq!(
            read.transport_sequence,
            packets[0]
                .extensions()
                .read(&extensions())
                .transport_sequence
                .map(|first| first.wrapping_add(n as u16))
        );
        assert!(read.abs_send_time.is_some() && read.rid.is_none());
        assert_eq!(packet.marker(), n == 7);
        assert_eq!(packet.timestamp(), packets[0].timestamp());
        assert_eq!(
            packet.sequence_number(),
            packets[0].sequence_number().plus(n as u16)
        );
    }
    assert!(packets[0].sequence_number().0 < 0x8000);
    let stats = session.outbound_stats(VIDEO).next().unwrap();
    assert_eq!(
        (stats.packets_sent, stats.frames_sent, stats.key_frames_sent),
        (8, 1, 1)
    );
    let payload: usize = packets.iter().map(|packet| packet.payload().len()).sum();
    assert_eq!(stats.bytes_sent as usize, payload);
    let header: usize = packets.iter().map(PacketView::header_len).sum();
    assert_eq!(stats.header_bytes_sent as usize, header);
}

#[test]
fn a_request_reaches_the_encoding_that_it_is_of_alone() {
    let now = epoch();
    let mut session = Session::new(now, config(4));
    let mut parameters = sends("v", vp8());
    parameters.encodings = ["f", "h", "q"]
        .map(|rid| EncodingParameters {
            rid: Some(rid.into()),
            active: rid != "q",
        })
        .to_vec();
    session.set_sender(now, VIDEO, parameters);
    let ssrcs: Vec<_> = session.ssrcs(VIDEO).collect();
    let asked = |session: &mut Session| -> Vec<usize> {
        let events = events(session).into_iter();
        events
            .filter_map(|event| match event {
                Event::KeyFrameRequested { encoding, .. } => Some(encoding),
                _ => None,
            })
            .collect()
    };
    asked(&mut session);
    pli(&mut session, now, ssrcs[1].0);
    assert_eq!(asked(&mut session), [1]);
    let fir = FirEntry {
        ssrc: ssrcs[0].0,
        sequence_number: 1,
    };
    hand_in(&mut session, now, |writer| {
        Fir {
            sender: Ssrc(99),
            entries: &[fir],
        }
        .write(writer)
    });
    assert_eq!(asked(&mut session), [0]);
    // Of what is not sent, and of retransmissions, there are no key frames.
    pli(&mut session, now, ssrcs[2].0);
    pli(&mut session, now, ssrcs[0].1.unwrap());
    assert_eq!(asked(&mut session), [0; 0]);
    let counts: Vec<_> = session
        .outbound_stats(VIDEO)
        .map(|it| (it.pli_count, it.fir_count))
        .collect();
    assert_eq!(counts, [(0, 1), (1, 0), (1, 0)]);
}

#[test]
fn what_is_wanted_is_asked_of_the_network() {
    let mut now = epoch();
    let mut session = Session::new(now, config(5));
    session.set_sender(now, VIDEO, sends("v", vp8()));
    session.set_wanted_bitrate(VIDEO, 1_300_000);
    let (ssrc, _) = video_ssrcs(&session);
    for second in 0..10 {
        for part in 0..25 {
            let at = now + ms(40) * part;
            session
                .send_frame(
                    at,
                    VIDEO,
                    0,
                    picture(at, second * 1000, part == 0, &[1; 500]),
                )
                .unwrap();
            drain(&mut session, at);
        }
        now += secs(1);
        report(
            &mut session,
            now,
            &[block(ssrc, 0, 1000 + 25 * (second + 1))],
        );
    }
    // 100 kbit/s have left; that prove nothing of this.
    assert_eq!(session.target_bitrate(now), 1_300_000);
}

#[test]
fn mid_and_rid_stay_until_the_peer_knows_the_stream() {
    let now = epoch();
    let mut session = Session::new(now, config(3));
    let mut parameters = sends("v", vp8());
    parameters.encodings = ["lo", "hi"]
        .map(|rid| EncodingParameters {
            rid: Some(rid.into()),
            active: true,
        })
        .to_vec();
    session.set_sender(now, VIDEO, parameters.clone());
    let read = |packet: &Sent| {
        let read = packet.view().extensions().read(&extensions());
        (
            read.mid.map(String::from),
            read.rid.map(String::from),
            read.repaired_rid.map(String::from),
        )
    };
    let send = |session: &mut Session, now| {
        session
            .send_frame(now, VIDEO, 1, picture(now, 0, true, &[1; 100]))
            .unwrap();
        drain(session, now).0.remove(0)
    };
    let first = send(&mut session, now);
    assert_eq!(read(&first), (Some("v".into()), Some("hi".into()), None));
    nack(&mut session, now + ms(50), first.ssrc(), &[first.number()]);
    let again = drain(&mut session, now + ms(50)).0.remove(0);
    assert_eq!(read(&again), (Some("v".into()), None, Some("hi".into())));
    report(
        &mut session,
        now + ms(60),
        &[block(first.ssrc(), 0, first.number().0.into())],
    );
    assert_eq!(read(&send(&mut session, now + ms(70))), (None, None, None));
    session.set_sender(now, VIDEO, parameters);
    let ssrc = send(&mut session, now + ms(80));
    assert_eq!(
        read(&ssrc).0,
        Some("v".into()),
        "after negotiation everything is shown again"
    );
    assert_eq!(ssrc.ssrc(), first.ssrc());
    assert_eq!(ssrc.number(), first.number().plus(2));
}

#[test]
fn lost_packets_are_sent_again_by_rtx() {
    let now = epoch();
    let mut session = sending(now);
    let (media, rtx) = video_ssrcs(&session);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 5000]))
        .unwrap();
    let (packets, _) = drain(&mut session, now);
    let later = now + ms(40);
    nack(
        &mut session,
        later,
        media,
        &[packets[1].number(), packets[4].number()],
    );
    let (again, _) = drain(&mut session, later);
    assert_eq!(again.len(), 2);
    for (again, lost) in again.iter().zip([&packets[1], &packets[4]]) {
        let (view, original) = (again.view(), lost.view());
        assert_eq!((view.ssrc(), view.payload_type()), (rtx, payload_type(97)));
        assert_eq!(
            again.original(),
            (lost.number(), original.payload().to_vec())
        );
        assert_eq!(
            (view.timestamp(), view.marker()),
            (original.timestamp(), original.marker())
        );
    }
    assert_eq!(again[1].number(), again[0].number().next());
    let stats = session.outbound_stats(VIDEO).next().unwrap();
    assert_eq!((stats.retransmitted_packets_sent, stats.nack_count), (2, 1));
    assert_eq!(stats.packets_sent, packets.len() as u64 + 2);

    // Within a round trip (100 ms as long as none was measured) it is on its way.
    nack(&mut session, later + ms(90), media, &[packets[1].number()]);
    assert_eq!(drain(&mut session, later + ms(90)).0, []);
    nack(&mut session, later + ms(110), media, &[packets[1].number()]);
    assert_eq!(drain(&mut session, later + ms(110)).0.len(), 1);
}

#[test]
fn without_rtx_the_same_packet_leaves_again() {
    let now = epoch();
    let mut session = Session::new(now, config(4));
    let mut codec = vp8();
    codec.rtx = None;
    session.set_sender(now, VIDEO, sends("v", codec.clone()));
    assert_eq!(session.ssrcs(VIDEO).next().unwrap().1, None);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 500]))
        .unwrap();
    let first = drain(&mut session, now).0.remove(0);
    nack(&mut session, now + ms(10), first.ssrc(), &[first.number()]);
    let again = drain(&mut session, now + ms(10)).0.remove(0);
    assert_eq!(
        (again.number(), again.ssrc()),
        (first.number(), first.ssrc())
    );
    assert_eq!(again.view().payload(), first.view().payload());

    // Nor that, where no NACK was negotiated.
    codec.nack = false;
    session.set_sender(now, VIDEO, sends("v", codec));
    nack(&mut session, now + secs(1), first.ssrc(), &[first.number()]);
    assert_eq!(drain(&mut session, now + secs(1)).0, []);
}

#[test]
fn a_flood_of_nacks_gets_no_more_than_the_rate_again() {
    let mut now = epoch();
    let mut session = sending(now);
    let (media, _) = video_ssrcs(&session);
    let (mut sent, mut again) = (0, 0);
    let mut numbers = Vec::new();
    for frame in 0..300_u32 {
        session
            .send_frame(now, VIDEO, 0, picture(now, frame * 33, false, &[1; 4000]))
            .unwrap();
        let end = now + ms(33);
        for (_, packet) in drain_paced(&mut session, &mut now, end) {
            if packet.ssrc() == media {
                sent += packet.bytes.len();
                numbers.push(packet.number());
            } else {
                again += packet.bytes.len();
            }
        }
        // The whole of the last second, five times a frame.
        let start = numbers.len().saturating_sub(150);
        for _ in 0..5 {
            nack(&mut session, now, media, &numbers[start..]);
        }
    }
    // 300 frames are ten seconds; the target stays at 1 Mbit/s, as nothing is reported.
    assert!(again > 200_000, "{again}");
    assert!(again < 1_450_000, "{again} bytes again, {sent} sent");
}

#[test]
fn what_is_too_old_is_not_sent_again() {
    let now = epoch();
    let mut session = sending(now);
    let (media, _) = video_ssrcs(&session);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 500]))
        .unwrap();
    let first = drain(&mut session, now).0.remove(0);
    for step in 1..4 {
        let now = now + ms(500) * step;
        session
            .send_frame(now, VIDEO, 0, picture(now, step * 500, true, &[7; 500]))
            .unwrap();
        drain(&mut session, now);
    }
    let late = now + ms(1600);
    nack(&mut session, late, media, &[first.number()]);
    assert_eq!(drain(&mut session, late).0, [], "a second later");
    let lost = [first.number().plus(2), first.number().plus(9000)];
    nack(&mut session, late, media, &lost);
    assert_eq!(drain(&mut session, late).0.len(), 1);
}

#[test]
fn numbers_and_timestamps_wrap() {
    let mut now = epoch();
    let mut session = Session::new(now, config(5));
    session.set_sender(now, AUDIO, sends("a", opus()));
    let mut last: Option<(Serial16, Serial32)> = None;
    let (mut number_wrapped, mut timestamp_wrapped) = (false, false);
    // Steps of 2^16 ticks wrap the timestamp once in 2^16 packets, as the number does.
    for step in 0..70_000_u32 {
        now += ms(20);
        let mut frame = sound(now, 0, &[1; 20]);
        frame.timestamp = Serial32(step << 16);
        session.send_frame(now, AUDIO, 0, frame).unwrap();
        let packet = drain(&mut session, now).0.remove(0);
        let (number, timestamp) = (packet.number(), packet.view().timestamp());
        if let Some((before, at)) = last {
            assert_eq!(number, before.next());
            assert_eq!(timestamp, at.plus(1 << 16));
            number_wrapped |= number.0 < before.0;
            timestamp_wrapped |= timestamp.0 < at.0;
        }
        last = Some((number, timestamp));
    }
    assert!(number_wrapped && timestamp_wrapped);
}

#[test]
fn a_lost_packet_is_found_across_the_wrap() {
    let mut now = epoch();
    let mut session = Session::new(now, config(6));
    session.set_sender(now, VIDEO, sends("v", vp8()));
    let (media, _) = video_ssrcs(&session);
    let mut asked = 0;
    for step in 0..68_000_u32 {
        now += ms(20);
        session
            .send_frame(now, VIDEO, 0, picture(now, step * 20, false, &[1; 20]))
            .unwrap();
        let packet = drain(&mut session, now).0.remove(0);
        if packet.number() == Serial16(2) && step > 10 {
            let lost = [Serial16(0xFFFF), Serial16(0)];
            nack(&mut session, now, media, &lost);
            let (again, _) = drain(&mut session, now);
            let originals: Vec<_> = again.iter().map(|packet| packet.original().0).collect();
            assert_eq!(originals, lost);
            asked += 1;
        }
    }
    assert_eq!(asked, 1);
}

#[test]
fn a_request_that_comes_too_soon_waits_unless_a_key_frame_meets_it() {
    for is_met in [false, true] {
        let start = epoch();
        let mut session = sending(start);
        let (media, _) = video_ssrcs(&session);
        events(&mut session);
        pli(&mut session, start, media);
        assert_eq!(events(&mut session).len(), 1);
        // A second receiver, say, that has just begun.
        pli(&mut session, start + ms(100), media);
        assert!(events(&mut session).is_empty());
        if is_met {
            let now = start + ms(200);
            let frame = picture(now, 0, true, &[0; 100]);
            session.send_frame(now, VIDEO, 0, frame).unwrap();
            drain(&mut session, now);
        }
        let mut told = Vec::new();
        while let Some(at) = session.poll_timeout().filter(|at| *at <= start + secs(2)) {
            session.handle_timeout(at);
            drain(&mut session, at);
            let came = events(&mut session);
            told.extend(
                came.iter()
                    .filter(|it| matches!(it, Event::KeyFrameRequested { .. }))
                    .map(|_| at - start),
            );
        }
        let expected = if is_met { vec![] } else { vec![ms(500)] };
        assert_eq!(told, expected);
    }
}

#[test]
fn key_frames_are_requested_twice_a_second_at_most() {
    let start = epoch();
    let mut session = sending(start);
    let (media, rtx) = video_ssrcs(&session);
    events(&mut session);
    let mut told = 0;
    for step in 0..100 {
        let now = start + ms(20) * step;
        for _ in 0..10 {
            pli(&mut session, now, media);
        }
        pli(&mut session, now, rtx);
        pli(&mut session, now, Ssrc(1234));
        told += events(&mut session)
            .iter()
            .filter(|event| {
                **event
                    == Event::KeyFrameRequested {
                        sender: VIDEO,
                        encoding: 0,
                    }
            })
            .count();
    }
    assert_eq!(told, 4, "in two seconds");
    assert_eq!(
        session.outbound_stats(VIDEO).next().unwrap().pli_count,
        1000
    );

    let fir = |session: &mut Session, now, sequence_number| {
        let entries = [FirEntry {
            ssrc: media,
            sequence_number,
        }];
        let sender = Ssrc(99);
        hand_in(session, now, |writer| {
            Fir {
                sender,
                entries: &entries,
            }
            .write(writer)
        });
        events(session).len()
    };
    assert_eq!(fir(&mut session, start + secs(5), 7), 1);
    assert_eq!(fir(&mut session, start + secs(6), 7), 0, "a repetition");
    assert_eq!(fir(&mut session, start + secs(7), 8), 1);
}

#[test]
fn pictures_are_paced_and_sound_is_not() {
    let mut now = epoch();
    let mut session = sending(now);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 100_000]))
        .unwrap();
    session
        .send_frame(now, AUDIO, 0, sound(now, 0, &[1; 100]))
        .unwrap();
    let start = now;
    let audio = session.ssrcs(AUDIO).next().unwrap().0;
    let packets = drain_paced(&mut session, &mut now, start + secs(2));
    assert_eq!(packets[0].1.ssrc(), audio, "sound goes ahead");
    let last = packets.last().unwrap().0 - start;
    // 800,000 bits at 2.5 times 1 Mbit/s.
    assert!((ms(250)..ms(340)).contains(&last), "{last:?}");
    let at_once = packets.iter().filter(|(at, _)| *at == start).count();
    assert!(at_once < 20, "{at_once}");
    let stats = session.outbound_stats(VIDEO).next().unwrap();
    assert!(stats.total_packet_send_delay > secs(5), "{stats:?}");
    assert_eq!(stats.frames_sent, 1);
}

#[test]
fn too_much_is_refused() {
    let now = epoch();
    let mut session = sending(now);
    let mut accepted = 0;
    let refused = loop {
        let result = session.send_frame(now, VIDEO, 0, picture(now, 0, false, &[7; 500_000]));
        match result {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SendError::QueueFull);
    assert!(accepted <= 12, "{accepted}");
    session
        .send_frame(now, AUDIO, 0, sound(now, 0, &[1; 100]))
        .unwrap();
    session.stop_sending(now, VIDEO);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 500]))
        .unwrap();
    assert_eq!(drain(&mut session, now).0.len(), 2);
}

#[test]
fn what_was_stopped_leaves_no_gap() {
    let mut now = epoch();
    let mut session = sending(now);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 100_000]))
        .unwrap();
    session
        .send_frame(now, VIDEO, 0, picture(now, 33, false, &[7; 2_000]))
        .unwrap();
    let (first, _) = drain(&mut session, now);
    session.stop_sending(now, VIDEO);
    now += secs(1);
    assert_eq!(drain(&mut session, now).0, []);
    session
        .send_frame(now, VIDEO, 0, picture(now, 1000, true, &[7; 2_000]))
        .unwrap();
    let (second, _) = drain(&mut session, now);
    assert_eq!(second[0].number(), first.last().unwrap().number().next());
    let mut parameters = sends("v", vp8());
    parameters.encodings[0].active = false;
    session.set_sender(now, VIDEO, parameters);
    let frame = picture(now, 1033, true, &[7; 2_000]);
    assert_eq!(
        session.send_frame(now, VIDEO, 0, frame),
        Err(SendError::Inactive)
    );
    // Something else than a picture may still be said: the rest of the queue is gone.
    assert_eq!(drain(&mut session, now).0, []);
}

#[test]
fn errors_name_the_culprit() {
    let now = epoch();
    let mut session = sending(now);
    let frame = || picture(now, 0, true, &[1; 10]);
    assert_eq!(
        session.send_frame(now, SenderId(9), 0, frame()),
        Err(SendError::UnknownSender)
    );
    assert_eq!(
        session.send_frame(now, VIDEO, 1, frame()),
        Err(SendError::UnknownEncoding)
    );
    let wrong = session.send_frame(now, AUDIO, 0, frame());
    assert_eq!(wrong, Err(SendError::UnknownPayloadType(payload_type(96))));
    let empty = session.send_frame(now, VIDEO, 0, picture(now, 0, true, &[]));
    assert!(matches!(empty, Err(SendError::Packetize(_))));
    let long = session.send_frame(now, AUDIO, 0, sound(now, 0, &[1; 2000]));
    assert!(matches!(long, Err(SendError::Packetize(_))));
    assert_eq!(drain(&mut session, now).0, []);
}

/// The sender reports in datagrams: SSRC, RTP timestamp, NTP as milliseconds since 1970, packets.
fn sender_reports(datagrams: &[Vec<u8>]) -> Vec<(Ssrc, Serial32, u128, u32)> {
    let mut reports = Vec::new();
    for datagram in datagrams {
        for packet in Compound::parse(datagram).unwrap().packets() {
            if let Packet::SenderReport(report) = packet.unwrap() {
                let unix = report.ntp.to_unix().as_micros().div_ceil(1000);
                reports.push((report.ssrc, report.rtp, unix, report.packet_count));
            }
        }
    }
    reports
}

#[test]
fn the_first_report_goes_at_once_and_maps_the_clocks() {
    let now = epoch() + secs(10);
    let mut session = Session::new(epoch(), config(1));
    session.set_sender(now, VIDEO, sends("v", vp8()));
    session.set_sender(now, AUDIO, sends("a", opus()));
    assert!(session.poll_timeout().is_some());
    // Captured 40 ms ago.
    let mut frame = picture(now - ms(40), 1000, true, &[7; 100]);
    frame.orientation = None;
    session.send_frame(now, VIDEO, 0, frame).unwrap();
    let (packets, datagrams) = drain(&mut session, now);
    let [report] = sender_reports(&datagrams)[..] else {
        panic!("{datagrams:?}");
    };
    let (ssrc, rtp, unix, count) = report;
    assert_eq!(ssrc, packets[0].ssrc());
    assert_eq!(unix, 1_700_000_010_000);
    assert_eq!(rtp.steps_from(packets[0].view().timestamp()), 40 * 90);
    assert_eq!(count, 1);
    let named = Compound::parse(&datagrams[0])
        .unwrap()
        .packets()
        .any(|packet| {
            let Ok(Packet::Sdes(sdes)) = packet else {
                return false;
            };
            sdes.chunks()
                .any(|chunk| chunk.ssrc == ssrc && chunk.cname() == Some(b"alice"))
        });
    assert!(named, "the canonical name is beside the report");
}

#[test]
fn reports_come_about_every_second_while_something_is_sent() {
    let (start, mut now) = (epoch(), epoch());
    let mut session = sending(now);
    let video = video_ssrcs(&session).0;
    let mut times = Vec::new();
    for step in 0..1200_u32 {
        let at = start + ms(50) * step;
        while let Some(next) = session.poll_timeout().filter(|next| *next < at) {
            now = now.max(next);
            let (_, datagrams) = drain(&mut session, now);
            times.extend(
                sender_reports(&datagrams)
                    .iter()
                    .filter(|it| it.0 == video)
                    .map(|_| now),
            );
        }
        now = at;
        if step < 600 {
            session
                .send_frame(now, VIDEO, 0, picture(now, step * 50, false, &[7; 500]))
                .unwrap();
        }
    }
    let sent = times.iter().filter(|at| **at - start < secs(30)).count();
    assert!((25..=35).contains(&sent), "{sent} in 30 s");
    let gaps: Vec<_> = times
        .windows(2)
        .skip(1)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(
        gaps.iter().all(|gap| (ms(500)..=ms(1501)).contains(gap)),
        "{gaps:?}"
    );
    let after = times.iter().filter(|at| **at - start > secs(34)).count();
    assert_eq!(after, 0, "who no longer sends reports as a receiver");
}

#[test]
fn who_is_removed_says_good_bye() {
    let now = epoch();
    let mut session = sending(now);
    let (media, _) = video_ssrcs(&session);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 100]))
        .unwrap();
    drain(&mut session, now);
    session.remove_sender(now, VIDEO);
    session.remove_sender(now, AUDIO);
    let (_, datagrams) = drain(&mut session, now);
    assert_eq!(datagrams.len(), 1);
    let packets: Vec<_> = Compound::parse(&datagrams[0])
        .unwrap()
        .packets()
        .map(Result::unwrap)
        .collect();
    assert!(matches!(packets[0], Packet::ReceiverReport(_)));
    let Packet::Bye(bye) = packets.last().unwrap() else {
        panic!("{packets:?}");
    };
    assert_eq!(
        bye.ssrcs().collect::<Vec<_>>(),
        [media],
        "who never sent says nothing"
    );
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn round_trips_and_losses_come_from_reports() {
    let now = epoch();
    let mut session = sending(now);
    let (media, _) = video_ssrcs(&session);
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[7; 100]))
        .unwrap();
    let (_, datagrams) = drain(&mut session, now);
    let Some(Ok(Packet::SenderReport(ours))) =
        Compound::parse(&datagrams[0]).unwrap().packets().next()
    else {
        panic!("{datagrams:?}");
    };
    let answer = ReportBlock {
        fraction_lost: 128,
        cumulative_lost: 3,
        jitter: 4500,
        last_sr: ours.ntp.compact(),
        delay_since_last_sr: 65536 / 2,
        ..block(media, 3, 10)
    };
    report(&mut session, now + ms(580), &[answer]);
    let rtt = session.round_trip_time().unwrap();
    assert!(rtt.abs_diff(ms(80)) < ms(1), "{rtt:?}");
    let remote = session
        .outbound_stats(VIDEO)
        .next()
        .unwrap()
        .remote
        .unwrap();
    assert_eq!(
        (remote.packets_lost, remote.fraction_lost, remote.jitter),
        (3, 0.5, ms(50))
    );
    assert_eq!(remote.round_trip_time_measurements, 1);
    // An answer to a reference time of this side measures too; to somebody else's it does not.
    let dlrr = |ssrc| Dlrr {
        ssrc,
        last_rr: ours.ntp.compact(),
        delay_since_last_rr: 0,
    };
    hand_in(&mut session, now + ms(30), |writer| {
        write_dlrr(writer, Ssrc(9), &[dlrr(Ssrc(77))])
    });
    assert!(session.round_trip_time().unwrap() > ms(70));
    hand_in(&mut session, now + ms(30), |writer| {
        write_dlrr(writer, Ssrc(9), &[dlrr(media)])
    });
    assert!(session.round_trip_time().unwrap().abs_diff(ms(30)) < ms(1));
}

#[test]
fn the_target_follows_losses_and_remb() {
    let mut now = epoch();
    let mut session = sending(now);
    let (media, _) = video_ssrcs(&session);
    let target = |session: &mut Session| {
        let target = |event: &Event| match event {
            Event::TargetBitrate {
                sender,
                bits_per_second,
            } if *sender == VIDEO => Some(*bits_per_second),
            _ => None,
        };
        events(session).iter().filter_map(target).next_back()
    };
    assert_eq!(target(&mut session), Some(1_000_000), "where it begins");
    report(&mut session, now, &[block(media, 0, 1000)]);
    now += secs(1);
    report(&mut session, now, &[block(media, 20, 1100)]);
    assert_eq!(target(&mut session), Some(900_000), "20 % lost");
    let remb = |session: &mut Session, now, ssrc| {
        let ssrcs = [ssrc];
        let sender = Ssrc(99);
        let bits_per_second = 500_000;
        hand_in(session, now, |writer| {
            Remb {
                sender,
                bits_per_second,
                ssrcs: &ssrcs,
            }
            .write(writer)
        });
    };
    remb(&mut session, now, Ssrc(1234));
    assert_eq!(target(&mut session), None, "about somebody else");
    remb(&mut session, now, media);
    assert_eq!(target(&mut session), Some(500_000));
    assert_eq!(session.target_bitrate(now), 500_000);
}

/// Pictures that share one network, each with its weight.
fn shares(weights: &[u32], inactive: usize) -> Vec<u64> {
    let now = epoch();
    let mut session = Session::new(now, config(1));
    for (number, weight) in (0..).zip(weights) {
        let mut parameters = sends(&number.to_string(), vp8());
        parameters.weight = *weight;
        parameters.encodings[0].active = number as usize != inactive;
        session.set_sender(now, SenderId(number), parameters);
    }
    let mut last = vec![0; weights.len()];
    for event in events(&mut session) {
        if let Event::TargetBitrate {
            sender,
            bits_per_second,
        } = event
        {
            last[sender.0 as usize] = bits_per_second;
        }
    }
    last
}

#[test]
fn the_target_is_shared_by_weight() {
    assert_eq!(shares(&[1, 1], 9), [500_000, 500_000]);
    assert_eq!(shares(&[1, 4], 9), [200_000, 800_000]);
    assert_eq!(shares(&[2, 0, 1], 9), [500_000, 250_000, 250_000]);
    // What is not sent takes nothing of the others'.
    assert_eq!(shares(&[1, 4], 0)[1], 1_000_000);
}

#[test]
fn what_is_wanted_of_the_network_is_what_gives_each_its_share() {
    let reaches = |weight| {
        let mut now = epoch();
        let mut session = Session::new(now, config(1));
        for (id, weight) in [(0, weight), (1, 1)] {
            let mut parameters = sends(&id.to_string(), vp8());
            parameters.weight = weight;
            session.set_sender(now, SenderId(id), parameters);
        }
        session.set_wanted_bitrate(SenderId(0), 1_200_000);
        let ssrc = session.outbound_stats(SenderId(0)).next().unwrap().ssrc;
        for second in 0..60 {
            now += secs(1);
            report(&mut session, now, &[block(ssrc, 0, 1000 + 25 * second)]);
            drain(&mut session, now);
        }
        session.target_bitrate(now)
    };
    assert_eq!((reaches(1), reaches(3)), (2_400_000, 1_600_000));
}

fn forwarded(source: u32, number: u16, timestamp: u32, payload: &[u8]) -> OutgoingPacket<'_> {
    OutgoingPacket {
        source: Ssrc(source),
        payload_type: payload_type(96),
        marker: number.is_multiple_of(2),
        sequence_number: Serial16(number),
        timestamp: Serial32(timestamp),
        payload,
        audio_level: Some(AudioLevel {
            voice: true,
            level: 30,
        }),
        orientation: None,
    }
}

#[test]
fn forwarded_packets_keep_their_distances() {
    let now = epoch();
    let mut session = sending(now);
    let mut send = |source, number, timestamp| {
        session
            .send_packet(
                now,
                VIDEO,
                0,
                forwarded(source, number, timestamp, b"payload"),
            )
            .map(|()| drain(&mut session, now).0.remove(0))
    };
    let first = send(5, 0xFFFE, 1000).unwrap();
    let gap = send(5, 1, 4000).unwrap();
    assert_eq!(gap.number(), first.number().plus(3));
    assert_eq!(
        gap.view().timestamp().steps_from(first.view().timestamp()),
        3000
    );
    assert_eq!((first.view().marker(), gap.view().marker()), (true, false));
    assert_eq!(
        first
            .view()
            .extensions()
            .read(&extensions())
            .audio_level
            .unwrap()
            .level,
        30
    );
    let late = send(5, 0, 2500).unwrap();
    assert_eq!(late.number(), first.number().plus(2));
    assert_eq!(
        late.view().timestamp().steps_from(first.view().timestamp()),
        1500
    );
    assert_eq!(send(5, 0, 2500), Err(SendError::Late), "a second time");
    // Another source goes on where this one was.
    let other = send(6, 30_000, 77).unwrap();
    assert_eq!(other.number(), gap.number().next());
    assert_eq!(
        other.view().timestamp(),
        gap.view().timestamp(),
        "no time has passed"
    );
    let long = vec![0; 1300];
    let result = session.send_packet(now, VIDEO, 0, forwarded(6, 30_001, 77, &long));
    assert!(matches!(result, Err(SendError::TooLong { len: 1300, .. })));
}

#[test]
fn who_cannot_transmit_is_not_woken_again_and_again() {
    let start = epoch();
    let mut session = sending(start);
    session
        .send_frame(start, VIDEO, 0, picture(start, 0, true, &[7; 100_000]))
        .unwrap();
    let (mut now, mut woken) = (start, 0);
    while let Some(next) = session.poll_timeout().filter(|at| *at < start + secs(10)) {
        assert!(next > now || woken == 0, "a timer that does not go on");
        now = now.max(next);
        session.handle_timeout(now);
        woken += 1;
    }
    assert!(woken <= 5, "{woken}");
    // When the way is free, everything is there.
    let later = start + secs(10);
    let packets = drain_paced(&mut session, &mut { later }, later + secs(1));
    assert!(packets.len() > 80, "{}", packets.len());
}
