//! What RTCP leaves, and what comes of the RTCP that arrives.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Protocol, Serial16};
use pc_rtp::{
    NtpTime, PacketView, Ssrc,
    rtcp::{
        Bye, Compound, Nack, Packet, Pli, Remb, SenderReport, XrBlock,
        write_receiver_reference_time,
    },
};
use pc_rtp_session::{ReceiverId, Rejected, SenderId, Session};
use pc_simnet::{epoch, ms};

fn packets(datagram: &[u8]) -> Vec<Packet<'_>> {
    let packets = Compound::parse(datagram).unwrap().packets();
    packets.map(Result::unwrap).collect()
}

#[test]
fn reports_of_many_streams_fill_several_packets() {
    let now = epoch();
    let mut session = Session::new(now, config(1));
    for id in 0..60 {
        session.set_sender(now, SenderId(id), sends("v", vp8()));
        let frame = picture(now, 0, true, &[1; 50]);
        session.send_frame(now, SenderId(id), 0, frame).unwrap();
    }
    let (_, first) = drain(&mut session, now);
    assert!(first.len() <= 2, "{}", first.len());
    let (_, datagrams) = drain(&mut session, now + ms(100));
    assert!((2..=6).contains(&datagrams.len()), "{}", datagrams.len());
    let mut reported = Vec::new();
    for datagram in &datagrams {
        let packets = packets(datagram);
        let mut named = Vec::new();
        assert!(matches!(packets[0], Packet::SenderReport(_)));
        for packet in &packets {
            match packet {
                Packet::SenderReport(report) => reported.push(report.ssrc),
                Packet::Sdes(sdes) => named.extend(sdes.chunks().map(|chunk| chunk.ssrc)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(named, reported[reported.len() - named.len()..]);
    }
    reported.sort();
    let mut all: Vec<_> = (0..60)
        .map(|id| session.ssrcs(SenderId(id)).next().unwrap().0)
        .collect();
    all.sort();
    assert_eq!(reported, all);
}

#[test]
fn who_only_receives_reports_and_measures_round_trips_by_reference_times() {
    let now = epoch();
    let (mut a, mut b) = (sending(now), Session::new(now, config(2)));
    b.set_receiver(now, ReceiverId(1), receives("v", vp8()));
    a.send_frame(now, VIDEO, 0, picture(now, 0, true, &[1; 50]))
        .unwrap();
    drain(&mut a, now);
    // The first report of the receiver carries a reference time.
    let at = b.poll_timeout().unwrap();
    assert!(at - now <= ms(750), "half an interval at first");
    let (_, mut datagrams) = drain(&mut b, at);
    let reference = packets(&datagrams[0]).iter().any(|packet| {
        let Packet::Xr(xr) = packet else { return false };
        matches!(xr.blocks().next(), Some(XrBlock::ReceiverReferenceTime(_)))
    });
    assert!(reference, "{:?}", packets(&datagrams[0]));
    a.handle_input(at + ms(30), (), &mut datagrams[0]).unwrap();
    // The sender's next report answers it.
    let mut answer = Vec::new();
    let mut later = at + ms(30);
    while answer.is_empty() {
        later = a.poll_timeout().unwrap().max(later);
        (_, answer) = drain(&mut a, later);
    }
    b.handle_input(later + ms(30), (), &mut answer[0]).unwrap();
    let rtt = b.round_trip_time().unwrap();
    assert!(rtt.abs_diff(ms(60)) < ms(1), "{rtt:?}");
}

#[test]
fn reference_times_of_strangers_are_bounded() {
    let now = epoch();
    let mut session = sending(now);
    for n in 0..1000 {
        hand_in(&mut session, now, |writer| {
            write_receiver_reference_time(writer, Ssrc(n), NtpTime(1 << 40))
        });
    }
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[1; 50]))
        .unwrap();
    let (_, datagrams) = drain(&mut session, now);
    let answers: usize = (datagrams.iter())
        .flat_map(|datagram| packets(datagram))
        .filter_map(|packet| match packet {
            Packet::Xr(xr) => Some(xr.blocks().count()),
            _ => None,
        })
        .sum();
    assert_eq!(answers, 16);
}

#[test]
fn a_flood_of_rtcp_makes_neither_events_nor_packets_without_end() {
    let now = epoch();
    let mut session = sending(now);
    let media = session.ssrcs(VIDEO).next().unwrap().0;
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[1; 5000]))
        .unwrap();
    let (sent, _) = drain(&mut session, now);
    let lost: Vec<_> = (0..400).map(|n| sent[0].number().plus(n)).collect();
    for n in 0..2000_u32 {
        hand_in(&mut session, now, |writer| {
            for _ in 0..20 {
                Pli {
                    sender: Ssrc(n),
                    media,
                }
                .write(writer)?;
                let bits_per_second = 100_000 + u64::from(n % 7) * 100_000;
                Remb {
                    sender: Ssrc(n),
                    bits_per_second,
                    ssrcs: &[media],
                }
                .write(writer)?;
                Nack {
                    sender: Ssrc(n),
                    media,
                    lost: &lost[..100],
                }
                .write(writer)?;
            }
            Ok(())
        });
    }
    assert!(
        events(&mut session).len() <= 1024,
        "events nobody polls are bounded"
    );
    let (again, _) = drain(&mut session, now + ms(1));
    assert!(
        again.len() <= sent.len(),
        "{} again of {}",
        again.len(),
        sent.len()
    );
}

#[test]
fn what_is_no_packet_is_rejected_and_leaves_no_trace() {
    let now = epoch();
    let mut session = sending(now);
    let media = session.ssrcs(VIDEO).next().unwrap().0;
    for datagram in [
        &b""[..],
        b"\x80",
        b"\x80\xC8",
        &[0x80, 200, 0, 9, 1, 2],
        &[0; 40],
    ] {
        let mut datagram = datagram.to_vec();
        let result = session.handle_input(now, (), &mut datagram).map(drop);
        assert!(matches!(result, Err(Rejected::Malformed(_))), "{result:?}");
    }
    // A packet of this side that comes back.
    session
        .send_frame(now, VIDEO, 0, picture(now, 0, true, &[1; 50]))
        .unwrap();
    let mut own = drain(&mut session, now).0.remove(0);
    let result = session.handle_input(now, (), &mut own.bytes);
    assert!(
        matches!(result, Err(Rejected::Looped(ssrc)) if ssrc == media),
        "{result:?}"
    );
}

#[test]
fn reports_about_streams_that_are_not_there_are_left_alone() {
    let now = epoch();
    let mut session = sending(now);
    let before: Vec<_> = session.outbound_stats(VIDEO).collect();
    events(&mut session);
    hand_in(&mut session, now, |writer| {
        let report = SenderReport {
            ssrc: Ssrc(5),
            ntp: NtpTime(1),
            rtp: pc_proto::Serial32(1),
            packet_count: 1,
            octet_count: 1,
            reports: &[],
        };
        report.write(writer)?;
        Nack {
            sender: Ssrc(5),
            media: Ssrc(6),
            lost: &[Serial16(1)],
        }
        .write(writer)?;
        Bye { ssrcs: &[Ssrc(5)] }.write(writer)
    });
    assert_eq!(session.outbound_stats(VIDEO).collect::<Vec<_>>(), before);
    assert_eq!(events(&mut session), []);
}

#[test]
fn arrivals_are_told_where_negotiated() {
    let now = epoch();
    for (is_negotiated, reduced_size) in [(true, true), (true, false), (false, true)] {
        let (mut a, mut b) = (sending(now), Session::new(now, config(2)));
        let mut parameters = receives("v", vp8());
        parameters.codecs[0].transport_cc = is_negotiated;
        parameters.reduced_size = reduced_size;
        b.set_receiver(now, ReceiverId(1), parameters);
        a.send_frame(now, VIDEO, 0, picture(now, 0, true, &[1; 5000]))
            .unwrap();
        let (mut sent, _) = drain(&mut a, now);
        for packet in &mut sent {
            b.handle_input(now + ms(20), (), &mut packet.bytes).unwrap();
        }
        let mut told = Vec::new();
        let (_, datagrams) = drain(&mut b, now + ms(120));
        for datagram in &datagrams {
            let packets = packets(datagram);
            let Some(Packet::TransportFeedback(feedback)) = packets.last() else {
                continue;
            };
            assert_eq!(packets.len(), if reduced_size { 1 } else { 3 });
            assert_eq!(feedback.media, sent[0].ssrc());
            let arrived = feedback.packets().filter(|it| it.arrival_micros.is_some());
            told.extend(arrived.map(|it| it.sequence_number.0));
        }
        let read =
            |packet: PacketView<'_>| packet.extensions().read(&extensions()).transport_sequence;
        let numbers: Vec<_> = sent
            .iter()
            .filter_map(|packet| read(packet.view()))
            .collect();
        assert_eq!(told, if is_negotiated { numbers } else { Vec::new() });
    }
}
