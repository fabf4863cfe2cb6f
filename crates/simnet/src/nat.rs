use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// How much of the far end's address counts (RFC 4787 §4.1 for mapping, §5 for filtering).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dependence {
    /// Nothing: one mapping for every destination; whoever knows it gets in.
    EndpointIndependent,
    /// Its IP address.
    AddressDependent,
    /// Its IP address and port. Mapping by both is what is called a symmetric NAT.
    AddressAndPortDependent,
}

impl Dependence {
    /// All three, from the most to the least permissive.
    pub const ALL: [Self; 3] = [
        Self::EndpointIndependent,
        Self::AddressDependent,
        Self::AddressAndPortDependent,
    ];

    /// Whether two far ends are the same one as far as it counts.
    fn agrees(self, a: SocketAddr, b: SocketAddr) -> bool {
        match self {
            Self::EndpointIndependent => true,
            Self::AddressDependent => a.ip() == b.ip(),
            Self::AddressAndPortDependent => a == b,
        }
    }
}

/// A network address and port translator with one address outside (RFC 4787).
///
/// ```
/// use pc_simnet::{Dependence, Nat, epoch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (inside, server) = ("10.0.0.2:5000".parse()?, "192.0.2.1:3478".parse()?);
/// let symmetric = Dependence::AddressAndPortDependent;
/// let mut nat = Nat::new("203.0.113.1".parse()?, symmetric, symmetric);
/// let outside = nat.outbound(epoch(), inside, server);
/// assert_eq!(nat.inbound(epoch(), outside, server), Some(inside));
/// assert_eq!(nat.inbound(epoch(), outside, "198.51.100.1:7".parse()?), None);
/// # Ok(()) }
/// ```
///
/// Ports are not preserved, and given out in order. What one inside host sends to the outside address
/// comes back in with its own outside address as its source (RFC 4787 §6).
#[derive(Debug, Clone)]
pub struct Nat {
    outside: IpAddr,
    mapping: Dependence,
    filtering: Dependence,
    lifetime: Duration,
    next_port: u16,
    bindings: Vec<Binding>,
}

#[derive(Debug, Clone)]
struct Binding {
    inside: SocketAddr,
    port: u16,
    /// The destination that it was made for.
    made_for: SocketAddr,
    /// Where it has sent to.
    contacted: BTreeSet<SocketAddr>,
    used_at: Instant,
}

impl Nat {
    /// The port of the first binding.
    pub const FIRST_PORT: u16 = 20_000;

    /// A translator whose bindings last for two minutes without outbound traffic, the least that
    /// RFC 4787 §4.3 allows.
    pub const fn new(outside: IpAddr, mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            outside,
            mapping,
            filtering,
            lifetime: Duration::from_secs(120),
            next_port: Self::FIRST_PORT,
            bindings: Vec::new(),
        }
    }

    /// Bindings last for so long without outbound traffic.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Its address outside.
    pub const fn outside(&self) -> IpAddr {
        self.outside
    }

    /// What the source of a datagram from `inside` to `remote` becomes.
    pub fn outbound(&mut self, now: Instant, inside: SocketAddr, remote: SocketAddr) -> SocketAddr {
        self.expire(now);
        let mapping = self.mapping;
        let fits = |it: &Binding| it.inside == inside && mapping.agrees(it.made_for, remote);
        let at = self.bindings.iter().position(fits).unwrap_or_else(|| {
            self.bindings.push(Binding {
                inside,
                port: self.next_port,
                made_for: remote,
                contacted: BTreeSet::new(),
                used_at: now,
            });
            self.next_port = self.next_port.wrapping_add(1).max(Self::FIRST_PORT);
            self.bindings.len() - 1
        });
        let binding = &mut self.bindings[at];
        binding.contacted.insert(remote);
        binding.used_at = now;
        SocketAddr::new(self.outside, binding.port)
    }

    /// Whom a datagram from `remote` to the outside address is for; `None` if it is not let in.
    pub fn inbound(
        &mut self,
        now: Instant,
        outside: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketAddr> {
        self.expire(now);
        let binding = self.binding(outside)?;
        let lets_in = |known: &SocketAddr| self.filtering.agrees(*known, remote);
        let is_open = binding.contacted.iter().any(lets_in);
        is_open.then_some(binding.inside)
    }

    /// Who has the binding at this outside address, whether or not it would let anything in.
    pub(crate) fn inside_of(&self, outside: SocketAddr) -> Option<SocketAddr> {
        Some(self.binding(outside)?.inside)
    }

    /// Loses every binding, as a restart of the device would.
    pub fn forget(&mut self) {
        self.bindings.clear();
    }

    fn binding(&self, outside: SocketAddr) -> Option<&Binding> {
        let is_at = |it: &&Binding| it.port == outside.port();
        let mut bindings = self
            .bindings
            .iter()
            .filter(|_| outside.ip() == self.outside);
        bindings.find(is_at)
    }

    fn expire(&mut self, now: Instant) {
        let lifetime = self.lifetime;
        self.bindings.retain(|it| it.used_at + lifetime > now);
    }
}
