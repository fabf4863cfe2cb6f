use crate::forward::*;
use pc_proto::Serial16;
use pc_rtp::{PacketView, PayloadType, Ssrc, payload::rtx};
use pc_simnet::{epoch, ms, secs};

fn cache(max_packets: usize, max_bytes: usize) -> NackCache {
    NackCache::new(NackCacheConfig {
        max_packets,
        max_bytes,
        keep: secs(1),
    })
}

fn packet(number: u16, len: usize) -> Vec<u8> {
    let mut packet = vec![number as u8; len.max(12)];
    packet[..2].copy_from_slice(&[0x80, 0xE0]);
    packet[2..4].copy_from_slice(&number.to_be_bytes());
    packet
}

#[test]
fn packets_are_there_until_others_need_the_room() {
    let mut cache = cache(8, 350);
    for number in 65_530..65_536_u32 {
        let number = number as u16;
        cache.insert(epoch(), Serial16(number), &packet(number, 100));
    }
    let answer = |cache: &mut NackCache, number| {
        let found = cache.answer(epoch(), ms(50), Serial16(number));
        found.map(|bytes| (bytes[3], bytes.len()))
    };
    // Three of 100 bytes fit into 350, in one piece each.
    assert_eq!(answer(&mut cache, 65_532), None);
    assert_eq!(answer(&mut cache, 65_533), Some((253, 100)));
    assert_eq!(answer(&mut cache, 65_535), Some((255, 100)));
    cache.insert(epoch(), Serial16(0), &packet(0, 60));
    assert_eq!(answer(&mut cache, 0), Some((0, 60)));
    assert_eq!(answer(&mut cache, 65_534), Some((254, 100)));
    assert_eq!(answer(&mut cache, 7), None, "never sent");
    assert_eq!(answer(&mut cache, 8), None, "the slot is another's");
    cache.insert(epoch(), Serial16(1), &packet(1, 400));
    assert_eq!(answer(&mut cache, 1), None, "longer than all there is");
    cache.clear();
    assert_eq!(answer(&mut cache, 0), None);
}

#[test]
fn what_is_asked_for_all_the_time_is_sent_once_a_round_trip_and_ten_times() {
    let mut cache = cache(8, 10_000);
    cache.insert(epoch(), Serial16(5), &packet(5, 100));
    let mut times = Vec::new();
    for step in 0..100 {
        let now = epoch() + ms(5 * step);
        let count = cache.answer_all(now, ms(20), [Serial16(5), Serial16(6)], |number, bytes| {
            assert_eq!((number, bytes), (Serial16(5), &packet(5, 100)[..]));
        });
        if count > 0 {
            times.push(5 * step);
        }
    }
    assert_eq!(times, [0, 20, 40, 60, 80, 100, 120, 140, 160, 180]);
}

#[test]
fn nothing_is_kept_for_longer_than_it_is_of_use() {
    let mut cache = cache(8, 10_000);
    cache.insert(epoch(), Serial16(5), &packet(5, 100));
    assert!(
        cache
            .answer(epoch() + ms(1001), ms(20), Serial16(5))
            .is_none()
    );
    assert!(
        cache
            .answer(epoch() + ms(1000), ms(20), Serial16(5))
            .is_some()
    );
}

#[test]
fn a_retransmission_is_the_packet_behind_its_number() {
    let mut packet = packet(300, 30);
    packet[0] |= 0x20; // two bytes of padding
    packet[29] = 2;
    let stream = Retransmission {
        ssrc: Ssrc(77),
        payload_type: PayloadType::new(97).unwrap(),
        sequence_number: Serial16(9),
    };
    let mut out = [0; 30];
    let len = stream.write(&packet, &mut out).unwrap();
    let view = PacketView::parse(&out[..len]).unwrap();
    assert_eq!(
        (view.ssrc(), view.sequence_number()),
        (Ssrc(77), Serial16(9))
    );
    assert_eq!(view.payload_type().number(), 97);
    assert!(view.marker() && view.padding_len() == 0);
    let original = PacketView::parse(&packet).unwrap();
    assert_eq!(
        rtx::parse(view.payload()).unwrap(),
        (Serial16(300), original.payload())
    );
    assert_eq!(stream.write(&packet, &mut [0; 29]), None, "too short");
    assert_eq!(stream.write(&packet[..5], &mut out), None, "no packet");
}
