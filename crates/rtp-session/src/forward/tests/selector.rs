use crate::forward::*;
use pc_simnet::{epoch, ms, secs};

fn point(encoding: u32) -> OperatingPoint {
    OperatingPoint {
        encoding: Encoding(encoding),
        limit: Layer::BASE,
    }
}

fn info(encoding: u32) -> OperatingPointInfo {
    let side = 180 << encoding;
    OperatingPointInfo {
        bit_rate: [100_000, 400_000, 1_500_000][encoding as usize],
        size: (side * 16 / 9, side),
        is_active: true,
    }
}

/// Three layers of simulcast.
fn selector(config: LayerSelectorConfig) -> LayerSelector {
    let mut selector = LayerSelector::new(config);
    for encoding in [2, 0, 1] {
        selector.set_point(point(encoding), info(encoding));
    }
    selector
}

#[test]
fn it_begins_with_what_fits() {
    for (target, expected) in [
        (2_000_000, Some(2)),
        (1_499_999, Some(1)),
        (100_000, Some(0)),
        (99_999, None),
    ] {
        let mut selector = selector(LayerSelectorConfig::default());
        selector.set_target(target);
        assert_eq!(selector.select(epoch()), expected.map(point), "{target}");
    }
    let mut never = selector(LayerSelectorConfig {
        pauses: false,
        ..LayerSelectorConfig::default()
    });
    never.set_target(1);
    assert_eq!(never.select(epoch()), Some(point(0)));
}

#[test]
fn it_goes_down_at_once_and_up_after_a_while() {
    let mut selector = selector(LayerSelectorConfig::default());
    selector.set_target(1_600_000);
    assert_eq!(selector.select(epoch()), Some(point(2)));
    selector.set_target(1_430_000);
    assert_eq!(selector.select(epoch()), Some(point(2)), "tolerated");
    selector.set_target(1_400_000);
    assert_eq!(selector.select(epoch()), Some(point(1)));
    selector.set_target(1_790_000);
    assert_eq!(
        selector.select(epoch() + secs(60)),
        Some(point(1)),
        "20 % more"
    );
    assert_eq!(selector.poll_timeout(), None);
    selector.set_target(1_800_000);
    let start = epoch() + secs(100);
    assert_eq!(selector.select(start), Some(point(1)));
    assert_eq!(selector.poll_timeout(), Some(start + secs(2)));
    assert_eq!(selector.select(start + ms(1999)), Some(point(1)));
    // A break starts the wait anew.
    selector.set_target(1_700_000);
    assert_eq!(selector.select(start + ms(1999)), Some(point(1)));
    selector.set_target(1_800_000);
    assert_eq!(selector.select(start + secs(2)), Some(point(1)));
    assert_eq!(selector.select(start + secs(4)), Some(point(2)));
    assert_eq!(selector.poll_timeout(), None);
}

#[test]
fn a_target_that_swings_does_not_make_it_swing() {
    let mut selector = selector(LayerSelectorConfig::default());
    let (mut switches, mut before) = (0, None);
    for step in 0..600_u64 {
        // From 1.3 to 1.7 Mbit/s and back, each four seconds.
        let phase = step % 40;
        let swing = phase.min(40 - phase) * 20_000;
        selector.set_target(1_300_000 + swing);
        let chosen = selector.select(epoch() + ms(100 * step));
        switches += usize::from(before.is_some() && chosen != before);
        before = chosen;
    }
    assert_eq!((switches, before), (0, Some(point(1))));
}

#[test]
fn it_starves_and_recovers_with_hysteresis() {
    let mut selector = selector(LayerSelectorConfig::default());
    selector.set_target(50_000);
    assert_eq!(selector.select(epoch()), None);
    selector.set_target(110_000);
    assert_eq!(selector.select(epoch() + secs(9)), None, "20 % more");
    selector.set_target(120_000);
    assert_eq!(selector.select(epoch() + secs(10)), None);
    assert_eq!(selector.select(epoch() + secs(12)), Some(point(0)));
}

#[test]
fn no_more_is_sent_than_is_shown() {
    let mut selector = selector(LayerSelectorConfig::default());
    selector.set_max_size(Some((400, 225)));
    assert_eq!(selector.select(epoch()), Some(point(1)), "which covers it");
    selector.set_max_size(Some((160, 90)));
    assert_eq!(selector.select(epoch()), Some(point(0)));
    selector.set_max_size(Some((4000, 2000)));
    assert_eq!(selector.select(epoch()), Some(point(2)), "at once");
    selector.set_paused(true);
    assert_eq!(selector.select(epoch()), None);
    selector.set_paused(false);
    assert_eq!(selector.select(epoch()), Some(point(2)), "at once");
}

#[test]
fn encodings_that_stop_are_left() {
    let mut selector = selector(LayerSelectorConfig::default());
    assert_eq!(selector.select(epoch()), Some(point(2)));
    let inactive = OperatingPointInfo {
        is_active: false,
        ..info(2)
    };
    selector.set_point(point(2), inactive);
    assert_eq!(selector.select(epoch()), Some(point(1)));
    selector.remove_point(point(1));
    assert_eq!(selector.select(epoch()), Some(point(0)));
    selector.set_point(point(2), info(2));
    assert_eq!(selector.select(epoch()), Some(point(0)));
    assert_eq!(selector.select(epoch() + secs(2)), Some(point(2)));
}

#[test]
fn layers_of_one_encoding_are_points_too() {
    let mut selector = LayerSelector::new(LayerSelectorConfig::default());
    let layer = |temporal_id| OperatingPoint {
        encoding: Encoding(0),
        limit: Layer {
            spatial_id: 0,
            temporal_id,
        },
    };
    for (temporal_id, bit_rate) in [(0, 300_000), (1, 400_000), (2, 600_000)] {
        let info = OperatingPointInfo {
            bit_rate,
            size: (640, 360),
            is_active: true,
        };
        selector.set_point(layer(temporal_id), info);
    }
    selector.set_target(500_000);
    assert_eq!(selector.select(epoch()), Some(layer(1)));
}

#[test]
fn how_it_makes_up_its_mind_is_the_configurations() {
    let mut selector = selector(LayerSelectorConfig {
        headroom: 50,
        up_after: ms(500),
        tolerance: 20,
        ..LayerSelectorConfig::default()
    });
    selector.set_target(1_600_000);
    assert_eq!(selector.select(epoch()), Some(point(2)));
    selector.set_target(1_260_000);
    assert_eq!(selector.select(epoch()), Some(point(2)), "tolerated");
    selector.set_target(1_240_000);
    assert_eq!(selector.select(epoch()), Some(point(1)));
    selector.set_target(2_240_000);
    assert_eq!(selector.select(epoch()), Some(point(1)), "50 % more");
    assert_eq!(selector.poll_timeout(), None);
    selector.set_target(2_260_000);
    assert_eq!(selector.select(epoch()), Some(point(1)));
    assert_eq!(selector.poll_timeout(), Some(epoch() + ms(500)));
    assert_eq!(selector.select(epoch() + ms(500)), Some(point(2)));
}
