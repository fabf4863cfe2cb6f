//! Vectors of the RFCs, and what an attacker may do.

use proptest::prelude::*;

use crate::{Options, Profile, Receiver, Rejected, Sender, cipher::Cipher};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn pair_with(profile: Profile, options: &Options) -> (Sender, Receiver) {
    let key: Vec<_> = (1..=profile.key_len() as u8).collect();
    let salt: Vec<_> = (101..=100 + profile.salt_len() as u8).collect();
    (
        Sender::new(profile, &key, &salt, options.clone()).unwrap(),
        Receiver::new(profile, &key, &salt, options.clone()).unwrap(),
    )
}

fn pair(profile: Profile) -> (Sender, Receiver) {
    pair_with(profile, &Options::default())
}

fn rtp(ssrc: u32, sequence_number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = hex("80 60 0000 00000001 00000000");
    packet[2..4].copy_from_slice(&sequence_number.to_be_bytes());
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = hex("80 c9 0001 00000000 81 ce 0002 00000001 00000002");
    packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
    packet
}

fn protect(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    bytes.resize(packet.len() + 20, 0xEE);
    let len = match packet[1] {
        192..=223 => sender.protect_rtcp(&mut bytes, packet.len()),
        _ => sender.protect_rtp(&mut bytes, packet.len()),
    };
    bytes.truncate(len.unwrap());
    bytes
}

fn unprotect(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut bytes = packet.to_vec();
    let plain = match packet.get(1) {
        Some(192..=223) => receiver.unprotect_rtcp(&mut bytes),
        _ => receiver.unprotect_rtp(&mut bytes),
    };
    plain.map(|plain| plain.to_vec())
}

/// The vector that libsrtp and others test with: master key and salt of RFC 3711 §B.3.
#[test]
fn a_packet_of_aes_cm_with_hmac_sha1() {
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139");
    let salt = hex("0ec675ad498afeebb6960b3aabe6");
    let profile = Profile::Aes128CmSha1_80;
    let mut sender = Sender::new(profile, &key, &salt, Options::default()).unwrap();
    let plain = hex("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    let expected = hex(
        "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb",
    );
    assert_eq!(protect(&mut sender, &plain), expected);
    let mut receiver = Receiver::new(profile, &key, &salt, Options::default()).unwrap();
    assert_eq!(unprotect(&mut receiver, &expected), Ok(plain));
}

/// RFC 7714 §16.1.1 and §16.2.1: session keys that count up, the salt "Quid pro quo".
#[test]
fn packets_of_aes_gcm() {
    let plain = hex(
        "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 \
         69736120 696e2070 61727465 73207472 6573",
    );
    let expected = [
        (
            16,
            "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b \
             36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
        ),
        (
            32,
            "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f \
             1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
        ),
    ];
    for (len, expected) in expected {
        let key: Vec<u8> = (0..len).collect();
        let cipher = Cipher::of_session_keys(&key, *b"Quid pro quo");
        let mut packet = plain.clone();
        packet.resize(plain.len() + 16, 0);
        let (ssrc, index) = (0x5501_A0B2, 0xF17B);
        let protected = cipher.protect_rtp(&mut packet, plain.len(), 12, ssrc, index);
        assert_eq!(protected, Ok(packet.len()));
        assert_eq!(packet[12..], hex(expected));
        let opened = cipher.unprotect_rtp(&mut packet, 12, ssrc, index);
        assert_eq!(opened, Ok(plain.len()));
        assert_eq!(packet[..plain.len()], plain);
    }
}

#[test]
fn everything_comes_back() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        for number in 0..300_u16 {
            let packet = rtp(7, number, &vec![number as u8; usize::from(number) * 4]);
            let wire = protect(&mut sender, &packet);
            assert_eq!(wire.len(), packet.len() + profile.rtp_overhead());
            assert!(number == 0 || wire[12..packet.len()] != packet[12..]);
            assert_eq!(unprotect(&mut receiver, &wire), Ok(packet));
            let packet = rtcp(7);
            let wire = protect(&mut sender, &packet);
            assert_eq!(wire.len(), packet.len() + profile.rtcp_overhead());
            assert_ne!(wire[8..packet.len()], packet[8..]);
            assert_eq!(unprotect(&mut receiver, &wire), Ok(packet));
        }
    }
}

#[test]
fn whatever_is_changed_is_refused_and_changes_nothing() {
    for profile in Profile::ALL {
        for packet in [rtp(7, 9, b"payload"), rtcp(7)] {
            let (mut sender, mut receiver) = pair(profile);
            let wire = protect(&mut sender, &packet);
            for at in 0..wire.len() {
                for bit in [0, 7] {
                    let mut forged = wire.clone();
                    forged[at] ^= 1 << bit;
                    assert!(
                        unprotect(&mut receiver, &forged).is_err(),
                        "{profile:?} {at}"
                    );
                }
            }
            for len in 0..wire.len() {
                assert!(unprotect(&mut receiver, &wire[..len]).is_err());
            }
            let mut longer = wire.clone();
            longer.push(0);
            assert!(unprotect(&mut receiver, &longer).is_err());
            assert_eq!(unprotect(&mut receiver, &wire), Ok(packet.clone()));
            assert_eq!(unprotect(&mut receiver, &wire), Err(Rejected::Replayed));
        }
    }
}

#[test]
fn sequence_numbers_roll_over_both_ways() {
    for profile in [Profile::Aes128CmSha1_80, Profile::AeadAes128Gcm] {
        let (mut sender, mut receiver) = pair(profile);
        let mut wires: Vec<_> = (65_500..65_600_u32)
            .map(|number| protect(&mut sender, &rtp(7, number as u16, b"x")))
            .collect();
        // Late packets from before the wrap come after it.
        wires.swap(30, 60);
        wires.swap(35, 37);
        for wire in &wires {
            assert!(unprotect(&mut receiver, wire).is_ok());
        }
        // A jump of more than half the space cannot be followed; the stream can.
        let mut far = rtp(7, 40_000, b"x");
        far = protect(&mut pair(profile).0, &far);
        assert_eq!(unprotect(&mut receiver, &far), Err(Rejected::TooOld));
        let next = protect(&mut sender, &rtp(7, 64, b"x"));
        assert!(unprotect(&mut receiver, &next).is_ok());
    }
}

#[test]
fn a_forged_roll_over_does_not_move_the_counter() {
    let (mut sender, mut receiver) = pair(Profile::AeadAes256Gcm);
    let first = protect(&mut sender, &rtp(7, 60_000, b"x"));
    assert!(unprotect(&mut receiver, &first).is_ok());
    for number in (0..20_000).step_by(64) {
        let forged = protect(&mut pair(Profile::AeadAes256Gcm).0, &rtp(7, number, b"x"));
        assert_eq!(
            unprotect(&mut receiver, &forged),
            Err(Rejected::NotAuthentic)
        );
    }
    let second = protect(&mut sender, &rtp(7, 60_001, b"x"));
    assert!(unprotect(&mut receiver, &second).is_ok());
}

#[test]
fn replays_are_known_to_the_edge_of_the_window() {
    let (mut sender, mut receiver) = pair(Profile::AeadAes128Gcm);
    let wires: Vec<_> = (0..2000)
        .map(|number| protect(&mut sender, &rtp(7, number, b"x")))
        .collect();
    for wire in wires.iter().step_by(2) {
        assert!(unprotect(&mut receiver, wire).is_ok());
    }
    // 1,998 was the last: from 975 on the window reaches.
    for (number, wire) in wires.iter().enumerate() {
        let expected = match number {
            0..975 => Some(Rejected::TooOld),
            _ if number % 2 == 0 => Some(Rejected::Replayed),
            1999 => break,
            _ => None,
        };
        assert_eq!(unprotect(&mut receiver, wire).err(), expected, "{number}");
    }
}

#[test]
fn a_flood_of_sources_costs_no_memory() {
    let options = Options {
        max_ssrcs: 8,
        ..Options::default()
    };
    let (mut sender, mut receiver) = pair_with(Profile::AeadAes128Gcm, &options);
    let packets: Vec<_> = (0..8)
        .map(|ssrc| protect(&mut sender, &rtp(ssrc, 1, b"x")))
        .collect();
    // Forged ones first: they must not take anybody's place.
    for ssrc in 100..1000 {
        let mut forged = rtp(ssrc, 1, b"x");
        forged.extend([0; 16]);
        assert_eq!(
            unprotect(&mut receiver, &forged),
            Err(Rejected::NotAuthentic)
        );
    }
    for packet in &packets {
        assert!(unprotect(&mut receiver, packet).is_ok());
    }
    let mut ninth = rtp(9, 1, b"x");
    ninth.extend([0; 20]);
    assert_eq!(
        sender.protect_rtp(&mut ninth, 13),
        Err(Rejected::TooManySources)
    );
    assert_eq!(
        unprotect(&mut receiver, &ninth),
        Err(Rejected::TooManySources)
    );
}

#[test]
fn rtcp_that_anybody_can_read_is_refused() {
    let profile = Profile::Aes128CmSha1_80;
    let (_, mut receiver) = pair(profile);
    let mut packet = rtcp(7);
    packet.extend([0; 14]);
    assert_eq!(
        unprotect(&mut receiver, &packet),
        Err(Rejected::NotEncrypted)
    );
    assert_eq!(receiver.unprotect_rtcp(&mut []), Err(Rejected::Malformed));
}

#[test]
fn room_and_lengths_are_checked() {
    for profile in Profile::ALL {
        let (mut sender, _) = pair(profile);
        let mut packet = rtp(7, 1, b"x");
        let len = packet.len();
        packet.resize(len + profile.rtp_overhead() - 1, 0);
        assert_eq!(sender.protect_rtp(&mut packet, len), Err(Rejected::NoRoom));
        assert_eq!(
            sender.protect_rtp(&mut packet, len + 100),
            Err(Rejected::Malformed)
        );
        assert_eq!(
            sender.protect_rtp(&mut packet, 11),
            Err(Rejected::Malformed)
        );
        assert!(Sender::new(profile, &[0; 3], &[0; 14], Options::default()).is_err());
        assert!(
            Sender::new(
                profile,
                &vec![0; profile.key_len()],
                &[0; 3],
                Options::default()
            )
            .is_err()
        );
    }
    let options = Options {
        replay_window: 63,
        ..Options::default()
    };
    assert!(Receiver::new(Profile::AeadAes128Gcm, &[0; 16], &[0; 12], options).is_err());
}

/// A packet with an extension that has two contributing sources in front of it.
fn with_extension() -> Vec<u8> {
    hex("92 60 0001 00000000 00000007 0000000a 0000000b bede 0001 10 c8 00 00 c0ffee")
}

#[test]
fn cryptex_hides_extensions_and_contributing_sources() {
    let options = Options {
        cryptex: true,
        ..Options::default()
    };
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair_with(profile, &options);
        let packet = with_extension();
        let wire = protect(&mut sender, &packet);
        assert_eq!(wire[..12], packet[..12]);
        assert_eq!(wire[20..24], hex("c0de 0001"));
        assert_ne!(wire[12..20], packet[12..20]);
        assert_ne!(wire[24..28], packet[24..28]);
        // One that has not agreed to it drops the packet.
        let (_, mut plain) = pair(profile);
        assert_eq!(unprotect(&mut plain, &wire), Err(Rejected::Malformed));
        let mut forged = wire.clone();
        forged[25] ^= 1;
        assert_eq!(
            unprotect(&mut receiver, &forged),
            Err(Rejected::NotAuthentic)
        );
        assert_eq!(unprotect(&mut receiver, &wire), Ok(packet));
        // Without an extension nothing is different.
        let bare = rtp(7, 2, b"x");
        let wire = protect(&mut sender, &bare);
        assert_eq!(unprotect(&mut receiver, &wire), Ok(bare));
        // No room: the packet is as it was.
        let mut packet = with_extension();
        packet[3] = 3;
        let before = packet.clone();
        let len = packet.len();
        assert_eq!(sender.protect_rtp(&mut packet, len), Err(Rejected::NoRoom));
        assert_eq!(packet, before);
    }
}

#[test]
fn keys_are_not_printed() {
    let (sender, receiver) = pair(Profile::AeadAes128Gcm);
    let text = format!("{sender:?} {receiver:?}");
    assert!(!text.contains("key") && !text.contains("salt"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for profile in Profile::ALL {
            let options = Options { cryptex: true, ..Options::default() };
            let (mut sender, mut receiver) = pair_with(profile, &options);
            prop_assert!(receiver.unprotect_rtp(&mut bytes.clone()).is_err());
            prop_assert!(receiver.unprotect_rtcp(&mut bytes.clone()).is_err());
            // Whatever can be protected comes back.
            let mut packet = bytes.clone();
            packet.resize(bytes.len() + 20, 0);
            if let Ok(len) = sender.protect_rtp(&mut packet, bytes.len()) {
                let encrypted = matches!(
                    bytes.get(12 + 4 * usize::from(bytes[0] & 15)..),
                    Some([0xC0 | 0xC2, 0xDE, ..])
                ) && bytes[0] & 0x10 != 0;
                let plain = receiver.unprotect_rtp(&mut packet[..len]);
                prop_assert!(encrypted || plain == Ok(&mut bytes.clone()[..]));
            }
        }
    }
}

#[test]
fn ciphers_stay_small() {
    // One for each direction of every connection.
    assert!(size_of::<Cipher>() <= 16);
}
