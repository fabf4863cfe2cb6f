//! What the configuration says of durations and counts holds.

use std::time::Duration;

use pc_simnet::{Seed, ms, secs};

use super::support::{A, B, Duo, address};
use crate::{Agent, Candidate, Config, Role, State, Timing};

/// Two agents with other numbers than the usual ones.
fn duo(change: impl Fn(&mut Timing)) -> Duo {
    let mut duo = Duo::new(Seed(1));
    for (host, role) in [(A, Role::Controlling), (B, Role::Controlled)] {
        let mut config = Config::new(role, Seed(2).bytes(if host == A { "a" } else { "b" }));
        change(&mut config.timing);
        let mut agent = Agent::new(config);
        let now = duo.net.now();
        let own = Candidate::host(address(host, 1));
        agent.add_local_candidate(now, own).unwrap();
        duo.net[host].agent = agent;
    }
    duo
}

/// How long after the path was cut each side was in a state.
fn after_a_cut(state: State, change: impl Fn(&mut Timing)) -> [Duration; 2] {
    let mut duo = duo(change);
    duo.signal();
    duo.run_until_state(State::Completed);
    duo.net.run_for(secs(20));
    let cut_at = duo.net.elapsed();
    duo.net.cut_between(A, B);
    duo.run_until_state(State::Failed);
    [A, B].map(|host| duo.net[host].reached(state).unwrap() - cut_at)
}

#[test]
fn consent_lasts_as_long_as_it_is_said() {
    for expiry in [12, 60] {
        let failed = after_a_cut(State::Failed, |it| it.consent_expiry = secs(expiry));
        for failed in failed {
            assert!(
                failed <= secs(expiry) && failed >= secs(expiry - 7),
                "{failed:?}"
            );
        }
    }
}

#[test]
fn silence_counts_from_when_it_is_said() {
    for patience in [2, 12] {
        let silent = after_a_cut(State::Disconnected, |it| {
            it.disconnected_after = secs(patience)
        });
        for silent in silent {
            let most = secs(patience) + secs(7);
            assert!(
                silent >= secs(patience) - ms(100) && silent <= most,
                "{silent:?}"
            );
        }
    }
}

#[test]
fn consent_is_asked_for_as_often_as_it_is_said() {
    let checks = |interval| {
        let mut duo = duo(|it| it.consent_interval = interval);
        duo.signal();
        duo.run_until_state(State::Completed);
        duo.net.run_for(secs(10));
        let before = duo.net.trace().total();
        duo.net.run_for(secs(100));
        duo.net.trace().total() - before
    };
    let (often, rarely) = (checks(secs(2)), checks(secs(10)));
    assert!(
        often >= 4 * rarely && often <= 7 * rarely,
        "{often} {rarely}"
    );
}

/// Nobody answers.
fn alone(change: impl Fn(&mut Timing)) -> (Duration, u64) {
    let mut duo = duo(change);
    duo.net.cut_between(A, B);
    duo.signal();
    duo.run_until_state(State::Failed);
    (duo.net.elapsed(), duo.net.trace().total())
}

#[test]
fn checks_are_repeated_and_waited_for_as_it_is_said() {
    let short = |it: &mut Timing| {
        (it.min_rto, it.max_transmissions) = (ms(100), 3);
        (it.last_wait, it.patience) = (2, Duration::ZERO);
    };
    // 100 and 200 ms, and two times 100 ms for the last.
    let (took, sent) = alone(short);
    assert_eq!(sent, 2 * 3);
    assert!(took >= ms(500) && took <= ms(700), "{took:?}");
    let (took, sent) = alone(|it| {
        short(it);
        it.max_transmissions = 5;
    });
    assert_eq!(sent, 2 * 5);
    assert!(took >= ms(1_700) && took <= ms(1_900), "{took:?}");
    let (took, _) = alone(|it| {
        short(it);
        it.last_wait = 20;
    });
    assert!(took >= ms(2_300) && took <= ms(2_500), "{took:?}");
    let (took, _) = alone(|it| {
        short(it);
        it.patience = secs(9);
    });
    assert!(took >= secs(9) && took <= secs(10), "{took:?}");
}

/// The pair that is preferred does not answer.
#[test]
fn a_better_pair_is_waited_for_as_it_is_said() {
    let completed = |min, max| {
        let mut duo = duo(|it| (it.min_nomination_wait, it.max_nomination_wait) = (min, max));
        duo.add_address(A, 2);
        duo.net.cut(address(A, 1), address(B, 1));
        duo.net.cut(address(B, 1), address(A, 1));
        duo.signal();
        duo.run_until_state(State::Completed);
        duo.net[A].reached(State::Completed).unwrap()
    };
    for (min, max, waited) in [
        (ms(50), secs(10), ms(50)),
        (secs(3), secs(10), secs(3)),
        (secs(5), secs(2), secs(2)),
    ] {
        let took = completed(min, max);
        assert!(took >= waited && took < waited + ms(500), "{took:?}");
    }
}

/// How long the controlling side sends over a path that is lost before it takes another one.
fn takeover(change: impl Fn(&mut Timing)) -> Duration {
    let mut duo = duo(change);
    for host in [A, B] {
        duo.add_address(host, 2);
    }
    duo.signal();
    duo.run_until_state(State::Completed);
    duo.net.run_for(secs(8));
    let first = duo.net[A].agent.route().unwrap();
    duo.net.cut(first.local, first.remote);
    duo.net.cut(first.remote, first.local);
    let begin = duo.net.elapsed();
    while duo.net[A].agent.route() == Some(first) {
        let now = duo.net.now();
        duo.net[A].agent.data_sent(now);
        duo.net.inject(first.local, first.remote, b"\x80data");
        duo.net.run_for(ms(20));
        assert!(
            duo.net.elapsed() - begin < secs(20),
            "no other path is taken"
        );
    }
    duo.net.elapsed() - begin
}

#[test]
fn a_silent_path_is_probed_as_it_is_said() {
    let usual = takeover(|_| ());
    for (change, longer) in [
        // Once, thrice, and as often more.
        (
            &(|it: &mut Timing| it.probe_after = ms(2_400)) as &dyn Fn(&mut Timing),
            ms(2_000),
        ),
        (&|it| it.probe_interval = ms(1_150), ms(3_000)),
        (&|it| it.probes = 23, ms(3_000)),
    ] {
        let took = takeover(change);
        let expected = usual + longer;
        let is_near = took >= expected - ms(200) && took <= expected + ms(200);
        assert!(is_near, "{took:?}, {usual:?} as a rule");
    }
}
