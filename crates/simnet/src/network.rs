use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    ops::{Index, IndexMut},
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Protocol};

use crate::{
    Fate, Host, LazyDriver, Link, Nat, Node, Seed, Trace,
    air::Air,
    link::Wire,
    run::{self, End, Steps, run_methods},
};

/// The number of a host of a [`Network`]: 0 for the first one added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub usize);

/// Hosts with addresses, and a link for each directed pair of addresses.
///
/// Every address reaches every other one over the [default link](Self::with_link), unless a test
/// [sets](Self::set_link) or [cuts](Self::cut) the link between two of them. Addresses
/// [behind a NAT](Self::put_behind) are seen from outside as the NAT translates them, and links are
/// between what is seen outside.
#[derive(Debug)]
pub struct Network<N: Node<Engine: Protocol<Route = FiveTuple>>> {
    hosts: Vec<Host<N>>,
    owners: HashMap<SocketAddr, usize>,
    wires: HashMap<(SocketAddr, SocketAddr), Wire>,
    cuts: HashSet<(SocketAddr, SocketAddr)>,
    default_link: Link,
    /// With the addresses inside.
    nats: Vec<(Nat, Vec<IpAddr>)>,
    air: Air<FiveTuple>,
}

impl<N: Node<Engine: Protocol<Route = FiveTuple>>> Network<N> {
    /// A network without hosts; its links are perfect with 10 ms delay each way.
    pub fn new(seed: impl Into<Seed>) -> Self {
        Self {
            hosts: Vec::new(),
            owners: HashMap::new(),
            wires: HashMap::new(),
            cuts: HashSet::new(),
            default_link: Link::new().delay(Duration::from_millis(10)),
            nats: Vec::new(),
            air: Air::new(seed.into()),
        }
    }

    /// The link between addresses that have none of their own.
    #[must_use]
    pub fn with_link(mut self, link: Link) -> Self {
        self.default_link = link;
        self
    }

    /// Drives all hosts lazily.
    #[must_use]
    pub fn with_driver(mut self, driver: LazyDriver) -> Self {
        self.air.driver = Some(driver);
        for (id, host) in self.hosts.iter_mut().enumerate() {
            host.lazy = self.air.lazy(id);
        }
        self
    }

    /// Adds a host with these addresses.
    ///
    /// # Panics
    ///
    /// Another host has one of them.
    pub fn add(&mut self, node: N, addresses: &[SocketAddr]) -> HostId {
        let id = HostId(self.hosts.len());
        self.hosts.push(Host::new(node, self.air.lazy(id.0)));
        for address in addresses {
            self.add_address(id, *address);
        }
        id
    }

    /// Gives a host one more address.
    ///
    /// # Panics
    ///
    /// Another host has it.
    pub fn add_address(&mut self, host: HostId, address: SocketAddr) {
        let owner = *self.owners.entry(address).or_insert(host.0);
        assert!(owner == host.0, "{address} belongs to host {owner}");
    }

    /// Takes an address away from its host: nothing is sent from it or arrives at it any more.
    pub fn remove_address(&mut self, address: SocketAddr) {
        self.owners.remove(&address);
    }

    /// Puts these addresses behind a NAT: what they send beyond each other is translated, and
    /// nothing reaches them from elsewhere but through it.
    pub fn put_behind(&mut self, nat: Nat, inside: &[IpAddr]) {
        self.nats.push((nat, inside.to_vec()));
    }

    /// The NAT with this address outside.
    pub fn nat_mut(&mut self, outside: IpAddr) -> Option<&mut Nat> {
        let mut nats = self.nats.iter_mut().map(|(nat, _)| nat);
        nats.find(|nat| nat.outside() == outside)
    }

    /// Who has an address.
    pub fn owner(&self, address: SocketAddr) -> Option<HostId> {
        self.owners.get(&address).copied().map(HostId)
    }

    /// The hosts, in the order they were added.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &Host<N>)> {
        let ids = (0..).map(HostId);
        ids.zip(&self.hosts)
    }

    /// Two hosts at once.
    ///
    /// # Panics
    ///
    /// They are the same one, or there is no such host.
    pub fn two(&mut self, a: HostId, b: HostId) -> (&mut Host<N>, &mut Host<N>) {
        let [a, b] = self
            .hosts
            .get_disjoint_mut([a.0, b.0])
            .expect("two different hosts of this network");
        (a, b)
    }

    /// Changes the link from one address to another; the way back is a link of its own. What is
    /// under way still arrives.
    pub fn set_link(&mut self, from: SocketAddr, to: SocketAddr, link: Link) {
        self.wires.entry((from, to)).or_default().link = link;
    }

    /// Cuts the link from one address to another, which keeps its properties: a black hole. The
    /// way back stays.
    pub fn cut(&mut self, from: SocketAddr, to: SocketAddr) {
        self.cuts.insert((from, to));
    }

    /// Mends what [`cut`](Self::cut) cut.
    pub fn mend(&mut self, from: SocketAddr, to: SocketAddr) {
        self.cuts.remove(&(from, to));
    }

    /// Cuts every link between two hosts, both ways, for the addresses they have now.
    pub fn cut_between(&mut self, a: HostId, b: HostId) {
        for (from, to) in self.links_between(a, b) {
            self.cut(from, to);
        }
    }

    /// Mends every link between two hosts.
    pub fn mend_between(&mut self, a: HostId, b: HostId) {
        for (from, to) in self.links_between(a, b) {
            self.mend(from, to);
        }
    }

    /// Sends a datagram from any address, such as one that no host has or one that is not the
    /// sender's to use.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        self.post(None, FiveTuple::udp(from, to), datagram.to_vec());
    }

    run_methods!();

    fn links_between(&self, a: HostId, b: HostId) -> Vec<(SocketAddr, SocketAddr)> {
        let of = |id: HostId| {
            let owned = self.owners.iter().filter(move |(_, owner)| **owner == id.0);
            owned.map(|(address, _)| *address)
        };
        of(a)
            .flat_map(|from| of(b).flat_map(move |to| [(from, to), (to, from)]))
            .collect()
    }

    fn post(&mut self, from: Option<usize>, route: FiveTuple, datagram: Vec<u8>) {
        let owner = self.owners.get(&route.local).copied();
        if from.is_some() && owner != from {
            let to = self.owners.get(&route.remote).copied();
            let fate = Fate::NotMyAddress;
            return self.air.record((from, to), route, datagram.len(), fate);
        }
        let (route, to) = self.translated(route);
        let Some(to) = to else {
            let fate = Fate::NoHost;
            return self.air.record((from, to), route, datagram.len(), fate);
        };
        let ends = (route.local, route.remote);
        let default = &self.default_link;
        let wire = self
            .wires
            .entry(ends)
            .or_insert_with(|| Wire::new(default.clone()));
        let up = wire.link.up;
        wire.link.up &= !self.cuts.contains(&ends);
        self.air.send(wire, (from, to), route, datagram);
        wire.link.up = up;
    }

    /// The route as it is seen outside of the sender's NAT, and which host is to have it.
    fn translated(&mut self, route: FiveTuple) -> (FiveTuple, Option<usize>) {
        let (local, remote) = (route.local, route.remote);
        let is_behind = |inside: &[IpAddr], address: SocketAddr| inside.contains(&address.ip());
        let is_beyond = |(_, inside): &&(Nat, Vec<IpAddr>)| {
            is_behind(inside, remote) && !is_behind(inside, local)
        };
        if self.nats.iter().any(|it| is_beyond(&it)) {
            // A private address of somebody else's.
            return (route, None);
        }
        let now = self.air.now;
        let leaves = |(_, inside): &&mut (Nat, Vec<IpAddr>)| {
            is_behind(inside, local) && !is_behind(inside, remote)
        };
        let route = match self.nats.iter_mut().find(leaves) {
            Some((nat, _)) => FiveTuple::udp(nat.outbound(now, local, remote), remote),
            None => route,
        };
        let mut nats = self.nats.iter();
        let inside = nats.find_map(|(nat, _)| nat.inside_of(remote));
        let to = self.owners.get(&inside.unwrap_or(remote)).copied();
        (route, to)
    }

    /// Hands over what has arrived, if the address is still there and its NAT lets it in.
    fn deliver(&mut self) {
        while let Some(packet) = self.air.arrived() {
            let (mut route, len) = (packet.route, packet.datagram.len());
            let now = self.air.now;
            if let Some(nat) = self.nat_mut(route.local.ip()) {
                let Some(inside) = nat.inbound(now, route.local, route.remote) else {
                    let hosts = (packet.from, Some(packet.to));
                    self.air
                        .record(hosts, route.reversed(), len, Fate::Filtered);
                    continue;
                };
                route.local = inside;
            }
            match self.owners.get(&route.local) {
                Some(owner) => {
                    self.hosts[*owner].arrive(route, packet.datagram, self.air.now);
                }
                None => {
                    let hosts = (packet.from, None);
                    self.air.record(hosts, route.reversed(), len, Fate::NoHost);
                }
            }
        }
    }
}

impl<N: Node<Engine: Protocol<Route = FiveTuple>>> Steps for Network<N> {
    type Route = FiveTuple;

    fn air(&self) -> &Air<FiveTuple> {
        &self.air
    }

    fn air_mut(&mut self) -> &mut Air<FiveTuple> {
        &mut self.air
    }

    fn stir(&mut self) {
        for host in &mut self.hosts {
            host.stir(self.air.now);
        }
    }

    fn next(&self) -> Option<Instant> {
        let wakes = self.hosts.iter().map(|host| host.wakes_at(self.air.now));
        wakes.chain([self.air.next_arrival()]).flatten().min()
    }

    fn turn(&mut self) {
        self.deliver();
        for id in 0..self.hosts.len() {
            self.hosts[id].turn(self.air.now, &mut self.air.outbox);
            let mut sent = std::mem::take(&mut self.air.outbox.sent);
            for (route, datagram) in sent.drain(..) {
                self.post(Some(id), route, datagram);
            }
            self.air.outbox.sent = sent;
        }
    }

    fn describe(&self) -> String {
        let hosts = self.hosts().map(|(id, host)| format!("{}: {host:?}", id.0));
        hosts.collect::<Vec<_>>().join("\n")
    }
}

impl<N: Node<Engine: Protocol<Route = FiveTuple>>> Index<HostId> for Network<N> {
    type Output = Host<N>;

    fn index(&self, host: HostId) -> &Host<N> {
        &self.hosts[host.0]
    }
}

impl<N: Node<Engine: Protocol<Route = FiveTuple>>> IndexMut<HostId> for Network<N> {
    fn index_mut(&mut self, host: HostId) -> &mut Host<N> {
        &mut self.hosts[host.0]
    }
}
