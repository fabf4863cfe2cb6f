//! Attributes with values that their definitions allow, chosen by bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pc_stun::AttributeType as Kind;
use stun_codec::AttributeType as TheirKind;

use super::*;

/// Bytes as a source of choices; zeros when they run out.
pub(super) struct Dice<'a>(std::slice::Iter<'a, u8>);

impl<'a> Dice<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// Fewer than 128 characters (RFC 8489 §14.9, §14.10 and §14.14).
    fn text(&mut self) -> String {
        const CHARS: [char; 16] = [
            'a', 'b', 'Z', '0', '9', ':', '+', '/', ' ', '"', '-', 'é', 'ß', '語', '字', '🦀',
        ];
        let len = self.byte() % 128;
        (0..len).map(|_| self.pick(&CHARS)).collect()
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.byte()).map(|_| self.byte()).collect()
    }

    fn address(&mut self) -> SocketAddr {
        let port = self.u16();
        let ip: IpAddr = match self.byte() & 1 {
            0 => Ipv4Addr::from(self.u32()).into(),
            _ => Ipv6Addr::from(std::array::from_fn::<u16, 8, _>(|_| self.u16())).into(),
        };
        SocketAddr::new(ip, port)
    }

    /// An attribute that nobody has defined, of either half (RFC 8489 §14).
    pub(super) fn strange(&mut self) -> (u16, Vec<u8>) {
        let kind = 0x7F00 | u16::from(self.byte()) | u16::from(self.byte() & 1) << 15;
        (kind, self.bytes())
    }
}

/// One attribute as either crate has it.
pub(super) struct Item {
    pub(super) theirs: Known,
    /// What ours borrows and theirs does not lend.
    kinds: Vec<Kind>,
    token: [u8; 8],
}

impl Item {
    pub(super) fn choose(dice: &mut Dice<'_>) -> Self {
        let kinds: Vec<u16> = match dice.byte() % 4 {
            0 => (0..dice.byte() % 8).map(|_| dice.u16()).collect(),
            _ => Vec::new(),
        };
        let theirs = Self::theirs(dice, &kinds);
        let token = match &theirs {
            Known::ReservationToken(it) => it.token().to_be_bytes(),
            _ => [0; 8],
        };
        Self {
            theirs,
            kinds: kinds.into_iter().map(Kind).collect(),
            token,
        }
    }

    fn theirs(dice: &mut Dice<'_>, kinds: &[u16]) -> Known {
        match dice.byte() % 24 {
            0 => MappedAddress::new(dice.address()).into(),
            1 => XorMappedAddress::new(dice.address()).into(),
            2 => AlternateServer::new(dice.address()).into(),
            // 508 bytes (RFC 8489 §14.3); no character takes more than four.
            3 => Username::new(dice.text()).expect("short").into(),
            // Of the codes, 300 to 599 are in either's range.
            4 => ErrorCode::new(300 + dice.u16() % 300, dice.text())
                .expect("valid")
                .into(),
            5 => {
                let kinds = kinds.iter().map(|kind| TheirKind::new(*kind));
                UnknownAttributes::new(kinds.collect()).into()
            }
            6 => Realm::new(dice.text()).expect("short").into(),
            7 => Nonce::new(dice.text()).expect("short").into(),
            8 => Software::new(dice.text()).expect("short").into(),
            9 => Priority::new(dice.u32()).into(),
            10 => UseCandidate::new().into(),
            11 => IceControlled::new(dice.u64()).into(),
            12 => IceControlling::new(dice.u64()).into(),
            13 => ChannelNumber::new(0x4000 | dice.u16() & 0xFFF)
                .expect("valid")
                .into(),
            14 => Lifetime::new(Duration::from_secs(dice.u32().into()))
                .expect("32 bits")
                .into(),
            15 => XorPeerAddress::new(dice.address()).into(),
            16 => Data::new(dice.bytes()).expect("short").into(),
            17 => XorRelayAddress::new(dice.address()).into(),
            18 => EvenPort::new(dice.byte() & 1 == 1).into(),
            19 => RequestedTransport::new(dice.byte()).into(),
            20 => DontFragment.into(),
            21 => ReservationToken::new(dice.u64()).into(),
            22 => RequestedAddressFamily::new(dice.pick(&[Family::V4, Family::V6])).into(),
            // RFC 8656 §18.11: no other value.
            _ => AdditionalAddressFamily::new(Family::V6).into(),
        }
    }

    pub(super) fn ours(&self) -> Attribute<'_> {
        match &self.theirs {
            Known::MappedAddress(it) => Attribute::MappedAddress(it.address()),
            Known::XorMappedAddress(it) => Attribute::XorMappedAddress(it.address()),
            Known::AlternateServer(it) => Attribute::AlternateServer(it.address()),
            Known::Username(it) => Attribute::Username(it.name()),
            Known::ErrorCode(it) => Attribute::ErrorCode(pc_stun::ErrorCode {
                code: it.code(),
                reason: it.reason_phrase(),
            }),
            Known::UnknownAttributes(_) => {
                Attribute::UnknownAttributes(pc_stun::UnknownAttributes::new(&self.kinds))
            }
            Known::Realm(it) => Attribute::Realm(it.text()),
            Known::Nonce(it) => Attribute::Nonce(it.value()),
            Known::Software(it) => Attribute::Software(it.description()),
            Known::Priority(it) => Attribute::Priority(it.prio()),
            Known::UseCandidate(_) => Attribute::UseCandidate,
            Known::IceControlled(it) => Attribute::IceControlled(it.prio()),
            Known::IceControlling(it) => Attribute::IceControlling(it.prio()),
            Known::ChannelNumber(it) => Attribute::ChannelNumber(it.value()),
            Known::Lifetime(it) => {
                Attribute::Lifetime(it.lifetime().as_secs().try_into().expect("32 bits"))
            }
            Known::XorPeerAddress(it) => Attribute::XorPeerAddress(it.address()),
            Known::Data(it) => Attribute::Data(it.data()),
            Known::XorRelayAddress(it) => Attribute::XorRelayedAddress(it.address()),
            Known::EvenPort(it) => Attribute::EvenPort {
                reserve: it.is_requested(),
            },
            Known::RequestedTransport(it) => Attribute::RequestedTransport(it.protocol()),
            Known::DontFragment(_) => Attribute::DontFragment,
            Known::ReservationToken(_) => Attribute::ReservationToken(&self.token),
            Known::RequestedAddressFamily(it) => {
                Attribute::RequestedAddressFamily(family(it.address_family()))
            }
            Known::AdditionalAddressFamily(it) => {
                Attribute::AdditionalAddressFamily(family(it.address_family()))
            }
            Known::MessageIntegrity(_) | Known::Fingerprint(_) => {
                unreachable!("these are not chosen")
            }
        }
    }
}

pub(super) fn family(theirs: Family) -> AddressFamily {
    match theirs {
        Family::V4 => AddressFamily::V4,
        Family::V6 => AddressFamily::V6,
    }
}
