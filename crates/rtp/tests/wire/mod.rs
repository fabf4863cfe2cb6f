//! What the fuzz target `rtp_wire` runs: packets and RTCP that are read can be written anew, and read
//! the same; no bytes make a parser or an accessor fail.

use pc_proto::{Serial16, Writer};
use pc_rtp::{
    ExtensionMap, ExtensionUri, Header, PacketView, Ssrc, is_rtcp,
    rtcp::{
        Bye, Compound, CongestionFeedback, Fir, Nack, Packet, ReceiverReport, Remb, SenderReport,
        StreamArrivals, TransportFeedback,
    },
};
use std::{collections::BTreeSet, time::Duration};

/// Both readings of any bytes.
pub(crate) fn run(data: &[u8]) {
    let _ = is_rtcp(data);
    if let Ok(packet) = PacketView::parse(data) {
        rtp(data, &packet);
    }
    if let Ok(compound) = Compound::parse(data) {
        for packet in compound.packets().flatten() {
            rtcp(&packet);
        }
    }
}

fn rtp(data: &[u8], packet: &PacketView<'_>) {
    let parts = packet.header_len() + packet.payload().len() + packet.padding_len();
    assert_eq!(parts, data.len());
    assert!(packet.extensions().iter().count() <= data.len());
    let mut map = ExtensionMap::new();
    for (id, uri) in (1..).zip(ExtensionUri::ALL) {
        map.set(id, *uri);
    }
    let extensions = packet.extensions().read(&map);
    let csrcs: Vec<_> = packet.csrcs().collect();
    let header = Header {
        marker: packet.marker(),
        payload_type: packet.payload_type(),
        sequence_number: packet.sequence_number(),
        timestamp: packet.timestamp(),
        ssrc: packet.ssrc(),
        csrcs: &csrcs,
        extensions: &extensions,
        map: &map,
    };
    let mut bytes = vec![0xAA; header.wire_len() + packet.payload().len()];
    let mut writer = Writer::new(&mut bytes);
    header.write(&mut writer).expect("there is room");
    writer.bytes(packet.payload()).expect("there is room");
    assert_eq!(writer.remaining(), 0);
    let again = PacketView::parse(&bytes).expect("what was written is a packet");
    assert_eq!(again.extensions().read(&map), extensions);
    assert_eq!(again.payload(), packet.payload());
    assert_eq!(again.csrcs().collect::<Vec<_>>(), csrcs);
    assert_eq!(
        (
            again.marker(),
            again.payload_type(),
            again.sequence_number(),
            again.timestamp(),
            again.ssrc()
        ),
        (
            packet.marker(),
            packet.payload_type(),
            packet.sequence_number(),
            packet.timestamp(),
            packet.ssrc()
        ),
    );
}

fn rtcp(packet: &Packet<'_>) {
    let _ = format!("{packet:?}");
    match packet {
        Packet::SenderReport(view) => {
            let reports: Vec<_> = view.reports().collect();
            let report = SenderReport {
                ssrc: view.ssrc,
                ntp: view.ntp,
                rtp: view.rtp,
                packet_count: view.packet_count,
                octet_count: view.octet_count,
                reports: &reports,
            };
            anew(
                report.wire_len(),
                |writer| report.write(writer).unwrap(),
                |again| match again {
                    Packet::SenderReport(again) => assert_eq!(again, *view),
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::ReceiverReport(view) => {
            let reports: Vec<_> = view.reports().collect();
            let report = ReceiverReport {
                ssrc: view.ssrc,
                reports: &reports,
            };
            anew(
                report.wire_len(),
                |writer| report.write(writer).unwrap(),
                |again| match again {
                    Packet::ReceiverReport(again) => assert_eq!(again, *view),
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::Bye(view) => {
            let ssrcs: Vec<_> = view.ssrcs().collect();
            let bye = Bye { ssrcs: &ssrcs };
            anew(
                bye.wire_len(),
                |writer| bye.write(writer).unwrap(),
                |again| match again {
                    Packet::Bye(again) => assert_eq!(again.ssrcs().collect::<Vec<_>>(), ssrcs),
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::Nack(view) => {
            let lost: Vec<Serial16> = view.lost().collect();
            let nack = Nack {
                sender: view.sender,
                media: view.media,
                lost: &lost,
            };
            // In ascending order the list comes back; in any other, the numbers do.
            let set = |list: &[Serial16]| list.iter().map(|it| it.0).collect::<BTreeSet<_>>();
            anew(
                nack.wire_len(),
                |writer| nack.write(writer).unwrap(),
                |again| match again {
                    Packet::Nack(again) => {
                        assert_eq!(set(&again.lost().collect::<Vec<_>>()), set(&lost));
                    }
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::Fir(view) => {
            let entries: Vec<_> = view.entries().collect();
            let fir = Fir {
                sender: view.sender,
                entries: &entries,
            };
            anew(
                fir.wire_len(),
                |writer| fir.write(writer).unwrap(),
                |again| match again {
                    Packet::Fir(again) => assert_eq!(again.entries().collect::<Vec<_>>(), entries),
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::Remb(view) => {
            let ssrcs: Vec<Ssrc> = view.ssrcs().collect();
            let remb = Remb {
                sender: view.sender,
                bits_per_second: view.bits_per_second,
                ssrcs: &ssrcs,
            };
            anew(
                remb.wire_len(),
                |writer| remb.write(writer).unwrap(),
                |again| match again {
                    // More than 64 bits are as many as there are.
                    Packet::Remb(again) if view.bits_per_second < u64::MAX => {
                        assert!(again.bits_per_second <= view.bits_per_second);
                        assert!(again.bits_per_second >= view.bits_per_second / 2);
                    }
                    Packet::Remb(_) => {}
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::TransportFeedback(view) => {
            let all: Vec<_> = view.packets().collect();
            assert_eq!(all.len(), usize::from(view.status_count));
            let base = 1_u64 << 40;
            let arrivals: Vec<_> = all
                .iter()
                .map(|it| {
                    Some(Duration::from_micros(
                        base.checked_add_signed(it.arrival_micros?)?,
                    ))
                })
                .collect();
            let feedback = TransportFeedback {
                sender: view.sender,
                media: view.media,
                base: view.base,
                feedback_count: view.feedback_count,
                arrivals: &arrivals,
            };
            anew(
                feedback.wire_len(),
                |writer| feedback.write(writer).unwrap(),
                |again| match again {
                    Packet::TransportFeedback(again) => {
                        assert_eq!(again.packets().count(), arrivals.len());
                    }
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::CongestionFeedback(view) => {
            let all: Vec<Vec<_>> = view
                .streams()
                .map(|stream| stream.arrivals().map(|(_, arrival)| arrival).collect())
                .collect();
            let streams: Vec<_> = view
                .streams()
                .zip(&all)
                .map(|(stream, arrivals)| StreamArrivals {
                    ssrc: stream.ssrc,
                    begin: stream.begin,
                    arrivals,
                })
                .collect();
            let feedback = CongestionFeedback {
                sender: view.sender,
                timestamp: view.timestamp,
                streams: &streams,
            };
            anew(
                feedback.wire_len(),
                |writer| feedback.write(writer).unwrap(),
                |again| match again {
                    Packet::CongestionFeedback(again) => {
                        assert_eq!(again.streams().count(), streams.len());
                        for (stream, arrivals) in again.streams().zip(&all) {
                            let read: Vec<_> =
                                stream.arrivals().map(|(_, arrival)| arrival).collect();
                            assert_eq!(read, *arrivals);
                        }
                    }
                    other => panic!("{other:?}"),
                },
            );
        }
        Packet::Sdes(view) => {
            for chunk in view.chunks() {
                let _ = (chunk.cname(), chunk.items().count());
            }
        }
        Packet::Xr(view) => {
            let _ = view.blocks().count();
        }
        _ => {}
    }
}

fn anew(len: usize, write: impl FnOnce(&mut Writer<'_>), check: impl FnOnce(Packet<'_>)) {
    // The length of a packet is 16 bits of words.
    if len > 4 * 65_536 {
        return;
    }
    let mut bytes = vec![0xAA; len];
    let mut writer = Writer::new(&mut bytes);
    write(&mut writer);
    assert_eq!(writer.remaining(), 0);
    let compound = Compound::parse(&bytes).expect("what was written is RTCP");
    let packet = compound.packets().next().expect("one packet");
    check(packet.expect("what was written can be read"));
}
