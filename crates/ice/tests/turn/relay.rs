//! The allocations of the server: who may send what to whom, and until when.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use pc_proto::FiveTuple;
use pc_stun::{
    AddressFamily, Attribute, AttributeType as T, ChannelHeader, ChannelNumber, Class, ErrorCode,
    MessageBuilder, MessageView, Method, TransactionId, Writer,
};

use crate::server::{Additional, Answer, Policy};

/// What the first allocation gets; the next ones get the ports that follow.
pub(crate) const RELAYED_V4: &str = "192.0.2.1:49152";
pub(crate) const RELAYED_V6: &str = "[2001:db8::1]:49152";

/// How many allocations there may be at a time (RFC 8656 §5: a quota).
pub(crate) const QUOTA: u16 = 64;

const PERMISSION: Duration = Duration::from_secs(300);
const CHANNEL: Duration = Duration::from_secs(600);

pub(crate) struct Relay {
    /// Where the relayed addresses begin, of both families.
    first: [SocketAddr; 2],
    pub(crate) allocations: Vec<Allocation>,
    /// What could not be relayed, and why.
    pub(crate) dropped: Vec<&'static str>,
    /// How many messages came in which form.
    pub(crate) channel_messages: usize,
    pub(crate) indications: usize,
    tickets: u8,
}

impl Default for Relay {
    fn default() -> Self {
        Self::new([RELAYED_V4, RELAYED_V6].map(|text| text.parse().unwrap()))
    }
}

pub(crate) struct Allocation {
    pub(crate) client: SocketAddr,
    pub(crate) relayed: Vec<SocketAddr>,
    pub(crate) expires_at: Instant,
    pub(crate) permissions: HashMap<IpAddr, Instant>,
    pub(crate) channels: HashMap<ChannelNumber, (SocketAddr, Instant)>,
    ticket: Vec<u8>,
}

impl Relay {
    /// Relayed addresses begin at these two, of IPv4 and IPv6.
    pub(crate) fn new(first: [SocketAddr; 2]) -> Self {
        Self {
            first,
            allocations: Vec::new(),
            dropped: Vec::new(),
            channel_messages: 0,
            indications: 0,
            tickets: 0,
        }
    }

    /// Every address that may be allocated.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let first = self.first;
        (0..QUOTA).flat_map(move |n| first.map(|it| SocketAddr::new(it.ip(), it.port() + n)))
    }

    /// The only allocation, where there is but one client.
    pub(crate) fn allocation(&self) -> Option<&Allocation> {
        assert!(self.allocations.len() < 2, "{}", self.allocations.len());
        self.allocations.first()
    }

    fn of(&mut self, client: SocketAddr) -> Option<&mut Allocation> {
        self.allocations.iter_mut().find(|it| it.client == client)
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        self.allocations.retain(|it| it.expires_at > now);
        for allocation in &mut self.allocations {
            allocation.permissions.retain(|_, until| *until > now);
            allocation.channels.retain(|_, (_, until)| *until > now);
        }
    }

    pub(crate) fn request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: &MessageView<'_>,
        policy: &Policy,
    ) -> Answer {
        if request.method() == Method::ALLOCATE {
            return self.allocate(now, from, request, policy);
        }
        if let Some(ticket) = request.value(T::MOBILITY_TICKET)
            && let Some(allocation) = self.allocations.iter_mut().find(|it| it.ticket == ticket)
        {
            allocation.client = from;
        }
        let Some(allocation) = self.of(from) else {
            return Answer::Error(ErrorCode::ALLOCATION_MISMATCH);
        };
        let peer = match request.attribute(T::XOR_PEER_ADDRESS) {
            Some(Attribute::XorPeerAddress(peer)) => Some(peer),
            _ => None,
        };
        let same_family =
            |relayed: &SocketAddr| peer.is_none_or(|peer| peer.is_ipv4() == relayed.is_ipv4());
        if !allocation.relayed.iter().any(same_family) {
            return Answer::Error(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        match (request.method(), peer) {
            (Method::REFRESH, None) => self.refresh(now, from, request, policy),
            (Method::CREATE_PERMISSION, Some(peer)) => {
                allocation.permissions.insert(peer.ip(), now + PERMISSION);
                Answer::Success(Box::new(|_| {}))
            }
            (Method::CHANNEL_BIND, Some(peer)) => allocation.bind(now, request, peer),
            (Method::CONNECT, Some(peer)) => {
                let id = u32::from(peer.port());
                Answer::Success(Box::new(move |message| {
                    message.attribute(Attribute::ConnectionId(id));
                }))
            }
            other => panic!("{other:?}"),
        }
    }

    /// RFC 8656 §7.2
    fn allocate(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: &MessageView<'_>,
        policy: &Policy,
    ) -> Answer {
        if self.of(from).is_some() {
            return Answer::Error(ErrorCode::ALLOCATION_MISMATCH);
        }
        let Some(Attribute::RequestedTransport(6 | 17)) = request.attribute(T::REQUESTED_TRANSPORT)
        else {
            return Answer::Error(ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL);
        };
        if policy.forbids_mobility && request.value(T::MOBILITY_TICKET).is_some() {
            return Answer::Error(ErrorCode::MOBILITY_FORBIDDEN);
        }
        let wants_both = match policy.additional {
            Additional::Known => request.value(T::ADDITIONAL_ADDRESS_FAMILY).is_some(),
            Additional::Draft => request.value(T(0x8032)).is_some(),
            Additional::Ignored => false,
            Additional::Refused(error) => {
                if request.value(T::ADDITIONAL_ADDRESS_FAMILY).is_some() {
                    return Answer::Error(error);
                }
                false
            }
        };
        let wanted = match request.attribute(T::REQUESTED_ADDRESS_FAMILY) {
            Some(Attribute::RequestedAddressFamily(AddressFamily::V6)) => [false, true],
            None if wants_both => [true, true],
            _ => [true, false],
        };
        let given = [0, 1].map(|i| wanted[i] && policy.families[i]);
        let Some(addresses) = self.free() else {
            return Answer::Error(ErrorCode::ALLOCATION_QUOTA_REACHED);
        };
        let relayed: Vec<SocketAddr> = (0..2).filter(|i| given[*i]).map(|i| addresses[i]).collect();
        if relayed.is_empty() {
            return Answer::Error(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED);
        }
        let refused = (wanted == [true, true] && relayed.len() == 1).then(|| match given[0] {
            true => AddressFamily::V6,
            false => AddressFamily::V4,
        });
        let lifetime = lifetime(request, policy);
        let ticket = self.ticket(policy, request);
        self.allocations.push(Allocation {
            client: from,
            relayed: relayed.clone(),
            expires_at: now + lifetime,
            permissions: HashMap::new(),
            channels: HashMap::new(),
            ticket: ticket.clone(),
        });
        let reserves = matches!(
            request.attribute(T::EVEN_PORT),
            Some(Attribute::EvenPort { reserve: true })
        );
        let is_draft = policy.additional == Additional::Draft;
        Answer::Success(Box::new(move |message| {
            for relayed in &relayed {
                message.attribute(Attribute::XorRelayedAddress(*relayed));
            }
            if is_draft && refused.is_some() {
                // In the place of the family that it does not give.
                let nothing = ([0; 4], 0).into();
                message.attribute(Attribute::XorRelayedAddress(nothing));
            }
            message
                .attribute(Attribute::Lifetime(lifetime.as_secs() as u32))
                .attribute(Attribute::XorMappedAddress(from));
            if let Some(family) = refused {
                let error = ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED;
                message.attribute(Attribute::AddressErrorCode(family, error));
            }
            if reserves {
                message.attribute(Attribute::ReservationToken(b"reserved"));
            }
            if !ticket.is_empty() {
                message.attribute(Attribute::MobilityTicket(&ticket));
            }
        }))
    }

    /// The first two addresses with a port that nobody has.
    fn free(&self) -> Option<[SocketAddr; 2]> {
        let has = |it: SocketAddr| self.allocations.iter().any(|a| a.relayed.contains(&it));
        let at = |n| self.first.map(|it| SocketAddr::new(it.ip(), it.port() + n));
        (0..QUOTA)
            .map(at)
            .find(|pair| !pair.iter().any(|it| has(*it)))
    }

    fn ticket(&mut self, policy: &Policy, request: &MessageView<'_>) -> Vec<u8> {
        if !policy.mobility || request.value(T::MOBILITY_TICKET).is_none() {
            return Vec::new();
        }
        self.tickets += 1;
        vec![self.tickets; 20]
    }

    /// RFC 8656 §8.2
    fn refresh(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: &MessageView<'_>,
        policy: &Policy,
    ) -> Answer {
        let lifetime = lifetime(request, policy);
        let ticket = self.ticket(policy, request);
        if lifetime.is_zero() {
            self.allocations.retain(|it| it.client != from);
        } else if let Some(allocation) = self.of(from) {
            allocation.expires_at = now + lifetime;
            if !ticket.is_empty() {
                allocation.ticket.clone_from(&ticket);
            }
        }
        Answer::Success(Box::new(move |message| {
            message.attribute(Attribute::Lifetime(lifetime.as_secs() as u32));
            if !ticket.is_empty() {
                message.attribute(Attribute::MobilityTicket(&ticket));
            }
        }))
    }

    /// RFC 8656 §11.2
    pub(crate) fn send_indication(
        &mut self,
        from: SocketAddr,
        message: &MessageView<'_>,
    ) -> Option<(FiveTuple, Vec<u8>)> {
        assert_eq!(
            (message.class(), message.method()),
            (Class::Indication, Method::SEND)
        );
        assert_eq!(message.unknown_comprehension_required().count(), 0);
        self.indications += 1;
        let (Some(Attribute::XorPeerAddress(peer)), Some(data)) = (
            message.attribute(T::XOR_PEER_ADDRESS),
            message.value(T::DATA),
        ) else {
            panic!("{message:?}");
        };
        self.outward(from, peer, data)
    }

    /// RFC 8656 §12.6
    pub(crate) fn channel_data(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<(FiveTuple, Vec<u8>)> {
        self.channel_messages += 1;
        let header = ChannelHeader::parse(datagram).unwrap();
        let channels = self.of(from).map(|it| &it.channels);
        let Some((peer, _)) = channels.and_then(|it| it.get(&header.number)).copied() else {
            self.dropped.push("unknown channel");
            return None;
        };
        self.outward(from, peer, &datagram[header.data()])
    }

    fn outward(
        &mut self,
        from: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
    ) -> Option<(FiveTuple, Vec<u8>)> {
        let Some(allocation) = self.allocations.iter().find(|it| it.client == from) else {
            self.dropped.push("no allocation");
            return None;
        };
        if !allocation.permissions.contains_key(&peer.ip()) {
            self.dropped.push("no permission");
            return None;
        }
        let same_family = |relayed: &&SocketAddr| relayed.is_ipv4() == peer.is_ipv4();
        let relayed = allocation.relayed.iter().find(same_family)?;
        Some((FiveTuple::udp(*relayed, peer), data.to_vec()))
    }

    /// RFC 8656 §11.3, §12.7: to whom, and what.
    pub(crate) fn inward(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
    ) -> Option<(SocketAddr, Vec<u8>)> {
        let mut allocations = self.allocations.iter();
        let allocation = allocations.find(|it| it.relayed.contains(&relayed))?;
        if !allocation.permissions.contains_key(&peer.ip()) {
            self.dropped.push("peer without permission");
            return None;
        }
        let channel = allocation
            .channels
            .iter()
            .find(|(_, (bound, _))| *bound == peer);
        let mut bytes = vec![0; data.len() + 100];
        let len = match channel {
            Some((number, _)) => {
                let len = data.len() as u16;
                let header = ChannelHeader {
                    number: *number,
                    len,
                };
                header.write(&mut Writer::new(&mut bytes)).unwrap();
                bytes[4..4 + data.len()].copy_from_slice(data);
                4 + data.len()
            }
            None => {
                let id = TransactionId([3; 12]);
                let (class, method) = (Class::Indication, Method::DATA);
                MessageBuilder::new(&mut bytes, class, method, id)
                    .attribute(Attribute::XorPeerAddress(peer))
                    .attribute(Attribute::Data(data))
                    .finish()
                    .unwrap()
            }
        };
        bytes.truncate(len);
        Some((allocation.client, bytes))
    }
}

impl Allocation {
    /// RFC 8656 §12.2
    fn bind(&mut self, now: Instant, request: &MessageView<'_>, peer: SocketAddr) -> Answer {
        let Some(Attribute::ChannelNumber(number)) = request.attribute(T::CHANNEL_NUMBER) else {
            return Answer::Error(ErrorCode::BAD_REQUEST);
        };
        let Some(number) = ChannelNumber::new(number) else {
            return Answer::Error(ErrorCode::BAD_REQUEST);
        };
        let conflict = self
            .channels
            .iter()
            .any(|(known, (bound, _))| (*known == number) != (*bound == peer));
        if conflict {
            return Answer::Error(ErrorCode::BAD_REQUEST);
        }
        self.channels.insert(number, (peer, now + CHANNEL));
        self.permissions.insert(peer.ip(), now + PERMISSION);
        Answer::Success(Box::new(|_| {}))
    }
}

fn lifetime(request: &MessageView<'_>, policy: &Policy) -> Duration {
    match request.attribute(T::LIFETIME) {
        Some(Attribute::Lifetime(0)) => Duration::ZERO,
        Some(Attribute::Lifetime(seconds)) => {
            let asked = Duration::from_secs(seconds.into());
            asked.max(Duration::from_secs(600)).min(policy.lifetime)
        }
        _ => policy.lifetime.min(Duration::from_secs(600)),
    }
}
