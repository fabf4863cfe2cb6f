use std::time::Duration;

use crate::{
    InvalidFrame, VideoFrame,
    devices::pixels::{PixelFormat, Pixels},
};

fn frame(
    format: PixelFormat,
    (width, height): (u32, u32),
    stride: usize,
    data: &[u8],
) -> Result<VideoFrame, InvalidFrame> {
    let pixels = Pixels {
        format,
        width,
        height,
        stride,
        data,
    };
    pixels.to_frame(Duration::from_secs(7))
}

fn planes(frame: &VideoFrame) -> [Vec<u8>; 3] {
    assert_eq!(frame.timestamp(), Duration::from_secs(7));
    frame.planes().map(|plane| plane.data().to_vec())
}

#[test]
fn names_are_those_of_video4linux() {
    use PixelFormat::{I420, Mjpeg, Nv12, Uyvy, Yuyv};
    let names = [b"YU12", b"NV12", b"YUYV", b"UYVY", b"MJPG", b"JPEG"];
    let known = names.map(|name| PixelFormat::from_fourcc(*name));
    assert_eq!(known, [I420, Nv12, Yuyv, Uyvy, Mjpeg, Mjpeg].map(Some));
    assert_eq!(PixelFormat::from_fourcc(*b"H264"), None);
    assert!(Yuyv < Mjpeg, "what is not compressed is better");
}

#[test]
fn packed_pixels_are_parted() {
    // 4×3, with two bytes at the end of each row that are no pixels.
    let yuyv = [
        [1, 100, 2, 200, 3, 110, 4, 210, 0, 0],
        [5, 104, 6, 204, 7, 114, 8, 214, 0, 0],
        [9, 120, 10, 220, 11, 130, 12, 230, 0, 0],
    ];
    let expected = [
        (1..=12).collect::<Vec<u8>>(),
        vec![102, 112, 120, 130],
        vec![202, 212, 220, 230],
    ];
    let data = yuyv.concat();
    let seen = frame(PixelFormat::Yuyv, (4, 3), 10, &data).expect("a picture");
    assert_eq!(planes(&seen), expected);
    // The last row has no need of what follows it.
    assert!(frame(PixelFormat::Yuyv, (4, 3), 10, &data[..28]).is_ok());
    let uyvy: Vec<u8> = data.chunks(2).flat_map(|it| [it[1], it[0]]).collect();
    let seen = frame(PixelFormat::Uyvy, (4, 3), 10, &uyvy).expect("a picture");
    assert_eq!(planes(&seen), expected);
    // Of an odd width the last pixel is half of a pair.
    let seen = frame(PixelFormat::Yuyv, (3, 3), 10, &data).expect("a picture");
    let [luma, ..] = planes(&seen);
    assert_eq!(luma, [1, 2, 3, 5, 6, 7, 9, 10, 11]);
}

#[test]
fn planes_are_taken_without_their_gaps() {
    let luma = [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0]].concat();
    let expected = [
        vec![1, 2, 3, 4, 5, 6, 7, 8, 9],
        vec![10, 11, 12, 13],
        vec![20, 21, 22, 23],
    ];
    let nv12 = [&luma[..], &[10, 20, 11, 21, 12, 22, 13, 23]].concat();
    let seen = frame(PixelFormat::Nv12, (3, 3), 4, &nv12).expect("a picture");
    assert_eq!(planes(&seen), expected);
    let i420 = [&luma[..], &[10, 11, 12, 13], &[20, 21, 22, 23]].concat();
    let seen = frame(PixelFormat::I420, (3, 3), 4, &i420).expect("a picture");
    assert_eq!(planes(&seen), expected);
    // A camera that does not tell its stride has no gaps.
    let seen = frame(PixelFormat::I420, (2, 2), 0, &[1, 2, 3, 4, 5, 6]).expect("a picture");
    assert_eq!(planes(&seen), [vec![1, 2, 3, 4], vec![5], vec![6]]);
}

#[test]
fn what_is_too_short_is_an_error() {
    use PixelFormat::{I420, Mjpeg, Nv12, Uyvy, Yuyv};
    for format in [I420, Nv12, Yuyv, Uyvy, Mjpeg] {
        let whole = match format {
            I420 | Nv12 => 24,
            _ => 32,
        };
        for len in 0..whole {
            let cut = frame(format, (4, 4), 0, &vec![128; len]);
            assert!(cut.is_err(), "{format:?} {len}");
        }
        assert!(frame(format, (4, 4), 0, &vec![128; whole]).is_ok() || format == Mjpeg);
        for size in [(0, 4), (4, 0), (20_000, 4)] {
            assert!(frame(format, size, 0, &[0; 64]).is_err());
        }
    }
}

/// Seven bars, encoded by GStreamer. What is in a JPEG is of the full range.
#[cfg(feature = "camera")]
#[test]
fn a_jpeg_is_a_picture() {
    let jpeg = include_bytes!("bars.jpg");
    // Its size is its own.
    let seen = frame(PixelFormat::Mjpeg, (640, 480), 0, jpeg).expect("a picture");
    assert_eq!((seen.width(), seen.height()), (64, 32));
    let [y, u, v] = seen.planes();
    // White, yellow, cyan, green, magenta, red and blue, as `videotestsrc` has them.
    let bars = [
        (235, 128, 128),
        (210, 16, 146),
        (170, 166, 16),
        (145, 54, 34),
        (106, 202, 222),
        (81, 90, 240),
        (41, 240, 110),
    ];
    for (at, (luma, blue, red)) in bars.into_iter().enumerate() {
        let x = at * 64 / 7 + 4;
        let near = |seen: Option<u8>, number: u32, span: u32| {
            let expected = 16 + number * span / 255;
            let seen = seen.expect("a pixel");
            assert!(
                expected.abs_diff(seen.into()) < 8,
                "bar {at}: {seen}, not {expected}"
            );
        };
        near(y.at(x, 8), luma, 219);
        near(u.at(x / 2, 4), blue, 224);
        near(v.at(x / 2, 4), red, 224);
    }
    for len in 0..jpeg.len() {
        let _ = frame(PixelFormat::Mjpeg, (64, 32), 0, &jpeg[..len]);
    }
    assert!(frame(PixelFormat::Mjpeg, (64, 32), 0, &jpeg[..100]).is_err());
}
