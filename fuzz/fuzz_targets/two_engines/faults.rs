//! What the network, the signaling and an attacker do to the connections.

use std::net::SocketAddr;

use pc_proto::Protocol;
use pc_simnet::{HostId, Link, ms};
use peerconnection::{IceCandidate, SdpType, SessionDescription};

use super::{Bytes, World};

impl World {
    /// A description with one byte changed: refused, or believed.
    pub(super) fn misquote(&mut self, side: usize, bytes: &mut Bytes<'_>) {
        let (at, xor) = (
            u16::from_be_bytes([bytes.byte(), bytes.byte()]),
            bytes.byte(),
        );
        let Some(description) = self.net[HostId(1 - side)].view().local_description() else {
            return;
        };
        let mut sdp = description.sdp.into_bytes();
        let index = usize::from(at) % sdp.len();
        sdp[index] ^= xor;
        let kind = if xor & 1 == 0 {
            SdpType::Offer
        } else {
            description.kind
        };
        let sdp = String::from_utf8_lossy(&sdp).into_owned();
        let now = self.net.now();
        let connection = self.net[HostId(side)].connection();
        let before = connection.signaling_state();
        let told = connection.set_remote_description(now, SessionDescription { kind, sdp });
        self.confused |= told.is_ok();
        let after = connection.signaling_state();
        assert!(
            told.is_ok() || before == after,
            "a refused description changes nothing"
        );
    }

    pub(super) fn stray_candidate(&mut self, side: usize, choice: u8) {
        let candidate = [
            "candidate:1 1 udp 2130706431 203.0.113.7 9 typ host",
            "candidate:1 1 tcp 1 203.0.113.7 9 typ host tcptype active",
            "candidate:1 1 udp 1 a.local 9 typ host",
            "candidate:1 1 udp 1 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 1",
        ][usize::from(choice % 4)];
        let candidate = IceCandidate {
            candidate: candidate.to_owned(),
            sdp_m_line_index: Some(0),
            ..IceCandidate::default()
        };
        let now = self.net.now();
        let connection = self.net[HostId(side)].connection();
        let _ = connection.add_ice_candidate(now, Some(candidate));
    }

    pub(super) fn set_links(&mut self) {
        let addresses = self.addresses();
        for (side, byte) in self.link.iter().enumerate() {
            let (from, to) = (addresses[side], addresses[1 - side]);
            self.net.set_link(from, to, link(*byte));
        }
    }

    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        [0, 1].map(|side| self.net[HostId(side)].address)
    }

    pub(super) fn cut(&mut self, from: usize, both: bool) {
        let addresses = self.addresses();
        self.net.cut(addresses[from], addresses[1 - from]);
        if both {
            self.net.cut(addresses[1 - from], addresses[from]);
        }
        self.cut = true;
    }

    pub(super) fn mend(&mut self) {
        self.net.mend_between(HostId(0), HostId(1));
        self.cut = false;
    }

    pub(super) fn tamper(&mut self) {
        self.excuse |= !self.is_secure();
    }

    pub(super) fn inject(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let length = bytes.byte() % 64;
        let datagram: Vec<u8> = (0..length).map_while(|_| bytes.next()).collect();
        self.tamper();
        let addresses = self.addresses();
        self.net.inject(addresses[1 - to], addresses[to], &datagram);
    }

    /// What was heard once again: as it was, with a byte changed, or cut short; maybe from a
    /// stranger.
    pub(super) fn replay(&mut self, to: usize, how: u8, bytes: &mut Bytes<'_>) {
        let choice = bytes.byte();
        let Some((route, mut datagram)) = self.net[HostId(to)].heard(usize::from(choice)) else {
            return;
        };
        let (at, change) = (
            u16::from_be_bytes([bytes.byte(), bytes.byte()]),
            bytes.byte(),
        );
        let at = usize::from(at) % datagram.len().max(1);
        match how {
            17 => {}
            18 => datagram
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= change),
            _ => datagram.truncate(at),
        }
        self.tamper();
        let stranger = SocketAddr::from(([203, 0, 113, 9], 9));
        let from = if choice & 0x80 == 0 {
            route.remote
        } else {
            stranger
        };
        self.net.inject(from, route.local, &datagram);
    }

    /// Calls that a driver may make at any time, and that change nothing.
    pub(super) fn disturb(&mut self, side: usize, choice: u8) {
        let now = self.net.now();
        let channel = self.channel(side, choice);
        let connection = self.net[HostId(side)].connection();
        connection.handle_timeout(now);
        connection.update_negotiation_needed();
        connection.gather(now, &[]);
        let _ = (
            connection.remote_description(),
            connection.pending_local_description(),
        );
        if let Some((id, _)) = channel {
            connection.set_buffered_amount_low_threshold(id, usize::from(choice) << 8);
        }
    }
}

/// From two bits each: reordering, duplication, loss, corruption.
fn link(byte: u8) -> Link {
    let of = |shift: u8, table: [f64; 4]| table[usize::from(byte >> shift & 3)];
    Link::new()
        .delay(ms(10))
        .jitter(ms(2))
        .reorder(of(0, [0.0, 0.1, 0.5, 1.0]), ms(300))
        .duplicate(of(2, [0.0, 0.1, 0.5, 1.0]))
        .loss(of(4, [0.0, 0.03, 0.3, 0.6]))
        .corrupt(of(6, [0.0, 0.03, 0.3, 0.6]))
}

/// Nothing fails for what such a link does, once the handshake is over.
pub(super) fn is_gentle(link: u8) -> bool {
    (link >> 4 & 3) < 2 && (link >> 6) < 2
}
