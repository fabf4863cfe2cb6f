//! What the networks of this machine cost (draft-thatcher-ice-network-cost).

use std::{collections::HashMap, io, net::IpAddr};

use pc_ice::{Network, NetworkCost};
use pc_net::{Interface, InterfaceKind};

/// The networks of addresses that were asked for. Interfaces are numbered in the order in which they
/// were seen, so that the numbers say nothing of the machine.
#[derive(Default)]
pub(super) struct Networks {
    interfaces: Vec<String>,
    known: HashMap<IpAddr, Network>,
}

impl Networks {
    /// The networks of these addresses. The operating system is asked if one is new.
    pub(super) fn of(&mut self, ips: &[IpAddr]) -> Vec<(IpAddr, Network)> {
        self.of_those(ips, pc_net::interfaces, Interface::kind)
    }

    fn of_those(
        &mut self,
        ips: &[IpAddr],
        list: impl FnOnce() -> io::Result<Vec<Interface>>,
        kind: impl Fn(&Interface) -> InterfaceKind,
    ) -> Vec<(IpAddr, Network)> {
        if ips.iter().any(|ip| !self.known.contains_key(ip)) {
            let all = list().unwrap_or_default();
            for ip in ips {
                if !self.known.contains_key(ip) {
                    let interface = all.iter().find(|it| it.ip == *ip);
                    let network = Network {
                        id: interface.map_or(0, |it| self.number(&it.name)),
                        cost: cost(interface.map_or(InterfaceKind::Unknown, &kind)),
                    };
                    self.known.insert(*ip, network);
                }
            }
        }
        let known = |ip: &IpAddr| Some((*ip, *self.known.get(ip)?));
        ips.iter().filter_map(known).collect()
    }

    /// These addresses may be those of other networks when they come again.
    pub(super) fn forget(&mut self, ips: impl IntoIterator<Item = IpAddr>) {
        for ip in ips {
            self.known.remove(&ip);
        }
    }

    /// From one; more than there are numbers have none.
    fn number(&mut self, interface: &str) -> u16 {
        let known = self.interfaces.iter().position(|it| it == interface);
        let position = known.unwrap_or_else(|| {
            self.interfaces.push(interface.to_owned());
            self.interfaces.len() - 1
        });
        u16::try_from(position + 1).unwrap_or(0)
    }
}

/// As libwebrtc has it (`rtc_base/network.cc`, `ComputeNetworkCostByType`). What a tunnel runs over is not
/// known, and without it the way would be shorter.
const fn cost(kind: InterfaceKind) -> NetworkCost {
    match kind {
        InterfaceKind::Loopback | InterfaceKind::Ethernet => NetworkCost::FREE,
        InterfaceKind::Wifi => NetworkCost::LOW,
        InterfaceKind::Cellular => NetworkCost::HIGH,
        InterfaceKind::Tunnel => NetworkCost::UNKNOWN.tunneled(),
        _ => NetworkCost::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// The addresses of this machine, as if its loopback were of this kind.
    fn as_if(networks: &mut Networks, kind: InterfaceKind) -> Vec<(IpAddr, Network)> {
        networks.of_those(&[LOOPBACK], pc_net::interfaces, |_| kind)
    }

    /// The numbers of libwebrtc's `rtc_base/network_constants.h`.
    #[test]
    fn kinds_of_interfaces_have_their_costs() {
        for (kind, expected) in [
            (InterfaceKind::Loopback, 0),
            (InterfaceKind::Ethernet, 0),
            (InterfaceKind::Wifi, 10),
            (InterfaceKind::Unknown, 50),
            (InterfaceKind::Tunnel, 51),
            (InterfaceKind::Cellular, 900),
        ] {
            let told = as_if(&mut Networks::default(), kind);
            let network = Network {
                id: 1,
                cost: NetworkCost::new(expected),
            };
            assert_eq!(told, [(LOOPBACK, network)], "{kind:?}");
        }
    }

    #[test]
    fn what_is_known_is_asked_for_again_once_it_has_gone() {
        let mut networks = Networks::default();
        let before = as_if(&mut networks, InterfaceKind::Wifi);
        assert_eq!(as_if(&mut networks, InterfaceKind::Cellular), before);
        networks.forget([LOOPBACK]);
        let after = as_if(&mut networks, InterfaceKind::Cellular);
        assert_eq!(after[0].1.id, before[0].1.id, "the same interface");
        assert_eq!(after[0].1.cost, NetworkCost::HIGH);
    }

    /// An address that no interface has, as where packets are routed to this machine for it.
    #[test]
    fn an_address_of_no_interface_is_of_an_unknown_network() {
        let nowhere: IpAddr = [192, 0, 2, 1].into();
        let told = Networks::default().of(&[nowhere, LOOPBACK]);
        let unknown = Network {
            id: 0,
            cost: NetworkCost::UNKNOWN,
        };
        let loopback = Network {
            id: 1,
            cost: NetworkCost::FREE,
        };
        assert_eq!(told, [(nowhere, unknown), (LOOPBACK, loopback)]);
    }
}
