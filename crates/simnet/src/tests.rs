//! The simulation itself: drivers, loops, seeds. Links and networks have files of their own.

mod links;
mod nats;
mod networks;
mod toy;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::RngExt;

use crate::{Collect, LazyDriver, Link, Loss, Pair, Seed, Side, Trace, for_each_seed, ms, secs};
use toy::{Pinger, Raw};

fn bad_link() -> Link {
    Link::new()
        .delay(ms(20))
        .jitter(ms(10))
        .loss(0.3)
        .reorder(0.2, ms(40))
        .duplicate(0.2)
        .rate(1_000_000, 3_000)
}

fn pingers(seed: Seed, rounds: u32) -> Pair<Pinger> {
    Pair::new(seed, Pinger::client(rounds), Pinger::server(rounds)).with_link(bad_link())
}

fn is_finished(pair: &Pair<Pinger>) -> bool {
    pair.a.is_finished() && pair.b.is_finished()
}

fn each_round_once_in_order(pair: &Pair<Pinger>, rounds: u32) {
    let expected: Vec<u32> = (0..rounds).collect();
    assert_eq!(pair.a.events, expected);
    assert_eq!(pair.b.events, expected);
}

#[test]
fn a_reliable_protocol_gets_through_a_bad_link() {
    for_each_seed(50, |seed| {
        let mut pair = pingers(seed, 20);
        pair.run(is_finished);
        pair.run_until_idle();
        each_round_once_in_order(&pair, 20);
    });
}

#[test]
fn a_lazy_driver_does_not_harm_an_engine_that_keeps_the_contract() {
    for_each_seed(200, |seed| {
        let mut pair = pingers(seed, 20).with_driver(LazyDriver::default());
        pair.run(is_finished);
        pair.run_until_idle();
        each_round_once_in_order(&pair, 20);
        assert!(pair.a.spurious > 0, "no spurious handle_timeout");
        assert!(pair.a.late > 0, "no late handle_timeout");
        assert!(pair.a.idle_polls > 0, "no poll after None");
    });
}

#[test]
fn a_lazy_driver_finds_an_engine_that_acts_on_spurious_timeouts() {
    let failed = (0..20).filter(|seed| {
        let mut pair = pingers(Seed(*seed), 20).with_driver(LazyDriver::default());
        pair.a.counts_each_timeout = true;
        pair.run(|pair| is_finished(pair) || pair.a.gave_up);
        pair.a.gave_up
    });
    assert!(failed.count() > 10);
}

#[test]
fn a_prompt_driver_calls_timeouts_on_time_and_only_then() {
    let mut pair = pingers(Seed(1), 50);
    pair.run(is_finished);
    assert_eq!((pair.a.spurious, pair.a.late), (0, 0));
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed, lazy: bool| -> (Trace, Vec<u32>) {
        let mut pair = pingers(Seed(seed), 30);
        if lazy {
            pair = pair.with_driver(LazyDriver::default());
        }
        pair.run(is_finished);
        (pair.trace().clone(), pair.a.take_events())
    };
    for lazy in [false, true] {
        assert_eq!(run(7, lazy), run(7, lazy));
        assert_ne!(run(7, lazy).0, run(8, lazy).0);
    }
    assert_ne!(run(7, false).0, run(7, true).0);
}

#[test]
fn seeds_of_different_purpose_differ() {
    let seed = Seed::from(3);
    assert_ne!(seed.bytes("a"), seed.bytes("b"));
    assert_ne!(seed.bytes("a"), Seed(4).bytes("a"));
    let (mut a, mut b) = (seed.rng("a"), seed.rng("b"));
    assert_ne!(a.random::<u64>(), b.random::<u64>());
}

#[test]
fn a_failing_seed_ends_the_row() {
    if std::env::var_os("SIM_SEED").is_some() {
        return; // the row is another one
    }
    let mut seen = Vec::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        for_each_seed(10, |seed| {
            seen.push(seed.0);
            assert!(seed.0 != 3);
        });
    }));
    assert!(result.is_err());
    assert_eq!(seen, [0, 1, 2, 3]);
}

#[test]
fn a_run_that_cannot_end_fails_with_its_seed() {
    let message = |act: &mut dyn FnMut()| {
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("must fail");
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    let mut idle = Pair::new(77, Raw::default(), Raw::default());
    let why = message(&mut || idle.run(|_| false));
    assert!(
        why.contains("SIM_SEED=77") && why.contains("nothing is under way"),
        "{why}"
    );

    let mut endless = pingers(Seed(78), u32::MAX);
    let why = message(&mut || endless.run(|_| false));
    assert!(why.contains("SIM_SEED=78") && why.contains("600s"), "{why}");

    let mut steps = pingers(Seed(79), u32::MAX).with_limits(secs(60), 100);
    let why = message(&mut || steps.run(|_| false));
    assert!(
        why.contains("SIM_SEED=79") && why.contains("100 steps"),
        "{why}"
    );
}

#[test]
fn time_goes_on_without_anything_happening() {
    let mut pair = Pair::new(1, Raw::default(), Raw::default());
    pair.run_for(secs(5));
    pair.run_for(secs(5));
    assert_eq!(pair.elapsed(), secs(10));
    assert!(!pair.step());
}

#[test]
fn commands_are_seen_at_the_next_run_and_in_drive() {
    let mut pair = Pair::new(1, Raw::default(), Raw::default());
    pair.a.send(b"one");
    pair.run(|pair| pair.b.received.len() == 1);
    assert_eq!(pair.elapsed(), ms(10));

    let mut left = 5;
    pair.drive(|pair| {
        if left > 0 {
            left -= 1;
            pair.b.send(&[left]);
        }
        pair.a.received.len() == 5
    });
    assert_eq!(pair.a.received, [[4], [3], [2], [1], [0]]);
}

#[test]
fn injected_datagrams_arrive_like_any_other() {
    let mut pair = Pair::new(1, Raw::default(), Raw::default());
    pair.inject(Side::B, (), b"forged");
    pair.run_for(ms(1));
    assert_eq!(pair.b.received, [b"forged"]);
    assert_eq!(pair.trace().iter().next().unwrap().from, None);
}

#[test]
fn links_change_and_break_while_the_pair_runs() {
    let mut pair = Pair::new(1, Raw::default(), Raw::default());
    pair.a.send(b"under way");
    pair.run_for(ms(1));
    pair.cut();
    pair.a.send(b"lost");
    pair.run_until_idle();
    pair.mend();
    pair.a.send(b"back");
    pair.run_until_idle();
    assert_eq!(pair.b.received, [&b"under way"[..], b"back"]);

    pair.set_link(Side::A, Link::new().loss_model(Loss::Uniform(1.0)));
    pair.a.send(b"lost");
    pair.b.send(b"there");
    pair.run_until_idle();
    assert_eq!((pair.b.received.len(), pair.a.received.len()), (2, 1));
}

#[test]
fn collect_keeps_payloads_and_pulled_data() {
    let take = |engine| {
        Collect::payloads(engine, |bytes: &mut [u8], all: &mut Vec<Vec<u8>>| {
            all.push(bytes.to_vec());
        })
    };
    let pull = |engine| {
        Collect::pulled(engine, |raw: &mut Raw, _, all| {
            all.append(&mut raw.received);
        })
    };
    let mut pair = Pair::new(5, take(Raw::default()), pull(Raw::default()));
    pair.a.send(b"to b");
    pair.b.send(b"to a");
    pair.run(|pair| !pair.a.collected.is_empty() && !pair.b.collected.is_empty());
    assert_eq!(pair.a.collected, [b"to a"]);
    assert_eq!(pair.b.collected, [b"to b"]);
    assert!(pair.b.received.is_empty());
}

#[test]
fn a_rejection_is_kept() {
    let mut pair = Pair::new(5, Raw::default(), Raw::default());
    pair.a.send(b"");
    pair.run_until_idle();
    assert_eq!(pair.b.rejected.len(), 1);
    assert!(pair.b.received.is_empty());
}
