use std::net::{IpAddr, SocketAddr};

use crate::{
    Candidate, CandidateKind,
    candidate::{candidate_priority, fnv, is_link_local_v6, is_usable, same_endpoint},
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
    /// The local preference, which reflexive candidates of the same base share (RFC 8445 §7.1.1).
    preference: u16,
}

impl Local {
    /// PRIORITY in a check from here: what a peer-reflexive candidate would have (RFC 8445 §7.1.1).
    pub(crate) fn reflexive_priority(&self) -> u32 {
        let kind = CandidateKind::PeerReflexive;
        candidate_priority(kind, self.preference, self.candidate.component)
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

    pub(crate) fn at(&self, base: SocketAddr) -> Option<&Local> {
        self.list.iter().find(|local| local.base == base)
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
        if full || !is_usable(candidate.address) {
            return None;
        }
        match candidate.kind {
            CandidateKind::Host | CandidateKind::Relayed => self.add_base(candidate),
            CandidateKind::ServerReflexive => self.add_reflexive(candidate),
            // These come of checks.
            CandidateKind::PeerReflexive => None,
        }
    }

    fn add_base(&mut self, mut candidate: Candidate) -> Option<Candidate> {
        let address = candidate.address;
        if self.at(address).is_some() {
            return None;
        }
        let preference = match (candidate.priority >> 8) as u16 {
            0 => self.free_preference(address.ip()),
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
        let preference = self.at(base)?.preference;
        self.complete(&mut candidate, preference, base.ip());
        let local = self.list.iter_mut().find(|local| local.base == base)?;
        let mut known = std::iter::once(&local.candidate).chain(&local.reflexive);
        if known.any(|it| same_endpoint(it.address, candidate.address)) {
            return None;
        }
        local.reflexive.push(candidate.clone());
        Some(candidate)
    }

    fn complete(&self, candidate: &mut Candidate, preference: u16, base: IpAddr) {
        if candidate.priority == 0 {
            candidate.priority =
                candidate_priority(candidate.kind, preference, candidate.component);
        }
        if candidate.foundation.is_empty() {
            candidate.foundation = self.foundation(candidate.kind, base);
        }
    }

    pub(crate) fn remove(&mut self, base: SocketAddr) -> bool {
        let before = self.list.len();
        self.list.retain(|local| local.base != base);
        self.list.len() < before
    }

    /// This side's end of a valid pair: the candidate that the peer saw, else a peer-reflexive one
    /// (RFC 8445 §7.2.5.3.1).
    pub(crate) fn seen_as(&self, base: SocketAddr, mapped: SocketAddr) -> Option<Candidate> {
        let local = self.at(base)?;
        let mut known = std::iter::once(&local.candidate).chain(&local.reflexive);
        if let Some(known) = known.find(|it| same_endpoint(it.address, mapped)) {
            return Some(known.clone());
        }
        let kind = CandidateKind::PeerReflexive;
        Some(Candidate {
            foundation: self.foundation(kind, base.ip()),
            priority: local.reflexive_priority(),
            related_address: Some(base),
            ..Candidate::new(kind, mapped)
        })
    }

    /// The best preference of this family that no candidate has: those added earlier are better.
    fn free_preference(&self, ip: IpAddr) -> u16 {
        let taken = |preference: &u16| self.iter().any(|local| local.preference == *preference);
        let mut free = preferences(ip).filter(|preference| !taken(preference));
        free.next().unwrap_or(0)
    }

    /// Equal for the same kind and base address (RFC 8445 §5.1.1.3); the salt keeps it from telling
    /// the address to those who guess.
    fn foundation(&self, kind: CandidateKind, base: IpAddr) -> String {
        let hash = match base {
            IpAddr::V4(ip) => fnv(self.salt, &ip.octets()),
            IpAddr::V6(ip) => fnv(self.salt, &ip.octets()),
        };
        let folded = (hash ^ (hash >> 32)) as u32;
        folded
            .wrapping_add(u32::from(kind.type_preference()))
            .to_string()
    }
}

/// Local preferences so that IPv6 and IPv4 alternate (RFC 8421 §4), and those of little reach,
/// loopback and link-local, come last: for each family the odd or even numbers downwards.
fn preferences(ip: IpAddr) -> impl Iterator<Item = u16> {
    let narrow = match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(_) => ip.is_loopback() || is_link_local_v6(ip),
    };
    let top = if narrow { 16_383 } else { 65_535 };
    let first = top - u16::from(ip.is_ipv4());
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
            .seen_as(a.address, "192.0.2.1:7".parse().unwrap())
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
            locals.seen_as(host.address, added.address),
            Some(added.clone())
        );
        assert!(locals.candidates().eq([&host, &added]));
        assert_eq!(locals.iter().count(), 1);
        // A relayed one is its own base, and comes last.
        let relayed = Candidate::new(CandidateKind::Relayed, "198.51.100.1:9".parse().unwrap());
        let relayed = locals.add(relayed).unwrap();
        assert!(relayed.priority < added.priority);
        assert!(locals.at(relayed.address).is_some());
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
}
