//! Protecting and unprotecting allocate nothing once a source is known.

use pc_srtp::{Options, Profile, Receiver, Sender};

#[test]
fn no_allocation_per_packet() {
    for profile in Profile::ALL {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut sender = Sender::new(profile, &key, &salt, Options::default()).unwrap();
        let mut receiver = Receiver::new(profile, &key, &salt, Options::default()).unwrap();
        let mut packet = vec![0_u8; 1200 + 20];
        let mut round = |number: u16, ssrc: u8| {
            packet[..12].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, ssrc]);
            packet[2..4].copy_from_slice(&number.to_be_bytes());
            let len = sender.protect_rtp(&mut packet, 1200).unwrap();
            receiver.unprotect_rtp(&mut packet[..len]).unwrap();
            packet[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, ssrc]);
            let len = sender.protect_rtcp(&mut packet, 100).unwrap();
            receiver.unprotect_rtcp(&mut packet[..len]).unwrap();
        };
        for ssrc in 0..100 {
            round(0, ssrc);
        }
        let counted = allocation_counter::measure(|| {
            for number in 1..50 {
                for ssrc in 0..100 {
                    round(number, ssrc);
                }
            }
        });
        assert_eq!(counted.count_total, 0, "{profile:?}");
    }
}
