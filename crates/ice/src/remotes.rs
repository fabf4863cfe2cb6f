use std::net::SocketAddr;

use pc_proto::Transport;

use crate::{
    Candidate, CandidateKind, Error, Network, TcpType,
    candidate::{COMPONENT, is_usable_candidate, same_endpoint},
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

    /// The candidate that datagrams of this transport come from. An active candidate is none: its
    /// connections come from other ports than its own (RFC 6544 §4.5).
    pub(crate) fn at(&self, transport: Transport, address: SocketAddr) -> Option<RemoteId> {
        let found = self.iter().find(|(_, known)| {
            let is_there = known.transport == transport && same_endpoint(known.address, address);
            is_there && !is_signalled_active(known)
        });
        found.map(|(id, _)| id)
    }

    /// Adds a candidate that signalling brought.
    pub(crate) fn add(&mut self, candidate: Candidate) -> Result<Added, Error> {
        if candidate.component != COMPONENT {
            return Err(Error::UnsupportedComponent(candidate.component));
        }
        if !is_usable_candidate(&candidate) {
            return Err(Error::UnusableAddress);
        }
        let full = self.list.len() >= MAX_REMOTES;
        let mut known = self.list.iter_mut();
        match known.find(|known| is_same(&known.candidate, &candidate)) {
            Some(known) if known.candidate.kind == CandidateKind::PeerReflexive => {
                let Candidate {
                    address, network, ..
                } = known.candidate;
                let said = Some(candidate.network).filter(|it| it.is_known());
                known.candidate = Candidate {
                    address,
                    // What its checks have said, where signaling says nothing.
                    network: said.unwrap_or(network),
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
    pub(crate) fn add_reflexive(
        &mut self,
        transport: Transport,
        (address, tcp_type): (SocketAddr, Option<TcpType>),
        (priority, network): (u32, Network),
    ) -> Option<RemoteId> {
        if self.list.len() >= MAX_REMOTES || self.reflexive().count() >= MAX_REFLEXIVE {
            return None;
        }
        // Differs from every foundation that is signalled in practice.
        let candidate = Candidate {
            foundation: format!("+prflx{}", self.next),
            priority,
            transport,
            tcp_type,
            network,
            ..Candidate::new(CandidateKind::PeerReflexive, address)
        };
        Some(self.push(candidate))
    }

    /// A check from this candidate has said what network it is of; whether that is new.
    pub(crate) fn set_network(&mut self, id: RemoteId, network: Network) -> bool {
        let mut list = self.list.iter_mut();
        list.find(|remote| remote.id == id).is_some_and(|remote| {
            std::mem::replace(&mut remote.candidate.network, network) != network
        })
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

fn is_signalled_active(candidate: &Candidate) -> bool {
    let active = candidate.tcp_type == Some(TcpType::Active);
    active && candidate.kind != CandidateKind::PeerReflexive
}

/// Whether two candidates are of one transport and address, and thus the same. One that was heard of
/// by its connection is not the one that connections come from.
fn is_same(known: &Candidate, new: &Candidate) -> bool {
    let alike = known.transport == new.transport && same_endpoint(known.address, new.address);
    alike && is_signalled_active(known) == is_signalled_active(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: Transport = Transport::Udp;

    fn host(text: &str) -> Candidate {
        Candidate::host(text.parse().unwrap())
    }

    #[test]
    fn a_signalled_candidate_replaces_a_peer_reflexive_one() {
        let mut remotes = Remotes::default();
        let id = remotes
            .add_reflexive(
                UDP,
                ("10.0.0.1:5".parse().unwrap(), None),
                (7, Network::default()),
            )
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
                    .add_reflexive(
                        UDP,
                        (([10, 0, 0, 1], port).into(), None),
                        (1, Network::default())
                    )
                    .is_some()
            );
        }
        assert!(
            remotes
                .add_reflexive(
                    UDP,
                    (([10, 0, 0, 1], 999).into(), None),
                    (1, Network::default())
                )
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

    #[test]
    fn transports_and_types_are_told_apart() {
        let at = "10.0.0.1:9".parse().unwrap();
        let tcp = |tcp_type| Candidate::tcp(CandidateKind::Host, at, tcp_type);
        let mut remotes = Remotes::default();
        for candidate in [host("10.0.0.1:9"), tcp(TcpType::Passive)] {
            let added = remotes.add(candidate.clone());
            assert!(matches!(added, Ok(Added::New(_))), "{candidate}");
            let found = remotes.at(candidate.transport, at);
            assert_eq!(remotes.get(found.unwrap()), Some(&candidate));
        }
        let mut remotes = Remotes::default();
        // Whoever connects from the port that active candidates name is not meant by them.
        let source = (at, Some(TcpType::Active));
        let id = remotes.add_reflexive(Transport::Tcp, source, (7, Network::default()));
        assert!(matches!(
            remotes.add(tcp(TcpType::Active)),
            Ok(Added::New(_))
        ));
        assert_eq!(remotes.at(Transport::Tcp, at), id);
    }
}
