//! The rate control alone, with an encoder whose bits are known.

use std::time::Duration;

use crate::codec::rate::{RateControl, Scale};

const SCALE: Scale = Scale {
    min: 10,
    max: 200,
    step: |index| index as f64,
    guess: [40.0, 6.0],
};
const PIXELS: u32 = 100_000;

/// The bytes of a picture that costs so many bits times step size a pixel.
fn bytes(cost: f64, quantizer: u8) -> usize {
    (cost * f64::from(PIXELS) / f64::from(quantizer) / 8.0) as usize
}

fn at(picture: u32) -> Duration {
    Duration::from_secs(picture.into()) / 30
}

/// Encodes pictures of these costs; gives the bytes of each, 0 for one that is left out.
fn run(rate: &mut RateControl, from: u32, costs: impl IntoIterator<Item = f64>) -> Vec<usize> {
    let mut all = Vec::new();
    for (picture, cost) in (from..).zip(costs) {
        let Some(quantizer) = rate.plan(at(picture), PIXELS, false) else {
            all.push(0);
            continue;
        };
        let bytes = bytes(cost, quantizer);
        rate.spent(quantizer, bytes, PIXELS, false);
        all.push(bytes);
    }
    all
}

#[test]
fn the_bits_come_to_the_rate_whatever_a_picture_costs() {
    for cost in [4.0, 8.0, 15.0] {
        for bitrate in [300_000, 900_000] {
            let mut rate = RateControl::new(SCALE, bitrate, 30.0);
            // Costs that go up and down by half.
            let costs = (0..300).map(|it| cost * (1.0 + 0.5 * f64::from(it % 7 - 3) / 3.0));
            let sent: usize = run(&mut rate, 0, costs).iter().sum();
            let ratio = sent as f64 * 8.0 / 10.0 / f64::from(bitrate);
            // What is the least and the most that the quantizers can do.
            let most = cost * f64::from(PIXELS) / f64::from(SCALE.min) * 30.0;
            let least = cost * f64::from(PIXELS) / f64::from(SCALE.max) * 30.0;
            assert!(least < f64::from(bitrate) && f64::from(bitrate) < most);
            assert!(
                (0.93..1.07).contains(&ratio),
                "{cost} at {bitrate}: {ratio}"
            );
        }
    }
}

#[test]
fn a_new_rate_holds_within_a_second() {
    let mut rate = RateControl::new(SCALE, 900_000, 30.0);
    run(&mut rate, 0, [8.0; 90]);
    rate.set_rate(300_000, 30.0);
    let sent = run(&mut rate, 90, [8.0; 60]);
    let ratio = |bytes: &[usize]| bytes.iter().sum::<usize>() as f64 * 8.0 / 300_000.0;
    assert!(ratio(&sent[..30]) < 1.3, "{}", ratio(&sent[..30]));
    assert!((0.9..1.1).contains(&ratio(&sent[30..])));
}

#[test]
fn a_picture_like_the_one_before_does_not_make_the_next_one_huge() {
    let mut rate = RateControl::new(SCALE, 600_000, 30.0);
    run(&mut rate, 0, [8.0; 60]);
    let usual = run(&mut rate, 60, [8.0])[0];
    let after = run(&mut rate, 61, [0.01, 8.0])[1];
    assert!(after < usual * 14 / 10, "{usual}, then {after}");
}

#[test]
fn what_is_too_much_for_the_coarsest_quantizer_is_left_out() {
    let mut rate = RateControl::new(SCALE, 100_000, 30.0);
    let sent = run(&mut rate, 0, [30.0; 300]);
    let total = sent.iter().sum::<usize>() as f64 * 8.0 / 10.0;
    assert!((90_000.0..115_000.0).contains(&total), "{total}");
    // The debt that is allowed is spent at once; after that they come evenly.
    let longest = sent[100..].split(|it| *it > 0).map(<[usize]>::len).max();
    assert!(longest <= Some(5), "{longest:?}");
}

#[test]
fn a_key_frame_that_is_far_too_large_is_encoded_once_more() {
    let mut rate = RateControl::new(SCALE, 500_000, 30.0);
    let first = rate
        .plan(at(0), PIXELS, true)
        .expect("key frames are not left out");
    // It costs three times what was thought.
    let large = bytes(120.0, first);
    let again = rate
        .plan_again(first, large, PIXELS)
        .expect("a coarser one");
    let seconds = |bytes: usize| bytes as f64 * 8.0 / 500_000.0;
    assert!(seconds(large) > 0.35 && seconds(bytes(120.0, again)) < 0.22);
    rate.spent(again, bytes(120.0, again), PIXELS, true);
    // The next one is right at once.
    let next = rate.plan(at(1), PIXELS, true).expect("a key frame");
    let size = bytes(120.0, next);
    assert!((0.15..0.25).contains(&seconds(size)));
    assert_eq!(rate.plan_again(next, size, PIXELS), None);
    // Nothing is coarser than the coarsest.
    assert_eq!(rate.plan_again(SCALE.max, 1_000_000, PIXELS), None);
}

#[test]
fn strange_rates_do_no_harm() {
    for (bitrate, frame_rate) in [
        (0, 0.0),
        (u32::MAX, f64::INFINITY),
        (1, f64::NAN),
        (100_000, -5.0),
    ] {
        let mut rate = RateControl::new(SCALE, bitrate, frame_rate);
        run(&mut rate, 0, [8.0; 30]);
        for at in [Duration::MAX / 2, Duration::MAX, Duration::ZERO] {
            assert!(rate.plan(at, PIXELS, true).is_some());
        }
    }
}
