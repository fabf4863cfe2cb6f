use std::net::SocketAddr;

use crate::{
    Candidate, CandidateKind, Error,
    candidate::{COMPONENT, is_usable, same_endpoint},
};

/// How many candidates of the peer are kept (facts: pair limit of RFC 8445 §6.1.2.5).
pub(crate) const MAX_REMOTES: usize = 100;
/// How many of them may be peer-reflexive.
pub(crate) const MAX_REFLEXIVE: usize = 32;

/// Names a remote candidate for as long as its generation lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemoteId(pub(crate) u32);

#[derive(Debug)]
struct Remote {
    id: RemoteId,
    candidate: Candidate,
}

/// The candidates of the peer in one generation.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    list: Vec<Remote>,
    next: u32,
}

/// What adding a candidate came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is new: pairs are to be formed.
    New(RemoteId),
    /// It was known as peer-reflexive; its pairs have a new priority (RFC 8838 §11.2).
    Replaced(RemoteId),
    /// It was known.
    Known,
}

impl Remotes {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RemoteId, &Candidate)> {
        self.list
            .iter()
            .map(|remote| (remote.id, &remote.candidate))
    }

    pub(crate) fn get(&self, id: RemoteId) -> Option<&Candidate> {
        self.iter()
            .find(|(known, _)| *known == id)
            .map(|(_, candidate)| candidate)
    }

    pub(crate) fn at(&self, address: SocketAddr) -> Option<RemoteId> {
        let found = self
            .iter()
            .find(|(_, known)| same_endpoint(known.address, address));
        found.map(|(id, _)| id)
    }

    /// Adds a candidate that signalling brought.
    pub(crate) fn add(&mut self, candidate: Candidate) -> Result<Added, Error> {
        if candidate.component != COMPONENT {
            return Err(Error::UnsupportedComponent(candidate.component));
        }
        if !is_usable(candidate.address) {
            return Err(Error::UnusableAddress);
        }
        let at = candidate.address;
        let full = self.list.len() >= MAX_REMOTES;
        let mut known = self.list.iter_mut();
        match known.find(|known| same_endpoint(known.candidate.address, at)) {
            Some(known) if known.candidate.kind == CandidateKind::PeerReflexive => {
                let address = known.candidate.address;
                known.candidate = Candidate {
                    address,
                    ..candidate
                };
                Ok(Added::Replaced(known.id))
            }
            Some(_) => Ok(Added::Known),
            None if full => Err(Error::TooManyCandidates),
            None => Ok(Added::New(self.push(candidate))),
        }
    }

    /// Adds a peer-reflexive candidate that a check came from (RFC 8445 §7.3.1.3), unless there
    /// are too many.
    pub(crate) fn add_reflexive(&mut self, address: SocketAddr, priority: u32) -> Option<RemoteId> {
        if self.list.len() >= MAX_REMOTES || self.reflexive().count() >= MAX_REFLEXIVE {
            return None;
        }
        // Differs from every foundation that is signalled in practice.
        let candidate = Candidate {
            foundation: format!("+prflx{}", self.next),
            priority,
            ..Candidate::new(CandidateKind::PeerReflexive, address)
        };
        Some(self.push(candidate))
    }

    /// The peer-reflexive candidates, oldest first.
    pub(crate) fn reflexive(&self) -> impl Iterator<Item = RemoteId> {
        let reflexive = |(id, known): (RemoteId, &Candidate)| {
            (known.kind == CandidateKind::PeerReflexive).then_some(id)
        };
        self.iter().filter_map(reflexive)
    }

    pub(crate) fn remove(&mut self, id: RemoteId) {
        self.list.retain(|remote| remote.id != id);
    }

    fn push(&mut self, candidate: Candidate) -> RemoteId {
        let id = RemoteId(self.next);
        self.next = self.next.wrapping_add(1);
        self.list.push(Remote { id, candidate });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Candidate {
        Candidate::host(text.parse().unwrap())
    }

    #[test]
    fn a_signalled_candidate_replaces_a_peer_reflexive_one() {
        let mut remotes = Remotes::default();
        let id = remotes
            .add_reflexive("10.0.0.1:5".parse().unwrap(), 7)
            .unwrap();
        assert_eq!(remotes.add(host("10.0.0.1:5")), Ok(Added::Replaced(id)));
        assert_eq!(remotes.add(host("10.0.0.1:5")), Ok(Added::Known));
        assert_eq!(remotes.get(id).unwrap().kind, CandidateKind::Host);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let mut remotes = Remotes::default();
        let rtcp = Candidate {
            component: 2,
            ..host("10.0.0.1:5")
        };
        assert_eq!(remotes.add(rtcp), Err(Error::UnsupportedComponent(2)));
        assert_eq!(remotes.add(host("0.0.0.0:9")), Err(Error::UnusableAddress));
        assert_eq!(remotes.iter().count(), 0);
    }

    #[test]
    fn the_number_is_bounded() {
        let mut remotes = Remotes::default();
        for port in 1..=MAX_REFLEXIVE as u16 {
            assert!(
                remotes
                    .add_reflexive(([10, 0, 0, 1], port).into(), 1)
                    .is_some()
            );
        }
        assert!(
            remotes
                .add_reflexive(([10, 0, 0, 1], 999).into(), 1)
                .is_none()
        );
        let added = (0..200)
            .filter(|n| remotes.add(host(&format!("10.0.1.{n}:5"))).is_ok())
            .count();
        assert_eq!(added, MAX_REMOTES - MAX_REFLEXIVE);
        assert_eq!(
            remotes.add(host("10.0.2.2:2")),
            Err(Error::TooManyCandidates)
        );
    }
}
