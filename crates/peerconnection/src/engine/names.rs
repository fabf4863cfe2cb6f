//! Candidates of the peer whose address is a name: browsers hide theirs behind names of multicast
//! DNS (draft-ietf-mmusic-mdns-ice-candidates). The driver looks them up.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
};

use pc_ice as ice;
use pc_jsep::TransportId;

use super::candidate;

/// Names of one transport that are looked up at once: browsers make one for each address.
const MAX_NAMES: usize = 32;

/// Names that are remembered with their addresses: those of several generations.
const MAX_FOUND: usize = 4 * MAX_NAMES;

/// Names a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameId {
    pub(super) transport: TransportId,
    number: u32,
}

/// A name that the driver is to look up, on the link alone (RFC 6762). It answers with
/// [`Connection::name_resolved`](super::Connection::name_resolved).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRequest {
    /// To answer with.
    pub id: NameId,
    /// Such as `<uuid>.local`.
    pub name: String,
}

/// The names of one transport's remote candidates.
pub(super) struct Names {
    transport: TransportId,
    number: u32,
    requests: VecDeque<NameRequest>,
    waiting: Vec<Waiting>,
    /// What was found behind names, which is for nobody else to see; the latest last.
    found: VecDeque<(SocketAddr, pc_sdp::Host)>,
}

struct Waiting {
    number: u32,
    candidate: pc_sdp::Candidate,
    /// The generation of the peer's that it is for.
    ufrag: Option<String>,
}

impl Names {
    pub(super) fn new(transport: TransportId) -> Self {
        Self {
            transport,
            number: 0,
            requests: VecDeque::new(),
            waiting: Vec::new(),
            found: VecDeque::new(),
        }
    }

    /// Has the name of a candidate looked up; one too many is passed over, and so is one that no
    /// multicast DNS would know: a peer could have this machine ask for anything.
    pub(super) fn add(&mut self, candidate: &pc_sdp::Candidate, ufrag: Option<&str>) {
        let pc_sdp::Host::Name(name) = &candidate.address else {
            return;
        };
        let name = name.as_str();
        let is_known = |it: &Waiting| it.candidate == *candidate;
        if !name.ends_with(".local")
            || self.waiting.len() >= MAX_NAMES
            || self.waiting.iter().any(is_known)
        {
            return;
        }
        self.number += 1;
        let id = NameId {
            transport: self.transport,
            number: self.number,
        };
        self.requests.push_back(NameRequest {
            id,
            name: name.to_owned(),
        });
        self.waiting.push(Waiting {
            number: self.number,
            candidate: candidate.clone(),
            ufrag: ufrag.map(str::to_owned),
        });
    }

    pub(super) fn poll_request(&mut self) -> Option<NameRequest> {
        self.requests.pop_front()
    }

    /// The candidate with its address, unless that is not known or its generation is over.
    pub(super) fn resolved(
        &mut self,
        id: NameId,
        ip: Option<IpAddr>,
        ufrag: Option<&str>,
    ) -> Option<pc_sdp::Candidate> {
        let mut waiting = self.waiting.iter();
        let at = waiting.position(|it| it.number == id.number)?;
        let Waiting {
            mut candidate,
            ufrag: of,
            ..
        } = self.waiting.swap_remove(at);
        let name = std::mem::replace(&mut candidate.address, pc_sdp::Host::Ip(ip?));
        if of.as_deref() != ufrag {
            return None;
        }
        if self.found.len() >= MAX_FOUND {
            self.found.pop_front();
        }
        let address = SocketAddr::new(ip?, candidate.port);
        self.found.push_back((address, name));
        Some(candidate)
    }

    /// The name behind which this address was found.
    fn name_of(&self, remote: &ice::Candidate) -> Option<&pc_sdp::Host> {
        let is_it = |(address, _): &&(SocketAddr, _)| *address == remote.address;
        let (_, name) = self.found.iter().rev().find(is_it)?;
        Some(name)
    }

    /// A remote candidate as the peer has told it: by its name, if it had one
    /// (mdns-ice-candidates §3.3).
    pub(super) fn told(&self, remote: &ice::Candidate) -> Option<pc_sdp::Candidate> {
        let mut told = candidate::to_sdp(remote, None)?;
        if let Some(name) = self.name_of(remote) {
            told.address = name.clone();
        }
        Some(told)
    }

    /// The address of a remote candidate, or its name.
    pub(super) fn address(&self, remote: &ice::Candidate) -> String {
        match self.name_of(remote) {
            Some(name) => name.to_string(),
            None => remote.address.ip().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str) -> pc_sdp::Candidate {
        let text = format!("candidate:1 1 udp 2122260223 {name} 5000 typ host");
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_asked_for_once_and_becomes_an_address() {
        let mut names = Names::new(TransportId::new(1));
        let named = candidate("3a8c1d4e-0000-4000-8000-000000000001.local");
        names.add(&named, Some("gen1"));
        names.add(&named, Some("gen1"));
        let request = names.poll_request().unwrap();
        assert!(request.name.ends_with("1.local"));
        assert_eq!(names.poll_request(), None);
        let ip: IpAddr = "192.0.2.7".parse().unwrap();
        let resolved = names.resolved(request.id, Some(ip), Some("gen1")).unwrap();
        assert_eq!(resolved.address.ip(), Some(ip));
        assert_eq!(resolved.port, named.port);
        assert_eq!(names.resolved(request.id, Some(ip), Some("gen1")), None);
        // What is shown is the name.
        let remote = ice::Candidate {
            foundation: "1".into(),
            ..ice::Candidate::host((ip, named.port).into())
        };
        assert_eq!(names.told(&remote).unwrap().address, named.address);
        assert_eq!(names.address(&remote), named.address.to_string());
        let other = ice::Candidate::host((ip, 5001).into());
        assert_eq!(names.address(&other), "192.0.2.7");
    }

    #[test]
    fn what_nobody_should_ask_for_is_passed_over() {
        let mut names = Names::new(TransportId::new(1));
        names.add(&candidate("example.org"), None);
        names.add(&candidate("192.0.2.1"), None);
        assert_eq!(names.poll_request(), None);
        for n in 0..100 {
            names.add(&candidate(&format!("a{n}.local")), None);
        }
        assert_eq!(
            std::iter::from_fn(|| names.poll_request()).count(),
            MAX_NAMES
        );
        // One that nobody answers for, and one of a generation before a restart.
        let id = |number| NameId {
            transport: TransportId::new(1),
            number,
        };
        assert_eq!(names.resolved(id(1), None, None), None);
        let ip = "192.0.2.7".parse().ok();
        assert_eq!(names.resolved(id(2), ip, Some("gen2")), None);
    }
}
