//! How the addresses of this machine are told: as they are, or as names of multicast DNS, which only
//! those on the same link can make addresses of (draft-ietf-mmusic-mdns-ice-candidates). And of which
//! networks they are (draft-thatcher-ice-network-cost).

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use pc_ice::{self as ice, CandidateKind, NetworkCost, candidate_priority};
use pc_sdp::{Host, Word};

use super::candidate;

/// The addresses of a connection's sockets, and their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    hides: bool,
    names: HashMap<IpAddr, Word>,
    networks: HashMap<IpAddr, ice::Network>,
    /// What the application says of them, which goes first.
    costs: HashMap<IpAddr, NetworkCost>,
}

impl Hosts {
    pub(super) fn new(hides: bool, costs: HashMap<IpAddr, NetworkCost>) -> Self {
        Self {
            hides,
            costs,
            ..Self::default()
        }
    }

    pub(super) const fn hides(&self) -> bool {
        self.hides
    }

    /// Gives an address its name; what is no word cannot be one.
    pub(super) fn set_name(&mut self, ip: IpAddr, name: &str) {
        if let Ok(name) = Word::new(name) {
            self.names.insert(ip, name);
        }
    }

    /// Whether these networks are known as they are.
    pub(super) fn has_networks(&self, networks: &[(IpAddr, ice::Network)]) -> bool {
        let mut all = networks.iter();
        all.all(|(ip, network)| self.networks.get(ip) == Some(network))
    }

    pub(super) fn set_networks(&mut self, networks: &[(IpAddr, ice::Network)]) {
        self.networks.extend(networks.iter().copied());
    }

    /// The network that an address of this machine is of.
    pub(super) fn network(&self, ip: IpAddr) -> ice::Network {
        let mut network = self.networks.get(&ip).copied().unwrap_or_default();
        if let Some(cost) = self.costs.get(&ip) {
            network.cost = *cost;
        }
        network
    }

    /// A candidate of ours as others may see it; `None` for one that nobody may. One whose address has
    /// no name is still checked from, and the peer learns of it by that.
    pub(super) fn told(
        &self,
        candidate: &ice::Candidate,
        ufrag: Option<&Word>,
    ) -> Option<pc_sdp::Candidate> {
        let mut told = candidate::to_sdp(candidate, ufrag)?;
        if self.hides {
            if candidate.kind == CandidateKind::Host {
                told.address = Host::Name(self.names.get(&candidate.address.ip())?.clone());
            }
            // mdns-ice-candidates §3.1.2.3, as for who wants nothing told (RFC 8839 §5.1).
            if let Some(related) = candidate.related_address {
                let nowhere = nowhere(related);
                told.related_address = Some(nowhere.ip().into());
                told.related_port = Some(nowhere.port());
            }
        }
        Some(told)
    }

    /// The address of a candidate of ours, or what is told instead.
    pub(super) fn address(&self, candidate: &ice::Candidate) -> Option<String> {
        let ip = candidate.address.ip();
        if self.hides && candidate.kind == CandidateKind::Host {
            return self.names.get(&ip).map(ToString::to_string);
        }
        Some(ip.to_string())
    }

    /// A server saw a socket under its own address. There is no NAT, so that to who knows the address
    /// the candidate says nothing (RFC 8445 §5.1.3); where it has a name, nobody could reach us from
    /// afar without. The server-reflexive candidate beside the host one that has it, unless the address
    /// reaches no further than the name.
    pub(super) fn public(&self, host: &ice::Candidate) -> Option<ice::Candidate> {
        if !self.hides || is_local(host.address.ip()) {
            return None;
        }
        let kind = CandidateKind::ServerReflexive;
        let preference = (host.priority >> 8) as u16;
        Some(ice::Candidate {
            foundation: format!("{}1", host.foundation),
            priority: candidate_priority(kind, preference, host.component),
            related_address: Some(host.address),
            kind,
            ..host.clone()
        })
    }
}

/// An address that says nothing.
pub(super) fn nowhere(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 9).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 9).into(),
    }
}

/// Whether nobody outside this network can reach the address.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "3a8c1d4e-0000-4000-8000-000000000001.local";

    fn host(address: &str) -> ice::Candidate {
        ice::Candidate {
            foundation: "7".into(),
            priority: candidate_priority(CandidateKind::Host, 65_000, 1),
            ..ice::Candidate::host(address.parse().unwrap())
        }
    }

    fn hidden(ip: &str) -> Hosts {
        let mut hosts = Hosts::new(true, HashMap::new());
        hosts.set_name(ip.parse().unwrap(), NAME);
        hosts
    }

    #[test]
    fn a_name_stands_for_a_hidden_address_and_nothing_for_one_without() {
        let hosts = hidden("10.0.0.2");
        let told = hosts.told(&host("10.0.0.2:5"), None).unwrap().to_string();
        assert!(told.contains(&format!(" {NAME} 5 typ host")), "{told}");
        assert_eq!(hosts.told(&host("10.0.0.3:5"), None), None);
        assert_eq!(hosts.address(&host("10.0.0.3:5")), None);
        let open = Hosts::new(false, HashMap::new())
            .told(&host("10.0.0.2:5"), None)
            .unwrap();
        assert!(open.to_string().contains(" 10.0.0.2 5 typ host"));
    }

    #[test]
    fn what_servers_saw_does_not_tell_its_base() {
        let seen = ice::Candidate {
            kind: CandidateKind::ServerReflexive,
            related_address: Some("10.0.0.2:5".parse().unwrap()),
            ..host("198.51.100.7:9")
        };
        let told = hidden("10.0.0.2").told(&seen, None).unwrap().to_string();
        assert!(
            told.contains("198.51.100.7 9 typ srflx raddr 0.0.0.0 rport 9"),
            "{told}"
        );
    }

    /// RFC 8445 §5.1.2: a priority of its own.
    #[test]
    fn a_public_address_is_told_where_a_server_saw_it_and_a_private_one_is_not() {
        let public = host("198.51.100.7:5");
        let told = hidden("198.51.100.7").public(&public).unwrap();
        assert_eq!(told.kind, CandidateKind::ServerReflexive);
        assert_eq!(told.priority, public.priority - (26 << 24));
        assert_ne!(told.foundation, public.foundation);
        for private in ["10.0.0.2:5", "192.168.1.2:5", "[fd00::2]:5", "127.0.0.1:5"] {
            assert_eq!(hidden("10.0.0.2").public(&host(private)), None, "{private}");
        }
        assert_eq!(Hosts::new(false, HashMap::new()).public(&public), None);
    }
}
