use std::time::Duration;

use super::{amplitude, channel, tone};
use crate::{
    AudioFrame,
    codec::{self, AudioFramer, Resampler},
};

const RATES: [u32; 5] = [8_000, 16_000, 32_000, 44_100, 48_000];

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_tone_keeps_its_frequency_and_level_at_any_rate() {
    for from in RATES {
        for to in RATES {
            let mut resampler = Resampler::new(from, to, 2);
            let (mut out, second) = (Vec::new(), from as usize);
            // In pieces that do not come out even.
            for begin in (0..second).step_by(441) {
                let samples = 441.min(second - begin);
                resampler.process(&tone(1_000.0, 8_000.0, from, 2, begin, samples), &mut out);
            }
            let missing = to as usize - out.len() / 2;
            let latency = resampler.latency() * to as usize / second + 2;
            assert!(missing <= latency, "{from} to {to}: {missing} missing");
            for side in 0..2 {
                let heard = channel(&out, side, 2);
                let (tone, all) = amplitude(&heard[to as usize / 10..], 1_000.0, to);
                assert!((7_900.0..8_100.0).contains(&tone), "{from} to {to}: {tone}");
                assert!(tone > 0.999 * all, "{from} to {to}: {tone} of {all}");
            }
        }
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_not_folded_back() {
    let mut resampler = Resampler::new(48_000, 16_000, 1);
    let mut out = Vec::new();
    resampler.process(&tone(9_000.0, 8_000.0, 48_000, 1, 0, 48_000), &mut out);
    let (_, all) = amplitude(&out[1_000..], 7_000.0, 16_000);
    assert!(all < 80.0, "{all}");
}

#[test]
fn a_loud_signal_is_clipped_not_wrapped() {
    let mut resampler = Resampler::new(8_000, 48_000, 1);
    let mut out = Vec::new();
    let square: Vec<i16> = (0..800)
        .map(|it| if it / 20 % 2 == 0 { i16::MAX } else { i16::MIN })
        .collect();
    resampler.process(&square, &mut out);
    // The edges overshoot, where a wrap would jump from one end to the other and back.
    let jumps = out
        .windows(2)
        .filter(|it| it[0].abs_diff(it[1]) > 40_000)
        .count();
    assert_eq!(jumps, 0);
    assert!(out.contains(&i16::MAX) && out.contains(&i16::MIN));
}

#[test]
fn rates_of_all_sorts_neither_panic_nor_hoard() {
    for (from, to) in [(0, 4_800), (1, 8_000), (384_000, 1), (44_101, 7_919)] {
        let mut resampler = Resampler::new(from, to, 3);
        let mut out = Vec::new();
        resampler.process(&[1_000; 100], &mut out);
        assert_eq!(out.len() % 3, 0);
    }
}

#[test]
fn packets_follow_each_other_without_a_gap() {
    let mut framer = AudioFramer::new(48_000, 1, 960);
    let (mut packet, mut out, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..100 {
        let samples = tone(440.0, 8_000.0, 44_100, 2, at * 441, 441);
        // A clock that is not quite even.
        let time = ms(5_000 + at as u64 * 10 + at as u64 % 3);
        framer.push(&AudioFrame::new(44_100, 2, samples, time).expect("a frame"));
        while let Some(time) = framer.next_packet(&mut packet) {
            assert_eq!(packet.len(), 960);
            out.extend_from_slice(&packet);
            times.push(time);
        }
    }
    let wanted: Vec<_> = (0..49).map(|it| ms(5_000 + it * 20)).collect();
    assert_eq!(times, wanted);
    let (tone, all) = amplitude(&out[4_800..], 440.0, 48_000);
    assert!(
        tone > 0.999 * all && (7_900.0..8_100.0).contains(&tone),
        "{tone} of {all}"
    );
}

#[test]
fn a_gap_in_the_source_is_a_gap_in_the_packets() {
    let mut framer = AudioFramer::new(48_000, 1, 960);
    let mut packet = Vec::new();
    let frame = |begin| AudioFrame::new(48_000, 1, vec![7; 480], ms(begin)).expect("a frame");
    framer.push(&frame(0));
    framer.push(&frame(10));
    framer.push(&frame(20));
    assert_eq!(framer.next_packet(&mut packet), Some(ms(0)));
    assert_eq!(framer.next_packet(&mut packet), None);
    framer.push(&frame(1_000));
    framer.push(&frame(1_010));
    assert_eq!(framer.next_packet(&mut packet), Some(ms(1_000)));
    assert_eq!(framer.next_packet(&mut packet), None);
    // A source that begins anew.
    framer.push(&frame(0));
    framer.push(&frame(10));
    assert_eq!(framer.next_packet(&mut packet), Some(ms(0)));
}

#[test]
fn channels_are_mixed() {
    for (samples, from, to, mixed) in [
        (vec![100, 300], 2, 1, vec![200]),
        (vec![100], 1, 2, vec![100, 100]),
        (vec![1, 2, 3, 4, 5, 6], 6, 2, vec![3, 4]),
        (vec![1, 2], 2, 4, vec![1, 2, 1, 2]),
    ] {
        let mut framer = AudioFramer::new(48_000, to, 1);
        framer.push(&AudioFrame::new(48_000, from, samples, ms(0)).expect("a frame"));
        let mut packet = Vec::new();
        assert_eq!(framer.next_packet(&mut packet), Some(ms(0)));
        assert_eq!(packet, mixed, "{from} to {to}");
    }
}

#[test]
fn a_framer_without_a_reader_keeps_the_last_second() {
    let mut framer = AudioFramer::new(8_000, 1, 160);
    for at in 0..500_u64 {
        let samples = vec![at as i16; 80];
        framer.push(&AudioFrame::new(8_000, 1, samples, ms(at * 10)).expect("a frame"));
    }
    let mut packet = Vec::new();
    assert_eq!(framer.next_packet(&mut packet), Some(ms(4_000)));
    assert_eq!((packet[0], packet[159]), (400, 401));
    let rest = std::iter::from_fn(|| framer.next_packet(&mut packet)).count();
    assert_eq!(rest, 49);
}

#[test]
fn the_end_of_time_does_no_harm() {
    let mut framer = AudioFramer::new(8_000, 1, 80);
    let mut packet = Vec::new();
    for _ in 0..3 {
        let frame = AudioFrame::new(8_000, 1, vec![0; 160], Duration::MAX);
        framer.push(&frame.expect("a frame"));
        assert_eq!(framer.next_packet(&mut packet), Some(Duration::MAX));
    }
}

#[test]
fn a_framer_is_made_for_an_encoder() {
    let mut encoder = codec::audio_encoder("audio/opus", 48_000, 2, None).expect("an encoder");
    let mut framer = AudioFramer::for_encoder(encoder.as_ref());
    framer.push(&AudioFrame::new(16_000, 2, vec![0; 1_600], ms(0)).expect("a frame"));
    let (mut samples, mut packet) = (Vec::new(), Vec::new());
    assert_eq!(framer.next_packet(&mut samples), Some(ms(0)));
    encoder.encode(&samples, &mut packet).expect("it fits");
}
