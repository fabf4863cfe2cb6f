use std::time::Duration;

use crate::{AudioFrame, devices::sound::SoundFramer};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Brings `samples` of each channel, counted on from `from`, at this time.
fn push(
    framer: &mut SoundFramer,
    channels: i16,
    from: i16,
    samples: i16,
    now: u64,
) -> Vec<AudioFrame> {
    let mut frames = Vec::new();
    let samples = (from..from + samples).flat_map(|at| (0..channels).map(move |it| at * 2 + it));
    framer.push(samples, millis(now), |frame| frames.push(frame));
    frames
}

#[test]
fn frames_of_10_ms_follow_each_other_however_sound_is_brought() {
    let mut framer = SoundFramer::new(16_000, 2);
    let (mut all, mut from) = (Vec::new(), 0);
    // 1,200 samples of each channel, 75 ms, that come when the device likes.
    for (samples, now) in [(100, 506), (500, 560), (1, 560), (399, 563), (200, 575)] {
        all.extend(push(&mut framer, 2, from, samples, now));
        from += samples;
    }
    assert_eq!(all.len(), 7);
    let mut expected = 0;
    for (at, frame) in all.iter().enumerate() {
        assert_eq!((frame.sample_rate(), frame.channels()), (16_000, 2));
        // The first began 100 samples before it was brought.
        let begin = Duration::from_micros(499_750 + at as u64 * 10_000);
        assert_eq!(frame.timestamp(), begin);
        for sample in frame.samples() {
            assert_eq!(*sample, expected);
            expected += 1;
        }
    }
    assert_eq!(expected, 7 * 320);
}

#[test]
fn a_gap_and_a_clock_that_drifts_are_made_up_for() {
    let mut framer = SoundFramer::new(8_000, 1);
    let first = push(&mut framer, 1, 0, 80, 10);
    assert_eq!(first[0].timestamp(), Duration::ZERO);
    // A little late, and then much: the device slept.
    assert_eq!(push(&mut framer, 1, 0, 80, 90)[0].timestamp(), millis(10));
    assert_eq!(
        push(&mut framer, 1, 0, 80, 1_000)[0].timestamp(),
        millis(990)
    );
    // A device that counts 1 % more samples than our clock allows: never off by more than 100 ms.
    let mut now = 1_000_000;
    for _ in 0..3_000 {
        now += 9_900;
        let mut begin = None;
        framer.push([0; 80], Duration::from_micros(now), |frame| {
            begin = Some(frame.timestamp())
        });
        let end = begin.expect("a frame") + millis(10);
        assert!(end.abs_diff(Duration::from_micros(now)) <= millis(100));
    }
}

#[test]
fn strange_rates_and_times_do_no_harm() {
    for (rate, channels) in [(0, 0), (1, 1), (99, 3), (192_000, 8)] {
        let mut framer = SoundFramer::new(rate, channels);
        for now in [Duration::MAX, Duration::ZERO, millis(7)] {
            framer.push([1; 1_000], now, |frame| {
                assert!(!frame.samples().is_empty())
            });
        }
    }
}
