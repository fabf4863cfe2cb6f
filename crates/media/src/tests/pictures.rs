//! The shapes of frames.

use std::time::Duration;

use crate::{AudioFrame, InvalidFrame, Rotation, VideoFrame};

const NOW: Duration = Duration::from_millis(40);

/// Luma by column and row, no colour.
fn grey(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> VideoFrame {
    let mut data = Vec::new();
    for y in 0..height {
        data.extend((0..width).map(|x| luma(x, y)));
    }
    data.resize(VideoFrame::byte_len(width, height).expect("a size"), 128);
    VideoFrame::new(width, height, data, NOW).expect("a picture")
}

#[test]
fn samples_have_a_rate_and_come_out_even() {
    let new = |rate, channels, samples: usize| {
        AudioFrame::new(rate, channels, vec![0; samples], NOW).err()
    };
    assert_eq!(new(48_000, 2, 960), None);
    assert_eq!(new(48_000, 2, 0), None);
    assert_eq!(new(0, 2, 960), Some(InvalidFrame::SampleRate(0)));
    assert_eq!(new(384_001, 2, 2), Some(InvalidFrame::SampleRate(384_001)));
    assert_eq!(new(48_000, 0, 960), Some(InvalidFrame::Channels(0)));
    assert_eq!(new(48_000, 33, 33), Some(InvalidFrame::Channels(33)));
    let uneven = InvalidFrame::UnevenSamples {
        samples: 961,
        channels: 2,
    };
    assert_eq!(new(48_000, 2, 961), Some(uneven));
}

#[test]
fn a_picture_has_all_its_bytes() {
    let new = |width, height, len: usize| VideoFrame::new(width, height, vec![0; len], NOW).err();
    assert_eq!(new(4, 2, 12), None);
    // Chroma is rounded up: 3×3, and twice 2×2.
    assert_eq!(new(3, 3, 17), None);
    let bytes = InvalidFrame::Bytes {
        needed: 17,
        got: 16,
    };
    assert_eq!(new(3, 3, 16), Some(bytes));
    for (width, height) in [(0, 4), (4, 0), (16_385, 4), (u32::MAX, u32::MAX)] {
        let size = InvalidFrame::Size { width, height };
        assert_eq!(new(width, height, 0), Some(size));
        assert_eq!(VideoFrame::black(width, height, NOW), Err(size));
    }
}

#[test]
fn planes_are_what_they_were_made_of() {
    // 3×3 with strides of 5, 4 and 2, and the last rows cut short.
    let y = [1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9];
    let u = [11, 12, 0, 0, 13, 14];
    let v = [21, 22, 23, 24];
    let frame = VideoFrame::from_planes(3, 3, [(&y, 5), (&u, 4), (&v, 2)], NOW).expect("it fits");
    assert_eq!(frame.y().data(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(frame.u().data(), [11, 12, 13, 14]);
    assert_eq!(frame.v().data(), [21, 22, 23, 24]);
    assert_eq!((frame.u().width(), frame.u().height()), (2, 2));
    assert_eq!((frame.y().at(2, 1), frame.y().at(3, 1)), (Some(6), None));
    assert_eq!(frame.y().row(2), [7, 8, 9]);
    assert_eq!(frame.y().row(3), []);
    assert_eq!(frame.y().rows().count(), 3);
    for short in [
        [(&y[..12], 5), (&u, 4), (&v, 2)],
        [(&y, 2), (&u, 4), (&v, 2)],
    ] {
        let error = VideoFrame::from_planes(3, 3, short, NOW);
        assert!(matches!(error, Err(InvalidFrame::Bytes { .. })));
    }
}

#[test]
fn black_is_black() {
    let frame = VideoFrame::black(3, 5, NOW).expect("a picture");
    assert!(frame.y().data().iter().all(|it| *it == 16));
    let chroma = [frame.u(), frame.v()];
    assert!(chroma.iter().all(|it| it.data() == [128; 6]));
    assert_eq!(frame.timestamp(), NOW);
    let white = grey(3, 5, |_, _| 235).with_rotation(Rotation::Clockwise90);
    let black = white.blackened();
    assert_eq!(black.rotation(), Rotation::Clockwise90);
    assert_eq!(black.with_rotation(Rotation::None), frame);
}

#[test]
fn scaling_keeps_what_is_even() {
    let frame = grey(37, 23, |_, _| 77).with_rotation(Rotation::Clockwise180);
    for (width, height) in [
        (37, 23),
        (1, 1),
        (2, 100),
        (400, 3),
        (36, 24),
        (74, 46),
        (320, 180),
    ] {
        let scaled = frame.scaled_to(width, height).expect("a size");
        assert_eq!((scaled.width(), scaled.height()), (width, height));
        assert!(
            scaled.y().data().iter().all(|it| *it == 77),
            "{width}×{height}"
        );
        assert!(
            scaled.u().data().iter().all(|it| *it == 128),
            "{width}×{height}"
        );
        assert_eq!(scaled.timestamp(), NOW);
        assert_eq!(scaled.rotation(), Rotation::Clockwise180);
    }
    assert!(frame.scaled_to(0, 5).is_err());
}

#[test]
fn a_smaller_picture_is_the_mean_of_what_it_covers() {
    let frame = grey(4, 4, |x, y| (x * 10 + y * 50) as u8);
    let half = frame.scaled_to(2, 2).expect("a size");
    assert_eq!(half.y().data(), [30, 50, 130, 150]);
    // Three columns of four: the middle one has halves of two.
    let three = grey(4, 1, |x, _| [0, 90, 180, 90][x as usize]);
    let three = three.scaled_to(3, 1).expect("a size");
    assert_eq!(three.y().data(), [23, 135, 113]);
    // Nothing of a fine pattern is left that is not there.
    let fine = grey(256, 256, |x, y| ((x + y) % 2 * 200) as u8);
    let small = fine.scaled_to(50, 50).expect("a size");
    let luma = small.y().data();
    assert!(luma.iter().all(|it| (90..=110).contains(it)));
}

#[test]
fn a_larger_picture_is_in_between() {
    let frame = grey(2, 1, |x, _| [100, 200][x as usize]);
    let wide = frame.scaled_to(8, 1).expect("a size");
    assert_eq!(wide.y().data(), [100, 100, 113, 138, 163, 188, 200, 200]);
}
