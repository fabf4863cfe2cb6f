use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use pc_proto::Transport;

use crate::{Network, NetworkCost, Role, TcpType, tcp::DISCARD};

/// The only component there is: RTP and RTCP share one (RFC 8445 §4, RFC 8834 §4.5).
pub const COMPONENT: u16 = 1;

/// How an address came to be a candidate (RFC 8445 §5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CandidateKind {
    /// An address of an interface.
    Host,
    /// An address that a STUN server saw.
    ServerReflexive,
    /// An address that the peer saw in a connectivity check.
    PeerReflexive,
    /// An address on a TURN server.
    Relayed,
}

impl CandidateKind {
    /// The recommended type preference (RFC 8445 §5.1.2.2).
    pub const fn type_preference(self) -> u8 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }

    /// That of a candidate of TCP. RFC 6544 §4.2 recommends lower ones where UDP is preferred, as it
    /// is for media: these are browsers', below all of UDP but what is relayed.
    pub const fn tcp_type_preference(self) -> u8 {
        match self {
            Self::Host => 90,
            Self::PeerReflexive => 80,
            Self::ServerReflexive => 70,
            Self::Relayed => 0,
        }
    }
}

impl fmt::Display for CandidateKind {
    /// The word that SDP has for it (RFC 8839 §5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        })
    }
}

/// An address at which one side may be reached (RFC 8445 §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Equal for candidates that probably share their fate: 1 to 32 ice-chars (RFC 8445 §5.1.1.3).
    /// Empty in a local candidate asks the agent for one.
    pub foundation: String,
    /// The component, always [`COMPONENT`].
    pub component: u16,
    /// What carries the datagrams.
    pub transport: Transport,
    /// The larger, the better (RFC 8445 §5.1.2). Zero in a local candidate asks the agent for one.
    pub priority: u32,
    /// Where datagrams go.
    pub address: SocketAddr,
    /// How the address was found.
    pub kind: CandidateKind,
    /// The base of a reflexive or the mapped address of a relayed candidate (RFC 8839 §5.1); for
    /// diagnostics only.
    pub related_address: Option<SocketAddr>,
    /// Who connects; of TCP candidates, and only of those (RFC 6544 §4.5).
    pub tcp_type: Option<TcpType>,
    /// The network that datagrams to and from here use at this end: of a relayed candidate the one
    /// that the server is reached over. A local reflexive candidate has that of its base.
    pub network: Network,
}

impl Candidate {
    /// A UDP candidate of `kind` at `address`, without foundation and priority.
    pub const fn new(kind: CandidateKind, address: SocketAddr) -> Self {
        Self {
            foundation: String::new(),
            component: COMPONENT,
            transport: Transport::Udp,
            priority: 0,
            address,
            kind,
            related_address: None,
            tcp_type: None,
            network: Network {
                id: 0,
                cost: NetworkCost::FREE,
            },
        }
    }

    /// A TCP candidate of `kind`, without foundation and priority. The port of an active one, which
    /// may be any, becomes 9 (RFC 6544 §4.5).
    pub const fn tcp(kind: CandidateKind, mut address: SocketAddr, tcp_type: TcpType) -> Self {
        if matches!(tcp_type, TcpType::Active) {
            address.set_port(DISCARD);
        }
        let mut candidate = Self::new(kind, address);
        candidate.transport = Transport::Tcp;
        candidate.tcp_type = Some(tcp_type);
        candidate
    }

    /// A UDP host candidate, whose foundation and priority the agent is to assign.
    pub const fn host(address: SocketAddr) -> Self {
        Self::new(CandidateKind::Host, address)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.transport, self.address)?;
        match self.tcp_type {
            Some(tcp_type) => write!(f, " {tcp_type}"),
            None => Ok(()),
        }
    }
}

/// Two candidates between which datagrams travel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CandidatePair {
    /// The candidate on this side.
    pub local: Candidate,
    /// The candidate on the far side.
    pub remote: Candidate,
}

impl fmt::Display for CandidatePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.local, self.remote)
    }
}

/// The priority of a candidate (RFC 8445 §5.1.2.1).
///
/// ```
/// use pc_ice::{CandidateKind, candidate_priority};
/// // The highest priority that there is: the first host candidate.
/// assert_eq!(candidate_priority(CandidateKind::Host, 65_535, 1), 2_130_706_431);
/// ```
pub const fn candidate_priority(kind: CandidateKind, local_preference: u16, component: u16) -> u32 {
    priority(kind.type_preference(), local_preference, component)
}

const fn priority(type_preference: u8, local_preference: u16, component: u16) -> u32 {
    let component = if component > 256 { 256 } else { component };
    ((type_preference as u32) << 24) | ((local_preference as u32) << 8) | (256 - component as u32)
}

/// The priority of a candidate of a base with this preference: of UDP its local preference
/// (RFC 8445 §5.1.2.1), of TCP its other-pref (RFC 6544 §4.2).
pub(crate) const fn priority_of(
    kind: CandidateKind,
    tcp_type: Option<TcpType>,
    preference: u16,
    component: u16,
) -> u32 {
    match tcp_type {
        None => candidate_priority(kind, preference, component),
        Some(tcp_type) => {
            let preference = tcp_type.local_preference(kind, preference);
            priority(kind.tcp_type_preference(), preference, component)
        }
    }
}

const MAX_PRIORITY: u32 = (1 << 31) - 1;

/// The priority of a pair, seen alike from both sides (RFC 8445 §6.1.2.3).
pub(crate) fn pair_priority(role: Role, local: u32, remote: u32) -> u64 {
    // RFC 8445 §5.1.2: a priority is at most 2^31 - 1, whatever a peer claims.
    let (local, remote) = (local.min(MAX_PRIORITY), remote.min(MAX_PRIORITY));
    let (g, d) = match role {
        Role::Controlling => (u64::from(local), u64::from(remote)),
        Role::Controlled => (u64::from(remote), u64::from(local)),
    };
    (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
}

/// Whether datagrams can be sent to `address` at all.
pub(crate) fn is_usable(address: SocketAddr) -> bool {
    address.port() != 0 && is_unicast(address)
}

/// The same for a candidate, of which it has to be known who connects.
pub(crate) fn is_usable_candidate(candidate: &Candidate) -> bool {
    match (candidate.transport, candidate.tcp_type) {
        // Nobody connects to it: its port may be anything (RFC 6544 §4.5).
        (Transport::Tcp, Some(TcpType::Active)) => is_unicast(candidate.address),
        (Transport::Tcp, Some(_)) | (Transport::Udp, None) => is_usable(candidate.address),
        _ => false,
    }
}

fn is_unicast(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// Whether the two addresses may form a pair: same family, and link-local with link-local only
/// (RFC 8445 §6.1.2.2). Loopback reaches nothing but loopback.
pub(crate) fn can_pair(local: SocketAddr, remote: SocketAddr) -> bool {
    let (from, to) = (local.ip(), remote.ip());
    from.is_ipv4() == to.is_ipv4()
        && is_link_local_v6(from) == is_link_local_v6(to)
        && (!from.is_loopback() || to.is_loopback())
}

/// The remote address as a socket at `local` sees it: link-local ones carry the interface's scope.
pub(crate) fn scoped(local: SocketAddr, remote: SocketAddr) -> SocketAddr {
    match (local, remote) {
        (SocketAddr::V6(local), SocketAddr::V6(mut remote))
            if is_link_local_v6((*remote.ip()).into()) =>
        {
            remote.set_scope_id(local.scope_id());
            remote.into()
        }
        _ => remote,
    }
}

/// Addresses that differ in nothing that goes over the wire.
pub(crate) fn same_endpoint(a: SocketAddr, b: SocketAddr) -> bool {
    a.ip() == b.ip() && a.port() == b.port()
}

pub(crate) fn is_link_local_v6(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// FNV-1a: groups foundations, nothing more; collisions do no harm.
pub(crate) fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    bytes.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_those_of_captured_candidates() {
        // Chrome's first host candidate, and its server-reflexive one, of a machine with one interface.
        assert_eq!(
            candidate_priority(CandidateKind::Host, 32_542, 1),
            2_122_260_223
        );
        assert_eq!(
            candidate_priority(CandidateKind::ServerReflexive, 32_542, 1),
            1_686_052_607
        );
    }

    #[test]
    fn both_sides_give_a_pair_the_same_priority() {
        let (a, b) = (2_130_706_431, 1_686_052_607);
        let seen = pair_priority(Role::Controlling, a, b);
        assert_eq!(seen, pair_priority(Role::Controlled, b, a));
        assert_eq!(seen, (1_686_052_607 << 32) + 2 * 2_130_706_431 + 1);
        assert!(pair_priority(Role::Controlling, b, a) == seen - 1);
        // A peer may claim what it likes.
        let most = pair_priority(Role::Controlled, u32::MAX, u32::MAX);
        assert_eq!(most, (0x7FFF_FFFF << 32) + 0xFFFF_FFFE);
    }

    #[test]
    fn families_scopes_and_loopback_do_not_mix() {
        let ok = |a: &str, b: &str| can_pair(a.parse().unwrap(), b.parse().unwrap());
        assert!(ok("10.0.0.1:1", "192.0.2.1:2"));
        assert!(!ok("10.0.0.1:1", "[2001:db8::1]:2"));
        assert!(!ok("[fe80::1]:1", "[2001:db8::1]:2"));
        assert!(ok("[fe80::1]:1", "[fe80::2]:2"));
        assert!(!ok("127.0.0.1:1", "10.0.0.1:2"));
        assert!(ok("127.0.0.1:1", "127.0.0.1:2"));
    }

    #[test]
    fn useless_addresses_are_known() {
        for text in [
            "0.0.0.0:5",
            "10.0.0.1:0",
            "224.0.0.251:5353",
            "255.255.255.255:9",
            "[::]:5",
            "[ff02::fb]:5",
        ] {
            let address = text.parse().unwrap();
            assert!(!is_usable(address), "{text}");
        }
        let address = "127.0.0.1:0".parse().unwrap();
        let tcp = |tcp_type| Candidate::tcp(CandidateKind::Host, address, tcp_type);
        assert!(is_usable("127.0.0.1:9".parse().unwrap()));
        assert!(is_usable_candidate(&tcp(TcpType::Active)));
        assert!(!is_usable_candidate(&tcp(TcpType::Passive)));
        let unsaid = Candidate {
            tcp_type: None,
            ..Candidate::tcp(CandidateKind::Host, address, TcpType::Active)
        };
        assert!(
            !is_usable_candidate(&unsaid),
            "nobody knows who is to connect"
        );
    }
}
