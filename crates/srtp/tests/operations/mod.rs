//! What the fuzz target `srtp` runs: packets that are protected, changed, repeated, reordered and made
//! up. What was protected comes back, once; nothing else does; and what is refused changes nothing.

use std::collections::BTreeSet;

use pc_srtp::{Options, Profile, Receiver, Sender};

/// Four bytes for each operation: what, which source, a number, how.
pub(crate) fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let profile = Profile::ALL[usize::from(choice) % 4];
    let options = Options {
        cryptex: choice & 0x10 != 0,
        replay_window: 64 << (choice >> 6),
        max_ssrcs: 4,
    };
    let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
    let mut sender = Sender::new(profile, &key, &salt, options.clone()).unwrap();
    let mut receiver = Receiver::new(profile, &key, &salt, options).unwrap();
    let mut world = World::default();
    let (operations, _) = rest.as_chunks::<4>();
    for [what, source, number, how] in operations.iter().take(512) {
        match what % 8 {
            0..=3 => world.protect(&mut sender, *source, *number, *how),
            4 => world.deliver(&mut receiver, *number, None),
            5 => world.deliver(&mut receiver, *number, Some(*how)),
            6 => world.make_up(&mut receiver, operations, usize::from(*number)),
            _ => world.next = world.next.wrapping_add(u16::from(*number) << 7),
        }
    }
}

#[derive(Default)]
struct World {
    next: u16,
    /// Plain and protected.
    sent: Vec<(Vec<u8>, Vec<u8>)>,
    received: BTreeSet<usize>,
}

impl World {
    fn protect(&mut self, sender: &mut Sender, source: u8, number: u8, how: u8) {
        let mut plain = if how & 1 == 0 {
            self.next = self.next.wrapping_add(1);
            let [high, low] = self.next.to_be_bytes();
            let mut packet = vec![0x80, 96, high, low, 0, 0, 0, 1, 0, 0, 0, source % 6];
            if how & 2 != 0 {
                packet[0] = 0x91;
                packet.extend([0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 0x10, number, 0, 0]);
            }
            packet
        } else {
            vec![0x80, 201, 0, 1, 0, 0, 0, source % 6]
        };
        plain.extend(std::iter::repeat_n(number, usize::from(how) * 3));
        let mut wire = plain.clone();
        wire.resize(plain.len() + 20, 0xEE);
        let protected = match how & 1 {
            0 => sender.protect_rtp(&mut wire, plain.len()),
            _ => sender.protect_rtcp(&mut wire, plain.len()),
        };
        if let Ok(len) = protected {
            wire.truncate(len);
            self.sent.push((plain, wire));
        }
    }

    /// A packet that was protected, whole or changed at one place.
    fn deliver(&mut self, receiver: &mut Receiver, number: u8, change: Option<u8>) {
        let Some(index) = self.sent.len().checked_sub(1 + usize::from(number)) else {
            return;
        };
        let (plain, wire) = &self.sent[index];
        let mut bytes = wire.clone();
        if let Some(how) = change {
            let at = usize::from(how) % bytes.len();
            bytes[at] ^= 1 << (how % 8);
        }
        let unprotected = match plain[1] {
            201 => receiver.unprotect_rtcp(&mut bytes),
            _ => receiver.unprotect_rtp(&mut bytes),
        };
        if let Ok(found) = unprotected {
            assert!(change.is_none(), "a forged packet was taken");
            assert_eq!(found, plain);
            assert!(self.received.insert(index), "a packet was taken twice");
        }
    }

    /// Bytes that nobody has protected.
    fn make_up(&self, receiver: &mut Receiver, operations: &[[u8; 4]], len: usize) {
        let bytes: Vec<u8> = operations
            .as_flattened()
            .iter()
            .copied()
            .take(len)
            .collect();
        assert!(receiver.unprotect_rtp(&mut bytes.clone()).is_err());
        assert!(receiver.unprotect_rtcp(&mut bytes.clone()).is_err());
    }
}
