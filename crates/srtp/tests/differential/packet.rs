//! Packets as applications send them, and what an attacker makes of them.

use super::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rtp = 0,
    Rtcp = 1,
}

/// A packet in the clear.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
    /// Between the contributing sources and the payload.
    extension: std::ops::Range<usize>,
}

impl Plain {
    pub(crate) fn rtp(dice: &mut Dice<'_>, ssrc: u32, sequence_number: u16) -> Self {
        let (csrcs, form) = (dice.byte() % 16, dice.byte());
        let profile = match form % 4 {
            0 => None,
            1 => Some(0xBEDE),
            2 => Some(0x1000),
            _ => Some(dice.u16()).filter(|it| ![0xBEDE, 0x1000, 0xC0DE, 0xC2DE].contains(it)),
        };
        let mut bytes = vec![0x80 | (form & 0x20) | csrcs, dice.byte()];
        bytes[0] |= u8::from(profile.is_some()) << 4;
        bytes.extend(sequence_number.to_be_bytes());
        bytes.extend(dice.bytes(4));
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(dice.bytes(usize::from(csrcs) * 4));
        let start = bytes.len();
        if let Some(profile) = profile {
            bytes.extend(extension(dice, profile));
        }
        let extension = start..bytes.len();
        // Most are short: there is time for more of them.
        let len = match dice.byte() {
            long @ 240.. => usize::from(long - 239) * 90,
            short => usize::from(short % 70),
        };
        bytes.extend(dice.bytes(len));
        Self {
            kind: Kind::Rtp,
            bytes,
            extension,
        }
    }

    pub(crate) fn rtcp(dice: &mut Dice<'_>, ssrc: u32) -> Self {
        let mut bytes = vec![0x80 | (dice.byte() % 64), 192 + dice.byte() % 32];
        bytes.extend(dice.bytes(2));
        bytes.extend(ssrc.to_be_bytes());
        let len = usize::from(dice.byte());
        bytes.extend(dice.bytes(len));
        Self {
            kind: Kind::Rtcp,
            bytes,
            extension: 0..0,
        }
    }

    /// `wire` with one change, and whether the oracle can read the outcome.
    pub(crate) fn change(&self, wire: &[u8], dice: &mut Dice<'_>) -> (Vec<u8>, bool) {
        let mut forged = wire.to_vec();
        let (how, place) = (dice.byte(), usize::from(dice.u16()) % wire.len());
        match how % 4 {
            0 => forged.truncate(place),
            1 => {
                forged.remove(place);
            }
            2 => forged.insert(place, how),
            _ => forged[place] ^= 1 << (how >> 5),
        }
        if forged == wire {
            forged.push(how);
        }
        let readable = match self.kind {
            // The lengths are where they were.
            Kind::Rtp => {
                forged.len() >= self.extension.end
                    && forged[0] & 0x1F == wire[0] & 0x1F
                    && forged[self.extension.clone()] == wire[self.extension.clone()]
            }
            // Long enough for the oracle, which ignores the flag E in its own ways.
            Kind::Rtcp => forged.len() >= 22 && has_flag(&forged, wire.len() - self.bytes.len()),
        };
        (forged, readable)
    }
}

/// Whether the flag E is set, `overhead` being 14 with AES-CM and 20 with AES-GCM.
fn has_flag(packet: &[u8], overhead: usize) -> bool {
    let behind = if overhead == 14 { 14 } else { 4 };
    packet[packet.len() - behind] & 0x80 != 0
}

/// A header extension with its four bytes in front.
fn extension(dice: &mut Dice<'_>, profile: u16) -> Vec<u8> {
    let mut data = Vec::new();
    for _ in 0..dice.byte() % 5 {
        let (id, len) = (dice.byte(), dice.byte());
        match profile {
            0xBEDE => {
                let len = usize::from(len % 16);
                data.push((1 + id % 14) << 4 | len as u8);
                data.extend(dice.bytes(len + 1));
            }
            0x1000 => {
                data.extend([id.max(1), len]);
                data.extend(dice.bytes(usize::from(len)));
            }
            _ => data.extend(dice.bytes(usize::from(len) * 4)),
        }
        // Padding between elements (RFC 8285 §4.1.2).
        if profile == 0xBEDE || profile == 0x1000 {
            data.extend(vec![0; usize::from(id / 64)]);
        }
    }
    data.resize(data.len().next_multiple_of(4), 0);
    let mut bytes = profile.to_be_bytes().to_vec();
    bytes.extend(((data.len() / 4) as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}
