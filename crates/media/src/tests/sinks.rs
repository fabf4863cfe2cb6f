//! What synthetic devices say, and what is read of it.

use std::time::Duration;

use crate::{
    AudioFrame, VideoFrame,
    devices::{TestPicture, Tone, clock},
    sink::{Level, LevelMeter, ToneMeter, read_clock},
};

/// Deterministic noise: the high bits of a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> i32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i32
    }

    fn within(&mut self, most: i32) -> i32 {
        self.next().rem_euclid(2 * most + 1) - most
    }
}

fn frame(samples: Vec<i16>, rate: u32, channels: u16) -> AudioFrame {
    AudioFrame::new(rate, channels, samples, Duration::ZERO).expect("a frame")
}

/// The picture with its luma changed.
fn changed(picture: &VideoFrame, mut change: impl FnMut(usize, u8) -> i32) -> VideoFrame {
    let luma = picture.y().data().len();
    let mut data = picture.data().to_vec();
    for (at, sample) in data.iter_mut().take(luma).enumerate() {
        *sample = change(at, *sample).clamp(0, 255) as u8;
    }
    let time = picture.timestamp();
    VideoFrame::new(picture.width(), picture.height(), data, time).expect("a picture")
}

#[test]
fn a_tone_is_told_within_two_hertz_in_a_fifth_of_a_second() {
    for frequency in [60.0, 440.0, 441.7, 1_000.0, 7_321.3] {
        let tone = Tone {
            frequency,
            level: -30.0,
        };
        let mut meter = ToneMeter::new();
        for at in 0..10_u32 {
            assert_eq!(meter.note(), None, "{at}");
            let at = Duration::from_millis(20) * at;
            meter.push(&frame(tone.samples(at, 960, 2), 48_000, 2));
        }
        let note = meter.note().expect("a note");
        assert!((note.frequency - frequency).abs() < 0.5, "{note:?}");
        assert!(note.purity > 0.98, "{note:?}");
    }
}

#[test]
fn a_tone_is_told_in_noise_and_noise_from_a_tone() {
    let mut noise = Noise(1);
    let mut samples = Tone::default().samples(Duration::from_secs(3), 9_600, 1);
    for sample in &mut samples {
        *sample += noise.within(3_000) as i16;
    }
    let mut meter = ToneMeter::new();
    meter.push(&frame(samples, 48_000, 1));
    let note = meter.note().expect("a note");
    assert!((note.frequency - 440.0).abs() < 2.0, "{note:?}");
    assert!((0.4..0.8).contains(&note.purity), "{note:?}");

    let samples = (0..24_000).map(|_| noise.within(3_000) as i16).collect();
    let mut meter = ToneMeter::new();
    meter.push(&frame(samples, 48_000, 1));
    assert!(meter.note().expect("something").purity < 0.1);
}

#[test]
fn a_tone_meter_hears_what_was_last_and_no_silence() {
    let tone = |frequency| Tone {
        frequency,
        level: -20.0,
    };
    let mut meter = ToneMeter::new();
    // Longer than it remembers, in one frame.
    meter.push(&frame(
        tone(440.0).samples(Duration::ZERO, 96_000, 1),
        48_000,
        1,
    ));
    meter.push(&frame(
        tone(880.0).samples(Duration::ZERO, 24_000, 1),
        48_000,
        1,
    ));
    let note = meter.note().expect("a note");
    assert!((note.frequency - 880.0).abs() < 0.5 && note.purity > 0.98);
    // A shift of all samples is no note.
    meter.push(&frame(vec![1_000; 24_000], 48_000, 1));
    assert_eq!(meter.note(), None);
    // Another rate begins anew.
    meter.push(&frame(
        tone(880.0).samples(Duration::ZERO, 24_000, 1),
        16_000,
        1,
    ));
    let note = meter.note().expect("a note");
    assert!((note.frequency - 880.0 / 3.0).abs() < 0.5, "{note:?}");
}

#[test]
fn a_tone_goes_on_where_the_frame_before_ended() {
    let tone = Tone {
        frequency: 997.3,
        level: -6.0,
    };
    // A day later, in frames whose times are no whole number of nanoseconds.
    let start = Duration::from_secs(86_400);
    let whole = tone.samples(start, 48_000, 1);
    let mut pieces = Vec::new();
    for at in (0..48_000_u64).step_by(441) {
        let time = start + Duration::from_nanos(at * 1_000_000_000 / 48_000);
        pieces.extend(tone.samples(time, 441, 1));
    }
    let differs = whole
        .iter()
        .zip(&pieces)
        .filter(|(a, b)| a.abs_diff(**b) > 1);
    assert_eq!(differs.count(), 0);
}

#[test]
fn what_is_no_tone_is_silence() {
    for (frequency, level) in [
        (0.0, 0.0),
        (-440.0, 0.0),
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
        (24_000.0, 0.0),
        (440.0, f64::NAN),
        (440.0, f64::NEG_INFINITY),
    ] {
        let tone = Tone { frequency, level };
        assert_eq!(tone.samples(Duration::MAX, 3, 2), [0; 6], "{tone:?}");
    }
}

#[test]
fn levels_are_those_of_rfc_6464() {
    let about = |level: Level, rms: f64, peak: f64| {
        assert!((level.rms - rms).abs() < 0.02, "{level:?}");
        assert!((level.peak - peak).abs() < 0.02, "{level:?}");
    };
    about(Level::of(&[i16::MIN, i16::MIN]), 0.0, 0.0);
    about(Level::of(&[0; 10]), -127.0, -127.0);
    about(Level::of(&[]), -127.0, -127.0);
    let tone = |level| Tone {
        frequency: 1_000.0,
        level,
    };
    let second = |level| tone(level).samples(Duration::ZERO, 48_000, 2);
    about(Level::of(&second(0.0)), -3.01, 0.0);
    about(Level::of(&second(-20.0)), -23.01, -20.0);

    let mut meter = LevelMeter::new();
    assert_eq!(meter.take(), None);
    meter.push(&frame(second(-20.0), 48_000, 2));
    meter.push(&frame(vec![0; 96_000], 48_000, 2));
    about(meter.take().expect("a level"), -26.02, -20.0);
    assert_eq!(meter.take(), None);
}

#[test]
fn the_clock_is_read_in_any_size() {
    let times = [0, 1, 999, 83_250, 0x5555_5555, 0xffff_ffff];
    for time in times.map(Duration::from_millis) {
        for (width, height) in [(64, 48), (65, 49), (320, 180), (480, 270), (641, 361)] {
            let picture = TestPicture::frame(time, width, height).expect("a picture");
            assert_eq!(read_clock(&picture), Some(time), "{width}×{height}");
            assert_eq!(picture.timestamp(), time);
        }
    }
    // Modulo 2^32 ms.
    let late = Duration::from_millis((1 << 32) + 7);
    let picture = TestPicture::frame(late, 320, 180).expect("a picture");
    assert_eq!(read_clock(&picture), Some(Duration::from_millis(7)));
}

#[test]
fn the_layout_is_the_one_that_is_documented() {
    let row = |row: usize| {
        let cells = clock::cells(Duration::from_millis(0x0102_0304));
        let cells = cells.into_iter().skip(16 * row).take(16);
        cells.fold(0_u16, |bits, white| bits << 1 | u16::from(white))
    };
    assert_eq!([row(0), row(1)], [0xb201, 0x0203]);
    // The CRC of 01 02 03 04, by long division over GF(2).
    assert_eq!(row(2), 0x0432);
    let zero = clock::cells(Duration::ZERO);
    let crc = zero.into_iter().skip(40);
    assert_eq!(crc.fold(0, |bits, white| bits << 1 | u8::from(white)), 0xd1);
    // In 1600×1200 a cell is 100×100 pixels, and the clock is below row 900.
    let picture = TestPicture::frame(Duration::ZERO, 1_600, 1_200).expect("a picture");
    let at = |x, y| picture.y().at(x, y);
    assert_eq!(
        [at(0, 900), at(99, 999), at(100, 900)],
        [235, 235, 16].map(Some)
    );
    assert_eq!(
        [at(200, 950), at(399, 950), at(400, 950)],
        [235, 235, 16].map(Some)
    );
    assert_ne!(at(0, 899), at(0, 900));
}

#[test]
fn the_clock_survives_scaling_noise_and_another_brightness() {
    let time = Duration::from_millis(12_345_678);
    let picture = TestPicture::frame(time, 320, 180).expect("a picture");
    let scaled = |width, height| picture.scaled_to(width, height).expect("a picture");
    for picture in [
        scaled(160, 90),
        scaled(213, 120),
        scaled(640, 480),
        scaled(80, 48),
    ] {
        assert_eq!(read_clock(&picture), Some(time), "{picture:?}");
    }
    let mut noise = Noise(2);
    let noisy = changed(&scaled(160, 90), |_, luma| {
        i32::from(luma) + noise.within(100)
    });
    assert_eq!(read_clock(&noisy), Some(time));
    for offset in [-60, 60] {
        let shifted = changed(&picture, |_, luma| i32::from(luma) + offset);
        assert_eq!(read_clock(&shifted), Some(time), "{offset}");
    }
    // Down to a fifth of the contrast, below all of the middle grey.
    let faint = changed(&picture, |_, luma| i32::from(luma) / 5 + 20);
    assert_eq!(read_clock(&faint), Some(time));
}

#[test]
fn what_is_no_clock_is_not_read() {
    let time = Duration::from_millis(83_250);
    let picture = TestPicture::frame(time, 320, 180).expect("a picture");
    // One cell of time or CRC that is wrong, whichever.
    for cell in 8..clock::CELLS {
        let (columns, rows) = clock::area(cell, 320, 180);
        let broken = changed(&picture, |at, luma| {
            let is_within = columns.contains(&(at % 320)) && rows.contains(&(at / 320));
            if is_within {
                251 - i32::from(luma)
            } else {
                luma.into()
            }
        });
        assert_eq!(read_clock(&broken), None, "cell {cell}");
    }
    let negative = changed(&picture, |_, luma| 251 - i32::from(luma));
    assert_eq!(read_clock(&negative), None);
    let upside_down = changed(&picture, |at, _| {
        i32::from(picture.y().data()[320 * 180 - 1 - at])
    });
    assert_eq!(read_clock(&upside_down), None);
    let too_faint = changed(&picture, |_, luma| i32::from(luma) / 8);
    assert_eq!(read_clock(&too_faint), None);
    for (width, height) in [(1, 1), (2, 3), (320, 180)] {
        let black = VideoFrame::black(width, height, time).expect("a picture");
        assert_eq!(read_clock(&black), None);
        // Too small to tell anything, and yet no reason to panic.
        let small = TestPicture::frame(time, width, height).expect("a picture");
        let _ = read_clock(&small);
    }
    assert!(TestPicture::frame(time, 0, 180).is_err());
}

#[test]
fn the_picture_moves_and_has_colour() {
    let at = |millis| {
        let time = Duration::from_millis(millis);
        TestPicture::frame(time, 320, 180).expect("a picture")
    };
    let moved = |a: &VideoFrame, b: &VideoFrame| {
        let above = 320 * 135;
        let pairs = a.y().data().iter().zip(b.y().data()).take(above);
        pairs.filter(|(a, b)| a != b).count()
    };
    assert_eq!(moved(&at(1_000), &at(1_000)), 0);
    assert!(moved(&at(1_000), &at(1_033)) > 100);
    let (u, v) = (at(0).u().data().to_vec(), at(0).v().data().to_vec());
    assert!(u.contains(&212) && u.contains(&44) && v.contains(&212) && v.contains(&44));
}

/// Thirty pictures of 320×180, coded at 200 kbit/s.
#[cfg(any(feature = "vp8", feature = "vp9"))]
#[test]
fn the_clock_survives_the_codecs() {
    use crate::codec::{self, VideoEncoderConfig};

    for mime in ["video/VP8", "video/VP9"] {
        let config = VideoEncoderConfig {
            width: 320,
            height: 180,
            bitrate: 200_000,
            frame_rate: 30.0,
        };
        let Some(mut encoder) = codec::video_encoder(mime, None, config) else {
            continue;
        };
        let mut decoder = codec::video_decoder(mime, None).expect("a decoder");
        let (mut data, mut coded) = (Vec::new(), 0);
        for at in 0..30 {
            let time = Duration::from_millis(7_000_000 + at * 33);
            let picture = TestPicture::frame(time, 320, 180).expect("a picture");
            encoder.encode(&picture, false, &mut data).expect("coded");
            if data.is_empty() {
                continue;
            }
            coded += 1;
            let decoded = decoder.decode(&data, time).expect("decoded");
            let decoded = decoded.expect("a picture");
            assert_eq!(read_clock(&decoded), Some(time), "{mime} {at}");
            let half = decoded.scaled_to(160, 90).expect("a picture");
            assert_eq!(read_clock(&half), Some(time), "{mime} {at}, halved");
        }
        assert!(coded >= 15, "{mime}: {coded}");
    }
}
