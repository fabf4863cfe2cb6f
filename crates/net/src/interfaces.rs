use std::{collections::HashSet, fmt, io, net::IpAddr, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};

mod kind;

pub use kind::InterfaceKind;

/// One address of one network interface of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Interface {
    /// The interface's name, as the operating system shows it to users.
    pub name: String,
    /// Its number, which is the scope of link-local addresses.
    pub index: Option<u32>,
    /// The address.
    pub ip: IpAddr,
    /// How many leading bits of the address name its network.
    pub prefix_len: u8,
    /// Whether it leads back to this machine.
    pub loopback: bool,
    /// Whether the address is valid on its own link only (169.254.0.0/16, fe80::/10).
    pub link_local: bool,
    /// Whether it joins two hosts only, as a tunnel does.
    pub point_to_point: bool,
}

impl Interface {
    /// What carries its packets. Asks the operating system: on Linux a few small files are read,
    /// elsewhere the name has to tell.
    pub fn kind(&self) -> InterfaceKind {
        if self.loopback {
            return InterfaceKind::Loopback;
        }
        kind::kind(&self.name)
    }
}

/// The addresses of all interfaces that are up, in the operating system's order.
///
/// # Errors
///
/// The operating system does not tell.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let all = if_addrs::get_if_addrs()?;
    Ok(all.into_iter().filter(is_up).map(From::from).collect())
}

/// An interface that was taken down, or whose cable is out, may keep its addresses: nothing leaves
/// from them. On Unix all that is told is whether it runs (`IFF_RUNNING`), which also loopback and
/// tunnels say of themselves; Windows may not know of one that works.
fn is_up(interface: &if_addrs::Interface) -> bool {
    use if_addrs::IfOperStatus::{Down, LowerLayerDown, NotPresent, Up};
    match interface.oper_status {
        Up => true,
        Down | NotPresent | LowerLayerDown => false,
        _ => cfg!(not(unix)),
    }
}

impl From<if_addrs::Interface> for Interface {
    fn from(interface: if_addrs::Interface) -> Self {
        let (ip, prefix_len): (IpAddr, u8) = match &interface.addr {
            if_addrs::IfAddr::V4(v4) => (v4.ip.into(), v4.prefixlen),
            if_addrs::IfAddr::V6(v6) => (v6.ip.into(), v6.prefixlen),
        };
        Self {
            ip,
            prefix_len,
            loopback: ip.is_loopback(),
            link_local: match ip {
                IpAddr::V4(ip) => ip.is_link_local(),
                IpAddr::V6(ip) => ip.is_unicast_link_local(),
            },
            point_to_point: interface.is_p2p(),
            index: interface.index,
            name: interface.name,
        }
    }
}

/// What became different about the interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Addresses that are new, or are on another interface than before.
    pub added: Vec<Interface>,
    /// Addresses that are gone.
    pub removed: Vec<Interface>,
}

/// Tells when addresses come and go.
///
/// It asks the operating system again and again: that takes tens of microseconds, works alike
/// everywhere and needs no privilege. A change shows after at most the interval; sockets whose
/// address is gone report no error before.
pub struct InterfaceWatch {
    known: Vec<Interface>,
    ticks: Interval,
    list: Box<dyn FnMut() -> io::Result<Vec<Interface>> + Send>,
}

impl InterfaceWatch {
    /// How often a watch looks, unless told otherwise.
    pub const INTERVAL: Duration = Duration::from_secs(5);

    /// Looks every [`INTERVAL`](Self::INTERVAL) from now on.
    ///
    /// # Errors
    ///
    /// The operating system does not tell.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time enabled.
    pub fn new() -> io::Result<Self> {
        Self::every(Self::INTERVAL)
    }

    /// Looks every `period`, of at least a millisecond, from now on.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn every(period: Duration) -> io::Result<Self> {
        Self::with_list(period, interfaces)
    }

    fn with_list(
        period: Duration,
        mut list: impl FnMut() -> io::Result<Vec<Interface>> + Send + 'static,
    ) -> io::Result<Self> {
        let known = list()?;
        let mut ticks = interval(period.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            known,
            ticks,
            list: Box::new(list),
        })
    }

    /// The interfaces as the watch knows them: changes count from here.
    pub fn known(&self) -> &[Interface] {
        &self.known
    }

    /// Waits for the next change. Dropping the future loses nothing.
    pub async fn changed(&mut self) -> Change {
        loop {
            self.ticks.tick().await;
            match (self.list)() {
                Ok(now) => {
                    let change = Change::between(&self.known, &now);
                    self.known = now;
                    if change != Change::default() {
                        return change;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "interfaces are not known; asked again later")
                }
            }
        }
    }
}

impl fmt::Debug for InterfaceWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterfaceWatch")
            .field("known", &self.known)
            .field("period", &self.ticks.period())
            .finish_non_exhaustive()
    }
}

impl Change {
    fn between(before: &[Interface], after: &[Interface]) -> Self {
        let only_in = |these: &[Interface], those: &[Interface]| {
            let those: HashSet<_> = those.iter().collect();
            let only = these.iter().filter(|one| !those.contains(one));
            only.cloned().collect()
        };
        Self {
            added: only_in(after, before),
            removed: only_in(before, after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    #[cfg(unix)]
    use std::net::Ipv4Addr;

    fn interface(ip: &str) -> Interface {
        let ip: IpAddr = ip.parse().unwrap();
        Interface {
            name: "test0".into(),
            index: Some(7),
            ip,
            prefix_len: 24,
            loopback: ip.is_loopback(),
            link_local: false,
            point_to_point: false,
        }
    }

    #[test]
    fn this_machine_has_a_loopback_address() {
        let all = interfaces().unwrap();
        let loopback = |one: &&Interface| one.loopback && one.ip.is_loopback();
        let found = all.iter().find(loopback).expect("a loopback interface");
        assert!(!found.name.is_empty() && found.index.is_some());
        assert!(found.prefix_len >= 8 && !found.link_local);
    }

    #[cfg(unix)]
    #[test]
    fn what_does_not_run_is_not_up_though_it_has_an_address() {
        use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr};
        let address = IfAddr::V4(Ifv4Addr {
            ip: Ipv4Addr::new(10, 0, 0, 1),
            netmask: Ipv4Addr::new(255, 255, 255, 0),
            prefixlen: 24,
            broadcast: None,
        });
        // What the list has of an interface that was taken down, and of one that runs.
        for (status, expected) in [(IfOperStatus::Unknown, false), (IfOperStatus::Up, true)] {
            let interface = if_addrs::Interface {
                name: "test0".into(),
                addr: address.clone(),
                index: Some(7),
                oper_status: status,
                is_p2p: false,
            };
            assert_eq!(is_up(&interface), expected, "{interface:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_tells_what_came_and_went() {
        let (a, b, c) = (
            interface("10.0.0.1"),
            interface("10.0.0.2"),
            interface("2001:db8::1"),
        );
        let mut lists: VecDeque<io::Result<Vec<Interface>>> = [
            Ok(vec![a.clone(), b.clone()]),
            Ok(vec![b.clone(), a.clone()]),
            Err(io::ErrorKind::Other.into()),
            Ok(vec![c.clone(), b.clone()]),
            Ok(vec![c.clone(), b.clone()]),
            Ok(vec![]),
        ]
        .into();
        let started = tokio::time::Instant::now();
        let list = move || lists.pop_front().expect("no further look");
        let mut watch = InterfaceWatch::with_list(Duration::from_secs(5), list).unwrap();
        assert_eq!(watch.known(), [a.clone(), b.clone()]);
        let change = watch.changed().await;
        assert_eq!((change.added, change.removed), (vec![c.clone()], vec![a]));
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        let change = watch.changed().await;
        assert_eq!((change.added, change.removed), (vec![], vec![c, b]));
        assert_eq!(started.elapsed(), Duration::from_secs(20));
        assert!(watch.known().is_empty());
    }
}
