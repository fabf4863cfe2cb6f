//! How long data stop when the path in use is lost and another one lives.

use std::time::Duration;

use pc_simnet::{HostId, Link, Seed, ms, secs};

use super::support::{A, B, Duo, address, other};
use crate::State;

/// How the path is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The interface of this host goes, and the host learns it half a second later.
    Interface(HostId),
    /// The same, and what this host sends from its other address to where the path led is lost from then
    /// on: that went out through the interface, too, as Linux has it where a route says so.
    Route(HostId),
    /// What goes over these two addresses is lost, and nobody is told.
    BlackHole,
    /// The same, on the way from this host alone.
    OneWay(HostId),
    /// The network that the controlled side's address is in: all of its paths.
    Network,
}

/// How data flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Every 20 ms, either way.
    Both,
    /// From the controlling side alone, with a report every second on the way back.
    OneWay,
}

/// The longest that each host waited for data, from a second before the loss to five after it.
struct Gaps {
    last: [Duration; 2],
    longest: [Duration; 2],
}

fn links(loss: f64) -> Link {
    Link::new().delay(ms(50)).loss(loss)
}

/// Two hosts with two addresses each, connected over the first of each.
fn connected(seed: Seed, loss: f64, renomination: bool) -> Option<Duo> {
    let mut duo = Duo::new(seed).link(links(loss));
    for host in [A, B] {
        duo.add_address(host, 2);
        let now = duo.net.now();
        duo.net[host].agent.set_renomination(now, renomination);
    }
    duo.signal();
    duo.net.run_for(secs(8));
    let first = |host: HostId| duo.net[host].agent.route().map(|route| route.local);
    // Loss may have made another pair the first to answer: that is not what is measured here.
    let nominated = [A, B].iter().all(|id| duo.net[*id].agent.is_nominated());
    (nominated && [A, B].map(first) == [A, B].map(|host| Some(address(host, 1)))).then_some(duo)
}

impl Gaps {
    /// Lets data flow for this time.
    fn run(&mut self, duo: &mut Duo, flow: Flow, time: Duration) {
        let end = duo.net.elapsed() + time;
        let mut turn = 0;
        while duo.net.elapsed() < end {
            for host in [A, B] {
                if host == A || flow == Flow::Both || turn % 50 == 0 {
                    send(duo, host);
                }
            }
            turn += 1;
            let before = [A, B].map(|host| duo.net[host].data.len());
            duo.net.run_for(ms(20));
            for (index, host) in [A, B].into_iter().enumerate() {
                let gap = duo.net.elapsed() - self.last[index];
                if duo.net[host].data.len() > before[index] {
                    self.last[index] = duo.net.elapsed();
                }
                self.longest[index] = self.longest[index].max(gap);
            }
        }
    }
}

fn send(duo: &mut Duo, host: HostId) {
    let now = duo.net.now();
    let route = duo.net[host].agent.route();
    // From an address that is gone nothing leaves.
    if let Some(route) = route.filter(|route| duo.net.owner(route.local) == Some(host)) {
        duo.net[host].agent.data_sent(now);
        duo.net.inject(route.local, route.remote, b"\x80data");
    }
}

fn lose(duo: &mut Duo, loss: Loss) {
    let (a, b) = (address(A, 1), address(B, 1));
    match loss {
        Loss::Interface(host) => duo.net.remove_address(address(host, 1)),
        Loss::Route(host) => {
            duo.net.remove_address(address(host, 1));
            duo.net.cut(address(host, 2), address(other(host), 1));
        }
        Loss::BlackHole => {
            duo.net.cut(a, b);
            duo.net.cut(b, a);
        }
        Loss::OneWay(host) if host == A => duo.net.cut(a, b),
        Loss::OneWay(_) => duo.net.cut(b, a),
        Loss::Network => {
            for from in [1, 2].map(|n| address(A, n)) {
                duo.net.cut(from, b);
                duo.net.cut(b, from);
            }
        }
    }
}

/// How long each side waits for data after a loss; `None` where that cannot be measured.
fn outage(
    seed: Seed,
    how: Loss,
    flow: Flow,
    (loss, renomination): (f64, bool),
) -> Option<Duration> {
    let mut duo = connected(seed, loss, renomination)?;
    let now = duo.net.elapsed();
    let mut gaps = Gaps {
        last: [now; 2],
        longest: [Duration::ZERO; 2],
    };
    gaps.run(&mut duo, flow, secs(1));
    gaps.longest = [Duration::ZERO; 2];
    lose(&mut duo, how);
    if let Loss::Interface(host) | Loss::Route(host) = how {
        gaps.run(&mut duo, flow, ms(500));
        let (now, at) = (duo.net.now(), address(host, 1));
        duo.net[host].agent.remove_local_address(now, at);
    }
    gaps.run(&mut duo, flow, secs(5));
    let states = [A, B].map(|id| duo.net[id].agent.state());
    let alive = |state| matches!(state, State::Connected | State::Completed);
    assert!(
        states.into_iter().all(alive),
        "{states:?} after {how:?}, {seed:?}"
    );
    if loss == 0.0 {
        duo.assert_same_path();
    }
    Some(match flow {
        Flow::Both => gaps.longest[0].max(gaps.longest[1]),
        // Reports leave a second between them.
        Flow::OneWay => gaps.longest[1],
    })
}

const LOSSES: [Loss; 8] = [
    Loss::Interface(A),
    Loss::Interface(B),
    Loss::Route(A),
    Loss::Route(B),
    Loss::BlackHole,
    Loss::OneWay(A),
    Loss::OneWay(B),
    Loss::Network,
];

/// Round trips of 100 ms. The interface's loss is told after 500 ms, that of a path never.
#[test]
#[allow(clippy::print_stdout)]
fn another_path_takes_over_within_two_seconds() {
    for renomination in [true, false] {
        for flow in [Flow::Both, Flow::OneWay] {
            for how in LOSSES {
                for (loss, seeds) in [(0.0, 5), (0.1, 20)] {
                    let outage = |seed| {
                        let gap = outage(Seed(seed), how, flow, (loss, renomination))?;
                        Some((gap, seed))
                    };
                    let mut all: Vec<_> = (0..seeds).filter_map(outage).collect();
                    all.sort_unstable();
                    let (median, max) = (all[all.len() / 2].0, all[all.len() - 1]);
                    let late = all.iter().filter(|(gap, _)| *gap > secs(2)).count();
                    println!(
                        "renomination {renomination:5}  {flow:6?}  {how:24?}  loss {loss}: \
                         median {median:?}, longest {max:?} (seed), late {late} of {}",
                        all.len()
                    );
                    if loss == 0.0 {
                        assert!(max.0 <= secs(2), "{max:?}");
                    } else {
                        assert!(late * 10 <= all.len(), "{late} of {}", all.len());
                    }
                }
            }
        }
    }
}

/// draft-thatcher-ice-renomination §1: a network that comes is moved to if it is better, by those
/// who can say so; to others it is there for when the one in use is gone.
#[test]
fn a_better_network_that_comes_is_moved_to() {
    for both in [true, false] {
        let mut duo = Duo::new(Seed(3)).link(links(0.0));
        for host in [A, B] {
            let now = duo.net.now();
            duo.net[host].agent.set_renomination(now, both);
        }
        // The address that comes first is the better one: it goes, and comes back.
        duo.add_address(A, 2);
        duo.signal();
        duo.run_until_state(State::Completed);
        let (now, first) = (duo.net.now(), address(A, 1));
        duo.net.remove_address(first);
        duo.net[A].agent.remove_local_address(now, first);
        duo.net.run_for(secs(3));
        assert_eq!(duo.net[A].agent.route().unwrap().local, address(A, 2));
        duo.add_address(A, 1);
        duo.net.run_for(secs(1));
        let used = if both { first } else { address(A, 2) };
        assert_eq!(duo.net[A].agent.route().unwrap().local, used);
        duo.assert_same_path();
        let tried = |pair: &crate::PairView<'_>| {
            pair.route.local == first && pair.status == crate::PairStatus::Succeeded
        };
        assert!(duo.net[A].agent.pairs().any(|pair| tried(&pair)));
    }
}

/// What the interface that has gone had carried for other addresses is gone as well: a pair that has
/// answered since goes before a better one that has not.
#[test]
fn what_has_answered_since_the_loss_goes_first() {
    for who in [A, B] {
        let mut duo = Duo::new(Seed(1)).link(links(0.0));
        duo.add_address(other(who), 2);
        duo.signal();
        duo.net.run_for(secs(2));
        // So late that all of its pairs have answered a moment ago.
        duo.add_address(who, 2);
        duo.net.run_for(secs(1));
        lose(&mut duo, Loss::Route(who));
        let (now, gone) = (duo.net.now(), address(who, 1));
        duo.net[who].agent.remove_local_address(now, gone);
        duo.net.run_for(ms(250));
        let route = duo.net[who].agent.route().unwrap();
        let expected = (address(who, 2), address(other(who), 2));
        assert_eq!((route.local, route.remote), expected, "{who:?}");
    }
}
