//! Two hosts on two networks, each network a switch.
//!
//! ```text
//!              ┌── neta: 10.0.1.1 ──[switch]── 10.0.1.2 :neta ──┐
//!   host one ──┤                                                 ├── host two
//!              └── netb: 10.0.2.1 ──[switch]── 10.0.2.2 :netb ──┘
//! ```
//!
//! The switches are in the namespace that this process runs in, and there is nothing else: what one
//! host says to the other goes over one of them.

use std::{fmt, net::Ipv4Addr, process::Command};

use anyhow::Result;

use super::super::network::{Namespace, run};

/// One of the two networks, and the interface of each host there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    A,
    B,
}

impl Link {
    const ALL: [Self; 2] = [Self::A, Self::B];

    /// The one that an address, or a text that has one, is of.
    pub(super) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| text.contains(it.network()))
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn network(self) -> &'static str {
        match self {
            Self::A => "10.0.1.",
            Self::B => "10.0.2.",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "neta",
            Self::B => "netb",
        })
    }
}

/// The hosts and the networks between them.
pub(super) struct Links {
    hosts: [Namespace; 2],
}

impl Links {
    /// Builds them around this process's namespace; no interface is up.
    ///
    /// # Errors
    ///
    /// The system does not allow it, in the words of the command that failed.
    pub(super) fn new() -> Result<Self> {
        let links = Self {
            hosts: [Namespace::new()?, Namespace::new()?],
        };
        for host in &links.hosts {
            host.script("ip link set lo up")?;
        }
        for link in Link::ALL {
            links.wire(link)?;
        }
        Ok(links)
    }

    fn wire(&self, link: Link) -> Result<()> {
        // That of the case before may still be there, and its ports about to go with their hosts.
        let mut lines = format!(
            "ip link del {link} 2> /dev/null || true
            ip link add {link} type bridge; ip link set {link} up\n"
        );
        for (number, host) in (1..).zip(&self.hosts) {
            lines += &format!(
                "ip link del {link}{number} 2> /dev/null || true
                ip link add {link}{number} type veth peer name {link} netns {host}
                ip link set {link}{number} master {link} up\n"
            );
        }
        run(Command::new("sh"), &lines)?;
        for (number, host) in (1..).zip(&self.hosts) {
            let network = link.network();
            host.script(&format!("ip addr add {network}{number}/24 dev {link}"))?;
        }
        Ok(())
    }

    /// Gives the switches an address each, and this process's namespace the one of a server, so that
    /// the hosts can reach it over either network.
    pub(super) fn serve(&self, server: Ipv4Addr) -> Result<()> {
        let mut lines = format!("ip link set lo up; ip addr replace {server}/32 dev lo\n");
        for link in Link::ALL {
            let network = link.network();
            lines += &format!("ip addr add {network}254/24 dev {link}\n");
        }
        run(Command::new("sh"), &lines)
    }

    /// Has this host reach everything else over this network, whose interface is up.
    pub(super) fn route(&self, host: usize, link: Link) -> Result<()> {
        let network = link.network();
        self.hosts[host].script(&format!("ip route replace default via {network}254"))
    }

    /// Runs in the namespace of this host.
    pub(super) fn command(&self, host: usize, program: &std::path::Path) -> Command {
        self.hosts[host].command(program)
    }

    /// Takes an interface of a host up, or down: who is on the other host sees nothing of it.
    pub(super) fn set(&self, host: usize, link: Link, is_up: bool) -> Result<()> {
        let state = if is_up { "up" } else { "down" };
        self.hosts[host].script(&format!("ip link set {link} {state}"))
    }

    /// Takes the cable of the first host out of the switch at its far end: both hosts have their
    /// interface still, and neither is told.
    pub(super) fn pull(&self, link: Link) -> Result<()> {
        run(Command::new("sh"), &format!("ip link set {link}1 nomaster"))
    }
}
