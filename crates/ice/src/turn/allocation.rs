use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_stun::{AddressFamily, Attribute, AttributeType, MessageView};

use super::config::Families;
use crate::{ErrorResponse, ServerError, candidate::is_usable};

/// The default lifetime (RFC 8656 §3.2).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// The longest lifetime that is believed; servers give an hour at most (RFC 8656 §7.2).
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// How long before its end an allocation is refreshed, if it lasts twice that long
/// (RFC 8656 §3.2: "1 minute before").
const MARGIN: Duration = Duration::from_secs(60);

/// The longest MOBILITY-TICKET that is kept.
const MAX_TICKET: usize = 512;

/// What a TURN server has allocated (RFC 8656 §7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    relayed: [Option<SocketAddr>; 2],
    mapped: Option<SocketAddr>,
    refused: Option<(AddressFamily, ErrorResponse)>,
    reservation: Option<[u8; 8]>,
    lifetime: Duration,
    pub(super) expires_at: Instant,
    pub(super) refresh_at: Instant,
    pub(super) ticket: Option<Box<[u8]>>,
}

impl Allocation {
    /// Reads the answer to an Allocate request for `families`.
    pub(super) fn of(
        now: Instant,
        answer: &MessageView<'_>,
        families: Families,
    ) -> Result<Self, ServerError> {
        let mut relayed = [None, None];
        for attribute in answer.attributes() {
            // In the place of the family that it does not give coturn puts 0.0.0.0:0.
            if let Attribute::XorRelayedAddress(address) = attribute
                && is_usable(address)
            {
                let [v4, v6] = &mut relayed;
                let slot = if address.is_ipv4() { v4 } else { v6 };
                *slot = slot.or(Some(address));
            }
        }
        // RFC 8656 §7.3: what was not asked for is not taken.
        let asked = match (families, &relayed) {
            (Families::V4, [Some(_), None]) | (Families::V6, [None, Some(_)]) => true,
            (Families::Any | Families::Both, addresses) => addresses.iter().any(Option::is_some),
            _ => false,
        };
        if !asked {
            return Err(ServerError::BadResponse("XOR-RELAYED-ADDRESS"));
        }
        let mut allocation = Self {
            relayed,
            mapped: answer.xor_mapped_address().filter(|it| is_usable(*it)),
            refused: refused_family(answer),
            reservation: reservation(answer),
            lifetime: DEFAULT_LIFETIME,
            expires_at: now,
            refresh_at: now,
            ticket: None,
        };
        if allocation.refreshed(now, answer) {
            Ok(allocation)
        } else {
            Err(ServerError::BadResponse("LIFETIME"))
        }
    }

    /// Reads the answer to a Refresh request; says whether there still is an allocation.
    pub(super) fn refreshed(&mut self, now: Instant, answer: &MessageView<'_>) -> bool {
        let lifetime = match answer.attribute(AttributeType::LIFETIME) {
            Some(Attribute::Lifetime(seconds)) => Duration::from_secs(seconds.into()),
            _ => DEFAULT_LIFETIME,
        };
        self.lifetime = lifetime.min(MAX_LIFETIME);
        self.expires_at = now + self.lifetime;
        self.refresh_at = self.expires_at - MARGIN.min(self.lifetime / 2);
        if let Some(ticket) = answer.value(AttributeType::MOBILITY_TICKET) {
            let usable = (1..=MAX_TICKET).contains(&ticket.len());
            self.ticket = usable.then(|| ticket.into());
        }
        !lifetime.is_zero()
    }

    /// The relayed address of a family: of this kind is a relayed candidate (RFC 8445 §5.1.1.2).
    pub fn relayed(&self, family: AddressFamily) -> Option<SocketAddr> {
        let [v4, v6] = self.relayed;
        match family {
            AddressFamily::V4 => v4,
            AddressFamily::V6 => v6,
        }
    }

    /// The relayed addresses, one or two.
    pub fn relayed_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.relayed.into_iter().flatten()
    }

    /// The client's address as the server sees it: over UDP a server-reflexive candidate, and the
    /// related address of the relayed one (RFC 8445 §5.1.1.2).
    pub const fn mapped_address(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// How long it lasts without a refresh.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Names the next port, for another allocation on the same server (RFC 8656 §18.10).
    pub const fn reservation_token(&self) -> Option<[u8; 8]> {
        self.reservation
    }

    /// The family that was asked for and not given, and why (RFC 8656 §18.12).
    pub fn refused_family(&self) -> Option<(AddressFamily, &ErrorResponse)> {
        let (family, error) = self.refused.as_ref()?;
        Some((*family, error))
    }

    /// Whether a peer of this family can be reached.
    pub(super) fn reaches(&self, peer: SocketAddr) -> bool {
        let mut relayed = self.relayed_addresses();
        relayed.any(|relayed| relayed.is_ipv4() == peer.is_ipv4())
    }
}

fn refused_family(answer: &MessageView<'_>) -> Option<(AddressFamily, ErrorResponse)> {
    match answer.attribute(AttributeType::ADDRESS_ERROR_CODE)? {
        Attribute::AddressErrorCode(family, error) => Some((family, error.into())),
        _ => None,
    }
}

fn reservation(answer: &MessageView<'_>) -> Option<[u8; 8]> {
    match answer.attribute(AttributeType::RESERVATION_TOKEN)? {
        Attribute::ReservationToken(token) => Some(*token),
        _ => None,
    }
}
