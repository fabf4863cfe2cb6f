//! Whole streams, forwarded: a hundred switches of encoding and many of layers, on good ways and bad
//! ones, checked by an oracle that knows what each packet was when it was sent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod forward;

use forward::{GOOD, Way, World, oracle::Expected, source::Kind};
use pc_rtp_session::forward::{Encoding, Layer};
use pc_simnet::{ms, secs};

const KINDS: [Kind; 4] = [
    Kind::Vp8,
    Kind::Vp9 { is_flexible: false },
    Kind::Vp9 { is_flexible: true },
    Kind::Av1,
];

#[test]
fn a_hundred_switches_leave_no_trace() {
    for kind in KINDS {
        for seed in 1..3 {
            eprintln!("{kind:?}, seed {seed}");
            let mut world = World::new(kind, 3, GOOD, seed);
            world.switch(100);
            let summary = world.check(true);
            assert!(summary.segments > 100, "{summary:?}");
            assert_eq!(summary.padding, 0, "nothing came late");
            assert!(summary.pictures > 500, "{summary:?}");
            let top = (
                kind.spatial_layers() - 1,
                if kind == Kind::Vp8 { 2 } else { 1 },
            );
            assert_eq!(summary.highest, top);
        }
    }
}

#[test]
fn what_comes_out_of_order_takes_its_place() {
    let way = Way {
        repeated: 20,
        jitter: ms(30),
        ..GOOD
    };
    for kind in KINDS {
        for seed in 1..3 {
            eprintln!("{kind:?}, seed {seed}");
            let mut world = World::new(kind, 3, way, seed);
            world.switch(100);
            let summary = world.check(false);
            assert!(summary.segments > 100, "{summary:?}");
        }
    }
}

#[test]
fn what_is_lost_leaves_its_number_and_nothing_else() {
    let way = Way {
        lost: 80,
        lost_for_good: 200,
        repeated: 20,
        jitter: ms(15),
    };
    for kind in KINDS {
        for seed in 1..3 {
            eprintln!("{kind:?}, seed {seed}");
            let mut world = World::new(kind, 3, way, seed);
            world.switch(100);
            let summary = world.check(false);
            assert!(summary.segments > 100, "{summary:?}");
            assert!(world.lost > 50, "{}", world.lost);
        }
    }
}

#[test]
fn layers_come_and_go() {
    for kind in KINDS {
        let mut world = World::new(kind, 1, GOOD, 5);
        world.rewriter.select(Encoding(0));
        let mut found = Vec::new();
        for (spatial_id, temporal_id) in [(0, 0), (0, 1), (1, 2), (0, 2), (1, 0)] {
            let limit = Layer {
                spatial_id,
                temporal_id,
            };
            world.rewriter.set_limit(limit);
            world.run(secs(2));
            found.push(limit);
        }
        let summary = world.check(true);
        let top = (
            kind.spatial_layers() - 1,
            if kind == Kind::Vp8 { 2 } else { 1 },
        );
        assert_eq!(summary.highest, top, "{kind:?}");
        // Ten seconds at 30 pictures a second, some of them at half or a quarter of that.
        assert!(
            (150..280).contains(&summary.pictures),
            "{kind:?} {summary:?}"
        );
        assert!(world.key_frames < 6, "{} key frames", world.key_frames);
    }
}

#[test]
fn a_source_that_begins_anew_is_taken_up_again() {
    for kind in KINDS {
        for seed in 0..20 {
            eprintln!("{kind:?}, seed {seed}");
            let mut world = World::new(kind, 1, GOOD, 5);
            world.rewriter.select(Encoding(0));
            world.run(secs(2));
            world.restart(0, 1000 + seed);
            world.run(secs(2));
            world.drain();
            let expected = Expected {
                lost: 0,
                is_orderly: true,
            };
            let summary = world.oracle.check(expected);
            assert_eq!(summary.segments, 2);
            assert!(summary.pictures > 90, "{summary:?}");
        }
    }
}
