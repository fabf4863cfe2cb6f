use std::net::{IpAddr, SocketAddr};

use pc_proto::{FiveTuple, Transport};

use crate::{
    Candidate, CandidateKind, NetworkCost, TcpType,
    candidate::{fnv, is_link_local_v6, is_usable_candidate, priority_of, same_endpoint},
    tcp::{DISCARD, OTHER_PREFERENCE},
};

/// More than any machine has addresses worth trying: 100 pairs are checked at most.
const MAX_LOCALS: usize = 64;

/// A candidate of this side from which datagrams are sent: a host or a relayed one, which are their
/// own bases (RFC 8445 §5.1.1.2).
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) candidate: Candidate,
    pub(crate) base: SocketAddr,
    /// The server-reflexive candidates of this base. They are signaled, and form no pairs: those of
    /// the base take their place (RFC 8445 §6.1.2.4).
    reflexive: Vec<Candidate>,
    /// The local preference, of TCP its other-pref (RFC 6544 §4.2), which reflexive candidates of the
    /// same base share (RFC 8445 §7.1.1).
    preference: u16,
}

impl Local {
    /// PRIORITY in a check from here: what a peer-reflexive candidate would have (RFC 8445 §7.1.1).
    pub(crate) fn reflexive_priority(&self) -> u32 {
        let kind = CandidateKind::PeerReflexive;
        let Candidate {
            tcp_type,
            component,
            ..
        } = self.candidate;
        priority_of(kind, tcp_type, self.preference, component)
    }

    /// Whether datagrams of this transport that have come to, or leave from, `local` are of this
    /// candidate. A connection of an active one has its address, and any port.
    pub(crate) fn carries(&self, transport: Transport, local: SocketAddr) -> bool {
        let same_ip = self.base.ip() == local.ip();
        let is_active = self.candidate.tcp_type == Some(TcpType::Active);
        self.candidate.transport == transport
            && (self.base == local || (is_active && same_ip && local.port() != 0))
    }
}

/// The candidates of this side. They belong to sockets and outlive an ICE restart.
#[derive(Debug)]
pub(crate) struct Locals {
    list: Vec<Local>,
    salt: u64,
}

impl Locals {
    pub(crate) fn new(salt: u64) -> Self {
        Self {
            list: Vec::new(),
            salt,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Local> {
        self.list.iter()
    }

    /// The candidate of this transport whose base this is.
    pub(crate) fn at(&self, transport: Transport, base: SocketAddr) -> Option<&Local> {
        let is_there = |it: &&Local| it.base == base && it.candidate.transport == transport;
        self.list.iter().find(is_there)
    }

    /// The candidate that a path begins at: one that has that very port, or else an active one.
    pub(crate) fn of(&self, path: FiveTuple) -> Option<&Local> {
        let exact = self.at(path.transport, path.local);
        let mut list = self.list.iter();
        exact.or_else(|| list.find(|it| it.carries(path.transport, path.local)))
    }

    /// Whether this is the address of a candidate's base.
    pub(crate) fn has(&self, base: SocketAddr) -> bool {
        self.list.iter().any(|local| local.base == base)
    }

    /// Every candidate, those of one base behind it.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        fn of(local: &Local) -> impl Iterator<Item = &Candidate> {
            std::iter::once(&local.candidate).chain(&local.reflexive)
        }
        self.list.iter().flat_map(of)
    }

    /// Adds a candidate, and gives it what it lacks. `None` if it is redundant (RFC 8445 §5.1.3), if
    /// nothing can be sent from it, or if the base of a server-reflexive one is not there.
    pub(crate) fn add(&mut self, candidate: Candidate) -> Option<Candidate> {
        let full = self.candidates().count() >= MAX_LOCALS;
        if full || !is_usable_candidate(&candidate) {
            return None;
        }
        match candidate.kind {
            CandidateKind::Host | CandidateKind::Relayed => self.add_base(candidate),
            CandidateKind::ServerReflexive if candidate.transport == Transport::Udp => {
                self.add_reflexive(candidate)
            }
            // Peer-reflexive ones come of checks, and nothing asks servers over TCP who could be
            // connected to there (RFC 6544 §5.2).
            _ => None,
        }
    }

    fn add_base(&mut self, mut candidate: Candidate) -> Option<Candidate> {
        if candidate.tcp_type == Some(TcpType::Active) {
            candidate.address.set_port(DISCARD);
        }
        let address = candidate.address;
        if self.at(candidate.transport, address).is_some() {
            return None;
        }
        let preference = match (candidate.priority >> 8) as u16 {
            0 => self.free_preference(&candidate),
            given if candidate.tcp_type.is_some() => given & OTHER_PREFERENCE,
            given => given,
        };
        self.complete(&mut candidate, preference, address.ip());
        self.list.push(Local {
            candidate: candidate.clone(),
            base: address,
            reflexive: Vec::new(),
            preference,
        });
        Some(candidate)
    }

    /// A server-reflexive candidate, whose related address is its base.
    fn add_reflexive(&mut self, mut candidate: Candidate) -> Option<Candidate> {
        let base = candidate.related_address?;
        let local = self.at(Transport::Udp, base)?;
        let preference = local.preference;
        candidate.network = local.candidate.network;
        self.complete(&mut candidate, preference, base.ip());
        let is_base = |it: &&mut Local| it.base == base && it.candidate.transport == Transport::Udp;
        let local = self.list.iter_mut().find(is_base)?;
        let mut known = std::iter::once(&local.candidate).chain(&local.reflexive);
        if known.any(|it| same_endpoint(it.address, candidate.address)) {
            return None;
        }
        local.reflexive.push(candidate.clone());
        Some(candidate)
    }

    fn complete(&self, candidate: &mut Candidate, preference: u16, base: IpAddr) {
        if candidate.priority == 0 {
            let Candidate {
                kind,
                tcp_type,
                component,
                ..
            } = *candidate;
            candidate.priority = priority_of(kind, tcp_type, preference, component);
        }
        if candidate.foundation.is_empty() {
            candidate.foundation = self.foundation(candidate, base);
        }
    }

    pub(crate) fn remove(&mut self, base: SocketAddr) -> bool {
        let before = self.list.len();
        self.list.retain(|local| local.base != base);
        self.list.len() < before
    }

    /// This side's end of a valid pair: the candidate that the peer saw, else a peer-reflexive one
    /// (RFC 8445 §7.2.5.3.1).
    pub(crate) fn seen_as(&self, path: FiveTuple, mapped: SocketAddr) -> Option<Candidate> {
        let local = self.of(path)?;
        let base = local.base;
        let tcp_type = local.candidate.tcp_type;
        if tcp_type == Some(TcpType::Active) && mapped.ip() == base.ip() {
            // Its port was never meant (RFC 6544 §4.5).
            return Some(local.candidate.clone());
        }
        let mut known = std::iter::once(&local.candidate).chain(&local.reflexive);
        if let Some(known) = known.find(|it| same_endpoint(it.address, mapped)) {
            return Some(known.clone());
        }
        let kind = CandidateKind::PeerReflexive;
        let mut seen = Candidate {
            priority: local.reflexive_priority(),
            related_address: Some(base),
            transport: local.candidate.transport,
            tcp_type,
            network: local.candidate.network,
            ..Candidate::new(kind, mapped)
        };
        seen.foundation = self.foundation(&seen, base.ip());
        Some(seen)
    }

    /// The best preference of this family and cost that no candidate of the same kind of transport
    /// has: those added earlier are better.
    fn free_preference(&self, candidate: &Candidate) -> u16 {
        let tcp_type = candidate.tcp_type;
        let taken = |preference: &u16| {
            let mut alike = self.iter().filter(|it| it.candidate.tcp_type == tcp_type);
            alike.any(|local| local.preference == *preference)
        };
        let top = tcp_type.map_or(u16::MAX, |_| OTHER_PREFERENCE);
        let all = preferences(candidate.address.ip(), candidate.network.cost, top);
        let mut free = all.filter(|preference| !taken(preference));
        free.next().unwrap_or(0)
    }

    /// Equal for the same kind, transport and base address (RFC 8445 §5.1.1.3; RFC 6544 §4.1: for
    /// each type of TCP another); the salt keeps it from telling the address to those who guess.
    fn foundation(&self, candidate: &Candidate, base: IpAddr) -> String {
        let hash = match base {
            IpAddr::V4(ip) => fnv(self.salt, &ip.octets()),
            IpAddr::V6(ip) => fnv(self.salt, &ip.octets()),
        };
        let folded = (hash ^ (hash >> 32)) as u32;
        let transport = candidate.tcp_type.map_or(0, |it| 1 + it as u32);
        folded
            .wrapping_add(u32::from(candidate.kind.type_preference()))
            .wrapping_add(transport << 8)
            .to_string()
    }
}

/// Local preferences so that what costs less comes first (RFC 8445 §5.1.2.2 has them prefer one
/// interface over another), IPv6 and IPv4 alternate among what costs the same (RFC 8421 §4), and
/// those of little reach, loopback and link-local, come last: for each family the odd or even numbers
/// up to one below `top`, downwards.
fn preferences(ip: IpAddr, cost: NetworkCost, top: u16) -> impl Iterator<Item = u16> {
    let narrow = match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(_) => ip.is_loopback() || is_link_local_v6(ip),
    };
    let top = u32::from(if narrow { top / 16 } else { top });
    // The costliest of those that reach far is still above those that do not.
    let below = (top - top / 8) * u32::from(cost.value()) / u32::from(NetworkCost::MAX.value());
    // Odd, and no more than `top`, which is.
    let odd = (top - below) as u16 | 1;
    let first = odd - u16::from(ip.is_ipv4());
    (0..=first).rev().step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(locals: &mut Locals, address: &str) -> Candidate {
        locals
            .add(Candidate::host(address.parse().unwrap()))
            .unwrap()
    }

    fn udp(local: &Candidate) -> FiveTuple {
        FiveTuple::udp(local.address, ([192, 0, 2, 9], 9).into())
    }

    #[test]
    fn families_alternate_and_loopback_is_last() {
        let mut locals = Locals::new(1);
        let order = [
            "[2001:db8::1]:1",
            "10.0.0.1:1",
            "[2001:db8::2]:1",
            "10.0.0.2:1",
            "[fe80::1]:1",
            "127.0.0.1:1",
        ];
        // Added family by family, as an operating system lists them.
        let added = [1, 3, 5, 0, 2, 4].map(|i| add(&mut locals, order[i]));
        let mut ranked = added.clone();
        ranked.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority));
        assert_eq!(ranked.map(|candidate| candidate.address.to_string()), order);
        assert!(
            added
                .iter()
                .all(|candidate| candidate.priority >> 24 == 126)
        );
        // What goes leaves its place to what comes.
        locals.remove(added[0].address);
        assert_eq!(add(&mut locals, "10.0.0.9:1").priority, added[0].priority);
    }

    /// RFC 8445 §5.1.2.2, draft-thatcher-ice-network-cost: of two interfaces the cheaper one comes
    /// first, and the families alternate on each.
    #[test]
    fn what_costs_less_comes_first() {
        let order = [
            ("[2001:db8::1]:1", NetworkCost::FREE),
            ("10.0.0.1:1", NetworkCost::FREE),
            ("[2001:db8::2]:1", NetworkCost::LOW),
            ("10.0.0.2:1", NetworkCost::LOW),
            ("10.0.0.3:1", NetworkCost::UNKNOWN),
            ("10.0.0.4:1", NetworkCost::UNKNOWN.tunneled()),
            ("[2001:db8::5]:1", NetworkCost::HIGH),
            ("10.0.0.5:1", NetworkCost::HIGH),
            ("10.0.0.6:1", NetworkCost::MAX),
            // What reaches no further than this link or machine, whatever it costs.
            ("127.0.0.1:1", NetworkCost::FREE),
            ("[fe80::1]:1", NetworkCost::LOW),
        ];
        for tcp in [false, true] {
            let mut locals = Locals::new(1);
            let mut ranked: Vec<_> = [5, 10, 7, 0, 3, 8, 1, 9, 6, 2, 4]
                .map(|i| {
                    let (address, cost) = order[i];
                    let address = address.parse().unwrap();
                    let kind = CandidateKind::Host;
                    let candidate = match tcp {
                        true => Candidate::tcp(kind, address, TcpType::Passive),
                        false => Candidate::host(address),
                    };
                    let network = crate::Network { id: 1, cost };
                    locals
                        .add(Candidate {
                            network,
                            ..candidate
                        })
                        .unwrap()
                })
                .into();
            ranked.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority));
            let ranked = ranked.iter().map(|it| it.address.to_string());
            assert!(ranked.eq(order.map(|(address, _)| address)), "{tcp}");
        }
    }

    #[test]
    fn foundations_are_equal_for_one_address_and_kind() {
        let mut locals = Locals::new(7);
        let (a, b, c) = (
            add(&mut locals, "10.0.0.1:1"),
            add(&mut locals, "10.0.0.1:2"),
            add(&mut locals, "10.0.0.2:1"),
        );
        assert_eq!(a.foundation, b.foundation);
        assert_ne!(a.foundation, c.foundation);
        assert_ne!(a.priority, b.priority, "RFC 8445 §5.1.2: unique priorities");
        let seen = locals
            .seen_as(udp(&a), "192.0.2.1:7".parse().unwrap())
            .unwrap();
        assert_eq!(seen.kind, CandidateKind::PeerReflexive);
        assert_eq!(seen.priority, a.priority - (16 << 24));
        assert_ne!(seen.foundation, a.foundation);
    }

    #[test]
    fn redundant_and_useless_ones_are_not_added() {
        let mut locals = Locals::new(7);
        add(&mut locals, "10.0.0.1:1");
        assert_eq!(
            locals.add(Candidate::host("10.0.0.1:1".parse().unwrap())),
            None
        );
        assert_eq!(
            locals.add(Candidate::host("0.0.0.0:1".parse().unwrap())),
            None
        );
        let kind = CandidateKind::PeerReflexive;
        let prflx = Candidate::new(kind, "10.0.0.1:9".parse().unwrap());
        assert_eq!(locals.add(prflx), None);
        for port in 2..200 {
            locals.add(Candidate::host(format!("10.0.0.1:{port}").parse().unwrap()));
        }
        assert_eq!(locals.iter().count(), MAX_LOCALS);
    }

    #[test]
    fn server_reflexive_ones_stand_behind_their_base() {
        let mut locals = Locals::new(7);
        let host = add(&mut locals, "10.0.0.1:1");
        let kind = CandidateKind::ServerReflexive;
        let seen = Candidate {
            related_address: Some(host.address),
            ..Candidate::new(kind, "192.0.2.1:7".parse().unwrap())
        };
        let added = locals.add(seen.clone()).unwrap();
        assert_eq!(added.priority, host.priority - (26 << 24));
        assert_ne!(added.foundation, host.foundation);
        assert_eq!(locals.add(seen.clone()), None, "known");
        // No NAT: the server sees the host candidate (RFC 8445 §5.1.3).
        let same = Candidate {
            address: host.address,
            ..seen.clone()
        };
        assert_eq!(locals.add(same), None);
        let elsewhere = Candidate {
            related_address: Some("10.0.0.9:1".parse().unwrap()),
            ..seen
        };
        assert_eq!(locals.add(elsewhere), None, "no such base");
        assert_eq!(
            locals.seen_as(udp(&host), added.address),
            Some(added.clone())
        );
        assert!(locals.candidates().eq([&host, &added]));
        assert_eq!(locals.iter().count(), 1);
        // A relayed one is its own base, and comes last.
        let relayed = Candidate::new(CandidateKind::Relayed, "198.51.100.1:9".parse().unwrap());
        let relayed = locals.add(relayed).unwrap();
        assert!(relayed.priority < added.priority);
        assert!(locals.of(udp(&relayed)).is_some());
        locals.remove(host.address);
        assert!(locals.candidates().eq([&relayed]));
    }

    #[test]
    fn given_priorities_stay() {
        let mut locals = Locals::new(7);
        let given = Candidate {
            priority: 0x7E00_05FF,
            foundation: "mine".into(),
            ..Candidate::host("10.0.0.1:1".parse().unwrap())
        };
        assert_eq!(locals.add(given.clone()), Some(given));
        assert_eq!(
            locals.iter().next().unwrap().reflexive_priority(),
            0x6E00_05FF
        );
    }

    #[test]
    fn tcp_has_priorities_of_its_own() {
        let mut locals = Locals::new(7);
        let udp = add(&mut locals, "10.0.0.1:5");
        let at: SocketAddr = "10.0.0.1:5".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::1]:5".parse().unwrap();
        let mut tcp = |address, tcp_type| {
            let candidate = Candidate::tcp(CandidateKind::Host, address, tcp_type);
            locals.add(candidate.clone()).inspect(|added| {
                assert_eq!(locals.add(candidate), None, "{added}: known");
            })
        };
        let added = [
            tcp(v6, TcpType::Active),
            tcp(at, TcpType::Active),
            tcp(at, TcpType::Passive),
        ];
        let [six, active, passive] = added.map(Option::unwrap);
        // RFC 6544 §4.2, and the families alternate (RFC 8421 §4).
        assert_eq!(six.priority, (90 << 24) + (((6 << 13) + 8191) << 8) + 255);
        assert_eq!(
            active.priority,
            (90 << 24) + (((6 << 13) + 8190) << 8) + 255
        );
        assert_eq!(
            passive.priority,
            (90 << 24) + (((4 << 13) + 8190) << 8) + 255
        );
        assert_eq!((active.address.port(), passive.address.port()), (9, 5));
        let foundations = [&udp, &active, &passive].map(|it| it.foundation.as_str());
        assert!(foundations[0] != foundations[1] && foundations[1] != foundations[2]);
        let path = |port| FiveTuple {
            transport: Transport::Tcp,
            local: ([10, 0, 0, 1], port).into(),
            remote: ([192, 0, 2, 1], 7).into(),
        };
        // Connections from any port are the active one's, but to the passive one's port its own.
        for (port, tcp_type) in [(40_000, TcpType::Active), (5, TcpType::Passive)] {
            let seen = locals.seen_as(path(port), path(port).local).unwrap();
            assert_eq!(
                (seen.tcp_type, seen.kind),
                (Some(tcp_type), CandidateKind::Host)
            );
        }
        // Behind a NAT it is peer-reflexive, and of the same type.
        let mapped = "198.51.100.1:7".parse().unwrap();
        let seen = locals.seen_as(path(40_000), mapped).unwrap();
        assert_eq!(seen.priority, (80 << 24) + (((4 << 13) + 8190) << 8) + 255);
        assert_eq!(
            (seen.address, seen.tcp_type),
            (mapped, Some(TcpType::Active))
        );
    }
}
